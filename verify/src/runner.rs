//! What test runners, linters and builds print, and the counts in it.

use std::sync::LazyLock;

use regex::Regex;

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

static FAILED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(\d+)\s*(?:\w+\s+){0,2}(?:failed|failing|failures?)\b|\b(?:failed|failures|failing)\s*[:=]\s*(\d+)\b").unwrap()
});

/// Returns how many failures the answer reports: the largest number, since runners print "0 failed" for every part.
pub(crate) fn failures(text: &str) -> Option<u64> {
    FAILED
        .captures_iter(text)
        .filter_map(|found| found.get(1).or(found.get(2))?.as_str().parse::<u64>().ok())
        .max()
}

/// Tells whether the answer contains what a runner itself printed.
pub(crate) fn shows_output(text: &str) -> bool {
    RUNNER_LINE.is_match(text)
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
