//! Builds the index: walks the tree, reads what has changed since the last time, and writes it in one piece.
//!
//! A file is as it was if its size and its time are; if they are not, its content decides. So a checkout that only moved
//! times makes nothing stale.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

use ignore::{WalkBuilder, WalkState};
use rayon::prelude::*;
use shared::state::Root;
use shared::{Problem, interrupt, processors};

use super::format::{self, Index};
use super::graph::{self, Entry};
use super::language::Language;
use super::scan::{self, Scanned};

/// A larger file is known by its size and its first mebibyte.
const LARGE: u64 = 16 << 20;
const BEGINNING: u64 = 1 << 20;
/// A larger file was not written by people; it is not scanned.
const GENERATED: u64 = 2 << 20;
/// A file whose time is so near to the building of the index may have been written again in the same tick.
const TICK: i64 = 2_000_000_000;

/// A file as the tree has it.
struct Met {
    path: String,
    size: u64,
    modified: i64,
}

/// What is different from the index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) added: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) removed: Vec<String>,
    /// How many are as they were.
    pub(crate) same: usize,
    /// Of these, how many have another time.
    pub(crate) touched: usize,
}

impl Changes {
    pub(crate) fn none(&self) -> bool {
        self.count() == 0
    }

    pub(crate) fn count(&self) -> usize {
        self.added.len() + self.changed.len() + self.removed.len()
    }
}

/// An index that was built, not yet written.
pub(crate) struct Built {
    pub(crate) index: Index,
    pub(crate) changes: Changes,
    /// Files that can not be read, each with the reason.
    pub(crate) unreadable: Vec<String>,
}

/// Walks the tree as git sees it, hidden files included; sorted by path.
fn walk(root: &Path) -> Vec<Met> {
    let found = Mutex::new(Vec::new());
    let is_wanted = |entry: &ignore::DirEntry| {
        let name = entry.file_name();
        !["node_modules", ".git", shared::state::DIRECTORY, "__pycache__", ".venv"]
            .iter()
            .any(|skipped| name == *skipped)
    };
    WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .threads(processors())
        .filter_entry(is_wanted)
        .build_parallel()
        .run(|| {
            let mut batch = Batch { own: Vec::new(), all: &found };
            Box::new(move |entry| {
                if let Ok(entry) = entry
                    && entry.file_type().is_some_and(|kind| kind.is_file())
                    && let Ok(metadata) = entry.metadata()
                    && let Ok(path) = entry.path().strip_prefix(root)
                    && let Some(path) = path.to_str()
                {
                    let modified =
                        metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                    let modified =
                        modified.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
                    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
                    batch.own.push(Met { path, size: metadata.len(), modified });
                }
                WalkState::Continue
            })
        });
    let mut found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    found
}

/// What one thread of the walk has found; handed over when it ends.
struct Batch<'a> {
    own: Vec<Met>,
    all: &'a Mutex<Vec<Met>>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&mut self.own);
    }
}

/// Compares the tree with its index.
pub(crate) fn compare(root: &Path, index: &Index) -> Changes {
    let met = walk(root);
    let known: Vec<Option<u32>> = met.par_iter().map(|met| index.find(&met.path)).collect();
    let states: Vec<State> = met
        .par_iter()
        .zip(&known)
        .map(|(met, known)| match known {
            None => State::Added,
            Some(place) => {
                let file = index.file(*place);
                let hash = || read(&root.join(&met.path), met.size).map(|(hash, _)| hash);
                if is_as_it_was(met, file.size(), file.modified(), index.built) {
                    State::Same
                } else if met.size == file.size() && hash().is_ok_and(|hash| hash == file.hash()) {
                    if met.modified == file.modified() { State::Same } else { State::Touched }
                } else {
                    State::Changed
                }
            }
        })
        .collect();
    let mut changes = Changes::default();
    for (met, state) in met.iter().zip(states) {
        match state {
            State::Same => changes.same += 1,
            State::Touched => {
                changes.same += 1;
                changes.touched += 1;
            }
            State::Added => changes.added.push(met.path.clone()),
            State::Changed => changes.changed.push(met.path.clone()),
        }
    }
    let gone = index
        .files()
        .map(|file| file.path())
        .filter(|path| met.binary_search_by(|met| met.path.as_str().cmp(path)).is_err());
    changes.removed = gone.map(str::to_owned).collect();
    changes
}

enum State {
    Same,
    Touched,
    Added,
    Changed,
}

fn is_as_it_was(met: &Met, size: u64, modified: i64, built: i64) -> bool {
    met.size == size
        && met.modified == modified
        && modified < built.saturating_mul(1_000_000_000).saturating_sub(TICK)
}

