//! The `secrets` gate: credentials that were written into a file.
//!
//! Every file is looked at, whatever its type, its name or its place. A line that says `gates:allow secret` is
//! let by, and told about in a note. The text that matched is never part of a finding, a reason or a log line;
//! [`redact`] keeps it out of what other tools print as well. Weakness: CWE-798, OWASP A07.

mod rule;
mod value;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Captures, Regex};
use shared::section::Severity;

use crate::found::{Found, finding};
use crate::text::{self, Lines};
use rule::{Doubt, RULES, Rule};
use value::Kind;

/// Larger files are not looked at and make the gate unverifiable.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// How much around a keyword is looked at where a line is very long (minified code, data).
const WINDOW: usize = 1024;
/// Comments that let a line by: ours, and those that other scanners taught people to write.
const ALLOWING: [&[u8]; 3] = [b"gates:allow secret", b"gitleaks:allow", b"pragma: allowlist secret"];

static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);

struct Scanner {
    keywords: AhoCorasick,
    /// The rule that each keyword belongs to.
    owners: Vec<usize>,
    regexes: Vec<LazyLock<Regex, Box<dyn FnOnce() -> Regex + Send>>>,
}

impl Scanner {
    fn new() -> Scanner {
        let mut owners = Vec::new();
        let mut words = Vec::new();
        for (index, rule) in RULES.iter().enumerate() {
            for keyword in rule.keywords {
                owners.push(index);
                words.push(*keyword);
            }
        }
        let keywords = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
        // Expressions are compiled when the first file holds a keyword of theirs; most never are.
        let regexes = RULES
            .iter()
            .map(|rule| LazyLock::new(Box::new(move || rule.regex()) as Box<dyn FnOnce() -> Regex + Send>))
            .collect();
        Scanner {
            keywords: keywords.unwrap_or_else(|error| panic!("keywords of the rules: {error}")),
            owners,
            regexes,
        }
    }

