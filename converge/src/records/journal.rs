//! What a run has done so far, on disk: after a crash, `--resume` goes on after the last finished round.
//!
//! A run has a directory of its own below `.specpipe/converge/`, named after the content of its input:
//!
//! * `records.jsonl`: the input, then what came back in each round (see [`Store`]);
//! * `journal.jsonl`: one line when the run starts, one for each finished round, one at the end;
//! * `lock`: held while a run works here.
//!
//! It is removed when all records are settled and have left: there is nothing to go on with.
//!
//! A round counts once its line is in the journal. What a killed round has left behind it is dropped and the round is
//! done again; the programs inside it have journals of their own and do not repeat what they had finished.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use shared::{Diagnostics, Problem, units};

use super::store::Store;
use crate::lock::{Lock, Refused};

const VERSION: u32 = 1;

/// So many runs are kept; of older ones, nothing.
const KEPT: usize = 8;

/// A line of the journal.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Entry {
    Started { version: u32, command: String, records: usize, end: u64, at: String },
    Round(Finished),
    Ended { reason: String, at: String },
}

/// A round that was finished.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Finished {
    /// Its number, from 1.
    pub(crate) round: u32,
    /// How many records were given to the command.
    pub(crate) given: usize,
    /// Where the store ended after it.
    pub(crate) end: u64,
    /// Whether it was ended before the command was done.
    pub(crate) was_cut_short: bool,
    /// The exit code of the command, if it ended by itself.
    pub(crate) exit_code: Option<i32>,
    /// How long it took.
    pub(crate) elapsed_ms: u64,
}

/// A run, on disk.
#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    file: File,
    /// Held as long as the run lasts.
    _lock: Option<Lock>,
    /// A directory that lasts as long as the run, where there is no place for one that lasts longer.
    _temporary: Option<tempfile::TempDir>,
}

/// What was found of an earlier run.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// Where the input ends in the store.
    pub(crate) input_end: u64,
    /// The rounds that it finished.
    pub(crate) rounds: Vec<Finished>,
    /// What it ran.
    pub(crate) command: String,
    /// Whether it had come to its end.
    pub(crate) has_ended: bool,
}

/// Where the input is read to, before it is known which run it belongs to.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The directory of all runs; `None` if there is no place for one.
    base: Option<PathBuf>,
    directory: tempfile::TempDir,
}

impl Incoming {
    /// Makes a place for the input, in the state directory if there can be one.
    pub(crate) fn new(state: io::Result<PathBuf>, diagnostics: &Diagnostics) -> io::Result<Incoming> {
        let made = state.and_then(|state| {
            let base = state.join("converge");
            fs::create_dir_all(&base)?;
            let directory = tempfile::Builder::new().prefix("incoming-").tempdir_in(&base)?;
            Ok(Incoming { base: Some(base), directory })
        });
        made.or_else(|error| {
            let because = Problem::new("no journal is kept, so this run can not be resumed").because(error);
            diagnostics.warning(because.full_message());
            Ok(Incoming { base: None, directory: tempfile::Builder::new().prefix("converge-").tempdir()? })
        })
    }

    /// Opens the store for the input.
    pub(crate) fn store(&self) -> io::Result<Store> {
        Store::open(&store_path(self.directory.path()))
    }

    /// Finds the run that the input belongs to. With an earlier one, the store is that one's.
    pub(crate) fn settle(
        self,
        key: &str,
        resume: bool,
        mut store: Store,
        diagnostics: &Diagnostics,
    ) -> Result<(Journal, Store, Option<Earlier>), Problem> {
        let problem = |error: io::Error| Problem::new("cannot keep the journal of this run").because(error);
        store.sync().map_err(problem)?;
        let Some(base) = self.base else {
            let directory = self.directory.path().to_owned();
            let file = append_to(&directory).map_err(problem)?;
            return Ok((
                Journal { directory, file, _lock: None, _temporary: Some(self.directory) },
                store,
                None,
            ));
        };
        let (directory, lock) = claim(&base, key, resume)?;
        let earlier =
            read(&directory).filter(|earlier| store_path(&directory).is_file() && earlier.input_end > 0);
        let mut journal = Journal {
            file: append_to(&directory).map_err(problem)?,
            directory,
            _lock: Some(lock),
            _temporary: None,
        };
        if let Some(earlier) = earlier {
            if resume {
                journal.mend().map_err(problem)?;
                let store = Store::open(&journal.store_path()).map_err(problem)?;
                return Ok((journal, store, Some(earlier)));
            }
            if !earlier.has_ended && !earlier.rounds.is_empty() {
                diagnostics.note(format!(
                    "starting anew, though an earlier run with this input had finished {}; --resume would have gone on",
                    crate::config::count(Some(earlier.rounds.len() as u32), "round"),
                ));
            }
        } else if resume {
            diagnostics.note("no unfinished run with this input was found; starting anew");
        }
        journal.file.set_len(0).map_err(problem)?;
        fs::rename(store_path(self.directory.path()), journal.store_path()).map_err(problem)?;
        prune(&base, &journal.directory);
        Ok((journal, store, None))
    }
}

