//! `dispatch log`: what has happened, as the journal tells it.

use std::time::Duration;

use shared::writer::{Stopped, Writer};
use shared::{Exit, Io, interrupt, units};

use super::kept::{Kept, named, refuse, unreadable};
use crate::control;
use crate::journal::entry::{Entry, read_on};
use crate::journal::runs::Runs;

/// How often a journal that is followed is looked at.
const EVERY: Duration = Duration::from_millis(200);

/// Show what has happened: what was read, started, finished, ended, and why
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// What happened to the task with this id alone
    #[arg(value_name = "ID")]
    pub id: Option<String>,

    /// What happened in this run alone: its name, the beginning of it, or its process id
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,

    /// Go on until no run is going on any more
    #[arg(short, long)]
    pub follow: bool,

    /// Write the lines of the journal as they are
    #[arg(long)]
    pub json: bool,
}

/// Runs `dispatch log`.
pub(crate) fn run(args: &LogArgs, io: Io) -> Exit {
    let kept = match Kept::here() {
        Ok(kept) => kept,
        Err(problem) => return refuse(&problem, &io),
    };
    let run = match &args.run {
        None => None,
        Some(name) => match kept.runs().and_then(|runs: Runs| named(&runs, name).map(|run| run.name.clone()))
        {
            Ok(run) => Some(run),
            Err(problem) => return refuse(&problem, &io),
        },
    };
    let mut writer = Writer::new(io.output);
    let mut read_to = 0;
    interrupt::hold();
    loop {
        // Before reading: what is written between the two is read the next time.
        let going_on = control::going_on(&kept.state);
        let is_over = match &run {
            Some(run) => !going_on.contains(run),
            None => going_on.is_empty(),
        };
        let mut written = Ok(());
        let read = read_on(&kept.file, read_to, |entry, line| {
            if written.is_err() || !is_asked_for(args.id.as_deref(), run.as_deref(), &entry) {
                return;
            }
            written = match args.json {
                true => writer.write_line(String::from_utf8_lossy(line).trim_end()),
                false => told(&entry, args.id.as_deref()).iter().try_for_each(|line| writer.write_line(line)),
            };
        });
        match read {
            Ok(place) => read_to = place,
            Err(error) => return io.diagnostics.fatal(&unreadable(error)),
        }
        match written.and_then(|()| writer.flush()) {
            Ok(()) => {}
            Err(Stopped::Closed) => return Exit::Ok,
            Err(Stopped::Failed(problem)) => return io.diagnostics.fatal(&problem),
        }
        if !args.follow || is_over || interrupt::requested() {
            return Exit::Ok;
        }
        std::thread::sleep(EVERY);
    }
}

fn is_asked_for(id: Option<&str>, run: Option<&str>, entry: &Entry) -> bool {
    let has_id =
        |id: &str| entry.id.as_deref() == Some(id) || entry.records.iter().any(|arrival| arrival.id == id);
    id.is_none_or(has_id) && run.is_none_or(|run| entry.run.as_deref().is_none_or(|of| of == run))
}

/// Returns what a person reads of a line: a line for each task that it speaks of.
fn told(entry: &Entry, id: Option<&str>) -> Vec<String> {
    let at = entry.at.as_deref().unwrap_or("                        ");
    let run = entry.run.as_deref().and_then(|run| run.split('-').next()).unwrap_or("-");
    let line = |id: &str, what: &str, more: String| {
        format!("{at}  {run:>7}  {id:<12}  {what:<9}  {more}").trim_end().to_owned()
    };
    let of = entry.id.as_deref().unwrap_or("-");
    let attempt = |number: u32| if number > 1 { format!("attempt {number}, ") } else { String::new() };
    let who = |backend: Option<&str>, model: Option<&str>| {
        [backend, model].into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    match entry.event.as_str() {
        "run" => vec![line("-", "run", entry.command.join(" "))],
        "read" => {
            let wanted = entry.records.iter().filter(|arrival| id.is_none_or(|id| id == arrival.id));
            wanted
                .map(|arrival| line(&arrival.id, "read", format!("line {}: {}", arrival.line, arrival.text)))
                .collect()
        }
        "started" => {
            let number = attempt(entry.attempt.unwrap_or(1));
            let tier = entry.tier.map(|tier| format!("tier {tier}, ")).unwrap_or_default();
            let who = who(entry.backend.as_deref(), entry.model.as_deref());
            vec![line(of, "started", format!("{number}{tier}{who}"))]
        }
        "finished" | "settled" | "resumed" => {
            let Some(ending) = entry.ending() else { return vec![line(of, "left", "as it came".to_owned())] };
            let mut more = vec![];
            if ending.attempt > 1 {
                more.push(format!("attempt {}", ending.attempt));
            }
            if entry.event == "resumed" {
                more.push("finished in an earlier run".to_owned());
            } else if entry.key.is_some() {
                more.push(units::format_duration(Duration::from_millis(ending.elapsed_ms)));
            }
            more.extend(ending.cost_usd.filter(|cost| *cost > 0.0).map(|cost| format!("${cost:.4}")));
            more.extend(ending.reason);
            vec![line(of, &crate::engine::name_of(ending.status), more.join(", "))]
        }
        "refused" | "halted" => {
            vec![line(of, &entry.event, entry.reason.clone().unwrap_or_default())]
        }
        "retry" => {
            let up = if entry.escalate { "one tier up " } else { "" };
            vec![line(of, "retry", format!("{up}{}", entry.context.as_deref().unwrap_or_default()))]
        }
        "ended" => {
            let spent = entry.spent_usd.filter(|spent| *spent > 0.0);
            let spent = spent.map(|spent| format!(", ${spent:.4} spent")).unwrap_or_default();
            vec![line("-", "ended", format!("exit status {}{spent}", entry.exit.unwrap_or_default()))]
        }
        other => vec![line(of, other, String::new())],
    }
}
