//! The calibration as it stands in `.specpipe/`: what `classify calibrate` writes and `classify` loads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use shared::Problem;

use super::counts::{Counts, Shift, Zone};
use super::outcome::{Model, Scale};
use super::regression::{Linear, Platt};
use super::text::MEASURES;

/// The name of the file in the state directory.
pub(crate) const NAME: &str = "calibration.json";
/// The version of the form. What is seen of a text is part of it.
const VERSION: u32 = 1;

/// A calibration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) version: u32,
    /// When it was written, RFC 3339.
    pub(crate) made_at: String,
    /// The time of the newest evidence, which all other evidence is older than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) as_of: Option<String>,
    /// After so many days evidence weighs half.
    pub(crate) half_life_days: f64,
    /// Fewer verdicts than this move nothing.
    pub(crate) min_evidence: f64,
    /// How many tasks with a verdict it was learned from.
    pub(crate) tasks: u64,
    pub(crate) delegation: Share,
    pub(crate) tiers: BTreeMap<u8, Tier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) promise: Option<Promise>,
}

/// A share with its 95 % Wilson interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) share: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) n: f64,
}

/// What is known of a tier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tier {
    #[serde(flatten)]
    pub(crate) cell: Cell,
    /// By signature, such as `implement/fix`.
    pub(crate) signatures: BTreeMap<String, Cell>,
    pub(crate) effort: Effort,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<StoredModel>,
}

/// Counts and what follows from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cell {
    /// Weighted by age.
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// How many verdicts, whatever their age.
    pub(crate) n: u64,
    /// The mean of the posterior, shrunk to the level above.
    pub(crate) acceptance: f64,
    pub(crate) rejection: Rejection,
    pub(crate) zone: Zone,
    pub(crate) shift: Shift,
}

/// The share of rejections with two intervals of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rejection {
    pub(crate) share: f64,
    pub(crate) wilson: [f64; 2],
    pub(crate) exact: [f64; 2],
}

/// What attempts at a tier took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Effort {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) turns: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_tokens: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost_usd: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) elapsed_ms: Option<Quantiles>,
}

/// The median, and the interval that holds the middle 80 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) p10: f64,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) n: u64,
}

impl Quantiles {
    /// Returns the quantiles of weighted values: the smallest value that has so much weight at or below it.
    pub(crate) fn of(mut values: Vec<(f64, f64)>) -> Option<Quantiles> {
        values.retain(|(value, weight)| value.is_finite() && *weight > 0.0);
        values.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let total: f64 = values.iter().map(|(_, weight)| weight).sum();
        let at = |share: f64| {
            let mut below = 0.0;
            let reached = values.iter().find(|(_, weight)| {
                below += weight;
                below >= share * total - 1e-9
            });
            reached.or(values.last()).map(|(value, _)| *value)
        };
        Some(Quantiles { p10: at(0.1)?, p50: at(0.5)?, p90: at(0.9)?, n: values.len() as u64 })
    }
}

/// A promise, kept or refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Promise {
    pub(crate) tier: u8,
    pub(crate) max_bad_accept: f64,
    pub(crate) confidence: f64,
    /// Tasks that score at least this are delegated; absent: none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) threshold: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bound: Option<f64>,
    pub(crate) n: u64,
    /// How many records are missing, if there were too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<u64>,
    /// The share of the evidence that scores high enough.
    #[serde(default)]
    pub(crate) delegated: f64,
    pub(crate) made_at: String,
}

/// A model, its tables in base64: they are for reading by a program, and have to be read in no time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredModel {
    pub(crate) n: u64,
    pub(crate) rejected: u64,
    /// The area under the ROC curve on tasks left out of learning.
    pub(crate) auroc: f64,
    /// How much one observation counts against the size of the weights (the inverse of the regularisation).
    pub(crate) strength: f64,
    slope: f64,
    offset: f64,
    bias: f64,
    mean: [f64; MEASURES],
    spread: [f64; MEASURES],
    measures: [f64; MEASURES],
    /// For each term twelve bytes, little end first: hash, rarity, weight.
    terms: String,
}

