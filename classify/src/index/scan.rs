//! Reads a file lightly: the symbols it defines, what it imports, what it says.
//!
//! One table of regular expressions for each language, no syntax trees: a name too many does no harm here, and a tree
//! of fifty thousand files has to be read in seconds. What stands in a comment at the beginning of a line may be taken
//! for code.

use std::sync::LazyLock;

use regex::Regex;

use super::language::{Language, name_of};
use super::texts;

/// More symbols than this has no file that people wrote.
const SYMBOLS: usize = 4_000;
const IMPORTS: usize = 1_000;

/// Stands before the import of a module that is compiled for tests alone.
pub(crate) const TEST: &str = "test ";

/// What a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Function,
    Type,
    Module,
    Value,
}

impl Kind {
    pub(crate) fn from_code(code: u8) -> Kind {
        [Kind::Function, Kind::Type, Kind::Module, Kind::Value]
            .get(usize::from(code))
            .copied()
            .unwrap_or(Kind::Value)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Function => "function",
            Kind::Type => "type",
            Kind::Module => "module",
            Kind::Value => "value",
        }
    }
}

/// A name that a file defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// From 1.
    pub(crate) line: u32,
}

/// What the content of a file says, without looking at any other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) language: Language,
    pub(crate) lines: u32,
    /// It has tests of its own, as Rust has them.
    pub(crate) tests_itself: bool,
    /// What it is called by others: a package, a module path, a namespace.
    pub(crate) package: String,
    pub(crate) symbols: Vec<Symbol>,
    /// What it imports, as it is written.
    pub(crate) imports: Vec<String>,
    /// Hashes of what its string literals say, see `texts`.
    pub(crate) texts: Vec<u32>,
}

/// Reads a file.
pub(crate) fn scan(path: &str, text: &str) -> Scanned {
    let mut language = Language::of_path(path);
    if language == Language::Other && !name_of(path).contains('.') {
        language = Language::of_shebang(text.lines().next().unwrap_or_default());
    }
    let lines = text.lines().count();
    let mut scanned =
        Scanned { language, lines: u32::try_from(lines).unwrap_or(u32::MAX), ..Scanned::default() };
    if language == Language::Manifest {
        scanned.package = package(path, text);
        return scanned;
    }
    let Some(patterns) = patterns(language) else { return scanned };
    for (kind, pattern) in &patterns.symbols {
        let (mut line, mut counted) = (1, 0);
        for found in pattern.captures_iter(text).take(SYMBOLS) {
            let Some(name) = (1..found.len()).rev().find_map(|group| found.get(group)) else { continue };
            line += text.as_bytes()[counted..name.start()].iter().filter(|byte| **byte == b'\n').count();
            counted = name.start();
            let name = name.as_str();
            if NO_NAMES.contains(&name) || name.len() > 200 || scanned.symbols.len() >= SYMBOLS {
                continue;
            }
            let name = name.rsplit("::").next().unwrap_or(name);
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            scanned.symbols.push(Symbol { name: name.to_owned(), kind: *kind, line });
        }
    }
    scanned.symbols.sort_by(|a, b| (a.line, &a.name).cmp(&(b.line, &b.name)));
    scanned.symbols.dedup_by(|a, b| a.line == b.line && a.name == b.name);
    for pattern in &patterns.imports {
        for found in pattern.captures_iter(text).take(IMPORTS) {
            import(language, &found, &mut scanned.imports);
        }
    }
    scanned.imports.sort();
    scanned.imports.dedup();
    scanned.imports.truncate(IMPORTS);
    if let Some(pattern) = &patterns.package {
        scanned.package = pattern.captures(text).map_or_else(String::new, |found| found[1].to_owned());
    }
    scanned.tests_itself =
        language == Language::Rust && (text.contains("#[cfg(test)]\nmod ") || text.contains("#[test]"));
    scanned.texts = texts::of_literals(language, text);
    scanned
}

