use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a task is ready to be worked on, and what has to be asked first if not (seed 003).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reflection {
    /// Whether to begin or to ask.
    pub decision: Readiness,
    /// How ready it is, 0 to 1: `0.5 * clarity + 0.3 * mistakes + 0.2 * context`.
    pub confidence: f64,
    /// How clearly it says what is to be done, 0 to 1.
    pub clarity: f64,
    /// 1 if nothing like it has gone wrong before, less for each similar failure that has not been fixed.
    pub mistakes: f64,
    /// How much of what it speaks of is there to be looked at, 0 to 1.
    pub context: f64,
    /// What is in the way. Empty if the decision is to proceed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<String>,
    /// Questions that somebody who knows can answer, and advice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recommendations: Vec<String>,
    /// What the numbers rest on, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// What a reflection comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// It can be begun.
    Proceed,
    /// Somebody has to be asked first.
    Ask,
}
