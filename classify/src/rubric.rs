//! The rubric of seed 000: its categories of the three tiers, as answers to the questions of the flowchart.
//!
//! Each answer is a reason with a weight. The weights are judgements of how often such a sentence means what it
//! seems to mean, no measured frequencies.

mod chores;
mod commands;
mod docs;
mod judgement;
mod reads;
mod standard;

use crate::clause::Clause;
use crate::lexicon::{About, same};

pub(crate) use chores::is_mechanical;
pub(crate) use commands::runs_command;
pub(crate) use docs::{documents, documents_with_insight};
pub(crate) use judgement::needs_judgement;
pub(crate) use reads::{checks_by_command, deep_question, judges, looks_up, only_reads};
pub(crate) use standard::is_standard;

const VISIBLE: About = About::INTERFACE;
/// Things that code consists of and that are added one at a time.
const PIECE: About = About::CODE.or(About::INTERFACE).or(About::FIELD).or(About::FEATURE);

fn verb_is(clause: &Clause, words: &[&str]) -> bool {
    words.iter().any(|word| same(clause.verb, word))
}
