//! A validator names the command it ran and how many passed and failed, and lists each failure with its place.

use std::sync::LazyLock;

use regex::Regex;

use super::NAME;
use crate::attempt::Attempt;
use crate::observation::{Observation, Standing};
use crate::runner;

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

static COUNTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b\d+\s*(?:/\s*\d+\s*)?(?:\w+\s+){0,2}(?:passed|passing|pass|failed|failing|failures?|tests?|errors?|warnings?|problems?|issues?|checks?|examples?|ok)\b|\b(?:no|zero)\s+(?:\w+\s+){0,2}(?:errors?|warnings?|problems?|issues?|failures?|offen[cs]es)\b|\b(?:exit(?:ed)?(?: with)?(?: code| status)?)\W{0,3}\d+\b|\bbuild (?:succeeded|succeeds|passed|passes|failed|fails|is successful|successful)\b|\bworking tree clean\b").unwrap()
});

/// A failing thing by its name: a test function, a file with a line, a marked line of a runner.
static FAILURE_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)\b[\w./-]+\.\w+:\d+|\b\w+(?:::\w+)+\b|\b(?:test|Test|it_|spec_)\w*[_A-Z]\w+|^\s*(?:FAILED|FAIL|✗|✕|×|not ok|--- FAIL:)\s*\S+|`[^`\s]+`\s*(?:\(|:|—|-|in |at |fails|failed)").unwrap()
});

/// Output that was thought up, not seen.
static EXPECTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:expected|example|sample|hypothetical|typical|simulated|assumed|likely)\s+(?:test\s+|command\s+)?(?:output|results?)\b|\b(?:output|result)s?\s+(?:would|should|will|might|could)\s+(?:be|look|read|show)\b|\b(?:would|should|will|might|could) (?:print|output|report|show|produce|give|look like)\b").unwrap()
});

/// Tells whether the answer came as text from a service that has no commands to run, with no sign of any.
fn told(attempt: &Attempt<'_>) -> bool {
    let service = matches!(attempt.dispatch.backend.as_deref(), Some("anthropic" | "openai"));
    service && attempt.dispatch.exit_code.is_none()
}

pub(super) fn check(attempt: &Attempt<'_>) -> Observation {
    let text = attempt.answer.text;
    let mut lacks = Vec::new();
    if !COMMAND.is_match(text) {
        lacks.push("the command that was run");
    }
    if !COUNTS.is_match(text) && !runner::shows_output(text) {
        lacks.push("how many passed and failed");
    }
    if runner::failures(text).is_some_and(|n| n > 0) && !FAILURE_NAMED.is_match(text) {
        lacks.push("the name and place of each failure");
    }
    if !lacks.is_empty() {
        return Observation::new(NAME, Standing::Small, format!("it does not say {}", lacks.join(", nor ")));
    }
    if EXPECTED.is_match(text) {
        let detail = "it says what is expected to come out, not what came out";
        return Observation::new(NAME, Standing::Missing, detail);
    }
    if runner::ran_nothing(text) {
        return Observation::new(NAME, Standing::Missing, "no test was run, so nothing is shown");
    }
    if runner::shows_output(text) && told(attempt) {
        let detail = "a model that runs no commands tells what a runner printed, which is a claim";
        return Observation::new(NAME, Standing::Missing, detail);
    }
    if runner::shows_output(text) {
        return Observation::new(NAME, Standing::Supporting, "the runner's own output is there");
    }
    Observation::new(NAME, Standing::Open, "it states a result without the runner's output")
}
