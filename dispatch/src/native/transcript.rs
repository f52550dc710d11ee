//! What was said and done in an attempt, line by line, for people who want to know how it came to its result.
//!
//! Every line is a JSON object with `at` (RFC 3339) and `kind`: `begin`, `request`, `reply`, `result`, `note` or `end`. No
//! header of a request is in here, and so no key; what the model was shown of the project is.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shared::units;

/// How much of a text is kept in a line, in bytes; the sizes are of the whole.
const KEPT: usize = 16 << 10;

/// A transcript that is being written. If it can not be written the work goes on without.
#[derive(Debug)]
pub(crate) struct Transcript {
    path: PathBuf,
    file: File,
}

impl Transcript {
    /// Opens a transcript, behind what is in it already: of the same attempt, that was killed.
    pub(crate) fn open(path: &Path) -> std::io::Result<Transcript> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Transcript { path: path.to_owned(), file })
    }

    /// Returns where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a line.
    pub(super) fn note(&mut self, kind: &str, members: Value) {
        let mut line = json!({ "at": units::now(), "kind": kind });
        if let (Some(line), Value::Object(members)) = (line.as_object_mut(), members) {
            line.extend(members);
        }
        let mut text = line.to_string();
        text.push('\n');
        // A line in one call: whoever reads along sees whole lines.
        let _ = self.file.write_all(text.as_bytes());
    }
}

/// Returns the beginning of a text, as it is kept.
pub(super) fn kept(text: &str) -> &str {
    crate::results::beginning(text, KEPT)
}
