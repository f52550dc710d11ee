use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Facts about what was produced: what `gates` writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gates {
    /// The attempt of `dispatch` that these facts speak of.
    pub attempt: u32,
    /// The worst outcome of all gates: `fail`, then `unverifiable`, then `pass`; `skip` if none applied.
    pub outcome: Outcome,
    /// One result for each gate that was asked.
    pub results: Vec<GateResult>,
    /// The changed files against the declared ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// What one gate found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateResult {
    /// The gate: `syntax`, `secrets`, `scope`, `lint`, `types`, `tests`, or a configured name.
    pub gate: String,
    /// What kind of evidence it is.
    #[serde(rename = "type")]
    pub kind: GateType,
    /// What came out.
    pub outcome: Outcome,
    /// Why it is `skip` or `unverifiable`, or the gist of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The command that was run, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// What it found, place by place.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub elapsed_ms: u64,
}

/// What kind of evidence a gate gives (seed 002).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateType {
    /// True or false without judgement.
    Fact,
    /// The project's own standards.
    Quality,
    /// Weaknesses and leaks.
    Security,
}

/// What came out of a gate or a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There is evidence, and it is good.
    Pass,
    /// There is evidence, and it is bad.
    Fail,
    /// There is no evidence, though there should be. Never a pass.
    Unverifiable,
    /// It does not apply here.
    Skip,
}

impl Outcome {
    /// Returns the worse of the two: `fail`, then `unverifiable`, then `pass`, then `skip`.
    pub fn and(self, other: Outcome) -> Outcome {
        let badness = |outcome| match outcome {
            Outcome::Skip => 0,
            Outcome::Pass => 1,
            Outcome::Unverifiable => 2,
            Outcome::Fail => 3,
        };
        if badness(other) > badness(self) { other } else { self }
    }

    /// Returns the worst of them, `skip` if there are none.
    pub fn worst(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
        outcomes.into_iter().fold(Outcome::Skip, Outcome::and)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Unverifiable => "unverifiable",
            Outcome::Skip => "skip",
        })
    }
}

/// One thing that a gate found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The file, relative to where the work was done; absent if it is about the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The rule's name, as the tool that applies it calls it.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence. Never contains a secret.
    pub message: String,
    /// The weakness, such as `CWE-798`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwe: Option<String>,
    /// The OWASP category, such as `A07`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owasp: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Should be looked at; fails nothing by itself.
    Warning,
    /// Fails the gate.
    Error,
}

/// The changed files against the declared ones (seed 002).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// The globs of `task.files_touched`; absent if nothing was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Vec<String>>,
    /// The changed files that no glob covers.
    pub undeclared: Vec<String>,
    /// Up to two undeclared files pass with a warning; three or more fail.
    pub outcome: Outcome,
}
