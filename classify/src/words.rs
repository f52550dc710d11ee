//! Takes a text apart into words, and into the things that are talked about but not said: quotes, code, paths.
//!
//! What the words mean is left to `lexicon`, how they belong together to `clause`. One pass, no regular
//! expressions, no upper case: a decision must not depend on how loudly a task is typed.

use crate::lexicon::{self, About, Meaning, Role};

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

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Takes a text apart.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut scanner =
        Scanner { text, bytes: text.as_bytes(), at: 0, cut: Cut::Paragraph, fresh: true, tokens: Vec::new() };
    scanner.tokens.reserve(text.len() / 5 + 4);
    while scanner.step() {}
    join_phrases(text, &mut scanner.tokens);
    scanner.tokens
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

struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    cut: Cut,
    /// Nothing but white space stands before this on its line.
    fresh: bool,
    tokens: Vec<Token<'t>>,
}

impl<'t> Scanner<'t> {
    /// Reads one token or separator. False at the end.
    fn step(&mut self) -> bool {
        let Some(&byte) = self.bytes.get(self.at) else { return false };
        let line_begins = self.fresh;
        self.fresh = byte == b'\n' || line_begins && (byte.is_ascii_whitespace() || byte == b'#');
        match byte {
            b'\n' => self.separate(if line_begins { Cut::Paragraph } else { Cut::Line }, 1),
            b'#' if line_begins => self.at += 1,
            b if b.is_ascii_whitespace() => self.at += 1,
            b'`' | b'~'
                if line_begins && self.rest().starts_with(&self.text[self.at..=self.at].repeat(3)) =>
            {
                self.block()
            }
            b'`' => self.quote('`', 1),
            b'"' => self.quote('"', 1),
            b'\'' if !self.after_letter() => self.quote('\'', 1),
            b'>' if line_begins => {
                let end = self.rest().find('\n').map_or(self.text.len(), |end| self.at + end);
                self.push(Kind::Block, self.at, end, Meaning::default());
            }
            b',' => self.separate(Cut::Comma, 1),
            b';' => self.separate(Cut::Semicolon, 1),
            b':' => self.separate(Cut::Colon, 1),
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'|' => self.separate(Cut::Paren, 1),
            b'.' if !self.after_letter()
                && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_alphanumeric) =>
            {
                self.chunk(line_begins);
            }
            b'.' if self.tokens.last().is_some_and(|last| is_abbreviation(last.text)) => self.at += 1,
            b'.' | b'!' | b'?' => self.separate(Cut::Sentence, 1),
            b'-' | b'*' | b'+' if line_begins && self.is_space(self.at + 1) => self.separate(Cut::Item, 1),
            b'-' if self.rest().starts_with("->") => self.arrow(2),
            b'=' if self.rest().starts_with("=>") => self.arrow(2),
            b'-' if self.is_space(self.at + 1)
                || self.rest().starts_with("--") && self.is_space(self.at + 2) =>
            {
                self.separate(Cut::Colon, 1)
            }
            b if b.is_ascii() && !begins_chunk(b) => self.at += 1,
            b if b.is_ascii() => self.chunk(line_begins),
            _ => match self.rest().chars().next() {
                Some('“' | '„') => self.quote('”', 3),
                Some('«') => self.quote('»', 2),
                Some('‘') => self.quote('’', 3),
                Some('•' | '‣' | '·') if line_begins => self.separate(Cut::Item, 1),
                Some('→' | '⇒' | '➜') => self.arrow(3),
                Some('—' | '–') => self.separate(Cut::Colon, 3),
                Some('。' | '！' | '？' | '…') => self.separate(Cut::Sentence, 3),
                Some('，' | '、') => self.separate(Cut::Comma, 3),
                Some('：') => self.separate(Cut::Colon, 3),
                Some(c) if c.is_alphanumeric() => self.chunk(line_begins),
                Some(c) => self.at += c.len_utf8(),
                None => return false,
            },
        }
        // A separator of several bytes may have been taken for one byte of it.
        self.at = self.at.min(self.text.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        true
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn is_space(&self, at: usize) -> bool {
        self.bytes.get(at).is_none_or(u8::is_ascii_whitespace)
    }

    fn after_letter(&self) -> bool {
        self.text[..self.at].chars().next_back().is_some_and(char::is_alphanumeric)
    }

    fn separate(&mut self, cut: Cut, length: usize) {
        self.cut = self.cut.max(cut);
        self.at += length;
    }

    fn push(&mut self, kind: Kind, from: usize, to: usize, meaning: Meaning) {
        let cut = std::mem::replace(&mut self.cut, Cut::None);
        self.tokens.push(Token { kind, text: &self.text[from..to], at: from, cut, meaning });
        self.at = to;
    }

    /// Reads `->`, which says "to": from what, to what.
    fn arrow(&mut self, length: usize) {
        self.push(
            Kind::Word,
            self.at,
            self.at + length,
            Meaning { role: Role::PREPOSITION, ..Meaning::default() },
        );
    }

    /// Reads up to the closing quotation mark; without one, the mark is nothing.
    fn quote(&mut self, close: char, length: usize) {
        let inside = &self.rest()[length..];
        let window = &inside[..floor(inside, inside.len().min(QUOTE))];
        let end = window.char_indices().find(|&(at, c)| {
            let ends_word = || !window[at + c.len_utf8()..].starts_with(char::is_alphanumeric);
            c == close && (close != '\'' || at > 0 && ends_word() && !window[..at].contains('\n'))
        });
        match end {
            Some((end, _)) => {
                let meaning = Meaning { about: mentioned(&inside[..end]), ..Meaning::default() };
                let to = self.at + length + end + close.len_utf8();
                self.push(Kind::Quote, self.at, to, meaning);
            }
            None => self.at += length,
        }
    }

    /// Reads a fenced block up to the closing fence or the end of the text.
    fn block(&mut self) {
        let fence = &self.rest()[..3];
        let inside = &self.rest()[3..];
        let length = inside.find(fence).map_or(inside.len(), |end| end + 3);
        let meaning = Meaning { about: shown(&inside[..length]), ..Meaning::default() };
        self.push(Kind::Block, self.at, self.at + 3 + length, meaning);
        self.cut = Cut::Sentence;
    }

    /// Reads up to white space or a separator, and decides what that is.
    fn chunk(&mut self, line_begins: bool) {
        let from = self.at;
        let rest = self.rest();
        let is_url = rest.get(..8).is_some_and(|start| start.contains("://"));
        let length = rest.find(|c: char| c.is_whitespace() || !is_url && ends_chunk(c)).unwrap_or(rest.len());
        let mut chunk = &rest[..length];
        // Dots and colons inside belong to a name, at the end to the sentence.
        chunk = chunk.trim_end_matches(['.', ':', '\'', '/', '-', '*', '~', '=', '+', '’']);
        if chunk.is_empty() {
            self.at += length.max(1);
            return;
        }
        if line_begins && is_ordinal(chunk, &rest[chunk.len()..]) {
            return self.separate(Cut::Numbered, chunk.len() + 1);
        }
        let called = rest[chunk.len()..].starts_with("()");
        let (kind, meaning) = if is_url { (Kind::Name, Meaning::default()) } else { what_is(chunk) };
        if called && kind == Kind::Word {
            let name = Meaning { about: About::CODE, ..Meaning::default() };
            return self.push(Kind::Name, from, from + chunk.len(), name);
        }
        match split_word(chunk, kind, meaning) {
            Some(at) => {
                let (first, second) = (what_is(&chunk[..at]).1, what_is(&chunk[at + 1..]).1);
                self.push(Kind::Word, from, from + at, first);
                self.push(Kind::Word, from + at + 1, from + chunk.len(), second);
            }
            None => self.push(kind, from, from + chunk.len(), meaning),
        }
    }
}

/// `add/remove` and `REST/GraphQL` are two words; `src/lib` is a path.
fn split_word(chunk: &str, kind: Kind, meaning: Meaning) -> Option<usize> {
    if kind != Kind::Name || !meaning.is_unknown() {
        return None;
    }
    let at = chunk.find('/')?;
    let (left, right) = (&chunk[..at], &chunk[at + 1..]);
    let known =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic()) && !what_is(word).1.is_unknown();
    (known(left) && known(right)).then_some(at)
}

