//! Makes a calibration from evidence.

use std::collections::BTreeMap;

use super::counts::{self, Counts, Shift, Zone};
use super::evidence::{Attempt, Evidence};
use super::file::{Cell, Effort, File, Promise, Quantiles, Rejection, Share, StoredModel, Tier};
use super::interval::{Bounds, Z95, wilson};
use super::outcome::{self, Example};
use super::promise::{Drafted, Found, Terms};

/// The models learn from so many tasks at most, the newest.
const NEWEST: usize = 8_000;
const DAY: f64 = 86_400.0;

/// How it is to be learned.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) half_life_days: f64,
    pub(super) min_evidence: f64,
    pub(super) terms: Option<Terms>,
    /// The tier of the promise; absent: the lowest with a model that has verdicts.
    pub(super) tier: Option<u8>,
    pub(super) now: String,
}

/// Learns from evidence, which has to be sorted, the oldest first.
pub(super) fn learn(evidence: &[Evidence], settings: &Settings) -> File {
    let judged: Vec<&Evidence> = evidence.iter().filter(|evidence| evidence.is_judged()).collect();
    let newest = judged.iter().filter_map(|one| one.seconds()).fold(f64::NEG_INFINITY, f64::max);
    // Evidence without a time is as good as new.
    let weight = |one: &Evidence| match one.seconds() {
        Some(seconds) => 0.5f64.powf((newest - seconds) / DAY / settings.half_life_days),
        None => 1.0,
    };
    let delegation = delegation(&judged, weight);
    let mut tiers = BTreeMap::new();
    let mut scores = BTreeMap::new();
    for number in 0..=3 {
        let drafts: Vec<(&Evidence, &Attempt)> =
            judged.iter().filter_map(|one| Some((*one, one.at_tier(number)?))).collect();
        if drafts.is_empty() {
            continue;
        }
        let (model, left_out) = model(&drafts);
        let bounds = Bounds { low: delegation.low, high: delegation.high };
        let mut tier = tier(number, &drafts, weight, bounds, settings.min_evidence);
        tier.model = model;
        scores.insert(number, Scores { drafts: drafts.len(), left_out });
        tiers.insert(number, tier);
    }
    let mut file = File {
        version: File::VERSION,
        made_at: settings.now.clone(),
        as_of: judged.iter().rev().find(|one| one.seconds().is_some()).and_then(|one| one.at.clone()),
        half_life_days: settings.half_life_days,
        min_evidence: settings.min_evidence,
        tasks: judged.len() as u64,
        delegation,
        tiers,
        promise: None,
    };
    file.promise = settings.terms.map(|terms| promise(&judged, weight, terms, settings, &file, &scores));
    file
}

/// What a model that had not seen them says of a tier's drafts, in their order.
struct Scores {
    drafts: usize,
    /// For each of the newest drafts, if there is a model.
    left_out: Option<Vec<f64>>,
}

/// The share of tasks whose first draft was made below tier 3.
fn delegation(judged: &[&Evidence], weight: impl Fn(&Evidence) -> f64) -> Share {
    let (mut below, mut all) = (0.0, 0.0);
    for one in judged {
        let weight = weight(one);
        all += weight;
        if one.attempts.first().is_some_and(|attempt| attempt.tier < 3) {
            below += weight;
        }
    }
    let bounds = wilson(below, all, Z95);
    let share = if all > 0.0 { below / all } else { 0.0 };
    Share { share: places(share), low: places(bounds.low), high: places(bounds.high), n: places(all) }
}

fn tier(
    number: u8,
    drafts: &[(&Evidence, &Attempt)],
    weight: impl Fn(&Evidence) -> f64,
    delegation: Bounds,
    min: f64,
) -> Tier {
    let mut all = Counted::default();
    let mut by_signature: BTreeMap<String, Counted> = BTreeMap::new();
    for (one, attempt) in drafts {
        let weight = weight(one);
        let rejected = attempt.rejected == Some(true);
        all.add(rejected, weight);
        by_signature.entry(one.signature.clone()).or_default().add(rejected, weight);
    }
    let expected = counts::expected(number);
    let shift = counts::shift_of_tier(&all.counts, delegation, min);
    let above = all.counts.acceptance(expected);
    let signatures = by_signature
        .into_iter()
        .map(|(signature, own)| {
            let shift = counts::shift_of_signature(&own.counts, shift, min);
            (signature, own.cell(above, shift))
        })
        .collect();
    Tier { cell: all.cell(expected, shift), signatures, effort: effort(drafts, weight), model: None }
}

#[derive(Default)]
struct Counted {
    counts: Counts,
    n: u64,
}

impl Counted {
    fn add(&mut self, rejected: bool, weight: f64) {
        self.counts.add(rejected, weight);
        self.n += 1;
    }

