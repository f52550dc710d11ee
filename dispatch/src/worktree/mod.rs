//! A working tree of its own for every task that writes, on a branch of its own, so that the user's checkout is never touched.
//!
//! Trees are at `.specpipe/worktrees/<id>-<attempt>`, branches at `specpipe/<id>-<attempt>`. What came of the work is one commit
//! of exactly what changed in that tree. `entry` notes what there is and who works in it, `register` makes git know of it,
//! `commit` makes the commit, `leftover` removes what killed runs have left. The repository's hooks, index, stash and
//! configuration are not used, and nothing is ever pruned that is not ours.

mod commit;
pub(crate) mod dependencies;
mod entry;
mod git;
pub(crate) mod housekeeping;
pub(crate) mod inventory;
mod layout;
mod leftover;
pub(crate) mod merge;
mod name;
mod notes;
mod register;
mod removal;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use shared::{Problem, interrupt, units};

use dependencies::{Dependencies, Wish};
use entry::{Claim, Entry, housekeeping};
use git::Git;
use layout::Layout;
use name::branch_of;
pub(crate) use name::name_of;
use notes::Notes;

/// How often a tree is tried again that could not be made, and after which time.
const TRIES: usize = 5;
const AGAIN: Duration = Duration::from_millis(20);

/// Makes working trees for the tasks of one repository.
#[derive(Debug)]
pub(crate) struct Worktrees {
    layout: Arc<Layout>,
    /// The commit that tasks start from which do not go on from somebody's work.
    start: String,
    /// Removes what killed runs have left; names are free after that.
    collecting: Mutex<Option<JoinHandle<()>>>,
    /// What the user is to be told.
    pub(crate) notes: Notes,
    dependencies: Dependencies,
    first: Once,
}

/// A working tree that a task is being done in.
#[derive(Debug)]
pub(crate) struct Worktree {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its branch.
    pub(crate) branch: String,
    /// The commit that the changes are told against.
    pub(crate) base: String,
    /// The commit that it started from.
    start: String,
    layout: Arc<Layout>,
    registration: PathBuf,
    name: String,
    /// Held as long as somebody works in it.
    claim: Claim,
    entry: Entry,
    /// What was put into it that is no work: paths relative to it.
    placed: Vec<PathBuf>,
}

impl Worktrees {
    /// Returns the working trees of a repository. Tasks start from the commit `base`, or from where the user's checkout stands.
    ///
    /// # Errors
    /// If there is nothing to start from, or git can not say. That is no reason to work in the user's checkout instead.
    pub(crate) fn of(
        root: &Path,
        state: &Path,
        base: Option<&str>,
        wish: Wish,
    ) -> Result<Worktrees, Problem> {
        let layout = Arc::new(Layout::of(root, state)?);
        let start = layout.start(base)?;
        let collector = Arc::clone(&layout);
        let collecting = std::thread::Builder::new().name("worktrees".to_owned());
        let collecting = collecting.spawn(move || drop(collector.collect())).ok();
        Ok(Worktrees {
            layout,
            start,
            collecting: Mutex::new(collecting),
            notes: Notes::default(),
            dependencies: Dependencies::new(wish),
            first: Once::new(),
        })
    }

    /// Returns the root of the user's checkout.
    pub(crate) fn root(&self) -> &Path {
        self.layout.repo.root()
    }

    /// Makes a tree for an attempt: from the commit `from`, or from where all tasks start.
    ///
    /// A tree of the same name in which nobody works any more and of which nothing came is what a killed run has left:
    /// it is removed. One with work in it is kept and the new one has a number behind its name, unless the work is of the key
    /// that this one `replaces`: a run was killed after it made the commit and before it could tell anybody.
    ///
    /// # Errors
    /// If git or the disk says no.
    pub(crate) fn add(
        &self,
        id: &str,
        attempt: u32,
        replaces: Option<&str>,
        from: Option<&str>,
        base: Option<&str>,
    ) -> Result<Worktree, Problem> {
        let problem = || Problem::new("cannot make a worktree");
        if let Some(collecting) = self.collecting.lock().unwrap_or_else(|broken| broken.into_inner()).take() {
            let _ = collecting.join();
        }
        let commit_of = |name: &str| self.layout.commit_of(name).map_err(|error| problem().because(error));
        let start = from.map_or_else(|| Ok(self.start.clone()), commit_of)?;
        let base = base.map_or_else(|| Ok(start.clone()), commit_of)?;
        let own = self.layout.own();
        let usual = format!("{}-{attempt}", name_of(id));
        for number in 1..1000 {
            let name = if number == 1 { usual.clone() } else { format!("{usual}.{number}") };
            let claim = housekeeping(&own, false).and_then(|_looking| Claim::take(&own, &name));
            let Some(claim) = claim.map_err(|error| problem().because(error))? else { continue };
            let path = self.layout.directory.join(&name);
            let is_new = claim.is_new() && !path.exists();
            if !is_new && !self.layout.is_free(&claim, &name, &path, replaces) {
                continue;
            }
            let entry = Entry {
                id: id.to_owned(),
                attempt,
                path: path.clone(),
                branch: branch_of(&name),
                base: base.clone(),
                made_at: units::now(),
                ..Entry::default()
            };
            claim.write(&entry).map_err(|error| problem().because(error))?;
            let since = SystemTime::now();
            let mut made = self.layout.make(&name, &entry, &start);
            let mut is_taken = false;
            for _ in 0..TRIES {
                if made.is_ok() || interrupt::requested() {
                    break;
                }
                // The branch may be of a tree that somebody has made without a note, or whose note is gone; or a git of a run
                // that was killed has come to its end only now.
                is_taken = !self.layout.is_free(&claim, &name, &path, replaces);
                if is_taken {
                    break;
                }
                std::thread::sleep(AGAIN);
                made = self.layout.make(&name, &entry, &start);
            }
            if is_taken {
                claim.forget();
                continue;
            }
            let registration = made.map_err(|error| {
                self.layout.remove(&name, &entry);
                claim.forget();
                problem().because(error)
            })?;
            self.look_around(&path);
            let layout = Arc::clone(&self.layout);
            let branch = entry.branch.clone();
            let placed = self.dependencies.place(&layout.repo, &path, since, &self.notes);
            return Ok(Worktree {
                path,
                branch,
                base,
                start,
                layout,
                registration,
                name,
                claim,
                entry,
                placed,
            });
        }
        Err(problem()
            .because(format!("there are too many of the name `{usual}`"))
            .hint("remove old ones with `dispatch worktrees prune`"))
    }
}

