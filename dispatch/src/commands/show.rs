//! `dispatch show`: all that is known of one task.

use serde_json::{Map, Value};
use shared::{Exit, Io, Problem, units};

use super::kept::{Kept, refuse, unreadable};
use crate::journal::entry::read_on;
use crate::journal::runs::Stands;

/// So many lines of an output are shown.
const LINES: usize = 40;

/// What is shown of an attempt, in this order, if it is there.
const SHOWN: [&str; 13] = [
    "reason",
    "executor",
    "backend",
    "model",
    "started_at",
    "stop_reason",
    "cost_usd",
    "worktree",
    "branch",
    "commit",
    "files_changed",
    "transcript",
    "exit_code",
];

/// Show one task: its attempts, what they said, what they cost, and where their work is
#[derive(Clone, Debug, clap::Args)]
pub struct ShowArgs {
    /// The id of the record
    #[arg(value_name = "ID")]
    pub id: String,

    /// Write JSON: the text of the task, how it stands, and the `dispatch` section of each attempt
    #[arg(long)]
    pub json: bool,
}

/// Runs `dispatch show`.
pub(crate) fn run(args: &ShowArgs, io: Io) -> Exit {
    let kept = match Kept::here() {
        Ok(kept) => kept,
        Err(problem) => return refuse(&problem, &io),
    };
    match shown(&kept, args) {
        Ok(Some(lines)) => super::say(lines, Exit::Ok, io),
        Ok(None) => {
            let problem = Problem::new(format!("the journal knows no task `{}`", args.id));
            refuse(&problem.hint("`dispatch log` tells what it knows"), &io)
        }
        Err(problem) => io.diagnostics.fatal(&problem),
    }
}

fn shown(kept: &Kept, args: &ShowArgs) -> Result<Option<Vec<String>>, Problem> {
    let mut attempts: Vec<Value> = Vec::new();
    read_on(&kept.file, 0, |entry, line| {
        if entry.id.as_deref() != Some(&args.id) || !matches!(entry.event.as_str(), "finished" | "settled") {
            return;
        }
        let Ok(Value::Object(mut whole)) = serde_json::from_slice::<Value>(line) else { return };
        let run = whole.remove("run");
        let mut attempt = match whole.remove("dispatch") {
            Some(Value::Object(dispatch)) => dispatch,
            _ => whole,
        };
        ["event", "key", "id"].iter().for_each(|name| drop(attempt.remove(*name)));
        attempt.extend(run.map(|run| ("run".to_owned(), run)));
        attempts.push(Value::Object(attempt));
    })
    .map_err(unreadable)?;
    let runs = kept.runs()?;
    let Some((run, task)) =
        runs.all().iter().rev().find_map(|run| run.tasks.get(&args.id).map(|task| (run, task)))
    else {
        return Ok(None);
    };
    let is_going_on = kept.is_going_on(run);
    let stands = match &task.stands {
        Stands::Running if is_going_on => "running".to_owned(),
        Stands::Waiting if is_going_on => "waiting".to_owned(),
        Stands::Running | Stands::Waiting if run.exit.is_none() => {
            "unfinished: its run was killed".to_owned()
        }
        Stands::Running | Stands::Waiting | Stands::Left => "left as it came".to_owned(),
        Stands::Refused => "left with an error".to_owned(),
        Stands::Ended(status) => crate::engine::name_of(*status),
    };
    if args.json {
        let told = serde_json::json!({
            "id": args.id, "text": task.text, "state": stands, "run": run.name, "attempts": attempts,
        });
        return Ok(Some(vec![told.to_string()]));
    }
    let mut lines = vec![format!("{}  {stands}", args.id)];
    if !task.text.is_empty() {
        lines.push(format!("    {}", task.text));
    }
    if let (Stands::Running, true, Some(since)) = (&task.stands, is_going_on, &task.started) {
        lines.push(format!("    attempt {} since {since}, in run {}", task.attempt.unwrap_or(1), run.name));
    }
    for attempt in attempts.iter().filter_map(Value::as_object) {
        tell(attempt, &mut lines);
    }
    Ok(Some(lines))
}

fn tell(attempt: &Map<String, Value>, lines: &mut Vec<String>) {
    let text = |name: &str| attempt.get(name).map(plain).unwrap_or_default();
    let took = attempt.get("elapsed_ms").and_then(Value::as_u64).unwrap_or_default();
    let took = units::format_duration(std::time::Duration::from_millis(took));
    lines.push(String::new());
    let (number, status, run) = (text("attempt"), text("status"), text("run"));
    lines.push(format!("attempt {number}  {status} after {took}, tier {}, in run {run}", text("tier")));
    for name in SHOWN.into_iter().filter(|name| attempt.contains_key(*name)) {
        lines.push(format!("    {name:<14} {}", text(name)));
    }
    if let Some(usage) = attempt.get("usage").and_then(Value::as_object) {
        let usage: Vec<String> = usage.iter().map(|(name, count)| format!("{name} {count}")).collect();
        lines.push(format!("    {:<14} {}", "usage", usage.join(", ")));
    }
    if let Some(path) = attempt.get("output_file").and_then(|file| file.get("path")) {
        lines.push(format!("    {:<14} {}", "output_file", plain(path)));
    }
    let output = text("output");
    let all = output.lines().count();
    lines.extend(output.lines().take(LINES).map(|line| format!("    | {line}")));
    if all > LINES {
        lines.push(format!("    | … {} lines more", all - LINES));
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
