//! Standard engineering (tier 2).

use super::PIECE;
use crate::clause::{Clause, Mood};
use crate::flowchart::{Because, because, or_easier, or_harder};
use crate::lexicon::{About, Act};

/// Flowchart, question 6: standard engineering, tier 2.
pub(crate) fn is_standard(clause: &Clause, context: About) -> Option<Because> {
    let (about, object) = (clause.about, clause.object);
    if let Some(act) = clause.act {
        return match act {
            Act::Add if object.any(About::TESTS) => {
                because(0.85, "tests that need the logic to be understood")
            }
            Act::Fix if clause.lacks_object => or_harder(0.45, "it is not said what is to be fixed"),
            Act::Fix if about.any(About::TRACE) || clause.names_place || context.any(About::TRACE) => {
                because(0.85, "a fault with a clue")
            }
            Act::Fix => or_harder(0.75, "a fault to be repaired"),
            Act::Improve => or_harder(0.55, "better is not said how"),
            Act::Remove => or_easier(0.65, "takes something out of the code"),
            Act::Refactor => because(0.8, "refactoring along known lines"),
            Act::Change => or_easier(0.7, "a change that is said"),
            Act::Setup | Act::Upgrade | Act::Migrate | Act::Deploy => {
                because(0.6, "configuration along known lines")
            }
            Act::Optimize => or_harder(0.65, "an optimisation that is said"),
            Act::Vcs if about.any(About::CONFLICT) => because(0.7, "a merge conflict"),
            _ if object.any(PIECE) => because(0.85, "a feature along known lines"),
            _ => because(0.7, "a feature along known lines"),
        };
    }
    match clause.mood {
        Mood::Report if context.any(About::TRACE) => because(0.8, "a fault with a clue"),
        Mood::Report => or_harder(0.6, "a fault to be repaired"),
        Mood::Wish => because(0.7, "a feature along known lines"),
        Mood::Forbid => because(0.6, "something is not to happen any more"),
        Mood::Title if about.any(About::TESTS) => because(0.65, "is about tests"),
        Mood::Title if about.any(PIECE.or(About::BUG)) => {
            because(0.55, "names a part of the code, not what is to be done")
        }
        _ => None,
    }
}
