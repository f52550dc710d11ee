//! The executors that a task can be sent to (seed 000), and the tier each of them is made for.

use std::fmt;

use shared::section::Tier;

/// An executor that `dispatch` has built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Executor {
    Explore,
    Validate,
    Document,
    Implement,
    Review,
    Orchestrate,
}

impl Executor {
    /// All of them, in the order that the model knows them by.
    pub(crate) const ALL: [Executor; 6] = [
        Executor::Explore,
        Executor::Validate,
        Executor::Document,
        Executor::Implement,
        Executor::Review,
        Executor::Orchestrate,
    ];

    /// Returns the executor of this name, if it is one of these.
    pub(crate) fn named(name: &str) -> Option<Executor> {
        Self::ALL.into_iter().find(|executor| executor.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Executor::Explore => "explore",
            Executor::Validate => "validate",
            Executor::Document => "document",
            Executor::Implement => "implement",
            Executor::Review => "review",
            Executor::Orchestrate => "orchestrate",
        }
    }

    /// Returns the tier that the executor is made for.
    pub(crate) fn home(self) -> Tier {
        match self {
            Executor::Explore | Executor::Validate | Executor::Document => Tier::ONE,
            Executor::Implement | Executor::Review => Tier::TWO,
            Executor::Orchestrate => Tier::THREE,
        }
    }

    /// Tells whether the executor leaves all files as they are.
    pub(crate) fn only_reads(self) -> bool {
        matches!(self, Executor::Explore | Executor::Review)
    }
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
