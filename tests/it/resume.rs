//! A run that is killed goes on where it was: the same results, nothing twice, nobody left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tests::random::Random;
use tests::{Shell, wait_until};

const TASKS: usize = 60;

/// Tasks that note when they begin and when they are done; every fifth waits for the one before it.
fn tasks() -> String {
    (0..TASKS)
        .map(|number| {
            let needs = if number % 5 == 4 { format!("\"t{}\"", number - 1) } else { String::new() };
            format!(
                concat!(
                    r#"{{"id":"t{n}","task":{{"text":"task {n}","depends_on":[{needs}],"run":["fake-executor","#,
                    r#""--note","began","t{n}","--sleep","0.{ms:03}","--stdout","result {n}","--note","done","t{n}"]}}}}"#
                ),
                n = number,
                needs = needs,
                ms = 20 + number % 7 * 15
            ) + "\n"
        })
        .collect()
}

/// Returns a record without what differs from run to run.
fn lasting(record: &Value) -> Value {
    let mut record = record.clone();
    if let Some(dispatch) = record["dispatch"].as_object_mut() {
        dispatch.remove("started_at");
        dispatch.remove("elapsed_ms");
    }
    record
}

fn notes(shell: &Shell, name: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in std::fs::read_to_string(shell.path().join(name)).unwrap_or_default().lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    counts
}

/// Returns the ids that the journal knows as finished.
fn journal(shell: &Shell) -> BTreeSet<String> {
    let text =
        std::fs::read_to_string(shell.path().join(".specpipe/journal/dispatch.jsonl")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["event"] == "finished")
        .filter_map(|line| Some(line["id"].as_str()?.to_owned()))
        .collect()
}

/// Returns the processes with an environment that has this in it.
fn processes_with(marker: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.parse::<i32>().is_ok());
    pids.filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(marker.len()).any(|window| window == marker.as_bytes())
    })
    .map(|pid| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        format!("{pid}: {}", String::from_utf8_lossy(&command).replace('\0', " "))
    })
    .collect()
}

/// Starts `dispatch`, kills it when so many tasks are done and a little later, and returns the directory it worked in.
fn killed(seed: u64, command: &str) -> Shell {
    let mut random = Random::new(seed);
    let marker = format!("{}-{seed}", std::process::id());
    let shell = Shell::with_git().env("RESUME_TEST", &marker);
    shell.write("in", tasks());
    let mut running = shell.start(&format!("echo $$ > pid; exec {command} < in > out"));
    drop(running.child.stdin.take());
    let after = random.below(TASKS - 10);
    let reached = wait_until(
        || notes(&shell, "done").len() >= after && shell.path().join("began").exists(),
        Duration::from_secs(60),
    );
    assert!(reached, "only {} of {after} tasks were done", notes(&shell, "done").len());
    // Anywhere between two tasks, too.
    std::thread::sleep(Duration::from_micros(random.next_u64() % 30_000));
    let pid = shell.read("pid").trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
    let _ = kill_process(pid, Signal::KILL);
    running.finish();
    if Path::new("/proc/self/environ").exists() {
        let gone = wait_until(|| processes_with(&marker).is_empty(), Duration::from_secs(20));
        assert!(gone, "left behind: {:?}", processes_with(&marker));
    }
    shell
}

#[test]
fn a_killed_run_can_be_resumed_at_any_moment() {
    let whole = Shell::with_git();
    whole.write("in", tasks());
    let expected = whole.run("dispatch --jobs 4 < in").succeeds().records();
    let expected: Vec<Value> = expected.iter().map(lasting).collect();
    for seed in 1..=4 {
        let shell = killed(seed, "dispatch --jobs 4");
        let known = journal(&shell);
        let resumed = shell.run("dispatch --jobs 4 --resume < in").succeeds();
        let found: Vec<Value> = resumed.records().iter().map(lasting).collect();
        assert_eq!(found, expected, "seed {seed}");
        let began = notes(&shell, "began");
        assert_eq!(began.len(), TASKS, "seed {seed}");
        for id in &known {
            assert_eq!(began[id], 1, "seed {seed}: {id} had finished and was run again");
        }
        // What had left already had finished, too. The last line may be half.
        let text = shell.read("out");
        let out = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for record in out {
            let id = record["id"].as_str().expect("an id");
            assert!(known.contains(id), "seed {seed}: {id} had left and was not in the journal");
        }
        // At most what was running at that moment is run again.
        let twice: Vec<_> = began.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.len() <= 4, "seed {seed}: {twice:?}");
        assert!(began.values().all(|count| *count <= 2), "seed {seed}: {began:?}");
    }
}

