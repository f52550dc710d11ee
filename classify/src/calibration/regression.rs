//! Regularised logistic regression, and the two-parameter map from its scores to probabilities.
//!
//! Both are deterministic: a fixed start, a fixed number of steps at most, sums in the order of the rows.

/// A sparse row: columns in ascending order, each with its value.
pub(crate) type Row = Vec<(u32, f32)>;

/// A linear model: its score is the logarithm of the odds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Linear {
    pub(crate) weights: Vec<f64>,
    pub(crate) bias: f64,
}

impl Linear {
    pub(crate) fn score(&self, row: &[(u32, f32)]) -> f64 {
        self.bias + row.iter().map(|(at, value)| self.weights[*at as usize] * f64::from(*value)).sum::<f64>()
    }
}

const STEPS: usize = 300;
/// The largest change of a weight that still counts as one.
const TOLERANCE: f64 = 2e-5;

/// Minimises `strength · Σ log(1 + e^−ys) + |w|²/2` over the rows, where `s` is the score and the bias is free.
///
/// By the accelerated gradient method of Nesterov (1983) with the restarts of O'Donoghue and Candès (2015).
pub(crate) fn fit(rows: &[&Row], labels: &[bool], columns: usize, strength: f64) -> Linear {
    let lambda = 1.0 / (strength * rows.len().max(1) as f64);
    let norm = |row: &&Row| row.iter().map(|(_, value)| f64::from(*value).powi(2)).sum::<f64>() + 1.0;
    let curvature = 0.25 * rows.iter().map(norm).fold(1.0, f64::max) + lambda;
    let start = bias_of(labels);
    let mut now = Linear { weights: vec![0.0; columns], bias: start };
    let mut ahead = now.clone();
    let mut momentum = 1.0f64;
    let mut gradient = vec![0.0; columns];
    for _ in 0..STEPS {
        for (slot, weight) in gradient.iter_mut().zip(&ahead.weights) {
            *slot = lambda * weight;
        }
        let mut bias_gradient = 0.0;
        for (row, label) in rows.iter().zip(labels) {
            let miss = (logistic(ahead.score(row)) - f64::from(u8::from(*label))) / rows.len() as f64;
            bias_gradient += miss;
            for (at, value) in row.iter() {
                gradient[*at as usize] += miss * f64::from(*value);
            }
        }
        let mut next = ahead.clone();
        next.bias -= bias_gradient / curvature;
        for (weight, slope) in next.weights.iter_mut().zip(&gradient) {
            *weight -= slope / curvature;
        }
        // A step against the slope: momentum has carried it too far.
        let turn: f64 = gradient
            .iter()
            .zip(next.weights.iter().zip(&now.weights))
            .map(|(slope, (new, old))| slope * (new - old))
            .sum::<f64>()
            + bias_gradient * (next.bias - now.bias);
        let following =
            if turn > 0.0 { 1.0 } else { f64::midpoint(1.0, (1.0 + 4.0 * momentum * momentum).sqrt()) };
        let carry = if turn > 0.0 { 0.0 } else { (momentum - 1.0) / following };
        let mut change = (next.bias - now.bias).abs();
        for ((lead, new), old) in ahead.weights.iter_mut().zip(&next.weights).zip(&now.weights) {
            *lead = new + carry * (new - old);
            change = change.max((new - old).abs());
        }
        ahead.bias = next.bias + carry * (next.bias - now.bias);
        momentum = following;
        now = next;
        if change < TOLERANCE {
            break;
        }
    }
    now
}

/// The logarithm of the odds among the labels, with half an observation of either kind added.
fn bias_of(labels: &[bool]) -> f64 {
    let yes = labels.iter().filter(|label| **label).count() as f64;
    ((yes + 0.5) / (labels.len() as f64 - yes + 0.5)).ln()
}

/// The logistic function.
pub(crate) fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// A map from a score to a probability: `logistic(slope · score + offset)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Platt {
    pub(crate) slope: f64,
    pub(crate) offset: f64,
}

