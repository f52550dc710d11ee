//! What a test runner said: how many passed and failed, and which failed where.
//!
//! Counts are read where a runner prints them in a fixed form. Where none is recognised, none is claimed: the
//! exit code and the end of the output are then all that is told.

use std::sync::LazyLock;

use regex::Regex;

/// The result of a test run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    /// Name, place and message of what failed, as far as they are known.
    pub(super) failures: Vec<Failure>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) name: String,
    /// `path:line`.
    pub(super) place: Option<String>,
    pub(super) message: Option<String>,
}

impl Failure {
    pub(super) fn shown(&self) -> String {
        let mut text = format!("failed: {}", self.name);
        if let Some(place) = &self.place {
            text.push_str(&format!(" at {place}"));
        }
        if let Some(message) = &self.message {
            text.push_str(&format!(": {message}"));
        }
        text
    }
}

/// Reads the output of the first runner that is recognised in it.
pub(super) fn summary(output: &str) -> Option<Summary> {
    [libtest, pytest, unittest, go, javascript, tap].into_iter().find_map(|read| read(output))
}

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a constant pattern")
}

fn number(text: Option<regex::Match>) -> u64 {
    text.and_then(|text| text.as_str().parse().ok()).unwrap_or(0)
}

/// Rust: one result line for each test program.
fn libtest(output: &str) -> Option<Summary> {
    static RESULT: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored"));
    static FAILED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^test (.+) \.\.\. FAILED"));
    static PANIC: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?m)^thread '([^']+)'(?: \(\d+\))? panicked at ([^\n]+?:\d+)(?::\d+)?:\n([^\n]*)")
    });
    let mut summary = Summary::default();
    let mut any = false;
    for found in RESULT.captures_iter(output) {
        any = true;
        summary.passed += number(found.get(1));
        summary.failed += number(found.get(2));
        summary.skipped += number(found.get(3));
    }
    if !any {
        return None;
    }
    for found in FAILED.captures_iter(output) {
        let name = found[1].to_owned();
        let panic = PANIC.captures_iter(output).find(|panic| panic[1] == name);
        summary.failures.push(Failure {
            place: panic.as_ref().map(|panic| panic[2].to_owned()),
            message: panic.map(|panic| panic[3].trim().to_owned()).filter(|message| !message.is_empty()),
            name,
        });
    }
    Some(summary)
}

/// pytest: `=== 1 failed, 2 passed in 0.1s ===` and `FAILED path::test - message`.
fn pytest(output: &str) -> Option<Summary> {
    static END: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^(?:=+ )?((?:\d+ \w+(?:, )?)+) in [\d.]+s"));
    static COUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d+) (\w+)"));
    static FAILED: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^(?:FAILED|ERROR) (\S+?)(?: - ([^\n]*))?$"));
    static PLACE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^(\S+\.py:\d+): (\w[\w.]*(?:Error|Exception|Failed)\w*)"));
    let end = END.captures_iter(output).last()?;
    let mut summary = Summary::default();
    for count in COUNT.captures_iter(&end[1]) {
        let amount = number(count.get(1));
        match &count[2] {
            "passed" | "xpassed" => summary.passed += amount,
            "failed" | "error" | "errors" => summary.failed += amount,
            "skipped" | "xfailed" | "deselected" => summary.skipped += amount,
            _ => {}
        }
    }
    let mut places = PLACE.captures_iter(output);
    for found in FAILED.captures_iter(output) {
        let file = found[1].split("::").next().unwrap_or_default().to_owned();
        let place = places.find(|place| place[1].starts_with(&file)).map(|place| place[1].to_owned());
        let place = place.or_else(|| file.ends_with(".py").then_some(file));
        summary.failures.push(Failure {
            name: found[1].to_owned(),
            place,
            message: found.get(2).map(|message| message.as_str().to_owned()),
        });
    }
    Some(summary)
}

