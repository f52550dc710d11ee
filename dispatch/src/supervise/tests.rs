use serde_json::{Value, json};

use super::*;

fn kind_of(dispatch: Value, verify: Value) -> Option<ActionKind> {
    decided(dispatch, verify).map(|action| action.kind)
}

fn decided(dispatch: Value, verify: Value) -> Option<Action> {
    let mut fields = json!({"attempt": 2, "status": "ok", "executor": "implement", "tier": 1});
    fields.as_object_mut().unwrap().extend(dispatch.as_object().unwrap().clone());
    let dispatch: Dispatch = serde_json::from_value(fields).unwrap();
    let verify: Option<Verify> = serde_json::from_value(verify).unwrap();
    let action = decide(&Facts::of(&dispatch, verify.as_ref(), None, None));
    assert!(
        action.as_ref().is_none_or(|action| !action.evidence.is_empty() && !action.evidence[0].is_empty())
    );
    action
}

fn verdict(decision: &str, class: &str, subclass: &str, evidence: &str) -> Value {
    json!({"attempt": 2, "decision": decision, "confidence": 1, "checks": [], "reason": "r", "escalate_to": 2,
           "failure": {"class": class, "subclass": subclass, "evidence": [evidence]}})
}

#[test]
fn what_went_well_needs_nothing() {
    assert_eq!(kind_of(json!({}), Value::Null), None);
    let accepted = json!({"attempt": 2, "decision": "accept", "confidence": 1, "checks": [], "reason": "r"});
    assert_eq!(kind_of(json!({}), accepted), None);
    let stale = json!({"attempt": 1, "decision": "escalate", "confidence": 1, "checks": [], "reason": "r"});
    assert_eq!(kind_of(json!({}), stale), None, "a verdict on an older attempt");
}

#[test]
fn every_way_to_end_has_an_action() {
    use ActionKind::*;
    for (status, expected) in [
        ("transport", Retry),
        ("cancelled", Retry),
        ("timeout", RetryEscalated),
        ("truncated", RetryEscalated),
        ("failed", RetryEscalated),
        ("auth", Escalate),
        ("quota", Escalate),
        ("budget", Escalate),
        ("unavailable", Escalate),
        ("refused", Escalate),
        ("skipped", RetryDependency),
    ] {
        assert_eq!(
            kind_of(json!({"status": status, "reason": "x"}), Value::Null),
            Some(expected),
            "{status}"
        );
        assert_eq!(kind_of(json!({"status": status}), Value::Null), Some(expected), "{status}");
    }
    assert_eq!(kind_of(json!({"status": "failed", "exit_code": 127}), Value::Null), Some(Escalate));
    assert_eq!(kind_of(json!({"status": "failed", "exit_code": 139}), Value::Null), Some(Escalate));
    assert_eq!(
        kind_of(json!({"status": "failed", "tier": 3}), Value::Null),
        Some(Escalate),
        "no tier is left"
    );
    assert_eq!(kind_of(json!({"status": "timeout", "tier": 3}), Value::Null), Some(Replan));
    let before = json!([{"attempt": 1, "tier": 1, "status": "timeout", "elapsed_ms": 1}]);
    let second = json!({"status": "timeout", "tier": 2, "earlier": before});
    assert_eq!(kind_of(second, Value::Null), Some(Replan), "a second time-out is no matter of the tier");
}

