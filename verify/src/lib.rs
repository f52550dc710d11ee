//! `verify` judges what executors produced: accept, fix, escalate, unverifiable or blocked.
//!
//! It reads `task`, `classify`, `dispatch` and `gates` and writes `verify`. A record is judged if it has an attempt that is
//! newer than its verdict; all others pass as they came. It never runs an executor, never changes a file and never repairs
//! an answer: what follows from a verdict is the business of `dispatch`.

mod answer;
mod args;
mod attempt;
mod checks;
mod citation;
mod config;
mod explain;
mod failure;
mod observation;
mod patch;
mod place;
mod report;
mod runner;
mod verdict;
mod verifier;
mod whole;

pub use args::{Action, Args, CheckName, Format};
use shared::{Exit, Io};

/// Runs `verify` on these streams.
pub fn run(args: Args, mut io: Io) -> Exit {
    if let Some(Action::Report { files, format }) = &args.command {
        return report::run(files, *format, args.common.max_line, io);
    }
    let verifier = match config::Config::new(&args).and_then(|config| {
        io.read_files(&args.files)?;
        Ok(verifier::Verifier::new(config))
    }) {
        Ok(verifier) => verifier,
        Err(problem) => return io.diagnostics.usage(&problem),
    };
    if args.explain {
        io.output = Box::new(explain::Explained::new(io.output, io.diagnostics.clone()));
    }
    let options = verifier.options();
    shared::filter(&verifier, io, options)
}
