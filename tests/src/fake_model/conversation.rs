//! What a request says: its prompt, how far its conversation is, what its tools gave back, and what a real server would refuse.
//!
//! Nothing is remembered from one request to the next: a client sends the whole conversation every time, and many of them come
//! at once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render::Format;

/// A request, as far as a script can ask for it.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// The text of the last message of the user that has one.
    pub(super) prompt: String,
    /// How many answers of the model are in it.
    pub(super) turn: usize,
    /// What the tools gave back since the last answer.
    pub(super) results: Vec<String>,
    /// Whether it offers tools.
    pub(super) offers_tools: bool,
    /// Why a server would not answer it.
    pub(super) problem: Option<String>,
}

/// Who said something, and what of it matters here.
enum Part<'a> {
    User(String),
    Model,
    Call(&'a str),
    Result(&'a str, String),
}

impl Conversation {
    /// Reads the body of a request.
    pub(super) fn read(format: Format, body: &Value) -> Conversation {
        let mut conversation = Conversation {
            offers_tools: body["tools"].as_array().is_some_and(|tools| !tools.is_empty()),
            ..Conversation::default()
        };
        let (mut model_spoke, mut open) = (false, BTreeSet::new());
        for part in parts(format, body) {
            let by_model = matches!(part, Part::Model | Part::Call(_));
            if by_model && !model_spoke {
                if let Some(id) = open.first() {
                    conversation.refuse(format!("the call {id} has no result before the next answer"));
                }
                conversation.turn += 1;
                conversation.results.clear();
            }
            model_spoke = by_model;
            match part {
                Part::Model => {}
                Part::User(text) => conversation.prompt = text,
                Part::Call(id) => {
                    if !open.insert(id) {
                        conversation.refuse(format!("two calls are named {id}"));
                    }
                }
                Part::Result(id, text) => {
                    // Gemini knows its calls by name.
                    if !open.remove(id) && format != Format::Gemini {
                        conversation.refuse(format!("there is a result of {id}, which was not called"));
                    }
                    conversation.results.push(text);
                }
            }
        }
        if let Some(id) = open.first().filter(|_| format != Format::Gemini) {
            conversation.refuse(format!("the call {id} has no result"));
        }
        if format == Format::Messages && body["max_tokens"].as_u64().is_none() {
            conversation.refuse("max_tokens: field required".to_owned());
        }
        conversation
    }

    fn refuse(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }
}

fn parts(format: Format, body: &Value) -> Vec<Part<'_>> {
    let list = |value: &'static str| body[value].as_array().map(Vec::as_slice).unwrap_or_default();
    match format {
        Format::Messages => list("messages").iter().flat_map(messages_parts).collect(),
        Format::Chat => list("messages").iter().flat_map(chat_parts).collect(),
        Format::Responses => match &body["input"] {
            Value::String(text) => vec![Part::User(text.clone())],
            _ => list("input").iter().filter_map(responses_part).collect(),
        },
        Format::Gemini => list("contents").iter().flat_map(gemini_parts).collect(),
    }
}

fn messages_parts(message: &Value) -> Vec<Part<'_>> {
    let of_model = message["role"] == "assistant";
    let mut found: Vec<Part<'_>> = if of_model { vec![Part::Model] } else { Vec::new() };
    for block in message["content"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let id = |name: &'static str| block[name].as_str().unwrap_or_default();
        match block["type"].as_str() {
            Some("tool_use") => found.push(Part::Call(id("id"))),
            Some("tool_result") => found.push(Part::Result(id("tool_use_id"), text(&block["content"]))),
            _ => {}
        }
    }
    let said = text(&message["content"]);
    if !of_model && !said.is_empty() {
        found.push(Part::User(said));
    }
    found
}

