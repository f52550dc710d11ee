//! What the words mean that tasks are made of: what they ask for (`Act`), what they are about (`About`) and
//! which part they play in a sentence (`Role`).
//!
//! The words themselves stand in `lexicon/words.rs`, as lists a person can read; here they become one table,
//! built once. Whole words only: "prefix" is not "fix", and a "capital" is no "api".

mod meaning;
mod words;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use crate::fnv::Fnv;
pub(crate) use meaning::{About, Act, Form, Meaning, Role};

/// Several words that mean something together.
pub(crate) struct Phrase {
    /// The words after the first.
    pub(crate) rest: Vec<&'static str>,
    pub(crate) meaning: Meaning,
}

struct Lexicon {
    words: HashMap<Box<str>, Meaning, BuildHasherDefault<Fnv>>,
    phrases: HashMap<&'static str, Vec<Phrase>, BuildHasherDefault<Fnv>>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::new);

/// The longest word in the table is shorter than this.
const LONGEST: usize = 32;

/// Returns what is known about a word, whatever its case.
pub(crate) fn word(word: &str) -> Meaning {
    lowered(word, |word| LEXICON.words.get(word).copied()).flatten().unwrap_or_default()
}

/// Returns the phrases that begin with a word, the longest first.
pub(crate) fn phrases(word: &str) -> &'static [Phrase] {
    lowered(word, |word| LEXICON.phrases.get(word)).flatten().map_or(&[], Vec::as_slice)
}

/// Tells whether two words are the same but for case; the words of a phrase may stand further apart than usual.
pub(crate) fn same(word: &str, known: &str) -> bool {
    word.eq_ignore_ascii_case(known) || known.contains(' ') && is_same_phrase(word, known)
}

fn is_same_phrase(phrase: &str, known: &str) -> bool {
    let mut words = phrase.split_ascii_whitespace();
    known.split(' ').all(|known| words.next().is_some_and(|word| word.eq_ignore_ascii_case(known)))
        && words.next().is_none()
}

/// Calls the function with the word in small letters, straight apostrophes and all.
fn lowered<T>(word: &str, then: impl FnOnce(&str) -> T) -> Option<T> {
    let mut buffer = [0; LONGEST];
    let mut length = 0;
    for c in word.chars() {
        let c = if c == '’' { '\'' } else { c.to_ascii_lowercase() };
        let end = length + c.len_utf8();
        c.encode_utf8(buffer.get_mut(length..end)?);
        length = end;
    }
    std::str::from_utf8(&buffer[..length]).ok().map(then)
}

impl Lexicon {
    fn new() -> Self {
        let mut lexicon = Lexicon { words: HashMap::default(), phrases: HashMap::default() };
        for &(role, list) in words::ROLES {
            lexicon.add(list, Meaning { role: role | Role::ENGLISH, ..Meaning::default() });
        }
        // After the English ones: "a", "on" and "in" stand for something else elsewhere, but not here.
        for entry in words::FOREIGN.split_whitespace() {
            if !lexicon.words.contains_key(entry) {
                lexicon.add_word(entry, Meaning { role: Role::FOREIGN, ..Meaning::default() });
            }
        }
        for &(about, list) in words::ABOUT {
            lexicon.add(list, Meaning { about, role: Role::ENGLISH, ..Meaning::default() });
        }
        for &(act, list) in words::ACTS {
            for entry in list.split_whitespace() {
                lexicon.add_act(entry, act);
            }
        }
        for (act, form, list) in words::IRREGULAR {
            let meaning = Meaning { act: Some(*act), form: *form, role: Role::ENGLISH, ..Meaning::default() };
            lexicon.add(list, meaning);
        }
        for list in lexicon.phrases.values_mut() {
            list.sort_by_key(|phrase| std::cmp::Reverse(phrase.rest.len()));
        }
        lexicon
    }

    fn add(&mut self, list: &'static str, meaning: Meaning) {
        for entry in list.split_whitespace() {
            match entry.split_once('_') {
                None => self.add_word(entry, meaning),
                Some((first, rest)) => {
                    self.add_word(first, Meaning { role: Role::PHRASE, ..Meaning::default() });
                    self.add_phrase(first, rest, meaning);
                }
            }
        }
    }

