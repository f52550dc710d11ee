//! Merges the work of tasks into one branch, without any checkout: the result is computed among the objects, and a reference
//! is moved last, and only if it still stands where it stood. So nothing has to be aborted after a conflict, a kill leaves
//! no trace, and who merges the same once more finds it done.
//!
//! A branch that is checked out is moved only if it is the one that the user has named, and only by git's own fast-forward, which
//! refuses to overwrite what is not committed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;
use shared::Problem;
use shared::section::{Merge, MergeOutcome};

use super::entry::hold;
use super::git::Git;
use super::layout::{Layout, path_of};

/// How often a merge is made again because somebody else has moved the branch meanwhile.
const TRIES: usize = 20;
const AGAIN: Duration = Duration::from_millis(20);

/// Merges into one branch.
#[derive(Debug)]
pub(crate) struct Merger {
    layout: Layout,
    into: String,
    /// Where the branch starts if there is none.
    start: String,
    /// Whether the user has named the branch.
    is_named: bool,
}

/// Work to merge.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    /// The id of the task, and the attempt.
    pub(crate) id: String,
    pub(crate) attempt: u32,
    /// What the task asked for.
    pub(crate) title: String,
    /// The commit.
    pub(crate) commit: String,
}

impl Merger {
    /// Returns who merges into the branch `into`, or else into one that is named after the commit that tasks start from: what
    /// is accepted in several runs over the same state comes together there, and nothing is merged twice.
    ///
    /// # Errors
    /// If this can be no branch, or there is nothing to start from.
    pub(crate) fn of(
        root: &Path,
        state: &Path,
        into: Option<&str>,
        base: Option<&str>,
    ) -> Result<Merger, Problem> {
        let layout = Layout::of(root, state)?;
        let start = layout.start(base)?;
        let named = into.map(|into| into.strip_prefix("refs/heads/").unwrap_or(into).to_owned());
        let is_named = named.is_some();
        let into = named.unwrap_or_else(|| format!("specpipe/merged-{}", &start[..start.len().min(12)]));
        let checked = Git::at(layout.repo.root()).ask(["check-ref-format", &format!("refs/heads/{into}")])?;
        if checked.0 != 0 || into.starts_with('-') {
            return Err(Problem::new(format!("`{into}` can be no branch to merge into"))
                .hint("see git help check-ref-format"));
        }
        Ok(Merger { layout, into, start, is_named })
    }

    /// Returns the branch.
    pub(crate) fn branch(&self) -> &str {
        &self.into
    }

    /// Merges work, and says what became of it.
    pub(crate) fn merge(&self, work: &Work) -> Merge {
        self.try_to(work)
            .unwrap_or_else(|problem| self.told(MergeOutcome::Failed, Some(problem.full_message())))
    }

    /// Returns what is said of work that was not tried.
    pub(crate) fn skipped(&self, reason: String) -> Merge {
        self.told(MergeOutcome::Skipped, Some(reason))
    }

    fn told(&self, outcome: MergeOutcome, reason: Option<String>) -> Merge {
        Merge { outcome, into: self.into.clone(), commit: None, conflicts: Vec::new(), reason }
    }

