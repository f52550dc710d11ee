//! Goes through a text once, and cuts it into tokens.

use super::names::{mentioned, shown, what_is};
use super::{Cut, Kind, QUOTE, Token, floor};
use crate::lexicon::{self, About, Meaning, Role};

pub(super) struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    cut: Cut,
    /// Nothing but white space stands before this on its line.
    fresh: bool,
    tokens: Vec<Token<'t>>,
}

impl<'t> Scanner<'t> {
    /// Returns the tokens of a text.
    pub(super) fn tokens(text: &'t str) -> Vec<Token<'t>> {
        let mut scanner = Scanner {
            text,
            bytes: text.as_bytes(),
            at: 0,
            cut: Cut::Paragraph,
            fresh: true,
            tokens: Vec::new(),
        };
        scanner.tokens.reserve(text.len() / 5 + 4);
        while scanner.step() {}
        scanner.tokens
    }

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
