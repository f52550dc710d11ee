//! Tasks start the moment their inputs are there, and never before.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tests::graph::Graph;
use tests::random::Random;
use tests::{Output, Shell};

/// How many tasks run at once.
const JOBS: usize = 32;

/// Starts and ends of all tasks, in milliseconds since the epoch.
fn times(output: &Output) -> HashMap<String, (i64, i64)> {
    let times = output.records().into_iter().map(|record| {
        let dispatch = &record["dispatch"];
        assert_eq!(dispatch["status"], "ok", "{record}");
        let start = milliseconds(&dispatch["started_at"]);
        let elapsed = dispatch["elapsed_ms"].as_i64().unwrap_or_else(|| panic!("{record}"));
        (record["id"].as_str().expect("an id").to_owned(), (start, start + elapsed))
    });
    times.collect()
}

/// Reads `2026-01-02T03:04:05.678Z`, the day apart: no test lasts longer than one.
fn milliseconds(time: &Value) -> i64 {
    let text = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    let (day, clock) = text.trim_end_matches('Z').split_once('T').unwrap_or_else(|| panic!("{text}"));
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<f64>().unwrap_or_else(|_| panic!("{text}")));
    let (hours, minutes, seconds) = (parts.next(), parts.next(), parts.next());
    let day: i64 = day.rsplit('-').next().and_then(|day| day.parse().ok()).unwrap_or_default();
    let seconds =
        hours.unwrap_or_default() * 3600.0 + minutes.unwrap_or_default() * 60.0 + seconds.unwrap_or_default();
    day * 86_400_000 + (seconds * 1000.0).round() as i64
}

/// Returns the processor time that starting and ending so many processes takes here, measured with another program.
fn spawn_overhead(shell: &Shell, count: usize) -> Duration {
    shell.run(&format!("seq {count} | measure spawn xargs -P{JOBS} -n1 true"));
    shell.usage("spawn").cpu
}

#[test]
fn a_thousand_tasks_take_no_longer_than_their_longest_chain_or_their_share() {
    let count = if cfg!(debug_assertions) { 500 } else { 1000 };
    // Long enough sleeps that starting the processes is not what is measured.
    let graph = Graph::random(20, count, 60, Duration::from_millis(600));
    let shell = Shell::new();
    let overhead = spawn_overhead(&shell, count);
    let output = shell
        .run_on(graph.records(&mut Random::new(21)), &format!("measure used dispatch -q --jobs {JOBS}"))
        .succeeds();
    let times = times(&output);
    assert_eq!(times.len(), count);
    for (position, (_, dependencies)) in graph.tasks.iter().enumerate() {
        let start = times[&format!("s{position}")].0;
        for dependency in dependencies {
            let end = times[&format!("s{dependency}")].1;
            // Both times are cut off to milliseconds.
            assert!(
                start + 2 >= end,
                "s{position} started {} ms before s{dependency} had ended",
                end - start
            );
        }
    }
    let first = times.values().map(|(start, _)| *start).min().unwrap_or_default();
    let last = times.values().map(|(_, end)| *end).max().unwrap_or_default();
    let makespan = Duration::from_millis((last - first).unsigned_abs());
    let bound = graph.bound(JOBS);
    // The processors are shared with whatever else runs here: what starting takes is allowed for once more.
    let allowed = bound.mul_f64(1.05) + 2 * overhead;
    assert!(
        makespan <= allowed,
        "{makespan:?}; the bound is {bound:?}, starting the processes takes {overhead:?}"
    );
    assert!(makespan >= graph.critical_path(), "{makespan:?} is less than the longest chain: nobody waited");
}

#[test]
fn no_more_run_at_once_than_may() {
    let input: String = (0..40)
        .map(|number| format!(r#"{{"id":"{number}","task":{{"text":"x","run":["sleep","0.05"]}}}}"#) + "\n")
        .collect();
    for jobs in [1, 3] {
        let output = Shell::new().run_on(&input, &format!("dispatch --jobs {jobs}")).succeeds();
        let mut changes: Vec<(i64, i64)> =
            times(&output).into_values().flat_map(|(start, end)| [(start, 1), (end - 1, -1)]).collect();
        changes.sort_by_key(|(time, change)| (*time, *change));
        let mut running = 0;
        for (_, change) in changes {
            running += change;
            assert!(running <= jobs, "{running} at once with --jobs {jobs}");
        }
    }
}

#[test]
fn a_task_gets_the_result_of_what_it_needs_and_is_skipped_without() {
    let input = concat!(
        r#"{"id":"late","task":{"text":"x","run":["echo","late"],"depends_on":["early","also"]}}"#,
        "\n",
        r#"{"id":"early","task":{"text":"x","run":["echo","early"]}}"#,
        "\n",
        r#"{"id":"also","task":{"text":"x","run":["echo","also"]}}"#,
        "\n",
        r#"{"id":"fails","task":{"text":"x","run":["fake-executor","--fail","7"]}}"#,
        "\n",
        r#"{"id":"never","task":{"text":"x","run":["fake-executor","--note","ran","never"],"depends_on":["fails"]}}"#,
        "\n",
        r#"{"id":"after","task":{"text":"x","run":["fake-executor","--note","ran","after"],"depends_on":["never"]}}"#,
        "\n",
    );
    let shell = Shell::new();
    let records = shell.run_on(input, "dispatch").succeeds().records();
    assert_eq!(records[0]["dispatch"]["inputs"], serde_json::json!({"early": 1, "also": 1}));
    assert_eq!(
        (&records[3]["dispatch"]["status"], &records[3]["dispatch"]["exit_code"]),
        (&"failed".into(), &7.into())
    );
    for index in [4, 5] {
        assert_eq!(records[index]["dispatch"]["status"], "skipped", "{}", records[index]);
        assert!(records[index]["dispatch"]["reason"].is_string(), "{}", records[index]);
    }
    assert!(!shell.path().join("ran").exists(), "a task ran without its input");
}
