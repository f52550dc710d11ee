//! Takes a text apart into words, and into the things that are talked about but not said: quotes, code, paths.
//!
//! What the words mean is left to `lexicon`, how they belong together to `clause`. One pass, no regular
//! expressions, no upper case: a decision must not depend on how loudly a task is typed.

mod names;
mod scanner;

use crate::lexicon::{self, About, Meaning, Role};
use scanner::Scanner;

/// The most bytes of a text that are looked at, from its beginning. What is asked stands near the ends.
const HEAD: usize = 16 << 10;
/// The most bytes that are looked at from its end.
const TAIL: usize = 4 << 10;
/// A quotation longer than this is not one: somebody forgot to close it.
const QUOTE: usize = 2 << 10;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word, to be looked up.
    Word,
    /// A number or a version.
    Number,
    /// A path, a file name, an identifier, a flag, a URL: named, not said.
    Name,
    /// Text in quotes or in backticks.
    Quote,
    /// A block of code or a quoted paragraph.
    Block,
}

/// What stands between a token and the one before it. Ordered: the later, the deeper the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cut {
    /// White space.
    None,
    /// An opening or closing parenthesis.
    Paren,
    /// A comma.
    Comma,
    /// A colon, or a dash between spaces.
    Colon,
    /// A semicolon.
    Semicolon,
    /// The end of a line.
    Line,
    /// The end of a sentence.
    Sentence,
    /// An empty line.
    Paragraph,
    /// The beginning of a list item.
    Item,
    /// The beginning of a numbered list item.
    Numbered,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
    /// Where it begins in the text that was taken apart.
    pub(crate) at: usize,
    /// What separates it from the token before.
    pub(crate) cut: Cut,
    pub(crate) meaning: Meaning,
}

impl Token<'_> {
    /// Returns where the token ends in the text.
    pub(crate) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// Tells whether the token plays the part in a sentence.
    pub(crate) fn is(&self, role: Role) -> bool {
        self.meaning.role.has(role)
    }
}

/// Returns the part of a text that is looked at, and whether that is less than all.
///
/// The middle of a long text is left out, so that a text of any size takes the same time.
pub(crate) fn within_limits(text: &str) -> (std::borrow::Cow<'_, str>, bool) {
    if text.len() <= HEAD + TAIL {
        return (text.into(), false);
    }
    let head = &text[..floor(text, HEAD)];
    let tail = &text[floor(text, text.len() - TAIL)..];
    (format!("{head}\n\n{tail}").into(), true)
}

/// Returns the nearest boundary of a character at or before a place.
pub(crate) fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Takes a text apart.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Scanner::tokens(text);
    join_phrases(text, &mut tokens);
    tokens
}

/// Makes one token of the words of a phrase.
fn join_phrases<'t>(text: &'t str, tokens: &mut Vec<Token<'t>>) {
    let mut kept = 0;
    let mut next = 0;
    while next < tokens.len() {
        let mut token = tokens[next];
        let mut length = 1;
        if token.is(Role::PHRASE) {
            let fits = |rest: &[&str]| {
                rest.len() < tokens.len() - next
                    && rest.iter().zip(&tokens[next + 1..]).all(|(known, token)| {
                        token.kind != Kind::Quote
                            && token.cut <= Cut::Line
                            && token.cut != Cut::Comma
                            && lexicon::same(token.text, known)
                    })
            };
            if let Some(phrase) = lexicon::phrases(token.text).iter().find(|phrase| fits(&phrase.rest)) {
                length += phrase.rest.len();
                let end = tokens[next + length - 1].end();
                let mut meaning = phrase.meaning;
                if !meaning.role.has(Role::FILLER) {
                    // "what causes" still asks, "drop the table" still is something to do.
                    meaning.role |= token.meaning.role.only(Role::ASKS | Role::AUXILIARY | Role::NEGATION);
                    if meaning.act.is_none() && meaning.about.any(About::LOSS) {
                        meaning.act = token.meaning.act;
                        meaning.form = token.meaning.form;
                    }
                }
                token = Token { text: &text[token.at..end], meaning, ..token };
            }
        }
        tokens[kept] = token;
        kept += 1;
        next += length;
    }
    tokens.truncate(kept);
}

/// Returns the words of a text and nothing else: no meaning, no quotes.
pub(crate) fn plain(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '\'' | '.' | '/')))
        .map(|word| word.trim_matches(['.', '\'', '-', '/']))
        .filter(|word| !word.is_empty())
}
