//! Does the answer have the form that its executor owes (seed 000, its five executors; seed 002, its roles)?

mod change;
mod explore;
mod review;
mod role;
mod validate;

use crate::attempt::{Attempt, Kind};
use crate::observation::{Observation, Standing};

const NAME: &str = "contract";

/// Holds the answer against the contract of its executor.
pub(crate) fn check(attempt: &Attempt<'_>) -> Observation {
    if attempt.has_result() {
        return result(attempt);
    }
    if attempt.is_factual() {
        return Observation::new(NAME, Standing::Skipped, "the command came to no result");
    }
    match attempt.kind {
        Kind::Explore => explore::check(attempt),
        Kind::Validate => validate::check(attempt),
        Kind::Document | Kind::Implement => change::check(attempt),
        Kind::Review => review::check(attempt),
        Kind::Architect
        | Kind::PlanVerifier
        | Kind::Developer
        | Kind::Reviewer
        | Kind::Debugger
        | Kind::Coherence => role::check(attempt),
        Kind::Other => {
            let detail = format!("no contract is known for `{}`", attempt.dispatch.executor);
            Observation::new(NAME, Standing::Skipped, detail)
        }
    }
}

/// What the program found by itself, or the user's own command did, is the result that was asked for. A report of
/// failing tests is one too: the task was to run them, and nobody will come to another result by asking a model.
fn result(attempt: &Attempt<'_>) -> Observation {
    let detail = match attempt.own_exit_code() {
        Some(0) => "the command's own result: it ended well".to_owned(),
        Some(code) => format!("the command's own result: it reports failure with exit code {code}"),
        None => "found without a model".to_owned(),
    };
    Observation::new(NAME, Standing::Conclusive, detail)
}
