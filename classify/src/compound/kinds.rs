//! What kind of work a step is, by its verb and what that is done to.
//!
//! The acts of the lexicon say what a verb means; here they are sorted by what is left when the step is done: an
//! answer, a judgement, a decision, changed code, tests, documentation, a message, something released.

use crate::executor::Executor;
use crate::lexicon::{About, Act, Role, same};
use crate::words::{Cut, Kind as Token_, Token};

/// The most tokens of an object that are looked at.
const OBJECT: usize = 9;

/// What is left when a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Something is known that the next step needs.
    Look,
    /// Somebody has an answer.
    Answer,
    /// Something is judged, or its cause is found.
    Judge,
    /// Something is decided or planned.
    Decide,
    /// Code, configuration or data is another.
    Work(Act),
    /// There are tests that were not.
    Test,
    /// Documentation says something else.
    Docs,
    /// A command has run.
    Run,
    /// Something is committed, merged, released.
    Ship,
    /// Somebody was told.
    Tell,
}

impl Kind {
    /// Returns a number that kinds share that differ in nothing but the act.
    pub(super) fn family(self) -> u8 {
        match self {
            Kind::Look => 0,
            Kind::Answer => 1,
            Kind::Judge => 2,
            Kind::Decide => 3,
            Kind::Work(_) => 4,
            Kind::Test => 5,
            Kind::Docs => 6,
            Kind::Run => 7,
            Kind::Ship => 8,
            Kind::Tell => 9,
        }
    }

    pub(super) fn is_work(self) -> bool {
        matches!(self, Kind::Work(_))
    }

    /// Returns who does such work.
    pub(super) fn executor(self) -> Executor {
        match self {
            Kind::Look | Kind::Answer => Executor::Explore,
            Kind::Judge => Executor::Review,
            Kind::Decide => Executor::Orchestrate,
            Kind::Work(_) | Kind::Test => Executor::Implement,
            Kind::Docs | Kind::Tell => Executor::Document,
            Kind::Run | Kind::Ship => Executor::Validate,
        }
    }
}

/// Texts that people read.
const DOCS: &[&str] = &[
    "docs",
    "doc",
    "documentation",
    "readme",
    "changelog",
    "guide",
    "tutorial",
    "handbook",
    "manual",
    "wiki",
    "runbook",
    "faq",
    "adr",
    "post-mortem",
    "postmortem",
    "announcement",
    "blog",
    "newsletter",
    "notes",
    "contributing",
    "docstrings",
    "docstring",
    "write-up",
    "memo",
    "outline",
    "article",
];
/// Messages to people.
const MESSAGES: &[&str] = &["mail", "mails", "email", "message", "reply", "announcement", "slack"];
/// What is kept in version control and at its host, and what leaves it.
const SHIPPED: &[&str] = &[
    "pr", "prs", "pull", "mr", "tag", "release", "branch", "commit", "commits", "ticket", "tickets", "issue",
    "issues", "version",
];
/// What is thought up, and not built.
const THOUGHT: &[&str] = &["plan", "spec", "design", "rfc", "proposal", "roadmap", "concept", "strategy"];

/// Verbs of telling, which no list of acts has.
const TELLS: &[&str] =
    &["mail", "tweet", "announce", "post", "tell", "notify", "answer", "email", "inform", "reply"];
/// Verbs of version control that the lexicon has under another act, or not at all.
const SHIPS: &[&str] = &["close", "cut", "reopen", "submit"];

/// Tells whether a verb is known here.
pub(super) fn is_verb(token: &Token) -> bool {
    token.kind == Token_::Word && (token.meaning.act.is_some() || is_one_of(token, TELLS))
}

