//! Anthropic's Messages: blocks of thought, text and calls; the usage at the beginning and, counted up, at the end.

use serde_json::{Value, json};

use super::{Answer, Piece, in_order};
use crate::fake_model::script::{CallStyle, Tokens};

impl Answer<'_> {
    pub(super) fn messages_document(&self) -> Value {
        let mut content = Vec::new();
        if let Some(thinking) = &self.step.thinking {
            content.push(json!({ "type": "thinking", "thinking": thinking, "signature": "c2lnbmVk" }));
        }
        if !self.text.is_empty() {
            content.push(json!({ "type": "text", "text": self.text }));
        }
        for (id, call) in self.calls() {
            content
                .push(self.named(json!({ "type": "tool_use", "name": call.name, "input": call.input }), id));
        }
        json!({
            "id": format!("msg_{}", self.number), "type": "message", "role": "assistant", "model": self.model,
            "content": content, "stop_reason": self.stop("end_turn", "tool_use"), "stop_sequence": null,
            "usage": messages_usage(self.tokens),
        })
    }

    pub(super) fn messages_events(&self) -> Vec<Piece> {
        let begun = Tokens { output: self.tokens.output.min(1), reasoning: 0, ..self.tokens };
        let start = json!({ "type": "message_start", "message": {
            "id": format!("msg_{}", self.number), "type": "message", "role": "assistant", "model": self.model,
            "content": [], "stop_reason": null, "stop_sequence": null, "usage": messages_usage(begun),
        } });
        let end = json!({ "type": "message_delta",
            "delta": { "stop_reason": self.stop("end_turn", "tool_use"), "stop_sequence": null },
            "usage": messages_usage(self.tokens) });
        let mut pieces = vec![event(&start, Some(begun)), event(&json!({ "type": "ping" }), None)];
        pieces.extend(self.blocks().iter().map(|block| event(block, None)));
        pieces.push(event(&end, Some(self.tokens)));
        pieces.push(event(&json!({ "type": "message_stop" }), None));
        pieces
    }

    /// Returns the events of the blocks.
    fn blocks(&self) -> Vec<Value> {
        let mut index = 0;
        let mut block = |start: Value, deltas: Vec<Value>| {
            let mut events =
                vec![json!({ "type": "content_block_start", "index": index, "content_block": start })];
            let delta = |delta| json!({ "type": "content_block_delta", "index": index, "delta": delta });
            events.extend(deltas.into_iter().map(delta));
            events.push(json!({ "type": "content_block_stop", "index": index }));
            index += 1;
            events
        };
        let mut events = Vec::new();
        if let Some(thinking) = &self.step.thinking {
            let thought = |part| json!({ "type": "thinking_delta", "thinking": part });
            let mut deltas: Vec<Value> = self.parts(thinking).into_iter().map(thought).collect();
            deltas.push(json!({ "type": "signature_delta", "signature": "c2lnbmVk" }));
            events.extend(block(json!({ "type": "thinking", "thinking": "", "signature": "" }), deltas));
        }
        if !self.text.is_empty() || self.step.calls.is_empty() {
            let said = |part| json!({ "type": "text_delta", "text": part });
            let deltas = self.parts(self.text).into_iter().map(said).collect();
            events.extend(block(json!({ "type": "text", "text": "" }), deltas));
        }
        let calls = self.calls().map(|(id, call)| {
            let whole = self.step.call_style == CallStyle::Whole;
            let input = if whole { call.input.clone() } else { json!({}) };
            let start = self.named(json!({ "type": "tool_use", "name": call.name, "input": input }), id);
            let part = |part| json!({ "type": "input_json_delta", "partial_json": part });
            let deltas = self.parts(&call.arguments()).into_iter().map(part);
            block(start, if whole { Vec::new() } else { deltas.collect() })
        });
        let calls = calls.collect();
        events.extend(in_order(calls, self.step.call_style == CallStyle::Interleaved));
        events
    }

    fn named(&self, mut block: Value, id: String) -> Value {
        if self.step.call_style != CallStyle::Bare {
            block["id"] = Value::String(id);
        }
        block
    }
}

fn event(value: &Value, told: Option<Tokens>) -> Piece {
    let name = value["type"].as_str().unwrap_or_default();
    Piece { text: format!("event: {name}\ndata: {value}\n\n"), told }
}

fn messages_usage(tokens: Tokens) -> Value {
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
