//! `verify` as a process: what its README promises.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// A directory with a few files, and `verify` run in it.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { directory: tempfile::tempdir().unwrap() };
        place.write("src/main.rs", "fn main() {\n    run();\n}\n");
        place
    }

    fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
        command.args(arguments).current_dir(self.directory.path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SPECPIPE_")) {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", self.directory.path().join("config-of-nobody"));
        command
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that ends on a wrong option reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Returns the verdict on a record.
    fn verdict(&self, arguments: &[&str], record: &Value) -> Value {
        let output = self.run(arguments, &record.to_string());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["verify"].clone()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn answer(output: &str) -> Value {
    json!({"id": "a", "task": "find the entry point", "dispatch": {"attempt": 1, "status": "ok",
        "executor": "explore", "model": "m", "tier": 1, "output": output, "files_changed": []}})
}

fn accepting(criterion: Value) -> Value {
    let mut record = answer("`main` is in src/main.rs:1.");
    record["task"] = json!({"text": "find the entry point", "accept": [criterion]});
    record
}

#[test]
fn only_the_own_member_changes_and_the_rest_stays_byte_for_byte() {
    let place = Place::new();
    let line = r#"{"id":"a","x":{"n":1.10,"big":123456789012345678901234567890,"n":2},"task":"find main","dispatch":{"attempt":1,"status":"ok","executor":"explore","tier":1,"output":"src/main.rs:1","own":1e999}}"#;
    let output = text(&place.run(&[], line).stdout);
    let (kept, verdict) = output.split_at(line.len() - 1);
    assert_eq!(kept, &line[..line.len() - 1]);
    assert!(verdict.starts_with(r#","verify":{"attempt":1,"decision":"accept""#), "{verdict}");
}

#[test]
fn records_that_need_no_verdict_pass_as_they_came() {
    let place = Place::new();
    let judged = r#"{"id":"a","task":"x","dispatch":{"attempt":2,"status":"ok","executor":"explore","tier":1,"output":"y"},"verify":{"attempt":2,"decision":"accept","confidence":1,"checks":[],"reason":"r"}}"#;
    let lines = [
        r#"{"id":"b","task":"x"}"#,
        judged,
        r#"{"id":"c","errors":[{"stage":"x","message":"y"}],"dispatch":7}"#,
    ];
    let input = lines.join("\n") + "\n";
    assert_eq!(text(&place.run(&[], &input).stdout), input);
    let stale = judged.replace("\"dispatch\":{\"attempt\":2", "\"dispatch\":{\"attempt\":3");
    assert!(text(&place.run(&[], &stale).stdout).contains(r#""verify":{"attempt":3"#));
    let forced = text(&place.run(&["--force"], judged).stdout);
    assert!(!forced.contains(r#""reason":"r""#), "{forced}");
}

#[test]
fn a_second_run_changes_nothing() {
    let place = Place::new();
    let first = text(&place.run(&[], &answer("src/nowhere.rs:3").to_string()).stdout);
    assert_eq!(text(&place.run(&[], &first).stdout), first);
}

#[test]
fn the_exit_status_says_no_only_when_asked() {
    let place = Place::new();
    let (good, bad) = (answer("src/main.rs:1").to_string(), answer("src/nowhere.rs:1").to_string());
    for (arguments, input, status) in [
        (&[][..], &bad, 0),
        (&["-e"][..], &bad, 1),
        (&["--exit-status"][..], &good, 0),
        (&["-e"][..], &format!("{good}\n{bad}"), 1),
        (&["-e"][..], &r#"{"id":"a","task":"not judged"}"#.to_owned(), 1),
        (&["-e"][..], &String::new(), 0),
        (&["-e"][..], &format!("{bad}\nbroken"), 3),
    ] {
        assert_eq!(place.run(arguments, input).status.code(), Some(status), "{arguments:?} {input}");
    }
}

#[test]
fn what_cannot_be_judged_says_why_and_passes_on() {
    let place = Place::new();
    let input = format!(
        "{}\n{}\nno record\n{}\n",
        r#"{"id":"a","dispatch":{"attempt":1,"status":"ok","executor":"e","tier":1}}"#,
        r#"{"id":"b","task":"x","dispatch":{"attempt":"one"}}"#,
        answer("src/main.rs:1")
    );
    let output = place.run(&[], &input);
    assert_eq!(output.status.code(), Some(3));
    let errors = text(&output.stderr);
    assert!(errors.contains("verify: error: line 1, id a: no `task`"), "{errors}");
    assert!(errors.contains("line 2, id b"), "{errors}");
    assert!(errors.contains("line 3"), "{errors}");
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["errors"][0]["stage"], "verify");
    assert_eq!(lines[3]["verify"]["decision"], "accept");
}

#[test]
fn wrong_usage_is_told_with_its_remedy() {
    let place = Place::new();
    place.write("specpipe.toml", "[verify]\ntimeot = \"5m\"\n");
    place.write("other.toml", "[verify]\nskip = [\"everything\"]\n");
    for (arguments, wanted) in [
        (&["--no-such-option"][..], "--no-such-option"),
        (&["--only", "everything"], "complete"),
        (&["--only", "complete", "--skip", "diff"], "cannot be used with"),
        (&["--jobs", "0"], "1..=1024"),
        (&["--timeout", "5"], "90s"),
        (&["nowhere.jsonl"], "timeout"),
        (&[], "specpipe.toml:2: unknown field `timeot`"),
        (&["--config", "other.toml"], "other.toml:2"),
        (&["--config", "none.toml"], "none.toml"),
    ] {
        let output = place.run(arguments, "");
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(wanted), "{arguments:?}: {errors}");
        assert_eq!(text(&output.stdout), "");
    }
    let missing = place.run(&["--config", "/dev/null", "nowhere.jsonl"], "");
    assert!(text(&missing.stderr).contains("nowhere.jsonl"), "{}", text(&missing.stderr));
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn files_are_read_one_after_the_other_and_a_dash_is_standard_input() {
    let place = Place::new();
    place.write("one.jsonl", &answer("src/main.rs:1").to_string());
    place.write("two.jsonl", &answer("src/main.rs:2").to_string());
    let output = place.run(&["one.jsonl", "-", "two.jsonl"], &answer("src/main.rs:3").to_string());
    let cited: Vec<String> = text(&output.stdout)
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["dispatch"]["output"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(cited, ["src/main.rs:1", "src/main.rs:3", "src/main.rs:2"]);
}

#[test]
fn accept_conditions_decide_by_their_kind() {
    let place = Place::new();
    place.write("VERSION", "1.2\n");
    for (criterion, decision) in [
        (json!({"kind": "regex", "pattern": r"main\.rs:\d"}), "accept"),
        (json!({"kind": "regex", "pattern": "^nothing$"}), "escalate"),
        (json!({"kind": "regex", "pattern": "("}), "unverifiable"),
        (json!({"kind": "contains", "text": "src/main.rs"}), "accept"),
        (json!({"kind": "contains", "text": "src/lib.rs"}), "escalate"),
        (json!({"kind": "equals", "text": " `main` is in src/main.rs:1.\n"}), "accept"),
        (json!({"kind": "equals", "text": "main"}), "escalate"),
        (json!({"kind": "file", "path": "VERSION"}), "accept"),
        (json!({"kind": "file", "path": "VERSION", "contains": "1.2"}), "accept"),
        (json!({"kind": "file", "path": "VERSION", "contains": "1.3"}), "escalate"),
        (json!({"kind": "file", "path": "VERSION", "exists": false}), "escalate"),
        (json!({"kind": "file", "path": "NEWS", "exists": false}), "accept"),
        (json!({"kind": "exit_code", "equals": 0}), "unverifiable"),
        (json!({"kind": "command", "run": ["grep", "-q", "1.2", "VERSION"]}), "accept"),
        (json!({"kind": "command", "run": ["grep", "-q", "1.3", "VERSION"]}), "escalate"),
        (json!({"kind": "command", "run": ["grep", "-q", "1.3", "VERSION"], "exit_code": 1}), "accept"),
        (json!({"kind": "command", "run": ["sleep", "60"], "timeout": "100ms"}), "escalate"),
        (json!({"kind": "command", "run": ["no-such-program-here"]}), "unverifiable"),
        (json!({"kind": "command", "run": []}), "unverifiable"),
        (json!({"kind": "of a later version", "x": 1}), "unverifiable"),
    ] {
        let verdict = place.verdict(&[], &accepting(criterion.clone()));
        assert_eq!(verdict["decision"], decision, "{criterion}: {verdict}");
    }
}

#[test]
fn a_schema_is_held_against_the_document_in_the_output() {
    let place = Place::new();
    let schema = json!({"type": "object", "required": ["files"], "properties": {"files": {"type": "array"}}});
    for (output, schema, decision) in [
        ("{\"files\":[\"src/main.rs\"]}", &schema, "accept"),
        ("```json\n{\"files\":[]}\n```", &schema, "accept"),
        ("{\"files\":3}", &schema, "escalate"),
        ("Here it is: {\"files\":[]}", &schema, "escalate"),
        ("{}", &json!({"type": "no such type"}), "unverifiable"),
    ] {
        let mut record = accepting(json!({"kind": "schema", "schema": schema}));
        record["dispatch"]["output"] = output.into();
        record["dispatch"]["executor"] = "orchestrate".into();
        let verdict = place.verdict(&[], &record);
        assert_eq!(verdict["decision"], decision, "{output}: {verdict}");
    }
}

#[test]
fn commands_run_where_the_work_was_done_and_only_if_they_may() {
    let (place, worktree) = (Place::new(), Place::new());
    worktree.write("only-here", "");
    let mut record = accepting(json!({"kind": "command", "run": ["test", "-e", "only-here"]}));
    assert_eq!(place.verdict(&[], &record)["decision"], "escalate");
    record["dispatch"]["worktree"] = worktree.path().to_str().unwrap().into();
    assert_eq!(place.verdict(&[], &record)["decision"], "accept");
    assert_eq!(place.verdict(&["--no-commands"], &record)["decision"], "unverifiable");
    place.write("specpipe.toml", "[verify]\nrun_commands = false\n");
    assert_eq!(place.verdict(&[], &record)["decision"], "unverifiable");
    assert_eq!(place.verdict(&["--run-commands"], &record)["decision"], "accept");
    record["dispatch"]["worktree"] = "/no/such/worktree".into();
    assert_eq!(place.verdict(&["--run-commands"], &record)["decision"], "unverifiable");
}

#[test]
fn the_limit_comes_from_the_flag_over_the_environment_over_the_file() {
    let place = Place::new();
    let record = accepting(json!({"kind": "command", "run": ["sleep", "30"]}));
    place.write("specpipe.toml", "[verify]\ntimeout = \"200ms\"\n");
    let reason = |command: &mut Command| {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(record.to_string().as_bytes()).unwrap();
        text(&child.wait_with_output().unwrap().stdout)
    };
    assert!(reason(&mut place.command(&[])).contains("within 200ms"));
    assert!(reason(place.command(&[]).env("SPECPIPE_VERIFY_TIMEOUT", "100ms")).contains("within 100ms"));
    let mut flagged = place.command(&["--timeout", "50ms"]);
    assert!(reason(flagged.env("SPECPIPE_VERIFY_TIMEOUT", "100ms")).contains("within 50ms"));
}

#[test]
fn checks_can_be_chosen_and_less_evidence_accepts_less() {
    let place = Place::new();
    let record = answer("`main` is in src/main.rs:1.");
    let names = |arguments: &[&str]| -> Vec<String> {
        let verdict = place.verdict(arguments, &record);
        verdict["checks"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["--only", "grounded,refusal"]), ["refusal", "grounded"]);
    let without = names(&["--skip", "grounded"]);
    assert!(!without.contains(&"grounded".to_owned()) && without.len() >= 8, "{without:?}");
    assert_eq!(place.verdict(&["--skip", "grounded"], &record)["decision"], "unverifiable");
}

#[test]
fn a_large_output_is_read_from_its_file_if_its_hash_is_right() {
    let place = Place::new();
    let whole = "It is a long story.\n".repeat(100) + "The end is in src/main.rs:2.\n";
    place.write("out/a.txt", &whole);
    let hash = blake3::hash(whole.as_bytes()).to_hex().to_string();
    let mut record = answer("It is a long story.");
    record["dispatch"]["output_file"] = json!({"path": "out/a.txt", "bytes": whole.len(), "blake3": hash});
    assert_eq!(place.verdict(&[], &record)["decision"], "accept");
    place.write("out/a.txt", &whole.replace("main", "nowhere"));
    let verdict = place.verdict(&[], &record);
    assert_ne!(verdict["decision"], "accept", "{verdict}");
    assert!(verdict.to_string().contains("its hash differs"), "{verdict}");
    std::fs::remove_file(place.path().join("out/a.txt")).unwrap();
    assert_ne!(place.verdict(&[], &record)["decision"], "accept");
}

#[test]
fn the_next_tier_is_one_up_within_the_task_s_limits() {
    let place = Place::new();
    for (tier, task, decision, to) in [
        (0, json!({"text": "x"}), "escalate", json!(1)),
        (1, json!({"text": "x"}), "escalate", json!(2)),
        (2, json!({"text": "x"}), "escalate", json!(3)),
        (3, json!({"text": "x"}), "blocked", Value::Null),
        (0, json!({"text": "x", "min_tier": 2}), "escalate", json!(2)),
        (1, json!({"text": "x", "max_tier": 1}), "blocked", Value::Null),
        (1, json!({"text": "x", "max_tier": 2}), "escalate", json!(2)),
        (1, json!({"text": "x", "budget_usd": 0.5}), "escalate", json!(2)),
        (1, json!({"text": "x", "budget_usd": 0.3}), "blocked", Value::Null),
    ] {
        let mut record = answer("src/nowhere.rs:1");
        record["task"] = task.clone();
        record["dispatch"]["tier"] = tier.into();
        record["dispatch"]["cost_usd"] = 0.2.into();
        record["dispatch"]["earlier"] =
            json!([{"attempt": 0, "tier": 0, "status": "ok", "cost_usd": 0.1, "elapsed_ms": 1}]);
        let verdict = place.verdict(&[], &record);
        assert_eq!(
            (&verdict["decision"], &verdict["escalate_to"]),
            (&decision.into(), &to),
            "{tier} {task}: {verdict}"
        );
    }
}

#[test]
fn a_blocked_attempt_says_what_a_person_has_to_do() {
    let place = Place::new();
    for (status, wanted) in [
        ("auth", "--rerun auth"),
        ("quota", "--rerun quota"),
        ("budget", "--rerun budget"),
        ("unavailable", "configure"),
        ("skipped", "depends on"),
        ("cancelled", "runs it again"),
        ("transport", "--rerun transport"),
    ] {
        let mut record = answer("");
        record["dispatch"]["status"] = status.into();
        record["dispatch"]["reason"] = "as the backend says".into();
        let verdict = place.verdict(&[], &record);
        assert_eq!(verdict["decision"], "blocked", "{status}");
        let reason = verdict["reason"].as_str().unwrap();
        assert!(reason.contains(wanted) && reason.contains("as the backend says"), "{status}: {reason}");
    }
}

#[test]
fn explain_tells_people_and_leaves_the_records_alone() {
    let place = Place::new();
    let input = format!(
        "{}\n{}\n",
        answer("src/main.rs:1"),
        answer("src/nowhere.rs:1").to_string().replace("\"a\"", "\"b\"")
    );
    let (plain, explained) = (place.run(&[], &input), place.run(&["--explain"], &input));
    assert_eq!(plain.stdout, explained.stdout);
    assert_eq!(text(&plain.stderr), "");
    let told = text(&explained.stderr);
    assert!(told.starts_with("a: accept (0.85): "), "{told}");
    assert!(told.contains("b: escalate to tier 2"), "{told}");
    assert!(told.ends_with("1 accept, 1 escalate\n"), "{told}");
}

#[test]
fn a_closed_output_is_quiet_and_a_full_one_is_fatal() {
    let place = Place::new();
    let many = (answer("src/main.rs:1").to_string() + "\n").repeat(2000);
    let mut child = place
        .command(&[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let _ = child.stdin.take().unwrap().write_all(many.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    if Path::new("/dev/full").exists() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut child =
            place.command(&[]).stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(many.as_bytes());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(4));
        assert!(text(&output.stderr).contains("cannot write"), "{}", text(&output.stderr));
    }
}

#[test]
fn order_is_kept_with_many_jobs() {
    let place = Place::new();
    let input: String = (0..200)
        .map(|n| answer("src/main.rs:1").to_string().replace("\"a\"", &format!("\"{n}\"")) + "\n")
        .collect();
    let output = text(&place.run(&["--jobs", "8"], &input).stdout);
    let ids: Vec<Value> =
        output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(ids, (0..200).map(|n| json!(n.to_string())).collect::<Vec<_>>());
}

#[test]
fn the_report_counts_all_attempts_and_says_what_it_could_not_read() {
    let place = Place::new();
    let record = json!({"id": "a", "task": "x", "dispatch": {"attempt": 2, "status": "ok", "executor": "e", "tier": 2,
        "cost_usd": 0.02, "elapsed_ms": 30, "earlier": [{"attempt": 1, "tier": 1, "status": "ok", "cost_usd": 0.01, "elapsed_ms": 10}]}});
    let output = place.run(&["report", "--format", "json"], &record.to_string());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["cost_usd"], &report["attempts"], &report["elapsed_ms"]),
        (&json!(0.03), &json!(2), &json!(40))
    );
    let table = text(&place.run(&["report"], &record.to_string()).stdout);
    assert!(table.contains("$0.0300  $0.0100 of it for rejected drafts"), "{table}");
    let broken = place.run(&["report"], "oops\n");
    assert_eq!(broken.status.code(), Some(3));
    assert!(text(&broken.stderr).contains("line 1"), "{}", text(&broken.stderr));
    assert_eq!(place.run(&["report", "nowhere.jsonl"], "").status.code(), Some(2));
    assert_eq!(place.run(&["report"], "").status.code(), Some(0));
}

#[test]
fn the_help_shows_examples_and_exit_statuses() {
    let place = Place::new();
    let help = text(&place.run(&["--help"], "").stdout);
    for wanted in ["Examples:", "Exit status:", "--only", "report", "Common options:"] {
        assert!(help.contains(wanted), "{wanted}: {help}");
    }
}

/// A part of `p`, with an answer that is accepted or one that is not.
fn part(number: u32, is_right: bool) -> Value {
    let output =
        if is_right { "src/main.rs:1 has the entry point" } else { "src/no.rs:1 has the entry point" };
    json!({"id": format!("p.{number}"), "task": {"text": "find it", "parent": "p"}, "classify": routed(1, "explore"),
        "dispatch": {"attempt": 1, "status": "ok", "executor": "explore", "tier": 1, "output": output, "files_changed": []}})
}

fn routed(tier: u8, executor: &str) -> Value {
    json!({"tier": tier, "executor": executor, "confidence": 1, "risk": "low", "scores": {"1": 1, "2": 0, "3": 0}})
}

/// The record that joins two parts.
fn whole(task: Value) -> Value {
    json!({"id": "p", "task": task, "classify": routed(2, "implement"),
        "dispatch": {"attempt": 1, "status": "ok", "executor": "implement", "backend": "parts", "tier": 0, "output": "# p.1\n\nsrc/no.rs",
            "cost_usd": 0, "inputs": {"p.1": 1, "p.2": 1},
            "parts": [{"id": "p.1", "attempt": 1, "status": "ok"}, {"id": "p.2", "attempt": 1, "status": "ok"}]}})
}

fn judged(place: &Place, arguments: &[&str], records: &[Value]) -> Value {
    let input: String = records.iter().map(|record| format!("{record}\n")).collect();
    let output = place.run(arguments, &input);
    let last =
        text(&output.stdout).lines().last().map(|line| serde_json::from_str::<Value>(line).unwrap()).unwrap();
    assert_eq!(
        text(&place.run(arguments, &text(&output.stdout)).stdout),
        text(&output.stdout),
        "a second time"
    );
    last["verify"].clone()
}

#[test]
fn a_whole_is_judged_by_its_parts_and_what_was_asked_of_it() {
    let place = Place::new();
    let decision = |records: &[Value]| {
        let verify = judged(&place, &[], records);
        (
            verify["decision"].as_str().unwrap().to_owned(),
            verify["reason"].as_str().unwrap().to_owned(),
            verify["escalate_to"].as_u64(),
        )
    };
    let (right, wrong) = (part(1, true), part(2, false));
    let accepted = decision(&[right.clone(), part(2, true), whole(json!("x"))]);
    assert_eq!(accepted, ("accept".to_owned(), "each of its parts is accepted".to_owned(), None));
    let (escalated, why, to) = decision(&[right.clone(), wrong, whole(json!("x"))]);
    assert_eq!(
        (escalated.as_str(), why.as_str(), to),
        ("escalate", "its part `p.2` goes on to another attempt", Some(1))
    );
    let (unknown, why, _) = decision(&[right.clone(), whole(json!("x"))]);
    assert_eq!((unknown.as_str(), why.as_str()), ("unverifiable", "its part `p.2` has no verdict here"));
    // Each part is right, and the whole is not what was asked for: somebody has to do it anew, above the hardest part.
    let asked = json!({"text": "x", "accept": [{"kind": "file", "path": "result.txt"}]});
    let (escalated, _, to) = decision(&[right, part(2, true), whole(asked)]);
    assert_eq!((escalated.as_str(), to), ("escalate", Some(3)));
}

#[test]
fn a_whole_that_dispatch_has_seen_accepted_needs_its_parts_no_more() {
    let mut record = whole(json!("x"));
    for part in record["dispatch"]["parts"].as_array_mut().unwrap() {
        part["decision"] = "accept".into();
    }
    assert_eq!(judged(&Place::new(), &[], &[record])["decision"], "accept");
}

#[test]
fn a_whole_whose_part_is_rejected_is_a_no() {
    let input = format!("{}\n{}\n{}\n", part(1, true), part(2, false), whole(json!("x")));
    assert_eq!(Place::new().run(&["-e"], &input).status.code(), Some(1));
}

#[test]
fn the_report_counts_parts_and_not_the_whole_as_well() {
    let mut priced = part(1, true);
    priced["dispatch"]["cost_usd"] = 0.25.into();
    let input = format!("{priced}\n{}\n{}\n", part(2, true), whole(json!("x")));
    let output = Place::new().run(&["report", "--format", "json"], &input);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    assert_eq!((report["tasks"].as_u64(), report["cost_usd"].as_f64()), (Some(2), Some(0.25)));
}
