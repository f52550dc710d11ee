//! The files and lines that an answer refers to.
//!
//! Only finds them in the text. Whether they exist, and whether it matters, is the `grounded` check's business.
//! Everything that merely looks like a path has to stay out: URLs, globs, placeholders, `and/or`, versions,
//! dates, MIME types, product names such as `Node.js`.

mod tree;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::answer::{Answer, Shape};

/// More citations than this are not looked up: nobody reads an answer with so many.
const LIMIT: usize = 5_000;
/// So many bytes before and behind a path are its context.
const AROUND: usize = 400;

/// The first and the last line of a range, from 1.
pub(crate) type Range = (u64, u64);

/// A file that an answer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Citation {
    /// The path as it was written, without line numbers and decoration.
    pub(crate) path: String,
    pub(crate) lines: Option<Range>,
    /// Whether it can be nothing else than a file; otherwise it counts only if there is one.
    pub(crate) certain: bool,
    /// The line of the answer that it stands in, or the part of it around the path.
    pub(crate) context: String,
    /// Where it begins in `context`, in bytes.
    pub(crate) at: usize,
    /// What a listing such as `grep -n` shows behind `path:line:`.
    pub(crate) content: Option<String>,
}

/// Returns every file that the answer names, in its prose and in blocks that are listings.
pub(crate) fn citations(answer: &Answer<'_>) -> Vec<Citation> {
    let mut found = Vec::new();
    let mut column: Option<Option<usize>> = None;
    for line in answer.prose.iter().filter(|line| !matches!(line.shape, Shape::Blank | Shape::Quote)) {
        let before = found.len();
        in_line(line.text, &mut found);
        if line.shape == Shape::Table {
            // The first row says which column has lines; where it is no heading, the one behind the path has.
            let column = *column.get_or_insert_with(|| heading(line.text, found.len() > before));
            let placed = column.and_then(|column| cell(line.text, column));
            found[before..].iter_mut().for_each(|citation| citation.lines = citation.lines.or(placed));
        } else {
            column = None;
            line_below(line.text, before, &mut found);
        }
    }
    for block in answer.blocks.iter().filter(|block| block.info == "json") {
        for line in &block.lines {
            let before = found.len();
            if JSON_FILE.is_match(line) {
                in_line(line, &mut found);
            }
            line_below(line, before, &mut found);
        }
    }
    let plain = ["", "text", "txt", "plain", "plaintext", "tree"];
    for block in answer.blocks.iter().filter(|block| plain.contains(&block.info)) {
        match tree::paths(&block.lines) {
            Some(paths) => found.extend(paths.into_iter().filter_map(listed)),
            None => block.lines.iter().for_each(|line| in_listing(line, &mut found)),
        }
    }
    found
}

/// A member of a JSON document that names a file.
static JSON_FILE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""(?:file|path|filename|file_?path)"\s*:\s*""#).unwrap());

/// Gives the file of the line above the number of a line that has nothing else: `Line: 12`.
fn line_below(line: &str, before: usize, found: &mut [Citation]) {
    static ALONE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)^[\s*\-"`]*(?:lines?|zeilen?|line[_ ]?(?:number|no|start)|start_?line)[*"`]*\s*[:=]?[\s*"`]*(\d+)(?:\s?(?:-|–|to)\s?(\d+))?\W*$"#).unwrap()
    });
    if found.len() == before
        && let Some(last) = found.last_mut().filter(|citation| citation.lines.is_none())
    {
        last.lines = ALONE.captures(line).and_then(|numbers| range(&numbers));
    }
}

/// Returns the column of a table that has line numbers, by its first row.
fn heading(row: &str, has_path: bool) -> Option<usize> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\W*(?:at\s+)?(?:lines?|line\(s\)|zeilen?|l)(?:\s*(?:no\.?|nr\.?|numbers?))?\W*$")
            .unwrap()
    });
    let cells = || row.trim().trim_matches('|').split('|');
    if has_path {
        return cells().position(|cell| number(cell).is_some());
    }
    cells().position(|cell| LINE.is_match(cell))
}

fn cell(row: &str, column: usize) -> Option<Range> {
    number(row.trim().trim_matches('|').split('|').nth(column)?)
}

