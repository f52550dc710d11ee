//! The program as a process: one test for each promise of its README.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the program in a directory where nothing is configured but what the test puts there.
fn classify_in(directory: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_classify"))
        .args(args)
        .current_dir(directory)
        .env("XDG_CONFIG_HOME", directory)
        .env_remove("SPECPIPE_CONFIG")
        .env_remove("SPECPIPE_CLASSIFY_JOBS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that ends without reading all of it is no fault of the test.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn classify(args: &[&str], input: &str) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let output = classify_in(directory.path(), args, input.as_bytes());
    texts(&output)
}

fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn sections(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["classify"].clone()).collect()
}

#[test]
fn all_but_the_own_member_passes_byte_for_byte() {
    let line = r#" {"x": {"n":1.10,"big":123456789012345678901234567890,"e":1e999,"n":2}, "id":"a","task":"run the tests","s":"\ud800"}"#;
    let (status, output, errors) = classify(&[], &format!("{line}\n"));
    let (before, own) = output.trim_end_matches('\n').split_once(r#","classify":"#).unwrap();
    assert_eq!(before, line.strip_suffix('}').unwrap());
    assert!(own.starts_with(r#"{"tier":1,"executor":"validate""#), "{own}");
    assert_eq!((status, errors.as_str()), (Some(0), ""));
}

#[test]
fn what_is_classified_stays_so_until_it_is_forced() {
    let line = "{\"id\":\"a\",\"task\":\"run the tests\",\"classify\":{\"tier\":3,\"mine\":true}}\n";
    assert_eq!(classify(&[], line).1, line);
    let (_, forced, _) = classify(&["--force"], line);
    assert_eq!(sections(&forced)[0]["tier"], 1);
    assert_eq!(classify(&[], &forced).1, forced);
    assert_eq!(classify(&["--force"], &forced).1, forced);
}

#[test]
fn many_records_keep_their_order_with_any_number_of_workers() {
    let input: String = (0..5000)
        .map(|number| {
            let task = ["run the tests", "design the architecture", "fix the crash in a.rs"][number % 3];
            format!("{{\"id\":\"{number}\",\"task\":\"{task}\"}}\n")
        })
        .collect();
    let (_, one, _) = classify(&["--jobs", "1"], &input);
    let (_, four, _) = classify(&["--jobs", "4"], &input);
    assert_eq!(one, four);
    for (number, line) in four.lines().enumerate() {
        assert!(line.starts_with(&format!("{{\"id\":\"{number}\",")), "{line}");
    }
    assert_eq!(four.lines().count(), 5000);
}

#[test]
fn lines_of_text_become_records_with_ids() {
    let (status, output, _) = classify(&["--lines"], "run the tests\r\n\n  say \"hi\"\\\tthere\nlast");
    let records: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tasks: Vec<&str> = records.iter().map(|record| record["task"].as_str().unwrap()).collect();
    assert_eq!(tasks, ["run the tests", "say \"hi\"\\\tthere", "last"]);
    assert!(records.iter().all(|record| record["id"].is_string() && record["classify"]["tier"].is_u64()));
    assert_eq!(status, Some(0));
    let again = classify(&["--lines"], "run the tests\r\n\n  say \"hi\"\\\tthere\nlast").1;
    assert_eq!(again, output, "ids are the same for the same text and position");
}

#[test]
fn texts_of_the_command_line_are_classified_without_input() {
    let (status, output, _) =
        classify(&["--text", "git status", "--text", "design the \"schema\""], "not read");
    let tiers: Vec<u64> = sections(&output).iter().map(|section| section["tier"].as_u64().unwrap()).collect();
    assert_eq!((status, tiers), (Some(0), vec![1, 3]));
}

#[test]
fn files_are_read_one_after_the_other() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.jsonl"), "{\"id\":\"a\",\"task\":\"git status\"}").unwrap();
    let output = classify_in(directory.path(), &["a.jsonl", "-"], b"{\"id\":\"b\",\"task\":\"git log\"}\n");
    let (status, records, _) = texts(&output);
    assert_eq!((status, records.lines().count()), (Some(0), 2));
    let (status, _, errors) = texts(&classify_in(directory.path(), &["b.jsonl"], b""));
    assert_eq!(status, Some(2));
    assert!(errors.contains("cannot read `b.jsonl`"), "{errors}");
}

#[test]
fn a_record_that_cannot_be_classified_leaves_with_the_reason() {
    let input = concat!(
        "nonsense\n",
        "{\"id\":\"b\"}\n",
        "{\"id\":\"c\",\"task\":\" \"}\n",
        "{\"id\":\"d\",\"task\":{\"text\":\"x\",\"min_tier\":3,\"max_tier\":2}}\n",
        "{\"id\":\"e\",\"task\":\"git status\",\"errors\":[{\"stage\":\"mine\"}]}\n",
        "{\"id\":\"f\",\"task\":\"git status\"}\n",
    );
    let (status, output, errors) = classify(&[], input);
    let records: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((status, records.len()), (Some(3), 6));
    let message = |at: usize| records[at]["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(message(0).starts_with("not a record"), "{output}");
    assert_eq!(records[0]["errors"][0]["line"], 1);
    assert_eq!(message(1), "no `task`");
    assert_eq!(message(2), "task: the text is empty");
    assert_eq!(message(3), "task: min_tier 3 is above max_tier 2");
    assert!(records[4].get("classify").is_none());
    assert_eq!(records[5]["classify"]["tier"], 1);
    assert!(errors.contains("line 4, id d: task: min_tier 3 is above max_tier 2"), "{errors}");
}

#[test]
fn what_the_task_says_about_its_tier_is_honoured() {
    let of = |task: &str| {
        let (_, output, _) = classify(&[], &format!("{{\"id\":\"a\",\"task\":{task}}}\n"));
        let section = sections(&output).remove(0);
        (
            section["tier"].as_u64().unwrap(),
            section["executor"].as_str().unwrap().to_owned(),
            section["reasons"].to_string(),
        )
    };
    for (task, tier, executor, reason) in [
        (r#"{"text":"run the tests","min_tier":2}"#, 2, "validate", "`min_tier`"),
        (r#"{"text":"design the architecture","max_tier":2}"#, 2, "orchestrate", "`max_tier`"),
        (r#"{"text":"run the tests","max_tier":0}"#, 1, "validate", "runs tests"),
        (r#"{"text":"look at src/lib.rs","executor":"review"}"#, 2, "review", "`executor`"),
        (r#"{"text":"why does it sometimes hang","executor":"explore"}"#, 3, "explore", "`executor`"),
        (r#"{"text":"git status","executor":"my-own"}"#, 1, "my-own", "`executor`"),
        (r#"{"text":"design the architecture","run":["make","report"]}"#, 1, "validate", "`run`"),
        (r#"{"text":"clean","run":["rm","-rf","build"]}"#, 1, "validate", "risk high"),
        (
            r#"{"text":"refactor the importer","files_touched":["db/migrations/7.sql"]}"#,
            2,
            "implement",
            "risk medium",
        ),
        (r#"{"text":"drop the users table","max_tier":1}"#, 1, "implement", "tier 2 is advised"),
    ] {
        let got = of(task);
        assert_eq!((got.0, got.1.as_str()), (tier, executor), "{task}: {}", got.2);
        assert!(got.2.contains(reason), "{task}: {}", got.2);
    }
}

#[test]
fn rules_of_the_user_come_first_and_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let rules = r#"
        [[classify.rules]]
        name = "payments"
        words = ["invoice", "credit note"]
        tier = 3
        executor = "architect"

        [[classify.rules]]
        name = "generated"
        files = "gen/**"
        tier = 1

        [[classify.rules]]
        pattern = "\\bterraform\\b"
        risk = "high"
    "#;
    std::fs::write(directory.path().join("specpipe.toml"), rules).unwrap();
    let input = concat!(
        "{\"id\":\"a\",\"task\":\"list the invoice files\"}\n",
        "{\"id\":\"b\",\"task\":{\"text\":\"refactor the invoice\",\"files_touched\":[\"gen/a.rs\"]}}\n",
        "{\"id\":\"c\",\"task\":{\"text\":\"refactor the client\",\"files_touched\":[\"gen/a.rs\"]}}\n",
        "{\"id\":\"d\",\"task\":\"run terraform\"}\n",
        "{\"id\":\"e\",\"task\":\"list the invoices\"}\n",
    );
    let (_, output, _) = texts(&classify_in(directory.path(), &[], input.as_bytes()));
    let got = sections(&output);
    let brief: Vec<(u64, &str, &str)> = got
        .iter()
        .map(|section| {
            (
                section["tier"].as_u64().unwrap(),
                section["executor"].as_str().unwrap(),
                section["risk"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(brief[0], (3, "architect", "low"));
    assert_eq!(brief[1].1, "architect", "the first rule that holds decides");
    assert_eq!(brief[2].0, 1);
    assert_eq!(brief[3], (2, "validate", "high"), "nothing for the cheapest");
    assert_eq!(brief[4].0, 1, "whole words only");
    assert_eq!(got[0]["reasons"][0], "your rule `payments`: tier 3, executor architect");
    assert_eq!(got[0]["confidence"], 1.0);
}

#[test]
fn a_configuration_that_cannot_be_used_names_file_line_and_rule() {
    for (text, message) in [
        (
            "[[classify.rules]]\nname = \"a\"\npattern = \"(\"\ntier = 1\n",
            "specpipe.toml:1: rule \"a\": bad pattern \"(\": unclosed group",
        ),
        ("[classify]\njbos = 2\n", "specpipe.toml:2: unknown field `jbos`"),
        ("[[classify.rules]]\nwords = [\"a\"]\nteir = 1\n", "did you mean `tier`?"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("specpipe.toml"), text).unwrap();
        let (status, output, errors) = texts(&classify_in(directory.path(), &[], b"{\"task\":\"x\"}\n"));
        assert_eq!((status, output.as_str()), (Some(2), ""), "{errors}");
        assert!(errors.contains(message), "{errors}");
    }
}

#[test]
fn explanations_are_for_people_and_in_order() {
    let (status, output, errors) = classify(
        &["--explain", "--text", "Fix the bug in the parser and add tests for it", "--text", "git status"],
        "",
    );
    assert_eq!((status, output.lines().count()), (Some(0), 2));
    let first = errors.find("Fix the bug in the parser").unwrap();
    let second = errors.find("git status").unwrap();
    assert!(first < second, "{errors}");
    for expected in
        ["tier 2 · implement", "risk low", "scores: 1 ", "  2. implement (2, after 1): ", "tier 1 · validate"]
    {
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    let (_, same, silent) = classify(&["--explain", "--quiet", "--text", "git status"], "");
    assert_eq!((same.lines().count(), silent.as_str()), (1, ""));
}

#[test]
fn what_is_explained_can_neither_forge_a_line_nor_steer_the_terminal() {
    let task = r#"{"id":"i\u001b[2J\nclassify: error: forged","task":{"text":"fix\r\u009b2J the \u0007parser, then \u001b]0;x run it","executor":"\u001b[8m"}}"#;
    let (status, output, errors) = classify(&["--explain", "--reflect=warn", "--color=always"], task);
    assert_eq!((status, output.lines().count()), (Some(0), 1));
    assert!(!errors.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\u{1b}')), "{errors:?}");
    for raw in ["\u{1b}[2J", "\u{1b}]0;", "\u{1b}[8m", "\nclassify: error: forged"] {
        assert!(!errors.contains(raw), "{raw:?}: {errors:?}");
    }
    assert!(errors.contains(r"fix\r\u{9b}2J the \u{7}parser"), "{errors:?}");
    // What was explained elsewhere comes from the input too.
    let odd = r#"{"task":"fix it","classify":{"tier":1,"executor":"a\u001b[2J","confidence":1,"risk":"low","reasons":["b\u001b[2J\nc"],"scores":{"1":1,"2":0,"3":0}}}"#;
    let (_, _, errors) = classify(&["--explain", "--color=always"], odd);
    assert!(errors.contains(r"a\u{1b}[2J") && errors.contains(r"b\u{1b}[2J\nc"), "{errors:?}");
    assert!(!errors.contains('\u{1b}'), "{errors:?}");
}

#[test]
fn doubt_is_a_status_only_when_it_is_asked_for() {
    let vague = "{\"id\":\"a\",\"task\":\"frobnicate the quux\"}\n";
    assert_eq!(classify(&[], vague).0, Some(0));
    assert_eq!(classify(&["-e"], vague).0, Some(1));
    assert_eq!(classify(&["-e"], "{\"id\":\"a\",\"task\":\"run the tests\"}\n").0, Some(0));
    assert_eq!(classify(&["-e"], "{\"id\":\"a\"}\n").0, Some(3));
}

#[test]
fn a_closed_output_ends_it_quietly_and_a_full_one_does_not() {
    let input = "{\"id\":\"a\",\"task\":\"run the tests\"}\n".repeat(50_000);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("many.jsonl"), input).unwrap();
    let run = |output: Stdio| {
        Command::new(env!("CARGO_BIN_EXE_classify"))
            .arg("many.jsonl")
            .current_dir(directory.path())
            .env("XDG_CONFIG_HOME", directory.path())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut closed = run(Stdio::piped());
    drop(closed.stdout.take());
    let (status, _, errors) = texts(&closed.wait_with_output().unwrap());
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let (status, _, errors) = texts(&run(Stdio::from(full)).wait_with_output().unwrap());
        assert_eq!(status, Some(4), "{errors}");
        assert!(errors.contains("cannot write"), "{errors}");
    }
}

#[test]
fn a_long_text_is_read_at_its_ends_and_that_is_said() {
    let long = format!("design the architecture {}", "and so on ".repeat(100_000));
    let (_, output, _) = classify(&[], &format!("{{\"id\":\"a\",\"task\":\"{long}\"}}\n"));
    let section = sections(&output).remove(0);
    assert_eq!(section["tier"], 3);
    assert!(
        section["reasons"].to_string().contains("the first 16 KiB and the last 4 KiB were read"),
        "{section}"
    );
}

#[test]
fn the_help_has_examples_and_unknown_options_are_a_usage_error() {
    let (status, help, _) = classify(&["--help"], "");
    assert_eq!(status, Some(0));
    for expected in [
        "Usage: classify [OPTIONS] [FILE]...",
        "Examples:",
        "--lines",
        "--explain",
        "--exit-status",
        "[[classify.rules]]",
    ] {
        assert!(help.contains(expected), "{expected}");
    }
    assert_eq!(classify(&["--expain"], "").0, Some(2));
    assert_eq!(classify(&["--lines", "--text", "x"], "").0, Some(2));
    assert_eq!(classify(&["--jobs", "0"], "").0, Some(2));
}
