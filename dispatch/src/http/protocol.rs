//! What the two wire formats have in common: a question goes out, a reply is read from events or from one document.

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value;
use shared::Problem;
use shared::section::{Status, Usage};

use super::fault::{Context, Fault};
use super::secret::Secret;
use super::sse::Event;

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// What we say.
    User(String),
    /// What the model said, to be sent back as it came.
    Assistant(Vec<Block>),
    /// What became of the tools that the model asked for, in the order of its calls.
    Results(Vec<ToolResult>),
}

/// A piece of what a model said.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Text.
    Text(String),
    /// A request to use a tool.
    Call(Call),
    /// What only the server understands, such as signed thinking: it wants it back as it was.
    Opaque(Value),
}

/// A request of a model to use a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// The name by which the result refers to it; made up where a server gives none.
    pub(crate) id: String,
    /// The tool.
    pub(crate) name: String,
    /// The arguments, as the text that came. A model may write anything here, and an answer may be cut off within.
    pub(crate) arguments: String,
}

impl Call {
    /// Returns the arguments, if they are the object that they have to be.
    pub(crate) fn object(&self) -> Result<serde_json::Map<String, Value>, String> {
        if self.arguments.trim().is_empty() {
            return Ok(serde_json::Map::new());
        }
        match serde_json::from_str(&self.arguments) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err("they are no JSON object".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// The call.
    pub(crate) id: String,
    /// What the model is told.
    pub(crate) text: String,
    /// Whether it was not done.
    pub(crate) is_error: bool,
}

/// A tool that is offered to a model.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does and when to use it.
    pub(crate) description: String,
    /// The JSON schema of its arguments.
    pub(crate) schema: Value,
}

/// All that a model is told for one reply.
#[derive(Clone, Debug)]
pub struct Question {
    /// The model.
    pub(crate) model: String,
    /// What it is told before anything else.
    pub(crate) system: Option<String>,
    /// The tools that it may ask for.
    pub(crate) tools: Vec<Tool>,
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

/// What a complete reply asks of us in a conversation with tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing: it is the last word, well or not.
    Ends,
    /// The results of its calls, of which the last may be cut off.
    Calls,
    /// To be asked again with what it has said so far.
    Pauses,
}

/// What has been read of a reply so far. It is of use also when the rest never comes: what a server has
/// counted, it bills.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// What the model said.
    pub(crate) text: String,
    /// What the model said instead of an answer.
    pub(crate) refusal: String,
    /// All that it said, piece by piece.
    pub(crate) blocks: Vec<Block>,
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

impl Reply {
    /// Appends to the text, which goes on in the last piece if that is text.
    pub(crate) fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        match self.blocks.last_mut() {
            Some(Block::Text(last)) => last.push_str(text),
            _ => self.blocks.push(Block::Text(text.to_owned())),
        }
    }

    /// Returns the tools that the model asks for.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.blocks.iter().filter_map(|block| if let Block::Call(call) = block { Some(call) } else { None })
    }
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
    /// Tells what comes next, as far as tools are concerned.
    fn turn(&self) -> Turn;
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
