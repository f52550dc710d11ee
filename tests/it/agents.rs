//! Agent CLIs as executors: what each prints becomes output, usage and cost, whatever its exit code says.
//!
//! The fakes print what the real ones were seen to print (see `src/bin/fake-agent.rs`).

use serde_json::{Value, json};
use tests::Shell;

const TASK: &str = r#"{"id":"a","task":{"text":"why is the sky blue?","executor":"explore"},"classify":{"tier":2,"executor":"explore","confidence":0.9,"risk":"low","reasons":[],"scores":{"1":0.1,"2":0.9,"3":0.0}}}
"#;

/// Runs the task on an agent, and returns its `dispatch` section.
fn run(cli: &str, environment: &[(&str, &str)]) -> Value {
    let mut shell = Shell::new().agent(cli).env("FAKE_AGENT_ANSWER", "Because of Rayleigh.");
    for (name, value) in environment {
        shell = shell.env(name, *value);
    }
    let output = shell.run_on(TASK, &format!("dispatch --backend {}", backend(cli))).succeeds();
    output.records().remove(0)["dispatch"].take()
}

/// Returns the name that `dispatch` has for a program.
fn backend(cli: &str) -> &str {
    if cli == "mini" { "mini-swe-agent" } else { cli }
}

/// What is there is used, and nothing has to be configured.
#[test]
fn an_agent_on_path_is_found() {
    for cli in ["claude", "codex", "gemini", "opencode"] {
        let shell = Shell::new().agent(cli).env("FAKE_AGENT_ANSWER", "Because of Rayleigh.");
        let output = shell.run_on(TASK, "dispatch").succeeds();
        let dispatch = &output.records()[0]["dispatch"];
        assert_eq!(
            (&dispatch["status"], &dispatch["backend"]),
            (&"ok".into(), &"command".into()),
            "{cli}: {output}"
        );
    }
}

#[test]
fn what_each_prints_becomes_output_usage_and_cost() {
    let cases = [
        (
            "claude",
            json!({"input_tokens": 1234, "cache_write_tokens": 100, "cache_read_tokens": 5000, "output_tokens": 17}),
            Some(0.0061),
        ),
        (
            "codex",
            json!({"input_tokens": 234, "cache_read_tokens": 1000, "output_tokens": 17, "reasoning_tokens": 5}),
            None,
        ),
        (
            "opencode",
            json!({"input_tokens": 234, "cache_read_tokens": 1000, "output_tokens": 17, "reasoning_tokens": 5}),
            Some(0.000_419),
        ),
        ("llm", json!({"input_tokens": 1234, "output_tokens": 17}), None),
        ("aider", json!({"input_tokens": 1200, "output_tokens": 17}), None),
    ];
    for (cli, usage, cost) in cases {
        let dispatch = run(cli, &[]);
        assert_eq!(dispatch["status"], "ok", "{cli}: {dispatch:#}");
        let output = dispatch["output"].as_str().unwrap_or_default();
        assert!(output.starts_with("Because of Rayleigh."), "{cli}: {dispatch:#}");
        for (name, count) in usage.as_object().expect("an object") {
            assert_eq!(&dispatch["usage"][name], count, "{cli} {name}: {dispatch:#}");
        }
        if let Some(cost) = cost {
            assert_eq!(dispatch["cost_usd"], cost, "{cli}: {dispatch:#}");
        }
        assert_eq!(dispatch["backend"], "command", "{cli}: {dispatch:#}");
    }
    let gemini = run("gemini", &[]);
    assert_eq!(
        (&gemini["usage"]["input_tokens"], &gemini["usage"]["cache_read_tokens"]),
        (&234.into(), &1000.into())
    );
    let mini = run("mini", &[]);
    assert_eq!(
        (&mini["status"], &mini["output"]),
        (&"ok".into(), &"Because of Rayleigh.".into()),
        "{mini:#}"
    );
    assert_eq!(mini["cost_usd"], 0.000_117_5, "{mini:#}");
}

/// Exit codes can not be trusted: `success` on an error, 0 on a refused key, 401 modulo 256.
#[test]
fn a_failure_is_one_whatever_the_exit_code_says() {
    for cli in ["claude", "codex", "gemini", "opencode", "aider", "llm"] {
        let refused = run(cli, &[("FAKE_AGENT_FAILURE", "401")]);
        assert_eq!(refused["status"], "auth", "{cli}: {refused:#}");
        assert!(refused["reason"].is_string(), "{cli}: {refused:#}");
    }
    for cli in ["claude", "codex", "gemini", "opencode"] {
        let busy = run(cli, &[("FAKE_AGENT_FAILURE", "429")]);
        assert_eq!(busy["status"], "transport", "{cli}: {busy:#}");
        for failure in ["silent", "cut"] {
            let broken = run(cli, &[("FAKE_AGENT_FAILURE", failure)]);
            assert_ne!(broken["status"], "ok", "{cli} {failure}: {broken:#}");
            assert!(broken["reason"].is_string(), "{cli} {failure}: {broken:#}");
        }
    }
    let turns = run("claude", &[("FAKE_AGENT_FAILURE", "max_turns")]);
    assert_ne!(turns["status"], "ok", "{turns:#}");
    assert_eq!(turns["cost_usd"], 0.0061, "what it did is paid: {turns:#}");
}

#[test]
fn one_that_does_not_end_after_its_result_is_ended() {
    let dispatch = run("claude", &[("FAKE_AGENT_FAILURE", "hang_after_result")]);
    assert_eq!(dispatch["status"], "ok", "{dispatch:#}");
    assert!(dispatch["elapsed_ms"].as_u64().is_some_and(|elapsed| elapsed < 30_000), "{dispatch:#}");
}

/// The text of a task is data, also for those that take it as an argument.
#[test]
fn a_text_is_never_run_and_never_an_option() {
    for cli in ["claude", "codex", "gemini", "opencode", "aider", "llm", "mini"] {
        for text in
            ["$(touch oops) `touch oops`; touch oops", "--version", "-p", "- [ ] a\n- [ ] b", "@notes"]
        {
            let shell = Shell::new().agent(cli).env("FAKE_AGENT_LOG", "log");
            let task = TASK.replace("\"why is the sky blue?\"", &json!(text).to_string());
            let output = shell.run_on(task, &format!("dispatch --backend {}", backend(cli))).succeeds();
            assert_eq!(output.records()[0]["dispatch"]["status"], "ok", "{cli}: {output}");
            assert!(!shell.path().join("oops").exists(), "{cli} ran {text}");
            let call: Value =
                serde_json::from_str(shell.read("log").lines().next().expect("a call")).expect("a call");
            let received = call.to_string();
            let first = json!(text).to_string();
            assert!(received.contains(first.trim_matches('"')), "{cli} has not got {text}: {received}");
        }
    }
}

#[test]
fn executors_limit_what_an_agent_may_use() {
    let shell = Shell::new().agent("claude").env("FAKE_AGENT_LOG", "log");
    shell.run_on(TASK, "dispatch").succeeds();
    let log = shell.read("log");
    assert!(log.contains("Read") && log.contains("Grep"), "{log}");
    assert!(!log.contains("Write"), "explore may write: {log}");
}
