//! Files of JSON lines that are only ever appended to, by any number of programs at once.
//!
//! A line is written whole or not at all as far as others can see; a writer that was killed in the middle of its line spoils
//! no line but its own.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;

/// Appends lines to a file, which is made if need be.
///
/// # Errors
/// If they can not be written.
pub fn append<T: Serialize>(path: &Path, entries: impl IntoIterator<Item = T>) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    let _ = flock(&file, FlockOperation::LockExclusive);
    let mut lines = Vec::new();
    // A writer that was killed in the middle of its line must not spoil ours.
    if file.seek(SeekFrom::End(-1)).is_ok() {
        let mut last = [b'\n'];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            lines.push(b'\n');
        }
    }
    for entry in entries {
        serde_json::to_writer(&mut lines, &entry)?;
        lines.push(b'\n');
    }
    // One write of whole lines: with `O_APPEND` they land behind what others have written.
    file.write_all(&lines)
}

/// Returns the end of a file, from the beginning of a line on and at most so many bytes. One that does not exist is empty.
///
/// # Errors
/// If the file is there and can not be read.
pub fn tail(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    // No writer is in the middle of a line while we read. Where locks do not work, whole lines still are.
    let _ = flock(&file, FlockOperation::LockShared);
    let length = file.metadata()?.len();
    let skipped = length.saturating_sub(most);
    let mut bytes = Vec::with_capacity(usize::try_from(length - skipped).unwrap_or_default());
    file.seek(SeekFrom::Start(skipped))?;
    file.read_to_end(&mut bytes)?;
    if skipped > 0 {
        let begin = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        bytes.drain(..begin);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_appended_whole_also_behind_one_that_was_torn() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b.jsonl");
        assert_eq!(tail(&path, 100).unwrap(), b"");
        append(&path, [1, 2]).unwrap();
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"torn").unwrap();
        append(&path, [3]).unwrap();
        assert_eq!(tail(&path, 100).unwrap(), b"1\n2\n{\"torn\n3\n");
        assert_eq!(tail(&path, 4).unwrap(), b"3\n", "of the end, whole lines");
        assert!(tail(directory.path(), 4).is_err());
    }
}
