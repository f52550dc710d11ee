//! Links to packages, for who has asked for them: the directory is the tree's own, and each package in it is a link.
//!
//! Whoever empties or replaces the directory removes links. Who writes into a file of a package still writes the original's.

use std::path::Path;

use super::copy::{Copier, Stopped, entries};

/// Makes the directory.
pub(super) fn link(copier: &Copier<'_>, source: &Path, target: &Path) -> Result<(), Stopped> {
    std::fs::create_dir(target)?;
    for from in entries(source)? {
        let Some(name) = from.file_name() else { continue };
        let to = target.join(name);
        let Ok(metadata) = from.symlink_metadata() else { continue };
        let text = name.to_string_lossy();
        if metadata.is_symlink() {
            // A package of the workspace: the tree's own.
            copier.copy_link(&from, &to)?;
        } else if metadata.is_file() {
            copier.copy_file(&from, &to)?;
        } else if text.starts_with('@') {
            link(copier, &from, &to)?;
        } else if text == ".bin" {
            copier.copy(&from, &to)?;
        } else if metadata.is_dir() {
            std::os::unix::fs::symlink(&from, &to)?;
        }
    }
    Ok(())
}
