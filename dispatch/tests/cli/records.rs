//! What becomes of a record.

use crate::harness::Place;

#[test]
fn a_program_gets_the_text_on_standard_input() {
    let ran = Place::new().run_script("", "cat", "{\"id\":\"a\",\"task\":\"say $(id)\"}\n").exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!(dispatch["output"], "say $(id)");
    assert_eq!((dispatch["status"].as_str(), dispatch["backend"].as_str()), (Some("ok"), Some("command")));
    assert_eq!((dispatch["attempt"].as_u64(), dispatch["exit_code"].as_i64()), (Some(1), Some(0)));
}

#[test]
fn a_program_gets_the_text_as_one_argument_where_it_says_so() {
    let place = Place::new();
    let mut command = place.command("");
    command.args(["--", "printf", "<%s><%s>", "x", "--text={}"]);
    let ran = crate::harness::finish(command, "{\"id\":\"a\",\"task\":\"two words; $(id)\"}\n").exits(0);
    assert_eq!(ran.record("a")["dispatch"]["output"], "<x><--text=two words; $(id)>");
}

#[test]
fn all_but_the_own_member_leaves_as_it_came() {
    let line = r#"{"x":{"n":1.10,"big":123456789012345678901234567890,"n":1e999} , "task" : "t","id":"a","s":"\ud800\u0041"}"#;
    let ran = Place::new().run_script("", "cat", &format!("{line}\n")).exits(0);
    let (kept, _) = ran.stdout.split_once(",\"dispatch\":").unwrap();
    assert_eq!(kept, line.strip_suffix('}').unwrap());
}

#[test]
fn records_that_need_nothing_leave_byte_for_byte() {
    let input = concat!(
        "{\"id\":\"done\",\"task\":\"x\",\"dispatch\":{\"attempt\":1,\"status\":\"ok\",\"executor\":\"e\",\"tier\":1} }\n",
        "{\"id\":\"bad\",\"task\":\"x\",\"errors\":[{\"stage\":\"classify\",\"message\":\"no\"}]}\n",
        "{\"id\":\"ok\",\"task\":\"x\",\"dispatch\":{\"attempt\":2,\"status\":\"ok\",\"executor\":\"e\",\"tier\":1},\"verify\":{\"attempt\":2,\"decision\":\"accept\",\"confidence\":1,\"checks\":[],\"reason\":\"r\"}}\n",
    );
    let place = Place::new();
    let ran = place.run_script("", "echo ran >> ran", input).exits(0);
    assert_eq!(ran.stdout, input);
    assert_eq!(place.read("ran"), "");
    assert!(!place.path().join(".specpipe").exists(), "nothing was run, so nothing is kept");
}

#[test]
fn dispatching_twice_is_dispatching_once() {
    let place = Place::new();
    let once = place.run_script(
        "",
        "cat",
        "{\"id\":\"a\",\"task\":\"x\"}\n{\"id\":\"b\",\"task\":{\"text\":\"y\",\"depends_on\":[\"a\"]}}\n",
    );
    let twice = place.run_script("", "echo again", &once.stdout).exits(0);
    assert_eq!(twice.stdout, once.stdout);
}

#[test]
fn a_failed_program_is_data_and_no_with_exit_status() {
    let place = Place::new();
    let input = "{\"id\":\"a\",\"task\":\"x\"}\n";
    let ran = place.run_script("", "echo out; echo why >&2; exit 7", input).exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!((dispatch["status"].as_str(), dispatch["exit_code"].as_i64()), (Some("failed"), Some(7)));
    assert_eq!((dispatch["output"].as_str(), dispatch["stderr"].as_str()), (Some("out\n"), Some("why\n")));
    place.run_script("-e", "exit 7", input).exits(1);
    place.run_script("-e", "exit 0", input).exits(0);
}

#[test]
fn a_line_that_is_no_record_leaves_as_one_that_says_so() {
    let ran = Place::new().run_script("", "cat", "{\"id\":\"a\",\"task\":\"x\"}\nnonsense\n[1]\n").exits(3);
    let records = ran.records();
    assert_eq!(records.len(), 3);
    assert_eq!(
        (records[1]["errors"][0]["line"].as_u64(), records[1]["errors"][0]["raw"].as_str()),
        (Some(2), Some("nonsense"))
    );
    assert!(ran.stderr.contains("dispatch: error: line 2: not a record"), "{}", ran.stderr);
}

