//! What a program printed, as facts: how many tests ran, and what is wrong where.

use std::path::Path;

use shared::process::Ended;

use super::Planned;
use super::diagnostics::{self, Source};
use super::tests_ran::{self, Counts};
use crate::found::Found;

/// What is known from the output of a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ran {
    pub(super) found: Vec<Found>,
    /// The findings come from a format for machines, so they are facts whatever the exit code says.
    pub(super) machine: bool,
    /// How many tests ran, if the program says so in a form that is known.
    pub(super) tests: Option<Counts>,
    /// The text of both streams.
    pub(super) text: String,
}

/// Reads what a program printed on both streams.
pub(super) fn read(planned: &Planned, ended: &Ended, root: &Path) -> Ran {
    let stdout = plain(&ended.stdout.text());
    let stderr = plain(&ended.stderr.text());
    parse(planned.gate == "tests", &stdout, &stderr, &Source { root, dir: &planned.dir })
}

pub(super) fn parse(is_tests: bool, stdout: &str, stderr: &str, source: &Source) -> Ran {
    let text = format!("{stdout}\n{stderr}");
    if let Some(found) = diagnostics::of_machines(stdout, source) {
        let tests = if is_tests { tests_ran::counts(&text) } else { None };
        let mut ran = Ran { found, machine: true, tests, text };
        if is_tests {
            ran.found.extend(tests_ran::failures(&ran.text, source));
        }
        return ran;
    }
    let mut found = diagnostics::of_people(&text, source);
    let mut tests = None;
    if is_tests {
        tests = tests_ran::counts(&text);
        // Where tests ran, their failures tell, and what looks like a diagnostic is a test's own output.
        if tests.is_some_and(|counts| counts.executed() > 0) {
            found.clear();
        }
        found.extend(tests_ran::failures(&text, source));
    }
    Ran { found, machine: false, tests, text }
}

/// Asks a program that is known for a form that programs can read.
pub(super) fn machine_readable(argv: &[String]) -> Vec<String> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let add: &[&str] = match words[..] {
        ["cargo", "clippy" | "check" | "build", ..]
            if !words.iter().any(|word| word.starts_with("--message-format")) =>
        {
            &["--message-format=json"]
        }
        ["ruff", "check", ..] if !words.iter().any(|word| word.starts_with("--output-format")) => {
            &["--output-format=json"]
        }
        ["eslint", ..] | ["npx", "eslint", ..] | ["npx", "--no-install", "eslint", ..]
            if !words.iter().any(|word| *word == "-f" || word.starts_with("--format")) =>
        {
            &["--format=json"]
        }
        _ => return argv.to_vec(),
    };
    let at = words.iter().position(|word| *word == "--").unwrap_or(words.len());
    let mut argv = argv.to_vec();
    for (offset, word) in add.iter().enumerate() {
        argv.insert(at + offset, (*word).to_owned());
    }
    argv
}

/// Returns the text without colours and other control sequences.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => {
                if rest.next_if_eq(&'[').is_some() {
                    // CSI: parameters, then one letter
                    while rest.next_if(|c| !c.is_ascii_alphabetic()).is_some() {}
                }
                rest.next();
            }
            '\r' => {}
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_off() {
        assert_eq!(plain("\u{1b}[1;31merror\u{1b}[0m: x\r\n"), "error: x\n");
    }

    #[test]
    fn known_programs_are_asked_for_json_before_the_double_dash() {
        let asked =
            |text: &str| machine_readable(&text.split(' ').map(str::to_owned).collect::<Vec<_>>()).join(" ");
        assert_eq!(
            asked("cargo clippy --all -- -D warnings"),
            "cargo clippy --all --message-format=json -- -D warnings"
        );
        assert_eq!(asked("cargo check --message-format=short"), "cargo check --message-format=short");
        assert_eq!(asked("ruff check ."), "ruff check . --output-format=json");
        assert_eq!(asked("cargo test"), "cargo test");
    }
}
