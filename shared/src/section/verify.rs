use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, Tier};

/// The verdict on an attempt: what `verify` writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verify {
    /// The attempt of `dispatch` that the verdict speaks of.
    pub attempt: u32,
    /// What is to become of it.
    pub decision: Decision,
    /// How well the evidence speaks for the attempt, 0 to 1. Worse evidence never raises it.
    pub confidence: f64,
    /// Every check that was made.
    pub checks: Vec<Check>,
    /// Why, in a sentence for a person.
    pub reason: String,
    /// The tier that the next attempt needs, with `escalate` and `fix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_to: Option<Tier>,
    /// What kind of failure it was, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What the verdict itself cost, in US dollars.
    #[serde(default)]
    pub cost_usd: f64,
}

/// What is to become of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The user may have it.
    Accept,
    /// Sound but for small, named defects: the next attempt repairs it rather than starting again.
    Fix,
    /// Wrong: the next attempt starts again, one tier up or more.
    Escalate,
    /// There is no evidence for it or against it; a person or a judge has to look.
    Unverifiable,
    /// Nothing that may be tried is left: a person has to act.
    Blocked,
}

impl Decision {
    /// Tells whether another attempt is due.
    pub fn asks_for_more(self) -> bool {
        matches!(self, Decision::Fix | Decision::Escalate)
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Decision::Accept => "accept",
            Decision::Fix => "fix",
            Decision::Escalate => "escalate",
            Decision::Unverifiable => "unverifiable",
            Decision::Blocked => "blocked",
        })
    }
}

/// One check and what came out of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// The check's name.
    pub name: String,
    /// What came out.
    pub outcome: Outcome,
    /// The evidence, or why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What kind of failure an attempt was (seed 002).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Whose fault it was.
    pub class: FailureClass,
    /// The kind: `context_cut`, `exploration_death`, `decomposition_error`, `spec_gap`, `exceeded_capacity`,
    /// `implementation_error`, `transient`, `unclassified`.
    pub subclass: String,
    /// What says so.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<String>,
}

/// Whose fault a failure was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// What the pipeline put in: context, specification, decomposition.
    Pipeline,
    /// What the task asks for.
    Complexity,
    /// The network, a server or the machine.
    Environment,
    /// Not known.
    Unclassified,
}
