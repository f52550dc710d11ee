//! What the commands about runs start from: the state directory of the project and the journal in it.

use std::fs::File;
use std::path::PathBuf;

use shared::state::DIRECTORY;
use shared::{Io, Problem};

use super::Place;
use crate::journal::runs::{Run, Runs};
use crate::{control, journal};

/// The journal of the project around the working directory.
pub(super) struct Kept {
    pub(super) state: PathBuf,
    pub(super) file: File,
}

impl Kept {
    /// Finds it.
    ///
    /// # Errors
    /// If nothing was run here yet, or the journal can not be read.
    pub(super) fn here() -> Result<Kept, Problem> {
        let root = Place::here()?.root;
        let state = root.path.join(DIRECTORY);
        let file = File::open(journal::path(&state)).map_err(|error| {
            let problem = Problem::new(format!("no run has left a journal in `{}`", root.path.display()));
            problem.because(error).hint("run dispatch without --no-journal, or change to the project")
        })?;
        Ok(Kept { state, file })
    }

    /// Reads what runs there were.
    pub(super) fn runs(&self) -> Result<Runs, Problem> {
        Runs::read(&self.file).map_err(unreadable)
    }

    /// Tells whether a run is going on.
    pub(super) fn is_going_on(&self, run: &Run) -> bool {
        run.exit.is_none() && control::is_going_on(&self.state, &run.name)
    }
}

/// Says that the journal can not be read.
pub(super) fn unreadable(error: std::io::Error) -> Problem {
    Problem::new("cannot read the journal").because(error)
}

/// Returns the run that is meant: by its whole name, the beginning of it, or its process id, the latest of these.
pub(super) fn named<'a>(runs: &'a Runs, name: &str) -> Result<&'a Run, Problem> {
    let found = runs.all().iter().rev().find(|run| !name.is_empty() && run.name.starts_with(name));
    found
        .ok_or_else(|| Problem::new(format!("there is no run `{name}`")).hint("`dispatch status` lists them"))
}

/// Ends a command with a problem.
pub(super) fn refuse(problem: &Problem, io: &Io) -> shared::Exit {
    io.diagnostics.usage(problem)
}