fn number(cell: &str) -> Option<Range> {
    static NUMBER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\s`*]*L?(\d+)(?:\s?[-–]\s?L?(\d+))?[\s`*]*$").unwrap());
    range(&NUMBER.captures(cell)?)
}

/// Returns the line with the paths of Windows written as everywhere else; it stays as long as it was.
fn slashed(line: &str) -> Cow<'_, str> {
    static PATH: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b\w[\w.-]+(?:\\\w[\w.-]+)+\.\w+\b").unwrap());
    if !line.contains('\\') {
        return Cow::Borrowed(line);
    }
    PATH.replace_all(line, |path: &regex::Captures<'_>| path[0].replace('\\', "/"))
}

/// Finds the paths in a line of prose.
pub(crate) fn in_line(line: &str, found: &mut Vec<Citation>) {
    let line = &*slashed(line);
    for (at, word) in words(line) {
        if found.len() >= LIMIT {
            return;
        }
        let next = line.as_bytes().get(at + word.len()).copied();
        let Some((path, lines, certain)) = path_of(word, next) else { continue };
        // What is said about a file stands beside it, also where a whole document is one line.
        let from = boundary(line, at.saturating_sub(AROUND));
        let context = &line[from..boundary(line, at + word.len() + AROUND)];
        let (at, end) = (at - from, at - from + word.len());
        let lines = lines.or_else(|| lines_after(&context[end..])).or_else(|| lines_before(&context[..at]));
        let at = at + word.find(path).unwrap_or(0);
        found.push(Citation {
            path: path.to_owned(),
            lines,
            certain: certain || (lines.is_some() && path.contains('/')),
            content: if from == 0 { listed_content(context, at, path) } else { None },
            context: context.to_owned(),
            at,
        });
    }
}

/// Returns the position, or the next one that begins a character; at most the end.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// Finds the path that begins a line of a listing; code in a block without a language cites nothing.
fn in_listing(line: &str, found: &mut Vec<Citation>) {
    let mut all = Vec::new();
    in_line(line, &mut all);
    let indent = line.len() - line.trim_start_matches([' ', '\t', '-', '*', '.', '/']).len();
    found.extend(all.into_iter().filter(|c| c.at <= indent && (c.path.contains('/') || c.lines.is_some())));
}

/// Returns the citation of a path that stands in a drawn tree.
fn listed(path: String) -> Option<Citation> {
    let certain = certainty(&path)?;
    Some(Citation { context: path.clone(), path, lines: None, certain, at: 0, content: None })
}

/// Returns what follows `path:12:` at the beginning of a line, as `grep -n` prints it.
fn listed_content(line: &str, at: usize, path: &str) -> Option<String> {
    static AFTER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^:\d+:(?:\d+:)?(.*)$").unwrap());
    let lead = line[..at].trim_matches([' ', '-', '*', '`', '.', '/']);
    let content = AFTER.captures(&line[at + path.len()..])?.get(1)?.as_str();
    // A blank after the colon is how people write remarks; listings print the line as it is, mostly indented too,
    // so only what looks like code is held against the file.
    let code = content.contains(['(', ')', '{', '}', ';', '=', '<', '>']) || content.starts_with("    ");
    (lead.is_empty() && code && content.trim().len() > 3).then(|| content.trim().to_owned())
}

/// Returns the words of a line with their positions. Quotes, brackets and table bars are no part of a word.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split(|c: char| c.is_whitespace() || "`\"'“”‘’(),;|—–".contains(c)).filter_map(move |word| {
        let bold = word.trim_start_matches("**").trim_end_matches("**");
        let inner = bold.trim_end_matches(['.', ':', '!', '?', '*', '_']);
        let inner = inner.strip_prefix('[').map_or(inner, |i| i.strip_suffix(']').unwrap_or(i));
        let start = inner.as_ptr() as usize - line.as_ptr() as usize;
        (!inner.is_empty()).then_some((start, inner))
    })
}

