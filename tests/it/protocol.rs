//! What PROTOCOL.md promises about the record: what passes, in which form, through whom.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use shared::Record;
use shared::section::{self, Section};
use tests::tools::{self, TOOLS};
use tests::{Shell, record};

/// Contents that a program which decodes and encodes again would change.
fn odd_values() -> Vec<String> {
    let deep = format!("{}{}{}", "[".repeat(200), "{\"a\":1.10}", "]".repeat(200));
    let plain = [
        "123456789012345678901234567890",
        "1.10",
        "1e999",
        "-0",
        "1E-7",
        "0.1000",
        r#"{"a":1,"a":2,"a":1}"#,
        r#"{"z":1,"a":2,"m":{"y":1,"b":2}}"#,
        r#""\u0041\/\ud83d\ude00 é \u00e9 \t""#,
        r#""\ud800 lone \udfff""#,
        r#"{"\ud800":1,"\u0061":2}"#,
        "[ 1 ,\t2 , { } ]",
        r#""<script>&'\u2028""#,
        "null",
        r#"[{"errors":[1]}]"#,
    ];
    plain.into_iter().map(str::to_owned).chain([deep]).collect()
}

/// How each tool is run where it has something to do with every record of [`input`].
fn stage(tool: &str) -> String {
    match tool {
        "converge" => "converge -n 2 -c cat".to_owned(),
        tool => tool.to_owned(),
    }
}

/// Returns records with odd content for a tool, with what it needs to do its work.
fn input(tool: &str) -> String {
    let dispatch = r#","dispatch":{"attempt":1,"status":"ok","executor":"explore","tier":1,"output":"There are 3.","elapsed_ms":1}"#;
    let needed = if matches!(tool, "gates" | "verify") { dispatch } else { "" };
    let records = odd_values().into_iter().enumerate();
    records
        .map(|(number, value)| {
            format!(
                r#"{{ "id" :"r{number}", "task":{{"text":"say hello","run":["echo","hello"]}} ,"x-odd":{value}{needed},"":0 , "last":{value}}}"#
            ) + "\n"
        })
        .collect()
}

#[test]
fn everything_but_the_own_member_leaves_as_it_came() {
    for tool in TOOLS {
        let input = input(tool);
        let output = Shell::with_git().run_on(&input, &stage(tool)).succeeds();
        assert_eq!(output.stdout.lines().count(), input.lines().count(), "{tool}\n{output}");
        for (before, after) in input.lines().zip(output.stdout.lines()) {
            assert_eq!(record::without(after, tool), before, "{tool} has changed what is not its own");
        }
    }
}

#[test]
fn odd_content_passes_all_five_in_one_pipe() {
    let input = input("classify");
    let shell = Shell::with_git();
    let piped = shell.pipe(&input, &["classify", "dispatch", "gates", "verify", "converge -n 2 -c cat"]);
    assert_eq!(piped.statuses, [0; 5], "{}", piped.output);
    for (before, after) in input.lines().zip(piped.output.stdout.lines()) {
        let after = TOOLS.iter().fold(after.to_owned(), |line, tool| record::without(&line, tool));
        assert_eq!(after, before);
    }
}

