//! Input that is wrong: the message names the place and what to do, the record is kept, the status says so.

use tests::Shell;

const TOOLS: [&str; 5] = ["classify", "dispatch", "gates", "verify", "converge -n 1 -c cat"];

#[test]
fn bytes_that_are_not_utf_8() {
    for tool in TOOLS {
        let input = b"{\"id\":\"a\",\"task\":\"x\",\"errors\":[1]}\n{\"id\":\"b\xff\"}\n".to_vec();
        let output = Shell::new().run_on(input, tool).exits(3);
        assert_eq!(output.records()[1]["errors"][0]["raw_base64"], "eyJpZCI6ImL/In0=", "{output}");
        output.tells(&[
            "line 2: not a record: byte 9 of the line is not UTF-8",
            "hint: records are UTF-8; iconv",
        ]);
    }
}

#[test]
fn lines_that_are_no_objects() {
    for tool in TOOLS {
        for line in [
            "[1]",
            "\"text\"",
            "5",
            "{\"id\":\"a\"} trailing",
            "{'id':'a'}",
            "{\"id\":\"a\",}",
            "run the tests",
        ] {
            let output = Shell::new().run_on(format!("\n{line}\n"), tool).exits(3);
            assert_eq!(output.records()[0]["errors"][0]["raw"], line, "{output}");
            output.tells(&[
                "line 2: not a record: ",
                "at column ",
                "hint: each line must be one JSON object",
            ]);
        }
    }
}

#[test]
fn ids_that_are_none() {
    for tool in TOOLS {
        for id in ["1.5", "true", "[1]", "{}"] {
            let line = format!("{{\"id\":{id},\"task\":\"x\"}}");
            let output = Shell::new().run_on(&line, tool).exits(3);
            // It is a record all the same, and keeps all it has.
            assert!(output.stdout.starts_with(&line[..line.len() - 1]), "{output}");
            assert_eq!(output.records()[0]["errors"].as_array().map(Vec::len), Some(1), "{output}");
            output.tells(&["`id` is neither a string nor an integer", "hint: "]);
        }
    }
}

#[test]
fn lines_that_are_too_long() {
    for tool in TOOLS {
        let (tool, rest) = tool.split_once(' ').unwrap_or((tool, ""));
        let line = format!("{{\"id\":\"a\",\"x\":\"{}\"}}", "y".repeat(20_000));
        let input = format!("{line}\n{{\"id\":\"b\",\"task\":\"x\",\"errors\":[1]}}\n");
        let output = Shell::new().run_on(&input, &format!("{tool} --max-line 10k {rest}")).exits(3);
        let error = &output.records()[0]["errors"][0];
        assert_eq!(error["raw_bytes"], line.len(), "{output}");
        assert!(line.starts_with(error["raw"].as_str().expect("its beginning")));
        assert_eq!(output.records()[1]["id"], "b", "the next line is read");
        output.tells(&["line 1: ", &format!("{} bytes", line.len()), "--max-line"]);
    }
}

#[test]
fn records_without_a_task() {
    for tool in ["classify", "dispatch"] {
        let output = Shell::new().run_on("{\"id\":\"a\",\"prompt\":\"x\"}\n", tool).exits(3);
        assert_eq!(output.records()[0]["prompt"], "x", "{output}");
        assert_eq!(output.records()[0]["errors"][0]["stage"], tool, "{output}");
        output.tells(&["line 1, id a: ", "`task`", "hint: "]);
    }
    for task in [
        "5",
        "[]",
        "{}",
        "{\"text\":1}",
        "{\"text\":\"x\",\"depends_on\":\"a\"}",
        "{\"text\":\"x\",\"max_tier\":9}",
    ] {
        for tool in ["classify", "dispatch"] {
            let output = Shell::new().run_on(format!("{{\"id\":\"a\",\"task\":{task}}}\n"), tool).exits(3);
            output.tells(&["line 1, id a: ", "`task` can not be read: ", "hint: "]);
        }
    }
}

