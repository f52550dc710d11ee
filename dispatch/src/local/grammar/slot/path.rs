//! Files and directories.

use super::{is_function_word, is_name, separator};
use crate::local::cursor::Cursor;
use crate::local::intent::Place;
use crate::local::words::Token;

/// Files that bear no extension, in lower case.
const KNOWN_FILES: &[&str] = &[
    "authors",
    "changelog",
    "codeowners",
    "contributing",
    "copying",
    "dockerfile",
    "gemfile",
    "jenkinsfile",
    "justfile",
    "licence",
    "license",
    "makefile",
    "notice",
    "procfile",
    "rakefile",
    "readme",
    "vagrantfile",
];

/// Returns whether a word can only be a path: it has a slash, an extension, or a well-known name.
pub(in crate::local) fn is_path(raw: &str) -> bool {
    if raw.contains(['*', '?', '(', ')', '<', '>', '|', '{', '}', '[', ']', ':', '=', '$', '~', '\\']) {
        return false;
    }
    if raw.starts_with('-') {
        return false;
    }
    if raw.contains('/') || raw == "." || raw == ".." {
        return true;
    }
    if KNOWN_FILES.contains(&raw.to_lowercase().as_str()) {
        return true;
    }
    match raw.rsplit_once('.') {
        Some((stem, extension)) => {
            let plausible = (1..=10).contains(&extension.len())
                && extension.chars().all(|c| c.is_ascii_alphanumeric())
                && extension.chars().any(|c| c.is_ascii_alphabetic());
            plausible && (stem.is_empty() || stem.chars().any(char::is_alphanumeric))
        }
        None => false,
    }
}

/// Eats a path. A plain word is taken as one that has yet to exist.
pub(in crate::local) fn place(cursor: &mut Cursor) -> Option<Place> {
    cursor.eat_map(|token| match token {
        Token::Quoted(text) if !text.contains(['*', '\n']) => Some(Place { path: text.clone(), sure: true }),
        Token::Word { raw, .. } if is_path(raw) => Some(Place { path: raw.clone(), sure: true }),
        Token::Word { raw, lower, .. } if is_name(raw) && !is_function_word(lower) => {
            Some(Place { path: raw.clone(), sure: false })
        }
        _ => None,
    })
}

/// Eats what can only be a path.
pub(in crate::local) fn sure_place(cursor: &mut Cursor) -> Option<Place> {
    cursor.attempt(|cursor| place(cursor).filter(|place| place.sure))
}

/// Eats a file: after the word `file` any name will do.
pub(in crate::local) fn file(cursor: &mut Cursor) -> Option<Place> {
    let place = cursor.attempt(|cursor| {
        if cursor.eat("file") { place(cursor).map(|place| Place { sure: true, ..place }) } else { None }
    });
    let place = place.or_else(|| sure_place(cursor))?;
    cursor.eat("file");
    Some(place)
}

/// Eats files, `a, b and c`.
pub(in crate::local) fn files(cursor: &mut Cursor) -> Option<Vec<Place>> {
    cursor.eat("files");
    let mut found = vec![file(cursor)?];
    while let Some(next) = cursor.attempt(|cursor| {
        separator(cursor).then_some(())?;
        file(cursor)
    }) {
        found.push(next);
    }
    Some(found)
}
