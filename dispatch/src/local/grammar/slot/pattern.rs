//! What is looked for in files: quoted texts, regular expressions, and words that can only be names.

use super::{is_function_word, separator};
use crate::local::cursor::Cursor;
use crate::local::intent::{Pattern, PatternKind};
use crate::local::words::Token;

/// Markers that programmers leave in comments. Their plural is `TODOs`.
const MARKERS: &[&str] = &["TODO", "FIXME", "HACK", "XXX"];

/// What a thing in code may be called, and what it is for a definition.
const NOUNS: &[(&str, Option<&str>)] = &[
    ("function", Some("function")),
    ("func", Some("function")),
    ("fn", Some("function")),
    ("method", Some("function")),
    ("struct", Some("type")),
    ("class", Some("type")),
    ("enum", Some("type")),
    ("trait", Some("type")),
    ("interface", Some("type")),
    ("type", Some("type")),
    ("macro", Some("macro")),
    ("constant", Some("value")),
    ("const", Some("value")),
    ("variable", Some("value")),
    ("module", Some("module")),
    ("identifier", None),
    ("symbol", None),
    ("name", None),
    ("word", None),
    ("crate", None),
    ("package", None),
    ("library", None),
    ("dependency", None),
    ("helper", Some("function")),
];

/// How much a word has to look like code to be searched for without quotes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::local) enum Plain {
    /// Only `snake_case`, `camelCase`, `a::b`, `call()`, and markers such as TODO.
    Never,
    /// `HashMap` and `MAX` too.
    Types,
    /// Any word, if no article stands before it.
    Any,
}

