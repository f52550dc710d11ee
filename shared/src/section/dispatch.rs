use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Decision, Tier};

/// What became of a task on its executor: what `dispatch` writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dispatch {
    /// Counts from 1; what `gates` and `verify` say refers to this number.
    pub attempt: u32,
    /// How it ended.
    pub status: Status,
    /// The executor's name.
    #[serde(default = "super::classify::explore")]
    pub executor: String,
    /// Why it ran on another executor or tier than `classify` had said; absent if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<String>,
    /// The backend that ran it: `local`, `command`, `anthropic`, `openai`, `replay`; `parts` if the results of parts were
    /// joined; absent if none could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The model, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The tier it ran on; 0 is `local`.
    #[serde(default = "Tier::one")]
    pub tier: Tier,
    /// What the executor said. Beyond a limit it is in `output_file` and this is its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Where a large output is kept whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_file: Option<OutputFile>,
    /// The end of what a child process wrote on standard error, if it wrote anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /// The exit code of the child process, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Why it did not end well, and what to do, in a sentence for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is to be done about it, where it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// The tokens it used; absent where no model was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What this attempt cost in US dollars, transport retries included; absent if the price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The date of the price table that `cost_usd` was computed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_table: Option<String>,
    /// When it started, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub elapsed_ms: u64,
    /// Why the model stopped, as its API says it (`end_turn`, `stop`, `max_tokens`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// How many model turns it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns: Option<u32>,
    /// How many requests were repeated after transient faults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// How many requests were sent once more because their answer was late to begin. The first whole answer counts, and what both
    /// used is in `usage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hedged: Option<u32>,
    /// The git worktree that the work was done in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
    /// The branch of the worktree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit that the worktree started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The commit that holds the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The files that the work changed, relative to the repository; absent if that could not be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_changed: Option<Vec<String>>,
    /// What became of merging the work, if it was to be merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// The file that tells request by request and call by call what was said and done, where a model worked with tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// The attempt of each dependency whose result was used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, u32>,
    /// The parts of a compound task whose results this one joins, in order. The work and its cost are in their records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Joined>,
    /// The worker that did it, where tasks are given to workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// What is to be known of the race, if several drafts of this attempt were wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub race: Option<Race>,
    /// The other drafts of this attempt, which lost and were paid for, in the order in which they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<Rival>,
    /// The attempts before this one, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
}

/// What became of merging the work of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Merge {
    /// How it ended.
    pub outcome: MergeOutcome,
    /// The branch that it was to be merged into.
    pub into: String,
    /// The commit of that branch that has the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The files in conflict, relative to the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// Why it was not merged, unless that is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a merge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MergeOutcome {
    /// The branch has the work now.
    Merged,
    /// The branch had it before.
    Already,
    /// It conflicts with what the branch has, which is as it was.
    Conflict,
    /// It was not tried, because something that it builds on was not merged.
    Skipped,
    /// git or the state of the checkout did not allow it; the branch is as it was.
    Failed,
}

/// Several drafts of one attempt at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Race {
    /// How many drafts were wanted.
    pub wanted: u32,
    /// How many were started.
    pub started: u32,
    /// Whether a draft was accepted; if none was, the best of them is kept. Absent if there was only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    /// What the drafts beyond the first were expected to cost in US dollars; absent if the price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_usd: Option<f64>,
    /// Why there were fewer drafts than wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A draft that was paid for and is not the result of its attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rival {
    /// The tier it ran on.
    pub tier: Tier,
    /// The backend that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The model, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How it ended; `cancelled` if it was ended because another draft had been accepted.
    pub status: Status,
    /// The tokens it used, as far as a server told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What it cost in US dollars; absent if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub elapsed_ms: u64,
    /// Why it lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A part of a compound task, as it was joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// The id of its record.
    pub id: String,
    /// The attempt that was joined; 0 if there was none.
    #[serde(default)]
    pub attempt: u32,
    /// How that ended; absent if the part could not be processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What `verify` had decided about that attempt when it was joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// What all its attempts have cost in US dollars, for reading: its own record has it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The executor finished and says it did the task.
    Ok,
    /// The executor finished and says it did not (an exit code, an error result).
    Failed,
    /// The model refused.
    Refused,
    /// The answer was cut off by a token or context limit.
    Truncated,
    /// It took longer than it may.
    Timeout,
    /// The network or the server failed, also after retries.
    Transport,
    /// The credentials were not accepted.
    Auth,
    /// The account's spending or usage limit is reached; waiting does not help.
    Quota,
    /// The task's or the run's own budget is spent.
    Budget,
    /// No backend is configured that could run it.
    Unavailable,
    /// A dependency did not end well.
    Skipped,
    /// The run was interrupted.
    Cancelled,
}

/// Tokens, as counted by the server. `input_tokens` never includes what was read from or written to a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Usage {
    /// Prompt tokens at the full price.
    pub input_tokens: u64,
    /// Prompt tokens read from a cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read_tokens: u64,
    /// Prompt tokens written to a cache that lives five minutes.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_tokens: u64,
    /// Prompt tokens written to a cache that lives one hour.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_1h_tokens: u64,
    /// Completion tokens, reasoning included.
    pub output_tokens: u64,
    /// The part of `output_tokens` that was reasoning, where the server tells.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasoning_tokens: u64,
    /// Requests sent, those that failed included.
    #[serde(skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// Those of `requests` that were given up after a model had begun or might have, and of whose tokens no server told:
    /// what they used is not known, and in none of the numbers above.
    #[serde(skip_serializing_if = "is_zero")]
    pub untold_requests: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Where a large output is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutputFile {
    /// The path, absolute or relative to the working directory of the run.
    pub path: String,
    /// The size of the whole output.
    pub bytes: u64,
    /// The BLAKE3 hash of the whole output, in hexadecimal.
    pub blake3: String,
}

/// An attempt that was replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Earlier {
    /// Its number.
    pub attempt: u32,
    /// The tier it ran on.
    pub tier: Tier,
    /// The backend that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The model, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How it ended.
    pub status: Status,
    /// The tokens it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What it cost in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// What `verify` decided about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// What was to be done about it: with `verify`'s kind of failure, and what others have failed of alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The other drafts of that attempt, which lost and were paid for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rivals: Vec<Rival>,
}
