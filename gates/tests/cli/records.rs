use serde_json::{Value, json};

use crate::world::{World, token};

fn record(dispatch: Value) -> String {
    let mut whole =
        json!({"attempt": 1, "status": "ok", "executor": "implement", "tier": 2, "elapsed_ms": 1});
    for (key, value) in dispatch.as_object().unwrap() {
        whole[key] = value.clone();
    }
    json!({"id": "a", "task": {"text": "x", "files_touched": ["src/**"]}, "dispatch": whole}).to_string()
}

fn result<'a>(record: &'a Value, gate: &str) -> &'a Value {
    record["gates"]["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|result| result["gate"] == gate)
        .unwrap_or(&Value::Null)
}

#[test]
fn what_is_not_its_own_passes_byte_for_byte() {
    let world = World::bare();
    let lines = concat!(
        r#" { "id" : "a", "task":"x","x":{"n":1.10,"big":123456789012345678901234567890,"e":1e999,"k":1,"k":2} }"#,
        "\n",
        r#"{"id":"b","task":"x","errors":[{"stage":"dispatch","message":"no"}]}"#,
        "\n",
        r#"{"id":"c","task":"x","dispatch":{"attempt":1,"status":"ok","executor":"explore","tier":1},"gates":{"attempt":1,"outcome":"pass","results":[],"mine":1.0}}"#,
        "\n",
    );
    assert_eq!(world.gates_on(&[], lines).with(0), lines);
    // With `gates` missing, only it is added, and a second time changes nothing.
    let line = r#"{"id":"c","y":"\ud800","dispatch":{"attempt":1,"status":"timeout","executor":"explore","tier":1,"z":1.0}}"#;
    let once = world.gates_on(&[], line).with(0);
    assert!(once.starts_with(&line[..line.len() - 1]), "{once}");
    assert_eq!(world.gates_on(&[], &once).with(0), once);
}

#[test]
fn what_has_nothing_to_judge_is_skipped_with_the_reason() {
    let world = World::new();
    for (dispatch, reason) in [
        (json!({"status": "timeout"}), "the attempt ended as `timeout`"),
        (json!({"status": "failed", "files_changed": ["a"]}), "the attempt ended as `failed`"),
        (json!({"files_changed": []}), "no file was changed"),
        (json!({"executor": "explore"}), "`explore` changes no files, and none was reported"),
    ] {
        let record = world.gates_on(&[], &record(dispatch)).record();
        assert_eq!(record["gates"]["outcome"], "skip");
        assert_eq!(record["gates"]["results"][0]["outcome"], "skip");
        assert_eq!(record["gates"]["results"][0]["reason"], reason);
    }
}

#[test]
fn missing_evidence_is_no_pass() {
    let world = World::new();
    world.write("src/a.py", "x = 1\n").commit();
    for (dispatch, reason) in [
        (json!({}), "which files were changed is not known"),
        (json!({"worktree": "nowhere", "files_changed": ["src/a.py"]}), "is not there"),
        (json!({"files_changed": ["src/gone.py"]}), "it is not there"),
        (json!({"files_changed": ["../a.py"]}), "it is outside of the working tree"),
        (json!({"files_changed": ["/etc/passwd"]}), "it is outside of the working tree"),
    ] {
        let record = world.gates_on(&[], &record(dispatch.clone())).record();
        assert_eq!(record["gates"]["outcome"], "unverifiable", "{dispatch}: {record}");
        assert!(record.to_string().contains(reason), "{dispatch}: {record}");
    }
}

#[test]
fn the_worktree_of_the_attempt_is_judged_against_its_base() {
    let world = World::new();
    let old = format!("T = '{}'\n", token());
    let base =
        world.write("src/a.py", &old).write("src/b.py", "y = 1\n").write("src/c.py", "z = 1\n").commit();
    world.git(&["worktree", "add", "--quiet", "-b", "specpipe/a-1", ".specpipe/worktrees/a-1"]);
    let tree = ".specpipe/worktrees/a-1";
    world.write(format!("{tree}/src/a.py"), format!("import os\n{old}"));
    std::fs::remove_file(world.path().join(tree).join("src/b.py")).unwrap();
    let line = record(json!({"worktree": tree, "base": base, "files_changed": ["src/a.py", "src/b.py"]}));
    let judged = world.gates_on(&[], &line).record();
    assert_eq!(judged["gates"]["outcome"], "pass", "{judged}");
    assert_eq!(judged["gates"]["attempt"], 1);
    assert_eq!(result(&judged, "secrets")["findings"][0]["severity"], "note");
    assert_eq!(
        judged["gates"]["scope"],
        json!({"declared": ["src/**"], "undeclared": [], "outcome": "pass"})
    );
    // What the attempt breaks counts; the main checkout is not looked at.
    world.write(format!("{tree}/src/c.py"), "z = (\n").write("src/c.py", "((");
    let line = record(json!({"worktree": tree, "base": base, "files_changed": ["src/a.py", "src/c.py"]}));
    let judged = world.gates_on(&[], &line).record();
    assert_eq!(result(&judged, "syntax")["findings"].as_array().unwrap().len(), 1, "{judged}");
    assert_eq!(judged["gates"]["outcome"], "fail");
    world.gates_on(&["-e"], &line).with(1);
    // Without `files_changed` git tells.
    let judged = world.gates_on(&[], &record(json!({"worktree": tree, "base": base}))).record();
    assert_eq!(judged["gates"]["outcome"], "fail");
    // Once the worktree is gone, its commit tells.
    let inside = world.path().join(tree);
    let git = |arguments: &[&str]| world.git(&[&["-C", inside.to_str().unwrap()], arguments].concat());
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "x"]);
    let commit = git(&["rev-parse", "HEAD"]);
    world.git(&["worktree", "remove", "--force", tree]);
    let line = record(
        json!({"worktree": tree, "base": base, "commit": commit, "files_changed": ["src/a.py", "src/c.py"]}),
    );
    let judged = world.gates_on(&[], &line).record();
    assert_eq!(judged["gates"]["outcome"], "fail", "{judged}");
}

