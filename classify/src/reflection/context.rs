//! Is what the task speaks of there to be looked at? The third stage (seed 003, facts §4.1).
//!
//! Without a repository and without an index it is 0.3. Else it begins at 0.5: with the essentials 0.3 more, without
//! them 0.2 less; an index that is fresh adds 0.2, a stale one nothing, and none takes 0.2. In the source, that made a
//! little context worth less than none; here it is never less than 0.3.
//!
//! The source asked whether somebody had *said* that there is context. Here it is looked up: the essentials are that
//! git answers, and that at least one thing which the task names is there and no file of it is missing. So a task that
//! names nothing never has full context.

use std::path::{Path, PathBuf};

use shared::git::Repo;
use shared::state::Root;

use super::lookup::Lookup;
use super::named::Named;
use crate::index::{self, Index};

/// What there is without anything to look into.
const NOTHING: f64 = 0.3;

/// What is known about the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Freshness {
    /// There is none.
    Missing,
    /// It is older than a week, or files have changed since.
    Stale,
    /// It is what is there.
    Fresh,
}

/// What git says about the working tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tree {
    /// The branch, or none if a commit is checked out by itself.
    pub(crate) branch: Option<String>,
    /// Paths with changes that are not committed, new files included, from the root.
    pub(crate) changed: Vec<String>,
}

/// The project that tasks are about, as far as it has been looked at.
#[derive(Debug)]
pub(crate) struct Project {
    root: Root,
    directory: PathBuf,
    /// What git says, or why it does not.
    tree: Option<Result<Tree, String>>,
    /// The index, if there is one, or why it can not be read.
    index: Result<Option<Indexed>, String>,
}

/// An index, and how far it is what is there.
#[derive(Debug)]
struct Indexed {
    index: Index,
    is_fresh: bool,
    told: String,
    /// The files that are not in it.
    added: Vec<String>,
}

/// How much context there is, and what says so.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) score: f64,
    pub(crate) lookup: Lookup,
    pub(crate) evidence: Vec<String>,
    pub(crate) concerns: Vec<String>,
}

impl Project {
    /// Looks at the project of a directory: asks git for its state, and reads the index. `now` is in seconds since 1970.
    pub(crate) fn look(directory: &Path, now: i64) -> Project {
        let root = Root::find(directory);
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let (tree, index) = std::thread::scope(|scope| {
            // Git and we look at the same tree; neither has to wait for the other.
            let tree = root.git.then(|| scope.spawn(|| Tree::of(&root.path)));
            let index = Indexed::of(&root, now);
            let tree =
                tree.map(|tree| tree.join().unwrap_or_else(|_| Err("it could not be asked".to_owned())));
            (tree, index)
        });
        Project { root, directory, tree, index }
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    pub(crate) fn index(&self) -> Option<&Index> {
        match &self.index {
            Ok(Some(indexed)) => Some(&indexed.index),
            _ => None,
        }
    }

    fn freshness(&self) -> Freshness {
        match &self.index {
            Ok(Some(indexed)) if indexed.is_fresh => Freshness::Fresh,
            Ok(Some(_)) => Freshness::Stale,
            _ => Freshness::Missing,
        }
    }

    /// Looks up what a task names.
    pub(crate) fn context(&self, named: &[Named]) -> Context {
        let freshness = self.freshness();
        let mut evidence = Vec::new();
        let mut concerns = Vec::new();
        match &self.tree {
            None => {}
            Some(Ok(tree)) => evidence.push(tree.to_string()),
            Some(Err(error)) => {
                concerns.push(format!("git does not say what the state of the tree is: {error}"))
            }
        }
        match &self.index {
            Err(error) => concerns.push(error.clone()),
            Ok(None) if self.tree.is_none() => {
                concerns.push("there is neither a repository nor an index to look into".to_owned());
                return Context { score: NOTHING, lookup: Lookup::default(), evidence, concerns };
            }
            Ok(None) => {
                concerns.push("there is no index to look into (`classify index` builds it)".to_owned())
            }
            Ok(Some(indexed)) if indexed.is_fresh => evidence.push(indexed.told.clone()),
            Ok(Some(indexed)) => concerns.push(indexed.told.clone()),
        }
        let lookup = Lookup::of(self, named);
        if lookup.found.is_empty() && lookup.missing.is_empty() {
            concerns.push("it names nothing that is known to be there".to_owned());
        }
        let answers = !matches!(self.tree, Some(Err(_)));
        let score = score(answers && lookup.has_essentials(), freshness);
        Context { score, lookup, evidence, concerns }
    }

    /// Returns the path from the root of something that is there under this name, seen from here or from the root.
    pub(super) fn path_of(&self, path: &str) -> Option<String> {
        let base = [&self.directory, &self.root.path].into_iter().find(|base| base.join(path).exists())?;
        let within = base.strip_prefix(&self.root.path).ok()?.join(path);
        within.to_str().map(str::to_owned)
    }

    /// Tells whether a file has changes that are not committed. The path is from the root.
    pub(super) fn is_changed(&self, path: &str) -> bool {
        matches!(&self.tree, Some(Ok(tree)) if tree.is_changed(path))
    }

    /// Tells whether a file of this name came after the index was built.
    pub(super) fn is_new(&self, path: &str) -> bool {
        let ends =
            |new: &String| new == path || new.strip_suffix(path).is_some_and(|rest| rest.ends_with('/'));
        matches!(&self.index, Ok(Some(indexed)) if indexed.added.iter().any(ends))
    }
}

impl Indexed {
    /// Reads the index of a project, and compares it with the tree.
    fn of(root: &Root, now: i64) -> Result<Option<Indexed>, String> {
        let Some(index) = Index::read(&root.path).map_err(|problem| problem.full_message())? else {
            return Ok(None);
        };
        let changes = index::compare(&root.path, &index);
        let age = now.saturating_sub(index.built).max(0);
        let is_fresh = index::is_fresh(&changes, age);
        let told = match changes.count() {
            0 if is_fresh => {
                format!("the index knows {} files, as they are ({} old)", index.len(), index::since(age))
            }
            0 => format!("the index is {} old (`classify index` renews it)", index::since(age)),
            count => {
                format!("{count} of {} files are not as the index has them (`classify index`)", index.len())
            }
        };
        Ok(Some(Indexed { index, is_fresh, told, added: changes.added }))
    }
}

/// The seed's formula where there is anything at all, never less than where there is nothing.
fn score(has_essentials: bool, freshness: Freshness) -> f64 {
    let essentials: f64 = if has_essentials { 0.3 } else { -0.2 };
    let index = match freshness {
        Freshness::Missing => -0.2,
        Freshness::Stale => 0.0,
        Freshness::Fresh => 0.2,
    };
    super::rounded((0.5 + essentials + index).max(NOTHING))
}

impl Tree {
    /// Asks git.
    fn of(root: &Path) -> Result<Tree, String> {
        let repo = Repo::discover(root).ok_or("no `git` that knows this repository")?;
        let said = repo
            .bytes(["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"])
            .map_err(|problem| problem.full_message())?;
        Ok(Tree::parse(&said))
    }

