//! `dispatch agents`: the executors that are known, and where they come from.

use clap::Subcommand;
use shared::{Common, Exit, Io};

use super::Place;
use crate::agent::Agents;

/// List, show and check the executors, and put them where agent programs find them
///
/// An executor is a Markdown file: front matter with name, description, tools and model, then what a model is told before
/// the task. Files of the project (.claude/agents) come before those of the user (~/.claude/agents), and those before the
/// built-in ones of the same name.
#[derive(Clone, Debug, clap::Args)]
pub struct AgentsArgs {
    /// What to do with them
    #[command(subcommand)]
    pub command: AgentsCommand,
}

/// What can be done with executors.
#[derive(Clone, Debug, Subcommand)]
pub enum AgentsCommand {
    /// List the executors, the first of each name
    List,
}

/// Runs `dispatch agents`.
pub(crate) fn run(args: &AgentsArgs, _common: &Common, io: Io) -> Exit {
    let place = match Place::here() {
        Ok(place) => place,
        Err(problem) => return io.diagnostics.fatal(&problem),
    };
    let (agents, broken) = Agents::load(&place.root.path, place.home.as_deref());
    for problem in &broken {
        io.diagnostics.error(problem);
    }
    let exit = if broken.is_empty() { Exit::Ok } else { Exit::Records };
    match args.command {
        AgentsCommand::List => {
            let lines: Vec<String> =
                agents.iter().map(|agent| format!("{:<14} {}", agent.name, agent.tools.join(", "))).collect();
            super::say(lines.iter().map(|line| line.trim_end().to_owned()), exit, io)
        }
    }
}