/// Eats what is looked for. `kind` is how an unquoted name is meant.
pub(in crate::local) fn pattern(cursor: &mut Cursor, kind: PatternKind, plain: Plain) -> Option<Pattern> {
    cursor.attempt(|cursor| {
        let mut noun = Noun::None;
        if cursor.eat_any(&["string|text|phrase|literal", "string literal"]) {
            noun = Noun::Text;
        } else if cursor.eat_any(&["pattern|regex|regexp", "regular expression"]) {
            noun = Noun::Regex;
        } else if let Some(found) = code_noun(cursor) {
            noun = Noun::Code(found);
        }
        let mut pattern = Pattern { kind, texts: Vec::new(), insensitive: false, sure: true };
        loop {
            value(cursor, &mut pattern, noun, plain)?;
            let more = cursor.attempt(|cursor| {
                cursor.eat_any(&["or", "and/or"]).then_some(())?;
                // Only look: the next round eats it.
                let position = cursor.position();
                let mut probe = pattern.clone();
                value(cursor, &mut probe, noun, plain)?;
                cursor.back_to(position);
                Some(())
            });
            if more.is_none() {
                break;
            }
        }
        // `TODOs and FIXMEs`: for markers alone, `and` means either.
        while pattern.texts.iter().all(|text| MARKERS.contains(&text.as_str())) {
            let next = cursor.attempt(|cursor| {
                separator(cursor).then_some(())?;
                cursor.eat_map(marker)
            });
            let Some(next) = next else { break };
            pattern.texts.push(next);
        }
        if pattern.texts.iter().all(|text| MARKERS.contains(&text.as_str())) {
            cursor.eat("comment|comments|note|notes|marker|markers|item|items");
        }
        if let Some(noun) = code_noun(cursor)
            && let PatternKind::Definition(what @ None) = &mut pattern.kind
        {
            *what = noun;
        }
        Some(pattern)
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Noun {
    None,
    Text,
    Regex,
    Code(Option<&'static str>),
}

fn code_noun(cursor: &mut Cursor) -> Option<Option<&'static str>> {
    cursor.eat_map(|token| {
        let word = token.lower()?;
        NOUNS.iter().find(|(noun, _)| *noun == word).map(|(_, what)| *what)
    })
}

fn is_code_noun(word: &str) -> bool {
    NOUNS.iter().any(|(noun, _)| *noun == word)
}

fn marker(token: &Token) -> Option<String> {
    let Token::Word { raw, .. } = token else { return None };
    let singular = raw.strip_suffix("'s").or_else(|| raw.strip_suffix('s')).unwrap_or(raw);
    // Written small, it has to be the plural: `todo` may be the name of a thing.
    let upper = singular.to_uppercase();
    (MARKERS.contains(&upper.as_str()) && (singular == upper || (singular != raw && raw.len() > 4)))
        .then_some(upper)
}

fn value(cursor: &mut Cursor, pattern: &mut Pattern, noun: Noun, plain: Plain) -> Option<()> {
    if let Noun::Code(Some(what)) = noun
        && matches!(pattern.kind, PatternKind::Definition(None))
    {
        pattern.kind = PatternKind::Definition(Some(what));
    }
    let first = pattern.texts.is_empty();
    let token = cursor.peek()?;
    let (text, kind, sure, insensitive) = match token {
        Token::Regex { pattern: text, insensitive } => (text.clone(), PatternKind::Regex, true, *insensitive),
        Token::Quoted(text) => {
            let kind = match (noun, &pattern.kind) {
                (Noun::Regex, _) => PatternKind::Regex,
                (Noun::Text, _) | (_, PatternKind::Literal) => PatternKind::Literal,
                // What is no name can not be called, imported or defined; it is meant as it stands.
                (_, PatternKind::Word) if !is_identifier(text) => PatternKind::Literal,
                (_, kind) => kind.clone(),
            };
            (text.clone(), kind, true, false)
        }
        Token::Word { .. } if noun == Noun::Regex => return None,
        Token::Word { raw, lower, article } => {
            if let Some(text) = marker(token) {
                (text, PatternKind::Word, true, false)
            } else {
                if !has_only_code_characters(raw)
                    || (is_function_word(lower) && !matches!(noun, Noun::Code(_)))
                {
                    return None;
                }
                let code = is_code(raw);
                let typed = code || is_capitalised_code(raw);
                // Names may stand after what they are (`struct Foo`); not every word there is a name.
                let before = matches!(noun, Noun::Code(_)) && !*article;
                let after = cursor.peek_second().and_then(Token::lower).is_some_and(is_code_noun);
                let named = before || after;
                let allowed = match plain {
                    Plain::Never => code || (named && typed),
                    Plain::Types => typed || named,
                    Plain::Any => typed || named || !*article,
                };
                if !allowed {
                    return None;
                }
                let kind = match &pattern.kind {
                    PatternKind::Literal if is_identifier(raw) => PatternKind::Word,
                    kind => kind.clone(),
                };
                (raw.clone(), kind, typed, false)
            }
        }
        Token::Comma | Token::Break(_) => return None,
    };
    // Two ways to mean it can not be one pattern.
    if !first && pattern.kind != kind {
        return None;
    }
    cursor.next();
    pattern.kind = kind;
    pattern.sure &= sure;
    pattern.insensitive |= insensitive;
    let text = match pattern.kind {
        PatternKind::Regex | PatternKind::Literal => text,
        _ => text.trim_end_matches("()").trim_end_matches('!').to_owned(),
    };
    pattern.texts.push(text);
    Some(())
}

fn is_identifier(text: &str) -> bool {
    let text = text.trim_end_matches("()").trim_end_matches('!');
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && text.ends_with(|c: char| c.is_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || "_:.-/".contains(c))
}

/// Returns whether a word is written as only code is: not by its meaning, by its letters.
fn is_code(raw: &str) -> bool {
    let body = raw.trim_start_matches(['@', '#', '$', '&']);
    body.contains('_') && body.chars().any(char::is_alphanumeric)
        || body.contains("::")
        || body.ends_with("()")
        || body.ends_with('!')
        || body.starts_with("--")
        || body.split_once('.').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
        || (body.starts_with(|c: char| c.is_ascii_lowercase())
            && body.chars().any(|c| c.is_ascii_uppercase()))
}

/// Returns whether a word may be a type or constant (`HashMap`, `MAX`). English has such words too (`GitHub`).
fn is_capitalised_code(raw: &str) -> bool {
    raw.chars().all(|c| c.is_ascii_alphanumeric()) && raw.chars().filter(char::is_ascii_uppercase).count() > 1
}

fn has_only_code_characters(raw: &str) -> bool {
    raw.chars().all(|c| c.is_alphanumeric() || "_:.-@/#$!&()<>".contains(c))
        && raw.chars().any(char::is_alphanumeric)
        && !raw.starts_with('-')
}
