//! The promise: with a stated confidence, no more than a stated share of all tasks is both delegated and rejected.
//!
//! Learn-then-test (Angelopoulos et al. 2021) with fixed-sequence testing: from the strictest threshold on, each is
//! tested against "it lets more than α through", and the first that can not be refuted ends the walk. As looser thresholds
//! only ever let more through, the whole walk errs with a probability of at most δ, however many thresholds it visits.
//!
//! Two exact tails have to be at most δ: the binomial one, for the long run, and the hypergeometric one for the next
//! n tasks, as many as the evidence has. Without the second the promise would hold for the process and still be broken too
//! often for the tasks that somebody really runs, which vary as the evidence does.

use super::interval::{binomial_at_most, hypergeometric_at_most, upper_limit};

/// A draft that is more likely to be rejected than not is not delegated, however many errors are still allowed.
const FLOOR: f64 = 0.5;

/// What is promised: at most this share, with this confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Terms {
    /// α, above 0 and below 1.
    pub(crate) max_bad_accept: f64,
    /// 1 − δ, likewise.
    pub(crate) confidence: f64,
}

/// A task of the evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Drafted {
    /// The tier of the promise did not draft it.
    Elsewhere,
    /// It did, and this was the probability of acceptance, by a model that had not seen the task.
    Here { score: f64, rejected: bool },
}

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found {
    /// Tasks that score at least this are delegated.
    Threshold {
        threshold: f64,
        /// The upper confidence limit of the share that is delegated and rejected.
        bound: f64,
        /// How many of the evidence are delegated, and how many of those were rejected.
        delegated: u64,
        rejected: u64,
    },
    /// So many more records are needed before anything can be promised.
    TooFew { missing: u64 },
    /// There are enough records, but the best scores have been rejected too often.
    Hopeless,
}

