//! Runs a pipeline or an agent again and again, until nothing changes any more.
//!
//! Two kinds of loop share the limits and the search for cycles:
//!
//! * over records (`records/`): each record has its own fixed point;
//! * over a working tree (`tree/`): the tree has one.
//!
//! Reads records, or a directory. Writes the `converge` member of records, or a report. Leaves to others what a round
//! does: it runs whatever command it is given.

mod args;
mod config;
mod cycle;
mod lock;
mod records;
mod tree;

use std::io::{IsTerminal, Read};
use std::time::Duration;

use shared::{Exit, Io};

pub use args::Args;
use config::Plan;

/// Runs the program.
pub fn run(args: Args, mut io: Io) -> Exit {
    let dry_run = args.dry_run;
    let plan = Plan::new(args, || has_input(&mut io));
    match plan {
        Err(problem) => io.diagnostics.usage(&problem),
        Ok(plan) if dry_run => print(&plan, io),
        Ok(Plan::Records(plan)) => records::run(&plan, io),
        Ok(Plan::Tree(plan)) => tree::run(plan, io),
    }
}

/// Tells whether there is anything on standard input. The first byte is waited for, and put back.
fn has_input(io: &mut Io) -> bool {
    if std::io::stdin().is_terminal() {
        return false;
    }
    let waiting = io.diagnostics.clone();
    let (done, wait) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        if wait.recv_timeout(Duration::from_secs(3)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            waiting
                .note("waiting for records on standard input; --tree is for the working tree, without any");
        }
    });
    let mut first = Vec::new();
    let mut input = std::mem::replace(&mut io.input, Box::new(std::io::empty()));
    let count = input.by_ref().take(1).read_to_end(&mut first).unwrap_or_default();
    drop(done);
    io.input = Box::new(std::io::Cursor::new(first).chain(input));
    count > 0
}

/// Prints what would be done.
fn print(plan: &Plan, mut io: Io) -> Exit {
    let text = match plan {
        Plan::Records(plan) => plan.describe(),
        Plan::Tree(plan) => plan.describe(&tree::root(plan)),
    };
    match io.output.write_all(text.as_bytes()).and_then(|()| io.output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            io.diagnostics.fatal(&shared::writer::cannot_write(error))
        }
        _ => Exit::Ok,
    }
}
