//! The files of a scope: what `.gitignore` leaves, in a fixed order, found by several threads.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::Ground;
use super::filter::Test;
use super::intent::{Place, Scope};
use super::place::Located;

/// A file of more than this is not read: nobody wrote it.
pub(super) const LARGEST: u64 = 16 << 20;

/// A file or directory that a walk has found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Relative to the root, `/` between names.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) is_dir: bool,
    /// Whether it is a regular file, which can be read.
    pub(super) is_file: bool,
}

impl Entry {
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// What a scope comes to.
pub(super) struct Walked {
    /// All that satisfies the filters, sorted by path.
    pub(super) entries: Vec<Entry>,
    /// How many files there were before the filters.
    pub(super) searched: usize,
    /// The paths in the scope that do not exist.
    pub(super) missing: Vec<String>,
}

/// Which entries of a walk are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Files,
    Directories { deep: bool },
}

impl Ground<'_> {
    /// Lists what is in the scope.
    ///
    /// # Errors
    /// With the reason to decline, if a place in it is no path at all or lies outside.
    pub(super) fn walk(&self, scope: &Scope, want: Want) -> Result<Walked, String> {
        let mut missing = Vec::new();
        let mut under = Vec::new();
        for place in &scope.under {
            match self.locate(place)? {
                Some(located) => under.push(located),
                None => missing.push(place.path.clone()),
            }
        }
        let mut except = Vec::new();
        for place in &scope.except {
            except.push(self.excluded(place, &under)?);
        }
        let filters = scope.filters.iter().map(Test::new).collect::<Result<Vec<_>, _>>()?;
        let mut entries = Vec::new();
        if scope.under.is_empty() {
            entries = self.entries(self.root, want);
        }
        for located in &under {
            entries.extend(self.entries_of(located, want));
        }
        entries.sort();
        entries.dedup();
        entries.retain(|entry| !except.iter().any(|excluded| is_within(&entry.path, excluded)));
        let searched = entries.len();
        entries.retain(|entry| filters.iter().all(|filter| filter.accepts(self, entry)));
        Ok(Walked { entries, searched, missing })
    }

    /// Finds what is to be left out: at its path, or below one of the places that are looked in. A name that is
    /// nowhere must not pass for one that was left out.
    fn excluded(&self, place: &Place, under: &[Located]) -> Result<String, String> {
        if let Some(located) = self.locate(&Place { sure: true, ..place.clone() })? {
            return Ok(located.relative);
        }
        for base in under {
            let path = format!("{}/{}", base.relative, place.path);
            if let Some(located) = self.locate(&Place { path, sure: true })? {
                return Ok(located.relative);
            }
        }
        Err(format!("does not know what to leave out: there is no `{}`", place.path))
    }

    fn entries_of(&self, located: &Located, want: Want) -> Vec<Entry> {
        if located.is_dir {
            return self.entries(&located.absolute, want);
        }
        let Ok(metadata) = located.absolute.metadata() else { return Vec::new() };
        if want != Want::Files {
            return Vec::new();
        }
        vec![Entry {
            path: located.relative.clone(),
            bytes: metadata.len(),
            is_dir: false,
            is_file: metadata.is_file(),
        }]
    }

    fn entries(&self, from: &Path, want: Want) -> Vec<Entry> {
        let (sender, receiver) = mpsc::channel();
        let mut walk = walker(from);
        if want == (Want::Directories { deep: false }) {
            walk.max_depth(Some(1));
        }
        walk.build_parallel().run(|| {
            let sender = sender.clone();
            Box::new(move |entry| {
                // What can not be looked at (a directory without permission) is not there for us.
                if let Ok(entry) = entry
                    && entry.depth() > 0
                    && let Some(found) = self.entry(&entry)
                    && found.is_dir == (want != Want::Files)
                {
                    let _ = sender.send(found);
                }
                WalkState::Continue
            })
        });
        drop(sender);
        receiver.into_iter().collect()
    }

    fn entry(&self, entry: &DirEntry) -> Option<Entry> {
        let kind = entry.file_type()?;
        let path = entry.path().strip_prefix(self.root).ok()?.to_string_lossy().into_owned();
        let bytes = if kind.is_file() { entry.metadata().map_or(0, |metadata| metadata.len()) } else { 0 };
        Some(Entry { path, bytes, is_dir: kind.is_dir(), is_file: kind.is_file() })
    }

    /// Reads every file and makes something of its content, on several threads; keeps the order. Files that
    /// are binary, too large or unreadable make nothing.
    pub(super) fn read_each<T: Send>(
        &self,
        entries: &[Entry],
        read: impl Fn(&Entry, &[u8]) -> T + Sync,
    ) -> Vec<Option<T>> {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::with_capacity(entries.len()));
        let workers = threads().min(entries.len().div_ceil(16)).max(1);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(entry) = entries.get(index) else { return };
                        let made = self.text(entry).map(|bytes| read(entry, &bytes));
                        results.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((index, made));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, made)| made).collect()
    }

    /// Returns the content of a text file.
    pub(super) fn text(&self, entry: &Entry) -> Option<Vec<u8>> {
        if !entry.is_file || entry.bytes > LARGEST {
            return None;
        }
        let bytes = std::fs::read(self.root.join(&entry.path)).ok()?;
        (!is_binary(&bytes)).then_some(bytes)
    }
}

/// Returns a walker that honours ignore files, shows dot files, and stays out of `.git`.
pub(super) fn walker(from: &Path) -> WalkBuilder {
    let mut walk = WalkBuilder::new(from);
    walk.hidden(false).require_git(false).follow_links(false).threads(threads());
    // Git's own, and the state of these programs.
    walk.filter_entry(|entry| entry.file_name() != ".git" && entry.file_name() != ".specpipe");
    walk
}

fn threads() -> usize {
    // Several tasks run at once; more threads for each would only make them wait for each other.
    std::thread::available_parallelism().map_or(1, usize::from).min(4)
}

/// The test of git and grep: a NUL byte in the first block.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8000)].contains(&0)
}

pub(super) fn is_within(path: &str, directory: &str) -> bool {
    directory.is_empty()
        || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Counts lines as people do: a last line without its newline is one too.
pub(super) fn line_count(text: &[u8]) -> u64 {
    let newlines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
    newlines + u64::from(text.last().is_some_and(|byte| *byte != b'\n'))
}
