//! What only reads: look-ups (tier 1), reviews and diagnoses (2), and questions that have to be thought through (3).

use super::{VISIBLE, verb_is};
use crate::clause::{Clause, Mood};
use crate::flowchart::{Because, because, or_easier, or_harder};
use crate::lexicon::{About, Act};

/// Flowchart, question 1: does the task leave all files as they are?
pub(crate) fn only_reads(clause: &Clause) -> bool {
    match clause.mood {
        Mood::Lookup
        | Mood::Exists
        | Mood::Holds
        | Mood::Judge
        | Mood::Why
        | Mood::How
        | Mood::HowTo
        | Mood::Decide => true,
        Mood::Order | Mood::Wish => match clause.act {
            Some(Act::Find) => !shows_to_users(clause) && !asks_for_snippet(clause),
            Some(Act::Explain) => {
                !clause.about.any(About::DOCS) || verb_is(clause, &["summarize", "summarise"])
            }
            Some(Act::Review | Act::Debug) => true,
            Some(Act::Check) => !is_input_validation(clause),
            // A design is text; only that it is about to be decided makes it hard.
            Some(Act::Design) => true,
            _ => false,
        },
        Mood::Report | Mood::Forbid | Mood::Title => false,
    }
}

/// "show the avatar in the header" wants code, "show the header file" does not.
fn shows_to_users(clause: &Clause) -> bool {
    let shows = verb_is(
        clause,
        &[
            "show", "display", "list", "print", "output", "open", "read", "get", "see", "view", "retrieve",
            "query", "show me",
        ],
    );
    shows
        && !verb_is(clause, &["show me"])
        && (clause.object.any(VISIBLE)
            || clause.mood == Mood::Wish
            || clause.has_condition && !clause.about.any(About::FILE.or(About::VCS).or(About::LOOKUP)))
}

/// "get the keys of a map in Python" asks for a piece of code, "find the Python files" and "count the lines in all Rust
/// files" for what is in files.
fn asks_for_snippet(clause: &Clause) -> bool {
    let language = About::LANGUAGE.or(About::FRAMEWORK);
    let gets = ["get", "print", "read", "open", "count", "display", "retrieve", "output", "query"];
    verb_is(clause, &gets)
        && clause.about.any(language)
        && !clause.object.any(language)
        && !(verb_is(clause, &["count"]) && clause.about.any(About::FILE))
        && !clause.names_place
}

/// "validate the e-mail field" wants code, "validate the build" does not.
fn is_input_validation(clause: &Clause) -> bool {
    verb_is(clause, &["validate"])
        && !clause.about.any(About::TESTS.or(About::CHECKS).or(About::CI))
        && clause.object.any(About::FIELD.or(About::CODE).or(About::INTERFACE).or(About::PERSONAL))
}

/// Tier 3 though nothing is written: what has to be thought through.
pub(crate) fn deep_question(clause: &Clause, context: About) -> Option<Because> {
    let about = clause.about;
    let analyses_security = about.any(About::SECURITY.or(About::VULNERABILITY))
        && (about.any(About::ANALYSIS)
            || verb_is(clause, &["audit", "assess", "analyze", "analyse", "audits"]));
    if analyses_security {
        return because(
            0.85,
            "a security analysis weighs what an attacker could do (precedence: an analysis or audit is \
                              tier 3, a direct question about named code is review)",
        );
    }
    match (clause.mood, clause.act) {
        (Mood::Decide, _) => {
            if clause.act == Some(Act::Run) {
                None
            } else {
                or_easier(0.72, "asks how something should be: a decision, not a look-up")
            }
        }
        (_, Some(Act::Design)) => {
            if is_small_design(clause) {
                None
            } else {
                or_easier(
                    0.85,
                    "designs or decides: system architecture and design stay with the orchestrator",
                )
            }
        }
        (_, Some(Act::Find)) if about.any(About::VULNERABILITY) && about.any(About::WHOLE) => {
            because(0.7, "a vulnerability assessment of a whole code base")
        }
        (Mood::Why | Mood::Judge, _) | (_, Some(Act::Debug | Act::Find)) if wants_cause(clause) => {
            if about.any(About::CONCURRENCY) || about.any(About::SUBTLE) && !about.any(About::TRACE) {
                or_easier(0.7, "a subtle fault without a clear trace")
            } else if about.any(About::ENVIRONMENT) && about.any(About::PRODUCTION) {
                or_easier(0.7, "differs between environments, and no trace says why")
            } else if context.any(About::SUBTLE) && !context.any(About::TRACE) && !about.any(About::TESTS) {
                or_easier(0.6, "a subtle fault without a clear trace")
            } else {
                None
            }
        }
        (_, Some(Act::Review)) => {
            if about.any(About::ARCHITECTURE.or(About::DISTRIBUTED))
                || about.any(About::CONCURRENCY) && about.any(About::WHOLE)
            {
                or_easier(0.75, "judges an architecture")
            } else {
                None
            }
        }
        (Mood::Judge, _) if about.any(About::ARCHITECTURE) => or_easier(0.7, "judges an architecture"),
        (Mood::How, _) if about.any(About::ARCHITECTURE) && about.any(About::APPROACH) => {
            or_easier(0.6, "asks for an architecture")
        }
        _ => None,
    }
}

