//! How many tests ran and which failed, by the summaries that test runners print.
//!
//! Every summary counts, not the last or the best: cargo prints one for each test binary, and "0 failed" of one
//! hides no failure of another.

use std::sync::LazyLock;

use regex::Regex;
use shared::section::Severity;

use super::diagnostics::{Source, regex};
use super::plain_counts;
use crate::found::{Found, finding};

/// No more failed tests are named.
const MAX: usize = 500;

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Counts {
    /// Returns how many tests were really run.
    pub(super) fn executed(self) -> u64 {
        self.passed.saturating_add(self.failed)
    }

    pub(super) fn add(&mut self, passed: u64, failed: u64, skipped: u64) {
        self.passed = self.passed.saturating_add(passed);
        self.failed = self.failed.saturating_add(failed);
        self.skipped = self.skipped.saturating_add(skipped);
    }
}

/// `test result: ok. 5 passed; 0 failed; 1 ignored; …`
static CARGO: LazyLock<Regex> = regex!(r"(?m)^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored");
/// `Summary [   0.1s] 5 tests run: 4 passed (1 slow), 1 failed, 2 skipped`
static NEXTEST: LazyLock<Regex> = regex!(r"(?m)^\s*Summary \[.*?\] +(\d+)(?:/\d+)? tests? run: (.*)$");
/// `===== 1 failed, 3 passed, 1 error in 0.12s =====`, `3 passed in 0.1s`
static PYTEST: LazyLock<Regex> = regex!(
    r"(?m)^=* ?((?:\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?|rerun)(?:, )?)+|no tests ran) in [\d.]+m?s.*$"
);
/// `Ran 3 tests in 0.001s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=1)`
static UNITTEST: LazyLock<Regex> =
    regex!(r"(?m)^Ran (\d+) tests? in [\d.]+s\s*\n(?:\s*\n)?(OK|FAILED|NO TESTS RAN)(?: \((.*)\))?");
/// `ok`, package, `0.1s`, with tabs between them; `--- FAIL: TestX (0.00s)`
static GO: LazyLock<Regex> = regex!(r"(?m)^(ok|FAIL)\s+\t?(\S+)\t?\s*(?:[\d.]+s|\(cached\)|\[.*\])(.*)$");
static GO_TEST: LazyLock<Regex> = regex!(r"(?m)^\s*--- (PASS|FAIL|SKIP): (\S+)");
/// `Tests:       1 failed, 1 skipped, 2 passed, 4 total`
static JEST: LazyLock<Regex> = regex!(r"(?m)^Tests: +((?:\d+ \w+, )*\d+ total)$");
/// `      Tests  1 failed | 2 passed (3)`
static VITEST: LazyLock<Regex> = regex!(r"(?m)^\s*Tests  ((?:\d+ \w+(?: \| )?)+) \(\d+\)$");
/// node: `# pass 2`, `ℹ fail 0`
static NODE: LazyLock<Regex> = regex!(r"(?m)^(?:#|ℹ) (pass|fail|cancelled|skipped|todo) (\d+)$");
/// mocha: `  3 passing (10ms)`, `  1 failing`
static MOCHA: LazyLock<Regex> = regex!(r"(?m)^\s*(\d+) (passing|failing|pending)(?: \(.*\))?$");
/// rspec: `5 examples, 1 failure, 1 pending`; minitest: `3 runs, 4 assertions, 1 failures, 0 errors, 0 skips`
static RSPEC: LazyLock<Regex> = regex!(r"(?m)^(\d+) examples?, (\d+) failures?(?:, (\d+) pending)?");
static MINITEST: LazyLock<Regex> = regex!(
    r"(?m)^(\d+) (?:runs|tests), \d+ assertions, (\d+) failures, (\d+) errors(?:, (\d+) (?:skips|pendings))?"
);
/// Maven: `[INFO] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0` for all, without a class behind it
static MAVEN: LazyLock<Regex> =
    regex!(r"(?m)^(?:\[\w+\] )?Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)\s*$");
/// TAP: `ok 1 - name`, `not ok 2 - name # TODO`
static TAP: LazyLock<Regex> = regex!(r"(?m)^(not )?ok \d+\b(.*)$");

