//! Why a request brought no whole answer, whether trying again can help, and what a person can do about it.
//!
//! The rules are those of the two providers' error pages. Trying again is right for a fault of the network or of
//! the server's load, and wrong for everything that costs the next request as surely as this one: a key that is
//! not accepted, an account that is spent, a request that is malformed.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;
use shared::section::Status;

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
        }
    }

    /// A fault that the next try would only repeat.
    pub(crate) fn lasting(status: Status, reason: impl Into<String>, reach: Reach) -> Self {
        Fault { status, reason: reason.into(), transient: false, is_throttle: false, wait: None, reach }
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

/// What an error body says, in the forms that are around.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    /// The type: `overloaded_error`, `insufficient_quota`, …
    pub(crate) kind: Option<String>,
    /// The code, which some servers give as a number.
    pub(crate) code: Option<String>,
    /// The sentence.
    pub(crate) message: String,
}

impl ErrorBody {
    /// Reads a body of whatever form; what is no JSON is the message.
    pub(crate) fn parse(body: &str) -> Self {
        match serde_json::from_str::<Value>(body) {
            Ok(value @ Value::Object(_)) => ErrorBody::from_value(&value),
            _ => ErrorBody { message: one_line(body), ..ErrorBody::default() },
        }
    }

    /// Reads `{"error": {…}}`, `{"error": "…"}`, `{"detail": …}` or an error object without a cover.
    pub(crate) fn from_value(value: &Value) -> Self {
        let error = match &value["error"] {
            Value::Null => value,
            error => error,
        };
        let text = |value: &Value| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let message = [&error["message"], error, &error["detail"]].into_iter().find_map(text);
        ErrorBody {
            kind: text(&error["type"]).filter(|kind| kind != "error"),
            code: text(&error["details"]["error_code"]).or_else(|| text(&error["code"])),
            message: one_line(&message.unwrap_or_else(|| value.to_string())),
        }
    }

    /// Returns the HTTP status that this error would have had, for errors inside a stream.
    fn status(&self) -> Option<u16> {
        let number = self.code.as_deref().and_then(|code| code.parse().ok());
        let named = |name: &str| match name {
            "invalid_request_error" | "context_length_exceeded" | "BadRequestError" => Some(400),
            "authentication_error" | "invalid_api_key" => Some(401),
            "billing_error" => Some(402),
            "permission_error" => Some(403),
            "not_found_error" | "model_not_found" => Some(404),
            "conflict_error" => Some(409),
            "request_too_large" => Some(413),
            "rate_limit_error" | "rate_limit_exceeded" | "slow_down" | "throttling_error" => Some(429),
            "api_error" | "server_error" | "internal_server_error" => Some(500),
            "timeout_error" => Some(504),
            "overloaded_error" => Some(529),
            _ if is_spent(name) => Some(429),
            _ => None,
        };
        number
            .filter(|status| (400..600).contains(status))
            .or_else(|| self.code.as_deref().and_then(named))
            .or_else(|| self.kind.as_deref().and_then(named))
    }

    fn is_spent(&self) -> bool {
        self.code.as_deref().is_some_and(is_spent)
            || self.kind.as_deref().is_some_and(is_spent)
            // Anthropic reports a limit that the user set, and an empty balance, as an invalid request.
            || self.message.starts_with("You have reached your specified")
            || self.message.contains("credit balance is too low")
    }

    fn is_too_long(&self) -> bool {
        self.code.as_deref() == Some("context_length_exceeded")
            || self.kind.as_deref() == Some("exceed_context_size_error")
            || ["prompt is too long", "maximum context length", "context size"]
                .iter()
                .any(|words| self.message.contains(words))
    }
}

