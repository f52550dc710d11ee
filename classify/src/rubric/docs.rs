//! What only touches documentation and comments (tier 1, or 2 where the code has to be understood).

use crate::clause::{Clause, Mood};
use crate::flowchart::{Because, because, or_easier, or_harder};
use crate::lexicon::{About, Act};

/// Technical writing that needs the code to be understood: tier 2.
pub(crate) fn documents_with_insight(clause: &Clause) -> Option<Because> {
    documents(clause)?;
    let about = clause.about;
    if about.any(About::TYPO) {
        return None;
    }
    if about.any(About::INSIGHT.or(About::ARCHITECTURE).or(About::PROTOCOL)) && about.any(About::DOCS)
        || clause.object.any(About::ARCHITECTURE)
    {
        return because(0.7, "technical documentation needs the code to be understood");
    }
    if about.any(About::WHOLE) || clause.act == Some(Act::Improve) {
        return or_easier(0.6, "documentation of all of it needs the code to be understood");
    }
    None
}

/// Flowchart, question 3: are docs and comments all that changes?
pub(crate) fn documents(clause: &Clause) -> Option<Because> {
    let (about, object) = (clause.about, clause.object);
    if object.any(About::TYPO)
        || about.any(About::TYPO) && matches!(clause.act, Some(Act::Fix | Act::Change) | None)
    {
        return because(0.9, "corrects words, not logic");
    }
    match clause.act {
        Some(Act::Document) => because(0.85, "writes documentation"),
        Some(Act::Explain) if about.any(About::DOCS) => because(0.8, "writes documentation"),
        Some(
            Act::Add
            | Act::Change
            | Act::Fix
            | Act::Remove
            | Act::Improve
            | Act::Refactor
            | Act::Upgrade
            | Act::Setup
            | Act::Check
            | Act::Run,
        ) if object.any(About::DOCS) && !is_doc_feature(clause) => {
            because(0.85, "writes or updates documentation")
        }
        Some(Act::Add | Act::Change | Act::Fix | Act::Remove | Act::Improve | Act::Refactor)
            if clause.is_in_docs =>
        {
            because(0.75, "changes what stands in documentation")
        }
        None if object.any(About::DOCS) && clause.mood == Mood::Title => {
            or_harder(0.65, "is about documentation")
        }
        _ => None,
    }
}

/// "add a comment form": comments as a feature.
fn is_doc_feature(clause: &Clause) -> bool {
    clause.object.any(About::INTERFACE.or(About::TESTS).or(About::BUG).or(About::CI))
        || clause.object.has(About::DOCS.or(About::CODE))
            && !clause.object.any(About::FILE)
            && !clause.object.any(About::LOOKUP)
}
