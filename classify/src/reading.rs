//! Reads the text of a task: its label, its clauses, and which of them say what is wanted.

use crate::clause::{self, Clause, Mood};
use crate::executor::Executor;
use crate::flowchart::{self, Because, Leaf, Lean};
use crate::lexicon::{About, Act, Role, same};
use crate::subject::{self, Label};
use crate::words::{self, Cut, Kind, Token};

/// So many words of an answer to "which language is this" are looked at.
const SAMPLE: usize = 60;

/// A text, understood as far as that goes.
#[derive(Debug)]
pub(crate) struct Reading<'t> {
    /// The text that was read; if all of it was in quotes, what stood in them.
    pub(crate) text: &'t str,
    pub(crate) tokens: Vec<Token<'t>>,
    pub(crate) clauses: Vec<Clause<'t>>,
    /// Where the flowchart ends for each clause.
    pub(crate) leaves: Vec<Option<Leaf>>,
    /// The clause that decides.
    pub(crate) main: Option<usize>,
    /// How many tokens the text has.
    pub(crate) length: usize,
    /// Most of the words are none that are known.
    pub(crate) is_foreign: bool,
    /// A title and a body, as an issue has them.
    pub(crate) has_body: bool,
}

/// Reads a text, which has to be within limits.
pub(crate) fn read(text: &str) -> Reading<'_> {
    let (label, begin) = subject::label(text);
    let mut tokens = words::tokens(&text[begin..]);
    for token in &mut tokens {
        token.at += begin;
    }
    if let Some(inner) = only_quote(&tokens) {
        // All of it in quotes: the quotes are how it was handed over.
        return read(inner);
    }
    let mut clauses = clause::clauses(&tokens);
    let about = clauses.iter().fold(About::NONE, |about, clause| about | clause.about);
    let has_body = text[begin..].trim().contains('\n');
    if let (Some(label), Some(first)) = (label, clauses.first_mut()) {
        apply(label, first);
    }
    resolve_pronouns(&mut clauses);
    let mut leaves: Vec<_> = clauses.iter().map(|clause| flowchart::follow(clause, about)).collect();
    if has_body
        && about.any(About::BUG.or(About::TRACE))
        && matches!(leaves.first(), Some(Some(leaf)) if leaf.executor == Executor::Validate)
    {
        // "Start page\n\nIt crashes …": the title of a complaint names what was being done.
        let first = Clause { mood: Mood::Report, act: None, ..clauses[0].clone() };
        leaves[0] = flowchart::follow(&first, about);
    }
    if let (Some(label), Some(first)) = (label, leaves.first_mut()) {
        *first = adjusted(label, &clauses[0], *first);
    }
    let mut reading = Reading {
        text,
        main: None,
        is_foreign: is_foreign(&tokens),
        length: tokens.len(),
        tokens,
        clauses,
        leaves,
        has_body,
    };
    reading.main = reading.find_main();
    reading
}

fn only_quote<'t>(tokens: &[Token<'t>]) -> Option<&'t str> {
    match tokens {
        [token] if token.kind == Kind::Quote => {
            let inner = token.text.trim_matches(['"', '`', '\'', '“', '”', '«', '»', '‘', '’', '„']);
            inner.contains(char::is_whitespace).then_some(inner)
        }
        _ => None,
    }
}

/// Tells whether the words are of another language, or of none.
///
/// Names are unknown in any language; what tells is the small words that hold a sentence together.
fn is_foreign(tokens: &[Token]) -> bool {
    let (mut words, mut known, mut foreign, mut other_script) = (0, 0, 0, 0);
    for token in tokens.iter().filter(|token| token.kind == Kind::Word).take(SAMPLE) {
        words += 1;
        known += usize::from(token.is(Role::ENGLISH));
        foreign += usize::from(token.is(Role::FOREIGN));
        other_script += usize::from(!token.is(Role::ENGLISH) && !token.text.is_ascii());
    }
    other_script * 2 > words
        || foreign >= 2 && foreign * 3 > known
        || foreign >= 1 && words >= 4 && known * 3 < words
}

/// "the button is not aligned, fix it": what "it" is has been said.
fn resolve_pronouns(clauses: &mut [Clause]) {
    let mut before = About::NONE;
    for clause in clauses {
        if clause.object_is_pronoun && before != About::NONE {
            clause.about |= before;
            clause.lacks_object = false;
        }
        before |= clause.about;
    }
}

/// Lets the label say what the sentence leaves out: in `fix: crash on exit` nobody says what is to be done.
fn apply(label: Label, clause: &mut Clause) {
    let act = match label {
        Label::Bug => Act::Fix,
        Label::Feature => Act::Add,
        Label::Perf => Act::Optimize,
        Label::Act(act) => act,
        _ => return,
    };
    let is_open = matches!(clause.mood, Mood::Title | Mood::Report | Mood::Forbid) || label == Label::Perf;
    if is_open {
        clause.act = Some(act);
        clause.mood = Mood::Order;
        clause.names_means |= label == Label::Perf;
    }
}