impl Terms {
    /// Finds the loosest threshold that keeps the promise.
    pub(crate) fn find(self, tasks: &[Drafted]) -> Found {
        let n = tasks.len() as u64;
        let Some(allowed) = self.allowed(n) else {
            return Found::TooFew { missing: self.needed(n) - n };
        };
        let mut scored: Vec<(f64, bool)> = tasks
            .iter()
            .filter_map(|task| match task {
                Drafted::Here { score, rejected } => Some((*score, *rejected)),
                Drafted::Elsewhere => None,
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let (mut delegated, mut rejected) = (0, 0);
        let mut threshold = None;
        for same in scored.chunk_by(|a, b| a.0 == b.0) {
            if same[0].0 < FLOOR {
                break;
            }
            let bad = same.iter().filter(|(_, rejected)| *rejected).count() as u64;
            if rejected + bad > allowed {
                break;
            }
            delegated += same.len() as u64;
            rejected += bad;
            threshold = Some(same[0].0);
        }
        let Some(threshold) = threshold else { return Found::Hopeless };
        let is_all = scored.get(delegated as usize).is_none_or(|(next, _)| *next < FLOOR);
        let bound = upper_limit(rejected as f64, n as f64, 1.0 - self.confidence);
        // Where nothing but the floor has stopped the walk, the floor is the threshold.
        Found::Threshold { threshold: if is_all { FLOOR } else { threshold }, bound, delegated, rejected }
    }

    /// Returns how many bad ones among `n` still refute "more than α"; `None` if not even none does.
    fn allowed(self, n: u64) -> Option<u64> {
        if !self.refuted(0, n) {
            return None;
        }
        // The tails grow with the count, so the last one that holds is found by halving.
        let (mut holds, mut fails) = (0, n + 1);
        while fails - holds > 1 {
            let middle = u64::midpoint(holds, fails);
            if self.refuted(middle, n) { holds = middle } else { fails = middle }
        }
        Some(holds)
    }

    fn refuted(self, bad: u64, n: u64) -> bool {
        let delta = 1.0 - self.confidence;
        // A hair of tolerance: 1 − 0.9 is not 0.1 in binary.
        let at_most = |tail: f64| tail <= delta + 1e-12;
        n > 0
            && at_most(binomial_at_most(bad as f64, n as f64, self.max_bad_accept))
            && at_most(next_broken(bad, n, self.max_bad_accept))
    }

    /// Returns the least number of records with which something can be promised, from `n` on.
    pub(crate) fn needed(self, n: u64) -> u64 {
        // Without any bad one the binomial tail is (1 − α)ⁿ, and the other one is of the same size.
        let least = ((1.0 - self.confidence).ln() / (1.0 - self.max_bad_accept).ln()).floor().max(1.0) as u64;
        (n.max(least)..).find(|n| self.refuted(0, *n)).unwrap_or(u64::MAX)
    }
}

/// Returns the largest probability, over all ways the bad ones may lie, that at most `bad` of them are among `n` tasks and
/// more than the share `alpha` among the next `n`.
fn next_broken(bad: u64, n: u64, alpha: f64) -> f64 {
    let broken_by = (alpha * n as f64 + 1e-9).floor() as u64 + 1;
    (broken_by..=broken_by + bad)
        .filter(|all| *all <= 2 * n)
        .map(|all| hypergeometric_at_most(bad.min(all - broken_by), 2 * n, all, n))
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TERMS: Terms = Terms { max_bad_accept: 0.05, confidence: 0.9 };

    fn here(score: f64, rejected: bool) -> Drafted {
        Drafted::Here { score, rejected }
    }

    #[test]
    fn too_few_records_are_told_how_many_are_missing() {
        // 45 would do for the long run; that none of 45 is bad and more than 5 % of the next 45 are (three or more of
        // ninety, all in the second half) still happens in one of eight.
        assert!((next_broken(0, 45, 0.05) - 0.121).abs() < 0.001);
        let tasks = vec![here(0.9, false); 44];
        assert_eq!(TERMS.find(&tasks), Found::TooFew { missing: 16 });
        assert_eq!(TERMS.find(&[]), Found::TooFew { missing: 60 });
        assert!(matches!(TERMS.find(&vec![here(0.9, false); 60]), Found::Threshold { threshold: FLOOR, .. }));
    }

    #[test]
    fn so_many_bad_ones_are_allowed() {
        // P(Bin(300, .05) ≤ 9) = .065 and ≤ 10 = .112; the next 300 take one more away.
        assert!((binomial_at_most(9.0, 300.0, 0.05) - 0.064_970).abs() < 1e-5);
        assert!(binomial_at_most(10.0, 300.0, 0.05) > 0.1);
        assert_eq!(TERMS.allowed(300), Some(8));
        assert_eq!(TERMS.allowed(59), None);
        assert_eq!(Terms { max_bad_accept: 0.1, confidence: 0.9 }.allowed(300), Some(21));
    }

    #[test]
    fn the_threshold_is_the_last_score_before_one_bad_too_many() {
        // Of 100 one may be bad; the second bad one scores 0.65.
        assert_eq!(TERMS.allowed(100), Some(1));
        let tasks: Vec<_> =
            (0..100u32).map(|i| here(f64::from(i) / 100.0, i == 90 || i == 65 || i == 60)).collect();
        let Found::Threshold { threshold, bound, delegated, rejected } = TERMS.find(&tasks) else { panic!() };
        assert_eq!((threshold, delegated, rejected), (0.66, 34, 1));
        // The exact upper limit for 1 of 100 at 90 %.
        assert!((bound - 0.0383).abs() < 1e-3, "{bound}");
    }

    #[test]
    fn tasks_of_other_tiers_count_as_tasks_but_not_as_bad() {
        let mut tasks = vec![Drafted::Elsewhere; 60];
        assert_eq!(TERMS.find(&tasks), Found::Hopeless);
        tasks.push(here(0.5, false));
        assert!(matches!(TERMS.find(&tasks), Found::Threshold { delegated: 1, .. }));
    }

    #[test]
    fn tied_scores_stand_or_fall_together() {
        let mut tasks = vec![here(0.9, false); 60];
        tasks.extend([here(0.6, true), here(0.6, false)]);
        assert!(matches!(TERMS.find(&tasks), Found::Threshold { threshold: 0.9, delegated: 60, .. }));
        assert_eq!(TERMS.find(&vec![here(0.9, true); 100]), Found::Hopeless);
    }

    #[test]
    fn errors_that_are_still_allowed_are_not_spent_on_hopeless_drafts() {
        let mut tasks = vec![here(0.9, false); 200];
        tasks.extend(vec![here(0.02, true); 3]);
        assert!(matches!(
            TERMS.find(&tasks),
            Found::Threshold { threshold: FLOOR, delegated: 200, rejected: 0, .. }
        ));
    }

    /// A generator for the simulation: SplitMix64.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }

        /// A draft that fails the more often, the lower it scores.
        fn draft(&mut self) -> (f64, bool) {
            let score = self.next();
            (score, self.next() > 0.4 + 0.55 * score)
        }
    }

    #[test]
    fn the_promise_is_broken_in_no_more_than_a_tenth_of_400_draws() {
        for (seed, n, next) in [(1, 100, 400), (2, 300, 300), (3, 300, 100_000)] {
            let mut random = Random(seed);
            let mut broken = 0;
            for _ in 0..400 {
                let tasks: Vec<_> = (0..n).map(|_| random.draft()).map(|(s, r)| here(s, r)).collect();
                let Found::Threshold { threshold, .. } = TERMS.find(&tasks) else { continue };
                let share = if next > 1000 {
                    // The long run, in one formula: ∫ (0.6 − 0.55 s) ds from the threshold to 1.
                    0.6 * (1.0 - threshold) - 0.275 * (1.0 - threshold * threshold)
                } else {
                    let bad =
                        (0..next).map(|_| random.draft()).filter(|(s, r)| *r && *s >= threshold).count();
                    bad as f64 / f64::from(next)
                };
                broken += u32::from(share > TERMS.max_bad_accept);
            }
            assert!(broken <= 40, "n = {n}, next {next}: broken in {broken} of 400 draws");
        }
    }

    proptest! {
        #[test]
        fn one_more_rejection_never_loosens_a_threshold(
            scores in prop::collection::vec((0u8..50, prop::bool::weighted(0.1)), 60..200),
            turned in 0usize..60,
        ) {
            let threshold = |scores: &[(u8, bool)]| {
                let tasks: Vec<_> = scores.iter().map(|(s, r)| here(f64::from(*s) / 50.0, *r)).collect();
                match TERMS.find(&tasks) {
                    Found::Threshold { threshold, .. } => threshold,
                    Found::TooFew { .. } | Found::Hopeless => f64::INFINITY,
                }
            };
            let before = threshold(&scores);
            let mut worse = scores.clone();
            worse[turned].1 = true;
            prop_assert!(threshold(&worse) >= before);
            let mut reversed = scores.clone();
            reversed.reverse();
            prop_assert_eq!(threshold(&reversed), before);
        }
    }
}