#[test]
fn tasks_that_say_nothing() {
    for task in ["\"\"", "\"  \"", "{\"text\":\"\"}"] {
        for tool in ["classify", "dispatch"] {
            let output = Shell::new().run_on(format!("{{\"id\":\"a\",\"task\":{task}}}\n"), tool).exits(3);
            output.tells(&["line 1, id a: ", "empty"]);
        }
    }
}

#[test]
fn sections_that_can_not_be_read() {
    let line = r#"{"id":"a","task":"x","dispatch":{"attempt":"one"}}"#;
    for tool in ["dispatch", "gates", "verify"] {
        let output = Shell::new().run_on(line, tool).exits(3);
        assert_eq!(output.records()[0]["dispatch"]["attempt"], "one", "{output}");
        output.tells(&["id a: `dispatch` can not be read: ", "hint: PROTOCOL.md"]);
    }
}

#[test]
fn dependencies_in_a_circle() {
    let input = concat!(
        r#"{"id":"a","task":{"text":"x","run":["true"],"depends_on":["b"]}}"#,
        "\n",
        r#"{"id":"b","task":{"text":"x","run":["true"],"depends_on":["c"]}}"#,
        "\n",
        r#"{"id":"c","task":{"text":"x","run":["true"],"depends_on":["a"]}}"#,
        "\n",
        r#"{"id":"self","task":{"text":"x","run":["true"],"depends_on":["self"]}}"#,
        "\n",
        r#"{"id":"fine","task":{"text":"x","run":["true"]}}"#,
        "\n",
        r#"{"id":"behind","task":{"text":"x","run":["true"],"depends_on":["a"]}}"#,
        "\n",
    );
    let output = Shell::new().run_on(input, "dispatch").exits(3);
    let records = output.records();
    assert_eq!(records.len(), 6, "{output}");
    for record in &records[..4] {
        assert!(
            record["errors"][0]["message"]
                .as_str()
                .is_some_and(|text| text.contains("circle") || text.contains("itself")),
            "{output}"
        );
    }
    assert_eq!(records[4]["dispatch"]["status"], "ok", "{output}");
    assert_ne!(records[5]["dispatch"]["status"], "ok", "{output}");
    output.tells(&["id a", "id b", "id c", "id self", "hint: "]);
}

#[test]
fn a_dependency_that_is_not_there_names_the_nearest() {
    let input = concat!(
        r#"{"id":"build","task":{"text":"x","run":["true"]}}"#,
        "\n",
        r#"{"id":"test","task":{"text":"x","run":["true"],"depends_on":["biuld"]}}"#,
        "\n",
    );
    let output = Shell::new().run_on(input, "dispatch").exits(3);
    assert_eq!(output.records()[0]["dispatch"]["status"], "ok", "{output}");
    assert!(
        output.records()[1]["errors"][0]["message"].as_str().is_some_and(|text| text.contains("`biuld`")),
        "{output}"
    );
    output.tells(&["line 2, id test: ", "`biuld`", "hint: "]);
}

#[test]
fn an_id_that_is_there_twice() {
    let input = concat!(
        r#"{"id":"a","task":{"text":"x","run":["true"]}}"#,
        "\n",
        r#"{"id":"a","task":{"text":"y","run":["true"]}}"#,
        "\n",
    );
    let output = Shell::new().run_on(input, "dispatch").exits(3);
    let records = output.records();
    assert_eq!(records[0]["dispatch"]["status"], "ok", "{output}");
    assert!(
        records[1]["errors"][0]["message"]
            .as_str()
            .is_some_and(|text| text.contains("`a`") && text.contains("line 1")),
        "{output}"
    );
    output.tells(&["line 2, id a: ", "hint: "]);
}

#[test]
fn files_that_are_missing_or_are_none() {
    for tool in TOOLS {
        let shell = Shell::new();
        shell.run(&format!("{tool} nowhere.jsonl")).exits(2).tells(&["nowhere.jsonl"]);
    }
    for tool in ["classify", "dispatch", "verify", "converge -n 1 -c cat", "gates --records"] {
        let shell = Shell::new();
        shell.run(&format!("mkdir d && {tool} d")).exits(2).tells(&["`d`", "directory"]);
    }
}
