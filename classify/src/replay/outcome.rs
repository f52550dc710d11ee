//! What routing by a score would have brought.

use serde::Serialize;

use super::cases::{Case, Log};
use super::metrics::{Recovery, auroc};
use crate::calibration::Calibration;
use crate::mode::Mode;

/// The shares that are delegated where no threshold is named: what seed 000 wants.
const SHARES: [f64; 3] = [0.6, 0.7, 0.8];

/// A log, replayed.
#[derive(Debug, Serialize)]
pub(super) struct Replayed {
    pub(super) tier: u8,
    /// All tasks of the log.
    pub(super) tasks: usize,
    /// Those with a verdict on a draft of the tier: all figures are about these.
    pub(super) drafted: usize,
    pub(super) rejected: usize,
    /// Those whose strong result is in the log; of the others it is taken for accepted.
    pub(super) strong_known: usize,
    pub(super) strong_accepted: f64,
    /// Those that the calibration has learned from, so that its row flatters.
    pub(super) learned_from: usize,
    pub(super) rankings: Vec<Ranking>,
    pub(super) routings: Vec<Routing>,
    /// Whether costs are known.
    pub(super) priced: bool,
}

/// How well a score ranks.
#[derive(Debug, Serialize)]
pub(super) struct Ranking {
    pub(super) score: &'static str,
    pub(super) auroc: Option<f64>,
    pub(super) apgr: Option<f64>,
    /// In per cent of all calls.
    pub(super) cpt50: Option<f64>,
    pub(super) cpt80: Option<f64>,
    /// Share of strong calls and share of the gap that is recovered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) curve: Option<Vec<(f64, f64)>>,
}

/// What delegating a share of the tasks brings.
#[derive(Debug, Serialize)]
pub(super) struct Routing {
    pub(super) score: &'static str,
    /// Of the score that names it; a baseline delegates as many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) threshold: Option<f64>,
    /// The share of tasks that is delegated.
    pub(super) delegated: f64,
    /// The share of those that is rejected.
    pub(super) rejected: f64,
    /// The share of all tasks that is delegated and rejected.
    pub(super) bad: f64,
    /// In US dollars, the strong calls after rejections included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost_usd: Option<f64>,
    /// What is saved against strong calls alone, 0 to 1; negative if it costs more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) saved: Option<f64>,
}

impl Replayed {
    pub(super) fn of(
        log: &Log,
        calibration: Option<&Calibration>,
        thresholds: &[f64],
        modes: &[Mode],
        curve: Option<usize>,
    ) -> Self {
        let cases = &log.cases;
        let scores = scores(log, calibration);
        let rejected: Vec<bool> = cases.iter().map(|case| case.rejected).collect();
        let gains: Vec<f64> = cases.iter().map(gain).collect();
        let mut rankings: Vec<Ranking> = scores
            .iter()
            .map(|(score, risks)| {
                let recovery = Recovery::of(risks, &gains);
                let calls = |share| recovery.as_ref().map(|recovery| 100.0 * recovery.calls_for(share));
                Ranking {
                    score,
                    auroc: auroc(risks, &rejected),
                    apgr: recovery.as_ref().map(Recovery::area),
                    cpt50: calls(0.5),
                    cpt80: calls(0.8),
                    curve: curve.and_then(|points| Some(recovery.as_ref()?.curve(points))),
                }
            })
            .collect();
        let has_gap = rankings.iter().any(|ranking| ranking.apgr.is_some());
        let chance = |value: f64| has_gap.then_some(value);
        // The mean over all orders, in one formula.
        rankings.push(Ranking {
            score: "random",
            auroc: Some(0.5),
            apgr: chance(0.5),
            cpt50: chance(50.0),
            cpt80: chance(80.0),
            curve: curve.and(chance(0.0)).map(|_| vec![(0.0, 0.0), (1.0, 1.0)]),
        });
        let prices = Prices::of(cases);
        Replayed {
            tier: log.tier,
            tasks: log.tasks,
            drafted: cases.len(),
            rejected: rejected.iter().filter(|rejected| **rejected).count(),
            strong_known: cases.iter().filter(|case| case.strong.is_some()).count(),
            strong_accepted: cases.iter().filter(|case| case.strong.unwrap_or(true)).count() as f64
                / cases.len() as f64,
            learned_from: log.known,
            rankings,
            routings: if modes.is_empty() || !thresholds.is_empty() {
                routings(cases, &scores, thresholds, prices.as_ref())
            } else {
                Vec::new()
            }
            .into_iter()
            .chain(modes.iter().enumerate().map(|(at, mode)| of_mode(*mode, at, cases, prices.as_ref())))
            .collect(),
            priced: prices.is_some(),
        }
    }
}

