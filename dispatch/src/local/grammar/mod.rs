//! From the text of a task to an [`Intent`], or to the reason why not.
//!
//! A rule eats the words that it knows, in the places where it knows them. The first rule that has eaten the
//! whole text wins; a word left over is a refusal, for it could change what is meant. So the grammar is only as
//! generous as its rules: paraphrases that it does not know cost a draft, words that it ignored would cost a
//! wrong answer.

mod command;
mod directory;
mod file;
mod history;
mod read;
mod scope;
mod search;
mod size;
mod slot;
mod version;

use std::cell::Cell;

use super::cursor::Cursor;
use super::intent::Intent;
use super::words::{Token, tokens};

pub(super) use slot::is_revision;

/// Makes an intent of the text, if it starts where the cursor stands.
type Rule = fn(&mut Cursor<'_>) -> Option<Intent>;

/// Returns what a text asks for.
///
/// # Errors
/// With the reason, if not every word of it is understood.
pub(super) fn understand(text: &str) -> Result<Intent, String> {
    let tokens = tokens(text)?;
    // `run "cargo test"` is what the quotes say, if that is understood; it is never given to a shell.
    if let [Token::Word { lower, .. }, Token::Quoted(inner)] = tokens.as_slice()
        && matches!(lower.as_str(), "run" | "execute")
        && inner.contains(' ')
    {
        return understand(inner);
    }
    let furthest = Cell::new(0);
    let families = [
        command::RULES,
        history::RULES,
        version::RULES,
        read::RULES,
        search::RULES,
        file::RULES,
        directory::RULES,
        size::RULES,
    ];
    for rule in families.into_iter().flatten() {
        let mut cursor = Cursor::new(&tokens, &furthest);
        if let Some(intent) = rule(&mut cursor)
            && cursor.is_done()
        {
            return Ok(intent);
        }
    }
    Err(refusal(&tokens, furthest.get()))
}

/// Names the word that stood in the way.
fn refusal(tokens: &[Token], furthest: usize) -> String {
    const CHANGES: &[&str] = &[
        "add",
        "amend",
        "apply",
        "bump",
        "change",
        "checkout",
        "clean",
        "clone",
        "commit",
        "convert",
        "copy",
        "create",
        "delete",
        "deploy",
        "drop",
        "edit",
        "erase",
        "fetch",
        "fix",
        "generate",
        "implement",
        "insert",
        "install",
        "kill",
        "merge",
        "migrate",
        "modify",
        "move",
        "mv",
        "overwrite",
        "publish",
        "pull",
        "push",
        "rebase",
        "refactor",
        "release",
        "remove",
        "rename",
        "replace",
        "reset",
        "restore",
        "revert",
        "rewrite",
        "rm",
        "rollback",
        "squash",
        "stash",
        "sudo",
        "truncate",
        "uninstall",
        "update",
        "upgrade",
        "wipe",
        "write",
    ];
    const NEGATIONS: &[&str] = &[
        "not", "never", "don't", "doesn't", "isn't", "aren't", "no", "without", "except", "unless", "neither",
    ];
    let among = |words: &'static [&'static str]| {
        tokens.iter().filter_map(Token::lower).find(|word| words.contains(word))
    };
    // Where a verb stands; `the last commit` is a noun.
    let verbs = tokens.iter().enumerate().filter(|(index, _)| {
        let before = index.checked_sub(1).map(|before| &tokens[before]);
        before.is_none_or(|before| {
            matches!(before, Token::Comma | Token::Break(_))
                || matches!(
                    before.lower(),
                    Some("and" | "then" | "to" | "or" | "also" | "git" | "npm" | "cargo")
                )
        })
    });
    if let Some(word) = verbs.filter_map(|(_, token)| token.lower()).find(|word| CHANGES.contains(word)) {
        return format!("`{word}` may ask for a change, and only what looks is done here");
    }
    if let Some(word) = among(NEGATIONS) {
        return format!("does not understand what `{word}` rules out");
    }
    match tokens.get(furthest) {
        Some(Token::Comma | Token::Break(_)) => "the text asks for more than one thing".to_owned(),
        Some(token) => {
            let joined = matches!(token.lower(), Some("and" | "then" | "or" | "but"));
            let more = if joined { ", which seems to ask for more than one thing" } else { "" };
            format!("does not understand `{}`{more}", token.shown())
        }
        None => {
            let last = tokens.last().map(Token::shown).unwrap_or_default();
            format!("does not know what is asked for: nothing follows `{last}`")
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
