//! gates: facts about what was produced.
//!
//! Reads files, the index or the difference to a commit (alone), or records with the member `dispatch` (in the
//! pipe). Writes findings, or the member `gates`. Refuses to guess: what it can not check it calls
//! `unverifiable`, what does not apply `skip`, and neither is a pass.
//!
//! Two gates look into files (`syntax`, `secrets`), one at their names (`scope`), the others run the project's
//! own programs (`commands`). What the change did not make worse does not count against it.

mod alone;
mod args;
mod change;
mod commands;
mod config;
mod files;
mod found;
mod gate;
mod glob;
mod records;
mod repair;
mod report;
mod scope;
mod secrets;
mod syntax;
mod text;
mod walk;

pub use args::{Args, ScopeMode};
pub use report::Format;

use config::{Config, Mode};
use shared::{Exit, FilterOptions, Io, Problem};

/// Runs the program: alone with paths, `--staged` or `--diff`, else over records.
pub fn run(args: Args, mut io: Io) -> Exit {
    let directory = match std::env::current_dir() {
        Ok(directory) => directory,
        Err(error) => {
            return io.diagnostics.fatal(&Problem::new("cannot tell the working directory").because(error));
        }
    };
    let config = match Config::new(args, &directory) {
        Ok(config) => config,
        Err(problem) => return io.diagnostics.usage(&problem),
    };
    // Only a second pool in one process makes this fail, and then the first one does as well.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(config.jobs).build_global();
    let Mode::Records(files) = &config.mode else { return alone::run(&config, &directory, io) };
    if let Err(problem) = io.read_files(files) {
        return io.diagnostics.usage(&problem);
    }
    let options =
        FilterOptions { workers: config.jobs, max_line: config.max_line, exit_status: config.exit_status };
    shared::filter(&records::Judge::new(config, &directory), io, options)
}