#[test]
fn a_file_that_is_reported_and_did_not_change_is_not_made_worse() {
    let world = World::new();
    let base = world.write("src/a b.py", "x = (\n").commit();
    let line = record(json!({"base": base, "files_changed": ["src/a b.py"]}));
    let judged = world.gates_on(&[], &line).record();
    assert_eq!(judged["gates"]["outcome"], "pass", "{judged}");
    world.gates_on(&["-e"], &line).with(0);
    assert_eq!(world.gates_on(&["--whole-files"], &line).record()["gates"]["outcome"], "fail");
}

#[test]
fn a_newer_attempt_is_judged_again() {
    let world = World::new();
    world.write("src/a.py", "x = (\n").commit();
    let mut line: Value = serde_json::from_str(&record(json!({"files_changed": ["src/a.py"]}))).unwrap();
    line["gates"] = json!({"attempt": 1, "outcome": "pass", "results": []});
    assert_eq!(world.gates_on(&[], &line.to_string()).record()["gates"]["outcome"], "pass");
    line["dispatch"]["attempt"] = json!(2);
    let judged = world.gates_on(&[], &line.to_string()).record();
    assert_eq!((&judged["gates"]["attempt"], &judged["gates"]["outcome"]), (&json!(2), &json!("fail")));
}

#[test]
fn three_undeclared_files_are_a_decomposition_error() {
    let world = World::new();
    world.write("a", "").write("b", "").write("c", "").commit();
    let judge = |arguments: &[&str], files: &[&str]| {
        world.gates_on(arguments, &record(json!({"files_changed": files}))).record()
    };
    let judged = judge(&[], &["a", "b"]);
    assert_eq!(judged["gates"]["scope"]["outcome"], "pass");
    assert_eq!(result(&judged, "scope")["findings"][0]["severity"], "warning");
    let judged = judge(&[], &["a", "b", "c"]);
    assert_eq!(judged["gates"]["scope"]["undeclared"], json!(["a", "b", "c"]));
    assert_eq!(result(&judged, "scope")["findings"][0]["rule"], "decomposition_error");
    assert_eq!(judged["gates"]["outcome"], "fail");
    assert_eq!(judge(&["--scope", "strict"], &["a"])["gates"]["outcome"], "fail");
    assert_eq!(judge(&["--scope", "disabled"], &["a", "b", "c"])["gates"]["scope"]["outcome"], "skip");
}

#[test]
fn both_names_of_a_renamed_file_are_in_question() {
    let world = World::new();
    let base = world.write("lib/a.py", "x = 1\ny = 2\nz = 3\n").commit();
    std::fs::create_dir(world.path().join("src")).unwrap();
    world.git(&["mv", "lib/a.py", "src/a.py"]);
    world.commit();
    let judged = world.gates_on(&[], &record(json!({"base": base, "files_changed": ["src/a.py"]}))).record();
    assert_eq!(judged["gates"]["scope"]["undeclared"], json!(["lib/a.py"]));
}

#[test]
fn broken_input_is_an_error_of_its_record_and_the_rest_goes_on() {
    let world = World::new();
    world.write("src/a.py", "x = 1\n").commit();
    let good = record(json!({"files_changed": ["src/a.py"]}));
    let text = world.gates_on(&[], &format!("nonsense\n{{\"id\":\"x\",\"dispatch\":7}}\n{good}\n")).with(3);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["errors"][0]["line"], 1);
    assert!(lines[1]["errors"][0]["message"].as_str().unwrap().contains("`dispatch` can not be read"));
    assert_eq!(lines[2]["gates"]["outcome"], "pass");
}

#[test]
fn records_are_read_from_files_as_well() {
    let world = World::new();
    world.write("in.jsonl", "{\"id\":\"a\"}\n");
    assert_eq!(world.gates(&["--records", "in.jsonl"]).with(0), "{\"id\":\"a\"}\n");
    assert!(world.gates(&["--records", "gone.jsonl"]).error(2).contains("gone.jsonl"));
}
