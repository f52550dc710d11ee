//! Limits: of time, money, memory and patience.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::harness::{Place, is_alive, wait_until};

const TASK: &str = "{\"id\":\"a\",\"task\":\"x\"}\n";

#[test]
fn a_task_may_take_as_long_as_it_may() {
    let place = Place::new();
    let slow = place.run_script("--timeout 200ms", "sleep 600", TASK).exits(0);
    let dispatch = &slow.record("a")["dispatch"];
    assert_eq!(
        (dispatch["status"].as_str(), dispatch["reason"].as_str()),
        (Some("timeout"), Some("took longer than it may (200ms)"))
    );
    let own = place.run_script(
        "--timeout 1h",
        "sleep 600",
        "{\"id\":\"a\",\"task\":{\"text\":\"x\",\"timeout\":\"200ms\"}}\n",
    );
    assert_eq!(own.exits(0).record("a")["dispatch"]["status"], "timeout");
}

#[test]
fn a_large_output_goes_to_a_file() {
    let place = Place::new();
    let ran = place.run_script("--output-limit 1k", "seq 1 50000", TASK).exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert!(
        dispatch["output"].as_str().unwrap().starts_with("1\n2\n3\n")
            && dispatch["output"].as_str().unwrap().len() <= 1024
    );
    let path = dispatch["output_file"]["path"].as_str().unwrap();
    let whole = std::fs::read(path).unwrap();
    assert_eq!(dispatch["output_file"]["bytes"], whole.len() as u64);
    assert_eq!(dispatch["output_file"]["blake3"], blake3::hash(&whole).to_hex().to_string());
    assert!(whole.ends_with(b"\n50000\n"));
}

#[test]
fn a_program_that_prints_for_ever_is_ended() {
    let place = Place::new();
    for (arguments, toml) in [("--output-max 100k", ""), ("", "[dispatch]\noutput_max = \"100k\"\n")] {
        place.write("specpipe.toml", toml);
        let ran = place.run_script(arguments, "exec yes", TASK).exits(0);
        let dispatch = &ran.record("a")["dispatch"];
        assert_eq!(dispatch["status"], "truncated", "{dispatch}");
        let reason = dispatch["reason"].as_str().unwrap();
        assert_eq!(reason, "printed more than it may (100KiB); --output-max sets how much that is");
        let file = &dispatch["output_file"];
        let whole = std::fs::read(file["path"].as_str().unwrap()).unwrap();
        assert_eq!((whole.len(), file["bytes"].as_u64()), (102_400, Some(102_400)));
        assert_eq!(file["blake3"], blake3::hash(&whole).to_hex().to_string());
        assert!(dispatch["output"].as_str().unwrap().starts_with("y\ny\n"));
    }
    place.write("specpipe.toml", "");
    // Less than what is kept in the record is a limit as well.
    let ran = place.run_script("--output-max 1k", "seq 1 5000", TASK).exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!((&dispatch["status"], &dispatch["output_file"]["bytes"]), (&"truncated".into(), &1024.into()));
    let ran = place.run_script("--output-max 0", "seq 1 5000", TASK).exits(0);
    assert_eq!(ran.record("a")["dispatch"]["status"], "ok");
    let slow = place.run_script("--output-max 1k --timeout 300ms", "seq 1 100; sleep 600", TASK).exits(0);
    assert_eq!(slow.record("a")["dispatch"]["status"], "timeout");
}

