//! What it means how a program ended and what it printed: the exit code and the output both count.

use shared::process::{Ended, How};
use shared::section::{Outcome, Severity};

use super::Planned;
use super::output::Ran;
use crate::gate::plural;

/// What came out, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) reason: Option<String>,
}

impl Verdict {
    fn new(outcome: Outcome, reason: impl Into<String>) -> Verdict {
        Verdict { outcome, reason: Some(reason.into()) }
    }
}

/// Judges the run of a program.
pub(super) fn judge(planned: &Planned, ended: &Ended, ran: &Ran) -> Verdict {
    let purpose = match planned.gate.as_str() {
        "tests" if planned.vouched => Purpose::VouchedTests,
        "tests" => Purpose::Tests,
        _ => Purpose::Other,
    };
    judge_how(purpose, ended.how, ran, &planned.argv)
}

/// What a program is there for, as far as its exit code says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// It runs tests, as the project's files let suppose.
    Tests,
    /// It runs tests, and somebody vouches for it.
    VouchedTests,
    Other,
}

fn judge_how(purpose: Purpose, how: How, ran: &Ran, argv: &[String]) -> Verdict {
    let code = match how {
        How::Exited(code) => code,
        How::TimedOut => {
            return Verdict::new(
                Outcome::Unverifiable,
                "it did not end in time (--timeout, or `timeout` in specpipe.toml)",
            );
        }
        How::Idle | How::Interrupted => return Verdict::new(Outcome::Unverifiable, how.to_string()),
        // Nobody but the system or a person sends this; the system does so when memory runs out.
        How::Signalled(9) => {
            return Verdict::new(Outcome::Unverifiable, "it was killed, perhaps for want of memory");
        }
        How::Signalled(_) => return Verdict::new(Outcome::Fail, how.to_string()),
    };
    if let Some(reason) = did_not_work(code, ran, argv) {
        return Verdict::new(Outcome::Unverifiable, reason);
    }
    let errors = ran.found.iter().filter(|found| found.finding.severity == Severity::Error).count();
    if purpose != Purpose::Other {
        return tests(code, ran, errors, purpose == Purpose::VouchedTests);
    }
    match (code, errors) {
        (0, 0) => Verdict { outcome: Outcome::Pass, reason: None },
        (0, _) if ran.machine => {
            Verdict::new(Outcome::Fail, format!("{} although the exit code is 0", plural(errors, "error")))
        }
        // Text that only looks like a diagnostic is no evidence against a program that says all is well.
        (0, _) => Verdict { outcome: Outcome::Pass, reason: None },
        (_, 0) => Verdict::new(Outcome::Fail, format!("exit code {code}")),
        _ => Verdict::new(Outcome::Fail, format!("{}, exit code {code}", plural(errors, "error"))),
    }
}

fn tests(code: i32, ran: &Ran, errors: usize, vouched: bool) -> Verdict {
    let Some(counts) = ran.tests else {
        return match code {
            0 if vouched => Verdict::new(Outcome::Pass, "exit code 0; how many tests ran is not known"),
            // A script without a test, a target that is up to date: they end with 0 as well.
            0 => Verdict::new(
                Outcome::Unverifiable,
                "exit code 0, but nothing says that a test ran; if its exit code is to count, name the command in [[gates.commands]]",
            ),
            _ if errors > 0 => {
                Verdict::new(Outcome::Fail, format!("{}, exit code {code}", plural(errors, "error")))
            }
            _ => Verdict::new(Outcome::Fail, format!("exit code {code}")),
        };
    };
    let told = format!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    if counts.failed > 0 || code != 0 && (errors > 0 || counts.executed() > 0) {
        return Verdict::new(
            Outcome::Fail,
            if code == 0 { format!("{told}, although the exit code is 0") } else { told },
        );
    }
    if counts.executed() == 0 {
        // pytest ends with 5 when it finds no tests; whatever the code, nothing was tried.
        return match code {
            0 | 5 => Verdict::new(Outcome::Unverifiable, format!("no test was run ({told})")),
            _ => Verdict::new(Outcome::Fail, format!("exit code {code} and no test was run")),
        };
    }
    Verdict::new(Outcome::Pass, told)
}

