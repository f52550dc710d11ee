//! What the roles of a planned project owe (seed 002): one JSON object each, whose parts have to agree with each other, with
//! the task, and with what is there.
//!
//! An object of the right form shows only that somebody filled in a form. What speaks for a result are quotes that the task
//! really has and places that really exist; without them it is in form, and no more.

mod findings;
mod plan;
mod report;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

use super::NAME;
use crate::attempt::{Attempt, Kind};
use crate::citation;
use crate::observation::{Observation, Standing, worst};
use crate::place::Found;

/// What was found to be wrong.
type Faults = Vec<(Standing, String)>;

/// What the parts of an answer came to: the faults, and what it is worth if there are none.
struct Judged {
    faults: Faults,
    standing: Standing,
    detail: String,
}

/// Holds an answer against what its role owes.
pub(super) fn check(attempt: &Attempt<'_>) -> Observation {
    let judged = match attempt.kind {
        Kind::Architect => plan::architect(attempt),
        Kind::PlanVerifier => plan::verifier(attempt),
        Kind::Developer => report::developer(attempt),
        Kind::Reviewer => findings::reviewer(attempt),
        Kind::Debugger => findings::debugger(attempt),
        _ => findings::coherence(attempt),
    };
    match judged {
        Ok(judged) => worst(NAME, judged.faults, (judged.standing, judged.detail)),
        Err(reason) => Observation::new(NAME, Standing::Small, reason),
    }
}

/// Reads the object that is owed: the whole answer, or the one block of code in it that is an object.
fn object<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = text.trim();
    let blocks = blocks(text);
    let json = match blocks[..] {
        _ if text.starts_with('{') => text,
        [one] => one,
        [] => return Err("it is not the JSON object that this role owes".to_owned()),
        _ => return Err(format!("it has {} JSON objects where this role owes one", blocks.len())),
    };
    serde_json::from_str(json)
        .map_err(|error| format!("it is not the JSON object that this role owes: {error}"))
}

/// Returns the blocks of code that begin like an object.
fn blocks(text: &str) -> Vec<&str> {
    let fenced = text.split("```").skip(1).step_by(2);
    let bodies = fenced.map(|block| block.strip_prefix("json").unwrap_or(block).trim());
    bodies.filter(|body| body.starts_with('{')).collect()
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Tells whether a text was really asked for: whether it stands in the task, or in what came with it.
fn is_asked_for(attempt: &Attempt<'_>, quote: &str) -> bool {
    let task = attempt.task;
    let mut said = vec![task.text.clone()];
    said.extend(task.whole.clone());
    if let Some(context) = &task.context {
        match serde_json::from_str(context.get()) {
            Ok(value) => strings(&value, &mut said),
            Err(_) => said.push(context.get().to_owned()),
        }
    }
    said.iter().any(|text| contains(text, quote))
}

/// Tells whether a text has a quote, whatever the line breaks and the capitals.
fn contains(text: &str, quote: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let quote = plain(quote);
    let quote = quote.trim_matches(|c: char| matches!(c, '"' | '“' | '”' | '.' | '…' | ' '));
    !quote.is_empty() && plain(text).contains(quote)
}

fn strings(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        serde_json::Value::Object(members) => members.values().for_each(|member| strings(member, found)),
        _ => {}
    }
}

/// Tells what is wrong with a place that is named as a fact; the line is from 1.
fn place_fault(attempt: &Attempt<'_>, file: &str, line: Option<u64>) -> Option<(Standing, String)> {
    if is_blank(file) {
        return Some((Standing::Small, "a place has no file".to_owned()));
    }
    if line == Some(0) {
        return Some((Standing::Small, format!("`{file}:0` is no line; they count from 1")));
    }
    if !attempt.place.exists() {
        return Some((Standing::Missing, "the place it cites is not there any more".to_owned()));
    }
    match attempt.place.find(file) {
        Found::Files(files) => {
            let line = line?;
            let longest = files
                .iter()
                .filter_map(|file| attempt.place.read(file))
                .map(|text| text.lines().count() as u64)
                .max();
            match longest {
                Some(lines) if line > lines => {
                    Some((Standing::Hard, format!("`{file}` has {lines} lines, not {line}")))
                }
                Some(_) => None,
                None => Some((Standing::Missing, format!("`{file}` could not be read"))),
            }
        }
        Found::Directory => Some((Standing::Small, format!("`{file}` is a directory, which is no place"))),
        Found::Nothing | Found::Outside => Some((Standing::Hard, format!("`{file}` does not exist"))),
    }
}

/// Tells what is wrong with a path that may not exist yet: it has to stay inside the project.
fn path_fault(path: &str) -> Option<String> {
    let leaves = path.starts_with(['/', '~']) || path.split('/').any(|part| part == "..");
    (leaves || is_blank(path)).then(|| format!("`{path}` is no path inside the project"))
}

/// Tells what is wrong with evidence in words: it has to name a place that exists.
fn evidence_fault(attempt: &Attempt<'_>, evidence: &str) -> Option<(Standing, String)> {
    let mut cited = Vec::new();
    evidence.lines().for_each(|line| citation::in_line(line, &mut cited));
    if cited.is_empty() {
        return Some((Standing::Small, format!("“{}” names no place", crate::checks::shown(evidence))));
    }
    cited
        .iter()
        .find_map(|citation| place_fault(attempt, &citation.path, citation.lines.map(|(_, last)| last)))
}