#[test]
fn a_string_of_ten_megabytes_passes_all_five() {
    let long = "lorem \\u0069psum 1.10 ".repeat(10 * 1024 * 1024 / 22);
    let input = format!(r#"{{"id":"a","task":{{"text":"say hello","run":["echo","hello"]}},"x":"{long}"}}"#);
    let shell = Shell::with_git();
    let piped = shell.pipe(&input, &["classify", "dispatch", "gates", "verify", "converge -n 2 -c cat"]);
    assert_eq!(piped.statuses, [0; 5], "{}", piped.output.stderr);
    let line = piped.output.stdout.trim_end();
    assert!(
        line.starts_with(&input[..input.len() - 1]),
        "not the same {} bytes at the beginning",
        input.len()
    );
    let record = Record::parse(line.to_owned()).expect("a record");
    for tool in TOOLS {
        assert!(record.raw(tool).is_some(), "no `{tool}`");
    }
}

#[test]
fn records_leave_in_the_order_they_came() {
    let input: String = (0..500)
        .map(|number| {
            // The first ones take the longest.
            let seconds = if number < 4 { "0.3" } else { "0" };
            format!(r#"{{"id":"n{number}","task":{{"text":"wait","run":["sleep","{seconds}"]}}}}"#) + "\n"
        })
        .collect();
    let piped = Shell::with_git().pipe(&input, &["classify", "dispatch --jobs 8", "gates", "verify"]);
    assert_eq!(piped.statuses, [0; 4], "{}", piped.output);
    let ids: Vec<String> = piped.output.records().iter().map(|record| record["id"].to_string()).collect();
    let expected: Vec<String> = (0..500).map(|number| format!("\"n{number}\"")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_record_without_an_id_gets_the_same_one_every_time() {
    let input = "{\"task\":\"run the tests\"}\n\n{\"task\":\"run the tests\"}\n{\"task\":{\"text\":\"x\"}}\n";
    let mut all = Vec::new();
    for tool in ["classify", "gates", "verify", "converge -n 1 -c cat"] {
        let output = Shell::new().run_on(input, tool);
        let ids: Vec<String> = output.records().iter().map(|record| record["id"].to_string()).collect();
        assert_eq!(ids.len(), 3, "{output}");
        assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
        for line in output.stdout.lines() {
            assert!(line.starts_with("{\"id\":"), "the id is not the first member: {line}");
        }
        all.push(ids);
    }
    assert!(all.iter().all(|ids| *ids == all[0]), "{all:?}");
}

#[test]
fn blank_lines_carriage_returns_and_a_missing_end_are_no_records_and_no_errors() {
    let output = Shell::new()
        .run_on("\r\n{\"id\":\"a\",\"task\":\"x\"}\r\n   \n{\"id\":\"b\",\"task\":\"y\"}", "classify");
    let output = output.succeeds();
    let ids: Vec<_> = output.records().iter().map(|record| record["id"].clone()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(!output.stdout.contains('\r'));
    // The line number of an error counts the blank ones.
    let output = Shell::new().run_on("\n\noops\n", "classify").exits(3);
    assert_eq!(output.records()[0]["errors"][0]["line"], 3);
}

#[test]
fn of_a_name_that_stands_twice_readers_take_the_last() {
    let input =
        r#"{"id":"first","task":"say nothing","id":"last","task":"design the security architecture"}"#;
    let once = r#"{"id":"last","task":"design the security architecture"}"#;
    let shell = Shell::new();
    let [twice, once] = [input, once].map(|input| shell.run_on(input, "classify").succeeds().records());
    assert_eq!(twice[0]["classify"], once[0]["classify"]);
}

#[test]
fn what_is_no_record_leaves_as_one_that_holds_it() {
    for tool in TOOLS {
        let output = Shell::new().run_on("{\"id\":\"a\"", &stage(tool)).exits(3);
        let error = &output.records()[0]["errors"][0];
        assert_eq!((&error["stage"], &error["line"]), (&Value::from(tool), &Value::from(1)), "{output}");
        assert_eq!(error["raw"], "{\"id\":\"a\"", "{output}");
        assert!(error["hint"].is_string() && error["message"].is_string(), "{output}");
        // The next stage lets it by as it is.
        let again = Shell::new().run_on(&output.stdout, &stage(tool)).succeeds();
        assert_eq!(again.stdout, output.stdout, "{tool}");
    }
}

#[test]
fn a_record_with_errors_is_let_by_untouched() {
    let input = concat!(
        r#"{"id":"a","task":"x","errors":[{"stage":"mine","message":"broken"}],"n":1.10}"#,
        "\n",
        r#"{"id":"b","task":{"text":"y","depends_on":["nowhere"]},"errors":["of any form"]}"#,
        "\n",
        r#"{"errors":{"not":"a list"}}"#,
        "\n",
    );
    for tool in TOOLS {
        let output = Shell::new().run_on(input, &stage(tool)).succeeds();
        // The third has no id; one that nobody works on needs none either, but may get one.
        let expected: Vec<&str> = input.lines().take(2).collect();
        let found: Vec<&str> = output.stdout.lines().take(2).collect();
        assert_eq!(found, expected, "{tool}");
        assert!(
            output.stdout.lines().nth(2).is_some_and(|line| line.ends_with(r#""errors":{"not":"a list"}}"#))
        );
    }
    // An empty list is no error.
    let output = Shell::new().run_on(r#"{"id":"a","task":"x","errors":[]}"#, "classify").succeeds();
    assert!(output.records()[0]["classify"].is_object(), "{output}");
}

#[test]
fn running_a_stage_twice_is_running_it_once() {
    for tool in TOOLS {
        let shell = Shell::with_git();
        shell.write("in", input(tool));
        let stage = stage(tool);
        shell.run(&format!("{stage} < in > once && {stage} < once > twice")).succeeds();
        assert_eq!(shell.read("twice"), shell.read("once"), "{tool} twice is not {tool} once");
        assert_ne!(shell.read("once"), shell.read("in"), "{tool} did nothing");
    }
}

/// A stage of one's own, written with nothing but `sh` and `awk`, in the place of a tool and between tools.
#[test]
fn a_foreign_stage_can_join_the_pipe() {
    let shell = Shell::with_git();
    shell.write(
        "my-executor",
        r#"#!/bin/sh
# Answers every task that has no answer yet, and marks what it has seen.
exec awk '
    /"dispatch":/ { print; next }
    { sub(/}$/, ",\"x-seen\":1.10,\"dispatch\":{\"attempt\":1,\"status\":\"ok\",\"executor\":\"mine\",\"tier\":1,\"output\":\"There are 3 files.\"}}"); print }
'
"#,
    );
    let input = "{\"id\":\"a\",\"task\":\"count the files\",\"big\":12345678901234567890123}\n{\"id\":\"b\",\"task\":\"y\"}\n";
    let piped = shell.pipe(input, &["classify", "sh ./my-executor", "gates", "verify", "dispatch"]);
    assert_eq!(piped.statuses[..4], [0; 4], "{}", piped.output);
    let records = piped.output.records();
    assert_eq!(records.len(), 2);
    for (line, record) in piped.output.stdout.lines().zip(&records) {
        assert_eq!(
            (&record["gates"]["attempt"], &record["verify"]["attempt"]),
            (&1.into(), &1.into()),
            "{line}"
        );
        assert!(line.contains(r#""x-seen":1.10"#), "{line}");
    }
    assert!(piped.output.stdout.contains("12345678901234567890123"));
}

/// What speaks of an older attempt is stale, and the stage does its work again.
#[test]
fn facts_of_an_older_attempt_are_renewed() {
    let stale = r#"{"id":"a","task":"say hello","dispatch":{"attempt":2,"status":"ok","executor":"explore","tier":1,"output":"Hello.","elapsed_ms":1},"gates":{"attempt":1,"outcome":"fail","results":[]},"verify":{"attempt":1,"decision":"escalate","confidence":1,"checks":[],"reason":"old","escalate_to":2}}"#;
    let shell = Shell::new();
    let gates = shell.run_on(stale, "gates").succeeds().records().remove(0);
    assert_eq!(gates["gates"]["attempt"], 2);
    let verify = shell.run_on(stale, "verify").succeeds().records().remove(0);
    assert_eq!(verify["verify"]["attempt"], 2);
    assert_ne!(verify["verify"]["reason"], "old");
    // A verdict on an older attempt asks for nothing.
    let dispatch = shell.run_on(stale, "dispatch").succeeds();
    assert_eq!(dispatch.stdout.trim_end(), stale);
}

fn fixtures() -> Vec<(String, String)> {
    let directory = tools::workspace().join("tests/fixtures/v1");
    let mut found: Vec<(String, String)> = std::fs::read_dir(directory)
        .expect("tests/fixtures/v1")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("a fixture")))
        .collect();
    found.sort();
    assert!(found.len() >= 3);
    found
}

/// Reads a section as the tools do.
fn load<S: Section>(record: &Record) -> Result<(), String> {
    record.get::<S>().map(drop).map_err(|problem| problem.full_message())
}

#[test]
fn records_of_version_1_can_be_read_for_ever() {
    for (name, text) in fixtures() {
        for line in text.lines() {
            let record = Record::parse(line.to_owned()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let all = [
                load::<section::Task>(&record),
                load::<section::Classify>(&record),
                load::<section::Dispatch>(&record),
                load::<section::Gates>(&record),
                load::<section::Verify>(&record),
                load::<section::Converge>(&record),
            ];
            for read in all {
                read.unwrap_or_else(|message| panic!("{name}: {message} in {line}"));
            }
        }
    }
}

#[test]
fn settled_records_of_version_1_pass_all_five_unchanged() {
    let text = std::fs::read_to_string(tools::workspace().join("tests/fixtures/v1/settled.jsonl"))
        .expect("a fixture");
    for tool in TOOLS {
        let output = Shell::new().run_on(&text, &stage(tool)).succeeds();
        for (before, after) in text.lines().zip(output.stdout.lines()) {
            assert_eq!(after, before, "{tool} has changed a settled record");
        }
        assert_eq!(output.stdout.lines().count(), text.lines().count());
    }
}

#[test]
fn the_schemas_that_are_checked_in_are_those_of_the_types() {
    let directory = tempfile::tempdir().expect("a directory");
    let status = Command::new(env!("CARGO_BIN_EXE_generate"))
        .arg("schemas")
        .arg(directory.path())
        .status()
        .expect("generate");
    assert!(status.success());
    let names = |path: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(path)
            .unwrap_or_else(|error| panic!("{}: {error}; run `make schema`", path.display()))
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let checked_in = tools::workspace().join("shared/schema");
    assert_eq!(names(&checked_in), names(directory.path()), "run `make schema`");
    for name in names(directory.path()) {
        let [ours, theirs] =
            [&checked_in, directory.path()].map(|path| std::fs::read_to_string(path.join(&name)));
        assert!(
            ours.expect("a schema") == theirs.expect("a schema"),
            "{name:?} is not current: run `make schema`"
        );
    }
}

/// What the tools write is of the form that the schemas describe, and so is what is frozen.
#[test]
fn what_is_written_is_valid_by_the_schemas() {
    let schemas: Vec<(&str, jsonschema::Validator)> = section::schemas()
        .into_iter()
        .map(|(name, schema)| {
            let schema = serde_json::to_value(schema).expect("a schema");
            (name, jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}")))
        })
        .collect();
    let shell = Shell::with_git();
    let stages = ["classify", "dispatch", "gates", "verify", "converge -n 2 -c cat"];
    let written = shell.pipe(input("classify") + "broken\n", &stages).output.stdout;
    // Members and values of a later version are read, but no schema of this one knows them; foreign errors have any form.
    let is_ours = |name: &str| !name.ends_with("errors.jsonl") && !name.ends_with("later.jsonl");
    let frozen = fixtures().into_iter().filter(|(name, _)| is_ours(name)).map(|(_, text)| text);
    for text in frozen.chain([written]) {
        for line in text.lines() {
            let record = Record::parse(line.to_owned()).expect("a record");
            for (name, schema) in &schemas {
                let Some(raw) = record.raw(name) else { continue };
                let value: Value = serde_json::from_str(raw).expect("a value");
                if let Err(error) = schema.validate(&value) {
                    panic!("`{name}` is not valid: {error} at {}\n{line}", error.instance_path());
                }
            }
        }
    }
}
