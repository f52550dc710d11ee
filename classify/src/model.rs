//! The embedded model: what words, letters and structure say about tier, risk, executor, clarity and effort.
//!
//! One linear question for each answer ("is it tier 1?"), all over the same hashed features, in small whole numbers: a
//! weight is a byte, and the bytes of one feature stand side by side, so that a decision is some hundred reads from
//! memory and no loading at the start. `classify train` makes the file from examples; it is built into the program.

pub(crate) mod corpus;
mod file;
mod fit;
pub(crate) mod train;
mod vocabulary;

use std::borrow::Cow;
use std::sync::LazyLock;

use vocabulary::Vocabulary;

use crate::executor::Executor;
use crate::features::Features;

/// What the model is asked, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Is it this tier? 1 to 3.
    Tier(u8),
    /// Is the risk at least medium?
    Medium,
    /// Is the risk high?
    High,
    /// Is it this executor's? By its position in `Executor::ALL`.
    Executor(u8),
    /// Could somebody start now, without asking?
    Clear,
    /// Does it hold more than one job?
    Compound,
    /// Does it take an agent more than so many turns? By its position in `TURNS`.
    Turns(u8),
}

/// The steps of effort that examples are labelled with, in turns of an agent.
pub(crate) const TURNS: [u16; 5] = [1, 3, 8, 20, 50];

/// From this probability on, a text counts as clear. What is rare weighs more in training, so a half is not the middle.
const CLEAR: f64 = 0.7;

/// How many questions there are.
pub(crate) const HEADS: usize = 17;

impl Head {
    pub(crate) const ALL: [Head; HEADS] = [
        Head::Tier(1),
        Head::Tier(2),
        Head::Tier(3),
        Head::Medium,
        Head::High,
        Head::Executor(0),
        Head::Executor(1),
        Head::Executor(2),
        Head::Executor(3),
        Head::Executor(4),
        Head::Executor(5),
        Head::Clear,
        Head::Compound,
        Head::Turns(0),
        Head::Turns(1),
        Head::Turns(2),
        Head::Turns(3),
    ];
}

/// What the model says about a text. All numbers are probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Opinion {
    /// Of tier 1 to 3; together 1.
    pub(crate) tiers: [f64; 3],
    /// Of low, medium and high risk; together 1.
    pub(crate) risks: [f64; 3],
    /// Of each executor, in the order of `Executor::ALL`; together 1.
    pub(crate) executors: [f64; 6],
    pub(crate) clear: f64,
    pub(crate) compound: f64,
    /// Of each step of `TURNS`; together 1.
    pub(crate) turns: [f64; 5],
    /// The share of the words of the title that the examples had.
    pub(crate) known: f64,
}

/// A trained model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    /// How many examples it was trained on.
    examples: u32,
    biases: [f32; HEADS],
    /// What a weight of 1 stands for, for each question.
    scales: [f32; HEADS],
    /// For each bucket, a weight for each question: a signed byte.
    weights: Cow<'static, [u8]>,
    vocabulary: Vocabulary,
}

static BUILT_IN: LazyLock<Model> = LazyLock::new(|| {
    Model::parse(Cow::Borrowed(include_bytes!("../model.bin")))
        .expect("the model that is built in was made by this program")
});

impl Model {
    /// Returns the model that this version came with.
    pub(crate) fn built_in() -> &'static Model {
        &BUILT_IN
    }

    /// Says what it thinks of a text with these features.
    pub(crate) fn opinion(&self, features: &Features) -> Opinion {
        let mut sums = [0.0_f32; HEADS];
        for &(bucket, value) in &features.terms {
            let begin = bucket as usize * HEADS;
            let Some(weights) = self.weights.get(begin..begin + HEADS) else { continue };
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum += value * f32::from(weight.cast_signed());
            }
        }
        let mut odds = [0.0_f64; HEADS];
        for at in 0..HEADS {
            odds[at] = f64::from(sums[at] * self.scales[at] + self.biases[at]);
        }
        Opinion::of(&odds, self.vocabulary.share(&features.words))
    }

    /// Returns the features that say most for a yes, by their positions, and how much in log odds; the strongest first.
    pub(crate) fn strongest<const N: usize>(&self, head: Head, features: &Features) -> [(usize, f64); N] {
        let column = Head::ALL.iter().position(|other| *other == head).unwrap_or(0);
        let mut strongest = [(0, 0.0); N];
        for (at, &(bucket, value)) in features.terms.iter().enumerate() {
            let Some(weight) = self.weights.get(bucket as usize * HEADS + column) else { continue };
            let says = f64::from(value * f32::from(weight.cast_signed()) * self.scales[column]);
            if says > strongest[N - 1].1 {
                let rank = strongest.partition_point(|&(_, other)| other >= says);
                strongest[rank..].rotate_right(1);
                strongest[rank] = (at, says);
            }
        }
        strongest
    }
}

impl Opinion {
    fn of(odds: &[f64; HEADS], known: f64) -> Opinion {
        let yes = |at: usize| crate::linear::sigmoid(odds[at]);
        let medium = yes(3);
        let high = yes(4).min(medium);
        // More than 20 turns are more than 8, too: no later answer may be larger than one before.
        let mut beyond = [1.0; 6];
        for at in 0..4 {
            beyond[at + 1] = yes(13 + at).min(beyond[at]);
        }
        beyond[5] = 0.0;
        let mut turns = [0.0; 5];
        for (at, turn) in turns.iter_mut().enumerate() {
            *turn = beyond[at] - beyond[at + 1];
        }
        Opinion {
            tiers: normalised([yes(0), yes(1), yes(2)]),
            risks: [1.0 - medium, medium - high, high],
            executors: normalised([yes(5), yes(6), yes(7), yes(8), yes(9), yes(10)]),
            clear: yes(11),
            compound: yes(12),
            turns,
            known,
        }
    }

    /// Tells whether somebody could probably start without asking.
    pub(crate) fn reads_clear(&self) -> bool {
        self.clear >= CLEAR
    }

    /// Returns about how many turns one in two such tasks needs at most: the geometric mean of the steps.
    pub(crate) fn usual_turns(&self) -> f64 {
        let steps = self.turns.iter().zip(TURNS);
        libm::exp(steps.map(|(share, turns)| share * libm::log(f64::from(turns))).sum())
    }

    /// Returns the probability that the task is this executor's.
    pub(crate) fn of_executor(&self, executor: Executor) -> f64 {
        self.executors[executor as usize]
    }
}

fn normalised<const N: usize>(shares: [f64; N]) -> [f64; N] {
    let sum: f64 = shares.iter().sum();
    if sum > 0.0 { shares.map(|share| share / sum) } else { [1.0 / N as f64; N] }
}
