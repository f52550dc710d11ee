//! Where to look: `in src`, `in Rust files`, `excluding tests`, `named x`.

use globset::Glob;

use super::slot;
use crate::local::cursor::Cursor;
use crate::local::intent::{Filter, Place, Scope};
use crate::local::kind;
use crate::local::words::Token;

/// What follows the thing that is looked for: eaten as long as anything is known.
pub(super) fn tail(cursor: &mut Cursor, scope: &mut Scope, insensitive: &mut bool) {
    loop {
        if cursor.eat_any(&[
            "case insensitive|insensitively",
            "case-insensitive|case-insensitively",
            "ignoring case",
        ]) {
            *insensitive = true;
        } else if !one(cursor, scope) && !existence(cursor) {
            return;
        }
    }
}

/// Eats one part of a scope.
pub(super) fn one(cursor: &mut Cursor, scope: &mut Scope) -> bool {
    if whole(cursor) {
        return true;
    }
    cursor
        .attempt(|cursor| except(cursor, scope))
        .or_else(|| cursor.attempt(|cursor| under(cursor, scope)))
        .is_some()
}

/// Eats words that only say that something is there.
pub(super) fn existence(cursor: &mut Cursor) -> bool {
    let located = cursor.attempt(|cursor| {
        cursor.eat("are|is located|stored?").then_some(())?;
        let place = cursor.peek()?.lower()?;
        matches!(place, "in" | "under" | "inside" | "within" | "below").then_some(())
    });
    located.is_some()
        || cursor.eat_any(&[
            "are|is there currently",
            "are|is there",
            "do|does we|i|you|they|it have|contain",
            "do|does this|our? repo|repository|project|codebase|workspace|crate|package have|contain",
            "there are|is",
            "that exist|exists",
            "exist|exists",
            "are|is left|remaining|present",
            "currently",
        ])
}

/// Eats what means the whole repository.
pub(super) fn whole(cursor: &mut Cursor) -> bool {
    cursor.eat_any(&[
        "in|of|across|throughout|within|inside|from|over this|our|my? whole|entire|full|current? repo|repository|project|codebase|workspace|tree|checkout",
        "in|of|across|throughout|within|inside|over this|our|my? whole|entire|full? code base",
        "in|across|throughout|over this|our|my|all? whole|entire? code|sources|source",
        "in|across|over all|any|every file|files",
        "anywhere|everywhere|recursively|here",
        "in|from root|top-level directory|folder?",
        "in|under current|working directory",
    ])
}

fn under(cursor: &mut Cursor, scope: &mut Scope) -> Option<()> {
    cursor.eat("in|under|inside|within|below|from|beneath|across").then_some(())?;
    if let Some(filter) = cursor.attempt(kind_of_files) {
        scope.filters.extend(filter);
        return Some(());
    }
    scope.under.extend(places(cursor)?);
    Some(())
}

fn except(cursor: &mut Cursor, scope: &mut Scope) -> Option<()> {
    cursor
        .eat_any(&[
            "but not in|under?",
            "not in|under|inside",
            "outside of?",
            "except|excluding|ignoring|skipping for|in|under?",
        ])
        .then_some(())?;
    scope.except.extend(places(cursor)?);
    Some(())
}

/// Eats `src`, `the src directory`, `src, tests and docs`.
pub(super) fn places(cursor: &mut Cursor) -> Option<Vec<Place>> {
    let mut found = vec![directory_or_file(cursor)?];
    while let Some(next) = cursor.attempt(|cursor| {
        (slot::separator(cursor) || cursor.eat("or")).then_some(())?;
        cursor.eat("in|under");
        directory_or_file(cursor)
    }) {
        found.push(next);
    }
    Some(found)
}

pub(super) fn directory_or_file(cursor: &mut Cursor) -> Option<Place> {
    cursor.attempt(|cursor| {
        let named = cursor.eat("directory|folder|dir|file|path");
        let place = slot::place(cursor)?;
        let named = cursor.eat("directory|folder|dir|file") || named;
        Some(Place { sure: place.sure || named, ..place })
    })
}

/// Eats `Rust files`, `*.rs files`, `test files`, `markdown`.
fn kind_of_files(cursor: &mut Cursor) -> Option<Vec<Filter>> {
    cursor.eat("all|any|every|our");
    let filters = kinds(cursor);
    let noun = cursor.eat_any(&["files|file|sources", "source files?", "code"]);
    (!filters.is_empty() && noun).then_some(filters)
}

/// Eats words that say of what kind files are, as many as there are.
pub(super) fn kinds(cursor: &mut Cursor) -> Vec<Filter> {
    let mut found = Vec::new();
    while let Some(filter) = cursor.eat_map(kind_filter) {
        found.push(filter);
    }
    found
}

fn kind_filter(token: &Token) -> Option<Filter> {
    let Token::Word { raw, lower, .. } = token else {
        return match token {
            Token::Quoted(text) => glob_or_extension(text),
            _ => None,
        };
    };
    if let Some(kind) = kind::named(lower) {
        return Some(Filter::Kind(kind.name));
    }
    if lower == "empty" {
        return Some(Filter::Empty);
    }
    if kind::EXTENSIONS.contains(&lower.as_str()) {
        return Some(Filter::Extension(lower.clone()));
    }
    glob_or_extension(raw)
}

fn glob_or_extension(text: &str) -> Option<Filter> {
    if let Some(extension) = text.strip_prefix("*.").or_else(|| text.strip_prefix('.'))
        && is_extension(extension)
    {
        return Some(Filter::Extension(extension.to_owned()));
    }
    glob(text)
}

