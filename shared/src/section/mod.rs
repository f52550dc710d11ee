//! The nouns on the wire: one file for each member of a record that a program of this project owns.
//!
//! The types are the contract: the JSON Schemas in `shared/schema/` are generated from them, and readers
//! tolerate members they do not know, so that a field can be added without breaking an older stage.

mod action;
mod classify;
mod converge;
mod dispatch;
mod error;
mod gates;
mod paid;
mod task;
mod tier;
mod verify;

pub use action::{Action, ActionKind, RootCause, RootCauseKind};
pub use classify::{
    Acceptance, Asked, Basis, Classify, DraftPrice, Economics, Effort, Expected, Interval, Part, Plan,
    Promise, Readiness, Reflection, Risk, Scores,
};
pub use converge::{Converge, State};
pub use dispatch::{Dispatch, Earlier, Joined, Merge, MergeOutcome, OutputFile, Race, Rival, Status, Usage};
pub use error::RecordError;
pub use gates::{Finding, GateResult, GateType, Gates, Outcome, Scope, Severity};
pub use paid::{Costs, Paid, Role, is_amount};
pub use task::{Criterion, Task};
pub use tier::Tier;
pub use verify::{Check, Decision, Failure, FailureClass, Verify};

/// A member of a record with a fixed name and type.
pub trait Section: serde::Serialize + serde::de::DeserializeOwned {
    /// The name of the member in a record.
    const NAME: &'static str;
}

macro_rules! section {
    ($($type:ty => $name:literal),* $(,)?) => {
        $(impl Section for $type { const NAME: &'static str = $name; })*

        /// Returns the JSON Schema of every section as `(member name, schema)`, in the order of the pipe.
        pub fn schemas() -> Vec<(&'static str, schemars::Schema)> {
            vec![$(($name, schemars::schema_for!($type))),*]
        }
    };
}

section! {
    Task => "task",
    Classify => "classify",
    Dispatch => "dispatch",
    Gates => "gates",
    Verify => "verify",
    Converge => "converge",
    Vec<RecordError> => "errors",
}
