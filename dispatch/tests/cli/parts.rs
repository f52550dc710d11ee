//! Compound tasks: run in parts, and joined.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Place, Ran, signal, wait_until};

/// A compound task: look, change, check, write about it.
fn compound(task: Value) -> String {
    let part = |text: &str, tier: u8, executor: &str, depends_on: &[usize]| json!({"text": text, "tier": tier, "executor": executor, "depends_on": depends_on});
    let parts = [
        part("find it", 1, "explore", &[]),
        part("change it", 2, "implement", &[0]),
        part("check it", 1, "validate", &[1]),
        part("describe it", 1, "document", &[1]),
        part("tidy up", 2, "implement", &[1]),
    ];
    let classify = json!({"tier": 2, "executor": "implement", "confidence": 0.8, "risk": "medium",
        "scores": {"1": 0, "2": 1, "3": 0}, "parts": parts});
    json!({"id": "p", "x": 1, "task": task, "classify": classify}).to_string() + "\n"
}

/// Counts what ran, and changes a file of its own in each part that writes.
const WORK: &str = "echo $SPECPIPE_ID >> \"$OLDPWD/ran\"; case $SPECPIPE_ID in p.2|p.4|p.5) echo $SPECPIPE_ID > $SPECPIPE_ID.txt;; esac; \
     echo \"$(ls *.txt | tr '\\n' ' ')\"";

/// Runs it, with the place where it was started as OLDPWD.
fn run(place: &Place, arguments: &str, script: &str, input: &str) -> Ran {
    let script = format!("OLDPWD={}; {script}", place.path().display());
    place.run_script(arguments, &script, input)
}

fn ran(place: &Place) -> Vec<String> {
    let mut all: Vec<String> = place.read("ran").lines().map(str::to_owned).collect();
    all.sort();
    all
}

/// Adds a verdict of `verify` to a record of the output.
fn judged(output: &str, id: &str, decision: &str, to: Option<u8>) -> String {
    let judge = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        if record["id"] == id {
            let attempt = record["dispatch"]["attempt"].clone();
            record["verify"] = json!({"attempt": attempt, "decision": decision, "confidence": 1, "checks": [], "reason": "r"});
            if let Some(to) = to {
                record["verify"]["escalate_to"] = to.into();
            }
        }
        record.to_string() + "\n"
    };
    output.lines().map(judge).collect()
}

#[test]
fn parts_are_tasks_of_their_own_before_the_whole_that_joins_them() {
    let place = Place::repository();
    let task = json!({"text": "change it and describe it", "depends_on": ["x"], "max_tier": 3, "timeout": "5m", "tools": ["Read", "Write"],
        "context": {"n": 1}, "accept": [{"kind": "contains", "text": "p.2"}]});
    let input = "{\"id\":\"x\",\"task\":\"look\"}\n".to_owned() + &compound(task);
    let out = run(&place, "", WORK, &input).exits(0);
    assert_eq!(out.ids(), ["x", "p.1", "p.2", "p.3", "p.4", "p.5", "p"]);
    assert_eq!(ran(&place), ["p.1", "p.2", "p.3", "p.4", "p.5", "x"]);
    let part = out.record("p.2");
    assert_eq!(part["task"]["parent"], "p");
    assert_eq!(part["task"]["whole"], "change it and describe it");
    for (member, value) in [
        ("text", json!("change it")),
        ("depends_on", json!(["p.1"])),
        ("max_tier", json!(3)),
        ("timeout", json!("5m")),
        ("tools", json!(["Read", "Write"])),
        ("context", json!({"n": 1})),
        ("accept", Value::Null),
    ] {
        assert_eq!(part["task"][member], value, "{member}");
    }
    assert_eq!((part["classify"]["tier"].as_u64(), part["dispatch"]["tier"].as_u64()), (Some(2), Some(2)));
    assert_eq!(
        out.record("p.1")["task"]["depends_on"],
        json!(["x"]),
        "the first parts get what the whole needs"
    );
    let whole = out.record("p");
    assert_eq!(whole["x"], 1);
    let joined = &whole["dispatch"];
    assert_eq!((joined["status"].as_str(), joined["backend"].as_str()), (Some("ok"), Some("parts")));
    assert_eq!((joined["cost_usd"].as_f64(), joined["usage"].is_null()), (Some(0.0), true));
    assert_eq!(joined["inputs"], json!({"p.1": 1, "p.2": 1, "p.3": 1, "p.4": 1, "p.5": 1}));
    let output = joined["output"].as_str().unwrap();
    assert!(output.starts_with("# p.1: explore, ok\n\na.txt\n\n# p.2: implement, ok\n"), "{output}");
}

