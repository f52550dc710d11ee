//! The HTTP backends against a server that says exactly the bytes it is told to say.

#[path = "http/server.rs"]
mod server;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use dispatch::Allowance;
use dispatch::backend::{Answer, Draft, Job};
use dispatch::http::{Anthropic, Clock, OpenAi, Retry};
use dispatch::{Hedge, Late};
use serde_json::{Value, json};
use server::{Act, Server, answer, stream};
use shared::price::Table;
use shared::process::Cancel;
use shared::section::{Status, Task, Tier, Usage};

const KEY: &str = "sk-test-0123456789";

/// A clock that never waits, and remembers what it was asked to wait.
struct Impatient {
    start: Instant,
    waits: Mutex<Vec<Duration>>,
}

impl Impatient {
    fn new() -> Arc<Self> {
        Arc::new(Impatient { start: Instant::now(), waits: Mutex::default() })
    }

    fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

impl Clock for Impatient {
    fn now(&self) -> Instant {
        self.start + self.waits.lock().unwrap().iter().sum::<Duration>()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.waits.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }

    fn chance(&self) -> f64 {
        0.0
    }
}

fn job() -> Job {
    Job {
        id: "t1".to_owned(),
        attempt: 1,
        draft: 1,
        tier: Tier::ONE,
        task: Task::default(),
        executor: "explore".to_owned(),
        system: Some("You explore.".to_owned()),
        tools: Vec::new(),
        model: None,
        prompt: "What is here?".to_owned(),
        plain: "What is here?".to_owned(),
        results: None,
        workdir: ".".into(),
        timeout: None,
        max_output_tokens: None,
        max_turns: None,
        cancel: Cancel::default(),
        allowance: Allowance::default(),
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn drafted(answer: Answer) -> Draft {
    match answer {
        Answer::Draft(draft) => draft,
        Answer::Declined(why) => panic!("declined: {why}"),
    }
}

fn anthropic(server: &Server, retry: Retry) -> Anthropic {
    Anthropic::new(&server.url(), Some(KEY), Some("claude-haiku-4-5"), retry).unwrap()
}

fn openai(server: &Server, retry: Retry) -> OpenAi {
    OpenAi::new(&server.url(), Some(KEY), Some("gpt-5-mini"), retry).unwrap()
}

/// Asks once with a clock that does not wait; returns the draft and the waits.
fn ask(server: &Server) -> (Draft, Vec<Duration>) {
    let clock = Impatient::new();
    let client = anthropic(server, Retry::with_clock(clock.clone()));
    (drafted(wait(client.run(&job()))), clock.waits())
}

fn events(data: &[Value]) -> String {
    data.iter()
        .map(|value| format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap()))
        .collect()
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"model": "claude-haiku-4-5-20251001", "content": [],
        "usage": {"input_tokens": 1000, "cache_read_input_tokens": 2000, "cache_creation_input_tokens": 500,
        "output_tokens": 1}}})
}

fn message(text: &str, stop: &str) -> String {
    events(&[
        start(),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 100}}),
        json!({"type": "message_stop"}),
    ])
}

/// What `message` counts.
const COUNTED: Usage = Usage {
    input_tokens: 1000,
    cache_read_tokens: 2000,
    cache_write_tokens: 500,
    cache_write_1h_tokens: 0,
    output_tokens: 100,
    reasoning_tokens: 0,
    requests: 1,
    untold_requests: 0,
};

fn error(kind: &str) -> String {
    json!({"type": "error", "error": {"type": kind, "message": "says the server"}}).to_string()
}

fn well() -> Vec<Act> {
    stream(&message("All is well.", "end_turn"))
}

#[test]
fn a_message_is_asked_for_and_its_answer_counted() {
    let server = Server::start([well()]);
    let (draft, waits) = ask(&server);
    assert_eq!((draft.status, draft.output.as_str(), &draft.reason), (Status::Ok, "All is well.", &None));
    assert_eq!(draft.usage, Some(COUNTED));
    assert_eq!(draft.requests, [COUNTED]);
    assert_eq!(draft.model.as_deref(), Some("claude-haiku-4-5-20251001"));
    assert_eq!(draft.stop_reason.as_deref(), Some("end_turn"));
    assert_eq!((draft.turns, draft.retries, waits.len()), (Some(1), 0, 0));
    // 1000 × 1 + 2000 × 0.1 + 500 × 1.25 + 100 × 5 = 2325 millionths
    assert_eq!(
        Table::built_in().cost_of_requests(draft.model.as_deref().unwrap(), &draft.requests),
        Some(0.002325)
    );

    let requests = server.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert!(request.head.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("x-api-key"), Some(KEY));
    assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(request.header("authorization"), None);
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(
        body,
        json!({"model": "claude-haiku-4-5", "max_tokens": 16384, "stream": true,
            "system": [{"type": "text", "text": "You explore.", "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": "What is here?"}]})
    );
}

