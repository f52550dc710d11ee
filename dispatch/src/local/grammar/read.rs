//! Rules about the content of one file.

use super::{Rule, scope, slot};
use crate::local::cursor::Cursor;
use crate::local::intent::{Intent, Part, Place};
use crate::local::words::Token;

pub(super) const RULES: &[Rule] = &[whole, lines_of, ends_of, question];

fn lead(cursor: &mut Cursor) -> bool {
    cursor.eat_any(&["show|give|get|tell me|us?", "read|print|cat|display|view|output|dump|type me|us?"])
}

/// `show src/lib.rs`, `cat README`, `read src/lib.rs lines 3-9`, `print src/lib.rs:10-20`.
fn whole(cursor: &mut Cursor) -> Option<Intent> {
    lead(cursor).then_some(())?;
    cursor.eat("whole|full|entire|complete");
    cursor.eat_any(&["what is in|inside", "contents|content|text of|in", "contents|content"]);
    let (file, part) = file_and_part(cursor)?;
    cursor.eat("contents|content");
    Some(Intent::Read { file, part })
}

/// `show lines 10 to 20 of src/lib.rs`, `line 7 in build.rs`.
fn lines_of(cursor: &mut Cursor) -> Option<Intent> {
    if !lead(cursor) {
        cursor.eat_any(&["what is on|in|at", "what does", "what is"]);
    }
    cursor.eat("line|lines").then_some(())?;
    let (first, last) = slot::lines(cursor)?;
    cursor.eat("of|in|from").then_some(())?;
    let file = slot::file(cursor)?;
    cursor.eat("say|contain");
    Some(Intent::Read { file, part: Part::Lines(first, last) })
}

/// `show the first 20 lines of README.md`, `tail -n 5 x.log`, `head of src/lib.rs`.
fn ends_of(cursor: &mut Cursor) -> Option<Intent> {
    let asked = lead(cursor);
    if asked || cursor.eat("what are") {
        if let Some(part) = cursor.attempt(first_or_last) {
            cursor.eat("of|in|from").then_some(())?;
            return Some(Intent::Read { file: slot::file(cursor)?, part });
        }
        if !asked {
            return None;
        }
    }
    if let Some(part) = cursor.attempt(first_or_last) {
        cursor.eat("of|in|from").then_some(())?;
        return Some(Intent::Read { file: slot::file(cursor)?, part });
    }
    let head = cursor.eat("head|top|beginning");
    if !head {
        cursor.eat("tail|bottom|end").then_some(())?;
    }
    let mut count = 10;
    if let Some(option) = cursor.eat_map(|token| token.lower()?.strip_prefix('-')) {
        count = if option == "n" {
            slot::number(cursor)?
        } else {
            option.parse().ok().filter(|count| *count > 0)?
        };
    }
    cursor.eat("of");
    let file = slot::file(cursor)?;
    Some(Intent::Read { file, part: if head { Part::First(count) } else { Part::Last(count) } })
}

fn first_or_last(cursor: &mut Cursor) -> Option<Part> {
    let first = cursor.eat("first|top");
    if !first {
        cursor.eat("last|bottom|final").then_some(())?;
    }
    let count = match slot::number(cursor) {
        Some(count) => {
            cursor.eat("line|lines").then_some(())?;
            count
        }
        None => {
            cursor.eat("line").then_some(())?;
            1
        }
    };
    Some(if first { Part::First(count) } else { Part::Last(count) })
}

/// `what is in Cargo.toml`, `what does the Makefile contain`.
fn question(cursor: &mut Cursor) -> Option<Intent> {
    cursor.eat("what").then_some(())?;
    let file = if cursor.eat("is") {
        cursor.eat_any(&["in|inside", "contents|content of"]).then_some(())?;
        slot::file(cursor)?
    } else {
        cursor.eat_any(&["does", "are contents of"]).then_some(())?;
        let file = slot::file(cursor)?;
        cursor.eat("contain|say");
        file
    };
    scope::whole(cursor);
    // `what is in src/` lists a directory.
    (!file.path.ends_with('/') && has_extension_or_name(&file))
        .then_some(Intent::Read { file, part: Part::Whole })
}

fn has_extension_or_name(file: &Place) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    name.contains('.') && name != "." && name != ".." || slot::is_path(name)
}

/// Eats a file with the lines that are meant, in front, behind, or joined by a colon.
fn file_and_part(cursor: &mut Cursor) -> Option<(Place, Part)> {
    let joined = cursor.eat_map(|token| {
        let (Token::Word { raw: text, .. } | Token::Quoted(text)) = token else { return None };
        let (path, lines) = text.rsplit_once(':')?;
        let lines = lines.to_lowercase();
        let (first, last) = slot::range(&lines).or_else(|| lines.parse().ok().map(|line| (line, line)))?;
        (slot::is_path(path) && first > 0 && first <= last)
            .then(|| (Place { path: path.to_owned(), sure: true }, Part::Lines(first, last)))
    });
    if joined.is_some() {
        return joined;
    }
    let file = slot::file(cursor)?;
    let part = cursor.attempt(|cursor| {
        cursor.eat("from|at");
        cursor.eat("line|lines").then_some(())?;
        slot::lines(cursor)
    });
    Some((file, part.map_or(Part::Whole, |(first, last)| Part::Lines(first, last))))
}