/// Lets the label decide where it is the better evidence.
fn adjusted(label: Label, clause: &Clause, leaf: Option<Leaf>) -> Option<Leaf> {
    let leaf_of = |tier, executor, sure, path, why| {
        let lean = if tier == 1 { Lean::Up } else { Lean::Even };
        Some(Leaf { tier, executor, because: Because { why, sure, lean }, path })
    };
    match (label, leaf) {
        (Label::Docs, Some(leaf)) if leaf.executor == Executor::Document => Some(leaf),
        (Label::Docs, _) => leaf_of(
            1,
            Executor::Document,
            0.8,
            "it only touches docs or comments",
            "its label says documentation",
        ),
        (Label::Style, Some(leaf)) if leaf.tier == 1 => Some(leaf),
        (Label::Style, _)
            if !matches!(clause.act, Some(Act::Add | Act::Improve | Act::Fix | Act::Design)) =>
        {
            leaf_of(1, Executor::Implement, 0.65, "it changes code, mechanically", "its label says style")
        }
        (Label::Revert, _) => leaf_of(
            1,
            Executor::Validate,
            0.75,
            "it only runs a command",
            "its label says that a commit is taken back",
        ),
        (Label::Chore, Some(leaf)) if leaf.tier != 2 => Some(leaf),
        (Label::Chore, _)
            if !matches!(clause.act, Some(Act::Add | Act::Refactor | Act::Migrate | Act::Fix)) =>
        {
            leaf_of(1, Executor::Implement, 0.6, "it changes code, mechanically", "its label says chore")
        }
        (Label::Test, Some(leaf)) if leaf.tier == 1 => Some(leaf),
        (Label::Test, _) => leaf_of(
            2,
            Executor::Implement,
            0.75,
            "it changes code and the approach is clear",
            "its label says tests",
        ),
        (Label::Bug | Label::Feature | Label::Other | Label::Act(_), Some(leaf))
            if matches!(leaf.executor, Executor::Explore | Executor::Validate)
                && clause.act != Some(Act::Vcs) =>
        {
            // "parser: check the length first": what the program does from now on, not what somebody is to do.
            leaf_of(
                2,
                Executor::Implement,
                0.6,
                "it changes code and the approach is clear",
                "its label says that it is a change",
            )
        }
        (Label::Bug | Label::Feature | Label::Other, None) => leaf_of(
            2,
            Executor::Implement,
            0.5,
            "it changes code, and the approach is not clear",
            "its label says that it is a change",
        ),
        (Label::Ci, None) => leaf_of(
            2,
            Executor::Implement,
            0.6,
            "it changes code and the approach is clear",
            "its label says CI",
        ),
        (_, leaf) => leaf,
    }
}

impl Reading<'_> {
    /// Finds the clause that decides: the hardest of those that say what is wanted.
    fn find_main(&self) -> Option<usize> {
        let end = self.template().unwrap_or(self.clauses.len());
        let title = |at: &usize| self.clauses[*at].sentence == 0;
        let all: Vec<usize> = (0..end.max(1).min(self.clauses.len()))
            .filter(|&at| self.clauses[at].mood != Mood::Forbid && self.leaves[at].is_some())
            .collect();
        let mut candidates = all.clone();
        if self.has_body {
            // An issue: the title says what it is, the body how to see it.
            let titles: Vec<usize> = all.iter().copied().filter(title).collect();
            let is_said = titles.iter().any(|&at| self.clauses[at].mood != Mood::Title);
            if is_said {
                candidates = titles;
            }
        }
        let asks = |at: &usize| !matches!(self.clauses[*at].mood, Mood::Report | Mood::Title | Mood::Wish);
        if candidates.iter().any(asks) {
            // Who says what is to be done has told the complaint to explain it.
            candidates.retain(|at| asks(at) || self.clauses[*at].mood == Mood::Wish);
        }
        let rank = |at: usize| self.leaves[at].map_or((0, 0.0), |leaf| (leaf.tier, leaf.because.sure));
        let mut best: Option<usize> = None;
        for at in candidates {
            if best.is_none_or(|best| rank(at).0 > rank(best).0) {
                best = Some(at);
            }
        }
        // "never return null": what is to be done is said by what is not.
        best.or_else(|| (0..self.clauses.len()).find(|&at| self.leaves[at].is_some()))
    }

    /// Returns where the form of a bug report begins: steps, expected, actual.
    fn template(&self) -> Option<usize> {
        let signs = [
            "steps",
            "expected",
            "actual",
            "reproduce",
            "reproduction",
            "environment",
            "to reproduce",
            "version",
            "screenshots",
        ];
        self.clauses.iter().enumerate().skip(1).find_map(|(at, clause)| {
            let begins = clause.cut >= Cut::Line && signs.iter().any(|sign| same(clause.verb, sign));
            begins.then_some(at)
        })
    }

    /// Returns the clause that decides, and where the flowchart ends for it.
    pub(crate) fn main(&self) -> Option<(&Clause<'_>, Leaf)> {
        let at = self.main?;
        Some((&self.clauses[at], self.leaves[at]?))
    }
}
