//! What was started and what has finished, so that a run that was killed can go on where it was.
//!
//! One append-only file of JSON lines for all runs of a project. Every line is written by one `write`, so that lines of
//! runs at the same time do not mix; a line that was torn by a crash is closed by the next run and passed over by readers.
//! A task is known by a hash of all that its result depends on, not by its place in the input: in an input with lines
//! inserted, edited or in another order exactly what changed is run again. Lines reach the disk within a tenth of a second, by a
//! thread of their own; a kill of the process alone loses nothing.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use shared::section::{Dispatch, Rival, Status};
use shared::{units, warden};

/// The name of the file in the state directory.
const FILE: &str = "journal/dispatch.jsonl";

/// A journal larger than this is put aside by the next run that starts afresh.
const LARGE: u64 = 256 << 20;

/// How long lines are gathered before the disk is asked to keep them.
const GATHER: Duration = Duration::from_millis(50);

/// What a result depends on, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 16]);

impl Key {
    /// Returns the key of these parts, in this order.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Key {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            // With its length, so that two parts can not pass for one.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Key(key)
    }

    /// Returns the key of a draft of the attempt with this key.
    pub(crate) fn of_draft(self, number: u8) -> Key {
        Key::of([&self.0[..], b"draft", &[number]])
    }

    /// Returns it in hexadecimal.
    pub(crate) fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn from_hex(text: &str) -> Option<Key> {
        let digits = text
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        let bytes: Vec<u8> = digits.collect::<Option<_>>()?;
        Some(Key(bytes.try_into().ok()?))
    }
}

/// The journal of a project.
pub(crate) struct Journal {
    file: Arc<File>,
    /// Where the finished line of each key is, if results of earlier runs are to be used.
    finished: HashMap<Key, (u64, u64)>,
    /// Where the lines are of drafts that were paid for and lost, in attempts that have not finished.
    lost: HashMap<Key, Vec<(u64, u64)>>,
    sync: Arc<Sync>,
}

#[derive(Default)]
struct Sync {
    is_dirty: Mutex<Option<bool>>,
    wake: Condvar,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Started { run: &'a str, key: String, id: &'a str, attempt: u32, at: String },
    Finished { run: &'a str, key: String, id: &'a str, dispatch: &'a Dispatch },
    Lost { run: &'a str, key: String, id: &'a str, rival: &'a Rival },
}

/// What a reader needs of a line before it needs all of it.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    event: &'a str,
    key: &'a str,
}

#[derive(Deserialize)]
struct Finished {
    dispatch: Dispatch,
}

#[derive(Deserialize)]
struct Lost {
    rival: Rival,
}

impl Journal {
    /// Opens the journal in the state directory; with `resume`, what earlier runs have finished is looked up there.
    pub(crate) fn open(state: &Path, resume: bool) -> io::Result<Journal> {
        let path = state.join(FILE);
        std::fs::create_dir_all(path.parent().unwrap_or(state))?;
        let mut file = open(&path)?;
        if !resume
            && file.metadata()?.len() > LARGE
            && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            // Nobody else writes to it, and nobody has asked for what is in it.
            std::fs::rename(&path, path.with_extension("jsonl.old"))?;
            file = open(&path)?;
        }
        // Held as long as this run writes, so that nobody puts the file aside meanwhile. Where locks do not work
        // (some network file systems) the file is never put aside.
        let _ = flock(&file, FlockOperation::LockShared);
        close_torn_line(&file)?;
        let Found { finished, lost } = if resume { read(&file)? } else { Found::default() };
        let file = Arc::new(file);
        let sync = Arc::new(Sync { is_dirty: Mutex::new(Some(false)), wake: Condvar::new() });
        let (to_sync, signal) = (Arc::clone(&file), Arc::clone(&sync));
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || signal.keep(&to_sync))?;
        Ok(Journal { file, finished, lost, sync })
    }

    /// Notes that an attempt is about to start.
    pub(crate) fn started(&self, key: Key, id: &str, attempt: u32) -> io::Result<()> {
        self.append(&Event::Started { run: warden::mark(), key: key.to_hex(), id, attempt, at: units::now() })
    }

    /// Notes how an attempt has ended. What did not get to do its work has not finished: a later run tries it again.
    pub(crate) fn finished(&self, key: Key, id: &str, dispatch: &Dispatch) -> io::Result<()> {
        match dispatch.status {
            Status::Transport | Status::Auth | Status::Quota | Status::Cancelled => Ok(()),
            Status::Budget | Status::Unavailable | Status::Skipped => Ok(()),
            _ => self.append(&Event::Finished { run: warden::mark(), key: key.to_hex(), id, dispatch }),
        }
    }

    /// Notes that a draft of an attempt was paid for and is not its result, however it has ended.
    pub(crate) fn lost(&self, key: Key, id: &str, rival: &Rival) -> io::Result<()> {
        self.append(&Event::Lost { run: warden::mark(), key: key.to_hex(), id, rival })
    }

    fn append(&self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let written = (&*self.file).write(&line)?;
        if written < line.len() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the line could not be written whole"));
        }
        let mut is_dirty = self.sync.is_dirty.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_dirty == Some(false) {
            *is_dirty = Some(true);
            self.sync.wake.notify_one();
        }
        Ok(())
    }

    /// Returns how the attempt with this key ended in an earlier run, if it did.
    pub(crate) fn lookup(&self, key: Key) -> io::Result<Option<Dispatch>> {
        let Some((start, length)) = self.finished.get(&key) else { return Ok(None) };
        let mut line = vec![0; *length as usize];
        self.file.read_exact_at(&mut line, *start)?;
        Ok(serde_json::from_slice::<Finished>(&line).ok().map(|finished| finished.dispatch))
    }
}

