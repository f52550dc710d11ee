//! Who drafts a task.

use std::io::{Read, Write};

use crate::harness::{Place, Ran, finish};

/// Lets dispatch look around for what is there.
fn found(place: &Place, arguments: &str, input: &str, env: &[(&str, &str)]) -> Ran {
    let mut command = place.command(arguments);
    command.env_remove("SPECPIPE_DISPATCH_BACKEND").envs(env.iter().copied());
    // Only what a test puts there is on PATH, and what scripts need.
    let path = place.path().parent().unwrap().join("bin").display().to_string();
    let path = format!("{path}:{}", place.path().parent().unwrap().join("tools").display());
    finish(
        {
            command.env("PATH", path);
            command
        },
        input,
    )
}

/// Puts the few programs that fakes need where no agent program can be.
fn tools(place: &Place) {
    let directory = place.path().parent().unwrap().join("tools");
    std::fs::create_dir_all(&directory).unwrap();
    for name in ["sh", "cat", "sleep", "git", "echo"] {
        let target = ["/usr/bin", "/bin"]
            .iter()
            .map(|bin| std::path::Path::new(bin).join(name))
            .find(|path| path.exists());
        std::os::unix::fs::symlink(target.unwrap(), directory.join(name)).unwrap();
    }
}

const THINK: &str = "{\"id\":\"a\",\"task\":\"think of a better name\"}\n";

#[test]
fn a_mechanical_task_is_done_without_a_model() {
    let place = Place::new();
    place.write("one.rs", "fn main() {}\n");
    place.write("two.rs", "");
    let ran = place.run("", "{\"id\":\"a\",\"task\":\"count the rust files\"}\n").exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!(
        (dispatch["status"].as_str(), dispatch["backend"].as_str()),
        (Some("ok"), Some("local")),
        "{}",
        ran.stdout
    );
    assert_eq!((dispatch["tier"].as_u64(), dispatch["cost_usd"].as_f64()), (Some(0), Some(0.0)));
    assert!(dispatch["output"].as_str().unwrap().contains('2'));
}

#[test]
fn a_task_that_says_how_it_is_done_is_done_so() {
    let place = Place::new();
    let input = "{\"id\":\"a\",\"task\":{\"text\":\"greet\",\"run\":[\"printf\",\"%s\",\"hi $(id)\"]}}\n";
    for arguments in ["", "--no-local"] {
        let dispatch = &place.run(arguments, input).exits(0).record("a")["dispatch"];
        assert_eq!(
            (dispatch["backend"].as_str(), dispatch["output"].as_str()),
            (Some("local"), Some("hi $(id)"))
        );
    }
    let failed = place
        .run("", "{\"id\":\"a\",\"task\":{\"text\":\"x\",\"run\":[\"sh\",\"-c\",\"exit 5\"]}}\n")
        .exits(0);
    assert_eq!(failed.record("a")["dispatch"]["exit_code"], 5);
}

#[test]
fn without_a_backend_a_task_says_how_to_get_one() {
    let place = Place::new();
    tools(&place);
    let ran = found(&place, "", THINK, &[]).exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!(dispatch["status"], "unavailable");
    let reason = dispatch["reason"].as_str().unwrap();
    assert!(reason.contains("ANTHROPIC_API_KEY") && reason.contains("[dispatch.tiers.1]"), "{reason}");
    assert!(dispatch["backend"].is_null());
}

#[test]
fn an_agent_program_on_path_is_found_used_and_announced() {
    let place = Place::new();
    tools(&place);
    place.program(
        "claude",
        r#"echo "$@" > arguments; cat > stdin
echo '{"type":"result","subtype":"success","is_error":false,"result":"call it X","num_turns":1,"stop_reason":"end_turn","total_cost_usd":0.5,"usage":{"input_tokens":1000,"output_tokens":100},"modelUsage":{"claude-haiku-5-5":{"inputTokens":1000,"outputTokens":100,"costUSD":0.5}}}'"#,
    );
    let ran = found(&place, "", THINK, &[]).exits(0);
    assert!(ran.stderr.contains("note: using `claude` for tiers 1 to 3"), "{}", ran.stderr);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!(
        (dispatch["backend"].as_str(), dispatch["output"].as_str()),
        (Some("command"), Some("call it X"))
    );
    assert_eq!((dispatch["model"].as_str(), dispatch["turns"].as_u64()), (Some("claude-haiku-5-5"), Some(1)));
    assert_eq!(dispatch["usage"], serde_json::json!({"input_tokens": 1000, "output_tokens": 100}));
    // 1000 tokens at 0.10 and 100 at 0.50 dollars a million, not what the program thinks.
    assert!((dispatch["cost_usd"].as_f64().unwrap() - 0.000_15).abs() < 1e-12, "{}", dispatch["cost_usd"]);
    assert!(dispatch["price_table"].is_string());
    assert!(
        place
            .read("arguments")
            .starts_with("-p --output-format stream-json --verbose --include-partial-messages --model haiku"),
        "{}",
        place.read("arguments")
    );
    assert_eq!(place.read("stdin"), "think of a better name");
}

