//! The flowchart of seed 000, as questions about one clause, asked in its order:
//!
//! 1. Does it only read? Then: does it need judgement → orchestrate (3); does it only find or read → explore (1);
//!    otherwise → review (2).
//! 2. Does it only run a command? → validate (1)
//! 3. Does it only touch docs or comments? → document (1, or 2 where they need the code to be understood)
//! 4. Is it mechanical? → implement (1)
//! 5. Does it need architectural judgement? → orchestrate (3)
//! 6. Is the approach clear? → implement (2); if not, the same, but less sure of it.
//!
//! The original has no way from "only reads" to tier 3; without one, a review of the whole architecture would be
//! drafted like that of a patch. The answers come from `rubric`.

use crate::clause::{Clause, Mood};
use crate::executor::Executor;
use crate::lexicon::About;
use crate::rubric;

/// Which way the doubt points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lean {
    Down,
    Even,
    Up,
}

/// Why something is so, and how sure that is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Because {
    pub(crate) why: &'static str,
    pub(crate) sure: f64,
    pub(crate) lean: Lean,
}

/// Says why, leaning to neither side.
pub(crate) fn because(sure: f64, why: &'static str) -> Option<Because> {
    Some(Because { why, sure, lean: Lean::Even })
}

/// Says why; if not, then harder.
pub(crate) fn or_harder(sure: f64, why: &'static str) -> Option<Because> {
    Some(Because { why, sure, lean: Lean::Up })
}

/// Says why; if not, then easier.
pub(crate) fn or_easier(sure: f64, why: &'static str) -> Option<Because> {
    Some(Because { why, sure, lean: Lean::Down })
}

/// Where the flowchart ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    /// 1 to 3.
    pub(crate) tier: u8,
    pub(crate) executor: Executor,
    pub(crate) because: Because,
    /// The answers on the way, for a person.
    pub(crate) path: &'static str,
}

/// Follows the flowchart for a clause. `None` if nothing in it says what is wanted.
///
/// `context` is what the whole text is about: clues and complaints often stand in another sentence.
pub(crate) fn follow(clause: &Clause, context: About) -> Option<Leaf> {
    let leaf = |tier, executor, path| move |because| Leaf { tier, executor, because, path };
    if rubric::only_reads(clause) {
        if let Some(because) = rubric::deep_question(clause, context) {
            return Some(leaf(3, Executor::Orchestrate, "it only reads, but needs judgement")(because));
        }
        if let Some(because) = rubric::checks_by_command(clause) {
            return Some(leaf(1, Executor::Validate, "it only runs a command")(because));
        }
        if let Some(because) = rubric::looks_up(clause) {
            return Some(leaf(1, Executor::Explore, "it only finds or reads")(because));
        }
        return rubric::judges(clause, context).map(leaf(2, Executor::Review, "it only reads, and judges"));
    }
    if let Some(because) = rubric::runs_command(clause) {
        return Some(leaf(1, Executor::Validate, "it only runs a command")(because));
    }
    if let Some(because) = rubric::documents_with_insight(clause) {
        return Some(leaf(2, Executor::Document, "it only touches docs, but has to understand the code")(
            because,
        ));
    }
    if let Some(because) = rubric::documents(clause) {
        return Some(leaf(1, Executor::Document, "it only touches docs or comments")(because));
    }
    if let Some(because) = rubric::is_mechanical(clause) {
        return Some(leaf(1, Executor::Implement, "it changes code, mechanically")(because));
    }
    if let Some(because) = rubric::needs_judgement(clause, context) {
        return Some(leaf(3, Executor::Orchestrate, "it changes code and needs architectural judgement")(
            because,
        ));
    }
    let path = "it changes code and the approach is clear";
    let leaf = rubric::is_standard(clause, context).map(leaf(2, Executor::Implement, path))?;
    Some(if clause.mood == Mood::Title || leaf.because.sure < 0.5 {
        Leaf { path: "it changes code, and the approach is not clear", ..leaf }
    } else {
        leaf
    })
}