/// Takes a word apart into path and lines, if it is one.
fn path_of(word: &str, next: Option<u8>) -> Option<(&str, Option<Range>, bool)> {
    static PLACED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^([^:#]+)(?::(\d+)(?:[:\-](\d+))?(?:[:\-].*)?|#L(\d+)(?:-L?(\d+))?)$").unwrap()
    });
    if word.contains("://")
        || word.contains(['*', '?', '{', '}', '<', '>', '$', '%', '=', '\\', '[', ']', '…', '@'])
    {
        return None;
    }
    let (path, lines) = match PLACED.captures(word) {
        Some(found) => {
            let number = |i: usize| found.get(i).and_then(|m| m.as_str().parse::<u64>().ok());
            let first = number(2).or(number(4))?;
            // `path:12:5` is line and column, `path:12-15` a range.
            let range = word[found.get(1)?.end()..].contains('-');
            let last = number(3).or(number(5)).filter(|last| range && *last >= first).unwrap_or(first);
            (found.get(1)?.as_str(), Some((first, last)))
        }
        // `tests/a.py::test_x`, `src/a.rs:main`, `README.md#usage`
        None => (word.split([':', '#']).next()?, None),
    };
    let called = next == Some(b'(') && !path.contains('/');
    let certain = certainty(path)?;
    (!called).then_some((path, lines, certain))
}

/// Returns whether a word can only be a file (true) or may be one (false); `None` if it is something else.
fn certainty(path: &str) -> Option<bool> {
    let lower = path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty() && *s != "." && *s != "..").collect();
    let (first, last) = (*segments.first()?, *segments.last()?);
    let odd = path.starts_with(['~', '-', ':'])
        || path.starts_with("//")
        || path.contains("...")
        || path.chars().any(|c| !(c.is_alphanumeric() || "_-./+~ ".contains(c)))
        || segments
            .iter()
            .all(|s| s.trim_start_matches('v').chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-'))
        || PLACEHOLDERS.iter().any(|p| lower.contains(p))
        || lower.starts_with("www.");
    if odd {
        return None;
    }
    let host = first.rsplit_once('.').is_some_and(|(_, tld)| HOSTS.contains(&tld));
    if segments.len() > 1 && host && !path.starts_with('.') {
        return None;
    }
    let bare = segments.len() == 1 && !path.starts_with('/');
    match last.rsplit_once('.') {
        Some(("", _)) => (DOTFILES.contains(&last) || !bare).then_some(!bare),
        Some((stem, extension)) if EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()) => {
            let product = bare && extension == "js" && stem.starts_with(|c: char| c.is_uppercase());
            let object = bare && OBJECTS.contains(&stem);
            (!product && !object && !PRODUCTS.contains(&lower.as_str())).then_some(true)
        }
        Some(_) => (!bare).then_some(false),
        // A slash at the end is how people say that they mean a directory; a route of a server begins with one.
        None => {
            (!bare || NAMES.contains(&last)).then_some(!bare && path.ends_with('/') && !path.starts_with('/'))
        }
    }
}

fn lines_after(rest: &str) -> Option<Range> {
    static AFTER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?x)^[`*)\],:]{0,3}\s{0,2}[(,]?\s?(?:(?:is|somewhere|defined|located|starting|roughly|about|at|on|around|in|from|between|the)\ )*
                (?:[Ll]ines?(?:\ numbers?)?|L|ll?\.|Zeilen?)\s?[:\#=]?\s?(\d+)(?:\s?(?:-|–|to|and|through|until|bis|und)\s?L?(\d+))?\b",
        )
        .unwrap()
    });
    static NTH: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[`*)\],:]{0,3}\s{0,2}[(,]?\s?(?:(?:at|on|in|the)\s)*(\d+)(?:st|nd|rd|th)\s+line\b")
            .unwrap()
    });
    static JSON: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"^"\s*,\s*"(?:line|start_?line|line_?(?:number|no|start))"\s*:\s*"?(\d+)(?:"?\s*,\s*"(?:end_?line|line_?end)"\s*:\s*"?(\d+))?"#).unwrap()
    });
    let found = AFTER.captures(rest).or_else(|| JSON.captures(rest));
    match found {
        Some(found) => range(&found),
        None => NTH.captures(rest)?.get(1)?.as_str().parse().ok().map(|line| (line, line)),
    }
}

