//! The text of a task as tokens.
//!
//! What is quoted (`…`, "…", '…', “…”) is a literal and never matches a word of the grammar. Articles and
//! polite words say nothing and are dropped; but a name after an article is remembered to be one (`the database`
//! is a thing in the world, `database` may be an identifier).

/// A task of more than this is an explanation, not a mechanical request.
const LONGEST: usize = 400;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word as written, its lower-case form, and whether an article stood before it.
    Word { raw: String, lower: String, article: bool },
    /// What stood between quotes.
    Quoted(String),
    /// What stood between slashes, and whether `i` stood after them.
    Regex { pattern: String, insensitive: bool },
    /// A comma between words.
    Comma,
    /// The end of a sentence or clause in the middle of the text. No rule eats it.
    Break(char),
}

impl Token {
    /// Returns the token as it should be shown to a person.
    pub(super) fn shown(&self) -> String {
        match self {
            Token::Word { raw, .. } => raw.clone(),
            Token::Quoted(text) => text.clone(),
            Token::Regex { pattern, .. } => format!("/{pattern}/"),
            Token::Comma => ",".to_owned(),
            Token::Break(mark) => mark.to_string(),
        }
    }

    pub(super) fn lower(&self) -> Option<&str> {
        if let Token::Word { lower, .. } = self { Some(lower) } else { None }
    }
}

/// Splits a text into tokens.
///
/// # Errors
/// With a reason, if it is empty, too long, of several lines, or a quote is not closed.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the task is empty".to_owned());
    }
    if text.len() > LONGEST || text.lines().filter(|line| !line.trim().is_empty()).count() > 1 {
        return Err("the task is longer than a mechanical request".to_owned());
    }
    if let Some(odd) = text.chars().find(|c| c.is_control() && !c.is_whitespace()) {
        return Err(format!("the task contains the control character {odd:?}"));
    }
    let mut lexer = Lexer { rest: text, found: Vec::new(), article: false };
    while lexer.step()? {}
    Ok(polite_words_removed(lexer.found))
}

struct Lexer<'a> {
    rest: &'a str,
    found: Vec<Token>,
    article: bool,
}

impl Lexer<'_> {
    fn step(&mut self) -> Result<bool, String> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else { return Ok(false) };
        match first {
            '`' | '"' => self.quoted(first, first)?,
            '“' => self.quoted('“', '”')?,
            '‘' => self.quoted('‘', '’')?,
            '\'' if self.rest[1..].contains('\'') => self.quoted('\'', '\'')?,
            _ => {
                let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                self.word(word);
            }
        }
        Ok(true)
    }

    fn quoted(&mut self, open: char, close: char) -> Result<(), String> {
        let inner = &self.rest[open.len_utf8()..];
        let Some(end) = inner.find(close) else { return Err(format!("a quote {open} is not closed")) };
        let text = &inner[..end];
        let mut rest = &inner[end + close.len_utf8()..];
        if text.trim().is_empty() {
            return Err("there is nothing between two quotes".to_owned());
        }
        self.found.push(Token::Quoted(text.to_owned()));
        self.article = false;
        // The possessive of a literal says nothing more.
        rest = rest.strip_prefix("'s").or_else(|| rest.strip_prefix("’s")).unwrap_or(rest);
        let marks = rest.len() - rest.trim_start_matches(['.', ',', '?', '!', ':', ';', ')']).len();
        let (marks, after) = rest.split_at(marks);
        self.rest = after;
        self.marks(marks);
        if !after.is_empty() && !after.starts_with(char::is_whitespace) {
            return Err(format!("does not understand what is joined to the quoted `{text}`"));
        }
        Ok(())
    }

    fn word(&mut self, word: &str) {
        if let Some(regex) = regex(word) {
            self.found.push(regex);
            self.article = false;
            return;
        }
        let last = self.rest.trim().is_empty();
        // `.` and `..` are paths; `println!` is a macro, unless the sentence ends there.
        let body = if word.chars().all(|c| c == '.' || c == '/') {
            word
        } else if last {
            word.trim_end_matches(['.', ',', '?', '!', ':', ';'])
        } else {
            word.trim_end_matches(['.', ',', '?', ':', ';'])
        };
        let marks = &word[body.len()..];
        let body = body.replace('’', "'");
        let lower = body.to_lowercase();
        let expanded = match lower.as_str() {
            "what's" => Some(["what", "is"]),
            "where's" => Some(["where", "is"]),
            "who's" => Some(["who", "is"]),
            "there's" => Some(["there", "is"]),
            "it's" => Some(["it", "is"]),
            "let's" => Some(["let", "us"]),
            _ => None,
        };
        if let Some(words) = expanded {
            words.into_iter().for_each(|word| self.push(word, word));
        } else if matches!(lower.as_str(), "the" | "a" | "an") {
            self.article = true;
        } else if !body.is_empty() {
            let raw = body.strip_suffix("'s").unwrap_or(&body);
            let lower = lower.strip_suffix("'s").unwrap_or(&lower);
            self.push(raw, lower);
        }
        self.marks(marks);
    }

    fn push(&mut self, raw: &str, lower: &str) {
        let article = std::mem::take(&mut self.article);
        self.found.push(Token::Word { raw: raw.to_owned(), lower: lower.to_owned(), article });
    }

    fn marks(&mut self, marks: &str) {
        if self.rest.trim().is_empty() {
            return;
        }
        for mark in marks.chars() {
            match mark {
                ',' => self.found.push(Token::Comma),
                ':' => {}
                mark => self.found.push(Token::Break(mark)),
            }
        }
    }
}

