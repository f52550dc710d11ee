//! The server as a client meets it that knows nothing of it: the bytes of every format, whole and streamed.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{Script, Server, Tokens};

const PATHS: [&str; 4] =
    ["/v1/messages", "/v1/chat/completions", "/v1/responses", "/v1beta/models/m:generateContent"];

fn request(server: &Server, method: &str, path: &str, body: &Value) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let body = body.to_string();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    if !head.contains("chunked") {
        return (status, rest.to_owned());
    }
    let (mut whole, mut rest) = (String::new(), rest);
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    (status, whole)
}

/// Returns the body of a first request in the format of a path.
fn question(path: &str, stream: bool) -> Value {
    let messages = json!([{ "role": "user", "content": "go" }]);
    let mut body = match path {
        "/v1/responses" => json!({ "input": "go" }),
        "/v1/messages" | "/v1/chat/completions" => json!({ "max_tokens": 9, "messages": messages }),
        _ => json!({ "contents": [{ "role": "user", "parts": [{ "text": "go" }] }] }),
    };
    body["model"] = json!("m");
    body["stream"] = json!(stream);
    body["stream_options"] = json!({ "include_usage": true });
    body
}

fn events(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect()
}

const CALLS: &str = r#"{"when": "go", "usage": {"input": 10, "cache_read": 5, "output": 7, "reasoning": 2},
    "calls": [{"name": "Read", "input": {"path": "a"}}, {"name": "Grep", "input": {"pattern": "b"}}]}"#;

fn calling(style: &str) -> Server {
    let step = CALLS.replace('\n', " ").replace("{\"when\"", &format!("{{\"pieces\": 3, {style} \"when\""));
    Server::start(Script::parse(&step).unwrap()).unwrap()
}

#[test]
fn every_format_tells_parallel_calls_in_a_document_and_is_accounted_for() {
    let server = calling("");
    for path in PATHS {
        let (status, text) = request(&server, "POST", path, &question(path, false));
        assert_eq!(status, 200);
        for expected in ["Read", "Grep", "path"] {
            assert!(text.contains(expected), "{path}: {text}");
        }
    }
    let tokens = Tokens { input: 40, cache_read: 20, output: 28, reasoning: 8, ..Tokens::default() };
    assert_eq!((server.totals().requests, server.totals().tokens), (4, tokens));
    let (_, books) = request(&server, "GET", "/books", &Value::Null);
    let books: Value = serde_json::from_str(&books).unwrap();
    assert_eq!((&books["requests"], &books["models"]["m"]["cache_read"]), (&json!(4), &json!(20)));
    assert_eq!(server.totals().requests, 4, "looking is free");
    let log = serde_json::to_string(&server.entries()).unwrap();
    assert!(!log.contains("secret") && log.contains("[key]"), "{log}");
}

#[test]
fn a_stream_of_messages_tells_each_call_in_its_own_block() {
    for style in ["", r#""call_style": "interleaved","#, r#""call_style": "whole","#] {
        let server = calling(style);
        let (_, text) = request(&server, "POST", "/v1/messages", &question("/v1/messages", true));
        let (mut inputs, mut stop) = (vec![String::new(); 2], Value::Null);
        for event in events(&text) {
            let index = event["index"].as_u64().unwrap_or(0) as usize;
            match event["type"].as_str().unwrap() {
                "content_block_start" if style.contains("whole") => {
                    inputs[index] = event["content_block"]["input"].to_string();
                }
                "content_block_delta" => {
                    inputs[index].push_str(event["delta"]["partial_json"].as_str().unwrap());
                }
                "message_delta" => stop = event["delta"]["stop_reason"].clone(),
                _ => {}
            }
        }
        assert_eq!(inputs, [r#"{"path":"a"}"#, r#"{"pattern":"b"}"#], "{style}");
        assert_eq!(stop, "tool_use");
    }
}

#[test]
fn a_stream_of_completions_tells_calls_as_servers_do() {
    for style in ["standard", "interleaved", "whole", "bare", "repeated", "no_index"] {
        let server = calling(&format!("\"call_style\": \"{style}\","));
        let path = "/v1/chat/completions";
        let (_, text) = request(&server, "POST", path, &question(path, true));
        let events = events(&text);
        let deltas: Vec<&Value> = events
            .iter()
            .map(|event| &event["choices"][0]["delta"]["tool_calls"][0])
            .filter(|delta| delta.is_object())
            .collect();
        let count = |member: &str| deltas.iter().filter(|delta| delta[member].is_string()).count();
        let (ids, all) = (count("id"), if style == "whole" { 2 } else { 8 });
        assert_eq!(deltas.len(), all, "{style}");
        let expected = match style {
            "bare" => 0,
            "repeated" => all,
            _ => 2,
        };
        assert_eq!(ids, expected, "{style}");
        let arguments: String =
            deltas.iter().map(|delta| delta["function"]["arguments"].as_str().unwrap()).collect();
        if style != "interleaved" {
            assert_eq!(arguments, r#"{"path":"a"}{"pattern":"b"}"#, "{style}");
        }
        assert_eq!(deltas.iter().any(|delta| delta["index"].is_u64()), style != "no_index", "{style}");
        assert_eq!(events[events.len() - 2]["choices"][0]["finish_reason"], "tool_calls");
    }
}

#[test]
fn a_stream_of_responses_opens_and_closes_each_item() {
    let server = calling(r#""text": "now", "thinking": "hm","#);
    let (_, text) = request(&server, "POST", "/v1/responses", &question("/v1/responses", true));
    let events = events(&text);
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let count = |kind: &str| kinds.iter().filter(|other| **other == kind).count();
    assert_eq!(kinds[0], "response.created");
    assert_eq!((count("response.output_item.added"), count("response.output_item.done")), (4, 4));
    assert_eq!(count("response.output_text.delta"), 3);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    let usage = &last["response"]["usage"];
    assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(15), &json!(7)));
    assert_eq!(last["response"]["output"][2]["arguments"], r#"{"path":"a"}"#);
}

#[test]
fn a_conversation_goes_on_by_what_it_holds() {
    let script = r#"{"when": "go", "turns": [{"calls": [{"name": "Read", "id": "x"}]}, {"text": "it says {results}"}]}"#;
    let server = Server::start(Script::parse(script).unwrap()).unwrap();
    let mut body = question("/v1/chat/completions", false);
    for _ in 0..2 {
        let (_, first) = request(&server, "POST", "/v1/chat/completions", &body);
        assert!(first.contains("Read"), "{first}");
    }
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({ "role": "assistant", "tool_calls": [{ "id": "x" }] }));
    let (status, refused) = request(&server, "POST", "/v1/chat/completions", &body);
    assert_eq!(status, 400, "{refused}");
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({ "role": "tool", "tool_call_id": "x", "content": "blue" }));
    let (_, second) = request(&server, "POST", "/v1/chat/completions", &body);
    assert!(second.contains("it says blue"), "{second}");
}
