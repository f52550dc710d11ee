//! The five as filters among others: streams without an end, readers that leave, producers that are slow, full disks.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tests::tools::TOOLS;
use tests::{Shell, wait_until};

/// The line of a stream that a program must not collect.
const LINE: &str = r#"{"id":"a","task":"run the tests","x":{"n":1.10,"big":123456789012345678901234567890}}"#;

/// A debug build streams a quarter: the memory of a program that collects would show with that, too.
const LINES: usize = if cfg!(debug_assertions) { 250_000 } else { 1_000_000 };

const MIB: u64 = 1 << 20;

/// Says how many lines there were, how many differ from the first, and the first.
const SAME: &str =
    r#"awk 'NR == 1 { first = $0 } $0 != first { other++ } END { print NR, other + 0; print first }'"#;

#[test]
fn a_million_lines_stream_in_bounded_memory() {
    let shell = Shell::new().limit(Duration::from_secs(600));
    let script = format!(
        "yes '{LINE}' | head -{LINES} | measure c classify | measure g gates | measure v verify | {SAME}"
    );
    let output = shell.run(&script).succeeds();
    let (counts, first) = output.stdout.split_once('\n').expect("two lines");
    assert_eq!(counts, format!("{LINES} 0"), "{output}");
    assert!(first.starts_with(&LINE[..LINE.len() - 1]), "{first}");
    for name in ["c", "g", "v"] {
        let usage = shell.usage(name);
        assert!(usage.peak_bytes < 64 * MIB, "{name}: {:.0} MiB", usage.peak_mib());
    }
}

#[test]
fn dispatch_lets_a_million_settled_records_by_in_bounded_memory() {
    let settled = r#""task":"run the tests","dispatch":{"attempt":1,"status":"ok","executor":"validate","tier":1,"output":"fine","elapsed_ms":1}"#;
    let shell = Shell::new().limit(Duration::from_secs(600));
    let script = format!(
        r#"seq {LINES} | sed 's/.*/{{"id":"n&",{settled},"n":1.10}}/' > in
        measure d dispatch < in > out && cmp in out"#
    );
    shell.run(&script).succeeds();
    let usage = shell.usage("d");
    // Though it has to remember each id to find one that is there twice, and which results there are.
    assert!(usage.peak_bytes < 64 * MIB, "{:.0} MiB", usage.peak_mib());
}

#[test]
fn dispatch_streams_a_million_lines_with_the_same_id() {
    let shell = Shell::new().limit(Duration::from_secs(600));
    let script = format!("yes '{LINE}' | head -{LINES} | measure d dispatch -q 2> errors | wc -l");
    let output = shell.run(&script).succeeds();
    assert_eq!(output.stdout.trim(), LINES.to_string(), "{output}");
    let usage = shell.usage("d");
    assert!(usage.peak_bytes < 64 * MIB, "{:.0} MiB", usage.peak_mib());
}

#[test]
fn converge_takes_a_million_records_round_in_bounded_memory() {
    let shell = Shell::new().limit(Duration::from_secs(600));
    let script = format!(
        r#"seq {LINES} | sed 's/.*/{{"id":"n&","task":"run the tests","n":1.10}}/' |
        measure c converge -n 2 -c cat |
        awk 'index($0, "{{\"id\":\"n" NR "\",") != 1 {{ wrong++ }} END {{ print NR, wrong + 0 }}'"#
    );
    let output = shell.run(&script).succeeds();
    assert_eq!(output.stdout.trim(), format!("{LINES} 0"), "{output}");
    let usage = shell.usage("c");
    assert!(usage.peak_bytes < 64 * MIB, "{:.0} MiB", usage.peak_mib());
}

#[test]
fn a_long_stream_keeps_its_order() {
    let count = LINES / 5;
    let shell = Shell::new().limit(Duration::from_secs(600));
    let script = format!(
        r#"seq {count} | sed 's/.*/{{"id":"n&","task":"list the files of directory &"}}/' | classify | gates | verify |
        awk 'index($0, "{{\"id\":\"n" NR "\",") != 1 {{ wrong++ }} END {{ print NR, wrong + 0 }}'"#
    );
    let output = shell.run(&script).succeeds();
    assert_eq!(output.stdout.trim(), format!("{count} 0"), "{output}");
}

#[test]
fn a_reader_that_has_had_enough_ends_everything_quietly() {
    let limit = Duration::from_secs(60);
    for tool in ["classify", "dispatch", "gates", "verify"] {
        let shell = Shell::new().limit(limit);
        let piped = shell.pipe("", &[&format!("yes '{LINE}' 2>/dev/null"), &format!("{tool} -q"), "head -1"]);
        assert_eq!(piped.statuses[1..], [0, 0], "{tool}\n{}", piped.output);
        assert_eq!(piped.output.stdout.lines().count(), 1, "{tool}\n{}", piped.output);
    }
    let shell = Shell::new().limit(limit);
    let begin = format!("yes '{LINE}' 2>/dev/null");
    let piped = shell.pipe("", &[&begin, "classify", "gates", "verify", "head -1"]);
    assert_eq!(piped.statuses[1..], [0; 4], "{}", piped.output);
    piped.output.tells_nothing();
}

