//! How git learns of a tree, and forgets it, while others read and write the same repository.
//!
//! git makes a registration file by file where everybody looks, so that others trip over a half-made one: with 32 at once up to
//! 22 of 32 `git worktree add` failed, and under a lock of our own still 3 of 4,413 commands of bystanders. So a
//! registration is made aside and renamed into place: it is there whole, or it is not there. Where a repository
//! has a format that we do not know to the last file, git does it, under a lock.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::FlockOperation;
use shared::{Problem, interrupt};

use super::entry::{Entry, hold};
use super::git::Git;
use super::layout::Layout;

/// How often something is tried again that a git of somebody else has got in the way of, and after which time.
const TRIES: usize = 20;
const AGAIN: Duration = Duration::from_millis(50);

/// Keeps `git worktree prune` and `remove` of others away while somebody works in a tree.
const LOCKED: &str = "locked";

impl Layout {
    /// Registers a tree at a commit, with its new branch and without files. Returns the registration.
    ///
    /// # Errors
    /// If the branch is there already, or git or the file system says no.
    pub(super) fn register(&self, name: &str, entry: &Entry, commit: &str) -> Result<PathBuf, Problem> {
        std::fs::create_dir_all(&self.directory)
            .map_err(|error| made_no_directory(&self.directory, error))?;
        match self.only_by_git {
            Some(_) => self.register_by_git(name, entry, commit),
            None => self.register_by_rename(name, entry, commit),
        }
    }

    fn register_by_rename(&self, name: &str, entry: &Entry, commit: &str) -> Result<PathBuf, Problem> {
        let Entry { path, branch, .. } = entry;
        let aside = self.own().join("making").join(name);
        let made = make_aside(&aside, path, branch);
        made.map_err(|error| made_no_directory(&aside, error))?;
        let problem = |error| made_no_directory(path, error);
        std::fs::create_dir(path).map_err(problem)?;
        let place = self.free_registration(name);
        std::fs::write(path.join(".git"), line(&[OsStr::new("gitdir: "), place.as_os_str()]))
            .map_err(problem)?;
        // No old value: whoever has made this branch, it was not us.
        let reference = format!("refs/heads/{branch}");
        let message = ["update-ref", "-m", "specpipe: worktree", &reference, commit, ""];
        Git::at(self.repo.root()).plumb(message)?;
        self.put_in_place(&aside, &place).map_err(|error| made_no_directory(&place, error))?;
        Ok(place)
    }

    /// Registers a tree whose files and branch are there. Returns the registration.
    ///
    /// # Errors
    /// If the file system says no, or only git can register trees here.
    pub(super) fn register_existing(&self, name: &str, entry: &Entry) -> Result<PathBuf, Problem> {
        if let Some(why) = &self.only_by_git {
            return Err(Problem::new(format!("cannot register `{name}` again"))
                .because(format!("the repository has {why}"))
                .hint(format!("its work is on the branch {}", entry.branch)));
        }
        let aside = self.own().join("making").join(name);
        let place = self.free_registration(name);
        let made = make_aside(&aside, &entry.path, &entry.branch);
        let made =
            made.and_then(|()| lead(&entry.path, &place)).and_then(|()| self.put_in_place(&aside, &place));
        made.map_err(|error| made_no_directory(&place, error))?;
        Ok(place)
    }

    /// Returns a place for a registration that nobody has.
    fn free_registration(&self, name: &str) -> PathBuf {
        let place = self.registrations().join(name);
        if !place.exists() {
            return place;
        }
        // git adds digits where a name is taken.
        let places = (1..).map(|number: u32| self.registrations().join(format!("{name}{number}")));
        places.into_iter().find(|place| !place.exists()).unwrap_or(place)
    }

    fn put_in_place(&self, aside: &Path, place: &Path) -> io::Result<()> {
        let mut tries = 0;
        loop {
            // git removes the directory of all registrations with the last one.
            std::fs::create_dir_all(self.registrations())?;
            match std::fs::rename(aside, place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => tries += 1,
                renamed => return renamed,
            }
        }
    }

    fn register_by_git(&self, name: &str, entry: &Entry, commit: &str) -> Result<PathBuf, Problem> {
        let _lock = hold(&self.own().join("lock"), FlockOperation::LockExclusive)
            .map_err(|error| made_no_directory(&self.own(), error))?;
        let Entry { path, branch, .. } = entry;
        let path_text = path.as_os_str();
        let options = ["worktree", "add", "--quiet", "--no-track", "--no-checkout", "--lock", "-b", branch];
        let options = options.into_iter().map(OsStr::new).chain([path_text, OsStr::new(commit)]);
        let options: Vec<&OsStr> = options.collect();
        let git = Git::at(self.repo.root());
        let mut added = git.plumb(&options);
        for _ in 0..TRIES {
            if added.is_ok() || interrupt::requested() {
                break;
            }
            // Others do not know of our lock, and what they have half made stops this git.
            std::thread::sleep(AGAIN);
            self.unregister(name, path);
            let _ = super::removal::remove_directory(path);
            let _ = self.delete_branch(branch);
            added = git.plumb(&options);
        }
        added?;
        self.registration(name, path).ok_or_else(|| {
            Problem::new("git has added a worktree that can not be found").because(path.display().to_string())
        })
    }

