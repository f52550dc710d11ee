//! What needs architectural judgement: the eight categories of tier 3.

use super::{PIECE, VISIBLE, verb_is};
use crate::clause::{Clause, Mood};
use crate::flowchart::{Because, or_easier};
use crate::lexicon::{About, Act};

/// Flowchart, question 5. `context` is what the whole text is about.
pub(crate) fn needs_judgement(clause: &Clause, context: About) -> Option<Because> {
    if clause.act == Some(Act::Add) && clause.mood == Mood::Order && writes_tests(clause) {
        return None;
    }
    if is_repair(clause) || clause.mood == Mood::Title {
        let because = hard_fault(clause, context);
        if because.is_some() {
            return because;
        }
    }
    match clause.act {
        Some(Act::Optimize) => return optimization(clause),
        Some(Act::Improve) if clause.about.any(About::PERFORMANCE) => return optimization(clause),
        Some(Act::Upgrade) => return upgrade(clause),
        Some(Act::Migrate) => return migration(clause),
        _ => {}
    }
    vague(clause)
        .or_else(|| slow(clause))
        .or_else(|| change_of_system(clause))
        .or_else(|| grave_topic(clause, context))
}

fn is_repair(clause: &Clause) -> bool {
    clause.act == Some(Act::Fix) || clause.mood == Mood::Report
}

fn writes_tests(clause: &Clause) -> bool {
    clause.object.any(About::TESTS) && !clause.object.any(About::ARCHITECTURE)
}

/// "Debugging subtle, non-obvious issues with no clear stack trace."
fn hard_fault(clause: &Clause, context: About) -> Option<Because> {
    let about = clause.about;
    let has_clue = context.any(About::TRACE);
    if about.any(About::CONCURRENCY) && !about.any(About::TESTS) {
        return or_easier(0.7, "a fault of concurrency");
    }
    if about.any(About::SUBTLE) && !(has_clue && clause.names_place) {
        return or_easier(0.65, "a subtle fault without a clear trace");
    }
    if about.any(About::VULNERABILITY) {
        return or_easier(0.65, "closes a hole that an attacker could use");
    }
    if is_repair(clause) && about.any(About::PERFORMANCE) && !clause.names_means {
        return or_easier(0.6, "performance needs insight into the algorithm");
    }
    if is_repair(clause) && about.any(About::WHOLE) && clause.lacks_object {
        return or_easier(0.6, "it is not said what is wanted");
    }
    if clause.mood != Mood::Report {
        return None;
    }
    if about.any(About::PRODUCTION) && about.any(About::ENVIRONMENT) {
        or_easier(0.65, "differs between environments, and no trace says why")
    } else if about.any(About::MONEY.or(About::LOSS)) {
        or_easier(0.6, "an error here would be costly to recover from")
    } else if about.any(About::LOW_LEVEL.or(About::DISTRIBUTED)) {
        or_easier(0.5, "a fault deep in the system")
    } else if context.any(About::SUBTLE) && !has_clue {
        or_easier(0.55, "a subtle fault without a clear trace")
    } else {
        None
    }
}

/// "Performance optimization requiring algorithmic insight": not where the means are named.
fn optimization(clause: &Clause) -> Option<Because> {
    if clause.names_means { None } else { or_easier(0.6, "performance needs insight into the algorithm") }
}

fn slow(clause: &Clause) -> Option<Because> {
    let reduces = verb_is(clause, &["reduce", "decrease", "lower", "minimize", "minimise", "cut"]);
    if reduces && clause.about.any(About::PERFORMANCE) { optimization(clause) } else { None }
}

/// Not a version number in a manifest, but what has to follow from it.
fn upgrade(clause: &Clause) -> Option<Because> {
    if clause.about.any(About::FRAMEWORK) && !verb_is(clause, &["bump"]) {
        or_easier(0.7, "a framework's new major version changes code in many places")
    } else if clause.about.any(About::WHOLE.or(About::BREAKING)) {
        or_easier(0.6, "upgrades all of it at once")
    } else {
        None
    }
}

fn migration(clause: &Clause) -> Option<Because> {
    let about = clause.about;
    let is_small = about.any(About::TESTS.or(About::CI).or(About::DOCS))
        || clause.names_place && !about.any(About::WHOLE);
    if is_small { None } else { or_easier(0.65, "a migration changes code in many places") }
}

