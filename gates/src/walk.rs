//! Which files a path means: as git sees them, hidden ones included.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use ignore::WalkBuilder;
use shared::Problem;

use crate::change::Repository;
use crate::files::{Content, Subject};

/// Directories that belong to tools and hold no files of the project.
const NOT_OURS: [&str; 5] = [".git", ".hg", ".svn", ".jj", ".specpipe"];

/// Returns the files that the paths mean, each once, in the order of the paths and then by name.
///
/// # Errors
/// If a path does not exist.
pub(crate) fn subjects(
    paths: &[PathBuf],
    directory: &Path,
    no_ignore: bool,
) -> Result<Vec<Subject>, Problem> {
    let mut seen = BTreeSet::new();
    let mut subjects = Vec::new();
    for path in paths {
        let full = directory.join(path);
        let metadata = full
            .symlink_metadata()
            .map_err(|error| Problem::new(format!("cannot read `{}`", path.display())).because(error))?;
        // What is named itself is meant, also if it is a link or ignored.
        let is_directory = full.is_dir() && (metadata.is_dir() || metadata.is_symlink());
        let found = if is_directory {
            below(path, directory, no_ignore)
        } else {
            let content = if metadata.is_symlink() {
                full.canonicalize().map_or_else(|error| Content::Missing(error.to_string()), Content::Disk)
            } else {
                Content::Disk(full)
            };
            vec![(clean(path), content)]
        };
        for (path, content) in found {
            if seen.insert(path.clone()) {
                subjects.push(Subject { path, content, before: None, old_path: None });
            }
        }
    }
    Ok(subjects)
}

fn below(path: &Path, directory: &Path, no_ignore: bool) -> Vec<(PathBuf, Content)> {
    let root = directory.join(path);
    let mut found: Vec<(PathBuf, Content)> = Vec::new();
    let walk = WalkBuilder::new(&root)
        // `.env` and `.github` are what one wants to see.
        .hidden(false)
        .standard_filters(!no_ignore)
        .hidden(false)
        // In a repository nothing above its root counts; without one, .gitignore is heeded all the same.
        .require_git(shared::state::Root::find(&root).git)
        .follow_links(false)
        .filter_entry(|entry| entry.depth() == 0 || !NOT_OURS.iter().any(|name| entry.file_name() == *name))
        .build();
    let name = |full: &Path| clean(&path.join(full.strip_prefix(&root).unwrap_or(full)));
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                found.push((name(entry.path()), Content::Disk(entry.into_path())));
            }
            Ok(_) => {}
            Err(error) => {
                // A directory that can not be read may hold anything.
                let place = place_of(&error).unwrap_or_else(|| root.clone());
                found.push((name(&place), Content::Missing(reason_of(&error))));
            }
        }
    }
    if !no_ignore {
        found.extend(tracked(&root, &name));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Returns the files that git tracks below a directory: `git add -f` brings in what `.gitignore` leaves out.
fn tracked(root: &Path, name: &dyn Fn(&Path) -> PathBuf) -> Vec<(PathBuf, Content)> {
    let Ok(full) = root.canonicalize() else { return Vec::new() };
    let Ok(repository) = Repository::find(&full) else { return Vec::new() };
    let Ok(inside) = full.strip_prefix(repository.root()) else { return Vec::new() };
    let paths = repository.tracked(inside).unwrap_or_default();
    paths
        .into_iter()
        .filter_map(|path| {
            let below = path.strip_prefix(inside).ok()?;
            let on_disk = root.join(below);
            on_disk.symlink_metadata().ok()?.is_file().then(|| (name(&on_disk), Content::Disk(on_disk)))
        })
        .collect()
}

fn place_of(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => place_of(err),
        _ => None,
    }
}

fn reason_of(error: &ignore::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Returns the path without `.` parts, as people write it.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut parts = path.components().filter(|part| !matches!(part, Component::CurDir));
    let mut clean = PathBuf::new();
    clean.extend(&mut parts);
    clean
}
