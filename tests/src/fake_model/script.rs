//! What the server is to do: a list of steps, one JSON object a line.
//!
//! For each request the first step is taken whose conditions hold and that is not used up. A step with `when` is a
//! rule and serves any number of requests; one without serves one request; `times` says otherwise. When no step is
//! left, the server answers `ok` with tokens that follow from the length of the prompt.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// The steps, and how often each may still be used.
#[derive(Debug, Default)]
pub struct Script {
    steps: Vec<(Step, Option<Regex>, u64)>,
}

/// What to do with a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// A regular expression that the prompt has to match.
    pub when: Option<String>,
    /// The path that the request has to have.
    pub path: Option<String>,
    /// How many requests this step serves.
    pub times: Option<u64>,

    /// The status; anything but 200 is answered with `error`.
    pub status: Option<u16>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
    /// The error: an object with `type`, `code`, `message`.
    pub error: Option<Value>,
    /// A body in place of the one that would be made.
    pub body: Option<String>,

    /// What the model says; `{prompt}` stands for the prompt.
    pub text: Option<String>,
    /// What it says for each place of the prompt that matches, a line each, in place of `text`.
    pub each: Option<Each>,
    /// In how many events it says it.
    pub pieces: Option<usize>,
    /// The tokens.
    pub usage: Option<Tokens>,
    /// Where a stream of chat completions tells its usage.
    pub usage_style: UsageStyle,
    /// The stop reason (`end_turn`, `max_tokens`, …) or finish reason (`stop`, `length`, …).
    pub stop: Option<String>,
    /// The model's name in the answer; without it the one that was asked for.
    pub model: Option<String>,
    /// Answers with one document although a stream was asked for.
    pub document: bool,
    /// Ends lines with a carriage return and a line feed.
    pub crlf: bool,
    /// Writes comments and unknown events between the others.
    pub noise: bool,

    /// How long to wait before the answer begins.
    pub delay_ms: u64,
    /// How long to wait between two events.
    pub pause_ms: u64,
    /// Sends single bytes with this pause between them.
    pub byte_ms: Option<u64>,
    /// Sends the body in portions of so many bytes.
    pub portion: Option<usize>,
    /// Closes the connection after so many events, or so many bytes of a document.
    pub cut_after: Option<usize>,
    /// Says nothing more after so many events, and keeps the connection.
    pub stall_after: Option<usize>,
    /// Sends an event that is no JSON after so many events.
    pub malformed_after: Option<usize>,
    /// Sends `error` as an event after so many events.
    pub error_after: Option<usize>,
    /// Closes the connection instead of answering.
    pub close: Option<Close>,
}

/// An answer that is made from the question.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// A regular expression.
    pub pattern: String,
    /// What is said for each match; `$1` stands for its first group.
    pub text: String,
}

impl Each {
    /// Returns what is said to a prompt.
    pub(super) fn of(&self, prompt: &str) -> String {
        let Ok(pattern) = Regex::new(&self.pattern) else { return format!("bad pattern {}", self.pattern) };
        let mut said = String::new();
        for found in pattern.captures_iter(prompt) {
            found.expand(&self.text, &mut said);
            said.push('\n');
        }
        said
    }
}

/// When a connection is closed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    /// When the request has been read.
    Request,
    /// In the middle of the head of the answer.
    Head,
}

/// Where a stream of chat completions tells its usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageStyle {
    /// In a chunk of its own without choices, as OpenAI does.
    #[default]
    Own,
    /// In a chunk of its own with `"choices": null`.
    NullChoices,
    /// In the last chunk with a choice, as llama.cpp does.
    LastChoice,
    /// In every chunk, growing, as vLLM can.
    Growing,
    /// Nowhere.
    None,
}

/// Tokens as a provider bills them. `input` does not include what a cache gave or took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// At the full price.
    pub input: u64,
    /// Read from a cache.
    pub cache_read: u64,
    /// Written to a cache of five minutes.
    pub cache_write: u64,
    /// Written to a cache of one hour.
    pub cache_write_1h: u64,
    /// Completion, with reasoning.
    pub output: u64,
    /// Reasoning.
    pub reasoning: u64,
}

impl Script {
    /// Reads a script; empty lines and lines that begin with `#` are skipped.
    pub fn parse(text: &str) -> Result<Script, String> {
        let lines =
            text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let steps = lines.map(|(number, line)| {
            let at = |error: String| format!("line {}: {error}", number + 1);
            serde_json::from_str(line).map_err(|error| at(error.to_string()))
        });
        Script::new(steps.collect::<Result<Vec<Step>, _>>()?)
    }

    /// Returns a script of these steps.
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Result<Script, String> {
        let steps = steps.into_iter().map(|step| {
            let when = step.when.as_deref().map(Regex::new).transpose().map_err(|error| error.to_string())?;
            let times = step.times.unwrap_or(if when.is_some() { u64::MAX } else { 1 });
            Ok((step, when, times))
        });
        Ok(Script { steps: steps.collect::<Result<_, String>>()? })
    }

    /// Takes the step for a request, with its number from 0.
    pub(super) fn take(&mut self, path: &str, prompt: &str) -> Option<(usize, Step)> {
        let (number, (step, _, times)) =
            self.steps.iter_mut().enumerate().find(|(_, (step, when, times))| {
                *times > 0
                    && step.path.as_deref().is_none_or(|expected| expected == path)
                    && when.as_ref().is_none_or(|when| when.is_match(prompt))
            })?;
        *times -= 1;
        Some((number, step.clone()))
    }
}

impl Tokens {
    /// Adds other tokens.
    pub fn add(&mut self, other: &Tokens) {
        self.input += other.input;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.cache_write_1h += other.cache_write_1h;
        self.output += other.output;
        self.reasoning += other.reasoning;
    }

    /// Returns the whole prompt.
    pub(super) fn prompt(&self) -> u64 {
        self.input + self.cache_read + self.cache_write + self.cache_write_1h
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_used_in_order_and_rules_as_long_as_they_fit() {
        let mut script = Script::parse(
            "# a comment\n{\"when\": \"^red\", \"text\": \"r\"}\n{\"text\": \"1\"}\n\n{\"text\": \"2\", \"times\": 2}\n",
        )
        .unwrap();
        let mut say = |prompt| script.take("/", prompt).and_then(|(_, step)| step.text);
        let said: Vec<_> = ["x", "red", "x", "red", "x", "x"].into_iter().map(&mut say).collect();
        assert_eq!(
            said,
            ["1", "r", "2", "r", "2"]
                .map(|text| Some(text.to_owned()))
                .into_iter()
                .chain([None])
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_slip_in_a_script_is_named_with_its_line() {
        let error = Script::parse("{}\n{\"txet\": \"1\"}").unwrap_err();
        assert!(error.starts_with("line 2:") && error.contains("txet"), "{error}");
    }
}
