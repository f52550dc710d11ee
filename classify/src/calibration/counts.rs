//! What was accepted and what was rejected, by tier and by signature, and what follows for the tiers.
//!
//! The zones and the targets are those of seed 000 §1.6. It does not say over how many samples they hold; here a tier
//! moves only if the Wilson interval of its rejections lies beyond the zone's edge.

use serde::{Deserialize, Serialize};

use super::interval::{Bounds, Z95, clopper_pearson, wilson};

/// More rejections than this: too much is delegated.
pub(crate) const TOO_AGGRESSIVE: f64 = 0.20;
/// The target: no more rejections than this.
pub(crate) const TARGET: f64 = 0.15;
/// Fewer rejections than this: more can be delegated.
pub(crate) const TOO_CONSERVATIVE: f64 = 0.05;
/// The share of tasks that should be drafted below tier 3.
pub(crate) const DELEGATION: (f64, f64) = (0.60, 0.80);
/// How many observations an expectation is worth: that of the seed against a tier's, that of a tier against a
/// signature's.
const PRIOR_WORTH: f64 = 10.0;

/// Weighted counts of verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) accepted: f64,
    pub(crate) rejected: f64,
}

impl Counts {
    pub(crate) fn add(&mut self, rejected: bool, weight: f64) {
        *if rejected { &mut self.rejected } else { &mut self.accepted } += weight;
    }

    /// The same without one of them.
    pub(crate) fn without(mut self, rejected: bool, weight: f64) -> Counts {
        let count = if rejected { &mut self.rejected } else { &mut self.accepted };
        *count = (*count - weight).max(0.0);
        self
    }

    pub(crate) fn n(&self) -> f64 {
        self.accepted + self.rejected
    }

    /// The share of rejections, 0 if there are no observations.
    pub(crate) fn rejection(&self) -> f64 {
        if self.n() > 0.0 { self.rejected / self.n() } else { 0.0 }
    }

    /// The Wilson interval of the share of rejections, 95 %.
    pub(crate) fn wilson(&self) -> Bounds {
        wilson(self.rejected, self.n(), Z95)
    }

    /// The exact interval of the share of rejections, 95 %.
    pub(crate) fn exact(&self) -> Bounds {
        clopper_pearson(self.rejected, self.n(), 0.05)
    }

    /// The mean of the Beta posterior for acceptance, with a prior of ten observations around `expected`.
    pub(crate) fn acceptance(&self, expected: f64) -> f64 {
        (self.accepted + PRIOR_WORTH * expected) / (self.n() + PRIOR_WORTH)
    }
}

/// What seed 000 expects of a tier's drafts: tier 1 .85–.90, tier 2 .90–.95, of which the middle is taken. It says
/// nothing about tier 3, which is what the others are measured against, nor about `local`, which declines what it
/// does not fully understand.
pub(crate) fn expected(tier: u8) -> f64 {
    match tier {
        1 => 0.875,
        2 => 0.925,
        _ => 0.95,
    }
}

/// Where a share of rejections lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Zone {
    /// Below 5 %: more can be delegated.
    TooConservative,
    /// 5 to 15 %.
    Ok,
    /// 15 to 20 %: not what is wanted, but nothing to act on.
    AboveTarget,
    /// Above 20 %: borderline tasks go up a tier.
    TooAggressive,
}

impl Zone {
    pub(crate) fn of(rejection: f64) -> Zone {
        if rejection < TOO_CONSERVATIVE {
            Zone::TooConservative
        } else if rejection <= TARGET {
            Zone::Ok
        } else if rejection <= TOO_AGGRESSIVE {
            Zone::AboveTarget
        } else {
            Zone::TooAggressive
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Zone::TooConservative => "below 5 %",
            Zone::Ok => "5 to 15 %, as wanted",
            Zone::AboveTarget => "above the target of 15 %",
            Zone::TooAggressive => "above 20 %",
        }
    }
}

/// What becomes of the borderline tasks of a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shift {
    /// Those of the tier above come down to it.
    Down,
    /// Nothing.
    Stay,
    /// They go up to the tier above.
    Up,
}

