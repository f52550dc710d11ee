//! Models behind an API: every way a server can fail ends as stated, and the books agree with the server's to the unit.

use serde_json::{Value, json};
use tests::Shell;
use tests::fake_model::{Script, Server, Tokens};

const KEY: &str = "sk-test-0123456789abcdef";

fn server(script: &str) -> Server {
    Server::start(Script::parse(script).unwrap()).unwrap()
}

/// Returns a shell whose `dispatch` finds the server behind Anthropic's variables.
fn anthropic(server: &Server) -> Shell {
    Shell::new().env("ANTHROPIC_API_KEY", KEY).env("ANTHROPIC_BASE_URL", server.url())
}

/// Returns a shell whose `dispatch` finds the server behind OpenAI's variables.
fn openai(server: &Server) -> Shell {
    Shell::new().env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", format!("{}/v1", server.url()))
}

fn ask(backend: &str, model: &str) -> String {
    format!("dispatch --no-local --backend {backend} --model {model}")
}

/// Returns a line with a question for each name.
fn questions<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let line = |name| json!({"id": name, "task": {"text": format!("Explain {name}"), "executor": "explore"}});
    names.into_iter().map(|name| line(name).to_string() + "\n").collect()
}

/// Adds up what the records say that was used.
fn books(records: &[Value]) -> (u64, Tokens) {
    let mut sum = (0, Tokens::default());
    for record in records {
        let usage = &record["dispatch"]["usage"];
        let count = |name: &str| usage[name].as_u64().unwrap_or(0);
        sum.0 += count("requests");
        sum.1.add(&Tokens {
            input: count("input_tokens"),
            cache_read: count("cache_read_tokens"),
            cache_write: count("cache_write_tokens"),
            cache_write_1h: count("cache_write_1h_tokens"),
            output: count("output_tokens"),
            reasoning: count("reasoning_tokens"),
        });
    }
    sum
}

