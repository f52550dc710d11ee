use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::section::Tier;

/// How probable it is that a draft of each tier will be accepted, where a calibration says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Acceptance {
    /// For a draft of tier 1.
    #[serde(rename = "1", skip_serializing_if = "Option::is_none")]
    pub one: Option<Expected>,
    /// For a draft of tier 2.
    #[serde(rename = "2", skip_serializing_if = "Option::is_none")]
    pub two: Option<Expected>,
    /// For a draft of tier 3.
    #[serde(rename = "3", skip_serializing_if = "Option::is_none")]
    pub three: Option<Expected>,
}

impl Acceptance {
    /// Returns what is expected of a tier.
    pub fn of(&self, tier: Tier) -> Option<Expected> {
        match tier.number() {
            1 => self.one,
            2 => self.two,
            3 => self.three,
            _ => None,
        }
    }
}

/// What is expected of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expected {
    /// The probability that it is accepted, 0 to 1.
    pub probability: f64,
    /// How many verdicts that was learned from.
    pub n: u64,
    /// What it was learned from.
    pub basis: Basis,
}

/// What an expectation was learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The text of the task, by a model of what became of others.
    Model,
    /// The verdicts on tasks of the same executor and kind.
    Signature,
    /// The verdicts on all tasks of the tier.
    Tier,
    /// Nothing but what is generally expected.
    Prior,
}

/// What was promised when a calibration was made, and what it means for this task.
///
/// With the confidence given, no more than `max_bad_accept` of all tasks are both delegated to the tier and rejected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Promise {
    /// The tier whose drafts it speaks of.
    pub tier: Tier,
    /// The largest share of all tasks that may be delegated and rejected.
    pub max_bad_accept: f64,
    /// The probability with which that holds.
    pub confidence: f64,
    /// The probability of acceptance that a task needs to be delegated; absent if nothing could be promised, so that
    /// nothing is delegated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The upper confidence limit of the share, as it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// How many tasks it rests on.
    pub n: u64,
    /// How many more would be needed, if they were too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<u64>,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// Whether this task may be drafted by the tier.
    pub delegated: bool,
}
