//! How each run stands, rebuilt from the journal alone: what was read, what runs, how it ended and what it took.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;

use shared::section::Status;

use super::entry::{Brief, Entry, read_on};

/// The runs of a project, in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    runs: Vec<Run>,
    places: HashMap<String, usize>,
    read_to: u64,
}

/// A run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) pid: Option<u32>,
    /// When it began, and when it last wrote something.
    pub(crate) began: Option<String>,
    pub(crate) last: Option<String>,
    pub(crate) command: Vec<String>,
    pub(crate) directory: Option<String>,
    pub(crate) resume: bool,
    pub(crate) budget_usd: Option<f64>,
    pub(crate) tasks: BTreeMap<String, Task>,
    /// Why nothing more was started, if that was so.
    pub(crate) halted: Option<String>,
    /// The exit status, once it has ended by itself.
    pub(crate) exit: Option<u8>,
    spent_usd: Option<f64>,
}

/// A task of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Task {
    pub(crate) text: String,
    /// The attempt that was started last, and since when it runs.
    pub(crate) attempt: Option<u32>,
    pub(crate) started: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) backend: Option<String>,
    pub(crate) stands: Stands,
    pub(crate) cost_usd: f64,
}

/// How a task stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Stands {
    /// It was read.
    #[default]
    Waiting,
    /// An attempt was started.
    Running,
    /// It has ended so.
    Ended(Status),
    /// It has left with an error.
    Refused,
    /// It has left as it came.
    Left,
}

/// How many tasks stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Counts {
    pub(crate) tasks: usize,
    pub(crate) waiting: usize,
    pub(crate) running: usize,
    pub(crate) ok: usize,
    pub(crate) not_ok: usize,
    pub(crate) unchanged: usize,
}

impl Runs {
    /// Reads a journal from its beginning.
    pub(crate) fn read(file: &File) -> io::Result<Runs> {
        let mut runs = Runs::default();
        runs.read_on(file)?;
        Ok(runs)
    }

    /// Reads what was appended since the last time.
    pub(crate) fn read_on(&mut self, file: &File) -> io::Result<()> {
        self.read_to = read_on(file, self.read_to, |entry, _| self.take(&entry))?;
        Ok(())
    }

    /// Returns all runs.
    pub(crate) fn all(&self) -> &[Run] {
        &self.runs
    }

    /// Takes a line in.
    pub(crate) fn take(&mut self, entry: &Entry) {
        let Some(name) = &entry.run else { return };
        let place = *self.places.entry(name.clone()).or_insert_with(|| {
            self.runs.push(Run { name: name.clone(), began: entry.at.clone(), ..Run::default() });
            self.runs.len() - 1
        });
        self.runs[place].take(entry);
    }
}

impl Run {
    fn take(&mut self, entry: &Entry) {
        self.last = entry.at.clone().or(self.last.take());
        match entry.event.as_str() {
            "run" => {
                self.pid = entry.pid;
                self.command.clone_from(&entry.command);
                self.directory.clone_from(&entry.directory);
                self.resume = entry.resume;
                self.budget_usd = entry.budget_usd;
            }
            "read" => {
                for arrival in &entry.records {
                    self.tasks.entry(arrival.id.clone()).or_default().text.clone_from(&arrival.text);
                }
            }
            "halted" => self.halted.clone_from(&entry.reason),
            "ended" => {
                self.exit = entry.exit;
                self.spent_usd = entry.spent_usd;
            }
            _ => {
                if let Some(id) = &entry.id {
                    self.tasks.entry(id.clone()).or_default().take(entry);
                }
            }
        }
    }

    /// Counts its tasks. What ran when it was killed does not run any more.
    pub(crate) fn counts(&self, is_going_on: bool) -> Counts {
        let mut counts = Counts { tasks: self.tasks.len(), ..Counts::default() };
        for task in self.tasks.values() {
            *match task.stands {
                Stands::Running if is_going_on => &mut counts.running,
                // Whatever a run has not dealt with when it ends leaves as it came.
                Stands::Waiting | Stands::Running if self.exit.is_some() => &mut counts.unchanged,
                Stands::Waiting | Stands::Running => &mut counts.waiting,
                Stands::Ended(Status::Ok) => &mut counts.ok,
                Stands::Ended(_) | Stands::Refused => &mut counts.not_ok,
                Stands::Left => &mut counts.unchanged,
            } += 1;
        }
        counts
    }

    /// Returns what its attempts have cost, as far as that is known, in US dollars.
    pub(crate) fn spent_usd(&self) -> f64 {
        self.spent_usd.unwrap_or_else(|| self.tasks.values().map(|task| task.cost_usd).sum())
    }
}

impl Task {
    fn take(&mut self, entry: &Entry) {
        match entry.event.as_str() {
            "started" => {
                self.attempt = entry.attempt;
                self.started.clone_from(&entry.at);
                self.key.clone_from(&entry.key);
                self.backend.clone_from(&entry.backend);
                self.stands = Stands::Running;
            }
            "finished" | "settled" | "resumed" => match entry.ending() {
                Some(Brief { status, cost_usd, .. }) => {
                    self.cost_usd += cost_usd.unwrap_or_default();
                    self.stands = Stands::Ended(status);
                }
                None => self.stands = Stands::Left,
            },
            "refused" => self.stands = Stands::Refused,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_rebuilt_from_its_lines() {
        let lines = [
            r#"{"event":"run","version":2,"run":"7-a","at":"2026-01-01T00:00:00.000Z","pid":7,"command":["dispatch"],"directory":"/x","resume":false,"budget_usd":5}"#,
            r#"{"event":"read","run":"7-a","records":[{"id":"a","line":1,"text":"one"},{"id":"b","line":2,"text":"two"},{"id":"c","line":3,"text":"three"},{"id":"d","line":4,"text":"four"}]}"#,
            r#"{"event":"started","run":"7-a","key":"00","id":"a","attempt":1,"at":"2026-01-01T00:00:01.000Z","tier":1,"backend":"command"}"#,
            r#"{"event":"started","run":"7-a","key":"01","id":"b","attempt":1,"at":"2026-01-01T00:00:01.000Z"}"#,
            r#"{"event":"nobody knows","run":"7-a","later":true}"#,
            r#"{"event":"finished","run":"7-a","key":"00","id":"a","dispatch":{"attempt":1,"status":"ok","cost_usd":0.25,"output":"x"}}"#,
            r#"{"event":"settled","run":"7-a","id":"c","at":"2026-01-01T00:00:02.000Z","attempt":1,"status":"skipped","tier":1}"#,
        ];
        let mut runs = Runs::default();
        lines.iter().for_each(|line| runs.take(&serde_json::from_str(line).unwrap()));
        let [run] = runs.all() else { panic!("{runs:?}") };
        let counts = Counts { tasks: 4, waiting: 1, running: 1, ok: 1, not_ok: 1, unchanged: 0 };
        assert_eq!(run.counts(true), counts);
        assert_eq!(run.counts(false), Counts { waiting: 2, running: 0, ..counts });
        assert_eq!((run.spent_usd(), run.budget_usd, run.exit), (0.25, Some(5.0), None));
        assert_eq!(run.tasks["b"].text, "two");
    }
}
