//! What a word can mean: what is to be done, what it is about, which part it plays.

use std::ops::{BitOr, BitOrAssign};

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

            /// Each flag with its name.
            #[allow(dead_code)]
            pub(crate) const NAMES: &[($name, &str)] = &[$(($name::$flag, stringify!($flag))),*];

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
    pub(super) fn learn(&mut self, meaning: Meaning) {
        self.about |= meaning.about;
        self.role |= meaning.role;
        if self.act.is_none() {
            self.act = meaning.act;
            self.form = meaning.form;
        }
    }
}
