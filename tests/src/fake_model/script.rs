//! What the server is to do: a list of steps, one JSON object a line.
//!
//! For each request the first step is taken whose conditions hold and that is not used up. A step with `when` is a
//! rule and serves any number of requests; one without serves one request; `times` says otherwise. When no step is
//! left, the server answers `ok` with tokens that follow from the length of the prompt.
//!
//! A conversation is a step with `turns`: a request that holds so many answers of the model gets the turn of that number. Nothing
//! is counted on the server's side, so that many conversations can use one rule at the same time and a request can be sent again:
//!
//! ```text
//! {"when": "typo", "turns": [{"calls": [{"name": "Read", "input": {"path": "a.txt"}}]}, {"text": "done"}]}
//! ```

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::conversation::Conversation;

/// The steps, and how often each may still be used.
#[derive(Debug, Default)]
pub struct Script {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    step: Step,
    when: Option<Regex>,
    when_result: Option<Regex>,
    when_model: Option<Regex>,
    times: u64,
}

/// What to do with a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// A regular expression that the prompt has to match.
    pub when: Option<String>,
    /// The path that the request has to have.
    pub path: Option<String>,
    /// How many answers of the model the request has to hold; the first request of a conversation holds none.
    pub turn: Option<usize>,
    /// A regular expression that what a tool gave back since the last answer has to match.
    pub when_result: Option<String>,
    /// A regular expression that the model asked for has to match.
    pub when_model: Option<String>,
    /// Whether the request has to offer tools, or must not.
    pub when_tools: Option<bool>,
    /// How many requests this step serves.
    pub times: Option<u64>,
    /// The answers of a conversation, one after the other, in place of this one; each is a step without conditions but its place.
    pub turns: Vec<Step>,

    /// The status; anything but 200 is answered with `error`.
    pub status: Option<u16>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
    /// The error: an object with `type`, `code`, `message`.
    pub error: Option<Value>,
    /// A body in place of the one that would be made.
    pub body: Option<String>,

    /// What the model says; `{prompt}` stands for the prompt, `{results}` for what the tools gave back since the last answer.
    pub text: Option<String>,
    /// What it says for each place of the prompt that matches, a line each, in place of `text`.
    pub each: Option<Each>,
    /// What it thinks before it says something.
    pub thinking: Option<String>,
    /// The tools it calls, all in one answer; without `text` it says nothing beside.
    pub calls: Vec<Call>,
    /// How a server tells its calls.
    pub call_style: CallStyle,
    /// In how many events it says a text or the arguments of a call.
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

/// A call of a tool.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments; a text is sent as it is where the format has a text there, so that broken ones can be sent too.
    pub input: Value,
    /// What the result has to name; without it a name that no other call has.
    pub id: Option<String>,
    /// Whether the tool takes a text and no object (Responses only).
    pub custom: bool,
}

impl Call {
    /// Returns the arguments as text.
    pub(super) fn arguments(&self) -> String {
        match &self.input {
            Value::String(text) => text.clone(),
            Value::Null => "{}".to_owned(),
            value => value.to_string(),
        }
    }
}

/// How a server tells its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStyle {
    /// Name and id first, then the arguments in `pieces`, one call after the other.
    #[default]
    Standard,
    /// Each call in one event, as llama.cpp and Ollama do.
    Whole,
    /// Without ids and types, as older vLLM does.
    Bare,
    /// Without indexes, as some proxies do (chat completions).
    NoIndex,
    /// With name and id in every event (chat completions).
    Repeated,
    /// The pieces of parallel calls in turn.
    Interleaved,
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
#[serde(default)]
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
        let mut rules = Vec::new();
        for mut step in steps {
            if step.turns.is_empty() {
                rules.push(Rule::new(step)?);
                continue;
            }
            for (turn, answer) in std::mem::take(&mut step.turns).into_iter().enumerate() {
                let times = answer.times.or(step.times).or(Some(u64::MAX));
                rules.push(Rule::new(Step {
                    when: step.when.clone(),
                    when_model: step.when_model.clone(),
                    when_tools: step.when_tools,
                    path: step.path.clone(),
                    turn: Some(turn),
                    times,
                    ..answer
                })?);
            }
        }
        Ok(Script { rules })
    }

    /// Takes the step for a request, with its number from 0.
    pub(super) fn take(
        &mut self,
        path: &str,
        model: &str,
        conversation: &Conversation,
    ) -> Option<(usize, Step)> {
        let (number, rule) =
            self.rules.iter_mut().enumerate().find(|(_, rule)| rule.fits(path, model, conversation))?;
        rule.times -= 1;
        Some((number, rule.step.clone()))
    }
}

impl Rule {
    fn new(step: Step) -> Result<Rule, String> {
        let regex = |pattern: &Option<String>| {
            pattern.as_deref().map(Regex::new).transpose().map_err(|error| error.to_string())
        };
        let (when, when_result, when_model) =
            (regex(&step.when)?, regex(&step.when_result)?, regex(&step.when_model)?);
        let ruled = when.is_some() || when_result.is_some() || when_model.is_some();
        let times = step.times.unwrap_or(if ruled { u64::MAX } else { 1 });
        Ok(Rule { step, when, when_result, when_model, times })
    }

    fn fits(&self, path: &str, model: &str, conversation: &Conversation) -> bool {
        let step = &self.step;
        let gave_back = |when: &Regex| conversation.results.iter().any(|result| when.is_match(result));
        self.times > 0
            && step.path.as_deref().is_none_or(|expected| expected == path)
            && step.turn.is_none_or(|turn| turn == conversation.turn)
            && step.when_tools.is_none_or(|tools| tools == conversation.offers_tools)
            && self.when_model.as_ref().is_none_or(|when| when.is_match(model))
            && self.when.as_ref().is_none_or(|when| when.is_match(&conversation.prompt))
            && self.when_result.as_ref().is_none_or(gave_back)
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
        let mut say = |prompt: &str| {
            let conversation = Conversation { prompt: prompt.to_owned(), ..Conversation::default() };
            script.take("/", "m", &conversation).and_then(|(_, step)| step.text)
        };
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
    fn a_turn_is_taken_by_what_the_request_holds() {
        let mut script = Script::parse(
            "{\"when\": \"a\", \"turn\": 1, \"times\": 1, \"text\": \"once\"}\n{\"when\": \"a\", \"turns\": [{\"text\": \"0\"}, {\"text\": \"1\"}]}\n",
        )
        .unwrap();
        let mut say = |turn| {
            let conversation = Conversation { prompt: "a".to_owned(), turn, ..Conversation::default() };
            script.take("/", "m", &conversation).and_then(|(_, step)| step.text)
        };
        let said: Vec<_> = [0, 1, 1, 0, 2].into_iter().map(|turn| say(turn).unwrap_or_default()).collect();
        assert_eq!(said, ["0", "once", "1", "0", ""]);
    }

    #[test]
    fn a_slip_in_a_script_is_named_with_its_line() {
        let error = Script::parse("{}\n{\"txet\": \"1\"}").unwrap_err();
        assert!(error.starts_with("line 2:") && error.contains("txet"), "{error}");
    }
}