/// The recovery table of seed 002, by the kinds of its classifier's vectors.
#[test]
fn every_kind_of_failure_has_the_recovery_of_seed_002() {
    use ActionKind::*;
    for (class, subclass, evidence, expected) in [
        ("pipeline", "context_cut", "`big.py` was cut from the context and is missed in the answer", Replan),
        ("pipeline", "exploration_death", "12 of 12 lines tell where it looked, 0 are code", Replan),
        ("pipeline", "decomposition_error", "`src/other.rs` was not declared", Replan),
        ("pipeline", "spec_gap", "ambiguous_spec, by the executor's words: the spec is unclear", Escalate),
        ("pipeline", "spec_gap", "missing_dependency, by the executor's words: I am blocked by t3", Reorder),
        ("complexity", "exceeded_capacity", "it ran out of time", RetryEscalated),
        ("complexity", "implementation_error", "gate lint failed", RetryEscalated),
        ("environment", "transient", "the network or the server failed", Retry),
        ("environment", "unclassified", "the command crashed", Escalate),
        ("unclassified", "unclassified", "nothing is known", RetryEscalated),
    ] {
        let action = decided(json!({}), verdict("escalate", class, subclass, evidence)).unwrap();
        assert_eq!(action.kind, expected, "{subclass}");
        assert_eq!(action.evidence, [format!("verify: {subclass}"), evidence.to_owned()]);
    }
    let last = verdict("blocked", "complexity", "implementation_error", "gate tests failed");
    assert_eq!(kind_of(json!({}), last), Some(Escalate), "nothing that may be tried is left");
    let unseen = json!({"attempt": 2, "decision": "unverifiable", "confidence": 0, "checks": [], "reason": "no evidence"});
    assert_eq!(kind_of(json!({}), unseen), Some(Escalate));
}

#[test]
fn structured_evidence_comes_before_words() {
    use ActionKind::*;
    // "Blocked by CORS" in the answer of an attempt that ran out of time is no missing dependency.
    let gap = verdict(
        "escalate",
        "pipeline",
        "spec_gap",
        "missing_dependency, by the executor's words: blocked by CORS",
    );
    assert_eq!(kind_of(json!({"status": "timeout", "output": "blocked by CORS"}), gap), Some(RetryEscalated));
    let failed = json!({"status": "failed", "output": "the request is blocked by CORS"});
    let gates = verdict("escalate", "complexity", "implementation_error", "gate tests failed");
    assert_eq!(kind_of(failed, gates), Some(RetryEscalated));
}

#[test]
fn a_report_that_says_blocked_is_believed_and_a_text_that_quotes_one_is_not() {
    use ActionKind::*;
    for (reason, expected) in [
        ("ambiguous_spec", Escalate),
        ("missing_dependency", Reorder),
        ("contradictory_requirements", Replan),
        ("impossible_as_specified", Replan),
        ("no idea", Escalate),
    ] {
        let report =
            json!({"status": "blocked", "blocked_reason": reason, "uncertain_about": "which currency"});
        let rejected = verdict("escalate", "complexity", "implementation_error", "nothing was changed");
        let action = decided(json!({"output": report.to_string()}), rejected.clone()).unwrap();
        assert_eq!(action.kind, expected, "{reason}");
        assert!(action.evidence[0].contains("which currency"), "the question is for a person");
        let quoted = format!("I read {report} in the log.");
        assert_eq!(kind_of(json!({"output": quoted}), rejected), Some(RetryEscalated));
    }
}

#[test]
fn a_common_cause_is_found_in_facts_only() {
    let dispatch = |fields: Value| -> Dispatch {
        let mut all = json!({"attempt": 1, "status": "failed", "executor": "implement", "tier": 1});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    };
    let text = "No module named 'billing'";
    let finds =
        |fields: Value, gates: Option<Gates>| !signatures(&dispatch(fields), gates.as_ref()).is_empty();
    let gate = |outcome: &str| -> Option<Gates> {
        serde_json::from_value(
            json!({"attempt": 1, "outcome": outcome, "results": [{"gate": "tests", "type": "fact",
            "outcome": outcome, "findings": [{"rule": "r", "severity": "error", "message": text}]}]}),
        )
        .unwrap()
    };
    assert!(finds(json!({"stderr": text}), None));
    assert!(finds(json!({"status": "ok"}), gate("fail")));
    assert!(!finds(json!({"status": "ok"}), gate("pass")));
    assert!(!finds(json!({"output": text}), None), "what is said is no fact");
    assert!(!finds(json!({"stderr": text, "model": "m"}), None));
    assert!(!finds(json!({"stderr": text, "status": "ok"}), None));
    assert!(finds(json!({"status": "auth", "backend": "anthropic"}), None));
}