/// A button, a test plan, some improvements at the end of a review: proposed, but nothing is decided by it.
fn is_small_design(clause: &Clause) -> bool {
    let about = clause.about;
    if about.any(About::ARCHITECTURE.or(About::DISTRIBUTED).or(About::APPROACH)) {
        return false;
    }
    let suggests = verb_is(clause, &["suggest", "propose", "recommend"]) && !about.any(About::WHOLE);
    suggests || about.any(VISIBLE) && !about.any(About::PROTOCOL) || about.any(About::TESTS)
}

/// Asks for the reason of something, not for the place of something.
fn wants_cause(clause: &Clause) -> bool {
    match (clause.mood, clause.act) {
        (Mood::Why, _) | (_, Some(Act::Debug)) => true,
        (_, Some(Act::Find)) => {
            clause.about.any(About::CAUSE)
                && !verb_is(clause, &["list", "grep", "search", "count", "show", "print", "view"])
                // "find the files that mention the overflow": looked for are the files, not the fault.
                || clause.object.any(About::BUG)
                    && !clause.object.any(About::FILE)
                    && verb_is(
                        clause,
                        &["find", "identify", "locate", "pinpoint", "look for", "look at", "see"],
                    )
        }
        _ => false,
    }
}

/// Tier 1, validate: a question that a command of the project answers.
pub(crate) fn checks_by_command(clause: &Clause) -> Option<Because> {
    match (clause.mood, clause.act) {
        (Mood::Holds, _) => because(0.85, "a command of the project answers this"),
        (Mood::Lookup | Mood::Exists, _)
            if clause.about.any(About::VCS) && clause.about.any(About::LOOKUP) && clause.length < 8 =>
        {
            because(0.6, "git answers this")
        }
        (_, Some(Act::Check)) => {
            if clause.about.any(About::QUALITY.or(About::VULNERABILITY))
                && !clause.about.any(About::TESTS.or(About::CHECKS))
            {
                None
            } else if clause.object.any(
                About::TESTS
                    .or(About::CHECKS)
                    .or(About::SERVICE)
                    .or(About::CI)
                    .or(About::TRIVIAL)
                    .or(About::VCS),
            ) || clause.about.any(About::WORKING)
            {
                because(0.8, "runs the project's own checks")
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Tier 1, explore: search, list, count, read, summarise, facts about the code.
pub(crate) fn looks_up(clause: &Clause) -> Option<Because> {
    let about = clause.about;
    if wants_cause(clause) {
        return None;
    }
    match (clause.mood, clause.act) {
        (Mood::Exists | Mood::Lookup, _) => because(0.85, "a factual look-up"),
        (Mood::How, _) => {
            if about.any(About::ARCHITECTURE.or(About::CROSS).or(About::LOW_LEVEL).or(About::DISTRIBUTED)) {
                None
            } else {
                or_harder(0.6, "reads code and tells how it works")
            }
        }
        (Mood::HowTo, Some(Act::Run | Act::Vcs)) => or_harder(0.6, "asks for a command"),
        (Mood::HowTo, _) => None,
        (_, Some(Act::Find)) if verb_is(clause, &["see"]) => or_harder(0.45, "points somewhere"),
        (_, Some(Act::Find)) => because(0.9, "searches, lists, counts or reads"),
        (_, Some(Act::Explain)) => {
            if about.any(About::CAUSE.or(About::APPROACH))
                || about.any(About::ARCHITECTURE) && about.any(About::WHOLE)
            {
                None
            } else {
                or_harder(0.75, "reads and summarises")
            }
        }
        (_, Some(Act::Check)) => or_harder(0.6, "looks something up"),
        _ => None,
    }
}

/// Tier 2, review: judges code, or finds the cause of something with a clue.
pub(crate) fn judges(clause: &Clause, context: About) -> Option<Because> {
    let about = clause.about;
    match (clause.mood, clause.act) {
        (Mood::Judge, _) if about.any(About::SECURITY.or(About::VULNERABILITY)) => or_harder(
            0.75,
            "a direct question about the security of named code (precedence: a question about named code is review, \
             an analysis or audit is tier 3)",
        ),
        (Mood::Judge, _) => or_harder(0.8, "judges code that is there"),
        (Mood::Why, _) => or_harder(if context.any(About::TRACE) { 0.85 } else { 0.75 }, "finds a cause"),
        (Mood::HowTo, _) => because(0.7, "asks for a standard way to do something"),
        (Mood::Decide, _) => or_harder(0.6, "asks which command to use"),
        (_, Some(Act::Debug)) => {
            or_harder(if about.any(About::TRACE) || clause.names_place { 0.85 } else { 0.65 }, "debugs")
        }
        (_, Some(Act::Review)) if about.any(About::WHOLE) => or_harder(0.6, "reviews a whole code base"),
        (_, Some(Act::Review)) => because(0.85, "reviews code"),
        (_, Some(Act::Find)) => or_harder(0.75, "finding a fault is diagnosis, not search"),
        (_, Some(Act::Explain)) | (Mood::How, _) => {
            because(0.65, "explains something that has to be understood first")
        }
        (_, Some(Act::Check)) => or_harder(0.65, "judges code that is there"),
        (_, Some(Act::Design)) => or_harder(0.6, "designs something small"),
        _ => or_harder(0.55, "reads and judges"),
    }
}
