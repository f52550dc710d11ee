//! The `syntax` gate: does a file parse?
//!
//! Grammars are those of tree-sitter, which never give up: a tree always comes out, with ERROR nodes where text
//! had to be left out and MISSING nodes where a token had to be made up. Both are faults here. The grammars are
//! a little wider than their languages, so a clean tree is good evidence and no proof; what they let pass and
//! matters (Python's indentation, strict JSON) is checked beside them.

mod bounds;
mod c;
mod fault;
mod json;
mod language;
mod python;
mod rust;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use shared::section::Severity;
use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use crate::found::{Checked, Found, finding};
use crate::text::{self, Lines};
use fault::{Fault, Kind};
use language::Language;

/// Larger files are not parsed: they are data or were generated, and a tree takes twenty times their size.
pub(crate) const MAX_BYTES: usize = 8 << 20;
/// The longest that one file may take. Real files of the size above stay far below it.
const MAX_TIME: Duration = Duration::from_secs(20);
/// How many faults of one file are told; more are mostly echoes of the first.
const MAX_FAULTS: usize = 10;

/// Parses a file and says what is wrong with it.
pub(crate) fn check(path: &Path, content: &[u8]) -> Checked {
    let content = &*text::decode(content);
    let Some(language) = Language::of(path, content) else { return Checked::NotApplicable };
    if text::is_binary(content) {
        return Checked::Unverifiable(format!("it is named like {} but is a binary file", language.name()));
    }
    if content.len() > MAX_BYTES {
        return Checked::Unverifiable(format!("it is larger than {} MiB", MAX_BYTES >> 20));
    }
    if !bounds::fits(language, content) {
        return Checked::Unverifiable(format!(
            "it is nested deeper than the parser of {} can follow",
            language.name()
        ));
    }
    let lines = Lines::new(content);
    let mut faults = if language == Language::Json {
        Vec::from_iter(json::strict(content, &lines))
    } else {
        let Some(tree) = parse(language, content) else {
            return Checked::Unverifiable(format!("parsing it took longer than {} s", MAX_TIME.as_secs()));
        };
        let mut faults = fault::faults(&tree, content);
        match language {
            Language::Jsonc => json::tolerant(content, &mut faults),
            Language::Python => python::indentation(&tree, &lines, &mut faults),
            _ => {}
        }
        faults
    };
    if faults.is_empty() {
        return Checked::Yes(Vec::new());
    }
    if is_template(language, content) {
        return Checked::Unverifiable(format!("it is a template from which {} is made", language.name()));
    }
    let doubt = match language {
        Language::C | Language::Cpp if !c::certain(&faults, content) => Some("a macro may explain it"),
        Language::Bash if !bash_is_certain(&faults, content) => Some("`bash -n` may know better"),
        Language::Rust if rust::parses(content) => return Checked::Yes(Vec::new()),
        _ => None,
    };
    faults.sort_by_key(|fault| fault.offset);
    faults.dedup_by_key(|fault| fault.offset);
    let rest = faults.len().saturating_sub(MAX_FAULTS);
    faults.truncate(MAX_FAULTS);
    let mut found: Vec<Found> = faults.into_iter().map(|fault| told(fault, language, &lines)).collect();
    if let (Some(last), true) = (found.last_mut(), rest > 0) {
        last.finding.message.push_str(&format!(" (and {rest} more)"));
    }
    if let Some(doubt) = doubt {
        for found in &mut found {
            found.finding.rule = "syntax-doubt".to_owned();
            found.finding.severity = Severity::Warning;
            found.finding.message.push_str(&format!("; {doubt}"));
        }
        return Checked::Doubtful(
            found,
            format!("{} that the parser does not follow, and {doubt}", language.name()),
        );
    }
    Checked::Yes(found)
}

fn told(fault: Fault, language: Language, lines: &Lines) -> Found {
    let (line, column) = lines.position(fault.offset);
    let mut finding =
        finding("syntax-error", Severity::Error, format!("{}: {}", language.name(), fault.message));
    finding.line = Some(line);
    finding.column = Some(column);
    Found::new(finding).on(lines.line(lines.index(fault.offset)))
}

fn parse(language: Language, content: &[u8]) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&language.grammar()).ok()?;
    let deadline = Instant::now() + MAX_TIME;
    let mut watch = |_: &ParseState| {
        if Instant::now() > deadline { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut watch);
    parser.parse_with_options(&mut |at, _| content.get(at..).unwrap_or_default(), None, Some(options))
}

/// The grammar of Bash does not know all of its expansions, and after one of them it loses count of brackets. That a
/// quote, an `if` or a substitution is left open it does know; that a `{` is, if the lines say so too.
fn bash_is_certain(faults: &[Fault], content: &[u8]) -> bool {
    let lines = || content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let opened = || lines().filter(|line| line.ends_with(b"{") && !line.starts_with(b"#")).count();
    let closed = || lines().filter(|line| line.starts_with(b"}")).count();
    faults.iter().filter(|fault| fault.kind == Kind::Unbalanced).any(|fault| {
        match fault.message.split('`').nth(1) {
            Some("{") => opened() > closed(),
            Some("(" | "[" | "${" | "$(") => false,
            _ => true,
        }
    })
}

/// Tells whether the file is made into its language by a template engine (Helm, Jinja, ERB, cookiecutter).
fn is_template(language: Language, content: &[u8]) -> bool {
    let holds = |what: &[u8]| content.windows(what.len()).any(|window| window == what);
    match language {
        Language::Yaml => {
            // `${{ … }}` is an expression of a workflow and plain YAML; `{{` that opens a value is not.
            holds(b"{%")
                || holds(b"<%")
                || content.windows(3).any(|window| window[1..] == *b"{{" && window[0] != b'$')
                || content.starts_with(b"{{")
        }
        Language::JavaScript | Language::TypeScript => holds(b"{% ") || holds(b"<%"),
        Language::Python | Language::Toml | Language::Json | Language::Jsonc => {
            holds(b"{% ") || holds(b"{{ cookiecutter")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
