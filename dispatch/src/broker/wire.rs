//! What dispatcher and workers say to each other: one JSON object a message.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::Record;
use shared::section::{Dispatch, Status};

use crate::incoming::Need;
use crate::results::Handed;

/// The version of these messages. A worker refuses an order of another one, and somebody else may take it.
pub(crate) const VERSION: u32 = 1;

/// The members of a record that an attempt depends on; the others stay with the dispatcher.
const MEMBERS: [&str; 6] = ["id", "task", "classify", "dispatch", "verify", "gates"];

/// A task for whoever takes it first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) version: u32,
    /// The key of the attempt in the dispatcher's journal.
    pub(crate) key: String,
    /// Where reports go.
    pub(crate) reply: String,
    /// The record, with the members that the attempt depends on.
    pub(crate) record: Box<RawValue>,
    /// What is to be done about it.
    pub(crate) need: Need,
    /// The results that it builds on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) inputs: Vec<Handed>,
    /// The outputs that are too large for the above: the path that the input names, and the bytes in base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<(String, String)>,
    /// The commit that the dispatcher's checkout stands at, where it is a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    /// The commits of its inputs as a git bundle in base64, on top of `commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bundle: Option<String>,
}

/// What a worker tells about an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The key of the order.
    pub(crate) key: String,
    /// The draft that this is about.
    pub(crate) draft: Draft,
    pub(crate) event: Event,
}

/// One delivery of an order: no two of the same order have the same numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// The place of the order in the queue.
    pub(crate) place: u64,
    /// How many times it has been delivered, this time included.
    pub(crate) delivery: u64,
    /// Who took it.
    pub(crate) worker: String,
}

/// What happened to a draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one at a time, on its way between two threads")]
pub(crate) enum Event {
    /// The worker is about to start; from now on it may cost something.
    Started,
    /// It has come to an end.
    Ended {
        /// What came of it.
        dispatch: Dispatch,
        /// Whether this is a result, or only what it cost: somebody else is to try.
        is_final: bool,
        /// The whole output in base64, where the section has only its beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whole: Option<String>,
        /// The commit of the section as a git bundle in base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bundle: Option<String>,
    },
}

impl Order {
    /// Returns the bytes of a file that an input names.
    pub(crate) fn file(&self, path: &str) -> Option<Result<Vec<u8>, shared::Problem>> {
        let (_, bytes) = self.files.iter().find(|(name, _)| name == path)?;
        Some(super::carry::decode(bytes))
    }
}

impl Report {
    /// Returns what no other report has: a second copy of this one is told by it.
    pub(crate) fn message_id(&self) -> String {
        let Draft { place, delivery, worker } = &self.draft;
        let event = match self.event {
            Event::Started => "started",
            Event::Ended { .. } => "ended",
        };
        format!("{}.{place}.{delivery}.{worker}.{event}", self.key)
    }
}

/// Returns the members of a record that a worker needs.
pub(crate) fn pared(record: &Record) -> Box<RawValue> {
    let members = MEMBERS.iter().filter_map(|name| Some((*name, record.raw(name)?.to_owned())));
    let line = Record::from_members(members).to_line().into_owned();
    RawValue::from_string(line).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Tells whether another worker may do better: this one could not do its work, which says nothing about the task.
pub(crate) fn is_refusal(status: Status) -> bool {
    matches!(
        status,
        Status::Unavailable
            | Status::Auth
            | Status::Quota
            | Status::Transport
            | Status::Budget
            | Status::Cancelled
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_told_what_an_attempt_depends_on_and_nothing_else() {
        let line = r#"{"x":1.10,"id":"a","task":{"text":"t","context":{"n":1.10}},"errors":[],"classify":{"tier":2}}"#;
        let record = Record::parse(line.to_owned()).unwrap();
        let pared = pared(&record);
        assert_eq!(
            pared.get(),
            r#"{"id":"a","task":{"text":"t","context":{"n":1.10}},"classify":{"tier":2}}"#
        );
    }
}
