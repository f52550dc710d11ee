use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tier;

/// How hard a task is and who should draft it: what `classify` writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Classify {
    /// The tier of the cheapest executor that can probably do it.
    pub tier: Tier,
    /// The executor's name, such as `explore`, `validate`, `document`, `implement`, `review`, `orchestrate`. A router
    /// that names none gets the one that can change nothing.
    #[serde(default = "explore")]
    pub executor: String,
    /// How sure the router is of the tier, 0 to 1.
    #[serde(default)]
    pub confidence: f64,
    /// What it would cost to be wrong, whatever the difficulty.
    #[serde(default)]
    pub risk: Risk,
    /// Why, in sentences for a person.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// The weight of evidence for each tier; they add up to 1.
    #[serde(default)]
    pub scores: Scores,
    /// The evidence was too thin or split, so the tier is one higher than it pointed at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
    /// The steps of a compound task, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// The executor where none is named.
pub(super) fn explore() -> String {
    "explore".to_owned()
}

/// What it would cost to be wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Anything done can be undone with little work.
    #[default]
    Low,
    /// A mistake would be noticed late or spread to other parts.
    Medium,
    /// Data loss, security, production or something that can not be undone.
    High,
}

/// The weight of evidence for each tier, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Scores {
    /// For tier 1.
    #[serde(rename = "1")]
    pub one: f64,
    /// For tier 2.
    #[serde(rename = "2")]
    pub two: f64,
    /// For tier 3.
    #[serde(rename = "3")]
    pub three: f64,
}

/// One step of a compound task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// What this step asks for.
    pub text: String,
    /// Its tier.
    pub tier: Tier,
    /// Its executor.
    pub executor: String,
    /// The positions (from 0) of the parts it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<usize>,
}