fn chat_parts(message: &Value) -> Vec<Part<'_>> {
    match message["role"].as_str() {
        Some("assistant") => {
            let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
            let calls = calls.iter().map(|call| Part::Call(call["id"].as_str().unwrap_or_default()));
            std::iter::once(Part::Model).chain(calls).collect()
        }
        Some("tool") => {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            vec![Part::Result(id, text(&message["content"]))]
        }
        Some("user") => vec![Part::User(text(&message["content"]))],
        _ => Vec::new(),
    }
}

fn responses_part(item: &Value) -> Option<Part<'_>> {
    let id = item["call_id"].as_str().unwrap_or_default();
    match (item["type"].as_str().unwrap_or("message"), item["role"].as_str()) {
        ("message", Some("assistant")) | ("reasoning", _) => Some(Part::Model),
        ("message", Some("user")) => Some(Part::User(text(&item["content"]))),
        ("function_call" | "custom_tool_call", _) => Some(Part::Call(id)),
        ("function_call_output" | "custom_tool_call_output", _) => {
            Some(Part::Result(id, text(&item["output"])))
        }
        _ => None,
    }
}

fn gemini_parts(content: &Value) -> Vec<Part<'_>> {
    let of_model = content["role"] == "model";
    let mut found: Vec<Part<'_>> = if of_model { vec![Part::Model] } else { Vec::new() };
    let parts = content["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    for part in parts {
        if let Some(name) = part["functionResponse"]["name"].as_str() {
            found.push(Part::Result(name, part["functionResponse"]["response"].to_string()));
        }
    }
    let said: String = parts.iter().filter_map(|part| part["text"].as_str()).collect();
    if !of_model && !said.is_empty() {
        found.push(Part::User(said));
    }
    found
}

/// Returns the text of a content, which is a text or a list of blocks with texts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks.iter().filter_map(|block| block["text"].as_str()).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn messages(messages: Value) -> Conversation {
        Conversation::read(Format::Messages, &json!({ "max_tokens": 1, "messages": messages }))
    }

    #[test]
    fn a_conversation_of_messages_is_read() {
        let call = json!({ "type": "tool_use", "id": "a", "name": "Read", "input": {} });
        let result = json!({ "type": "tool_result", "tool_use_id": "a", "content": [{ "type": "text", "text": "seen" }] });
        let read = messages(json!([
            { "role": "user", "content": "do" },
            { "role": "assistant", "content": [call] },
            { "role": "user", "content": [result] },
        ]));
        assert_eq!((read.prompt.as_str(), read.turn, read.problem), ("do", 1, None));
        assert_eq!(read.results, ["seen"]);
    }

    #[test]
    fn calls_and_results_that_do_not_belong_together_are_refused() {
        let call = json!({ "type": "tool_use", "id": "a", "name": "Read", "input": {} });
        let result = json!([{ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "b", "content": "" }] }]);
        assert!(messages(result).problem.is_some());
        let open =
            json!([{ "role": "assistant", "content": [call] }, { "role": "user", "content": "and now?" }]);
        assert!(messages(open).problem.is_some());
        let chat = json!({ "messages": [
            { "role": "assistant", "tool_calls": [{ "id": "a" }, { "id": "b" }] },
            { "role": "tool", "tool_call_id": "a", "content": "x" }] });
        assert!(Conversation::read(Format::Chat, &chat).problem.is_some_and(|problem| problem.contains('b')));
    }

    #[test]
    fn items_of_one_answer_are_one_turn() {
        let body = json!({ "input": [
            { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": "go" }] },
            { "type": "reasoning" },
            { "type": "function_call", "call_id": "1" },
            { "type": "function_call", "call_id": "2" },
            { "type": "function_call_output", "call_id": "1", "output": "one" },
            { "type": "function_call_output", "call_id": "2", "output": "two" }] });
        let read = Conversation::read(Format::Responses, &body);
        assert_eq!((read.prompt.as_str(), read.turn, read.results.len(), read.problem), ("go", 1, 2, None));
    }
}
