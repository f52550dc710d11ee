//! The languages of a project: which file is written in which, and which of them is a test.

use std::fmt;

/// What a file is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Language {
    /// Anything that is no code: known by its path and content alone.
    #[default]
    Other,
    Rust,
    Python,
    JavaScript,
    TypeScript,
    Go,
    Java,
    Kotlin,
    Scala,
    C,
    Cpp,
    CSharp,
    Ruby,
    Php,
    Swift,
    Shell,
    /// A manifest that says what the packages of the project are called.
    Manifest,
}

use Language::*;

const ALL: [(Language, &str, &[&str]); 17] = [
    (Other, "other", &[]),
    (Rust, "Rust", &["rs"]),
    (Python, "Python", &["py", "pyi", "pyw"]),
    (JavaScript, "JavaScript", &["js", "jsx", "mjs", "cjs", "vue", "svelte"]),
    (TypeScript, "TypeScript", &["ts", "tsx", "mts", "cts"]),
    (Go, "Go", &["go"]),
    (Java, "Java", &["java"]),
    (Kotlin, "Kotlin", &["kt", "kts"]),
    (Scala, "Scala", &["scala"]),
    (C, "C", &["c", "h"]),
    (Cpp, "C++", &["cc", "cpp", "cxx", "hpp", "hh", "hxx", "ipp", "inl"]),
    (CSharp, "C#", &["cs"]),
    (Ruby, "Ruby", &["rb", "rake"]),
    (Php, "PHP", &["php"]),
    (Swift, "Swift", &["swift"]),
    (Shell, "shell", &["sh", "bash", "zsh", "ksh", "bats"]),
    (Manifest, "manifest", &[]),
];

/// The files that say what packages are called.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "go.mod", "package.json"];

impl Language {
    /// Returns the language of a path, by its ending.
    pub(crate) fn of_path(path: &str) -> Language {
        let name = name_of(path);
        if MANIFESTS.contains(&name) {
            return Manifest;
        }
        let Some((_, ending)) = name.rsplit_once('.') else { return Other };
        let is_known = |known: &&str| ending.eq_ignore_ascii_case(known);
        ALL.iter().find(|(_, _, endings)| endings.iter().any(is_known)).map_or(Other, |found| found.0)
    }

    /// Returns the language of a script without an ending, by its first line.
    pub(crate) fn of_shebang(first_line: &str) -> Language {
        let Some(command) = first_line.strip_prefix("#!") else { return Other };
        let interpreters = [
            ("python", Python),
            ("ruby", Ruby),
            ("node", JavaScript),
            ("php", Php),
            ("bats", Shell),
            ("sh", Shell),
        ];
        let words = command.split(|c: char| c == '/' || c.is_whitespace());
        let words: Vec<&str> =
            words.map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')).collect();
        let is_named =
            |name: &str| words.iter().any(|word| word.ends_with(name) && (name != "sh" || word.len() <= 4));
        interpreters.iter().find(|(name, _)| is_named(name)).map_or(Other, |found| found.1)
    }

    pub(crate) fn from_code(code: u8) -> Language {
        ALL.get(usize::from(code)).map_or(Other, |found| found.0)
    }

    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn name(self) -> &'static str {
        ALL[self as usize].1
    }

    /// Tells whether it is code, with symbols and imports.
    pub(crate) fn is_code(self) -> bool {
        !matches!(self, Other | Manifest)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Returns the last component of a path.
pub(crate) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns the directory of a path, without the last slash; the root is "".
pub(crate) fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Returns the name of a file without its ending.
pub(crate) fn stem_of(path: &str) -> &str {
    let name = name_of(path);
    name.split_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

/// Tells whether a path is that of a test, by the conventions of its language.
pub(crate) fn is_test(path: &str, language: Language) -> bool {
    if !language.is_code() {
        return false;
    }
    let in_tests = directory_of(path)
        .split('/')
        .any(|part| ["tests", "test", "__tests__", "spec", "specs", "e2e", "testing"].contains(&part));
    in_tests || subject_of(path).is_some() || matches!(name_of(path), "conftest.py" | "tests.py" | "tests.rs")
}

/// Returns the name of what a test is for, if it is named for something: `test_a.py`, `a_test.go`, `a.spec.ts`, `ATest.java`.
pub(crate) fn subject_of(path: &str) -> Option<&str> {
    let name = name_of(path);
    let (stem, rest) = name.split_once('.')?;
    if rest.split('.').any(|part| matches!(part, "test" | "spec" | "tests" | "cy")) && rest.contains('.') {
        return Some(stem);
    }
    let found = ["_test", "_tests", "_spec", "_unittest", "Tests", "Test", "Spec", "-test", "IT"]
        .iter()
        .find_map(|end| stem.strip_suffix(end))
        .or_else(|| stem.strip_prefix("test_"))
        .or_else(|| {
            stem.strip_prefix("Test").filter(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
        });
    found.filter(|subject| !subject.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_in_the_order_of_their_codes() {
        for (at, (language, _, _)) in ALL.iter().enumerate() {
            assert_eq!(usize::from(language.code()), at);
            assert_eq!(Language::from_code(language.code()), *language);
        }
    }

    #[test]
    fn files_have_languages() {
        for (path, language) in [
            ("a/b.rs", Rust),
            ("x.d.ts", TypeScript),
            ("Cargo.toml", Manifest),
            ("a.toml", Other),
            ("b/Makefile", Other),
            ("a.H", C),
        ] {
            assert_eq!(Language::of_path(path), language, "{path}");
        }
        assert_eq!(Language::of_shebang("#!/usr/bin/env python3"), Python);
        assert_eq!(Language::of_shebang("#!/bin/bash -e"), Shell);
        assert_eq!(Language::of_shebang("#!/usr/bin/env -S node --x"), JavaScript);
        assert_eq!(Language::of_shebang("# a comment about sh"), Other);
    }

    #[test]
    fn tests_are_known_by_convention() {
        for (path, subject) in [
            ("a/test_b.py", "b"),
            ("a/b_test.go", "b"),
            ("src/b.spec.ts", "b"),
            ("src/test/java/BTest.java", "B"),
            ("spec/b_spec.rb", "b"),
            ("b.test.js", "b"),
        ] {
            assert_eq!(subject_of(path), Some(subject), "{path}");
            assert!(is_test(path, Language::of_path(path)), "{path}");
        }
        for path in ["src/contest.py", "src/latest.rs", "src/a.js", "src/testament.go", "README.test.md"] {
            assert!(!is_test(path, Language::of_path(path)), "{path}");
        }
        assert!(is_test("crate/tests/cli.rs", Rust));
    }
}
