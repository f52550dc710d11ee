//! Searches the content of files: counts by file, then the lines with their places.

use regex::bytes::{Regex, RegexBuilder};

use super::find::{none_found, with_notes};
use super::intent::{Pattern, PatternKind, Scope, Show};
use super::language::{ByLanguage, last_part};
use super::report::{self, answer, counted};
use super::walk::{Entry, LARGEST, Want};
use super::{Ground, Outcome};

/// So many lines of each file are kept to be shown; all are counted.
const EXAMPLES: usize = 50;
/// A line is shown as far as this.
const WIDTH: usize = 200;

/// What was found in one file.
struct Hits {
    path: String,
    occurrences: usize,
    /// Line numbers from 1, and the lines.
    lines: Vec<(usize, String)>,
    /// Whether it occurs as a name in code does (`x(`, `x::y`, `"x"`).
    as_code: bool,
}

/// How a pattern is found.
enum Finder {
    Everywhere(Regex),
    ByLanguage(ByLanguage),
}

pub(super) fn search(ground: &Ground, pattern: &Pattern, scope: &Scope, show: Show) -> Outcome {
    let finder = Finder::new(pattern)?;
    let code = if pattern.sure { None } else { Some(name_in_code(&pattern.texts)?) };
    let walked = ground.walk(scope, Want::Files)?;
    let results =
        ground.read_each(&walked.entries, |entry, text| finder.find(entry, text, pattern, code.as_ref()));
    let searched = results.iter().flatten().count();
    let unread = walked.entries.iter().filter(|entry| entry.bytes > LARGEST).count();
    let hits: Vec<Hits> = results.into_iter().flatten().filter(|hits| hits.occurrences > 0).collect();

    // `which files use caching` asks for no word; `which files use rayon` does, and then the word is in the code.
    let meant = pattern.sure || pattern.kind == PatternKind::Import || hits.iter().any(|hits| hits.as_code);
    if !meant || (hits.is_empty() && !pattern.sure) {
        let text = pattern.texts.join("` or `");
        return Err(format!(
            "does not understand `{text}`: no name of that kind is in the files (quote it to search for the text)"
        ));
    }

    let mut text = worded(pattern, scope, show, &hits, searched);
    if unread > 0 {
        text.push_str(&format!(
            "\nnote: {} larger than {} MiB not read",
            counted(unread, "file"),
            LARGEST >> 20
        ));
    }
    if let (PatternKind::Definition(_), Some(path)) =
        (&pattern.kind, pattern.texts.iter().find(|text| last_part(text) != **text))
    {
        text.push_str(&format!(
            "\nnote: `{path}` was looked for as `{}`; these are all candidates",
            last_part(path)
        ));
    }
    Ok(answer(with_notes(scope, &walked, text)))
}

fn worded(pattern: &Pattern, scope: &Scope, show: Show, hits: &[Hits], searched: usize) -> String {
    let what = report::pattern(pattern);
    let within = report::located(scope);
    if hits.is_empty() {
        return none_found(&format!("{what} is nowhere{within}"), searched);
    }
    let total: usize = hits.iter().map(|hits| hits.occurrences).sum();
    let files = counted(hits.len(), "file");
    let searched = format!("{} searched", counted(searched, "file"));
    match show {
        Show::Files => {
            let headline = format!("{files} with {what}{within} ({searched})");
            report::list(
                &headline,
                hits.iter().map(|hits| {
                    let (line, text) = &hits.lines[0];
                    format!("{}:{line}: {text}", hits.path)
                }),
            )
        }
        Show::Count => {
            let headline =
                format!("{} of {what} in {files}{within} ({searched})", counted(total, "occurrence"));
            report::list(&headline, hits.iter().map(|hits| format!("{} {}", hits.occurrences, hits.path)))
        }
        Show::Matches => {
            let headline =
                format!("{} of {what} in {files}{within} ({searched})", counted(total, "occurrence"));
            let mut text = headline;
            if hits.len() > 1 {
                text.push('\n');
                text.push_str(&report::list(
                    "by file:",
                    hits.iter().map(|hits| format!("{} {}", hits.occurrences, hits.path)),
                ));
            }
            let shown: Vec<String> = hits
                .iter()
                .flat_map(|hits| {
                    hits.lines.iter().map(|(line, text)| format!("{}:{line}: {text}", hits.path))
                })
                .collect();
            text.push('\n');
            text.push_str(&report::list("lines:", shown.into_iter()));
            if hits.iter().any(|hits| hits.lines.len() == EXAMPLES && hits.occurrences > EXAMPLES) {
                text.push_str(&format!("\nnote: of each file the first {EXAMPLES} lines are kept"));
            }
            text
        }
    }
}

