//! Error bodies, in the forms that are around.

use serde_json::Value;

use super::one_line;

/// What an error body says, in the forms that are around.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// The type: `overloaded_error`, `insufficient_quota`, …
    pub(super) kind: Option<String>,
    /// The code, which some servers give as a number.
    pub(super) code: Option<String>,
    /// The sentence.
    pub(super) message: String,
}

impl ErrorBody {
    /// Reads a body of whatever form; what is no JSON is the message.
    pub(super) fn parse(body: &str) -> Self {
        match serde_json::from_str::<Value>(body) {
            Ok(value @ Value::Object(_)) => ErrorBody::from_value(&value),
            _ => ErrorBody { message: one_line(body), ..ErrorBody::default() },
        }
    }

    /// Reads `{"error": {…}}`, `{"error": "…"}`, `{"detail": …}` or an error object without a cover.
    pub(super) fn from_value(value: &Value) -> Self {
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
    pub(super) fn status(&self) -> Option<u16> {
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

    pub(super) fn is_spent(&self) -> bool {
        self.code.as_deref().is_some_and(is_spent)
            || self.kind.as_deref().is_some_and(is_spent)
            // Anthropic reports a limit that the user set, and an empty balance, as an invalid request.
            || self.message.starts_with("You have reached your specified")
            || self.message.contains("credit balance is too low")
    }

    pub(super) fn is_too_long(&self) -> bool {
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
