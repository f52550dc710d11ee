//! Work that changes files.

use crate::harness::{Place, finish};

fn task(id: &str, executor: &str, rest: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"task\":{{\"text\":\"do it\"{rest}}},\"classify\":{{\"tier\":2,\"executor\":\"{executor}\",\"confidence\":1,\"risk\":\"low\",\"scores\":{{\"1\":0,\"2\":1,\"3\":0}}}}}}\n"
    )
}

#[test]
fn work_is_a_commit_on_a_branch_of_its_own() {
    let place = Place::repository();
    place.write("a.txt", "edited by the user\n");
    place.write("mine", "untracked\n");
    let before = place.git(&["status", "--porcelain"]);
    let ran = place
        .run_script("", "cat a.txt; echo two > a.txt; echo new > b.txt", &task("t", "implement", ""))
        .exits(0);
    let dispatch = &ran.record("t")["dispatch"];
    assert_eq!(dispatch["output"], "one\n", "the work starts from HEAD");
    assert_eq!(dispatch["branch"], "specpipe/t-1");
    assert_eq!(dispatch["files_changed"], serde_json::json!(["a.txt", "b.txt"]));
    assert_eq!(dispatch["base"].as_str().unwrap(), place.git(&["rev-parse", "HEAD"]).trim());
    assert_eq!(dispatch["commit"].as_str().unwrap(), place.git(&["rev-parse", "specpipe/t-1"]).trim());
    let worktree = dispatch["worktree"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(format!("{worktree}/b.txt")).unwrap(), "new\n");
    assert_eq!(place.git(&["status", "--porcelain"]), before);
    assert_eq!(place.read("a.txt"), "edited by the user\n");
}