/// Decides about a tier. `delegated` counts as hits the tasks that were drafted below tier 3.
///
/// To delegate more needs `min` acceptances, to delegate less `min` verdicts: so one rejection more can end a shift
/// downwards or begin one upwards, and never the other way round.
pub(crate) fn shift_of_tier(counts: &Counts, delegated: Bounds, min: f64) -> Shift {
    let bounds = counts.wilson();
    let enough = counts.n() >= min;
    let too_many = bounds.low > TOO_AGGRESSIVE || (bounds.low > TARGET && delegated.low > DELEGATION.1);
    let few = bounds.high < TOO_CONSERVATIVE || (bounds.high < TARGET && delegated.high < DELEGATION.0);
    if enough && too_many {
        Shift::Up
    } else if counts.accepted >= min && few {
        Shift::Down
    } else {
        Shift::Stay
    }
}

/// Decides about a signature within a tier: its own evidence goes before that of the tier where there is enough.
pub(crate) fn shift_of_signature(counts: &Counts, tier: Shift, min: f64) -> Shift {
    let bounds = counts.wilson();
    if counts.n() >= min && bounds.low > TOO_AGGRESSIVE {
        Shift::Up
    } else if counts.accepted >= min && bounds.high < TOO_CONSERVATIVE {
        if tier == Shift::Up { Shift::Stay } else { Shift::Down }
    } else if counts.accepted >= min && bounds.high < TARGET {
        tier.min(Shift::Stay)
    } else {
        tier
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(accepted: u32, rejected: u32) -> Counts {
        Counts { accepted: f64::from(accepted), rejected: f64::from(rejected) }
    }

    #[test]
    fn the_zones_of_the_seed() {
        let zones = [0.0, 0.049, 0.05, 0.15, 0.151, 0.2, 0.201, 1.0].map(Zone::of);
        use Zone::{AboveTarget, Ok, TooAggressive, TooConservative};
        assert_eq!(
            zones,
            [
                TooConservative,
                TooConservative,
                Ok,
                Ok,
                AboveTarget,
                AboveTarget,
                TooAggressive,
                TooAggressive
            ]
        );
    }

    #[test]
    fn a_tier_moves_only_if_the_interval_clears_the_edge() {
        let shift = |accepted, rejected| shift_of_tier(&counts(accepted, rejected), Bounds::ANY, 20.0);
        // 30 % of 20 may still be 20 %: the interval begins at 14.5 %.
        assert_eq!(shift(14, 6), Shift::Stay);
        assert_eq!(shift(70, 30), Shift::Up);
        // None of 72: up to 5.07 %; none of 73: up to 4.9992 %.
        assert_eq!(shift(72, 0), Shift::Stay);
        assert_eq!(shift(73, 0), Shift::Down);
        assert_eq!(shift(90, 10), Shift::Stay);
        // Ten verdicts are no evidence, whatever they say.
        assert_eq!(shift(0, 10), Shift::Stay);
    }

    #[test]
    fn too_little_delegation_moves_a_tier_that_is_on_target_and_too_much_one_that_is_not() {
        let little = Bounds { low: 0.3, high: 0.5 };
        let much = Bounds { low: 0.85, high: 0.95 };
        assert_eq!(shift_of_tier(&counts(280, 20), little, 20.0), Shift::Down);
        assert_eq!(shift_of_tier(&counts(280, 20), much, 20.0), Shift::Stay);
        assert_eq!(shift_of_tier(&counts(980, 220), much, 20.0), Shift::Up);
        assert_eq!(shift_of_tier(&counts(980, 220), little, 20.0), Shift::Stay);
    }

    #[test]
    fn evidence_is_shrunk_to_what_is_expected() {
        assert_eq!(Counts::default().acceptance(0.875), 0.875);
        // (30 + 8.75) / (40 + 10)
        assert!((counts(30, 10).acceptance(0.875) - 0.775).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn one_rejection_more_never_lowers_a_tier(
            (ta, tr) in (0u32..300, 0u32..300), (sa, sr) in (0u32..300, 0u32..300), min in 1u32..200,
            (below, all) in (0u32..300, 1u32..300),
        ) {
            let min = f64::from(min);
            let delegated = |more: u32| wilson(f64::from(below.min(all) + more), f64::from(all + more), Z95);
            let before = shift_of_tier(&counts(ta, tr), delegated(0), min);
            let after = shift_of_tier(&counts(ta, tr + 1), delegated(1), min);
            prop_assert!(after >= before);
            let signature = |rejected, tier| shift_of_signature(&counts(sa, rejected), tier, min);
            prop_assert!(signature(sr + 1, after) >= signature(sr, before));
            prop_assert!(counts(sa, sr + 1).acceptance(0.9) <= counts(sa, sr).acceptance(0.9));
        }
    }
}
