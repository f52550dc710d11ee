//! Streams and documents of both formats, with the accents of the servers that speak them.

use proptest::prelude::*;
use serde_json::json;
use shared::section::Usage;

use super::super::anthropic::Messages;
use super::super::fault::Context;
use super::super::openai::ChatCompletions;
use super::super::protocol::{Protocol, Reply, Stop};
use super::*;

fn context() -> Context {
    Context {
        address: "http://h".to_owned(),
        key_source: "KEY".to_owned(),
        has_key: true,
        bare_429_is_final: false,
    }
}

fn read_with<'a, P: Protocol>(
    protocol: &P,
    portions: impl IntoIterator<Item = &'a [u8]>,
) -> (Reply, Stop, Result<(), Fault>) {
    let mut reader = protocol.reader(&context(), "m");
    let mut body = Body::Unknown;
    let mut result = Ok(());
    for portion in portions {
        result = result.and_then(|()| body.feed(portion, &mut reader));
    }
    let result = result.and_then(|()| body.end(&mut reader));
    (reader.reply().clone(), reader.stop(), result)
}

fn anthropic(text: &str) -> (Reply, Stop, Result<(), Fault>) {
    read_with(&Messages, [text.as_bytes()])
}

fn openai(text: &str) -> (Reply, Stop, Result<(), Fault>) {
    read_with(&ChatCompletions { limit_name: "max_tokens" }, [text.as_bytes()])
}

fn events(data: &[serde_json::Value]) -> String {
    data.iter()
        .map(|value| match value["type"].as_str() {
            Some(name) => format!("event: {name}\ndata: {value}\n\n"),
            None => format!("data: {value}\n\n"),
        })
        .collect()
}

fn message_stream() -> String {
    events(&[
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude-haiku-4-5-20251001", "content": [],
            "stop_reason": null, "usage": {"input_tokens": 30, "cache_read_input_tokens": 400,
            "cache_creation_input_tokens": 90, "output_tokens": 1,
            "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 30}}}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Grüße "}}),
        json!({"type": "something_new", "x": 1}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "🎉"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
        json!({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 17, "input_tokens": 31}}),
        json!({"type": "message_stop"}),
    ])
}

const MESSAGE_USAGE: Usage = Usage {
    input_tokens: 31,
    cache_read_tokens: 400,
    cache_write_tokens: 60,
    cache_write_1h_tokens: 30,
    output_tokens: 17,
    reasoning_tokens: 0,
    requests: 0,
    untold_requests: 0,
};

