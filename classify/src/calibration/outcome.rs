//! The outcome model: how probable is it that a draft of a tier will be rejected, by the text of the task.
//!
//! A regularised logistic regression over what `text` sees: counts on a logarithmic scale, rare terms weighing more
//! (tf–idf with the frequencies of the calibration records), each group of terms brought to the same length, and the
//! measurements in units of their spread. How much is regularised is chosen by cross-validation, and the scores of
//! the left-out parts are what probabilities are made from, so that no task vouches for itself.

use std::collections::HashMap;

use rayon::prelude::*;

use super::regression::{Linear, Platt, Row, fit};
use super::text::{MEASURES, Seen, see};

/// Fewer examples than this, or of either kind, teach nothing.
pub(crate) const MIN_EXAMPLES: usize = 40;
const MIN_OF_A_KIND: usize = 8;
/// The parts that are left out in turn to choose the regularisation.
const FOLDS: usize = 5;
/// The parts that are left out in turn to see what the scores are worth.
const FINE_FOLDS: usize = 20;
/// What one unit of spread of a measurement weighs beside a whole group of terms.
const MEASURE_SCALE: f64 = 0.15;
/// Measurements further out than this many spreads are taken as this far.
const FAR: f64 = 3.0;
/// The terms kept at most: those in the most tasks.
const VOCABULARY: usize = 1 << 15;
/// From much regularisation to little: how much one observation counts against the size of the weights.
const STRENGTHS: [f64; 5] = [0.03, 0.1, 0.3, 1.0, 3.0];

/// A task and what became of its draft.
pub(crate) struct Example {
    pub(crate) seen: Seen,
    pub(crate) rejected: bool,
    /// The same for the same text: such tasks must be left out together.
    pub(crate) text: u64,
}

impl Example {
    pub(crate) fn of(text: &str, rejected: bool) -> Example {
        let hash = blake3::hash(text.as_bytes());
        let number = u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]));
        Example { seen: see(text), rejected, text: number }
    }
}

/// How texts become rows: which terms count, how rare they are, where the measurements lie.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scale {
    /// Hashes in ascending order.
    pub(crate) terms: Vec<u32>,
    /// How much each weighs: the more, the fewer tasks have it.
    pub(crate) rarity: Vec<f32>,
    pub(crate) mean: [f64; MEASURES],
    pub(crate) spread: [f64; MEASURES],
}

/// A model that was learned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) scale: Scale,
    /// One weight for each term, then one for each measurement.
    pub(crate) linear: Linear,
    pub(crate) platt: Platt,
}

/// A model and how it came about.
pub(crate) struct Trained {
    pub(crate) model: Model,
    /// For each example, the probability of acceptance by a model that has not seen it.
    pub(crate) left_out: Vec<f64>,
    pub(crate) strength: f64,
}

impl Scale {
    fn of(seen: &[&Seen]) -> Scale {
        let n = seen.len() as f64;
        let mut found: HashMap<u32, (u32, bool)> = HashMap::new();
        for one in seen {
            let terms =
                one.tokens.iter().map(|t| (t.0, false)).chain(one.letters.iter().map(|t| (t.0, true)));
            for (hash, is_letters) in terms {
                found.entry(hash).or_insert((0, is_letters)).0 += 1;
            }
        }
        // What only one task has says nothing about others; of letters there are many more by chance.
        let mut kept: Vec<(u32, u32)> = found
            .into_iter()
            .filter(|(_, (tasks, is_letters))| *tasks >= if *is_letters { 3 } else { 2 })
            .map(|(hash, (tasks, _))| (hash, tasks))
            .collect();
        if kept.len() > VOCABULARY {
            kept.sort_unstable_by_key(|(hash, tasks)| (std::cmp::Reverse(*tasks), *hash));
            kept.truncate(VOCABULARY);
        }
        kept.sort_unstable();
        let mut mean = [0.0; MEASURES];
        let mut spread = [0.0; MEASURES];
        for at in 0..MEASURES {
            let values = || seen.iter().map(|one| one.measures[at]);
            mean[at] = values().sum::<f64>() / n;
            let variance = values().map(|value| (value - mean[at]).powi(2)).sum::<f64>() / n;
            spread[at] = variance.sqrt();
        }
        Scale {
            terms: kept.iter().map(|(hash, _)| *hash).collect(),
            rarity: kept
                .iter()
                .map(|(_, tasks)| (((1.0 + n) / (1.0 + f64::from(*tasks))).ln() + 1.0) as f32)
                .collect(),
            mean,
            spread,
        }
    }

    fn columns(&self) -> usize {
        self.terms.len() + MEASURES
    }

