//! Tells whether the steps of a text are one coherent change, or several jobs with results of their own.
//!
//! "One coherent change" is most of what people write: a field and its validation, all uses and their new name, a
//! feature with many requirements, an investigation and the fix that it finds. So a text is one job unless one of these
//! rules finds a reason; each is narrow, because a change that was split is done worse than one that was not.

use super::kinds::{Kind, is_one_of};
use super::steps::{Joined, Step};
use crate::lexicon::{About, Act, Role, same};
use crate::words::{Cut, Token};

/// A sentence of more tokens than this goes into details.
const TERSE: usize = 28;

/// A numbered plan is no longer than this; an essay is none.
const PLAN: usize = 250;
/// A title has no more tokens than this.
const TITLE: usize = 9;
/// So many tokens has a list of jobs that are named and not described.
const LIST: usize = 50;

/// Why steps are jobs of their own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reason {
    pub(super) why: &'static str,
    /// The rule is right nearly always, whatever else speaks against it.
    pub(super) is_strong: bool,
}

/// Says why the steps are jobs of their own.
pub(super) fn several(tokens: &[Token], steps: &[Step]) -> Option<Reason> {
    let all: Vec<Step> = steps.iter().copied().filter(|step| !step.is_detail).collect();
    let text = Text { tokens, steps: &all };
    if all.len() < 2 || text.reports() {
        return None;
    }
    let strong = text
        .plan()
        .or_else(|| text.standing_order())
        .or_else(|| text.issues())
        .or_else(|| text.counted())
        .or_else(|| text.pairs(true));
    let weak = || text.pairs(false).or_else(|| text.row());
    strong
        .map(|why| Reason { why, is_strong: true })
        .or_else(|| weak().map(|why| Reason { why, is_strong: false }))
}

/// Tells whether there are steps of two kinds at least.
pub(super) fn differ(steps: &[Step]) -> bool {
    steps.windows(2).any(|two| two[0].kind.family() != two[1].kind.family())
}

/// "Secrets audit and implementation": two nouns for two kinds of work, which no verb says.
pub(super) fn nouns(tokens: &[Token]) -> Option<[Step; 2]> {
    let [.., one, two, three] = tokens else { return None };
    let judges = ["audit", "analysis", "review", "investigation", "evaluation", "assessment"];
    let works =
        ["implementation", "fix", "fixes", "migration", "refactoring", "rollout", "remediation", "cleanup"];
    let is_title = tokens.len() <= TITLE && tokens.iter().skip(1).all(|token| token.cut < Cut::Comma);
    if !is_title
        || !is_one_of(one, &judges)
        || !is_one_of(two, &["and", "&", "plus"])
        || !is_one_of(three, &works)
    {
        return None;
    }
    let last = tokens.len() - 1;
    let step = |from, to, kind| Step {
        from,
        verb: from,
        to,
        kind,
        joined: Joined::Sentence,
        sentence: 0,
        is_detail: false,
    };
    Some([step(0, last - 1, Kind::Judge), step(last, last + 1, Kind::Work(Act::Add))])
}

struct Text<'a, 't> {
    tokens: &'a [Token<'t>],
    steps: &'a [Step],
}

impl Text<'_, '_> {
    fn said(&self, step: &Step) -> &[Token<'_>] {
        &self.tokens[step.verb..step.to]
    }

    /// Steps to reproduce a bug are no steps to do.
    fn reports(&self) -> bool {
        self.tokens.iter().any(|token| {
            is_one_of(token, &["reproduce", "reproduction", "repro", "expected", "actual"])
                && token.cut >= Cut::Line
        }) || self
            .tokens
            .windows(2)
            .any(|two| two[0].cut >= Cut::Line && same(two[0].text, "to") && same(two[1].text, "reproduce"))
            || self.tokens.windows(3).any(|three| {
                same(three[0].text, "steps") && same(three[1].text, "to") && same(three[2].text, "reproduce")
            })
    }

