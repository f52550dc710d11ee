//! The task's own `accept` list: what the user said has to hold. Each condition is an observation of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::Regex;
use shared::process::{Command, How};
use shared::section::Criterion;
use shared::units;

use super::Commands;
use crate::attempt::Attempt;
use crate::observation::{Observation, Standing};

/// Checks every condition. The commands of an attempt that is rejected already are not worth their time.
pub(crate) fn check(attempt: &Attempt<'_>, commands: Commands, rejected: bool) -> Vec<Observation> {
    let criteria = &attempt.task.accept;
    if criteria.is_empty() {
        return vec![Observation::new("accept", Standing::Skipped, "the task has no `accept` list")];
    }
    let one = |(number, criterion): (usize, &Criterion)| {
        let name = format!("accept.{}", number + 1);
        if rejected && matches!(criterion, Criterion::Command { .. }) {
            return Observation::new(
                &name,
                Standing::Skipped,
                "not run, since the attempt is rejected already",
            );
        }
        let (standing, detail) = match meets(attempt, criterion, commands) {
            Met::Yes(detail) => (Standing::Conclusive, detail),
            Met::No(detail) => (Standing::Hard, detail),
            // The user asked for it, so nothing else can stand in for it.
            Met::Unknown(detail) => (Standing::Missing, detail),
        };
        Observation::new(&name, standing, detail)
    };
    criteria.iter().enumerate().map(one).collect()
}

enum Met {
    Yes(String),
    No(String),
    Unknown(String),
}

impl Met {
    fn of(met: bool, yes: impl Into<String>, no: impl Into<String>) -> Met {
        if met { Met::Yes(yes.into()) } else { Met::No(no.into()) }
    }
}

fn meets(attempt: &Attempt<'_>, criterion: &Criterion, commands: Commands) -> Met {
    let output = attempt.answer.text;
    let needs_output = matches!(
        criterion,
        Criterion::Regex { .. }
            | Criterion::Contains { .. }
            | Criterion::Equals { .. }
            | Criterion::Schema { .. }
    );
    if let Some(unread) = attempt.unread.as_ref().filter(|_| needs_output) {
        return Met::Unknown(unread.clone());
    }
    match criterion {
        Criterion::Command { run, exit_code, timeout } => {
            command(attempt, run, *exit_code, timeout.as_deref(), commands)
        }
        Criterion::ExitCode { equals } => match attempt.dispatch.exit_code {
            None => Met::Unknown(format!("exit code {equals} is asked for, but none is known")),
            Some(code) => Met::of(
                code == *equals,
                format!("exit code {code}"),
                format!("exit code {code}, not {equals}"),
            ),
        },
        Criterion::Regex { pattern } => match Regex::new(pattern) {
            Err(error) => Met::Unknown(format!(
                "`{pattern}` is no regular expression: {}",
                one_line(&error.to_string())
            )),
            Ok(regex) => Met::of(
                regex.is_match(output),
                format!("the output matches `{pattern}`"),
                format!("the output does not match `{pattern}`"),
            ),
        },
        Criterion::Contains { text } => {
            let shown = super::shown(text);
            Met::of(
                output.contains(text),
                format!("the output contains “{shown}”"),
                format!("the output does not contain “{shown}”"),
            )
        }
        Criterion::Equals { text } => {
            let shown = super::shown(text);
            Met::of(
                output.trim() == text.trim(),
                format!("the output is “{shown}”"),
                format!("the output is not “{shown}”"),
            )
        }
        Criterion::Schema { schema } => document(attempt, schema),
        Criterion::File { path, exists, contains } => file(attempt, path, *exists, contains.as_deref()),
        Criterion::Unknown => Met::Unknown("this kind of condition is not known here".to_owned()),
    }
}

