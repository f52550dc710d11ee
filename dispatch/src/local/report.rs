//! How results are worded: numbers with their nouns, bounded lists, scopes and intents in a phrase.

use super::intent::{Filter, Git, Intent, Part, Pattern, PatternKind, Place, Scope, Show, Versioned};
use super::kind;
use crate::backend::Draft;
use shared::section::Status;

/// So many lines of a list are shown; the number of all is exact.
pub(super) const SHOWN: usize = 200;

/// Returns a draft that answers with this text.
pub(super) fn answer(text: impl Into<String>) -> Draft {
    Draft { output: text.into(), ..Draft::new(Status::Ok) }
}

/// Returns `1 file`, `2 files`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match noun {
        _ if count == 1 => format!("1 {noun}"),
        _ if noun.ends_with('y') && !noun.ends_with("ay") => {
            format!("{count} {}ies", &noun[..noun.len() - 1])
        }
        _ if noun.ends_with('s') || noun.ends_with("ch") => format!("{count} {noun}es"),
        _ => format!("{count} {noun}s"),
    }
}

/// Returns the headline and so many lines below it, and how many more there are.
pub(super) fn list(headline: &str, lines: impl ExactSizeIterator<Item = String>) -> String {
    let total = lines.len();
    let mut text = headline.to_owned();
    for line in lines.take(SHOWN) {
        text.push('\n');
        text.push_str(&line);
    }
    if total > SHOWN {
        text.push_str(&format!("\n… and {} more", total - SHOWN));
    }
    text
}

/// Returns where a scope looks: ` in src`, and the like.
pub(super) fn located(scope: &Scope) -> String {
    let names = |places: &[Place]| {
        places.iter().map(|place| format!("`{}`", place.path)).collect::<Vec<_>>().join(", ")
    };
    let mut text = String::new();
    if !scope.under.is_empty() {
        text = format!(" in {}", names(&scope.under));
    }
    if !scope.except.is_empty() {
        text.push_str(&format!(", without {}", names(&scope.except)));
    }
    text
}

/// Returns what the files of a scope are called: `Rust file`, `file named x`, one of them.
pub(super) fn files_of(scope: &Scope, count: usize) -> String {
    let mut before = String::new();
    let mut after = String::new();
    for filter in &scope.filters {
        match filter {
            Filter::Kind(name) => before.push_str(&format!("{name} ")),
            Filter::Extension(extension) => before.push_str(&format!(".{extension} ")),
            Filter::Empty => before.push_str("empty "),
            Filter::Name(name) => after.push_str(&format!(" named `{name}`")),
            Filter::Glob(glob) => after.push_str(&format!(" matching `{glob}`")),
            Filter::NameContains(part) => after.push_str(&format!(" with `{part}` in the name")),
            Filter::NameStarts(part) => after.push_str(&format!(" with a name that starts with `{part}`")),
            Filter::NameEnds(part) => after.push_str(&format!(" with a name that ends with `{part}`")),
            Filter::LargerThan(bytes) => after.push_str(&format!(" larger than {bytes} bytes")),
            Filter::LongerThan(lines) => after.push_str(&format!(" longer than {lines} lines")),
        }
    }
    let noun = if count == 1 { "file" } else { "files" };
    format!("{before}{noun}{after}{}", located(scope))
}

