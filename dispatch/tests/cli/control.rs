//! What other terminals can see and do: `status`, `log`, `show`, `cancel`, `retry`.

use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::{Place, Ran, is_alive, wait_until};

/// Notes that it runs and whose child it is, then waits until it may end. What it is told is its output.
const WAITING: &str = "echo $$ > began-$SPECPIPE_ID-$SPECPIPE_ATTEMPT.part
    mv began-$SPECPIPE_ID-$SPECPIPE_ATTEMPT.part began-$SPECPIPE_ID-$SPECPIPE_ATTEMPT
    cat; while ! [ -e go ]; do sleep 0.02; done";

fn start(place: &Place, arguments: &str) -> Child {
    let mut command = place.command(arguments);
    command.args(["--", "sh", "-c", WAITING]).stdin(Stdio::null()).spawn().unwrap()
}

fn has_begun(place: &Place, attempt: &str) -> bool {
    place.path().join(format!("began-{attempt}")).exists()
}

fn status(place: &Place) -> Vec<Value> {
    place.run("status --json", "").exits(0).records()
}

fn tasks(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("{{\"id\":\"{id}\",\"task\":\"text of {id}\"}}\n")).collect()
}

#[test]
fn a_task_is_cancelled_with_all_it_has_started_and_the_others_go_on() {
    let place = Place::new();
    let input =
        tasks(&["a", "b", "c"]) + "{\"id\":\"d\",\"task\":{\"text\":\"after a\",\"depends_on\":[\"a\"]}}\n";
    place.write("in", &input);
    let run = start(&place, "-j 2 in");
    wait_until("two tasks run", || has_begun(&place, "a-1") && has_begun(&place, "b-1"));
    let ran = place.run("cancel a c", "").exits(0);
    assert_eq!(ran.stdout, "a  is being ended\nc  will not be started\n");
    let child = place.read("began-a-1");
    wait_until("its child has ended", || !is_alive(&child));
    assert!(is_alive(&place.read("began-b-1")));
    place.run("cancel nobody", "").exits(2);
    place.write("go", "");
    let ran = Ran::of(run.wait_with_output().unwrap()).exits(0);
    assert_eq!(ran.ids(), ["a", "b", "c", "d"]);
    let status = |id: &str| ran.record(id)["dispatch"]["status"].as_str().unwrap().to_owned();
    assert_eq!(
        [status("a"), status("b"), status("c"), status("d")],
        ["cancelled", "ok", "cancelled", "skipped"]
    );
    assert_eq!(ran.record("a")["dispatch"]["reason"], "cancelled by `dispatch cancel`");
    let again = place.run_script("--resume in", "cat; echo $SPECPIPE_ID >> again", "").exits(0);
    assert!(again.records().iter().all(|record| record["dispatch"]["status"] == "ok"), "{}", again.stdout);
    assert!(!place.path().join(".specpipe/run").read_dir().unwrap().any(|_| true), "nothing stays of a run");
}

#[test]
fn a_whole_run_is_ended_from_elsewhere_as_by_an_interrupt() {
    for which in ["--all", "--run"] {
        let place = Place::new();
        place.write("in", &tasks(&["a", "b"]));
        let run = start(&place, "-j 1 in");
        wait_until("a task runs", || has_begun(&place, "a-1"));
        let name = status(&place)[0]["run"].as_str().unwrap().to_owned();
        let arguments =
            if which == "--run" { format!("cancel --run {name}") } else { "cancel --all".to_owned() };
        place.run(&arguments, "").exits(0);
        let ran = Ran::of(run.wait_with_output().unwrap()).exits(130);
        assert_eq!(ran.record("a")["dispatch"]["status"], "cancelled");
        assert!(ran.record("b").get("dispatch").is_none());
        assert_eq!(status(&place)[0]["state"], "interrupted");
        place.run(&format!("cancel --run {name}"), "").exits(2);
        assert_eq!(place.run("cancel --all", "").exits(0).stdout, "");
    }
}

#[test]
fn the_status_of_runs_that_go_on_have_ended_and_were_killed() {
    let place = Place::new();
    place.run("status", "").exits(2);
    place.run_script("", "[ $SPECPIPE_ID = a ]", &tasks(&["a", "b"])).exits(0);
    place.write("in", &tasks(&["a", "b", "c"]));
    let mut killed = start(&place, "-j 2 in");
    wait_until("two tasks run", || has_begun(&place, "a-1") && has_begun(&place, "b-1"));
    let second = &status(&place)[1];
    assert_eq!(
        (&second["state"], &second["running"], &second["waiting"]),
        (&"running".into(), &2.into(), &1.into())
    );
    killed.kill().unwrap();
    killed.wait().unwrap();
    let [ended, killed] = &status(&place)[..] else { panic!() };
    assert_eq!((&ended["state"], &ended["ok"], &ended["not_ok"]), (&"ended".into(), &1.into(), &1.into()));
    assert_eq!(
        (&killed["state"], &killed["running"], &killed["waiting"]),
        (&"killed".into(), &0.into(), &3.into())
    );
    assert_eq!(killed["command"][1], "-j");
    let told = place.run("status", "").exits(0).stdout;
    assert!(
        told.contains("--resume goes on where it was") && told.contains("2 tasks: 1 ok, 1 not well"),
        "{told}"
    );
}

