//! The books: every request with what it asked, what was answered, and the tokens that were told.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lock;
use super::script::Tokens;

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u64,
    /// When it came, in milliseconds since 1970.
    pub at_ms: u64,
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers in lower case, without those that carry keys; of these only whether they were there.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
    /// The model that answered, if one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The step of the script, from 0; each turn of a conversation is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The status of the answer; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The tokens that were told to the client before the answer ended or was cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<Tokens>,
}

/// The sums of all requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many there were.
    pub requests: u64,
    /// The tokens that were told.
    #[serde(flatten)]
    pub tokens: Tokens,
}

/// The sums of all requests, and of those that each model answered or would have answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// All.
    #[serde(flatten)]
    pub totals: Totals,
    /// By model.
    pub models: BTreeMap<String, Totals>,
}

/// Keeps the entries, and appends each to a file if there is one.
#[derive(Debug, Default)]
pub struct Log {
    inner: Mutex<(Vec<Entry>, Option<File>)>,
}

impl Log {
    /// Returns a log that is also written to a file, one JSON object a line.
    pub fn to_file(path: &Path) -> std::io::Result<Log> {
        Ok(Log { inner: Mutex::new((Vec::new(), Some(File::create(path)?))) })
    }

    /// Adds a request before its answer is finished, so that nobody can know the answer and not find it here.
    pub(super) fn begin(&self, mut entry: Entry) -> u64 {
        let (entries, _) = &mut *lock(&self.inner);
        entry.number = entries.len() as u64 + 1;
        entries.push(entry);
        entries.len() as u64
    }

    /// Says what has been told to the client for a request, just before it is told.
    pub(super) fn tell(&self, number: u64, told: Tokens) {
        let (entries, _) = &mut *lock(&self.inner);
        entries[number as usize - 1].told = Some(told);
    }

    /// Writes the line of a request that is over.
    pub(super) fn end(&self, number: u64) {
        let (entries, file) = &mut *lock(&self.inner);
        if let Some(file) = file {
            let line = serde_json::to_string(&entries[number as usize - 1]).expect("an entry is JSON");
            // A test that loses its log fails by what is missing in it.
            let _ = writeln!(file, "{line}");
        }
    }

    /// Returns the requests so far.
    pub fn entries(&self) -> Vec<Entry> {
        lock(&self.inner).0.clone()
    }

    /// Returns the sums so far.
    pub fn totals(&self) -> Totals {
        self.books().totals
    }

    /// Returns the sums so far, for each model too.
    pub fn books(&self) -> Books {
        let mut books = Books::default();
        for entry in &lock(&self.inner).0 {
            let told = entry.told.unwrap_or_default();
            books.totals.add(&told);
            if let Some(model) = &entry.model {
                books.models.entry(model.clone()).or_default().add(&told);
            }
        }
        books
    }
}

impl Totals {
    fn add(&mut self, told: &Tokens) {
        self.requests += 1;
        self.tokens.add(told);
    }
}
