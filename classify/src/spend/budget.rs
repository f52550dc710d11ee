//! `--budget`: what each task may cost, so that all of them together are expected to stay within an amount.
//!
//! Every task begins at the cheapest that it allows. Then the steps up, of all tasks, are bought in the order of what they
//! gain for a dollar, until the next one is too dear: the greedy rule for the multiple-choice knapsack, which misses the
//! best plan by no more than one step (Sinha and Zoltners, "The Multiple-Choice Knapsack Problem", 1979).
//!
//! Gain is the chance that the task is done well, more of it where an error costs more.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use shared::section::{Classify, Tier};
use shared::{Diagnostics, Problem};

use super::selection::{Chosen, Entries};
use super::{Case, cannot_keep, lot};
use crate::economics::{STRONG, miss, shift};

/// Picodollars in a dollar: the weights are whole numbers, and a budget of 18 million dollars still is one.
const PICO: f64 = 1e12;

/// A task at a price: on which tier, and whether a rejected draft may go further up.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Level {
    tier: u8,
    may_escalate: bool,
    /// In picodollars.
    cost: u64,
    /// The chance that it is done well.
    value: f64,
}

/// A step from one level of a task to a better one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    key: u64,
    cost: u64,
    to: Level,
}

/// The threshold of a budget.
#[derive(Debug)]
pub(crate) struct Budget {
    dollars: f64,
    chosen: Chosen,
    /// What all tasks cost at the least, and as advised, in picodollars.
    least: u128,
    advised: u128,
    tasks: AtomicU64,
    /// The tasks that may cost no more than tier 1, 2 or 3.
    capped: [AtomicU64; 3],
}

/// The tasks, while they are looked at.
#[derive(Debug)]
pub(super) struct Count {
    dollars: f64,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    entries: Entries,
    least: u128,
    advised: u128,
}

impl Count {
    pub(super) fn new(dollars: f64) -> Result<Count, Problem> {
        let entries = Entries::new().map_err(cannot_keep)?;
        Ok(Count { dollars, seen: Mutex::new(Seen { entries, least: 0, advised: 0 }) })
    }

    pub(super) fn add(&self, case: &Case, decision: &Classify) {
        let Some((base, steps)) = plan(case, decision) else { return };
        let mut seen = self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        seen.least += u128::from(base.cost);
        seen.advised += u128::from(base.cost);
        for step in steps {
            seen.advised += u128::from(step.cost);
            seen.entries.add(step.key, step.cost);
        }
    }

    pub(super) fn finish(self) -> Result<Budget, Problem> {
        let Seen { entries, least, advised } =
            self.seen.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let left = (u128::from(pico(self.dollars))).saturating_sub(least);
        Ok(Budget {
            dollars: self.dollars,
            chosen: entries.choose(u64::try_from(left).unwrap_or(u64::MAX)).map_err(cannot_keep)?,
            least,
            advised,
            tasks: AtomicU64::default(),
            capped: Default::default(),
        })
    }
}

/// Returns the cheapest level of a task, and the steps up from it, none before one that gains more for a dollar.
fn plan(case: &Case, decision: &Classify) -> Option<(Level, Vec<Step>)> {
    let mut levels = levels(case, decision)?;
    levels.sort_by(|a, b| a.cost.cmp(&b.cost).then(b.value.total_cmp(&a.value)));
    let weight = miss(decision);
    let first = *levels.first()?;
    let mut base = first;
    let mut steps = Vec::new();
    loop {
        // The best gain for a dollar among what is better than where we are; of equal ones the furthest.
        let ratio = |to: &Level| (to.value - base.value) * weight / (to.cost - base.cost).max(1) as f64;
        let better = levels.iter().filter(|to| to.value > base.value && to.cost >= base.cost);
        let Some(to) = better.copied().max_by(|a, b| ratio(a).total_cmp(&ratio(b))) else { break };
        // Positive floating-point numbers are in the order of their bits; the last of them are for the lot.
        let mut key = ratio(&to).to_bits() & !0xffff | lot(case.id) >> 48;
        // What lies between gains less for a dollar, but may be all that is left money for.
        let between: Vec<Level> = levels
            .iter()
            .copied()
            .filter(|level| base.cost < level.cost && level.cost < to.cost)
            .filter(|level| base.value < level.value && level.value < to.value)
            .collect();
        for to in between.into_iter().chain([to]) {
            if to.value > base.value {
                steps.push(Step { key, cost: to.cost - base.cost, to });
                key = key.saturating_sub(1);
                base = to;
            }
        }
    }
    Some((first, steps))
}

