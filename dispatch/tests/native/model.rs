//! A model of which a test says what it answers to what it was sent, in both wire formats.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A request, in whatever format it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) raw: String,
    pub(crate) body: Value,
    pub(crate) is_anthropic: bool,
}

impl Asked {
    /// Returns how many answers it holds.
    pub(crate) fn turn(&self) -> usize {
        let messages = self.body["messages"].as_array().unwrap();
        messages.iter().filter(|message| message["role"] == "assistant").count()
    }

    /// Returns the prompt.
    pub(crate) fn prompt(&self) -> String {
        let messages = self.body["messages"].as_array().unwrap();
        let first = messages.iter().find(|message| message["role"] == "user").unwrap();
        text_of(&first["content"])
    }

    /// Returns what the tools gave back since the last answer: the call, the text, and whether it was done.
    pub(crate) fn results(&self) -> Vec<(String, String, bool)> {
        let messages = self.body["messages"].as_array().unwrap();
        let since =
            messages.iter().rposition(|message| message["role"] == "assistant").map_or(0, |at| at + 1);
        let mut results = Vec::new();
        for message in &messages[since..] {
            if self.is_anthropic {
                for block in message["content"].as_array().into_iter().flatten() {
                    if block["type"] == "tool_result" {
                        let id = block["tool_use_id"].as_str().unwrap().to_owned();
                        results.push((id, text_of(&block["content"]), block["is_error"] != true));
                    }
                }
            } else if message["role"] == "tool" {
                let text = text_of(&message["content"]);
                let is_done = !text.starts_with("error: ");
                results.push((message["tool_call_id"].as_str().unwrap().to_owned(), text, is_done));
            }
        }
        results
    }

    /// Returns the names of the tools that are offered.
    pub(crate) fn tools(&self) -> Vec<String> {
        let tools = self.body["tools"].as_array().cloned().unwrap_or_default();
        let name = |tool: &Value| {
            if self.is_anthropic { tool["name"].clone() } else { tool["function"]["name"].clone() }
        };
        tools.iter().map(|tool| name(tool).as_str().unwrap().to_owned()).collect()
    }
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// What the model answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Says {
    pub(crate) text: String,
    /// The tools that it calls, each with its arguments as text.
    pub(crate) calls: Vec<(String, String)>,
    /// Why it stops, in the words of Anthropic's API.
    pub(crate) stop: Option<&'static str>,
    /// A status other than 200, and its body.
    pub(crate) fails: Option<(u16, String)>,
}

pub(crate) fn says(text: &str) -> Says {
    Says { text: text.to_owned(), ..Says::default() }
}

pub(crate) fn calls<'a>(calls: impl IntoIterator<Item = (&'a str, Value)>) -> Says {
    let calls = calls.into_iter().map(|(name, arguments)| (name.to_owned(), arguments.to_string())).collect();
    Says { calls, ..Says::default() }
}

/// The tokens of every answer.
pub(crate) const INPUT: u64 = 1000;
pub(crate) const OUTPUT: u64 = 10;

pub(crate) struct Model {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Model {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> Model {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let model = Model { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, answer) = (Arc::clone(&model.asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                std::thread::spawn(move || {
                    // A client that breaks off is no failure of the server.
                    let _ = serve(stream, &asked, &*answer);
                });
            }
        });
        model
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    asked: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked) -> Says,
) -> std::io::Result<()> {
    let mut text = Vec::new();
    let head = loop {
        if let Some(end) = text.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        let mut buffer = [0; 16384];
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            n => text.extend_from_slice(&buffer[..n]),
        }
    };
    let mut body = text.split_off(head);
    let head = String::from_utf8_lossy(&text).into_owned();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let there = body.len().min(length);
    body.resize(length, 0);
    stream.read_exact(&mut body[there..])?;
    let is_anthropic = head.lines().next().unwrap_or_default().contains("/messages");
    let raw = String::from_utf8_lossy(&body).into_owned();
    let request = Asked { body: serde_json::from_slice(&body).unwrap(), raw: head + &raw, is_anthropic };
    check(&request);
    let says = answer(&request);
    let turn = request.turn();
    asked.lock().unwrap().push(request);
    if let Some((status, body)) = &says.fails {
        return write!(
            stream,
            "HTTP/1.1 {status} No\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
    }
    let events = if is_anthropic { messages(&says, turn) } else { chunks(&says, turn) };
    write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n{events}")
}