fn chunk(text: &str) -> serde_json::Value {
    json!({"model": "gpt-5-mini-2025-08-07", "usage": null,
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
}

fn finish(reason: &str) -> serde_json::Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn report() -> serde_json::Value {
    json!({"prompt_tokens": 1234, "completion_tokens": 17, "total_tokens": 1251,
        "prompt_tokens_details": {"cached_tokens": 1000}, "completion_tokens_details": {"reasoning_tokens": 4}})
}

const REPORTED: Usage = Usage {
    input_tokens: 234,
    cache_read_tokens: 1000,
    cache_write_tokens: 0,
    cache_write_1h_tokens: 0,
    output_tokens: 17,
    reasoning_tokens: 4,
    requests: 0,
    untold_requests: 0,
};

fn done(data: &[serde_json::Value]) -> String {
    events(data) + "data: [DONE]\n\n"
}

#[test]
fn a_message_is_read_with_its_last_counts() {
    let (reply, stop, result) = anthropic(&message_stream());
    assert_eq!(result, Ok(()));
    assert_eq!(reply.text, "Grüße 🎉");
    assert_eq!(reply.model.as_deref(), Some("claude-haiku-4-5-20251001"));
    assert_eq!(reply.usage, Some(MESSAGE_USAGE));
    assert_eq!(stop, Stop::done());
    assert!(reply.complete);
}

#[test]
fn a_message_without_its_end_is_not_complete_but_counted() {
    let stream = message_stream();
    let (reply, _, result) = anthropic(stream.split("event: message_delta").next().unwrap());
    assert!(result.unwrap_err().transient);
    assert!(!reply.complete);
    assert_eq!(reply.usage.unwrap().input_tokens, 30);
    assert_eq!(reply.usage.unwrap().output_tokens, 1);
}

#[test]
fn a_message_may_come_as_one_document_or_without_event_names() {
    let document = json!({"type": "message", "model": "m1", "stop_reason": "max_tokens",
        "content": [{"type": "text", "text": "a"}, {"type": "tool_use", "name": "x"}, {"type": "text", "text": "b"}],
        "usage": {"input_tokens": 2095, "output_tokens": 503}});
    let (reply, stop, result) = anthropic(&format!("\n {document}\n"));
    assert_eq!((reply.text.as_str(), reply.complete, result), ("ab", true, Ok(())));
    assert_eq!(stop.status, Status::Truncated);
    assert_eq!(reply.usage.unwrap().input_tokens, 2095);

    let nameless: String = message_stream()
        .lines()
        .filter(|line| !line.starts_with("event:"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    assert_eq!(anthropic(&nameless).0, anthropic(&message_stream()).0);
}

#[test]
fn every_stop_reason_of_a_message_has_its_status() {
    for (reason, status) in [
        (json!("end_turn"), Status::Ok),
        (json!("stop_sequence"), Status::Ok),
        (json!("max_tokens"), Status::Truncated),
        (json!("model_context_window_exceeded"), Status::Truncated),
        (json!("pause_turn"), Status::Truncated),
        (json!("refusal"), Status::Refused),
        (json!("tool_use"), Status::Failed),
        (json!("of_a_later_version"), Status::Failed),
        (json!(null), Status::Truncated),
    ] {
        let stream = events(&[
            json!({"type": "message_delta", "delta": {"stop_reason": reason}}),
            json!({"type": "message_stop"}),
        ]);
        let (_, stop, result) = anthropic(&stream);
        assert_eq!((stop.status, result), (status, Ok(())), "{reason}");
        assert_eq!(stop.reason.is_none(), status == Status::Ok, "{reason}");
    }
}

#[test]
fn an_error_inside_a_stream_is_a_fault() {
    let overloaded = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let stream =
        message_stream().replace("event: message_stop", &(events(&[overloaded]) + "event: message_stop"));
    let (reply, _, result) = anthropic(&stream);
    assert!(result.unwrap_err().transient);
    assert_eq!(reply.usage, Some(MESSAGE_USAGE));

    let (_, _, result) =
        openai(&done(&[chunk("a"), json!({"error": {"message": "out of memory", "code": 500}})]));
    assert!(result.unwrap_err().transient);
    let (_, _, result) = openai(r#"{"error":{"message":"no","type":"invalid_request_error"}}"#);
    assert!(!result.unwrap_err().transient);
}

#[test]
fn what_is_no_json_is_a_fault_that_may_pass() {
    // What comes after it is read all the same, because it tells the tokens.
    let (reply, _, result) =
        anthropic(&message_stream().replace("event: ping\ndata: {", "event: ping\ndata: {{"));
    assert!(result.unwrap_err().transient);
    assert_eq!(reply.usage, Some(MESSAGE_USAGE));
    for text in ["data: {\"type\":\n\n", "data: nonsense\n\n", "{\"choices\":[", "data: \u{fffd}\n\n"] {
        assert!(anthropic(text).2.unwrap_err().transient, "{text}");
        assert!(openai(text).2.unwrap_err().transient, "{text}");
    }
}

#[test]
fn a_page_for_people_is_no_answer() {
    let (_, _, result) = openai("\n<!doctype html><title>Login</title>");
    let fault = result.unwrap_err();
    assert_eq!((fault.status, fault.transient), (Status::Failed, false));
}

#[test]
fn chunks_are_read_whatever_the_server() {
    let role = json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]});
    let growing = |n: u64| json!({"choices": [], "usage": {"prompt_tokens": 1234, "completion_tokens": n}});
    for (server, stream) in [
        (
            "OpenAI: usage in a chunk of its own",
            done(&[
                role.clone(),
                chunk("Hello"),
                chunk(" you"),
                finish("stop"),
                json!({"choices": [], "usage": report()}),
            ]),
        ),
        (
            "llama.cpp: usage in the last chunk with a choice",
            done(&[
                chunk("Hello"),
                chunk(" you"),
                json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": report()}),
            ]),
        ),
        (
            "vLLM: choices null, usage that grows",
            done(&[
                growing(1),
                chunk("Hello"),
                growing(9),
                chunk(" you"),
                finish("stop"),
                json!({"choices": null, "usage": report()}),
            ]),
        ),
        ("choices absent", done(&[chunk("Hello you"), finish("stop"), json!({"usage": report()})])),
        (
            "usage before the text, null after it",
            done(&[
                json!({"usage": report()}),
                chunk("Hello you"),
                finish("stop"),
                json!({"choices": [], "usage": null}),
            ]),
        ),
        (
            "an empty finish_reason until the end",
            done(&[
                json!({"choices": [{"delta": {"content": "Hello you"}, "finish_reason": ""}]}),
                finish("stop"),
                json!({"choices": [], "usage": report()}),
            ]),
        ),
        (
            "reasoning and other fields beside the content",
            done(&[
                json!({"choices": [{"delta": {"reasoning_content": "hm", "content": null}}]}),
                chunk("Hello you"),
                finish("stop"),
                json!({"choices": [], "usage": report(), "timings": {}}),
            ]),
        ),
        (
            "content in parts",
            done(&[
                json!({"choices": [{"delta": {"content": [{"type": "text", "text": "Hello you"}]}}]}),
                finish("stop"),
                json!({"choices": [], "usage": report()}),
            ]),
        ),
        (
            "a second choice",
            done(&[
                chunk("Hello you"),
                json!({"choices": [{"index": 1, "delta": {"content": "other"}}]}),
                finish("stop"),
                json!({"choices": [], "usage": report()}),
            ]),
        ),
        (
            "one document",
            json!({"choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hello you"}}], "usage": report()})
            .to_string(),
        ),
        (
            "comments that keep alive",
            format!(
                ": ping\n\n{}",
                done(&[chunk("Hello you"), finish("stop"), json!({"choices": [], "usage": report()})])
            ),
        ),
        (
            "no blank line after the end",
            events(&[chunk("Hello you"), finish("stop"), json!({"choices": [], "usage": report()})])
                + "data: [DONE]",
        ),
    ] {
        let (reply, stop, result) = openai(&stream);
        assert_eq!(result, Ok(()), "{server}");
        assert_eq!(reply.text, "Hello you", "{server}");
        assert_eq!(reply.usage, Some(REPORTED), "{server}");
        assert_eq!(stop, Stop::done(), "{server}");
        assert!(reply.complete, "{server}");
    }
}

