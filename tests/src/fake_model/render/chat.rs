//! Chat completions: one choice, and as many ways to tell calls and usage as there are servers.

use serde_json::{Map, Value, json};

use super::{Answer, Piece, in_order};
use crate::fake_model::script::{CallStyle, Tokens, UsageStyle};

impl Answer<'_> {
    pub(super) fn chat_document(&self) -> Value {
        let mut message = json!({ "role": "assistant",
            "content": if self.text.is_empty() { Value::Null } else { self.text.into() } });
        if let Some(thinking) = &self.step.thinking {
            message["reasoning_content"] = json!(thinking);
        }
        if !self.step.calls.is_empty() {
            let call = |(id, call): (String, &crate::fake_model::Call)| {
                let function = json!({ "name": call.name, "arguments": call.arguments() });
                match self.step.call_style {
                    CallStyle::Bare => json!({ "function": function }),
                    _ => json!({ "id": id, "type": "function", "function": function }),
                }
            };
            message["tool_calls"] = self.calls().map(call).collect();
        }
        let mut value = json!({
            "id": format!("chatcmpl-{}", self.number), "object": "chat.completion", "created": 0,
            "model": self.model,
            "choices": [{ "index": 0, "finish_reason": self.stop("stop", "tool_calls"), "message": message }],
        });
        if self.step.usage_style != UsageStyle::None {
            value["usage"] = chat_usage(self.tokens);
        }
        value
    }

    pub(super) fn chat_events(&self, include_usage: bool) -> Vec<Piece> {
        let style = if include_usage { self.step.usage_style } else { UsageStyle::None };
        let chunk = |choices: Value, usage: Option<Tokens>| {
            let mut value = json!({ "id": format!("chatcmpl-{}", self.number),
                "object": "chat.completion.chunk", "created": 0, "model": self.model, "choices": choices });
            if style != UsageStyle::None {
                value["usage"] = usage.map_or(Value::Null, chat_usage);
            }
            Piece { text: format!("data: {value}\n\n"), told: usage }
        };
        let choice = |delta: Value, reason: Option<&str>| json!([{ "index": 0, "delta": delta, "finish_reason": reason }]);
        let mut deltas = vec![json!({ "role": "assistant", "content": "" })];
        let thinking = self.step.thinking.as_deref().unwrap_or_default();
        deltas.extend(self.parts(thinking).into_iter().map(|part| json!({ "reasoning_content": part })));
        deltas.extend(self.parts(self.text).into_iter().map(|part| json!({ "content": part })));
        deltas.extend(self.chat_calls());
        let number = deltas.len() as u64;
        let grown = |done: u64| {
            let output = self.tokens.output * done / number;
            (style == UsageStyle::Growing).then_some(Tokens { output, reasoning: 0, ..self.tokens })
        };
        let mut pieces: Vec<Piece> =
            (0..).zip(deltas).map(|(done, delta)| chunk(choice(delta, None), grown(done))).collect();
        let last = matches!(style, UsageStyle::LastChoice | UsageStyle::Growing).then_some(self.tokens);
        pieces.push(chunk(choice(json!({}), Some(self.stop("stop", "tool_calls"))), last));
        match style {
            UsageStyle::Own => pieces.push(chunk(json!([]), Some(self.tokens))),
            UsageStyle::NullChoices => pieces.push(chunk(Value::Null, Some(self.tokens))),
            _ => {}
        }
        pieces.push(Piece { text: "data: [DONE]\n\n".to_owned(), told: None });
        pieces
    }

    /// Returns the deltas of the calls.
    fn chat_calls(&self) -> Vec<Value> {
        let style = self.step.call_style;
        let calls = self.calls().enumerate().map(|(index, (id, call))| {
            let delta = |first: bool, arguments: &str| {
                let mut call_delta = Map::new();
                let mut function = Map::new();
                if style != CallStyle::NoIndex {
                    call_delta.insert("index".into(), index.into());
                }
                if first || style == CallStyle::Repeated {
                    if style != CallStyle::Bare {
                        call_delta.insert("id".into(), id.clone().into());
                        call_delta.insert("type".into(), "function".into());
                    }
                    function.insert("name".into(), call.name.clone().into());
                }
                function.insert("arguments".into(), arguments.into());
                call_delta.insert("function".into(), function.into());
                json!({ "tool_calls": [call_delta] })
            };
            let arguments = call.arguments();
            if style == CallStyle::Whole {
                return vec![delta(true, &arguments)];
            }
            let parts = self.parts(&arguments);
            std::iter::once(delta(true, "")).chain(parts.iter().map(|part| delta(false, part))).collect()
        });
        in_order(calls.collect(), style == CallStyle::Interleaved)
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
