//! What a text names: files, symbols, calls, error texts. What it says about them is left to others.
//!
//! A name is a target that somebody can go to, so it counts for clarity; and it can be looked up, so it counts for
//! context. Only what is surely a file of the project is ever missed there: `node.js`, `and/or`, `/etc/hosts` and
//! `application/json` are none.

use crate::lexicon::{self, Act};
use crate::words::{self, Cut, Kind, Token};

/// So many names of one text are looked up.
const MOST: usize = 24;
/// A quotation of fewer words is a label; it stands in too many places to tell anything.
const WORDS_OF_TEXT: usize = 3;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A file, by its path or its name, perhaps with a line.
    File { line: Option<u32> },
    /// A path without a file's ending: a directory, a module, or none at all.
    Path,
    /// A function, a type, a variable: by its last component.
    Symbol,
    /// A word that looks like a symbol and may be a brand.
    Camel,
    /// What a program says: an error, a label.
    Text,
    /// Something that is nowhere in a project: a URL, a flag, code.
    Other,
}

/// A thing that a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named<'t> {
    pub(crate) what: What,
    pub(crate) text: &'t str,
    /// It need not be there: the text may ask for it to be made, or it may be of a library, or a field or a variable,
    /// which no index knows.
    pub(crate) may_be_absent: bool,
}

impl Named<'_> {
    /// Tells whether somebody can go there by the name alone.
    pub(crate) fn is_target(&self) -> bool {
        !matches!(self.what, What::Camel | What::Text)
    }
}

/// Returns what a text names, each thing once, in its order.
pub(crate) fn in_text<'t>(text: &'t str, tokens: &[Token<'t>]) -> Vec<Named<'t>> {
    let mut found: Vec<Named<'t>> = Vec::new();
    for (token, makes) in tokens.iter().zip(in_sentences_that_make(tokens)) {
        let mut add = |what, name: &'t str| {
            let name = name.trim();
            let is_new = !found.iter().any(|known| known.text == name && known.what == what);
            if is_new && !name.is_empty() && found.len() < MOST {
                let is_call = token.kind == Kind::Name && text[token.end()..].starts_with("()");
                let is_own = !token.text.contains(['.', ':', '>']);
                let may_be_absent = makes || what == What::Symbol && !(is_call && is_own);
                found.push(Named { what, text: name, may_be_absent });
            }
        };
        match token.kind {
            Kind::Name => {
                // The dot of `./a.rs` is not part of the token.
                let before = &text[..token.at];
                let is_here = before.ends_with('.') && !before.ends_with("..");
                let name = if is_here { token.text.trim_start_matches('/') } else { token.text };
                if text[token.end()..].starts_with("()") {
                    add(What::Symbol, last(name));
                } else {
                    let (what, name) = of_name(name);
                    add(what, name);
                }
            }
            Kind::Word if is_camel(token.text) => add(What::Camel, token.text),
            Kind::Quote => {
                let inner = unquoted(token.text);
                let is_code = token.text.starts_with('`');
                if !inner.contains(char::is_whitespace) {
                    match of_name(inner) {
                        (What::Other, name) if is_code && is_identifier(name) => add(What::Symbol, name),
                        (What::Other, name) if is_code => add(What::Other, name),
                        (What::Other, _) => {}
                        (what, name) => add(what, name),
                    }
                } else if is_code {
                    add(What::Other, inner);
                } else if inner.split_whitespace().count() >= WORDS_OF_TEXT {
                    add(What::Text, inner);
                }
            }
            Kind::Block => {
                add(What::Other, first_line(token.text));
                for line in errors(token.text).take(3) {
                    add(What::Text, line);
                }
            }
            _ => {}
        }
    }
    for line in errors(text).take(3) {
        if found.len() < MOST
            && !found.iter().any(|known| known.what == What::Text && known.text.contains(line))
        {
            found.push(Named { what: What::Text, text: line, may_be_absent: false });
        }
    }
    found
}

/// Tells for each token whether its sentence asks for something to be made. The items of a list belong to what introduces it.
fn in_sentences_that_make(tokens: &[Token]) -> Vec<bool> {
    let ends = |at: &usize| matches!(tokens[*at].cut, Cut::Sentence | Cut::Paragraph);
    let mut begin = 0;
    let mut makes = vec![false; tokens.len()];
    for end in (1..tokens.len()).filter(ends).chain([tokens.len()]) {
        if tokens[begin..end].iter().any(|token| token.kind == Kind::Word && makes_files(token)) {
            makes[begin..end].fill(true);
        }
        begin = end;
    }
    makes
}

