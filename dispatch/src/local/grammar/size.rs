//! Rules about how large files are: the largest of them, and their lines.

use super::file::{counting, files_noun, lead};
use super::{Rule, scope, slot};
use crate::local::cursor::Cursor;
use crate::local::intent::{Filter, Intent, Scope, Size};

pub(super) const RULES: &[Rule] = &[largest, lines];

/// `the 5 largest files`, `longest Rust files by lines`.
pub(super) fn largest(cursor: &mut Cursor) -> Option<Intent> {
    if !lead(cursor) {
        return None;
    }
    cursor.eat("is|are");
    cursor.eat("top");
    let count = slot::number(cursor);
    let mut by = cursor.eat_map(|token| match token.lower()? {
        "largest" | "biggest" => Some(Size::Bytes),
        "longest" => Some(Size::Lines),
        _ => None,
    })?;
    let count = count.or_else(|| slot::number(cursor));
    let mut scope = Scope { filters: scope::kinds(cursor), ..Scope::default() };
    let one = cursor.eat("file");
    if !one {
        cursor.eat("files").then_some(())?;
    }
    loop {
        if cursor.eat_any(&["by lines|length", "by line count", "by number of lines"]) {
            by = Size::Lines;
        } else if cursor.eat_any(&["by size", "by file size", "by bytes"]) {
            by = Size::Bytes;
        } else {
            let before = cursor.position();
            scope::tail(cursor, &mut scope, &mut false);
            if before == cursor.position() {
                break;
            }
        }
    }
    let count = count.unwrap_or(if one { 1 } else { 10 });
    Some(Intent::Largest { scope, by, count: usize::try_from(count).ok()? })
}

pub(super) fn lines(cursor: &mut Cursor) -> Option<Intent> {
    let mut scope = Scope::default();
    if cursor.eat("wc") {
        // `-l` starts with a dash, which no other slot accepts.
        cursor.eat_map(|token| (token.lower() == Some("-l")).then_some(()))?;
        scope.under = slot::files(cursor)?;
        return Some(Intent::Lines { scope });
    }
    if cursor.eat_any(&[
        "how long is|are",
        "how big|large is|are",
        "what is size of",
        "show|give|get|tell me? size of",
    ]) {
        scope.under = slot::files(cursor)?;
        return Some(Intent::Lines { scope });
    }
    if cursor.eat_any(&[
        "what is line count of|for",
        "line count of|for",
        "show|give|get me? line count of|for",
        "what is length of",
    ]) {
        if let Some(filter) = cursor.attempt(|cursor| {
            let mut scope = Scope::default();
            files_noun(cursor, &mut scope)?;
            Some(scope.filters)
        }) {
            scope.filters = filter;
        } else {
            scope.under = slot::files(cursor)?;
        }
        scope::tail(cursor, &mut scope, &mut false);
        return Some(Intent::Lines { scope });
    }
    counting(cursor).then_some(())?;
    cursor.eat("all|total");
    if cursor.eat("lines") {
        cursor.eat("are there");
        if cursor.eat("of") {
            scope.filters = scope::kinds(cursor);
            let noun = cursor.eat("code|text|source|files");
            (noun || !scope.filters.is_empty()).then_some(())?;
            if scope.filters.is_empty() {
                scope.filters.push(Filter::Kind("source"));
            }
        }
    } else {
        scope.filters = scope::kinds(cursor);
        (!scope.filters.is_empty() && cursor.eat("lines")).then_some(())?;
    }
    loop {
        if cursor.eat_any(&["does", "do"]) {
            scope.under = slot::files(cursor)?;
            cursor.eat("have|contain|has").then_some(())?;
            continue;
        }
        if scope.under.is_empty() && cursor.eat("of") {
            scope.under = slot::files(cursor)?;
            continue;
        }
        let before = cursor.position();
        scope::tail(cursor, &mut scope, &mut false);
        if before == cursor.position() {
            break;
        }
    }
    Some(Intent::Lines { scope })
}
