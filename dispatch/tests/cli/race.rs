//! Several drafts of one task at once.

use std::process::Stdio;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Place, Ran, finish, is_alive, signal, wait_until};

const TASK: &str = "{\"id\":\"a\",\"task\":\"think about it\"}\n";

fn task(rest: &str) -> String {
    format!("{{\"id\":\"a\",\"task\":{{\"text\":\"do it\"{rest}}}}}\n")
}

fn rivals(record: &Value) -> Vec<(String, String)> {
    let rivals = record["dispatch"]["rivals"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rivals.iter().map(|rival| (text(&rival["status"]), text(&rival["reason"]))).collect()
}

/// Runs with a command in place of `--check`, which may have spaces in it.
fn checked(place: &Place, arguments: &str, check: &str, script: &str, input: &str) -> Ran {
    let mut command = place.command(arguments);
    command.args(["--check", check, "--", "sh", "-c", script]);
    finish(command, input)
}

#[test]
fn the_first_accepted_draft_wins_and_the_others_end_with_all_they_have_started() {
    let place = Place::new();
    // The second draft waits until the others are there; they would run for ever.
    let script = "if [ $SPECPIPE_DRAFT = 2 ]; then until [ -s pid1 ] && [ -s pid3 ]; do sleep 0.01; done; echo two; exit; fi
        setsid sleep 600 & echo $! > child$SPECPIPE_DRAFT
        echo $$ > new$SPECPIPE_DRAFT; mv new$SPECPIPE_DRAFT pid$SPECPIPE_DRAFT; sleep 600; sleep 600";
    let ran = place.run_script("--race 3 -j 3", script, TASK).exits(0);
    assert_eq!(ran.ids(), ["a"]);
    let record = ran.record("a");
    let dispatch = &record["dispatch"];
    assert_eq!(
        (&dispatch["status"], &dispatch["output"], &dispatch["attempt"]),
        (&json!("ok"), &json!("two\n"), &json!(1))
    );
    assert_eq!(dispatch["race"], json!({"wanted": 3, "started": 3, "accepted": true, "expected_usd": 0.0}));
    let rivals = rivals(&record);
    assert_eq!(rivals.len(), 2);
    for (status, reason) in rivals {
        assert_eq!(status, "cancelled");
        assert!(reason.contains("another draft was accepted first"), "{reason}");
    }
    for name in ["pid1", "pid3", "child1", "child3"] {
        assert!(!is_alive(&place.read(name)), "{name}");
    }
}

#[test]
fn a_check_decides_and_gets_the_record_of_the_draft() {
    let place = Place::new();
    let check = "tee -a seen | grep -q '\"output\":\"draft 2'";
    // One place: the second draft is made because the first was not accepted, the third is not.
    let script = "echo draft $SPECPIPE_DRAFT; echo $SPECPIPE_DRAFT >> ran";
    let ran = checked(&place, "--race 3 -j 1", check, script, TASK).exits(0);
    let record = ran.record("a");
    assert_eq!(record["dispatch"]["output"], "draft 2\n");
    assert_eq!((place.read("ran").as_str(), &record["dispatch"]["race"]["started"]), ("1\n2\n", &json!(2)));
    assert!(rivals(&record)[0].1.contains("the check did not accept it (exit code 1)"), "{record}");
    let seen: Value = serde_json::from_str(place.read("seen").lines().next().unwrap()).unwrap();
    assert_eq!(
        (&seen["id"], &seen["task"], &seen["dispatch"]["attempt"]),
        (&json!("a"), &json!("think about it"), &json!(1))
    );
    // The text of a task never gets into the shell that runs the check.
    let hostile = "{\"id\":\"a\",\"task\":\"x'; touch stolen; echo $(touch stolen) `touch stolen`\"}\n";
    checked(&place, "--race 2 -j 2 --no-journal", "cat > /dev/null", "cat", hostile).exits(0);
    assert!(!place.path().join("stolen").exists());
}

#[test]
fn without_an_accepted_draft_the_best_is_kept_with_its_status() {
    let place = Place::new();
    let script = "echo draft $SPECPIPE_DRAFT; [ $SPECPIPE_DRAFT = 2 ]";
    let ran = checked(&place, "--race 3 -j 3", "exit 1", script, TASK).exits(0);
    let record = ran.record("a");
    assert_eq!(
        (&record["dispatch"]["status"], &record["dispatch"]["output"]),
        (&json!("ok"), &json!("draft 2\n"))
    );
    assert_eq!(record["dispatch"]["race"]["accepted"], false);
    assert_eq!(
        rivals(&record).iter().map(|(status, _)| status.as_str()).collect::<Vec<_>>(),
        ["failed", "failed"]
    );

    let ran = place.run_script("--race 2 -j 2 --no-journal", "exit 7", TASK).exits(0);
    assert_eq!(ran.records()[0]["dispatch"]["status"], "failed");
    // What the task itself asks for is looked at, as far as that costs nothing.
    let accept = task(r#","accept":[{"kind":"contains","text":"draft 2"}]"#);
    let ran = place.run_script("--race 2 -j 1 --no-journal", "echo draft $SPECPIPE_DRAFT", &accept).exits(0);
    assert_eq!(ran.record("a")["dispatch"]["output"], "draft 2\n");
}

#[test]
fn only_the_tasks_that_are_meant_race_and_what_needs_no_model_never_does() {
    let place = Place::new();
    let classified = |id: &str, rest: &str| {
        format!(
            "{{\"id\":\"{id}\",\"task\":\"x\",\"classify\":{{\"tier\":2,\"executor\":\"explore\"{rest}}}}}\n"
        )
    };
    let input = classified("sure", "")
        + &classified("unsure", ",\"unsure\":true")
        + &classified("risky", ",\"risk\":\"high\"")
        + "{\"id\":\"plain\",\"task\":\"x\"}\n{\"id\":\"run\",\"task\":{\"text\":\"x\",\"run\":[\"true\"]}}\n";
    let raced = |arguments: &str| {
        let ran = place.run_script(arguments, "echo x", &input).exits(0);
        assert_eq!(ran.ids(), ["sure", "unsure", "risky", "plain", "run"]);
        let records = ran.records().into_iter().filter(|record| !record["dispatch"]["race"].is_null());
        records.map(|record| record["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(raced("--no-journal --race 2"), ["sure", "unsure", "risky", "plain"]);
    assert_eq!(raced("--no-journal --race 2 --race-if unsure"), ["unsure"]);
    assert_eq!(raced("--no-journal --race 2 --race-if unsure,risky"), ["unsure", "risky"]);
    assert!(raced("--no-journal --race 1").is_empty());
}

#[test]
fn tiers_race_within_what_the_task_allows_and_the_winner_says_its_own() {
    let place = Place::new();
    for tier in ["1", "2"] {
        place.write(
            &format!("tier{tier}.sh"),
            &format!("[ $SPECPIPE_TIER = {tier} ] || exit 9; echo tier {tier}"),
        );
    }
    place.write(
        "specpipe.toml",
        "[dispatch.race]\ndrafts = [1, 2]\ncheck = \"grep -q 'tier 1'\"\n[dispatch.tiers.1]\nbackend = \"small\"\n[dispatch.tiers.2]\nbackend = \"large\"\n\
         [dispatch.backends.small]\ncommand = [\"sh\", \"tier1.sh\"]\n[dispatch.backends.large]\ncommand = [\"sh\", \"tier2.sh\"]\n",
    );
    let run = |rest: &str| {
        let input = task(rest).replace("}}\n", "},\"classify\":{\"tier\":2,\"executor\":\"explore\"}}\n");
        let mut command = place.command("--no-journal");
        command.env_remove("SPECPIPE_DISPATCH_BACKEND");
        finish(command, &input).exits(0).record("a")["dispatch"].clone()
    };
    let dispatch = run("");
    assert_eq!((&dispatch["tier"], &dispatch["output"]), (&json!(1), &json!("tier 1\n")));
    assert_eq!(dispatch["race"]["wanted"], 2);
    let dispatch = run(",\"min_tier\":2");
    assert_eq!((&dispatch["tier"], dispatch["race"].is_null()), (&json!(2), true), "tier 1 is not allowed");
}

#[test]
fn the_work_of_drafts_that_lost_is_removed_and_that_of_the_winner_stays() {
    let place = Place::repository();
    let input = TASK.replace("}\n", ",\"classify\":{\"tier\":2,\"executor\":\"implement\"}}\n");
    let before = place.git(&["status", "--porcelain"]);
    let here = place.path().display().to_string();
    // The first is rejected after it has left a commit, the second never ends, the third is accepted when both are there.
    let script = format!(
        "case $SPECPIPE_DRAFT in
            1) echo one > a.txt; echo 1; ;;
            2) echo two > a.txt; echo $$ > {here}/pid; sleep 600 ;;
            3) echo three > a.txt; until [ -s {here}/pid ] && [ -s {here}/rejected ]; do sleep 0.01; done; echo 3 ;;
        esac"
    );
    let check = format!("if grep -q '\"output\":\"3'; then exit 0; fi; echo x > {here}/rejected; exit 1");
    let ran = checked(&place, "--race 3 -j 3", &check, &script, &input).exits(0);
    let record = ran.record("a");
    let dispatch = &record["dispatch"];
    assert_eq!(
        (&dispatch["output"], &dispatch["files_changed"]),
        (&json!("3\n"), &json!(["a.txt"])),
        "{record}"
    );
    let branch = dispatch["branch"].as_str().unwrap();
    assert_eq!(place.git(&["show", &format!("{branch}:a.txt")]), "three\n");
    let branches = place.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
    assert_eq!(branches.lines().collect::<Vec<_>>(), ["main", branch]);
    assert_eq!(place.git(&["worktree", "list"]).lines().count(), 2);
    assert!(!is_alive(&place.read("pid")));
    assert_eq!(place.read("a.txt"), "one\n");
    std::fs::remove_file(place.path().join("pid")).unwrap();
    std::fs::remove_file(place.path().join("rejected")).unwrap();
    assert_eq!(place.git(&["status", "--porcelain"]), before);
}

#[test]
fn a_race_that_was_killed_goes_on_and_no_draft_that_had_finished_is_made_again() {
    let place = Place::new();
    place.write("in.jsonl", TASK);
    let script = "echo $SPECPIPE_DRAFT >> ran; case $SPECPIPE_DRAFT in
        1) echo draft 1 ;;
        *) until [ -e go ]; do sleep 0.01; done; echo draft $SPECPIPE_DRAFT ;; esac";
    let start = || {
        let mut command = place.command("--race 2 -j 2 --resume in.jsonl");
        command.args(["--check", "grep -q 'draft 2'", "--", "sh", "-c", script]);
        command
    };
    let mut child = start().stdout(Stdio::null()).spawn().unwrap();
    let journal = || place.read(".specpipe/journal/dispatch.jsonl");
    wait_until("the first draft has finished and the second runs", || {
        journal().contains("\"finished\"") && place.read("ran").contains('2')
    });
    child.kill().unwrap();
    child.wait().unwrap();
    place.write("go", "");
    let record = finish(start(), "").exits(0).record("a");
    assert_eq!(record["dispatch"]["output"], "draft 2\n");
    let [(status, reason)] = &rivals(&record)[..] else { panic!("{record}") };
    assert!(status == "ok" && reason.contains("the check did not accept it"), "{record}");
    let ran = place.read("ran");
    assert_eq!((ran.matches('1').count(), ran.matches('2').count()), (1, 2), "{ran}");
    // Once it is over, nothing of it is done again.
    let again = finish(start(), "").exits(0).record("a");
    assert_eq!((again, place.read("ran")), (record, ran));
}