/// Returns what the verb is done to: up to the first preposition or mark.
pub(super) fn object<'a, 't>(said: &'a [Token<'t>]) -> &'a [Token<'t>] {
    let rest = &said[1..];
    let end = rest.iter().take(OBJECT).position(|token| {
        token.cut >= Cut::Comma
            || token.is(Role::JOIN)
            || token.is(Role::SUBORDINATE)
            || token.is(Role::PREPOSITION) && !token.is(Role::MEANS)
            || token.is(Role::MEANS)
    });
    &rest[..end.unwrap_or(rest.len().min(OBJECT))]
}

/// Returns the kind of the step that begins with this verb.
pub(super) fn of(said: &[Token]) -> Kind {
    let verb = &said[0];
    let object = object(said);
    let has = |words: &[&str]| object.iter().any(|token| is_one_of(token, words));
    let is = |words: &[&str]| is_one_of(verb, words);
    let names_method = said.get(1).is_some_and(|token| token.kind == Token_::Name);
    if is(TELLS) && !names_method && verb.meaning.act.is_none_or(|act| act == Act::Find)
        || is(&["tell", "send"])
    {
        let asks_back = said.get(1).is_some_and(|token| same(token.text, "me") || same(token.text, "us"));
        return if asks_back { Kind::Answer } else { Kind::Tell };
    }
    if is(SHIPS) && has(SHIPPED) || is(&["close"]) && names_issue(object) {
        return Kind::Ship;
    }
    let documents = has(DOCS) || object.iter().any(names_docs);
    let Some(act) = verb.meaning.act else {
        return if names_method { Kind::Work(Act::Add) } else { Kind::Tell };
    };
    let makes = matches!(
        act,
        Act::Add | Act::Change | Act::Improve | Act::Refactor | Act::Fix | Act::Remove | Act::Design
    );
    match act {
        _ if makes && has(MESSAGES) && act != Act::Fix => Kind::Tell,
        _ if makes
            && (documents || is(&["translate"]) && object.iter().all(|token| token.kind == Token_::Word)) =>
        {
            Kind::Docs
        }
        Act::Add | Act::Change | Act::Improve | Act::Find
            if has(SHIPPED) && is(&["create", "open", "make", "prepare", "cut", "bump"]) =>
        {
            Kind::Ship
        }
        Act::Add if has(THOUGHT) && is(&["write", "make", "create", "draft"]) => Kind::Decide,
        Act::Add
            if has(&["test", "tests"])
                || object.iter().any(|token| token.meaning.about.any(About::TESTS)) =>
        {
            Kind::Test
        }
        Act::Find if is(&["count", "list", "tell me", "tell", "report on"]) => Kind::Answer,
        Act::Find => Kind::Look,
        Act::Explain => Kind::Answer,
        Act::Check => Kind::Look,
        Act::Run
            if is(&["build", "start"])
                && object
                    .first()
                    .is_some_and(|token| token.is(Role::DETERMINER) && token.text.len() <= 2) =>
        {
            Kind::Work(Act::Add)
        }
        Act::Run | Act::Shell => Kind::Run,
        Act::Vcs | Act::Deploy => Kind::Ship,
        Act::Document => Kind::Docs,
        Act::Upgrade if has(&["version"]) => Kind::Ship,
        Act::Review | Act::Debug => Kind::Judge,
        Act::Design => Kind::Decide,
        act => Kind::Work(act),
    }
}

/// `docs/client.md`: the file says what it is.
fn names_docs(token: &Token) -> bool {
    let text = token.text.trim_matches('`');
    let ends = |end: &str| {
        text.len() >= end.len()
            && text.is_char_boundary(text.len() - end.len())
            && same(&text[text.len() - end.len()..], end)
    };
    matches!(token.kind, Token_::Name | Token_::Quote) && (ends(".md") || ends(".rst") || ends(".adoc"))
}

/// `#12`, as issues are named.
fn names_issue(object: &[Token]) -> bool {
    object.iter().any(|token| token.text.starts_with('#') || token.kind == Token_::Number)
}

pub(super) fn is_one_of(token: &Token, words: &[&str]) -> bool {
    words.iter().any(|word| same(token.text, word))
}
