//! Models behind an API: Anthropic's Messages and OpenAI's chat completions, streamed, with every token counted.
//!
//! The clients are thin and our own, because what matters here is what ready-made ones hide: how long a server
//! asks to wait, tokens of the cache, errors inside a stream that began well, and what a failed try has cost.
//! `protocol` is the seam between what both have in common (`client`, `retry`, `lane`, `transport`, `sse`) and the
//! two wire formats (`anthropic`, `openai`). Prices are left to [`shared::price`], scheduling to the caller.

mod account;
mod anthropic;
mod body;
mod client;
mod clock;
mod conversation;
mod endpoint;
mod fault;
mod lane;
mod openai;
mod protocol;
mod retry;
mod secret;
mod sse;
mod transport;

pub use client::Client;
pub use clock::{Clock, SystemClock};
pub(crate) use conversation::Conversation;
pub(crate) use fault::{Fault, Reach, one_line};
pub(crate) use protocol::{Block, Call, Message, Protocol, Question, Stop, Tool, ToolResult, Turn};
pub use retry::Retry;
pub(crate) use secret::Secret;

/// A client for Anthropic's Messages API.
pub type Anthropic = Client<anthropic::Messages>;

/// A client for chat completions, of OpenAI or of any server that speaks them.
pub type OpenAi = Client<openai::ChatCompletions>;
