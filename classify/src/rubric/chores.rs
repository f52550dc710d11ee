//! Chores: what writes, but mechanically (tier 1).

use super::{PIECE, verb_is};
use crate::clause::{Clause, Mood};
use crate::flowchart::{Because, because, or_harder};
use crate::lexicon::{About, Act};

const DEEP_FAULT: About = About::SUBTLE.or(About::CONCURRENCY);

/// Tier 1 that writes: boilerplate, chores, well-known small edits.
///
/// Seed 000 has no executor of tier 1 that may write code, though its tier 1 names boilerplate and typos. Here
/// that is `implement` on tier 1: the tools of the one, the price of the other.
pub(crate) fn is_mechanical(clause: &Clause) -> Option<Because> {
    let (about, object) = (clause.about, clause.object);
    let deep = about.any(DEEP_FAULT.or(About::ARCHITECTURE).or(About::VULNERABILITY));
    if deep {
        return None;
    }
    match clause.act {
        Some(Act::Add | Act::Setup) if about.any(About::MIGRATION) && about.any(About::FIELD) => {
            because(0.75, "a migration that adds a column follows a template")
        }
        Some(Act::Upgrade) => {
            if verb_is(clause, &["bump", "bumps", "bumped", "bumping", "pin", "pinned", "pins", "roll"]) {
                or_harder(0.8, "sets another version number")
            } else if about.any(About::FRAMEWORK) || about.any(About::WHOLE.or(About::BREAKING)) {
                None
            } else if about.any(About::NUMBER) || object.any(About::TRIVIAL) {
                or_harder(0.6, "sets another version number")
            } else {
                None
            }
        }
        Some(Act::Change)
            if verb_is(clause, &["update", "updates", "updated", "updating", "set"])
                && is_version_bump(clause) =>
        {
            or_harder(0.65, "sets another version number")
        }
        Some(Act::Add | Act::Change | Act::Remove | Act::Fix | Act::Refactor)
            if object.any(About::TRIVIAL) && !object.any(About::BUG.or(About::TESTS)) =>
        {
            or_harder(0.7, "a chore without an effect on what the program does")
        }
        Some(Act::Remove | Act::Fix) if object.any(About::TRIVIAL) && !about.any(About::TESTS) => {
            or_harder(0.6, "a chore without an effect on what the program does")
        }
        Some(Act::Change | Act::Refactor) if sets_one_property(clause) => {
            or_harder(0.55, "sets one property of what is seen")
        }
        Some(Act::Add) if object.any(About::DEPENDENCY) && !object.any(PIECE) && about.any(About::FILE) => {
            or_harder(0.55, "adds a line to a manifest")
        }
        None if about.any(About::SMALL) && clause.mood == Mood::Title && clause.length <= 3 => {
            or_harder(0.6, "its author calls it small")
        }
        None if object.any(About::TRIVIAL) && !about.any(About::BUG) && clause.length <= 6 => {
            or_harder(0.6, "a chore without an effect on what the program does")
        }
        None if about.any(About::NUMBER)
            && (about.any(About::RELEASE) || clause.length <= 2)
            && clause.mood == Mood::Title =>
        {
            or_harder(0.65, "marks a release")
        }
        None if about.any(About::VCS)
            && !about.any(About::BUG.or(About::CODE).or(About::FEATURE))
            && clause.mood == Mood::Title
            && clause.length <= 5 =>
        {
            or_harder(0.6, "simple version control")
        }
        _ => None,
    }
}

/// "change the title to …", "center the label": one value, one place.
fn sets_one_property(clause: &Clause) -> bool {
    let verbs = [
        "change", "set", "update", "rename", "replace", "center", "centre", "align", "reduce", "increase",
        "lower", "raise",
    ];
    let other = About::BUG
        .or(About::WHOLE)
        .or(About::TESTS)
        .or(About::DATA)
        .or(About::SECURITY)
        .or(About::PERFORMANCE);
    verb_is(clause, &verbs)
        && clause.object.any(About::LOOKS)
        && clause.length <= 12
        && !clause.has_condition
        && !clause.about.any(other)
}

fn is_version_bump(clause: &Clause) -> bool {
    let about = clause.about;
    !about.any(About::FRAMEWORK.or(About::WHOLE).or(About::BREAKING))
        && (about.has(About::DEPENDENCY.or(About::NUMBER))
            || clause.object.any(About::NUMBER)
            || clause.object.any(About::DEPENDENCY) && clause.length <= 4)
}
