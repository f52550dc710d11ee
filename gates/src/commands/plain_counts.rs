//! Counts of tests in plain words, by runners that have no name: "4 tests passed", "PASS: 3", "All 5 tests OK".
//!
//! Asked only where no summary of a known form was printed. What matters is whether anything ran and whether
//! anything failed; a number that is told twice does no harm.

use std::sync::LazyLock;

use regex::Regex;

use super::diagnostics::regex;
use super::tests_ran::Counts;

/// `4 tests passed`, `All 5 tests OK.`, `3/3 checks succeeded`, `[  PASSED  ] 3 tests.`; no `100% tests passed`.
static PASSED: [LazyLock<Regex>; 6] = [
    regex!(
        r"(?im)^(?:.*[\s:|,(\]])?(\d+)(?: ?/ ?\d+| of \d+)? (?:\w+ )?(?:tests?|test ?cases?|checks?|specs?|examples?|cases|scenarios?)(?: have| has| were| was| are)? (?:all )?(?:passed|passing|pass|ok|okay|succeeded|successful)\b"
    ),
    // `3 passed (1.2s)`, `ok | 3 passed | 0 failed`, ` 3 pass`
    regex!(r"(?m)^(?:.*[|:,(])? *(\d+) pass(?:ed|ing)?\b"),
    // `PASS: 3`, `# PASS:  3`, `Failed: 0, Passed: 3`
    regex!(
        r"(?im)^(?:[#*\s=-]*|.*[,|-] *)(?:tests? )?(?:pass|passed|passes|ok|succeeded|success|successes)\s*[:=]\s*(\d+)\b"
    ),
    regex!(r"(?m)^\[  PASSED  \] (\d+) tests?"),
    regex!(r"(?m)^All tests passed \(.*\bin (\d+) test cases?\)"),
    // PHPUnit
    regex!(r"(?m)^OK \((\d+) tests?\b"),
];

/// `1 test failed`, `ok | 3 passed | 1 failed`, `FAIL: 2`, `[  FAILED  ] 1 test`.
static FAILED: [LazyLock<Regex>; 4] = [
    regex!(
        r"(?im)^[\s*#x✗✘✖-]*(\d+)(?: ?/ ?\d+| of \d+)? (?:\w+ )?(?:tests?|test ?cases?|checks?|specs?|examples?|cases|scenarios?)(?: have| has)? (?:failed|failing|failures?)\b"
    ),
    regex!(r"(?m)^(?:.*\d+ pass(?:ed|ing)?\b.*[|:,(])? *(\d+) fail(?:ed|ing)?\b"),
    regex!(r"(?im)^[#*\s=-]*(?:tests? )?(?:fail|failed|failures|fails)\s*[:=]\s*(\d+)\b"),
    regex!(r"(?m)^\[  FAILED  \] (\d+) tests?"),
];

/// All and failed: `3 tests, 1 failure`, `Executed 3 tests, with 0 failures`.
static ALL: LazyLock<Regex> = regex!(
    r"(?im)^[\s#*]*(?:Executed |Ran )?(\d+) (?:tests?|checks?|specs?), (?:with )?(\d+) (?:failures?|failed|errors?)\b"
);
/// ctest: `100% tests passed, 0 tests failed out of 5`
static CTEST: LazyLock<Regex> = regex!(r"(?m)^\d+% tests passed, (\d+) tests? failed out of (\d+)$");
/// A line for each test, as automake and dejagnu print them: `PASS: name`
static EACH: LazyLock<Regex> = regex!(r"(?m)^(PASS|FAIL|SKIP|XFAIL|XPASS|ERROR): +[^\s\d]");

/// Returns the counts; `None` if nothing says how many tests passed, and none is said to have failed.
pub(super) fn counts(text: &str) -> Option<Counts> {
    let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
    let mut counts = Counts::default();
    let mut known = false;
    for c in ALL.captures_iter(text) {
        known = true;
        counts.add(number(&c[1]).saturating_sub(number(&c[2])), number(&c[2]), 0);
    }
    for c in CTEST.captures_iter(text) {
        known = true;
        counts.add(number(&c[2]).saturating_sub(number(&c[1])), number(&c[1]), 0);
    }
    for c in EACH.captures_iter(text) {
        known = true;
        match &c[1] {
            "PASS" => counts.add(1, 0, 0),
            "SKIP" | "XFAIL" => counts.add(0, 0, 1),
            _ => counts.add(0, 1, 0),
        }
    }
    for c in PASSED.iter().flat_map(|pattern| pattern.captures_iter(text)) {
        known = true;
        counts.add(number(&c[1]), 0, 0);
    }
    for c in FAILED.iter().flat_map(|pattern| pattern.captures_iter(text)) {
        counts.add(0, number(&c[1]), 0);
    }
    (known || counts.failed > 0).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_tell_whether_anything_ran_and_whether_it_failed() {
        for (text, ran, failed) in [
            ("4 tests passed", true, false),
            ("12 checks passed", true, false),
            ("All 5 tests OK", true, false),
            ("ok: all 3 unit tests passed.", true, false),
            ("3/3 tests passed", true, false),
            ("PASS: 3", true, false),
            ("# TOTAL: 3\n# PASS:  3\n# FAIL:  0", true, false),
            ("Passed!  - Failed:     0, Passed:     3, Skipped: 0", true, false),
            ("PASS: reads_words\nFAIL: counts", true, true),
            ("ok | 3 passed | 0 failed (10ms)", true, false),
            ("ok | 3 passed | 1 failed (10ms)", true, true),
            ("  3 passed (1.2s)", true, false),
            (" 3 pass\n 0 fail", true, false),
            ("3 tests, 0 failures", true, false),
            ("3 tests, 1 failure", true, true),
            ("Executed 3 tests, with 0 failures (0 unexpected) in 0.1 seconds", true, false),
            ("[==========] 3 tests ran.\n[  PASSED  ] 3 tests.", true, false),
            ("[  PASSED  ] 2 tests.\n[  FAILED  ] 1 test, listed below:", true, true),
            ("100% tests passed, 0 tests failed out of 5", true, false),
            ("All tests passed (5 assertions in 3 test cases)", true, false),
            ("OK (3 tests, 5 assertions)", true, false),
            ("2 tests passed\n1 test failed", true, true),
        ] {
            let counts = counts(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((counts.executed() > 0, counts.failed > 0), (ran, failed), "{text}: {counts:?}");
        }
        for text in [
            "0 tests passed",
            "PASS: 0",
            "All 0 tests OK",
            "0 tests, 0 failures",
            "[  PASSED  ] 0 tests.",
            "0 of 0 checks passed",
            "100% tests passed, 0 tests failed out of 0",
        ] {
            assert_eq!(counts(text), Some(Counts::default()), "{text}");
        }
        for text in [
            "",
            "all is well, 0 failed",
            "errors: 0",
            "100% tests passed",
            "make: Nothing to be done for 'test'.",
            "no tests",
            "compiled 3 files",
            "we pass 3 arguments",
        ] {
            assert_eq!(counts(text), None, "{text}");
        }
    }
}
