//! What was answered before, so that the same question is not paid for twice.
//!
//! The file `.specpipe/asked.jsonl`, one answer a line, is only appended to. Answers are found by a hash of all that the
//! question depends on: the rubric, who is asked, and the text. A file that has grown large is put aside as
//! `asked.jsonl.old`, in place of the one before: both are read, so what was asked lately is always known, and there are never
//! more than two. What can not be read is passed over; a file that can not be written costs money, and no answer.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::{notes, units};

use super::answer::Answer;
use super::question::RUBRIC;

/// The name of the file in the state directory.
const FILE: &str = "asked.jsonl";

/// A file of so many bytes is put aside: about 12,000 answers.
const LARGE: u64 = 4 << 20;

/// What an answer depends on, hashed: 128 bits of BLAKE3, in hexadecimal.
pub(super) type Key = String;

/// Returns the key of the question about a text.
pub(super) fn key(backend: &str, model: Option<&str>, text: &str) -> Key {
    let mut hasher = blake3::Hasher::new();
    for part in [RUBRIC, backend, model.unwrap_or_default(), text] {
        // With its length, so that two parts can not pass for one.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// An answer, and who gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) at: String,
    pub(super) key: Key,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    pub(super) answer: Answer,
}

impl Entry {
    pub(super) fn now(key: Key, model: Option<String>, answer: Answer) -> Entry {
        Entry { at: units::now(), key, model, answer }
    }
}

/// The answers that are known.
pub(super) struct Memory {
    path: PathBuf,
    known: HashMap<Key, Entry>,
}

impl Memory {
    /// Reads what is known in a state directory.
    pub(super) fn read(state: &Path) -> Memory {
        let path = state.join(FILE);
        let mut known = HashMap::new();
        for path in [old(&path), path.clone()] {
            let bytes = notes::tail(&path, 2 * LARGE).unwrap_or_default();
            for line in bytes.split(|byte| *byte == b'\n') {
                let Ok(entry) = serde_json::from_slice::<Entry>(line) else { continue };
                let Entry { at, key, model, answer } = entry;
                // A file may have been edited; what it says is as strictly judged as what a model says.
                if let Some(answer) = answer.checked() {
                    known.insert(key.clone(), Entry { at, key, model, answer });
                }
            }
        }
        Memory { path, known }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.known.get(key)
    }

    /// Keeps answers, here and in the file.
    ///
    /// # Errors
    /// If the file can not be written; they are known here all the same.
    pub(super) fn keep(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let is_large = std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() > LARGE);
        // Whoever still writes to it by its old name loses nothing: that is read, too.
        let made_room = if is_large { std::fs::rename(&self.path, old(&self.path)) } else { Ok(()) };
        let written = made_room.and_then(|()| notes::append(&self.path, &entries));
        self.known.extend(entries.into_iter().map(|entry| (entry.key.clone(), entry)));
        written
    }
}

fn old(path: &Path) -> PathBuf {
    path.with_extension("jsonl.old")
}

#[cfg(test)]
mod tests {
    use shared::section::{Risk, Tier};

    use super::*;

    fn entry(text: &str) -> Entry {
        let answer = Answer {
            tier: Tier::TWO,
            risk: Risk::Low,
            clear: true,
            compound: false,
            executor: "implement".to_owned(),
            because: "x".repeat(150),
        };
        Entry::now(key("b", None, text), Some("m".to_owned()), answer)
    }

    #[test]
    fn a_key_is_of_all_that_the_answer_depends_on() {
        let first = key("b", None, "text");
        assert_eq!(first, key("b", None, "text"));
        for other in [
            key("b", None, "text "),
            key("a", None, "text"),
            key("b", Some("m"), "text"),
            key("bt", None, "ext"),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn what_was_kept_is_known_again_whatever_else_is_in_the_file() {
        let state = tempfile::tempdir().unwrap();
        let mut memory = Memory::read(state.path());
        memory.keep(vec![entry("a"), entry("b")]).unwrap();
        let path = state.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        let forged = serde_json::to_string(&entry("c")).unwrap().replace("implement", "root");
        bytes.extend(format!("{forged}\nnonsense \n\n{{\"key\":1}}\n").bytes().chain(*b"\xff\n{\"at\":"));
        std::fs::write(&path, bytes).unwrap();
        let mut memory = Memory::read(state.path());
        memory.keep(vec![entry("d")]).unwrap();
        let memory = Memory::read(state.path());
        let known = |text: &str| memory.get(&key("b", None, text)).is_some();
        assert_eq!(["a", "b", "c", "d"].map(known), [true, true, false, true]);
    }

    #[test]
    fn a_large_file_is_put_aside_and_still_known() {
        let state = tempfile::tempdir().unwrap();
        let mut memory = Memory::read(state.path());
        memory.keep(vec![entry("first")]).unwrap();
        let path = state.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.resize(LARGE as usize + 1, b' ');
        std::fs::write(&path, bytes).unwrap();
        memory.keep(vec![entry("second")]).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 1000);
        let memory = Memory::read(state.path());
        assert!(["first", "second"].iter().all(|text| memory.get(&key("b", None, text)).is_some()));
    }

    #[test]
    fn where_nothing_can_be_written_it_is_known_all_the_same() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join("file");
        std::fs::write(&file, "").unwrap();
        let mut memory = Memory::read(&file);
        assert!(memory.keep(vec![entry("a")]).is_err());
        assert!(memory.get(&key("b", None, "a")).is_some());
    }
}
