//! `dispatch cancel`: ends tasks, or whole runs, from another terminal.

use rustix::process::{Pid, Signal, kill_process};
use shared::{Exit, Io, Problem};

use super::kept::{Kept, named, refuse};
use crate::control::{self, Request};
use crate::journal::runs::Run;

/// End a task that runs or waits, or a whole run
///
/// What runs for a task is ended with all that it has started, and its record leaves as `cancelled`. A run that is ended so ends
/// as with Ctrl-C: what ran is `cancelled`, what had not started leaves as it came.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "what", required = true, multiple = false, args = ["ids", "run", "all"])]
pub struct CancelArgs {
    /// The ids of the records
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,

    /// This whole run: its name, the beginning of it, or its process id
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,

    /// All runs of this project
    #[arg(long)]
    pub all: bool,
}

/// Runs `dispatch cancel`.
pub(crate) fn run(args: &CancelArgs, io: Io) -> Exit {
    let kept = match Kept::here() {
        Ok(kept) => kept,
        Err(problem) => return refuse(&problem, &io),
    };
    match if args.ids.is_empty() { whole_runs(&kept, args) } else { tasks(&kept, &args.ids) } {
        Ok(lines) => super::say(lines, Exit::Ok, io),
        Err(problem) => refuse(&problem, &io),
    }
}

fn tasks(kept: &Kept, ids: &[String]) -> Result<Vec<String>, Problem> {
    let mut lines = Vec::new();
    let mut unknown: Vec<String> = ids.to_vec();
    for run in control::going_on(&kept.state) {
        let reply = control::ask(&kept.state, &run, &Request::Cancel { ids: ids.to_vec() })
            .map_err(|error| Problem::new(format!("run {run} does not answer")).because(error))?;
        for (id, _, what) in reply.told {
            // A whole is known by its parts, too.
            unknown.retain(|asked| *asked != id && !id.starts_with(&format!("{asked}.")));
            lines.push(format!("{id}  {what}"));
        }
    }
    if unknown.is_empty() {
        return Ok(lines);
    }
    let unknown: Vec<String> = unknown.iter().map(|id| format!("`{id}`")).collect();
    let problem = Problem::new(format!("{} neither runs nor waits", unknown.join(", ")));
    Err(problem.hint("`dispatch status` says what is going on, `dispatch show ID` how a task stands"))
}

fn whole_runs(kept: &Kept, args: &CancelArgs) -> Result<Vec<String>, Problem> {
    let runs = kept.runs()?;
    let going_on: Vec<&Run> = match &args.run {
        Some(name) => {
            let run = named(&runs, name)?;
            if !kept.is_going_on(run) {
                return Err(Problem::new(format!("run {} is not going on any more", run.name)));
            }
            vec![run]
        }
        None => runs.all().iter().filter(|run| kept.is_going_on(run)).collect(),
    };
    let mut lines = Vec::new();
    for run in going_on {
        // Its lock is held, so this is its process and nobody else's.
        let pid = run.pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let ended = pid.map(|pid| kill_process(pid, Signal::INT));
        match ended {
            Some(Ok(())) => lines.push(format!("{}  is being ended", run.name)),
            Some(Err(error)) => {
                return Err(
                    Problem::new(format!("cannot end run {}", run.name)).because(std::io::Error::from(error))
                );
            }
            None => return Err(Problem::new(format!("run {} has not told its process id", run.name))),
        }
    }
    Ok(lines)
}
