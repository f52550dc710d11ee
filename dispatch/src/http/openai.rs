//! Chat completions of OpenAI, which nearly every other server speaks as well, each with an accent of its own.

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use shared::Problem;
use shared::section::{Status, Usage};

use super::endpoint;
use super::fault::{self, Context, Fault};
use super::protocol::{Block, Call, Message, Protocol, Question, Reader, Reply, Stop, Turn, sensitive};
use super::secret::Secret;
use super::sse::Event;

/// Chat completions.
#[derive(Clone, Copy, Debug)]
pub struct ChatCompletions {
    /// What the limit of output tokens is called: OpenAI's newer models know only the new name, and most other
    /// servers only the old one.
    pub(crate) limit_name: &'static str,
}

impl Protocol for ChatCompletions {
    type Reader = ChunkReader;

    const KEY_VARIABLE: &'static str = "OPENAI_API_KEY";
    const BARE_429_IS_FINAL: bool = false;

    fn endpoint(base_url: &str) -> Result<Url, Problem> {
        endpoint::resolve(base_url, &["chat", "completions"], &["v1", "chat", "completions"])
    }

    fn for_server(url: &Url) -> Self {
        let official =
            url.host_str().is_some_and(|host| host == "api.openai.com" || host.ends_with(".openai.com"));
        ChatCompletions { limit_name: if official { "max_completion_tokens" } else { "max_tokens" } }
    }

    fn headers(&self, key: Option<&Secret>, _: bool) -> Result<HeaderMap, Problem> {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            headers.insert("authorization", sensitive(&format!("Bearer {}", key.expose()))?);
        }
        Ok(headers)
    }

    fn body(&self, question: &Question) -> Value {
        let system = question.system.iter().map(|text| json!({ "role": "system", "content": text }));
        let messages = question.messages.iter().flat_map(message);
        let mut body = json!({
            "model": question.model,
            "stream": true,
            // Without this a stream says nothing of tokens.
            "stream_options": { "include_usage": true },
            "messages": system.chain(messages).collect::<Vec<_>>(),
        });
        if !question.tools.is_empty() {
            body["tools"] = question.tools.iter().map(|tool| json!({
                "type": "function",
                "function": { "name": tool.name, "description": tool.description, "parameters": tool.schema },
            })).collect();
        }
        if let Some(limit) = question.max_tokens {
            body[self.limit_name] = limit.into();
        }
        body
    }

    fn reader(&self, context: &Context, model: &str) -> ChunkReader {
        ChunkReader {
            context: context.clone(),
            model: model.to_owned(),
            reply: Reply::default(),
            places: Vec::new(),
        }
    }
}

/// Returns a message as this API has it: each result of a tool is one of its own.
fn message(message: &Message) -> Vec<Value> {
    match message {
        Message::User(text) => vec![json!({ "role": "user", "content": text })],
        Message::Assistant(blocks) => {
            let mut text = String::new();
            let mut calls = Vec::new();
            for block in blocks {
                match block {
                    Block::Text(more) => text.push_str(more),
                    Block::Call(call) => {
                        // Servers put these into the template of a model, and some fail on what is no JSON.
                        let arguments = Value::Object(call.object().unwrap_or_default()).to_string();
                        calls.push(json!({
                            "id": call.id,
                            "type": "function",
                            "function": { "name": call.name, "arguments": arguments },
                        }));
                    }
                    Block::Opaque(_) => {}
                }
            }
            let mut message = json!({ "role": "assistant", "content": text });
            if !calls.is_empty() {
                if text.is_empty() {
                    message["content"] = Value::Null;
                }
                message["tool_calls"] = calls.into();
            }
            vec![message]
        }
        Message::Results(results) => results
            .iter()
            .map(|result| {
                // There is no member for a failure here.
                let text =
                    if result.is_error { format!("error: {}", result.text) } else { result.text.clone() };
                json!({ "role": "tool", "tool_call_id": result.id, "content": text })
            })
            .collect(),
    }
}

/// Reads the chunks of one completion.
#[derive(Debug)]
pub struct ChunkReader {
    context: Context,
    model: String,
    reply: Reply,
    /// Where the calls of the message, by their index, are among the pieces of the reply.
    places: Vec<(u64, usize)>,
}

impl Reader for ChunkReader {
    fn event(&mut self, event: &Event) -> Result<(), Fault> {
        if event.data.trim() == "[DONE]" {
            self.reply.complete = true;
            return Ok(());
        }
        let Ok(chunk) = serde_json::from_str(&event.data) else {
            self.reply.garbled = true;
            return Ok(());
        };
        self.chunk(&chunk, "delta")
    }

    fn document(&mut self, document: &Value) -> Result<(), Fault> {
        if !document["choices"].is_array() {
            return Err(fault::from_event(&self.context, &self.model, document));
        }
        self.chunk(document, "message")?;
        self.reply.complete = true;
        Ok(())
    }

    fn reply(&self) -> &Reply {
        &self.reply
    }

