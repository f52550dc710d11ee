//! How much doubt is let by: the three moods of the router.
//!
//! A mode moves a tier up or leaves it, and a more careful one never gives a lower tier for the same task (a property test holds
//! it to that): what it counts as doubt contains what a bolder one does, and it believes in no draft that a bolder one rejects.

use clap::ValueEnum;
use serde::Deserialize;

/// How careful the router is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Borderline tasks go one tier up; a draft has to pay at the lower bound of its acceptance
    Conservative,
    /// Doubtful tasks go one tier up; a draft has to pay at its expected acceptance
    #[default]
    Balanced,
    /// Only what points nowhere goes one tier up
    Aggressive,
}

impl Mode {
    /// Returns the probability, 0 to 1, of a tier that is too low which is let by; above it, the next tier is taken.
    pub(crate) fn tolerated(self) -> f64 {
        match self {
            Mode::Conservative => 0.25,
            Mode::Balanced => 0.4,
            Mode::Aggressive => 0.5,
        }
    }

    /// Tells whether a draft has to pay even if its acceptance is no better than its lower bound.
    pub(crate) fn is_careful(self) -> bool {
        self == Mode::Conservative
    }
}
