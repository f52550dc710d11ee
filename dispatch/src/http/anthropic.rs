//! The Messages API of Anthropic, which llama.cpp, vLLM, Ollama and gateways speak as well.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use shared::Problem;
use shared::section::{Status, Usage};

use super::endpoint;
use super::fault::{self, Context, Fault};
use super::protocol::{
    Block, Call, Message, Protocol, Question, Reader, Reply, Stop, ToolResult, Turn, sensitive,
};
use super::secret::Secret;
use super::sse::Event;

/// The API requires a limit. It is an upper bound, not a reservation that is paid for.
const MAX_TOKENS: u32 = 16_384;

/// The Messages API.
#[derive(Clone, Copy, Debug)]
pub struct Messages;

impl Protocol for Messages {
    type Reader = MessageReader;

    const KEY_VARIABLE: &'static str = "ANTHROPIC_API_KEY";
    const BARE_429_IS_FINAL: bool = true;

    fn endpoint(base_url: &str) -> Result<Url, Problem> {
        endpoint::resolve(base_url, &["v1", "messages"], &["v1", "messages"])
    }

    fn for_server(_: &Url) -> Self {
        Messages
    }

    fn headers(&self, key: Option<&Secret>, bearer: bool) -> Result<HeaderMap, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        match key {
            Some(key) if bearer => {
                headers.insert("authorization", sensitive(&format!("Bearer {}", key.expose()))?);
            }
            Some(key) => {
                headers.insert("x-api-key", sensitive(key.expose())?);
            }
            None => {}
        }
        Ok(headers)
    }

    fn body(&self, question: &Question) -> Value {
        // Newer models refuse sampling parameters, so none are sent.
        let mut body = json!({
            "model": question.model,
            "max_tokens": question.max_tokens.unwrap_or(MAX_TOKENS),
            "stream": true,
            "messages": messages(question),
        });
        if !question.tools.is_empty() {
            body["tools"] = question
                .tools
                .iter()
                .map(|tool| {
                    json!({
                        "name": tool.name, "description": tool.description, "input_schema": tool.schema,
                    })
                })
                .collect();
        }
        if let Some(system) = &question.system {
            // The same for all tasks of an executor, so it is worth a place in the cache; the tools are before it there.
            body["system"] = json!([{ "type": "text", "text": system, "cache_control": ephemeral() }]);
        } else if let Some(last) = body["tools"].as_array_mut().and_then(|tools| tools.last_mut()) {
            last["cache_control"] = ephemeral();
        }
        body
    }

    fn reader(&self, context: &Context, model: &str) -> MessageReader {
        MessageReader {
            context: context.clone(),
            model: model.to_owned(),
            counts: Counts::default(),
            reply: Reply::default(),
            places: Vec::new(),
        }
    }
}

fn ephemeral() -> Value {
    json!({ "type": "ephemeral" })
}

/// Returns the messages. In a conversation with tools the ends of the last two of ours are marked for the cache: the
/// next request reads what this one has written, also when there are more pieces between than a look back finds.
fn messages(question: &Question) -> Vec<Value> {
    let has_tools = !question.tools.is_empty();
    let mut messages: Vec<Value> = question
        .messages
        .iter()
        .map(|message| match message {
            Message::User(text) if !has_tools => json!({ "role": "user", "content": text }),
            Message::User(text) => json!({ "role": "user", "content": [{ "type": "text", "text": text }] }),
            Message::Assistant(blocks) => {
                json!({ "role": "assistant", "content": blocks.iter().map(block).collect::<Vec<_>>() })
            }
            Message::Results(results) => {
                json!({ "role": "user", "content": results.iter().map(result).collect::<Vec<_>>() })
            }
        })
        .collect();
    if has_tools {
        let ours = messages.iter_mut().rev().filter(|message| message["role"] == "user").take(2);
        for message in ours {
            if let Some(last) = message["content"].as_array_mut().and_then(|content| content.last_mut()) {
                last["cache_control"] = ephemeral();
            }
        }
    }
    messages
}