#[test]
fn what_can_not_be_run_says_why_and_the_rest_is_run() {
    let input = concat!(
        "{\"id\":\"a\"}\n",
        "{\"id\":\"b\",\"task\":{\"text\":\"x\",\"executor\":\"explorer\"}}\n",
        "{\"id\":\"c\",\"task\":{\"text\":\"x\",\"timeout\":\"soon\"}}\n",
        "{\"id\":\"d\",\"task\":7}\n",
        "{\"id\":\"e\",\"task\":\"x\",\"verify\":{\"attempt\":\"one\"}}\n",
        "{\"id\":\"f\",\"task\":\"x\"}\n",
    );
    let ran = Place::new().run_script("", "cat", input).exits(3);
    let message = |id: &str| ran.record(id)["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(message("a"), "the record has no `task`");
    assert_eq!(message("b"), "there is no executor `explorer`");
    assert!(message("c").starts_with("`task.timeout` can not be read"));
    assert!(message("d").starts_with("`task` can not be read"));
    assert!(message("e").starts_with("`verify` can not be read"));
    assert_eq!(ran.record("f")["dispatch"]["status"], "ok");
}

const REJECTED: &str = r#"{"id":"a","task":{"text":"write it"},"classify":{"tier":1,"executor":"explore","confidence":1,"risk":"low","scores":{"1":1,"2":0,"3":0}},"dispatch":{"attempt":1,"status":"ok","executor":"explore","backend":"command","tier":1,"output":"draft one","cost_usd":0.25,"elapsed_ms":5},"gates":{"attempt":1,"outcome":"fail","results":[{"gate":"tests","type":"fact","outcome":"fail","findings":[{"path":"src/x.rs","line":3,"rule":"test","severity":"error","message":"it_works failed"}]}]},"verify":{"attempt":1,"decision":"DECISION","confidence":0.9,"checks":[{"name":"grounded","outcome":"fail","detail":"src/y.rs does not exist"}],"reason":"2 checks failed","escalate_to":2}}"#;

#[test]
fn a_rejected_attempt_is_made_again_one_tier_up_and_told_why() {
    let ran = Place::new().run_script("", "cat", &REJECTED.replace("DECISION", "escalate")).exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!((dispatch["attempt"].as_u64(), dispatch["tier"].as_u64()), (Some(2), Some(2)));
    let earlier = &dispatch["earlier"][0];
    assert_eq!((earlier["attempt"].as_u64(), earlier["decision"].as_str()), (Some(1), Some("escalate")));
    assert_eq!(
        (earlier["reason"].as_str(), earlier["cost_usd"].as_f64()),
        (Some("2 checks failed"), Some(0.25))
    );
    let told = dispatch["output"].as_str().unwrap();
    assert!(told.starts_with("write it\n"), "{told}");
    assert!(
        told.contains("grounded: src/y.rs does not exist") && told.contains("src/x.rs:3: it_works failed"),
        "{told}"
    );
    assert!(!told.contains("draft one"), "{told}");
    assert_eq!(ran.record("a")["verify"]["attempt"], 1, "what verify said is not ours to change");
}

#[test]
fn a_repair_is_given_what_it_repairs() {
    let ran = Place::new().run_script("", "cat", &REJECTED.replace("DECISION", "fix")).exits(0);
    assert!(ran.record("a")["dispatch"]["output"].as_str().unwrap().contains("draft one"));
}

#[test]
fn other_decisions_ask_for_nothing() {
    for decision in ["accept", "unverifiable", "blocked"] {
        let line = REJECTED.replace("DECISION", decision);
        let ran = Place::new().run_script("", "cat", &line).exits(0);
        assert_eq!(ran.stdout.trim_end(), line, "{decision}");
    }
}

#[test]
fn an_interrupted_attempt_is_made_again_and_others_when_asked() {
    let ended = |status: &str| {
        format!(
            "{{\"id\":\"a\",\"task\":\"x\",\"dispatch\":{{\"attempt\":1,\"status\":\"{status}\",\"executor\":\"e\",\"tier\":1}}}}\n"
        )
    };
    let place = Place::new();
    let attempt = |arguments: &str, status: &str| {
        place.run_script(arguments, "cat", &ended(status)).exits(0).record("a")["dispatch"]["attempt"].clone()
    };
    assert_eq!(attempt("", "cancelled"), 2);
    assert_eq!(attempt("", "timeout"), 1);
    assert_eq!(attempt("--rerun timeout,budget", "timeout"), 2);
}

#[test]
fn several_files_are_one_input() {
    let place = Place::new();
    place.write("a.jsonl", "{\"id\":\"a\",\"task\":{\"text\":\"x\",\"depends_on\":[\"b\"]}}");
    place.write("b.jsonl", "{\"id\":\"b\",\"task\":\"y\"}\n");
    let ran = place.run_script("a.jsonl b.jsonl", "cat", "").exits(0);
    assert_eq!(ran.ids(), ["a", "b"]);
    assert_eq!(ran.record("a")["dispatch"]["inputs"]["b"], 1);
    let missing = place.run("c.jsonl", "").exits(2);
    assert!(missing.stderr.contains("cannot read `c.jsonl`"), "{}", missing.stderr);
}

#[test]
fn a_plan_runs_nothing_and_shows_everything() {
    let place = Place::new();
    let input = concat!(
        "{\"id\":\"late\",\"task\":{\"text\":\"think about it\",\"depends_on\":[\"early\"]}}\n",
        "{\"id\":\"early\",\"task\":{\"text\":\"x\",\"run\":[\"touch\",\"ran\"]}}\n",
        "{\"id\":\"done\",\"task\":\"x\",\"dispatch\":{\"attempt\":1,\"status\":\"ok\",\"executor\":\"e\",\"tier\":1}}\n",
        "{\"id\":\"lost\",\"task\":{\"text\":\"x\",\"depends_on\":[\"gone\"]}}\n",
    );
    let mut command = place.command("--dry-run");
    command.env("SPECPIPE_DISPATCH_BACKEND", "anthropic");
    let ran = crate::harness::finish(command, input).exits(3);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[1].contains("early") && lines[1].contains("local"), "{}", ran.stdout);
    assert!(lines[2].contains("late") && lines[2].contains("claude-haiku-5-5"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("2 tasks to run, 2 records to pass as they are; the longest chain has 2 tasks"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("it depends on `gone`, which is not in the input"), "{}", ran.stderr);
    assert!(!place.path().join("ran").exists() && !place.path().join(".specpipe").exists());
}
