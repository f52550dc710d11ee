use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::section::Tier;

/// What the ways to get a task done are expected to cost, in US dollars, and which of them was chosen.
///
/// With a draft's price *d*, a check's price *c*, the strong tier's price *s* and the acceptance *a*, a draft that is checked
/// costs *d* + *c* + (1 − *a*)·*s* (seed 000 §1.5). It pays if *a* is above the break-even (*d* + *c*) / *s*.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Economics {
    /// The cheapest of the ways that the task allows.
    pub plan: Plan,
    /// The strong tier does it at once.
    pub direct_strong_usd: f64,
    /// The task's tier does it and nobody checks: what is wrong is found late and done again on the strong tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct_cheap_usd: Option<f64>,
    /// The task's tier drafts it, the draft is checked, and the strong tier does what is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cheap_then_verify_usd: Option<f64>,
    /// What is known of a draft below the strong tier; absent if the strong tier was due anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<DraftPrice>,
    /// The model of the strong tier.
    pub strong_model: String,
    /// The budget pays for no attempt above this tier: a rejected draft stays rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tier: Option<Tier>,
    /// The date of the price table.
    pub price_table: String,
}

/// How to get a task done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// A cheap draft that nobody checks.
    DirectCheap,
    /// A cheap draft, a check, and the strong tier if it is rejected.
    CheapThenVerify,
    /// The strong tier at once.
    DirectStrong,
}

/// What a draft costs, and how likely it is that it is good enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DraftPrice {
    /// The tier that drafts.
    pub tier: Tier,
    /// Its model.
    pub model: String,
    /// The expected price of the draft in US dollars.
    pub cost_usd: f64,
    /// The expected price of checking it.
    pub check_usd: f64,
    /// The share of such drafts that are accepted; with `--mode conservative` its lower bound.
    pub acceptance: f64,
    /// The verified attempts that the acceptance was measured on; 0 is an expectation, and nothing was measured.
    #[serde(default)]
    pub measured_on: u64,
    /// The acceptance below which the draft costs more than it saves.
    pub break_even: f64,
}
