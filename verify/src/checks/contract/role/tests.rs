use std::sync::Arc;

use serde_json::{Value, json};
use shared::section::{Dispatch, Outcome, Task};

use crate::attempt::Attempt;
use crate::place::Place;
use crate::verdict::decide;

const SPEC: &str =
    "Add pagination to the list of users. A page has at most 50 users.\nAn unknown page is an error.";

/// Returns what the check says of an answer in a place with the files `src/users.rs` (3 lines) and `docs/spec.md`.
fn judge(executor: &str, answer: &str, more: Value) -> (Outcome, String, bool) {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("src/users.rs", "one\ntwo\nthree\n");
    write("docs/spec.md", "Every page says\nhow many there are.\n");
    let task = Task { text: SPEC.to_owned(), ..Task::default() };
    let mut dispatch = json!({"attempt": 1, "status": "ok", "executor": executor, "tier": 2, "model": "m", "files_changed": []});
    dispatch.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let dispatch: Dispatch = serde_json::from_value(dispatch).unwrap();
    let place = Arc::new(Place::new(directory.path().to_owned()));
    let attempt = Attempt::new(&task, None, &dispatch, None, (answer, None), place);
    let observation = super::check(&attempt);
    let accepted =
        decide(&[observation.standing], crate::observation::Standing::Supporting).to_string() == "accept";
    (observation.standing.outcome(), observation.detail.unwrap_or_default(), accepted)
}

/// Replaces what is at a JSON pointer; `null` removes it.
fn with(good: &Value, pointer: &str, value: Value) -> String {
    let mut answer = good.clone();
    if value.is_null() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        answer.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    } else {
        *answer.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")) = value;
    }
    answer.to_string()
}

/// Expects that the good answer passes, and that each change to it is caught for its reason and never accepted.
#[track_caller]
fn holds(executor: &str, good: &Value, more: &Value, wrong: &[(&str, Value, &str)]) {
    let (outcome, detail, _) = judge(executor, &good.to_string(), more.clone());
    assert_eq!(outcome, Outcome::Pass, "{executor}: {detail}");
    let fenced = format!("Here it is:\n\n```json\n{good:#}\n```\n");
    assert_eq!(judge(executor, &fenced, more.clone()).0, Outcome::Pass, "{executor} in a block");
    for (pointer, value, reason) in wrong {
        let (outcome, detail, accepted) = judge(executor, &with(good, pointer, value.clone()), more.clone());
        assert_ne!(outcome, Outcome::Pass, "{executor} {pointer} {value}: {detail}");
        assert!(!accepted, "{executor} {pointer} {value}: {detail}");
        assert!(detail.contains(reason), "{executor} {pointer} {value}: {detail}");
    }
    // Every member that the contract has in the first place is owed.
    for member in good.as_object().unwrap().keys().filter(|member| !OPTIONAL.contains(&member.as_str())) {
        let (outcome, detail, _) =
            judge(executor, &with(good, &format!("/{member}"), Value::Null), more.clone());
        assert_eq!(outcome, Outcome::Fail, "{executor} without {member}: {detail}");
        assert!(detail.contains(member.as_str()), "{executor} without {member}: {detail}");
    }
    for text in
        ["", "All is well.", "[]", "{}", "{\"status\": \"pass\"", "```json\n{}\n```\n```json\n{}\n```"]
    {
        let (outcome, detail, accepted) = judge(executor, text, more.clone());
        assert!(outcome == Outcome::Fail && !accepted, "{executor} {text:?}: {detail}");
    }
}

const OPTIONAL: [&str; 7] = [
    "contract",
    "cross_cutting",
    "semantic_drift",
    "contract_issues",
    "delta",
    "upstream_dependency",
    "location",
];