#[test]
fn an_interrupted_race_keeps_the_best_draft_and_leaves_nothing_running() {
    for (first, status) in [("sleep 600", "cancelled"), ("echo one", "ok")] {
        let place = Place::new();
        place.write(
            "in.jsonl",
            &(TASK.to_owned() + "{\"id\":\"b\",\"task\":{\"text\":\"x\",\"depends_on\":[\"a\"]}}\n"),
        );
        let script =
            format!("echo $$ > pid$SPECPIPE_DRAFT; [ $SPECPIPE_DRAFT = 1 ] || exec sleep 600; {first}");
        let mut command = place.command("--race 3 -j 2 in.jsonl");
        let checked = "echo x >> checked; exit 1";
        let child = command.args(["--check", checked, "--", "sh", "-c", &script]).spawn().unwrap();
        wait_until("two drafts run", || {
            !place.read("pid1").is_empty()
                && !place.read("pid2").is_empty()
                && (status != "ok" || !place.read("checked").is_empty())
        });
        signal(&child, Signal::INT);
        let ran = Ran::of(child.wait_with_output().unwrap()).exits(130);
        assert_eq!(ran.ids(), ["a", "b"]);
        assert_eq!(ran.record("a")["dispatch"]["status"], status, "{}", ran.stdout);
        assert!(ran.record("b")["dispatch"].is_null());
        for name in ["pid1", "pid2", "pid3"] {
            assert!(!is_alive(&place.read(name)) || place.read(name).is_empty(), "{name}");
        }
    }
}