/// Returns `/pattern/` or `/pattern/i`. With a slash inside it is a path.
fn regex(word: &str) -> Option<Token> {
    let word = word.trim_end_matches(['.', ',', '?', '!', ':', ';']);
    let inner = word.strip_prefix('/')?;
    let (inner, insensitive) = match inner.strip_suffix("/i") {
        Some(inner) => (inner, true),
        None => (inner.strip_suffix('/')?, false),
    };
    let plain = inner.replace("\\/", "");
    if plain.is_empty() || plain.contains('/') {
        return None;
    }
    Some(Token::Regex { pattern: inner.replace("\\/", "/"), insensitive })
}

/// Drops what is only said to be friendly, at both ends.
fn polite_words_removed(tokens: Vec<Token>) -> Vec<Token> {
    const BEFORE: [&[&str]; 14] = [
        &["please"],
        &["kindly"],
        &["hi"],
        &["hello"],
        &["hey"],
        &["ok"],
        &["okay"],
        &["can", "you"],
        &["could", "you"],
        &["would", "you"],
        &["will", "you"],
        &["i", "want", "you", "to"],
        &["i", "need", "you", "to"],
        &["i", "would", "like", "you", "to"],
    ];
    const AFTER: [&[&str]; 7] = [
        &["please"],
        &["thanks"],
        &["thank", "you"],
        &["for", "me"],
        &["for", "us"],
        &["right", "now"],
        &["now"],
    ];
    let is = |tokens: &[Token], words: &[&str]| {
        tokens.len() == words.len()
            && tokens.iter().zip(words).all(|(token, word)| token.lower() == Some(word))
    };
    let mut rest = tokens.as_slice();
    'again: loop {
        if let [Token::Comma, after @ ..] = rest {
            rest = after;
            continue;
        }
        for words in BEFORE {
            // Not the whole text: `hello` alone asks for nothing.
            if rest.len() > words.len() && is(&rest[..words.len()], words) {
                rest = &rest[words.len()..];
                continue 'again;
            }
        }
        for words in AFTER {
            if rest.len() > words.len() && is(&rest[rest.len() - words.len()..], words) {
                rest = &rest[..rest.len() - words.len()];
                if let [before @ .., Token::Comma | Token::Break(_)] = rest {
                    rest = before;
                }
                continue 'again;
            }
        }
        return rest.to_vec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match tokens(text) {
            Ok(tokens) => tokens
                .iter()
                .map(|token| match token {
                    Token::Word { raw, article: true, .. } => format!("the·{raw}"),
                    Token::Word { raw, .. } => raw.clone(),
                    Token::Quoted(text) => format!("`{text}`"),
                    Token::Regex { pattern, insensitive } => {
                        format!("/{pattern}/{}", if *insensitive { "i" } else { "" })
                    }
                    Token::Comma => ",".to_owned(),
                    Token::Break(mark) => format!("¦{mark}"),
                })
                .collect::<Vec<_>>()
                .join(" "),
            Err(reason) => format!("error: {reason}"),
        }
    }

    #[test]
    fn texts_become_tokens() {
        for (text, expected) in [
            ("Run the tests.", "Run the·tests"),
            ("Could you please run the tests, please?", "run the·tests"),
            ("Hey, what's in `src/lib.rs`?", "what is in `src/lib.rs`"),
            ("find \"a b\" and 'c d'", "find `a b` and `c d`"),
            ("the project's tests", "the·project tests"),
            ("don’t run", "don't run"),
            ("grep /foo\\/bar|x/i in src/", "grep /foo/bar|x/i in src/"),
            ("list /usr/lib/", "list /usr/lib/"),
            ("run the tests. Then stop", "run the·tests ¦. Then stop"),
            ("run x; run y", "run x ¦; run y"),
            ("x, y and z", "x , y and z"),
            ("files in .", "files in ."),
            ("uses of println! in src", "uses of println! in src"),
            ("search for: x_y", "search for x_y"),
            ("hello", "hello"),
        ] {
            assert_eq!(shown(text), expected, "for {text:?}");
        }
    }

    #[test]
    fn some_texts_are_no_requests() {
        for text in ["", "  \n ", "one\ntwo", "find `x", "find ``", "find `a`b", "a\u{1b}[31m"] {
            assert!(shown(text).starts_with("error: "), "for {text:?}: {}", shown(text));
        }
        assert!(tokens(&"word ".repeat(200)).is_err());
    }
}