#[test]
fn an_architect_owes_a_plan_that_can_be_carried_out() {
    let task = |id: &str, needs: Value| {
        json!({"id": id, "title": "Pages", "description": "Make pages.", "depends_on": needs, "files_touched": ["src/new.rs"],
            "acceptance_criteria": [{"criterion": "a page has 50", "verify_by": "cargo test pages"}]})
    };
    let good = json!({
        "tasks": [task("a", json!([])), task("b", json!(["a"])), task("c", json!(["b"]))],
        "contract": [{"name": "Page", "definition": "struct Page", "provided_by": "a", "used_by": ["c"]}],
        "cross_cutting": [{"concern": "errors", "tasks": ["a", "b", "c"]}],
    });
    holds(
        "architect",
        &good,
        &json!({}),
        &[
            ("/tasks", json!([]), "no tasks"),
            ("/tasks/1/id", json!("a"), "two tasks"),
            ("/tasks/0/title", json!(" "), "lacks"),
            ("/tasks/0/acceptance_criteria", json!([]), "when the task `a` is done"),
            ("/tasks/0/acceptance_criteria/0/verify_by", json!(""), "how to verify"),
            ("/tasks/0/acceptance_criteria/0/verify_by", Value::Null, "verify_by"),
            ("/tasks/0/files_touched", json!([]), "touches no file"),
            ("/tasks/0/files_touched", json!(["../x"]), "inside the project"),
            ("/tasks/0/files_touched", json!(["/etc/passwd"]), "inside the project"),
            ("/tasks/0/depends_on", json!(["z"]), "no task of the plan"),
            ("/tasks/0/depends_on", json!(["c"]), "depends on itself"),
            ("/tasks/0/depends_on", json!(["a"]), "depends on itself"),
            ("/contract/0/definition", json!(""), "definition"),
            ("/contract/0/provided_by", json!("z"), "no task of the plan"),
            ("/contract/0/used_by", json!(["z"]), "no task of the plan"),
            ("/cross_cutting/0/tasks", json!(["a", "b"]), "fewer than 3"),
            ("/cross_cutting/0/tasks", json!(["a", "b", "a"]), "fewer than 3"),
            ("/cross_cutting/0/tasks", json!(["a", "b", "z"]), "no task of the plan"),
        ],
    );
    let apart = with(&good, "/tasks/1/depends_on", json!([]));
    let (outcome, detail, _) = judge("architect", &apart, json!({}));
    assert!(outcome == Outcome::Fail && detail.contains("does not depend on `a`"), "{detail}");
}

#[test]
fn a_plan_verifier_passes_exactly_what_has_no_critical_failure() {
    let good = json!({
        "status": "pass",
        "requirements": [
            {"requirement": "Add pagination to the list of users.", "status": "covered", "tasks": ["a"]},
            {"requirement": "an unknown page is an error", "status": "drifted", "tasks": []},
        ],
        "semantic_drift": [{"spec_term": "page", "plan_term": "chunk"}],
        "contract_issues": [],
        "critical_failures": [],
    });
    holds(
        "plan-verifier",
        &good,
        &json!({}),
        &[
            ("/status", json!("fail"), "names no critical failure"),
            ("/status", json!("maybe"), "unknown variant"),
            ("/critical_failures", json!(["no tests"]), "finds critical failures"),
            ("/requirements", json!([]), "no requirement"),
            ("/requirements/0/tasks", json!([]), "no task that it names"),
            ("/requirements/0/tasks", json!([" "]), "no task that it names"),
            ("/requirements/0/status", json!("missing"), "misses"),
            ("/requirements/0/status", json!("fine"), "unknown variant"),
            ("/requirements/0/requirement", json!(""), "no words"),
            ("/semantic_drift", json!([]), "nothing says how"),
            ("/semantic_drift/0/plan_term", json!(""), "two terms"),
        ],
    );
    // What cites nothing of the task is in form, and no evidence.
    let mut elsewhere = good.clone();
    elsewhere["requirements"] =
        json!([{"requirement": "Be fast at all times.", "status": "covered", "tasks": ["a"]}]);
    let (outcome, _, accepted) = judge("plan-verifier", &elsewhere.to_string(), json!({}));
    assert!(outcome == Outcome::Unverifiable && !accepted);
}

