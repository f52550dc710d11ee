//! What is known of every record read so far: whether its id is taken, how it ended, and what it hands to dependents.
//!
//! A million records have to fit in a few dozen megabytes, so there are 16 bytes for each here; what dependents may ask
//! for lies in a temporary file without a name, once it is more than a few megabytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};
use shared::section::Status;

use crate::schedule::IdHash;

/// How much of an output is handed to a dependent in its prompt.
pub(crate) const HANDED: usize = 64 << 10;

/// How many bytes of results are kept in memory.
const MEMORY: usize = 4 << 20;

/// A map in many small pieces: a single one would need half as much again while it grows.
const SHARDS: usize = 256;

/// What is known of the records read so far.
pub(crate) struct Results {
    shards: Vec<HashMap<u64, Packed>>,
    /// The results before those in `recent`.
    file: Option<File>,
    written: u64,
    recent: Vec<u8>,
}

/// How a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was read on this line and has not left.
    Held(u64),
    /// It ended well; dependents may ask for the result at this place.
    Done(u64),
    /// It was read on this line and has no result to hand on.
    Ended(u64, Ending),
}

/// Why a record has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It could not be processed.
    Errors,
    /// Nothing was done about it yet.
    Waiting,
    /// Its attempt ended so.
    Status(Status),
}

/// What a record hands to those that depend on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Handed {
    /// The line that it was read on.
    pub line: u64,
    /// The id.
    pub id: String,
    /// The attempt that this is the result of.
    pub attempt: u32,
    /// The output, or its beginning.
    pub output: String,
    /// The size of the whole output.
    pub bytes: u64,
    /// Where the whole output is, if that is only its beginning.
    pub file: Option<String>,
    /// The commit that holds the work, where there is one.
    pub commit: Option<String>,
    /// The branch of that commit.
    pub branch: Option<String>,
    /// The worktree of that branch.
    pub worktree: Option<String>,
    /// Whether `verify` has accepted this attempt.
    pub is_accepted: bool,
    /// A hash of all of it, the attempt included: dependents whose inputs are the same need not run again.
    pub fingerprint: String,
}

#[derive(Clone, Copy)]
struct Packed(u64);

impl Packed {
    fn new(standing: Standing) -> Packed {
        let (tag, status, number) = match standing {
            Standing::Held(line) => (0, 0, line),
            Standing::Done(place) => (1, 0, place),
            Standing::Ended(line, Ending::Errors) => (2, 0, line),
            Standing::Ended(line, Ending::Waiting) => (2, 1, line),
            Standing::Ended(line, Ending::Status(status)) => (3, status as u64, line),
        };
        Packed(tag | status << 2 | number << 8)
    }

    fn standing(self) -> Standing {
        let number = self.0 >> 8;
        let detail = (self.0 >> 2 & 63) as usize;
        match (self.0 & 3, STATUSES.get(detail)) {
            (0, _) => Standing::Held(number),
            (1, _) => Standing::Done(number),
            (3, Some(status)) => Standing::Ended(number, Ending::Status(*status)),
            _ if detail == 1 => Standing::Ended(number, Ending::Waiting),
            _ => Standing::Ended(number, Ending::Errors),
        }
    }
}

/// In the order of their discriminants.
const STATUSES: [Status; 12] = [
    Status::Ok,
    Status::Failed,
    Status::Refused,
    Status::Truncated,
    Status::Timeout,
    Status::Transport,
    Status::Auth,
    Status::Quota,
    Status::Budget,
    Status::Unavailable,
    Status::Skipped,
    Status::Cancelled,
];

