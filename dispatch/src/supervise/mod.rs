//! What is to be done about an attempt that did not do, as data on its record (seed 002's supervisor, without a model).
//!
//! `verify` says what kind of failure an attempt was, in its own member; this says what follows from that, or from how the attempt
//! ended where nobody has judged it. Structured evidence comes first: the status, the exit code, what gates found, the kind
//! of failure, an executor that says in its report that it is blocked. The words of a draft are no evidence here. Nothing is decided
//! by it: who runs the next attempt, and where, follows from the verdict alone.

mod cause;

use serde_json::Value;
use shared::section::{
    Action, ActionKind, Decision, Dispatch, Failure, FailureClass, Gates, Status, Tier, Verify,
};

pub(crate) use cause::{Causes, signatures};

/// What is known of an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) dispatch: &'a Dispatch,
    /// The verdict on this very attempt, and what gates found of it.
    pub(crate) verify: Option<&'a Verify>,
    pub(crate) gates: Option<&'a Gates>,
    /// Whether a higher tier may be asked.
    pub(crate) may_rise: bool,
}

impl<'a> Facts<'a> {
    /// Puts together what speaks of this attempt; what speaks of an older one does not count.
    pub(crate) fn of(
        dispatch: &'a Dispatch,
        verify: Option<&'a Verify>,
        gates: Option<&'a Gates>,
        most: Option<Tier>,
    ) -> Facts<'a> {
        Facts {
            dispatch,
            verify: verify.filter(|verify| verify.attempt == dispatch.attempt),
            gates: gates.filter(|gates| gates.attempt == dispatch.attempt),
            may_rise: dispatch.tier.up().is_some_and(|tier| most.is_none_or(|most| tier <= most)),
        }
    }
}

/// Returns what is to be done about an attempt; nothing if it did, or if nobody has found fault with it.
pub(crate) fn decide(facts: &Facts) -> Option<Action> {
    let dispatch = facts.dispatch;
    // What is to be done about a whole is to be done about its parts.
    if !dispatch.parts.is_empty() {
        return None;
    }
    let is_rejected = facts.verify.is_some_and(|verify| verify.decision != Decision::Accept);
    if dispatch.status == Status::Ok && !is_rejected {
        return None;
    }
    by_end(facts).or_else(|| by_report(dispatch)).or_else(|| by_verdict(facts)).or_else(|| otherwise(facts))
}

fn action(kind: ActionKind, evidence: impl Into<String>) -> Option<Action> {
    Some(Action { kind, evidence: vec![evidence.into()], root_cause: None })
}

/// What follows from the way in which it ended.
fn by_end(facts: &Facts) -> Option<Action> {
    let dispatch = facts.dispatch;
    let because = |what: &str| match &dispatch.reason {
        Some(reason) => format!("{what}: {reason}"),
        None => what.to_owned(),
    };
    let capacity = |what: &str| {
        // A higher tier that had too little room as well is a sign that the task is too large.
        let is_second = dispatch
            .earlier
            .iter()
            .any(|before| matches!(before.status, Status::Timeout | Status::Truncated));
        let kind = if facts.may_rise && !is_second { ActionKind::RetryEscalated } else { ActionKind::Replan };
        action(kind, because(what))
    };
    match dispatch.status {
        Status::Transport => action(ActionKind::Retry, because("the network or the server failed")),
        Status::Cancelled => action(ActionKind::Retry, because("it was called off")),
        Status::Timeout => capacity("it ran out of time"),
        Status::Truncated => capacity("it was cut off by a limit"),
        Status::Auth => action(ActionKind::Escalate, because("the credentials were not accepted")),
        Status::Quota => action(ActionKind::Escalate, because("the account's limit is reached")),
        Status::Budget => action(ActionKind::Escalate, because("the budget does not suffice")),
        Status::Unavailable => action(ActionKind::Escalate, because("nothing is there to run it")),
        Status::Refused => action(ActionKind::Escalate, because("the model refused")),
        Status::Skipped => action(ActionKind::RetryDependency, because("it was skipped")),
        // 126 and 127 are how POSIX shells say that a command could not be run; above 128, a signal ended it.
        Status::Failed => match dispatch.exit_code {
            Some(126 | 127) => action(ActionKind::Escalate, because("the command could not be run")),
            Some(code) if code > 128 => action(ActionKind::Escalate, because("the command crashed")),
            _ => None,
        },
        Status::Ok => None,
    }
}

/// What follows from a report in which the executor says that it is blocked, as a developer's is (seed 002).
fn by_report(dispatch: &Dispatch) -> Option<Action> {
    let output = dispatch.output.as_deref()?.trim();
    // Only a report is one, not an answer that quotes one.
    let report: Value = serde_json::from_str(output).ok()?;
    if report["status"] != "blocked" {
        return None;
    }
    let reason = report["blocked_reason"].as_str().unwrap_or_default();
    let kind = match reason {
        "missing_dependency" => ActionKind::Reorder,
        "contradictory_requirements" | "impossible_as_specified" => ActionKind::Replan,
        _ => ActionKind::Escalate,
    };
    let question = report["uncertain_about"].as_str().map(|about| format!(", uncertain about: {about}"));
    action(kind, format!("the executor is blocked by {reason}{}", question.unwrap_or_default()))
}

/// What follows from the kind of failure that `verify` found.
fn by_verdict(facts: &Facts) -> Option<Action> {
    let verify = facts.verify?;
    let Failure { class, subclass, evidence, .. } = verify.failure.as_ref()?;
    let up = |otherwise| match (verify.escalate_to, facts.may_rise) {
        (Some(_), _) | (None, true) if verify.decision != Decision::Blocked => ActionKind::RetryEscalated,
        _ => otherwise,
    };
    let detail = |name: &str| evidence.iter().any(|line| line.starts_with(name));
    let kind = match (subclass.as_str(), class) {
        ("transient", _) => ActionKind::Retry,
        ("context_cut" | "exploration_death" | "decomposition_error", _) => ActionKind::Replan,
        ("spec_gap", _) if detail("missing_dependency") => ActionKind::Reorder,
        ("spec_gap", _) => ActionKind::Escalate,
        ("exceeded_capacity", _) => {
            let is_second = facts.dispatch.earlier.iter().any(|before| before.tier < facts.dispatch.tier);
            if is_second { ActionKind::Replan } else { up(ActionKind::Replan) }
        }
        ("implementation_error", _) => up(ActionKind::Escalate),
        (_, FailureClass::Environment) => ActionKind::Escalate,
        (_, FailureClass::Pipeline) => ActionKind::Replan,
        (_, FailureClass::Complexity | FailureClass::Unclassified) => up(ActionKind::Escalate),
    };
    let mut told = vec![format!("verify: {subclass}")];
    told.extend(evidence.iter().take(5).cloned());
    Some(Action { kind, evidence: told, root_cause: None })
}

fn otherwise(facts: &Facts) -> Option<Action> {
    if let Some(verify) = facts.verify {
        let kind = match verify.decision {
            Decision::Accept => return None,
            Decision::Fix | Decision::Escalate => ActionKind::RetryEscalated,
            Decision::Unverifiable | Decision::Blocked => ActionKind::Escalate,
        };
        return action(kind, format!("verify: {}", verify.reason));
    }
    let reason = facts.dispatch.reason.as_deref().unwrap_or("it did not end well");
    let kind = if facts.may_rise { ActionKind::RetryEscalated } else { ActionKind::Escalate };
    action(kind, reason)
}

#[cfg(test)]
mod tests;