    fn row(&self, seen: &Seen) -> Row {
        let mut row = Vec::with_capacity(seen.tokens.len() + seen.letters.len() + MEASURES);
        for group in [&seen.tokens, &seen.letters] {
            let begin = row.len();
            let mut at = 0;
            for (hash, count) in group {
                // Both are in ascending order, so the search goes on where it was.
                at += self.terms[at..].partition_point(|term| term < hash);
                if self.terms.get(at) == Some(hash) {
                    row.push((at as u32, (1.0 + (*count as f32).ln()) * self.rarity[at]));
                }
            }
            let length = row[begin..].iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
            row[begin..].iter_mut().for_each(|(_, value)| *value /= length);
        }
        for at in 0..MEASURES {
            if self.spread[at] > 1e-9 {
                let away = ((seen.measures[at] - self.mean[at]) / self.spread[at]).clamp(-FAR, FAR);
                row.push(((self.terms.len() + at) as u32, (away * MEASURE_SCALE) as f32));
            }
        }
        row
    }
}

impl Model {
    /// Returns the probability that a draft of the task is accepted, to six places.
    pub(crate) fn acceptance(&self, seen: &Seen) -> f64 {
        rounded(1.0 - self.platt.probability(self.linear.score(&self.scale.row(seen))))
    }
}

/// Six places: enough to tell tasks apart, and the same when written and read again.
fn rounded(probability: f64) -> f64 {
    (probability * 1e6).round() / 1e6
}

/// Returns, for each example, the probability of acceptance by a model of the others.
pub(crate) fn left_out(examples: &[Example]) -> Option<Vec<f64>> {
    train(examples).map(|trained| trained.left_out)
}

/// Learns from examples. `None` if they are too few, or if the text tells nothing about what becomes of a draft.
///
/// The order of the examples changes nothing but the order of `left_out`.
pub(crate) fn train(examples: &[Example]) -> Option<Trained> {
    let rejected = examples.iter().filter(|example| example.rejected).count();
    if examples.len() < MIN_EXAMPLES || rejected.min(examples.len() - rejected) < MIN_OF_A_KIND {
        return None;
    }
    let mut order: Vec<usize> = (0..examples.len()).collect();
    order.sort_by_key(|at| (examples[*at].text, examples[*at].rejected));
    let scores = cross_validated(examples, &order, FOLDS, &STRENGTHS);
    let labels: Vec<bool> = order.iter().map(|at| examples[*at].rejected).collect();
    let loss = |platt: Platt, scores: &[f64]| -> f64 {
        let of = |(score, label): (&f64, &bool)| {
            let p = platt.probability(*score).clamp(1e-9, 1.0 - 1e-9);
            -if *label { p.ln() } else { (1.0 - p).ln() }
        };
        scores.iter().zip(&labels).map(of).sum::<f64>() / labels.len() as f64
    };
    let (best, least) = STRENGTHS
        .iter()
        .zip(&scores)
        .map(|(strength, scores)| (*strength, loss(Platt::fit(scores, &labels), scores)))
        .reduce(|best, next| if next.1 < best.1 - 1e-9 { next } else { best })?;
    let share = rejected as f64 / labels.len() as f64;
    let ignorant = -(share * share.ln() + (1.0 - share) * (1.0 - share).ln());
    if least >= ignorant {
        return None;
    }
    // Models that were learned without a twentieth are nearly the one that is learned from all, so their scores are
    // what its scores of new tasks will be like.
    let scores = cross_validated(examples, &order, FINE_FOLDS, &[best]).swap_remove(0);
    let platt = Platt::fit(&scores, &labels);
    if platt.slope <= 0.0 {
        return None;
    }
    let mut left_out = vec![0.0; examples.len()];
    for (at, score) in order.iter().zip(&scores) {
        left_out[*at] = rounded(1.0 - platt.probability(*score));
    }
    let seen: Vec<&Seen> = order.iter().map(|at| &examples[*at].seen).collect();
    let scale = Scale::of(&seen);
    let rows: Vec<Row> = seen.iter().map(|seen| scale.row(seen)).collect();
    let linear = fit(&rows.iter().collect::<Vec<_>>(), &labels, scale.columns(), best);
    Some(Trained { model: Model { scale, linear, platt }, left_out, strength: best })
}

/// Returns the fold of each example, in the order given: the same for the same text, and rejections spread evenly.
fn folds(examples: &[Example], order: &[usize], count: usize) -> Vec<usize> {
    let mut texts: Vec<(bool, u64)> = Vec::new();
    for at in order {
        let Example { text, rejected, .. } = &examples[*at];
        match texts.last_mut() {
            Some(last) if last.1 == *text => last.0 |= rejected,
            _ => texts.push((*rejected, *text)),
        }
    }
    texts.sort_unstable();
    let fold: HashMap<u64, usize> =
        texts.iter().enumerate().map(|(at, (_, text))| (*text, at % count)).collect();
    order.iter().map(|at| fold[&examples[*at].text]).collect()
}