impl Journal {
    /// Returns the drafts of an attempt that an earlier run has paid for, and that lost before it was killed.
    pub(crate) fn lost_before(&self, key: Key) -> io::Result<Vec<Rival>> {
        let mut lost = Vec::new();
        for (start, length) in self.lost.get(&key).into_iter().flatten() {
            let mut line = vec![0; *length as usize];
            self.file.read_exact_at(&mut line, *start)?;
            lost.extend(serde_json::from_slice::<Lost>(&line).ok().map(|lost| lost.rival));
        }
        Ok(lost)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        *self.sync.is_dirty.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.sync.wake.notify_one();
        let _ = self.file.sync_data();
    }
}

impl Sync {
    /// Asks the disk to keep what was written, a while after it was, until the journal is closed.
    fn keep(&self, file: &File) {
        let mut is_dirty = self.is_dirty.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *is_dirty {
                None => return,
                Some(false) => is_dirty = self.wake.wait(is_dirty).unwrap_or_else(PoisonError::into_inner),
                Some(true) => {
                    drop(is_dirty);
                    std::thread::sleep(GATHER);
                    is_dirty = self.is_dirty.lock().unwrap_or_else(PoisonError::into_inner);
                    if is_dirty.is_none() {
                        return;
                    }
                    *is_dirty = Some(false);
                    drop(is_dirty);
                    let _ = file.sync_data();
                    is_dirty = self.is_dirty.lock().unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

/// Ends a line that a crash has left without its end. If it was only being written, the empty line does no harm.
fn close_torn_line(file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last == *b"\n" { Ok(()) } else { (&*file).write_all(b"\n") }
}

/// Where the lines are that a later run asks for.
#[derive(Default)]
struct Found {
    finished: HashMap<Key, (u64, u64)>,
    lost: HashMap<Key, Vec<(u64, u64)>>,
}

/// Finds the finished lines. What was started again later has not finished.
fn read(file: &File) -> io::Result<Found> {
    let mut found = Found::default();
    let mut reader = BufReader::with_capacity(1 << 20, file);
    reader.seek(SeekFrom::Start(0))?;
    let (mut start, mut line) = (0, Vec::new());
    let end = file.metadata()?.len();
    let mut reader = reader.take(end);
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            return Ok(found);
        }
        if let Ok(head) = serde_json::from_slice::<Head>(&line)
            && let Some(key) = Key::from_hex(head.key)
        {
            match head.event {
                "finished" => {
                    found.finished.insert(key, (start, length));
                    // They are in the record of the result.
                    found.lost.remove(&key);
                }
                "lost" => found.lost.entry(key).or_default().push((start, length)),
                _ => {
                    found.finished.remove(&key);
                }
            }
        }
        start += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dispatch(output: &str) -> Dispatch {
        let json = serde_json::json!({
            "attempt": 1, "status": "ok", "executor": "explore", "tier": 1, "output": output,
        });
        serde_json::from_value(json).unwrap()
    }

    fn key(name: &str) -> Key {
        Key::of([name.as_bytes()])
    }

    #[test]
    fn a_key_is_of_its_parts_and_where_they_end() {
        assert_eq!(Key::of([&b"ab"[..], b"c"]), Key::of([&b"ab"[..], b"c"]));
        assert_ne!(Key::of([&b"ab"[..], b"c"]), Key::of([&b"a"[..], b"bc"]));
        assert_eq!(Key::from_hex(&key("x").to_hex()), Some(key("x")));
        assert_eq!(Key::from_hex("zz"), None);
    }

    #[test]
    fn what_has_finished_is_found_again_and_what_was_only_started_is_not() {
        let state = tempfile::tempdir().unwrap();
        let journal = Journal::open(state.path(), false).unwrap();
        for name in ["a", "b", "c"] {
            journal.started(key(name), name, 1).unwrap();
        }
        journal.finished(key("a"), "a", &dispatch("one")).unwrap();
        journal.finished(key("b"), "b", &dispatch("two")).unwrap();
        journal.started(key("b"), "b", 1).unwrap();
        drop(journal);
        let journal = Journal::open(state.path(), true).unwrap();
        assert_eq!(journal.lookup(key("a")).unwrap(), Some(dispatch("one")));
        assert_eq!(journal.lookup(key("b")).unwrap(), None, "started again and not finished");
        assert_eq!(journal.lookup(key("c")).unwrap(), None);
        drop(journal);
        assert_eq!(
            Journal::open(state.path(), false).unwrap().lookup(key("a")).unwrap(),
            None,
            "not asked to resume"
        );
    }

    #[test]
    fn a_torn_line_is_closed_and_costs_only_itself() {
        let state = tempfile::tempdir().unwrap();
        let journal = Journal::open(state.path(), false).unwrap();
        journal.finished(key("a"), "a", &dispatch("one")).unwrap();
        journal.finished(key("b"), "b", &dispatch("two")).unwrap();
        drop(journal);
        let path = state.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in first..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let journal = Journal::open(state.path(), true).unwrap();
            assert_eq!(journal.lookup(key("a")).unwrap(), Some(dispatch("one")), "{length}");
            // All but the line break is a whole line: what it says happened.
            assert_eq!(journal.lookup(key("b")).unwrap().is_some(), length == whole.len() - 1, "{length}");
            journal.finished(key("c"), "c", &dispatch("three")).unwrap();
            drop(journal);
            let journal = Journal::open(state.path(), true).unwrap();
            assert_eq!(journal.lookup(key("c")).unwrap(), Some(dispatch("three")), "{length}");
        }
    }

    #[test]
    fn what_did_not_get_to_do_its_work_has_not_finished() {
        let state = tempfile::tempdir().unwrap();
        let journal = Journal::open(state.path(), false).unwrap();
        for status in [Status::Transport, Status::Auth, Status::Quota, Status::Cancelled] {
            journal.finished(key("a"), "a", &Dispatch { status, ..dispatch("") }).unwrap();
        }
        drop(journal);
        assert_eq!(Journal::open(state.path(), true).unwrap().lookup(key("a")).unwrap(), None);
    }
}
