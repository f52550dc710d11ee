//! Which words the examples had: a Bloom filter (Bloom 1970), because the weights can not tell. So many features share a
//! bucket that none is without a weight.

use std::borrow::Cow;

/// How many bits the filter has.
const BITS: usize = 1 << 18;
/// How many bytes that is.
pub(super) const BYTES: usize = BITS / 8;

/// A set of words, by their hashes. It may think to know a word that it does not.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Vocabulary(pub(super) Cow<'static, [u8]>);

impl Vocabulary {
    /// Returns the set of these words.
    pub(super) fn of(words: impl Iterator<Item = u64>) -> Vocabulary {
        let mut bytes = vec![0; BYTES];
        for (at, bit) in words.flat_map(places) {
            bytes[at] |= bit;
        }
        Vocabulary(Cow::Owned(bytes))
    }

    /// Returns which share of these words is known; none of none.
    pub(super) fn share(&self, words: &[u64]) -> f64 {
        let known = words.iter().filter(|&&word| places(word).iter().all(|&(at, bit)| self.0[at] & bit != 0));
        if words.is_empty() { 0.0 } else { known.count() as f64 / words.len() as f64 }
    }
}

/// Where the bits of a word are: the byte, and the bit in it.
fn places(word: u64) -> [(usize, u8); 3] {
    [0, 20, 40].map(|shift| {
        let bit = (word >> shift) as usize % BITS;
        (bit / 8, 1 << (bit % 8))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_known_and_little_else() {
        let word = |n: u64| (n ^ 0x55).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n.rotate_left(32);
        let vocabulary = Vocabulary::of((0..20_000).map(word));
        assert!((0..20_000).all(|n| vocabulary.share(&[word(n)]) == 1.0));
        let taken = (20_000..40_000).filter(|&n| vocabulary.share(&[word(n)]) > 0.0).count();
        assert!(taken < 800, "{taken} of 20000 strangers are taken for known");
        assert_eq!(vocabulary.share(&[]), 0.0);
    }
}
