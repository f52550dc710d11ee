//! Examples: records whose `label` says what a careful person says about their task.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use shared::Problem;
use shared::section::{Risk, Task, Tier};

use super::TURNS;
use crate::executor::Executor;

/// An example, as a line of a corpus has it. Other members are let be.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Example {
    pub(crate) task: Task,
    pub(crate) label: Label,
    /// How often it counts; 1 if it is not said.
    #[serde(default = "once")]
    pub(crate) weight: f64,
}

fn once() -> f64 {
    1.0
}

/// What somebody says about a task. How it is decided is told in `corpus/README.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Label {
    pub(crate) tier: Tier,
    pub(crate) executor: Option<String>,
    pub(crate) risk: Option<Risk>,
    /// Could somebody start now, without asking?
    pub(crate) clear: Option<bool>,
    /// Is it more than one job?
    pub(crate) compound: Option<bool>,
    /// How many turns an agent would need, about.
    pub(crate) turns: Option<u16>,
}

/// Reads examples from files, and from the `.jsonl` files of directories in the order of their names.
///
/// # Errors
/// If one can not be read, a line is no example, or the same text is there with two labels.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Example>, Problem> {
    let mut examples = Vec::new();
    let mut seen = HashMap::new();
    for path in paths {
        for file in files(path)? {
            let text = std::fs::read_to_string(&file).map_err(|error| cannot_read(&file).because(error))?;
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let place = format!("{}:{}", file.display(), number + 1);
                let example: Example = serde_json::from_str(line).map_err(|error| {
                    Problem::new(format!("{place}: no example"))
                        .because(error)
                        .hint(r#"an example is a record with a label: {"task":"…","label":{"tier":2,"risk":"low","clear":true}}"#)
                })?;
                check(&example).map_err(|problem| Problem::new(format!("{place}: {problem}")))?;
                let text = example.task.text.trim().to_lowercase();
                if let Some(first) = seen.insert(text, place.clone()) {
                    return Err(Problem::new(format!("{place}: the same task as {first}"))
                        .hint("leave one of them out: a task that is there twice counts twice"));
                }
                examples.push(example);
            }
        }
    }
    if examples.is_empty() {
        return Err(Problem::new("there are no examples to learn from"));
    }
    Ok(examples)
}

fn check(example: &Example) -> Result<(), String> {
    let label = &example.label;
    if !(example.weight > 0.0 && example.weight <= 1000.0) {
        return Err("`weight` is above 0, and at most 1000".to_owned());
    }
    if !(1..=3).contains(&label.tier.number()) {
        return Err("`tier` is 1, 2 or 3".to_owned());
    }
    if let Some(name) = &label.executor
        && Executor::named(name).is_none()
    {
        let known: Vec<&str> = Executor::ALL.iter().map(|executor| executor.name()).collect();
        return Err(format!("no executor `{name}`: it is one of {}", known.join(", ")));
    }
    match label.turns {
        Some(turns) if !TURNS.contains(&turns) => Err(format!("`turns` is one of {TURNS:?}")),
        _ => Ok(()),
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| cannot_read(path).because(error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    Ok(files)
}

fn cannot_read(path: &Path) -> Problem {
    Problem::new(format!("cannot read the examples `{}`", path.display()))
}
