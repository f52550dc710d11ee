//! What a run shows and leaves besides its records.

use serde_json::Value;

use crate::harness::{Place, finish};

const TASKS: &str = "{\"id\":\"a\",\"task\":\"one\"}\n{\"id\":\"b/..\\t$(id)\",\"task\":\"fail\"}\n\
                     {\"id\":\"c\",\"task\":{\"text\":\"three\",\"depends_on\":[\"b/..\\t$(id)\"]}}\n";
const SCRIPT: &str = "read -r text; echo \"$text\"; echo oops >&2; test \"$text\" != fail || exit 7";

#[test]
fn every_attempt_is_in_the_job_log() {
    let place = Place::new();
    place.run_script("--joblog log.tsv", SCRIPT, TASKS).exits(0);
    let log = place.read("log.tsv");
    let rows: Vec<Vec<&str>> = log.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 4, "{log}");
    assert_eq!(
        rows[0][..9],
        ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal", "Command"]
    );
    let find = |id: &str| rows.iter().find(|row| row[9] == id).unwrap_or_else(|| panic!("no {id} in {log}"));
    assert_eq!((find("a")[6], find("a")[5], find("a")[11]), ("0", "4", "ok"));
    let failed = find("b/..\\t$(id)");
    assert_eq!((failed[6], failed[11]), ("7", "failed"));
    assert_eq!(failed[8], "dispatch retry -- 'b/..\\t$(id)'", "the text of a task is no command");
    assert_eq!((find("c")[6], find("c")[11], find("c")[2]), ("1", "skipped", "0.000"));
    assert!(find("a")[2].parse::<f64>().unwrap() > 1.6e9, "{log}");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{log}");
    // A new run begins a new log; one that is resumed goes on with it.
    place.run_script("--joblog log.tsv", SCRIPT, TASKS).exits(0);
    assert_eq!(place.read("log.tsv").lines().count(), 4);
    let more = "{\"id\":\"d\",\"task\":\"four\"}\n";
    place.run_script("--joblog log.tsv --resume", SCRIPT, more).exits(0);
    let log = place.read("log.tsv");
    assert_eq!((log.lines().count(), log.lines().last().unwrap().starts_with("4\t")), (5, true), "{log}");
}

#[test]
fn every_task_has_a_directory_with_what_it_said() {
    let place = Place::new();
    let ran = place.run_script("--results out --output-limit 1KiB", SCRIPT, TASKS).exits(0);
    assert_eq!(place.read("out/a/stdout"), "one\n");
    assert_eq!(place.read("out/a/stderr").trim(), "oops");
    let record: Value = serde_json::from_str(&place.read("out/a/record.json")).unwrap();
    assert_eq!(record, ran.record("a"));
    let mut names: Vec<String> = std::fs::read_dir(place.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(
        names.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')),
        "{names:?}"
    );
    for name in &names {
        let mut files: Vec<_> = std::fs::read_dir(place.path().join("out").join(name))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        files.sort();
        assert_eq!(files, ["record.json", "stderr", "stdout"], "nothing is left of how they were written");
    }
    // What is not in the record is whole here.
    let script = "head -c 5000 /dev/zero | tr '\\0' x";
    place
        .run_script("--results out --output-limit 1KiB", script, "{\"id\":\"a\",\"task\":\"large\"}\n")
        .exits(0);
    assert_eq!(place.read("out/a/stdout").len(), 5000);
}

#[test]
fn what_can_not_be_kept_is_told_before_anything_runs() {
    let place = Place::new();
    place.write("file", "");
    for arguments in ["--joblog no/where/log", "--results file/below"] {
        let ran = place.run_script(arguments, "touch ran", TASKS).exits(2);
        assert!(ran.stderr.contains("cannot "), "{}", ran.stderr);
        assert!(!place.path().join("ran").exists());
    }
    // A plan keeps nothing.
    let mut command = place.command("--dry-run --joblog log --results out");
    command.args(["--", "cat"]);
    finish(command, TASKS).exits(0);
    assert!(!place.path().join("log").exists() && !place.path().join("out").exists());
}

#[test]
fn the_last_word_on_the_order_counts() {
    let place = Place::new();
    let tasks = "{\"id\":\"a\",\"task\":\"slow\"}\n{\"id\":\"b\",\"task\":\"fast\"}\n\
                 {\"id\":\"c\",\"task\":{\"text\":\"free\",\"depends_on\":[\"b\"]}}\n";
    // The first one ends only after the second one has, as the third one says.
    let script =
        "read -r text; case $text in slow) until [ -e done ]; do sleep 0.01; done;; free) touch done;; esac";
    for (arguments, is_kept) in
        [("--as-completed", false), ("--as-completed --keep-order", true), ("--keep-order", true)]
    {
        let _ = std::fs::remove_file(place.path().join("done"));
        let arguments = format!("-j 2 --timeout 30s {arguments}");
        let ids = place.run_script(&arguments, script, tasks).exits(0).ids();
        assert_eq!(ids[0] == "a", is_kept, "{arguments}: {ids:?}");
    }
}

#[test]
fn nothing_is_drawn_where_nobody_watches() {
    let place = Place::new();
    let ran = place.run_script("--bar --eta", SCRIPT, TASKS).exits(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_plan_can_be_read_by_programs() {
    let place = Place::new();
    let tasks = "{\"id\":\"c\",\"task\":{\"text\":\"x\",\"depends_on\":[\"b\"]}}\n{\"id\":\"a\",\"task\":\"x\"}\n\
                 {\"id\":\"b\",\"task\":{\"text\":\"x\",\"depends_on\":[\"a\"]}}\n{\"id\":\"d\",\"task\":\"x\"}\n";
    let plan = |arguments: &str| {
        let mut command = place.command(arguments);
        command.args(["--", "touch", "ran"]);
        finish(command, tasks).exits(0)
    };
    let rows = plan("--dry-run --format jsonl").records();
    let find = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap();
    for (id, wave, critical) in [("a", 1, true), ("b", 2, true), ("c", 3, true), ("d", 1, false)] {
        assert_eq!((&find(id)["wave"], &find(id)["critical"]), (&wave.into(), &critical.into()), "{rows:?}");
        assert!(find(id).get("cost_usd").is_none(), "what a program costs is not known");
    }
    let shown = plan("--dry-run").stdout;
    assert!(shown.contains("in waves: 2, 1, 1; the critical path: a → b → c\n"), "{shown}");
    assert!(!place.path().join("ran").exists());
    assert!(place.run("--format jsonl", "").exits(2).stderr.contains("--dry-run"));
}
