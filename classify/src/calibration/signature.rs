//! The signature of a task: who is to draft it, and the coarse kind of what it asks for.
//!
//! Coarse on purpose: a cell that few tasks fall into learns nothing.

use crate::clause::Mood;
use crate::lexicon::Act;
use crate::reading::Reading;

/// Returns the signature, such as `implement/fix`.
pub(crate) fn of(executor: &str, reading: &Reading) -> String {
    format!("{executor}/{}", kind(reading))
}

fn kind(reading: &Reading) -> &'static str {
    let Some((clause, _)) = reading.main() else { return "other" };
    match clause.act {
        Some(Act::Find | Act::Explain | Act::Check) => "look",
        Some(Act::Run | Act::Vcs | Act::Shell | Act::Deploy) => "run",
        Some(Act::Document) => "write",
        Some(Act::Add | Act::Setup) => "add",
        Some(Act::Change | Act::Remove | Act::Refactor | Act::Upgrade | Act::Migrate) => "change",
        Some(Act::Fix | Act::Debug) => "fix",
        Some(Act::Improve | Act::Optimize) => "improve",
        Some(Act::Review | Act::Design) => "judge",
        None => match clause.mood {
            Mood::Report => "fix",
            _ => "other",
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::reading::read;

    #[test]
    fn a_signature_is_the_executor_and_the_kind_of_work() {
        for (text, expected) in [
            ("fix the crash in the parser", "implement/fix"),
            ("find all callers of load", "implement/look"),
            ("add a retry to the client", "implement/add"),
            ("run the tests", "implement/run"),
            ("frobnicate", "implement/other"),
        ] {
            assert_eq!(super::of("implement", &read(text)), expected, "{text}");
        }
    }
}