/// Returns how many tests ran by all summaries together; `None` if there is none in a form that is known.
pub(super) fn counts(text: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    let mut known = false;
    let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
    for c in CARGO.captures_iter(text) {
        known = true;
        counts.add(number(&c[1]), number(&c[2]), number(&c[3]));
    }
    for c in NEXTEST
        .captures_iter(text)
        .map(|c| listed(&c[2]))
        .chain(PYTEST.captures_iter(text).map(|c| listed(&c[1])))
    {
        known = true;
        counts.add(c.passed, c.failed, c.skipped);
    }
    for c in UNITTEST.captures_iter(text) {
        known = true;
        let words = c.get(3).map_or("", |words| words.as_str());
        let of = |word: &str| {
            words
                .split(", ")
                .filter_map(|part| part.split_once('='))
                .filter(|(name, _)| *name == word)
                .map(|(_, n)| number(n))
                .sum::<u64>()
        };
        let failed =
            (of("failures") + of("errors") + of("unexpected successes")).max(u64::from(&c[2] == "FAILED"));
        let skipped = of("skipped");
        counts.add(number(&c[1]).saturating_sub(failed + skipped), failed, skipped);
    }
    known |= go(text, &mut counts);
    for c in JEST
        .captures_iter(text)
        .map(|c| listed(&c[1]))
        .chain(VITEST.captures_iter(text).map(|c| listed(&c[1])))
    {
        known = true;
        counts.add(c.passed, c.failed, c.skipped);
    }
    let mut node = false;
    for c in NODE.captures_iter(text) {
        node = true;
        let n = number(&c[2]);
        match &c[1] {
            "pass" => counts.add(n, 0, 0),
            "fail" | "cancelled" => counts.add(0, n, 0),
            _ => counts.add(0, 0, n),
        }
    }
    known |= node;
    for c in MOCHA.captures_iter(text) {
        known = true;
        let n = number(&c[1]);
        match &c[2] {
            "passing" => counts.add(n, 0, 0),
            "failing" => counts.add(0, n, 0),
            _ => counts.add(0, 0, n),
        }
    }
    for c in RSPEC.captures_iter(text) {
        known = true;
        let skipped = c.get(3).map_or(0, |n| number(n.as_str()));
        counts.add(number(&c[1]).saturating_sub(number(&c[2]) + skipped), number(&c[2]), skipped);
    }
    for c in MINITEST.captures_iter(text) {
        known = true;
        let (failed, skipped) = (number(&c[2]) + number(&c[3]), c.get(4).map_or(0, |n| number(n.as_str())));
        counts.add(number(&c[1]).saturating_sub(failed + skipped), failed, skipped);
    }
    for c in MAVEN.captures_iter(text) {
        known = true;
        let failed = number(&c[2]) + number(&c[3]);
        counts.add(number(&c[1]).saturating_sub(failed + number(&c[4])), failed, number(&c[4]));
    }
    if !known {
        for c in TAP.captures_iter(text) {
            known = true;
            let rest = c[2].to_ascii_uppercase();
            match (c.get(1).is_some(), rest.contains("# SKIP") || rest.contains("# TODO")) {
                (_, true) => counts.add(0, 0, 1),
                (true, _) => counts.add(0, 1, 0),
                (false, _) => counts.add(1, 0, 0),
            }
        }
    }
    if known { Some(counts) } else { plain_counts::counts(text) }
}

/// Reads `1 failed, 2 passed (1 slow), 3 skipped`.
fn listed(text: &str) -> Counts {
    let mut counts = Counts::default();
    for part in text.split([',', '|']) {
        let mut words = part.split_whitespace();
        let (Some(n), Some(word)) = (words.next().and_then(|n| n.parse::<u64>().ok()), words.next()) else {
            continue;
        };
        match word {
            "passed" | "xpassed" => counts.add(n, 0, 0),
            "failed" | "error" | "errors" | "timed" | "exec" => counts.add(0, n, 0),
            "skipped" | "todo" | "xfailed" | "pending" | "ignored" => counts.add(0, 0, n),
            _ => {}
        }
    }
    counts
}