/// Returns the glob, if the text is one and not just a name.
pub(super) fn glob(text: &str) -> Option<Filter> {
    let formed = text.contains(['*', '?', '[', '{'])
        && !text.starts_with('/')
        && !text.split('/').any(|it| it == "..");
    (formed && !text.contains(char::is_whitespace) && Glob::new(text).is_ok())
        .then(|| Filter::Glob(text.to_owned()))
}

fn is_extension(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 16
        && text.split('.').all(|part| !part.is_empty() && part.chars().all(char::is_alphanumeric))
}

/// Eats what says how files are called or how large they are: `named x`, `with extension y`, `over 1 MB`.
pub(super) fn name(cursor: &mut Cursor, scope: &mut Scope) -> bool {
    let Some(filter) = cursor.attempt(name_filter) else { return false };
    scope.filters.push(filter);
    true
}

fn name_filter(cursor: &mut Cursor) -> Option<Filter> {
    if cursor.eat_any(&[
        "that|which are|is called|named exactly?",
        "named|called exactly?",
        "with filename|name",
        "whose name|filename is",
    ]) {
        let text = text(cursor)?;
        return Some(glob(&text).unwrap_or(Filter::Name(text)));
    }
    if cursor.eat_any(&[
        "matching|like",
        "that|which match",
        "that|which matches",
        "with pattern",
        "by pattern|glob",
    ]) {
        cursor.eat("glob|pattern");
        return cursor.eat_map(|token| match token {
            Token::Word { raw: text, .. } | Token::Quoted(text) => glob_or_extension(text),
            _ => None,
        });
    }
    if cursor.eat_any(&["with extension|extensions|suffix", "with file extension", "of type"]) {
        return extension(cursor);
    }
    if cursor.eat_any(&["ending with|in", "that|which end|ends with|in"]) {
        // `files ending in X` may speak of their content, unless X is an extension.
        return cursor
            .eat_map(|token| match token {
                Token::Word { raw: text, .. } | Token::Quoted(text) => {
                    text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).filter(|it| is_extension(it))
                }
                _ => None,
            })
            .map(|it| Filter::Extension(it.to_owned()));
    }
    if cursor.eat_any(&[
        "whose name|names|filename|filenames contain|contains|includes|include",
        "with name|names|filename|filenames containing",
    ]) {
        return Some(Filter::NameContains(text(cursor)?));
    }
    if cursor.eat_any(&[
        "whose name|names|filename|filenames start|starts|begin|begins with",
        "with name|names|filename|filenames starting|beginning with",
    ]) {
        return Some(Filter::NameStarts(text(cursor)?));
    }
    if cursor.eat_any(&[
        "whose name|names|filename|filenames end|ends with|in",
        "with name|names|filename|filenames ending with|in",
    ]) {
        return Some(Filter::NameEnds(text(cursor)?));
    }
    if let Some(filter) = cursor.attempt(|cursor| {
        cursor
            .eat_any(&["with", "containing", "having", "that have|contain", "which have|contain"])
            .then_some(())?;
        let text = text(cursor)?;
        cursor.eat("in their|its|file? name|names|filename|filenames").then_some(())?;
        Some(Filter::NameContains(text))
    }) {
        return Some(filter);
    }
    if let Some(filter) = cursor.attempt(|cursor| {
        cursor.eat("with").then_some(())?;
        let filter = extension(cursor)?;
        cursor.eat("extension|suffix").then_some(filter)
    }) {
        return Some(filter);
    }
    size_filter(cursor)
}

fn size_filter(cursor: &mut Cursor) -> Option<Filter> {
    if cursor.eat_any(&[
        "with more than",
        "longer than",
        "over|above",
        "that|which are longer than",
        "that|which have|has more than",
        "of more than",
        "having more than",
    ]) && let Some(count) = slot::number(cursor)
    {
        return cursor.eat("lines long?").then_some(Filter::LongerThan(count));
    }
    None.or_else(|| {
        cursor
            .eat_any(&["larger|bigger than", "over|above", "that|which are larger|bigger than"])
            .then_some(())?;
        let first = cursor.eat_map(|token| token.lower().map(str::to_owned))?;
        let size =
            shared::units::parse_size(&first).ok().filter(|_| !first.bytes().all(|b| b.is_ascii_digit()));
        let size = size.or_else(|| {
            let unit = cursor.eat_map(|token| {
                token.lower().filter(|unit| {
                    matches!(*unit, "kb" | "mb" | "gb" | "kib" | "mib" | "gib" | "bytes" | "b" | "k" | "m")
                })
            })?;
            let unit = if matches!(unit, "bytes" | "b") { "" } else { unit };
            shared::units::parse_size(&format!("{first}{unit}")).ok()
        })?;
        Some(Filter::LargerThan(size))
    })
}

fn extension(cursor: &mut Cursor) -> Option<Filter> {
    cursor.eat_map(|token| {
        let (Token::Word { raw: text, .. } | Token::Quoted(text)) = token else { return None };
        let text = text.strip_prefix('*').unwrap_or(text);
        let text = text.strip_prefix('.').unwrap_or(text);
        (is_extension(text) && text.len() <= 10).then(|| Filter::Extension(text.to_owned()))
    })
}

/// Eats a text that is part of a file's name.
fn text(cursor: &mut Cursor) -> Option<String> {
    cursor.eat_map(|token| match token {
        Token::Quoted(text) => Some(text.clone()),
        Token::Word { raw, article: false, .. } => Some(raw.clone()),
        _ => None,
    })
}