#[test]
fn work_that_changes_nothing_leaves_nothing() {
    let place = Place::repository();
    let ran = place.run_script("", "echo nothing to do", &task("t", "implement", "")).exits(0);
    let dispatch = &ran.record("t")["dispatch"];
    assert_eq!(dispatch["files_changed"], serde_json::json!([]));
    assert!(dispatch["commit"].is_null() && dispatch["worktree"].is_null());
    assert_eq!(place.git(&["branch", "--all"]).trim(), "* main");
    assert_eq!(place.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn whoever_may_not_write_has_no_worktree() {
    let place = Place::repository();
    let ran = place.run_script("", "pwd", &task("t", "review", "")).exits(0);
    assert_eq!(
        ran.record("t")["dispatch"]["output"].as_str().unwrap().trim(),
        place.path().canonicalize().unwrap().display().to_string()
    );
    let ran = place.run_script("", "pwd", &task("u", "implement", ",\"tools\":[\"Read\"]")).exits(0);
    assert!(!ran.record("u")["dispatch"]["output"].as_str().unwrap().contains("worktrees"));
    let ran = place.run_script("--worktrees never", "pwd", &task("v", "implement", "")).exits(0);
    assert!(!ran.record("v")["dispatch"]["output"].as_str().unwrap().contains("worktrees"));
}

#[test]
fn a_recorded_patch_is_work_too_and_a_rejected_one_is_repaired() {
    let place = Place::repository();
    let patch = |from: &str, to: &str| format!("--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-{from}\n+{to}\n");
    let answers = [
        serde_json::json!({"id": "t", "attempt": 1, "output": "first", "patch": patch("one", "wrong")}),
        serde_json::json!({"id": "t", "attempt": 2, "output": "second", "patch": patch("wrong", "right")}),
        serde_json::json!({"id": "u", "output": "broken", "patch": patch("never there", "x")}),
    ];
    place.write("answers.jsonl", &answers.map(|answer| answer.to_string() + "\n").concat());
    let ran = place
        .run("--replay answers.jsonl", &(task("t", "implement", "") + &task("u", "implement", "")))
        .exits(0);
    let first = ran.record("t");
    assert_eq!(first["dispatch"]["files_changed"], serde_json::json!(["a.txt"]));
    let broken = &ran.record("u")["dispatch"];
    assert_eq!(broken["status"], "failed");
    assert!(broken["reason"].as_str().unwrap().starts_with("the recorded patch does not apply"), "{broken}");
    let mut rejected = first.clone();
    rejected["verify"] = serde_json::json!({"attempt": 1, "decision": "fix", "confidence": 1, "checks": [], "reason": "wrong word", "escalate_to": 3});
    let ran = place.run("--replay answers.jsonl", &format!("{rejected}\n")).exits(0);
    let second = &ran.record("t")["dispatch"];
    assert_eq!((second["attempt"].as_u64(), second["branch"].as_str()), (Some(2), Some("specpipe/t-2")));
    assert_eq!(
        second["base"], first["dispatch"]["base"],
        "changes are told against where the first attempt started"
    );
    assert_eq!(place.git(&["show", "specpipe/t-2:a.txt"]), "right\n");
    assert_eq!(place.git(&["show", "specpipe/t-1:a.txt"]), "wrong\n");
    assert_eq!(place.read("a.txt"), "one\n");
}

#[test]
fn work_that_builds_on_work_starts_from_it() {
    let place = Place::repository();
    let input = task("first", "implement", "") + &task("second", "implement", ",\"depends_on\":[\"first\"]");
    let ran = place
        .run_script("", "[ $SPECPIPE_ID = second ] && cat new.txt; echo $SPECPIPE_ID >> new.txt", &input)
        .exits(0);
    let second = &ran.record("second")["dispatch"];
    assert_eq!(second["output"], "first\n");
    assert_eq!(second["base"], ran.record("first")["dispatch"]["commit"]);
}

#[test]
fn whoever_looks_at_work_looks_where_it_is() {
    let place = Place::repository();
    let patch = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n";
    let answer = serde_json::json!({"id": "work", "output": "done", "patch": patch});
    place.write("answers.jsonl", &format!("{answer}\n"));
    let look = r#"{"id":"look","task":{"text":"x","run":["cat","a.txt"],"depends_on":["work"]}}"#;
    let apart = r#"{"id":"apart","task":{"text":"x","run":["cat","a.txt"]}}"#;
    let ran = place
        .run("--replay answers.jsonl", &format!("{}{look}\n{apart}\n", task("work", "implement", "")))
        .exits(0);
    let (work, look) = (ran.record("work")["dispatch"].clone(), ran.record("look")["dispatch"].clone());
    assert_eq!((look["output"].as_str(), &look["worktree"]), (Some("two\n"), &work["worktree"]));
    assert!(look["commit"].is_null() && look["branch"].is_null());
    assert_eq!(ran.record("apart")["dispatch"]["output"], "one\n");
}

#[test]
fn many_that_write_at_once_do_not_meet() {
    let place = Place::repository();
    let input: String = (0..12).map(|n| task(&format!("t{n}"), "implement", "")).collect();
    let ran = place.run_script("-j 6", "echo $SPECPIPE_ID > a.txt", &input).exits(0);
    for n in 0..12 {
        let id = format!("t{n}");
        let dispatch = &ran.record(&id)["dispatch"];
        assert_eq!(dispatch["status"], "ok", "{dispatch}");
        assert_eq!(place.git(&["show", &format!("specpipe/{id}-1:a.txt")]).trim(), id);
    }
    place.git(&["fsck", "--no-progress"]);
}

#[test]
fn outside_of_git_work_is_done_in_place() {
    let place = Place::new();
    let ran = place.run_script("", "echo x > made", &task("t", "implement", "")).exits(0);
    let dispatch = &ran.record("t")["dispatch"];
    assert!(dispatch["worktree"].is_null() && dispatch["files_changed"].is_null());
    assert_eq!(place.read("made"), "x\n");
}

#[test]
fn a_resumed_run_leaves_no_worktree_of_the_killed_one() {
    let place = Place::repository();
    let mut command = place.command("--resume");
    command.args(["--", "sh", "-c", "echo half > half; touch \"$OLDPWD_MARK\"; exec sleep 600"]);
    let mark = place.path().parent().unwrap().join("mark");
    command.env("OLDPWD_MARK", &mark);
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), task("t", "implement", "").as_bytes())
        .unwrap();
    crate::harness::wait_until("the task works", || mark.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let mut command = place.command("--resume");
    command.args(["--", "sh", "-c", "ls; echo done > done"]);
    let ran = finish(command, &task("t", "implement", "")).exits(0);
    let dispatch = &ran.record("t")["dispatch"];
    assert_eq!(
        (dispatch["branch"].as_str(), dispatch["output"].as_str()),
        (Some("specpipe/t-1"), Some("a.txt\n"))
    );
    assert_eq!(place.git(&["worktree", "list"]).lines().count(), 2);
}