/// Returns, for each strength, the score of each example by a model that was learned without its fold.
fn cross_validated(examples: &[Example], order: &[usize], count: usize, strengths: &[f64]) -> Vec<Vec<f64>> {
    let folds = folds(examples, order, count);
    let of_fold = |left_out: usize| -> Vec<(usize, Vec<f64>)> {
        let (mut learned, mut labels, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for (place, at) in order.iter().enumerate() {
            if folds[place] == left_out {
                asked.push(place);
            } else {
                learned.push(&examples[*at].seen);
                labels.push(examples[*at].rejected);
            }
        }
        let scale = Scale::of(&learned);
        let rows: Vec<Row> = learned.iter().map(|seen| scale.row(seen)).collect();
        let rows: Vec<&Row> = rows.iter().collect();
        let models: Vec<Linear> =
            strengths.iter().map(|strength| fit(&rows, &labels, scale.columns(), *strength)).collect();
        let score = |place: &usize| {
            let row = scale.row(&examples[order[*place]].seen);
            (*place, models.iter().map(|model| model.score(&row)).collect())
        };
        asked.iter().map(score).collect()
    };
    let done: Vec<_> = (0..count).into_par_iter().flat_map_iter(of_fold).collect();
    let mut scores = vec![vec![0.0; order.len()]; strengths.len()];
    for (place, by_strength) in done {
        for (which, score) in by_strength.into_iter().enumerate() {
            scores[which][place] = score;
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::super::text::see;
    use super::*;

    /// Tasks that fail if they speak of a race, but for every eighth.
    fn examples(n: u64) -> Vec<Example> {
        (0..n)
            .map(|i| {
                let hard = i % 3 == 0;
                let text = format!(
                    "{} in module {} of part {}",
                    if hard { "find the race condition" } else { "rename the field" },
                    i * 7919 % 97,
                    i % 11
                );
                Example {
                    seen: see(&text),
                    rejected: hard != (i % 8 == 0),
                    text: i * 2_654_435_761 % 1_000_003,
                }
            })
            .collect()
    }

    #[test]
    fn what_fails_is_learned_and_the_probabilities_are_near_the_shares() {
        let examples = examples(240);
        let trained = train(&examples).unwrap();
        let mean = |hard: bool| {
            let of_kind = (0..240usize).filter(|i| (i % 3 == 0) == hard);
            let left_out: Vec<f64> = of_kind.map(|i| trained.left_out[i]).collect();
            left_out.iter().sum::<f64>() / left_out.len() as f64
        };
        // Of the hard ones one in eight was accepted, of the others seven in eight.
        assert!((mean(true) - 0.125).abs() < 0.06, "{}", mean(true));
        assert!((mean(false) - 0.875).abs() < 0.06, "{}", mean(false));
        let unseen = |text| trained.model.acceptance(&see(text));
        assert!(unseen("find the race condition in the pool") + 0.3 < unseen("rename the field in the pool"));
    }

    #[test]
    fn the_order_of_the_examples_does_not_matter() {
        let forward = train(&examples(120)).unwrap();
        let mut reversed = examples(120);
        reversed.reverse();
        let backward = train(&reversed).unwrap();
        assert_eq!(forward.model, backward.model);
        assert!(forward.left_out.iter().eq(backward.left_out.iter().rev()));
    }

    #[test]
    fn too_few_examples_teach_nothing_and_neither_does_noise() {
        assert!(train(&examples(30)).is_none());
        let all_well: Vec<_> = examples(100).into_iter().map(|e| Example { rejected: false, ..e }).collect();
        assert!(train(&all_well).is_none());
        let same = see("the very same");
        let noise = (0..200u64).map(|i| Example { seen: same.clone(), rejected: i % 2 == 0, text: i });
        assert!(train(&noise.collect::<Vec<_>>()).is_none());
    }

    #[test]
    fn the_same_text_is_left_out_together() {
        let mut twice = examples(60);
        twice.extend(examples(60));
        let order: Vec<usize> = (0..120).collect();
        let mut sorted = order.clone();
        sorted.sort_by_key(|at| twice[*at].text);
        let folds = folds(&twice, &sorted, FOLDS);
        for pair in sorted
            .iter()
            .zip(&folds)
            .collect::<Vec<_>>()
            .chunk_by(|a, b| twice[*a.0].text == twice[*b.0].text)
        {
            assert!(pair.iter().all(|(_, fold)| *fold == pair[0].1));
        }
    }
}