#[test]
fn an_agent_program_that_fails_with_exit_0_has_failed() {
    let place = Place::new();
    place.program("claude", r#"echo '{"type":"result","subtype":"success","is_error":true,"api_error_status":401,"result":"Invalid API key"}'"#);
    let ran = place.run("--backend claude", THINK).exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!(
        (dispatch["status"].as_str(), dispatch["reason"].as_str()),
        (Some("auth"), Some("Invalid API key"))
    );
}

#[test]
fn each_tier_has_its_backend() {
    let place = Place::new();
    place.write(
        "specpipe.toml",
        "[dispatch.tiers.1]\nbackend = \"small\"\nmodel = \"s-1\"\n[dispatch.tiers.3]\nbackend = \"large\"\n\
         [dispatch.backends.small]\ncommand = [\"sh\", \"-c\", \"echo small $SPECPIPE_MODEL $GREETING\"]\nenv = { GREETING = \"hi\" }\n\
         [dispatch.backends.large]\ncommand = [\"sh\", \"-c\", \"echo large\"]\njobs = 1\n",
    );
    let task = |tier: u8| {
        format!(
            "{{\"id\":\"t{tier}\",\"task\":\"think\",\"classify\":{{\"tier\":{tier},\"executor\":\"review\",\"confidence\":1,\"risk\":\"low\",\"scores\":{{\"1\":0,\"2\":0,\"3\":0}}}}}}\n"
        )
    };
    let mut command = place.command("");
    command.env_remove("SPECPIPE_DISPATCH_BACKEND");
    let ran = finish(command, &(task(1) + &task(2) + &task(3))).exits(0);
    let output = |id: &str| ran.record(id)["dispatch"]["output"].as_str().unwrap().trim().to_owned();
    assert_eq!([output("t1"), output("t2"), output("t3")], ["small s-1 hi", "large", "large"]);
    assert_eq!(
        (&ran.record("t3")["dispatch"]["tier"], &ran.record("t3")["dispatch"]["executor"]),
        (&3.into(), &"review".into())
    );
}

#[test]
fn what_local_declines_goes_on_to_the_tier() {
    let place = Place::new();
    place.write("x.rs", "");
    place.write(
        "specpipe.toml",
        "[dispatch.tiers.1]\nbackend = \"m\"\n[dispatch.backends.m]\ncommand = [\"echo\", \"model\"]\n",
    );
    let mut command = place.command("");
    command.env_remove("SPECPIPE_DISPATCH_BACKEND");
    let input = format!("{THINK}{{\"id\":\"b\",\"task\":\"count the rust files\"}}\n");
    let ran = finish(command, &input).exits(0);
    assert_eq!(ran.record("a")["dispatch"]["output"], "model\n");
    assert_eq!(ran.record("a")["dispatch"]["tier"], 1);
    assert_eq!(ran.record("b")["dispatch"]["backend"], "local");
    let mut command = place.command("--no-local");
    command.env_remove("SPECPIPE_DISPATCH_BACKEND");
    assert_eq!(finish(command, &input).exits(0).record("b")["dispatch"]["output"], "model\n");
}

#[test]
fn answers_come_from_a_file_by_id_and_attempt() {
    let place = Place::new();
    place.write("answers.jsonl", "{\"id\":\"a\",\"attempt\":1,\"output\":\"one\",\"model\":\"gpt-5-mini\",\"usage\":{\"input_tokens\":1000000,\"output_tokens\":0}}\n{\"id\":\"a\",\"attempt\":2,\"output\":\"two\"}\n");
    let ran = place
        .run("--replay answers.jsonl", &format!("{THINK}{{\"id\":\"b\",\"task\":\"think too\"}}\n"))
        .exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!((dispatch["backend"].as_str(), dispatch["output"].as_str()), (Some("replay"), Some("one")));
    assert!((dispatch["cost_usd"].as_f64().unwrap() - 0.25).abs() < 1e-9);
    let missing = &ran.record("b")["dispatch"];
    assert_eq!(missing["status"], "unavailable");
    assert!(
        missing["reason"].as_str().unwrap().contains("no answer is recorded for id b attempt 1"),
        "{missing}"
    );
}

#[test]
fn a_recorded_run_can_be_replayed() {
    let place = Place::new();
    let input =
        "{\"id\":\"a\",\"task\":\"x\"}\n{\"id\":\"b\",\"task\":{\"text\":\"y\",\"depends_on\":[\"a\"]}}\n";
    let recorded = place.run_script("--record answers.jsonl", "cat; [ $SPECPIPE_ID = a ]", input).exits(0);
    let replayed = place.run("--replay answers.jsonl", input).exits(0);
    for id in ["a", "b"] {
        for member in ["status", "output", "attempt", "inputs"] {
            assert_eq!(
                recorded.record(id)["dispatch"][member],
                replayed.record(id)["dispatch"][member],
                "{id} {member}"
            );
        }
    }
}

#[test]
fn an_executor_of_the_project_is_told_to_the_model() {
    let place = Place::new();
    place.program("claude", "printf '%s\\n' \"$@\" > arguments; echo '{\"type\":\"result\",\"subtype\":\"success\",\"result\":\"ok\"}'");
    place.write(".claude/agents/namer.md", "---\nname: namer\ntools: Read\n---\nYou name things.\n");
    let ran = place
        .run("--backend claude", "{\"id\":\"a\",\"task\":{\"text\":\"think\",\"executor\":\"namer\"}}\n")
        .exits(0);
    assert_eq!(ran.record("a")["dispatch"]["executor"], "namer");
    let arguments = place.read("arguments");
    assert!(arguments.contains("--append-system-prompt\nYou name things.\n--tools\nRead\n"), "{arguments}");
}

#[test]
fn an_agent_program_that_hangs_after_its_result_has_succeeded() {
    let place = Place::new();
    place.program(
        "claude",
        "echo '{\"type\":\"result\",\"subtype\":\"success\",\"result\":\"done\"}'; exec sleep 600",
    );
    let ran = place.run("--backend claude", THINK).exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!((dispatch["status"].as_str(), dispatch["output"].as_str()), (Some("ok"), Some("done")));
}

#[test]
fn a_token_for_anthropic_is_sent_as_a_bearer_token() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the request ends in its head");
            head.extend_from_slice(&buffer[..count]);
        }
        let body = r#"{"type":"error","error":{"type":"authentication_error","message":"no"}}"#;
        let head_of_answer =
            "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-type: application/json";
        write!(stream, "{head_of_answer}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        // What is left of the request is read, so that the answer is not lost with it.
        let _ = stream.shutdown(std::net::Shutdown::Write);
        while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
        String::from_utf8_lossy(&head).to_lowercase()
    });
    let place = Place::new();
    let mut command = place.command("--no-local");
    command.env_remove("SPECPIPE_DISPATCH_BACKEND");
    command.env("ANTHROPIC_BASE_URL", url).env("ANTHROPIC_AUTH_TOKEN", "t0ken");
    command.args(["--model", "claude-haiku-5-5"]);
    let ran = finish(command, "{\"id\":\"a\",\"task\":\"think\"}\n").exits(0);
    let dispatch = &ran.record("a")["dispatch"];
    assert_eq!(dispatch["status"], "auth", "{dispatch}");
    assert!(dispatch["reason"].as_str().unwrap().contains("ANTHROPIC_AUTH_TOKEN"), "{dispatch}");
    assert!(ran.stderr.contains("ANTHROPIC_AUTH_TOKEN is set"), "{}", ran.stderr);
    let head = server.join().unwrap();
    assert!(head.contains("authorization: bearer t0ken") && !head.contains("x-api-key"), "{head}");
}