/// Tells whether a file that is named in the same sentence may be one that is not there yet.
fn makes_files(token: &Token) -> bool {
    let words = [
        "new", "into", "called", "named", "save", "saves", "output", "outputs", "export", "rename", "move",
        "extract", "split", "produce", "scaffold", "copy", "store", "dump",
    ];
    matches!(token.meaning.act, Some(Act::Add)) || {
        // Several words for one act: the lexicon knows most of them as something else, too.
        let written = ["create", "add", "write", "generate", "introduce", "implement", "build", "init"];
        words.iter().chain(&written).any(|known| starts_with_ignore_case(token.text, known))
    }
}

fn starts_with_ignore_case(word: &str, known: &str) -> bool {
    let is_form = |rest: &str| rest.is_empty() || ["s", "d", "ed", "ing"].contains(&rest);
    word.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
        && is_form(&word[known.len()..])
        || word.eq_ignore_ascii_case("creating")
        || word.eq_ignore_ascii_case("writing")
}

/// Returns what a word is that is no plain one, and the part of it that is looked up.
fn of_name(name: &str) -> (What, &str) {
    let (path, line) = without_line(name);
    if name.contains("://")
        || name.starts_with(['-', '$', '@', '~', '#', '%'])
        || name.contains(['*', '=', '<', '&', '\\'])
    {
        return (What::Other, name);
    }
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        // Outside of the project, or a route of a server.
        return (What::Other, name);
    }
    if path.split('/').any(|part| BROUGHT.contains(&part)) {
        return (What::Other, name);
    }
    let path = path.strip_prefix("./").unwrap_or(path);
    if is_file(path) {
        return (What::File { line }, path);
    }
    if path.contains('/') {
        return (What::Path, path);
    }
    let last = last(name);
    let is_compound = name.contains("::") || name.contains('.') || name.contains('_') || name.contains("->");
    if is_compound && is_identifier(last) { (What::Symbol, last) } else { (What::Other, name) }
}

/// Directories of what others wrote and of what is built, as traces show them.
const BROUGHT: [&str; 8] =
    ["node_modules", "site-packages", "dist-packages", "vendor", ".cargo", "target", "dist", "build"];

/// Takes `:17` and `:17:4` off, also `#L17`.
fn without_line(name: &str) -> (&str, Option<u32>) {
    if let Some((path, line)) = name.split_once("#L") {
        let digits = line.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        return (path, digits.parse().ok());
    }
    let mut parts = name.splitn(3, ':');
    let path = parts.next().unwrap_or(name);
    match parts.next().map(|line| line.split('-').next().unwrap_or(line).parse::<u32>()) {
        Some(Ok(line)) => (path, Some(line)),
        _ => (name, None),
    }
}

/// The endings of files that people work on.
const ENDINGS: &str = " rs py pyi js jsx mjs cjs ts tsx mts cts go java kt kts scala c h cc cpp cxx hpp hh hxx m mm cs fs vb \
rb erb php sh bash zsh fish ps1 bat pl pm lua r jl ex exs erl hs ml mli clj cljs dart swift zig nim sql proto graphql \
html htm css scss sass less vue svelte astro md mdx rst adoc txt json jsonl json5 jsonc yaml yml toml ini cfg conf xml csv tsv \
lock gradle cmake mk tf tfvars hcl nix tex ipynb env properties gitignore dockerignore editorconfig proto plist \
";

/// Bare names that end like files and are products.
const PRODUCTS: &str = " node vue next nuxt express react three d3 chart moment discord electron angular ember backbone \
socket alpine knockout p5 pdf ag solid svelte preact meteor sails koa hapi nest require common asp ";

fn is_file(path: &str) -> bool {
    let base = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, ending)) = base.rsplit_once('.') else {
        return ["Makefile", "Dockerfile", "Jenkinsfile", "Gemfile", "Rakefile", "Procfile", "Vagrantfile"]
            .contains(&base);
    };
    if ending.is_empty() || !listed(ENDINGS, ending) || !base.bytes().all(is_name_byte) {
        return false;
    }
    let is_product = ending.eq_ignore_ascii_case("js")
        && base.len() == path.len()
        && (listed(PRODUCTS, stem) || stem.starts_with(|c: char| c.is_ascii_uppercase()));
    !is_product
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'@' | b'[' | b']' | b'(' | b')')
        || byte >= 0x80
}

fn listed(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|known| known.eq_ignore_ascii_case(word))
}

