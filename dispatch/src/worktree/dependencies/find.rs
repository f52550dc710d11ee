//! Finds the dependency directories of a checkout: those of a known name that git ignores, at whatever depth.

use std::path::{Path, PathBuf};

use shared::git::Repo;
use shared::state::DIRECTORY;
use walkdir::WalkDir;

use crate::worktree::layout::path_of;

/// A dependency directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    /// Where it is, relative to the repository.
    pub(super) path: PathBuf,
    /// How much is in it, at least.
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl Directory {
    /// Tells whether a link for each of its entries is as good as the entry.
    pub(super) fn is_of_packages(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default();
        ["node_modules", "bower_components"].iter().any(|known| name == *known)
    }
}

/// Finds them; counts no further than this many files.
pub(super) fn find(repo: &Repo, names: &[String], most: u64) -> Vec<Directory> {
    let ignored = ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"];
    let Ok(ignored) = repo.bytes(ignored) else { return Vec::new() };
    let ignored = ignored.split(|byte| *byte == 0).filter_map(|path| path.strip_suffix(b"/")).map(path_of);
    let wanted = ignored.filter(|path| is_wanted(path, names) && is_there(&repo.root().join(path)));
    wanted.map(|path| measured(repo.root(), path, most)).collect()
}

fn is_wanted(path: &Path, names: &[String]) -> bool {
    let is_ours = path.components().any(|part| part.as_os_str() == DIRECTORY);
    let is_named = |name: &String| {
        let name = Path::new(name.trim_end_matches('/'));
        if name.components().count() > 1 { path == name } else { path.file_name() == Some(name.as_os_str()) }
    };
    !is_ours && names.iter().any(is_named)
}

/// Tells whether this is a directory, and an environment if its name says so.
fn is_there(path: &Path) -> bool {
    let is_environment = path.file_name().is_some_and(|name| name == "venv" || name == ".venv");
    path.symlink_metadata().is_ok_and(|there| there.is_dir())
        && (!is_environment || path.join("pyvenv.cfg").is_file())
}

fn measured(root: &Path, path: PathBuf, most: u64) -> Directory {
    let (mut files, mut bytes) = (0, 0);
    for entry in WalkDir::new(root.join(&path)).into_iter().filter_map(Result::ok) {
        if files > most {
            break;
        }
        files += u64::from(!entry.file_type().is_dir());
        if entry.file_type().is_file() {
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    Directory { path, files, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_anywhere_and_a_path_at_its_place() {
        let names = ["node_modules".to_owned(), "tools/cache/".to_owned()];
        for (path, expected) in [
            ("node_modules", true),
            ("packages/a/node_modules", true),
            ("node_modules2", false),
            ("tools/cache", true),
            ("cache", false),
            ("x/tools/cache", false),
            (".specpipe/worktrees/a-1/node_modules", false),
        ] {
            assert_eq!(is_wanted(Path::new(path), &names), expected, "{path}");
        }
    }
}