/// Words that stand where a name could stand.
const NO_NAMES: [&str; 16] = [
    "if",
    "for",
    "while",
    "switch",
    "catch",
    "return",
    "function",
    "else",
    "do",
    "new",
    "await",
    "sizeof",
    "defined",
    "constructor",
    "super",
    "_",
];

/// The regular expressions of a language. The last group that took part in a match is the name.
struct Patterns {
    symbols: Vec<(Kind, Regex)>,
    imports: Vec<Regex>,
    package: Option<Regex>,
}

/// `symbols` are pairs of a kind and a pattern.
fn build(symbols: &[(Kind, &str)], imports: &[&str], package: Option<&str>) -> Patterns {
    // The tables below are tried by a test; one that is no regular expression finds nothing.
    let pattern = |text: &&str| Regex::new(&format!("(?m){text}")).ok();
    Patterns {
        symbols: symbols.iter().filter_map(|(kind, text)| Some((*kind, pattern(text)?))).collect(),
        imports: imports.iter().filter_map(pattern).collect(),
        package: package.as_ref().and_then(pattern),
    }
}

macro_rules! table {
    ($name:ident, [$(($kind:ident, $symbol:expr)),* $(,)?], [$($import:expr),* $(,)?], $package:expr) => {
        static $name: LazyLock<Patterns> =
            LazyLock::new(|| build(&[$((Kind::$kind, $symbol)),*], &[$($import),*], $package));
    };
}