/// Returns the last component of a qualified name.
fn last(name: &str) -> &str {
    let name = name.trim_end_matches(['(', ')', '!', '?', ';']);
    name.rsplit([':', '.', '>', '#']).next().unwrap_or(name)
}

fn is_identifier(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// `parseConfig` and `UserService`, but not `GitHub`s of one hump more than a name has.
fn is_camel(word: &str) -> bool {
    let bytes = word.as_bytes();
    let humps =
        bytes.windows(2).filter(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase()).count();
    humps > 0 && bytes.iter().all(u8::is_ascii_alphanumeric) && lexicon::word(word).is_unknown()
}

fn unquoted(quote: &str) -> &str {
    quote.trim_matches(['"', '`', '\'', '“', '”', '«', '»', '‘', '’', '„']).trim()
}

fn first_line(block: &str) -> &str {
    let mut lines = block.lines().map(|line| line.trim().trim_matches('`')).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("code");
    &first[..words::floor(first, first.len().min(60))]
}

/// Returns what the errors in a text say: the rest of a line after `SomethingError:`, `error:` or `panicked at …:`.
fn errors(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take(200).filter_map(|line| {
        let line = &line[..words::floor(line, line.len().min(400))];
        let mut begin = 0;
        loop {
            let colon = begin + line[begin..].find(": ")?;
            let word =
                line[..colon].rsplit(|c: char| c.is_whitespace() || c == '.').next().unwrap_or_default();
            let word = word.trim_start_matches(['`', '"', '\'', '(', '*']);
            let word = word.split('[').next().unwrap_or(word);
            let ends = |end: &str| {
                let at = word.len().saturating_sub(end.len());
                word.get(at..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
            };
            if ends("error") || ends("exception") || ends("panic") || ends("fatal") {
                let rest = line[colon + 2..].split(['`', '"']).next().unwrap_or_default().trim();
                return (rest.split_whitespace().count() >= WORDS_OF_TEXT).then_some(rest);
            }
            begin = colon + 2;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(What, String)> {
        let tokens = words::tokens(text);
        in_text(text, &tokens).into_iter().map(|named| (named.what, named.text.to_owned())).collect()
    }

    #[test]
    fn files_and_symbols_are_named() {
        let file = What::File { line: None };
        for (text, expected) in [
            ("Fix typo in README.md line 42", vec![(file, "README.md")]),
            ("fix ./src/a.rs:17.", vec![(What::File { line: Some(17) }, "src/a.rs")]),
            ("see lib/x.py#L3", vec![(What::File { line: Some(3) }, "lib/x.py")]),
            (
                "rename parse_config and call load()",
                vec![(What::Symbol, "parse_config"), (What::Symbol, "load")],
            ),
            ("why does `Config::load` hang?", vec![(What::Symbol, "load")]),
            (
                "the `retries` option of UserService",
                vec![(What::Symbol, "retries"), (What::Camel, "UserService")],
            ),
            ("look into src/auth", vec![(What::Path, "src/auth")]),
            ("it says \"no such column found\"", vec![(What::Text, "no such column found")]),
            (
                "it fails with ValueError: bad literal for int()",
                vec![(What::Symbol, "int"), (What::Text, "bad literal for int()")],
            ),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(what, text)| (what, text.to_owned())).collect();
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_file_and_is_none_is_never_missed() {
        for text in [
            "upgrade Node.js and vue.js",
            "edit /etc/hosts",
            "serve application/json",
            "read and/or write",
            "open https://example.org/a.html",
            "version 3.11",
            "delete *.log",
            "it fails at node_modules/express/lib/router.js:47:12",
            "fix src/../../a.rs",
            "Make everything nicer, prefix the capital address profile.",
        ] {
            assert!(
                names(text).iter().all(|(what, _)| !matches!(what, What::File { .. })),
                "{text}: {:?}",
                names(text)
            );
        }
    }

    #[test]
    fn what_is_to_be_made_need_not_be_there() {
        let new = |text: &str| {
            let tokens = words::tokens(text);
            in_text(text, &tokens)[0].may_be_absent
        };
        assert!(new("Create src/new.rs with the parser"));
        assert!(new("extract the parser into src/new.rs"));
        assert!(new("write a test in tests/new.rs"));
        assert!(new("In src/new.rs, create the parser"));
        assert!(new("Create these files:\n\n- src/new.rs\n- src/other.rs"));
        assert!(!new("fix the crash in src/a.rs"));
        assert!(!new("Create a parser. Then delete src/a.rs"));
    }
}
