//! What runs when, and in which order records leave.

use std::io::{BufRead, BufReader, Write};

use crate::harness::{Place, finish};

#[test]
fn a_task_starts_when_what_it_needs_has_ended_and_is_given_it() {
    let place = Place::new();
    let input = concat!(
        "{\"id\":\"c\",\"task\":{\"text\":\"c\",\"depends_on\":[\"a\",\"b\"]}}\n",
        "{\"id\":\"b\",\"task\":{\"text\":\"b\",\"depends_on\":[\"a\"]}}\n",
        "{\"id\":\"a\",\"task\":\"a\"}\n",
    );
    let ran = place.run_script("-j 4", "echo $SPECPIPE_ID >> order; cat; cat $SPECPIPE_INPUTS; cat $SPECPIPE_PROMPT; ls $SPECPIPE_INPUTS >> files",
        input,
    ).exits(0);
    assert_eq!(place.read("order"), "a\nb\nc\n");
    assert_eq!(ran.ids(), ["c", "b", "a"], "records leave in input order");
    let c = &ran.record("c")["dispatch"];
    assert_eq!(c["inputs"], serde_json::json!({"a": 1, "b": 1}));
    let told = c["output"].as_str().unwrap();
    assert!(told.starts_with(r#"c[{"attempt":1,"bytes":1,"id":"a","output":"a"},{"#), "{told}");
    assert!(told.contains("# Result of a\n\na\n") && told.contains("# Result of b\n"), "{told}");
    let files = place.read("files");
    let left = files.lines().filter(|file| file.starts_with('/') && std::path::Path::new(file).exists());
    assert_eq!((left.count(), files.is_empty()), (0, false), "{files}");
}

#[test]
fn a_plain_program_is_told_the_text_alone() {
    let place = Place::new();
    let input: String = (0..60)
        .map(|n| match n {
            0 => "{\"id\":\"t0\",\"task\":\"0\"}\n".to_owned(),
            n => format!(
                "{{\"id\":\"t{n}\",\"task\":{{\"text\":\"0\",\"context\":{{\"n\":{n}}},\"depends_on\":[\"t{}\",\"t{}\"]}}}}\n",
                n / 2,
                n - 1
            ),
        })
        .collect();
    let ran = place.run("-- sleep {}", &input).exits(0);
    assert!(ran.records().iter().all(|record| record["dispatch"]["status"] == "ok"), "{}", ran.stdout);
    let ran = place.run("-- cat", &input).exits(0);
    assert!(ran.records().iter().all(|record| record["dispatch"]["output"] == "0"), "{}", ran.stdout);
}

#[test]
fn tasks_that_need_nothing_of_each_other_run_at_the_same_time() {
    // Each waits for the other: one after the other they would wait for ever.
    let script = "touch $SPECPIPE_ID; while [ ! -e a ] || [ ! -e b ]; do sleep 0.01; done";
    let input = "{\"id\":\"a\",\"task\":\"x\"}\n{\"id\":\"b\",\"task\":\"x\"}\n";
    let ran = Place::new().run_script("-j 2 --timeout 20s", script, input).exits(0);
    assert_eq!(
        (ran.record("a")["dispatch"]["status"].as_str(), ran.record("b")["dispatch"]["status"].as_str()),
        (Some("ok"), Some("ok"))
    );
}

#[test]
fn no_more_run_at_once_than_may() {
    let place = Place::new();
    let input: String = (0..12).map(|n| format!("{{\"id\":\"t{n}\",\"task\":\"x\"}}\n")).collect();
    let script =
        "mkdir -p now; touch now/$SPECPIPE_ID; ls now | wc -l >> seen; sleep 0.02; rm now/$SPECPIPE_ID";
    place.run_script("-j 3", script, &input).exits(0);
    let seen = place.read("seen");
    assert!(seen.lines().all(|count| count.trim().parse::<u32>().unwrap() <= 3), "{seen}");
}

#[test]
fn records_leave_as_they_end_if_that_is_wanted() {
    // The first ends when the second has been noted as finished.
    let script = "[ $SPECPIPE_ID = b ] || until grep -q '\"finished\".*\"id\":\"b\"' .specpipe/journal/dispatch.jsonl; do sleep 0.01; done";
    let input = "{\"id\":\"a\",\"task\":\"x\"}\n{\"id\":\"b\",\"task\":\"x\"}\n";
    assert_eq!(Place::new().run_script("-j 2 --as-completed", script, input).exits(0).ids(), ["b", "a"]);
    assert_eq!(Place::new().run_script("-j 2", script, input).exits(0).ids(), ["a", "b"]);
}

#[test]
fn a_record_leaves_as_soon_as_it_can_while_the_input_is_open() {
    let place = Place::new();
    let mut command = place.command("");
    let mut child = command.args(["--", "cat"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for id in ["a", "b"] {
        writeln!(stdin, "{{\"id\":\"{id}\",\"task\":\"x\"}}").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("{{\"id\":\"{id}\"")), "{line}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn circles_unknown_and_repeated_ids_are_named_and_cost_only_themselves() {
    let input = concat!(
        "{\"id\":\"a\",\"task\":{\"text\":\"x\",\"depends_on\":[\"b\"]}}\n",
        "{\"id\":\"b\",\"task\":{\"text\":\"x\",\"depends_on\":[\"c\"]}}\n",
        "{\"id\":\"c\",\"task\":{\"text\":\"x\",\"depends_on\":[\"a\"]}}\n",
        "{\"id\":\"self\",\"task\":{\"text\":\"x\",\"depends_on\":[\"self\"]}}\n",
        "{\"id\":\"lost\",\"task\":{\"text\":\"x\",\"depends_on\":[\"gone\",\"nowhere\"]}}\n",
        "{\"id\":\"twice\",\"task\":\"x\"}\n",
        "{\"id\":\"twice\",\"task\":\"y\"}\n",
        "{\"id\":\"after\",\"task\":{\"text\":\"x\",\"depends_on\":[\"lost\"]}}\n",
        "{\"id\":\"fine\",\"task\":{\"text\":\"x\",\"depends_on\":[\"twice\"]}}\n",
    );
    let ran = Place::new().run_script("", "cat", input).exits(3);
    let error = |index: usize| ran.records()[index]["errors"][0].clone();
    for index in 0..3 {
        assert_eq!(error(index)["message"], "the tasks depend on each other in a circle: a → b → c → a");
        assert!(error(index)["hint"].is_string());
    }
    assert_eq!(error(3)["message"], "the task depends on itself: self → self");
    assert_eq!(error(4)["message"], "it depends on `gone` and `nowhere`, which is not in the input");
    assert_eq!(ran.records()[5]["dispatch"]["status"], "ok");
    assert_eq!(error(6)["message"], "the id `twice` is taken by the record on line 6");
    let after = &ran.record("after")["dispatch"];
    assert_eq!(
        (after["status"].as_str(), after["reason"].as_str()),
        (Some("skipped"), Some("its dependency `lost` could not be processed"))
    );
    assert_eq!(ran.record("fine")["dispatch"]["status"], "ok");
    assert!(ran.stderr.contains("line 4, id self: the task depends on itself"), "{}", ran.stderr);
}

#[test]
fn what_needs_a_failed_task_is_skipped_and_run_when_that_has_been_done() {
    let place = Place::new();
    let input = "{\"id\":\"a\",\"task\":\"x\"}\n{\"id\":\"b\",\"task\":{\"text\":\"y\",\"depends_on\":[\"a\"]}}\n{\"id\":\"c\",\"task\":{\"text\":\"z\",\"depends_on\":[\"b\"]}}\n";
    let failed = place.run_script("", "exit 1", input).exits(0);
    let skipped = &failed.record("b")["dispatch"];
    assert_eq!(
        (skipped["status"].as_str(), skipped["reason"].as_str()),
        (Some("skipped"), Some("its dependency `a` ended as failed"))
    );
    assert_eq!(failed.record("c")["dispatch"]["reason"], "its dependency `b` ended as skipped");
    assert_eq!(
        place.run_script("", "exit 0", &failed.stdout).exits(0).stdout,
        failed.stdout,
        "nothing has changed"
    );
    let done = place.run_script("--rerun failed", "cat", &failed.stdout).exits(0);
    for id in ["a", "b", "c"] {
        let dispatch = &done.record(id)["dispatch"];
        assert_eq!(
            (dispatch["status"].as_str(), dispatch["attempt"].as_u64()),
            (Some("ok"), Some(2)),
            "{id}"
        );
    }
}

#[test]
fn a_result_made_from_a_replaced_one_is_made_again() {
    let input = concat!(
        r#"{"id":"a","task":"x","dispatch":{"attempt":1,"status":"ok","executor":"explore","tier":1,"output":"wrong"},"verify":{"attempt":1,"decision":"escalate","confidence":1,"checks":[],"reason":"r","escalate_to":2}}"#,
        "\n",
        r#"{"id":"b","task":{"text":"y","depends_on":["a"]},"dispatch":{"attempt":1,"status":"ok","executor":"explore","tier":1,"output":"from wrong","inputs":{"a":1}}}"#,
        "\n",
        r#"{"id":"c","task":{"text":"z","depends_on":["b"]},"dispatch":{"attempt":4,"status":"ok","executor":"explore","tier":1,"output":"of another","inputs":{"b":7}}}"#,
        "\n",
    );
    let ran = Place::new().run_script("", "cat", input).exits(0);
    let b = &ran.record("b")["dispatch"];
    assert_eq!(
        (b["attempt"].as_u64(), b["tier"].as_u64(), &b["inputs"]["a"]),
        (Some(2), Some(1), &serde_json::json!(2))
    );
    assert_eq!(b["earlier"][0]["reason"], "its input `a` was replaced: attempt 1 by attempt 2");
    assert_eq!(ran.record("c")["dispatch"]["attempt"], 4, "its input is not newer than what it used");
}

#[test]
fn dependents_wait_for_an_accepted_result_if_that_is_wanted() {
    let done = |verdict: &str| {
        format!(
            "{{\"id\":\"a\",\"task\":\"x\",\"dispatch\":{{\"attempt\":1,\"status\":\"ok\",\"executor\":\"e\",\"tier\":1,\"output\":\"A\"}}{verdict}}}\n{{\"id\":\"b\",\"task\":{{\"text\":\"y\",\"depends_on\":[\"a\"]}}}}\n{{\"id\":\"c\",\"task\":{{\"text\":\"z\",\"depends_on\":[\"b\"]}}}}\n"
        )
    };
    let accepted =
        ",\"verify\":{\"attempt\":1,\"decision\":\"accept\",\"confidence\":1,\"checks\":[],\"reason\":\"r\"}";
    let place = Place::new();
    let waiting = place.run_script("--deps accepted", "cat", &done("")).exits(0);
    assert_eq!(waiting.stdout, done(""), "nothing is run, and nothing is said to be wrong");
    let ran = place.run_script("--deps accepted", "cat", &done(accepted)).exits(0);
    assert_eq!(ran.record("b")["dispatch"]["status"], "ok");
    assert!(ran.record("c")["dispatch"].is_null(), "b has no verdict yet");
    let finished = place.run_script("", "cat", &done("")).exits(0);
    assert_eq!(finished.record("c")["dispatch"]["status"], "ok");
}

#[test]
fn the_tasks_of_a_random_graph_all_run_after_what_they_need() {
    let place = Place::new();
    let mut seed = 7u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut needs: Vec<Vec<u64>> = vec![Vec::new()];
    for task in 1..300u64 {
        let count = next(4);
        needs.push((0..count).map(|_| next(task)).collect());
    }
    let mut order: Vec<u64> = (0..300).collect();
    for index in (1..order.len()).rev() {
        order.swap(index, next(index as u64 + 1) as usize);
    }
    let line = |task: &u64| {
        let needs: Vec<String> = needs[*task as usize].iter().map(|need| format!("\"t{need}\"")).collect();
        format!("{{\"id\":\"t{task}\",\"task\":{{\"text\":\"x\",\"depends_on\":[{}]}}}}\n", needs.join(","))
    };
    let input: String = order.iter().map(line).collect();
    let mut command = place.command("-j 8");
    command.args(["--", "sh", "-c", "echo $SPECPIPE_ID >> order"]);
    let ran = finish(command, &input).exits(0);
    let expected: Vec<String> = order.iter().map(|task| format!("t{task}")).collect();
    assert_eq!(ran.ids(), expected);
    let log = place.read("order");
    let position = |task: u64| log.lines().position(|line| line == format!("t{task}")).unwrap();
    assert_eq!(log.lines().count(), 300);
    for (task, needs) in needs.iter().enumerate() {
        assert!(
            needs.iter().all(|need| position(*need) < position(task as u64)),
            "t{task} started too early"
        );
    }
}
