//! Whose fault a failure was, of what kind, and what to do about it (seed 002).
//!
//! Structured evidence comes first: how the attempt ended, what the gates found, what was cut from the context. Words
//! of the answer count only where there is none, since "blocked by CORS" in the output of a failing test is no missing
//! dependency.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use shared::section::{Failure, FailureClass, GateResult, Outcome, Severity, Status};

use crate::attempt::Attempt;
use crate::observation::{Observation, Standing};

/// Returns what kind of failure the attempt was; `None` if nothing was attempted.
pub(crate) fn classify(attempt: &Attempt<'_>, observations: &[Observation]) -> Option<Failure> {
    let hard = || observed(observations);
    let rules: [&dyn Fn() -> Option<Failure>; 8] = [
        &|| environment(attempt),
        &|| decomposition_error(attempt),
        &|| context_cut(attempt),
        &|| exceeded_capacity(attempt),
        &|| failed_gates(attempt),
        &|| exploration_death(attempt),
        &|| spec_gap(attempt),
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

/// What was left out of the context for want of room, as a budget file of seed 002 tells it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Cuts {
    cuts_made: Vec<Cut>,
    budget: Option<Box<Cuts>>,
}

#[derive(Deserialize)]
struct Cut {
    #[serde(default)]
    file: String,
}

fn context_cut(attempt: &Attempt<'_>) -> Option<Failure> {
    let context = attempt.task.context.as_ref()?;
    let cuts: Cuts = serde_json::from_str(context.get()).ok()?;
    let all = cuts.cuts_made.iter().chain(cuts.budget.iter().flat_map(|budget| &budget.cuts_made));
    let missed: Vec<String> = all
        .filter(|cut| !cut.file.trim().is_empty() && is_missed(attempt.answer.text, cut.file.trim()))
        .map(|cut| format!("`{}` was cut from the context and is missed in the answer", cut.file.trim()))
        .collect();
    let recovery = "give the context more room, or split the task";
    (!missed.is_empty()).then(|| failure(FailureClass::Pipeline, "context_cut", missed, recovery))
}

/// Tells whether an answer misses a file: by its whole path, or by its name where it is said to have been looked for.
fn is_missed(text: &str, file: &str) -> bool {
    static LOOKED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:tried|trying|attempt(?:ed)?|need(?:ed|s)?|could not|couldn't|cannot|can't|unable|missing|not (?:available|provided|included|shown|visible|in)|without|access|do not have|don't have|truncated|cut)\b").unwrap()
    });
    let name = file.rsplit('/').next().unwrap_or(file);
    let word = |line: &str, needle: &str| {
        line.match_indices(needle).any(|(at, _)| {
            let part =
                |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/'));
            let after = line[at + needle.len()..].chars().next();
            !part(line[..at].chars().next_back()) && !part(after)
        })
    };
    text.lines()
        .any(|line| (file.contains('/') && word(line, file)) || (word(line, name) && LOOKED.is_match(line)))
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

/// Reading and reading, and nothing made of it: a writer's answer that is mostly notes on where it looked.
fn exploration_death(attempt: &Attempt<'_>) -> Option<Failure> {
    static LOOKING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^\W*(?:(?:now |next |then |let me |i'll |i will |i )*(?:read(?:ing)?|look(?:ed|ing|s)?|search(?:ed|ing)?|explor(?:e|ed|ing)|examin(?:e|ed|ing)|check(?:ed|ing)?|inspect(?:ed|ing)?|open(?:ed|ing)?|view(?:ed|ing)?|scann?(?:ed|ing)?|brows(?:e|ed|ing)|list(?:ed|ing)?|find(?:ing)?|grep(?:ping)?|trac(?:e|ed|ing))\b|(?:\$ )?(?:cat|ls|grep|rg|find|head|tail|sed -n) )").unwrap()
    });
    static CODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s*(?:fn |pub |def |class |impl |let |const |var |func |function |return\b|if\b.*[:{]$|for\b.*[:{]$|[-+]{1}\S|@@|\}|\{)|[;{}]\s*$").unwrap()
    });
    let changed = attempt.dispatch.files_changed.as_ref().is_some_and(|files| !files.is_empty());
    if changed || !attempt.kind.writes() {
        return None;
    }
    let lines: Vec<&str> = attempt.answer.text.lines().filter(|line| !line.trim().is_empty()).collect();
    let looking = lines.iter().filter(|line| LOOKING.is_match(line)).count();
    let code = lines.iter().filter(|line| CODE.is_match(line)).count();
    let dead = lines.len() >= 10 && looking * 5 >= lines.len() * 4 && code * 10 < lines.len();
    let evidence = format!("{looking} of {} lines tell where it looked, {code} are code", lines.len());
    let recovery = "say more precisely what is wanted, and in which files";
    dead.then(|| failure(FailureClass::Pipeline, "exploration_death", vec![evidence], recovery))
}

/// The executor says that it was told too little. Its detail is named as the first implementation names it too.
fn spec_gap(attempt: &Attempt<'_>) -> Option<Failure> {
    static AMBIGUOUS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:spec(?:ification)?|requirements?|task|request|description|instructions?) (?:is|are|seems?) (?:\w+ )?(?:ambiguous|unclear|missing|incomplete|contradictory|underspecified)\b|\b(?:cannot|can't|could not|unable to) determine (?:\w+ ){0,3}(?:requirements?|intended|which|what|expected)\b|\bno guidance (?:for|on)\b|\b(?:could|can|would) you (?:please )?(?:clarify|specify|provide)\b|\bplease (?:clarify|specify|provide)\b").unwrap()
    });
    static MISSING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:i am|i'm|this (?:task|work) is|work is) (?:blocked (?:by|on)|waiting (?:for|on))\b|\bmissing dependency\b|\bdepends on (?:work|code|a module|something) that (?:does not|doesn't) exist\b").unwrap()
    });
    let sentences = attempt.answer.sentences();
    let find = |pattern: &Regex| sentences.iter().find(|sentence| pattern.is_match(&sentence.bare));
    let (detail, sentence) = match (find(&AMBIGUOUS), find(&MISSING)) {
        (Some(sentence), _) => ("ambiguous_spec", sentence),
        (None, Some(sentence)) => ("missing_dependency", sentence),
        (None, None) => return None,
    };
    let evidence = vec![format!("{detail}, by the executor's words: {}", sentence.text)];
    Some(failure(
        FailureClass::Pipeline,
        "spec_gap",
        evidence,
        "answer the question in the task, then try again",
    ))
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
mod tests {
    use serde_json::{Value, json};
    use shared::section::{Dispatch, Gates, Task};

    use super::*;
    use crate::checks::{self, CheckName, Commands};

    /// Returns class and subclass of an attempt with these fields of `task`, `dispatch` and `gates`.
    fn kind(task: Value, dispatch: Value, gates: Value) -> (FailureClass, String) {
        let mut fields =
            json!({"attempt": 1, "status": "ok", "executor": "implement", "model": "m", "tier": 1});
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
            subclass(
                json!({}),
                json!({"executor": executor, "output": text, "files_changed": []}),
                Value::Null,
            )
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
            assert_eq!(
                subclass(json!({}), wrote.clone(), failing(&[gate])),
                "implementation_error",
                "{gate}"
            );
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
}