    fn cell(&self, expected: f64, shift: Shift) -> Cell {
        let Counts { accepted, rejected } = self.counts;
        let (wilson, exact) = (self.counts.wilson(), self.counts.exact());
        Cell {
            counts: Counts { accepted: places(accepted), rejected: places(rejected) },
            n: self.n,
            acceptance: places(self.counts.acceptance(expected)),
            rejection: Rejection {
                share: places(self.counts.rejection()),
                wilson: [places(wilson.low), places(wilson.high)],
                exact: [places(exact.low), places(exact.high)],
            },
            zone: Zone::of(self.counts.rejection()),
            shift,
        }
    }
}

/// Six places: what is behind them is noise, and makes a file hard to read.
fn places(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn effort(drafts: &[(&Evidence, &Attempt)], weight: impl Fn(&Evidence) -> f64) -> Effort {
    let quantiles = |of: &dyn Fn(&Attempt) -> Option<f64>| {
        let values = drafts.iter().filter_map(|(one, attempt)| Some((of(attempt)?, weight(one))));
        Quantiles::of(values.collect())
    };
    Effort {
        turns: quantiles(&|attempt| attempt.turns.map(f64::from)),
        tokens: quantiles(&|attempt| attempt.tokens().map(|tokens| tokens as f64)),
        output_tokens: quantiles(&|attempt| attempt.usage.map(|usage| usage.output_tokens as f64)),
        cost_usd: quantiles(&|attempt| attempt.cost_usd),
        elapsed_ms: quantiles(&|attempt| Some(attempt.elapsed_ms as f64).filter(|elapsed| *elapsed > 0.0)),
    }
}

fn model(drafts: &[(&Evidence, &Attempt)]) -> (Option<StoredModel>, Option<Vec<f64>>) {
    let newest = &drafts[drafts.len().saturating_sub(NEWEST)..];
    let examples: Vec<Example> =
        newest.iter().map(|(one, attempt)| Example::of(&one.text, attempt.rejected == Some(true))).collect();
    let Some(trained) = outcome::train(&examples) else { return (None, None) };
    let rejected: Vec<bool> = examples.iter().map(|example| example.rejected).collect();
    let risks: Vec<f64> = trained.left_out.iter().map(|acceptance| 1.0 - acceptance).collect();
    let auroc = crate::replay::metrics::auroc(&risks, &rejected).unwrap_or(0.5);
    let count = rejected.iter().filter(|rejected| **rejected).count() as u64;
    let stored =
        StoredModel::new(&trained.model, examples.len() as u64, count, places(auroc), trained.strength);
    (Some(stored), Some(trained.left_out))
}

fn promise(
    judged: &[&Evidence],
    weight: impl Fn(&Evidence) -> f64,
    terms: Terms,
    settings: &Settings,
    file: &File,
    scores: &BTreeMap<u8, Scores>,
) -> Promise {
    let lowest = file.tiers.keys().copied().find(|tier| *tier > 0).unwrap_or(1);
    let tier = settings.tier.unwrap_or(lowest).clamp(1, 2);
    let known = file.tiers.get(&tier);
    let mut tasks = Vec::with_capacity(judged.len());
    let Scores { drafts, left_out } = scores.get(&tier).unwrap_or(&Scores { drafts: 0, left_out: None });
    let mut draft = 0;
    for one in judged {
        let Some(attempt) = one.at_tier(tier) else {
            tasks.push(Drafted::Elsewhere);
            continue;
        };
        let score = match left_out {
            // What the model did not learn from is too old to speak for what is to come.
            Some(left_out) => {
                let place = (draft + left_out.len()).checked_sub(*drafts);
                place.and_then(|place| left_out.get(place)).copied()
            }
            // What others of its kind came to: a task does not vouch for itself here either.
            None => known.map(|known| {
                let (cell, above) = match known.signatures.get(&one.signature) {
                    Some(cell) => (cell, known.cell.acceptance),
                    None => (&known.cell, counts::expected(tier)),
                };
                places(cell.counts.without(attempt.rejected == Some(true), weight(one)).acceptance(above))
            }),
        };
        draft += 1;
        if let Some(score) = score {
            tasks.push(Drafted::Here { score, rejected: attempt.rejected == Some(true) });
        }
    }
    let n = tasks.len() as u64;
    let (threshold, bound, missing, delegated) = match terms.find(&tasks) {
        Found::Threshold { threshold, bound, delegated, .. } => {
            (Some(threshold), Some(places(bound)), None, delegated)
        }
        Found::TooFew { missing } => (None, None, Some(missing), 0),
        Found::Hopeless => (None, None, None, 0),
    };
    Promise {
        tier,
        max_bad_accept: terms.max_bad_accept,
        confidence: terms.confidence,
        threshold,
        bound,
        n,
        missing,
        delegated: if n > 0 { places(delegated as f64 / n as f64) } else { 0.0 },
        made_at: settings.now.clone(),
    }
}