fn block(block: &Block) -> Value {
    match block {
        Block::Text(text) => json!({ "type": "text", "text": text }),
        // What is no object could not be sent back; its result says that it was none.
        Block::Call(call) => json!({
            "type": "tool_use", "id": call.id, "name": call.name, "input": call.object().unwrap_or_default(),
        }),
        Block::Opaque(value) => value.clone(),
    }
}

fn result(result: &ToolResult) -> Value {
    let mut value = json!({ "type": "tool_result", "tool_use_id": result.id, "content": result.text });
    if result.is_error {
        value["is_error"] = true.into();
    }
    value
}

/// Reads one message.
#[derive(Debug)]
pub struct MessageReader {
    context: Context,
    model: String,
    counts: Counts,
    reply: Reply,
    /// Where the blocks of the message, by their index, are among those of the reply.
    places: Vec<(u64, usize)>,
}

impl Reader for MessageReader {
    fn event(&mut self, event: &Event) -> Result<(), Fault> {
        let Ok(value) = serde_json::from_str::<Value>(&event.data) else {
            self.reply.garbled = true;
            return Ok(());
        };
        // Some gateways drop the name of the event, and some the type in the data.
        match value["type"].as_str().unwrap_or(&event.name) {
            "message_start" => self.message(&value["message"]),
            "content_block_start" => self.block(&value["content_block"], value["index"].as_u64()),
            "content_block_delta" => {
                self.reply.begun = true;
                self.delta(&value["delta"], value["index"].as_u64());
            }
            "message_delta" => {
                self.stop_reason(&value["delta"]["stop_reason"]);
                self.usage(&value["usage"]);
            }
            "message_stop" => self.reply.complete = true,
            "error" => return Err(fault::from_event(&self.context, &self.model, &value)),
            // `ping`, `content_block_stop`, and what later versions add.
            _ => {}
        }
        Ok(())
    }

    fn document(&mut self, document: &Value) -> Result<(), Fault> {
        if !document["content"].is_array() {
            return Err(fault::from_event(&self.context, &self.model, document));
        }
        self.message(document);
        self.reply.complete = true;
        Ok(())
    }

    fn reply(&self) -> &Reply {
        &self.reply
    }

    fn stop(&self) -> Stop {
        match self.reply.stop_reason.as_deref() {
            Some("end_turn" | "stop_sequence") => Stop::done(),
            Some("max_tokens") => Stop::because(
                Status::Truncated,
                "the answer reached the limit of output tokens; raise it or ask for less",
            ),
            Some("model_context_window_exceeded") => {
                Stop::because(Status::Truncated, "the answer reached the end of the model's context")
            }
            Some("refusal") => Stop::because(Status::Refused, "the model refused to answer"),
            Some("tool_use") => Stop::because(
                Status::Failed,
                "the model asked for a tool, and none is offered to this executor",
            ),
            Some("pause_turn") => Stop::because(Status::Truncated, "the model paused before it was done"),
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
        match self.reply.stop_reason.as_deref() {
            Some("pause_turn") => Turn::Pauses,
            // A call counts also where a server says another reason than `tool_use`, or none.
            Some("refusal" | "model_context_window_exceeded") => Turn::Ends,
            _ if self.reply.calls().next().is_some() => Turn::Calls,
            _ => Turn::Ends,
        }
    }
}

impl MessageReader {
    fn message(&mut self, message: &Value) {
        self.reply.begun = true;
        if let Some(model) = message["model"].as_str() {
            self.reply.model = Some(model.to_owned());
        }
        for block in message["content"].as_array().into_iter().flatten() {
            self.block(block, None);
        }
        self.stop_reason(&message["stop_reason"]);
        self.usage(&message["usage"]);
    }

