//! What a clause is about, and what its verb is done to.

use super::{Clause, is_one_of};
use crate::lexicon::{About, Role, same};
use crate::words::{Cut, Kind, Token};

/// Collects what the words are about, but for those that are denied.
pub(super) fn about(said: &[Token]) -> About {
    let mut about = About::NONE;
    let mut denied = false;
    for (at, token) in said.iter().enumerate() {
        if token.cut >= Cut::Comma || token.is(Role::JOIN) {
            denied = false;
        }
        if token.is(Role::NEGATION) {
            // "does not work" is a fault, "without tests" an absence.
            if token.is(Role::AUXILIARY)
                || at > 0 && said[at - 1].is(Role::AUXILIARY)
                || same(token.text, "not")
                || same(token.text, "never")
            {
                let fails = said[at + 1..].iter().take(3).any(|next| next.meaning.about.any(About::WORKING));
                if fails && at > 0 {
                    about |= About::BUG;
                }
            }
            denied = same(token.text, "without")
                || at == 0
                || same(said[at - 1].text, "do")
                || same(token.text, "instead of")
                || same(token.text, "rather than");
            continue;
        }
        if !denied {
            about |= token.meaning.about;
        }
    }
    about
}

/// Finds what the verb is done to.
pub(super) fn find(clause: &mut Clause, after: &[Token]) {
    let mut words = 0;
    let mut denied = false;
    let mut pronouns = 0;
    for (at, token) in after.iter().enumerate() {
        if token.is(Role::NEGATION) {
            denied = true;
        }
        let ends = token.is(Role::PREPOSITION) && words + pronouns > 0
            || token.is(Role::SUBORDINATE) && words > 0 && !token.is(Role::DETERMINER)
            || at > 0 && token.cut >= Cut::Colon;
        if ends || denied {
            break;
        }
        if token.is(Role::PREPOSITION) {
            continue;
        }
        if token.is(Role::DETERMINER) {
            clause.object_is_new |=
                words == 0 && ["a", "an", "another"].iter().any(|word| same(token.text, word));
            if ["this", "that", "these", "those", "all"].iter().any(|word| same(token.text, word)) {
                pronouns += 1;
            }
            continue;
        }
        if token.is(Role::PERSON)
            || ["everything", "something", "things", "stuff", "anything", "it", "them"]
                .iter()
                .any(|word| same(token.text, word))
        {
            pronouns += 1;
        } else {
            words += 1;
        }
        clause.object |= token.meaning.about;
    }
    clause.object_is_pronoun = words == 0 && pronouns > 0;
    clause.lacks_object = clause.object_is_pronoun;
}

/// Tells whether the clause ends in a place in documentation. Comments are no such place: programs have them too.
pub(super) fn is_in_docs(said: &[Token]) -> bool {
    let Some(at) = said.iter().rposition(|token| is_one_of(token, &["in", "from", "of", "to"])) else {
        return false;
    };
    let place = &said[at + 1..];
    let names = [
        "readme",
        "docs",
        "documentation",
        "changelog",
        "docstring",
        "docstrings",
        "guide",
        "tutorial",
        "wiki",
        "faq",
    ];
    let is_source =
        said.iter().any(|token| is_one_of(token, &["as", "described", "documented", "specified", "per"]));
    !is_source
        && place.len() <= 3
        && place.iter().any(|token| {
            is_one_of(token, &names)
                || token.kind == Kind::Name && token.meaning.about.has(About::DOCS.or(About::FILE))
        })
}
