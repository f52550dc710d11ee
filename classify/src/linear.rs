//! Logistic regression over sparse features, the same on every machine and in every run.
//!
//! Trained by coordinate descent on the dual (Yu, Huang and Lin 2011, "Dual coordinate descent methods for logistic
//! regression and maximum entropy models", algorithm 5), with an L2 penalty. The logarithms come from `libm`, which is Rust all
//! through, because those of the system differ in the last bit from one C library to the next.

use crate::features::{BUCKETS, Features};

/// How hard to learn, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// The cost of an example that is not understood, against the size of the weights (LIBLINEAR's C).
    pub(crate) cost: f64,
    /// The most rounds over all examples.
    pub(crate) rounds: usize,
    /// Stop when no step of a round was larger than this.
    pub(crate) tolerance: f64,
}

impl Default for Options {
    fn default() -> Self {
        Options { cost: 1.0, rounds: 60, tolerance: 0.01 }
    }
}

/// An example: its features, whether the answer is yes, and how much it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Example<'f> {
    pub(crate) features: &'f Features,
    pub(crate) yes: bool,
    pub(crate) weight: f64,
}

/// A yes-or-no question, learned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    /// One for each bucket.
    pub(crate) buckets: Vec<f64>,
    pub(crate) bias: f64,
}

impl Weights {
    /// Returns the log odds of yes.
    pub(crate) fn log_odds(&self, features: &Features) -> f64 {
        let sum: f64 =
            features.terms.iter().map(|&(at, value)| self.buckets[at as usize] * f64::from(value)).sum();
        sum + self.bias
    }
}

/// Returns the probability of yes for its log odds.
pub(crate) fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

/// Learns the answer from examples. Without examples of both answers, the bias says what is known.
pub(crate) fn fit(examples: &[Example], options: Options) -> Weights {
    let mut weights = Weights { buckets: vec![0.0; BUCKETS], bias: 0.0 };
    let norms: Vec<f64> = examples.iter().map(|example| squared_norm(example.features) + 1.0).collect();
    let most = |example: &Example| options.cost * example.weight;
    // The dual variables: how much each example pulls, and what is left of its most.
    let start = |example: &Example| (most(example) * 0.001).min(1e-8);
    let mut pulls: Vec<f64> = examples.iter().map(start).collect();
    for (example, pull) in examples.iter().zip(&pulls) {
        add(&mut weights, example, *pull);
    }
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut dice = Dice(0x5eed);
    for _ in 0..options.rounds {
        dice.shuffle(&mut order);
        let mut largest = 0.0_f64;
        for &at in &order {
            let example = &examples[at];
            let most = most(example);
            if most <= 0.0 {
                continue;
            }
            let sign = if example.yes { 1.0 } else { -1.0 };
            let margin = sign * weights.log_odds(example.features);
            let before = pulls[at];
            let after = best_pull(before, most, norms[at], margin);
            add(&mut weights, example, after - before);
            pulls[at] = after;
            largest = largest.max((after - before).abs() / most);
        }
        if largest < options.tolerance {
            break;
        }
    }
    weights
}

/// Minimises the dual along one coordinate by Newton's method, kept inside of (0, most).
fn best_pull(before: f64, most: f64, norm: f64, margin: f64) -> f64 {
    // The smaller of `z` and `most - z` is the variable, so that its logarithm keeps its digits.
    let flips = 0.5 * norm * (most - 2.0 * before) + margin < 0.0;
    let (start, sign) = if flips { (most - before, -1.0) } else { (before, 1.0) };
    let mut z = start;
    if most - z < 0.5 * most {
        z *= 0.1;
    }
    let slope = |z: f64| norm * (z - start) + sign * margin + libm::log(z / (most - z));
    for _ in 0..40 {
        let gradient = slope(z);
        if gradient.abs() < 1e-7 {
            break;
        }
        let curve = norm + most / (most - z) / z;
        let next = z - gradient / curve;
        z = if next <= 0.0 { z * 0.1 } else { next.min(most * (1.0 - 1e-12)) };
    }
    if flips { most - z } else { z }
}

fn add(weights: &mut Weights, example: &Example, pull: f64) {
    let pull = if example.yes { pull } else { -pull };
    for &(at, value) in &example.features.terms {
        weights.buckets[at as usize] += pull * f64::from(value);
    }
    weights.bias += pull;
}

fn squared_norm(features: &Features) -> f64 {
    features.terms.iter().map(|&(_, value)| f64::from(value) * f64::from(value)).sum()
}

/// Numbers that look like chance and are always the same (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        usize::try_from((u128::from(bits) * end as u128) >> 64).unwrap_or(0)
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for at in (1..order.len()).rev() {
            order.swap(at, self.below(at + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(terms: &[(u32, f32)]) -> Features {
        let mut features = Features::default();
        features.terms = terms.to_vec();
        features
    }

    #[test]
    fn one_feature_reaches_the_optimum_that_its_equation_has() {
        // Two examples, x = 1, one yes and one no at x = 0 with the bias: solved by hand through the conditions
        // w = C (1 - s(w + b)), b = C (1 - s(w + b)) - C s(b) for s the sigmoid.
        let (yes, no) = (example(&[(3, 1.0)]), example(&[]));
        let examples = [
            Example { features: &yes, yes: true, weight: 1.0 },
            Example { features: &no, yes: false, weight: 1.0 },
        ];
        let weights = fit(&examples, Options { cost: 2.0, rounds: 500, tolerance: 1e-9 });
        let (w, b) = (weights.buckets[3], weights.bias);
        assert!((w - 2.0 * (1.0 - sigmoid(w + b))).abs() < 1e-4, "{w} {b}");
        assert!((b - (2.0 * (1.0 - sigmoid(w + b)) - 2.0 * sigmoid(b))).abs() < 1e-4, "{w} {b}");
        assert!(w > 0.5 && b < 0.0, "{w} {b}");
    }

    #[test]
    fn what_counts_twice_is_the_same_as_what_is_there_twice() {
        let (yes, no) = (example(&[(1, 1.0), (2, 0.5)]), example(&[(2, 1.0)]));
        let one = |features, yes, weight| Example { features, yes, weight };
        let options = Options { cost: 1.0, rounds: 500, tolerance: 1e-9 };
        let twice = fit(&[one(&yes, true, 1.0), one(&yes, true, 1.0), one(&no, false, 1.0)], options);
        let heavy = fit(&[one(&yes, true, 2.0), one(&no, false, 1.0)], options);
        assert!((twice.buckets[1] - heavy.buckets[1]).abs() < 1e-4);
        assert!((twice.bias - heavy.bias).abs() < 1e-4);
    }

    #[test]
    fn nothing_to_learn_from_is_no_opinion() {
        assert_eq!(fit(&[], Options::default()).log_odds(&example(&[(1, 1.0)])), 0.0);
    }
}
