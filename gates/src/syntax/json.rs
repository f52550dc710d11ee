//! JSON to the letter of RFC 8259, and what `tsconfig.json` and its like may have beyond it.
//!
//! The grammar takes comments, hexadecimal numbers and several values for JSON, so plain JSON is read by
//! serde_json (without building anything, so depth and size do not matter); its messages quote nothing.

use serde::de::IgnoredAny;

use super::fault::{Fault, Kind};
use crate::text::Lines;

/// Returns the first place that is no JSON by RFC 8259.
pub(super) fn strict(content: &[u8], lines: &Lines) -> Option<Fault> {
    let error = serde_json::from_slice::<IgnoredAny>(content).err()?;
    let offset = match error.line() {
        0 => 0,
        line => (lines.start(line - 1) + error.column().saturating_sub(1)).min(content.len()),
    };
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let rest = &content[offset..];
    let before = content[..offset].trim_ascii_end();
    if before.ends_with(b",") && matches!(rest.first(), Some(b'}' | b']')) {
        let message = "a comma before the closing bracket".to_owned();
        return Some(Fault { offset: before.len() - 1, message, kind: Kind::Unexpected });
    }
    let message = if content.trim_ascii().is_empty() {
        "the document is empty; JSON needs one value".to_owned()
    } else if rest.starts_with(b"//") || rest.starts_with(b"/*") || rest.starts_with(b"#") {
        "a comment; JSON has none (name the file `.jsonc` if its readers allow them)".to_owned()
    } else if message == "trailing characters" {
        "text after the end of the value (name the file `.jsonl` if it has a value on each line)".to_owned()
    } else {
        message.to_owned()
    };
    Some(Fault { offset, message, kind: Kind::Unexpected })
}

/// Takes off trailing commas; comments the grammar knows.
pub(super) fn tolerant(content: &[u8], faults: &mut Vec<Fault>) {
    faults.retain(|fault| {
        let rest = &content[fault.offset.min(content.len())..];
        let trailing = rest.first() == Some(&b',') && {
            let after = skip_blank(&rest[1..]);
            matches!(after.first(), Some(b'}' | b']'))
        };
        !trailing
    });
}

/// Returns what follows white space and comments.
fn skip_blank(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_start();
        let end = if text.starts_with(b"//") {
            text.iter().position(|byte| *byte == b'\n')
        } else if text.starts_with(b"/*") {
            text.windows(2).position(|pair| pair == b"*/").map(|at| at + 2)
        } else {
            return text;
        };
        text = &text[end.unwrap_or(text.len())..];
    }
}
