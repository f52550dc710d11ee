//! Where the scheduler meets those who do the work: a job goes in, a draft comes out.
//!
//! A backend knows nothing of records, dependencies, attempts before this one, budgets or the journal. It gets
//! one self-contained [`Job`] and says what became of it. Whatever went wrong is a [`Status`] in the [`Draft`],
//! never an error of its own: a task always ends with a result or a stated reason.

use std::path::PathBuf;
use std::time::Duration;

use shared::process::Cancel;
use shared::section::{OutputFile, Status, Task, Tier, Usage};

use crate::limits::Allowance;

/// One attempt at one task, with everything that a backend needs to know.
#[derive(Clone, Debug)]
pub struct Job {
    /// The id of the record.
    pub id: String,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// The number of this draft among those of the attempt that are made at once, from 1.
    pub draft: u32,
    /// The tier that it runs on; 0 is `local`.
    pub tier: Tier,
    /// What the user asked for.
    pub task: Task,
    /// The name of the executor.
    pub executor: String,
    /// What the executor is told before anything else, where it has such a text.
    pub system: Option<String>,
    /// The names of the tools that it may use.
    pub tools: Vec<String>,
    /// The model to ask, where one is configured.
    pub model: Option<String>,
    /// The text of the task with its context, its inputs and what an earlier attempt was rejected for.
    pub prompt: String,
    /// What a program is told that knows nothing of all this: the text of the task, and after it, on a later attempt, what
    /// the earlier one was rejected for.
    pub plain: String,
    /// The results of the tasks that it depends on, as a JSON document; absent if there are none.
    pub results: Option<String>,
    /// Where the work is done: the user's directory, or a worktree of its own.
    pub workdir: PathBuf,
    /// The longest it may take.
    pub timeout: Option<Duration>,
    /// The most tokens that one answer may have.
    pub max_output_tokens: Option<u32>,
    /// The most model turns that it may take, where the backend counts them.
    pub max_turns: Option<u32>,
    /// Ends it before its time: its children, and what else it has begun.
    pub cancel: Cancel,
    /// What it may spend.
    pub allowance: Allowance,
}

/// What an executor brought back.
#[derive(Clone, Debug)]
pub struct Draft {
    /// How it ended.
    pub status: Status,
    /// What the executor said.
    pub output: String,
    /// Where a large output is kept whole; `output` is its beginning then.
    pub output_file: Option<OutputFile>,
    /// The end of what a child process wrote on standard error.
    pub stderr: Option<String>,
    /// The exit code of the child process, where there was one.
    pub exit_code: Option<i32>,
    /// Why it did not end well, and what to do.
    pub reason: Option<String>,
    /// The tokens it used, where a model was asked.
    pub usage: Option<Usage>,
    /// The tokens of each single request, where they are known: some prices depend on the length of one prompt, so
    /// `shared::price::Table::cost_of_requests` takes these rather than their sum.
    pub requests: Vec<Usage>,
    /// What the executor itself says that it cost, in US dollars.
    pub reported_cost_usd: Option<f64>,
    /// The model that answered.
    pub model: Option<String>,
    /// Why the model stopped, as its API says it.
    pub stop_reason: Option<String>,
    /// How many model turns it took.
    pub turns: Option<u32>,
    /// How many requests were repeated after transient faults.
    pub retries: u32,
    /// How many were sent once more because their answer was late.
    pub hedged: u32,
    /// The file that tells all that was said and done, where one was written.
    pub transcript: Option<String>,
}

impl Draft {
    /// Returns a draft that ended so and says nothing yet.
    pub fn new(status: Status) -> Self {
        Draft {
            status,
            output: String::new(),
            output_file: None,
            stderr: None,
            exit_code: None,
            reason: None,
            usage: None,
            requests: Vec::new(),
            reported_cost_usd: None,
            model: None,
            stop_reason: None,
            turns: None,
            retries: 0,
            hedged: 0,
            transcript: None,
        }
    }

    /// Returns a draft that ended so for a reason.
    pub fn because(status: Status, reason: impl Into<String>) -> Self {
        Draft { reason: Some(reason.into()), ..Draft::new(status) }
    }
}

/// What a backend does with a job.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one for each attempt; an allocation would cost more than the move"
)]
pub enum Answer {
    /// It ran, well or not.
    Draft(Draft),
    /// It is not a job for this backend, and nothing was done; says why.
    Declined(String),
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a job for tests.
    pub(crate) fn job(id: &str, prompt: &str) -> Job {
        Job {
            id: id.to_owned(),
            attempt: 1,
            draft: 1,
            tier: Tier::ONE,
            task: Task { text: prompt.to_owned(), ..Task::default() },
            executor: "explore".to_owned(),
            system: None,
            tools: vec!["Read".to_owned(), "Grep".to_owned()],
            model: None,
            prompt: prompt.to_owned(),
            plain: prompt.to_owned(),
            results: None,
            workdir: std::env::temp_dir(),
            timeout: None,
            max_output_tokens: None,
            max_turns: None,
            cancel: Cancel::default(),
            allowance: Allowance::default(),
        }
    }
}
