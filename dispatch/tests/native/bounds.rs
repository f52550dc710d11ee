//! When an attempt ends that would not end by itself, and what it leaves then.

use serde_json::json;

use crate::harness::{finish, signal, wait_until};
use crate::model::{INPUT, Model, Says, calls, says};
use crate::site::{Site, can_confine, task};

/// A model that reads for ever, another line each time.
fn restless() -> Model {
    Model::start(|asked| {
        calls([("Read", json!({"file_path": "kept.txt", "offset": 1, "limit": asked.turn() + 1}))])
    })
}

#[test]
fn turns_tokens_and_money_end_it_with_a_reason() {
    for (config, status, reason, requests) in [
        ("[dispatch.native]\nturns = 3\n", "truncated", "its 3 turns are used up", 3),
        ("[dispatch.native]\ntokens = 5000\n", "budget", "it has used 5050 tokens", 5),
        (
            "[dispatch.native]\nturns = 9\n[dispatch.native.executors.explore]\nturns = 2\n",
            "truncated",
            "2 turns",
            2,
        ),
    ] {
        let site = Site::new(&[]);
        site.place.write("specpipe.toml", config);
        let model = restless();
        let record = site.run(&model, "anthropic", &task("a", "x", "explore")).record("a");
        let dispatch = &record["dispatch"];
        assert_eq!(dispatch["status"], status, "{dispatch}");
        assert!(dispatch["reason"].as_str().unwrap().contains(reason), "{dispatch}");
        assert_eq!(dispatch["usage"]["requests"], requests);
        assert_eq!(model.asked().len(), requests);
    }
    let site = Site::new(&[]);
    let model = restless();
    let mut command =
        site.place.command("--no-local --backend anthropic --model claude-haiku-4-5 --budget 0.05");
    command.env("ANTHROPIC_API_KEY", "x").env("ANTHROPIC_BASE_URL", model.url());
    let record = finish(command, &task("a", "x", "explore")).record("a");
    // A request is 1000 × 1 + 10 × 5 = 1050 millionths.
    assert_eq!(record["dispatch"]["status"], "budget", "{record}");
    let (asked, cost) = (model.asked().len(), record["dispatch"]["cost_usd"].as_f64().unwrap());
    assert!((cost - asked as f64 * 0.00105).abs() < 1e-9, "{asked} {cost}");
    assert!(cost < 0.05 + 0.00105 && asked > 10, "{asked} {cost}");
}

#[test]
fn who_goes_round_in_circles_is_ended() {
    let site = Site::new(&[]);
    let model = Model::start(|_| calls([("Read", json!({"file_path": "missing.txt"}))]));
    let record = site.run(&model, "openai", &task("a", "x", "explore")).record("a");
    assert_eq!(record["dispatch"]["status"], "failed");
    assert!(record["dispatch"]["reason"].as_str().unwrap().contains("same call of Read 5 times"), "{record}");
    assert_eq!(model.asked().len(), 5);
    let model = Model::start(|_| calls([("Read", json!({"file_path": "kept.txt"}))]));
    let record = site.run(&model, "openai", &task("b", "x", "explore")).record("b");
    assert!(record["dispatch"]["reason"].as_str().unwrap().contains("12 times in a row"), "{record}");
}

#[test]
fn a_call_that_is_cut_off_is_not_done_and_a_pause_goes_on() {
    for backend in ["anthropic", "openai"] {
        let site = Site::new(&[]);
        let model = Model::start(|asked| match asked.turn() {
            0 => Says {
                calls: vec![
                    ("Write".to_owned(), json!({"file_path": "whole.txt", "content": "whole"}).to_string()),
                    ("Write".to_owned(), "{\"file_path\": \"cut.txt\", \"content\": \"ha".to_owned()),
                ],
                stop: Some("max_tokens"),
                ..Says::default()
            },
            _ => says("done"),
        });
        let record = site.run(&model, backend, &task("a", "x", "document")).exits(0).record("a");
        assert_eq!(record["dispatch"]["status"], "ok", "{record}");
        assert_eq!(record["dispatch"]["files_changed"], json!(["whole.txt"]));
        let results = model.asked()[1].results();
        assert!(
            results[0].2 && !results[1].2 && results[1].1.contains("limit of output tokens"),
            "{results:?}"
        );
    }
    let site = Site::new(&[]);
    let model = Model::start(|asked| match asked.turn() {
        0 => Says { stop: Some("pause_turn"), ..says("I am looking") },
        _ => says("found"),
    });
    let record = site.run(&model, "anthropic", &task("a", "x", "explore")).exits(0).record("a");
    assert_eq!((&record["dispatch"]["output"], &record["dispatch"]["turns"]), (&json!("found"), &json!(2)));
}

#[test]
fn a_long_conversation_stays_within_the_window() {
    let text: String = (0..600).map(|number| format!("line {number} of a long file\n")).collect();
    let site = Site::new(&[("long.txt", &text)]);
    site.place.write("specpipe.toml", "[dispatch.native]\nwindow = 12000\n");
    let model = Model::start(|asked| match asked.turn() {
        turn if turn < 30 => {
            calls([("Read", json!({"file_path": "long.txt", "offset": turn * 7 + 1, "limit": 200}))])
        }
        _ => says("read"),
    });
    let record = site.run(&model, "anthropic", &task("a", "x", "explore")).exits(0).record("a");
    assert_eq!(record["dispatch"]["status"], "ok", "{record}");
    let asked = model.asked();
    assert_eq!(asked.len(), 31);
    // The server counts 1000 tokens whatever it gets, so a token is at most six bytes here.
    let longest = asked.iter().map(|asked| asked.raw.len()).max().unwrap();
    assert!(longest < 12_000 * 6 + 20_000, "{longest}");
    let last = &asked[30];
    assert!(last.raw.contains("left out to save room"));
    assert!(!last.results()[0].1.contains("left out to save room"), "the newest results stay");
    assert_eq!(last.turn(), 30, "no call is lost");
}

