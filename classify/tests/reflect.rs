//! Reflection as a process: one test for each promise of the README.

mod place;

use place::{Place, said};
use serde_json::{Value, json};

fn remember(place: &Place, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    place.write(".specpipe/memory/failures.jsonl", &text);
}

#[test]
fn the_source_s_examples_come_out_as_its_formula_says() {
    let place = Place::new();
    for (text, clarity, confidence) in [
        ("Create user validation system with email verification", 0.70, 0.71),
        ("Update database schema", 0.55, 0.635),
        ("Validate user input forms", 0.35, 0.535),
        ("fix it", 0.55, 0.635),
        ("Process 10 files in parallel for validation and security checks", 0.65, 0.685),
        ("Do something", 0.15, 0.435),
        ("Fix typo in README.md line 42", 0.85, 0.785),
        ("delete everything now please ok", 0.70, 0.71),
        ("Make everything nicer, prefix the capital address profile.", 0.5, 0.61),
    ] {
        let ran = place.reflect("warn", text);
        let reflection = ran.reflection();
        assert_eq!(reflection["clarity"], clarity, "{text}");
        assert_eq!((&reflection["mistakes"], &reflection["context"]), (&json!(1.0), &json!(0.3)), "{text}");
        assert_eq!(reflection["confidence"], confidence, "{text}");
        let decision = if confidence >= 0.7 { "proceed" } else { "ask" };
        assert_eq!(reflection["decision"], decision, "{text}");
        assert_eq!(said(&reflection["blockers"]).is_empty(), decision == "proceed", "{text}");
        assert_eq!((ran.status, ran.errors.is_empty()), (Some(0), decision == "proceed"), "{}", ran.errors);
    }
}

#[test]
fn off_looks_at_nothing_and_says_nothing() {
    let place = Place::new();
    // A memory that can not be read would be told.
    place.write(".specpipe/memory/failures.jsonl", "nonsense\n");
    for args in [
        &["--text", "fix it"][..],
        &["--reflect=off", "--text", "fix it"],
        &["--reflect=quick", "--text", "fix it"],
    ] {
        let ran = place.run(args);
        assert_eq!(ran.reflection(), Value::Null);
        assert_eq!((ran.status, ran.errors.as_str()), (Some(0), ""));
    }
}

#[test]
fn warn_tells_the_questions_and_lets_the_record_go_on() {
    let ran = Place::new().reflect("warn", "improve it");
    assert_eq!(ran.status, Some(0));
    assert_eq!(ran.json()["errors"], Value::Null);
    let first = ran.errors.lines().next().unwrap();
    assert!(first.starts_with("classify: warning: id t1-"), "{first}");
    assert!(first.contains("confidence 0.435 is below 0.70: \"improve\" leaves the goal open"), "{first}");
    let questions = said(&ran.reflection()["recommendations"]);
    assert_eq!(
        ran.errors
            .lines()
            .skip(1)
            .map(|line| line.strip_prefix("  ? ").unwrap())
            .collect::<Vec<_>>()
            .join("\n"),
        questions
    );
    assert!(Place::new().run(&["--reflect=warn", "--quiet", "--text", "improve it"]).errors.is_empty());
}

#[test]
fn of_many_unclear_tasks_the_first_are_told_and_the_others_counted() {
    let input: String = (0..30).map(|at| format!("{{\"id\":\"r{at}\",\"task\":\"fix it\"}}\n")).collect();
    let ran = Place::new().run_on(&["--reflect=warn"], &input);
    assert_eq!(ran.errors.matches("warning: id r").count(), 20);
    assert!(
        ran.errors.ends_with("classify: note: 10 more tasks are not ready; each has its `reflection`\n"),
        "{}",
        ran.errors
    );
    let ids: Vec<&str> = ran
        .errors
        .lines()
        .filter_map(|line| line.strip_prefix("classify: warning: id ")?.split(':').next())
        .collect();
    assert_eq!(ids, (0..20).map(|at| format!("r{at}")).collect::<Vec<_>>());
    assert_eq!(
        Place::new().run_on(&["--reflect=warn", "--verbose"], &input).errors.matches("warning: id r").count(),
        30
    );
}

#[test]
fn block_lets_nobody_work_on_it_and_asks_instead() {
    for mode in ["block", "safe"] {
        let place = Place::new();
        let input = "{\"id\":\"a\",\"task\":\"fix it\"}\n{\"id\":\"b\",\"task\":\"Add a spinner to the login page please\"}\n";
        let ran = place.run_on(&[&format!("--reflect={mode}")], input);
        assert_eq!(ran.status, Some(3));
        let record = ran.json();
        assert_eq!(
            (&record["classify"]["tier"], &record["classify"]["reflection"]["decision"]),
            (&json!(3), &json!("ask"))
        );
        let error = &record["errors"][0];
        assert_eq!((&error["stage"], &error["line"]), (&json!("classify"), &json!(1)));
        assert!(
            error["message"].as_str().unwrap().starts_with("not ready to be worked on: confidence 0.635"),
            "{error}"
        );
        assert!(error["hint"].as_str().unwrap().starts_with("Where: which file"), "{error}");
        let second: Value = serde_json::from_str(ran.output.lines().nth(1).unwrap()).unwrap();
        assert_eq!(
            (&second["classify"]["reflection"]["decision"], &second["errors"]),
            (&json!("proceed"), &Value::Null)
        );
        // A second run lets it by, also by force: the answer belongs into the task.
        assert_eq!(
            place.run_on(&["--reflect=block", "--force"], &ran.output).output.lines().next(),
            ran.output.lines().next()
        );
    }
}