impl Worktrees {
    /// Removes a tree of ours with its branch and the work in it, unless somebody works there.
    pub(crate) fn discard(&self, path: &Path, branch: &str) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return };
        let own = self.layout.own();
        let claim = housekeeping(&own, false).and_then(|_looking| Claim::take(&own, name));
        let Ok(Some(claim)) = claim else { return };
        let entry = claim.read(&self.layout.directory);
        if entry.path == path && entry.branch == branch {
            self.layout.remove(name, &entry);
            if !path.exists() {
                claim.forget();
            }
        }
    }
}

impl Worktrees {
    /// Notes, with the first tree, what is in the user's checkout and not in a tree.
    fn look_around(&self, tree: &Path) {
        self.first.call_once(|| {
            let changed = ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty"];
            let changed = self.layout.repo.run(changed).unwrap_or_default();
            if !changed.is_empty() {
                self.notes.add(format!(
                    "the checkout has uncommitted changes ({} files), which are not in the worktrees; those start from {}",
                    changed.lines().count(),
                    &self.start[..self.start.len().min(12)]
                ));
            }
            if tree.join(".gitmodules").exists() {
                self.notes.add("submodules are empty in the worktrees, because checking them out would write the repository's configuration");
            }
        });
    }
}

/// Checks that there is a commit of this name that worktrees can start from.
///
/// # Errors
/// If there is none, or git can not say.
pub(crate) fn check_base(root: &Path, base: &str) -> Result<(), Problem> {
    let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{base}^{{commit}}")];
    Git::at(root).plumb(asked).map(drop).map_err(|_| no_base(base))
}

/// Tells whether a directory is in a bare repository, where there is no checkout.
pub(crate) fn is_bare(directory: &Path) -> bool {
    layout::bare_above(directory).is_some()
}

fn no_base(base: &str) -> Problem {
    Problem::new(format!("there is no commit `{base}` for worktrees to start from"))
        .hint("name a commit, a tag or a branch of this repository")
}

impl Layout {
    /// Returns the commit that tasks start from.
    fn start(&self, base: Option<&str>) -> Result<String, Problem> {
        if let Some(base) = base {
            return self.commit_of(base).map_err(|_| no_base(base));
        }
        self.commit_of("HEAD").map_err(|error| {
            let unborn = Git::at(self.repo.root()).ask(["rev-parse", "--verify", "--quiet", "HEAD"]);
            let is_unborn = unborn.is_ok_and(|(code, _)| code == 1);
            let problem = Problem::new("there is no worktree to work in");
            match is_unborn {
                true => problem
                    .because("the repository has no commit yet that it could start from")
                    .hint("make a first commit, or let tasks change your checkout with --worktrees never"),
                false => problem.because(error),
            }
        })
    }

    /// Returns the commit of a name that a user or a record has given.
    fn commit_of(&self, name: &str) -> Result<String, Problem> {
        let git = Git::at(self.repo.root());
        let asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")];
        let commit =
            git.plumb(asked).map_err(|error| Problem::new(format!("no commit `{name}`")).because(error))?;
        Ok(commit.trim().to_owned())
    }

    /// Makes a tree and its files. Returns the registration.
    fn make(&self, name: &str, entry: &Entry, start: &str) -> Result<PathBuf, Problem> {
        let registration = self.register(name, entry, start)?;
        // Not `git reset`: it locks the packed references of all to delete what it never finds, and this git may be killed.
        let files = ["read-tree", "--reset", "-u", "--no-recurse-submodules", "HEAD"];
        Git::in_tree(&registration, &entry.path).work(files)?;
        Ok(registration)
    }

    /// Tells whether a name can be used, after removing what a killed run has left there.
    fn is_free(&self, claim: &Claim, name: &str, path: &Path, replaces: Option<&str>) -> bool {
        let entry = claim.read(&self.directory);
        let usual = Entry { path: path.to_owned(), branch: branch_of(name), ..Entry::default() };
        // The note of another checkout of this repository: not our place, and not our leftover.
        if entry.is_uncommitted || (entry.path != path && entry.path.exists()) {
            return false;
        }
        if let Some(found) = self.work_on(&usual.branch)
            && (found.key.is_none() || found.key.as_deref() != replaces)
        {
            return false;
        }
        self.remove(name, &usual);
        !path.exists()
    }
}

impl Worktree {
    /// Removes the tree and its branch.
    pub(crate) fn remove(&self) {
        self.layout.remove(&self.name, &self.entry);
        if !self.path.exists() {
            self.claim.forget();
        }
    }
}
