use serde_json::{Value, json};
use shared::section::{Dispatch, Gates, Task};

use super::*;
use crate::checks::{self, CheckName, Commands};

/// Returns class and subclass of an attempt with these fields of `task`, `dispatch` and `gates`.
fn kind(task: Value, dispatch: Value, gates: Value) -> (FailureClass, String) {
    let mut fields = json!({"attempt": 1, "status": "ok", "executor": "implement", "model": "m", "tier": 1});
    fields.as_object_mut().unwrap().extend(dispatch.as_object().unwrap().clone());
    let mut asked = json!({"text": "add hours"});
    asked.as_object_mut().unwrap().extend(task.as_object().unwrap().clone());
    let task: Task = serde_json::from_value(asked).unwrap();
    let dispatch: Dispatch = serde_json::from_value(fields).unwrap();
    let gates: Option<Gates> = serde_json::from_value(gates).unwrap();
    let output = dispatch.output.clone().unwrap_or_default();
    let place = tempfile::tempdir().unwrap();
    let here = std::sync::Arc::new(crate::place::Place::new(place.path().to_owned()));
    let attempt = Attempt::new(&task, None, &dispatch, gates.as_ref(), (&output, None), here);
    let commands = Commands { allowed: false, timeout: std::time::Duration::from_secs(1) };
    let observations = checks::run(&CheckName::ALL, &attempt, commands);
    let failure = classify(&attempt, &observations).unwrap();
    assert!(!failure.evidence.is_empty() || failure.subclass == "unclassified", "{failure:?}");
    (failure.class, failure.subclass)
}

fn subclass(task: Value, dispatch: Value, gates: Value) -> String {
    kind(task, dispatch, gates).1
}

fn gate(name: &str, outcome: &str) -> Value {
    json!({"gate": name, "type": "fact", "outcome": outcome, "findings": []})
}

fn failing(names: &[&str]) -> Value {
    let results: Vec<Value> = names.iter().map(|name| gate(name, "fail")).collect();
    json!({"attempt": 1, "outcome": "fail", "results": results})
}

fn scope(undeclared: &[&str], outcome: &str) -> Value {
    json!({"attempt": 1, "outcome": outcome, "results": [],
           "scope": {"declared": ["a", "b", "c", "d"], "undeclared": undeclared, "outcome": outcome}})
}

fn cut(file: &str) -> Value {
    json!({"context": {"cuts_made": [{"file": file, "original_tier": "full", "downgraded_to": "dropped"}]}})
}

const CHANGED: &str = "src/a.rs";

#[test]
fn a_cut_file_that_is_missed_is_a_context_cut() {
    let output = |text: &str| json!({"output": text, "files_changed": []});
    assert_eq!(subclass(cut("big.py"), output("I tried to read big.py"), Value::Null), "context_cut");
    assert_eq!(subclass(cut("lib/big.py"), output("lib/big.py is needed"), Value::Null), "context_cut");
    for (file, text) in [
        ("big.py", "I did nothing"),
        // No name is no file, and is not contained in everything.
        ("", "I tried to read it"),
        // Another file of the same name, and one whose name only ends alike.
        ("lib/utils.py", "created utils.py"),
        ("ts.py", "I tried to read tests.py"),
    ] {
        assert_ne!(subclass(cut(file), output(text), Value::Null), "context_cut", "{file}: {text}");
    }
}

#[test]
fn reading_without_end_is_exploration_death_of_a_writer_only() {
    let lines = |reading: usize, other: usize| {
        let mut text = "Reading src/a.rs to understand it.\n".repeat(reading);
        text += &"It is about hours.\n".repeat(other);
        text
    };
    let of = |executor: &str, text: String| {
        subclass(json!({}), json!({"executor": executor, "output": text, "files_changed": []}), Value::Null)
    };
    assert_eq!(of("implement", lines(12, 0)), "exploration_death");
    assert_eq!(of("implement", lines(8, 2)), "exploration_death", "four in five is enough");
    assert_ne!(of("implement", lines(7, 3)), "exploration_death");
    assert_ne!(of("implement", lines(9, 0)), "exploration_death", "too few lines to tell");
    assert_ne!(of("explore", lines(12, 0)), "exploration_death", "that is what it is for");
    let code = "let x = concat(a);\n".repeat(12);
    assert_ne!(of("implement", code), "exploration_death");
}

