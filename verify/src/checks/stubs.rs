//! Was something left undone: `TODO`, `unimplemented!()`, "your code here", bodies that are only `pass`?
//!
//! Looks at the lines that the work added; where git cannot tell, at the code blocks of a writer's answer. What was
//! there before is not the attempt's doing, and in strings such words are data.

use std::sync::LazyLock;

use regex::Regex;

use crate::attempt::{Attempt, Kind};
use crate::observation::{Observation, Standing, worst};
use crate::patch::{FilePatch, Side};

const NAME: &str = "stubs";

static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)\b(?:TODO|FIXME|XXX|HACK|TBD)\b
        | \b(?:todo|unimplemented)!\s*[(\[{]
        | \bNotImplementedError\b | \bNotImplementedException\b | \bNotYetImplemented\b
        | (?i:\bnot\ (?:yet\ )?implemented\b)
        | (?i:\bimplement\ (?:this|me|here|later|the\ rest)\b)
        | (?i:\b(?:your|add|insert|put)\ (?:\w+\ )?(?:code|logic|implementation)\ (?:goes\ )?here\b)
        | (?i:\b(?:rest|remainder)\ of\ (?:the\ |your\ )?(?:\w+\ )?(?:code|implementation|file|function|class|logic|methods?)\b)
        | (?i:(?:\.\.\.|…)\s*(?:existing|remaining|previous|other|rest)\b|\b(?:existing|remaining|previous)\ code\s*(?:\.\.\.|…))
        | (?i:(?://|\#|/\*|<!--)\s*(?:placeholder|stub(?:bed)?|pseudo-?code|dummy\ implementation|simplified\ for\ now|for\ now,?\ (?:just\ |simply\ |we\ (?:just\ )?)?(?:returns?|hard-?codes?|skips?|ignores?|fakes?|mocks?|do(?:es)?\ nothing))\b)
        | (?i:\b(?:placeholder|stub|dummy)\ (?:implementation|function|method|value\ for\ now)\b)
        "#,
    )
    .unwrap()
});

/// A function whose body is still to come, in Python.
static DEFINITION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*(?:async\s+)?def\s+\w+").unwrap());

/// Looks for what was left undone.
pub(crate) fn check(attempt: &Attempt<'_>) -> Observation {
    if attempt.is_factual() {
        return Observation::new(NAME, Standing::Skipped, "no model was asked");
    }
    if is_about_stubs(&attempt.task.text) {
        return Observation::new(NAME, Standing::Skipped, "the task itself is about such markers");
    }
    if let Some(patch) = attempt.patch() {
        let found = patch.iter().flat_map(in_patch).collect();
        return worst(NAME, found, (Standing::Clean, String::new()));
    }
    // A reader's answer quotes code that was there before.
    if attempt.kind.only_reads() {
        return Observation::new(NAME, Standing::Skipped, "nothing was to be written");
    }
    let blocks = attempt
        .answer
        .blocks
        .iter()
        .filter(|block| !matches!(block.info, "diff" | "text" | "console" | "sh"));
    let code: Vec<&str> = blocks.flat_map(|block| block.lines.iter().copied()).collect();
    if code.is_empty() {
        let standing = if attempt.kind.writes() { Standing::Open } else { Standing::Skipped };
        return Observation::new(NAME, standing, "no code to look at");
    }
    let lines: Vec<(u64, &str)> = (1..).zip(code.iter().copied()).collect();
    let found = in_lines(&lines, attempt.kind == Kind::Document);
    let found =
        found.into_iter().map(|(_, text)| (Standing::Hard, format!("its code has `{text}`"))).collect();
    worst(NAME, found, (Standing::Clean, String::new()))
}

fn in_patch(file: &FilePatch) -> Vec<(Standing, String)> {
    let before: Vec<&str> = file.side(Side::Removed).map(|line| line.text.trim()).collect();
    let added: Vec<(u64, &str)> = file
        .side(Side::Added)
        .filter(|line| !before.contains(&line.text.trim()))
        .map(|line| (line.number, line.text.as_str()))
        .collect();
    let prose = [".md", ".mdx", ".rst", ".adoc", ".txt", ".html"].iter().any(|end| file.path.ends_with(end));
    let found = in_lines(&added, prose);
    found
        .into_iter()
        .map(|(line, text)| (Standing::Hard, format!("{}:{line} has `{text}`", file.path)))
        .collect()
}

fn in_lines(lines: &[(u64, &str)], prose: bool) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    for (position, (number, line)) in lines.iter().enumerate() {
        let harmless =
            |marker: &regex::Match<'_>| quoted(line, marker.start()) || (prose && mentioned(line, marker));
        let marked = MARKER.find_iter(line).any(|marker| !harmless(&marker));
        if marked || is_empty_body(lines, position) {
            found.push((*number, super::shown(line)));
        }
    }
    found
}

/// In prose, "the TODO list" speaks of such markers; `TODO: write this` is one.
fn mentioned(line: &str, marker: &regex::Match<'_>) -> bool {
    let word = marker.as_str();
    let is_word = matches!(word, "TODO" | "FIXME" | "XXX" | "HACK" | "TBD");
    !is_word || !(line[marker.end()..].starts_with([':', '(']) || line.trim() == word)
}

/// Tells whether a position is inside a string or inline code.
fn quoted(line: &str, at: usize) -> bool {
    ['"', '\'', '`']
        .iter()
        .any(|mark| line[..at].matches(*mark).count() % 2 == 1 && line[at..].contains(*mark))
        && !line.contains("Error(")
        && !line.contains("throw ")
        && !line.contains("panic")
}

/// Tells whether a line is the whole body of a Python function and does nothing.
fn is_empty_body(lines: &[(u64, &str)], position: usize) -> bool {
    let (_, line) = lines[position];
    if !matches!(line.trim(), "pass" | "...") {
        return false;
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    // Up over a docstring to the definition; a line of code on the way is a body.
    let mut above = lines[..position].iter().rev().filter(|(_, above)| !above.trim().is_empty());
    let Some((_, definition)) = above.find(|(_, above)| indent(above) < indent(line)) else { return false };
    let at = lines.iter().position(|(_, l)| l == definition).unwrap_or(0);
    let body = &lines[at + 1..position];
    let only_docstring = body.iter().all(|(_, l)| {
        let l = l.trim();
        l.is_empty() || l.starts_with(['"', '\'', '#']) || !l.contains(['=', '(', ':'])
    });
    let last_of_body =
        lines.get(position + 1).is_none_or(|(_, next)| next.trim().is_empty() || indent(next) < indent(line));
    let abstract_ =
        lines[..at].iter().rev().take(3).any(|(_, l)| l.contains("abstractmethod") || l.contains("overload"));
    let protocol = lines[..at].iter().rev().any(|(_, l)| l.contains("Protocol") || l.contains("(ABC)"));
    DEFINITION.is_match(definition) && only_docstring && last_of_body && !abstract_ && !protocol
}

fn is_about_stubs(task: &str) -> bool {
    static ABOUT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:todos?|fixmes?|stubs?|placeholders?|unimplemented|not implemented|pseudo-?code|skeleton|scaffold\w*)\b").unwrap()
    });
    ABOUT.is_match(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str) -> usize {
        let lines: Vec<(u64, &str)> = (1..).zip(code.lines()).collect();
        in_lines(&lines, false).len()
    }

    #[test]
    fn stubs_are_found() {
        for code in [
            "// TODO: handle errors",
            "    todo!()",
            "unimplemented!(\"later\")",
            "raise NotImplementedError",
            "throw new Error('Not implemented');",
            "# your code here",
            "// ... existing code ...",
            "// rest of the implementation",
            "def f(x):\n    pass",
            "def f(x):\n    \"\"\"Says.\"\"\"\n    ...",
            "# placeholder for now",
            "// for now, returns a fixed value",
        ] {
            assert_eq!(found(code), 1, "{code}");
        }
    }

    #[test]
    fn what_only_looks_like_a_stub_is_none() {
        for code in [
            "let marker = \"TODO\";",
            "try:\n    f()\nexcept E:\n    pass",
            "class MyError(Exception):\n    pass",
            "@abstractmethod\ndef f(self):\n    ...",
            "def f(x):\n    if x:\n        pass\n    return 1",
            "let todo_list = todos.len();",
            "fn placeholder(&self) -> &str {",
        ] {
            assert_eq!(found(code), 0, "{code}");
        }
    }

    #[test]
    fn moved_lines_are_not_new() {
        let patch = crate::patch::parse(
            "diff --git a/x.rs b/x.rs\n--- a/x.rs\n+++ b/x.rs\n@@ -1,1 +1,2 @@\n-// TODO: old\n+fn f() {}\n+    // TODO: old\n",
        );
        assert!(in_patch(&patch[0]).is_empty());
    }
}
