//! What the lines of the journal say, as they are written.
//!
//! Every line is an object with `event`; most have `run`, the run that wrote it, and `at`, the time. Readers pass over events and
//! members that they do not know. To a reader of version 1 or older, a line with `key` that is not `finished` says that the
//! attempt with this key has not finished.

use serde::{Deserialize, Serialize};
use shared::section::{Dispatch, Rival, Status, Tier, Usage};

/// The version of the format.
pub(crate) const VERSION: u32 = 2;

/// A line.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event<'a> {
    /// A run has begun.
    Run {
        version: u32,
        run: &'a str,
        at: String,
        pid: u32,
        command: &'a [String],
        directory: &'a str,
        resume: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        budget_usd: Option<f64>,
    },
    /// An attempt is about to start.
    Started {
        run: &'a str,
        key: String,
        id: &'a str,
        attempt: u32,
        at: String,
        tier: Tier,
        backend: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<&'a str>,
    },
    /// An attempt has done its work, well or not.
    Finished { run: &'a str, key: String, id: &'a str, at: String, dispatch: &'a Dispatch },
    /// A draft was paid for and is not the result of its attempt.
    Lost { run: &'a str, key: String, id: &'a str, at: String, rival: &'a Rival },
    /// A record has left without an attempt that has done its work: as it came, or for a reason.
    Settled(Settled<'a>),
    /// A record leaves with a result that an earlier run has left. Without a key: it says nothing new about the attempt.
    Resumed {
        run: &'a str,
        id: &'a str,
        at: String,
        #[serde(flatten)]
        ending: Unfinished,
    },
    /// A record leaves with an error.
    Refused { run: &'a str, id: &'a str, at: String, reason: &'a str },
    /// Somebody wants the attempt with this key made again.
    Retry {
        key: String,
        id: &'a str,
        at: String,
        #[serde(flatten)]
        retry: &'a Retry,
    },
    /// Nothing more is started.
    Halted { run: &'a str, at: String, reason: &'a str },
    /// A run has come to its end.
    Ended { run: &'a str, at: String, exit: u8, spent_usd: f64 },
}

/// How a record has left.
#[derive(Serialize)]
pub(super) struct Settled<'a> {
    pub(super) run: &'a str,
    /// Of the attempt that was made, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    pub(super) id: &'a str,
    pub(super) at: String,
    #[serde(flatten)]
    pub(super) ending: Option<Unfinished>,
}

/// An attempt that has not done its work, and what it took all the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    pub(crate) attempt: u32,
    pub(crate) status: Status,
    pub(crate) tier: Tier,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) backend: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cost_usd: Option<f64>,
    #[serde(default)]
    pub(crate) elapsed_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rivals: Vec<Rival>,
}

impl Unfinished {
    /// Returns what the books say of it if it was one draft of several.
    pub(crate) fn into_rival(self) -> Rival {
        Rival {
            tier: self.tier,
            backend: self.backend,
            model: self.model,
            status: self.status,
            usage: self.usage,
            cost_usd: self.cost_usd,
            elapsed_ms: self.elapsed_ms,
            reason: self.reason,
        }
    }

    /// Returns what is kept of an attempt.
    pub(crate) fn of(dispatch: &Dispatch) -> Unfinished {
        Unfinished {
            attempt: dispatch.attempt,
            status: dispatch.status,
            tier: dispatch.tier,
            backend: dispatch.backend.clone(),
            model: dispatch.model.clone(),
            usage: dispatch.usage,
            cost_usd: dispatch.cost_usd,
            elapsed_ms: dispatch.elapsed_ms,
            reason: dispatch.reason.clone(),
            rivals: dispatch.rivals.clone(),
        }
    }

    /// Tells whether it is known to have used or cost something.
    pub(crate) fn has_taken(&self) -> bool {
        self.usage.is_some() || !self.rivals.is_empty() || self.cost_usd.is_some_and(|cost| cost > 0.0)
    }
}

/// What somebody wants to be different when a task is run again. One of the two at least: the same question on the same tier
/// gets the same answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    /// What the executor is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<String>,
    /// One tier up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) escalate: bool,
}

/// A task that was read, as the journal tells it.
pub(super) fn title(text: &str) -> &str {
    const LONGEST: usize = 80;
    let line = text.trim_start().lines().next().unwrap_or_default();
    crate::results::beginning(line, LONGEST)
}

/// The tasks that were read and are not yet in the journal.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    records: Vec<u8>,
}

impl Arrivals {
    /// As many bytes are not held back longer.
    const MANY: usize = 64 << 10;

    /// Notes a task that something is to be done about.
    pub(crate) fn push(&mut self, id: &str, line: u64, text: &str) {
        #[derive(Serialize)]
        struct Arrival<'a> {
            id: &'a str,
            line: u64,
            text: &'a str,
        }
        if !self.records.is_empty() {
            self.records.push(b',');
        }
        // Strings and numbers can always be written, and memory takes all.
        let _ = serde_json::to_writer(&mut self.records, &Arrival { id, line, text: title(text) });
    }

    /// Tells whether there is enough to be written.
    pub(crate) fn are_many(&self) -> bool {
        self.records.len() > Self::MANY
    }

    /// Returns the line that tells them, if there are any, and forgets them.
    pub(super) fn take(&mut self, run: &str) -> Option<Vec<u8>> {
        if self.records.is_empty() {
            return None;
        }
        let at = shared::units::now();
        let mut line =
            format!("{{\"event\":\"read\",\"run\":\"{run}\",\"at\":\"{at}\",\"records\":[").into_bytes();
        line.append(&mut self.records);
        line.extend_from_slice(b"]}\n");
        Some(line)
    }
}
