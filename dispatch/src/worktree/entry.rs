//! What is noted of a tree, from before it is made until after it is gone, and who works in it.
//!
//! The note is a file in the repository's common directory, and whoever works in the tree holds a lock on it. It is written
//! before anything else is made: what a killed run leaves is found by it, and nothing that is not ours is ever taken for ours.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::name::branch_of;

/// What is noted of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    /// The id of the task.
    pub(crate) id: String,
    /// The attempt that is made in it.
    pub(crate) attempt: u32,
    /// Where the tree is.
    pub(crate) path: PathBuf,
    /// Its branch.
    pub(crate) branch: String,
    /// The commit that its changes are told against.
    pub(crate) base: String,
    /// When it was made, RFC 3339 in UTC.
    pub(crate) made_at: String,
    /// The commit with the work, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    /// Whether work is in the tree that could not be committed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_uncommitted: bool,
}

impl Entry {
    /// Returns what is noted of a tree that somebody else works in.
    pub(super) fn noted(own: &Path, name: &str) -> Option<Entry> {
        let text = std::fs::read_to_string(own.join("trees").join(format!("{name}.json"))).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// A name that nobody else works under as long as this lives.
#[derive(Debug)]
pub(crate) struct Claim {
    file: File,
    path: PathBuf,
}

impl Claim {
    /// Claims a name, or returns nothing if somebody works under it.
    pub(super) fn take(own: &Path, name: &str) -> io::Result<Option<Claim>> {
        let directory = own.join("trees");
        std::fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{name}.json"));
        loop {
            let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            // Its last holder may have removed the name after we opened it; such a lock keeps nobody out.
            let is_still_there = path.metadata().is_ok_and(|there| {
                file.metadata().is_ok_and(|held| (held.dev(), held.ino()) == (there.dev(), there.ino()))
            });
            if is_still_there {
                return Ok(Some(Claim { file, path }));
            }
        }
    }

    /// Returns what is noted; the usual of this name if the note was never finished.
    pub(super) fn read(&self, directory: &Path) -> Entry {
        let mut text = String::new();
        let mut file = &self.file;
        let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
        let name = self.name();
        let usual = || Entry { path: directory.join(&name), branch: branch_of(&name), ..Entry::default() };
        serde_json::from_str(&text)
            .ok()
            .filter(|entry: &Entry| !entry.branch.is_empty())
            .unwrap_or_else(usual)
    }

    /// Tells whether nothing has been noted yet.
    pub(super) fn is_new(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == 0)
    }

    /// Notes this.
    pub(super) fn write(&self, entry: &Entry) -> io::Result<()> {
        let mut file = &self.file;
        let line = serde_json::to_string(entry)? + "\n";
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(line.as_bytes())
    }

    /// Forgets the tree: nothing of it is left.
    pub(super) fn forget(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// Returns the name.
    pub(super) fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Returns the names that something is noted of.
pub(super) fn names(own: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(own.join("trees")).into_iter().flatten().filter_map(Result::ok);
    let names =
        entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Waits until nobody looks through the names, and keeps it so: between looking who works under a name and acting on it.
pub(super) fn housekeeping(own: &Path, is_alone: bool) -> io::Result<File> {
    std::fs::create_dir_all(own)?;
    hold(
        &own.join("names"),
        if is_alone { FlockOperation::LockExclusive } else { FlockOperation::LockShared },
    )
}

/// Waits for a lock.
pub(super) fn hold(path: &Path, operation: FlockOperation) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    flock(&file, operation)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_holder_and_the_note_outlives_him() {
        let own = tempfile::tempdir().unwrap();
        let claim = Claim::take(own.path(), "a-1.2").unwrap().unwrap();
        assert!(claim.is_new() && Claim::take(own.path(), "a-1.2").unwrap().is_none());
        let entry = Entry { id: "a".into(), attempt: 1, branch: "specpipe/a-1.2".into(), ..Entry::default() };
        claim.write(&Entry { commit: Some("longer than what follows".into()), ..entry.clone() }).unwrap();
        claim.write(&entry).unwrap();
        drop(claim);
        assert_eq!(names(own.path()), ["a-1.2"]);
        let claim = Claim::take(own.path(), "a-1.2").unwrap().unwrap();
        assert_eq!(claim.read(Path::new("/x")), entry);
        claim.forget();
        assert!(names(own.path()).is_empty());
        assert!(Claim::take(own.path(), "a-1.2").unwrap().is_some(), "the lock is on a file that is no more");
    }

    #[test]
    fn a_torn_note_stands_for_the_usual_tree() {
        let own = tempfile::tempdir().unwrap();
        let claim = Claim::take(own.path(), "a-1").unwrap().unwrap();
        std::fs::write(own.path().join("trees/a-1.json"), "{\"id\":\"a").unwrap();
        let entry = claim.read(Path::new("/trees"));
        assert_eq!((entry.path.as_path(), entry.branch.as_str()), (Path::new("/trees/a-1"), "specpipe/a-1"));
    }

    #[test]
    fn many_who_take_and_forget_a_name_never_hold_it_together() {
        let own = tempfile::tempdir().unwrap();
        let (holders, taken) = (std::sync::atomic::AtomicU32::new(0), std::sync::atomic::AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while taken.load(std::sync::atomic::Ordering::SeqCst) < 400 {
                        let Some(claim) = Claim::take(own.path(), "a").unwrap() else { continue };
                        assert_eq!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        taken.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        claim.forget();
                    }
                });
            }
        });
    }
}
