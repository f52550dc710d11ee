//! `--merge`: accepted work comes together in one branch.

use serde_json::{Value, json};

use crate::harness::{Place, Ran};

/// Tasks that each write the file of their name, or what is said.
fn task(id: &str, depends_on: &[&str]) -> String {
    json!({"id": id, "task": {"text": format!("do {id}"), "executor": "implement", "depends_on": depends_on}})
        .to_string()
        + "\n"
}

fn merge_of(ran: &Ran, id: &str) -> Value {
    ran.record(id)["dispatch"]["merge"].clone()
}

fn judged(ran: &Ran, id: &str, decision: &str) -> String {
    let mut record = ran.record(id);
    record["verify"] =
        json!({"attempt": 1, "decision": decision, "confidence": 1, "checks": [], "reason": "r"});
    record.to_string() + "\n"
}

/// What is in a branch, without what was there at the start.
fn files(place: &Place, branch: &str) -> Vec<String> {
    let files = place.git(&["ls-tree", "--name-only", branch]);
    files.lines().filter(|name| *name != "a.txt").map(str::to_owned).collect()
}

const OWN_FILE: &str = "echo $SPECPIPE_ID > $SPECPIPE_ID.txt";

#[test]
fn finished_work_comes_together_in_the_order_of_dependencies() {
    let place = Place::repository();
    let head = place.git(&["rev-parse", "HEAD"]);
    // The dependent comes first, and is merged after what it builds on.
    let input = task("last", &["one", "two"]) + &task("two", &[]) + &task("one", &[]);
    let ran = place.run_script("--merge=finished", OWN_FILE, &input).exits(0);
    let branch = format!("specpipe/merged-{}", &head[..12]);
    for id in ["one", "two", "last"] {
        let merge = merge_of(&ran, id);
        assert_eq!(
            (merge["outcome"].as_str(), merge["into"].as_str()),
            (Some("merged"), Some(branch.as_str())),
            "{merge}"
        );
        let is_there =
            place.git(&["branch", "--contains", merge["commit"].as_str().unwrap(), "--list", &branch]);
        assert!(is_there.contains(&branch), "{is_there}");
    }
    assert_eq!(files(&place, &branch), ["last.txt", "one.txt", "two.txt"]);
    let subjects = place.git(&["log", "--first-parent", "--format=%s", &branch]);
    let subjects: Vec<&str> = subjects.lines().collect();
    assert_eq!((subjects.len(), subjects[0]), (4, "Merge last: do last"), "{subjects:?}");
    assert_eq!(place.git(&["rev-parse", "HEAD"]), head);
    assert!(!place.path().join("one.txt").exists());
    assert!(ran.stderr.contains(&branch), "{}", ran.stderr);
}

#[test]
fn only_what_was_accepted_is_merged_and_nothing_twice() {
    let place = Place::repository();
    let input = task("good", &[]) + &task("bad", &[]) + &task("builds", &["bad"]) + &task("unjudged", &[]);
    let first = place.run_script("--merge", OWN_FILE, &input).exits(0);
    assert!(
        first.records().iter().all(|record| record["dispatch"]["merge"].is_null()),
        "nothing is accepted yet"
    );
    assert_eq!(place.git(&["branch", "--list", "specpipe/merged-*"]), "");
    let input = judged(&first, "builds", "accept")
        + &judged(&first, "good", "accept")
        + &judged(&first, "bad", "blocked")
        + &(first.record("unjudged").to_string() + "\n");
    let second = place.run("--merge", &input).exits(0);
    assert_eq!(merge_of(&second, "good")["outcome"], "merged");
    assert!(merge_of(&second, "bad").is_null() && merge_of(&second, "unjudged").is_null());
    let builds = merge_of(&second, "builds");
    assert_eq!(builds["outcome"], "skipped", "its commit has what was not accepted");
    assert!(builds["reason"].as_str().unwrap().contains("`bad`"), "{builds}");
    let branch = merge_of(&second, "good")["into"].as_str().unwrap().to_owned();
    assert_eq!(files(&place, &branch), ["good.txt"]);
    let tip = place.git(&["rev-parse", &branch]);
    let third = place.run("--merge", &second.stdout).exits(0);
    assert_eq!(third.record("good"), second.record("good"), "what is merged leaves as it came");
    let fourth = place.run("--merge", &input).exits(0);
    assert_eq!(merge_of(&fourth, "good")["outcome"], "already");
    assert_eq!(place.git(&["rev-parse", &branch]), tip);
}

#[test]
fn a_conflict_is_listed_and_aborted_and_the_others_go_on() {
    let place = Place::repository();
    let script = "case $SPECPIPE_ID in left|right) echo $SPECPIPE_ID > a.txt;; *) echo $SPECPIPE_ID > $SPECPIPE_ID.txt;; esac";
    let input = task("left", &[])
        + &task("right", &[])
        + &task("more", &["left"])
        + &task("after", &["right"])
        + &task("apart", &[]);
    let ran = place.run_script("-j 1 --merge=finished", script, &input).exits(0);
    assert_eq!(merge_of(&ran, "left")["outcome"], "merged");
    let conflict = merge_of(&ran, "right");
    assert_eq!(
        (conflict["outcome"].as_str(), &conflict["conflicts"]),
        (Some("conflict"), &json!(["a.txt"])),
        "{conflict}"
    );
    assert!(conflict["commit"].is_null());
    assert_eq!(merge_of(&ran, "after")["outcome"], "skipped");
    assert_eq!(
        (&merge_of(&ran, "apart")["outcome"], &merge_of(&ran, "more")["outcome"]),
        (&json!("merged"), &json!("merged"))
    );
    let branch = conflict["into"].as_str().unwrap();
    assert_eq!(place.git(&["show", &format!("{branch}:a.txt")]), "left\n");
    assert!(ran.stderr.contains("id right: not merged: conflicts in a.txt"), "{}", ran.stderr);
    assert_eq!(place.git(&["status", "--porcelain", "--untracked-files=no"]), "");
}

