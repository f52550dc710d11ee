//! `dispatch status`: how the runs of a project stand.

use serde::Serialize;
use shared::units;
use shared::{Exit, Io};

use super::kept::{Kept, named, refuse};
use crate::journal::runs::{Counts, Run};

/// Show how the runs of this project stand: going on, ended or killed, how many tasks, and what they cost
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArgs {
    /// This run alone: its name, the beginning of it, or its process id
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    /// Write JSON, one object a run
    #[arg(long)]
    pub json: bool,

    /// Show the last so many runs
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub last: usize,
}

/// How a run stands.
#[derive(Serialize)]
struct Standing<'a> {
    run: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    began_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_at: Option<&'a str>,
    elapsed_ms: u64,
    #[serde(flatten)]
    counts: Counts,
    spent_usd: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks_per_minute: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    halted: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
    resumed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<&'a str>,
    command: &'a [String],
}

/// Runs `dispatch status`.
pub(crate) fn run(args: &StatusArgs, io: Io) -> Exit {
    let kept = match Kept::here() {
        Ok(kept) => kept,
        Err(problem) => return refuse(&problem, &io),
    };
    let runs = match kept.runs() {
        Ok(runs) => runs,
        Err(problem) => return io.diagnostics.fatal(&problem),
    };
    let chosen: Vec<&Run> = match &args.run {
        Some(name) => match named(&runs, name) {
            Ok(run) => vec![run],
            Err(problem) => return refuse(&problem, &io),
        },
        None => runs.all().iter().skip(runs.all().len().saturating_sub(args.last)).collect(),
    };
    let standings: Vec<Standing> = chosen.iter().map(|run| standing(&kept, run)).collect();
    let lines = match args.json {
        true => standings.iter().filter_map(|standing| serde_json::to_string(standing).ok()).collect(),
        false => table(&standings),
    };
    super::say(lines, Exit::Ok, io)
}

fn standing<'a>(kept: &Kept, run: &'a Run) -> Standing<'a> {
    let is_going_on = kept.is_going_on(run);
    let state = match run.exit {
        _ if is_going_on => "running",
        Some(130) => "interrupted",
        Some(_) => "ended",
        None => "killed",
    };
    let counts = run.counts(is_going_on);
    let now = units::now();
    let until = if is_going_on { Some(now.as_str()) } else { run.last.as_deref() };
    let elapsed_ms = elapsed_ms(run.began.as_deref(), until);
    let done = counts.ok + counts.not_ok;
    Standing {
        run: &run.name,
        state,
        pid: run.pid,
        began_at: run.began.as_deref(),
        last_at: run.last.as_deref(),
        elapsed_ms,
        tasks_per_minute: (elapsed_ms > 0)
            .then(|| (done as f64 * 600_000.0 / elapsed_ms as f64).round() / 10.0),
        counts,
        spent_usd: run.spent_usd(),
        budget_usd: run.budget_usd,
        halted: run.halted.as_deref(),
        exit: run.exit,
        resumed: run.resume,
        directory: run.directory.as_deref(),
        command: &run.command,
    }
}

/// Returns the time between two times of the journal, in milliseconds.
fn elapsed_ms(from: Option<&str>, until: Option<&str>) -> u64 {
    let time = |text: Option<&str>| text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let (Some(from), Some(until)) = (time(from), time(until)) else { return 0 };
    u64::try_from(until.as_millisecond() - from.as_millisecond()).unwrap_or_default()
}

fn table(standings: &[Standing]) -> Vec<String> {
    let mut lines = Vec::new();
    for standing in standings {
        let Counts { tasks, waiting, running, ok, not_ok, unchanged } = standing.counts;
        let took = units::format_duration(std::time::Duration::from_millis(standing.elapsed_ms));
        let since = standing.began_at.unwrap_or("?");
        lines.push(format!("{}  {} since {since}, {took}", standing.run, standing.state));
        let mut told = vec![format!("{tasks} tasks: {ok} ok, {not_ok} not well")];
        for (count, what) in [(running, "running"), (waiting, "waiting"), (unchanged, "left as they came")] {
            if count > 0 {
                told.push(format!("{count} {what}"));
            }
        }
        if standing.spent_usd > 0.0 || standing.budget_usd.is_some() {
            let of = standing.budget_usd.map(|budget| format!(" of ${budget}")).unwrap_or_default();
            told.push(format!("${:.4}{of} spent", standing.spent_usd));
        }
        if let Some(rate) = standing.tasks_per_minute {
            told.push(format!("{rate} a minute"));
        }
        lines.push(format!("    {}", told.join(", ")));
        if let Some(reason) = standing.halted {
            lines.push(format!("    halted: {reason}"));
        }
        if standing.state == "killed" {
            lines.push("    the same command with --resume goes on where it was".to_owned());
        }
        if !standing.command.is_empty() {
            lines.push(format!("    {}", standing.command.join(" ")));
        }
    }
    lines
}
