//! The exit status of the five programs.

use std::process::{ExitCode, Termination};

/// How a program ended, as its exit status says it. The same for all five.
///
/// A closed output is [`Exit::Ok`]: whoever read us has had enough, as `head` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: fine.
    Ok,
    /// 1: the answer is no, where that was asked for (`--exit-status`, or a tool used alone as a linter is).
    No,
    /// 2: the command line or the configuration can not be used.
    Usage,
    /// 3: some records could not be processed; they have left with their `errors`.
    Records,
    /// 4: could not go on.
    Fatal,
    /// 130: interrupted, as a shell says it of SIGINT.
    Interrupted,
}

impl Exit {
    /// Returns the exit status.
    pub fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Records => 3,
            Exit::Fatal => 4,
            Exit::Interrupted => 130,
        }
    }

    /// Returns the graver of the two.
    #[must_use]
    pub fn worse(self, other: Exit) -> Exit {
        self.max(other)
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
