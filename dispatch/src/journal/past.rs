//! What earlier runs have left: the finished attempts, what unfinished ones took, and what somebody wants made again.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::Deserialize;
use shared::section::{Dispatch, Rival};

use super::event::{Retry, Unfinished};
use super::file::each_line;
use super::key::Key;

/// What is known of attempts that were made before, by their keys.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Where the line of each finished attempt is.
    finished: HashMap<Key, (u64, u64)>,
    unfinished: HashMap<Key, Unfinished>,
    retries: HashMap<Key, Retry>,
    /// Where the lines are of drafts that were paid for and lost, in attempts that have not finished.
    lost: HashMap<Key, Vec<(u64, u64)>>,
}

/// What is known of one attempt.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// How it ended, if it has done its work.
    pub(crate) finished: Option<Dispatch>,
    /// What it took, if it has not, and that is known.
    pub(crate) unfinished: Option<Unfinished>,
    /// What is to be different when it is made again.
    pub(crate) retry: Option<Retry>,
}

/// What a reader needs of a line before it needs all of it.
#[derive(Deserialize)]
struct Head<'a> {
    event: &'a str,
    key: Option<&'a str>,
}

#[derive(Deserialize)]
struct Finished {
    dispatch: Dispatch,
}

#[derive(Deserialize)]
struct Lost {
    rival: Rival,
}

impl Past {
    /// Reads the journal. What was started again later has not finished, and whoever started it has books of their own.
    pub(super) fn read(file: &File) -> io::Result<Past> {
        let mut past = Past::default();
        each_line(file, 0, |at, line| {
            let Ok(head) = serde_json::from_slice::<Head>(line) else {
                return line.iter().all(u8::is_ascii_whitespace);
            };
            if let Some(key) = head.key.and_then(Key::from_hex) {
                past.take(head.event, key, at, line);
            }
            true
        })?;
        Ok(past)
    }

    fn take(&mut self, event: &str, key: Key, at: u64, line: &[u8]) {
        match event {
            "finished" => {
                self.finished.insert(key, (at, line.len() as u64));
                self.unfinished.remove(&key);
                // They are in the record of the result.
                self.lost.remove(&key);
            }
            "lost" => self.lost.entry(key).or_default().push((at, line.len() as u64)),
            "retry" => self.retries.extend(serde_json::from_slice(line).ok().map(|retry| (key, retry))),
            event => {
                self.finished.remove(&key);
                let took = match event {
                    "settled" => {
                        serde_json::from_slice::<Unfinished>(line).ok().filter(Unfinished::has_taken)
                    }
                    _ => None,
                };
                match took {
                    Some(took) => drop(self.unfinished.insert(key, took)),
                    None => {
                        self.unfinished.remove(&key);
                        self.retries.remove(&key);
                    }
                }
            }
        }
    }

    /// Returns what is known of an attempt.
    pub(super) fn lookup(&self, file: &File, key: Key) -> io::Result<Known> {
        let finished = match self.finished.get(&key) {
            None => None,
            Some((start, length)) => {
                let mut line = vec![0; *length as usize];
                file.read_exact_at(&mut line, *start)?;
                serde_json::from_slice::<Finished>(&line).ok().map(|finished| finished.dispatch)
            }
        };
        let (unfinished, retry) = (self.unfinished.get(&key).cloned(), self.retries.get(&key).cloned());
        Ok(Known { finished, unfinished, retry })
    }
}

impl Past {
    /// Returns the drafts of an attempt that were paid for and lost before it could finish.
    pub(super) fn lost(&self, file: &File, key: Key) -> io::Result<Vec<Rival>> {
        let mut lost = Vec::new();
        for (start, length) in self.lost.get(&key).into_iter().flatten() {
            let mut line = vec![0; *length as usize];
            file.read_exact_at(&mut line, *start)?;
            lost.extend(serde_json::from_slice::<Lost>(&line).ok().map(|lost| lost.rival));
        }
        Ok(lost)
    }
}

/// Returns the lines of a journal that still say something: those of keys as they stand, and what runs there were.
pub(super) fn essence(file: &File) -> io::Result<Vec<u8>> {
    let past = Past::read(file)?;
    let mut kept = Vec::new();
    each_line(file, 0, |at, line| {
        let Ok(head) = serde_json::from_slice::<Head>(line) else { return false };
        let is_kept = match (head.event, head.key.and_then(Key::from_hex)) {
            ("finished", Some(key)) => past.finished.get(&key).is_some_and(|(place, _)| *place == at),
            ("settled", Some(key)) => past.unfinished.contains_key(&key),
            ("lost", Some(key)) => {
                past.lost.get(&key).is_some_and(|places| places.iter().any(|place| place.0 == at))
            }
            ("retry", Some(key)) => past.retries.contains_key(&key),
            ("run" | "ended", _) => true,
            _ => false,
        };
        if is_kept {
            kept.extend_from_slice(line);
        }
        true
    })?;
    Ok(kept)
}
