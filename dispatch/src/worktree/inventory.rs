//! Which trees there are, and what has become of each.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rayon::prelude::*;
use serde::Serialize;
use walkdir::WalkDir;

use super::entry::{Claim, Entry, housekeeping, names};
use super::git::Git;
use super::layout::Layout;
use super::name::branch_of;

/// What has become of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Somebody works in it.
    Active,
    /// There is something in it that is not committed.
    Dirty,
    /// Its work is committed, on its branch alone.
    Finished,
    /// Its work is in another branch too.
    Merged,
    /// There is no work in it, and nobody who works.
    Orphan,
}

impl State {
    /// Returns the word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Dirty => "dirty",
            State::Finished => "finished",
            State::Merged => "merged",
            State::Orphan => "orphan",
        }
    }
}

/// A tree, as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct Tree {
    /// The last part of its path and of its branch.
    pub(crate) name: String,
    /// The id of the task; absent if nothing is noted of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) id: String,
    /// The attempt; 0 if nothing is noted of it.
    pub(crate) attempt: u32,
    pub(crate) state: State,
    pub(crate) branch: String,
    /// Where it is; absent if only the branch is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) base: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) made_at: String,
    /// How much its files take, without what git keeps.
    pub(crate) bytes: u64,
    #[serde(skip)]
    pub(super) entry: Entry,
    /// Held as long as the tree is looked at.
    #[serde(skip)]
    pub(super) claim: Option<Claim>,
}

impl Tree {
    /// Returns how old it is, if that is known.
    pub(crate) fn age(&self) -> Option<Duration> {
        let made_at: Timestamp = self.made_at.parse().ok()?;
        // A clock that was set back, or a time that was rounded up, makes nothing old.
        Some(Duration::try_from(Timestamp::now().duration_since(made_at)).unwrap_or_default())
    }
}

#[cfg(test)]
impl Tree {
    pub(super) fn sample(state: State, made_at: String) -> Tree {
        Tree {
            name: "a-1".to_owned(),
            id: "a".to_owned(),
            attempt: 1,
            state,
            branch: branch_of("a-1"),
            path: Some(PathBuf::from("/a-1")),
            commit: None,
            base: String::new(),
            made_at,
            bytes: 0,
            entry: Entry::default(),
            claim: None,
        }
    }
}

impl Layout {
    /// Looks at all trees, in the order of their names. They are kept from others until what is returned is gone.
    pub(super) fn survey(&self) -> io::Result<Vec<Tree>> {
        let own = self.own();
        let mut claimed = Vec::new();
        if own.join("trees").is_dir() || self.directory.is_dir() {
            let _alone = housekeeping(&own, true)?;
            let known = names(&own);
            let known: BTreeSet<String> = known.into_iter().chain(self.directories()).collect();
            for name in known {
                let claim = Claim::take(&own, &name)?;
                let is_new = claim.as_ref().is_some_and(Claim::is_new);
                let entry = match &claim {
                    Some(claim) => claim.read(&self.directory),
                    None => Entry::noted(&own, &name).unwrap_or_default(),
                };
                if is_new {
                    // Nothing is noted of it, and looking at it is no reason to.
                    claim.iter().for_each(Claim::forget);
                }
                claimed.push((name, entry, claim));
            }
        }
        let ours: HashSet<String> =
            claimed.iter().map(|(_, entry, _)| format!("refs/heads/{}", entry.branch)).collect();
        Ok(claimed.into_par_iter().map(|(name, entry, claim)| self.tree(name, entry, claim, &ours)).collect())
    }

    /// Returns the names of the directories that are where trees are.
    fn directories(&self) -> impl Iterator<Item = String> {
        let entries = std::fs::read_dir(&self.directory).into_iter().flatten().filter_map(Result::ok);
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        directories.filter_map(|entry| entry.file_name().into_string().ok())
    }

    fn tree(&self, name: String, entry: Entry, claim: Option<Claim>, ours: &HashSet<String>) -> Tree {
        let path = Some(entry.path.clone()).filter(|path| path.is_dir());
        let branch = if entry.branch.is_empty() { branch_of(&name) } else { entry.branch.clone() };
        let (state, commit) = match &claim {
            None => (State::Active, None),
            Some(_) => self.state(&name, &entry, path.as_deref(), ours),
        };
        Tree {
            id: entry.id.clone(),
            attempt: entry.attempt,
            state,
            branch,
            commit,
            base: entry.base.clone(),
            made_at: entry.made_at.clone(),
            bytes: path.as_deref().map_or(0, size),
            path,
            name,
            entry,
            claim,
        }
    }

    fn state(
        &self,
        name: &str,
        entry: &Entry,
        path: Option<&Path>,
        ours: &HashSet<String>,
    ) -> (State, Option<String>) {
        let found = self.work_on(&entry.branch);
        let commit =
            found.or_else(|| Some(super::leftover::Found { commit: entry.commit.clone()?, key: None }));
        let commit = commit.map(|found| found.commit);
        let is_dirty = path.is_some_and(|path| match self.registration(name, path) {
            Some(registration) => {
                let status = ["status", "--porcelain", "--untracked-files=normal"];
                // Who can not be asked may have something that is nowhere else.
                Git::in_tree(&registration, path).plumb(status).map_or(true, |changed| !changed.is_empty())
            }
            None => commit.is_some() && entry.is_uncommitted,
        });
        let state = match &commit {
            _ if is_dirty || entry.is_uncommitted => State::Dirty,
            None => State::Orphan,
            Some(commit) if self.is_merged(commit, ours) => State::Merged,
            Some(_) => State::Finished,
        };
        (state, commit)
    }

    /// Tells whether a commit is in a branch that is none of our trees', or where the user's checkout stands.
    fn is_merged(&self, commit: &str, ours: &HashSet<String>) -> bool {
        let git = Git::at(self.repo.root());
        let contains =
            ["for-each-ref", "--contains", commit, "--format=%(refname)", "refs/heads", "refs/remotes"];
        let others = git.plumb(contains).unwrap_or_default();
        others.lines().any(|name| !ours.contains(name))
            || git.ask(["merge-base", "--is-ancestor", commit, "HEAD"]).is_ok_and(|(code, _)| code == 0)
    }
}

fn size(path: &Path) -> u64 {
    let files =
        WalkDir::new(path).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    files.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