/// unittest: `Ran 3 tests in 0.001s`, then `OK` or `FAILED (failures=1, errors=1)`.
fn unittest(output: &str) -> Option<Summary> {
    static RAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^Ran (\d+) tests? in "));
    static COUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(failures|errors|skipped)=(\d+)"));
    static FAILED: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^(?:FAIL|ERROR): (\S+)(?: \(([^)]+)\))?"));
    static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?m)^  File "([^"]+)", line (\d+)"#));
    let total = number(RAN.captures_iter(output).last()?.get(1));
    let mut summary = Summary::default();
    let end = output.lines().rev().find(|line| line.starts_with("FAILED (") || line.starts_with("OK"))?;
    for count in COUNT.captures_iter(end) {
        let amount = number(count.get(2));
        if &count[1] == "skipped" { summary.skipped += amount } else { summary.failed += amount }
    }
    summary.passed = total.saturating_sub(summary.failed + summary.skipped);
    for found in FAILED.captures_iter(output) {
        let rest = &output[found.get(0).map_or(0, |all| all.end())..];
        let section = rest.split("\n======").next().unwrap_or(rest);
        let place = PLACE.captures_iter(section).last().map(|place| format!("{}:{}", &place[1], &place[2]));
        let message = section.lines().rev().map(str::trim).find(|line| line.contains("Error"));
        let name = found.get(2).map_or_else(|| found[1].to_owned(), |path| path.as_str().to_owned());
        summary.failures.push(Failure { name, place, message: message.map(str::to_owned) });
    }
    Some(summary)
}

/// Go: `--- FAIL: TestX` in packages that end with `ok` or `FAIL`. Passed tests are not printed one by one.
fn go(output: &str) -> Option<Summary> {
    static PACKAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^(ok|FAIL|---)\s+\S"));
    static OK: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^ok\s+\S+\s+(?:[\d.]+s|\(cached\))"));
    static NONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\?\s+\S+\s+\[no test files\]"));
    static FAILED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s*--- FAIL: (\S+)"));
    static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s+(\w[\w.-]*\.go:\d+): ([^\n]*)"));
    if !PACKAGE.is_match(output)
        || !(OK.is_match(output) || output.contains("\nFAIL") || output.starts_with("FAIL"))
    {
        return None;
    }
    let mut summary = Summary { skipped: NONE.find_iter(output).count() as u64, ..Summary::default() };
    summary.passed = OK.find_iter(output).count() as u64;
    for found in FAILED.captures_iter(output) {
        let rest = &output[found.get(0).map_or(0, |all| all.end())..];
        let place = PLACE.captures(rest);
        summary.failures.push(Failure {
            name: found[1].to_owned(),
            place: place.as_ref().map(|place| place[1].to_owned()),
            message: place.map(|place| place[2].to_owned()),
        });
    }
    summary.failed = summary.failures.len() as u64;
    (summary.passed + summary.failed > 0).then_some(summary)
}

/// Jest and Vitest: `Tests: 1 failed, 2 passed, 3 total` and `Tests  1 failed | 2 passed (3)`; Mocha: `2 passing`.
fn javascript(output: &str) -> Option<Summary> {
    static TESTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s*Tests:?\s+((?:\d+ \w+[,| ]*)+)"));
    static COUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d+) (failed|passed|skipped|todo)"));
    static MOCHA: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s+(\d+) (passing|failing|pending)\b"));
    static FAILED: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^\s*(?:●|✕|×|FAIL )\s*([^\n]*(?: › | > )[^\n]+)$"));
    let mut summary = Summary::default();
    if let Some(line) = TESTS.captures_iter(output).last() {
        for count in COUNT.captures_iter(&line[1]) {
            let amount = number(count.get(1));
            match &count[2] {
                "passed" => summary.passed += amount,
                "failed" => summary.failed += amount,
                _ => summary.skipped += amount,
            }
        }
    } else {
        let mut any = false;
        for count in MOCHA.captures_iter(output) {
            any = true;
            let amount = number(count.get(1));
            match &count[2] {
                "passing" => summary.passed += amount,
                "failing" => summary.failed += amount,
                _ => summary.skipped += amount,
            }
        }
        if !any {
            return None;
        }
    }
    for found in FAILED.captures_iter(output) {
        let name = found[1].trim().to_owned();
        if !summary.failures.iter().any(|failure| failure.name == name) {
            summary.failures.push(Failure { name, ..Failure::default() });
        }
    }
    Some(summary)
}

