//! How git learns of a tree, and forgets it, while others read and write the same repository.
//!
//! git makes a registration file by file where everybody looks, so that others trip over a half-made one: with 32 at once up to
//! 22 of 32 `git worktree add` failed, and under a lock of our own still 3 of 4,413 commands of bystanders. So a
//! registration is made aside and renamed into place: it is there whole, or it is not there. Where a repository
//! has a format that we do not know to the last file, git does it, under a lock.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use shared::{Problem, interrupt};

use super::entry::{Entry, hold};
use super::git::Git;
use super::layout::Layout;

/// How often something is tried again that a git of somebody else has got in the way of, and after which time.
const TRIES: usize = 20;
const AGAIN: Duration = Duration::from_millis(50);

/// Keeps `git worktree prune` and `remove` of others away. It stays: whoever lists trees at the moment it goes has an error.
const LOCKED: &str = "locked";
const REASON: &str = "work of specpipe; dispatch worktrees prune removes it";

/// What the file that leads from a registration to its tree is called once the registration is to go.
const RETIRED: &str = "specpipe-retired";

/// How long a registration stays after it has been retired.
const GRACE: Duration = Duration::from_millis(400);

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
        let options = [
            "worktree",
            "add",
            "--quiet",
            "--no-track",
            "--no-checkout",
            "--lock",
            "--reason",
            REASON,
            "-b",
            branch,
        ];
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

    /// Makes git forget a tree.
    ///
    /// Without the file that leads to its tree a registration is passed over. The rest goes later: somebody who has just read that
    /// file reads the others next, and ends with an error if they are gone.
    pub(super) fn unregister(&self, name: &str, path: &Path) {
        if let Some(registration) = self.registration(name, path) {
            self.retire(registration);
        }
        // Its making was stopped before anything else could lead to it; such a one of git has no way out yet.
        let half_made = self.registrations().join(name);
        let leads_to = std::fs::read(half_made.join("gitdir")).unwrap_or_default();
        if half_made.is_dir() && leads_to.is_empty() && !half_made.join(RETIRED).exists() {
            self.put_aside(&half_made);
        }
        let _ = std::fs::remove_dir_all(self.own().join("making").join(name));
        self.sweep();
    }

    fn retire(&self, registration: PathBuf) {
        if std::fs::rename(registration.join("gitdir"), registration.join(RETIRED)).is_ok() {
            let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
            retired.push((registration, Instant::now()));
        }
    }

    /// Removes the registrations that were retired long enough ago.
    fn sweep(&self) {
        let mut due = Vec::new();
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).retain(|(registration, since)| {
            let is_due = since.elapsed() >= GRACE;
            if is_due {
                due.push(registration.clone());
            }
            !is_due
        });
        due.iter().for_each(|registration| self.put_aside(registration));
    }

    /// Removes the registrations that a killed run had retired.
    pub(super) fn sweep_all(&self) {
        let places = std::fs::read_dir(self.registrations()).into_iter().flatten().filter_map(Result::ok);
        for place in places.map(|place| place.path()).filter(|place| place.join(RETIRED).exists()) {
            let changed = place.metadata().and_then(|metadata| metadata.modified()).ok();
            if changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age >= GRACE) {
                self.put_aside(&place);
            }
        }
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

impl Drop for Layout {
    fn drop(&mut self) {
        let last =
            self.retired.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, since)| *since).max();
        if let Some(last) = last {
            std::thread::sleep(GRACE.saturating_sub(last.elapsed()));
            self.sweep();
        }
    }
}

fn make_aside(aside: &Path, path: &Path, branch: &str) -> io::Result<()> {
    if aside.exists() {
        std::fs::remove_dir_all(aside)?;
    }
    std::fs::create_dir_all(aside)?;
    std::fs::write(aside.join("HEAD"), format!("ref: refs/heads/{branch}\n"))?;
    std::fs::write(aside.join("commondir"), "../..\n")?;
    std::fs::write(aside.join("gitdir"), line(&[path.join(".git").as_os_str()]))?;
    std::fs::write(aside.join(LOCKED), format!("{REASON}\n"))
}

/// Returns a line of paths, which need not be text.
fn line(parts: &[&OsStr]) -> Vec<u8> {
    let parts = parts.iter().flat_map(|part| part.as_encoded_bytes());
    parts.copied().chain([b'\n']).collect()
}

fn made_no_directory(path: &Path, error: io::Error) -> Problem {
    Problem::new(format!("cannot make `{}`", path.display())).because(error)
}