    /// A numbered plan, or one in the order of "then": looking, changing, checking, handing in.
    fn plan(&self) -> Option<&'static str> {
        let count = |least: Joined| {
            let items = self.steps.iter().filter(|step| step.joined >= least);
            let mut families = 0u16;
            let mut number = 0;
            for item in items {
                families |= 1 << item.kind.family();
                number += 1;
            }
            (number, families)
        };
        let told = 1 << Kind::Ship.family() | 1 << Kind::Tell.family();
        let work = 1 << Kind::Work(Act::Fix).family();
        let (number, families) = count(Joined::Numbered);
        if self.tokens.len() <= PLAN
            && number >= 3
            && families & work != 0
            && (families & told != 0 && families.count_ones() >= 3 || families.count_ones() >= 4)
        {
            return Some("the steps of a plan, of different kinds");
        }
        let (number, families) = count(Joined::Item);
        if self.tokens.len() <= LIST
            && number >= 3
            && families.count_ones() >= 3
            && families & work != 0
            && families & told != 0
        {
            return Some("a list of jobs of different kinds");
        }
        None
    }

    /// "Commit and push after every edit": an order that stands beside the work.
    fn standing_order(&self) -> Option<&'static str> {
        let works = self.steps.iter().any(|step| step.kind.is_work());
        let stands = self.steps.iter().any(|step| {
            step.kind == Kind::Ship
                && self
                    .said(step)
                    .windows(2)
                    .any(|two| same(two[0].text, "after") && is_one_of(&two[1], &["every", "each"]))
        });
        (works && stands).then_some("work, and what is to be done after each piece of it")
    }

    /// "Two things: …", "first: …, second: …", "unrelated: …": the author counts them.
    fn counted(&self) -> Option<&'static str> {
        let counts = self.tokens.windows(2).take(10).any(|two| {
            is_one_of(&two[0], &["two", "three", "four", "several", "2", "3", "4"])
                && is_one_of(&two[1], &["things", "jobs"])
        });
        let ordinals = self.tokens.windows(2).filter(|two| {
            is_one_of(&two[0], &["first", "second", "third", "one", "two", "three"])
                && two[1].cut == Cut::Colon
        });
        let unrelated = self.tokens.len() <= 60
            && self
                .tokens
                .iter()
                .skip(2)
                .any(|token| token.cut >= Cut::Comma && is_one_of(token, &["unrelated", "separately"]));
        (counts || ordinals.count() >= 2 || unrelated).then_some("several things, by their author's count")
    }

    /// Three short jobs after each other, none of which speaks of another.
    fn row(&self) -> Option<&'static str> {
        if self.tokens.len() > TERSE {
            return None;
        }
        let mut acts: Vec<Kind> = Vec::new();
        for step in self.steps {
            let is_job = !matches!(step.kind, Kind::Look | Kind::Run)
                && !self.refers_back(step)
                && self.has_own_object(step);
            if is_job && !acts.contains(&step.kind) {
                acts.push(step.kind);
            }
        }
        let one_sentence = self.steps.iter().all(|step| step.sentence == self.steps[0].sentence);
        (one_sentence && acts.len() >= 3 && self.steps.len() == acts.len())
            .then_some("three jobs and more, each with its own result")
    }

    /// "… for #43 and … for #37": what was asked for apart.
    fn issues(&self) -> Option<&'static str> {
        let issue = |step: &Step| {
            self.said(step).iter().find(|token| {
                token
                    .text
                    .strip_prefix('#')
                    .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
            })
        };
        let named: Vec<_> =
            self.steps.iter().filter_map(|step| issue(step).map(|token| (step, token.text))).collect();
        named
            .windows(2)
            .any(|pair| pair[0].1 != pair[1].1 && pair[0].0.kind != pair[1].0.kind)
            .then_some("two issues that have nothing to do with each other")
    }

    fn pairs(&self, is_strong: bool) -> Option<&'static str> {
        for (at, second) in self.steps.iter().enumerate().skip(1) {
            for first in self.steps[..at].iter().rev().take(6) {
                let why = if is_strong { self.pair(first, second) } else { self.weak_pair(first, second) };
                if let Some(why) = why {
                    return Some(why);
                }
            }
        }
        None
    }

    /// Says why two steps have results of their own.
    fn pair(&self, first: &Step, second: &Step) -> Option<&'static str> {
        let is_terse = self.tokens.len() <= TERSE;
        let near = first.sentence == second.sentence || second.joined >= Joined::Then && is_terse;
        let refers = self.refers_back(second);
        let owns = self.has_own_object(first) && self.has_own_object(second);
        let said = self.said(second);
        match (first.kind, second.kind) {
            (Kind::Run, Kind::Work(_) | Kind::Docs) if second.joined == Joined::Then && is_terse => {
                Some("runs something, then changes something")
            }
            (Kind::Work(_), Kind::Docs) | (Kind::Docs, Kind::Work(_)) if near && owns => {
                Some("changes the code, and what is written about it")
            }
            (Kind::Work(Act::Fix), Kind::Test) if near && is_terse => {
                Some("repairs something, and adds tests")
            }
            (Kind::Work(_) | Kind::Docs | Kind::Test, Kind::Ship) if near && is_terse => {
                Some("changes something, and hands it in")
            }
            (Kind::Judge, Kind::Work(_)) if near && self.is_review(first) && !self.asks(first) => {
                Some("judges first, then changes")
            }
            (Kind::Judge | Kind::Look, Kind::Work(Act::Migrate | Act::Upgrade))
                if near && !refers && is_terse =>
            {
                Some("judges first, then changes")
            }
            (Kind::Judge | Kind::Look, Kind::Decide)
                if first.sentence == second.sentence
                    && self.tokens.len() <= 14
                    && self.steps.len() == 2
                    && said
                        .iter()
                        .any(|token| token.meaning.about.any(About::ARCHITECTURE | About::SECURITY)) =>
            {
                Some("looks first, then decides")
            }
            (Kind::Answer, Kind::Work(_) | Kind::Ship)
            | (Kind::Work(_) | Kind::Docs | Kind::Test | Kind::Ship, Kind::Answer | Kind::Judge)
                if near && second.joined >= Joined::Then && second.joined != Joined::Sentence =>
            {
                Some("an answer, and a change")
            }
            (Kind::Work(_) | Kind::Docs, Kind::Tell) if near && is_terse && !self.is_bound(second) => {
                Some("changes something, and tells somebody")
            }
            (one, other) if second.joined == Joined::Also && one != other && !refers => {
                Some("one thing, and besides it another")
            }
            _ => None,
        }
    }

    /// The same, for pairs that are halves of one change now and then.
    fn weak_pair(&self, first: &Step, second: &Step) -> Option<&'static str> {
        let near = first.sentence == second.sentence || second.joined >= Joined::Then;
        if self.tokens.len() > TERSE || !near || self.refers_back(second) {
            return None;
        }
        match (first.kind, second.kind) {
            (Kind::Work(_), Kind::Judge) if self.asks(second) => {
                Some("a change, and a question about something else")
            }
            (Kind::Work(one), Kind::Work(other))
                if one != other && !self.is_bound(second) && self.are_apart(one, other, second) =>
            {
                Some("two changes that have nothing to do with each other")
            }
            (one, other)
                if second.joined == Joined::CommaAnd
                    && one != other
                    && !self.is_bound(second)
                    && self.has_own_object(first)
                    && self.has_own_object(second) =>
            {
                Some("two changes that have nothing to do with each other")
            }
            _ => None,
        }
    }

    /// "… if it fails", "… when empty": tells what is to happen, not what else to do.
    fn is_bound(&self, step: &Step) -> bool {
        self.said(step).iter().any(|token| is_one_of(token, &["if", "when", "whenever"]))
    }

    fn asks(&self, step: &Step) -> bool {
        self.said(step).iter().any(|token| token.is(Role::ASKS) || same(token.text, "whether"))
    }

    fn is_review(&self, step: &Step) -> bool {
        let verb = &self.tokens[step.verb];
        verb.meaning.act == Some(Act::Review) && !same(verb.text, "rate")
    }

    /// "… and rename it": speaks of what stands before.
    fn refers_back(&self, step: &Step) -> bool {
        self.said(step).iter().skip(1).any(|token| {
            is_one_of(
                token,
                &[
                    "it", "them", "their", "its", "each", "those", "these", "ones", "this", "instead",
                    "what", "there", "that",
                ],
            )
        })
    }

    /// Names a thing of its own, and is not "the result" of the step before.
    fn has_own_object(&self, step: &Step) -> bool {
        super::kinds::object(self.said(step))
            .iter()
            .any(|token| !token.is(Role::DETERMINER) && !token.is(Role::PERSON))
    }

    /// Pairs of changes that are seldom halves of one.
    fn are_apart(&self, one: Act, other: Act, second: &Step) -> bool {
        let object = super::kinds::object(self.said(second));
        let is_new = object.first().is_some_and(|token| same(token.text, "a") || same(token.text, "an"));
        match (one, other) {
            _ if second.joined == Joined::Semicolon => self.has_own_object(second),
            (Act::Fix, Act::Add) => is_new && second.joined >= Joined::And,
            (Act::Fix | Act::Add, Act::Upgrade) | (Act::Upgrade, Act::Add | Act::Remove) => true,
            (Act::Add | Act::Refactor, Act::Fix) => !object.iter().any(|token| {
                token.meaning.about.any(About::CHECKS | About::CONFLICT)
                    || is_one_of(token, &["imports", "callers"])
            }),
            _ => false,
        }
    }
}
