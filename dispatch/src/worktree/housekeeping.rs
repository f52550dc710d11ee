//! What a user can do with trees: look at them, remove those that are of no use any more, put broken ones in order.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::Problem;

use super::entry::{Claim, Entry, housekeeping, names};
use super::git::Git;
use super::inventory::{State, Tree};
use super::layout::Layout;
use super::register::lead;
use super::removal::remove_directory;

/// The trees of a repository, to be looked after.
#[derive(Debug)]
pub(crate) struct Keeper {
    layout: Layout,
}

/// What is to be removed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Selection {
    /// Only what is at least so old.
    pub(crate) older_than: Option<Duration>,
    /// Also trees of work that is not merged; their branches stay.
    pub(crate) all: bool,
    /// Also their branches, and what is not committed.
    pub(crate) force: bool,
}

/// What is done with a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stays.
    Kept,
    /// The tree goes, its branch with the work stays.
    TreeRemoved,
    /// The tree and its branch go.
    Removed,
}

impl Selection {
    /// Decides about a tree.
    pub(crate) fn fate(&self, tree: &Tree) -> Fate {
        let is_old = self.older_than.is_none_or(|limit| tree.age().is_none_or(|age| age >= limit));
        match tree.state {
            _ if !is_old => Fate::Kept,
            State::Active => Fate::Kept,
            State::Merged | State::Orphan => Fate::Removed,
            State::Finished | State::Dirty if self.all && self.force => Fate::Removed,
            State::Finished if self.all && tree.path.is_some() => Fate::TreeRemoved,
            State::Finished | State::Dirty => Fate::Kept,
        }
    }
}

impl Keeper {
    /// Returns the keeper of the trees of a repository.
    ///
    /// # Errors
    /// If git can not say where they are.
    pub(crate) fn of(root: &Path, state: &Path) -> Result<Keeper, Problem> {
        Ok(Keeper { layout: Layout::of(root, state)? })
    }

    /// Looks at all trees.
    ///
    /// # Errors
    /// If the disk says no.
    pub(crate) fn survey(&self) -> Result<Vec<Tree>, Problem> {
        self.layout.survey().map_err(|error| Problem::new("cannot look at the worktrees").because(error))
    }

    /// Does with a tree what was decided.
    ///
    /// # Errors
    /// If something of it is still there.
    pub(crate) fn carry_out(&self, tree: &Tree, fate: Fate) -> Result<(), Problem> {
        // Without a claim somebody works in it.
        let Some(claim) = &tree.claim else { return Ok(()) };
        let problem = || Problem::new(format!("cannot remove the worktree `{}`", tree.name));
        match fate {
            Fate::Kept => {}
            Fate::TreeRemoved => {
                self.layout.unregister(&tree.name, &tree.entry.path);
                remove_directory(&tree.entry.path).map_err(|error| problem().because(error))?;
            }
            Fate::Removed => {
                self.layout.unregister(&tree.name, &tree.entry.path);
                remove_directory(&tree.entry.path).map_err(|error| problem().because(error))?;
                self.layout.delete_branch(&tree.branch).map_err(|error| problem().because(error))?;
                claim.forget();
            }
        }
        Ok(())
    }

    /// Puts trees in order that were moved with their repository, or whose making or removal was broken off. Returns what was
    /// done.
    ///
    /// # Errors
    /// If the disk says no.
    pub(crate) fn repair(&self) -> Result<Vec<String>, Problem> {
        let problem = |error| Problem::new("cannot look at the worktrees").because(error);
        let layout = &self.layout;
        let own = layout.own();
        let mut claimed = Vec::new();
        if own.join("trees").is_dir() {
            let _alone = housekeeping(&own, true).map_err(problem)?;
            for name in names(&own) {
                claimed.extend(Claim::take(&own, &name).map_err(problem)?.map(|claim| (name, claim)));
            }
        }
        let mut done = Vec::new();
        for (name, claim) in claimed {
            let mut entry = claim.read(&layout.directory);
            let here = layout.directory.join(&name);
            if !entry.path.exists() && here.is_dir() {
                entry.path.clone_from(&here);
                claim.write(&entry).map_err(problem)?;
                done.push(format!("{name}: noted at {}", here.display()));
            }
            if entry.path.is_dir()
                && let Some(what) = self.register_again(&name, &entry)?
            {
                done.push(format!("{name}: {what}"));
            }
        }
        done.extend(
            layout.collect().into_iter().map(|name| format!("{name}: removed, it was left without work")),
        );
        Ok(done)
    }