    fn stop(&self) -> Stop {
        let reason = self.reply.stop_reason.as_deref();
        match reason {
            Some("content_filter" | "safety" | "SAFETY" | "recitation" | "RECITATION") => {
                Stop::because(Status::Refused, "a content filter of the server stopped the answer")
            }
            Some("refusal" | "refused") => Stop::because(Status::Refused, "the model refused to answer"),
            _ if !self.reply.refusal.is_empty() => {
                Stop::because(Status::Refused, "the model refused to answer")
            }
            Some("stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" | "STOP") => Stop::done(),
            Some("length" | "max_tokens" | "model_length" | "MAX_TOKENS") => Stop::because(
                Status::Truncated,
                "the answer reached the limit of tokens of its request or of the model's context",
            ),
            Some("tool_calls" | "function_call") => Stop::because(
                Status::Failed,
                "the model asked for a tool, and none is offered to this executor",
            ),
            Some("error") => {
                Stop::because(Status::Transport, "the server failed in the middle of the answer")
            }
            Some(other) => Stop::because(
                Status::Failed,
                format!("the model stopped for a reason that is not known here: {}", fault::one_line(other)),
            ),
            None => Stop::because(
                Status::Truncated,
                "the server did not say why the model stopped, so the answer may be incomplete",
            ),
        }
    }

    fn turn(&self) -> Turn {
        // Servers say `stop`, `tool_calls` or nothing after a call; what counts is the call.
        let is_refused =
            self.stop().status == Status::Refused || self.reply.stop_reason.as_deref() == Some("error");
        if !is_refused && self.reply.calls().next().is_some() { Turn::Calls } else { Turn::Ends }
    }
}

impl ChunkReader {
    fn chunk(&mut self, chunk: &Value, content: &str) -> Result<(), Fault> {
        if !chunk["error"].is_null() {
            return Err(fault::from_event(&self.context, &self.model, chunk));
        }
        if let Some(model) = chunk["model"].as_str().filter(|model| !model.is_empty()) {
            self.reply.model = Some(model.to_owned());
        }
        // `choices` may be absent, null or empty, and usage may come with the last choice, in a chunk of its own,
        // or grow from chunk to chunk: the last report is true, and reports are never added.
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            if choice["index"].as_u64().unwrap_or(0) != 0 {
                continue;
            }
            self.reply.begun = true;
            let (mut text, mut refusal) = (String::new(), String::new());
            push_text(&mut text, &choice[content]["content"]);
            push_text(&mut refusal, &choice[content]["refusal"]);
            self.reply.push_text(&text);
            self.reply.refusal.push_str(&refusal);
            for call in choice[content]["tool_calls"].as_array().into_iter().flatten() {
                self.call(call);
            }
            if let Some(reason) = choice["finish_reason"].as_str().filter(|reason| !reason.is_empty()) {
                self.reply.stop_reason = Some(reason.to_owned());
            }
        }
        if chunk["usage"].is_object() {
            self.reply.usage = Some(usage(&chunk["usage"]));
        }
        if let Some(cost) = chunk["usage"]["cost"].as_f64() {
            self.reply.cost_usd = Some(cost);
        }
        Ok(())
    }

    /// Takes a call or a fragment of one. `type`, `id`, `index` and the name may be missing or be said again.
    fn call(&mut self, fragment: &Value) {
        let id = fragment["id"].as_str().filter(|id| !id.is_empty());
        let name = fragment["function"]["name"].as_str().filter(|name| !name.is_empty());
        let place = match fragment["index"].as_u64() {
            Some(index) => self.places.iter().find(|(other, _)| *other == index).map(|(_, place)| *place),
            // Without an index a new id, or else a name after arguments, begins a call.
            None => {
                self.places.last().map(|(_, place)| *place).filter(|place| match &self.reply.blocks[*place] {
                    Block::Call(last) => match (id, name) {
                        (Some(id), _) => last.id == id,
                        (None, Some(_)) => last.arguments.is_empty() && last.name.is_empty(),
                        (None, None) => true,
                    },
                    _ => false,
                })
            }
        };
        let place = place.unwrap_or_else(|| {
            self.reply.blocks.push(Block::Call(Call::default()));
            let place = self.reply.blocks.len() - 1;
            let next = self.places.iter().map(|(index, _)| index + 1).max().unwrap_or(0);
            self.places.push((fragment["index"].as_u64().unwrap_or(next), place));
            place
        });
        let Block::Call(call) = &mut self.reply.blocks[place] else { return };
        if let Some(id) = id.filter(|_| call.id.is_empty()) {
            id.clone_into(&mut call.id);
        }
        if let Some(name) = name.filter(|_| call.name.is_empty()) {
            name.clone_into(&mut call.name);
        }
        match &fragment["function"]["arguments"] {
            Value::String(more) => call.arguments.push_str(more),
            Value::Null => {}
            object => call.arguments = object.to_string(),
        }
    }
}

/// Appends content, which is a text or a list of parts.
fn push_text(text: &mut String, content: &Value) {
    match content {
        Value::String(more) => text.push_str(more),
        Value::Array(parts) => {
            for part in parts {
                text.push_str(part["text"].as_str().unwrap_or_default());
            }
        }
        _ => {}
    }
}

/// Normalises a report: `prompt_tokens` includes what the cache gave and took here, `completion_tokens` includes
/// the reasoning.
fn usage(report: &Value) -> Usage {
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let details = &report["prompt_tokens_details"];
    let prompt = count(&report["prompt_tokens"]);
    let cache_read = count(&details["cached_tokens"]).min(prompt);
    let cache_write = count(&details["cache_write_tokens"]).min(prompt - cache_read);
    Usage {
        input_tokens: prompt - cache_read - cache_write,
        cache_read_tokens: cache_read,
        cache_write_tokens: cache_write,
        cache_write_1h_tokens: 0,
        output_tokens: count(&report["completion_tokens"]),
        reasoning_tokens: count(&report["completion_tokens_details"]["reasoning_tokens"]),
        requests: 0,
        untold_requests: 0,
    }
}
