//! Kinds of failure that show in the executor's words only.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use shared::section::{Failure, FailureClass};

use super::failure;
use crate::attempt::Attempt;

/// What was left out of the context for want of room, as a budget file of seed 002 tells it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Cuts {
    cuts_made: Vec<Cut>,
    budget: Option<Box<Cuts>>,
}

#[derive(Deserialize)]
struct Cut {
    #[serde(default)]
    file: String,
}

pub(super) fn context_cut(attempt: &Attempt<'_>) -> Option<Failure> {
    let context = attempt.task.context.as_ref()?;
    let cuts: Cuts = serde_json::from_str(context.get()).ok()?;
    let all = cuts.cuts_made.iter().chain(cuts.budget.iter().flat_map(|budget| &budget.cuts_made));
    let missed: Vec<String> = all
        .filter(|cut| !cut.file.trim().is_empty() && is_missed(attempt.answer.text, cut.file.trim()))
        .map(|cut| format!("`{}` was cut from the context and is missed in the answer", cut.file.trim()))
        .collect();
    let recovery = "give the context more room, or split the task";
    (!missed.is_empty()).then(|| failure(FailureClass::Pipeline, "context_cut", missed, recovery))
}

/// Tells whether an answer misses a file: by its whole path, or by its name where it is said to have been looked for.
fn is_missed(text: &str, file: &str) -> bool {
    static LOOKED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:tried|trying|attempt(?:ed)?|need(?:ed|s)?|could not|couldn't|cannot|can't|unable|missing|not (?:available|provided|included|shown|visible|in)|without|access|do not have|don't have|truncated|cut)\b").unwrap()
    });
    let name = file.rsplit('/').next().unwrap_or(file);
    let word = |line: &str, needle: &str| {
        line.match_indices(needle).any(|(at, _)| {
            let part =
                |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/'));
            let after = line[at + needle.len()..].chars().next();
            !part(line[..at].chars().next_back()) && !part(after)
        })
    };
    text.lines()
        .any(|line| (file.contains('/') && word(line, file)) || (word(line, name) && LOOKED.is_match(line)))
}

/// Reading and reading, and nothing made of it: a writer's answer that is mostly notes on where it looked.
pub(super) fn exploration_death(attempt: &Attempt<'_>) -> Option<Failure> {
    static LOOKING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\W*(?:(?:now |next |then |let me |i'll |i will |i )*(?:read(?:ing)?|look(?:ed|ing|s)?|search(?:ed|ing)?|explor(?:e|ed|ing)|examin(?:e|ed|ing)|check(?:ed|ing)?|inspect(?:ed|ing)?|open(?:ed|ing)?|view(?:ed|ing)?|scann?(?:ed|ing)?|brows(?:e|ed|ing)|list(?:ed|ing)?|find(?:ing)?|grep(?:ping)?|trac(?:e|ed|ing))\b|(?:\$ )?(?:cat|ls|grep|rg|find|head|tail|sed -n) )").unwrap()
    });
    static CODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s*(?:fn |pub |def |class |impl |let |const |var |func |function |return\b|if\b.*[:{]$|for\b.*[:{]$|[-+]{1}\S|@@|\}|\{)|[;{}]\s*$").unwrap()
    });
    let changed = attempt.dispatch.files_changed.as_ref().is_some_and(|files| !files.is_empty());
    if changed || !attempt.kind.writes() {
        return None;
    }
    let lines: Vec<&str> = attempt.answer.text.lines().filter(|line| !line.trim().is_empty()).collect();
    let looking = lines.iter().filter(|line| LOOKING.is_match(line)).count();
    let code = lines.iter().filter(|line| CODE.is_match(line)).count();
    let dead = lines.len() >= 10 && looking * 5 >= lines.len() * 4 && code * 10 < lines.len();
    let evidence = format!("{looking} of {} lines tell where it looked, {code} are code", lines.len());
    let recovery = "say more precisely what is wanted, and in which files";
    dead.then(|| failure(FailureClass::Pipeline, "exploration_death", vec![evidence], recovery))
}

/// The executor says that it was told too little. Its detail is named as the first implementation names it too.
pub(super) fn spec_gap(attempt: &Attempt<'_>) -> Option<Failure> {
    static AMBIGUOUS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:spec(?:ification)?|requirements?|task|request|description|instructions?) (?:is|are|seems?) (?:\w+ )?(?:ambiguous|unclear|missing|incomplete|contradictory|underspecified)\b|\b(?:cannot|can't|could not|unable to) determine (?:\w+ ){0,3}(?:requirements?|intended|which|what|expected)\b|\bno guidance (?:for|on)\b|\b(?:could|can|would) you (?:please )?(?:clarify|specify|provide)\b|\bplease (?:clarify|specify|provide)\b").unwrap()
    });
    static MISSING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:i am|i'm|this (?:task|work) is|work is) (?:blocked (?:by|on)|waiting (?:for|on))\b|\bmissing dependency\b|\bdepends on (?:work|code|a module|something) that (?:does not|doesn't) exist\b").unwrap()
    });
    let sentences = attempt.answer.sentences();
    let find = |pattern: &Regex| sentences.iter().find(|sentence| pattern.is_match(&sentence.bare));
    let (detail, sentence) = match (find(&AMBIGUOUS), find(&MISSING)) {
        (Some(sentence), _) => ("ambiguous_spec", sentence),
        (None, Some(sentence)) => ("missing_dependency", sentence),
        (None, None) => return None,
    };
    let evidence = vec![format!("{detail}, by the executor's words: {}", sentence.text)];
    Some(failure(
        FailureClass::Pipeline,
        "spec_gap",
        evidence,
        "answer the question in the task, then try again",
    ))
}
