//! `dispatch agents`: the executors that are known, where they come from, and where the built-in ones are installed.

mod check;
mod install;
mod list;
mod place;

use std::path::PathBuf;

use clap::Subcommand;
use shared::{Common, Exit, Io};

use super::Place;
use crate::executors::Agents;
pub use place::Places;

/// List, show and check the executors, and put them where agent programs find them
///
/// An executor is a Markdown file: front matter with name, description, tools and model, then what a model is told before
/// the task. Files of the project (.claude/agents) come before those of the user (~/.claude/agents), and those before the
/// built-in ones of the same name.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AgentsArgs {
    /// What to do with them
    #[command(subcommand)]
    pub command: AgentsCommand,
}

const EXAMPLES: &str = "\
Examples:
  # which executors are there, and where do they come from?
  dispatch agents list

  # make one of your own from one that is built in
  mkdir -p .claude/agents
  dispatch agents show review > .claude/agents/review.md
  dispatch agents check .claude/agents/review.md

  # let agent programs find the built-in ones, in this project or everywhere
  dispatch agents install --project --dry-run
  dispatch agents install --user
  dispatch agents status

Exit status: 0 fine, 1 a file is not as it should be (check), 2 usage, 3 some files could not be used, or were left as
somebody has edited them, 4 could not go on.";

/// What can be done with executors.
#[derive(Clone, Debug, Subcommand)]
pub enum AgentsCommand {
    /// List the executors, the first of each name
    List {
        /// Print an object a line
        #[arg(long)]
        json: bool,
    },
    /// Print the file of an executor
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Print an object
        #[arg(long)]
        json: bool,
    },
    /// Look for faults in files of executors [default: all of the project and the user]
    Check {
        /// The files
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Put the built-in executors where agent programs find them
    Install(Change),
    /// Remove the built-in executors from there
    Uninstall(Change),
    /// Tell what is installed, and whether it is current, outdated, edited or foreign
    Status {
        /// Where to look [default: both]
        #[command(flatten)]
        places: Places,
        /// Print an object a line
        #[arg(long)]
        json: bool,
    },
}

/// What to install or to remove.
#[derive(Clone, Debug, clap::Args)]
pub struct Change {
    /// Only these executors [default: all that are built in]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// Where to do it
    #[command(flatten)]
    pub places: Places,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Also replace or remove what somebody has edited
    #[arg(long)]
    pub force: bool,
}

/// Runs `dispatch agents`.
pub(crate) fn run(args: &AgentsArgs, _common: &Common, io: Io) -> Exit {
    let place = match Place::here() {
        Ok(place) => place,
        Err(problem) => return io.diagnostics.fatal(&problem),
    };
    let load = |io: &Io| {
        let (agents, broken) = Agents::load(&place.root.path, place.home.as_deref());
        broken.iter().for_each(|problem| io.diagnostics.error(problem));
        (agents, if broken.is_empty() { Exit::Ok } else { Exit::Records })
    };
    match &args.command {
        AgentsCommand::List { json } => {
            let (agents, exit) = load(&io);
            super::say(list::all(&agents, *json), exit, io)
        }
        AgentsCommand::Show { name, json } => {
            let (agents, exit) = load(&io);
            match list::one(&agents, name, *json) {
                Ok(text) => super::say([text], exit, io),
                Err(problem) => io.diagnostics.usage(&problem),
            }
        }
        AgentsCommand::Check { files } => check::run(files, &place, io),
        AgentsCommand::Install(change) => install::run(change, install::Way::In, &place, io),
        AgentsCommand::Uninstall(change) => install::run(change, install::Way::Out, &place, io),
        AgentsCommand::Status { places, json } => install::status(places, *json, &place, io),
    }
}
