//! What the outcome model sees of a task's text: short sequences of tokens, letters within words, and fifteen
//! plain measurements.
//!
//! What a task asks for and whether a draft of it will pass are two questions, so this is not the sight of the
//! embedded model: symbols and the length of numbers are tokens here, since in tasks with code and figures they tell
//! more than the words. All terms are hashed to 32 bits (Weinberger et al. 2009); case is not looked at.

use std::hash::Hasher;

use crate::fnv::Fnv;

/// How many measurements there are.
pub(crate) const MEASURES: usize = 15;
/// The longest sequence of tokens.
const LONGEST: usize = 3;
/// Digits of a number beyond this are not told apart.
const DIGITS: usize = 5;

/// What is seen of one text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    /// Sequences of one to three tokens and how often each is there, by hash.
    pub(crate) tokens: Vec<(u32, u32)>,
    /// Sequences of three and four letters within a word, likewise.
    pub(crate) letters: Vec<(u32, u32)>,
    pub(crate) measures: [f64; MEASURES],
}

/// Looks at a text.
pub(crate) fn see(text: &str) -> Seen {
    let text = text.trim().to_lowercase();
    let tokens = tokens(&text);
    Seen {
        tokens: counted(sequences(&tokens)),
        letters: counted(letters(&text)),
        measures: measures(&text, &tokens),
    }
}

/// One word, one number, or one symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Number(&'t str),
    Symbol(&'t str),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::with_capacity(text.len() / 4);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (class, is_single) = match first {
            c if c.is_whitespace() => (None, false),
            c if c.is_ascii_digit() => (Some(Token::Number as fn(_) -> _), false),
            c if is_word(c) => (Some(Token::Word as fn(_) -> _), false),
            _ => (Some(Token::Symbol as fn(_) -> _), true),
        };
        let same = |c: char| match first {
            f if f.is_whitespace() => c.is_whitespace(),
            f if f.is_ascii_digit() => c.is_ascii_digit(),
            _ => is_word(c) && !c.is_ascii_digit(),
        };
        let end = if is_single { first.len_utf8() } else { rest.find(|c| !same(c)).unwrap_or(rest.len()) };
        let (token, after) = rest.split_at(end);
        all.extend(class.map(|class: fn(_) -> _| class(token)));
        rest = after;
    }
    all
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Begins the hash of a group of features.
fn of_group(group: u8) -> Fnv {
    let mut fnv = Fnv::default();
    fnv.write(&[group]);
    fnv
}

/// Returns the hash in half as many bits, none of them left out.
fn folded(fnv: Fnv) -> u32 {
    (fnv.finish() ^ (fnv.finish() >> 32)) as u32
}

fn sequences(tokens: &[Token]) -> Vec<u32> {
    let mut hashes = Vec::with_capacity(tokens.len() * LONGEST);
    for begin in 0..tokens.len() {
        let mut fnv = of_group(0);
        for token in tokens[begin..].iter().take(LONGEST) {
            match token {
                Token::Word(text) | Token::Symbol(text) => fnv.write(text.as_bytes()),
                // How long a number is tells more than which one it is.
                Token::Number(text) => fnv.write(&[b'#', text.len().min(DIGITS) as u8]),
            }
            fnv.write(&[0]);
            hashes.push(folded(fnv));
        }
    }
    hashes
}

fn letters(text: &str) -> Vec<u32> {
    let mut hashes = Vec::with_capacity(text.len() * 2);
    let mut padded = Vec::new();
    for word in text.split_whitespace() {
        padded.clear();
        padded.push(' ');
        padded.extend(word.chars());
        padded.push(' ');
        for length in [3, 4] {
            for window in padded.windows(length) {
                let mut fnv = of_group(1);
                for c in window {
                    fnv.write(&u32::from(*c).to_le_bytes());
                }
                hashes.push(folded(fnv));
            }
        }
    }
    hashes
}

fn counted(mut hashes: Vec<u32>) -> Vec<(u32, u32)> {
    hashes.sort_unstable();
    hashes.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect()
}

/// Length, shape, and the share of figures and code. Counts are on a logarithmic scale.
fn measures(text: &str, tokens: &[Token]) -> [f64; MEASURES] {
    let log = |count: usize| (count as f64).ln_1p();
    let characters = text.chars().count().max(1);
    let share = |is: fn(char) -> bool| text.chars().filter(|c| is(*c)).count() as f64 / characters as f64;
    let of = |is: fn(&Token) -> bool| tokens.iter().filter(|token| is(token)).count();
    let words: Vec<&str> = tokens
        .iter()
        .filter_map(|token| if let Token::Word(word) = token { Some(*word) } else { None })
        .collect();
    let mut distinct = words.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let lines = || text.lines();
    let longest = words.iter().map(|word| word.len()).max().unwrap_or_default();
    let total: usize = words.iter().map(|word| word.len()).sum();
    let largest = tokens
        .iter()
        .filter_map(|token| if let Token::Number(digits) = token { digits.parse::<f64>().ok() } else { None })
        .fold(0.0, f64::max);
    let indent = |line: &str| line.len() - line.trim_start().len();
    [
        log(characters),
        log(words.len()),
        log(lines().count()),
        share(|c| c.is_ascii_digit()),
        log(of(|token| matches!(token, Token::Number(_)))),
        largest.min(1e15).ln_1p(),
        share(|c| "(){}[]<>=+*/\\_^$%&|;:".contains(c)),
        log(text.matches(['(', '[', '{']).count()),
        log(text.matches(',').count()),
        log(text.matches('?').count()),
        log(of(|token| matches!(token, Token::Symbol("." | "!" | "?")))),
        if words.is_empty() { 0.0 } else { total as f64 / words.len() as f64 },
        if words.is_empty() { 1.0 } else { distinct.len() as f64 / words.len() as f64 },
        log(lines().map(indent).max().unwrap_or_default()),
        log(longest),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_falls_into_words_numbers_and_symbols() {
        use Token::{Number, Symbol, Word};
        assert_eq!(
            tokens("f(x_1) = 420\nünï"),
            [
                Word("f"),
                Symbol("("),
                Word("x_"),
                Number("1"),
                Symbol(")"),
                Symbol("="),
                Number("420"),
                Word("ünï")
            ]
        );
        assert!(tokens(" \n").is_empty());
    }

    #[test]
    fn case_and_white_space_around_the_text_change_nothing_and_the_length_of_a_number_counts() {
        assert_eq!(see("  Add 12 users\n"), see("add 12 users"));
        assert_eq!(see("add 12 users").tokens, see("add 57 users").tokens);
        assert_ne!(see("add 12 users").tokens, see("add 120 users").tokens);
    }

    #[test]
    fn repeated_terms_are_counted_once_with_their_number() {
        let seen = see("a a a");
        // a, a a, a a a
        assert_eq!(seen.tokens.iter().map(|(_, count)| *count).sum::<u32>(), 6);
        assert_eq!(seen.tokens.len(), 3);
        assert!(see("").tokens.is_empty() && see("").measures.iter().all(|measure| measure.is_finite()));
    }
}