#[test]
fn a_developer_names_exactly_the_files_that_changed() {
    let changed = json!({"files_changed": ["src/users.rs", "tests/pages.rs"]});
    let good = json!({
        "status": "done", "files_created": ["tests/pages.rs"], "files_modified": ["./src/users.rs"], "decisions": [],
        "tests_added": ["tests/pages.rs::fifty"], "concerns": ["none"],
    });
    holds(
        "developer",
        &good,
        &changed,
        &[
            ("/status", json!("almost"), "unknown variant"),
            ("/files_modified", json!([]), "does not name `src/users.rs`"),
            (
                "/files_modified",
                json!(["src/users.rs", "src/other.rs"]),
                "`src/other.rs`, which did not change",
            ),
            ("/files_created", json!(["tests/pages.rs", "../x"]), "did not change"),
            ("/tests_added", json!(["tests/none.rs::fifty"]), "whose file did not change"),
            ("/tests_added", json!("tests/pages.rs"), "invalid type"),
        ],
    );
    let (outcome, detail, accepted) = judge("developer", &good.to_string(), json!({"files_changed": null}));
    assert!(outcome == Outcome::Unverifiable && !accepted, "{detail}");
    let nothing =
        with(&good, "/files_created", json!([])).replace("./src/users.rs", "").replace("[\"\"]", "[]");
    assert_eq!(judge("developer", &nothing, json!({})).0, Outcome::Fail);

    let blocked = json!({
        "status": "blocked", "blocked_reason": "ambiguous_spec", "uncertain_about": "Is a page of 51 an error?",
        "options": ["cut it", "refuse it"], "attempted": [], "files_completed": [],
    });
    let (outcome, detail, _) = judge("developer", &blocked.to_string(), json!({}));
    assert_eq!(outcome, Outcome::Fail, "what is blocked is not done");
    assert!(detail.contains("ambiguous") && detail.contains("51"), "{detail}");
    for (pointer, value) in [("/blocked_reason", json!("tired")), ("/blocked_reason", Value::Null)] {
        let (outcome, detail, _) = judge("developer", &with(&blocked, pointer, value), json!({}));
        assert!(outcome == Outcome::Fail && detail.contains("not the JSON object"), "{detail}");
    }
}

#[test]
fn a_reviewer_quotes_what_was_asked_for_and_shows_where_it_is() {
    let good = json!({
        "verdict": "approve",
        "requirements": [
            {"quote": "A page has at most 50 users", "status": "met", "evidence": "src/users.rs:2 cuts it"},
            {"quote": "every page says how many there are", "source": "docs/spec.md", "status": "met", "evidence": "src/users.rs:3"},
        ],
        "missing": [], "out_of_scope": [],
        "issues": [{"severity": "nit", "file": "src/users.rs", "line": 1, "problem": "a name", "fix": "rename it"}],
    });
    holds(
        "reviewer",
        &good,
        &json!({}),
        &[
            ("/verdict", json!("fine"), "unknown variant"),
            ("/requirements", json!([]), "quotes nothing"),
            ("/requirements/0/quote", json!("Pages must be blue"), "stands nowhere in the task"),
            ("/requirements/0/quote", json!("page"), "too short"),
            ("/requirements/1/quote", json!("every page is blue"), "does not stand in `docs/spec.md`"),
            ("/requirements/1/source", json!("docs/none.md"), "does not exist"),
            ("/requirements/0/evidence", json!("looks right"), "names no place"),
            ("/requirements/0/evidence", json!("src/gone.rs:2"), "does not exist"),
            ("/requirements/0/evidence", json!("src/users.rs:20"), "has 3 lines"),
            ("/requirements/0/status", json!("missing"), "approves what"),
            ("/missing", json!(["errors"]), "approves what"),
            ("/issues/0/severity", json!("major"), "approves what"),
            ("/issues/0/severity", json!("bad"), "unknown variant"),
            ("/issues/0/line", json!(0), "no line"),
            ("/issues/0/line", json!(9), "has 3 lines"),
            ("/issues/0/file", json!("src/gone.rs"), "does not exist"),
            ("/issues/0/fix", json!(" "), "its fix"),
            ("/issues/0/problem", json!(""), "the problem"),
        ],
    );
    let mut asks = good.clone();
    asks["verdict"] = json!("request_changes");
    assert_eq!(judge("reviewer", &asks.to_string(), json!({})).0, Outcome::Pass);
    asks["issues"] = json!([]);
    let (outcome, detail, _) = judge("reviewer", &asks.to_string(), json!({}));
    assert!(outcome == Outcome::Fail && detail.contains("names none"), "{detail}");
    let twice = good.to_string().replacen('{', "{\"verdict\":\"request_changes\",", 1);
    let (outcome, detail, _) = judge("reviewer", &twice, json!({}));
    assert!(outcome == Outcome::Fail && detail.contains("duplicate"), "{detail}");
}

