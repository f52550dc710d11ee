//! What lifts or caps a tier: the user's rule, the executor asked for, risk, `min_tier` and `max_tier`.

use shared::section::{Part, Risk, Task};

use super::{Draft, Leeway, tier_of};
use crate::compound;
use crate::executor::Executor;
use crate::risk::Assessed;
use crate::rules::Rule;

/// What may do lasting harm is done on this tier or above, however easy it is (seed 000).
const GRAVE: u8 = 2;

impl Draft {
    pub(super) fn obey(&mut self, rule: &Rule) {
        let name = rule.name.as_deref().map_or_else(String::new, |name| format!(" `{name}`"));
        let mut said = Vec::new();
        if let Some(tier) = rule.tier {
            said.push(format!("tier {tier}"));
            self.weights = [0.0; 3];
            self.weights[usize::from(tier.number().clamp(1, 3)) - 1] = 1.0;
            self.tier = tier.number();
            self.unsure = false;
            self.is_settled = true;
            self.parts.clear();
            self.leeway = Leeway { floor: self.tier, ceiling: self.tier, ..self.leeway };
        }
        if let Some(executor) = &rule.executor {
            said.push(format!("executor {executor}"));
            self.executor.clone_from(executor);
            if rule.tier.is_none()
                && let Some(executor) = Executor::named(executor)
            {
                self.lift(executor.home().number());
                self.leeway.floor = self.leeway.floor.max(executor.home().number());
            }
        }
        if let Some(risk) = rule.risk {
            let why = match risk {
                Risk::Low => "risk low",
                Risk::Medium => "risk medium",
                Risk::High => "risk high",
            };
            said.push(why.to_owned());
            self.risk = Assessed { risk, why: "a rule of yours says so" };
        }
        self.reasons.insert(0, format!("your rule{name}: {}", said.join(", ")));
    }

    /// Applies what the task itself, and its risk, say about the tier.
    pub(super) fn bound(&mut self, task: &Task) {
        if let Some(wanted) = &task.executor {
            self.executor.clone_from(wanted);
            let home = Executor::named(wanted).map_or(1, |executor| executor.home().number());
            self.reasons.push(format!("`executor` asks for {wanted}"));
            self.leeway.floor = self.leeway.floor.max(home);
            if home > self.tier {
                self.lift(home);
                self.reasons.push(format!("{wanted} is made for tier {home}"));
            }
            self.parts.clear();
        }
        let risk = self.risk;
        if risk.risk > Risk::Low {
            let level = if risk.risk == Risk::High { "high" } else { "medium" };
            self.reasons.push(format!("risk {level}: {}", risk.why));
        }
        let lifts = risk.risk == Risk::High && !self.only_reads && !self.is_settled;
        if lifts && self.tier < GRAVE {
            self.reasons.push(format!("nothing for the cheapest executor → tier {GRAVE}"));
            self.lift(GRAVE);
        }
        if lifts {
            self.lift_parts(GRAVE, |part, _| compound::acts(part));
            self.leeway.floor = self.tier;
        }
        if let Some(min) = task.min_tier
            && min.number() > self.tier
        {
            self.reasons.push(format!("`min_tier` asks for tier {min}"));
            self.lift(min.number());
        }
        if let Some(min) = task.min_tier {
            self.lift_parts(min.number(), |_, _| true);
            self.leeway.floor = self.leeway.floor.max(min.number());
        }
        if let Some(max) = task.max_tier {
            self.leeway.ceiling = self.leeway.ceiling.min(max.number().max(1));
        }
        if let Some(max) = task.max_tier
            && max.number() < self.tier
        {
            // Tier 0 is not ours to give: `dispatch` tries `local` by itself, and goes no further here.
            let max = max.number().max(1);
            if max < self.tier {
                self.reasons.push(format!(
                    "`max_tier` allows no more than tier {max}, though tier {} is advised",
                    self.tier
                ));
                self.cap(max);
            }
        }
    }

    /// Lifts the tier: the weight of all below goes to it.
    pub(super) fn lift(&mut self, tier: u8) {
        if tier > self.tier {
            let at = usize::from(tier) - 1;
            let below: f64 = self.weights[..at].iter().sum();
            self.weights[..at].fill(0.0);
            self.weights[at] += below;
            self.tier = tier;
        }
    }

    /// Lifts the tier of those parts that are below it and that are meant.
    pub(super) fn lift_parts(&mut self, tier: u8, is_meant: impl Fn(&Part, u8) -> bool) {
        for part in &mut self.parts {
            if part.tier.number() < tier && is_meant(part, tier) {
                part.tier = tier_of(tier);
            }
        }
    }

    /// Caps the tier: the weight of all above goes to it.
    pub(super) fn cap(&mut self, tier: u8) {
        let at = usize::from(tier) - 1;
        let above: f64 = self.weights[at + 1..].iter().sum();
        self.weights[at + 1..].fill(0.0);
        self.weights[at] += above;
        self.tier = tier;
        for part in &mut self.parts {
            part.tier = part.tier.min(tier_of(tier));
        }
    }
}