/// A program that says like an agent program that its key was refused, or what it cost.
fn agent(status: &str) -> String {
    let said = match status {
        "refused" => {
            r#"{"type":"result","subtype":"success","is_error":true,"api_error_status":401,"result":"Invalid API key","total_cost_usd":0,"usage":{"input_tokens":7,"output_tokens":0}}"#
        }
        _ => {
            r#"{"type":"result","subtype":"success","is_error":false,"result":"done","total_cost_usd":0.5,"usage":{"input_tokens":1000,"output_tokens":100},"modelUsage":{"claude-haiku-5-5":{"inputTokens":1000,"outputTokens":100}}}"#
        }
    };
    format!("cat > /dev/null; echo x >> {status}; echo '{said}'")
}

#[test]
fn the_next_backend_of_a_tier_stands_in_for_one_that_can_not() {
    let place = Place::new();
    place.program("broken", &agent("refused"));
    place.program("working", &agent("done"));
    place.write(
        "specpipe.toml",
        "[dispatch.tiers.1]\nbackend = [\"first\", \"second\"]\n[dispatch.backends.first]\nkind = \"claude\"\ncommand = [\"broken\"]\n\
         [dispatch.backends.second]\nkind = \"claude\"\ncommand = [\"working\"]\n",
    );
    let run = |arguments: &str| {
        let mut command = place.command(arguments);
        command.env_remove("SPECPIPE_DISPATCH_BACKEND");
        finish(command, TASK).exits(0).record("a")
    };
    let record = run("--no-local");
    assert_eq!(
        (&record["dispatch"]["status"], &record["dispatch"]["output"]),
        (&json!("ok"), &json!("done")),
        "{record}"
    );
    let [(status, reason)] = &rivals(&record)[..] else { panic!("{record}") };
    assert!(status == "auth" && reason.starts_with("the next backend of the tier took over"), "{record}");
    assert_eq!(record["dispatch"]["rivals"][0]["usage"]["input_tokens"], 7, "what it told is paid");
    // A race takes both at once, and the one that can do it wins.
    let record = run("--no-local --no-journal --race 2 -j 2");
    assert_eq!(
        (&record["dispatch"]["output"], &record["dispatch"]["race"]["accepted"]),
        (&json!("done"), &json!(true))
    );
}

