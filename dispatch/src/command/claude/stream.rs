//! What Claude Code tells while it works: every request with its tokens, also those that its own account leaves out.
//!
//! Seen with 2.1.197: a stream that is cut off is asked for again and then not counted in `modelUsage`, although it is billed; a run
//! that is ended from outside prints no result at all. The events of the streams tell both.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::section::Usage;

/// The requests of a run.
#[derive(Debug, Default)]
pub(super) struct Requests {
    messages: Vec<Message>,
    /// Those that failed before a model said anything.
    failed: u64,
    /// How many were sent again.
    pub(super) retries: u32,
}

#[derive(Debug)]
struct Message {
    id: String,
    model: String,
    usage: Usage,
    /// Its usage is final.
    is_whole: bool,
    /// It has been given up.
    is_over: bool,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    subtype: String,
    event: Option<Event>,
    message: Option<Begun>,
    parent_tool_use_id: Option<String>,
    #[serde(default)]
    is_error: bool,
    api_error_status: Option<u16>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    message: Option<Begun>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Begun {
    #[serde(default)]
    id: String,
    #[serde(default)]
    model: String,
    usage: Option<Tokens>,
}

/// Tokens as the API tells them; what is absent has been told before.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation: Option<Written>,
    output_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    ephemeral_1h_input_tokens: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    thinking_tokens: u64,
}

impl Requests {
    /// Reads the lines that were printed.
    pub(super) fn read(stdout: &str) -> Requests {
        let mut requests = Requests::default();
        // Agents below it work at the same time; the events of each are told apart by who called it.
        let mut current: BTreeMap<Option<String>, usize> = BTreeMap::new();
        let lines = stdout.lines().filter(|line| line.starts_with('{'));
        for line in lines.filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            match line.kind.as_str() {
                "stream_event" => {
                    let Some(event) = line.event else { continue };
                    match (event.kind.as_str(), event.message, event.usage) {
                        ("message_start", Some(begun), _) => {
                            current.insert(line.parent_tool_use_id, requests.messages.len());
                            requests.begin(begun, false);
                        }
                        ("message_delta", _, Some(tokens)) => {
                            let message = current.get(&line.parent_tool_use_id).copied();
                            if let Some(message) = message.and_then(|index| requests.messages.get_mut(index))
                            {
                                tokens.put_into(&mut message.usage);
                                message.is_whole = true;
                            }
                        }
                        _ => {}
                    }
                }
                // An answer that was not streamed; one that it made up itself cost nothing.
                "assistant" => {
                    let Some(begun) = line.message.filter(|begun| begun.model != "<synthetic>") else {
                        continue;
                    };
                    if !requests.messages.iter().any(|message| message.id == begun.id) {
                        requests.begin(begun, true);
                    }
                }
                "system" if line.subtype == "api_retry" => {
                    requests.retries = requests.retries.saturating_add(1);
                    requests.fail();
                }
                "result" if line.is_error && line.api_error_status.is_some() => requests.fail(),
                _ => {}
            }
        }
        requests
    }

    fn begin(&mut self, begun: Begun, is_whole: bool) {
        let mut usage = Usage { requests: 1, ..Usage::default() };
        begun.usage.unwrap_or_default().put_into(&mut usage);
        self.messages.push(Message { id: begun.id, model: begun.model, usage, is_whole, is_over: false });
    }

    /// Counts a request that failed: one whose answer had begun is counted already.
    fn fail(&mut self) {
        match self.messages.last_mut().filter(|message| !message.is_whole && !message.is_over) {
            Some(message) => message.is_over = true,
            None => self.failed += 1,
        }
    }

    /// Returns how many were sent.
    pub(super) fn sent(&self) -> u64 {
        self.failed + self.messages.len() as u64
    }

    /// Returns the tokens of each that was answered, whole or not.
    pub(super) fn all(&self) -> Vec<Usage> {
        self.messages.iter().map(|message| message.usage).collect()
    }

    /// Returns the tokens of those whose answer was cut off.
    pub(super) fn cut(&self) -> Vec<Usage> {
        self.messages.iter().filter(|message| !message.is_whole).map(|message| message.usage).collect()
    }

    /// Returns the models that answered.
    pub(super) fn models(&self) -> Option<String> {
        let mut models: Vec<&str> = self.messages.iter().map(|message| message.model.as_str()).collect();
        models.sort_unstable();
        models.dedup();
        (!models.is_empty()).then(|| models.join("+"))
    }
}

impl Tokens {
    fn put_into(&self, usage: &mut Usage) {
        let put = |told: Option<u64>, place: &mut u64| *place = told.unwrap_or(*place);
        put(self.input_tokens, &mut usage.input_tokens);
        put(self.cache_read_input_tokens, &mut usage.cache_read_tokens);
        put(self.output_tokens, &mut usage.output_tokens);
        put(
            self.output_tokens_details.as_ref().map(|details| details.thinking_tokens),
            &mut usage.reasoning_tokens,
        );
        if let Some(written) = self.cache_creation_input_tokens {
            let one_hour =
                self.cache_creation.as_ref().map_or(0, |written| written.ephemeral_1h_input_tokens);
            usage.cache_write_1h_tokens = one_hour.min(written);
            usage.cache_write_tokens = written - usage.cache_write_1h_tokens;
        }
    }
}

/// Returns tokens added up.
pub(super) fn sum(usages: &[Usage]) -> Usage {
    usages.iter().copied().fold(Usage::default(), Usage::plus)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{"type":"stream_event","parent_tool_use_id":null,"event":{"type":"message_start","message":{"id":"1","model":"m","usage":{"input_tokens":10,"cache_read_input_tokens":5,"cache_creation_input_tokens":3,"cache_creation":{"ephemeral_1h_input_tokens":1},"output_tokens":1}}}}"#;
    const DELTA: &str = r#"{"type":"stream_event","parent_tool_use_id":null,"event":{"type":"message_delta","usage":{"output_tokens":7}}}"#;
    const ASSISTANT: &str = r#"{"type":"assistant","message":{"id":"2","model":"m","usage":{"input_tokens":20,"output_tokens":4}}}"#;
    const RETRY: &str = r#"{"type":"system","subtype":"api_retry","error_status":429}"#;
    const REFUSED: &str = r#"{"type":"result","is_error":true,"api_error_status":401}"#;

    fn read(lines: &[&str]) -> Requests {
        Requests::read(&lines.join("\n"))
    }

    #[test]
    fn a_stream_counts_up_to_its_end() {
        let requests = read(&[START, DELTA]);
        let usage = Usage {
            input_tokens: 10,
            cache_read_tokens: 5,
            cache_write_tokens: 2,
            cache_write_1h_tokens: 1,
            output_tokens: 7,
            requests: 1,
            ..Usage::default()
        };
        assert_eq!((requests.all(), requests.cut(), requests.sent()), (vec![usage], vec![], 1));
    }

    #[test]
    fn what_was_cut_off_is_told_apart_and_what_followed_it_counts_once() {
        let requests = read(&[START, ASSISTANT, ASSISTANT]);
        assert_eq!((requests.cut().len(), requests.all().len(), requests.sent()), (1, 2, 2));
        let again = read(&[START, RETRY, ASSISTANT]);
        assert_eq!((again.sent(), again.retries), (2, 1), "the retry is about the stream that was cut");
    }

    #[test]
    fn requests_without_an_answer_are_counted() {
        let refused = read(&[RETRY, RETRY, RETRY, REFUSED]);
        assert_eq!((refused.sent(), refused.retries, refused.models()), (4, 3, None));
    }
}