#[test]
fn a_debugger_names_a_cause_with_its_place() {
    let good = json!({
        "classification": "test_failure", "root_cause": "The limit is one too low.",
        "location": {"file": "src/users.rs", "line": 2}, "change": "`two` has to be `2`", "out_of_scope": [],
        "upstream_dependency": null, "confidence": "high",
    });
    holds(
        "debugger",
        &good,
        &json!({}),
        &[
            ("/classification", json!("bad_luck"), "unknown variant"),
            ("/root_cause", json!(" "), "no root cause"),
            ("/change", json!(""), "what to change"),
            ("/location/file", json!("src/gone.rs"), "does not exist"),
            ("/location/file", json!("src"), "a directory"),
            ("/location/line", json!(4), "has 3 lines"),
            ("/location/line", json!(0), "no line"),
            ("/location", Value::Null, "no place"),
            ("/confidence", json!("low"), "not sure"),
            ("/confidence", json!("certain"), "unknown variant"),
            ("/upstream_dependency", json!(""), "no id"),
        ],
    );
    let mut spec = good.clone();
    (spec["classification"], spec["location"]) = (json!("task_spec_error"), Value::Null);
    let (outcome, _, accepted) = judge("debugger", &spec.to_string(), json!({}));
    assert!(outcome == Outcome::Unverifiable && !accepted, "without a place nothing speaks for it");
}

#[test]
fn a_coherence_checker_looks_at_all_that_it_was_given() {
    let good = json!({
        "status": "fail", "examined": ["a", "b"],
        "interface": [{"severity": "critical", "files": ["src/users.rs"], "problem": "two units", "fix": "use one"}],
        "schema": [], "naming": [], "duplicates": [], "missing_connections": [], "contract_gaps": [],
        "delta": {"fixed": [], "remaining": [], "new": ["two units"]},
    });
    let given = json!({"inputs": {"a": 1, "b": 2}});
    holds(
        "coherence",
        &good,
        &given,
        &[
            ("/status", json!("pass"), "something critical"),
            ("/status", json!("good"), "unknown variant"),
            ("/examined", json!(["a"]), "did not look at `b`"),
            ("/examined", json!(["a", "b", "z"]), "`z`, which it was not given"),
            ("/interface/0/files", json!([]), "names no file"),
            ("/interface/0/files", json!(["src/gone.rs"]), "does not exist"),
            ("/interface/0/fix", json!(""), "its fix"),
            ("/interface/0/severity", json!("minor"), "nothing that it finds is critical"),
            ("/delta", json!({"fixed": []}), "remaining"),
        ],
    );
    let alone = with(&good, "/examined", json!(["a"]));
    assert_eq!(judge("coherence", &alone, json!({})).0, Outcome::Fail, "one alone fits itself");
    let mut clean = good.clone();
    (clean["status"], clean["interface"]) = (json!("pass"), json!([]));
    let (outcome, detail, accepted) = judge("coherence", &clean.to_string(), given);
    assert!(outcome == Outcome::Unverifiable && !accepted, "{detail}");
}

#[test]
fn a_place_that_is_gone_is_no_evidence() {
    let good = json!({
        "classification": "test_failure", "root_cause": "x", "location": {"file": "src/users.rs", "line": 2}, "change": "y",
        "out_of_scope": [], "upstream_dependency": null, "confidence": "high",
    });
    let (outcome, _, accepted) = judge("debugger", &good.to_string(), json!({"worktree": "/nonexistent"}));
    assert!(outcome == Outcome::Unverifiable && !accepted);
}