fn document(attempt: &Attempt<'_>, schema: &serde_json::Value) -> Met {
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => {
            return Met::Unknown(format!("the JSON Schema is not valid: {}", one_line(&error.to_string())));
        }
    };
    // Models wrap documents in a code block; if that is all there is, the document is what is in it.
    let blank = attempt.answer.prose.iter().all(|line| line.text.trim().is_empty());
    let text = match attempt.answer.blocks.as_slice() {
        [block] if blank && block.closed => block.lines.join("\n"),
        _ => attempt.answer.text.to_owned(),
    };
    let value: serde_json::Value = match serde_json::from_str(text.trim()) {
        Ok(value) => value,
        Err(error) => return Met::No(format!("the output is no JSON document: {error}")),
    };
    match validator.iter_errors(&value).next() {
        None => Met::Yes("the output is valid by the schema".to_owned()),
        Some(error) => {
            let (path, message) = (error.instance_path().to_string(), one_line(&error.to_string()));
            let place = if path.is_empty() { "/".to_owned() } else { path };
            Met::No(format!("the output is not valid by the schema at {place}: {message}"))
        }
    }
}

fn file(attempt: &Attempt<'_>, path: &str, exists: bool, contains: Option<&str>) -> Met {
    if !attempt.place.exists() {
        return Met::Unknown(format!("`{}` is not there any more", attempt.place.root().display()));
    }
    let full: PathBuf = attempt.place.root().join(path);
    if full.exists() != exists {
        return Met::No(format!("`{path}` {}", if exists { "does not exist" } else { "exists" }));
    }
    match contains.filter(|_| exists) {
        None => Met::Yes(format!("`{path}` {}", if exists { "exists" } else { "does not exist" })),
        Some(text) => match std::fs::read(&full) {
            Err(error) => Met::Unknown(format!("cannot read `{path}`: {error}")),
            Ok(bytes) => {
                let shown = super::shown(text);
                let met = String::from_utf8_lossy(&bytes).contains(text);
                Met::of(
                    met,
                    format!("`{path}` contains “{shown}”"),
                    format!("`{path}` does not contain “{shown}”"),
                )
            }
        },
    }
}

fn command(
    attempt: &Attempt<'_>,
    run: &[String],
    wanted: i32,
    timeout: Option<&str>,
    commands: Commands,
) -> Met {
    let shown = super::shown(&run.join(" "));
    if run.is_empty() {
        return Met::Unknown("the command is empty".to_owned());
    }
    if !commands.allowed {
        return Met::Unknown(format!("`{shown}` was not run (--no-commands)"));
    }
    let root: &Path = attempt.place.root();
    if !attempt.place.exists() {
        return Met::Unknown(format!("`{shown}` was not run: `{}` is not there any more", root.display()));
    }
    let own = match timeout.map(units::parse_duration).transpose() {
        Ok(own) => own,
        Err(error) => return Met::Unknown(format!("`{shown}` was not run: {error}")),
    };
    let limit: Duration = own.unwrap_or(commands.timeout);
    match Command::new(run).current_dir(root).timeout(limit).capture(64 << 10).run() {
        Err(problem) => Met::Unknown(problem.full_message()),
        Ok(ended) => match ended.how {
            How::Exited(code) if code == wanted => Met::Yes(format!("`{shown}` ended with exit code {code}")),
            How::Exited(code) => {
                let said = [ended.stderr.text(), ended.stdout.text()];
                let last =
                    said.iter().find_map(|text| text.lines().rev().find(|line| !line.trim().is_empty()));
                let last = last.map(|line| format!(": {}", super::shown(line))).unwrap_or_default();
                Met::No(format!("`{shown}` ended with exit code {code}, not {wanted}{last}"))
            }
            How::TimedOut | How::Idle => {
                Met::No(format!("`{shown}` did not end within {}", units::format_duration(limit)))
            }
            How::Signalled(signal) => Met::No(format!("`{shown}` was ended by signal {signal}")),
            How::Interrupted => Met::Unknown(format!("`{shown}` was interrupted")),
        },
    }
}

fn one_line(text: &str) -> String {
    super::shown(text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default())
}
