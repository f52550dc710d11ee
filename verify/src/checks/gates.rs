//! The facts that `gates` found about this attempt. Each gate is an observation of its own, so that one that could not
//! be run leaves its mark beside those that could.

use shared::section::{GateResult, Gates, Outcome, Risk, Severity};

use crate::attempt::{Attempt, Kind};
use crate::observation::{Observation, Standing};

const NAME: &str = "gates";

/// Gates that show no behaviour: code can pass them all and still be wrong.
const FORM_ONLY: [&str; 12] = [
    "syntax", "secrets", "scope", "lint", "types", "format", "schema", "sast", "sca", "build", "imports",
    "licenses",
];

/// Reads the facts, if they speak of this attempt.
pub(crate) fn check(attempt: &Attempt<'_>) -> Vec<Observation> {
    let writes = writes(attempt);
    let (standing, detail) = match (attempt.gates, attempt.fresh_gates()) {
        (_, Some(gates)) => return facts(attempt, gates, writes),
        (None, _) if !writes => (Standing::Skipped, "nothing was written".to_owned()),
        (None, _) => (Standing::Open, "no gates were run on this work".to_owned()),
        (Some(gates), None) => {
            let (old, new) = (gates.attempt, attempt.dispatch.attempt);
            (
                if writes { Standing::Open } else { Standing::Skipped },
                format!("the gates speak of attempt {old}, this is {new}"),
            )
        }
    };
    vec![Observation::new(NAME, standing, detail)]
}

/// Tells whether the gates speak of a change. Tests that pass where nothing changed passed before, too.
fn writes(attempt: &Attempt<'_>) -> bool {
    match &attempt.dispatch.files_changed {
        Some(files) => !files.is_empty(),
        None => attempt.kind.writes() && !attempt.is_factual(),
    }
}

fn facts(attempt: &Attempt<'_>, gates: &Gates, writes: bool) -> Vec<Observation> {
    let mut found: Vec<Observation> = gates.results.iter().map(|gate| one(attempt, gate, writes)).collect();
    if let Some(scope) = &gates.scope
        && scope.outcome == Outcome::Fail
        && !gates.results.iter().any(|gate| gate.gate == "scope" && gate.outcome == Outcome::Fail)
    {
        let detail = format!(
            "{} changed files were not declared: {}",
            scope.undeclared.len(),
            scope.undeclared.join(", ")
        );
        found.push(Observation::new("gates.scope", Standing::Hard, super::shown(&detail)));
    }
    // What a stage of another make sums up worse than its parts say still stands.
    let parts = Outcome::worst(found.iter().map(|observation| observation.standing.outcome()));
    let missing = if attempt.risk == Risk::High { Standing::Missing } else { Standing::Open };
    let whole = match gates.outcome {
        Outcome::Fail if writes => Standing::Hard,
        Outcome::Fail | Outcome::Unverifiable => missing,
        Outcome::Pass if writes => Standing::Supporting,
        Outcome::Pass => Standing::Clean,
        Outcome::Skip => Standing::Skipped,
    };
    if found.is_empty() || parts.and(gates.outcome) != parts {
        found.push(Observation::new(NAME, whole, format!("all gates together: {}", gates.outcome)));
    }
    found
}

fn one(attempt: &Attempt<'_>, gate: &GateResult, writes: bool) -> Observation {
    let name = format!("{NAME}.{}", gate.gate);
    let reason = gate.reason.clone().unwrap_or_default();
    match gate.outcome {
        Outcome::Skip => Observation::new(&name, Standing::Skipped, reason),
        Outcome::Unverifiable => {
            // Where a mistake is dear, a gate that could not be asked is missing; elsewhere others may do.
            let standing =
                if attempt.risk == Risk::High && writes { Standing::Missing } else { Standing::Open };
            Observation::new(&name, standing, reason)
        }
        Outcome::Pass => {
            let standing = match (writes, shows_behaviour(gate)) {
                (false, _) => Standing::Clean,
                (true, true) => Standing::Conclusive,
                (true, false) => Standing::Supporting,
            };
            let remark = if reason.is_empty() { reason } else { format!(" ({reason})") };
            Observation::new(&name, standing, format!("the gate `{}` passes{remark}", gate.gate))
        }
        Outcome::Fail => {
            let (standing, detail) = (failed(attempt, gate, writes), evidence(gate));
            Observation::new(&name, standing, detail)
        }
    }
}

/// Tells whether a gate ran what was made: the tests, or a command that the project configured under its own name.
fn shows_behaviour(gate: &GateResult) -> bool {
    gate.gate == "tests" || (gate.command.is_some() && !FORM_ONLY.contains(&gate.gate.as_str()))
}

fn failed(attempt: &Attempt<'_>, gate: &GateResult, writes: bool) -> Standing {
    match gate.gate.as_str() {
        "secrets" => Standing::Hard,
        // The repository was like that before a reader came; whether its report says so is for `claims` to see.
        _ if !writes => Standing::Open,
        "lint" | "format" => Standing::Small,
        // Documents have no types to break; a type gate that fails beside them speaks of the rest.
        _ if attempt.kind == Kind::Document && gate.gate == "types" => Standing::Doubt,
        _ => Standing::Hard,
    }
}

fn evidence(gate: &GateResult) -> String {
    let worst =
        gate.findings.iter().max_by_key(|finding| (finding.severity, std::cmp::Reverse(finding.line)));
    let place = worst.map(|finding| {
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        let path = finding.path.as_deref().map(|path| format!("{path}{line}: ")).unwrap_or_default();
        format!("{path}{}", super::shown(&finding.message))
    });
    let errors = gate.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let more = if errors > 1 { format!(" (and {} more)", errors - 1) } else { String::new() };
    match (place, &gate.reason) {
        (Some(place), _) => format!("{} failed: {place}{more}", gate.gate),
        (None, Some(reason)) => format!("{} failed: {reason}", gate.gate),
        (None, None) => format!("{} failed", gate.gate),
    }
}
