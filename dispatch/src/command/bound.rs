//! How much a program may print that is no agent: a disk is not to be filled by one that prints for ever.
//!
//! It is ended by `shared::process`. The bytes that come in the meantime are cut off again here, so that the file with its
//! output is no larger than it may be.

use std::fs::OpenOptions;

use shared::section::{OutputFile, Status};

use crate::backend::Draft;

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