impl Results {
    pub(crate) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| HashMap::new()).collect();
        Results { shards, file: None, written: 0, recent: Vec::new() }
    }

    /// Notes that an id was read on a line, or returns how the earlier record with this id stands.
    pub(crate) fn claim(&mut self, id: IdHash, line: u64) -> Result<(), Standing> {
        match self.shard(id).entry(id.0) {
            std::collections::hash_map::Entry::Occupied(taken) => Err(taken.get().standing()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(Packed::new(Standing::Held(line)));
                Ok(())
            }
        }
    }

    /// Notes that a record has ended, but not well.
    pub(crate) fn end(&mut self, id: IdHash, line: u64, ending: Ending) {
        self.shard(id).insert(id.0, Packed::new(Standing::Ended(line, ending)));
    }

    /// Notes that a record has ended well, and keeps what it hands to others.
    pub(crate) fn done(&mut self, id: IdHash, handed: &Handed) -> io::Result<()> {
        let place = self.written + self.recent.len() as u64;
        let begin = self.recent.len();
        self.recent.extend_from_slice(&[0; 8]);
        serde_json::to_writer(&mut self.recent, handed)?;
        let length = (self.recent.len() - begin - 8) as u64;
        self.recent[begin..begin + 8].copy_from_slice(&length.to_le_bytes());
        if self.recent.len() >= MEMORY {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile()?),
            };
            file.write_all(&self.recent)?;
            self.written += self.recent.len() as u64;
            self.recent.clear();
        }
        self.shard(id).insert(id.0, Packed::new(Standing::Done(place)));
        Ok(())
    }

    /// Returns how the record with this id stands, if it was read.
    pub(crate) fn standing(&self, id: IdHash) -> Option<Standing> {
        let shard = &self.shards[id.0 as usize % SHARDS];
        shard.get(&id.0).map(|packed| packed.standing())
    }

    /// Returns what the record at this place hands over.
    pub(crate) fn handed(&self, place: u64) -> io::Result<Handed> {
        let mut length = [0; 8];
        self.read_at(place, &mut length)?;
        let mut bytes = vec![0; u64::from_le_bytes(length) as usize];
        self.read_at(place + 8, &mut bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<()> {
        match (place.checked_sub(self.written), &self.file) {
            (Some(begin), _) => {
                let begin = begin as usize;
                let bytes =
                    self.recent.get(begin..begin + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
                buffer.copy_from_slice(bytes);
                Ok(())
            }
            (None, Some(file)) => file.read_exact_at(buffer, place),
            (None, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn shard(&mut self, id: IdHash) -> &mut HashMap<u64, Packed> {
        &mut self.shards[id.0 as usize % SHARDS]
    }
}

/// Returns the beginning of a text, cut between characters.
pub(crate) fn beginning(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    // Position 0 is between characters, so there always is one.
    let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_survives_packing() {
        let mut standings =
            vec![Standing::Held(7), Standing::Done(1 << 50), Standing::Ended(12, Ending::Errors)];
        standings.push(Standing::Ended(13, Ending::Waiting));
        standings.extend(STATUSES.map(|status| Standing::Ended(1_000_000, Ending::Status(status))));
        for standing in standings {
            assert_eq!(Packed::new(standing).standing(), standing);
        }
    }

    #[test]
    fn results_come_back_from_memory_and_from_the_file() {
        let mut results = Results::new();
        let handed = |n: u64| Handed { id: n.to_string(), output: "x".repeat(10_000), ..Handed::default() };
        for n in 0..1000 {
            results.claim(IdHash(n), n).unwrap();
            results.done(IdHash(n), &handed(n)).unwrap();
        }
        for n in [0, 500, 999] {
            let Some(Standing::Done(place)) = results.standing(IdHash(n)) else { panic!("{n} is not done") };
            assert_eq!(results.handed(place).unwrap(), handed(n));
        }
        assert_eq!(results.standing(IdHash(1000)), None);
    }

    #[test]
    fn an_id_can_be_claimed_once() {
        let mut results = Results::new();
        assert_eq!(results.claim(IdHash::of("a"), 1), Ok(()));
        assert_eq!(results.claim(IdHash::of("a"), 2), Err(Standing::Held(1)));
        let failed = Ending::Status(Status::Failed);
        results.end(IdHash::of("a"), 1, failed);
        assert_eq!(results.claim(IdHash::of("a"), 3), Err(Standing::Ended(1, failed)));
    }
}