#[test]
fn the_checked_out_branch_is_moved_only_if_named_and_clean() {
    let place = Place::repository();
    let ran = place.run_script("--merge=finished --merge-into main", OWN_FILE, &task("one", &[])).exits(0);
    assert_eq!(merge_of(&ran, "one")["outcome"], "merged");
    assert_eq!(place.read("one.txt"), "one\n", "the checkout has gone along");
    assert_eq!(place.git(&["status", "--porcelain", "--untracked-files=no"]), "");
    place.write("a.txt", "edited\n");
    let tip = place.git(&["rev-parse", "main"]);
    let ran = place.run_script("--merge=finished --merge-into main", OWN_FILE, &task("two", &[])).exits(0);
    let merge = merge_of(&ran, "two");
    assert_eq!(merge["outcome"], "failed");
    assert!(merge["reason"].as_str().unwrap().contains("uncommitted changes"), "{merge}");
    assert_eq!((place.git(&["rev-parse", "main"]), place.read("a.txt").as_str()), (tip, "edited\n"));
    // An untracked file of the user's is not overwritten either.
    place.git(&["checkout", "-q", "a.txt"]);
    place.write("three.txt", "mine\n");
    let ran = place.run_script("--merge=finished --merge-into main", OWN_FILE, &task("three", &[])).exits(0);
    assert_eq!(merge_of(&ran, "three")["outcome"], "failed");
    assert_eq!(place.read("three.txt"), "mine\n");
    // A branch that is checked out elsewhere is not moved under its checkout.
    place.git(&["worktree", "add", "-q", "-b", "side", "../side"]);
    let ran = place.run_script("--merge=finished --merge-into side", OWN_FILE, &task("four", &[])).exits(0);
    let merge = merge_of(&ran, "four");
    assert!(
        merge["outcome"] == "failed" && merge["reason"].as_str().unwrap().contains("checked out in"),
        "{merge}"
    );
    // A new one is made where tasks start.
    let ran =
        place.run_script("--merge=finished --merge-into made/new", OWN_FILE, &task("five", &[])).exits(0);
    assert_eq!(merge_of(&ran, "five")["outcome"], "merged");
    assert!(files(&place, "made/new").contains(&"five.txt".to_owned()));
}

#[test]
fn processes_that_merge_at_once_lose_nothing() {
    let place = Place::repository();
    std::thread::scope(|scope| {
        for process in 0..3 {
            let place = &place;
            scope.spawn(move || {
                let input: String = (0..5).map(|n| task(&format!("p{process}n{n}"), &[])).collect();
                let ran =
                    place.run_script("-j 3 --merge=finished --merge-into all", OWN_FILE, &input).exits(0);
                assert!(
                    ran.records().iter().all(|record| record["dispatch"]["merge"]["outcome"] == "merged")
                );
            });
        }
    });
    assert_eq!(files(&place, "all").len(), 15);
}

#[test]
fn tasks_in_a_circle_leave_unmerged() {
    let place = Place::repository();
    let first = place.run_script("", OWN_FILE, &(task("a", &[]) + &task("b", &[]))).exits(0);
    let mut a = first.record("a");
    let mut b = first.record("b");
    (a["task"]["depends_on"], a["dispatch"]["inputs"]) = (json!(["b"]), json!({"b": 1}));
    (b["task"]["depends_on"], b["dispatch"]["inputs"]) = (json!(["a"]), json!({"a": 1}));
    let ran = place.run("--merge=finished", &format!("{a}\n{b}\n"));
    assert_eq!(ran.records().len(), 2, "{}", ran.stderr);
    assert!(ran.records().iter().all(|record| record["dispatch"]["merge"]["outcome"] != "merged"));
}

#[test]
fn what_can_not_be_merged_is_a_usage_error() {
    let place = Place::repository();
    for (arguments, expected) in
        [("--merge-into main", "nothing is merged"), ("--merge --worktrees never", "without worktrees")]
    {
        let ran = place.run(arguments, "").exits(2);
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    }
}

#[test]
fn a_draft_that_the_check_has_rejected_is_not_merged() {
    let place = Place::repository();
    let ran = place
        .run_script("--merge=finished --merge-into out --race 2 --check false", OWN_FILE, &task("one", &[]))
        .exits(0);
    let dispatch = &ran.record("one")["dispatch"];
    assert_eq!(
        (&dispatch["race"]["accepted"], &dispatch["merge"]),
        (&json!(false), &Value::Null),
        "{dispatch}"
    );
    assert_eq!(place.git(&["branch", "--list", "out"]), "");
    let ran = place.run_script("--check false", OWN_FILE, &task("two", &[])).exits(2);
    assert!(ran.stderr.contains("there is no race") && ran.stderr.contains("--race 2"), "{}", ran.stderr);
}