impl StoredModel {
    pub(crate) fn new(model: &Model, n: u64, rejected: u64, auroc: f64, strength: f64) -> StoredModel {
        let count = model.scale.terms.len();
        let mut bytes = Vec::with_capacity(count * 12);
        for ((hash, rarity), weight) in
            model.scale.terms.iter().zip(&model.scale.rarity).zip(&model.linear.weights)
        {
            bytes.extend(hash.to_le_bytes());
            bytes.extend(rarity.to_le_bytes());
            bytes.extend((*weight as f32).to_le_bytes());
        }
        StoredModel {
            n,
            rejected,
            auroc,
            strength,
            slope: model.platt.slope,
            offset: model.platt.offset,
            bias: model.linear.bias,
            mean: model.scale.mean,
            spread: model.scale.spread,
            measures: std::array::from_fn(|at| model.linear.weights[count + at]),
            terms: BASE64.encode(bytes),
        }
    }

    pub(crate) fn model(&self) -> Result<Model, Problem> {
        let damaged = || Problem::new("the table of the outcome model is damaged");
        let bytes = BASE64.decode(&self.terms).map_err(|error| damaged().because(error))?;
        if bytes.len() % 12 != 0 {
            return Err(damaged());
        }
        let count = bytes.len() / 12;
        let mut scale = Scale {
            terms: Vec::with_capacity(count),
            rarity: Vec::with_capacity(count),
            mean: self.mean,
            spread: self.spread,
        };
        let mut weights = Vec::with_capacity(count + MEASURES);
        for entry in bytes.chunks_exact(12) {
            let word = |at: usize| [entry[at], entry[at + 1], entry[at + 2], entry[at + 3]];
            scale.terms.push(u32::from_le_bytes(word(0)));
            scale.rarity.push(f32::from_le_bytes(word(4)));
            weights.push(f64::from(f32::from_le_bytes(word(8))));
        }
        if !scale.terms.is_sorted() {
            return Err(damaged());
        }
        weights.extend(self.measures);
        let linear = Linear { weights, bias: self.bias };
        Ok(Model { scale, linear, platt: Platt { slope: self.slope, offset: self.offset } })
    }
}

impl File {
    pub(crate) const VERSION: u32 = VERSION;

    /// Reads a calibration.
    ///
    /// # Errors
    /// If it is not there, or is none that this version understands.
    pub(crate) fn read(path: &Path) -> Result<File, Problem> {
        let cannot = || {
            Problem::new(format!("cannot use the calibration `{}`", path.display()))
                .hint("`classify calibrate` writes it anew; `--calibration off` does without")
        };
        let text = std::fs::read_to_string(path).map_err(|error| cannot().because(error))?;
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let version: Version = serde_json::from_str(&text).map_err(|error| cannot().because(error))?;
        if version.version != VERSION {
            let cause = format!("it is of version {}, and this is version {VERSION}", version.version);
            return Err(cannot().because(cause));
        }
        serde_json::from_str(&text).map_err(|error| cannot().because(error))
    }

    /// Writes it as a whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Problem> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Problem::new("cannot write the calibration").because(error))?;
        replace(path, (text + "\n").as_bytes())
    }
}

/// Writes a file beside its place and moves it there, so that nobody reads half of it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(name);
    std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path)).map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        Problem::new(format!("cannot write `{}`", path.display())).because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_there() {
        let quantiles = Quantiles::of((1..=10).map(|value| (f64::from(value), 1.0)).collect()).unwrap();
        assert_eq!((quantiles.p10, quantiles.p50, quantiles.p90, quantiles.n), (1.0, 5.0, 9.0, 10));
        // What is old weighs less: the one at 100 has nine tenths of the weight.
        let weighted = Quantiles::of(vec![(1.0, 1.0), (100.0, 9.0)]).unwrap();
        assert_eq!((weighted.p10, weighted.p50), (1.0, 100.0));
        assert!(Quantiles::of(vec![]).is_none() && Quantiles::of(vec![(f64::NAN, 1.0)]).is_none());
    }

    #[test]
    fn a_model_that_is_written_and_read_is_nearly_the_same() {
        let scale = Scale {
            terms: vec![3, 7_000_000, u32::MAX],
            rarity: vec![1.0, 2.5, 3.25],
            mean: [0.5; MEASURES],
            spread: [1.0; MEASURES],
        };
        let mut weights = vec![0.5, -0.25, 1.0];
        weights.extend([0.125; MEASURES]);
        let linear = Linear { weights, bias: -0.75 };
        let model = Model { scale, linear, platt: Platt { slope: 1.1, offset: 0.2 } };
        let stored = StoredModel::new(&model, 100, 20, 0.7, 1.0);
        assert_eq!(stored.model().unwrap(), model);
        let broken = StoredModel { terms: "AAAA".to_owned(), ..stored };
        assert!(broken.model().is_err());
    }
}
