//! Where the work was done: the worktree of the attempt, or the working directory of the run.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Files longer than this are not read to check a line in them.
const READ_LIMIT: u64 = 8 << 20;
/// A tree with more files than this is not listed to the end.
const LIST_LIMIT: usize = 200_000;
/// A listing is used for so long, since walking a large tree anew for each record would take longer than all else.
const FRESH: Duration = Duration::from_secs(2);

/// A directory in which cited files are looked up.
#[derive(Debug)]
pub(crate) struct Place {
    root: PathBuf,
    exists: bool,
    listing: Mutex<Option<(Instant, Arc<Listing>)>>,
}

/// The files of a tree by their last name; ignored files are not among them.
#[derive(Debug, Default)]
struct Listing {
    by_name: HashMap<String, Vec<PathBuf>>,
}

/// What is at a cited path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// One file, or several that the path may mean.
    Files(Vec<PathBuf>),
    Directory,
    Nothing,
    /// It is not a path inside the place.
    Outside,
}

impl Place {
    pub(crate) fn new(root: PathBuf) -> Place {
        let exists = root.is_dir();
        Place { root, exists, listing: Mutex::new(None) }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Tells whether the directory is there at all: a worktree may be gone by now.
    pub(crate) fn exists(&self) -> bool {
        self.exists
    }

    /// Returns what a path from an answer refers to. People write paths from the root of the repository, from
    /// a package inside it, or just the file's name; all of these count if such a file exists.
    pub(crate) fn find(&self, path: &str) -> Found {
        let path = Path::new(path);
        let relative = match path.strip_prefix(&self.root) {
            Ok(inside) => inside,
            Err(_) if path.is_absolute() => return Found::Outside,
            Err(_) => path,
        };
        let Some(relative) = normal(relative) else { return Found::Outside };
        // A tree is often drawn from the name of the directory itself.
        let own = self.root.file_name().and_then(|name| relative.strip_prefix(name).ok());
        let relative = match own {
            Some(inside) if !inside.as_os_str().is_empty() && !self.root.join(&relative).exists() => {
                inside.to_owned()
            }
            _ => relative,
        };
        let direct = self.root.join(&relative);
        if direct.is_file() {
            return Found::Files(vec![direct]);
        }
        if direct.is_dir() {
            return Found::Directory;
        }
        let Some(name) = relative.file_name().and_then(|name| name.to_str()) else { return Found::Nothing };
        let listing = self.listing();
        let same: Vec<PathBuf> = listing
            .by_name
            .get(name)
            .into_iter()
            .flatten()
            .filter(|p| p.ends_with(&relative))
            .cloned()
            .collect();
        if same.is_empty() { Found::Nothing } else { Found::Files(same) }
    }

    fn listing(&self) -> Arc<Listing> {
        let mut known = self.listing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match known.as_ref().filter(|(since, _)| since.elapsed() < FRESH) {
            Some((_, listing)) => listing.clone(),
            None => {
                let listing = Arc::new(list(&self.root));
                *known = Some((Instant::now(), listing.clone()));
                listing
            }
        }
    }

    /// Returns the text of a file, if it is one of a size that is worth reading.
    pub(crate) fn read(&self, path: &Path) -> Option<String> {
        let size = path.metadata().ok()?.len();
        let bytes = (size <= READ_LIMIT).then(|| std::fs::read(path).ok())??;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Returns the path without `.` and `..`, or `None` if it leaves the place.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => normal.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !normal.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(normal)
}

fn list(root: &Path) -> Listing {
    let mut listing = Listing::default();
    let walk = ignore::WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| !matches!(entry.file_name().to_str(), Some(".git" | ".specpipe")))
        .build();
    let files =
        walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    for entry in files.take(LIST_LIMIT) {
        if let Some(name) = entry.file_name().to_str() {
            listing.by_name.entry(name.to_owned()).or_default().push(entry.into_path());
        }
    }
    listing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_from_the_root_from_a_package_and_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pkg/src/deep.rs");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "x\n").unwrap();
        let place = Place::new(directory.path().to_owned());
        for path in
            ["pkg/src/deep.rs", "./pkg/src/deep.rs", "src/deep.rs", "deep.rs", "pkg/../pkg/src/deep.rs"]
        {
            assert_eq!(place.find(path), Found::Files(vec![file.clone()]), "{path}");
        }
        assert_eq!(place.find(file.to_str().unwrap()), Found::Files(vec![file.clone()]));
        assert_eq!(place.find("pkg/src"), Found::Directory);
        assert_eq!(place.find("eep.rs"), Found::Nothing);
        assert_eq!(place.find("other/deep.rs"), Found::Nothing);
        assert_eq!(place.find("../x.rs"), Found::Outside);
        assert_eq!(place.find("/nowhere/x.rs"), Found::Outside);
    }
}
