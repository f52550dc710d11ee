//! Words and letters.

use super::hashing::{Bag, Hash};

/// So many words of the title are looked at; the first line, or what there is of it.
const TITLE: usize = 40;
/// So many words after it.
const BODY: usize = 160;

/// Adds words and pairs of words.
pub(super) fn gather(title: &Words, text: &str, bag: &mut Bag) {
    let mut before: Option<&str> = None;
    let mut before_that: Option<&str> = None;
    for (at, word) in title.iter().enumerate() {
        bag.add("w", &[word]);
        match at {
            0 => bag.add("first", &[word]),
            1 => bag.add("second", &[title.at(0), word]),
            _ => {}
        }
        if let Some(before) = before {
            bag.add("ww", &[before, word]);
        }
        if let Some(before_that) = before_that {
            bag.weighted("w_w", &[before_that, word], 0.7);
        }
        before_that = before;
        before = Some(word);
    }
    if let Some(last) = before {
        bag.add("last", &[last]);
    }
    let mut words = Words::default();
    words.fill(parted(text).1, BODY);
    before = None;
    for word in words.iter() {
        bag.weighted("b", &[word], 0.5);
        if let Some(before) = before {
            bag.weighted("bb", &[before, word], 0.35);
        }
        before = Some(word);
    }
}

/// Adds the letters of the words of the title, four in a row; the beginning and the end of a word count as letters.
pub(super) fn gather_letters(title: &Words, bag: &mut Bag) {
    let mut edged = String::with_capacity(64);
    for word in title.iter() {
        edged.clear();
        edged.push('<');
        edged.push_str(word);
        edged.push('>');
        if word.is_ascii() {
            for begin in 0..edged.len().saturating_sub(3) {
                bag.add("c", &[&edged[begin..begin + 4]]);
            }
            continue;
        }
        // Scripts in which a letter is a syllable or a word say more with fewer of them.
        let ends: Vec<usize> = edged.char_indices().map(|(at, _)| at).chain([edged.len()]).collect();
        for size in 2..=3 {
            for window in ends.windows(size + 1) {
                bag.add("c", &[&edged[window[0]..window[size]]]);
            }
        }
    }
}

/// Returns the words of the title.
pub(super) fn title(text: &str) -> Words {
    let mut words = Words::default();
    words.fill(parted(text).0, TITLE);
    words
}

/// Returns the hash that a word goes by.
pub(super) fn hash_of(word: &str) -> u64 {
    Hash::of("word").and(word).bits()
}

/// The first line, and what follows.
fn parted(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once('\n').unwrap_or((text, ""))
}

/// The words of a text in small letters; numbers are all the same, but for how long they are.
#[derive(Default)]
pub(super) struct Words {
    letters: String,
    ends: Vec<usize>,
}

impl Words {
    fn fill(&mut self, text: &str, most: usize) {
        self.letters.reserve(text.len().min(most * 8));
        self.ends.reserve(most.min(text.len() / 3 + 1));
        let mut begin = 0;
        for c in text.chars() {
            if c.is_alphanumeric() || c == '_' && begin < self.letters.len() {
                if c.is_ascii() {
                    self.letters.push(c.to_ascii_lowercase());
                } else {
                    self.letters.extend(c.to_lowercase());
                }
                // Nobody says a word as long as this.
                if self.letters.len() - begin < 48 {
                    continue;
                }
            } else if c == '\'' || c == '’' {
                continue;
            }
            begin = self.end(begin);
            if self.ends.len() >= most {
                return;
            }
        }
        self.end(begin);
    }

    /// Ends a word. Returns where the next one begins.
    fn end(&mut self, begin: usize) -> usize {
        let word = &self.letters[begin..];
        if word.is_empty() {
            return begin;
        }
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            let size = word.len().min(5);
            self.letters.truncate(begin);
            self.letters.push_str(&"00000"[..size]);
        }
        self.ends.push(self.letters.len());
        self.letters.len()
    }

    pub(super) fn at(&self, at: usize) -> &str {
        let begin = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.letters[begin..self.ends[at]]
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Hashes of the words, in their order.
    pub(super) fn hashes(&self) -> Vec<u64> {
        self.iter().map(hash_of).collect()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|at| self.at(at))
    }
}
