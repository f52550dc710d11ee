//! Which of any number of things fit into a limit, the best first, in memory that does not grow with their number.
//!
//! Keys and weights go to a file without a name. The key at which the limit is reached is then found digit by digit, 16 bits at a time:
//! four passes over 16 bytes for each thing, and half a megabyte for the sums.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

/// The bits of a digit.
const DIGIT: u32 = 16;

/// Things to choose from.
#[derive(Debug)]
pub(crate) struct Entries {
    file: BufWriter<File>,
    count: u64,
    failed: Option<io::Error>,
}

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Things with a key above this are chosen; without it, all are.
    above: Option<u64>,
    limit: u64,
    /// The weight of all that is chosen.
    pub(crate) weight: u128,
}

impl Chosen {
    /// Tells whether a thing is among the chosen.
    pub(crate) fn has(&self, key: u64, weight: u64) -> bool {
        weight <= self.limit && self.above.is_none_or(|above| key > above)
    }
}

impl Entries {
    /// Begins without any.
    pub(crate) fn new() -> io::Result<Entries> {
        Ok(Entries {
            file: BufWriter::with_capacity(64 << 10, tempfile::tempfile()?),
            count: 0,
            failed: None,
        })
    }

    /// Adds one. If it can not be kept, [`Entries::choose`] says so.
    pub(crate) fn add(&mut self, key: u64, weight: u64) {
        self.count += 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&key.to_le_bytes());
        bytes[8..].copy_from_slice(&weight.to_le_bytes());
        if let Err(error) = self.file.write_all(&bytes) {
            self.failed.get_or_insert(error);
        }
    }

    /// Chooses from the highest key down until the next one would go over the limit. Things with the same key are chosen
    /// together or not at all, and what alone is over the limit is left out.
    pub(crate) fn choose(mut self, limit: u64) -> io::Result<Chosen> {
        self.file.flush()?;
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let (mut prefix, mut weight) = (0u64, 0u128);
        for shift in (0..u64::BITS).step_by(DIGIT as usize).rev() {
            file.rewind()?;
            let sums = sums(&file, self.count, limit, |key| {
                (key.checked_shr(shift + DIGIT).unwrap_or(0) == prefix)
                    .then_some((key >> shift) as usize & 0xffff)
            })?;
            // From the highest digit down: the first that does not fit as a whole.
            let straddles = (0..sums.len()).rev().find(|digit| {
                let fits = weight + sums[*digit] <= u128::from(limit);
                weight += if fits { sums[*digit] } else { 0 };
                !fits
            });
            let Some(digit) = straddles else {
                // Only the first digit can fit as a whole: after it, what is looked at did not.
                return Ok(Chosen { above: None, limit, weight });
            };
            prefix = prefix << DIGIT | digit as u64;
        }
        Ok(Chosen { above: Some(prefix), limit, weight })
    }
}

/// Returns the weights added up by digit.
fn sums(file: &File, count: u64, limit: u64, digit: impl Fn(u64) -> Option<usize>) -> io::Result<Vec<u128>> {
    let mut sums = vec![0u128; 1 << DIGIT];
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let mut bytes = [0; 16];
    for _ in 0..count {
        reader.read_exact(&mut bytes)?;
        let [key, weight] =
            [0, 8].map(|at| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default()));
        if weight <= limit
            && let Some(digit) = digit(key)
        {
            sums[digit] += u128::from(weight);
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn choose(entries: &[(u64, u64)], limit: u64) -> (Vec<(u64, u64)>, u128) {
        let mut all = Entries::new().unwrap();
        entries.iter().for_each(|(key, weight)| all.add(*key, *weight));
        let chosen = all.choose(limit).unwrap();
        (entries.iter().copied().filter(|(key, weight)| chosen.has(*key, *weight)).collect(), chosen.weight)
    }

    #[test]
    fn the_best_are_chosen_until_the_next_is_too_much() {
        let entries = [(5, 3), (9, 4), (7, 2), (1 << 60, 1), (6, 100)];
        assert_eq!(choose(&entries, 7), (vec![(9, 4), (7, 2), (1 << 60, 1)], 7));
        assert_eq!(choose(&entries, 6), (vec![(9, 4), (1 << 60, 1)], 5));
        assert_eq!(choose(&entries, 0), (vec![], 0));
        assert_eq!(choose(&entries, 1000).0.len(), 5);
        assert_eq!(choose(&[], 3), (vec![], 0));
        assert_eq!(choose(&[(u64::MAX, 2), (u64::MAX, 2), (0, 1)], 3), (vec![], 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_what_sorting_would_choose(
            entries in proptest::collection::vec((prop_oneof![0u64..8, any::<u64>()], 0u64..20), 0..40), limit in 0u64..200,
        ) {
            let mut sorted: Vec<_> = entries.iter().copied().filter(|(_, weight)| *weight <= limit).collect();
            sorted.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
            let (mut total, mut above) = (0, None);
            for same in sorted.chunk_by(|a, b| a.0 == b.0) {
                let weight: u64 = same.iter().map(|(_, weight)| *weight).sum();
                if total + weight > limit {
                    above = Some(same[0].0);
                    break;
                }
                total += weight;
            }
            let (chosen, weight) = choose(&entries, limit);
            prop_assert_eq!(weight, u128::from(total));
            for entry in &entries {
                let is_above = above.is_none_or(|above| entry.0 > above);
                prop_assert_eq!(chosen.contains(entry), entry.1 <= limit && is_above);
            }
        }
    }
}
