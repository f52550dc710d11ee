//! `--strong-rate`: the tasks that most need the strong tier, as many as the share allows.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use shared::section::{Classify, Scores, Tier};
use shared::{Diagnostics, Problem};

use super::selection::{Chosen, Entries};
use super::{Case, cannot_keep, lot};
use crate::decide::Leeway;
use crate::economics::{STRONG, shift};

/// The threshold of a share.
#[derive(Debug)]
pub(crate) struct Rate {
    share: f64,
    chosen: Chosen,
    tasks: AtomicU64,
    strong: AtomicU64,
    raised: AtomicU64,
    lowered: AtomicU64,
    /// On the strong tier whatever the share.
    bound: AtomicU64,
}

/// The tasks, while they are looked at.
#[derive(Debug)]
pub(super) struct Count {
    share: f64,
    seen: Mutex<(Entries, u64)>,
}

impl Count {
    pub(super) fn new(share: f64) -> Result<Count, Problem> {
        let entries = Entries::new().map_err(cannot_keep)?;
        Ok(Count { share, seen: Mutex::new((entries, 0)) })
    }

    pub(super) fn add(&self, case: &Case) {
        let mut seen = self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        seen.1 += 1;
        if case.leeway.ceiling >= STRONG {
            seen.0.add(key(case), 1);
        }
    }

    pub(super) fn finish(self) -> Result<Rate, Problem> {
        let (entries, tasks) = self.seen.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let limit = (self.share * tasks as f64).round() as u64;
        let zero = AtomicU64::default;
        Ok(Rate {
            share: self.share,
            chosen: entries.choose(limit).map_err(cannot_keep)?,
            tasks: zero(),
            strong: zero(),
            raised: zero(),
            lowered: zero(),
            bound: zero(),
        })
    }
}

/// Returns how much a task needs the strong tier: its weight, then that of the middle tier, then a lot.
fn key(case: &Case) -> u64 {
    if is_bound(case.leeway) {
        return u64::MAX;
    }
    let Scores { two, three, .. } = case.scores;
    let fixed = |weight: f64| (weight.clamp(0.0, 1.0) * 65_534.0).round() as u64;
    fixed(three) << 48 | fixed(two) << 32 | lot(case.id) >> 32
}

fn is_bound(leeway: Leeway) -> bool {
    leeway.floor >= STRONG
}

impl Rate {
    pub(super) fn apply(&self, case: &Case, decision: &mut Classify) {
        let add = |count: &AtomicU64| {
            count.fetch_add(1, Ordering::Relaxed);
        };
        add(&self.tasks);
        let share = percent(self.share);
        let is_chosen = case.leeway.ceiling >= STRONG && self.chosen.has(key(case), 1);
        if is_bound(case.leeway) {
            add(&self.bound);
            add(&self.strong);
        } else if is_chosen {
            add(&self.strong);
            if decision.tier < Tier::THREE {
                add(&self.raised);
                decision
                    .reasons
                    .push(format!("it is among the {share} that most need the strong tier → tier {STRONG}"));
                let was = decision.tier;
                for part in decision.parts.iter_mut().filter(|part| part.tier == was) {
                    part.tier = Tier::THREE;
                }
                shift(decision, STRONG);
            }
        } else if decision.tier >= Tier::THREE {
            add(&self.lowered);
            decision
                .reasons
                .push(format!("it is not among the {share} that most need the strong tier → tier 2"));
            shift(decision, STRONG - 1);
        }
    }

    pub(super) fn tell(&self, diagnostics: &Diagnostics) {
        let [tasks, strong, raised, lowered, bound] =
            [&self.tasks, &self.strong, &self.raised, &self.lowered, &self.bound]
                .map(|count| count.load(Ordering::Relaxed));
        let reached = if tasks == 0 { 0.0 } else { strong as f64 / tasks as f64 };
        let mut text = format!(
            "{strong} of {tasks} tasks are on tier {STRONG}, {}: {raised} raised and {lowered} lowered for a share of {}",
            percent(reached),
            percent(self.share)
        );
        if bound > 0 {
            text.push_str(&format!("; {bound} may not be lower"));
        }
        diagnostics.note(text);
    }
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}