impl Journal {
    /// Notes that the run starts.
    pub(crate) fn start(&mut self, command: &str, records: usize, end: u64) -> io::Result<()> {
        let at = units::now();
        self.append(&Entry::Started { version: VERSION, command: command.to_owned(), records, end, at })
    }

    /// Notes that a round is finished.
    pub(crate) fn round(&mut self, round: &Finished) -> io::Result<()> {
        self.append(&Entry::Round(round.clone()))
    }

    /// Notes that the run has ended.
    pub(crate) fn end(&mut self, reason: &str) -> io::Result<()> {
        self.append(&Entry::Ended { reason: reason.to_owned(), at: units::now() })
    }

    /// Removes what only a round needs.
    pub(crate) fn clear(&self) {
        let _ = fs::remove_file(self.given_path());
        let _ = fs::remove_file(self.returned_path());
    }

    /// Removes the run, once nobody can need it any more.
    pub(crate) fn discard(&self) {
        let _ = fs::remove_dir_all(&self.directory);
    }

    /// Returns where the records are kept.
    fn store_path(&self) -> PathBuf {
        store_path(&self.directory)
    }

    /// Returns the file that a round is given.
    pub(crate) fn given_path(&self) -> PathBuf {
        self.directory.join("given.jsonl")
    }

    /// Returns the file that a round writes.
    pub(crate) fn returned_path(&self) -> PathBuf {
        self.directory.join("returned.jsonl")
    }

    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }

    /// Ends the last line, if its writer was killed in the middle of it.
    fn mend(&mut self) -> io::Result<()> {
        let text = fs::read(self.directory.join("journal.jsonl"))?;
        if text.last().is_some_and(|byte| *byte != b'\n') {
            self.file.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl Earlier {
    /// Returns how long the finished rounds took.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_millis(self.rounds.iter().map(|round| round.elapsed_ms).sum())
    }
}

fn store_path(directory: &Path) -> PathBuf {
    directory.join("records.jsonl")
}

fn append_to(directory: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(directory.join("journal.jsonl"))
}

/// Takes the directory of the key, or one beside it if another run with the same input works there.
fn claim(base: &Path, key: &str, resume: bool) -> Result<(PathBuf, Lock), Problem> {
    let (mut number, mut retries) = (1, 0);
    loop {
        let directory = base.join(if number == 1 { key.to_owned() } else { format!("{key}-{number}") });
        let lock = fs::create_dir_all(&directory)
            .map_err(Refused::Io)
            .and_then(|()| Lock::take(&directory.join("lock")));
        match lock {
            Ok(lock) => return Ok((directory, lock)),
            // The run before us came to its end and took the directory with it.
            Err(Refused::Io(error)) if error.kind() == io::ErrorKind::NotFound && retries < 100 => {
                retries += 1;
            }
            Err(Refused::Held(holder)) if resume => {
                return Err(Problem::new(format!("the run to resume is still at work: {holder}"))
                    .hint("wait for it, or end it first"));
            }
            Err(Refused::Held(_)) if number < 100 => number += 1,
            Err(Refused::Held(holder)) => {
                return Err(Problem::new(format!(
                    "too many runs with the same input at once, one of them {holder}"
                )));
            }
            Err(Refused::Io(error)) => {
                return Err(Problem::new(format!("cannot use `{}`", directory.display())).because(error));
            }
        }
    }
}

/// Reads a journal, as far as it makes sense.
fn read(directory: &Path) -> Option<Earlier> {
    let text = fs::read_to_string(directory.join("journal.jsonl")).ok()?;
    let mut earlier = Earlier::default();
    for line in text.lines() {
        match serde_json::from_str(line) {
            Ok(Entry::Started { version: VERSION, command, end, .. }) => {
                earlier = Earlier { input_end: end, command, ..Earlier::default() };
            }
            Ok(Entry::Round(round)) if round.round as usize == earlier.rounds.len() + 1 => {
                earlier.has_ended = false;
                earlier.rounds.push(round);
            }
            Ok(Entry::Ended { .. }) => earlier.has_ended = true,
            // A line that its writer did not finish, or of another version.
            _ => {}
        }
    }
    (earlier.input_end > 0).then_some(earlier)
}

/// Drops the oldest runs, but none that is at work, and inputs whose reader was killed long ago.
fn prune(base: &Path, own: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    let entries: Vec<_> = entries.flatten().collect();
    for entry in &entries {
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|time| time.elapsed().ok());
        let is_incoming = entry.file_name().to_string_lossy().starts_with("incoming-");
        if is_incoming && age.is_some_and(|age| age > Duration::from_secs(24 * 60 * 60)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let mut runs: Vec<_> = entries
        .iter()
        .filter_map(|entry| {
            let journal = entry.path().join("journal.jsonl").metadata().ok()?;
            Some((journal.modified().ok()?, entry.path()))
        })
        .filter(|(_, path)| path != own)
        .collect();
    runs.sort();
    let surplus = (runs.len() + 1).saturating_sub(KEPT);
    for (_, path) in runs.into_iter().take(surplus) {
        if let Ok(lock) = Lock::take(&path.join("lock")) {
            let _ = fs::remove_dir_all(&path);
            drop(lock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(base: &Path, resume: bool) -> (Journal, Store, Option<Earlier>) {
        let (io, _) = shared::Io::in_memory(b"");
        let incoming = Incoming::new(Ok(base.to_owned()), &io.diagnostics).unwrap();
        let mut store = incoming.store().unwrap();
        store.append("{}").unwrap();
        incoming.settle("key", resume, store, &io.diagnostics).unwrap()
    }

    fn finished(round: u32, end: u64) -> Finished {
        Finished { round, given: 1, end, was_cut_short: false, exit_code: Some(0), elapsed_ms: 5 }
    }

    #[test]
    fn a_resumed_run_finds_the_rounds_that_were_finished() {
        let directory = tempfile::tempdir().unwrap();
        let (mut first, mut store, earlier) = journal(directory.path(), true);
        assert!(earlier.is_none());
        first.start("cat", 1, store.end()).unwrap();
        store.append("one").unwrap();
        store.sync().unwrap();
        first.round(&finished(1, store.end())).unwrap();
        store.append("torn").unwrap();
        store.flush().unwrap();
        first.file.write_all(b"{\"kind\":\"round\",\"rou").unwrap();
        drop(first);

        let (mut second, mut store, earlier) = journal(directory.path(), true);
        let earlier = earlier.unwrap();
        assert_eq!((earlier.rounds, earlier.input_end), (vec![finished(1, 7)], 3));
        store.cut(7).unwrap();
        second.round(&finished(2, store.end())).unwrap();
        second.end("settled").unwrap();
        drop(second);
        let (_, _, earlier) = journal(directory.path(), true);
        let earlier = earlier.unwrap();
        assert_eq!((earlier.rounds.len(), earlier.has_ended, earlier.command.as_str()), (2, true, "cat"));

        let (_, _, earlier) = journal(directory.path(), false);
        assert!(earlier.is_none());
    }

    #[test]
    fn two_runs_with_the_same_input_do_not_meet() {
        let directory = tempfile::tempdir().unwrap();
        let (first, ..) = journal(directory.path(), false);
        let (second, ..) = journal(directory.path(), false);
        assert_ne!(first.directory, second.directory);
    }

    #[test]
    fn a_run_that_is_discarded_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (mut first, store, _) = journal(directory.path(), false);
        first.start("cat", 1, store.end()).unwrap();
        first.discard();
        let (second, _, earlier) = journal(directory.path(), true);
        assert!(earlier.is_none());
        // The first one gives a lock back that is not there any more.
        drop(first);
        assert!(second.directory.join("lock").is_file());
        second.discard();
        assert_eq!(fs::read_dir(directory.path().join("converge")).unwrap().count(), 0);
    }

    #[test]
    fn old_runs_are_dropped() {
        let directory = tempfile::tempdir().unwrap();
        for number in 0..20 {
            let run = directory.path().join("converge").join(number.to_string());
            fs::create_dir_all(&run).unwrap();
            fs::write(run.join("journal.jsonl"), "").unwrap();
        }
        let _run = journal(directory.path(), false);
        assert_eq!(fs::read_dir(directory.path().join("converge")).unwrap().count(), KEPT);
    }
}