fn lines_before(lead: &str) -> Option<Range> {
    static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)\b(?:lines?|zeilen?)\s+(\d+)(?:\s?(?:-|–|to|and|through|bis|und)\s?(\d+))?\s+(?:of|in|von)\s+(?:the file\s+)?[`"*\[]*$|"line"\s*:\s*"?(\d+)"?\s*,\s*"(?:file|path|filename)"\s*:\s*"$|\b(\d+)(?:st|nd|rd|th) line of\s+[`"*\[]*$"#,
        )
        .unwrap()
    });
    range(&BEFORE.captures(lead)?)
}

fn range(found: &regex::Captures<'_>) -> Option<Range> {
    let first = found.get(1).or_else(|| found.get(3)).or_else(|| found.get(4))?.as_str().parse().ok()?;
    let last =
        found.get(2).and_then(|m| m.as_str().parse().ok()).filter(|last| *last >= first).unwrap_or(first);
    Some((first, last))
}

const PLACEHOLDERS: [&str; 8] =
    ["path/to", "foo/bar", "your-", "your_", "/foo.", "some/", "xxx", "example.com"];
const HOSTS: [&str; 10] = ["com", "org", "net", "io", "dev", "edu", "ai", "gov", "rs", "co"];
const OBJECTS: [&str; 14] = [
    "res", "req", "resp", "response", "request", "r", "body", "data", "self", "this", "ctx", "event", "std",
    "obj",
];
const PRODUCTS: [&str; 16] = [
    "node.js",
    "next.js",
    "vue.js",
    "nuxt.js",
    "react.js",
    "express.js",
    "three.js",
    "d3.js",
    "p5.js",
    "chart.js",
    "discord.js",
    "stdio.h",
    "stdlib.h",
    "string.h",
    "math.h",
    "moment.js",
];
const NAMES: [&str; 10] = [
    "Makefile",
    "Dockerfile",
    "LICENSE",
    "Gemfile",
    "Rakefile",
    "Jenkinsfile",
    "CODEOWNERS",
    "Procfile",
    "Justfile",
    "justfile",
];
const DOTFILES: [&str; 9] = [
    ".gitignore",
    ".dockerignore",
    ".editorconfig",
    ".gitattributes",
    ".npmrc",
    ".prettierrc",
    ".eslintrc",
    ".env",
    ".gitlab-ci.yml",
];
const EXTENSIONS: [&str; 88] = [
    "rs", "py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "mts", "tsx", "go", "java", "kt", "kts", "scala",
    "c", "h", "cc", "cpp", "cxx", "hpp", "hh", "cs", "fs", "rb", "php", "pl", "pm", "lua", "r", "jl",
    "swift", "m", "mm", "ex", "exs", "erl", "hs", "ml", "mli", "clj", "zig", "nim", "dart", "vue", "svelte",
    "astro", "html", "htm", "css", "scss", "sass", "less", "json", "jsonl", "json5", "yaml", "yml", "toml",
    "ini", "cfg", "conf", "xml", "csv", "tsv", "sql", "graphql", "proto", "md", "mdx", "rst", "adoc", "txt",
    "sh", "bash", "zsh", "fish", "ps1", "bat", "mk", "cmake", "gradle", "tf", "nix", "lock", "ipynb",
    "patch", "snap",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cited(line: &str) -> Vec<(String, Option<Range>)> {
        let mut found = Vec::new();
        in_line(line, &mut found);
        found.into_iter().filter(|c| c.certain).map(|c| (c.path, c.lines)).collect()
    }

    #[test]
    fn paths_and_lines_in_the_ways_people_write_them() {
        let one = |path: &str, lines| vec![(path.to_owned(), lines)];
        for (line, path, lines) in [
            ("see src/lib.rs.", "src/lib.rs", None),
            ("`src/lib.rs:12`", "src/lib.rs", Some((12, 12))),
            ("src/lib.rs:12:5: error", "src/lib.rs", Some((12, 12))),
            ("src/lib.rs:12-20", "src/lib.rs", Some((12, 20))),
            ("src/lib.rs#L12-L20", "src/lib.rs", Some((12, 20))),
            ("in `src/lib.rs` (line 12)", "src/lib.rs", Some((12, 12))),
            ("in src/lib.rs, lines 3-5, we", "src/lib.rs", Some((3, 5))),
            ("on line 7 of `src/lib.rs`", "src/lib.rs", Some((7, 7))),
            ("[the file](src/lib.rs)", "src/lib.rs", None),
            ("**src/lib.rs:3** is it", "src/lib.rs", Some((3, 3))),
            ("[src/lib.rs:3] is it", "src/lib.rs", Some((3, 3))),
            ("tests/test_a.py::test_b fails", "tests/test_a.py", None),
            ("`main.rs` has it", "main.rs", None),
            ("| src/lib.rs | 3 |", "src/lib.rs", None),
            ("docs/README.md#usage", "docs/README.md", None),
            ("./src/lib.rs:4", "./src/lib.rs", Some((4, 4))),
            ("src/lib.rs between lines 3 and 5", "src/lib.rs", Some((3, 5))),
            ("src/lib.rs, from line 3 to 5", "src/lib.rs", Some((3, 5))),
            ("src/lib.rs, lines 3 to 5", "src/lib.rs", Some((3, 5))),
            ("src/lib.rs, Line: 3", "src/lib.rs", Some((3, 3))),
            ("src/lib.rs, 3rd line", "src/lib.rs", Some((3, 3))),
            ("the 3rd line of src/lib.rs", "src/lib.rs", Some((3, 3))),
            ("{\"file\":\"src/lib.rs\",\"line\":3}", "src/lib.rs", Some((3, 3))),
            ("{\"line\": 3, \"file\": \"src/lib.rs\"}", "src/lib.rs", Some((3, 3))),
            ("src/lib.rs, Zeile 3", "src/lib.rs", Some((3, 3))),
            (r"it is in src\deep\lib.rs:3", "src/deep/lib.rs", Some((3, 3))),
            ("all of src/deep/ is", "src/deep/", None),
            ("déjà/vu.py:1", "déjà/vu.py", Some((1, 1))),
        ] {
            assert_eq!(cited(line), one(path, lines), "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_a_path_is_none() {
        for line in [
            "see https://example.org/a/b.html and www.rust-lang.org/x.md",
            "all of src/**/*.rs and *.py and src/{a,b}.rs",
            "<path>/x.rs, path/to/file.rs, $HOME/a.sh, ${x}/b.rs",
            "and/or, I/O, TCP/IP, n/a, client/server, yes/no",
            "1.2/3, 2024/01/02, v1.2.3, 3.14, 24/7",
            "application/json and text/html; @scope/pkg",
            "Node.js, Vue.js and Next.js; React.js",
            "github.com/owner/repo/README.md",
            "e.g. this, i.e. that",
            "response.json() and res.json",
            "std::fs::read, a::b, key: value",
            "feature/login and origin/main",
            "files ending in .rs or .py",
            "12:30:15 and 10:20",
        ] {
            assert_eq!(cited(line), [], "{line}");
        }
    }

    #[test]
    fn lines_that_stand_apart_from_their_file_belong_to_it() {
        for text in [
            "File: src/a.rs\nLine: 7",
            "| file | line |\n|---|---|\n| src/a.rs | 7 |",
            "| what | line | file |\n|---|---|---|\n| x | 7 | src/a.rs |",
            "| src/a.rs | 7 |",
            "```json\n[{\n  \"file\": \"src/a.rs\",\n  \"line\": 7\n}]\n```",
        ] {
            let found = citations(&Answer::parse(text));
            assert_eq!(found.iter().map(|c| c.lines).collect::<Vec<_>>(), [Some((7, 7))], "{text}");
        }
        let counts = citations(&Answer::parse("| file | functions |\n|---|---|\n| src/a.rs | 7 |"));
        assert_eq!(counts[0].lines, None);
    }

    #[test]
    fn listings_count_and_code_does_not() {
        let answer = Answer::parse(
            "```\nsrc/a.rs:3:    let x = 1;\nx = open(\"b/c.py\")\n```\n```python\nd/e.py\n```\n",
        );
        let found = citations(&answer);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].content.as_deref(), Some("let x = 1;"));
    }
}