    /// Returns where credentials are, in order, with the rule that says so; each text once.
    fn places(&self, content: &[u8], binary: bool, kind: Kind) -> Vec<(Range<usize>, &'static Rule)> {
        let mut windows: BTreeSet<(usize, usize, usize)> = BTreeSet::new();
        for hit in self.keywords.find_overlapping_iter(content) {
            let rule = self.owners[hit.pattern().as_usize()];
            if binary && RULES[rule].doubt != Doubt::Format {
                continue;
            }
            let line = line_around(content, hit.start(), hit.end());
            windows.insert((rule, line.start, line.end));
        }
        let mut places: Vec<(Range<usize>, &'static Rule)> = Vec::new();
        for (index, start, end) in windows {
            let rule = &RULES[index];
            for captures in self.regexes[index].captures_iter(&content[start..end]) {
                let Some(group) = captures.name("secret").or_else(|| {
                    captures
                        .name("other")
                        .filter(|other| is_bare_value(kind, rule, &captures, other.as_bytes()))
                }) else {
                    continue;
                };
                let range = start + group.start()..start + group.end();
                let taken =
                    places.iter().any(|(other, _)| other.start < range.end && range.start < other.end);
                if !taken && is_secret(rule, &captures, group.as_bytes(), &content[range.end..]) {
                    places.push((range, rule));
                }
            }
        }
        places.sort_by_key(|(range, _)| range.start);
        places
    }
}

/// Tells whether a value that stands without quotes is one. In settings it is; elsewhere only `NAME=value` may be
/// one, if the value is nothing that a program or a sentence would hold.
fn is_bare_value(kind: Kind, rule: &Rule, captures: &Captures, value: &[u8]) -> bool {
    if kind == Kind::Settings || rule.doubt == Doubt::Format {
        return true;
    }
    let Some(name) = captures.name("name") else { return false };
    let whole = captures.get(0).map_or(&b""[..], |whole| whole.as_bytes());
    let assigned =
        whole.len() == name.as_bytes().len() + 1 + value.len() && whole[name.as_bytes().len()] == b'=';
    let constant = name.as_bytes().iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    assigned
        && (constant || kind == Kind::Text)
        && value.len() >= 8
        && has(u8::is_ascii_alphabetic)
        && has(u8::is_ascii_digit)
        // `OTHER.field2` and `table[key1]` are program text.
        && (kind == Kind::Text || !has(|byte| matches!(byte, b'.' | b':' | b'*' | b'?')))
        && value::entropy(value) >= 2.75
}

/// Returns the line that holds the range, or the part around it if the line is very long.
fn line_around(content: &[u8], start: usize, end: usize) -> Range<usize> {
    let floor = start.saturating_sub(WINDOW);
    let ceiling = (end + WINDOW).min(content.len());
    let from =
        content[floor..start].iter().rposition(|byte| *byte == b'\n').map_or(floor, |at| floor + at + 1);
    let to = content[end..ceiling].iter().position(|byte| *byte == b'\n').map_or(ceiling, |at| end + at);
    from..to
}

fn is_secret(rule: &Rule, captures: &Captures, value: &[u8], after: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    match rule.doubt {
        Doubt::Header => return key_follows(after),
        Doubt::Format => {
            let lower = text.to_ascii_lowercase();
            if lower.contains("example")
                || lower.contains("xxxxx")
                || lower.contains("redacted")
                || lower.contains("your")
            {
                return false;
            }
        }
        Doubt::Name => {
            if value::is_stand_in(text) || value::is_dummy(text) || value::is_identifier(text) {
                return false;
            }
            let name = captures.name("name").and_then(|name| std::str::from_utf8(name.as_bytes()).ok());
            let looks_like_one = match name {
                Some(name) => value::is_credential(name, text),
                None => !value::is_words(text, true),
            };
            if !looks_like_one {
                return false;
            }
        }
        Doubt::Url => {
            let part = |name| {
                captures
                    .name(name)
                    .and_then(|part| std::str::from_utf8(part.as_bytes()).ok())
                    .unwrap_or_default()
            };
            let (user, host) = (part("user"), part("host"));
            let known =
                user.eq_ignore_ascii_case(text) || host.starts_with("example.") || host.contains(".example");
            if known || value::is_stand_in(text) || value::is_stand_in(user) || value::is_dummy(text) {
                return false;
            }
        }
    }
    value::entropy(value) >= rule.min_entropy
}

/// Tells whether a key comes after the header, and not the end of a string that only names the header.
fn key_follows(after: &[u8]) -> bool {
    let mut rest = &after[..after.len().min(400)];
    // Line ends, real or escaped, and what quotes them in programs.
    loop {
        let next = [&b"\\r"[..], b"\\n", b"\r", b"\n", b" ", b"\t", b"#", b">", b"*", b"|"]
            .iter()
            .find_map(|skip| rest.strip_prefix(*skip));
        match next {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    if rest.is_empty() {
        return after.first() == Some(&b'\n') || after.is_empty();
    }
    if rest.starts_with(b"Proc-Type:") || rest.starts_with(b"Version:") || rest.starts_with(b"Comment:") {
        return true;
    }
    // In a source text the next line is often a string of its own.
    let rest = rest
        .strip_prefix(b"\"")
        .or(rest.strip_prefix(b"'"))
        .filter(|_| after.first() != Some(&b')'))
        .unwrap_or(rest);
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"+").unwrap_or(rest).trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or(rest.strip_prefix(b"'")).unwrap_or(rest);
    let run = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        .count();
    run >= 16 && value::entropy(&rest[..run]) > 2.5
}

/// Looks for credentials in a file; what stands on an allowed line comes as a note.
pub(crate) fn scan(path: &Path, content: &[u8]) -> Vec<Found> {
    let content = &*text::decode(content);
    let places = SCANNER.places(content, text::is_binary(content), kind(path));
    if places.is_empty() {
        return Vec::new();
    }
    let lines = Lines::new(content);
    places.into_iter().map(|(range, rule)| told(range.start, rule, &lines)).collect()
}

fn told(offset: usize, rule: &Rule, lines: &Lines) -> Found {
    let text = lines.line(lines.index(offset));
    let allowed = ALLOWING
        .iter()
        .any(|comment| text.windows(comment.len()).any(|part| part.eq_ignore_ascii_case(comment)));
    let (severity, message) = if allowed {
        (Severity::Note, format!("{} is here; a comment on the line allows it", rule.what))
    } else {
        (
            Severity::Error,
            format!(
                "{} is written into the file; take it from the environment and revoke this one",
                rule.what
            ),
        )
    };
    let mut finding = finding(rule.id, severity, message);
    let (line, column) = lines.position(offset);
    finding.line = Some(line);
    finding.column = Some(column);
    finding.cwe = Some("CWE-798".to_owned());
    finding.owasp = Some("A07".to_owned());
    Found::new(finding).on(text)
}

/// Tells how values stand in such a file: without quotes in settings and shell scripts.
fn kind(path: &Path) -> Kind {
    let Some(name) = path.file_name() else { return Kind::Program };
    let name = name.to_string_lossy().to_ascii_lowercase();
    let Some((stem, extension)) = name.rsplit_once('.') else { return Kind::Settings };
    let settings = [
        "env",
        "ini",
        "xml",
        "cfg",
        "conf",
        "config",
        "properties",
        "yml",
        "yaml",
        "sh",
        "bash",
        "zsh",
        "netrc",
        "npmrc",
        "pypirc",
        "local",
        "production",
        "secret",
        "secrets",
    ];
    let text =
        ["txt", "md", "markdown", "rst", "adoc", "org", "log", "text", "out", "csv", "tsv", "bak", "old"];
    if stem.is_empty() || name.starts_with(".env") || settings.contains(&extension) {
        Kind::Settings
    } else if text.contains(&extension) {
        Kind::Text
    } else {
        Kind::Program
    }
}

/// Looks for credentials in the name of a file. Only what has the form of one counts: a name is no assignment.
pub(crate) fn in_name(name: &str) -> Vec<Found> {
    let places = SCANNER.places(name.as_bytes(), true, Kind::Program);
    places
        .into_iter()
        .map(|(_, rule)| {
            let message = format!("{} is in the name of the file; rename it and revoke this one", rule.what);
            let mut finding = finding(rule.id, Severity::Error, message);
            finding.cwe = Some("CWE-798".to_owned());
            finding.owasp = Some("A07".to_owned());
            Found::new(finding).on(name.as_bytes())
        })
        .collect()
}

/// Returns the name of a file with every credential in it replaced by `[secret]`.
pub(crate) fn clean_name(name: &str) -> Cow<'_, str> {
    replaced(name, SCANNER.places(name.as_bytes(), true, Kind::Program))
}

/// Returns the text with every credential in it replaced by `[secret]`.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    replaced(text, SCANNER.places(text.as_bytes(), false, Kind::Settings))
}

fn replaced<'a>(text: &'a str, places: Vec<(Range<usize>, &'static Rule)>) -> Cow<'a, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for (range, _) in places {
        clean.push_str(&text[from..range.start]);
        clean.push_str("[secret]");
        from = range.end;
    }
    clean.push_str(&text[from..]);
    Cow::Owned(clean)
}

/// Returns id and description of every rule, for formats that list them.
pub(crate) fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|rule| (rule.id, rule.what))
}

#[cfg(test)]
mod tests;