/// Builds the index of a tree, on what an earlier one knows. `now` is in seconds since 1970.
///
/// # Errors
/// If there is more than an index can hold, which is four gigabytes.
pub(crate) fn build(root: &Path, earlier: Option<Index>, now: i64) -> Result<Built, Problem> {
    let mut known = Vec::new();
    let mut built = 0;
    if let Some(index) = earlier {
        let changes = compare(root, &index);
        if changes.none() && changes.touched == 0 {
            return Ok(Built { index: index.renewed(now), changes, unreadable: Vec::new() });
        }
        (known, built) = (index.entries(), index.built);
    }
    let met = walk(root);
    let read: Vec<(Entry, State, Option<String>)> = met
        .into_par_iter()
        .map(|met| {
            let known = known.binary_search_by(|entry| entry.path.cmp(&met.path)).ok().map(|at| &known[at]);
            if let Some(known) = known
                && is_as_it_was(&met, known.size, known.modified, built)
            {
                return (known.clone(), State::Same, None);
            }
            let state = if known.is_some() { State::Changed } else { State::Added };
            let mut entry =
                Entry { path: met.path, size: met.size, modified: met.modified, ..Entry::default() };
            if interrupt::requested() {
                return (entry, state, None);
            }
            match read(&root.join(&entry.path), entry.size) {
                Err(error) => {
                    let why = format!("{}: {error}", entry.path);
                    // Known by its path alone.
                    (entry, state, Some(why))
                }
                Ok((hash, content)) => {
                    entry.hash = hash;
                    match known {
                        Some(known) if known.hash == hash && known.size == entry.size => {
                            entry.scanned = known.scanned.clone();
                            (entry, State::Same, None)
                        }
                        _ => {
                            entry.scanned = scanned(&entry.path, &content);
                            (entry, state, None)
                        }
                    }
                }
            }
        })
        .collect();
    let mut changes = Changes::default();
    let mut unreadable = Vec::new();
    let mut entries = Vec::with_capacity(read.len());
    for (entry, state, why) in read {
        match state {
            State::Same | State::Touched => changes.same += 1,
            State::Added => changes.added.push(entry.path.clone()),
            State::Changed => changes.changed.push(entry.path.clone()),
        }
        unreadable.extend(why);
        entries.push(entry);
    }
    let is_there = |path: &str| entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).is_ok();
    changes.removed = known.iter().map(|entry| &entry.path).filter(|path| !is_there(path)).cloned().collect();
    let nodes = graph::nodes(&entries);
    let index = Index::decode(format::encode(&entries, &nodes, now))
        .map_err(|why| Problem::new("the project is too large for an index").because(why))?;
    Ok(Built { index, changes, unreadable })
}

/// Returns the hash of a file, and its content if that is worth scanning.
fn read(path: &Path, size: u64) -> io::Result<([u8; 16], Vec<u8>)> {
    let mut content = Vec::new();
    let mut hasher = blake3::Hasher::new();
    if size > LARGE {
        fs::File::open(path)?.take(BEGINNING).read_to_end(&mut content)?;
        hasher.update(&size.to_le_bytes());
    } else {
        content = fs::read(path)?;
    }
    hasher.update(&content);
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    if size > GENERATED {
        content.clear();
    }
    Ok((hash, content))
}

fn scanned(path: &str, content: &[u8]) -> Scanned {
    let is_binary = content[..content.len().min(8 << 10)].contains(&0);
    if content.is_empty() || is_binary {
        return Scanned { language: Language::of_path(path), ..Scanned::default() };
    }
    scan::scan(path, &String::from_utf8_lossy(content))
}

/// Writes an index in one piece: who reads meanwhile sees the old one or the new one.
///
/// # Errors
/// If it can not be written.
pub(crate) fn write(root: &Root, index: &Index) -> Result<(), Problem> {
    let target = format::path(&root.path);
    let problem = |error: io::Error| {
        Problem::new(format!("cannot write the index `{}`", target.display())).because(error)
    };
    root.state().map_err(problem)?;
    let directory = target.parent().unwrap_or(&root.path);
    fs::create_dir_all(directory).map_err(problem)?;
    let unfinished = directory.join(format!("project.{}.tmp", std::process::id()));
    let written = fs::write(&unfinished, index.as_bytes()).and_then(|()| fs::rename(&unfinished, &target));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written.map_err(problem)
}

/// Tells whether the content of a file is another one than the index knows.
pub(crate) fn is_changed(root: &Path, file: format::File) -> bool {
    let path = root.join(file.path());
    let hash = fs::metadata(&path).and_then(|metadata| read(&path, metadata.len()));
    hash.map_or(true, |(hash, _)| hash != file.hash())
}
