//! Several drafts of one task at once: who takes part, what that may cost, which draft has won.
//!
//! Knows no engine: it decides, and the engine starts, ends and writes down. What a draft is worth in the end is for `gates`
//! and `verify` to say; here it is only decided which of several is handed to them.

mod check;
mod entrants;
pub mod hedge;
mod purse;
mod race;

pub(crate) use check::{Check, Verdict, ask, plain};
pub(crate) use entrants::{Drafts, When, drafts, entrants};
pub use hedge::{Hedge, Late};
pub(crate) use purse::Purse;
pub(crate) use race::{Heat, Left, Race, Settled, rival};

use shared::section::Tier;

use crate::incoming::{Known, Need};
use crate::route::{Routes, Step};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Speculation {
    /// The drafts of an attempt.
    pub(crate) drafts: Option<Drafts>,
    /// Which tasks race.
    pub(crate) when: Vec<When>,
    /// What a draft has to pass to win.
    pub(crate) check: Check,
}

impl Speculation {
    /// Returns where the drafts of an attempt go, the one first that would be made anyway at `step`; only that one, or none, if
    /// several are not wanted.
    ///
    /// What needs no model is done once, and recorded answers do not differ.
    pub(crate) fn entrants(
        &self,
        routes: &Routes,
        known: &Known,
        need: &Need,
        tier: Tier,
        step: Option<&Step>,
    ) -> Vec<Step> {
        if step.is_none_or(|step| step.tier == Tier::LOCAL || routes.is_recorded(step.lane)) {
            return Vec::new();
        }
        let is_meant =
            self.when.is_empty() || self.when.iter().any(|when| when.holds(known.classify.as_ref()));
        let Some(drafts) = self.drafts.as_ref().filter(|_| is_meant) else { return Vec::new() };
        let lowest = match need {
            Need::First | Need::IfPossible => known.task.min_tier.unwrap_or(Tier::ONE).max(Tier::ONE),
            // What is repeated or escalated stays at least where it is.
            _ => tier,
        };
        let bounds = (lowest, known.most().unwrap_or(Tier::THREE));
        entrants(drafts, tier.max(Tier::ONE), bounds, |tier| routes.of_tier(tier))
    }
}
