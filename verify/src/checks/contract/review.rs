//! A reviewer's findings each name a place and a fix; a diagnosis has a cause, its place and a fix.

use std::sync::LazyLock;

use regex::Regex;

use super::NAME;
use crate::answer::Shape;
use crate::attempt::Attempt;
use crate::citation;
use crate::observation::{Observation, Standing};

static FIX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)—|–| -{1,2} |->|→|;|\b(?:fix|use|replace|should|suggest\w*|consider|add|remove|rename|change|move|return|handle|check|validate|wrap|prefer|instead|avoid|extract|split|make|drop|call|close|guard|escape|reject|limit|initiali[sz]e|recommend\w*)\b").unwrap()
});

static NOTHING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:no|zero|0)\s+(?:\w+\s+){0,3}(?:issues?|problems?|findings?|concerns?|bugs?|vulnerabilities|defects?)\b|\blooks good\b|\blgtm\b|\bnothing (?:to|that) \w+|\bfound nothing\b").unwrap()
});

static SEVERITY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:critical|important|minor|major|nit|high|medium|low|bugs?|issues?|findings?|problems?|blockers?|security|correctness)\b").unwrap()
});

static DIAGNOSIS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:root )?cause\b|\bbecause\b|\bthe (?:bug|problem|leak|flake|issue|error) (?:is|comes)\b",
    )
    .unwrap()
});

/// A finding and what is said beneath it.
struct Item {
    first: String,
    all: String,
}

pub(super) fn check(attempt: &Attempt<'_>) -> Observation {
    let items = findings(attempt);
    let text = attempt.answer.text;
    let placed = attempt.citations().iter().any(|citation| citation.lines.is_some());
    if items.is_empty() {
        return if DIAGNOSIS.is_match(text) && placed && FIX.is_match(text) {
            Observation::new(NAME, Standing::Clean, "a cause with its place and a fix")
        } else if attempt.answer.sentences().iter().any(|s| NOTHING.is_match(&s.bare)) {
            Observation::new(NAME, Standing::Open, "it finds nothing wrong, and nothing shows that it looked")
        } else if placed {
            Observation::new(NAME, Standing::Clean, "")
        } else {
            Observation::new(NAME, Standing::Small, "no finding has a file and a line")
        };
    }
    let placeless = items.iter().filter(|item| !has_place(&item.all)).count();
    let fixless = items.iter().filter(|item| !FIX.is_match(&item.all)).count();
    let mut lacks = Vec::new();
    if placeless > 0 {
        lacks.push(format!("{placeless} of {} findings have no file and line", items.len()));
    }
    if fixless > 0 {
        lacks.push(format!("{fixless} of {} findings have no fix", items.len()));
    }
    if let Some(item) = items.iter().find(|item| !has_place(&item.all) || !FIX.is_match(&item.all)) {
        lacks.push(format!("the first is “{}”", crate::checks::shown(&item.first)));
        return Observation::new(NAME, Standing::Small, lacks.join("; "));
    }
    Observation::new(NAME, Standing::Clean, format!("{} findings, each with place and fix", items.len()))
}

/// Returns the list items that are findings: those under a severity, or, without such headings, all at the top
/// level as long as one of them names a place.
fn findings(attempt: &Attempt<'_>) -> Vec<Item> {
    let mut items: Vec<(Option<bool>, Item)> = Vec::new();
    let mut under: Option<bool> = None;
    let mut open = false;
    for line in &attempt.answer.prose {
        let text = line.text.trim();
        let top = line.text.len() - line.text.trim_start().len() < 2;
        match line.shape {
            Shape::Blank => {}
            Shape::Item if top => {
                items.push((under, Item { first: text.to_owned(), all: text.to_owned() }));
                open = true;
            }
            _ if open && !top => {
                if let Some((_, item)) = items.last_mut() {
                    item.all += "\n";
                    item.all += text;
                }
            }
            _ => {
                open = false;
                let heading = line.shape == Shape::Heading || text.starts_with("**") || text.ends_with(':');
                if heading {
                    under = Some(SEVERITY.is_match(text));
                }
            }
        }
    }
    let headed = items.iter().any(|(under, _)| *under == Some(true));
    let placed = items.iter().any(|(_, item)| has_place(&item.all));
    let nothing = |item: &Item| {
        NOTHING.is_match(&item.first)
            || matches!(
                item.first.to_ascii_lowercase().trim_matches(|c: char| !c.is_alphabetic()),
                "none" | "n/a"
            )
    };
    items
        .into_iter()
        .filter(|(under, item)| {
            (*under == Some(true) || (!headed && placed && *under != Some(false))) && !nothing(item)
        })
        .map(|(_, item)| item)
        .collect()
}

fn has_place(text: &str) -> bool {
    let mut found = Vec::new();
    text.lines().for_each(|line| citation::in_line(line, &mut found));
    found.iter().any(|citation| citation.lines.is_some())
}
