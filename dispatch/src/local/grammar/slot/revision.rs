//! Names of revisions, formed so that git can never read one as an option.

use super::is_function_word;
use crate::local::cursor::Cursor;
use crate::local::words::Token;

/// Eats a name for a revision: what git's own rules and ours allow, so that it can never be an option.
pub(in crate::local) fn revision(cursor: &mut Cursor) -> Option<String> {
    cursor.eat_any(&["commit|revision|branch|tag"]);
    cursor.eat_map(|token| match token {
        Token::Quoted(text) if is_revision(text) => Some(text.clone()),
        Token::Word { raw, lower, .. } if is_revision(raw) && !is_function_word(lower) && raw.len() > 1 => {
            Some(raw.clone())
        }
        _ => None,
    })
}

/// Returns whether a text is formed like one revision: a name, a hash, `HEAD~2`, `main@{1}`. Never a range.
pub(in crate::local) fn is_revision(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./-~^@{}".contains(c))
        && !text.contains("..")
        && text.len() <= 200
}

/// Eats a range of revisions, `A..B` or `A and B`.
pub(in crate::local) fn revisions(cursor: &mut Cursor) -> Option<(String, String)> {
    let joined = cursor.eat_map(|token| {
        let Token::Word { raw, .. } = token else { return None };
        let (from, to) = raw.split_once("...").or_else(|| raw.split_once(".."))?;
        (is_revision(from) && is_revision(to)).then(|| (from.to_owned(), to.to_owned()))
    });
    joined.or_else(|| {
        cursor.attempt(|cursor| {
            cursor.eat("between|from");
            let from = revision(cursor)?;
            cursor.eat("and|to").then_some(())?;
            Some((from, revision(cursor)?))
        })
    })
}