/// What each fault is called, the step of the script that makes it, and how the task ends after how many retries.
const FAULTS: [(&str, &str, &str, u64); 17] = [
    ("nothing", r#""text": "fine""#, "ok", 0),
    ("limited", r#""status": 429, "headers": {"retry-after": "1"}, "times": 1"#, "ok", 1),
    ("overloaded", r#""status": 529, "error": {"type": "overloaded_error"}, "times": 1"#, "ok", 1),
    ("broken", r#""status": 500, "times": 2"#, "ok", 2),
    ("gateway", r#""status": 502, "body": "<html>bad gateway</html>", "times": 1"#, "ok", 1),
    ("cut", r#""cut_after": 4, "times": 1"#, "ok", 1),
    ("document", r#""document": true, "cut_after": 30, "times": 1"#, "ok", 1),
    ("malformed", r#""malformed_after": 3, "times": 1"#, "ok", 1),
    ("late", r#""error_after": 3, "error": {"type": "overloaded_error"}, "times": 1"#, "ok", 1),
    ("slow", r#""byte_ms": 1, "text": "slow""#, "ok", 0),
    ("closed", r#""close": "request", "times": 1"#, "ok", 1),
    ("half", r#""close": "head", "times": 1"#, "ok", 1),
    ("odd", r#""crlf": true, "noise": true, "portion": 1, "text": "Grüße 🎉""#, "ok", 0),
    ("whole", r#""document": true"#, "ok", 0),
    ("wrong", r#""status": 400, "error": {"type": "invalid_request_error", "message": "no"}"#, "failed", 0),
    ("long", r#""stop": "max_tokens""#, "truncated", 0),
    ("refused", r#""stop": "refusal""#, "refused", 0),
];

const TOKENS: &str = r#""usage": {"input": 100, "cache_read": 2000, "cache_write": 300, "output": 50}"#;

/// Returns a script with a rule for each fault; what follows a fault is a good answer with tokens of its own.
fn faults() -> String {
    let rule =
        |(name, step, ..): &(&str, &str, &str, u64)| format!("{{\"when\": \"{name}\", {TOKENS}, {step}}}\n");
    let good = format!("{{\"when\": \"\", \"text\": \"fine\", {TOKENS}}}\n");
    FAULTS.iter().map(rule).chain([good]).collect()
}

#[test]
fn every_fault_of_a_server_ends_as_stated_and_is_accounted_for() {
    let server = server(&faults());
    let shell = anthropic(&server);
    let input = questions(FAULTS.map(|(name, ..)| name));
    let output = shell.run_on(input, &ask("anthropic", "claude-haiku-4-5")).succeeds();
    let records = output.records();
    assert_eq!(records.len(), FAULTS.len());
    for (record, (name, _, status, retries)) in records.iter().zip(FAULTS) {
        let dispatch = &record["dispatch"];
        assert_eq!(record["id"], name);
        assert_eq!(dispatch["status"], status, "{name}: {dispatch}");
        assert_eq!(dispatch["retries"].as_u64().unwrap_or(0), retries, "{name}: {dispatch}");
        assert_eq!(dispatch["usage"]["requests"], retries + 1, "{name}: {dispatch}");
        assert_eq!(dispatch["reason"].is_null(), status == "ok", "{name}: {dispatch}");
        // A good answer costs 100 × 1 + 2000 × 0.1 + 300 × 1.25 + 50 × 5 = 925 millionths of a dollar; one that was
        // cut after it began had told its prompt and one token: 680.
        let cost = match name {
            "wrong" => 0.0,
            "cut" | "late" => 0.001605,
            "malformed" => 0.00185,
            _ => 0.000925,
        };
        assert_eq!(dispatch["cost_usd"], cost, "{name}: {dispatch}");
        assert!(dispatch["price_table"].is_string(), "{name}: {dispatch}");
    }
    assert_eq!(records[12]["dispatch"]["output"], "Grüße 🎉");
    let totals = server.totals();
    assert_eq!(books(&records), (totals.requests, totals.tokens), "\n{output}");
}

#[test]
fn the_same_faults_end_the_same_way_for_chat_completions() {
    let script = faults().replace("max_tokens", "length").replace("refusal", "content_filter");
    let server = server(&script);
    let shell = openai(&server);
    let input = questions(FAULTS.map(|(name, ..)| name));
    let output = shell.run_on(input, &ask("openai", "gpt-5-mini")).succeeds();
    let records = output.records();
    for (record, (name, _, status, retries)) in records.iter().zip(FAULTS) {
        let dispatch = &record["dispatch"];
        assert_eq!((&record["id"], &dispatch["status"]), (&json!(name), &json!(status)), "{dispatch}");
        assert_eq!(dispatch["usage"]["requests"], retries + 1, "{name}: {dispatch}");
    }
    let totals = server.totals();
    assert_eq!(books(&records), (totals.requests, totals.tokens), "\n{output}");
}

#[test]
fn a_cost_is_right_to_the_token() {
    // 234 × 0.25 + 1000 × 0.025 + 17 × 2 = 117.5 millionths of a dollar, however the server tells its tokens
    for style in ["own", "null_choices", "last_choice", "growing"] {
        let server = server(&format!(
            "{{\"text\": \"Paris\", \"pieces\": 5, \"usage_style\": \"{style}\", \"model\": \"gpt-5-mini-2025-08-07\", \
             \"usage\": {{\"input\": 234, \"cache_read\": 1000, \"output\": 17, \"reasoning\": 4}}}}"
        ));
        let output = openai(&server).run_on(questions(["x"]), &ask("openai", "gpt-5-mini")).succeeds();
        let dispatch = &output.records()[0]["dispatch"];
        assert_eq!(dispatch["output"], "Paris", "{style}");
        assert_eq!(dispatch["model"], "gpt-5-mini-2025-08-07", "{style}");
        assert_eq!(dispatch["cost_usd"], 0.000_117_5, "{style}: {dispatch}");
        assert_eq!(
            dispatch["usage"],
            json!({"input_tokens": 234, "cache_read_tokens": 1000, "output_tokens": 17, "reasoning_tokens": 4,
                "requests": 1}),
            "{style}"
        );
    }
}

#[test]
fn what_a_server_does_not_tell_is_not_taken_for_nothing() {
    let server =
        server("{\"text\": \"Paris\", \"usage_style\": \"none\"}\n{\"text\": \"Rome\", \"model\": \"mine\"}");
    let output = openai(&server)
        .run_on(questions(["x", "y"]), &(ask("openai", "gpt-5-mini") + " --jobs 1"))
        .succeeds();
    let records = output.records();
    assert_eq!(records[0]["dispatch"]["output"], "Paris");
    assert!(
        records[0]["dispatch"]["usage"]["untold_requests"] == 1
            && records[0]["dispatch"]["cost_usd"].is_null(),
        "{output}"
    );
    assert!(
        records[1]["dispatch"]["usage"].is_object() && records[1]["dispatch"]["cost_usd"].is_null(),
        "{output}"
    );
}

#[test]
fn a_key_that_is_not_accepted_is_tried_once_and_never_shown() {
    let server = server(&format!(
        "{{\"when\": \"\", \"status\": 401, \"error\": {{\"type\": \"authentication_error\", \"message\": \"bad key {KEY}\"}}}}"
    ));
    let shell = anthropic(&server);
    let names: Vec<String> = (0..50).map(|number| format!("t{number}")).collect();
    let input = questions(names.iter().map(String::as_str));
    let output = shell.run_on(input, &(ask("anthropic", "claude-haiku-4-5") + " --jobs 1")).succeeds();
    assert_eq!(server.totals().requests, 1, "\n{output}");
    for record in output.records() {
        assert_eq!(record["dispatch"]["status"], "auth", "{record}");
        assert!(record["dispatch"]["reason"].as_str().unwrap().contains("ANTHROPIC_API_KEY"), "{record}");
    }
    assert!(!output.stdout.contains(KEY) && !output.stderr.contains(KEY), "\n{output}");
    shell.run(&format!("grep -r {KEY} . ")).exits(1);
}

#[test]
fn an_account_that_is_spent_stops_the_lane() {
    for step in [
        r#""status": 429, "error": {"type": "rate_limit_error", "message": "x"}"#,
        r#""status": 429, "headers": {"retry-after": "1"}, "error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}"#,
        r#""status": 400, "error": {"type": "invalid_request_error", "message": "You have reached your specified API usage limits."}"#,
        r#""status": 402, "error": {"type": "billing_error", "message": "x"}"#,
    ] {
        let server = server(&format!("{{\"when\": \"\", {step}}}"));
        let script = ask("anthropic", "claude-haiku-4-5") + " --jobs 1";
        let output = anthropic(&server).run_on(questions(["a", "b", "c"]), &script).succeeds();
        for record in output.records() {
            assert_eq!(record["dispatch"]["status"], "quota", "{step}: {record}");
        }
        assert_eq!(server.totals().requests, 1, "{step}\n{output}");
    }
}

#[test]
fn a_task_ends_in_its_time_and_what_was_told_counts() {
    let server = server(&format!("{{\"stall_after\": 2, {TOKENS}}}"));
    let script = ask("anthropic", "claude-haiku-4-5") + " --timeout 1s";
    let output = anthropic(&server).run_on(questions(["x"]), &script).succeeds();
    let dispatch = &output.records()[0]["dispatch"];
    assert_eq!(dispatch["status"], "timeout", "{dispatch}");
    assert_eq!(dispatch["cost_usd"], 0.00068, "{dispatch}");
    assert!(output.elapsed.as_secs() < 20, "\n{output}");
}

#[test]
fn what_the_model_is_told_is_the_executor_and_the_task() {
    let server = server("");
    let input = "{\"id\":\"x\",\"task\":{\"text\":\"Explain `$(reboot)` and \\\"quotes\\\"\",\"executor\":\"review\"}}\n";
    anthropic(&server).run_on(input, &ask("anthropic", "claude-haiku-4-5")).succeeds();
    let entries = server.entries();
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((entry.method.as_str(), entry.path.as_str()), ("POST", "/v1/messages"));
    assert_eq!(entry.body["model"], "claude-haiku-4-5");
    assert_eq!(entry.body["system"][0]["cache_control"], json!({"type": "ephemeral"}));
    assert!(entry.body["system"][0]["text"].as_str().is_some_and(|text| !text.trim().is_empty()));
    let prompt = entry.body["messages"][0]["content"][0]["text"].as_str().unwrap();
    assert!(prompt.contains("Explain `$(reboot)` and \"quotes\""), "{prompt}");
}