    /// Makes git know a tree again, if it does not.
    fn register_again(&self, name: &str, entry: &Entry) -> Result<Option<&'static str>, Problem> {
        let layout = &self.layout;
        let problem = |error| Problem::new(format!("cannot register `{name}` again")).because(error);
        if let Some(registration) = layout.registration(name, &entry.path) {
            let before = std::fs::read(entry.path.join(".git")).ok();
            lead(&entry.path, &registration).map_err(problem)?;
            let is_same = std::fs::read(entry.path.join(".git")).ok() == before;
            return Ok((!is_same).then_some("its link leads to its registration again"));
        }
        if let Some(registration) = self.registration_of_branch(&entry.branch) {
            let link = entry.path.join(".git");
            std::fs::write(registration.join("gitdir"), format!("{}\n", link.display())).map_err(problem)?;
            lead(&entry.path, &registration).map_err(problem)?;
            return Ok(Some("it was moved, and its registration leads to it again"));
        }
        if layout.work_on(&entry.branch).is_none() {
            return Ok(None);
        }
        let registration = layout.register_existing(name, entry)?;
        // The files are what they are; what git knows of them is made anew.
        // Killed, it would leave the lock of the packed references behind.
        Git::in_tree(&registration, &entry.path).plumb(["reset", "--quiet"])?;
        Ok(Some("it is registered again"))
    }

    fn registration_of_branch(&self, branch: &str) -> Option<PathBuf> {
        let places = std::fs::read_dir(self.layout.registrations()).ok()?.filter_map(Result::ok);
        let head = format!("ref: refs/heads/{branch}\n");
        places
            .map(|place| place.path())
            .find(|place| std::fs::read_to_string(place.join("HEAD")).is_ok_and(|h| h == head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worktree::inventory::Tree;

    #[test]
    fn nothing_that_is_nowhere_else_goes_without_force() {
        let states = [State::Active, State::Dirty, State::Finished, State::Merged, State::Orphan];
        for state in states {
            for bits in 0..16 {
                let [all, force, is_old, has_limit] = [0, 1, 2, 3].map(|bit| bits & (1 << bit) != 0);
                let made_at = if is_old { "2020-01-01T00:00:00Z".to_owned() } else { shared::units::now() };
                let tree = Tree::sample(state, made_at);
                let older_than = has_limit.then_some(Duration::from_secs(3600));
                let fate = Selection { older_than, all, force }.fate(&tree);
                let is_elsewhere = matches!(state, State::Merged | State::Orphan);
                match fate {
                    Fate::Kept => assert!(!is_elsewhere || (has_limit && !is_old), "{tree:?}"),
                    Fate::TreeRemoved => assert!(all && state == State::Finished),
                    Fate::Removed => assert!(state != State::Active && (is_elsewhere || (all && force))),
                }
                assert!(!has_limit || is_old || fate == Fate::Kept);
            }
        }
    }

    #[test]
    fn what_was_made_by_a_clock_that_is_ahead_is_new() {
        let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(3);
        let tree = Tree::sample(State::Merged, ahead.to_string());
        let older_than = Some(Duration::from_secs(3600));
        assert_eq!(tree.age(), Some(Duration::ZERO));
        assert_eq!(Selection { older_than, ..Selection::default() }.fate(&tree), Fate::Kept);
    }
}
