//! Why a request brought no whole answer, whether trying again can help, and what a person can do about it.
//!
//! The rules are those of the two providers' error pages. Trying again is right for a fault of the network or of
//! the server's load, and wrong for everything that costs the next request as surely as this one: a key that is
//! not accepted, an account that is spent, a request that is malformed.

mod body;

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;
use shared::section::Status;

use body::ErrorBody;

/// The longest message of a server that is repeated.
const MESSAGE_CHARS: usize = 400;

/// A request without a whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// How the attempt ends if this is not tried again.
    pub(crate) status: Status,
    /// What happened and what to do, for a person.
    pub(crate) reason: String,
    /// Whether the same request may succeed a little later.
    pub(crate) transient: bool,
    /// Whether the server had too much to do, so that fewer requests at once would help.
    pub(crate) is_throttle: bool,
    /// How long the server asks everybody to wait.
    pub(crate) wait: Option<Duration>,
    /// Who else this concerns.
    pub(crate) reach: Reach,
    /// Whether the prompt was more than the model can read, so that a shorter one would do.
    pub(crate) is_too_long: bool,
}

/// Who else a fault concerns: the requests that need not be sent any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Nobody.
    Request,
    /// All who ask this model at this backend.
    Model,
    /// All who use this backend.
    Backend,
}

impl Fault {
    /// A fault of the network or of the server's load.
    pub(crate) fn transient(reason: impl Into<String>) -> Self {
        Fault {
            status: Status::Transport,
            reason: reason.into(),
            transient: true,
            is_throttle: false,
            wait: None,
            reach: Reach::Request,
            is_too_long: false,
        }
    }

    /// A fault that the next try would only repeat.
    pub(crate) fn lasting(status: Status, reason: impl Into<String>, reach: Reach) -> Self {
        Fault {
            status,
            reason: reason.into(),
            transient: false,
            is_throttle: false,
            wait: None,
            reach,
            is_too_long: false,
        }
    }
}

/// What distinguishes the servers of one protocol when they fail, and what to call things in a reason.
#[derive(Clone, Debug)]
pub struct Context {
    /// The address of the request, without anything secret.
    pub(crate) address: String,
    /// Where the user put the key, such as `ANTHROPIC_API_KEY`.
    pub(crate) key_source: String,
    /// Whether a key is sent at all.
    pub(crate) has_key: bool,
    /// Whether a 429 without `retry-after` says that waiting does not help (Anthropic: a spending limit).
    pub(crate) bare_429_is_final: bool,
}

/// Returns the fault that an HTTP status other than 200 is.
pub(crate) fn from_response(
    context: &Context,
    model: &str,
    status: u16,
    headers: &HeaderMap,
    body: &str,
    wait: Option<Duration>,
) -> Fault {
    if (300..400).contains(&status) {
        let to = headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
        let to = to.split(['?', '#']).next().unwrap_or(to);
        return Fault::lasting(
            Status::Failed,
            format!(
                "{} redirects to {} ({status}), which is not followed because the key would go there too; set \
                 `base_url` to the address that is meant",
                context.address,
                one_line(to)
            ),
            Reach::Backend,
        );
    }
    let error = ErrorBody::parse(body);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let request = header("request-id").or_else(|| header("x-request-id"));
    let mut fault = judge(context, model, status, &error, wait, request, context.bare_429_is_final);
    // Both providers' own clients follow this header. It never overrules a key or an account.
    match header("x-should-retry") {
        Some("false") => fault.transient = false,
        Some("true") if fault.reach == Reach::Request => {
            fault.transient = true;
            fault.status = Status::Transport;
        }
        _ => {}
    }
    fault
}

/// Returns the fault that an error inside a stream is, after the server had said 200.
pub(crate) fn from_event(context: &Context, model: &str, value: &Value) -> Fault {
    let error = ErrorBody::from_value(value);
    // An unknown error after 200 is the server's trouble with a request that it had accepted.
    let status = error.status().unwrap_or(500);
    judge(context, model, status, &error, None, None, false)
}

fn judge(
    context: &Context,
    model: &str,
    status: u16,
    error: &ErrorBody,
    wait: Option<Duration>,
    request: Option<&str>,
    bare_429_is_final: bool,
) -> Fault {
    let mut said = status.to_string();
    let names = [error.kind.as_deref(), error.code.as_deref().filter(|code| *code != said)];
    for name in names.into_iter().flatten() {
        said.push(' ');
        said.push_str(name);
    }
    if !error.message.is_empty() {
        said.push_str(": ");
        said.push_str(&error.message);
    }
    if let Some(request) = request {
        said.push_str(", request ");
        said.push_str(&one_line(request));
    }
    let lasting = |status, reach, what: &str, remedy: &str| {
        Fault::lasting(status, format!("{what} ({said}); {remedy}"), reach)
    };
    let spent = || {
        lasting(
            Status::Quota,
            Reach::Backend,
            "the account's spending or usage limit is reached",
            "add credit or raise the limit, then run again with `--resume`",
        )
    };
    match status {
        400..=499 if error.is_spent() => spent(),
        401 => {
            let remedy = if context.has_key {
                format!("check the key in {}", context.key_source)
            } else {
                format!("none was sent: set {}", context.key_source)
            };
            lasting(Status::Auth, Reach::Backend, "the server does not accept the key", &remedy)
        }
        402 => spent(),
        403 => lasting(
            Status::Auth,
            Reach::Model,
            &format!("the key may not use the model `{model}`"),
            "ask for access, or configure another model or key",
        ),
        404 => lasting(
            Status::Failed,
            Reach::Model,
            &format!("there is no model `{model}` at {}", context.address),
            "check `model` and `base_url`",
        ),
        400 | 422 if error.is_too_long() => Fault {
            is_too_long: true,
            ..lasting(
                Status::Failed,
                Reach::Request,
                &format!("the prompt is longer than the model `{model}` can read"),
                "shorten the context of the task, or use a model that reads more",
            )
        },
        413 => lasting(
            Status::Failed,
            Reach::Request,
            "the request is larger than the server takes",
            "shorten the context of the task",
        ),
        429 if wait.is_none() && bare_429_is_final => lasting(
            Status::Quota,
            Reach::Model,
            "a limit is reached and the server does not say for how long",
            "look at the limits of the account, then run again with `--resume`",
        ),
        408 | 409 | 429 | 500 | 502..=504 | 506..=599 => {
            let what = match status {
                429 => "the server's rate limit is reached",
                503 | 529 => "the server is overloaded",
                408 | 504 => "the server took too long",
                _ => "the server failed",
            };
            let is_throttle = matches!(status, 429 | 503 | 529);
            Fault { wait, is_throttle, ..Fault::transient(format!("{what} ({said})")) }
        }
        _ => lasting(
            Status::Failed,
            Reach::Request,
            "the server does not accept the request",
            "the message says what it wants",
        ),
    }
}

/// Returns a text of a server as one line of bounded length without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests;