#[test]
fn a_resumed_run_can_be_killed_and_resumed_again() {
    let shell = killed(11, "dispatch --jobs 4");
    let before = journal(&shell);
    let mut running = shell.start("echo $$ > pid2; exec dispatch --jobs 4 --resume < in > out2");
    drop(running.child.stdin.take());
    let more = || journal(&shell).len() >= (before.len() + 5).min(TASKS);
    assert!(wait_until(more, Duration::from_secs(60)), "nothing goes on");
    let pid = shell.read("pid2").trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
    let _ = kill_process(pid, Signal::KILL);
    running.finish();
    let (known, began) = (journal(&shell), notes(&shell, "began"));
    assert!(before.iter().all(|id| began[id] == 1), "{began:?}");
    let resumed = shell.run("dispatch --jobs 4 --resume < in").succeeds();
    assert_eq!(resumed.records().len(), TASKS);
    let after = notes(&shell, "began");
    assert!(known.iter().all(|id| after[id] == began[id]), "{began:?} {after:?}");
}

/// The result belongs to the task, not to its place: what was inserted is new, what was edited is another task.
#[test]
fn what_changed_in_the_input_is_run_and_nothing_else() {
    let shell = Shell::with_git();
    let task = |id: &str, text: &str| {
        format!(
            r#"{{"id":"{id}","task":{{"text":"x","run":["fake-executor","--note","ran","{text}","--stdout","{text}"]}}}}"#
        ) + "\n"
    };
    shell.write("in", task("a", "a") + &task("b", "b") + &task("c", "c"));
    shell.run("dispatch < in").succeeds();
    shell.write("in", task("new", "new") + &task("c", "c") + &task("b", "edited") + &task("a", "a"));
    let records = shell.run("dispatch --resume < in").succeeds().records();
    let outputs: Vec<_> = records
        .iter()
        .map(|record| record["dispatch"]["output"].as_str().unwrap_or_default().trim())
        .collect();
    assert_eq!(outputs, ["new", "c", "edited", "a"]);
    let ran: Vec<(String, usize)> = notes(&shell, "ran").into_iter().collect();
    let once = |text: &str| (text.to_owned(), 1);
    assert_eq!(ran, [once("a"), once("b"), once("c"), once("edited"), once("new")]);
    // Without --resume everything is run again: a result may be old.
    shell.run("dispatch < in").succeeds();
    assert_eq!(notes(&shell, "ran")["a"], 2);
}

#[test]
fn an_interrupt_keeps_what_is_finished_and_ends_what_runs() {
    let marker = format!("{}-interrupt", std::process::id());
    let shell = Shell::with_git().env("RESUME_TEST", &marker);
    let quick = r#"{"id":"quick","task":{"text":"x","run":["echo","quick"]}}"#;
    let slow = r#"{"id":"slow","task":{"text":"x","run":["fake-executor","--ignore-term","--detach","60","--note","began","slow","--hang"]}}"#;
    shell.write("in", format!("{quick}\n{slow}\n"));
    let mut running = shell.start("echo $$ > pid; exec dispatch < in");
    drop(running.child.stdin.take());
    assert!(wait_until(|| shell.path().join("began").exists(), Duration::from_secs(30)), "it does not begin");
    let pid = shell.read("pid").trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::INT).expect("a running dispatch");
    let output = running.finish().exits(130);
    let records = output.records();
    assert_eq!(records.len(), 2, "{output}");
    assert_eq!(
        (&records[0]["dispatch"]["status"], &records[1]["dispatch"]["status"]),
        (&"ok".into(), &"cancelled".into())
    );
    if Path::new("/proc/self/environ").exists() {
        let gone = wait_until(|| processes_with(&marker).is_empty(), Duration::from_secs(20));
        assert!(gone, "left behind: {:?}", processes_with(&marker));
    }
}

/// The loop around it can be killed as well: what it had started is ended with it, down to the last grandchild.
#[test]
fn a_killed_loop_leaves_nobody_behind_and_goes_on() {
    let pipeline = "dispatch --jobs 4 --resume | gates | verify";
    let shell = killed(31, &format!("converge -n 3 -c '{pipeline}'"));
    let known = journal(&shell);
    let resumed = shell.run(&format!("converge --resume -n 3 -c '{pipeline}' < in")).succeeds();
    let records = resumed.records();
    assert_eq!(records.len(), TASKS);
    for (number, record) in records.iter().enumerate() {
        assert_eq!(record["id"], format!("t{number}"));
        assert_eq!(record["dispatch"]["status"], "ok", "{record}");
        assert!(record["converge"].is_object(), "{record}");
    }
    let began = notes(&shell, "began");
    assert!(known.iter().all(|id| began[id] == 1), "{began:?}");
}
