//! A line of the journal as it is read: every member is optional, because lines of all versions are read.

use std::fs::File;
use std::io;

use serde::Deserialize;
use shared::section::{Status, Tier};

use super::file::each_line;

/// A line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    pub(crate) event: String,
    pub(crate) run: Option<String>,
    pub(crate) at: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) command: Vec<String>,
    pub(crate) directory: Option<String>,
    pub(crate) resume: bool,
    pub(crate) budget_usd: Option<f64>,
    pub(crate) records: Vec<Arrival>,
    pub(crate) id: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) attempt: Option<u32>,
    pub(crate) tier: Option<Tier>,
    pub(crate) backend: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) status: Option<Status>,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) elapsed_ms: u64,
    pub(crate) reason: Option<String>,
    pub(crate) dispatch: Option<Brief>,
    pub(crate) context: Option<String>,
    pub(crate) escalate: bool,
    pub(crate) exit: Option<u8>,
    pub(crate) spent_usd: Option<f64>,
}

/// A task that was read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Arrival {
    pub(crate) id: String,
    pub(crate) line: u64,
    pub(crate) text: String,
}

/// What is needed of a result before all of it is.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Brief {
    pub(crate) attempt: u32,
    pub(crate) status: Status,
    #[serde(default)]
    pub(crate) cost_usd: Option<f64>,
    #[serde(default)]
    pub(crate) elapsed_ms: u64,
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

impl Entry {
    /// Returns how the attempt or the record that it tells of has ended, if it does.
    pub(crate) fn ending(&self) -> Option<Brief> {
        if self.event == "finished" {
            return self.dispatch.clone();
        }
        let status = self.status.filter(|_| matches!(self.event.as_str(), "settled" | "resumed"))?;
        Some(Brief {
            attempt: self.attempt.unwrap_or_default(),
            status,
            cost_usd: self.cost_usd,
            elapsed_ms: self.elapsed_ms,
            reason: self.reason.clone(),
        })
    }
}

/// Calls a function with every line from a place on, and returns where to read on.
///
/// # Errors
/// If the file can not be read.
pub(crate) fn read_on(file: &File, from: u64, mut call: impl FnMut(Entry, &[u8])) -> io::Result<u64> {
    each_line(file, from, |_, line| match serde_json::from_slice::<Entry>(line) {
        Ok(entry) => {
            call(entry, line);
            true
        }
        Err(_) => false,
    })
}
