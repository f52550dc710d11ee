//! From examples to a model.

use std::borrow::Cow;

use super::corpus::{Example, Label};
use super::vocabulary::Vocabulary;
use super::{HEADS, Head, Model, TURNS};
use crate::executor::Executor;
use crate::features::{self, BUCKETS, Features};
use crate::linear::{self, Options, Weights};
use crate::{reading, words};
use shared::section::Risk;

/// LIBLINEAR's C, chosen by cross-validation over the corpus.
const COST: f64 = 1.0;

/// Log odds that leave no doubt.
const CERTAIN: f64 = 8.0;

/// Returns the features of a text, as they are seen when a task is classified.
pub(crate) fn features_of(text: &str) -> Features {
    let (text, _) = words::within_limits(text);
    features::of(&text, &reading::read(&text))
}

/// Learns all questions from labelled features.
pub(crate) fn fit(examples: &[(&Features, &Example)]) -> Model {
    let learned: Vec<Weights> = {
        use rayon::prelude::*;
        Head::ALL.par_iter().map(|&head| learn(head, examples)).collect()
    };
    let mut model = Model {
        examples: u32::try_from(examples.len()).unwrap_or(u32::MAX),
        biases: [0.0; HEADS],
        scales: [0.0; HEADS],
        weights: Cow::Borrowed(&[]),
        vocabulary: Vocabulary::of(examples.iter().flat_map(|(features, _)| features.words.iter().copied())),
    };
    let mut bytes = vec![0; BUCKETS * HEADS];
    for (at, weights) in learned.iter().enumerate() {
        let largest = weights.buckets.iter().fold(0.0_f64, |largest, weight| largest.max(weight.abs()));
        let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        model.biases[at] = weights.bias as f32;
        model.scales[at] = scale as f32;
        for (bucket, weight) in weights.buckets.iter().enumerate() {
            bytes[bucket * HEADS + at] = ((weight / scale).round() as i8).cast_unsigned();
        }
    }
    model.weights = Cow::Owned(bytes);
    model
}

fn learn(head: Head, examples: &[(&Features, &Example)]) -> Weights {
    let answers: Vec<(&Features, f64, bool)> = examples
        .iter()
        .filter_map(|&(features, example)| Some((features, example.weight, answer(head, &example.label)?)))
        .collect();
    if answers.is_empty() {
        // What nobody has labelled is not found either.
        let bias = if head == Head::Clear { CERTAIN } else { -CERTAIN };
        return Weights { buckets: vec![0.0; BUCKETS], bias };
    }
    let yes = answers.iter().filter(|(.., yes)| *yes).count();
    // What is rare counts more, or it would never be found: the root of how much rarer it is.
    let [rare, common] = [yes.min(answers.len() - yes), yes.max(answers.len() - yes)];
    let balance = if rare == 0 { 1.0 } else { (common as f64 / rare as f64).sqrt() };
    let is_rare = |answer: bool| answer == (yes * 2 < answers.len());
    let examples: Vec<linear::Example> = answers
        .iter()
        .map(|&(features, weight, yes)| {
            let rarity = if matches!(head, Head::Tier(_)) || !is_rare(yes) { 1.0 } else { balance };
            linear::Example { features, yes, weight: weight * rarity }
        })
        .collect();
    linear::fit(&examples, Options { cost: COST, ..Options::default() })
}

/// Returns what the label answers; `None` if it says nothing about it.
fn answer(head: Head, label: &Label) -> Option<bool> {
    match head {
        Head::Tier(tier) => Some(label.tier.number() == tier),
        Head::Medium => label.risk.map(|risk| risk >= Risk::Medium),
        Head::High => label.risk.map(|risk| risk == Risk::High),
        Head::Executor(at) => {
            let executor = Executor::named(label.executor.as_deref()?)?;
            Some(executor == Executor::ALL[usize::from(at)])
        }
        Head::Clear => label.clear,
        Head::Compound => label.compound,
        Head::Turns(at) => label.turns.map(|turns| turns > TURNS[usize::from(at)]),
    }
}
