//! Runs the project's own commands, or exactly the command that a task names.
//!
//! A test suite that fails is an answer: the draft is `ok`, leads with the failures and carries the exit code. A
//! command that could not be started, took too long or was named by the task and failed is not.

mod choice;
mod outcome;

use shared::process::{Command, Ended, How};
use shared::project::{Detected, Purpose};
use shared::section::Status;

use super::intent::Run;
use super::report::counted;
use super::{Ground, Outcome};
use crate::backend::Draft;
use choice::chosen;
use outcome::Summary;

/// So many lines of the end of an output are shown.
const TAIL: usize = 60;

/// What is kept of each stream.
const CAPTURE: usize = 4 << 20;

/// Runs a program with its arguments, as the task says it.
pub(super) fn run_exactly(ground: &Ground, argv: &[String]) -> Outcome {
    let mut command = Command::new(argv).current_dir(ground.root).capture(CAPTURE);
    command = command.cancelled_by(ground.cancel.clone());
    if let Some(timeout) = ground.timeout {
        command = command.timeout(timeout);
    }
    Ok(match command.run() {
        Err(problem) => not_started(&problem),
        Ok(ended) => {
            let mut draft = Draft::new(status(&ended));
            draft.exit_code = ended.exit_code();
            draft.output = ended.stdout.text();
            let stderr = ended.stderr.text();
            draft.stderr = (!stderr.is_empty()).then_some(stderr);
            if draft.status != Status::Ok {
                draft.reason = Some(format!("`{}`: {}", argv.join(" "), ended.how));
            }
            draft
        }
    })
}

pub(super) fn run_project(ground: &Ground, run: &Run) -> Outcome {
    let commands = chosen(ground, run)?;
    let mut reports = Vec::new();
    for detected in &commands {
        let report = one(ground, run, detected);
        let stop = matches!(report.trouble, Some((Status::Cancelled, _)));
        reports.push(report);
        if stop {
            break;
        }
    }
    // What failed comes first; the order is otherwise that of the commands.
    reports.sort_by_key(|report| report.passed);
    let trouble = reports.iter().find_map(|report| report.trouble.clone());
    let mut draft = Draft::new(trouble.as_ref().map_or(Status::Ok, |(status, _)| *status));
    draft.reason = trouble.map(|(_, reason)| reason);
    draft.exit_code = reports
        .iter()
        .filter_map(|report| report.exit_code)
        .find(|code| *code != 0)
        .or_else(|| reports.iter().find_map(|report| report.exit_code));
    draft.output = reports.into_iter().map(|report| report.text).collect::<Vec<_>>().join("\n\n");
    for purpose in run.purposes.iter().filter(|purpose| !commands.iter().any(|it| it.purpose == **purpose)) {
        let note = format!("\nnote: no file of the project says how to run its {} command", purpose.as_str());
        draft.output.push_str(&note);
    }
    Ok(draft)
}

fn status(ended: &Ended) -> Status {
    match ended.how {
        How::Exited(0) => Status::Ok,
        How::Exited(_) | How::Signalled(_) => Status::Failed,
        How::TimedOut | How::Idle => Status::Timeout,
        How::Interrupted => Status::Cancelled,
    }
}

fn not_started(problem: &shared::Problem) -> Draft {
    let mut reason = problem.full_message();
    if let Some(hint) = problem.first_hint() {
        reason.push_str(&format!(" ({hint})"));
    }
    Draft::because(Status::Failed, reason)
}

/// What running one command showed.
struct Report {
    text: String,
    exit_code: Option<i32>,
    /// Whether the question was answered; if not, why.
    trouble: Option<(Status, String)>,
    passed: bool,
}

