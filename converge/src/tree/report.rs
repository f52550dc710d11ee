//! What a loop over a tree tells on standard output: a line for each iteration and the verdict, for people or as JSON.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use shared::units::format_duration;
use shared::writer::Stopped;

use super::churn::{Changes, Churn, Past};
use super::class::Class;
use super::fingerprint::Fingerprint;
use super::name::Name;
use super::stop::{Check, Verdict};
use crate::config::count;

/// Writes the report.
pub(crate) struct Report {
    output: Box<dyn Write + Send>,
    json: bool,
    /// Only the verdict.
    brief: bool,
}

/// What an iteration came to.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) iteration: u32,
    pub(crate) of: Option<u32>,
    pub(crate) ending: String,
    pub(crate) exit_code: Option<i32>,
    pub(crate) elapsed: Duration,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) changes: &'a Changes,
    pub(crate) returned: &'a [Name],
    pub(crate) check: Check,
    pub(crate) failing: &'a [String],
    pub(crate) commit: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    iteration: u32,
    ending: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    elapsed_ms: u64,
    fingerprint: JsonFingerprint,
    changed: JsonChanges,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    returned: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    failing: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonFingerprint {
    code: String,
    bookkeeping: String,
    generated: String,
}

#[derive(Serialize)]
struct JsonChanges {
    code: JsonChurn,
    bookkeeping: JsonChurn,
    generated: JsonChurn,
}

#[derive(Serialize)]
struct JsonChurn {
    files: u64,
    added: u64,
    removed: u64,
}

impl From<Churn> for JsonChurn {
    fn from(churn: Churn) -> Self {
        JsonChurn { files: churn.files, added: churn.added, removed: churn.removed }
    }
}

#[derive(Serialize)]
struct JsonVerdict<'a> {
    verdict: &'static str,
    settled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u32>,
    iterations: u32,
    elapsed_ms: u64,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    /// What the checks said last, if they were red.
    #[serde(skip_serializing_if = "Option::is_none")]
    check_log: Option<std::borrow::Cow<'a, str>>,
    hot_files: Vec<JsonHot<'a>>,
}

#[derive(Serialize)]
struct JsonHot<'a> {
    path: std::borrow::Cow<'a, str>,
    iterations: u32,
}

impl Report {
    /// Returns a report on this output.
    pub(crate) fn new(output: Box<dyn Write + Send>, json: bool, brief: bool) -> Report {
        Report { output, json, brief }
    }

    /// Tells what will be done.
    pub(crate) fn begin(&mut self, text: &str) -> Result<(), Stopped> {
        if self.json || self.brief { Ok(()) } else { self.write(text) }
    }

    /// Tells what an iteration came to.
    pub(crate) fn iteration(&mut self, row: &Row<'_>) -> Result<(), Stopped> {
        if self.json {
            return self.write_json(&json_row(row));
        }
        if self.brief {
            return Ok(());
        }
        let text = text_row(row);
        self.write(&text)
    }

    /// Tells how it ended.
    pub(crate) fn verdict(
        &mut self,
        verdict: Verdict,
        iterations: u32,
        elapsed: Duration,
        past: &Past,
        check_log: Option<&Path>,
    ) -> Result<(), Stopped> {
        let hot = past.hot(5);
        if self.json {
            let period = if let Verdict::Oscillation { period } = verdict { Some(period) } else { None };
            let hot_files = hot
                .iter()
                .map(|(path, iterations)| JsonHot { path: path.to_string_lossy(), iterations: *iterations });
            return self.write_json(&JsonVerdict {
                verdict: verdict.name(),
                settled: verdict.is_settled(),
                period,
                iterations,
                elapsed_ms: elapsed.as_millis() as u64,
                reason: reason(verdict),
                remedy: remedy(verdict),
                check_log: check_log.map(|log| log.to_string_lossy()),
                hot_files: hot_files.collect(),
            });
        }
        let mut text = format!(
            "{} after {}: {}\n",
            verdict.name().replace('_', " "),
            count(Some(iterations), "iteration"),
            reason(verdict)
        );
        if !hot.is_empty() && !verdict.is_settled() {
            let hot: Vec<String> =
                hot.iter().map(|(path, times)| format!("{} ({times} times)", path.display())).collect();
            let _ = writeln!(text, "  changed again and again: {}", hot.join(", "));
        }
        if let Some(log) = check_log {
            let _ = writeln!(text, "  what the checks said is in {}", log.display());
        }
        if let Some(remedy) = remedy(verdict) {
            let _ = writeln!(text, "  {remedy}");
        }
        self.write(&text)
    }

    fn write(&mut self, text: &str) -> Result<(), Stopped> {
        self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush()).map_err(Stopped::from)
    }

    fn write_json(&mut self, value: &impl Serialize) -> Result<(), Stopped> {
        let mut text =
            serde_json::to_string(value).map_err(|error| Stopped::from(std::io::Error::from(error)))?;
        text.push('\n');
        self.write(&text)
    }
}

