//! Which tier the flowchart and the model point at together, and whether that is enough.
//!
//! The flowchart knows the rubric and says why; the model knows many more words, and the flowchart's answer is one of its
//! features. Their opinions are pooled as odds are: each tier's weight is the product of what both say, the flowchart's to a
//! power that says how much it counts (a logarithmic opinion pool, Genest and Zidek 1986).
//!
//! The tier is the cheapest that is probably enough: the probability that the task needs a higher one is no more than what
//! is tolerated. Where that is above the likeliest tier, the vote was split, and doubt has gone one tier up (seed 000).

use crate::model::Opinion;

/// How much the flowchart counts against the model.
const FLOWCHART: f64 = 0.15;
/// A vote in which no tier has so much is no majority.
const MAJORITY: f64 = 0.45;
/// If the model has seen less than this share of what the text says, little is known.
const KNOWN: f64 = 0.4;

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Vote {
    /// The weight of each tier, together 1.
    pub(super) weights: [f64; 3],
    /// The likeliest tier.
    pub(super) pointed: u8,
    /// The tier that is probably enough.
    pub(super) tier: u8,
    pub(super) doubt: Option<Doubt>,
}

/// Why a vote is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Between several tiers.
    Split,
    /// Most of what the text says is not known.
    Unknown,
}

/// Counts what the flowchart (none if it ends nowhere) and the model say.
///
/// `tolerated` is the probability, 0 to 1, of a tier that is too low which is let by.
pub(super) fn count(flowchart: Option<[f64; 3]>, opinion: &Opinion, tolerated: f64) -> Vote {
    let mut weights = opinion.tiers;
    if let Some(flowchart) = flowchart {
        for (weight, said) in weights.iter_mut().zip(flowchart) {
            *weight *= said.max(0.01).powf(FLOWCHART);
        }
        let sum: f64 = weights.iter().sum();
        weights = weights.map(|weight| weight / sum);
    }
    let is_unknown = opinion.known < KNOWN;
    if is_unknown {
        // What is not known may be anything.
        weights = weights.map(|weight| weight * opinion.known + (1.0 - opinion.known) / 3.0);
    }
    let [one, two, three] = weights;
    let pointed = match () {
        () if one > two && one > three => 1,
        () if two >= three => 2,
        () => 3,
    };
    let enough = match () {
        () if two + three <= tolerated => 1,
        () if three <= tolerated => 2,
        () => 3,
    };
    let tier = if is_unknown { (pointed + 1).clamp(enough.max(2), 3) } else { enough.min(pointed + 1) };
    let doubt = if is_unknown {
        Some(Doubt::Unknown)
    } else if tier > pointed || one.max(two).max(three) < MAJORITY {
        Some(Doubt::Split)
    } else {
        None
    };
    Vote { weights, pointed, tier, doubt }
}
