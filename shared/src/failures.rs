//! The memory of failures: what went wrong on which task, so that a similar one is looked at twice (seed 003).
//!
//! It is the file `.specpipe/memory/failures.jsonl`, one JSON object a line, which is only ever appended to. A line is an
//! [`Entry`]: a failure that was seen, or the note that one has been fixed. Lines with the same signature speak of the
//! same failure: how often it came back is how many there are, and whether it is fixed is what the last of them says.
//! So any number of writers can work on it at once, and none of them has to rewrite what another one wrote.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::notes;

/// Where the memory is, below the state directory.
pub const FILE: &str = "memory/failures.jsonl";

/// Of a longer memory, the last so many bytes are read: what is older has faded anyway.
const MOST: u64 = 32 << 20;

/// The different tasks of one failure that are kept.
const TASKS: usize = 8;

/// A line of the memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was seen, or fixed: RFC 3339, in UTC.
    pub at: String,
    /// What makes it the same failure as another one, see [`signature`].
    pub signature: String,
    /// The id of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The text of the task.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub task: String,
    /// The kind of failure, such as a subclass of `verify.failure`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// What was said about it, such as the error message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Why it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Whether it has been fixed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
    /// How it was fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// Why a failure happened, and what prevents it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The kind of cause, such as `validation` or `dependency`.
    pub category: String,
    /// The cause in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// What to do so that it does not happen again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prevention: String,
    /// What would have shown it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
}

/// A failure, all lines about it taken together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// What makes it the same failure as another one.
    pub signature: String,
    /// The tasks it was seen on, the last one first; at most eight.
    pub tasks: Vec<String>,
    /// The kind of failure.
    pub kind: String,
    /// What was said about it last.
    pub message: String,
    /// Why it happened, where somebody found out.
    pub cause: Option<Cause>,
    /// How often it came back after the first time.
    pub recurrence: u32,
    /// When it was seen last, in seconds since 1970.
    pub last: i64,
    /// Whether it has been fixed and not been seen since.
    pub fixed: bool,
    /// How it was fixed last.
    pub fix: Option<String>,
}

/// What is known about failures.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The failures, in the order in which they were first seen.
    pub failures: Vec<Failure>,
    /// The numbers of the lines that can not be read, from 1.
    pub broken: Vec<u64>,
}

/// Returns where the memory of a state directory is.
pub fn path(state: &Path) -> PathBuf {
    state.join(FILE)
}

impl Memory {
    /// Reads a memory. One that does not exist is empty.
    ///
    /// A line that can not be read is noted in `broken`; but for the last one if it has no end: its writer was killed.
    ///
    /// # Errors
    /// If the file is there and can not be read.
    pub fn read(path: &Path) -> io::Result<Memory> {
        Ok(Memory::parse(&notes::tail(path, MOST)?))
    }

    fn parse(bytes: &[u8]) -> Memory {
        let mut memory = Memory::default();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (at, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let is_whole = line.ends_with(b"\n");
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let entry = serde_json::from_slice::<Entry>(line).ok();
            let read = entry.and_then(|entry| {
                let seen = entry.at.parse::<Timestamp>().ok()?.as_second();
                (!entry.signature.is_empty()).then_some((entry, seen))
            });
            let Some((entry, seen)) = read else {
                if is_whole {
                    memory.broken.push(at as u64 + 1);
                }
                continue;
            };
            let index = *known.entry(entry.signature.clone()).or_insert(memory.failures.len());
            if index == memory.failures.len() {
                memory.failures.push(Failure { signature: entry.signature.clone(), ..Failure::default() });
                memory.failures[index].learn(entry, seen, true);
            } else {
                memory.failures[index].learn(entry, seen, false);
            }
        }
        memory
    }
}

impl Failure {
    /// Returns the day on which it was seen last, such as `2026-01-31`.
    pub fn day(&self) -> String {
        let at = Timestamp::from_second(self.last).unwrap_or_default();
        at.strftime("%Y-%m-%d").to_string()
    }

    fn learn(&mut self, entry: Entry, seen: i64, is_first: bool) {
        if entry.fixed {
            self.fixed = true;
        } else {
            self.recurrence += u32::from(!is_first);
            self.fixed = false;
            self.last = self.last.max(seen);
        }
        if is_first {
            self.last = seen;
        }
        if !entry.task.is_empty() {
            self.tasks.retain(|task| *task != entry.task);
            self.tasks.insert(0, entry.task);
            self.tasks.truncate(TASKS);
        }
        for (mine, new) in [(&mut self.kind, entry.kind), (&mut self.message, entry.message)] {
            if !new.is_empty() {
                *mine = new;
            }
        }
        self.cause = entry.cause.or(self.cause.take());
        self.fix = entry.fix.or(self.fix.take());
    }
}

/// Appends a line to the memory, which is made if need be.
///
/// # Errors
/// If it can not be written.
pub fn append(path: &Path, entry: &Entry) -> io::Result<()> {
    notes::append(path, [entry])
}

/// Returns what makes two failures the same: the task, the kind and the message, without what changes from one run to
/// the next (numbers, addresses, paths, case). 128 bits of BLAKE3, in hexadecimal.
pub fn signature(task: &str, kind: &str, message: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [task, kind, message] {
        let part = normalized(part);
        // With their lengths: "ab" and "c" are not "a" and "bc".
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Returns a text without what changes from one run to the next: a number becomes `#`, a path its last component, and
/// case and white space do not count.
pub fn normalized(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let word = if word.contains("://") { word } else { last_component(word) };
        let word = word.to_lowercase();
        for piece in word.split_inclusive(|c: char| !c.is_alphanumeric()) {
            let body = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
            let is_number = body.bytes().any(|byte| byte.is_ascii_digit())
                && (body.bytes().all(|byte| byte.is_ascii_hexdigit()) || body.starts_with("0x"));
            if is_number {
                out.push('#');
            } else {
                out.extend(body.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }));
            }
            out.push_str(&piece[body.len()..]);
        }
    }
    out
}