/// Go counts packages unless it is asked to be verbose; a package without tests counts for nothing.
fn go(text: &str, counts: &mut Counts) -> bool {
    let mut known = text.lines().any(|line| line.starts_with("?   \t") && line.ends_with("[no test files]"));
    let mut tests = Counts::default();
    for c in GO_TEST.captures_iter(text) {
        known = true;
        match &c[1] {
            "PASS" => tests.add(1, 0, 0),
            "FAIL" => tests.add(0, 1, 0),
            _ => tests.add(0, 0, 1),
        }
    }
    let mut packages = Counts::default();
    for c in GO.captures_iter(text) {
        known = true;
        match &c[1] {
            _ if c[0].contains("[no tests to run]") || c[0].contains("[no test files]") => {}
            "ok" => packages.add(1, 0, 0),
            _ => packages.add(0, 1, 0),
        }
    }
    if tests.executed() > 0 && packages.failed == 0 {
        // `ok` of a package says no more than its tests; one of them alone may have been printed.
        counts.add(tests.passed.max(packages.passed), tests.failed, tests.skipped);
    } else {
        counts.add(packages.passed, packages.failed.max(tests.failed), tests.skipped);
    }
    known
}

static FAILED: [LazyLock<Regex>; 12] = [
    // cargo, nextest
    regex!(r"(?m)^test (.+?)(?: - should panic)? \.\.\. FAILED$"),
    regex!(r"(?m)^\s+(?:FAIL|TIMEOUT|SIG\w+) \[ *[\d.]+s\](?: \(.*?\))? +(.+)$"),
    // pytest, in its short summary
    regex!(r"(?m)^(?:FAILED|ERROR) (\S+\.py\S*(?: \S+)*?)(?: - .*)?$"),
    // unittest
    regex!(r"(?m)^(?:FAIL|ERROR): (\S+ \([\w.]+\))"),
    // go
    regex!(r"(?m)^\s*--- FAIL: (\S+)"),
    // jest and vitest
    regex!(r"(?m)^\s*● (.+ › .+)$"),
    regex!(r"(?m)^\s*(?:FAIL|×) +(\S+\.\w+ > .+?)(?: \d+ms)?$"),
    // node, TAP
    regex!(r"(?m)^\s*not ok \d+ -? ?(.+?)$"),
    regex!(r"(?m)^✖ (.+?) \([\d.]+ms\)$"),
    // mocha
    regex!(r"(?m)^\s+\d+\) (.+?):?$"),
    // rspec
    regex!(r"(?m)^rspec (\S+:\d+)"),
    // Maven
    regex!(r"(?m)^\[ERROR\]   (\S+:\d+)"),
];
/// `thread 'tests::adds' panicked at src/lib.rs:10:9:`
static PANIC: LazyLock<Regex> =
    regex!(r"(?m)^thread '(.+?)'(?: \(\d+\))? panicked at (?:.*, )?([^\s:]+):(\d+):(\d+)");
static MOCHA_FAILS: LazyLock<Regex> = regex!(r"(?m)^\s*\d+ failing$");

