//! Removes the directory of a tree. Links in it are removed, and nothing behind them.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use walkdir::WalkDir;

/// How often a directory is tried again that somebody still writes to, and after which time.
const TRIES: usize = 40;
const AGAIN: Duration = Duration::from_millis(25);

/// Removes a directory with all that is in it; one that is not there is fine.
pub(super) fn remove_directory(path: &Path) -> io::Result<()> {
    let mut tries = 0;
    loop {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // What a killed run has started is being ended, and may have written once more.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && tries < TRIES => {
                std::thread::sleep(AGAIN);
            }
            // Module caches are made read-only.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && tries < 2 => make_writable(path),
            removed => return removed,
        }
        tries += 1;
    }
}

fn make_writable(path: &Path) {
    // Parents come before their children, so each can be entered once it is its turn.
    for entry in WalkDir::new(path).follow_links(false).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_dir() {
            let _ = std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o700));
        }
    }
}