/// `/tmp/x1/src/a.rs:17` is `a.rs:17`; `and/or` and `/` are themselves.
fn last_component(word: &str) -> &str {
    match word.trim_end_matches('/').rsplit_once('/') {
        Some((before, last))
            if !last.is_empty()
                && (before.is_empty() || before.contains(['/', '.']) || last.contains('.')) =>
        {
            last
        }
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: &str, task: &str, message: &str) -> Entry {
        Entry {
            at: at.to_owned(),
            signature: signature(task, "exception", message),
            task: task.to_owned(),
            kind: "exception".to_owned(),
            message: message.to_owned(),
            ..Entry::default()
        }
    }

    fn place() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = path(directory.path());
        (directory, path)
    }

    #[test]
    fn a_memory_that_is_not_there_is_empty_and_one_that_cannot_be_read_is_an_error() {
        let (directory, path) = place();
        assert!(Memory::read(&path).unwrap().failures.is_empty());
        assert!(Memory::read(directory.path()).is_err());
    }

    #[test]
    fn the_same_failure_recurs_is_fixed_and_opens_again() {
        let (_directory, path) = place();
        let first = entry("2026-01-01T00:00:00Z", "Load /tmp/a1/in.csv", "line 17: no such column");
        let again = entry("2026-01-03T00:00:00Z", "Load /tmp/b2/in.csv", "line 99: no such  column");
        let fixed = Entry {
            at: "2026-01-04T00:00:00Z".to_owned(),
            signature: first.signature.clone(),
            fixed: true,
            fix: Some("names are trimmed".to_owned()),
            ..Entry::default()
        };
        append(&path, &first).unwrap();
        append(&path, &again).unwrap();
        let memory = Memory::read(&path).unwrap();
        assert_eq!(memory.failures.len(), 1);
        assert_eq!((memory.failures[0].recurrence, memory.failures[0].fixed), (1, false));
        assert_eq!(memory.failures[0].last, "2026-01-03T00:00:00Z".parse::<Timestamp>().unwrap().as_second());
        assert_eq!(memory.failures[0].tasks, [again.task.clone(), first.task.clone()]);
        append(&path, &fixed).unwrap();
        let failure = &Memory::read(&path).unwrap().failures[0];
        assert_eq!((failure.fixed, failure.recurrence), (true, 1));
        assert_eq!(
            (failure.message.as_str(), failure.fix.as_deref()),
            (again.message.as_str(), fixed.fix.as_deref())
        );
        append(&path, &first).unwrap();
        let failure = &Memory::read(&path).unwrap().failures[0];
        assert_eq!((failure.fixed, failure.recurrence), (false, 2));
    }

    #[test]
    fn broken_lines_are_told_and_the_rest_is_read() {
        let (_directory, path) = place();
        append(&path, &entry("2026-01-01T00:00:00Z", "a", "x")).unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        text += "not json\n\n{\"at\":\"yesterday\",\"signature\":\"s\"}\n{\"at\":\"2026-01-01T00:00:00Z\",\"signa";
        std::fs::write(&path, &text).unwrap();
        let memory = Memory::read(&path).unwrap();
        assert_eq!((memory.failures.len(), memory.broken.as_slice()), (1, &[2, 4][..]));
        // The next writer does not write into the line that was left unfinished.
        append(&path, &entry("2026-01-02T00:00:00Z", "b", "y")).unwrap();
        let memory = Memory::read(&path).unwrap();
        assert_eq!((memory.failures.len(), memory.broken.as_slice()), (2, &[2, 4, 5][..]));
    }

    #[test]
    fn many_writers_lose_nothing() {
        let (_directory, path) = place();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for number in 0..50 {
                        let task = format!("{} {}", "abcdefgh".repeat(40), char::from(b'a' + writer));
                        let message = char::from(b'a' + number % 26).to_string();
                        append(path, &entry("2026-01-01T00:00:00Z", &task, &message)).unwrap();
                    }
                });
            }
        });
        let memory = Memory::read(&path).unwrap();
        assert!(memory.broken.is_empty());
        let seen: u32 = memory.failures.iter().map(|failure| failure.recurrence + 1).sum();
        assert_eq!((memory.failures.len(), seen), (8 * 26, 8 * 50));
    }

    #[test]
    fn a_signature_leaves_out_what_changes_and_keeps_what_does_not() {
        let same = |a: [&str; 3], b: [&str; 3]| signature(a[0], a[1], a[2]) == signature(b[0], b[1], b[2]);
        assert!(same(["a", "k", "at 0x7f3a: line 12"], ["A", "k", "at 0x8b11:  line 7"]));
        assert!(same(["a", "k", "/home/u/p/src/x.rs:3:1: no"], ["a", "k", "/root/src/x.rs:30:14: no"]));
        assert!(same(["a", "k", "2026-01-02T10:00:01Z x"], ["a", "k", "2025-11-12T23:59:59Z x"]));
        assert!(!same(["ab", "c", ""], ["a", "bc", ""]));
        assert!(!same(["a", "k", "no such file a.rs"], ["a", "k", "no such file b.rs"]));
        assert!(!same(["a", "k", "either/or"], ["a", "k", "neither/or"]));
    }
}