table!(
    RUST,
    [
        (
            Function,
            r#"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?(?:default[ \t]+)?(?:const[ \t]+)?(?:async[ \t]+)?(?:unsafe[ \t]+)?(?:extern[ \t]+(?:"[^"\n]*"[ \t]+)?)?fn[ \t]+(?:r#)?([A-Za-z_]\w*)"#
        ),
        (
            Type,
            r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?(?:unsafe[ \t]+)?(?:struct|enum|union|trait|type)[ \t]+([A-Za-z_]\w*)"
        ),
        (Module, r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?mod[ \t]+([A-Za-z_]\w*)[ \t]*\{"),
        (
            Value,
            r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?(?:const|static)[ \t]+(?:mut[ \t]+)?([A-Za-z_]\w*)[ \t]*:"
        ),
        (Value, r"^[ \t]*macro_rules![ \t]*([A-Za-z_]\w*)"),
    ],
    [
        r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?use[ \t]+([^;]+);",
        r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?(mod[ \t]+[A-Za-z_]\w*)[ \t]*;",
        r"[^\w:](crate::[a-z_]\w*(?:::\w+)*)",
        r"^[ \t]*#\[cfg\(test\)\]\s*(?:pub(?:\([^)\n]*\))?[ \t]+)?(mod[ \t]+[A-Za-z_]\w*)[ \t]*;",
    ],
    None
);

table!(
    PYTHON,
    [
        (Function, r"^[ \t]*(?:async[ \t]+)?def[ \t]+([A-Za-z_]\w*)"),
        (Type, r"^[ \t]*class[ \t]+([A-Za-z_]\w*)"),
        (Value, r"^([A-Z][A-Z0-9_]{2,})[ \t]*(?::[^=\n]+)?="),
    ],
    [
        r"^[ \t]*import[ \t]+([\w., \t]+)",
        r"^[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)",
    ],
    None
);

/// `export default async function`, `declare const`: JavaScript and TypeScript.
macro_rules! export {
    ($rest:expr) => {
        concat!(r"^[ \t]*(?:export[ \t]+)?(?:default[ \t]+)?(?:declare[ \t]+)?(?:abstract[ \t]+)?(?:async[ \t]+)?", $rest)
    };
}

table!(
    SCRIPT,
    [
        (Function, export!(r"function[ \t]*\*?[ \t]*([A-Za-z_$][\w$]*)")),
        (Type, export!(r"(?:class|interface|enum)[ \t]+([A-Za-z_$][\w$]*)")),
        (
            Type,
            r"^(?:export[ \t]+)?(?:declare[ \t]+)?type[ \t]+([A-Za-z_$][\w$]*)[ \t]*(?:<[^=\n]*>)?[ \t]*="
        ),
        (Module, export!(r"(?:namespace|module)[ \t]+([A-Za-z_$][\w$]*)[ \t]*\{")),
        (
            Value,
            r"^(?:export[ \t]+)?(?:default[ \t]+)?(?:declare[ \t]+)?(?:const|let|var)[ \t]+([A-Za-z_$][\w$]*)"
        ),
        (
            Function,
            r"^[ \t]+(?:(?:public|private|protected|static|async|get|set|readonly|override)[ \t]+)*\*?#?([A-Za-z_$][\w$]*)[ \t]*\([^()\n]*\)[ \t]*(?::[^{};\n]+)?\{"
        ),
    ],
    [
        r#"^[ \t]*(?:import|export)\b[^'";]*?\bfrom[ \t]*['"]([^'"\n]+)['"]"#,
        r#"^[ \t]*import[ \t]*['"]([^'"\n]+)['"]"#,
        r#"\b(?:require|import)[ \t]*\([ \t]*['"]([^'"\n]+)['"]"#,
    ],
    None
);

table!(
    GO,
    [
        (Function, r"^func[ \t]+(?:\([^)\n]*\)[ \t]*)?([A-Za-z_]\w*)"),
        (Type, r"^type[ \t]+([A-Za-z_]\w*)"),
        (Type, r"^\t([A-Za-z_]\w*)[ \t]+(?:struct|interface)[ \t]*\{"),
        (Value, r"^(?:var|const)[ \t]+([A-Za-z_]\w*)"),
    ],
    [r#"^import[ \t]+(?:[\w.]+[ \t]+)?("[^"\n]+")"#, r"^import[ \t]*(\([^)]*\))",],
    Some(r"^package[ \t]+(\w+)")
);

/// The words before a declaration in the languages that look like Java.
macro_rules! modified {
    ($rest:expr) => {
        concat!(
            r"^[ \t]*(?:@\w+[ \t]+)*(?:(?:public|private|protected|internal|static|final|abstract|sealed|partial|open|data|inline|case|implicit|override|readonly|unsafe|suspend|companion|inner|annotation|file|non-sealed|strictfp)[ \t]+)*",
            $rest
        )
    };
}

/// A method: at least one modifier, a type, a name and a parenthesis.
const METHOD: &str = r"^[ \t]+(?:@\w+[ \t]+)*(?:(?:public|private|protected|internal|static|final|abstract|sealed|override|virtual|async|synchronized|native|default|extern|unsafe|new)[ \t]+)+(?:<[^>\n]+>[ \t]*)?(?:[\w<>\[\],.?]+[ \t]+){0,3}([A-Za-z_]\w*)[ \t]*\(";

table!(
    JAVA,
    [
        (Type, modified!(r"(?:class|interface|enum|record|@interface)[ \t]+([A-Za-z_]\w*)")),
        (Function, METHOD)
    ],
    [r"^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]+(?:\.\*)?)[ \t]*;"],
    Some(r"^[ \t]*package[ \t]+([\w.]+)")
);

table!(
    KOTLIN,
    [
        (Type, modified!(r"(?:enum[ \t]+)?(?:class|interface|object|trait|typealias)[ \t]+([A-Za-z_]\w*)")),
        (Function, modified!(r"(?:fun|def)[ \t]+(?:<[^>\n]+>[ \t]*)?(?:[\w<>?]+\.)?([A-Za-z_]\w*)")),
        (Value, r"^(?:const[ \t]+)?(?:val|var)[ \t]+([A-Za-z_]\w*)"),
    ],
    [r"^[ \t]*import[ \t]+([\w.]+(?:\.[*_])?)"],
    Some(r"^[ \t]*package[ \t]+([\w.]+)")
);

table!(
    CSHARP,
    [
        (
            Type,
            modified!(
                r"(?:class|interface|enum|struct|record(?:[ \t]+struct|[ \t]+class)?|delegate[ \t]+\w+)[ \t]+([A-Za-z_]\w*)"
            )
        ),
        (Function, METHOD),
    ],
    [r"^[ \t]*(?:global[ \t]+)?using[ \t]+(?:static[ \t]+)?(?:\w+[ \t]*=[ \t]*)?([\w.]+)[ \t]*;"],
    Some(r"^[ \t]*namespace[ \t]+([\w.]+)")
);

table!(
    C_LIKE,
    [
        (
            Function,
            r"^(?:[A-Za-z_][\w<>:,*& \t]*[ \t*&])?([A-Za-z_~][\w:~]*)[ \t]*\([^;{}()]*\)[ \t]*(?:const[ \t]*)?(?:noexcept[ \t]*)?(?:override[ \t]*)?\r?\n?[ \t]*[{;]"
        ),
        (
            Type,
            r"^[ \t]*(?:typedef[ \t]+)?(?:template[ \t]*<[^>\n]*>[ \t]*)?(?:struct|class|union|enum(?:[ \t]+class)?)[ \t]+(?:[A-Z_]+[ \t]+)?([A-Za-z_]\w*)[^;\n]*$"
        ),
        (Module, r"^[ \t]*namespace[ \t]+([\w:]+)"),
        (Value, r"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)"),
    ],
    [r#"^[ \t]*#[ \t]*(?:include|import)[ \t]*["<]([^">\n]+)[">]"#],
    None
);

table!(
    RUBY,
    [
        (Function, r"^[ \t]*def[ \t]+(?:self\.)?([A-Za-z_]\w*[?!=]?)"),
        (Type, r"^[ \t]*class[ \t]+([A-Z][\w:]*)"),
        (Module, r"^[ \t]*module[ \t]+([A-Z][\w:]*)"),
        (Value, r"^[ \t]*([A-Z][A-Z0-9_]+)[ \t]*="),
    ],
    [r#"^[ \t]*(require(?:_relative)?|load)[ \t(]+['"]([^'"\n]+)['"]"#],
    None
);

table!(
    PHP,
    [
        (
            Function,
            r"^[ \t]*(?:(?:abstract|final|public|private|protected|static)[ \t]+)*function[ \t]+&?([A-Za-z_]\w*)"
        ),
        (
            Type,
            r"^[ \t]*(?:(?:abstract|final|readonly)[ \t]+)*(?:class|interface|trait|enum)[ \t]+([A-Za-z_]\w*)"
        ),
        (Value, r"^[ \t]*(?:(?:public|private|protected|final)[ \t]+)*const[ \t]+([A-Z][A-Z0-9_]*)"),
    ],
    [
        r"^[ \t]*use[ \t]+(?:function[ \t]+|const[ \t]+)?([\w\\]+(?:[ \t]+as[ \t]+\w+)?)[ \t]*[;,]",
        r#"\b(?:require|include)(?:_once)?[ \t(]+(?:__DIR__[ \t]*\.[ \t]*)?['"]([^'"\n]+)['"]"#,
    ],
    Some(r"^[ \t]*namespace[ \t]+([\w\\]+)")
);

table!(
    SWIFT,
    [
        (Function, modified!(r"func[ \t]+([A-Za-z_]\w*)")),
        (Type, modified!(r"(?:class|struct|enum|protocol|actor|extension)[ \t]+([A-Za-z_]\w*)")),
    ],
    [],
    None
);

table!(
    SHELL,
    [
        (Function, r"^[ \t]*(?:function[ \t]+)?([A-Za-z_][\w-]*)[ \t]*\(\)"),
        (Function, r"^[ \t]*function[ \t]+([A-Za-z_][\w-]*)[ \t]*\{")
    ],
    [r"^[ \t]*(?:\.|source|load)[ \t]+([^\n;&|]+)"],
    None
);

fn patterns(language: Language) -> Option<&'static Patterns> {
    Some(match language {
        Language::Other | Language::Manifest => return None,
        Language::Rust => &RUST,
        Language::Python => &PYTHON,
        Language::JavaScript | Language::TypeScript => &SCRIPT,
        Language::Go => &GO,
        Language::Java => &JAVA,
        Language::Kotlin | Language::Scala => &KOTLIN,
        Language::CSharp => &CSHARP,
        Language::C | Language::Cpp => &C_LIKE,
        Language::Ruby => &RUBY,
        Language::Php => &PHP,
        Language::Swift => &SWIFT,
        Language::Shell => &SHELL,
    })
}

/// Notes what a statement imports, one entry for each thing that could be a file.
fn import(language: Language, found: &regex::Captures, imports: &mut Vec<String>) {
    let first = found.get(1).map_or("", |group| group.as_str());
    match language {
        Language::Rust => {
            if let Some(name) = first.strip_prefix("mod") {
                // A module that is there for tests alone is a test, wherever it is.
                let is_test = found.get(0).is_some_and(|all| all.as_str().contains("cfg(test)"));
                imports.push(format!("{}mod {}", if is_test { TEST } else { "" }, name.trim()));
            } else {
                expand(&without_aliases(first), "", imports, 0);
            }
        }
        Language::Python => match found.get(2) {
            None => imports.extend(
                first.split(',').filter_map(|name| name.split_whitespace().next()).map(str::to_owned),
            ),
            Some(names) => {
                let dot = if first.ends_with('.') || first.is_empty() { "" } else { "." };
                let names = names
                    .as_str()
                    .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ' ' || c == '\t'));
                let names = names.filter_map(|name| name.split_whitespace().next());
                let before = imports.len();
                imports.extend(names.map(|name| format!("{first}{dot}{name}")));
                if imports.len() == before {
                    imports.push(first.to_owned());
                }
            }
        },
        Language::Go => imports.extend(first.split('"').skip(1).step_by(2).map(str::to_owned)),
        Language::Ruby => {
            let path = found.get(2).map_or("", |group| group.as_str());
            let is_relative = first == "require_relative";
            imports.push(if is_relative { format!("./{path}") } else { path.to_owned() });
        }
        Language::Php => imports.push(first.split_whitespace().next().unwrap_or(first).to_owned()),
        Language::Shell => {
            let path = first.trim().trim_matches(['"', '\'']);
            // "$(dirname "$0")/lib.sh" and "${HERE}/lib.sh" are beside the script.
            let path = match path.rfind(['}', ')', '$']) {
                Some(at) => path[at..].split_once('/').map_or("", |(_, rest)| rest),
                None => path,
            };
            let path = path.trim_matches(['"', '\'']).split_whitespace().next().unwrap_or_default();
            if !path.is_empty() {
                imports.push(path.to_owned());
            }
        }
        _ => imports.push(first.to_owned()),
    }
}

/// `a::{b as c, d}` is `a::{b,d}`.
fn without_aliases(tree: &str) -> String {
    let mut flat = String::with_capacity(tree.len());
    let mut is_alias = false;
    for word in tree.split_whitespace() {
        if std::mem::take(&mut is_alias) {
            flat.push_str(word.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'));
        } else if word == "as" {
            is_alias = true;
        } else {
            flat.push_str(word);
        }
    }
    flat
}

/// `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`.
fn expand(tree: &str, before: &str, imports: &mut Vec<String>, depth: usize) {
    if depth > 8 || imports.len() > IMPORTS {
        return;
    }
    let Some(open) = tree.find('{') else {
        let name = tree.trim_end_matches("::*");
        if !name.is_empty() {
            imports.push(format!("{before}{name}"));
        }
        return;
    };
    let prefix = format!("{before}{}", &tree[..open]);
    let inside = tree[open + 1..].strip_suffix('}').unwrap_or(&tree[open + 1..]);
    let (mut level, mut start) = (0usize, 0);
    for (at, c) in inside.char_indices() {
        match c {
            '{' => level += 1,
            '}' => level = level.saturating_sub(1),
            ',' if level == 0 => {
                expand(&inside[start..at], &prefix, imports, depth + 1);
                start = at + 1;
            }
            _ => {}
        }
    }
    expand(&inside[start..], &prefix, imports, depth + 1);
}

/// Returns what a manifest calls its package.
fn package(path: &str, text: &str) -> String {
    let line = |begins: &str| text.lines().map(str::trim).find_map(|line| line.strip_prefix(begins));
    match name_of(path) {
        "go.mod" => line("module ").map(|name| name.trim().to_owned()),
        "Cargo.toml" => {
            let mut lines = text.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1);
            lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == "name").then(|| value.trim().trim_matches('"').replace('-', "_"))
            })
        }
        "package.json" => {
            #[derive(serde::Deserialize)]
            struct Package {
                name: Option<String>,
            }
            serde_json::from_str::<Package>(text).ok().and_then(|package| package.name)
        }
        _ => None,
    }
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        scan(path, text).symbols.into_iter().map(|symbol| symbol.name).collect()
    }

    fn imports(path: &str, text: &str) -> Vec<String> {
        scan(path, text).imports
    }

    #[test]
    fn all_tables_are_regular_expressions() {
        let count = |language: Language| {
            patterns(language)
                .map(|patterns| (patterns.symbols.len(), patterns.imports.len(), patterns.package.is_some()))
        };
        for (language, expected) in [
            (Language::Rust, (5, 4, false)),
            (Language::Python, (3, 2, false)),
            (Language::TypeScript, (6, 3, false)),
            (Language::Go, (4, 2, true)),
            (Language::Java, (2, 1, true)),
            (Language::Kotlin, (3, 1, true)),
            (Language::CSharp, (2, 1, true)),
            (Language::Cpp, (4, 1, false)),
            (Language::Ruby, (4, 1, false)),
            (Language::Php, (3, 2, true)),
            (Language::Swift, (2, 0, false)),
            (Language::Shell, (2, 1, false)),
        ] {
            assert_eq!(count(language), Some(expected), "{language}");
        }
    }

    #[test]
    fn symbols_are_found_in_each_language() {
        for (path, text, expected) in [
            (
                "a.rs",
                "pub(crate) async fn a<T>() {}\nstruct B;\n  pub const fn c() {}\nconst D: u8 = 1;\n// fn no() {}\nmod tests {\n",
                &["a", "B", "c", "D", "tests"][..],
            ),
            (
                "a.py",
                "class A(B):\n    async def b(self):\n        pass\nLIMIT = 3\n# def no():\n",
                &["A", "b", "LIMIT"],
            ),
            (
                "a.ts",
                "export default async function a() {}\nexport class B {\n  private async c(x: number): Promise<void> {\n    if (x) {\n    }\n  }\n}\nexport const d = () => {}\nexport interface E {}\ntype F = 1;\n",
                &["a", "B", "c", "d", "E", "F"],
            ),
            ("a.go", "package a\nfunc (s *S) B() {}\nfunc C() {}\ntype D struct {}\n", &["B", "C", "D"]),
            (
                "A.java",
                "public final class A {\n    @Override public static <T> List<T> b(int x) {\n        return c(x);\n    }\n}\n",
                &["A", "b"],
            ),
            ("a.kt", "data class A(val x: Int)\nsuspend fun String.b() = 1\nobject C\n", &["A", "b", "C"]),
            (
                "a.cs",
                "namespace X;\npublic sealed partial class A {\n    public async Task<int> B(int x) {\n",
                &["A", "B"],
            ),
            (
                "a.c",
                "#define A 1\nstatic int *b(int x,\n    int y)\n{\n    if (x) {\n    return c(x);\n}\nstruct d {\n",
                &["A", "b", "d"],
            ),
            ("a.cpp", "void A::b() const {\n}\nclass C : public D {\n", &["b", "C"]),
            ("a.rb", "module A\n  class B\n    def self.c?\n    end\n", &["A", "B", "c?"]),
            (
                "a.php",
                "<?php\nfinal class A {\n  public static function b() {}\n}\nfunction c() {}\n",
                &["A", "b", "c"],
            ),
            ("a.swift", "public struct A {\n  func b() {}\n}\n", &["A", "b"]),
            ("a.sh", "#!/bin/sh\na() {\n}\nfunction b {\n}\n", &["a", "b"]),
            ("script", "#!/usr/bin/env bash\nmain() {\n", &["main"]),
            ("a.md", "# def no():\n", &[]),
        ] {
            assert_eq!(names(path, text), expected, "{path}");
        }
        let symbols = scan("a.py", "\n\nclass A:\n    def b(self): pass\n").symbols;
        assert_eq!(symbols.iter().map(|symbol| symbol.line).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn imports_are_found_in_each_language() {
        for (path, text, expected) in [
            (
                "a.rs",
                "mod b;\n#[cfg(test)]\nmod t;\nuse crate::{c as C, d::{self, E as _}};\npub use super::f::*;\nlet x = crate::g::h();\n",
                &[
                    "crate::c",
                    "crate::d::E",
                    "crate::d::self",
                    "crate::g::h",
                    "mod b",
                    "mod t",
                    "super::f",
                    "test mod t",
                ][..],
            ),
            (
                "a.py",
                "import os, a.b as c\nfrom . import d\nfrom ..e import (f,\n  g as h)\nfrom i import *\n",
                &["..e.f", "..e.g", ".d", "a.b", "i", "os"],
            ),
            (
                "a.ts",
                "import { a,\n  b } from './b';\nimport './c.css';\nconst d = require(\"../d\");\nexport * from 'e';\nawait import('./f');\n",
                &["../d", "./b", "./c.css", "./f", "e"],
            ),
            ("a.go", "import \"a/b\"\nimport (\n\t\"c/d\"\n\te \"f/g\"\n)\n", &["a/b", "c/d", "f/g"]),
            ("A.java", "import a.b.C;\nimport static a.b.D.e;\nimport f.*;\n", &["a.b.C", "a.b.D.e", "f.*"]),
            ("a.cs", "using System.Text;\nusing static A.B;\n", &["A.B", "System.Text"]),
            ("a.c", "#include \"a/b.h\"\n# include <stdio.h>\n", &["a/b.h", "stdio.h"]),
            ("a.rb", "require 'a/b'\nrequire_relative \"../c\"\n", &["./../c", "a/b"]),
            ("a.php", "<?php\nuse A\\B\\C as D;\nrequire_once __DIR__ . '/x.php';\n", &["/x.php", "A\\B\\C"]),
            (
                "a.sh",
                ". ./a.sh\nsource \"$(dirname \"$0\")/lib/b.sh\"\n. \"${HERE}/c.sh\"\n",
                &["./a.sh", "c.sh", "lib/b.sh"],
            ),
        ] {
            assert_eq!(imports(path, text), expected, "{path}");
        }
    }

    #[test]
    fn manifests_say_what_packages_are_called() {
        assert_eq!(
            scan("Cargo.toml", "[workspace]\n[package]\nname = \"my-crate\"\n[lib]\nname = \"x\"\n").package,
            "my_crate"
        );
        assert_eq!(scan("a/go.mod", "module example.org/m\n\ngo 1.21\n").package, "example.org/m");
        assert_eq!(scan("package.json", "{\"name\":\"@a/b\",\"version\":\"1\"}").package, "@a/b");
        assert_eq!(scan("package.json", "broken").package, "");
    }

    #[test]
    fn hostile_files_stay_linear() {
        for piece in
            ["a(", "fn ", "use {", "import (", "<", "class A ", "\n\n", "from '", "\"", "(((", "int a b c "]
        {
            for path in ["a.rs", "a.ts", "a.c", "A.java", "a.py", "a.go", "a.php"] {
                let text = piece.repeat((256 << 10) / piece.len());
                scan(path, &text);
            }
        }
    }
}
