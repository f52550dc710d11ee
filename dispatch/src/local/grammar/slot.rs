//! What the rules leave open: paths, names, patterns, numbers, revisions, dates.

use crate::local::intent::{Pattern, PatternKind, Place};
use crate::local::words::{Cursor, Token};

/// Words that are grammar even where a name is expected.
const FUNCTION_WORDS: &[&str] = &[
    "about",
    "after",
    "all",
    "and",
    "any",
    "anything",
    "are",
    "as",
    "at",
    "be",
    "before",
    "between",
    "but",
    "by",
    "can",
    "code",
    "do",
    "does",
    "each",
    "every",
    "everything",
    "file",
    "files",
    "first",
    "for",
    "from",
    "had",
    "has",
    "have",
    "he",
    "her",
    "here",
    "him",
    "his",
    "how",
    "i",
    "if",
    "in",
    "into",
    "is",
    "it",
    "its",
    "last",
    "like",
    "many",
    "me",
    "more",
    "most",
    "much",
    "my",
    "no",
    "none",
    "not",
    "of",
    "on",
    "one",
    "or",
    "other",
    "our",
    "out",
    "over",
    "she",
    "should",
    "so",
    "some",
    "something",
    "such",
    "than",
    "that",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "thing",
    "things",
    "this",
    "those",
    "to",
    "too",
    "under",
    "until",
    "up",
    "us",
    "was",
    "way",
    "ways",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "whose",
    "why",
    "will",
    "with",
    "would",
    "you",
    "your",
];

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

fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.contains(&word)
}

/// Returns whether a word can only be a path: it has a slash, an extension, or a well-known name.
pub(super) fn is_path(raw: &str) -> bool {
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
pub(super) fn place(cursor: &mut Cursor) -> Option<Place> {
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
pub(super) fn sure_place(cursor: &mut Cursor) -> Option<Place> {
    cursor.attempt(|cursor| place(cursor).filter(|place| place.sure))
}

/// Eats a file: after the word `file` any name will do.
pub(super) fn file(cursor: &mut Cursor) -> Option<Place> {
    let place = cursor.attempt(|cursor| {
        if cursor.eat("file") { place(cursor).map(|place| Place { sure: true, ..place }) } else { None }
    });
    let place = place.or_else(|| sure_place(cursor))?;
    cursor.eat("file");
    Some(place)
}

/// Eats files, `a, b and c`.
pub(super) fn files(cursor: &mut Cursor) -> Option<Vec<Place>> {
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

/// Eats `,`, `and`, or `, and`.
pub(super) fn separator(cursor: &mut Cursor) -> bool {
    let comma = cursor.eat_map(|token| (*token == Token::Comma).then_some(())).is_some();
    cursor.eat("and") || comma
}

/// Returns whether a word is made like a name in code or on disk.
pub(super) fn is_name(raw: &str) -> bool {
    let mut characters = raw.chars();
    characters.next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '@')
        && characters.all(|c| c.is_alphanumeric() || "_-.@/".contains(c))
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

/// How much a word has to look like code to be searched for without quotes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plain {
    /// Only `snake_case`, `camelCase`, `a::b`, `call()`, and markers such as TODO.
    Never,
    /// `HashMap` and `MAX` too.
    Types,
    /// Any word, if no article stands before it.
    Any,
}

/// Eats what is looked for. `kind` is how an unquoted name is meant.
pub(super) fn pattern(cursor: &mut Cursor, kind: PatternKind, plain: Plain) -> Option<Pattern> {
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

/// Eats a number from 1 on.
pub(super) fn number(cursor: &mut Cursor) -> Option<u64> {
    const WORDS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    cursor.eat_map(|token| {
        let word = token.lower()?;
        let named = WORDS.iter().zip(1..).find(|(name, _)| **name == word).map(|(_, number)| number);
        named.or_else(|| digits(word))
    })
}

fn digits(word: &str) -> Option<u64> {
    let plain = word.bytes().all(|b| b.is_ascii_digit());
    (plain && word.len() <= 9).then(|| word.parse().ok()).flatten().filter(|number| *number > 0)
}

/// Eats a range of lines: `10-20`, `10 to 20`, `between 10 and 20`, or a single number.
pub(super) fn lines(cursor: &mut Cursor) -> Option<(u64, u64)> {
    let one = cursor.eat_map(|token| range(token.lower()?));
    let range = one.or_else(|| {
        cursor.attempt(|cursor| {
            cursor.eat("between|from");
            let first = number(cursor)?;
            let last =
                if cursor.eat_any(&["to|through|until|and", "up to"]) { number(cursor)? } else { first };
            Some((first, last))
        })
    })?;
    (range.0 <= range.1).then_some(range)
}

/// Reads `10-20`, `10–20`, `10..20`, `L10-L20`.
pub(super) fn range(word: &str) -> Option<(u64, u64)> {
    let number = |text: &str| digits(text.strip_prefix('l').unwrap_or(text));
    for separator in ["..", "-", "–", "—"] {
        if let Some((first, last)) = word.split_once(separator) {
            return Some((number(first)?, number(last)?));
        }
    }
    None
}

/// Eats a name for a revision: what git's own rules and ours allow, so that it can never be an option.
pub(super) fn revision(cursor: &mut Cursor) -> Option<String> {
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
pub(crate) fn is_revision(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./-~^@{}".contains(c))
        && !text.contains("..")
        && text.len() <= 200
}

/// Eats a range of revisions, `A..B` or `A and B`.
pub(super) fn revisions(cursor: &mut Cursor) -> Option<(String, String)> {
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

/// Eats a date that git reads the same way on every machine.
pub(super) fn date(cursor: &mut Cursor) -> Option<String> {
    cursor.attempt(|cursor| {
        if cursor.eat("today") {
            return Some("midnight".to_owned());
        }
        if cursor.eat("yesterday") {
            return Some("yesterday.midnight".to_owned());
        }
        if let Some(date) =
            cursor.eat_map(|token| token.lower().filter(|word| is_date(word)).map(str::to_owned))
        {
            return Some(date);
        }
        let last = cursor.eat("last|past");
        let count = number(cursor).or(last.then_some(1))?;
        let unit = cursor.eat_map(|token| {
            let word = token.lower()?;
            let unit = word.strip_suffix('s').unwrap_or(word);
            ["hour", "day", "week", "month", "year"].into_iter().find(|it| *it == unit)
        })?;
        (last || cursor.eat("ago")).then(|| format!("{count} {unit}s ago"))
    })
}

/// Returns whether a word is `2026-01-31`.
fn is_date(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let within = |text: &str, length: usize, limit: u64| {
        text.len() == length && digits(text).is_some_and(|number| number <= limit)
    };
    within(year, 4, 9999) && within(month, 2, 12) && within(day, 2, 31)
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
