//! Where the programs keep what has to outlive them: `.specpipe/` at the root of the repository.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::config;

/// The name of the state directory.
pub const DIRECTORY: &str = ".specpipe";

/// The root of the project that a directory belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The root directory.
    pub path: PathBuf,
    /// Whether it is a git repository.
    pub git: bool,
}

impl Root {
    /// Finds the root: the nearest directory upward with `.git`, else the one with `specpipe.toml`, else the directory itself.
    pub fn find(directory: &Path) -> Root {
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let with = |name: &str| directory.ancestors().find(|ancestor| ancestor.join(name).exists());
        match with(".git") {
            Some(path) => Root { path: path.to_owned(), git: true },
            None => Root { path: with(config::FILE).unwrap_or(&directory).to_owned(), git: false },
        }
    }

    /// Returns the state directory, and makes it if need be. It ignores itself in git.
    ///
    /// # Errors
    /// If it can not be made.
    pub fn state(&self) -> io::Result<PathBuf> {
        let directory = self.path.join(DIRECTORY);
        std::fs::create_dir_all(&directory)?;
        let ignore = directory.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(ignore, "*\n")?;
        }
        Ok(directory)
    }
}

/// Waits until nobody else holds a directory, and holds it as long as the value that is returned lives. Where locks do not
/// work, nobody waits.
pub fn hold(directory: &Path) -> Option<File> {
    let held = File::open(directory).ok()?;
    flock(&held, FlockOperation::LockExclusive).ok()?;
    Some(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_repository_and_its_state_ignores_itself() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(path.join("a/b")).unwrap();
        assert_eq!(Root::find(&path.join("a")), Root { path: path.join("a"), git: false });
        std::fs::write(path.join("a").join(config::FILE), "").unwrap();
        assert_eq!(Root::find(&path.join("a/b")), Root { path: path.join("a"), git: false });
        std::fs::create_dir(path.join(".git")).unwrap();
        let root = Root::find(&path.join("a/b"));
        assert_eq!(root, Root { path: path.clone(), git: true });
        assert_eq!(std::fs::read_to_string(root.state().unwrap().join(".gitignore")).unwrap(), "*\n");
    }
}
