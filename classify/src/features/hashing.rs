//! Turns features into buckets.

use std::hash::Hasher;

use super::{BUCKETS, Features};
use crate::fnv::Fnv;

/// Features on their way into a vector.
pub(super) struct Bag {
    found: Vec<Found>,
    /// Where the group begins that is being filled.
    begin: usize,
    /// A bit for each bucket that the group has: each feature counts once.
    taken: Vec<u64>,
    letters: String,
}

#[derive(Clone, Copy)]
struct Found {
    bucket: u32,
    value: f32,
    /// Where in the letters it is spelled.
    at: u32,
}

/// What features stand for: the name space, a tab, the parts, a line each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Spelled {
    letters: String,
    places: Vec<u32>,
}

impl Spelled {
    /// Returns the name space of a feature, and what it is there.
    pub(super) fn of(&self, at: usize) -> (&str, &str) {
        let begin = self.places.get(at).map_or(0, |at| *at as usize);
        let line = self.letters[begin..].lines().next().unwrap_or_default();
        line.split_once('\t').unwrap_or((line, ""))
    }
}

/// The hash of a feature.
#[derive(Clone, Copy)]
pub(super) struct Hash(Fnv);

impl Hash {
    /// Begins a hash in a name space of its own.
    pub(super) fn of(space: &str) -> Hash {
        Hash(Fnv::default()).and(space).and("\0")
    }

    /// Goes on with more of the key.
    pub(super) fn and(mut self, part: &str) -> Hash {
        self.0.write(part.as_bytes());
        self
    }

    /// Returns the hash, its high bits as good as its low ones, which FNV alone does not give.
    pub(super) fn bits(self) -> u64 {
        let hash = self.0.finish();
        (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn bucket(self) -> u32 {
        u32::try_from(self.bits() >> (64 - BUCKETS.trailing_zeros())).unwrap_or(0)
    }
}

impl Bag {
    pub(super) fn new() -> Bag {
        Bag {
            found: Vec::with_capacity(256),
            begin: 0,
            taken: vec![0; BUCKETS / 64],
            letters: String::with_capacity(4096),
        }
    }

    /// Adds a feature: a name space, and what it is there.
    pub(super) fn add(&mut self, space: &str, parts: &[&str]) {
        self.weighted(space, parts, 1.0);
    }

    /// Adds a feature with a weight against others of its group, unless the group has it already.
    pub(super) fn weighted(&mut self, space: &str, parts: &[&str], value: f32) {
        let mut hash = Hash::of(space);
        for (at, part) in parts.iter().enumerate() {
            hash = if at > 0 { hash.and(" ").and(part) } else { hash.and(part) };
        }
        let bucket = hash.bucket();
        let (word, bit) = place(bucket);
        if self.taken[word] & bit != 0 {
            return;
        }
        self.taken[word] |= bit;
        let at = u32::try_from(self.letters.len()).unwrap_or(0);
        self.letters.push_str(space);
        self.letters.push('\t');
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.letters.push(' ');
            }
            self.letters.push_str(part);
        }
        self.letters.push('\n');
        self.found.push(Found { bucket, value, at });
    }

    /// Gives what was added since the last group this length (Euclidean).
    pub(super) fn end_group(&mut self, length: f32) {
        let group = &mut self.found[self.begin..];
        let norm = group.iter().map(|found| found.value * found.value).sum::<f32>().sqrt();
        for found in group {
            found.value *= length / norm;
            let (word, bit) = place(found.bucket);
            self.taken[word] &= !bit;
        }
        self.begin = self.found.len();
    }

    pub(super) fn into_features(self) -> Features {
        Features {
            terms: self.found.iter().map(|found| (found.bucket, found.value)).collect(),
            words: Vec::new(),
            spelled: Spelled {
                letters: self.letters,
                places: self.found.iter().map(|found| found.at).collect(),
            },
        }
    }
}

fn place(bucket: u32) -> (usize, u64) {
    (bucket as usize / 64, 1 << (bucket % 64))
}