/// What the strong tier's result is worth more than the cheap one's. What is not known is taken for accepted: nobody
/// asks a strong tier again for what a cheap one did well.
fn gain(case: &Case) -> f64 {
    f64::from(u8::from(case.strong.unwrap_or(true))) - f64::from(u8::from(!case.rejected))
}

type Scores = Vec<(&'static str, Vec<f64>)>;

/// Returns the risks by each way to see them, ours first.
fn scores(log: &Log, calibration: Option<&Calibration>) -> Scores {
    let cases = &log.cases;
    let by = |risk: &dyn Fn(&Case) -> f64| -> Vec<f64> { cases.iter().map(risk).collect() };
    let mut scores: Scores = Vec::new();
    if calibration.is_some() {
        scores.push(("calibration", by(&|case| 1.0 - case.acceptance.unwrap_or(0.5))));
    }
    if cases.iter().all(|case| case.left_out.is_some()) {
        // Ours is the one that has not seen these tasks.
        let place = if log.known > 0 { 0 } else { scores.len() };
        scores.insert(place, ("learned here", by(&|case| 1.0 - case.left_out.unwrap_or(0.5))));
    }
    scores.push(("words", by(&|case| case.words)));
    scores.push(("length", by(&|case| case.length)));
    scores.push(("oracle", by(&gain)));
    scores
}

/// What calls cost.
struct Prices {
    cheap: Vec<f64>,
    strong: Vec<f64>,
}

impl Prices {
    /// What is not known costs what the others do on average. `None` if nothing is known of one of the tiers.
    fn of(cases: &[Case]) -> Option<Prices> {
        let filled = |cost: &dyn Fn(&Case) -> Option<f64>| {
            let known: Vec<f64> = cases.iter().filter_map(cost).collect();
            if known.is_empty() {
                return None;
            }
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            Some(cases.iter().map(|case| cost(case).unwrap_or(mean)).collect())
        };
        Some(Prices { cheap: filled(&|case| case.cost)?, strong: filled(&|case| case.strong_cost)? })
    }
}

fn routings(cases: &[Case], scores: &Scores, thresholds: &[f64], prices: Option<&Prices>) -> Vec<Routing> {
    let (own, risks) = &scores[0];
    let n = cases.len();
    let mut acceptances: Vec<f64> = risks.iter().map(|risk| 1.0 - risk).collect();
    acceptances.sort_by(|a, b| b.total_cmp(a));
    // Without probabilities there is nothing that a threshold could be compared with.
    let has_probabilities = matches!(*own, "calibration" | "learned here");
    let chosen: Vec<(Option<f64>, usize)> = if has_probabilities {
        let of_shares =
            || SHARES.map(|share| acceptances[((share * n as f64).ceil() as usize).clamp(1, n) - 1]);
        let thresholds = if thresholds.is_empty() { of_shares().to_vec() } else { thresholds.to_vec() };
        let count = |threshold: f64| acceptances.iter().filter(|score| **score >= threshold - 1e-12).count();
        thresholds.into_iter().map(|threshold| (Some(threshold), count(threshold))).collect()
    } else {
        SHARES.map(|share| (None, (share * n as f64).round() as usize)).to_vec()
    };
    let mut all = Vec::new();
    for (threshold, count) in chosen {
        for (score, risks) in scores {
            let threshold = threshold.filter(|_| score == own);
            all.push(Routing { threshold, ..routed(score, cases, risks, count, prices) });
        }
        all.push(routed("random", cases, &vec![0.0; n], count, prices));
    }
    all
}

/// Delegates what stays on the tier in a mode.
fn of_mode(mode: Mode, at: usize, cases: &[Case], prices: Option<&Prices>) -> Routing {
    let risks: Vec<f64> = cases.iter().map(|case| f64::from(u8::from(!case.stays[at]))).collect();
    let count = cases.iter().filter(|case| case.stays[at]).count();
    let name = match mode {
        Mode::Conservative => "conservative",
        Mode::Balanced => "balanced",
        Mode::Aggressive => "aggressive",
    };
    routed(name, cases, &risks, count, prices)
}

/// Delegates so many tasks, those of the least risk. Among equals it takes a part of each, which is what a random choice
/// among them comes to on average.
fn routed(
    score: &'static str,
    cases: &[Case],
    risks: &[f64],
    count: usize,
    prices: Option<&Prices>,
) -> Routing {
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by(|a, b| risks[*a].total_cmp(&risks[*b]));
    let (mut left, mut bad, mut cost) = (count as f64, 0.0, 0.0);
    for same in order.chunk_by(|a, b| risks[*a] == risks[*b]) {
        let part = (left / same.len() as f64).clamp(0.0, 1.0);
        left -= part * same.len() as f64;
        for at in same {
            let rejected = f64::from(u8::from(cases[*at].rejected));
            bad += part * rejected;
            if let Some(prices) = prices {
                let delegated = prices.cheap[*at] + rejected * prices.strong[*at];
                cost += part * delegated + (1.0 - part) * prices.strong[*at];
            }
        }
    }
    let n = cases.len() as f64;
    let strong: Option<f64> = prices.map(|prices| prices.strong.iter().sum());
    Routing {
        score,
        threshold: None,
        delegated: count as f64 / n,
        rejected: if count > 0 { bad / count as f64 } else { 0.0 },
        bad: bad / n,
        cost_usd: prices.map(|_| cost),
        saved: strong.filter(|strong| *strong > 0.0).map(|strong| 1.0 - cost / strong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(rejected: bool, left_out: f64, length: f64) -> Case {
        Case {
            rejected,
            strong: rejected.then_some(true),
            cost: Some(1.0),
            strong_cost: rejected.then_some(10.0),
            acceptance: None,
            left_out: Some(left_out),
            words: 2.0,
            stays: vec![!rejected],
            length,
        }
    }

    fn log() -> Log {
        let cases = vec![
            case(false, 0.9, 10.0),
            case(false, 0.8, 20.0),
            case(true, 0.7, 30.0),
            case(false, 0.4, 40.0),
            case(true, 0.2, 5.0),
        ];
        Log { tier: 1, tasks: 6, cases, known: 0 }
    }

    #[test]
    fn a_threshold_is_compared_with_the_baselines_at_the_same_share() {
        let replayed = Replayed::of(&log(), None, &[0.7], &[], None);
        let of = |score: &str| replayed.routings.iter().find(|routing| routing.score == score).unwrap();
        let own = of("learned here");
        assert_eq!((own.delegated, own.bad, own.threshold), (0.6, 0.2, Some(0.7)));
        assert!((own.rejected - 1.0 / 3.0).abs() < 1e-12);
        // Three cheap calls, one of them in vain, and two strong ones: 3 + 10 + 20 of 50.
        assert_eq!(own.cost_usd, Some(33.0));
        assert!((own.saved.unwrap() - 0.34).abs() < 1e-12);
        assert_eq!(of("oracle").bad, 0.0);
        // 5, 10 and 20 characters.
        assert_eq!(of("length").bad, 0.2);
        // Three fifths of each: 0.6 · 2 of 5.
        assert!((of("random").bad - 0.24).abs() < 1e-12);
        assert!((of("random").cost_usd.unwrap() - (3.0 + 0.6 * 20.0 + 0.4 * 50.0)).abs() < 1e-9);
    }

    #[test]
    fn a_mode_delegates_what_it_leaves_on_the_tier() {
        let replayed = Replayed::of(&log(), None, &[], &[Mode::Balanced], None);
        let [only] = replayed.routings.as_slice() else { panic!("{:?}", replayed.routings) };
        assert_eq!((only.score, only.delegated, only.bad), ("balanced", 0.6, 0.0));
        // Three cheap calls that were accepted, and two strong ones.
        assert_eq!(only.cost_usd, Some(23.0));
    }

    #[test]
    fn rankings_by_hand() {
        let replayed = Replayed::of(&log(), None, &[], &[], Some(3));
        let of = |score: &str| replayed.rankings.iter().find(|ranking| ranking.score == score).unwrap();
        // Pairs of rejected and accepted: (.7: below .9 and .8, above .4), (.2: below all): 5 of 6.
        assert!((of("learned here").auroc.unwrap() - 5.0 / 6.0).abs() < 1e-12);
        // (30: above 10 and 20, below 40), (5: above none).
        assert!((of("length").auroc.unwrap() - 2.0 / 6.0).abs() < 1e-12);
        assert_eq!(of("oracle").auroc, Some(1.0));
        assert_eq!(of("words").auroc, Some(0.5));
        // Gains 1 at the first, 0 at the second, 1 at the third of five: ⅕ (¼ + ½ + ¾ + 1 + 1).
        assert!((of("learned here").apgr.unwrap() - 0.7).abs() < 1e-12);
        assert!((of("learned here").cpt50.unwrap() - 20.0).abs() < 1e-9);
        assert!(of("learned here").curve.as_ref().unwrap().len() <= 4);
        assert_eq!(of("random").cpt80, Some(80.0));
        assert_eq!(replayed.routings.len(), 3 * 5);
    }

    #[test]
    fn without_prices_or_without_a_gap_nothing_is_made_up() {
        let mut log = log();
        for case in &mut log.cases {
            (case.cost, case.rejected, case.strong) = (None, false, None);
        }
        let replayed = Replayed::of(&log, None, &[], &[], None);
        assert!(!replayed.priced && replayed.routings.iter().all(|routing| routing.cost_usd.is_none()));
        assert!(replayed.rankings.iter().all(|ranking| ranking.apgr.is_none()));
    }
}
