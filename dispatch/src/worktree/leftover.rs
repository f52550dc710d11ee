//! What runs that were killed have left, and whether there is work in it.
//!
//! Only what our own notes speak of is removed, and never by `git worktree prune`, which would remove what others are about
//! to make.

use super::entry::{Claim, Entry, housekeeping, names};
use super::git::Git;
use super::layout::Layout;
use super::removal::remove_directory;

/// The key and the branch that a commit of ours was made with, with a space between.
const TRAILERS: &str = "--format=%(trailers:key=Specpipe-Key,valueonly,separator=) %(trailers:key=Specpipe-Branch,valueonly,separator=)";

/// Work that is on a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The commit.
    pub(super) commit: String,
    /// The key that it was made with, if we have made it.
    pub(super) key: Option<String>,
}

impl Layout {
    /// Looks for work on a branch of ours: a commit that we have made for it, or any that only it leads to.
    pub(super) fn work_on(&self, branch: &str) -> Option<Found> {
        let reference = format!("refs/heads/{branch}");
        let git = Git::at(self.repo.root());
        let tip = git.plumb(["rev-parse", "--verify", "--quiet", &format!("{reference}^{{commit}}")]).ok()?;
        let tip = tip.trim().to_owned();
        let trailers = git.plumb(["log", "-1", TRAILERS, &tip]).unwrap_or_default();
        let (key, made_on) = trailers.trim().split_once(' ').unwrap_or_default();
        if made_on == branch {
            return Some(Found { commit: tip, key: Some(key.to_owned()) });
        }
        // A branch on which nothing was committed points to a commit that others have too.
        let contains =
            ["for-each-ref", "--contains", &tip, "--format=%(refname)", "refs/heads", "refs/remotes"];
        let others = git.plumb(contains).unwrap_or_default();
        let is_in_others = others.lines().any(|name| name != reference);
        let is_in_head = || {
            let asked = git.ask(["merge-base", "--is-ancestor", &tip, "HEAD"]);
            asked.is_ok_and(|(code, _)| code == 0)
        };
        (!is_in_others && !is_in_head()).then_some(Found { commit: tip, key: None })
    }

    /// Removes a tree of ours with its registration and its branch, and nothing else.
    pub(super) fn remove(&self, name: &str, entry: &Entry) {
        self.unregister(name, &entry.path);
        let _ = remove_directory(&entry.path);
        let _ = self.delete_branch(&entry.branch);
    }

    /// Removes what killed runs have left without work in it. Returns the names.
    pub(super) fn collect(&self) -> Vec<String> {
        let own = self.own();
        if own.is_dir() {
            self.sweep_all();
        }
        if names(&own).is_empty() {
            return Vec::new();
        }
        let mut left = Vec::new();
        {
            let Ok(_alone) = housekeeping(&own, true) else { return Vec::new() };
            for name in names(&own) {
                let Ok(Some(claim)) = Claim::take(&own, &name) else { continue };
                let entry = claim.read(&self.directory);
                if entry.commit.is_none() && !entry.is_uncommitted {
                    left.push((claim, name, entry));
                }
            }
        }
        let mut removed = Vec::new();
        for (claim, name, mut entry) in left {
            if let Some(found) = self.work_on(&entry.branch) {
                // Killed between the commit and the note on it.
                entry.commit = Some(found.commit);
                let _ = claim.write(&entry);
                continue;
            }
            self.remove(&name, &entry);
            if !entry.path.exists() {
                claim.forget();
                removed.push(name);
            }
        }
        // Whoever puts something here removes it at once.
        let _ = std::fs::remove_dir_all(own.join("removed"));
        removed
    }
}
