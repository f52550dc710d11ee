//! What an iteration changed: files, lines added and removed (never their difference, which hides work that is undone),
//! files that came back to an earlier content, and files that change again and again.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use blake3::Hash;

use super::class::Class;
use super::diff::Lines;
use super::fingerprint::{Leaf, Tree};
use super::name::Name;

/// What changed in one kind of file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Churn {
    /// Files that were added, removed or changed.
    pub(crate) files: u64,
    /// Lines that were added; counted for the work alone.
    pub(crate) added: u64,
    /// Lines that were removed.
    pub(crate) removed: u64,
}

/// What changed between two looks at a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// The paths that were added, removed or changed, with the kind of file.
    pub(crate) paths: BTreeMap<Name, Class>,
    by_class: [Churn; Class::ALL.len()],
}

impl Changes {
    /// Compares two looks at a tree.
    pub(crate) fn between(before: &Tree, after: &Tree) -> Changes {
        let mut changes = Changes::default();
        let (mut old, mut new) = (before.files.iter().peekable(), after.files.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return changes,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let was = if order.is_le() { old.next() } else { None };
            let is = if order.is_ge() { new.next() } else { None };
            let hash = |file: Option<&(Name, Leaf)>| file.map(|(_, leaf)| leaf.hash);
            if let Some((name, _)) = is.or(was).filter(|_| hash(was) != hash(is)) {
                changes.add(name, was.map(|(_, leaf)| leaf), is.map(|(_, leaf)| leaf));
            }
        }
    }

    fn add(&mut self, path: &Name, before: Option<&Leaf>, after: Option<&Leaf>) {
        let Some(class) = after.or(before).map(|leaf| leaf.class) else { return };
        let nothing = Arc::new(Lines::default());
        let lines = |leaf: Option<&Leaf>| leaf.map_or(Some(nothing.clone()), |leaf| leaf.lines.clone());
        let churn = &mut self.by_class[class as usize];
        churn.files += 1;
        if let (Some(before), Some(after)) = (lines(before), lines(after)) {
            let (added, removed) = before.diff(&after);
            churn.added += added;
            churn.removed += removed;
        }
        self.paths.insert(path.clone(), class);
    }

    /// Returns what changed in one kind of file.
    pub(crate) fn of(&self, class: Class) -> Churn {
        self.by_class[class as usize]
    }
}

/// What the files of the work have been, to notice when they come back to it.
#[derive(Debug, Default)]
pub(crate) struct Past {
    contents: HashMap<Name, Vec<Hash>>,
    returns: HashMap<Name, u32>,
    changes: HashMap<Name, u32>,
}

impl Past {
    /// Notes what changed, and returns the files that came back to an earlier content.
    ///
    /// Files that are deleted or empty are left out: those states say nothing.
    pub(crate) fn note(&mut self, before: &Tree, after: &Tree, changes: &Changes) -> Vec<Name> {
        let mut returned = Vec::new();
        for (path, _) in changes.paths.iter().filter(|(_, class)| **class == Class::Code) {
            *self.changes.entry(path.clone()).or_default() += 1;
            let contents = self.contents.entry(path.clone()).or_default();
            let content = |tree: &Tree| tree.get(path).filter(|leaf| !leaf.is_empty).map(|leaf| leaf.hash);
            if contents.is_empty() {
                contents.extend(content(before));
            }
            let Some(now) = content(after) else { continue };
            if contents.contains(&now) {
                *self.returns.entry(path.clone()).or_default() += 1;
                returned.push(path.clone());
            } else {
                contents.push(now);
            }
        }
        returned
    }

    /// Returns the file that came back most often, and how often.
    pub(crate) fn most_returned(&self) -> Option<(&Name, u32)> {
        let most = self.returns.iter().max_by_key(|(path, count)| (**count, std::cmp::Reverse(*path)))?;
        Some((most.0, *most.1))
    }

    /// Returns the files that changed most often, and how often: those of at least two changes.
    pub(crate) fn hot(&self, most: usize) -> Vec<(&Name, u32)> {
        let mut hot: Vec<(&Name, u32)> = self
            .changes
            .iter()
            .filter(|(_, count)| **count > 1)
            .map(|(path, count)| (path, *count))
            .collect();
        hot.sort_by_key(|(path, count)| (std::cmp::Reverse(*count), *path));
        hot.truncate(most);
        hot
    }
}