/// Returns which files a kind in the scope stands for, where a name could mislead (`test files`).
pub(super) fn kinds_explained(scope: &Scope) -> Option<String> {
    let kinds = scope.filters.iter().filter_map(|filter| match filter {
        Filter::Kind(name @ ("test" | "source" | "text" | "header")) => kind::get(name),
        _ => None,
    });
    let texts: Vec<String> = kinds
        .map(|kind| format!("{} files are those matching {}", kind.name, kind.globs.join(" ")))
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// Returns what a pattern looks for, as the subject of a sentence.
pub(super) fn pattern(pattern: &Pattern) -> String {
    let texts = pattern.texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or ");
    let case = if pattern.insensitive { ", in any case" } else { "" };
    match &pattern.kind {
        PatternKind::Literal => format!("the text {texts}{case}"),
        PatternKind::Word => format!("the word {texts}{case}"),
        PatternKind::Regex => format!("the pattern {texts}{case}"),
        PatternKind::Call => format!("a call of {texts}{case}"),
        PatternKind::Import => format!("an import of {texts}{case}"),
        PatternKind::Definition(None) => format!("a definition of {texts}{case}"),
        PatternKind::Definition(Some(what)) => format!("a definition of the {what} {texts}{case}"),
    }
}

/// Returns what would be done, for a plan.
pub(super) fn plan(intent: &Intent) -> String {
    match intent {
        Intent::Files { scope, show: Show::Count } => format!("count the {}", files_of(scope, 2)),
        Intent::Files { scope, .. } => format!("list the {}", files_of(scope, 2)),
        Intent::Directories { scope, show: Show::Count, .. } => {
            format!("count the directories{}", located(scope))
        }
        Intent::Directories { scope, .. } => format!("list the directories{}", located(scope)),
        Intent::List { place } => format!("list `{}`", shown(place)),
        Intent::Tree { place, .. } => format!("show the structure of `{}`", shown(place)),
        Intent::Largest { scope, count, .. } => {
            format!("list the {count} largest {}", files_of(scope, *count))
        }
        Intent::Search { pattern: what, scope, show: Show::Count } => {
            format!("count {} in the {}", pattern(what), files_of(scope, 2))
        }
        Intent::Search { pattern: what, scope, .. } => {
            format!("search the {} for {}", files_of(scope, 2), pattern(what))
        }
        Intent::Lines { scope } => format!("count the lines of the {}", files_of(scope, 2)),
        Intent::Read { file, part } => format!("read {}`{}`", of_part(*part), shown(file)),
        Intent::Exists { place } => format!("look whether there is `{}`", shown(place)),
        Intent::Version { of: Versioned::Project } => "look up the version of the project".to_owned(),
        Intent::Version { of: Versioned::Name { name, .. } } => format!("look up the version of `{name}`"),
        Intent::Dependencies { of } => format!("list the dependencies declared in `{}`", shown(of)),
        Intent::Git(question) => format!("ask git for {}", git(question)),
        Intent::Run(run) => {
            let purposes: Vec<&str> = run.purposes.iter().map(|purpose| purpose.as_str()).collect();
            match &run.test {
                Some(test) => format!("run the test `{test}`"),
                None => format!("run the project's own {} command", purposes.join(", ")),
            }
        }
        Intent::Command { argv } => format!("run exactly `{}`", argv.join(" ")),
    }
}

fn shown(place: &Place) -> &str {
    if place.is_root() { "." } else { &place.path }
}

fn of_part(part: Part) -> String {
    match part {
        Part::Whole => String::new(),
        Part::Lines(first, last) if first == last => format!("line {first} of "),
        Part::Lines(first, last) => format!("lines {first} to {last} of "),
        Part::First(count) => format!("the first {count} lines of "),
        Part::Last(count) => format!("the last {count} lines of "),
    }
}

fn git(question: &Git) -> &'static str {
    match question {
        Git::Status | Git::Changed(_) | Git::Clean => "the state of the working tree",
        Git::Log(_) => "commits",
        Git::CountCommits(_) => "the number of commits",
        Git::Diff { .. } => "differences",
        Git::Show { .. } => "a commit",
        Git::Branch => "the current branch",
        Git::Head => "the current commit",
        Git::Branches { .. } => "branches",
        Git::Tags { .. } => "tags",
        Git::LastChange { .. } => "the last change of a file",
        Git::Blame { .. } => "who wrote which line",
        Git::Authors { .. } => "authors",
        Git::Tracked { .. } => "what it knows of a file",
    }
}