#[test]
fn what_is_too_long_for_the_model_is_shortened_and_asked_again() {
    let text = "some words on a line\n".repeat(400);
    let site = Site::new(&[("long.txt", &text)]);
    let refused = std::sync::atomic::AtomicU32::new(0);
    let model = Model::start(move |asked| {
        if asked.raw.len() > 60_000 {
            refused.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let error = json!({"type": "error", "error": {"type": "invalid_request_error",
                "message": "prompt is too long: 210000 tokens > 200000 maximum"}});
            return Says { fails: Some((400, error.to_string())), ..Says::default() };
        }
        match asked.turn() {
            turn if turn < 12 => calls([("Read", json!({"file_path": "long.txt", "offset": turn + 1}))]),
            _ => says("read"),
        }
    });
    let record = site.run(&model, "anthropic", &task("a", "x", "explore")).exits(0).record("a");
    assert_eq!(record["dispatch"]["status"], "ok", "{record}");
    let requests = model.asked().len();
    assert!(requests > 13);
    assert_eq!(record["dispatch"]["usage"]["requests"], requests);
    assert_eq!(record["dispatch"]["usage"]["input_tokens"], 13 * INPUT);
}

#[test]
fn the_beginning_is_marked_for_the_cache_and_stays_the_same() {
    let site = Site::new(&[("a.txt", "one\n")]);
    for backend in ["anthropic", "openai"] {
        let model = Model::start(|asked| match asked.turn() {
            turn if turn < 4 => calls([("Read", json!({"file_path": "a.txt", "limit": turn + 1}))]),
            _ => says("done"),
        });
        site.run(&model, backend, &task("a", "x", "explore")).exits(0);
        let asked = model.asked();
        for pair in asked.windows(2) {
            let messages = |at: usize| {
                let mut messages = pair[at].body["messages"].as_array().unwrap().clone();
                for content in
                    messages.iter_mut().filter_map(|message| message["content"].as_array_mut()).flatten()
                {
                    content.as_object_mut().unwrap().remove("cache_control");
                }
                messages
            };
            assert_eq!(messages(0), messages(1)[..messages(0).len()], "what was said stays as it was");
            assert_eq!(pair[0].body["tools"], pair[1].body["tools"]);
            assert_eq!(pair[0].body["system"], pair[1].body["system"]);
        }
        if backend == "anthropic" {
            let marks: Vec<usize> =
                asked.iter().map(|asked| asked.body.to_string().matches("cache_control").count()).collect();
            assert_eq!(marks, [2, 3, 3, 3, 3]);
            let last = asked[4].body["messages"].as_array().unwrap().last().unwrap().clone();
            assert!(last["content"][0]["cache_control"].is_object());
        }
    }
}

#[test]
fn an_interrupt_ends_the_tool_and_keeps_what_was_used() {
    let site = Site::new(&[]);
    let before = site.around();
    let has_shell = can_confine();
    let model = Model::start(move |asked| match asked.turn() {
        0 => calls([("Write", json!({"file_path": "done.txt", "content": "done\n"}))]),
        1 if has_shell => calls([("Bash", json!({"command": "touch started; sleep 300"}))]),
        _ => {
            std::thread::sleep(std::time::Duration::from_secs(60));
            says("late")
        }
    });
    let mut command = site.command(&model, "anthropic", "");
    let mut child = command.spawn().unwrap();
    let input = task("a", "x", "implement");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let started = site.place.path().join(".specpipe/worktrees/a-1/started");
    let asked = || model.asked().len();
    wait_until("the shell runs", || if has_shell { started.exists() } else { asked() == 2 });
    signal(&child, rustix::process::Signal::TERM);
    let ran = crate::harness::Ran::of(child.wait_with_output().unwrap()).exits(130);
    let record = ran.record("a");
    let dispatch = &record["dispatch"];
    assert_eq!(dispatch["status"], "cancelled", "{dispatch}");
    assert_eq!(dispatch["usage"]["requests"], 2, "{dispatch}");
    site.is_as(&before);
    assert!(
        !std::fs::read_dir(site.place.path().join(".specpipe/scratch"))
            .is_ok_and(|mut it| it.next().is_some())
    );
}

#[test]
fn a_timeout_ends_the_tool_too() {
    if !can_confine() {
        return;
    }
    let site = Site::new(&[]);
    let model = Model::start(|asked| match asked.turn() {
        0 => calls([("Bash", json!({"command": "touch early.txt; sleep 300; touch late.txt"}))]),
        _ => says("never"),
    });
    let record =
        finish(site.command(&model, "anthropic", "--timeout 3s"), &task("a", "x", "implement")).record("a");
    assert_eq!(record["dispatch"]["status"], "timeout", "{record}");
    assert_eq!(record["dispatch"]["files_changed"], json!(["early.txt"]));
    assert_eq!(model.asked().len(), 1);
}