#[test]
fn parts_that_write_are_on_one_line_and_the_whole_has_its_end() {
    let place = Place::repository();
    let out = run(&place, "", WORK, &compound(json!("x"))).exits(0);
    let head = place.git(&["rev-parse", "HEAD"]);
    let of =
        |id: &str, member: &str| out.record(id)["dispatch"][member].as_str().unwrap_or_default().to_owned();
    assert_eq!(of("p.2", "base"), head.trim());
    assert_eq!(of("p.4", "base"), of("p.2", "commit"));
    assert_eq!(of("p.5", "base"), of("p.4", "commit"), "though `classify` let it depend on the second alone");
    assert_eq!(of("p.3", "output").trim(), "a.txt p.2.txt", "a check looks at what it checks");
    assert_eq!((of("p", "commit"), of("p", "branch")), (of("p.5", "commit"), of("p.5", "branch")));
    assert_eq!(of("p", "base"), head.trim());
    assert_eq!(out.record("p")["dispatch"]["files_changed"], json!(["p.2.txt", "p.4.txt", "p.5.txt"]));
    assert_eq!(
        place.git(&["ls-tree", "--name-only", &of("p", "commit")]),
        "a.txt\np.2.txt\np.4.txt\np.5.txt\n"
    );
    assert_eq!(place.git(&["status", "--porcelain", "a.txt"]), "");
}

#[test]
fn a_second_pass_runs_nothing_and_changes_nothing() {
    let place = Place::new();
    let first = run(&place, "", WORK, &compound(json!("x"))).exits(0);
    let once = ran(&place);
    assert_eq!(run(&place, "", WORK, &first.stdout).exits(0).stdout, first.stdout);
    let reversed: String = first.stdout.lines().rev().map(|line| format!("{line}\n")).collect();
    assert_eq!(run(&place, "", WORK, &reversed).exits(0).stdout, reversed, "in any order");
    assert_eq!(ran(&place), once);
}

#[test]
fn a_part_that_is_run_again_is_joined_anew() {
    let place = Place::repository();
    let first = run(&place, "", WORK, &compound(json!("x"))).exits(0);
    let input = judged(&first.stdout, "p.4", "escalate", Some(2));
    let input = judged(&input, "p", "escalate", Some(3));
    let second = run(&place, "", WORK, &input).exits(0);
    let attempts = |ran: &Ran| {
        let attempt = |id: &str| ran.record(id)["dispatch"]["attempt"].as_u64().unwrap();
        ["p.1", "p.2", "p.3", "p.4", "p.5", "p"].map(attempt)
    };
    // What was made from the rejected part is made again.
    assert_eq!(attempts(&second), [1, 1, 1, 2, 2, 2]);
    assert_eq!(second.record("p.4")["dispatch"]["tier"], 2);
    let joined = &second.record("p")["dispatch"];
    assert_eq!(joined["inputs"]["p.4"], 2);
    assert_eq!(joined["commit"], second.record("p.5")["dispatch"]["commit"]);
    assert_eq!(joined["earlier"][0]["reason"], "its part `p.4` was replaced: attempt 1 by attempt 2");
    assert_eq!(run(&place, "", WORK, &second.stdout).exits(0).stdout, second.stdout);
}

