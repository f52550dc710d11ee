//! Takes what stands before the colon off the first line: `fix(parser)!: …`, `net/http: …`, `[docs] …`, `Bug: …`.
//!
//! The form of a commit subject says much about it (Conventional Commits 1.0.0; "component: what" in older
//! projects), but none of it is a sentence.

use crate::lexicon::{self, Act, same};

/// What the author calls the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Docs,
    Style,
    Chore,
    Test,
    Ci,
    Perf,
    Revert,
    Bug,
    Feature,
    /// A verb, as in `refactor: …`.
    Act(Act),
    /// Says that a task follows, and nothing else.
    LeadIn,
    /// A component, as in the subject of a commit.
    Other,
}

/// The longest that such a label is.
const LONGEST: usize = 60;

/// Returns the label and where the rest of the text begins.
pub(crate) fn label(text: &str) -> (Option<Label>, usize) {
    let mut begin = text.len() - text.trim_start().len();
    let mut found = None;
    // `[docs] fix(readme): …`: one after the other, but no more than there ever are.
    for _ in 0..3 {
        let rest = &text[begin..];
        let Some((label, length)) = in_brackets(rest).or_else(|| before_colon(rest)) else { break };
        let after = &rest[length..];
        let next = after.trim_start();
        if next.is_empty() || next.starts_with('\n') {
            break;
        }
        if found.is_none_or(|found| found == Label::Other) {
            found = Some(label);
        }
        begin += length + after.len() - next.len();
    }
    (found, begin)
}

fn in_brackets(text: &str) -> Option<(Label, usize)> {
    let inside = text.strip_prefix('[')?;
    let end = inside.find(']').filter(|&end| end <= LONGEST)?;
    // `[label](target)` is a link.
    (!inside[end + 1..].starts_with('(')).then(|| (of_word(&inside[..end]), end + 2))
}

fn before_colon(text: &str) -> Option<(Label, usize)> {
    let line = text.lines().next()?;
    let colon = line
        .char_indices()
        .take(LONGEST)
        .find(|&(at, c)| c == ':' && line[at + 1..].starts_with(|c: char| c.is_whitespace()));
    let (end, _) = colon?;
    let head = &line[..end];
    let bare = head.trim_end_matches('!');
    let name = match bare.split_once('(') {
        Some((name, scope)) if scope.trim_end().ends_with(')') => name.trim(),
        Some(_) => return None,
        None => bare.trim(),
    };
    let words = name.split_whitespace().count();
    let first = name.split_whitespace().next()?;
    let plain = name.chars().all(|c| c.is_alphanumeric() || " _-./,*+@#&".contains(c));
    let orders = words > 1
        && (lexicon::word(first).act.is_some() || lexicon::word(first).role.any(lexicon::Role::FILLER));
    if !plain || words > 3 || orders {
        return None;
    }
    let label = if is_lead_in(first) { Label::LeadIn } else { of_word(name) };
    Some((label, end + 1))
}

/// "Task: …", "Step 2: …": what follows is what somebody wants.
fn is_lead_in(word: &str) -> bool {
    let words = [
        "task",
        "tasks",
        "todo",
        "fixme",
        "step",
        "note",
        "goal",
        "question",
        "q",
        "help",
        "hi",
        "hello",
        "hey",
        "user",
        "prompt",
        "instructions",
        "instruction",
        "context",
        "objective",
        "subtask",
        "ticket",
        "issue",
        "wip",
        "chat",
        "me",
        "re",
    ];
    words.iter().any(|known| same(word, known))
}

fn of_word(name: &str) -> Label {
    let is = |words: &[&str]| words.iter().any(|word| same(name, word));
    if is(&["docs", "doc", "documentation", "readme", "changelog"])
        || name.to_ascii_lowercase().ends_with(".md")
    {
        Label::Docs
    } else if is(&["style", "fmt", "format", "lint", "typo", "cosmetic"]) {
        Label::Style
    } else if is(&[
        "chore",
        "deps",
        "build",
        "release",
        "bump",
        "maint",
        "housekeeping",
        "deps-dev",
        "build-deps",
    ]) {
        Label::Chore
    } else if is(&["test", "tests"]) {
        Label::Test
    } else if is(&["ci"]) {
        Label::Ci
    } else if is(&["perf", "performance"]) {
        Label::Perf
    } else if is(&["revert"]) {
        Label::Revert
    } else if is(&["bug", "fix", "bugfix", "hotfix", "bug report", "regression"]) {
        Label::Bug
    } else if is(&["feat", "feature", "feature request", "enhancement", "rfe", "proposal", "request", "idea"])
    {
        Label::Feature
    } else if let Some(act) = lexicon::word(name).act {
        Label::Act(act)
    } else {
        Label::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_taken_off_and_understood() {
        for (text, label, rest) in [
            ("fix(parser)!: drop the null", Some(Label::Bug), "drop the null"),
            ("docs: how to install", Some(Label::Docs), "how to install"),
            ("net/http: close idle connections", Some(Label::Other), "close idle connections"),
            ("[CI] use the newest image", Some(Label::Ci), "use the newest image"),
            ("refactor: one loop", Some(Label::Act(Act::Refactor)), "one loop"),
            ("Feature request: tabs", Some(Label::Feature), "tabs"),
            ("Task 3: run the tests", Some(Label::LeadIn), "run the tests"),
            ("explain this: x + y", None, "explain this: x + y"),
            ("see http://localhost:80", None, "see http://localhost:80"),
            ("fix:", None, "fix:"),
            ("[a](b) is a link", None, "[a](b) is a link"),
        ] {
            let (found, begin) = super::label(text);
            assert_eq!((found, &text[begin..]), (label, rest), "{text}");
        }
    }
}
