//! A validator names the command it ran and how many passed and failed, and lists each failure with its place.

use std::sync::LazyLock;

use regex::Regex;

use super::NAME;
use crate::attempt::Attempt;
use crate::observation::{Observation, Standing};

/// A program of the trade, with what it is usually asked to do.
static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?mx)(?:^\s*[$>]\ \S+)
        | (?:^|[\s`(])(?:cargo(?:\ \+\S+)?\ (?:test|nextest|check|clippy|build|fmt|bench)|(?:npm|pnpm|yarn|bun)\ (?:run\ )?[\w:-]+|npx\ \S+|go\ (?:test|vet|build)
            |python3?\ -m\ \S+|pytest|tox|nox|ruff|mypy|pyright|black|flake8|pylint|make(?:\ [\w-]+)?|cmake\ --build|ctest|mvn\ \S+|(?:\./)?gradlew?\ \S+
            |dotnet\ \S+|bundle\ exec\ \S+|rspec|rake\ \S+|rubocop|phpunit|composer\ \S+|mix\ \S+|eslint|tsc|jest|vitest|mocha|prettier|shellcheck
            |golangci-lint|pre-commit|docker\ \S+|git\ \S+|bats|deno\ \S+|swift\ test|bazel\ \S+|just\ \S+|unittest|node\ \S+|bash\ \S+|sh\ \S+)\b
        | `[a-z][\w.+-]*(?:\ [^`]+)?`",
    )
    .unwrap()
});

/// What a runner itself prints at its end; a person would put it in other words.
static RUNNER_LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?mx)test\ result:\ (?:ok|FAILED)\.\ \d+\ passed            # cargo test
        | Summary\ \[.*\]\ +\d+\ tests?\ run:                            # cargo nextest
        | \d+\ (?:passed|failed|errors?|skipped)[^\n]*\ in\ \d+(?:\.\d+)?s\b   # pytest
        | ^\s*Tests:?\ +.*\d+\ (?:passed|failed|total)                   # jest, vitest
        | ^\s*\d+\ (?:passing|failing|pending)\b                         # mocha
        | ^ok\ +\t?\S+\s+(?:\(cached\)|\d+\.\d+s) | ^FAIL\t\S+ | ^---\ FAIL:   # go test
        | ^Ran\ \d+\ tests?\ in\ \d                                      # unittest
        | ^\d+\ examples?,\ \d+\ failures?                               # rspec
        | ^OK\ \(\d+\ tests?,                                            # phpunit
        | Tests\ run:\ \d+,\ Failures:\ \d+                              # maven
        | \bBUILD\ (?:SUCCESSFUL|FAILED|SUCCESS|FAILURE)\b               # gradle, maven
        | Finished\ `?[\w-]+`?\ (?:profile\ )?\[                         # cargo build
        | error:\ could\ not\ compile\ | Compiling\ \S+\ v\d             # cargo
        | ✖\ \d+\ problems? | \d+\ problems?\ \(\d+\ errors?             # eslint
        | ^Found\ \d+\ errors? | ^Success:\ no\ issues\ found | ^All\ checks\ passed!   # mypy, tsc, ruff
        | ^\d+%\ tests\ passed,\ \d+\ tests\ failed                      # ctest
        | ^\#\ (?:pass|fail|tests)\ \d+ | ^(?:not\ )?ok\ \d+\            # node --test, TAP
        | ^(?:On\ branch\ |HEAD\ detached|nothing\ to\ commit|Your\ branch\ is)   # git status
        ",
    )
    .unwrap()
});

static COUNTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b\d+\s*(?:/\s*\d+\s*)?(?:\w+\s+){0,2}(?:passed|passing|pass|failed|failing|failures?|tests?|errors?|warnings?|problems?|issues?|checks?|examples?|ok)\b|\b(?:no|zero)\s+(?:\w+\s+){0,2}(?:errors?|warnings?|problems?|issues?|failures?|offen[cs]es)\b|\b(?:exit(?:ed)?(?: with)?(?: code| status)?)\W{0,3}\d+\b|\bbuild (?:succeeded|succeeds|passed|passes|failed|fails|is successful|successful)\b|\bworking tree clean\b").unwrap()
});

static FAILED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(\d+)\s*(?:\w+\s+){0,2}(?:failed|failing|failures?)\b|\b(?:failed|failures|failing)\s*[:=]\s*(\d+)\b").unwrap()
});

/// A failing thing by its name: a test function, a file with a line, a marked line of a runner.
static FAILURE_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)\b[\w./-]+\.\w+:\d+|\b\w+(?:::\w+)+\b|\b(?:test|Test|it_|spec_)\w*[_A-Z]\w+|^\s*(?:FAILED|FAIL|✗|✕|×|not ok|--- FAIL:)\s*\S+|`[^`\s]+`\s*(?:\(|:|—|-|in |at |fails|failed)").unwrap()
});

/// Returns how many failures the answer reports: the largest number, since runners print "0 failed" for every part.
pub(in crate::checks) fn failures(text: &str) -> Option<u64> {
    FAILED
        .captures_iter(text)
        .filter_map(|found| found.get(1).or(found.get(2))?.as_str().parse::<u64>().ok())
        .max()
}

/// Tells whether the answer contains what a runner itself printed.
pub(in crate::checks) fn shows_output(text: &str) -> bool {
    RUNNER_LINE.is_match(text)
}

pub(super) fn check(attempt: &Attempt<'_>) -> Observation {
    let text = attempt.answer.text;
    let mut lacks = Vec::new();
    if !COMMAND.is_match(text) {
        lacks.push("the command that was run");
    }
    if !COUNTS.is_match(text) && !shows_output(text) {
        lacks.push("how many passed and failed");
    }
    if failures(text).is_some_and(|n| n > 0) && !FAILURE_NAMED.is_match(text) {
        lacks.push("the name and place of each failure");
    }
    if !lacks.is_empty() {
        return Observation::new(NAME, Standing::Small, format!("it does not say {}", lacks.join(", nor ")));
    }
    if shows_output(text) {
        return Observation::new(NAME, Standing::Supporting, "the runner's own output is there");
    }
    Observation::new(NAME, Standing::Open, "it states a result without the runner's output")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_somewhere_does_not_hide_a_failure() {
        assert_eq!(
            failures("test result: ok. 3 passed; 0 failed\ntest result: FAILED. 1 passed; 2 failed"),
            Some(2)
        );
        assert_eq!(failures("12 passed, 0 failed"), Some(0));
        assert_eq!(failures("Tests failed: 3"), Some(3));
        assert_eq!(failures("all good"), None);
    }

    #[test]
    fn runner_output_is_told_from_prose() {
        for output in [
            "test result: ok. 12 passed; 0 failed; 0 ignored",
            "==== 3 failed, 12 passed in 0.51s ====",
            "Tests:       1 failed, 5 passed, 6 total",
            "ok  \texample.com/x\t0.004s",
            "Ran 12 tests in 0.003s\n\nOK",
            "error: could not compile `x` (lib) due to 1 previous error",
        ] {
            assert!(shows_output(output), "{output}");
        }
        for prose in ["All 12 tests pass.", "12 tests passed and everything works", "the build is fine"] {
            assert!(!shows_output(prose), "{prose}");
        }
    }
}
