//! What was read, started and finished, so that a run that was killed can go on where it was and others can see how it stands.
//!
//! One append-only file of JSON lines for all runs of a project. A task is known by a hash of all that its result depends on,
//! not by its place in the input: in an input with lines inserted, edited or in another order exactly what changed is run again.
//! `event` is the format; `past` is what a resumed run looks up, `runs` what the journal says about each run.

mod command_line;
pub(crate) mod entry;
mod event;
mod file;
mod key;
mod past;
pub(crate) mod runs;

use std::io;
use std::path::Path;

use shared::section::{Dispatch, Rival, Status, Tier};
use shared::{Exit, units, warden};

pub(crate) use event::{Arrivals, Retry, Unfinished};
pub(crate) use file::path;
pub(crate) use key::Key;
pub(crate) use past::Known;

use event::{Event, Settled, VERSION};
use file::{LARGE, Lines};
use past::Past;

/// The journal of a project, as a run writes it.
#[derive(Debug)]
pub(crate) struct Journal {
    lines: Lines,
    run: String,
    past: Past,
}

/// What is noted of a run when it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning<'a> {
    /// Where it was started.
    pub(crate) directory: &'a Path,
    /// Whether what earlier runs have finished is looked up.
    pub(crate) resume: bool,
    /// The most that it may cost, in US dollars.
    pub(crate) budget: Option<f64>,
}

impl Journal {
    /// Opens the journal in the state directory, and notes that a run begins.
    pub(crate) fn open(state: &Path, beginning: &Beginning) -> io::Result<Journal> {
        Journal::open_as(state, beginning, warden::mark(), LARGE)
    }

    fn open_as(state: &Path, beginning: &Beginning, run: &str, large: u64) -> io::Result<Journal> {
        let lines = match beginning.resume {
            true => Lines::open(state, large, Some(past::essence))?,
            // Nobody has asked for what is in it.
            false => Lines::open(state, large, None)?,
        };
        let past = if beginning.resume { Past::read(lines.file())? } else { Past::default() };
        let journal = Journal { lines, run: run.to_owned(), past };
        journal.append(&Event::Run {
            version: VERSION,
            run,
            at: units::now(),
            pid: std::process::id(),
            command: &command_line::without_secrets(std::env::args_os(), std::env::vars_os()),
            directory: &beginning.directory.to_string_lossy(),
            resume: beginning.resume,
            budget_usd: beginning.budget,
        })?;
        Ok(journal)
    }

    /// Notes the tasks that were read.
    pub(crate) fn read(&self, arrivals: &mut Arrivals) -> io::Result<()> {
        arrivals.take(&self.run).map_or(Ok(()), |line| self.lines.append(&line))
    }

    /// Notes that an attempt is about to start.
    pub(crate) fn started(
        &self,
        key: Key,
        id: &str,
        attempt: u32,
        tier: Tier,
        backend: &str,
        model: Option<&str>,
    ) -> io::Result<()> {
        let (run, key, at) = (&self.run, key.to_hex(), units::now());
        self.append(&Event::Started { run, key, id, attempt, at, tier, backend, model })
    }

    /// Notes how an attempt that was made has ended. What did not get to do its work has not finished: a later run tries it
    /// again.
    pub(crate) fn finished(&self, key: Key, id: &str, dispatch: &Dispatch) -> io::Result<()> {
        if !has_done_its_work(dispatch.status) {
            return self.settled(Some(key), id, Some(dispatch));
        }
        let (run, key, at) = (&self.run, key.to_hex(), units::now());
        self.append(&Event::Finished { run, key, id, at, dispatch })
    }

    /// Notes that a draft of an attempt was paid for and is not its result, however it has ended.
    pub(crate) fn lost(&self, key: Key, id: &str, rival: &Rival) -> io::Result<()> {
        let (run, key, at) = (&self.run, key.to_hex(), units::now());
        self.append(&Event::Lost { run, key, id, at, rival })
    }

    /// Notes that a record leaves without an attempt that has done its work; of one that was made, with its key.
    pub(crate) fn settled(&self, key: Option<Key>, id: &str, dispatch: Option<&Dispatch>) -> io::Result<()> {
        let (key, ending) = (key.map(Key::to_hex), dispatch.map(Unfinished::of));
        self.append(&Event::Settled(Settled { run: &self.run, key, id, at: units::now(), ending }))
    }

    /// Notes that a record leaves with a result that an earlier run has left.
    pub(crate) fn resumed(&self, id: &str, dispatch: &Dispatch) -> io::Result<()> {
        let ending = Unfinished::of(dispatch);
        self.append(&Event::Resumed { run: &self.run, id, at: units::now(), ending })
    }

    /// Notes that a record leaves with an error.
    pub(crate) fn refused(&self, id: &str, reason: &str) -> io::Result<()> {
        self.append(&Event::Refused { run: &self.run, id, at: units::now(), reason })
    }

    /// Notes that nothing more is started.
    pub(crate) fn halted(&self, reason: &str) -> io::Result<()> {
        self.append(&Event::Halted { run: &self.run, at: units::now(), reason })
    }

    /// Notes that somebody wants an attempt made again.
    pub(crate) fn retry(&self, key: Key, id: &str, retry: &Retry) -> io::Result<()> {
        self.append(&Event::Retry { key: key.to_hex(), id, at: units::now(), retry })
    }

    /// Notes that the run has come to its end.
    pub(crate) fn ended(&self, exit: Exit, spent: f64) -> io::Result<()> {
        self.append(&Event::Ended { run: &self.run, at: units::now(), exit: exit.code(), spent_usd: spent })
    }

    /// Returns what earlier runs have left of the attempt with this key; nothing unless this one resumes them.
    pub(crate) fn lookup(&self, key: Key) -> io::Result<Known> {
        self.past.lookup(self.lines.file(), key)
    }

    /// Returns the drafts of an attempt that an earlier run has paid for, and that lost before it was killed.
    pub(crate) fn lost_before(&self, key: Key) -> io::Result<Vec<Rival>> {
        self.past.lost(self.lines.file(), key)
    }

    fn append(&self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.lines.append(&line)
    }
}

/// Notes, with no run going on, that somebody wants an attempt made again.
pub(crate) fn ask_for_retry(state: &Path, key: Key, id: &str, retry: &Retry) -> io::Result<()> {
    let lines = Lines::open(state, u64::MAX, None)?;
    let mut line = serde_json::to_vec(&Event::Retry { key: key.to_hex(), id, at: units::now(), retry })?;
    line.push(b'\n');
    lines.append(&line)
}

/// Tells whether an attempt that ended so has done its work; the others are made again by the next run.
pub(crate) fn has_done_its_work(status: Status) -> bool {
    match status {
        Status::Ok | Status::Failed | Status::Refused | Status::Truncated | Status::Timeout => true,
        Status::Transport | Status::Auth | Status::Quota | Status::Cancelled => false,
        Status::Budget | Status::Unavailable | Status::Skipped => false,
    }
}

#[cfg(test)]
mod tests;
