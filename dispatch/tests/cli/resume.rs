//! What survives a kill, and what an interrupt leaves behind.

use std::process::Stdio;

use rustix::process::Signal;

use crate::harness::{Place, Ran, is_alive, signal, wait_until};

fn tasks(ids: impl IntoIterator<Item = usize>) -> String {
    ids.into_iter().map(|n| format!("{{\"id\":\"t{n}\",\"task\":\"text {n}\"}}\n")).collect()
}

/// Counts how often each task came to its end.
const COUNTING: &str = "cat; echo $SPECPIPE_ID >> ended";

fn without_times(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        let dispatch = record["dispatch"].as_object_mut().unwrap();
        dispatch.remove("started_at");
        dispatch.remove("elapsed_ms");
        lines.push_str(&record.to_string());
        lines.push('\n');
    }
    lines
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let place = Place::new();
    place.write("in.jsonl", &tasks(0..40));
    let arguments = "-j 3 --resume in.jsonl";
    for stop_after in [3, 11, 25] {
        let mut command = place.command(arguments);
        let mut child = command.args(["--", "sh", "-c", COUNTING]).stdout(Stdio::null()).spawn().unwrap();
        let finished = || place.read(".specpipe/journal/dispatch.jsonl").matches("\"finished\"").count();
        wait_until("some tasks have finished", || finished() >= stop_after);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let finished: Vec<String> = place
        .read(".specpipe/journal/dispatch.jsonl")
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["event"] == "finished")
        .map(|line| line["id"].as_str().unwrap().to_owned())
        .collect();
    let before = place.read("ended");
    let ran = place.run_script(arguments, COUNTING, "").exits(0);
    let whole = Place::new().run_script("-j 3", "cat", &tasks(0..40)).exits(0);
    assert_eq!(without_times(&ran.stdout), without_times(&whole.stdout));
    let runs = |log: &str, id: &str| log.lines().filter(|line| *line == id).count();
    let after = place.read("ended");
    for id in &finished {
        assert_eq!(runs(&after, id), runs(&before, id), "{id} had finished and was run again");
    }
    assert_eq!(place.run_script(arguments, "echo again; touch again", "").exits(0).status, 0);
}

#[test]
fn no_child_outlives_a_killed_run() {
    let place = Place::new();
    let mut command = place.command("");
    let mut child = command
        .args(["--", "sh", "-c", "sleep 600 & echo $! > pid.part; mv pid.part pid; wait"])
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), tasks(0..1).as_bytes()).unwrap();
    wait_until("the task has started", || place.path().join("pid").exists());
    let pid = place.read("pid");
    assert!(is_alive(&pid));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the child of the task has ended", || !is_alive(&pid));
}

#[test]
fn exactly_what_changed_is_run_again() {
    let place = Place::new();
    let chain = |text: &str| {
        format!(
            "{{\"id\":\"a\",\"task\":\"{text}\"}}\n{{\"id\":\"b\",\"task\":{{\"text\":\"y\",\"depends_on\":[\"a\"]}}}}\n"
        )
    };
    let ran = |input: &str, resume: &str| {
        std::fs::remove_file(place.path().join("ended")).ok();
        place.run_script(resume, COUNTING, input).exits(0);
        let mut ended: Vec<String> = place.read("ended").lines().map(str::to_owned).collect();
        ended.sort();
        ended.join(" ")
    };
    assert_eq!(ran(&tasks([1, 2, 3]), ""), "t1 t2 t3");
    assert_eq!(ran(&tasks([1, 2, 3]), "--resume"), "");
    assert_eq!(ran(&tasks([9, 3, 1, 2]), "--resume"), "t9", "inserted, and in another order");
    assert_eq!(ran(&tasks([1, 2]).replace("text 2", "other text"), "--resume"), "t2", "edited");
    assert_eq!(ran(&tasks([1]), ""), "t1", "not asked to resume");
    assert_eq!(ran(&chain("x"), ""), "a b");
    assert_eq!(ran(&chain("x"), "--resume"), "");
    assert_eq!(ran(&chain("z"), "--resume"), "a b", "what depends on the edited one too");
}

#[test]
fn another_program_is_another_task() {
    let place = Place::new();
    place.run_script("", "echo one", &tasks([1])).exits(0);
    let ran = place.run_script("--resume", "echo two", &tasks([1])).exits(0);
    assert_eq!(ran.record("t1")["dispatch"]["output"], "two\n");
}

#[test]
fn an_interrupt_ends_what_runs_and_keeps_every_record() {
    for (interrupt, open) in [(Signal::INT, false), (Signal::TERM, false), (Signal::INT, true)] {
        let place = Place::new();
        let mut command = place.command("-j 2");
        // The first is done at once, the next two never, and the rest waits for them.
        let script = "[ $SPECPIPE_ID = t0 ] && exit; touch started-$SPECPIPE_ID; exec sleep 600";
        let mut child = command.args(["--", "sh", "-c", script]).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, tasks(0..6).as_bytes()).unwrap();
        let kept_open = if open { Some(stdin) } else { None };
        let started = |id: &str| place.path().join(format!("started-{id}")).exists();
        wait_until("two tasks run", || started("t1") && started("t2"));
        signal(&child, interrupt);
        let ran = Ran::of(child.wait_with_output().unwrap()).exits(130);
        drop(kept_open);
        assert_eq!(ran.ids(), ["t0", "t1", "t2", "t3", "t4", "t5"]);
        let status = |id: &str| ran.record(id)["dispatch"]["status"].as_str().map(str::to_owned);
        assert_eq!(status("t0").as_deref(), Some("ok"));
        assert_eq!(
            (status("t1").as_deref(), status("t2").as_deref()),
            (Some("cancelled"), Some("cancelled"))
        );
        assert_eq!(status("t5"), None, "what was not started is as it came");
        let again = place.run_script("", "cat", &ran.stdout).exits(0);
        assert!(
            again.records().iter().all(|record| record["dispatch"]["status"] == "ok"),
            "{}",
            again.stdout
        );
    }
}

#[test]
fn without_a_journal_nothing_is_left_behind() {
    let place = Place::new();
    let ran = place.run_script("--no-journal --worktrees never", "cat", &tasks(0..3)).exits(0);
    assert_eq!(ran.stdout.matches("\"status\":\"ok\"").count(), 3, "{}", ran.stdout);
    assert!(!place.path().join(".specpipe").exists());
    place.run_script("--no-journal --resume", "cat", "").exits(2);
}
