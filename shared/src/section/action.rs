use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is to be done about an attempt that did not do (seed 002's supervisor): data for people and for later stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// What to do.
    pub kind: ActionKind,
    /// What says so: structured evidence if there is any, else words.
    pub evidence: Vec<String>,
    /// What this task and others have failed of alike, as far as they had been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<RootCause>,
}

/// What to do about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Try again as it is: what failed passes.
    Retry,
    /// Try again on a higher tier, with what failed as guidance.
    RetryEscalated,
    /// Plan the task anew: split it, say it better, or give it more context.
    Replan,
    /// Let something else come first that it needs.
    Reorder,
    /// Try again what it depends on.
    RetryDependency,
    /// Repair once what several tasks have failed of.
    FixRootCause,
    /// Ask a person.
    Escalate,
    /// Leave it: nothing can be done here.
    Skip,
}

/// What several tasks have failed of alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RootCause {
    /// What kind of cause it is.
    pub kind: RootCauseKind,
    /// The module, table, file or backend that it is about.
    pub subject: String,
    /// The ids of the tasks, in the order of their names; of many, the first.
    pub tasks: Vec<String>,
    /// How many tasks those are in all.
    pub count: u64,
    /// The one thing to do about it.
    pub remedy: String,
}

/// A kind of common cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RootCauseKind {
    /// A module is imported that nobody has made.
    MissingFoundation,
    /// The database is not what the code expects.
    WrongMigration,
    /// A file is used that nobody has made.
    MissingScaffolding,
    /// A backend does not answer, or refuses.
    Backend,
}