    fn block(&mut self, block: &Value, index: Option<u64>) {
        self.reply.begun = true;
        match block["type"].as_str() {
            Some("text") => {
                // Two blocks of text that follow each other are one piece of text.
                self.reply.push_text(block["text"].as_str().unwrap_or_default());
                return;
            }
            Some("tool_use") => {
                let text = |name: &str| block[name].as_str().unwrap_or_default().to_owned();
                // A stream sends an empty object first, and the arguments as text after it.
                let arguments = match &block["input"] {
                    Value::Object(input) if input.is_empty() => String::new(),
                    Value::Null => String::new(),
                    input => input.to_string(),
                };
                self.reply.blocks.push(Block::Call(Call { id: text("id"), name: text("name"), arguments }));
            }
            _ => self.reply.blocks.push(Block::Opaque(block.clone())),
        }
        if let Some(index) = index {
            self.places.push((index, self.reply.blocks.len() - 1));
        }
    }

    fn delta(&mut self, delta: &Value, index: Option<u64>) {
        if let Some(text) = delta["text"].as_str() {
            return self.reply.push_text(text);
        }
        let place =
            self.places.iter().rev().find(|(other, _)| Some(*other) == index).map(|(_, place)| *place);
        let last = self.reply.blocks.len().checked_sub(1);
        let Some(block) = place.or(last).and_then(|place| self.reply.blocks.get_mut(place)) else { return };
        match block {
            Block::Call(call) => call.arguments.push_str(delta["partial_json"].as_str().unwrap_or_default()),
            Block::Opaque(value) => {
                for name in ["thinking", "signature"] {
                    if let Some(more) = delta[name].as_str() {
                        let so_far = value[name].as_str().unwrap_or_default();
                        value[name] = format!("{so_far}{more}").into();
                    }
                }
            }
            Block::Text(_) => {}
        }
    }

    fn stop_reason(&mut self, reason: &Value) {
        if let Some(reason) = reason.as_str() {
            self.reply.stop_reason = Some(reason.to_owned());
        }
    }

    fn usage(&mut self, usage: &Value) {
        if usage.is_object() {
            self.counts.update(usage);
            self.reply.usage = Some(self.counts.usage());
        }
        if let Some(cost) = usage["cost"].as_f64() {
            self.reply.cost_usd = Some(cost);
        }
    }
}

/// The counts of one message. They are cumulative: the last that was said of each is true, and the first report
/// (in `message_start`) has fields that the last may leave out.
#[derive(Debug, Default)]
struct Counts {
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cache_write_1h: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
}

impl Counts {
    fn update(&mut self, usage: &Value) {
        let details = &usage["output_tokens_details"];
        let thinking = details["thinking_tokens"].as_u64().or(details["reasoning_tokens"].as_u64());
        for (count, said) in [
            (&mut self.input, usage["input_tokens"].as_u64()),
            (&mut self.cache_read, usage["cache_read_input_tokens"].as_u64()),
            (&mut self.cache_write, usage["cache_creation_input_tokens"].as_u64()),
            (&mut self.cache_write_1h, usage["cache_creation"]["ephemeral_1h_input_tokens"].as_u64()),
            (&mut self.output, usage["output_tokens"].as_u64()),
            (&mut self.thinking, thinking),
        ] {
            *count = said.or(*count);
        }
        if usage["cache_creation_input_tokens"].is_null()
            && let Some(short) = usage["cache_creation"]["ephemeral_5m_input_tokens"].as_u64()
        {
            self.cache_write = Some(short + self.cache_write_1h.unwrap_or(0));
        }
    }

    fn usage(&self) -> Usage {
        let cache_write = self.cache_write.unwrap_or(0);
        let cache_write_1h = self.cache_write_1h.unwrap_or(0).min(cache_write);
        Usage {
            // `input_tokens` does not include the cache in this API.
            input_tokens: self.input.unwrap_or(0),
            cache_read_tokens: self.cache_read.unwrap_or(0),
            cache_write_tokens: cache_write - cache_write_1h,
            cache_write_1h_tokens: cache_write_1h,
            output_tokens: self.output.unwrap_or(0),
            reasoning_tokens: self.thinking.unwrap_or(0),
            requests: 0,
            untold_requests: 0,
        }
    }
}
