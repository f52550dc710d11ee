//! Read, Write and Edit.

use std::io::{BufRead, BufReader, Read as _};

use serde::Deserialize;

use super::place::{Place, Readable};
use super::tool::{Done, MOST_TEXT};

/// How many lines are read, if nobody says otherwise.
const LINES: usize = 2000;
/// The longest line that is shown whole, in bytes.
const LINE: usize = 2000;
/// How far into a file it is looked for lines, in bytes.
const FAR: u64 = 256 << 20;
/// The largest file that is edited, in bytes.
const EDITED: u64 = 16 << 20;

/// The arguments of Read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Read {
    #[serde(alias = "path")]
    file_path: String,
    /// The first line, from 1.
    offset: Option<u64>,
    limit: Option<u64>,
}

/// The arguments of Write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Write {
    #[serde(alias = "path")]
    file_path: String,
    content: String,
}

/// The arguments of Edit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    #[serde(alias = "path")]
    file_path: String,
    old_string: String,
    new_string: String,
    #[serde(default)]
    replace_all: bool,
}

impl Read {
    pub(super) fn run(&self, place: &Place) -> Done {
        let Readable { file, path, is_directory, bytes } = place.read(&self.file_path)?;
        if is_directory {
            return Err(format!("`{}` is a directory; look into it with Glob", self.file_path));
        }
        let mut reader = BufReader::with_capacity(64 << 10, file.take(FAR));
        let broken = |error: std::io::Error| format!("cannot read `{}`: {error}", self.file_path);
        let beginning = reader.fill_buf().map_err(broken)?;
        if beginning.is_empty() {
            return Ok("(the file is empty)".to_owned());
        }
        if is_binary(beginning) {
            let name = place.shown(&path);
            return Ok(format!(
                "{name} is no text but {} of {bytes} bytes; it is not shown",
                kind(beginning)
            ));
        }
        let first = self.offset.unwrap_or(1).max(1);
        let most = self.limit.map_or(LINES, |limit| usize::try_from(limit).unwrap_or(LINES)).clamp(1, LINES);
        let (mut text, mut number, mut shown) = (String::new(), 0, 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = read_line(&mut reader, &mut line, LINE).map_err(broken)?;
            if length == 0 {
                break;
            }
            number += 1;
            if number < first {
                continue;
            }
            if shown == most || text.len() > MOST_TEXT {
                text.push_str(&format!("[there are more lines; go on with offset {number}]\n"));
                return Ok(text);
            }
            shown += 1;
            let end = if length > line.len() as u64 { "… [the line is longer]" } else { "" };
            let line = String::from_utf8_lossy(&line);
            text.push_str(&format!("{number:>6}\t{}{end}\n", line.trim_end_matches(['\n', '\r'])));
        }
        if shown == 0 {
            return Err(format!("`{}` has only {number} lines", self.file_path));
        }
        Ok(text)
    }
}

impl Write {
    pub(super) fn run(&self, place: &Place) -> Done {
        let target = place.write(&self.file_path)?;
        let verb = if target.existing.is_some() { "replaced" } else { "written" };
        target.replace(self.content.as_bytes())?;
        Ok(format!("{} is {verb}: {} bytes", place.shown(&target.path), self.content.len()))
    }
}

impl Edit {
    pub(super) fn run(&self, place: &Place) -> Done {
        if self.old_string == self.new_string {
            return Err("old_string and new_string are the same".to_owned());
        }
        let target = place.write(&self.file_path)?;
        let Some(existing) = &target.existing else {
            if !self.old_string.is_empty() {
                return Err(format!("there is no file `{}`", self.file_path));
            }
            target.replace(self.new_string.as_bytes())?;
            return Ok(format!("{} is written: {} bytes", place.shown(&target.path), self.new_string.len()));
        };
        if self.old_string.is_empty() {
            return Err(
                "old_string is empty; write the whole file with Write, or say what to replace".to_owned()
            );
        }
        let mut bytes = Vec::new();
        let broken = |error: std::io::Error| format!("cannot read `{}`: {error}", self.file_path);
        existing.take(EDITED + 1).read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 > EDITED {
            return Err(format!("`{}` is larger than {} MiB", self.file_path, EDITED >> 20));
        }
        let text = String::from_utf8(bytes).map_err(|_| format!("`{}` is no text", self.file_path))?;
        let count = text.matches(&self.old_string).count();
        match count {
            0 => {
                return Err(format!(
                    "old_string is not in `{}`; read the file again and copy the text exactly, white space included",
                    self.file_path
                ));
            }
            2.. if !self.replace_all => {
                return Err(format!(
                    "old_string is {count} times in `{}`; say more of what surrounds the one, or set replace_all",
                    self.file_path
                ));
            }
            _ => {}
        }
        target.replace(text.replace(&self.old_string, &self.new_string).as_bytes())?;
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        Ok(format!("{} is changed, {times}", place.shown(&target.path)))
    }
}

/// Reads a line to its end, keeps at most so many bytes of it, and returns its length.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> std::io::Result<u64> {
    let mut length = 0;
    loop {
        let available = reader.fill_buf()?;
        if available.is_empty() {
            return Ok(length);
        }
        let end = available.iter().position(|byte| *byte == b'\n').map(|position| position + 1);
        let taken = end.unwrap_or(available.len());
        let room = most.saturating_sub(line.len()).min(taken);
        line.extend_from_slice(&available[..room]);
        length += taken as u64;
        reader.consume(taken);
        if end.is_some() {
            return Ok(length);
        }
    }
}

/// Tells whether the beginning of a file is that of something else than text.
pub(super) fn is_binary(beginning: &[u8]) -> bool {
    beginning[..beginning.len().min(8 << 10)].contains(&0)
}

fn kind(beginning: &[u8]) -> &'static str {
    match beginning {
        [0x89, b'P', b'N', b'G', ..] => "a PNG image",
        [0xff, 0xd8, 0xff, ..] => "a JPEG image",
        [b'G', b'I', b'F', b'8', ..] => "a GIF image",
        [0x7f, b'E', b'L', b'F', ..] => "an ELF program",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive",
        [0x1f, 0x8b, ..] => "gzip data",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'S', b'Q', b'L', b'i', b't', b'e', ..] => "an SQLite database",
        _ => "binary data",
    }
}
