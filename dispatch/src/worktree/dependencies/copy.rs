//! Copies a directory: times, rights and links as they are, blocks shared where they can be.

use std::fs::{File, FileTimes, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use shared::interrupt;
use walkdir::WalkDir;

use super::relocate;

/// What is in a directory of packages that no package manager has put there.
const CACHES: [&str; 3] = [".cache", ".vite", ".turbo"];

/// From where to where, and how.
pub(super) struct Copier<'a> {
    /// The checkout and the tree, without links in their paths.
    pub(super) root: &'a Path,
    pub(super) tree: &'a Path,
    /// No file is younger in the copy: the sources of the tree are, so that what was built from others is built again.
    pub(super) since: SystemTime,
    pub(super) can_share: bool,
}

/// Why a copy is not whole.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The user wants to stop.
    Interrupted,
    Failed(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Stopped {
        Stopped::Failed(error)
    }
}

/// Tells whether files of a directory can share their blocks with files of a tree.
pub(super) fn can_share(source: &Path, tree: &Path) -> bool {
    let files = WalkDir::new(source).into_iter().filter_map(Result::ok);
    let file = files
        .filter(|entry| entry.file_type().is_file())
        .find(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0));
    let Some(source) = file.and_then(|entry| File::open(entry.path()).ok()) else { return false };
    // A file without a name, on the file system that the tree is on.
    tempfile::tempfile_in(tree).is_ok_and(|target| share(&source, &target).is_ok())
}

#[cfg(target_os = "linux")]
fn share(source: &File, target: &File) -> io::Result<()> {
    Ok(rustix::fs::ioctl_ficlone(target, source)?)
}

#[cfg(not(target_os = "linux"))]
fn share(_source: &File, _target: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Copier<'_> {
    /// Copies a directory of the checkout to a place in the tree where nothing is.
    pub(super) fn copy(&self, source: &Path, target: &Path) -> Result<(), Stopped> {
        let (mut directories, mut files, mut links) = (Vec::new(), Vec::new(), Vec::new());
        let has_packages = source.file_name().is_some_and(|name| name == "node_modules");
        let is_cache = |entry: &walkdir::DirEntry| {
            has_packages && entry.depth() == 1 && CACHES.iter().any(|cache| entry.file_name() == *cache)
        };
        for entry in WalkDir::new(source).into_iter().filter_entry(|entry| !is_cache(entry)) {
            let entry = match entry {
                Ok(entry) => entry,
                // Somebody installs at this moment.
                Err(error) if error.io_error().is_some_and(is_gone) => continue,
                Err(error) => return Err(io::Error::from(error).into()),
            };
            let below = entry.path().strip_prefix(source).unwrap_or(Path::new("")).to_owned();
            let kind = entry.file_type();
            if kind.is_dir() {
                directories.push(below);
            } else if kind.is_symlink() {
                links.push(below);
            } else if kind.is_file() {
                files.push(below);
            }
        }
        for below in &directories {
            std::fs::create_dir(target.join(below))?;
        }
        for below in &links {
            self.copy_link(&source.join(below), &target.join(below))?;
        }
        files.par_iter().try_for_each(|below| match interrupt::requested() {
            true => Err(Stopped::Interrupted),
            false => self.copy_file(&source.join(below), &target.join(below)).map_err(Stopped::Failed),
        })?;
        // Children first: each of them has changed the time of its parent.
        for below in directories.iter().rev() {
            self.finish_directory(&source.join(below), &target.join(below));
        }
        Ok(())
    }

    pub(super) fn copy_link(&self, source: &Path, target: &Path) -> io::Result<()> {
        let leads_to = match std::fs::read_link(source) {
            Err(error) if is_gone(&error) => return Ok(()),
            leads_to => leads_to?,
        };
        std::os::unix::fs::symlink(relocate::link(source, &leads_to, self.root, self.tree), target)
    }

    pub(super) fn copy_file(&self, source: &Path, target: &Path) -> io::Result<()> {
        let mut from = match File::open(source) {
            Err(error) if is_gone(&error) => return Ok(()),
            from => from?,
        };
        let metadata = from.metadata()?;
        let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(target)?;
        if relocate::may_hold_paths(source) && metadata.len() <= relocate::MOST_TEXT {
            let text = std::fs::read(source)?;
            if let Some(text) = relocate::text(&text, self.root, self.tree) {
                io::Write::write_all(&mut to, &text)?;
                // Its time stays that of the change: what was compiled from the text with the old path is out of date.
                return to.set_permissions(Permissions::from_mode(metadata.permissions().mode() & 0o7777));
            }
        }
        if !(self.can_share && metadata.len() > 0 && share(&from, &to).is_ok()) {
            io::copy(&mut from, &mut to)?;
        }
        to.set_permissions(Permissions::from_mode(metadata.permissions().mode() & 0o7777))?;
        to.set_times(FileTimes::new().set_modified(self.time(metadata.modified()?)))
    }

    fn finish_directory(&self, source: &Path, target: &Path) {
        let Ok(metadata) = source.metadata() else { return };
        let Ok(directory) = File::open(target) else { return };
        if let Ok(modified) = metadata.modified() {
            let _ = directory.set_times(FileTimes::new().set_modified(self.time(modified)));
        }
        // We have to be able to remove it.
        let mode = metadata.permissions().mode() & 0o7777 | 0o700;
        let _ = directory.set_permissions(Permissions::from_mode(mode));
    }

    fn time(&self, modified: SystemTime) -> SystemTime {
        modified.min(self.since.checked_sub(Duration::from_secs(2)).unwrap_or(self.since))
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Returns the paths directly below a directory.
pub(super) fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
}