impl Platt {
    /// Fits the map to scores of tasks that the model has not seen (Platt 1999, with his smoothed targets, solved by
    /// Newton's method as Lin, Lin and Weng 2007 advise).
    pub(crate) fn fit(scores: &[f64], labels: &[bool]) -> Platt {
        let yes = labels.iter().filter(|label| **label).count() as f64;
        let no = labels.len() as f64 - yes;
        let target = |label: bool| if label { (yes + 1.0) / (yes + 2.0) } else { 1.0 / (no + 2.0) };
        let loss = |platt: Platt| -> f64 {
            scores
                .iter()
                .zip(labels)
                .map(|(score, label)| {
                    let z = platt.slope * score + platt.offset;
                    softplus(z) - target(*label) * z
                })
                .sum()
        };
        let mut best = Platt { slope: 0.0, offset: ((yes + 1.0) / (no + 1.0)).ln() };
        let mut least = loss(best);
        for _ in 0..100 {
            let (mut gs, mut go, mut ss, mut so, mut oo) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
            for (score, label) in scores.iter().zip(labels) {
                let p = logistic(best.slope * score + best.offset);
                let (miss, weight) = (p - target(*label), p * (1.0 - p));
                gs += miss * score;
                go += miss;
                ss += weight * score * score;
                so += weight * score;
                oo += weight;
            }
            let determinant = ss * oo - so * so;
            if determinant <= 0.0 || gs.abs().max(go.abs()) < 1e-9 {
                break;
            }
            let step =
                Platt { slope: (oo * gs - so * go) / determinant, offset: (ss * go - so * gs) / determinant };
            let mut size = 1.0;
            let better = loop {
                let tried =
                    Platt { slope: best.slope - size * step.slope, offset: best.offset - size * step.offset };
                let found = loss(tried);
                if found < least {
                    break Some((tried, found));
                }
                size /= 2.0;
                if size < 1e-10 {
                    break None;
                }
            };
            let Some((tried, found)) = better else { break };
            (best, least) = (tried, found);
        }
        best
    }

    pub(crate) fn probability(self, score: f64) -> f64 {
        logistic(self.slope * score + self.offset)
    }
}

fn softplus(z: f64) -> f64 {
    if z > 0.0 { z + (-z).exp().ln_1p() } else { z.exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_the_classes_apart_gets_the_weight() {
        let rows: Vec<Row> =
            (0..40u8).map(|i| vec![(u32::from(i % 2), 1.0), (2, f32::from(i % 5) / 5.0)]).collect();
        let labels: Vec<bool> = (0..40).map(|i| i % 2 == 1).collect();
        let model = fit(&rows.iter().collect::<Vec<_>>(), &labels, 3, 1.0);
        assert!(
            model.weights[1] > 1.0 && model.weights[0] < -1.0 && model.weights[2].abs() < 0.2,
            "{model:?}"
        );
        assert!((model.weights[0] + model.weights[1]).abs() < 1e-3 && model.bias.abs() < 0.1);
        // Less strength is more reserve.
        let reserved = fit(&rows.iter().collect::<Vec<_>>(), &labels, 3, 0.01);
        assert!(reserved.weights[1] < model.weights[1] / 3.0);
    }

    #[test]
    fn the_minimum_is_one() {
        // One column, value 1 for both classes in equal number: the gradient w + C·Σ(p − y) is 0 at w = 0.
        let rows: Vec<Row> = vec![vec![(0, 1.0)], vec![(0, 1.0)], vec![], vec![]];
        let model = fit(&rows.iter().collect::<Vec<_>>(), &[true, true, false, false], 1, 1.0);
        // w = C·Σ y(1−p) over the rows with the column, p = logistic(w + b), and Σ(p − y) = 0.
        let p = logistic(model.weights[0] + model.bias);
        let q = logistic(model.bias);
        assert!((model.weights[0] - 2.0 * (1.0 - p)).abs() < 1e-3, "{model:?}");
        assert!((2.0 * p + 2.0 * q - 2.0).abs() < 1e-3, "{model:?}");
    }

    #[test]
    fn scores_become_the_shares_that_were_seen() {
        // Of the scores at 1, three of four are true; of those at −1, one of four.
        let scores: Vec<f64> = (0..400).map(|i| if i < 200 { 1.0 } else { -1.0 }).collect();
        let labels: Vec<bool> = (0..400).map(|i| if i < 200 { i % 4 != 0 } else { i % 4 == 0 }).collect();
        let platt = Platt::fit(&scores, &labels);
        assert!((platt.probability(1.0) - 0.75).abs() < 0.01, "{platt:?}");
        assert!((platt.probability(-1.0) - 0.25).abs() < 0.01, "{platt:?}");
        // A score that tells nothing is told so.
        let useless = Platt::fit(&[0.3; 100], &[true; 100].map(|_| true));
        assert!(useless.probability(0.3) > 0.95);
    }
}