/// Tells why the program could not do its work, if that is no fault of what it was to check.
fn did_not_work(code: i32, ran: &Ran, argv: &[String]) -> Option<String> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let text = &ran.text;
    let says = |what: &str| text.contains(what);
    if code == 127 || code == 126 {
        return Some(format!("exit code {code}: a program that it needs is not installed"));
    }
    if code == 0 || !ran.found.is_empty() || ran.tests.is_some_and(|counts| counts.executed() > 0) {
        return None;
    }
    let tool_fault = match words.first().map(|program| program.rsplit('/').next().unwrap_or(program)) {
        // By their manuals 2 means that they did not get to check anything.
        Some("ruff" | "eslint" | "mypy") => code == 2,
        Some("pytest") => matches!(code, 3 | 4),
        Some("npx") if words.iter().any(|word| matches!(*word, "eslint")) => code == 2,
        _ => false,
    };
    if tool_fault {
        return Some(format!("exit code {code}: it could not do its work; see its configuration"));
    }
    let missing = [
        ("no such command: `", "the cargo command is not installed"),
        (
            "is not installed for the toolchain",
            "a component of the toolchain is not installed; see rustup component add",
        ),
        ("No module named pytest", "pytest is not installed"),
        ("No module named mypy", "mypy is not installed"),
        ("No module named ruff", "ruff is not installed"),
        ("Missing script:", "package.json has no such script"),
        ("npm error could not determine executable to run", "the program is not installed here"),
        ("npx canceled due to missing packages", "the program is not installed here"),
        ("This is not the tsc command you are looking for", "typescript is not installed here"),
    ];
    if let Some((_, reason)) = missing.iter().find(|(what, _)| says(what)) {
        return Some((*reason).to_owned());
    }
    let network = [
        "Could not resolve host",
        "failed to download from",
        "Temporary failure in name resolution",
        "getaddrinfo ENOTFOUND",
        "EAI_AGAIN",
        "i/o timeout",
    ];
    network.iter().any(|what| says(what)).then(|| "the network was needed and did not answer".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::commands::tests_ran::Counts;
    use crate::found::{Found, finding};

    fn ran(errors: usize, machine: bool, tests: Option<(u64, u64)>) -> Ran {
        Ran {
            found: (0..errors).map(|_| Found::new(finding("r", Severity::Error, "m"))).collect(),
            machine,
            tests: tests.map(|(passed, failed)| Counts { passed, failed, skipped: 0 }),
            text: String::new(),
        }
    }

    fn purpose(is_tests: bool) -> Purpose {
        if is_tests { Purpose::Tests } else { Purpose::Other }
    }

    #[test]
    fn exit_code_and_output_both_count() {
        use Outcome::{Fail, Pass, Unverifiable};
        for (is_tests, code, ran, expected) in [
            (false, 0, ran(0, false, None), Pass),
            (false, 1, ran(0, false, None), Fail),
            (false, 0, ran(1, true, None), Fail),
            (false, 0, ran(1, false, None), Pass),
            (false, 1, ran(1, true, None), Fail),
            (false, 127, ran(0, false, None), Unverifiable),
            (true, 0, ran(0, false, Some((3, 0))), Pass),
            (true, 0, ran(0, false, Some((3, 1))), Fail),
            (true, 101, ran(0, false, Some((3, 0))), Fail),
            (true, 0, ran(0, false, Some((0, 0))), Unverifiable),
            (true, 5, ran(0, false, Some((0, 0))), Unverifiable),
            (true, 101, ran(2, false, None), Fail),
            (true, 101, ran(1, false, Some((0, 0))), Fail),
            (true, 0, ran(0, false, None), Unverifiable),
            (true, 1, ran(0, false, None), Fail),
        ] {
            let verdict = judge_how(purpose(is_tests), How::Exited(code), &ran, &["x".to_owned()]);
            assert_eq!(verdict.outcome, expected, "tests {is_tests}, code {code}, {ran:?}");
        }
        let silent = ran(0, false, None);
        assert_eq!(judge_how(Purpose::VouchedTests, How::Exited(0), &silent, &[]).outcome, Pass);
        assert_eq!(
            judge_how(Purpose::VouchedTests, How::Exited(0), &ran(0, false, Some((0, 0))), &[]).outcome,
            Unverifiable
        );
        for (how, expected) in
            [(How::TimedOut, Unverifiable), (How::Signalled(9), Unverifiable), (How::Signalled(11), Fail)]
        {
            assert_eq!(
                judge_how(Purpose::Tests, how, &ran(0, false, Some((1, 0))), &[]).outcome,
                expected,
                "{how:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn worse_output_never_makes_it_better(
            purpose in prop_oneof![Just(Purpose::Tests), Just(Purpose::VouchedTests), Just(Purpose::Other)],
            code in prop_oneof![Just(0), Just(1), Just(2), Just(5), Just(101), Just(127)],
            errors in 0usize..3,
            machine in any::<bool>(),
            tests in prop::option::of((0u64..3, 0u64..3)),
        ) {
            let judge = |code, errors, tests: Option<(u64, u64)>| {
                judge_how(purpose, How::Exited(code), &ran(errors, machine, tests), &["ruff".to_owned()]).outcome
            };
            let before = judge(code, errors, tests);
            let no_worse = |after: Outcome| before.and(after) == after;
            prop_assert!(no_worse(judge(code, errors + 1, tests)));
            if let Some((passed, failed)) = tests {
                prop_assert!(no_worse(judge(code, errors, Some((passed, failed + 1)))));
                prop_assert!(passed == 0 || no_worse(judge(code, errors, Some((passed - 1, failed + 1)))));
            }
            if code == 0 {
                prop_assert!(no_worse(judge(1, errors, tests)));
            }
        }
    }

    #[test]
    fn a_program_that_could_not_work_says_nothing_about_the_code() {
        let text = |text: &str| Ran { text: text.to_owned(), ..Ran::default() };
        let argv = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (command, code, output) in [
            ("cargo clippy", 101, "error: no such command: `clippy`"),
            ("ruff check", 2, "error: invalid configuration"),
            ("python3 -m pytest", 1, "/usr/bin/python3: No module named pytest"),
            ("npm test", 1, "npm error Missing script: \"test\""),
            ("cargo test", 101, "error: failed to download from `https://…`"),
        ] {
            let verdict = judge_how(Purpose::Tests, How::Exited(code), &text(output), &argv(command));
            assert_eq!(verdict.outcome, Outcome::Unverifiable, "{command}");
        }
        // A dependency that does not exist is the fault of who wrote it down.
        let verdict = judge_how(
            Purpose::Tests,
            How::Exited(101),
            &text("error: no matching package named `serd` found"),
            &argv("cargo test"),
        );
        assert_eq!(verdict.outcome, Outcome::Fail);
    }
}
