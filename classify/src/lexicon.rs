//! What the words mean that tasks are made of: what they ask for (`Act`), what they are about (`About`) and
//! which part they play in a sentence (`Role`).
//!
//! The words themselves stand in `lexicon/words.rs`, as lists a person can read; here they become one table,
//! built once. Whole words only: "prefix" is not "fix", and a "capital" is no "api".

mod words;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::{BitOr, BitOrAssign};
use std::sync::LazyLock;

/// What somebody who gives a task wants to have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// Look for something and say where or what it is.
    Find,
    /// Read something and say what it says.
    Explain,
    /// Find out whether something is so.
    Check,
    /// Run a command of the project.
    Run,
    /// Do something in version control.
    Vcs,
    /// Do something with files or processes that a shell command does.
    Shell,
    /// Write about code, not code.
    Document,
    /// Bring something new into the code.
    Add,
    /// Change something in the code, in a way that is known.
    Change,
    /// Take something away.
    Remove,
    /// Rename, move, extract, restructure.
    Refactor,
    /// Make something broken work.
    Fix,
    /// Take a newer version of something that others made.
    Upgrade,
    /// Go from one thing to another: a language, a framework, a service.
    Migrate,
    /// Install, configure or build up.
    Setup,
    /// Make something better, whatever that means.
    Improve,
    /// Make something faster or smaller.
    Optimize,
    /// Judge code or another person's work.
    Review,
    /// Find out why.
    Debug,
    /// Decide how something is to be.
    Design,
    /// Bring something to its users.
    Deploy,
}

/// How a word for an act is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As in a dictionary: an order, or an infinitive.
    #[default]
    Base,
    /// With an s.
    Third,
    /// With an ed.
    Past,
    /// With an ing.
    Ing,
}

