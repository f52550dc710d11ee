use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How capable an executor has to be: 0 needs no model, 1 a small one, 2 a middle one, 3 the best there is.
///
/// Tiers 1 to 3 are those of seed 000; tier 0 is the `local` backend of `dispatch`, which needs no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
pub struct Tier(#[schemars(range(min = 0, max = 3))] u8);

impl Tier {
    /// No model at all.
    pub const LOCAL: Tier = Tier(0);
    /// Mechanical work with a well-defined output.
    pub const ONE: Tier = Tier(1);
    /// Standard engineering: read, understand, produce.
    pub const TWO: Tier = Tier(2);
    /// Deep reasoning or high stakes.
    pub const THREE: Tier = Tier(3);

    /// Returns the tier where nothing says which.
    pub(super) fn one() -> Tier {
        Tier::ONE
    }

    /// Returns the next tier up, or `None` at the top.
    pub fn up(self) -> Option<Tier> {
        (self < Tier::THREE).then_some(Tier(self.0 + 1))
    }

    /// Returns the number of the tier, 0 to 3.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Tier {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        if number <= 3 {
            Ok(Tier(number))
        } else {
            Err(format!("a tier is a number from 0 to 3, not {number}"))
        }
    }
}

impl From<Tier> for u8 {
    fn from(tier: Tier) -> u8 {
        tier.0
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Tier {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<u8>().map_err(|_| format!("a tier is a number from 0 to 3, not `{text}`"))?.try_into()
    }
}
