//! What the ways to do a task cost, and which is the cheapest; no draft is made that costs more than it saves.
//!
//! `models` knows who has which price, `acceptance` how often drafts are good enough, `arithmetic` the formulas; here they
//! meet a decision. Where a price is not known, nothing is reckoned and nothing is moved.

mod acceptance;
mod arithmetic;
mod models;

#[cfg(test)]
mod tests;

use shared::section::{Classify, DraftPrice, Economics, Interval, Plan, Risk, Tier};

use crate::decide::Leeway;
use crate::effort::{Work, significant};
use crate::mode::Mode;

pub(crate) use acceptance::Acceptance;
pub(crate) use models::{Models, Unpriced};

/// What a check costs as a share of what the strong tier takes for the task: reading is a tenth of doing (seed 000 §1.5).
pub(crate) const CHECK_SHARE: f64 = 0.1;

/// The number of the strong tier.
pub(crate) const STRONG: u8 = 3;

/// So many digits of an expected price are worth reading.
const DIGITS: i32 = 3;

/// Weighs prices against acceptance.
#[derive(Clone, Debug)]
pub(crate) struct Economy {
    pub(crate) models: Models,
    pub(crate) mode: Mode,
    pub(crate) check_share: f64,
    /// Fewer verdicts than this say nothing about acceptance.
    pub(crate) min_evidence: f64,
}

/// The three ways for one tier, not yet rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ways {
    pub(crate) draft: f64,
    pub(crate) check: f64,
    pub(crate) strong: f64,
    pub(crate) acceptance: Acceptance,
    /// The acceptance that counts.
    believed: f64,
    direct_cheap: f64,
    pub(crate) cheap_then_verify: f64,
}

impl Ways {
    /// Returns the cheapest way; where two cost the same, the one that is safer.
    pub(crate) fn cheapest(&self) -> Plan {
        if self.strong <= self.direct_cheap.min(self.cheap_then_verify) {
            Plan::DirectStrong
        } else {
            self.cheaper_draft()
        }
    }

    /// Returns the cheaper way where a draft is to be made anyway.
    fn cheaper_draft(&self) -> Plan {
        if self.cheap_then_verify <= self.direct_cheap { Plan::CheapThenVerify } else { Plan::DirectCheap }
    }
}

/// What is known of the drafts of a task, whatever they cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft {
    /// By tier.
    pub(crate) acceptance: [Acceptance; 3],
    /// The harm of a wrong one that nobody has checked.
    pub(crate) miss: f64,
}

impl Draft {
    fn of(decision: &Classify, min_evidence: f64) -> Draft {
        let acceptance = [1, 2, 3].map(|tier| Acceptance::of(decision, tier, min_evidence));
        Draft { acceptance, miss: miss(decision) }
    }
}

/// A draft that was not made because it would have cost more than it saves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    tier: u8,
    ways: Ways,
}

/// What the work of a task costs on each tier, where the price is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Costs([Option<Interval<f64>>; 3]);

impl Costs {
    /// Returns the costs on a tier.
    pub(crate) fn on(&self, tier: u8) -> Option<Interval<f64>> {
        self.0[usize::from(tier.clamp(1, STRONG)) - 1]
    }

    pub(crate) fn expected(&self, tier: u8) -> Option<f64> {
        self.on(tier).map(|costs| costs.expected)
    }
}

impl Economy {
    /// Returns what is known of the drafts of a task.
    pub(crate) fn drafts(&self, decision: &Classify) -> Draft {
        Draft::of(decision, self.min_evidence)
    }

    /// Prices the work on each tier.
    pub(crate) fn costs(&self, work: &Work) -> Costs {
        Costs([1, 2, 3].map(|tier| Some(work.costs(tier, &self.models.of(tier)?.model))))
    }

    /// Raises the tier as long as a draft there costs more than the strong tier at once, and tells by which arithmetic.
    pub(crate) fn refuse_losses(
        &self,
        costs: &Costs,
        decision: &mut Classify,
        leeway: Leeway,
    ) -> Option<Refused> {
        let draft = self.drafts(decision);
        let tier = decision.tier.number();
        if leeway.ceiling < STRONG {
            return None;
        }
        let paying = |tier: u8| self.first_that_pays(costs, tier, &draft);
        for part in &mut decision.parts {
            part.tier = Tier::try_from(paying(part.tier.number())).unwrap_or(Tier::THREE);
        }
        let to = paying(tier);
        let ways = self.ways(costs, tier, &draft).filter(|_| to > tier)?;
        decision.reasons.push(format!("{} → tier {to}", told_loss(&ways)));
        shift(decision, to);
        Some(Refused { tier, ways })
    }

    /// Returns the lowest tier from this one on whose draft pays. A draft without a price is not judged.
    fn first_that_pays(&self, costs: &Costs, tier: u8, draft: &Draft) -> u8 {
        let pays = |tier: &u8| {
            *tier >= STRONG
                || self.ways(costs, *tier, draft).is_none_or(|ways| ways.cheapest() != Plan::DirectStrong)
        };
        (tier..=STRONG).find(pays).unwrap_or(tier)
    }

