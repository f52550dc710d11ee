//! opencode: `opencode run --format json`, JSON lines.
//!
//! Seen with 1.18.33: tokens exclude what was cached and what was reasoning; the cost is exact; standard input is read to its
//! end before anything else; errors are events, and versions differ in the exit code that goes with them.

use serde::Deserialize;
use shared::section::{Status, Usage};

use super::{Invocation, Printed, fault, with_system, writes};
use crate::backend::{Draft, Job};

/// How it is started: the text on standard input.
pub(super) fn invoke(job: &Job) -> Invocation {
    let mut arguments: Vec<String> = ["run", "--format", "json"].map(str::to_owned).to_vec();
    if let Some(model) = &job.model {
        arguments.extend(["-m".to_owned(), model.clone()]);
    }
    // Without a title it asks the model for one, and tells nobody what that took.
    arguments.push(format!("--title=specpipe {} {}", job.id, job.attempt));
    Invocation {
        arguments,
        stdin: Some(with_system(job)),
        env: vec![("OPENCODE_PERMISSION", denied(job))],
        result: None,
    }
}

/// What its executor may not do; what is not denied is up to the user's configuration.
fn denied(job: &Job) -> &'static str {
    match (writes(job), job.tools.iter().any(|tool| tool == "Bash")) {
        (true, true) => "{}",
        (true, false) => r#"{"bash":"deny"}"#,
        (false, true) => r#"{"edit":"deny"}"#,
        (false, false) => r#"{"edit":"deny","bash":"deny"}"#,
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    part: Option<Part>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    reason: Option<String>,
    cost: Option<f64>,
    tokens: Option<Tokens>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input: u64,
    output: u64,
    reasoning: u64,
    cache: Cache,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cache {
    read: u64,
    write: u64,
}

/// Reads the events: the text of the last step is the output.
pub(super) fn read(printed: &Printed) -> Option<Draft> {
    // A step that called tools is followed by another: without it, there is no answer yet.
    let is_between =
        |draft: &Draft| draft.status == Status::Ok && draft.stop_reason.as_deref() == Some("tool-calls");
    events(printed)
        .filter(|draft| draft.usage.is_some() || draft.status != Status::Ok)
        .filter(|draft| !is_between(draft))
}

/// Reads what a run had used that was ended before its result.
pub(super) fn spent(printed: &Printed) -> Option<Draft> {
    let draft = events(printed)?;
    Some(Draft { output: String::new(), stop_reason: None, ..draft })
}

fn events(printed: &Printed) -> Option<Draft> {
    let mut draft = Draft::new(Status::Ok);
    let (mut usage, mut steps, mut error, mut cost) = (Usage::default(), 0, None, None);
    for event in printed.stdout.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok()) {
        match (event.kind.as_str(), event.part) {
            ("step_start", _) => draft.output.clear(),
            ("text", Some(part)) => draft.output.push_str(&part.text.unwrap_or_default()),
            ("step_finish", Some(part)) => {
                let tokens = part.tokens.unwrap_or_default();
                usage.input_tokens = usage.input_tokens.saturating_add(tokens.input);
                usage.cache_read_tokens = usage.cache_read_tokens.saturating_add(tokens.cache.read);
                usage.cache_write_tokens = usage.cache_write_tokens.saturating_add(tokens.cache.write);
                usage.output_tokens =
                    usage.output_tokens.saturating_add(tokens.output.saturating_add(tokens.reasoning));
                usage.reasoning_tokens = usage.reasoning_tokens.saturating_add(tokens.reasoning);
                steps += 1;
                if let Some(more) = part.cost {
                    *cost.get_or_insert(0.0) += more;
                }
                draft.stop_reason = part.reason;
                // A step that came to its end has got over what was wrong before.
                error = None;
            }
            ("error", _) => error = event.error.or(Some(serde_json::Value::Null)),
            _ => {}
        }
    }
    if let Some(error) = &error {
        let message =
            error.pointer("/data/message").or_else(|| error.get("message")).or_else(|| error.get("name"));
        let message = message.and_then(|message| message.as_str()).unwrap_or("it ended with an error");
        let code = error.pointer("/data/statusCode").and_then(serde_json::Value::as_u64);
        let code = code.and_then(|code| u16::try_from(code).ok());
        draft.status = fault::status(code, message).unwrap_or(Status::Failed);
        draft.reason = fault::first_words(message);
    } else if steps == 0 {
        return None;
    } else if draft.stop_reason.as_deref() == Some("length") {
        draft.status = Status::Truncated;
        draft.reason = Some("the answer was cut off by a limit".to_owned());
    }
    draft.usage = (steps > 0).then_some(usage);
    draft.turns = (steps > 0).then_some(steps);
    draft.reported_cost_usd = cost;
    Some(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(stdout: &str, exit_code: i32) -> Option<Draft> {
        read(&Printed { stdout, stderr: "", result: "", exit_code: Some(exit_code), env: &[] })
    }

    const STEP: &str = concat!(
        "{\"type\":\"step_start\",\"part\":{\"type\":\"step-start\"}}\n",
        "{\"type\":\"text\",\"part\":{\"type\":\"text\",\"text\":\"done\"}}\n",
        "{\"type\":\"step_finish\",\"part\":{\"reason\":\"stop\",\"cost\":0.000419,\"tokens\":{\"total\":1251,\"input\":234,\"output\":12,\"reasoning\":5,\"cache\":{\"read\":1000,\"write\":0}}}}\n",
    );

    #[test]
    fn steps_add_up_and_the_last_text_is_the_output() {
        let draft = parsed(&format!("{STEP}{STEP}"), 0).unwrap();
        let usage = Usage {
            input_tokens: 468,
            cache_read_tokens: 2000,
            output_tokens: 34,
            reasoning_tokens: 10,
            ..Usage::default()
        };
        assert_eq!((draft.status, draft.output.as_str(), draft.usage), (Status::Ok, "done", Some(usage)));
        assert_eq!((draft.turns, draft.reported_cost_usd), (Some(2), Some(0.000838)));
    }

    #[test]
    fn an_error_event_is_a_failure_whatever_the_exit_code() {
        let error = r#"{"type":"error","error":{"name":"APIError","data":{"message":"Unauthorized","statusCode":401}}}"#;
        let draft = parsed(error, 0).unwrap();
        assert_eq!((draft.status, draft.reason.as_deref()), (Status::Auth, Some("Unauthorized")));
        assert_eq!(
            parsed(&format!("{error}\n{STEP}"), 1).unwrap().status,
            Status::Ok,
            "a retry has recovered"
        );
        assert!(parsed("", 0).is_none());
    }
}
