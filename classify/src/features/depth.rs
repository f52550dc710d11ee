//! What experienced engineers know about technical terms: how deep the work usually is that is about them, what a mistake
//! costs there, and which field they belong to.
//!
//! A model of words knows nothing about a word that no example had. The terms of `terms.tsv` are written by hand, as the
//! examples are.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::hashing::Bag;
use super::terms::{Words, hash_of};

/// What is known about a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Term {
    /// 1 cosmetic to 5 deep.
    depth: u8,
    /// 0 low, 1 medium, 2 high.
    risk: u8,
    field: &'static str,
}

/// The terms by the hash of their words.
static TERMS: LazyLock<HashMap<u64, Term, BuildHasherDefault<AsItIs>>> = LazyLock::new(|| {
    let text = include_str!("../../terms.tsv");
    // A line has no fewer bytes than this, so the table never grows while it is filled.
    let mut terms = HashMap::with_capacity_and_hasher(text.len() / 12, BuildHasherDefault::default());
    for line in text.lines() {
        let mut columns = line.split('\t');
        let (Some(name), Some(depth), Some(risk), Some(field)) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        let depth = depth.bytes().next().unwrap_or(b'0').saturating_sub(b'0');
        let risk = ["l", "m", "h"].iter().position(|level| *level == risk).unwrap_or(0) as u8;
        terms.insert(joined(name.split([' ', '-']).map(hash_of)), Term { depth, risk, field });
    }
    terms
});

/// The longest term, in words.
const LONGEST: usize = 3;

/// Adds what is known about the terms of the title.
pub(super) fn gather(words: &Words, hashes: &[u64], act: &str, tier: &str, bag: &mut Bag) {
    let mut at = 0;
    let (mut deepest, mut gravest, mut deep, mut shallow, mut sum, mut known) = (0, 0, 0, 0, 0_u32, 0_u32);
    while at < words.len() {
        let found = (1..=LONGEST.min(words.len() - at)).rev().find_map(|size| {
            let term = if size == 1 {
                of_word(words.at(at), hashes[at])
            } else {
                of_phrase(words, hashes, at, size)
            };
            term.map(|term| (term, size))
        });
        let Some((term, size)) = found else {
            at += 1;
            continue;
        };
        at += size;
        let depth = LEVELS[usize::from(term.depth.min(5))];
        bag.add("depth", &[depth]);
        bag.add("field", &[term.field]);
        bag.add("field+depth", &[term.field, depth]);
        deepest = deepest.max(term.depth);
        gravest = gravest.max(term.risk);
        deep += u32::from(term.depth >= 4);
        shallow += u32::from(term.depth == 1);
        sum += u32::from(term.depth);
        known += 1;
    }
    let deepest = LEVELS[usize::from(deepest.min(5))];
    bag.weighted("deepest", &[deepest], 1.5);
    bag.add("deepest+tier", &[deepest, tier]);
    bag.add("deepest+act", &[deepest, act]);
    bag.add("gravest", &[LEVELS[usize::from(gravest)]]);
    bag.add("deep", &[LEVELS[deep.min(5) as usize]]);
    bag.add("shallow", &[LEVELS[shallow.min(5) as usize]]);
    // In halves: 1, 1.5, 2, …
    if let Some(mean) = (2 * sum + known / 2).checked_div(known) {
        bag.weighted("mean", &[HALVES[mean.min(10) as usize]], 1.5);
        bag.add("mean+tier", &[HALVES[mean.min(10) as usize], tier]);
    }
}

const LEVELS: [&str; 6] = ["0", "1", "2", "3", "4", "5"];
const HALVES: [&str; 11] = ["0", "0.5", "1", "1.5", "2", "2.5", "3", "3.5", "4", "4.5", "5"];

fn of_phrase(words: &Words, hashes: &[u64], at: usize, size: usize) -> Option<Term> {
    let (before, last) = (&hashes[at..at + size - 1], at + size - 1);
    let get = |last: u64| TERMS.get(&joined(before.iter().copied().chain([last]))).copied();
    get(hashes[last]).or_else(|| get(hash_of(words.at(last).strip_suffix('s')?)))
}

/// Looks a word up, as it stands and without the endings that English has.
fn of_word(word: &str, hash: u64) -> Option<Term> {
    let get = |word: &str| TERMS.get(&joined([hash_of(word)])).copied();
    if let Some(term) = TERMS.get(&joined([hash])) {
        return Some(*term);
    }
    let mut other = String::new();
    for ending in ["s", "es", "ed", "ing", "d", "ly", "er", "ies"] {
        let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.len() >= 3) else { continue };
        let mut with = |letter: char| {
            other.clear();
            other.push_str(stem);
            other.push(letter);
            get(&other)
        };
        let undoubled = || {
            let mut letters = stem.chars().rev();
            let (last, before) = (letters.next()?, letters.next()?);
            (last == before).then(|| get(&stem[..stem.len() - last.len_utf8()])).flatten()
        };
        let found = get(stem).or_else(|| with('e')).or_else(undoubled);
        let found = if ending == "ies" { found.or_else(|| with('y')) } else { found };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Returns the key of a term, by the hashes of its words.
fn joined(words: impl IntoIterator<Item = u64>) -> u64 {
    words
        .into_iter()
        .fold(0, |key: u64, word| (key.rotate_left(17) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The keys are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