/// Returns a finding for each failed test, at the place of its failure where that is known.
pub(super) fn failures(text: &str, source: &Source) -> Vec<Found> {
    let mut names: Vec<String> = Vec::new();
    for (index, pattern) in FAILED.iter().enumerate() {
        // A numbered list is mocha's only where mocha has said so.
        if index == 9 && !MOCHA_FAILS.is_match(text) {
            continue;
        }
        for c in pattern.captures_iter(text) {
            let name = c[1].trim().to_owned();
            let upper = name.to_ascii_uppercase();
            let todo = upper.contains("# TODO") || upper.contains("# SKIP");
            if !todo && !names.contains(&name) && names.len() < MAX {
                names.push(name);
            }
        }
    }
    names
        .into_iter()
        .map(|name| {
            let panic = PANIC.captures_iter(text).find(|c| name == c[1] || name.ends_with(&c[1]));
            let message = format!("the test `{name}` failed");
            let found = match panic {
                Some(c) => source.at(
                    &c[2],
                    c[3].parse().ok(),
                    c[4].parse().ok(),
                    "test-failed",
                    Severity::Error,
                    &message,
                ),
                None => Found::new(finding("test-failed", Severity::Error, message)),
            };
            // A test is known again by its name, wherever it fails.
            found.on(name.as_bytes())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn summaries_of_all_runners() {
        let case = |passed, failed, skipped| Some(Counts { passed, failed, skipped });
        for (text, expected) in [
            (
                "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                case(5, 0, 1),
            ),
            (
                "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured\n\
                 test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured",
                case(4, 2, 0),
            ),
            ("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 12 filtered out", case(0, 0, 0)),
            ("     Summary [   0.105s] 5 tests run: 4 passed (1 slow), 1 failed, 2 skipped", case(4, 1, 2)),
            ("====== 1 failed, 3 passed, 1 skipped, 2 warnings in 0.12s ======", case(3, 1, 1)),
            ("3 passed in 0.01s", case(3, 0, 0)),
            ("===== no tests ran in 0.01s =====", case(0, 0, 0)),
            ("===== 1 error in 0.30s =====", case(0, 1, 0)),
            ("Ran 3 tests in 0.001s\n\nOK", case(3, 0, 0)),
            ("Ran 3 tests in 0.001s\n\nFAILED (failures=1, errors=1)", case(1, 2, 0)),
            ("Ran 0 tests in 0.000s\n\nNO TESTS RAN", case(0, 0, 0)),
            ("ok  \texample.com/a\t0.002s\nFAIL\texample.com/b\t0.1s\n", case(1, 1, 0)),
            ("--- FAIL: TestX (0.00s)\nFAIL\nFAIL\texample.com/b\t0.1s\n", case(0, 1, 0)),
            ("?   \texample.com/a\t[no test files]\n", case(0, 0, 0)),
            ("ok  \texample.com/a\t0.002s [no tests to run]\n", case(0, 0, 0)),
            ("Tests:       1 failed, 1 skipped, 2 passed, 4 total", case(2, 1, 1)),
            ("      Tests  1 failed | 2 passed (3)", case(2, 1, 0)),
            ("# tests 3\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 0\n# todo 0\n", case(2, 1, 0)),
            ("ℹ pass 2\nℹ fail 0\n", case(2, 0, 0)),
            ("  3 passing (10ms)\n  1 failing\n", case(3, 1, 0)),
            ("5 examples, 1 failure, 1 pending", case(3, 1, 1)),
            ("3 runs, 4 assertions, 1 failures, 0 errors, 0 skips", case(2, 1, 0)),
            ("[INFO] Tests run: 3, Failures: 1, Errors: 0, Skipped: 1", case(1, 1, 1)),
            ("1..3\nok 1 - a\nnot ok 2 - b\nok 3 # SKIP no\n", case(1, 1, 1)),
            ("everything is fine, 0 failed", None),
            ("", None),
        ] {
            assert_eq!(counts(text), expected, "{text}");
        }
    }

    #[test]
    fn failed_tests_have_names_and_places() {
        let text = "test tests::adds ... FAILED\ntest tests::ok ... ok\n\n---- tests::adds stdout ----\n\
                    thread 'tests::adds' (12) panicked at src/lib.rs:10:9:\nassertion failed\n\nfailures:\n    tests::adds\n";
        let found = failures(text, &Source { root: Path::new("/w"), dir: Path::new("core") });
        assert_eq!(found.len(), 1);
        let finding = &found[0].finding;
        assert_eq!(finding.path.as_deref(), Some("core/src/lib.rs"));
        assert_eq!((finding.line, finding.column), (Some(10), Some(9)));
        assert_eq!(finding.message, "the test `tests::adds` failed");
        let names = |text: &str| -> Vec<String> {
            let found = failures(text, &Source { root: Path::new("/w"), dir: Path::new("") });
            found.into_iter().map(|found| found.finding.message).collect()
        };
        for (text, name) in [
            ("FAILED tests/test_a.py::test_x[1-2] - assert 1 == 2", "tests/test_a.py::test_x[1-2]"),
            ("FAIL: test_x (test_a.Case.test_x)\n-----", "test_x (test_a.Case.test_x)"),
            ("    --- FAIL: TestX/sub (0.00s)", "TestX/sub"),
            ("  ● Sum › adds two", "Sum › adds two"),
            (" FAIL  src/a.test.ts > adds two", "src/a.test.ts > adds two"),
            ("not ok 2 - adds two", "adds two"),
            ("✖ adds two (0.5ms)", "adds two"),
        ] {
            assert_eq!(names(text), [format!("the test `{name}` failed")], "{text}");
        }
    }
}
