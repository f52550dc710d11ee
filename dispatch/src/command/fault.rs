//! What kind of fault a message speaks of.

use std::sync::LazyLock;

use regex::Regex;
use shared::section::Status;

use crate::results::beginning;

/// Words of providers for a limit that waiting does not lift (table of never-retry codes).
const QUOTA: [&str; 8] = [
    "insufficient_quota",
    "enforced_spend_limit",
    "spend limit",
    "spend_limit",
    "usage_limit",
    "usage limit",
    "credit balance",
    "credit_balance",
];

/// Returns what an HTTP status means, with the message for those that mean several things.
pub(crate) fn of_http(code: u16, message: &str) -> Status {
    let message = message.to_lowercase();
    let is_quota = QUOTA.iter().any(|word| message.contains(word));
    match code {
        401 | 403 => Status::Auth,
        402 => Status::Quota,
        400 | 429 if is_quota => Status::Quota,
        408 | 409 | 429 | 500..=599 => Status::Transport,
        _ => Status::Failed,
    }
}

/// Returns what kind of fault a message speaks of, given the HTTP status or looking for one in the message.
pub(crate) fn status(code: Option<u16>, message: &str) -> Option<Status> {
    static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:status(?: code)?|error(?: code)?|http(?:/1\.1)?|code)\W{0,4}([45]\d\d)\b|\b(401|402|403|429|529)\b").ok()
    });
    let found = || {
        let captures = CODE.as_ref()?.captures(message)?;
        captures.get(1).or_else(|| captures.get(2))?.as_str().parse().ok()
    };
    if let Some(code) = code.or_else(found) {
        return Some(of_http(code, message));
    }
    let message = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&QUOTA) {
        Some(Status::Quota)
    } else if has(&["authentication", "unauthorized", "invalid api key", "api key not", "not logged in"]) {
        Some(Status::Auth)
    } else if has(&[
        "rate limit",
        "overloaded",
        "connection refused",
        "connection reset",
        "econnrefused",
        "timed out",
        "fetch failed",
        "socket hang up",
    ]) || message.trim() == "terminated"
    {
        Some(Status::Transport)
    } else {
        None
    }
}

/// Returns the first line that says something, shortened.
pub(crate) fn first_words(message: &str) -> Option<String> {
    let line = message.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(beginning(line, 300).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_apart() {
        for (message, expected) in [
            ("unexpected status 401 Unauthorized", Some(Status::Auth)),
            ("exceeded retry limit, last status: 429", Some(Status::Transport)),
            ("Error: Error code: 401 - {'error': …}", Some(Status::Auth)),
            ("status 429: insufficient_quota", Some(Status::Quota)),
            ("Your credit balance is too low", Some(Status::Quota)),
            ("API Error: 529 overloaded_error", Some(Status::Transport)),
            ("connect ECONNREFUSED 127.0.0.1:80", Some(Status::Transport)),
            ("HTTP/1.1 503", Some(Status::Transport)),
            // What Node says of a stream that was cut off.
            ("terminated", Some(Status::Transport)),
            ("error: 400 bad request", Some(Status::Failed)),
            ("wrote 429 lines", Some(Status::Transport)),
            ("no such file", None),
        ] {
            assert_eq!(status(None, message), expected, "{message}");
        }
    }
}