#[test]
fn every_finish_reason_has_its_status() {
    for (reason, status) in [
        ("stop", Status::Ok),
        ("length", Status::Truncated),
        ("content_filter", Status::Refused),
        ("refusal", Status::Refused),
        ("tool_calls", Status::Failed),
        ("function_call", Status::Failed),
        ("error", Status::Transport),
        ("of_a_later_version", Status::Failed),
    ] {
        assert_eq!(openai(&done(&[chunk("a"), finish(reason)])).1.status, status, "{reason}");
    }
    assert_eq!(openai(&done(&[chunk("a")])).1.status, Status::Truncated);
    let refusal = json!({"choices": [{"delta": {"refusal": "I can't"}, "finish_reason": "stop"}]});
    let (reply, stop, _) = openai(&done(&[refusal]));
    assert_eq!((stop.status, reply.refusal.as_str()), (Status::Refused, "I can't"));
}

#[test]
fn counts_that_are_missing_or_odd_do_no_harm() {
    for (usage, expected) in [
        (json!({}), Usage::default()),
        (
            json!({"prompt_tokens": 5, "prompt_tokens_details": null}),
            Usage { input_tokens: 5, ..Usage::default() },
        ),
        (
            json!({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}),
            Usage { cache_read_tokens: 5, ..Usage::default() },
        ),
        (
            json!({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3}}),
            Usage { input_tokens: 4, cache_read_tokens: 2, cache_write_tokens: 3, ..Usage::default() },
        ),
        (json!({"prompt_tokens": -5, "completion_tokens": "7"}), Usage::default()),
    ] {
        assert_eq!(openai(&done(&[json!({"usage": usage})])).0.usage, Some(expected), "{usage}");
    }
    assert_eq!(openai(&done(&[chunk("a"), finish("stop")])).0.usage, None);
}

#[test]
fn a_cost_that_the_server_tells_is_kept() {
    let (reply, ..) = openai(&done(&[json!({"usage": {"prompt_tokens": 1, "cost": 0.0001175}})]));
    assert_eq!(reply.cost_usd, Some(0.0001175));
}

#[test]
fn nothing_after_the_end_counts() {
    let stream = message_stream() + &events(&[json!({"type": "error", "error": {"type": "api_error"}})]);
    assert_eq!(anthropic(&stream).2, Ok(()));
}

proptest! {
    #[test]
    fn portions_never_change_a_reply(cuts in proptest::collection::vec(0usize..3000, 0..40), crlf: bool) {
        let stream = done(&[chunk("Grüße "), chunk("🎉"), finish("stop"), json!({"choices": [], "usage": report()})]);
        for (stream, is_message) in [(message_stream(), true), (stream, false)] {
            let stream = if crlf { stream.replace('\n', "\r\n") } else { stream };
            let bytes = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % bytes.len()).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let portions = || cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
            let (cut, whole) = if is_message {
                (read_with(&Messages, portions()), read_with(&Messages, [bytes]))
            } else {
                let protocol = ChatCompletions { limit_name: "max_tokens" };
                (read_with(&protocol, portions()), read_with(&protocol, [bytes]))
            };
            prop_assert_eq!(&cut, &whole);
            prop_assert!(cut.0.complete && cut.0.text == "Grüße 🎉");
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), prefix: bool) {
        let mut stream = if prefix { b"data: ".to_vec() } else { Vec::new() };
        stream.extend(bytes);
        let _ = read_with(&Messages, [&stream[..]]);
        let _ = read_with(&ChatCompletions { limit_name: "max_tokens" }, stream.chunks(3));
    }
}