/// What a real server refuses: a call without its result right after it, a result without its call, empty text.
fn check(asked: &Asked) {
    let messages = asked.body["messages"].as_array().unwrap();
    let mut open: Vec<String> = Vec::new();
    for message in messages {
        let mut answered = Vec::new();
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap();
            assert_eq!(open.first().map(String::as_str), Some(id), "results are in the order of the calls");
            open.remove(0);
            continue;
        }
        for block in message["content"].as_array().into_iter().flatten() {
            match block["type"].as_str().unwrap() {
                "tool_result" => answered.push(block["tool_use_id"].as_str().unwrap().to_owned()),
                "text" => assert!(!block["text"].as_str().unwrap().trim().is_empty(), "empty text"),
                _ => {}
            }
        }
        assert_eq!(open, answered, "every call is followed by its result");
        open.clear();
        if message["role"] == "assistant" {
            for block in message["content"].as_array().into_iter().flatten() {
                if block["type"] == "tool_use" {
                    assert!(block["input"].is_object());
                    open.push(block["id"].as_str().unwrap().to_owned());
                }
            }
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                let arguments = call["function"]["arguments"].as_str().unwrap();
                assert!(serde_json::from_str::<Value>(arguments).unwrap().is_object());
                open.push(call["id"].as_str().unwrap().to_owned());
            }
        }
        let unique: std::collections::HashSet<&String> = open.iter().collect();
        assert_eq!(unique.len(), open.len(), "every call has an id of its own");
    }
    assert!(open.is_empty(), "the last calls are answered");
}

fn event(value: &Value) -> String {
    format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap())
}

/// Cuts a text into three pieces, as streams do.
fn pieces(text: &str) -> Vec<&str> {
    let at =
        |part: usize| (text.len() * part / 3..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
    vec![&text[..at(1)], &text[at(1)..at(2)], &text[at(2)..]]
}

fn messages(says: &Says, turn: usize) -> String {
    let mut text = event(&json!({"type": "message_start", "message": {"content": [],
        "usage": {"input_tokens": INPUT, "output_tokens": 1}}}));
    let mut index = 0;
    if !says.text.is_empty() {
        text += &event(
            &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        );
        for piece in pieces(&says.text) {
            text += &event(
                &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}),
            );
        }
        text += &event(&json!({"type": "content_block_stop", "index": 0}));
        index += 1;
    }
    for (at, (name, arguments)) in says.calls.iter().enumerate() {
        let id = format!("toolu_{turn}_{at}");
        text += &event(&json!({"type": "content_block_start", "index": index,
            "content_block": {"type": "tool_use", "id": id, "name": name, "input": {}}}));
        for piece in pieces(arguments) {
            text += &event(&json!({"type": "content_block_delta", "index": index,
                "delta": {"type": "input_json_delta", "partial_json": piece}}));
        }
        text += &event(&json!({"type": "content_block_stop", "index": index}));
        index += 1;
    }
    let stop = says.stop.unwrap_or(if says.calls.is_empty() { "end_turn" } else { "tool_use" });
    text += &event(
        &json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": OUTPUT}}),
    );
    text + &event(&json!({"type": "message_stop"}))
}

fn chunks(says: &Says, turn: usize) -> String {
    let data = |value: Value| format!("data: {value}\n\n");
    let delta = |delta: Value| data(json!({"choices": [{"index": 0, "delta": delta}]}));
    let mut text = delta(json!({"role": "assistant"}));
    for piece in pieces(&says.text).into_iter().filter(|piece| !piece.is_empty()) {
        text += &delta(json!({"content": piece}));
    }
    for (at, (name, arguments)) in says.calls.iter().enumerate() {
        // Some servers leave `type` and `id` out; every second call is told so.
        let first = json!({"name": name, "arguments": ""});
        text += &match turn % 2 {
            0 => delta(
                json!({"tool_calls": [{"index": at, "id": format!("call_{turn}_{at}"), "type": "function", "function": first}]}),
            ),
            _ => delta(json!({"tool_calls": [{"index": at, "function": first}]})),
        };
        for piece in pieces(arguments) {
            text += &delta(json!({"tool_calls": [{"index": at, "function": {"arguments": piece}}]}));
        }
    }
    let stop = match says.stop {
        Some("max_tokens") => "length",
        Some(stop) => stop,
        None if says.calls.is_empty() => "stop",
        None => "tool_calls",
    };
    text += &data(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": stop}]}));
    text += &data(json!({"choices": [], "usage": {"prompt_tokens": INPUT, "completion_tokens": OUTPUT}}));
    text + "data: [DONE]\n\n"
}