#[test]
fn the_log_and_a_task_are_told_to_people_and_as_json() {
    let place = Place::new();
    let script = "echo said $SPECPIPE_ID; [ $SPECPIPE_ID = a ]";
    place.run_script("", script, &tasks(&["a", "b"])).exits(0);
    let log = place.run("log", "").exits(0).stdout;
    for told in ["read       line 1: text of a", "started    tier 1, command", "ended      exit status 0"] {
        assert!(log.contains(told), "{log}");
    }
    let log = place.run("log b", "").exits(0).stdout;
    assert!(log.lines().count() == 3 && log.contains("failed") && log.contains("exit code 1"), "{log}");
    let json = place.run("log b --json", "").exits(0).records();
    assert_eq!(json.last().unwrap()["dispatch"]["status"], "failed");
    let shown = place.run("show a", "").exits(0).stdout;
    assert!(shown.starts_with("a  ok\n    text of a\n") && shown.contains("    | said a"), "{shown}");
    let shown: Value = serde_json::from_str(&place.run("show b --json", "").exits(0).stdout).unwrap();
    assert_eq!((&shown["state"], &shown["attempts"][0]["output"]), (&"failed".into(), &"said b\n".into()));
    place.run("show nobody", "").exits(2);
    place.run("log --run nobody", "").exits(2);
}

#[test]
fn a_log_that_is_followed_ends_with_the_run() {
    let place = Place::new();
    place.write("in", &tasks(&["a"]));
    let run = start(&place, "in");
    wait_until("the task runs", || has_begun(&place, "a-1"));
    let mut log = place.command("log a --follow");
    let log = log.stdin(Stdio::null()).spawn().unwrap();
    place.write("go", "");
    Ran::of(run.wait_with_output().unwrap()).exits(0);
    let log = Ran::of(log.wait_with_output().unwrap()).exits(0).stdout;
    assert!(log.lines().last().unwrap_or_default().contains("  ok  "), "{log}");
}

#[test]
fn a_task_that_runs_is_made_again_with_what_somebody_says() {
    let place = Place::new();
    place.write("in", &tasks(&["a", "b"]));
    let run = start(&place, "-j 2 in");
    wait_until("the task runs", || has_begun(&place, "a-1"));
    place.run("retry a", "").exits(2);
    let context = ["retry", "a", "--context", "mind the gap"];
    let mut command = place.command("");
    let asked = Ran::of(command.args(context).stdin(Stdio::null()).output().unwrap()).exits(0);
    assert_eq!(asked.stdout, "a  is being ended and made again\n");
    wait_until("it was made again", || has_begun(&place, "a-2"));
    assert!(!is_alive(&place.read("began-a-1")));
    place.write("go", "");
    let ran = Ran::of(run.wait_with_output().unwrap()).exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!((&dispatch["attempt"], &dispatch["status"]), (&2.into(), &"ok".into()));
    assert!(dispatch["output"].as_str().unwrap().contains("mind the gap"), "{dispatch}");
    assert_eq!(dispatch["earlier"][0]["status"], "cancelled");
    let resumed = place.command("--resume in").args(["--", "sh", "-c", WAITING]).output().unwrap();
    let resumed = Ran::of(resumed).exits(0);
    assert_eq!(resumed.record("a")["dispatch"]["output"], dispatch["output"]);
    assert!(!has_begun(&place, "a-3") && !has_begun(&place, "b-2"), "what has finished is not run again");
}

#[test]
fn a_finished_task_is_made_again_when_it_is_resumed_but_not_blindly() {
    let place = Place::new();
    place.write("in", &tasks(&["a", "b"]));
    let script = "cat; echo $SPECPIPE_ID >> ran";
    place.run_script("in", script, "").exits(0);
    assert!(place.run("retry a", "").exits(2).stderr.contains("--context"));
    place.run("retry nobody --escalate", "").exits(2);
    place.run("retry a --escalate", "").exits(0);
    for _ in 0..2 {
        let ran = place.run_script("--resume in", script, "").exits(0);
        let dispatch = &ran.record("a")["dispatch"];
        assert_eq!((&dispatch["attempt"], &dispatch["tier"]), (&2.into(), &2.into()));
        assert_eq!(dispatch["earlier"][0]["reason"], "made again on request, one tier up");
        assert_eq!(ran.record("b")["dispatch"]["attempt"], 1);
    }
    let mut ran: Vec<String> = place.read("ran").lines().map(str::to_owned).collect();
    ran.sort();
    assert_eq!(ran, ["a", "a", "b"]);
}
