//! Writes answers in the wire formats, as events that each say what tokens they tell.

mod chat;
mod gemini;
mod messages;
mod responses;

use serde_json::{Value, json};

use super::script::{Call, Step, Tokens, UsageStyle};

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
    /// Anthropic's Messages.
    Messages,
    /// Chat completions.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// Google's `generateContent`.
    Gemini,
}

/// What an answer is made of.
pub(super) struct Answer<'a> {
    pub(super) format: Format,
    pub(super) step: &'a Step,
    /// The number of the request, so that no two answers have calls of the same name.
    pub(super) number: u64,
    pub(super) text: &'a str,
    pub(super) model: &'a str,
    pub(super) tokens: Tokens,
}

impl Format {
    /// Returns the format of a path, without its query.
    pub(super) fn of(method: &str, path: &str) -> Option<Format> {
        let endings = [
            ("/messages", Format::Messages),
            ("/chat/completions", Format::Chat),
            ("/responses", Format::Responses),
            (":generateContent", Format::Gemini),
            (":streamGenerateContent", Format::Gemini),
        ];
        let found = endings.into_iter().find(|(ending, _)| path.ends_with(ending));
        found.filter(|_| method == "POST").map(|(_, format)| format)
    }

    /// Tells whether a request wants a stream.
    pub(super) fn streams(self, path: &str, body: &Value) -> bool {
        match self {
            Format::Gemini => path.contains(":streamGenerateContent"),
            _ => body["stream"] == true,
        }
    }

    /// Returns the model that a request names.
    pub(super) fn model(self, path: &str, body: &Value) -> Option<String> {
        match self {
            Format::Gemini => {
                let name = path.rsplit('/').next()?.split(':').next()?;
                Some(name.to_owned())
            }
            _ => body["model"].as_str().map(str::to_owned),
        }
    }
}

impl Answer<'_> {
    /// Returns the answer as one document.
    pub(super) fn document(&self) -> Piece {
        let value = match self.format {
            Format::Messages => self.messages_document(),
            Format::Chat => self.chat_document(),
            Format::Responses => self.responses_document(),
            Format::Gemini => self.gemini_document(),
        };
        let told = self.format != Format::Chat || self.step.usage_style != UsageStyle::None;
        Piece { text: value.to_string(), told: told.then_some(self.tokens) }
    }

    /// Returns the answer as the events of a stream, with the faults that the script wants in it.
    pub(super) fn events(&self, include_usage: bool) -> Vec<Piece> {
        let mut pieces = match self.format {
            Format::Messages => self.messages_events(),
            Format::Chat => self.chat_events(include_usage),
            Format::Responses => self.responses_events(),
            Format::Gemini => self.gemini_events(),
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
                Format::Responses => self.responses_failure(),
                Format::Chat | Format::Gemini => format!("data: {error}\n\n"),
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
            Format::Chat | Format::Responses | Format::Gemini => json!({ "error": error }),
        }
    }

    /// Returns how an answer ends that the script says nothing about, and what it says otherwise.
    fn stop<'a>(&'a self, text: &'a str, calls: &'a str) -> &'a str {
        let default = if self.step.calls.is_empty() { text } else { calls };
        self.step.stop.as_deref().unwrap_or(default)
    }

    /// Returns the calls with their names: those the script gives, and otherwise names that no other call has.
    fn calls(&self) -> impl Iterator<Item = (String, &Call)> {
        self.step.calls.iter().enumerate().map(|(place, call)| {
            let made_up = || match self.format {
                Format::Messages => format!("toolu_{}_{place}", self.number),
                _ => format!("call_{}_{place}", self.number),
            };
            (call.id.clone().unwrap_or_else(made_up), call)
        })
    }

    /// Cuts a text into as many parts as the script wants.
    fn parts(&self, text: &str) -> Vec<String> {
        let characters: Vec<char> = text.chars().collect();
        let size = characters.len().div_ceil(self.step.pieces.unwrap_or(2).max(1)).max(1);
        characters.chunks(size).map(|part| part.iter().collect()).collect()
    }
}

/// Puts lists one after the other, or takes one of each in turn.
fn in_order<T>(lists: Vec<Vec<T>>, interleaved: bool) -> Vec<T> {
    if !interleaved {
        return lists.into_iter().flatten().collect();
    }
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(lists.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            return all;
        }
    }
}