#[test]
fn nothing_more_is_started_once_the_budget_is_spent() {
    let place = Place::new();
    let answers: String =
        (0..4).map(|n| format!("{{\"id\":\"t{n}\",\"output\":\"o\",\"cost_usd\":0.4}}\n")).collect();
    place.write("answers.jsonl", &answers);
    let tasks: String = (0..4).map(|n| format!("{{\"id\":\"t{n}\",\"task\":\"think\"}}\n")).collect();
    let ran = place.run("-j 1 --budget 0.5 --replay answers.jsonl", &tasks).exits(0);
    let statuses: Vec<String> =
        ran.records().iter().map(|r| r["dispatch"]["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(statuses, ["ok", "ok", "budget", "budget"]);
    assert!(
        ran.record("t3")["dispatch"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("the run's budget of $0.5 is spent")
    );
    let again = place.run("--rerun budget --replay answers.jsonl", &ran.stdout).exits(0);
    assert!(again.records().iter().all(|record| record["dispatch"]["status"] == "ok"), "{}", again.stdout);
}

#[test]
fn a_task_has_a_budget_of_its_own() {
    let place = Place::new();
    place.write("answers.jsonl", "{\"id\":\"a\",\"output\":\"o\",\"cost_usd\":0.4}\n");
    let task = r#"{"id":"a","task":{"text":"think","budget_usd":0.3},"dispatch":{"attempt":1,"status":"ok","executor":"explore","tier":1,"cost_usd":0.35},"verify":{"attempt":1,"decision":"escalate","confidence":1,"checks":[],"reason":"r","escalate_to":2}}"#;
    let ran = place.run("--replay answers.jsonl", task).exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!((dispatch["status"].as_str(), dispatch["attempt"].as_u64()), (Some("budget"), Some(2)));
    assert!(dispatch["reason"].as_str().unwrap().starts_with("the task's budget of $0.3 is spent"));
}

#[test]
fn a_highest_tier_of_0_allows_no_model() {
    let place = Place::new();
    place.program(
        "claude",
        "touch asked; echo '{\"type\":\"result\",\"is_error\":false,\"result\":\"done\"}'",
    );
    place.write("here.txt", "x\n");
    let task = |text: &str, rest: &str| {
        format!("{{\"id\":\"a\",\"task\":{{\"text\":\"{text}\",\"max_tier\":0{rest}}}}}\n")
    };
    let routed = format!(
        "{{\"id\":\"a\",\"task\":{{\"text\":\"think\",\"max_tier\":0}},{}}}\n",
        r#""dispatch":{"attempt":1,"status":"cancelled","executor":"explore","tier":2}"#
    );
    for (input, arguments) in [
        (task("think of a name", ""), "--backend claude"),
        (task("think of a name", ""), "--backend claude --no-local"),
        (task("think of a name", ""), "-- claude"),
        (routed, "--backend claude"),
    ] {
        let ran = place.run(arguments, &input).exits(0);
        let dispatch = &ran.record("a")["dispatch"];
        assert_eq!(dispatch["status"], "unavailable", "{arguments}: {dispatch}");
        let reason = dispatch["reason"].as_str().unwrap();
        assert!(reason.starts_with("max_tier 0 allows no model"), "{reason}");
        assert!(!place.path().join("asked").exists(), "{arguments}");
    }
    let dry = place.run("--dry-run --backend claude --no-local", &task("think", "")).exits(0);
    assert!(dry.stdout.contains("max_tier 0 allows no model"), "{}", dry.stdout);
    place.write("answers.jsonl", "{\"id\":\"a\",\"output\":\"o\"}\n");
    for (input, arguments) in [
        (task("read here.txt", ""), "--backend claude"),
        (task("x", ",\"run\":[\"true\"]"), "--backend claude"),
        (task("x", ""), "--replay answers.jsonl"),
        (task("x", ""), "-- cat"),
    ] {
        let ran = place.run(arguments, &input).exits(0);
        let dispatch = &ran.record("a")["dispatch"];
        assert_eq!((&dispatch["status"], &dispatch["tier"]), (&"ok".into(), &0.into()), "{dispatch}");
    }
}

#[test]
fn absurd_counts_and_costs_are_survived() {
    let place = Place::new();
    let most = u64::MAX;
    place.write(
        "answers.jsonl",
        &format!(
            "{{\"id\":\"a\",\"output\":\"o\",\"model\":\"claude-haiku-5-5\",\"usage\":{{\"input_tokens\":{most},\"output_tokens\":{most},\"cache_read_tokens\":{most},\"cache_write_tokens\":{most},\"cache_write_1h_tokens\":{most}}}}}\n\
             {{\"id\":\"b\",\"output\":\"o\",\"cost_usd\":-3}}\n\
             {{\"id\":\"c\",\"output\":\"o\",\"cost_usd\":1e300}}\n\
             {{\"id\":\"d\",\"output\":\"o\",\"cost_usd\":0.25}}\n"
        ),
    );
    let tasks: String =
        ["a", "b", "c", "d"].map(|id| format!("{{\"id\":\"{id}\",\"task\":\"think\"}}\n")).concat();
    let ran = place.run("-j 1 --budget 1 --replay answers.jsonl", &tasks).exits(0);
    let costs: Vec<_> = ran.records().iter().map(|record| record["dispatch"]["cost_usd"].as_f64()).collect();
    assert_eq!(costs, [None, None, None, Some(0.25)], "{}", ran.stdout);
    assert_eq!(ran.record("a")["dispatch"]["usage"]["output_tokens"], most);
    for (name, line) in [
        (
            "claude",
            format!(
                "{{\"type\":\"result\",\"is_error\":false,\"result\":\"done\",\"total_cost_usd\":-1,\"modelUsage\":{{\"x\":{{\"inputTokens\":{most},\"outputTokens\":{most}}},\"y\":{{\"inputTokens\":{most},\"outputTokens\":{most}}}}}}}"
            ),
        ),
        (
            "codex",
            format!(
                "{{\"type\":\"turn.completed\",\"usage\":{{\"input_tokens\":{most},\"cached_input_tokens\":{most},\"output_tokens\":{most}}}}}\n\
                 {{\"type\":\"turn.completed\",\"usage\":{{\"input_tokens\":{most},\"cached_input_tokens\":{most},\"output_tokens\":{most}}}}}"
            ),
        ),
    ] {
        place.program(name, &format!("cat <<'EOF'\n{line}\nEOF"));
        let ran = place.run(&format!("--no-local --backend {name}"), TASK).exits(0);
        let dispatch = &ran.record("a")["dispatch"];
        assert_eq!(dispatch["usage"]["output_tokens"], most, "{name}: {dispatch}");
        assert!(dispatch["cost_usd"].is_null(), "{name}: {dispatch}");
    }
}

#[test]
fn a_closed_output_ends_everything_quietly() {
    let place = Place::new();
    let mut command = place.command("-j 2");
    let script =
        "if [ $SPECPIPE_ID = t0 ]; then echo done; else echo $$ > pid.$SPECPIPE_ID; exec sleep 600; fi";
    let mut child = command.args(["--", "sh", "-c", script]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{{\"id\":\"t0\",\"task\":\"x\"}}").unwrap();
    writeln!(stdin, "{{\"id\":\"t1\",\"task\":\"x\"}}").unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    wait_until("the second task runs", || !place.read("pid.t1").is_empty());
    drop(stdout);
    // Something to write is what shows that nobody reads.
    writeln!(stdin, "no record").unwrap();
    writeln!(stdin, "{{\"id\":\"t2\",\"task\":{{\"text\":\"x\",\"run\":[\"true\"]}}}}").unwrap();
    drop(stdin);
    // In input order nothing can be written before the second task has ended.
    let mut command = place.command("--as-completed");
    let mut quick = command.args(["--", "cat"]).spawn().unwrap();
    let mut stdin = quick.stdin.take().unwrap();
    drop(quick.stdout.take());
    let input: String = (0..100).map(|n| format!("{{\"id\":\"q{n}\",\"task\":\"x\"}}\n")).collect();
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = quick.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    let pid = place.read("pid.t1");
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("its child has ended", || !is_alive(&pid));
}

#[test]
fn children_end_when_the_output_is_closed() {
    let place = Place::new();
    let mut command = place.command("-j 2 --as-completed");
    let script = "case $SPECPIPE_ID in t0) echo $$ > pid.part; mv pid.part pid; exec sleep 600;; *) while [ ! -e pid ]; do sleep 0.01; done;; esac";
    let mut child = command.args(["--", "sh", "-c", script]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    drop(child.stdout.take());
    stdin.write_all(b"{\"id\":\"t0\",\"task\":\"x\"}\n{\"id\":\"t1\",\"task\":\"x\"}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    let pid = place.read("pid");
    wait_until("the child has ended", || !is_alive(&pid));
}

#[test]
fn a_full_disk_is_told() {
    let place = Place::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = place.command("");
    let mut child = command.args(["--", "cat"]).stdout(Stdio::from(full)).spawn().unwrap();
    child.stdin.take().unwrap().write_all(TASK.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.starts_with("dispatch: error: cannot write to standard output"), "{told}");
}

#[test]
fn a_hundred_thousand_records_that_need_nothing_pass_in_little_memory() {
    let place = Place::new();
    let mut command = place.command("");
    let mut child = command.args(["--", "cat"]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let padding = "p".repeat(600);
    let writer = std::thread::spawn(move || {
        for n in 0..100_000 {
            let line = format!(
                "{{\"id\":\"t{n}\",\"task\":\"x\",\"dispatch\":{{\"attempt\":1,\"status\":\"ok\",\"executor\":\"e\",\"tier\":1,\"output\":\"{padding}\"}}}}\n"
            );
            stdin.write_all(line.as_bytes()).unwrap();
        }
    });
    let status = format!("/proc/{}/status", child.id());
    let (mut count, mut most) = (0, 0u64);
    let mut last = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        last = line.unwrap();
        count += 1;
        if count % 5000 == 0 {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let peak = text.lines().find_map(|line| {
                line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok()
            });
            most = most.max(peak.unwrap_or_default());
        }
    }
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(count, 100_000);
    assert!(last.contains("\"t99999\""));
    assert!(most > 0 && most < 64 << 10, "{most} kB");
}

#[test]
fn a_slow_task_at_the_front_does_not_hold_up_the_others() {
    let place = Place::new();
    let input: String = (0..400).map(|n| format!("{{\"id\":\"t{n}\",\"task\":\"x\"}}\n")).collect();
    // The first ends when the last has started; many more are between them than are held at once.
    let script =
        "case $SPECPIPE_ID in t0) while [ ! -e last ]; do sleep 0.01; done;; t399) touch last;; esac";
    let ran = place.run_script("-j 2 --window 8 --timeout 60s", script, &input).exits(0);
    assert_eq!(ran.record("t0")["dispatch"]["status"], "ok");
    assert_eq!(ran.ids().len(), 400);
}

#[test]
fn wrong_settings_are_named() {
    let place = Place::new();
    for (toml, message, hint) in [
        ("[dispatch]\njbos = 3\n", "specpipe.toml:2: unknown field `jbos`", "did you mean `jobs`?"),
        (
            "[dispatch.tiers.1]\nbackend = \"antropic\"\n",
            "there is no backend `antropic`",
            "did you mean `anthropic`?",
        ),
        (
            "[dispatch.tiers.4]\nbackend = \"anthropic\"\n",
            "there is no tier `4`",
            "tiers that ask a model are 1, 2 and 3",
        ),
        ("[dispatch]\ntimeout = \"soon\"\n", "`soon` is no duration", ""),
        (
            "[dispatch.tiers.1]\nbackend = \"mine\"\n[dispatch.backends.mine]\nkind = \"command\"\n",
            "the backend `mine` has no `command`",
            "",
        ),
    ] {
        place.write("specpipe.toml", toml);
        let mut command = place.command("");
        command.env_remove("SPECPIPE_DISPATCH_BACKEND");
        let ran = crate::harness::finish(command, TASK).exits(2);
        assert!(ran.stderr.contains(message) && ran.stderr.contains(hint), "{toml}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    place.write("specpipe.toml", "");
    for (arguments, message) in [
        ("--jobs 0", "0 is not in 1.."),
        ("--timeout 5", "`5` has no unit"),
        ("--backend nothing", "there is no backend `nothing`"),
        (
            "--backend nope",
            "hint: known are local, anthropic, openai, claude, codex, gemini, opencode, aider, llm, ",
        ),
        ("--budget=-1", "the budget is no amount of money"),
        ("--replay nowhere.jsonl", "cannot read the recorded answers `nowhere.jsonl`"),
        ("--nonsense", "unexpected argument '--nonsense'"),
    ] {
        let ran = place.run(arguments, TASK).exits(2);
        assert!(ran.stderr.contains(message), "{arguments}: {}", ran.stderr);
    }
}