fn begins_chunk(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'$' | b'-' | b'@' | b'~' | b'#')
}

fn ends_chunk(c: char) -> bool {
    matches!(c, ',' | ';' | '!' | '?' | '"' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '|')
        || matches!(
            c,
            '“' | '”'
                | '«'
                | '»'
                | '→'
                | '⇒'
                | '➜'
                | '—'
                | '–'
                | '…'
                | '。'
                | '！'
                | '？'
                | '，'
                | '、'
                | '：'
        )
}

fn is_abbreviation(word: &str) -> bool {
    ["e.g", "i.e", "vs", "etc", "approx"].iter().any(|known| lexicon::same(word, known))
}

/// `1.` or `2)` at the beginning of a line.
fn is_ordinal(chunk: &str, rest: &str) -> bool {
    let says_more = || rest[1..].starts_with(char::is_whitespace) && !rest[1..].trim_start().is_empty();
    chunk.len() <= 2
        && chunk.bytes().all(|byte| byte.is_ascii_digit())
        && rest.starts_with(['.', ')'])
        && says_more()
}

fn what_is(chunk: &str) -> (Kind, Meaning) {
    let word = chunk.trim_start_matches(['\'', '~', '*', '#']);
    if word.is_empty() {
        return (Kind::Name, Meaning::default());
    }
    let mut known = lexicon::word(word);
    let is_adverb = word.len() > 4 && ends_with_ignore_case(word, "ly");
    if is_adverb && known.act.is_none() && known.about.without(About::SHELL) == About::NONE {
        // "recursively remove", "automatically add": what is done comes after.
        known.role |= Role::FILLER | Role::ENGLISH;
    }
    if !known.is_unknown() {
        return (Kind::Word, known);
    }
    let bytes = word.as_bytes();
    if is_number(word) {
        return (Kind::Number, Meaning { about: About::NUMBER, ..Meaning::default() });
    }
    if bytes[0] == b'.' {
        return (Kind::Name, Meaning { about: named(word), ..Meaning::default() });
    }
    if bytes[0] == b'$' {
        return (Kind::Name, Meaning { about: About::SHELL, ..Meaning::default() });
    }
    if bytes.iter().any(|byte| matches!(byte, b'_' | b'$' | b'=' | b'@' | b'\\' | b'%' | b'&'))
        || word.starts_with('-')
    {
        return (Kind::Name, Meaning { about: About::CODE, ..Meaning::default() });
    }
    if bytes.contains(&b'/') || bytes.contains(&b':') || bytes.contains(&b'.') {
        return (Kind::Name, Meaning { about: named(word), ..Meaning::default() });
    }
    if bytes.contains(&b'-') {
        // "multi-step", "re-check": what the parts are about counts, what they do does not.
        let mut meaning = Meaning { role: Role::ENGLISH, ..Meaning::default() };
        for part in word.split('-') {
            let known = lexicon::word(part);
            meaning.about |= known.about;
            if known.is_unknown() && part.len() > 2 {
                meaning.role = Role::NONE;
            }
        }
        return (Kind::Word, meaning);
    }
    // `TypeError`, `NullPointerException`: the names of errors end like this in most languages.
    if word.len() > 7 && ["error", "exception"].iter().any(|end| ends_with_ignore_case(word, end)) {
        return (
            Kind::Word,
            Meaning { about: About::TRACE | About::BUG, role: Role::ENGLISH, ..Meaning::default() },
        );
    }
    (Kind::Word, Meaning::default())
}

