//! What the rules leave open: paths, names, patterns, numbers, revisions, dates.

mod number;
mod path;
mod pattern;
mod revision;

pub(super) use number::{date, is_date, lines, number, range};
pub(super) use path::{file, files, is_path, place, sure_place};
pub(super) use pattern::{Plain, pattern};
pub(in crate::local) use revision::is_revision;
pub(super) use revision::{revision, revisions};

use crate::local::cursor::Cursor;
use crate::local::words::Token;

/// Words that are grammar even where a name is expected.
const FUNCTION_WORDS: &str = "\
    about after all and any anything are as at be before between but by can code do does each every \
    everything file files first for from had has have he her here him his how i if in into is it its \
    last like many me more most much my no none not of on one or other our out over she should so some \
    something such than that their them then there these they thing things this those to too under until \
    up us was way ways we were what when where which while who whose why will with would you your";

fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.split(' ').any(|it| it == word)
}

/// Returns whether a word is made like a name in code or on disk.
pub(super) fn is_name(raw: &str) -> bool {
    let mut characters = raw.chars();
    characters.next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '@')
        && characters.all(|c| c.is_alphanumeric() || "_-.@/".contains(c))
}

/// Eats `,`, `and`, or `, and`.
pub(super) fn separator(cursor: &mut Cursor) -> bool {
    let comma = cursor.eat_map(|token| (*token == Token::Comma).then_some(())).is_some();
    cursor.eat("and") || comma
}

/// Eats the name of a dependency: letters, digits and what registries allow. Says whether it was quoted, and
/// whether an article stood before it.
pub(super) fn package(cursor: &mut Cursor) -> Option<(String, bool, bool)> {
    cursor.eat_map(|token| {
        let (text, sure, article) = match token {
            Token::Quoted(text) => (text, true, false),
            Token::Word { raw, lower, article } if !is_function_word(lower) => (raw, false, *article),
            _ => return None,
        };
        let formed = text.starts_with(|c: char| c.is_alphanumeric() || c == '@')
            && text.chars().all(|c| c.is_alphanumeric() || "_-.@/".contains(c));
        formed.then(|| (text.clone(), sure, article))
    })
}