/// Declares a set of flags: a type over an integer, with its constants.
macro_rules! flags {
    ($(#[$doc:meta])* $name:ident: $int:ty { $($(#[$flag_doc:meta])* $flag:ident = $bit:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct $name($int);

        impl $name {
            pub(crate) const NONE: $name = $name(0);
            $($(#[$flag_doc])* pub(crate) const $flag: $name = $name(1 << $bit);)*

            /// Tells whether all of these are there.
            pub(crate) const fn has(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            /// Tells whether one of these is there.
            pub(crate) const fn any(self, other: $name) -> bool {
                self.0 & other.0 != 0
            }

            /// Returns those that are in both.
            #[allow(dead_code)]
            pub(crate) const fn only(self, other: $name) -> $name {
                $name(self.0 & other.0)
            }

            /// Returns these but for some.
            #[allow(dead_code)]
            pub(crate) const fn without(self, other: $name) -> $name {
                $name(self.0 & !other.0)
            }

            /// Returns those that are in one of both; `|` for constants.
            pub(crate) const fn or(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }
        }

        impl BitOr for $name {
            type Output = $name;
            fn bitor(self, other: $name) -> $name {
                self.or(other)
            }
        }

        impl BitOrAssign for $name {
            fn bitor_assign(&mut self, other: $name) {
                *self = self.or(other);
            }
        }
    };
}

flags! {
    /// What a task is about.
    About: u64 {
        /// Documentation and comments.
        DOCS = 0;
        /// Wrong letters.
        TYPO = 1;
        /// Chores without an effect on what the program does.
        TRIVIAL = 2;
        /// Tests.
        TESTS = 3;
        /// What the project's commands tell: build, lint, types.
        CHECKS = 4;
        /// What is looked up: names, numbers, places.
        LOOKUP = 5;
        /// What code consists of.
        CODE = 6;
        /// The structure of a system.
        ARCHITECTURE = 7;
        /// Who may do what.
        SECURITY = 8;
        /// Attacks and holes.
        VULNERABILITY = 9;
        /// Things that happen at the same time.
        CONCURRENCY = 10;
        /// How fast, how big.
        PERFORMANCE = 11;
        /// Algorithms and mathematics.
        ALGORITHM = 12;
        /// Now and then, nobody knows why.
        SUBTLE = 13;
        /// A clue: an error message, a trace, a log.
        TRACE = 14;
        /// Something does not work.
        BUG = 15;
        /// Why something is as it is.
        CAUSE = 16;
        /// Real users.
        PRODUCTION = 17;
        /// Stored data.
        DATA = 18;
        /// Gone for ever.
        LOSS = 19;
        /// Money, contracts, agreement between machines about them.
        MONEY = 20;
        /// What is known about people.
        PERSONAL = 21;
        /// Releases and deployments.
        RELEASE = 22;
        /// Caches.
        CACHE = 23;
        /// All of it.
        WHOLE = 24;
        /// No telling what is meant.
        VAGUE = 25;
        /// What a user sees.
        INTERFACE = 26;
        /// Others have to change too.
        BREAKING = 27;
        /// Other people's code.
        DEPENDENCY = 28;
        /// Version control.
        VCS = 29;
        /// Continuous integration.
        CI = 30;
        /// Nobody did it before.
        NOVEL = 31;
        /// Many machines.
        DISTRIBUTED = 32;
        /// Files and directories, as a shell sees them.
        FILE = 33;
        /// Running programs.
        SERVICE = 34;
        /// Database migrations.
        MIGRATION = 35;
        /// Keys and passwords.
        SECRET = 36;
        /// Memory, instructions, compilers.
        LOW_LEVEL = 37;
        /// Frameworks.
        FRAMEWORK = 38;
        /// Programming languages.
        LANGUAGE = 39;
        /// One of several places a program runs in.
        ENVIRONMENT = 40;
        /// Many, much.
        LARGE = 41;
        /// The act of judging.
        ANALYSIS = 42;
        /// How to go about something.
        APPROACH = 43;
        /// Two versions that do not fit.
        CONFLICT = 44;
        /// Numbers and versions.
        NUMBER = 45;
        /// Several parts at once.
        CROSS = 46;
        /// A feature, an option, a wish.
        FEATURE = 47;
        /// A place for one value.
        FIELD = 48;
        /// How it is on the whole.
        QUALITY = 49;
        /// Cannot be taken back.
        IRREVERSIBLE = 50;
        /// Infrastructure.
        INFRASTRUCTURE = 51;
        /// How an interface to other programs is offered.
        PROTOCOL = 52;
        /// The smallest kind of change, in the words of its author.
        SMALL = 53;
        /// A change that somebody else made.
        PATCH = 54;
        /// Does what it should, or does not.
        WORKING = 55;
        /// Unlike others, cannot be had by reading: a structure of data.
        SCHEMA = 56;
        /// Writing that needs its subject to be understood.
        INSIGHT = 57;
        /// What one says to a shell.
        SHELL = 58;
        /// One property of what is seen.
        LOOKS = 59;
    }
}

flags! {
    /// Which part a word plays in a sentence.
    Role: u32 {
        /// Known as English, whatever else.
        ENGLISH = 0;
        /// "the", "my", "all": a noun follows.
        DETERMINER = 1;
        /// "in", "for", "with".
        PREPOSITION = 2;
        /// "is", "does", "can".
        AUXILIARY = 3;
        /// "not", "never", "without".
        NEGATION = 4;
        /// "please", "just", "also": says nothing about the work.
        FILLER = 5;
        /// "and", "then": another thing to do may follow.
        JOIN = 6;
        /// "i", "we", "you".
        PERSON = 7;
        /// "that", "which", "if", "when": not the main clause any more.
        SUBORDINATE = 8;
        /// A verb that is as often a noun: "test", "build", "log".
        NOUN_TOO = 9;
        /// Asks: "what", "where", "why", "how".
        ASKS = 10;
        /// Begins at least one phrase of several words.
        PHRASE = 11;
        /// Wants: "want", "need", "would like".
        WANTS = 12;
        /// Should, must: a demand in the form of a statement.
        DEMANDS = 13;
        /// Names how it is to be done: "using", "with", "via", "by".
        MEANS = 14;
        /// Tells what happens: "fails", "crashes", "shows".
        HAPPENS = 15;
        /// Holds sentences of another language together.
        FOREIGN = 16;
    }
}

/// What a word means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) act: Option<Act>,
    pub(crate) form: Form,
    pub(crate) about: About,
    pub(crate) role: Role,
}

impl Meaning {
    /// Tells whether nothing is known about the word.
    pub(crate) fn is_unknown(&self) -> bool {
        *self == Meaning::default()
    }

    /// Adds what is said in another list. A word has one act: that of the first list.
    fn learn(&mut self, meaning: Meaning) {
        self.about |= meaning.about;
        self.role |= meaning.role;
        if self.act.is_none() {
            self.act = meaning.act;
            self.form = meaning.form;
        }
    }
}

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

/// Tells whether two words are the same but for case.
pub(crate) fn same(word: &str, known: &str) -> bool {
    word.eq_ignore_ascii_case(known)
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

/// FNV-1a: for words of a few letters it beats what guards against chosen keys, and nobody chooses these.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
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
    fn phrases_begin_with_a_word_that_says_so() {
        assert!(word("race").role.has(Role::PHRASE));
        assert!(phrases("Race").iter().any(|phrase| phrase.rest == ["condition"]));
    }
}