    fn add_word(&mut self, word: &str, meaning: Meaning) {
        debug_assert!(word.len() <= LONGEST && word.bytes().all(|byte| !byte.is_ascii_uppercase()), "{word}");
        self.words.entry(word.into()).or_default().learn(meaning);
    }

    /// Adds a verb in all its forms. Of `clean_up`, the first word is the one that changes.
    fn add_act(&mut self, entry: &'static str, act: Act) {
        let (verb, rest) = entry.split_once('_').unwrap_or((entry, ""));
        for (form, word) in forms(verb) {
            let meaning = Meaning { act: Some(act), form, role: Role::ENGLISH, ..Meaning::default() };
            if rest.is_empty() {
                self.add_word(&word, meaning);
            } else {
                self.add_word(&word, Meaning { role: Role::PHRASE | Role::ENGLISH, ..Meaning::default() });
                let first: &'static str = Box::leak(word.into_boxed_str());
                self.add_phrase(first, rest, meaning);
            }
        }
    }

    fn add_phrase(&mut self, first: &'static str, rest: &'static str, meaning: Meaning) {
        let rest: Vec<&str> = rest.split('_').collect();
        let phrases = self.phrases.entry(first).or_default();
        match phrases.iter_mut().find(|known| known.rest == rest) {
            Some(known) => known.meaning.learn(meaning),
            None => phrases.push(Phrase { rest, meaning }),
        }
    }
}

/// Returns the forms of a regular verb. Forms that no one uses do no harm.
fn forms(verb: &str) -> Vec<(Form, String)> {
    let last = verb.chars().next_back().unwrap_or_default();
    let before = verb.chars().rev().nth(1).unwrap_or_default();
    let is_vowel = |c: char| "aeiou".contains(c);
    let mut forms = vec![(Form::Base, verb.to_owned())];
    let mut add = |form, word: String| forms.push((form, word));
    match last {
        'e' => {
            let stem = &verb[..verb.len() - 1];
            add(Form::Third, format!("{verb}s"));
            add(Form::Past, format!("{verb}d"));
            add(Form::Ing, format!("{stem}ing"));
        }
        'y' if !is_vowel(before) => {
            let stem = &verb[..verb.len() - 1];
            add(Form::Third, format!("{stem}ies"));
            add(Form::Past, format!("{stem}ied"));
            add(Form::Ing, format!("{verb}ing"));
        }
        _ => {
            let hisses = matches!(last, 's' | 'x' | 'z') || verb.ends_with("sh") || verb.ends_with("ch");
            add(Form::Third, format!("{verb}{}", if hisses { "es" } else { "s" }));
            add(Form::Past, format!("{verb}ed"));
            add(Form::Ing, format!("{verb}ing"));
            if !is_vowel(last) && is_vowel(before) && !matches!(last, 'w' | 'x' | 'y') {
                add(Form::Past, format!("{verb}{last}ed"));
                add(Form::Ing, format!("{verb}{last}ing"));
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_all_their_forms_and_cases() {
        for (text, act, form) in [
            ("fix", Act::Fix, Form::Base),
            ("FIXES", Act::Fix, Form::Third),
            ("Fixed", Act::Fix, Form::Past),
            ("renaming", Act::Refactor, Form::Ing),
            ("debugged", Act::Debug, Form::Past),
            ("written", Act::Add, Form::Past),
        ] {
            assert_eq!((word(text).act, word(text).form), (Some(act), form), "{text}");
        }
    }

    #[test]
    fn a_word_inside_another_is_not_found() {
        for text in ["prefix", "information", "scandal", "latest", "author"] {
            assert_eq!(word(text).act, None, "{text}");
            assert!(!word(text).about.any(About::SECURITY | About::TESTS | About::PROTOCOL), "{text}");
        }
    }

    #[test]
    fn the_words_of_a_phrase_may_stand_apart() {
        for text in ["and then", "And  Then", "and\n then"] {
            assert!(same(text, "and then"), "{text:?}");
        }
        for text in ["andthen", "and", "and then we", "then and"] {
            assert!(!same(text, "and then"), "{text:?}");
        }
    }

    #[test]
    fn phrases_begin_with_a_word_that_says_so() {
        assert!(word("race").role.has(Role::PHRASE));
        assert!(phrases("Race").iter().any(|phrase| phrase.rest == ["condition"]));
    }
}
