//! What is kept of a stream: all of it, or its beginning and its end, and a file with the whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What was kept of a stream: all of it, or its beginning and its end.
#[derive(Debug, Default)]
pub struct Captured {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// How many bytes were written.
    pub total: u64,
    /// The file with all of it, if it was more than is kept in memory and a file was asked for.
    pub file: Option<PathBuf>,
    writer: Option<File>,
    hash: Option<blake3::Hasher>,
    /// The file could not be written, and is not begun again: it would look whole.
    has_given_up: bool,
}

impl Captured {
    /// Returns the last line so far, without its line break.
    pub(super) fn last_line(&self) -> &[u8] {
        let end = if self.tail.is_empty() { &self.head } else { &self.tail };
        let end = end.strip_suffix(b"\n").unwrap_or(end);
        let start = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
        &end[start..]
    }

    /// Tells whether something in the middle is missing here.
    pub fn truncated(&self) -> bool {
        self.total > (self.head.len() + self.tail.len()) as u64
    }

    /// Returns what was kept as text. What is no UTF-8 is replaced, what is missing in the middle is said to be.
    pub fn text(&self) -> String {
        let head = String::from_utf8_lossy(&self.head);
        if !self.truncated() {
            let mut bytes = self.head.clone();
            bytes.extend_from_slice(&self.tail);
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let missing = self.total - (self.head.len() + self.tail.len()) as u64;
        format!("{head}\n[… {missing} bytes left out …]\n{}", String::from_utf8_lossy(&self.tail))
    }

    /// Returns the bytes that were kept.
    pub fn bytes(&self) -> Vec<u8> {
        [self.head.as_slice(), self.tail.as_slice()].concat()
    }

    /// Returns the BLAKE3 hash of all that was written in hexadecimal, if it went to a file.
    pub fn blake3(&self) -> Option<String> {
        self.hash.as_ref().map(|hasher| hasher.finalize().to_hex().to_string())
    }

    pub(super) fn keep(&mut self, bytes: &[u8], limit: usize) {
        self.total += bytes.len() as u64;
        let half = limit / 2;
        let room = half.saturating_sub(self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        self.tail.extend_from_slice(rest);
        // Cutting in large steps keeps the copying linear.
        let excess = self.tail.len().saturating_sub(limit - half);
        if excess > (limit - half).max(1 << 16) {
            self.tail.drain(..excess);
        }
    }

    pub(super) fn spool(&mut self, bytes: &[u8], limit: usize, path: Option<&Path>) {
        let Some(path) = path else { return };
        if self.total <= limit as u64 || self.has_given_up {
            return;
        }
        if self.file.is_none() {
            // The first bytes beyond the limit: nothing has been cut yet, so all of it is still here.
            let so_far = self.bytes();
            match create(path) {
                Ok(file) => {
                    self.file = Some(path.to_owned());
                    self.writer = Some(file);
                    self.hash = Some(blake3::Hasher::new());
                    self.append(&so_far);
                }
                Err(_) => self.has_given_up = true,
            }
        } else {
            self.append(bytes);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        // A full disk must not look like a complete file.
        if self.writer.as_mut().is_some_and(|writer| writer.write_all(bytes).is_err()) {
            self.writer = None;
            self.file = None;
            self.hash = None;
            self.has_given_up = true;
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    File::create(path)
}
