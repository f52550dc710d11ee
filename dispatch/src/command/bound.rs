//! How much a program may print that is no agent: a disk is not to be filled by one that prints for ever.
//!
//! What it prints beyond the limit of its record is in a file, and that file is looked at whenever more has come. The
//! bytes that come while the program is being ended are cut off again, so that the file is no larger than it may be.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::Problem;
use shared::process::{Command, Ended};
use shared::section::{OutputFile, Status};

use crate::backend::Draft;

thread_local! {
    /// The file of the program that this thread waits for, and how large it may become.
    static WATCHED: RefCell<Option<(PathBuf, u64)>> = const { RefCell::new(None) };
}

/// Runs a program, and ends it when the file with its output has become larger than it may.
pub(super) fn run(command: Command, file: &Path, most: u64) -> Result<Ended, Problem> {
    WATCHED.set(Some((file.to_owned(), most)));
    let ended = command.ends_after(is_over, Duration::ZERO).run();
    WATCHED.set(None);
    ended
}

/// Tells whether the file is larger than it may be, whatever was printed last.
fn is_over(_: &[u8]) -> bool {
    WATCHED.with_borrow(|watched| {
        watched
            .as_ref()
            .is_some_and(|(file, most)| file.metadata().is_ok_and(|metadata| metadata.len() > *most))
    })
}

/// Cuts off what a draft has too much of, and says so.
pub(super) fn cut(draft: &mut Draft, total: u64, most: u64) {
    if total <= most {
        return;
    }
    if let Some(file) = draft.output_file.take() {
        draft.output_file = shortened(&file.path, most).ok();
    }
    // Whoever took too long or was interrupted did not end for this.
    if matches!(draft.status, Status::Ok | Status::Failed) {
        draft.status = Status::Truncated;
        draft.reason =
            Some(format!("printed more than it may ({}); --output-max sets how much that is", size(most)));
    }
}

/// Returns a size as it is typed.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(unit, _)| bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{}{name}", bytes / unit))
}

fn shortened(path: &str, most: u64) -> std::io::Result<OutputFile> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    file.set_len(most)?;
    let blake3 = blake3::Hasher::new().update_reader(&file)?.finalize().to_hex().to_string();
    Ok(OutputFile { path: path.to_owned(), bytes: most, blake3 })
}
