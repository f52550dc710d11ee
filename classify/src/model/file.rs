//! The file of a model: a head of fixed size, the vocabulary, then the weights, a byte each. Little-endian.

use std::borrow::Cow;
use std::path::Path;

use shared::Problem;

use super::vocabulary::{self, Vocabulary};
use super::{HEADS, Model};
use crate::features::BUCKETS;

/// What the file begins with; the digit is the version of the form and of the features.
const MAGIC: &[u8; 8] = b"specpip1";
const HEAD: usize = MAGIC.len() + 4 + HEADS * 8;
const WEIGHTS: usize = HEAD + vocabulary::BYTES;

impl Model {
    /// Reads a model from a file.
    ///
    /// # Errors
    /// If the file can not be read, or is no model of this version.
    pub(crate) fn load(path: &Path) -> Result<Model, Problem> {
        let cannot = || Problem::new(format!("cannot read the model `{}`", path.display()));
        let bytes = std::fs::read(path).map_err(|error| cannot().because(error))?;
        Model::parse(Cow::Owned(bytes)).ok_or_else(|| {
            cannot()
                .because("it is none, or of another version")
                .hint("make it again from the examples: classify train --output MODEL EXAMPLES…")
        })
    }

    /// Takes a file apart. `None` if it is no model of this version.
    pub(super) fn parse(bytes: Cow<'static, [u8]>) -> Option<Model> {
        let numbers = bytes.get(..HEAD)?.strip_prefix(MAGIC)?;
        if bytes.len() != WEIGHTS + BUCKETS * HEADS {
            return None;
        }
        let (examples, floats) = numbers.split_first_chunk::<4>()?;
        let mut floats = floats.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four));
        let (mut biases, mut scales) = ([0.0; HEADS], [0.0; HEADS]);
        for (bias, scale) in biases.iter_mut().zip(&mut scales) {
            *bias = floats.next()?;
            *scale = floats.next()?;
        }
        let examples = u32::from_le_bytes(*examples);
        let (words, weights) = match bytes {
            Cow::Borrowed(bytes) => (Cow::Borrowed(&bytes[HEAD..WEIGHTS]), Cow::Borrowed(&bytes[WEIGHTS..])),
            Cow::Owned(mut bytes) => {
                let weights = bytes.split_off(WEIGHTS);
                (Cow::Owned(bytes.split_off(HEAD)), Cow::Owned(weights))
            }
        };
        Some(Model { examples, biases, scales, vocabulary: Vocabulary(words), weights })
    }

    /// Returns the file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(WEIGHTS + self.weights.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.examples.to_le_bytes());
        for (bias, scale) in self.biases.iter().zip(&self.scales) {
            bytes.extend_from_slice(&bias.to_le_bytes());
            bytes.extend_from_slice(&scale.to_le_bytes());
        }
        bytes.extend_from_slice(&self.vocabulary.0);
        bytes.extend_from_slice(&self.weights);
        bytes
    }
}
