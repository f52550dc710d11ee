//! Whether a task asks for the repair of what a gate finds.
//!
//! What was broken before does not count against a change, unless to repair it was the task: then a draft that
//! leaves it broken has not done its work. The words of the task decide; where they are not clear, nobody can
//! say, and that is no pass.

/// What the task asks for, as far as a gate is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Repair {
    /// Something else: only what became worse counts.
    No,
    /// Some repair, and it is not said of what.
    Perhaps,
    /// The repair of what this gate finds.
    Yes,
}

/// Words that ask for a repair.
const VERBS: [&str; 22] = [
    "fix", "fixes", "fixed", "repair", "resolve", "solve", "correct", "debug", "bug", "bugs", "bugfix",
    "pass", "passes", "green", "failing", "fails", "fail", "broken", "remove", "rotate", "clean", "clear",
];

/// Tells what the text of a task asks for.
pub(crate) fn wanted(text: &str, gate: &str) -> Repair {
    let words: Vec<String> = words(text).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if !has(&VERBS) {
        return Repair::No;
    }
    let nouns: &[&str] = match gate {
        "tests" => &[
            "test", "tests", "testing", "suite", "spec", "specs", "ci", "pytest", "jest", "vitest",
            "unittest",
        ],
        "lint" => &[
            "lint", "lints", "linter", "linting", "warning", "warnings", "clippy", "eslint", "ruff", "style",
        ],
        "types" => &[
            "type",
            "types",
            "typing",
            "typecheck",
            "tsc",
            "mypy",
            "pyright",
            "typescript",
            "compile",
            "compiles",
            "compiler",
        ],
        "build" => &["build", "builds", "compile", "compiles", "compiler", "compilation"],
        "format" => &["format", "formatting", "fmt", "prettier", "rustfmt"],
        "syntax" => &["syntax", "parse", "parses", "parsing", "parser", "indentation"],
        "secrets" => &[
            "secret",
            "secrets",
            "credential",
            "credentials",
            "password",
            "passwords",
            "token",
            "tokens",
            "key",
            "keys",
        ],
        _ => &[],
    };
    if has(nouns) || words.iter().any(|word| word == gate) {
        return Repair::Yes;
    }
    // A bug that nobody names may well be what a failing test shows; no lint or secret is.
    let asks_for_a_fix = has(&[
        "fix", "fixes", "repair", "resolve", "solve", "debug", "bug", "bugs", "bugfix", "broken", "failing",
        "fails",
    ]);
    if gate == "tests" && asks_for_a_fix { Repair::Perhaps } else { Repair::No }
}

/// Tells whether the text names a thing, such as a test, or what it is about: `add` names `tests::test_add`.
pub(crate) fn names(text: &str, name: &str) -> bool {
    let parts: Vec<String> = words(name)
        .filter(|part| {
            part.len() > 2 && !matches!(part.as_str(), "test" | "tests" | "should" | "the" | "and")
        })
        .collect();
    words(text).any(|word| parts.contains(&word))
}

/// Returns the words of a text in lower case; `_`, `::` and capitals inside a word divide it as well.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut divided = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for c in text.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            divided.push(' ');
        }
        divided.extend(c.to_lowercase());
        before = c;
    }
    divided
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_task_decide() {
        for (text, gate, expected) in [
            ("fix double.sh so that the test passes", "tests", Repair::Yes),
            ("make the tests green again", "tests", Repair::Yes),
            ("Fix the bug in calc.py: add subtracts", "tests", Repair::Perhaps),
            ("Fix the bug in calc.py: add subtracts", "lint", Repair::No),
            ("resolve all clippy warnings", "lint", Repair::Yes),
            ("fix the type errors", "types", Repair::Yes),
            ("remove the hard-coded password", "secrets", Repair::Yes),
            ("fix the syntax error in a.py", "syntax", Repair::Yes),
            ("add pagination to the list of users", "tests", Repair::No),
            ("write tests for the parser", "tests", Repair::No),
            ("prefix the latest contest", "tests", Repair::No),
        ] {
            assert_eq!(wanted(text, gate), expected, "{text} / {gate}");
        }
    }

    #[test]
    fn a_test_is_named_by_what_it_is_about() {
        assert!(names("Fix add() in calc.py", "test_add (test_calc.T.test_add)"));
        assert!(names("the parser loses commas", "parser::tests::keeps_commas"));
        assert!(!names("Fix the typo in README.md", "tests::test_add"));
    }
}
