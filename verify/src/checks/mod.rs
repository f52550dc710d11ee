//! The checks, a file each. A check looks at one side of an attempt and says what it saw; what follows from that
//! is the verdict's business.

mod accept;
mod claims;
mod comments;
mod complete;
mod contract;
mod diff;
mod gates;
mod grounded;
mod refusal;
mod stubs;
mod truncated;
mod weakened;

use std::time::Duration;

use shared::section::Status;

use crate::attempt::Attempt;
use crate::observation::{Observation, Standing};

/// How the checks that run commands do so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Commands {
    pub(crate) allowed: bool,
    pub(crate) timeout: Duration,
}

/// A check that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// There is an answer, and it is the work rather than a plan for it.
    Complete,
    /// The answer was not cut off.
    Truncated,
    /// The model did not decline.
    Refusal,
    /// Cited files, lines and symbols exist.
    Grounded,
    /// The answer has the form that its executor owes.
    Contract,
    /// Files changed where a change was due, and nowhere else.
    Diff,
    /// No stubs and placeholders were left behind.
    Stubs,
    /// The task's own `accept` list holds.
    Accept,
    /// The facts of `gates` are good.
    Gates,
    /// Nothing is claimed that the facts deny.
    Claims,
}

impl CheckName {
    /// All checks, in the order they are made.
    pub(crate) const ALL: [CheckName; 10] = [
        CheckName::Complete,
        CheckName::Truncated,
        CheckName::Refusal,
        CheckName::Contract,
        CheckName::Grounded,
        CheckName::Diff,
        CheckName::Stubs,
        CheckName::Claims,
        CheckName::Gates,
        CheckName::Accept,
    ];

    fn make(self, attempt: &Attempt<'_>, commands: Commands, rejected: bool) -> Vec<Observation> {
        match self {
            CheckName::Complete => vec![complete::check(attempt)],
            CheckName::Truncated => vec![truncated::check(attempt)],
            CheckName::Refusal => vec![refusal::check(attempt)],
            CheckName::Grounded => vec![grounded::check(attempt)],
            CheckName::Contract => vec![contract::check(attempt)],
            CheckName::Diff => vec![diff::check(attempt)],
            CheckName::Stubs => vec![stubs::check(attempt)],
            CheckName::Accept => accept::check(attempt, commands, rejected),
            CheckName::Gates => gates::check(attempt),
            CheckName::Claims => vec![claims::check(attempt)],
        }
    }

    /// Tells whether the check reads the answer's words, so that without any it has nothing to say.
    fn reads_words(self) -> bool {
        use CheckName::{Claims, Contract, Refusal, Stubs, Truncated};
        matches!(self, Truncated | Refusal | Contract | Stubs | Claims)
    }
}

/// Makes the named checks on an attempt.
pub(crate) fn run(names: &[CheckName], attempt: &Attempt<'_>, commands: Commands) -> Vec<Observation> {
    let mut found: Vec<Observation> = Vec::new();
    for name in names {
        // Nothing was attempted, or it did not come to an end: there is no work to look at, and no use in running commands.
        let ended = matches!(
            attempt.dispatch.status,
            Status::Ok | Status::Failed | Status::Refused | Status::Truncated
        );
        if !ended && *name != CheckName::Complete {
            continue;
        }
        // The answer of a whole is made of those of its parts, which are judged where they stand.
        let is_joined = !attempt.dispatch.parts.is_empty();
        if is_joined && !matches!(name, CheckName::Gates | CheckName::Accept) {
            continue;
        }
        let rejected = found.iter().any(|observation| observation.standing == Standing::Hard);
        let mut made = name.make(attempt, commands, rejected);
        if attempt.answer.is_empty() && name.reads_words() {
            let silent = |o: &&mut Observation| matches!(o.standing, Standing::Clean | Standing::Small);
            for observation in made.iter_mut().filter(silent) {
                *observation = Observation::new(&observation.check, Standing::Skipped, "there is no output");
            }
        }
        found.extend(made);
    }
    found
}

/// Returns the beginning of a text, short enough for a message.
fn shown(text: &str) -> String {
    const LONGEST: usize = 100;
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Returns the end of a text, short enough for a message.
fn shown_end(text: &str) -> String {
    const LONGEST: usize = 60;
    let text = text.trim();
    match text.char_indices().rev().nth(LONGEST) {
        Some((start, _)) => format!("…{}", text[start..].trim_start()),
        None => text.to_owned(),
    }
}
