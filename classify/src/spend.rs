//! A share of strong work, or a budget, for the whole input: who gets the strong tier if not everybody can.
//!
//! Both need to know all tasks before the first is decided. So the input is read to its end and kept in a file without a
//! name; `selection` finds the threshold, and the tasks are then decided as usual, with that threshold. Memory does not grow.

mod budget;
mod rate;
mod selection;
mod survey;

use shared::section::{Classify, Scores, Tier};
use shared::{Diagnostics, Problem};

use crate::decide::Leeway;
use crate::economics::{Costs, Economy};
use crate::fnv::fnv;

pub(crate) use budget::Budget;
pub(crate) use rate::Rate;
pub(crate) use survey::survey;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// This share of the tasks on the strong tier, 0 to 1.
    StrongRate(f64),
    /// So many US dollars for all of them.
    Budget(f64),
}

/// A threshold that was found.
#[derive(Debug)]
pub(crate) enum Spend {
    Rate(Rate),
    Budget(Budget),
}

/// All that is known of a task when it is its turn.
pub(crate) struct Case<'a> {
    pub(crate) id: &'a str,
    /// The weight of the tiers as the words have it, before prices moved anything.
    pub(crate) scores: Scores,
    pub(crate) costs: &'a Costs,
    pub(crate) leeway: Leeway,
    /// Nothing, where no model is asked.
    pub(crate) economy: Option<&'a Economy>,
}

impl Spend {
    /// Moves a decision to where the threshold has it, and says why. Returns the tier that no attempt may be above, if there
    /// is such a bound.
    pub(crate) fn apply(&self, case: &Case, decision: &mut Classify) -> Option<Tier> {
        match self {
            Spend::Rate(rate) => {
                rate.apply(case, decision);
                None
            }
            Spend::Budget(budget) => budget.apply(case, decision),
        }
    }

    /// Tells what was planned, after the last task.
    pub(crate) fn tell(&self, diagnostics: &Diagnostics) {
        match self {
            Spend::Rate(rate) => rate.tell(diagnostics),
            Spend::Budget(budget) => budget.tell(diagnostics),
        }
    }
}

/// Returns a number that stands for an id and says nothing about the task: ties are broken by it, so the same records
/// give the same choice in whatever order they come. (FNV-1a, and the finaliser of MurmurHash3.)
fn lot(id: &str) -> u64 {
    let hash = fnv(id.bytes());
    let mixed = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ mixed >> 33
}

/// Returns a problem with the file that the input is kept in.
fn cannot_keep(error: std::io::Error) -> Problem {
    Problem::new("cannot keep the input in a temporary file")
        .because(error)
        .hint("TMPDIR names another directory for it")
}