#[test]
fn a_completion_is_asked_for_and_its_answer_counted() {
    let chunks = [
        json!({"model": "gpt-5-mini-2025-08-07", "choices": [{"index": 0, "delta": {"content": "Well."}}]}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 1234, "completion_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 1000}}}),
    ];
    let body: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    let server = Server::start([stream(&(body + "data: [DONE]\n\n"))]);
    let client = openai(&server, Retry::default());
    let asked = Job { max_output_tokens: Some(300), model: Some("gpt-5-mini".to_owned()), ..job() };
    let draft = drafted(wait(client.run(&asked)));
    assert_eq!((draft.status, draft.output.as_str()), (Status::Ok, "Well."));
    let table = Table::built_in();
    assert_eq!(table.cost_of_requests(&draft.model.unwrap(), &draft.requests), Some(0.0001175));

    let requests = server.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert!(request.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("authorization"), Some("Bearer sk-test-0123456789"));
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(
        body,
        json!({"model": "gpt-5-mini", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 300,
            "messages": [{"role": "system", "content": "You explore."},
                {"role": "user", "content": "What is here?"}]})
    );
}

#[test]
fn a_server_without_keys_gets_none() {
    let server = Server::start([stream("data: [DONE]\n\n")]);
    let client = OpenAi::new(&server.url(), None, Some("qwen"), Retry::default()).unwrap();
    let draft = drafted(wait(client.run(&job())));
    assert_eq!(draft.status, Status::Truncated);
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn the_server_is_waited_for_as_long_as_it_asks() {
    let busy = answer(429, &[("retry-after", "7")], &error("rate_limit_error"));
    let server = Server::start([busy, well()]);
    let (draft, waits) = ask(&server);
    assert_eq!((draft.status, draft.retries), (Status::Ok, 1));
    assert_eq!(draft.usage.unwrap(), Usage { requests: 2, ..COUNTED });
    assert_eq!(waits[0].as_secs_f64().round(), 7.0);
}

#[test]
fn a_server_that_says_when_to_come_back_is_believed_more_often() {
    let busy = || answer(429, &[("retry-after", "2")], &error("rate_limit_error"));
    let server = Server::start((0..9).map(|_| busy()).chain([well()]));
    let (draft, _) = ask(&server);
    assert_eq!((draft.status, draft.retries, draft.usage.unwrap().requests), (Status::Ok, 9, 10));

    let server = Server::start((0..99).map(|_| busy()));
    let (draft, _) = ask(&server);
    assert_eq!((draft.status, draft.retries, server.requests().len()), (Status::Transport, 19, 20));
    assert!(draft.reason.unwrap().ends_with("in the last of 20 tries"));
}

#[test]
fn what_one_is_asked_to_wait_all_wait() {
    let busy = answer(429, &[("retry-after", "60")], &error("rate_limit_error"));
    let server = Server::start([busy, well(), well()]);
    let clock = Impatient::new();
    let retry = Retry::with_clock(clock.clone());
    let mut once = retry.clone();
    once.patience = Duration::ZERO;
    let first = anthropic(&server, once);
    assert_eq!(drafted(wait(first.run(&job()))).status, Status::Transport);
    assert!(clock.waits().is_empty());
    // Another model at the same server has a limit of its own.
    let other = Job { model: Some("claude-opus-5-5".to_owned()), ..job() };
    assert_eq!(drafted(wait(first.run(&other))).status, Status::Ok);
    assert!(clock.waits().is_empty());
    let sibling = anthropic(&server, retry);
    assert_eq!(drafted(wait(sibling.run(&job()))).status, Status::Ok);
    assert_eq!(clock.waits()[0].as_secs_f64().round(), 60.0);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn nobody_waits_for_an_hour() {
    let busy = answer(429, &[("retry-after", "3600")], &error("rate_limit_error"));
    let server = Server::start([busy]);
    let (draft, waits) = ask(&server);
    assert_eq!((draft.status, draft.retries, waits.len()), (Status::Transport, 0, 0));
    assert!(draft.reason.unwrap().contains("asks to wait 1h"));
    assert_eq!(draft.usage, Some(Usage { requests: 1, ..Usage::default() }));
}

#[test]
fn an_overloaded_server_is_asked_a_few_times_at_growing_intervals() {
    let overloaded = || answer(529, &[], &error("overloaded_error"));
    let server = Server::start([overloaded(), overloaded(), overloaded(), overloaded(), well()]);
    let (draft, waits) = ask(&server);
    assert_eq!((draft.status, draft.retries, draft.usage.unwrap().requests), (Status::Ok, 4, 5));
    assert_eq!(waits, [250, 500, 1000, 2000].map(Duration::from_millis));

    let server = Server::start((0..9).map(|_| overloaded()));
    let (draft, _) = ask(&server);
    assert_eq!((draft.status, draft.retries, draft.usage.unwrap().requests), (Status::Transport, 4, 5));
    assert_eq!(
        draft.reason.unwrap(),
        "the server is overloaded (529 overloaded_error: says the server), in the last of 5 tries"
    );
}

#[test]
fn every_fault_that_may_pass_is_tried_again() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    let chunked = format!("{ok}transfer-encoding: chunked\r\n\r\n");
    for (name, fault) in [
        ("408", answer(408, &[], "")),
        ("409", answer(409, &[], &error("conflict_error"))),
        ("500", answer(500, &[], &error("api_error"))),
        ("502", answer(502, &[], "<html>bad gateway")),
        ("503", answer(503, &[("retry-after", "0")], "")),
        ("504", answer(504, &[], &error("timeout_error"))),
        ("no answer", vec![]),
        ("half a head", vec![Act::Send(b"HTTP/1.1 200 O".to_vec())]),
        ("not HTTP", vec![Act::Send(b"SSH-2.0-x\r\n\r\n".to_vec())]),
        ("an empty answer", stream("")),
        (
            "an error inside the stream",
            stream(&events(&[json!({"type": "error", "error":
            {"type": "overloaded_error", "message": "Overloaded"}})])),
        ),
        ("no JSON", stream("event: message_start\ndata: {\"type\":\"mess\n\n")),
        ("a cut chunk", vec![Act::Send(format!("{chunked}40\r\nevent: message_st").into_bytes())]),
        (
            "a cut document",
            vec![Act::Send(format!("{ok}content-length: 99\r\n\r\n{{\"type\":").into_bytes())],
        ),
    ] {
        let server = Server::start([fault, well()]);
        let (draft, _) = ask(&server);
        assert_eq!((draft.status, draft.retries), (Status::Ok, 1), "{name}: {:?}", draft.reason);
        assert_eq!(draft.usage, Some(Usage { requests: 2, ..COUNTED }), "{name}");
    }
}

/// Asks a server that says this much of a stream and no more, and cancels a while after the request has come.
fn cancelled_after(told: &str, after: Duration) -> Draft {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let server = Server::start([vec![Act::Send(format!("{head}{told}").into_bytes()), Act::Hold]]);
    let cancel = Cancel::default();
    let job = Job { cancel: cancel.clone(), ..job() };
    let client = anthropic(&server, Retry::with_clock(Impatient::new()));
    drafted(wait(async {
        let ended = async {
            while server.requests().is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(after).await;
            cancel.cancel();
        };
        tokio::join!(client.run(&job), ended).0
    }))
}

#[test]
fn a_cancelled_request_ends_at_once_and_what_the_server_had_told_is_counted() {
    let draft = cancelled_after("", Duration::ZERO);
    let usage = draft.usage.unwrap();
    assert_eq!((draft.status, draft.requests.len()), (Status::Cancelled, 0));
    assert_eq!((usage.requests, usage.untold_requests), (1, 1));
    // Whether the beginning of the stream has been read yet is not to be seen from outside, so it gets more and more time.
    let told =
        (0..9).map(|doubled| cancelled_after(&events(&[start()]), Duration::from_millis(20 << doubled)));
    let draft = told.into_iter().find(|draft| draft.usage.unwrap().untold_requests == 0).unwrap();
    assert_eq!(draft.requests, [Usage { output_tokens: 1, ..COUNTED }]);
    assert_eq!((draft.status, draft.usage.unwrap().requests), (Status::Cancelled, 1));
}

#[test]
fn a_late_request_is_sent_once_more_and_both_are_paid_for() {
    let hedge = |share| Hedge::new(Late::After(Duration::ZERO), Some(share));
    let silent = || vec![Act::Hold];
    let server = Server::start([silent(), well()]);
    let client = anthropic(&server, Retry::with_clock(Impatient::new())).hedged(hedge(1.0));
    let draft = drafted(wait(client.run(&job())));
    assert_eq!((draft.status, draft.output.as_str()), (Status::Ok, "All is well."));
    assert_eq!((draft.retries, draft.hedged, draft.turns), (0, 1, Some(1)));
    // Nobody knows what the one that was given up has used: that is told, and not taken for nothing.
    assert_eq!(draft.usage, Some(Usage { requests: 2, untold_requests: 1, ..COUNTED }));
    assert_eq!((server.requests().len(), draft.requests), (2, vec![COUNTED]));

    // One that fails is no answer.
    let server = Server::start([silent(), answer(500, &[], ""), well()]);
    let client = anthropic(&server, Retry::with_clock(Impatient::new())).hedged(hedge(1.0));
    let limited = Job { timeout: Some(Duration::from_millis(300)), ..job() };
    let draft = drafted(wait(client.run(&limited)));
    assert_eq!((draft.status, draft.hedged), (Status::Timeout, 1));
    let usage = draft.usage.unwrap();
    assert_eq!((usage.requests, usage.untold_requests, server.requests().len()), (2, 1, 2));

    // No more than the share.
    let server = Server::start((0..4).map(|_| well()));
    let client = anthropic(&server, Retry::with_clock(Impatient::new())).hedged(hedge(0.0));
    let hedged: u32 = (0..4).map(|_| drafted(wait(client.run(&job()))).hedged).sum();
    assert_eq!((hedged, server.requests().len()), (0, 4));
}

#[test]
fn the_tokens_of_a_stream_that_was_cut_are_counted() {
    let server = Server::start([stream(&events(&[start()])), well()]);
    let (draft, _) = ask(&server);
    assert_eq!((draft.status, draft.output.as_str()), (Status::Ok, "All is well."));
    let cut = Usage { output_tokens: 1, ..COUNTED };
    assert_eq!(draft.requests, [cut, COUNTED]);
    let both = draft.usage.unwrap();
    assert_eq!(
        (both.input_tokens, both.output_tokens, both.cache_read_tokens, both.requests),
        (2000, 101, 4000, 2)
    );
}

#[test]
fn what_will_not_pass_is_not_tried_again_by_anybody() {
    let spent = json!({"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}});
    for (status, headers, body, expected, siblings_ask) in [
        (400, &[][..], error("invalid_request_error"), Status::Failed, true),
        (401, &[], error("authentication_error"), Status::Auth, false),
        (402, &[], error("billing_error"), Status::Quota, false),
        (403, &[], error("permission_error"), Status::Auth, false),
        (404, &[], error("not_found_error"), Status::Failed, false),
        (413, &[], error("request_too_large"), Status::Failed, true),
        (429, &[], error("rate_limit_error"), Status::Quota, false),
        (429, &[("retry-after", "1")], spent.to_string(), Status::Quota, false),
    ] {
        let server = Server::start([answer(status, headers, &body), well()]);
        let clock = Impatient::new();
        let client = anthropic(&server, Retry::with_clock(clock.clone()));
        let draft = drafted(wait(client.run(&job())));
        assert_eq!((draft.status, draft.retries), (expected, 0), "{status}");
        let reason = draft.reason.unwrap();
        assert!(reason.contains("; "), "{status}: no remedy in `{reason}`");
        let sibling = drafted(wait(client.run(&job())));
        assert_eq!(server.requests().len(), if siblings_ask { 2 } else { 1 }, "{status}");
        assert_eq!(sibling.status, if siblings_ask { Status::Ok } else { expected }, "{status}");
        assert_eq!(sibling.usage.is_some(), siblings_ask, "{status}");
        assert!(clock.waits().is_empty(), "{status}");
    }
}

#[test]
fn a_rate_limit_without_a_time_passes_for_chat_completions_and_an_empty_account_does_not() {
    let limited =
        answer(429, &[], &json!({"error": {"code": "rate_limit_exceeded", "message": "x"}}).to_string());
    let done = stream(
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    );
    let server = Server::start([limited, done]);
    let draft = drafted(wait(openai(&server, Retry::with_clock(Impatient::new())).run(&job())));
    assert_eq!((draft.status, draft.retries), (Status::Ok, 1));
    // The server told no tokens: that is not the same as none.
    let untold = Usage { requests: 2, untold_requests: 1, ..Usage::default() };
    assert_eq!((draft.usage, draft.requests.len()), (Some(untold), 0));

    let spent =
        json!({"error": {"type": "insufficient_quota", "code": "credit_balance_exhausted", "message": "x"}});
    let server = Server::start([answer(429, &[("retry-after", "1")], &spent.to_string())]);
    let draft = drafted(wait(openai(&server, Retry::with_clock(Impatient::new())).run(&job())));
    assert_eq!((draft.status, draft.retries), (Status::Quota, 0));
}

#[test]
fn a_key_is_never_repeated() {
    let quoting = json!({"error": {"message": format!("Incorrect API key provided: {KEY}."), "code": "invalid_api_key"}});
    let server = Server::start([answer(401, &[], &quoting.to_string())]);
    let client = openai(&server, Retry::default()).key_from("MY_KEY");
    let draft = drafted(wait(client.run(&job())));
    let reason = draft.reason.unwrap();
    assert!(reason.contains("[key]") && reason.contains("MY_KEY") && !reason.contains(KEY), "{reason}");
    assert!(!format!("{client:?}").contains(KEY));
    let bad = OpenAi::new(&server.url(), Some("two\nlines"), None, Retry::default()).unwrap_err();
    assert!(!bad.full_message().contains("two"), "{}", bad.full_message());
    let bad = OpenAi::new("http://user:hunter2@[bad", None, None, Retry::default()).unwrap_err(); // gates:allow secret
    assert!(!bad.full_message().contains("hunter2"), "{}", bad.full_message());
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::start([well()]);
    let to = format!("{}/v1/messages?token=1", elsewhere.url());
    let server = Server::start([answer(307, &[("location", &to)], "")]);
    let (draft, _) = ask(&server);
    assert_eq!((draft.status, draft.retries), (Status::Failed, 0));
    assert!(draft.reason.unwrap().contains("base_url"));
    assert_eq!(elsewhere.requests().len(), 0);
}

#[test]
fn slow_bytes_are_waited_for_and_silence_is_not() {
    let text = message("slow", "end_turn");
    let mut slow = stream("");
    for byte in text.bytes() {
        slow.extend([Act::Send(vec![byte]), Act::Pause(Duration::from_micros(200))]);
    }
    let server = Server::start([slow]);
    let client = anthropic(&server, Retry::default()).idle_timeout(Duration::from_secs(20));
    let draft = drafted(wait(client.run(&job())));
    assert_eq!((draft.status, draft.output.as_str(), draft.usage), (Status::Ok, "slow", Some(COUNTED)));

    let mut silent = stream(&events(&[start()]));
    silent.push(Act::Hold);
    let server = Server::start([silent, well()]);
    let retry = Retry::with_clock(Impatient::new());
    let client = anthropic(&server, retry).idle_timeout(Duration::from_millis(300));
    let draft = drafted(wait(client.run(&job())));
    assert_eq!((draft.status, draft.retries), (Status::Ok, 1));
    assert_eq!(draft.usage.unwrap().input_tokens, 2000);

    let server = Server::start([vec![Act::Hold], well()]);
    let retry = Retry::with_clock(Impatient::new());
    let client = anthropic(&server, retry).first_byte_timeout(Duration::from_millis(300));
    assert_eq!(drafted(wait(client.run(&job()))).status, Status::Ok);
}

#[test]
fn a_job_ends_in_its_time_and_what_was_counted_counts() {
    let mut silent = stream(&events(&[start()]));
    silent.push(Act::Hold);
    let server = Server::start([silent]);
    let client = anthropic(&server, Retry::default());
    let draft = drafted(wait(client.run(&Job { timeout: Some(Duration::from_millis(400)), ..job() })));
    assert_eq!(draft.status, Status::Timeout);
    assert_eq!(draft.reason.as_deref(), Some("there was no whole answer after 400ms"));
    assert_eq!(draft.usage, Some(Usage { output_tokens: 1, ..COUNTED }));
    assert_eq!((draft.turns, draft.retries), (None, 0));
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let clock = Impatient::new();
    let url = format!("http://user:hunter2@127.0.0.1:{port}"); // gates:allow secret
    let client = OpenAi::new(&url, None, Some("m"), Retry::with_clock(clock)).unwrap();
    let draft = drafted(wait(client.run(&job())));
    let reason = draft.reason.unwrap();
    assert_eq!((draft.status, draft.retries), (Status::Transport, 4));
    assert!(
        reason.starts_with(&format!("cannot connect to http://127.0.0.1:{port}/v1/chat/completions (")),
        "{reason}"
    );
    assert!(!reason.contains("hunter2"), "{reason}");
}

/// Such as Python's `http.server`, which says nothing of it in its headers.
#[test]
fn a_server_that_closes_every_connection_sees_every_request() {
    let body =
        json!({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": {}}).to_string();
    let closing = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let server = Server::start((0..200).map(|_| vec![Act::Send(closing.clone().into_bytes())]));
    let client = openai(&server, Retry::default());
    wait(async {
        for _ in 0..200 {
            let draft = drafted(client.run(&job()).await);
            assert_eq!((draft.status, draft.retries), (Status::Ok, 0), "{:?}", draft.reason);
        }
    });
    assert_eq!(server.requests().len(), 200);
}

#[test]
fn a_connection_that_is_not_safe_is_not_tried_again() {
    let server = Server::start([vec![]]);
    let url = server.url().replace("http://", "https://");
    let client = OpenAi::new(&url, None, Some("m"), Retry::with_clock(Impatient::new())).unwrap();
    let draft = drafted(wait(client.run(&job())));
    // Without certificates on this machine the reason is another one; it does not pass either.
    assert_eq!((draft.status, draft.retries), (Status::Failed, 0), "{:?}", draft.reason);
    assert!(draft.reason.unwrap().contains("CA certificates"));
}

#[test]
fn an_answer_without_bounds_is_given_up() {
    let text = message(&"x".repeat(100_000), "end_turn");
    let server = Server::start([stream(&text)]);
    let client = anthropic(&server, Retry::default()).largest_answer(50_000);
    let draft = drafted(wait(client.run(&job())));
    assert_eq!((draft.status, draft.retries), (Status::Failed, 0));
}

#[test]
fn a_server_that_does_not_stream_is_understood() {
    let document = json!({"type": "message", "model": "m", "content": [{"type": "text", "text": "whole"}],
        "stop_reason": "end_turn", "usage": {"input_tokens": 2095, "output_tokens": 503}});
    let server = Server::start([answer(200, &[], &document.to_string())]);
    let (draft, _) = ask(&server);
    assert_eq!((draft.status, draft.output.as_str()), (Status::Ok, "whole"));
    assert_eq!(draft.usage.unwrap().output_tokens, 503);
}

#[test]
fn an_answer_that_was_cut_or_refused_says_so() {
    for (stop, status) in [
        ("max_tokens", Status::Truncated),
        ("model_context_window_exceeded", Status::Truncated),
        ("refusal", Status::Refused),
    ] {
        let server = Server::start([stream(&message("So far", stop))]);
        let (draft, _) = ask(&server);
        assert_eq!((draft.status, draft.output.as_str(), draft.retries), (status, "So far", 0));
        assert_eq!(draft.stop_reason.as_deref(), Some(stop));
        assert!(draft.reason.is_some());
        assert_eq!(draft.usage, Some(COUNTED));
    }
}

#[test]
fn without_a_model_nothing_is_asked() {
    let server = Server::start([]);
    let client = Anthropic::new(&server.url(), Some(KEY), None, Retry::default()).unwrap();
    let draft = drafted(wait(client.run(&job())));
    assert_eq!((draft.status, draft.usage), (Status::Unavailable, None));
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_last_request_of_a_window_holds_the_next() {
    let spent = answer(
        200,
        &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6s")],
        &json!({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}).to_string(),
    );
    let again = answer(
        200,
        &[],
        &json!({"choices": [{"message": {"content": "b"}, "finish_reason": "stop"}]}).to_string(),
    );
    let server = Server::start([spent, again]);
    let clock = Impatient::new();
    let client = openai(&server, Retry::with_clock(clock.clone()));
    assert_eq!(drafted(wait(client.run(&job()))).output, "a");
    assert_eq!(drafted(wait(client.run(&job()))).output, "b");
    assert_eq!(clock.waits()[0].as_secs_f64().round(), 6.0);
}