/// TAP and Node's own runner: `# pass 2`, `# fail 1` (or `ℹ pass 2`).
fn tap(output: &str) -> Option<Summary> {
    static COUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^(?:#|ℹ) (pass|fail|skipped) +(\d+)$"));
    static FAILED: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^\s*(?:not ok \d+ - |✖ )([^\n]+?)(?: \([\d.]+ms\))?$"));
    static PLACE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^\s*(?:location: '|test at )([^\n']+?:\d+)(?::\d+)?'?$"));
    static ERROR: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^\s*error: (?:\|-\s*)?['\x22]?([^\n]+?)['\x22]?$"));
    let mut summary = Summary::default();
    let mut any = false;
    for count in COUNT.captures_iter(output) {
        any = true;
        let amount = number(count.get(2));
        match &count[1] {
            "pass" => summary.passed += amount,
            "fail" => summary.failed += amount,
            _ => summary.skipped += amount,
        }
    }
    if !any {
        return None;
    }
    let starts: Vec<usize> = FAILED.find_iter(output).map(|found| found.start()).collect();
    for (index, found) in FAILED.captures_iter(output).enumerate() {
        let name = found[1].trim().to_owned();
        // What is said of a failure stands before the next one.
        let section = &output[starts[index]..starts.get(index + 1).copied().unwrap_or(output.len())];
        let said = |regex: &Regex| regex.captures(section).map(|said| said[1].trim().to_owned());
        let is_new = !summary.failures.iter().any(|failure| failure.name == name);
        if name != "failing tests:" && is_new {
            summary.failures.push(Failure { name, place: said(&PLACE), message: said(&ERROR) });
        }
    }
    Some(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(output: &str, counts: (u64, u64, u64), failures: &[&str]) {
        let summary = summary(output).expect("recognised");
        assert_eq!((summary.passed, summary.failed, summary.skipped), counts, "{summary:?}");
        let shown: Vec<String> = summary.failures.iter().map(Failure::shown).collect();
        assert_eq!(shown, failures);
    }

    #[test]
    fn rust() {
        check(
            "running 2 tests\ntest a::ok ... ok\ntest a::bad ... FAILED\n\nfailures:\n\n---- a::bad stdout ----\n\
             thread 'a::bad' (42) panicked at src/a.rs:7:5:\nassertion `left == right` failed\n  left: 1\n\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
            (4, 1, 2),
            &["failed: a::bad at src/a.rs:7: assertion `left == right` failed"],
        );
    }

    #[test]
    fn python() {
        check(
            "tests/test_a.py:4: AssertionError\n=== short test summary info ===\n\
             FAILED tests/test_a.py::test_bad - assert 1 == 2\n=== 1 failed, 2 passed, 1 skipped in 0.02s ===\n",
            (2, 1, 1),
            &["failed: tests/test_a.py::test_bad at tests/test_a.py:4: assert 1 == 2"],
        );
        check("3 passed in 0.01s\n", (3, 0, 0), &[]);
        check(
            "F.\n======\nFAIL: test_bad (tests.test_a.A.test_bad)\n------\nTraceback (most recent call last):\n  \
             File \"tests/test_a.py\", line 5, in test_bad\nAssertionError: 1 != 2\n\n------\nRan 2 tests in 0.001s\n\n\
             FAILED (failures=1)\n",
            (1, 1, 0),
            &["failed: tests.test_a.A.test_bad at tests/test_a.py:5: AssertionError: 1 != 2"],
        );
        check("Ran 1 test in 0.0s\n\nOK (skipped=1)\n", (0, 0, 1), &[]);
    }

    #[test]
    fn others() {
        check(
            "--- FAIL: TestBad (0.00s)\n    a_test.go:6: no\nFAIL\nFAIL\tm/a\t0.002s\nok  \tm/b\t0.001s\nFAIL\n",
            (1, 1, 0),
            &["failed: TestBad at a_test.go:6: no"],
        );
        check(
            "  ● sums › adds\n\nTests:       1 failed, 1 skipped, 2 passed, 4 total\n",
            (2, 1, 1),
            &["failed: sums › adds"],
        );
        check(" Tests  1 failed | 2 passed (3)\n", (2, 1, 0), &[]);
        check("  2 passing (3ms)\n  1 failing\n", (2, 1, 0), &[]);
        check("TAP version 13\nnot ok 1 - bad\n# pass 1\n# fail 1\n", (1, 1, 0), &["failed: bad"]);
        check(
            "not ok 1 - bad\n  ---\n  location: 'test/a.test.js:4:1'\n  error: |-\n    3 !== 1\n  ...\n# pass 0\n# fail 1\n",
            (0, 1, 0),
            &["failed: bad at test/a.test.js:4: 3 !== 1"],
        );
    }

    #[test]
    fn no_counts_are_claimed_of_other_output() {
        for output in
            ["", "make: *** [test] Error 1", "everything passed", "error[E0425]: cannot find value `x`"]
        {
            assert_eq!(summary(output), None, "in {output}");
        }
    }
}