    /// Finds the registration of a tree.
    pub(super) fn registration(&self, name: &str, path: &Path) -> Option<PathBuf> {
        let leads_here = |place: &Path| {
            let leads_to = std::fs::read(place.join("gitdir")).unwrap_or_default();
            let leads_to = super::layout::path_of(leads_to.trim_ascii_end());
            // Where paths are relative, they are so to the registration.
            let leads_to = place.join(leads_to);
            leads_to == path.join(".git")
                || leads_to
                    .canonicalize()
                    .is_ok_and(|there| path.canonicalize().is_ok_and(|p| there == p.join(".git")))
        };
        let usual = self.registrations().join(name);
        if leads_here(&usual) {
            return Some(usual);
        }
        let places = std::fs::read_dir(self.registrations()).ok()?.filter_map(Result::ok);
        places.map(|place| place.path()).find(|place| leads_here(place))
    }

    /// Lets others remove a tree that nobody works in any more.
    pub(super) fn unlock(&self, registration: &Path) {
        let _ = std::fs::remove_file(registration.join(LOCKED));
    }

    /// Makes git forget a tree, at once and not file by file.
    pub(super) fn unregister(&self, name: &str, path: &Path) {
        if let Some(registration) = self.registration(name, path) {
            self.put_aside(&registration);
        }
        // Its making was stopped before anything else could lead to it; such a one of git has no way out yet.
        let half_made = self.registrations().join(name);
        if half_made.is_dir() && std::fs::read(half_made.join("gitdir")).unwrap_or_default().is_empty() {
            self.put_aside(&half_made);
        }
        let _ = std::fs::remove_dir_all(self.own().join("making").join(name));
    }

    fn put_aside(&self, registration: &Path) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let aside = self.own().join("removed").join(format!("{}-{number}", std::process::id()));
        let _ = std::fs::create_dir_all(self.own().join("removed"));
        let _ = std::fs::remove_dir_all(&aside);
        if std::fs::rename(registration, &aside).is_ok() {
            let _ = std::fs::remove_dir_all(&aside);
        }
    }

    /// Deletes a branch of ours and the lock that a killed git has left on it.
    pub(super) fn delete_branch(&self, branch: &str) -> Result<(), Problem> {
        let reference = format!("refs/heads/{branch}");
        let _ = std::fs::remove_file(self.common.join(format!("{reference}.lock")));
        Git::at(self.repo.root()).plumb(["update-ref", "-d", &reference]).map(drop)
    }
}

/// Makes the link of a tree lead to its registration, whatever is there now.
pub(super) fn lead(path: &Path, registration: &Path) -> io::Result<()> {
    let link = path.join(".git");
    let says = line(&[OsStr::new("gitdir: "), registration.as_os_str()]);
    match link.symlink_metadata() {
        Ok(there) if there.is_dir() => std::fs::remove_dir_all(&link)?,
        Ok(there) if !there.is_file() => std::fs::remove_file(&link)?,
        Ok(_) => {
            let said = std::fs::read(&link)?;
            let leads_to = said
                .strip_prefix(b"gitdir: ")
                .map(|to| path.join(super::layout::path_of(to.trim_ascii_end())));
            let leads_there = leads_to.and_then(|to| to.canonicalize().ok());
            if leads_there.is_some_and(|to| registration.canonicalize().is_ok_and(|there| to == there)) {
                return Ok(());
            }
        }
        Err(_) => {}
    }
    std::fs::write(link, says)
}

fn make_aside(aside: &Path, path: &Path, branch: &str) -> io::Result<()> {
    if aside.exists() {
        std::fs::remove_dir_all(aside)?;
    }
    std::fs::create_dir_all(aside)?;
    std::fs::write(aside.join("HEAD"), format!("ref: refs/heads/{branch}\n"))?;
    std::fs::write(aside.join("commondir"), "../..\n")?;
    std::fs::write(aside.join("gitdir"), line(&[path.join(".git").as_os_str()]))?;
    std::fs::write(aside.join(LOCKED), "specpipe works here\n")
}

/// Returns a line of paths, which need not be text.
fn line(parts: &[&OsStr]) -> Vec<u8> {
    let parts = parts.iter().flat_map(|part| part.as_encoded_bytes());
    parts.copied().chain([b'\n']).collect()
}

fn made_no_directory(path: &Path, error: io::Error) -> Problem {
    Problem::new(format!("cannot make `{}`", path.display())).because(error)
}
