//! `dispatch retry`: has a task made again, differently.

use shared::{Exit, Io, Problem};

use super::kept::{Kept, refuse, unreadable};
use crate::control::{self, Request};
use crate::journal::entry::read_on;
use crate::journal::{self, Key, Retry};

/// Have a task made again: now if it runs, else when its run is resumed
///
/// An attempt that has done its work is not made again as it was: the same question to the same model is paid twice and answered
/// once. Say what is to be different with --context, or have it made one tier up with --escalate.
#[derive(Clone, Debug, clap::Args)]
pub struct RetryArgs {
    /// The id of the record
    #[arg(value_name = "ID")]
    pub id: String,

    /// What the executor is told besides, such as what was wrong the last time
    #[arg(long, value_name = "TEXT")]
    pub context: Option<String>,

    /// One tier up
    #[arg(long)]
    pub escalate: bool,
}

/// Runs `dispatch retry`.
pub(crate) fn run(args: &RetryArgs, io: Io) -> Exit {
    match Kept::here().and_then(|kept| asked(&kept, args)) {
        Ok(line) => super::say([line], Exit::Ok, io),
        Err(problem) => refuse(&problem, &io),
    }
}

fn asked(kept: &Kept, args: &RetryArgs) -> Result<String, Problem> {
    let context = args.context.clone().filter(|context| !context.trim().is_empty());
    let retry = Retry { context, escalate: args.escalate };
    let is_blind = retry == Retry::default();
    let blind = || {
        Problem::new(format!("`{}` would be made again as it was", args.id)).hint(
            "say what is to be different with --context TEXT, or have it made one tier up with --escalate",
        )
    };
    if !is_blind {
        for run in control::going_on(&kept.state) {
            let request = Request::Retry { id: args.id.clone(), retry: retry.clone() };
            let reply = control::ask(&kept.state, &run, &request)
                .map_err(|error| Problem::new(format!("run {run} does not answer")).because(error))?;
            match reply.told.into_iter().next() {
                Some((id, true, what)) => return Ok(format!("{id}  {what}")),
                Some((id, false, what)) => return Err(Problem::new(format!("`{id}` {what}"))),
                None => {}
            }
        }
    }
    let mut last = None;
    read_on(&kept.file, 0, |entry, _| {
        if entry.id.as_deref() == Some(&args.id)
            && let Some(key) = entry.key.as_deref().and_then(Key::from_hex)
        {
            last = Some((key, entry.ending()));
        }
    })
    .map_err(unreadable)?;
    let Some((key, ending)) = last else {
        let problem = Problem::new(format!("the journal knows no attempt at `{}`", args.id));
        return Err(problem.hint("`dispatch log` tells what it knows"));
    };
    if is_blind {
        // One that was started and has not ended runs, if anything does.
        let is_well_used = ending.map_or_else(
            || !control::going_on(&kept.state).is_empty(),
            |ending| journal::has_done_its_work(ending.status),
        );
        return match is_well_used {
            true => Err(blind()),
            false => Ok(format!("{}  is made again by the same command with --resume in any case", args.id)),
        };
    }
    journal::ask_for_retry(&kept.state, key, &args.id, &retry)
        .map_err(|error| Problem::new("cannot write the journal").because(error))?;
    Ok(format!("{}  will be made again by the same command with --resume", args.id))
}