#[test]
fn a_command_that_is_given_is_clear_whatever_the_words_say() {
    let ran = Place::new()
        .run_on(&["--reflect=block"], "{\"id\":\"a\",\"task\":{\"text\":\"do it\",\"run\":[\"make\"]}}\n");
    assert_eq!((ran.status, &ran.reflection()["clarity"]), (Some(0), &json!(1.0)));
}

#[test]
fn the_mode_comes_from_the_flag_the_environment_or_the_file() {
    let place = Place::new();
    place.write("specpipe.toml", "[classify]\nreflect = \"block\"\n");
    assert_eq!(place.run(&["--text", "fix it"]).status, Some(3));
    assert_eq!(place.reflect("off", "fix it").status, Some(0));
    place.write("specpipe.toml", "[classify]\nreflect = \"often\"\n");
    let ran = place.run(&["--text", "fix it"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.errors.contains("specpipe.toml:2: unknown variant `often`"), "{}", ran.errors);
}

#[test]
fn explain_shows_the_stages_and_what_they_rest_on() {
    let ran = Place::new().run(&["--reflect=warn", "--explain", "--text", "fix it"]);
    let shown: Vec<&str> = ran
        .errors
        .lines()
        .filter(|line| line.starts_with("    ") || line.starts_with("  reflection"))
        .collect();
    assert_eq!(shown[0], "  reflection: ask first · confidence 0.635 (proceeds from 0.70)");
    assert_eq!(
        shown[1],
        "    clarity  0.55   × 0.5  says what to do: \"fix\"; fewer than five words; reads like tasks that are vague"
    );
    assert_eq!(shown[2], "    mistakes 1.00   × 0.3  no failure is remembered");
    assert!(shown[3].starts_with("    context  0.30   × 0.2  "), "{}", shown[3]);
    assert!(
        shown.iter().any(|line| line.starts_with("    ! "))
            && shown.iter().any(|line| line.starts_with("    ? "))
    );
}

#[test]
fn similar_failures_are_remembered_unless_they_are_fixed() {
    let place = Place::new();
    let task = "Add a column for the discount to the customer import";
    let now = "2099-01-01T00:00:00Z";
    let failure = |signature: &str, text: &str| {
        json!({"at": now, "signature": signature, "task": text, "kind": "implementation_error", "message": "no such column",
               "cause": {"category": "validation", "prevention": "Compare the header with the schema first"}})
    };
    let (one, two) = (
        failure("1", "extend the customer import by a discount column"),
        failure("2", "customer import: discounts"),
    );
    remember(&place, &[one.clone(), two.clone()]);
    let ran = place.reflect("block", task);
    let reflection = ran.reflection();
    assert_eq!(
        (&reflection["mistakes"], &reflection["confidence"], &reflection["decision"]),
        (&json!(0.4), &json!(0.53), &json!("ask"))
    );
    let asked = said(&reflection["recommendations"]);
    assert!(asked.contains("Has the cause of this been removed: \"customer import: discounts\""), "{asked}");
    assert!(asked.contains("Compare the header with the schema first"), "{asked}");
    assert!(said(&reflection["blockers"]).contains("implementation_error: no such column"));
    let fixed = |signature: &str| json!({"at": now, "signature": signature, "fixed": true, "fix": "the header is checked"});
    remember(&place, &[one, two, fixed("1"), fixed("2")]);
    let reflection = place.reflect("block", task).reflection();
    assert_eq!((&reflection["mistakes"], &reflection["decision"]), (&json!(1.0), &json!("proceed")));
    assert!(said(&reflection["recommendations"]).contains("the header is checked"));
}

#[test]
fn a_memory_that_cannot_be_read_is_a_concern_and_no_crash() {
    let place = Place::new();
    place.write(".specpipe/memory/failures.jsonl", "{\"at\":17}\n");
    let ran = place.reflect("block", "Create user validation system with email verification");
    let reflection = ran.reflection();
    assert_eq!((&reflection["mistakes"], &reflection["confidence"]), (&json!(0.7), &json!(0.62)));
    assert!(
        said(&reflection["evidence"]).contains("mistakes: the memory of failures can not be read in line 1")
    );
    std::fs::remove_file(place.path().join(".specpipe/memory/failures.jsonl")).unwrap();
    std::fs::create_dir(place.path().join(".specpipe/memory/failures.jsonl")).unwrap();
    assert_eq!(place.reflect("block", "fix it").reflection()["mistakes"], 0.7);
}

#[test]
fn a_repository_is_looked_into_and_never_worth_less_than_none() {
    let place = Place::repository(&[("src/a.rs", "fn a() {}\n")]);
    let reflection = place.reflect("warn", "Fix the crash in src/a.rs on an empty line").reflection();
    assert_eq!(reflection["context"], 0.6);
    let evidence = said(&reflection["evidence"]);
    assert!(evidence.contains("context: git: on branch main, nothing uncommitted"), "{evidence}");
    assert!(evidence.contains("context: found `src/a.rs`"), "{evidence}");
    let nothing = place.reflect("warn", "Fix the crash on an empty line").reflection();
    assert_eq!(nothing["context"], 0.3);
    place.write("src/a.rs", "fn b() {}\n");
    let dirty = place.reflect("warn", "Fix the crash in src/a.rs on an empty line").reflection();
    assert_eq!(dirty["context"], 0.6);
    assert!(said(&dirty["evidence"]).contains("1 uncommitted change"));
    assert!(said(&dirty["recommendations"]).contains("`src/a.rs` has changes that are not committed"));
}