fn ends_with_ignore_case(word: &str, end: &str) -> bool {
    word.len() >= end.len() && word.as_bytes()[word.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// `42`, `3.11`, `v2`, `17.x`, `50px` are numbers.
fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix(['v', 'V']).unwrap_or(word);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
}

/// What a path or file name says about the task.
fn named(name: &str) -> About {
    let shell = if name.starts_with(['/', '~']) { About::SHELL } else { About::NONE };
    shell | named_file(name)
}

/// Files that are worked on, but are no code.
const DATA_FILES: [&str; 24] = [
    "txt", "csv", "tsv", "dat", "jpg", "jpeg", "png", "gif", "pdf", "zip", "tar", "gz", "tgz", "bz2", "xz",
    "7z", "mp3", "mp4", "avi", "mov", "bak", "tmp", "out", "iso",
];

fn named_file(name: &str) -> About {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let Some((stem, ending)) = file.rsplit_once('.') else {
        return if lexicon::word(file).about.any(About::DOCS) {
            About::DOCS | About::FILE
        } else {
            About::FILE
        };
    };
    let is = |list: &[&str]| list.iter().any(|known| ending.eq_ignore_ascii_case(known));
    if stem.is_empty() || stem == "*" {
        return About::FILE | About::SHELL; // .o, *.log
    }
    if is(&["md", "rst", "adoc"]) || lexicon::word(stem).about.any(About::DOCS) {
        About::DOCS | About::FILE
    } else if DATA_FILES.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
        About::FILE
    } else if is(&["log", "trace"]) {
        About::TRACE | About::FILE
    } else if let Some((line, _)) = ending.split_once(':')
        && line.len() <= 5
    {
        About::FILE | About::CODE // auth.rs:17
    } else if ending.len() <= 5 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        About::FILE | About::CODE
    } else {
        About::CODE
    }
}

/// What a quotation says about the task: a file, an error. Never what to do.
fn mentioned(quote: &str) -> About {
    let quote = quote.trim();
    if !quote.contains(' ') && quote.len() < 200 {
        return match what_is(quote) {
            (Kind::Word, known) => {
                known.about.only(About::TRACE | About::DOCS | About::TESTS | About::CHECKS) | About::CODE
            }
            (_, known) => known.about,
        };
    }
    shown(quote)
}

/// What a block of code or output says about the task: that it shows an error, at the best with its trace.
fn shown(block: &str) -> About {
    let end = floor(block, block.len().min(QUOTE));
    let shows_error = block[..end].lines().take(40).any(|line| {
        let line = line.trim_start();
        let begins =
            |sign: &str| line.get(..sign.len()).is_some_and(|start| start.eq_ignore_ascii_case(sign));
        begins("at ") && (line.contains(':') || line.contains('('))
            || begins("file \"")
            || [
                "error",
                "exception",
                "panicked at",
                "traceback",
                "undefined reference",
                "segmentation fault",
                "warning:",
            ]
            .iter()
            .any(|sign| contains_ignore_case(line, sign))
    });
    if shows_error { About::TRACE } else { About::CODE }
}

fn contains_ignore_case(line: &str, sign: &str) -> bool {
    line.as_bytes().windows(sign.len()).any(|window| window.eq_ignore_ascii_case(sign.as_bytes()))
}

/// Returns the words of a text and nothing else: no meaning, no quotes.
pub(crate) fn plain(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '\'' | '.' | '/')))
        .map(|word| word.trim_matches(['.', '\'', '-', '/']))
        .filter(|word| !word.is_empty())
}