    fn try_to(&self, work: &Work) -> Result<Merge, Problem> {
        std::fs::create_dir_all(self.layout.own())
            .map_err(|error| Problem::new("cannot merge").because(error))?;
        let _one_at_a_time = hold(&self.layout.own().join("merging"), FlockOperation::LockExclusive).ok();
        let git = Git::at(self.layout.repo.root());
        let commit = self.layout.commit_of(&work.commit)?;
        let reference = format!("refs/heads/{}", self.into);
        let mut last = None;
        for _ in 0..TRIES {
            let (code, tip) =
                git.ask(["rev-parse", "--verify", "--quiet", &format!("{reference}^{{commit}}")])?;
            let is_there = code == 0;
            let tip =
                if is_there { String::from_utf8_lossy(&tip).trim().to_owned() } else { self.start.clone() };
            let (code, _) = git.ask(["merge-base", "--is-ancestor", &commit, &tip])?;
            if code == 0 {
                return Ok(Merge { commit: Some(tip), ..self.told(MergeOutcome::Already, None) });
            }
            let tree = match self.tree(&git, &tip, &commit)? {
                Ok(tree) => tree,
                Err(conflicts) => return Ok(Merge { conflicts, ..self.told(MergeOutcome::Conflict, None) }),
            };
            let message = format!(
                "Merge {}: {}\n\nSpecpipe-Attempt: {}\n",
                work.id,
                work.title.lines().next().unwrap_or_default().chars().take(60).collect::<String>(),
                work.attempt
            );
            let merged = git.plumb(["commit-tree", &tree, "-p", &tip, "-p", &commit, "-m", &message])?;
            let merged = merged.trim();
            let moved = match self.checkout()? {
                None => {
                    let old = if is_there { tip.as_str() } else { "" };
                    git.plumb(["update-ref", "-m", "specpipe: merge", &reference, merged, old]).map(drop)
                }
                Some(checkout) => self.fast_forward(&checkout, merged)?,
            };
            match moved {
                Ok(()) => {
                    let commit = Some(merged.to_owned());
                    return Ok(Merge { commit, ..self.told(MergeOutcome::Merged, None) });
                }
                Err(problem) => last = Some(problem),
            }
            std::thread::sleep(AGAIN);
        }
        Err(last.unwrap_or_else(|| Problem::new("the branch is moved by somebody else all the time")))
    }

    /// Computes the merged tree, or names the files in conflict.
    fn tree(&self, git: &Git, tip: &str, commit: &str) -> Result<Result<String, Vec<String>>, Problem> {
        let merge = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", tip, commit];
        let (code, printed) = git.ask(merge)?;
        let mut parts = printed.split(|byte| *byte == 0).filter(|part| !part.is_empty());
        let parts = parts.by_ref().map(|part| String::from_utf8_lossy(part).trim().to_owned());
        let mut parts: Vec<String> = parts.collect();
        match (code, parts.is_empty()) {
            (0, false) => Ok(Ok(parts.swap_remove(0))),
            (1, false) => {
                parts.remove(0);
                parts.sort_unstable();
                parts.dedup();
                Ok(Err(parts))
            }
            _ => Err(match git.plumb(merge) {
                Err(problem) => {
                    Problem::new("git can not merge here").because(problem).hint("it takes git 2.38 or newer")
                }
                Ok(_) => Problem::new("git can not merge here"),
            }),
        }
    }

    /// Finds where the branch is checked out.
    fn checkout(&self) -> Result<Option<PathBuf>, Problem> {
        let reference = format!("refs/heads/{}", self.into);
        let git = Git::at(self.layout.repo.root());
        let asked = ["for-each-ref", "--format=%(worktreepath)", &reference];
        let mut found = git.plumb_bytes(asked);
        for _ in 0..TRIES {
            if found.is_ok() {
                break;
            }
            // It has come upon a registration that somebody is just making or removing.
            std::thread::sleep(AGAIN);
            found = git.plumb_bytes(asked);
        }
        let found = found?;
        let found = found.trim_ascii_end();
        Ok((!found.is_empty()).then(|| path_of(found)))
    }

    fn fast_forward(&self, checkout: &Path, to: &str) -> Result<Result<(), Problem>, Problem> {
        let refused = || Problem::new(format!("`{}` is checked out in `{}`", self.into, checkout.display()));
        let root = self.layout.repo.root();
        let is_users = checkout == root || checkout.canonicalize().ok() == root.canonicalize().ok();
        if !is_users || !self.is_named {
            return Err(
                refused().hint("name another branch with --merge-into, or check out another one there")
            );
        }
        let changed = self.layout.repo.run(["status", "--porcelain", "--untracked-files=no"])?;
        if !changed.is_empty() {
            return Err(refused()
                .because("it has uncommitted changes")
                .hint("commit or stash them, or merge into another branch and merge that yourself"));
        }
        Ok(Git::at(checkout).plumb(["merge", "--ff-only", "--quiet", "--no-verify", to]).map(drop))
    }
}