#[test]
fn the_whole_is_as_bad_as_its_worst_part() {
    let place = Place::new();
    let script = "case $SPECPIPE_ID in p.2) echo broken >&2; exit 3;; esac; echo fine";
    let out = run(&place, "", script, &compound(json!("x"))).exits(0);
    let statuses: Vec<String> = out
        .records()
        .iter()
        .map(|record| record["dispatch"]["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(statuses, ["ok", "failed", "skipped", "skipped", "skipped", "failed"]);
    let reason = out.record("p")["dispatch"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("its part `p.2` ended as failed"), "{reason}");
    assert_eq!(run(&place, "-e", script, &out.stdout).status, 1);
    let healed = run(&place, "--rerun failed", "echo fine", &out.stdout).exits(0);
    let joined = &healed.record("p")["dispatch"];
    assert_eq!((joined["status"].as_str(), joined["attempt"].as_u64()), (Some("ok"), Some(2)));
}

#[test]
fn parts_that_are_right_and_wrong_together_are_done_as_a_whole() {
    let place = Place::new();
    let mut input = run(&place, "", WORK, &compound(json!("x"))).exits(0).stdout;
    for id in ["p.1", "p.2", "p.3", "p.4", "p.5"] {
        input = judged(&input, id, "accept", None);
    }
    let input = judged(&input, "p", "escalate", Some(3));
    let second = run(&place, "", "echo as a whole", &input).exits(0);
    let dispatch = &second.record("p")["dispatch"];
    assert_eq!((dispatch["attempt"].as_u64(), dispatch["tier"].as_u64()), (Some(2), Some(3)));
    assert_eq!(dispatch["output"], "as a whole\n");
    assert!(dispatch["parts"].is_null());
    assert_eq!(run(&place, "", "echo again", &second.stdout).exits(0).stdout, second.stdout);
}

#[test]
fn a_resumed_run_does_no_part_twice() {
    let place = Place::repository();
    let input = compound(json!("x"));
    let first = run(&place, "--resume", WORK, &input).exits(0);
    let again = run(&place, "--resume", WORK, &input).exits(0);
    assert_eq!(again.stdout, first.stdout);
    assert_eq!(ran(&place), ["p.1", "p.2", "p.3", "p.4", "p.5"]);
}

#[test]
fn parts_share_the_budget_of_the_whole_and_what_they_cost_is_counted_once() {
    let place = Place::new();
    let answers: String =
        (1..=5).map(|n| format!("{{\"id\":\"p.{n}\",\"output\":\"o\",\"cost_usd\":0.25}}\n")).collect();
    place.write("answers.jsonl", &answers);
    let out = place
        .run("-j 1 --no-local --replay answers.jsonl", &compound(json!({"text": "x", "budget_usd": 0.5})))
        .exits(0);
    let costs: f64 = out.records().iter().filter_map(|record| record["dispatch"]["cost_usd"].as_f64()).sum();
    assert_eq!(costs, 0.5, "{}", out.stdout);
    let joined = &out.record("p")["dispatch"];
    assert_eq!(joined["status"], "budget");
    assert_eq!(joined["parts"][0], json!({"id": "p.1", "attempt": 1, "status": "ok", "cost_usd": 0.25}));
}

#[test]
fn who_wants_no_parts_has_none() {
    let whole = |place: &Place, arguments: &str, input: &str| {
        let out = run(place, arguments, WORK, input).exits(0);
        assert_eq!(out.ids(), ["p"], "{arguments}");
        assert!(out.record("p")["dispatch"]["parts"].is_null());
    };
    whole(&Place::new(), "--no-decompose", &compound(json!("x")));
    let place = Place::new();
    place.write("specpipe.toml", "[dispatch]\ndecompose = false\n");
    whole(&place, "", &compound(json!("x")));
    // Who waits for verdicts between tasks gets the whole judged before anything builds on it.
    whole(&Place::new(), "--deps accepted", &compound(json!("x")));
    whole(&Place::new(), "", &compound(json!({"text": "x", "executor": "review"})));
    whole(&Place::new(), "", &compound(json!({"text": "x", "run": ["true"]})));
}

#[test]
fn an_id_that_is_taken_is_left_to_its_owner() {
    let place = Place::new();
    let input = "{\"id\":\"p.3\",\"task\":\"mine\"}\n".to_owned() + &compound(json!("x"));
    let out = run(&place, "", WORK, &input).exits(0);
    assert_eq!(out.ids(), ["p.3", "p"]);
    assert!(out.record("p")["dispatch"]["parts"].is_null());
}

#[test]
fn parts_that_depend_on_later_ones_are_an_error_of_the_record() {
    let place = Place::new();
    let input = compound(json!("x")).replacen("\"depends_on\":[0]", "\"depends_on\":[3]", 1);
    for arguments in ["", "--dry-run"] {
        let out = run(&place, arguments, WORK, &input).exits(3);
        assert!(
            out.stderr.contains("`classify.parts[1]` depends on part 3, which does not come before it"),
            "{}",
            out.stderr
        );
    }
}

#[test]
fn a_dry_run_shows_the_parts() {
    let place = Place::new();
    let out = run(&place, "--dry-run", WORK, &compound(json!("x"))).exits(0);
    assert!(out.stdout.contains("6 tasks to run"), "{}", out.stdout);
    assert!(out.stdout.contains("p.1,p.2,p.3,p.4,p.5  joins its parts"), "{}", out.stdout);
    let out = run(&place, "--dry-run --no-decompose", WORK, &compound(json!("x"))).exits(0);
    assert!(out.stdout.contains("1 task to run"), "{}", out.stdout);
    assert_eq!(place.read("ran"), "");
}

#[test]
fn an_interrupted_whole_goes_on_with_the_parts_it_has() {
    let place = Place::new();
    let script = "echo $SPECPIPE_ID >> ran; [ $SPECPIPE_ID = p.2 ] || exit 0; touch started; exec sleep 600";
    let mut command = place.command("--as-completed");
    let mut child = command.args(["--", "sh", "-c", script]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, compound(json!("x")).as_bytes()).unwrap();
    drop(stdin);
    wait_until("the second part runs", || place.path().join("started").exists());
    signal(&child, Signal::INT);
    let out = Ran::of(child.wait_with_output().unwrap()).exits(130);
    let mut ids = out.ids();
    assert_eq!(ids.pop().as_deref(), Some("p"), "a part leaves before the whole");
    ids.sort();
    assert_eq!(ids, ["p.1", "p.2", "p.3", "p.4", "p.5"]);
    assert!(out.record("p")["dispatch"].is_null());
    let again = place.run_script("", "echo $SPECPIPE_ID >> ran", &out.stdout).exits(0);
    assert_eq!(again.records().len(), 6);
    assert_eq!(again.record("p")["dispatch"]["status"], "ok");
    assert_eq!(ran(&place), ["p.1", "p.2", "p.2", "p.3", "p.4", "p.5"]);
}