impl Finder {
    fn new(pattern: &Pattern) -> Result<Self, String> {
        let alternatives = |texts: Vec<String>| format!("(?:{})", texts.join("|"));
        let escaped = || pattern.texts.iter().map(|text| regex::escape(text)).collect::<Vec<_>>();
        let source = match &pattern.kind {
            PatternKind::Import => {
                return Ok(Finder::ByLanguage(ByLanguage::imports(&pattern.texts, pattern.insensitive)?));
            }
            PatternKind::Definition(what) => {
                return Ok(Finder::ByLanguage(ByLanguage::definitions(
                    &pattern.texts,
                    *what,
                    pattern.insensitive,
                )?));
            }
            PatternKind::Literal => alternatives(escaped()),
            PatternKind::Regex => {
                alternatives(pattern.texts.iter().map(|text| format!("(?:{text})")).collect())
            }
            PatternKind::Word => format!(r"\b{}\b", alternatives(escaped())),
            PatternKind::Call => format!(r"\b{}(?:!|::<[^>\n]*>)?[ \t]*\(", alternatives(escaped())),
        };
        RegexBuilder::new(&source)
            .multi_line(true)
            .case_insensitive(pattern.insensitive)
            .size_limit(4 << 20)
            .build()
            .map(Finder::Everywhere)
            .map_err(|error| {
                let reason = error.to_string();
                let reason =
                    reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                format!("`{}` is no regular expression: {reason}", pattern.texts.join("` or `"))
            })
    }

    fn find(&self, entry: &Entry, text: &[u8], pattern: &Pattern, code: Option<&Regex>) -> Hits {
        let mut starts: Vec<usize> = match self {
            Finder::Everywhere(regex) => {
                regex.find_iter(text).filter(|found| !found.is_empty()).map(|found| found.start()).collect()
            }
            Finder::ByLanguage(forms) => forms
                .patterns(entry.name(), text)
                .iter()
                .flat_map(|regex| regex.find_iter(text).map(|found| found.start()))
                .collect(),
        };
        starts.sort_unstable();
        if pattern.kind == PatternKind::Call {
            starts.retain(|start| !is_definition(&text[..*start]));
        }
        let by_line = matches!(self, Finder::ByLanguage(_));
        let mut hits = Hits { path: entry.path.clone(), occurrences: 0, lines: Vec::new(), as_code: false };
        let (mut number, mut counted_to, mut last) = (1, 0, 0);
        for start in starts {
            number += text[counted_to..start].iter().filter(|byte| **byte == b'\n').count();
            counted_to = start;
            if number == last && by_line {
                // Two forms of the same line are one definition.
                continue;
            }
            hits.occurrences += 1;
            if number != last && hits.lines.len() < EXAMPLES {
                hits.lines.push((number, line_at(text, start)));
            }
            last = number;
        }
        hits.as_code = hits.occurrences > 0
            && (by_line
                || pattern.kind == PatternKind::Call
                || code.is_some_and(|regex| regex.is_match(text)));
        hits
    }
}

/// Returns whether the text ends with what introduces a definition.
fn is_definition(before: &[u8]) -> bool {
    let tail = String::from_utf8_lossy(&before[before.len().saturating_sub(40)..]).into_owned();
    let word = tail.split_whitespace().next_back().unwrap_or_default();
    tail.ends_with([' ', '\t'])
        && matches!(
            word,
            "fn" | "def" | "func" | "function" | "fun" | "sub" | "macro_rules!" | "defp" | "rpc"
        )
}

/// Returns what finds a name where only code has it.
fn name_in_code(texts: &[String]) -> Result<Regex, String> {
    let names = texts.iter().map(|text| regex::escape(text)).collect::<Vec<_>>().join("|");
    let source = format!(
        r#"\b(?:{names})(?:::|\(|\.\w|!\(|<\w|;|[ \t]*=[^=]|['"])|(?:::|->|\w\.|['"<@$]|\b(?:use|import|from|fn|def|class|struct|func|function|mod|const|let|var|type|enum|trait)[ \t]+)(?:{names})\b"#
    );
    Regex::new(&source).map_err(|error| format!("cannot search for `{}`: {error}", texts.join("` or `")))
}

/// Returns the line around a byte, without its indentation and no longer than is readable.
fn line_at(text: &[u8], at: usize) -> String {
    let start = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let end = text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |newline| at + newline);
    let line = String::from_utf8_lossy(&text[start..end]);
    let line = line.trim();
    match line.char_indices().nth(WIDTH) {
        Some((cut, _)) => format!("{} …", &line[..cut]),
        None => line.to_owned(),
    }
}
