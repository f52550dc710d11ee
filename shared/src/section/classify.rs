mod acceptance;
mod asked;
mod economics;
mod effort;
mod reflection;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use acceptance::{Acceptance, Basis, Expected, Promise};
pub use asked::Asked;
pub use economics::{DraftPrice, Economics, Plan};
pub use effort::{Effort, Interval};
pub use reflection::{Readiness, Reflection};

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
    /// How much work it will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// What the ways to do it would cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub economics: Option<Economics>,
    /// Whether it is ready to be worked on, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reflection: Option<Reflection>,
    /// How probable it is that drafts will be accepted, if there is a calibration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<Acceptance>,
    /// What was promised about the share of bad drafts, if that was asked for when calibrating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<Promise>,
    /// What a model was asked about it, if that was wanted and needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// What classifying it has cost, in US dollars; absent if nothing was paid, or the price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
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
