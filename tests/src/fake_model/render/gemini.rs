//! Google's `generateContent`: parts of one candidate; completion tokens are told without the reasoning ones.

use serde_json::{Value, json};

use super::{Answer, Piece};

impl Answer<'_> {
    pub(super) fn gemini_document(&self) -> Value {
        let mut parts = vec![json!({ "text": self.text })];
        parts.extend(self.function_calls());
        self.gemini_chunk(&parts, true)
    }

    pub(super) fn gemini_events(&self) -> Vec<Piece> {
        let mut chunks: Vec<Value> =
            self.parts(self.text).into_iter().map(|part| json!({ "text": part })).collect();
        chunks.extend(self.function_calls());
        let last = chunks.len().saturating_sub(1);
        let piece = |(number, part): (usize, Value)| {
            let ends = number == last;
            let text = format!("data: {}\n\n", self.gemini_chunk(&[part], ends));
            Piece { text, told: ends.then_some(self.tokens) }
        };
        chunks.into_iter().enumerate().map(piece).collect()
    }

    fn function_calls(&self) -> Vec<Value> {
        let call = |(id, call): (String, &crate::fake_model::Call)| json!({ "functionCall": { "id": id, "name": call.name, "args": call.input } });
        self.calls().map(call).collect()
    }

    fn gemini_chunk(&self, parts: &[Value], ends: bool) -> Value {
        let mut candidate = json!({ "index": 0, "content": { "role": "model", "parts": parts } });
        let mut value = json!({ "modelVersion": self.model, "responseId": format!("resp_{}", self.number) });
        if ends {
            candidate["finishReason"] = json!(self.stop("STOP", "STOP"));
            let tokens = self.tokens;
            value["usageMetadata"] = json!({
                "promptTokenCount": tokens.prompt(),
                "cachedContentTokenCount": tokens.cache_read,
                "candidatesTokenCount": tokens.output.saturating_sub(tokens.reasoning),
                "thoughtsTokenCount": tokens.reasoning,
                "totalTokenCount": tokens.prompt() + tokens.output,
            });
        }
        value["candidates"] = json!([candidate]);
        value
    }
}