/// Returns the levels that a task allows, up to what is advised.
fn levels(case: &Case, decision: &Classify) -> Option<Vec<Level>> {
    let economy = case.economy?;
    let advised = decision.tier.number();
    let drafts = economy.drafts(decision);
    let at_once = case.costs.expected(STRONG)?;
    let whole = |tier: u8, cost: f64| Level { tier, may_escalate: true, cost: pico(cost), value: 1.0 };
    let scores = case.scores;
    let mut levels = Vec::with_capacity(4);
    for tier in case.leeway.floor.clamp(1, advised)..=advised {
        match economy.ways(case.costs, tier, &drafts) {
            None => levels.push(whole(STRONG, at_once)),
            Some(ways) => {
                let enough = match tier {
                    1 => scores.one,
                    _ => scores.one + scores.two,
                };
                // What a draft is worth that nobody makes again: the tier is the right one, and the draft is good.
                let value = if tier == advised {
                    ways.acceptance.expected
                } else {
                    enough * ways.acceptance.expected
                };
                levels.push(Level { tier, may_escalate: false, cost: pico(ways.draft + ways.check), value });
                if tier == advised {
                    levels.push(whole(tier, ways.cheap_then_verify));
                }
            }
        }
    }
    Some(levels)
}

fn pico(dollars: f64) -> u64 {
    (dollars * PICO).round() as u64
}

fn dollars(pico: u128) -> f64 {
    pico as f64 / PICO
}

impl Budget {
    pub(super) fn apply(&self, case: &Case, decision: &mut Classify) -> Option<Tier> {
        self.tasks.fetch_add(1, Ordering::Relaxed);
        let (base, steps) = plan(case, decision)?;
        let bought = steps.iter().take_while(|step| self.chosen.has(step.key, step.cost)).last();
        let level = bought.map_or(base, |step| step.to);
        if level.may_escalate {
            return None;
        }
        self.capped[usize::from(level.tier.clamp(1, STRONG)) - 1].fetch_add(1, Ordering::Relaxed);
        let advised = decision.tier;
        let most = Tier::try_from(level.tier).unwrap_or(advised);
        decision.reasons.push(if most < advised {
            format!(
                "the budget of ${} allows no more than tier {most}, though tier {advised} is advised",
                self.dollars
            )
        } else {
            format!(
                "the budget of ${} allows no more than tier {most}, even if the draft is rejected",
                self.dollars
            )
        });
        if most < advised {
            shift(decision, level.tier);
        }
        Some(most)
    }

    pub(super) fn tell(&self, diagnostics: &Diagnostics) {
        let tasks = self.tasks.load(Ordering::Relaxed);
        let capped = [0, 1, 2].map(|at| self.capped[at].load(Ordering::Relaxed));
        let all: u64 = capped.iter().sum();
        let planned = self.least + self.chosen.weight;
        let mut text = format!(
            "{} of {tasks} tasks go as advised, {all} are capped ({} at tier 1, {} at tier 2); planned ${:.4} of ${}, as \
             advised it would be ${:.4}",
            tasks - all.min(tasks),
            capped[0],
            capped[1],
            dollars(planned),
            self.dollars,
            dollars(self.advised)
        );
        if planned > u128::from(pico(self.dollars)) {
            text.push_str("; that is the least these tasks allow");
            diagnostics.warning(text);
        } else {
            diagnostics.note(text);
        }
    }
}