    fn parse(said: &[u8]) -> Tree {
        let mut tree = Tree::default();
        let mut entries = said.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        while let Some(entry) = entries.next() {
            let fields = |count| entry.splitn(count, ' ').nth(count - 1).map(str::to_owned);
            match entry.split(' ').next() {
                Some("#") => {
                    if let Some(branch) = entry.strip_prefix("# branch.head ")
                        && branch != "(detached)"
                    {
                        tree.branch = Some(branch.to_owned());
                    }
                }
                Some("1") => tree.changed.extend(fields(9)),
                Some("2") => {
                    tree.changed.extend(fields(10));
                    // Where it was renamed from.
                    entries.next();
                }
                Some("u") => tree.changed.extend(fields(11)),
                Some("?") => tree.changed.extend(fields(2)),
                _ => {}
            }
        }
        tree
    }

    /// Returns whether a path, from the root, has changes that are not committed.
    fn is_changed(&self, path: &str) -> bool {
        self.changed.iter().any(|changed| match changed.strip_suffix('/') {
            Some(directory) => path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')),
            None => changed == path,
        })
    }
}

impl std::fmt::Display for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.branch {
            Some(branch) => write!(f, "git: on branch {branch}, ")?,
            None => write!(f, "git: on no branch, ")?,
        }
        match self.changed.len() {
            0 => write!(f, "nothing uncommitted"),
            1 => write!(f, "1 uncommitted change"),
            count => write!(f, "{count} uncommitted changes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn levels_are_the_source_s_but_never_below_none() {
        use Freshness::{Fresh, Missing, Stale};
        assert_eq!([score(true, Fresh), score(true, Stale), score(true, Missing)], [1.0, 0.8, 0.6]);
        assert_eq!([score(false, Fresh), score(false, Stale), score(false, Missing)], [0.5, 0.3, 0.3]);
    }

    #[test]
    fn what_git_says_is_understood() {
        let said = [
            "# branch.oid abc",
            "# branch.head main",
            "1 .M N... 100644 100644 100644 a b src/a b.rs",
            "2 R. N... 1 1 1 a b R100 new.rs",
            "old.rs",
            "u UU N... 1 1 1 1 a b c both.rs",
            "? fresh/",
        ]
        .join("\0");
        let tree = Tree::parse(said.as_bytes());
        assert_eq!(tree.branch.as_deref(), Some("main"));
        assert_eq!(tree.changed, ["src/a b.rs", "new.rs", "both.rs", "fresh/"]);
        assert!(tree.is_changed("fresh/x.rs") && tree.is_changed("new.rs") && !tree.is_changed("old.rs"));
        assert_eq!(
            Tree::parse(b"# branch.head (detached)\0").to_string(),
            "git: on no branch, nothing uncommitted"
        );
    }

    proptest! {
        #[test]
        fn more_context_is_never_worth_less(has: bool, more: bool, at in 0usize..3, later in 0usize..3) {
            let all = [Freshness::Missing, Freshness::Stale, Freshness::Fresh];
            if has <= more && at <= later {
                prop_assert!(score(has, all[at]) <= score(more, all[later]));
            }
            prop_assert!(score(has, all[at]) >= NOTHING);
        }
    }
}