#[test]
fn converge_ends_when_its_reader_does() {
    let begin = format!("yes '{}' | head -2000", LINE.replace(r#""id":"a","#, ""));
    let shell = Shell::new().limit(Duration::from_secs(60));
    let piped = shell.pipe("", &[&begin, "converge -n 2 -c cat", "head -1"]);
    assert_eq!(piped.statuses, [0; 3], "{}", piped.output);
    piped.output.tells_nothing();
}

/// What has come in goes on at once, also while the producer takes its time for the next line.
#[test]
fn a_slow_producer_is_not_waited_for() {
    for tool in ["classify", "dispatch", "gates", "verify"] {
        let shell = Shell::new();
        let mut running = shell.start(&format!("{tool} -q > out"));
        let mut stdin = running.child.stdin.take().expect("a pipe");
        for count in 1..=3 {
            writeln!(stdin, r#"{{"id":"n{count}","task":{{"text":"x","run":["true"]}}}}"#)
                .expect("an open pipe");
            let there = || std::fs::read_to_string(shell.path().join("out")).unwrap_or_default();
            let came = wait_until(|| there().lines().count() == count, Duration::from_secs(20));
            assert!(came, "{tool} keeps line {count} to itself");
        }
        drop(stdin);
        running.finish().succeeds();
    }
}

#[test]
fn a_full_disk_is_told_and_ends_with_4() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    for tool in ["classify", "dispatch", "gates", "verify", "converge -n 1 -c cat"] {
        let many = format!("{}\n", LINE.replace(r#""id":"a","#, "")).repeat(50);
        for input in [LINE, &many] {
            let output = Shell::new().run_on(input, &format!("{tool} > /dev/full")).exits(4);
            output.tells(&["error: cannot write to standard output: ", "No space left", "hint: "]);
        }
    }
    // Also what is no record.
    for tool in TOOLS {
        Shell::new().run(&format!("{tool} --generate man > /dev/full")).exits(4).tells(&["cannot write"]);
    }
}

/// A stage that is killed leaves half a line; the one behind it says so, and those before it end quietly.
#[test]
fn a_stage_that_is_killed_takes_nobody_along() {
    let shell = Shell::new().limit(Duration::from_secs(60));
    let mut running = shell.start(&format!(
        "exec 2>&1; {{ yes '{LINE}' 2>/dev/null | {{ classify; echo classify $? >> ended; }} |
        sh -c 'echo $$ > pid; exec gates' | {{ verify > out; echo verify $? >> ended; }}; }}"
    ));
    drop(running.child.stdin.take());
    let size = || std::fs::metadata(shell.path().join("out")).map_or(0, |file| file.len());
    assert!(wait_until(|| size() > 100_000, Duration::from_secs(30)), "nothing comes out");
    let pid: i32 = shell.read("pid").trim().parse().expect("a process id");
    kill_process(Pid::from_raw(pid).expect("a process id"), Signal::KILL).expect("a running gates");
    let output = running.finish();
    let ended = shell.read("ended");
    assert!(ended.contains("classify 0\n"), "{ended}{output}");
    assert!(ended.contains("verify 0\n") || ended.contains("verify 3\n"), "{ended}{output}");
    let whole = shell.read("out").lines().filter(|line| line.starts_with(r#"{"id":"a","#)).count();
    assert!(whole > 0 && shell.read("out").ends_with('\n'));
}

#[test]
fn half_a_line_is_kept_and_told() {
    for tool in ["classify", "dispatch", "gates", "verify", "converge -n 1 -c cat"] {
        let input = "{\"id\":\"a\",\"task\":{\"text\":\"x\",\"run\":[\"true\"]}}\n{\"id\":\"b\",\"ta";
        let output = Shell::new().run_on(input, tool).exits(3).tells(&["line 2"]);
        let records = output.records();
        assert_eq!(records.len(), 2, "{output}");
        assert_eq!(records[1]["errors"][0]["raw"], "{\"id\":\"b\",\"ta", "{output}");
    }
}

#[test]
fn closed_streams_are_empty_ones() {
    for tool in ["classify", "dispatch", "gates", "verify", "converge -n 1 -c cat"] {
        let output = Shell::new().run(&format!("{tool} <&-")).succeeds();
        assert_eq!(output.stdout, "", "{output}");
        Shell::new().run(&format!("printf '' | {tool} >&-")).succeeds();
        // Without anybody to tell, the work is still done.
        let output = Shell::new().run_on("oops\n", &format!("{tool} 2>&-")).exits(3);
        assert_eq!(output.stdout.lines().count(), 1, "{output}");
    }
}

#[test]
fn an_interrupt_ends_each_with_130() {
    // `converge` begins when it has all, and is at work when its pipeline is.
    let converge = "converge -n 9 -c 'touch out2; echo >> out2; cat; sleep 60'";
    for (tool, sign) in
        [("classify", "out"), ("dispatch", "out"), ("gates", "out"), ("verify", "out"), (converge, "out2")]
    {
        for signal in [Signal::INT, Signal::TERM] {
            let shell = Shell::new();
            let mut running = shell.start(&format!("echo $$ > pid; exec {tool} > out"));
            let mut stdin = running.child.stdin.take();
            let line = r#"{"id":"a","task":{"text":"x","run":["true"]}}"#;
            writeln!(stdin.as_mut().expect("a pipe"), "{line}").expect("an open pipe");
            if sign == "out2" {
                stdin = None;
            }
            let size = || std::fs::metadata(shell.path().join(sign)).map_or(0, |file| file.len());
            assert!(wait_until(|| size() > 0, Duration::from_secs(20)), "{tool} does not begin");
            let pid: i32 = shell.read("pid").trim().parse().expect("a process id");
            kill_process(Pid::from_raw(pid).expect("a process id"), signal).expect("a running tool");
            // Whoever writes to it is usually interrupted as well, and closes its end a little later.
            wait_until(
                || running.child.try_wait().is_ok_and(|status| status.is_some()),
                Duration::from_secs(1),
            );
            drop(stdin);
            let output = running.finish();
            assert_eq!(output.status, 130, "{tool} after {signal:?}\n{output}");
        }
    }
}