    /// Reckons the ways to do it with a draft on a tier below the strong one.
    pub(crate) fn ways(&self, costs: &Costs, tier: u8, drafts: &Draft) -> Option<Ways> {
        if tier >= STRONG {
            return None;
        }
        let (strong, draft) = (costs.expected(STRONG)?, costs.expected(tier)?);
        let check = self.check_share * strong;
        let acceptance = drafts.acceptance[usize::from(tier.clamp(1, STRONG)) - 1];
        let believed = if self.mode.is_careful() { acceptance.low } else { acceptance.expected };
        Some(Ways {
            draft,
            check,
            strong,
            acceptance,
            believed,
            direct_cheap: arithmetic::direct_cheap(draft, believed, strong, drafts.miss),
            cheap_then_verify: arithmetic::cheap_then_verify(draft, check, believed, strong),
        })
    }

    /// Returns what stands in the record about the tier that was decided on.
    pub(crate) fn told(
        &self,
        costs: &Costs,
        decision: &Classify,
        refused: Option<Refused>,
    ) -> Option<Economics> {
        let strong = self.models.of(STRONG)?;
        let tier = decision.tier.number();
        let draft = match refused.filter(|_| tier >= STRONG) {
            None if tier >= STRONG => None,
            Some(refused) => Some(refused),
            // Without its price nothing can be said about this task.
            None => Some(Refused { tier, ways: self.ways(costs, tier, &self.drafts(decision))? }),
        };
        Some(Economics {
            plan: match draft {
                Some(Refused { ways, .. }) if tier < STRONG => ways.cheaper_draft(),
                _ => Plan::DirectStrong,
            },
            direct_strong_usd: significant(costs.expected(STRONG)?, DIGITS),
            direct_cheap_usd: draft.map(|draft| significant(draft.ways.direct_cheap, DIGITS)),
            cheap_then_verify_usd: draft.map(|draft| significant(draft.ways.cheap_then_verify, DIGITS)),
            draft: draft.and_then(|draft| self.price_of(&draft)),
            strong_model: strong.name.clone(),
            max_tier: None,
            price_table: self.models.date.clone(),
        })
    }

    fn price_of(&self, draft: &Refused) -> Option<DraftPrice> {
        let Ways { draft: cost, check, strong, believed, acceptance, .. } = draft.ways;
        Some(DraftPrice {
            tier: Tier::try_from(draft.tier).unwrap_or(Tier::THREE),
            model: self.models.of(draft.tier)?.name.clone(),
            cost_usd: significant(cost, DIGITS),
            check_usd: significant(check, DIGITS),
            acceptance: significant(believed, DIGITS),
            measured_on: acceptance.measured_on,
            break_even: significant(arithmetic::break_even(cost, check, strong), DIGITS),
        })
    }
}

/// Says why a draft is not made.
fn told_loss(ways: &Ways) -> String {
    let shown = |number: f64| significant(number, DIGITS);
    let Ways { draft, check, strong, believed, cheap_then_verify, acceptance, .. } = *ways;
    let known = match acceptance.measured_on {
        0 => "expected".to_owned(),
        count => format!("measured on {count}"),
    };
    format!(
        "draft ${} + check ${} + {} × ${} = ${} is dearer than ${} at once (acceptance {} {known}, break-even {})",
        shown(draft),
        shown(check),
        shown(1.0 - believed),
        shown(strong),
        shown(cheap_then_verify),
        shown(strong),
        shown(believed),
        shown(arithmetic::break_even(draft, check, strong)),
    )
}

/// Returns the harm of a wrong result that nobody has checked, in prices of doing it again on the strong tier.
///
/// What somebody reads anyway shows its faults soon; a change of code does not, and what is risky costs most.
pub(crate) fn miss(decision: &Classify) -> f64 {
    let changes = !matches!(decision.executor.as_str(), "explore" | "validate" | "document" | "review");
    match decision.risk {
        Risk::High => 10.0,
        Risk::Medium => 2.0,
        Risk::Low if changes => 2.0,
        Risk::Low => 0.5,
    }
}

/// Moves a decision to another tier: the weight of the tiers that are left goes to it.
pub(crate) fn shift(decision: &mut Classify, tier: u8) {
    let mut weights = [decision.scores.one, decision.scores.two, decision.scores.three];
    let at = usize::from(tier.clamp(1, STRONG)) - 1;
    let was = usize::from(decision.tier.number().clamp(1, STRONG)) - 1;
    let left = if at > was { 0..at } else { at + 1..3 };
    let moved: f64 = weights[left.clone()].iter().sum();
    weights[left].fill(0.0);
    weights[at] = ((weights[at] + moved) * 100.0).round() / 100.0;
    [decision.scores.one, decision.scores.two, decision.scores.three] = weights;
    decision.tier = Tier::try_from(tier).unwrap_or(Tier::THREE);
    decision.confidence = weights[at];
    for part in &mut decision.parts {
        part.tier = part.tier.min(decision.tier);
    }
}
