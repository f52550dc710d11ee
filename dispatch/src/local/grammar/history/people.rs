//! Who changed what: `who last changed x`, `git blame x`, `list the contributors`.

use super::lead;
use crate::local::cursor::Cursor;
use crate::local::grammar::{file, scope, slot};
use crate::local::intent::{Git, Place};

/// `who last changed src/lib.rs`, `when was build.rs last modified`.
pub(super) fn last_change(cursor: &mut Cursor) -> Option<Git> {
    const CHANGED: &str = "changed|modified|edited|touched|updated";
    if cursor.eat("who") {
        cursor.eat_any(&["was last|latest", "last|recently|most recently?"]).then_some(())?;
        if cursor.eat_any(&["one|person who|to", "to"]) {
            cursor.eat("last");
        }
        cursor.eat_any(&[CHANGED, "change|modify|edit|touch|update", "committed to"]).then_some(())?;
        return Some(Git::LastChange { file: file_or_directory(cursor)? });
    }
    if cursor.eat("when") {
        cursor.eat("was|were|did").then_some(())?;
        let file = file_or_directory(cursor)?;
        cursor.eat("last").then_some(())?;
        cursor.eat_any(&[CHANGED, "change|modify|committed"]).then_some(())?;
        return Some(Git::LastChange { file });
    }
    if !lead(cursor) {
        cursor.eat("what was");
    }
    cursor
        .eat_any(&["last|latest|most recent? change|commit|modification|edit to|of|in|on|touching"])
        .then_some(())?;
    Some(Git::LastChange { file: file_or_directory(cursor)? })
}

fn file_or_directory(cursor: &mut Cursor) -> Option<Place> {
    scope::directory_or_file(cursor).filter(|place| place.sure)
}

pub(super) fn blame(cursor: &mut Cursor) -> Option<Git> {
    if cursor.eat_any(&[
        "who wrote|changed|touched|added|introduced last?",
        "who last changed|modified|edited|touched",
    ]) {
        cursor.eat("line|lines").then_some(())?;
        let lines = slot::lines(cursor)?;
        cursor.eat("of|in").then_some(())?;
        return Some(Git::Blame { file: slot::file(cursor)?, lines: Some(lines) });
    }
    lead(cursor);
    cursor.eat("git");
    cursor.eat("blame").then_some(())?;
    let lines_first = cursor.attempt(|cursor| {
        cursor.eat("for|of");
        cursor.eat("line|lines").then_some(())?;
        slot::lines(cursor)
    });
    cursor.eat("for|of|on|in");
    let file = slot::file(cursor)?;
    let lines = lines_first.or_else(|| {
        cursor.attempt(|cursor| {
            cursor.eat_any(&["at|for|from? line|lines"]).then_some(())?;
            slot::lines(cursor)
        })
    });
    Some(Git::Blame { file, lines })
}

pub(super) fn authors(cursor: &mut Cursor) -> Option<Git> {
    let count = file::counting(cursor);
    if !count {
        if cursor.eat_any(&[
            "who contributed|committed|worked on|to?",
            "who has|have contributed|committed|worked on|to?",
        ]) {
            let paths = if scope::whole(cursor)
                || cursor.eat("this|our? repo|repository|project|codebase")
                || cursor.peek().is_none()
            {
                Vec::new()
            } else {
                scope::places(cursor)?
            };
            return Some(Git::Authors { paths, count: false });
        }
        if !lead(cursor) {
            cursor.eat("who are|is").then_some(())?;
        }
    }
    cursor.eat("all|git");
    cursor.eat("authors|contributors|committers").then_some(())?;
    while scope::existence(cursor) || scope::whole(cursor) {}
    let paths = if cursor.eat("of|to|in|for") {
        if cursor.eat("this|our? repo|repository|project|codebase") {
            Vec::new()
        } else {
            scope::places(cursor)?
        }
    } else {
        Vec::new()
    };
    Some(Git::Authors { paths, count })
}