/// "Resolving ambiguous requirements that need clarification."
fn vague(clause: &Clause) -> Option<Because> {
    let about = clause.about;
    let improves = clause.act == Some(Act::Improve)
        && (clause.lacks_object || about.any(About::WHOLE) && !about.any(VISIBLE));
    let makes_all = verb_is(clause, &["make"])
        && !clause.object_is_new
        && about.any(About::WHOLE)
        && !about.any(About::DOCS.or(About::TESTS));
    if improves || makes_all { or_easier(0.6, "it is not said what is wanted") } else { None }
}

/// Tells whether something is built or changed, in whatever words.
fn builds(clause: &Clause) -> bool {
    matches!(
        clause.act,
        Some(Act::Add | Act::Change | Act::Setup | Act::Run | Act::Refactor | Act::Improve | Act::Fix)
    ) || matches!(clause.mood, Mood::Wish | Mood::Title)
}

/// Architecture, coordinated changes in several parts, and what has no standard approach.
fn change_of_system(clause: &Clause) -> Option<Because> {
    let (about, object) = (clause.about, clause.object);
    let act = clause.act;
    if act == Some(Act::Change)
        && about.has(About::FRAMEWORK.or(About::NUMBER))
        && verb_is(clause, &["update"])
    {
        return or_easier(0.6, "a framework's new major version changes code in many places");
    }
    if act == Some(Act::Setup) && about.any(About::CI) && !clause.names_means {
        return or_easier(0.6, "a pipeline has to be designed before it is built");
    }
    if !builds(clause) {
        return None;
    }
    if act == Some(Act::Add)
        && object.any(About::CACHE)
        && !object.any(PIECE)
        && !clause.names_means
        && !clause.names_place
    {
        return or_easier(0.65, "caching asks what may be stale, and for how long");
    }
    let restructures = matches!(act, Some(Act::Refactor | Act::Change));
    if object.any(About::ARCHITECTURE) || about.any(About::ARCHITECTURE) && restructures {
        return or_easier(0.7, "system architecture");
    }
    if object.any(About::DISTRIBUTED.or(About::NOVEL))
        || about.any(About::DISTRIBUTED) && about.any(About::DATA)
    {
        return or_easier(0.65, "distributed or novel: no standard approach to follow");
    }
    if object.any(About::ALGORITHM) && matches!(act, Some(Act::Add | Act::Change | Act::Run)) {
        return or_easier(0.55, "an algorithm to be worked out");
    }
    if object.any(About::CONCURRENCY) && !about.any(About::TESTS) {
        return or_easier(0.6, "things that happen at the same time");
    }
    if about.any(About::CROSS) {
        return or_easier(0.6, "coordinated changes in several parts");
    }
    if about.any(About::WHOLE) && act == Some(Act::Refactor) {
        return or_easier(0.6, "a restructuring of all of it");
    }
    if about.any(About::WHOLE) && act == Some(Act::Run) && about.any(About::CODE) {
        return or_easier(0.55, "a whole system from the beginning");
    }
    if object.any(About::BREAKING) && about.any(About::PROTOCOL.or(About::CODE)) {
        return or_easier(0.55, "others have to change with it");
    }
    let secures = matches!(act, Some(Act::Add | Act::Change | Act::Setup));
    if secures && object.any(About::SECURITY) && !object.any(PIECE) && !clause.names_means {
        return or_easier(0.55, "who may do what has to be thought through");
    }
    if about.any(About::LOW_LEVEL.or(About::DISTRIBUTED))
        && !about.any(VISIBLE.or(About::TESTS).or(About::DOCS))
    {
        return or_easier(0.5, "work deep in the system");
    }
    None
}

/// "Tasks where an error would be costly to recover from", unless a clue or a narrow place tames them.
fn grave_topic(clause: &Clause, context: About) -> Option<Because> {
    let about = clause.about | context;
    let grave = About::ALGORITHM.or(About::ARCHITECTURE).or(About::SUBTLE).or(About::MONEY).or(About::SECRET);
    let tame = About::TRACE.or(About::INTERFACE).or(About::TESTS).or(About::DOCS);
    if builds(clause) && about.any(grave) && !about.any(tame) && !clause.names_means {
        or_easier(0.55, "it touches what is hard to get right, or costly to get wrong")
    } else {
        None
    }
}
