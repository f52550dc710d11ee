//! Finds records by their ids without keeping these: a million ids would be most of the memory.
//!
//! There should be one record with an id, but a list with the same id twice must not lose its second half: namesakes
//! are told apart by their order, which every stage keeps.

use std::collections::{HashMap, HashSet};

/// What a record is matched by: the first 96 bits of the hash of its id. Among a million records, two ids with the same
/// key are less likely than a broken machine; and if it were so, they would be told apart by their order and none lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key([u32; 3]);

impl Key {
    /// Returns the key of an id.
    pub(crate) fn of(id: &str) -> Key {
        let hash = blake3::hash(id.as_bytes());
        let (words, _) = hash.as_bytes().as_chunks();
        Key([0, 1, 2].map(|at| u32::from_le_bytes(words[at])))
    }
}

/// The numbers of the records, in the order of their keys. The keys are with the records, so each call is told how to
/// get at them.
#[derive(Debug, Default)]
pub(crate) struct Index {
    numbers: Vec<u32>,
    /// So many of them are in order; what follows has come since.
    sorted: usize,
    /// The keys of those that came since and may be asked for already.
    fresh: HashSet<Key>,
    /// For keys with namesakes, by the place of the first one: those before this place have been found.
    next: HashMap<usize, usize>,
}

/// What is found of a record that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The first of its namesakes that is awaited.
    Awaited(usize),
    /// Records that are not awaited, or no longer.
    Known,
    /// Nothing.
    Unknown,
}

impl Index {
    /// Adds a record, to be found after [`Index::sort`].
    pub(crate) fn push(&mut self, number: usize) {
        self.numbers.push(number as u32);
    }

    /// Adds a record that is known, though not awaited, at once.
    pub(crate) fn push_known(&mut self, number: usize, key: Key) {
        self.push(number);
        self.fresh.insert(key);
    }

    /// Takes in what was added, and begins again with the first of all namesakes.
    pub(crate) fn sort(&mut self, key_of: impl Fn(u32) -> Key) {
        self.next.clear();
        self.fresh.clear();
        if self.sorted < self.numbers.len() {
            self.numbers.sort_unstable_by_key(|number| (key_of(*number), *number));
            self.sorted = self.numbers.len();
        }
    }

    /// Returns the first record with this key.
    pub(crate) fn first(&self, key: Key, key_of: impl Fn(u32) -> Key) -> Option<usize> {
        let numbers = &self.numbers[..self.sorted];
        let number = *numbers.get(numbers.partition_point(|number| key_of(*number) < key))?;
        (key_of(number) == key).then_some(number as usize)
    }

    /// Finds the record that one with this key is.
    pub(crate) fn take(
        &mut self,
        key: Key,
        key_of: impl Fn(u32) -> Key,
        is_awaited: impl Fn(u32) -> bool,
    ) -> Found {
        let numbers = &self.numbers[..self.sorted];
        let first = numbers.partition_point(|number| key_of(*number) < key);
        let is_namesake = |at: usize| numbers.get(at).is_some_and(|number| key_of(*number) == key);
        if !is_namesake(first) {
            return if self.fresh.contains(&key) { Found::Known } else { Found::Unknown };
        }
        let mut at = self.next.get(&first).copied().unwrap_or(first);
        while is_namesake(at) && !is_awaited(numbers[at]) {
            at += 1;
        }
        let found = if is_namesake(at) { Found::Awaited(numbers[at] as usize) } else { Found::Known };
        // Without this, many namesakes would be walked over again and again.
        if is_namesake(first + 1) {
            self.next.insert(first, at);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namesakes_are_found_in_order_wherever_they_stand() {
        let ids = ["b", "a", "b", "c", "b", "a"];
        let key_of = |number: u32| Key::of(ids[number as usize]);
        let mut index = Index::default();
        (0..ids.len()).for_each(|number| index.push(number));
        index.sort(key_of);
        assert_eq!(index.first(Key::of("b"), key_of), Some(0));
        assert_eq!(index.first(Key::of("x"), key_of), None);
        let mut awaited = vec![true; ids.len()];
        awaited[2] = false;
        let mut take = |id: &str| {
            let found = index.take(Key::of(id), key_of, |number| awaited[number as usize]);
            if let Found::Awaited(number) = found {
                awaited[number] = false;
            }
            found
        };
        assert_eq!([take("b"), take("a"), take("b")], [0, 1, 4].map(Found::Awaited));
        assert_eq!([take("b"), take("a"), take("a")], [Found::Known, Found::Awaited(5), Found::Known]);
        assert_eq!([take("c"), take("c"), take("d")], [Found::Awaited(3), Found::Known, Found::Unknown]);
    }

    #[test]
    fn what_came_since_is_known_but_not_awaited() {
        let ids = ["b", "a"];
        let key_of = |number: u32| Key::of(ids[number as usize]);
        let mut index = Index::default();
        index.push(0);
        index.sort(key_of);
        index.push_known(1, key_of(1));
        assert_eq!(index.take(Key::of("a"), key_of, |_| true), Found::Known);
        index.sort(key_of);
        assert_eq!(index.take(Key::of("a"), key_of, |_| true), Found::Awaited(1));
    }
}
