//! Whose fault a failure was, of what kind, and what to do about it (seed 002).
//!
//! Structured evidence comes first: how the attempt ended, what the gates found, what was cut from the context. Words
//! of the answer count only where there is none, since "blocked by CORS" in the output of a failing test is no missing
//! dependency.

mod words;

use shared::section::{Failure, FailureClass, GateResult, Outcome, Severity, Status};

use crate::attempt::Attempt;
use crate::observation::{Observation, Standing};

/// Returns what kind of failure the attempt was; `None` if nothing was attempted.
pub(crate) fn classify(attempt: &Attempt<'_>, observations: &[Observation]) -> Option<Failure> {
    let hard = || observed(observations);
    let rules: [&dyn Fn() -> Option<Failure>; 8] = [
        &|| environment(attempt),
        &|| decomposition_error(attempt),
        &|| words::context_cut(attempt),
        &|| exceeded_capacity(attempt),
        &|| failed_gates(attempt),
        &|| words::exploration_death(attempt),
        &|| words::spec_gap(attempt),
        &hard,
    ];
    if matches!(attempt.dispatch.status, Status::Skipped | Status::Cancelled | Status::Budget) {
        return None;
    }
    rules.iter().find_map(|rule| rule()).or_else(|| {
        let recovery = "look at the answer and at what the checks say";
        Some(failure(FailureClass::Unclassified, "unclassified", vec![], recovery))
    })
}

fn failure(class: FailureClass, subclass: &str, evidence: Vec<String>, recovery: &str) -> Failure {
    Failure { class, subclass: subclass.to_owned(), evidence, recovery: Some(recovery.to_owned()) }
}

fn environment(attempt: &Attempt<'_>) -> Option<Failure> {
    let dispatch = attempt.dispatch;
    let said = dispatch.reason.clone().into_iter();
    let found = |subclass, first: &str, recovery| {
        let evidence = std::iter::once(first.to_owned()).chain(said.clone()).collect();
        Some(failure(FailureClass::Environment, subclass, evidence, recovery))
    };
    match dispatch.status {
        Status::Transport => found("transient", "the network or the server failed", "try again as it is"),
        Status::Auth => found("unclassified", "the credentials were not accepted", "correct the credentials"),
        Status::Quota => {
            found("unclassified", "the account's limit is reached", "raise the limit or change the backend")
        }
        Status::Unavailable => {
            found("unclassified", "no backend could run it", "configure a backend for its tier")
        }
        // 126 and 127 are how POSIX shells say that a command could not be run.
        Status::Failed if matches!(dispatch.exit_code, Some(126 | 127)) => {
            found("unclassified", "the command could not be run", "install it or correct its name")
        }
        Status::Failed if dispatch.exit_code.is_some_and(|code| code > 128) => found(
            "unclassified",
            "the command was ended by a signal",
            "look for a crash or too little memory",
        ),
        _ => None,
    }
}

fn decomposition_error(attempt: &Attempt<'_>) -> Option<Failure> {
    let gates = attempt.fresh_gates()?;
    let scope = gates.scope.as_ref().filter(|scope| scope.outcome == Outcome::Fail);
    let gate = gates.results.iter().find(|gate| gate.gate == "scope" && gate.outcome == Outcome::Fail);
    if scope.is_none() && gate.is_none() {
        return None;
    }
    let mut evidence: Vec<String> = scope
        .into_iter()
        .flat_map(|scope| &scope.undeclared)
        .map(|file| format!("`{file}` was not declared"))
        .collect();
    evidence.extend(gate.into_iter().flat_map(gate_evidence).filter(|_| scope.is_none()));
    let recovery = "plan again: declare the files that the task really needs, or split it";
    Some(failure(FailureClass::Pipeline, "decomposition_error", evidence, recovery))
}

fn exceeded_capacity(attempt: &Attempt<'_>) -> Option<Failure> {
    let dispatch = attempt.dispatch;
    let stop = dispatch.stop_reason.as_deref().unwrap_or_default();
    let limit = matches!(
        stop,
        "max_tokens"
            | "length"
            | "max_output_tokens"
            | "model_context_window_exceeded"
            | "max_turns"
            | "error_max_turns"
    );
    let first = match dispatch.status {
        Status::Timeout => "it ran out of time".to_owned(),
        Status::Truncated => "it was cut off by a limit".to_owned(),
        _ if limit => format!("the model stopped with `{stop}`"),
        _ => return None,
    };
    let mut evidence = vec![first];
    if let Some(before) = dispatch.earlier.last().filter(|before| before.tier < dispatch.tier) {
        evidence.push(format!("tier {} had failed before", before.tier));
    }
    let recovery =
        if evidence.len() > 1 { "split the task, or raise its limit" } else { "escalate, or split the task" };
    Some(failure(FailureClass::Complexity, "exceeded_capacity", evidence, recovery))
}

fn failed_gates(attempt: &Attempt<'_>) -> Option<Failure> {
    let gates = attempt.fresh_gates()?;
    let failed: Vec<&GateResult> =
        gates.results.iter().filter(|gate| gate.outcome == Outcome::Fail).collect();
    // What fails beside a reader's work was so before.
    let wrote = attempt.dispatch.files_changed.as_ref().is_none_or(|files| !files.is_empty());
    if !wrote || attempt.kind.only_reads() || (failed.is_empty() && gates.outcome != Outcome::Fail) {
        return None;
    }
    let mut evidence: Vec<String> = failed.iter().flat_map(|gate| gate_evidence(gate)).collect();
    if evidence.is_empty() {
        evidence.push("the gates failed".to_owned());
    }
    let recovery = "try again with what the gates found as guidance";
    Some(failure(FailureClass::Complexity, "implementation_error", evidence, recovery))
}

fn gate_evidence(gate: &GateResult) -> Vec<String> {
    let mut evidence = vec![match &gate.reason {
        Some(reason) => format!("gate {} failed: {reason}", gate.gate),
        None => format!("gate {} failed", gate.gate),
    }];
    let errors = gate.findings.iter().filter(|finding| finding.severity == Severity::Error);
    evidence.extend(errors.take(5).map(|finding| {
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        let path = finding.path.as_deref().map(|path| format!("{path}{line}: ")).unwrap_or_default();
        format!("{path}{}", finding.message)
    }));
    evidence
}

/// Whatever else the checks saw: the draft itself was not good.
fn observed(observations: &[Observation]) -> Option<Failure> {
    let worst: Vec<&Observation> =
        observations.iter().filter(|o| matches!(o.standing, Standing::Hard | Standing::Small)).collect();
    let evidence: Vec<String> = worst
        .iter()
        .map(|o| match &o.detail {
            Some(detail) => format!("{}: {detail}", o.check),
            None => format!("{} failed", o.check),
        })
        .collect();
    if evidence.is_empty() {
        return None;
    }
    if worst.iter().any(|o| o.check == "refusal") {
        let recovery = "put it in other words, or use another model";
        return Some(failure(FailureClass::Unclassified, "unclassified", evidence, recovery));
    }
    let recovery = "try again with what the checks found as guidance";
    Some(failure(FailureClass::Complexity, "implementation_error", evidence, recovery))
}

#[cfg(test)]
mod tests;
