//! Writes answers in the two wire formats, as events that each say what tokens they tell.

use serde_json::{Value, json};

use super::script::{Step, Tokens, UsageStyle};

/// A part of an answer that is sent as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    pub(super) text: String,
    /// The tokens that a client has been told once it has read this.
    pub(super) told: Option<Tokens>,
}

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Messages,
    Chat,
}

/// What an answer is made of.
pub(super) struct Answer<'a> {
    pub(super) format: Format,
    pub(super) step: &'a Step,
    pub(super) text: &'a str,
    pub(super) model: &'a str,
    pub(super) tokens: Tokens,
}

impl Answer<'_> {
    /// Returns the answer as one document.
    pub(super) fn document(&self) -> Piece {
        let value = match self.format {
            Format::Messages => json!({
                "id": "msg_fake", "type": "message", "role": "assistant", "model": self.model,
                "content": [{ "type": "text", "text": self.text }],
                "stop_reason": self.stop(), "stop_sequence": null, "usage": self.messages_usage(self.tokens),
            }),
            Format::Chat => {
                let mut value = json!({
                    "id": "chatcmpl-fake", "object": "chat.completion", "created": 0, "model": self.model,
                    "choices": [{ "index": 0, "finish_reason": self.stop(),
                        "message": { "role": "assistant", "content": self.text } }],
                });
                if self.step.usage_style != UsageStyle::None {
                    value["usage"] = chat_usage(self.tokens);
                }
                value
            }
        };
        let told = self.format == Format::Messages || self.step.usage_style != UsageStyle::None;
        Piece { text: value.to_string(), told: told.then_some(self.tokens) }
    }

    /// Returns the answer as the events of a stream, with the faults that the script wants in it.
    pub(super) fn events(&self, include_usage: bool) -> Vec<Piece> {
        let mut pieces = match self.format {
            Format::Messages => self.messages_events(),
            Format::Chat => self.chat_events(include_usage),
        };
        if let Some(position) = self.step.malformed_after {
            let broken = Piece { text: "data: {\"type\": \"content_block_del\n\n".to_owned(), told: None };
            pieces.insert(position.min(pieces.len()), broken);
        }
        if let Some(position) = self.step.error_after {
            pieces.truncate(position);
            let error = self.error();
            let text = match self.format {
                Format::Messages => format!("event: error\ndata: {error}\n\n"),
                Format::Chat => format!("data: {error}\n\n"),
            };
            pieces.push(Piece { text, told: None });
        }
        if self.step.noise {
            let noise =
                ": nothing\n\nevent: of_a_later_version\ndata: {\"type\":\"of_a_later_version\"}\nid: 7\n\n";
            pieces = pieces
                .into_iter()
                .flat_map(|piece| [Piece { text: noise.to_owned(), told: None }, piece])
                .collect();
        }
        if self.step.crlf {
            for piece in &mut pieces {
                piece.text = piece.text.replace('\n', "\r\n");
            }
        }
        pieces
    }

    /// Returns the body of an error.
    pub(super) fn error(&self) -> Value {
        let default = json!({ "type": "api_error", "message": "the script says so" });
        let error = self.step.error.clone().unwrap_or(default);
        match self.format {
            Format::Messages => json!({ "type": "error", "error": error, "request_id": "req_fake" }),
            Format::Chat => json!({ "error": error }),
        }
    }

    fn stop(&self) -> &str {
        let default = match self.format {
            Format::Messages => "end_turn",
            Format::Chat => "stop",
        };
        self.step.stop.as_deref().unwrap_or(default)
    }

    fn messages_events(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut push = |value: Value, told: Option<Tokens>| {
            let name = value["type"].as_str().unwrap_or_default();
            pieces.push(Piece { text: format!("event: {name}\ndata: {value}\n\n"), told });
        };
        let begun = Tokens { output: self.tokens.output.min(1), reasoning: 0, ..self.tokens };
        push(
            json!({ "type": "message_start", "message": {
                "id": "msg_fake", "type": "message", "role": "assistant", "model": self.model, "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": self.messages_usage(begun),
            } }),
            Some(begun),
        );
        push(json!({ "type": "ping" }), None);
        push(
            json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
            None,
        );
        for part in parts(self.text, self.step.pieces.unwrap_or(2)) {
            let delta = json!({ "type": "text_delta", "text": part });
            push(json!({ "type": "content_block_delta", "index": 0, "delta": delta }), None);
        }
        push(json!({ "type": "content_block_stop", "index": 0 }), None);
        push(
            json!({ "type": "message_delta", "delta": { "stop_reason": self.stop(), "stop_sequence": null },
                "usage": self.messages_usage(self.tokens) }),
            Some(self.tokens),
        );
        push(json!({ "type": "message_stop" }), None);
        pieces
    }

    fn messages_usage(&self, tokens: Tokens) -> Value {
        json!({
            "input_tokens": tokens.input,
            "cache_read_input_tokens": tokens.cache_read,
            "cache_creation_input_tokens": tokens.cache_write + tokens.cache_write_1h,
            "cache_creation": { "ephemeral_5m_input_tokens": tokens.cache_write,
                "ephemeral_1h_input_tokens": tokens.cache_write_1h },
            "output_tokens": tokens.output,
            "output_tokens_details": { "thinking_tokens": tokens.reasoning },
            "service_tier": "standard",
        })
    }

    fn chat_events(&self, include_usage: bool) -> Vec<Piece> {
        let style = if include_usage { self.step.usage_style } else { UsageStyle::None };
        let chunk = |choices: Value, usage: Option<Tokens>| {
            let mut value = json!({ "id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 0,
                "model": self.model, "choices": choices });
            if style != UsageStyle::None {
                value["usage"] = usage.map_or(Value::Null, chat_usage);
            }
            Piece { text: format!("data: {value}\n\n"), told: usage }
        };
        let choice = |delta: Value, reason: Option<&str>| json!([{ "index": 0, "delta": delta, "finish_reason": reason }]);
        let mut pieces = Vec::new();
        let parts = parts(self.text, self.step.pieces.unwrap_or(2));
        let grown = |done: usize| {
            let output = self.tokens.output * done as u64 / (parts.len() as u64 + 1);
            (style == UsageStyle::Growing).then_some(Tokens { output, reasoning: 0, ..self.tokens })
        };
        pieces.push(chunk(choice(json!({ "role": "assistant", "content": "" }), None), grown(0)));
        for (number, part) in parts.iter().enumerate() {
            pieces.push(chunk(choice(json!({ "content": part }), None), grown(number + 1)));
        }
        let last = matches!(style, UsageStyle::LastChoice | UsageStyle::Growing).then_some(self.tokens);
        pieces.push(chunk(choice(json!({}), Some(self.stop())), last));
        match style {
            UsageStyle::Own => pieces.push(chunk(json!([]), Some(self.tokens))),
            UsageStyle::NullChoices => pieces.push(chunk(Value::Null, Some(self.tokens))),
            _ => {}
        }
        pieces.push(Piece { text: "data: [DONE]\n\n".to_owned(), told: None });
        pieces
    }
}

fn chat_usage(tokens: Tokens) -> Value {
    json!({
        "prompt_tokens": tokens.prompt(),
        "completion_tokens": tokens.output,
        "total_tokens": tokens.prompt() + tokens.output,
        "prompt_tokens_details": { "cached_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write + tokens.cache_write_1h },
        "completion_tokens_details": { "reasoning_tokens": tokens.reasoning },
    })
}

/// Cuts a text into about so many parts.
fn parts(text: &str, number: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let size = characters.len().div_ceil(number.max(1)).max(1);
    characters.chunks(size).map(|part| part.iter().collect()).collect()
}