#[test]
fn a_race_that_can_not_be_paid_is_none_and_the_record_says_why() {
    let place = Place::new();
    place.program("claude", &agent("done"));
    let run = |arguments: &str| {
        let mut command = place.command(arguments);
        command.env("SPECPIPE_DISPATCH_BACKEND", "claude");
        finish(command, TASK).exits(0)
    };
    let race = |arguments: &str| run(arguments).record("a")["dispatch"]["race"].clone();
    let unknown = race("--no-local --no-journal --race 3 --race-budget 1");
    assert_eq!((&unknown["wanted"], &unknown["started"]), (&json!(3), &json!(1)));
    assert!(
        unknown["reason"].as_str().unwrap().contains("the price of another draft is not known"),
        "{unknown}"
    );
    let known = "--no-local --no-journal --model claude-haiku-5-5 --race 3 -j 3";
    let spent = race(&format!("{known} --race-budget 0.0000001"));
    assert!(spent["reason"].as_str().unwrap().contains("for races"), "{spent}");
    let paid = race(&format!("{known} --race-budget 1"));
    assert!(paid["reason"].is_null() && paid["expected_usd"].as_f64().unwrap() > 0.0, "{paid}");
    let shown = run(&format!("{known} --race-budget 1 --dry-run")).stdout;
    assert!(shown.contains("; 3 drafts at once, $0.0"), "{shown}");
    let shown = run(&format!("{known} --race-budget 0 --dry-run")).stdout;
    assert!(
        shown.contains("; 1 draft at once, nothing more, not 3: another draft is expected to cost"),
        "{shown}"
    );
    assert!(!shown.contains("panicked"));
}
