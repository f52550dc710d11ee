//! OpenAI's Responses: items that are opened, filled and closed; the usage in the event that ends it.

use serde_json::{Value, json};

use super::{Answer, Piece};

impl Answer<'_> {
    pub(super) fn responses_document(&self) -> Value {
        self.response(&self.items().into_iter().map(|(item, _)| item).collect::<Vec<_>>(), true)
    }

    pub(super) fn responses_events(&self) -> Vec<Piece> {
        let mut events = vec![
            json!({ "type": "response.created", "response": self.response(&[], false) }),
            json!({ "type": "response.in_progress", "response": self.response(&[], false) }),
        ];
        let mut done = Vec::new();
        for (index, (item, between)) in self.items().into_iter().enumerate() {
            let mut begun = item.clone();
            begun["status"] = json!("in_progress");
            for (member, empty) in [
                ("content", json!([])),
                ("summary", json!([])),
                ("arguments", json!("")),
                ("input", json!("")),
            ] {
                if item.get(member).is_some() {
                    begun[member] = empty;
                }
            }
            events
                .push(json!({ "type": "response.output_item.added", "output_index": index, "item": begun }));
            for mut event in between {
                event["output_index"] = json!(index);
                event["item_id"] = item["id"].clone();
                events.push(event);
            }
            events.push(json!({ "type": "response.output_item.done", "output_index": index, "item": item }));
            done.push(item);
        }
        let response = self.response(&done, true);
        let kind =
            if response["status"] == "completed" { "response.completed" } else { "response.incomplete" };
        events.push(json!({ "type": kind, "response": response }));
        let last = events.len() - 1;
        let told = |number| (number == last).then_some(self.tokens);
        let piece = |(number, mut event): (usize, Value)| {
            event["sequence_number"] = json!(number);
            let name = event["type"].as_str().unwrap_or_default();
            Piece { text: format!("event: {name}\ndata: {event}\n\n"), told: told(number) }
        };
        events.into_iter().enumerate().map(piece).collect()
    }

    /// Returns the event that ends an answer with the error of the script.
    pub(super) fn responses_failure(&self) -> String {
        let mut response = self.response(&[], false);
        response["status"] = json!("failed");
        response["error"] = self.error()["error"].take();
        let event = json!({ "type": "response.failed", "sequence_number": 99, "response": response });
        format!("event: response.failed\ndata: {event}\n\n")
    }

    fn response(&self, output: &[Value], ended: bool) -> Value {
        let cut = matches!(self.step.stop.as_deref(), Some("length" | "max_tokens" | "max_output_tokens"));
        let status = match (ended, cut) {
            (false, _) => "in_progress",
            (true, false) => "completed",
            (true, true) => "incomplete",
        };
        let tokens = self.tokens;
        let usage = json!({
            "input_tokens": tokens.prompt(),
            "input_tokens_details": { "cached_tokens": tokens.cache_read,
                "cache_write_tokens": tokens.cache_write + tokens.cache_write_1h },
            "output_tokens": tokens.output,
            "output_tokens_details": { "reasoning_tokens": tokens.reasoning },
            "total_tokens": tokens.prompt() + tokens.output,
        });
        json!({
            "id": format!("resp_{}", self.number), "object": "response", "created_at": 0, "status": status,
            "model": self.model, "output": output, "error": null,
            "incomplete_details": if ended && cut { json!({ "reason": "max_output_tokens" }) } else { Value::Null },
            "instructions": null, "metadata": {}, "parallel_tool_calls": true, "temperature": null,
            "tool_choice": "auto", "tools": [], "top_p": null,
            "usage": if ended { usage } else { Value::Null },
        })
    }

    /// Returns the items as they end, each with the events between its beginning and its end.
    fn items(&self) -> Vec<(Value, Vec<Value>)> {
        let mut items = Vec::new();
        if let Some(thinking) = &self.step.thinking {
            let summary = json!([{ "type": "summary_text", "text": thinking }]);
            let id = format!("rs_{}", self.number);
            items.push((json!({ "type": "reasoning", "id": id, "summary": summary }), Vec::new()));
        }
        if !self.text.is_empty() || self.step.calls.is_empty() {
            let part = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [] });
            let item = json!({ "type": "message", "id": format!("msg_{}", self.number), "role": "assistant",
                "status": "completed", "content": [part(self.text)] });
            let event = |kind: &str| json!({ "type": format!("response.{kind}"), "content_index": 0 });
            let with = |mut event: Value, member: &str, value: Value| {
                event[member] = value;
                event
            };
            let mut events = vec![with(event("content_part.added"), "part", part(""))];
            let delta = |part: String| with(event("output_text.delta"), "delta", part.into());
            events.extend(self.parts(self.text).into_iter().map(delta));
            events.push(with(event("output_text.done"), "text", self.text.into()));
            events.push(with(event("content_part.done"), "part", part(self.text)));
            items.push((item, events));
        }
        for (call_id, call) in self.calls() {
            let arguments = call.arguments();
            let id = format!("fc_{call_id}");
            if call.custom {
                let item = json!({ "type": "custom_tool_call", "id": id, "call_id": call_id, "status": "completed",
                    "name": call.name, "input": arguments });
                items.push((item, Vec::new()));
                continue;
            }
            let item = json!({ "type": "function_call", "id": id, "call_id": call_id, "status": "completed",
                "name": call.name, "arguments": arguments });
            let kind = "response.function_call_arguments";
            let delta = |part: String| json!({ "type": format!("{kind}.delta"), "delta": part });
            let mut events: Vec<Value> = self.parts(&arguments).into_iter().map(delta).collect();
            events.push(json!({ "type": format!("{kind}.done"), "name": call.name, "arguments": arguments }));
            items.push((item, events));
        }
        items
    }
}