fn json_row<'a>(row: &'a Row<'a>) -> JsonRow<'a> {
    let hex = |class| row.fingerprint.of(class).to_hex()[..16].to_owned();
    JsonRow {
        iteration: row.iteration,
        ending: ending_name(&row.ending),
        exit_code: row.exit_code,
        elapsed_ms: row.elapsed.as_millis() as u64,
        fingerprint: JsonFingerprint {
            code: hex(Class::Code),
            bookkeeping: hex(Class::Bookkeeping),
            generated: hex(Class::Generated),
        },
        changed: JsonChanges {
            code: row.changes.of(Class::Code).into(),
            bookkeeping: row.changes.of(Class::Bookkeeping).into(),
            generated: row.changes.of(Class::Generated).into(),
        },
        returned: row.returned.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        check: check_name(row.check),
        failing: row.failing,
        commit: row.commit,
    }
}

fn text_row(row: &Row<'_>) -> String {
    let of = row.of.map_or(String::new(), |of| format!("/{of}"));
    let mut text = format!("{}{of}", row.iteration);
    for class in Class::ALL {
        let churn = row.changes.of(class);
        let _ = write!(text, "  {} {}", class.name(), churn.files);
        if class == Class::Code && churn.files > 0 {
            let _ = write!(text, " (+{} -{})", churn.added, churn.removed);
        }
    }
    if !row.returned.is_empty() {
        let _ = write!(text, "  returned {}", row.returned.len());
    }
    if let Some(check) = check_name(row.check) {
        let _ = write!(text, "  {check}");
    }
    if row.exit_code != Some(0) {
        let _ = write!(text, "  {}", row.ending);
    }
    let _ = write!(text, "  {}", &row.fingerprint.of(Class::Code).to_hex()[..8]);
    if let Some(commit) = row.commit {
        let _ = write!(text, "  commit {}", &commit[..commit.len().min(8)]);
    }
    let _ = writeln!(text, "  {}", format_duration(row.elapsed));
    text
}

fn check_name(check: Check) -> Option<&'static str> {
    match check {
        Check::None => None,
        Check::Green => Some("green"),
        Check::Red(_) => Some("red"),
    }
}

fn reason(verdict: Verdict) -> String {
    match verdict {
        Verdict::Converged => "the checks are green, and the work does not change any more".to_owned(),
        Verdict::Stable => "nothing changes any more; not verified, because there are no checks".to_owned(),
        Verdict::Oscillation { period } => {
            format!("the work comes back to the same content every {period} iterations")
        }
        Verdict::Thrash => "files keep coming back to what they were".to_owned(),
        Verdict::Stalled => format!("the same failure for {} iterations in a row", super::stop::STALLED),
        Verdict::Spinning => {
            format!(
                "the work has not changed for {} iterations, and nothing says that it is done",
                super::stop::SPINNING
            )
        }
        Verdict::Timeouts => "the command runs out of time and changes nothing".to_owned(),
        Verdict::DeadTool => "the command fails at once and changes nothing".to_owned(),
        Verdict::Iterations(most) => format!("the limit of {} is reached", count(Some(most), "iteration")),
        Verdict::Time(time) => format!("the time of {} is over", format_duration(time)),
        Verdict::Interrupted => "interrupted".to_owned(),
    }
}

/// Returns what to do about it: seed 004's cures for thrashing, and never a higher limit.
fn remedy(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Converged | Verdict::Interrupted => None,
        Verdict::Stable => Some("--verify-with 'COMMAND' lets a check say whether it is done"),
        Verdict::Oscillation { .. } => Some(
            "two demands contradict each other, or two loops work on the same files: settle that, then start again",
        ),
        Verdict::Thrash => Some(
            "what it works from keeps changing: start later (-d), with fewer iterations, or once the loop before has settled",
        ),
        Verdict::Stalled => Some(
            "more of the same will not help: make the specification or the check say what is wrong, or use a stronger model",
        ),
        Verdict::Spinning => Some(
            "it may be done, or not know what to do: --verify-with tells which; a clearer task helps the other",
        ),
        Verdict::Timeouts => Some("give it a smaller task, or more time with -t"),
        Verdict::DeadTool => Some("run the command by itself to see what it says"),
        Verdict::Iterations(_) | Verdict::Time(_) => Some(
            "look at what changed last before giving it more: a loop that does not converge needs a better task, not more time",
        ),
    }
}

fn ending_name(ending: &str) -> &str {
    match ending {
        "timed out" => "timed_out",
        "interrupted" => "interrupted",
        other if other.starts_with("exit code") => "exited",
        _ => "signalled",
    }
}
