//! Was the answer cut off?

use std::sync::LazyLock;

use regex::Regex;
use shared::section::Status;

use crate::attempt::Attempt;
use crate::observation::{Observation, Standing, worst};

/// What the APIs and agent programs call it when they stop before the end.
const CUT: [&str; 12] = [
    "max_tokens",
    "max_output_tokens",
    "length",
    "model_length",
    "incomplete",
    "context_length_exceeded",
    "model_context_window_exceeded",
    "max_turns",
    "error_max_turns",
    "error_max_budget_usd",
    "tool_use",
    "tool_calls",
];

/// A line that cannot be the end of what it says.
static MID_SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:[,(\[{:]|\b(?:and|or|the|a|an|of|to|in|for|with|that|which|because|is|are))$")
        .unwrap()
});

/// Weighs how the answer ends: what the server says outweighs what the text looks like.
pub(crate) fn check(attempt: &Attempt<'_>) -> Observation {
    const NAME: &str = "truncated";
    let dispatch = attempt.dispatch;
    if attempt.is_factual() && dispatch.status != Status::Truncated {
        return Observation::new(NAME, Standing::Skipped, "no model was asked");
    }
    let mut found = Vec::new();
    if dispatch.status == Status::Truncated {
        found.push((Standing::Hard, "the answer was cut off by a limit".to_owned()));
    }
    let stop = dispatch.stop_reason.as_deref().map(str::to_ascii_lowercase);
    if let Some(stop) = stop.filter(|stop| CUT.contains(&stop.as_str())) {
        found.push((Standing::Hard, format!("the model stopped with `{stop}`")));
    }
    if attempt.answer.open_block().is_some() {
        found.push((Standing::Hard, "it ends inside a code block".to_owned()));
    } else if ends_inside_json(attempt.answer.text) {
        found.push((Standing::Hard, "it ends inside a JSON document".to_owned()));
    } else if attempt.answer.blocks.last().is_none_or(|b| b.closed)
        && let Some(last) = attempt.answer.last_line().filter(|line| MID_SENTENCE.is_match(line.trim_end()))
    {
        found.push((
            Standing::Doubt,
            format!("it seems to end in the middle of a sentence: “{}”", super::shown_end(last)),
        ));
    }
    worst(NAME, found, (Standing::Clean, String::new()))
}

fn ends_inside_json(text: &str) -> bool {
    let text = text.trim();
    // `[a link](x)` begins like an array, so only what goes on like one is tried.
    let like_json = text.starts_with("{\"")
        || text.starts_with("{\n")
        || text.starts_with("[{")
        || text.starts_with("[\"");
    like_json && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof())
}
