//! A writer names the files it changed, and they are the files that did change.

use std::sync::LazyLock;

use regex::Regex;

use super::NAME;
use crate::answer::Shape;
use crate::attempt::Attempt;
use crate::citation;
use crate::observation::{Observation, Standing, worst};

/// A heading over the list of changed files.
static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:files?|modules?)\b.{0,20}\b(?:modified|changed|touched|created|updated|edited|added|deleted|removed)\b|\b(?:modified|changed|touched|created|updated|edited|added|deleted|removed) files?\b").unwrap()
});

/// "Updated `src/a.rs`": the past tense, directly before the file.
static DID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:updated|modified|changed|edited|rewrote|created|deleted|renamed|refactored)\s+(?:the\s+)?(?:new\s+)?(?:file\s+)?[`*\[]*$").unwrap()
});

/// Files that programs write along, which nobody names.
const BY_PRODUCTS: [&str; 9] = [
    "Cargo.lock",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "go.sum",
    "Gemfile.lock",
    "composer.lock",
];

pub(super) fn check(attempt: &Attempt<'_>) -> Observation {
    let Some(changed) = &attempt.dispatch.files_changed else {
        let claimed = claimed(attempt);
        return match claimed.is_empty() {
            true => Observation::new(NAME, Standing::Small, "it does not name the files that it changed"),
            false => Observation::new(NAME, Standing::Open, "which files changed is not known"),
        };
    };
    let mut found = Vec::new();
    for path in claimed(attempt) {
        if !attempt.changed(&path) {
            found.push((Standing::Hard, format!("it says that it changed `{path}`, which did not change")));
        }
    }
    let text = attempt.answer.text;
    let unnamed: Vec<&str> = changed.iter().map(String::as_str).filter(|path| !names(text, path)).collect();
    if !unnamed.is_empty() {
        let shown = unnamed.iter().take(4).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
        let more = if unnamed.len() > 4 { format!(" and {} more", unnamed.len() - 4) } else { String::new() };
        found.push((Standing::Small, format!("it does not name {shown}{more}, which changed")));
    }
    worst(NAME, found, (Standing::Clean, String::new()))
}

/// Tells whether the answer names a changed file: its path, its end, or its name.
fn names(text: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    BY_PRODUCTS.contains(&name) || name.ends_with(".snap") || text.contains(name)
}

/// Returns the files that the answer says it changed.
fn claimed(attempt: &Attempt<'_>) -> Vec<String> {
    let mut claimed = Vec::new();
    let mut under = false;
    for line in &attempt.answer.prose {
        let heading = line.shape == Shape::Heading
            || (line.shape == Shape::Plain && line.text.trim_end().trim_end_matches('*').ends_with(':'));
        if heading {
            under = HEADING.is_match(line.text);
        } else if line.shape == Shape::Plain {
            under = false;
        }
        let mut found = Vec::new();
        citation::in_line(line.text, &mut found);
        // In a list of changed files the first path of an item is the file; others are what was done to it.
        let listed = under && matches!(line.shape, Shape::Item | Shape::Table);
        for (position, citation) in found.iter().enumerate().filter(|(_, c)| c.certain) {
            if (listed && position == 0) || DID.is_match(&line.text[..citation.at]) {
                claimed.push(citation.path.clone());
            }
        }
    }
    claimed.sort_unstable();
    claimed.dedup();
    claimed
}