/// Tells whether an error type or code says that money or an allowance has run out.
fn is_spent(name: &str) -> bool {
    matches!(
        name,
        "insufficient_quota"
            | "credit_balance_exhausted"
            | "organization_spend_limit_exceeded"
            | "project_spend_limit_exceeded"
            | "organization_usage_limit_exceeded"
            | "enforced_spend_limit_reached"
            | "billing_hard_limit_reached"
            | "billing_not_active"
            | "budget_exceeded"
    )
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
        400 | 422 if error.is_too_long() => lasting(
            Status::Failed,
            Reach::Request,
            &format!("the prompt is longer than the model `{model}` can read"),
            "shorten the context of the task, or use a model that reads more",
        ),
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
mod tests {
    use super::*;

    fn context(bare_429_is_final: bool) -> Context {
        Context {
            address: "http://h/v1".to_owned(),
            key_source: "THE_KEY".to_owned(),
            has_key: true,
            bare_429_is_final,
        }
    }

    fn fault(anthropic: bool, status: u16, body: &str, wait: Option<u64>) -> Fault {
        let wait = wait.map(Duration::from_secs);
        from_response(&context(anthropic), "m", status, &HeaderMap::new(), body, wait)
    }

    #[test]
    fn every_status_ends_as_the_providers_say() {
        use Reach::*;
        use Status::*;
        for (anthropic, status, body, wait, expected, transient, reach) in [
            (
                true,
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}"#,
                None,
                Failed,
                false,
                Request,
            ),
            (
                true,
                400,
                r#"{"error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-12-01."}}"#,
                None,
                Quota,
                false,
                Backend,
            ),
            (
                true,
                400,
                r#"{"error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
                None,
                Quota,
                false,
                Backend,
            ),
            (
                true,
                401,
                r#"{"error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
                None,
                Auth,
                false,
                Backend,
            ),
            (true, 402, r#"{"error":{"type":"billing_error"}}"#, None, Quota, false, Backend),
            (true, 403, r#"{"error":{"type":"permission_error"}}"#, None, Auth, false, Model),
            (true, 404, r#"{"error":{"type":"not_found_error"}}"#, None, Failed, false, Model),
            (true, 408, "", None, Transport, true, Request),
            (true, 409, r#"{"error":{"type":"conflict_error"}}"#, None, Transport, true, Request),
            (true, 413, r#"{"error":{"type":"request_too_large"}}"#, None, Failed, false, Request),
            (true, 429, r#"{"error":{"type":"rate_limit_error"}}"#, Some(7), Transport, true, Request),
            (true, 429, r#"{"error":{"type":"rate_limit_error"}}"#, None, Quota, false, Model),
            (
                true,
                429,
                r#"{"error":{"type":"rate_limit_error","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
                Some(7),
                Quota,
                false,
                Backend,
            ),
            (true, 500, r#"{"error":{"type":"api_error"}}"#, None, Transport, true, Request),
            (true, 502, "<html>bad gateway</html>", None, Transport, true, Request),
            (true, 504, r#"{"error":{"type":"timeout_error"}}"#, None, Transport, true, Request),
            (true, 529, r#"{"error":{"type":"overloaded_error"}}"#, None, Transport, true, Request),
            (
                false,
                400,
                r#"{"error":{"message":"x","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
                None,
                Failed,
                false,
                Request,
            ),
            (
                false,
                429,
                r#"{"error":{"message":"x","type":"requests","code":"rate_limit_exceeded"}}"#,
                None,
                Transport,
                true,
                Request,
            ),
            (
                false,
                429,
                r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
                Some(1),
                Quota,
                false,
                Backend,
            ),
            (
                false,
                429,
                r#"{"error":{"type":"insufficient_quota","code":"credit_balance_exhausted"}}"#,
                None,
                Quota,
                false,
                Backend,
            ),
            (
                false,
                429,
                r#"{"error":{"code":"organization_spend_limit_exceeded"}}"#,
                None,
                Quota,
                false,
                Backend,
            ),
            (false, 429, r#"{"error":{"code":"project_spend_limit_exceeded"}}"#, None, Quota, false, Backend),
            (
                false,
                429,
                r#"{"error":{"code":"organization_usage_limit_exceeded"}}"#,
                None,
                Quota,
                false,
                Backend,
            ),
            (
                false,
                429,
                r#"{"error":{"message":"x","type":"throttling_error","code":"429"}}"#,
                None,
                Transport,
                true,
                Request,
            ),
            (false, 503, r#"{"error":{"code":"slow_down"}}"#, None, Transport, true, Request),
            (false, 501, "", None, Failed, false, Request),
            (false, 422, r#"{"detail":[{"loc":["body"]}]}"#, None, Failed, false, Request),
        ] {
            let fault = fault(anthropic, status, body, wait);
            assert_eq!(
                (fault.status, fault.transient, fault.reach),
                (expected, transient, reach),
                "{status} {body}"
            );
            assert_eq!(fault.wait, wait.filter(|_| transient).map(Duration::from_secs), "{status} {body}");
        }
    }

    #[test]
    fn a_reason_says_what_the_server_said_and_what_to_do() {
        let mut headers = HeaderMap::new();
        headers.insert("request-id", "req_1".parse().unwrap());
        let body = r#"{"error":{"type":"authentication_error","message":"invalid\n x-api-key"}}"#;
        let fault = from_response(&context(true), "m", 401, &headers, body, None);
        assert_eq!(
            fault.reason,
            "the server does not accept the key (401 authentication_error: invalid x-api-key, request req_1); \
             check the key in THE_KEY"
        );
        assert_eq!(
            fault_reason(404, r#"{"error":"model 'm' not found"}"#),
            "there is no model `m` at http://h/v1 (404: model 'm' not found); check `model` and `base_url`"
        );
    }

    fn fault_reason(status: u16, body: &str) -> String {
        fault(false, status, body, None).reason
    }

    #[test]
    fn the_server_may_say_itself_whether_to_try_again() {
        let with = |status: u16, value: &str, body: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-should-retry", value.parse().unwrap());
            from_response(&context(false), "m", status, &headers, body, None).transient
        };
        assert!(!with(500, "false", ""));
        assert!(with(400, "true", ""));
        assert!(!with(401, "true", ""));
        assert!(!with(429, "true", r#"{"error":{"code":"credit_balance_exhausted"}}"#));
    }

    #[test]
    fn a_redirect_is_an_error_that_names_the_target_without_its_query() {
        let mut headers = HeaderMap::new();
        headers.insert("location", "https://other/v1?token=secret".parse().unwrap());
        let fault = from_response(&context(false), "m", 307, &headers, "", None);
        assert_eq!((fault.status, fault.transient), (Status::Failed, false));
        assert!(fault.reason.contains("https://other/v1 (307)"), "{}", fault.reason);
    }

    #[test]
    fn errors_inside_a_stream_are_told_apart_by_type_and_code() {
        for (event, status, transient) in [
            (
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                Status::Transport,
                true,
            ),
            (r#"{"type":"error","error":{"type":"rate_limit_error"}}"#, Status::Transport, true),
            (r#"{"type":"error","error":{"type":"authentication_error"}}"#, Status::Auth, false),
            (r#"{"error":{"message":"x","code":502}}"#, Status::Transport, true),
            (r#"{"error":{"message":"x","code":"429"}}"#, Status::Transport, true),
            (r#"{"error":{"message":"x","type":"BadRequestError","code":400}}"#, Status::Failed, false),
            (r#"{"error":{"message":"x","code":"insufficient_quota"}}"#, Status::Quota, false),
            (r#"{"error":{"message":"who knows"}}"#, Status::Transport, true),
            (r#"{"error":"who knows"}"#, Status::Transport, true),
        ] {
            let fault = from_event(&context(true), "m", &serde_json::from_str(event).unwrap());
            assert_eq!((fault.status, fault.transient), (status, transient), "{event}");
        }
    }

    #[test]
    fn what_a_server_says_is_one_bounded_line() {
        assert_eq!(one_line(" a\r\n\tb\u{1b}[31mc\u{0}"), "a b [31mc");
        assert_eq!(one_line(&"é".repeat(1000)).chars().count(), MESSAGE_CHARS + 1);
    }
}
