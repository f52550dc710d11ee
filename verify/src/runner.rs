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
    Regex::new(r"(?i)\b(\d+)\s*(?:\w+\s+){0,2}(?:failed|failing|failures?)\b|\b(?:failed|failures|failing|errors)\s*[:=]\s*(\d+)\b|\b(?:passed|failed|skipped|tests?),\s*(\d+)\s+errors?\b").unwrap()
});

/// Returns how many failures the answer reports: the largest number, since runners print "0 failed" for every part.
pub(crate) fn failures(text: &str) -> Option<u64> {
    FAILED
        .captures_iter(text)
        .filter_map(|found| found.iter().skip(1).flatten().next()?.as_str().parse::<u64>().ok())
        .max()
}

/// Tells whether the answer contains what a runner itself printed.
pub(crate) fn shows_output(text: &str) -> bool {
    RUNNER_LINE.is_match(text)
}

/// Tells whether what the runner printed says that it ran no test at all.
pub(crate) fn ran_nothing(text: &str) -> bool {
    static RAN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(\d+)\s+(?:\w+\s+)?(?:passed|passing|failed|failing|errors?)\b|\b(?:passed|failed)\s*[:=]\s*(\d+)\b|^ok\s+\S+\s+\d").unwrap()
    });
    static NOTHING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\bno tests? (?:ran|were run|found|to run|collected|files)\b|\b(?:running|ran|collected|executed|found|run:?) 0 (?:tests?|items|examples)\b|\btests run: 0\b|\b0 (?:tests?|examples|passing)\b").unwrap()
    });
    let counts = || {
        let numbers =
            |found: regex::Captures<'_>| found.iter().skip(1).flatten().next().map(|n| n.as_str().to_owned());
        RAN.captures_iter(text).filter_map(numbers).collect::<Vec<_>>()
    };
    let zero = |number: &String| number.bytes().all(|digit| digit == b'0');
    let counted = counts();
    counted.iter().all(zero) && (!counted.is_empty() || NOTHING.is_match(text))
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
        assert_eq!(failures("==== 3 passed, 1 error in 0.1s ===="), Some(1));
    }

    #[test]
    fn a_run_of_no_tests_is_told_from_one_of_some() {
        for nothing in [
            "running 0 tests\ntest result: ok. 0 passed; 0 failed",
            "=== no tests ran in 0.01s ===",
            "Ran 0 tests in 0.0s\n\nOK",
        ] {
            assert!(ran_nothing(nothing), "{nothing}");
        }
        for some in [
            "ok. 0 passed; 0 failed\nok. 2 passed; 0 failed",
            "Ran 12 tests in 0.1s\n\nOK",
            "All checks passed!",
            "0 tests, then 3 passed",
        ] {
            assert!(!ran_nothing(some), "{some}");
        }
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
