//! Sends every task to its executor, as parallel as its dependencies allow, and brings back what it said.
//!
//! Reads records, writes their `dispatch` member, and acts on those that need it: not dispatched yet, rejected by `verify`, or
//! made from a result that was replaced. What a draft is worth is for `gates` and `verify` to say.
//!
//! `engine` decides; `schedule`, `queue`, `order` and `results` are what it decides by, and know nothing of each other.
//! `route` says which backend drafts a task; the backends are `local`, `command`, `http` and `replay`, behind `backend`. `native`
//! gives the models behind `http` tools to work with.

mod args;
pub mod backend;
mod broker;
mod command;
mod commands;
mod config;
mod control;
mod emit;
mod engine;
mod estimate;
mod executors;
pub mod http;
mod incoming;
mod journal;
mod limits;
pub mod local;
pub mod native;
mod order;
mod parts;
mod perform;
mod plan;
mod pool;
mod progress;
mod prompt;
mod queue;
mod reader;
mod replay;
mod reports;
mod results;
mod route;
mod schedule;
mod settings;
mod speculate;
mod supervise;
mod trace;
mod worktree;

use shared::{Exit, Io, units};

pub use args::Args;
pub use commands::Command;
pub use limits::Allowance;
pub use speculate::{Hedge, Late};

/// The name of this program and of the member that it writes.
pub const NAME: &str = "dispatch";

/// Runs the program.
pub fn run(args: Args, mut io: Io) -> Exit {
    if let Some(command) = &args.command {
        return commands::run(command, &args.common, io);
    }
    let config = match config::Config::resolve(&args, &io.diagnostics) {
        Ok(config) => config,
        Err(problem) => return io.diagnostics.usage(&problem),
    };
    if let Err(problem) = io.read_files(&args.files) {
        return io.diagnostics.usage(&problem);
    }
    if let Some(found) = &config.routes.found {
        io.diagnostics.note(found);
    }
    let today = units::now();
    for warning in config.routes.models().filter_map(|model| config.prices.warning(model, &today[..10])) {
        io.diagnostics.warning(warning);
    }
    if config.dry_run { plan::show(&config, io) } else { engine::run(config, io) }
}