fn one(ground: &Ground, run: &Run, detected: &Detected) -> Report {
    let detected = &locked(detected);
    let mut command = Command::new(&detected.argv).current_dir(&detected.dir).capture(CAPTURE);
    command = command.cancelled_by(ground.cancel.clone());
    // Nobody watches: no colours, no questions, no snapshots or caches written beside the sources.
    for (name, value) in [
        ("CI", "true"),
        ("NO_COLOR", "1"),
        ("CARGO_TERM_COLOR", "never"),
        ("INSTA_UPDATE", "no"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTEST_ADDOPTS", "-p no:cacheprovider"),
        ("RUFF_NO_CACHE", "true"),
    ] {
        command = command.env(name, value);
    }
    if let Some(timeout) = ground.timeout {
        command = command.timeout(timeout);
    }
    let shown = shown(ground, detected);
    let ended = match command.run() {
        Ok(ended) => ended,
        Err(problem) => {
            let draft = not_started(&problem);
            let reason = draft.reason.unwrap_or_default();
            let text = format!("not run: {reason}\ncommand: {shown}");
            return Report { text, exit_code: None, trouble: Some((Status::Failed, reason)), passed: false };
        }
    };
    let output = joined(&ended);
    let summary = if detected.purpose == Purpose::Test { outcome::summary(&output) } else { None };
    let trouble = trouble(run, detected, &ended, summary.as_ref(), &output);
    let mut text = headline(detected.purpose, &ended, summary.as_ref());
    text.push_str(&format!("\ncommand: {shown}, {}", ended.how));
    let root = format!("{}/", ground.root.display());
    for failure in summary.iter().flat_map(|summary| &summary.failures) {
        text.push('\n');
        text.push_str(&failure.shown().replace(&root, ""));
    }
    let tail = tail(&output);
    if !tail.is_empty() {
        text.push_str(&format!("\noutput:\n{tail}"));
    }
    Report { text, exit_code: ended.exit_code(), passed: ended.success() && trouble.is_none(), trouble }
}

/// Keeps cargo from rewriting a lock file that is out of date: that would be a change to the sources.
fn locked(detected: &Detected) -> Detected {
    let mut detected = detected.clone();
    let knows = matches!(detected.tool.as_str(), "cargo" | "clippy");
    if knows && detected.dir.join("Cargo.lock").is_file() && detected.argv.len() > 1 {
        detected.argv.insert(2, "--locked".to_owned());
    }
    detected
}

/// Returns the command as a person would type it, and why it is that one.
fn shown(ground: &Ground, detected: &Detected) -> String {
    let root = format!("{}/", ground.root.display());
    let quoted = |argument: &String| match argument.contains(char::is_whitespace) {
        true => format!("'{argument}'"),
        false => argument.clone(),
    };
    let argv = detected.argv.iter().map(quoted).collect::<Vec<_>>().join(" ").replace(&root, "");
    let place = detected.dir.strip_prefix(ground.root).ok().filter(|place| !place.as_os_str().is_empty());
    let place = place.map(|place| format!(" in {}", place.display())).unwrap_or_default();
    format!("{argv}{place} (because of {})", detected.because)
}

fn joined(ended: &Ended) -> String {
    let (stdout, stderr) = (ended.stdout.text(), ended.stderr.text());
    let separator = if stdout.is_empty() || stdout.ends_with('\n') { "" } else { "\n" };
    format!("{stdout}{separator}{stderr}")
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.trim_end().trim_start_matches(['\n', '\r']).lines().collect();
    match lines.len().checked_sub(TAIL) {
        Some(left_out) if left_out > 0 => {
            format!("… {} before\n{}", counted(left_out, "line"), lines[left_out..].join("\n"))
        }
        _ => lines.join("\n"),
    }
}

/// Returns why a run answers nothing, if so.
fn trouble(
    run: &Run,
    detected: &Detected,
    ended: &Ended,
    summary: Option<&Summary>,
    output: &str,
) -> Option<(Status, String)> {
    let program = detected.argv.first().map_or("", String::as_str);
    let module = detected.argv.iter().skip_while(|argument| *argument != "-m").nth(1);
    match ended.how {
        How::TimedOut | How::Idle => return Some((Status::Timeout, format!("`{program}` {}", ended.how))),
        How::Interrupted => return Some((Status::Cancelled, format!("`{program}` was interrupted"))),
        How::Exited(126 | 127) => {
            return Some((Status::Failed, format!("`{program}` started something that is not installed")));
        }
        How::Exited(_) | How::Signalled(_) => {}
    }
    if let Some(module) = module
        && output.contains(&format!("No module named {module}"))
    {
        return Some((Status::Failed, format!("{module} is not installed for `{program}`")));
    }
    if output.contains("because --locked was passed") {
        let reason = "Cargo.lock does not fit Cargo.toml, and to bring it up to date would be a change \
                      (run `cargo update --workspace`)";
        return Some((Status::Failed, reason.to_owned()));
    }
    if output.contains("error: no such command:") || output.contains("is not installed for the toolchain") {
        return Some((Status::Failed, format!("{} is not installed", detected.tool)));
    }
    if let (Some(test), Some(summary)) = (&run.test, summary)
        && summary.passed + summary.failed + summary.skipped == 0
    {
        return Some((Status::Failed, format!("no test is called `{test}`")));
    }
    None
}

/// Returns the first line: what a person wants to know before anything else.
fn headline(purpose: Purpose, ended: &Ended, summary: Option<&Summary>) -> String {
    let passed = ended.success();
    if let Some(summary) = summary {
        let word = if passed { "passed" } else { "failed" };
        let skipped =
            if summary.skipped > 0 { format!(", {} skipped", summary.skipped) } else { String::new() };
        return if summary.failed > 0 {
            format!("tests {word}: {} failed, {} passed{skipped}", summary.failed, summary.passed)
        } else {
            format!("tests {word}: {} passed, {} failed{skipped}", summary.passed, summary.failed)
        };
    }
    let what = match purpose {
        Purpose::Test => "tests",
        Purpose::Lint => "lint",
        Purpose::Types => "type check",
        Purpose::Build => "build",
        Purpose::Format => "format check",
    };
    match (passed, ended.how) {
        (true, _) => format!("{what} passed"),
        (false, How::Exited(_)) if purpose == Purpose::Test => {
            format!("{what} failed: no counts of tests in the output")
        }
        (false, how) => format!("{what} failed: {how}"),
    }
}
