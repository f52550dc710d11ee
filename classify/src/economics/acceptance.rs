//! How often a draft is good enough: what was measured, or what seed 000 expects until something was.

use shared::section::{Classify, Expected, Tier};

use crate::calibration::{Z80, wilson};

/// The share of drafts that are accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Acceptance {
    pub(crate) expected: f64,
    /// What it is at least, as far as one can know.
    pub(crate) low: f64,
    /// The number of verified attempts behind it; 0 is an expectation.
    pub(crate) measured_on: u64,
}

impl Acceptance {
    /// Returns what a calibration has measured on so many verdicts or more, or else what is usual.
    ///
    /// The lower bound is that of the 80 % Wilson interval: nine times of ten the share is above it.
    pub(crate) fn of(decision: &Classify, tier: u8, min_evidence: f64) -> Acceptance {
        let tier_of_draft = Tier::try_from(tier).unwrap_or(Tier::THREE);
        let measured = decision.acceptance.as_ref().and_then(|acceptance| acceptance.of(tier_of_draft));
        let is_enough = |expected: &Expected| {
            expected.n > 0 && expected.n as f64 >= min_evidence && (0.0..=1.0).contains(&expected.probability)
        };
        match measured.filter(is_enough) {
            Some(Expected { probability, n, .. }) => Acceptance {
                expected: probability,
                low: wilson(probability * n as f64, n as f64, Z80).low.min(probability),
                measured_on: n,
            },
            None => Acceptance::usual(tier),
        }
    }

    /// Returns what seed 000 §1.6 expects: 85–90 % on tier 1, 90–95 % on tier 2. Its own middle and lower end.
    pub(crate) fn usual(tier: u8) -> Acceptance {
        match tier {
            ..=1 => Acceptance { expected: 0.875, low: 0.85, measured_on: 0 },
            _ => Acceptance { expected: 0.925, low: 0.90, measured_on: 0 },
        }
    }
}
