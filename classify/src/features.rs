//! What the embedded model, and what is learned from outcomes, sees of a text: a sparse vector of hashed features.
//!
//! Three groups of them, each with a length of its own, so that a long log does not drown the sentence before it:
//! words (one and two in a row, of the title apart from the rest), letters (four in a row, within a word: other
//! forms and other spellings of known words, and languages without spaces), and structure (what the flowchart and
//! the lexicon make of it, and the shape of the text). The hashing trick of Weinberger et al. (2009): no dictionary
//! has to be loaded, and an unknown word costs nothing.
//!
//! No feature depends on case, on white space around the text, or on the punctuation at its end.

mod depth;
mod hashing;
mod naming;
mod shape;
mod structure;
mod terms;

use crate::reading::Reading;
use hashing::{Bag, Spelled};

/// How many buckets features are hashed to.
pub(crate) const BUCKETS: usize = 1 << 15;

/// A sparse vector: buckets, each with its value. Two groups may have a feature in the same bucket; both count.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Features {
    pub(crate) terms: Vec<(u32, f32)>,
    /// Hashes of the words of the title, to tell whether they are known.
    pub(crate) words: Vec<u64>,
    /// What each of `terms` stands for.
    spelled: Spelled,
}

impl Features {
    /// Returns the name of a feature by its position in `terms`, for a person.
    pub(crate) fn name(&self, at: usize) -> String {
        let (space, parts) = self.spelled.of(at);
        naming::name(space, parts)
    }
}

// How long the part of a vector is that comes from one group of features; chosen by cross-validation over the corpus.
const WORDS: f32 = 1.0;
const LETTERS: f32 = 1.0;
const FLOWCHART: f32 = 1.5;
const TOPICS: f32 = 1.0;
const SHAPE: f32 = 1.0;
const DEPTH: f32 = 1.4;

/// Returns the features of a text and its reading.
pub(crate) fn of(text: &str, reading: &Reading) -> Features {
    let mut bag = Bag::new();
    let words = gather(text, reading, &mut bag);
    Features { words, ..bag.into_features() }
}

fn gather(text: &str, reading: &Reading, bag: &mut Bag) -> Vec<u64> {
    let title = terms::title(text);
    let words = title.hashes();
    terms::gather(&title, text, bag);
    bag.end_group(WORDS);
    terms::gather_letters(&title, bag);
    bag.end_group(LETTERS);
    let act = structure::act(reading);
    structure::gather(reading, &act, bag);
    bag.end_group(FLOWCHART);
    structure::gather_topics(reading, &act, bag);
    bag.end_group(TOPICS);
    shape::gather(text, reading, bag);
    bag.end_group(SHAPE);
    structure::gather_depth(&title, &words, reading, &act, bag);
    bag.end_group(DEPTH);
    words
}
