//! What the two wire formats have in common: a question goes out, a reply is read from events or from one document.

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value;
use shared::Problem;
use shared::section::{Status, Usage};

use super::fault::{Context, Fault};
use super::secret::Secret;
use super::sse::Event;

/// One side of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one who asks.
    User,
}

/// One message of a conversation.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who says it.
    pub(crate) role: Role,
    /// What is said.
    pub(crate) text: String,
}

/// All that a model is told for one reply.
#[derive(Clone, Debug)]
pub struct Question {
    /// The model.
    pub(crate) model: String,
    /// What it is told before anything else.
    pub(crate) system: Option<String>,
    /// What was said so far.
    pub(crate) messages: Vec<Message>,
    /// The most tokens that it may answer with.
    pub(crate) max_tokens: Option<u32>,
}

/// Why a model stopped, and what that makes of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// How the attempt ends.
    pub(crate) status: Status,
    /// The reason in a sentence, unless it is well.
    pub(crate) reason: Option<String>,
}

impl Stop {
    /// The model said all that it wanted to say.
    pub(crate) fn done() -> Self {
        Stop { status: Status::Ok, reason: None }
    }

    /// The answer is not what was asked for.
    pub(crate) fn because(status: Status, reason: impl Into<String>) -> Self {
        Stop { status, reason: Some(reason.into()) }
    }
}

/// What has been read of a reply so far. It is of use also when the rest never comes: what a server has
/// counted, it bills.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// What the model said.
    pub(crate) text: String,
    /// What the model said instead of an answer.
    pub(crate) refusal: String,
    /// The tokens, as far as the server told.
    pub(crate) usage: Option<Usage>,
    /// What the server says that this cost, in US dollars.
    pub(crate) cost_usd: Option<f64>,
    /// The model, as the server calls it.
    pub(crate) model: Option<String>,
    /// Why the model stopped, in the words of the API.
    pub(crate) stop_reason: Option<String>,
    /// Whether the server said that this is all.
    pub(crate) complete: bool,
    /// Whether an event was no JSON. The rest is read all the same, for what it says of tokens.
    pub(crate) garbled: bool,
    /// Whether anything of an answer has come.
    pub(crate) begun: bool,
}

/// Reads one reply.
pub trait Reader: Send {
    /// Takes an event of a stream.
    fn event(&mut self, event: &Event) -> Result<(), Fault>;
    /// Takes a reply that came as one document, from a server that does not stream.
    fn document(&mut self, document: &Value) -> Result<(), Fault>;
    /// Returns what has been read.
    fn reply(&self) -> &Reply;
    /// Returns what the reply amounts to, once it is complete.
    fn stop(&self) -> Stop;
}

/// A wire format.
pub trait Protocol: Send + Sync {
    /// What reads its replies.
    type Reader: Reader;

    /// The environment variable that people keep the key in.
    const KEY_VARIABLE: &'static str;
    /// Whether a 429 without `retry-after` says that waiting does not help.
    const BARE_429_IS_FINAL: bool;

    /// Returns the address of the requests.
    fn endpoint(base_url: &str) -> Result<Url, Problem>;
    /// Returns the format with what depends on the address of the server.
    fn for_server(url: &Url) -> Self;
    /// Returns the headers that carry the key and the version of the API.
    fn headers(&self, key: Option<&Secret>, bearer: bool) -> Result<HeaderMap, Problem>;
    /// Returns the body of a request.
    fn body(&self, question: &Question) -> Value;
    /// Returns a reader for the reply to a request.
    fn reader(&self, context: &Context, model: &str) -> Self::Reader;
}

/// Returns a header value that no log shows.
pub(crate) fn sensitive(text: &str) -> Result<reqwest::header::HeaderValue, Problem> {
    let mut value = reqwest::header::HeaderValue::from_str(text).map_err(|_| {
        Problem::new("the key has a character that cannot be sent")
            .hint("a key is one line of ASCII; look for a line end or a quotation mark inside")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
