//! What the model went by, in words.

use std::fmt::Write as _;

use crate::features::Features;
use crate::model::{Head, Model, Opinion};

/// So many features are named.
const NAMED: usize = 3;

/// Says which tier the model thinks of first, how sure it is, and which features said most for it (in log odds).
pub(super) fn told(features: &Features, opinion: &Opinion, model: &Model) -> String {
    let best = (1..3).fold(0, |best, at| if opinion.tiers[at] > opinion.tiers[best] { at } else { best });
    let tier = u8::try_from(best + 1).unwrap_or(3);
    let mut told = format!("the model: tier {tier} ({:.2})", opinion.tiers[best]);
    let strongest = model.strongest::<NAMED>(Head::Tier(tier), features);
    for (rank, (at, says)) in strongest.into_iter().filter(|(_, says)| *says >= 0.05).enumerate() {
        let mark = if rank == 0 { ": " } else { ", " };
        // Writing into a string cannot fail.
        let _ = write!(told, "{mark}{} {says:+.1}", features.name(at));
    }
    told
}
