//! What dispatch does besides running tasks: a subcommand each, in a file of its own.
//!
//! A command gets the streams and says what it has to say on standard output; how it ends is an [`Exit`] like that of a run.

pub(crate) mod agents;
pub(crate) mod cancel;
mod kept;
pub(crate) mod log;
pub(crate) mod retry;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod worktrees;

use std::path::PathBuf;

use clap::Subcommand;
use shared::state::Root;
use shared::writer::{Stopped, Writer};
use shared::{Common, Exit, Io, Problem};

/// What `dispatch` can do besides running tasks.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List, show and check the executors, and put them where agent programs find them
    Agents(agents::AgentsArgs),
    /// List, prune and repair the worktrees that work was done in
    Worktrees(worktrees::WorktreesArgs),
    /// Show how the runs of this project stand
    Status(status::StatusArgs),
    /// Show what has happened
    Log(log::LogArgs),
    /// Show one task: its attempts, what they said and cost, and where their work is
    Show(show::ShowArgs),
    /// End a task that runs or waits, or a whole run
    Cancel(cancel::CancelArgs),
    /// Have a task made again, differently
    Retry(retry::RetryArgs),
}

/// Runs a command.
pub(crate) fn run(command: &Command, common: &Common, io: Io) -> Exit {
    match command {
        Command::Agents(args) => agents::run(args, common, io),
        Command::Worktrees(args) => worktrees::run(args, common, io),
        Command::Status(args) => status::run(args, io),
        Command::Log(args) => log::run(args, io),
        Command::Show(args) => show::run(args, io),
        Command::Cancel(args) => cancel::run(args, io),
        Command::Retry(args) => retry::run(args, io),
    }
}

/// Where a command is run: the project around the working directory, and the user's home.
pub(crate) struct Place {
    pub(crate) root: Root,
    pub(crate) home: Option<PathBuf>,
}

impl Place {
    /// Returns the place of this process.
    ///
    /// # Errors
    /// If the working directory is gone.
    pub(crate) fn here() -> Result<Place, Problem> {
        let directory = std::env::current_dir()
            .map_err(|error| Problem::new("cannot find the working directory").because(error))?;
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        Ok(Place { root: Root::find(&directory), home })
    }
}

/// Writes what a command has to say; a reader that has had enough is fine.
pub(crate) fn say(lines: impl IntoIterator<Item = String>, exit: Exit, io: Io) -> Exit {
    let mut writer = Writer::new(io.output);
    let written = lines.into_iter().try_for_each(|line| writer.write_line(&line));
    match written.and_then(|()| writer.flush()) {
        Ok(()) => exit,
        Err(Stopped::Closed) => Exit::Ok,
        Err(Stopped::Failed(problem)) => io.diagnostics.fatal(&problem),
    }
}

/// Returns the rows in columns, a line each; the last column is not filled up.
pub(crate) fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = widths.iter().zip(row).map(|(width, cell)| format!("{cell:width$}  "));
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
