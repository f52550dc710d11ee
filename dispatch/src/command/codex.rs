//! Codex: `codex exec --json`, JSON lines.
//!
//! Seen with 0.169.0: `input_tokens` include what was read from the cache; an item of type `error` is only a remark, a
//! `turn.failed` is a failure; the HTTP status is nowhere but in the message; an open standard input makes it wait for ever.

mod session;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use shared::section::{Status, Usage};

use super::{Invocation, Printed, fault, with_system, writes};
use crate::backend::{Draft, Job};

/// How it is started: `-` reads the text from standard input.
pub(super) fn invoke(job: &Job) -> Invocation {
    let sandbox = if writes(job) { "workspace-write" } else { "read-only" };
    let mut arguments: Vec<String> =
        ["exec", "--json", "--skip-git-repo-check", "-s", sandbox].map(str::to_owned).to_vec();
    if let Some(model) = &job.model {
        arguments.extend(["-m".to_owned(), model.clone()]);
    }
    arguments.push("-".to_owned());
    Invocation { arguments, stdin: Some(with_system(job)), ..Invocation::default() }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    item: Option<Item>,
    usage: Option<Tokens>,
    error: Option<Message>,
    message: Option<String>,
    thread_id: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input_tokens: u64,
    cached_input_tokens: u64,
    cache_write_input_tokens: u64,
    output_tokens: u64,
    reasoning_output_tokens: u64,
}

/// Reads the events: the last message of the agent is its output.
pub(super) fn read(printed: &Printed) -> Option<Draft> {
    let mut draft = Draft::new(Status::Ok);
    let (mut usage, mut turns, mut failure, mut is_complete) = (Usage::default(), 0, None, false);
    for event in printed.stdout.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok()) {
        match event.kind.as_str() {
            "item.completed" => {
                let item = event.item.filter(|item| item.kind.as_deref() == Some("agent_message"));
                if let Some(text) = item.and_then(|item| item.text) {
                    draft.output = text;
                }
            }
            "turn.completed" => {
                usage = event.usage.unwrap_or_default().added_to(usage);
                turns += 1;
                (is_complete, failure) = (true, None);
            }
            "turn.failed" | "error" => failure = event.error.map(|error| error.message).or(event.message),
            _ => {}
        }
    }
    if let Some(message) = &failure {
        draft.status = fault::status(None, message).unwrap_or(Status::Failed);
        draft.reason = fault::first_words(message).or_else(|| Some("the turn failed".to_owned()));
    } else if !is_complete {
        return None;
    }
    draft.usage = if failure.is_some() { of_session(printed) } else { None };
    draft.usage = draft.usage.or((turns > 0).then_some(usage));
    draft.turns = (turns > 0).then_some(turns);
    Some(draft)
}

/// Reads what a run had used that was ended before its result.
pub(super) fn spent(printed: &Printed) -> Option<Draft> {
    Some(Draft { usage: Some(of_session(printed)?), ..Draft::new(Status::Failed) })
}

/// Returns what the session file says, which counts all turns so far.
fn of_session(printed: &Printed) -> Option<Usage> {
    let events = printed.stdout.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok());
    let thread = events.filter(|event| event.kind == "thread.started").find_map(|event| event.thread_id)?;
    let home = match printed.variable("CODEX_HOME") {
        Some(home) => PathBuf::from(home),
        None => Path::new(&printed.variable("HOME")?).join(".codex"),
    };
    Some(session::tokens(&home, &thread)?.added_to(Usage::default()))
}

impl Tokens {
    fn added_to(&self, usage: Usage) -> Usage {
        let cached = self.cached_input_tokens.saturating_add(self.cache_write_input_tokens);
        let input = self.input_tokens.saturating_sub(cached);
        Usage {
            input_tokens: usage.input_tokens.saturating_add(input),
            cache_read_tokens: usage.cache_read_tokens.saturating_add(self.cached_input_tokens),
            cache_write_tokens: usage.cache_write_tokens.saturating_add(self.cache_write_input_tokens),
            output_tokens: usage.output_tokens.saturating_add(self.output_tokens),
            reasoning_tokens: usage.reasoning_tokens.saturating_add(self.reasoning_output_tokens),
            ..usage
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::tests::job;

    fn parsed(stdout: &str) -> Option<Draft> {
        read(&Printed { stdout, stderr: "", result: "", exit_code: Some(0), env: &[] })
    }

    #[test]
    fn it_is_started_in_the_sandbox_of_its_executor() {
        let mut job =
            Job { model: Some("gpt-5.2-codex".into()), system: Some("Be brief.".into()), ..job("a", "look") };
        let invocation = invoke(&job);
        assert_eq!(
            invocation.arguments.join(" "),
            "exec --json --skip-git-repo-check -s read-only -m gpt-5.2-codex -"
        );
        assert_eq!(invocation.stdin.as_deref(), Some("Be brief.\n\n# Task\n\nlook"));
        job.tools.push("Write".into());
        assert!(invoke(&job).arguments.contains(&"workspace-write".to_owned()));
    }

    #[test]
    fn tokens_from_the_cache_are_told_apart() {
        let draft = parsed(concat!(
            "{\"type\":\"thread.started\",\"thread_id\":\"x\"}\n{\"type\":\"turn.started\"}\n",
            "{\"type\":\"item.completed\",\"item\":{\"type\":\"error\",\"message\":\"unknown model metadata\"}}\n",
            "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"first\"}}\n",
            "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"last\"}}\n",
            "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":1234,\"cached_input_tokens\":1000,\"output_tokens\":17,\"reasoning_output_tokens\":5}}\n",
        ))
        .unwrap();
        let usage = Usage {
            input_tokens: 234,
            cache_read_tokens: 1000,
            output_tokens: 17,
            reasoning_tokens: 5,
            ..Usage::default()
        };
        assert_eq!((draft.status, draft.output.as_str(), draft.usage), (Status::Ok, "last", Some(usage)));
    }

    #[test]
    fn a_failed_turn_is_told_by_its_message() {
        for (line, status) in [
            (
                r#"{"type":"turn.failed","error":{"message":"unexpected status 401 Unauthorized"}}"#,
                Status::Auth,
            ),
            (
                r#"{"type":"turn.failed","error":{"message":"exceeded retry limit, last status: 429"}}"#,
                Status::Transport,
            ),
            (r#"{"type":"error","message":"stream disconnected"}"#, Status::Failed),
        ] {
            assert_eq!(parsed(line).unwrap().status, status, "{line}");
        }
    }

    #[test]
    fn a_reconnect_that_worked_is_no_failure_and_half_a_turn_is_no_result() {
        let reconnected = concat!(
            "{\"type\":\"error\",\"message\":\"Reconnecting... 1/5\"}\n",
            "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"ok\"}}\n",
            "{\"type\":\"turn.completed\",\"usage\":{}}\n",
        );
        assert_eq!(parsed(reconnected).unwrap().status, Status::Ok);
        assert!(parsed("{\"type\":\"turn.started\"}\n").is_none());
    }
}
