//! The user's own checks of a tree: green if the command says so, and what a red one stands for.
//!
//! A failure is known by which checks failed and what they said, not only by their number: as long as the failure
//! changes, the loop gets somewhere. Times, addresses and the order of lines, which change by themselves, do not count.

use std::path::Path;
use std::time::Duration;

use blake3::{Hash, Hasher};

use shared::Problem;
use shared::process::{Command, Ended, How};

use super::stop::Check;

/// What all checks said.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What it means for the loop.
    pub(crate) check: Check,
    /// The commands that were not satisfied.
    pub(crate) failing: Vec<String>,
    /// Whether the user asked for an end in between.
    pub(crate) was_interrupted: bool,
}

/// Runs the checks one after the other, and keeps what they say in a file for whoever repairs it.
pub(crate) fn run(checks: &[String], time: Option<Duration>, log: Option<&Path>) -> Result<Checked, Problem> {
    let mut failing = Vec::new();
    let mut signature = Hasher::new();
    let mut is_silent = true;
    let mut said = String::new();
    let mut was_interrupted = false;
    for check in checks {
        let mut command = Command::new(["sh", "-c", check]);
        if let Some(time) = time {
            command = command.timeout(time);
        }
        let ended = command.run()?;
        was_interrupted |= ended.how == How::Interrupted;
        said += &format!("$ {check}\n{}{}({})\n", ended.stdout.text(), ended.stderr.text(), ended.how);
        if !ended.success() {
            signature.update(check.as_bytes()).update(b"\0").update(failure(&ended).as_bytes());
            is_silent &= ended.stdout.total + ended.stderr.total == 0;
            failing.push(check.clone());
        }
    }
    if let Some(log) = log {
        // The log is a service for the command; without it the loop is the same.
        let _ = std::fs::write(log, said);
    }
    let check = match (checks.is_empty(), failing.is_empty()) {
        (true, _) => Check::None,
        (false, true) => Check::Green,
        (false, false) => Check::Red((!is_silent).then(|| signature.finalize())),
    };
    Ok(Checked { check, failing, was_interrupted })
}

/// Returns what stands for a failure.
fn failure(ended: &Ended) -> Hash {
    let text = format!("{}\n{}\n{}", ended.how, ended.stdout.text(), ended.stderr.text());
    signature(&text)
}

/// Returns the hash of the lines of a text, sorted, with what changes by itself taken out.
fn signature(text: &str) -> Hash {
    let mut lines: Vec<String> = text.lines().map(masked).collect();
    lines.sort_unstable();
    lines.dedup();
    blake3::hash(lines.join("\n").as_bytes())
}

/// Takes times, durations and addresses out of a line: numbers with a fraction, with a unit of time or a colon beside
/// them, and hexadecimal ones. Plain numbers stay: `12 failed` and `11 failed` are not the same.
fn masked(line: &str) -> String {
    line.split_inclusive(char::is_whitespace)
        .map(|word| {
            let core = word.trim_matches(|c: char| !c.is_alphanumeric());
            let is_volatile = core.starts_with("0x")
                || core.starts_with(|c: char| c.is_ascii_digit())
                    && (has_unit_of_time(core) || is_fraction(core) || is_time_of_day(core));
            if is_volatile { "_ " } else { word }
        })
        .collect()
}

fn has_unit_of_time(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    ["ms", "s", "us", "µs", "ns", "m", "sec", "secs", "seconds"].contains(&unit)
}

fn is_fraction(word: &str) -> bool {
    word.contains('.') && word.parse::<f64>().is_ok()
}

fn is_time_of_day(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || ":.-TZ+".contains(c);
    word.matches(':').count() >= 2 && word.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_the_same_at_another_time_and_in_another_order() {
        for (a, b, same) in [
            ("test a failed\ntest b failed", "test b failed\ntest a failed", true),
            ("finished in 0.03s", "finished in 1.20s", true),
            ("took 3 tests, 0.5 seconds", "took 3 tests, 0.7 seconds", true),
            ("2026-01-01T10:00:01Z error", "2026-01-02T11:00:02Z error", true),
            ("at 0x7ffe12", "at 0x7ffe99", true),
            ("12 failed", "11 failed", false),
            ("src/a.rs:12:3 error", "src/a.rs:13:3 error", false),
            ("test a failed", "test b failed", false),
        ] {
            assert_eq!(signature(a) == signature(b), same, "{a:?} {b:?}");
        }
    }

    #[test]
    fn red_is_any_check_that_does_not_exit_with_0() {
        let checks = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        assert_eq!(run(&[], None, None).unwrap().check, Check::None);
        assert_eq!(run(&checks(&["true", "true"]), None, None).unwrap().check, Check::Green);
        let red = run(&checks(&["true", "echo oops; exit 3"]), None, Some(&log)).unwrap();
        assert!(matches!(red.check, Check::Red(Some(_))) && red.failing == ["echo oops; exit 3"]);
        assert!(std::fs::read_to_string(log).unwrap().contains("oops\n(exit code 3)"));
        assert_eq!(run(&checks(&["false"]), None, None).unwrap().check, Check::Red(None));
        let slow = run(&checks(&["sleep 60"]), Some(Duration::from_millis(50)), None).unwrap();
        assert!(matches!(slow.check, Check::Red(_)));
    }
}