#[test]
fn files_out_of_scope_are_a_decomposition_error_also_if_fewer_than_declared() {
    let wrote = json!({"output": "x", "files_changed": [CHANGED]});
    let four = ["w", "x", "y", "z"];
    assert_eq!(subclass(json!({}), wrote.clone(), scope(&four, "fail")), "decomposition_error");
    assert_eq!(subclass(json!({}), wrote.clone(), scope(&four[..3], "fail")), "decomposition_error");
    assert_ne!(subclass(json!({}), wrote.clone(), scope(&four[..1], "pass")), "decomposition_error");
    assert_eq!(subclass(json!({}), wrote, failing(&["tests", "scope"])), "decomposition_error");
}

#[test]
fn structured_evidence_comes_before_words() {
    let text = "The request is blocked by CORS. The spec is unclear.";
    let wrote = json!({"output": text, "files_changed": [CHANGED]});
    assert_eq!(subclass(json!({}), wrote, failing(&["tests"])), "implementation_error");
    let late = json!({"output": text, "status": "timeout"});
    assert_eq!(subclass(json!({}), late, Value::Null), "exceeded_capacity");
    let alone = json!({"output": "I could not go on: the spec is unclear.", "files_changed": []});
    assert_eq!(subclass(json!({}), alone, Value::Null), "spec_gap");
    let quoted = json!({"output": "It prints \"the spec is unclear\".", "files_changed": []});
    assert_ne!(subclass(json!({}), quoted, Value::Null), "spec_gap");
}

#[test]
fn every_gate_and_every_way_to_end_has_a_kind() {
    let wrote = json!({"output": "x", "files_changed": [CHANGED]});
    for gate in ["syntax", "schema", "lint", "types", "tests", "sast", "sca", "secrets", "my-own"] {
        assert_eq!(subclass(json!({}), wrote.clone(), failing(&[gate])), "implementation_error", "{gate}");
    }
    assert_eq!(subclass(json!({}), wrote, failing(&["lint", "tests"])), "implementation_error");
    for (status, class, expected) in [
        ("timeout", FailureClass::Complexity, "exceeded_capacity"),
        ("truncated", FailureClass::Complexity, "exceeded_capacity"),
        ("transport", FailureClass::Environment, "transient"),
        ("auth", FailureClass::Environment, "unclassified"),
        ("quota", FailureClass::Environment, "unclassified"),
        ("unavailable", FailureClass::Environment, "unclassified"),
        ("refused", FailureClass::Unclassified, "unclassified"),
        ("failed", FailureClass::Complexity, "implementation_error"),
    ] {
        let ended = json!({"status": status, "output": ""});
        assert_eq!(kind(json!({}), ended, Value::Null), (class, expected.to_owned()), "{status}");
    }
    let crashed = json!({"status": "failed", "exit_code": 139});
    assert_eq!(kind(json!({}), crashed, Value::Null).0, FailureClass::Environment);
    // What the first implementation had no kind for: an empty diff, an unmet criterion, an invented file.
    let unchanged = json!({"output": "Done.", "files_changed": []});
    assert_eq!(subclass(json!({}), unchanged, Value::Null), "implementation_error");
    let unmet = json!({"accept": [{"kind": "contains", "text": "y"}]});
    assert_eq!(
        subclass(unmet, json!({"output": "x", "files_changed": [CHANGED]}), Value::Null),
        "implementation_error"
    );
    let invented = json!({"output": "See src/nowhere.rs:3.", "executor": "explore"});
    assert_eq!(subclass(json!({}), invented, Value::Null), "implementation_error");
}
