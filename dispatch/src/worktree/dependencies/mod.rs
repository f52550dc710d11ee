//! What a project needs to be built and tested and git does not keep: made available in a tree, so that nothing that is
//! installed, changed or removed there can reach the original.
//!
//! The copy shares blocks where the file system can (a reflink), and is a plain copy of limited size elsewhere. Hard links are
//! not used: writing into a file in place would write the original, and taking the right to write away would take it from the
//! original too. A link is made only when asked for, and then for each package and not for the whole directory. What
//! a build has produced is left out unless it is named: it is large, and stale results pass for right ones.

mod copy;
mod farm;
mod find;
mod relocate;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use clap::ValueEnum;
use shared::git::Repo;

use self::copy::{Copier, Stopped};
use self::find::Directory;
use super::notes::Notes;
use super::removal::remove_directory;

/// What is made available if nothing is said: what a package manager has installed.
const USUAL: [&str; 6] = ["node_modules", "bower_components", ".venv", "venv", "vendor", "Pods"];

/// The most that is copied where no blocks can be shared, and the most files that are copied at all.
pub(crate) const COPY_BYTES: u64 = 512 << 20;
pub(crate) const COPY_FILES: u64 = 20_000;
const REFLINK_FILES: u64 = 200_000;

/// How dependency directories get into a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Means {
    /// By a reflink where the file system can, else by a copy.
    #[default]
    Auto,
    /// By a reflink, or not at all.
    Reflink,
    /// By a copy.
    Copy,
    /// By a link for each package.
    Link,
    /// Not at all.
    None,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) means: Means,
    /// Names, or paths relative to the repository; nothing said is the usual.
    pub(crate) directories: Option<Vec<String>>,
    /// The most bytes and files that are copied into one tree.
    pub(crate) bytes: u64,
    pub(crate) files: u64,
}

impl Default for Wish {
    fn default() -> Wish {
        Wish { means: Means::default(), directories: None, bytes: COPY_BYTES, files: COPY_FILES }
    }
}

/// The dependency directories of a checkout.
#[derive(Debug)]
pub(super) struct Dependencies {
    wish: Wish,
    found: OnceLock<Vec<Directory>>,
    can_share: OnceLock<bool>,
}

impl Dependencies {
    pub(super) fn new(wish: Wish) -> Dependencies {
        Dependencies { wish, found: OnceLock::new(), can_share: OnceLock::new() }
    }

    /// Makes the directories available in a tree that was checked out after `since`. Returns those that are there now.
    pub(super) fn place(&self, repo: &Repo, tree: &Path, since: SystemTime, notes: &Notes) -> Vec<PathBuf> {
        if self.wish.means == Means::None {
            return Vec::new();
        }
        let names: Vec<String> = match &self.wish.directories {
            Some(names) => names.clone(),
            None => USUAL.map(str::to_owned).to_vec(),
        };
        let most = self.wish.files.max(REFLINK_FILES);
        let found = self.found.get_or_init(|| find::find(repo, &names, most));
        let (Ok(root), Ok(tree)) = (repo.root().canonicalize(), tree.canonicalize()) else {
            return Vec::new();
        };
        let mut placed = Vec::new();
        for directory in found {
            let target = tree.join(&directory.path);
            if !is_vacant(&target, &tree) {
                continue;
            }
            let source = root.join(&directory.path);
            let can_share = *self.can_share.get_or_init(|| copy::can_share(&source, &tree));
            let links = self.wish.means == Means::Link && directory.is_of_packages();
            if let Err(why) = if links { Ok(()) } else { self.fits(directory, &tree, can_share) } {
                notes.add(format!("{} is not in the worktrees: {why}", directory.path.display()));
                continue;
            }
            let copier = Copier { root: &root, tree: &tree, since, can_share };
            let made =
                if links { farm::link(&copier, &source, &target) } else { copier.copy(&source, &target) };
            match made {
                Ok(()) => placed.push(directory.path.clone()),
                Err(stopped) => {
                    let _ = remove_directory(&target);
                    if let Stopped::Failed(error) = stopped {
                        let why = format!("it could not be copied ({error})");
                        notes.add(format!("{} is not in a worktree: {why}", directory.path.display()));
                    }
                }
            }
        }
        placed
    }

    /// Says why a directory is not to be copied, if it is not.
    fn fits(&self, directory: &Directory, tree: &Path, can_share: bool) -> Result<(), String> {
        let Wish { means, bytes, files, .. } = &self.wish;
        let size = format!("{} files, {} MiB", directory.files, directory.bytes >> 20);
        if *means == Means::Reflink && !can_share {
            return Err(
                "the file system can not share blocks; see `dependencies` in [dispatch.worktree]".to_owned()
            );
        }
        if can_share && *means != Means::Copy {
            let most = REFLINK_FILES.max(*files);
            return if directory.files < most { Ok(()) } else { Err(format!("it has {most} files or more")) };
        }
        if directory.files > *files || directory.bytes > *bytes {
            return Err(format!(
                "a copy for each task would be too much ({size}); raise `copy_files` or `copy_bytes` in [dispatch.worktree]"
            ));
        }
        let free =
            rustix::fs::statvfs(tree).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        // A full disk would take the work with it.
        match directory.bytes.saturating_mul(2) > free {
            true => Err(format!("the disk has no room for copies ({size})")),
            false => Ok(()),
        }
    }
}

/// Tells whether a place in a tree is free, and really in the tree.
fn is_vacant(target: &Path, tree: &Path) -> bool {
    let parent = target.parent().and_then(|parent| parent.canonicalize().ok());
    parent.is_some_and(|parent| parent.starts_with(tree) && parent.is_dir())
        && target.symlink_metadata().is_err()
}
