//! Claude Code: `claude -p --output-format stream-json`.
//!
//! Seen with 2.1.197: `subtype` is `success` also when `is_error` is true; after a budget stop `usage` lags behind
//! `modelUsage`, so the account is made from the latter, and what that leaves out from the events of the streams; it retries
//! a refused key ten times, for more than a minute, unless told otherwise. The events also show that it is alive.

mod stream;

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::section::{Status, Usage};

use self::stream::{Requests, sum};
use super::{Invocation, Printed, fault, writes};
use crate::backend::{Draft, Job};

/// How it is started: the text on standard input, which it reads to its end.
pub(super) fn invoke(job: &Job) -> Invocation {
    let mut arguments: Vec<String> =
        ["-p", "--output-format", "stream-json", "--verbose", "--include-partial-messages"]
            .map(str::to_owned)
            .to_vec();
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    if let Some(model) = &job.model {
        option("--model", model.clone());
    }
    if let Some(system) = &job.system {
        option("--append-system-prompt", system.clone());
    }
    // What is not offered can not be used, and without the option all is offered; what is allowed does not have to be asked
    // for, and nobody is there to ask.
    option("--tools", job.tools.join(","));
    if !job.tools.is_empty() {
        option("--allowedTools", job.tools.join(","));
    }
    option("--permission-mode", if writes(job) { "acceptEdits" } else { "default" }.to_owned());
    if let Some(turns) = job.max_turns {
        option("--max-turns", turns.to_string());
    }
    if let Some(budget) = job.allowance.usd {
        option("--max-budget-usd", budget.to_string());
    }
    Invocation {
        arguments,
        stdin: Some(job.prompt.clone()),
        env: vec![
            ("CLAUDE_CODE_MAX_RETRIES", "3"),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
        ],
        result: None,
    }
}

#[derive(Deserialize)]
struct Printout {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    subtype: String,
    #[serde(default)]
    is_error: bool,
    api_error_status: Option<u16>,
    num_turns: Option<u32>,
    result: Option<String>,
    stop_reason: Option<String>,
    total_cost_usd: Option<f64>,
    usage: Option<Tokens>,
    #[serde(rename = "modelUsage", default)]
    models: BTreeMap<String, PerModel>,
    #[serde(default)]
    permission_denials: Vec<Denial>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
    cache_creation: Option<Written>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    ephemeral_1h_input_tokens: u64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PerModel {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation_input_tokens: u64,
}

#[derive(Deserialize)]
struct Denial {
    tool_name: String,
}

/// Reads the result, which is the last line, and the requests before it.
pub(super) fn read(printed: &Printed) -> Option<Draft> {
    let result = printed.stdout.trim();
    let parse =
        |text: &str| serde_json::from_str::<Printout>(text).ok().filter(|printout| printout.kind == "result");
    let printout = parse(result).or_else(|| result.lines().rev().find_map(parse))?;
    let text = printout.result.unwrap_or_default();
    let mut draft = Draft::new(Status::Ok);
    if printout.is_error || printout.subtype.starts_with("error") {
        let errors: Vec<String> = printout
            .errors
            .iter()
            .map(|error| error.as_str().map_or_else(|| error.to_string(), str::to_owned))
            .collect();
        let said = if text.is_empty() { errors.join("; ") } else { text.clone() };
        let (status, default) = match printout.subtype.as_str() {
            "error_max_budget_usd" => (Status::Budget, "its budget is spent"),
            "error_max_turns" => (Status::Truncated, "its turns are used up"),
            _ => (
                fault::status(printout.api_error_status, &said).unwrap_or(Status::Failed),
                "it ended with an error",
            ),
        };
        draft.status = status;
        draft.reason = Some(fault::first_words(&said).unwrap_or_else(|| default.to_owned()));
    } else if printout.stop_reason.as_deref() == Some("refusal") {
        draft.status = Status::Refused;
        draft.reason = Some("the model refused".to_owned());
    } else if matches!(printout.stop_reason.as_deref(), Some("max_tokens" | "model_context_window_exceeded"))
    {
        draft.status = Status::Truncated;
        draft.reason = Some("the answer was cut off by a limit".to_owned());
    } else if !printout.permission_denials.is_empty() {
        let mut tools: Vec<String> =
            printout.permission_denials.into_iter().map(|denial| denial.tool_name).collect();
        tools.sort();
        tools.dedup();
        draft.reason = Some(format!("it was denied the use of {}", tools.join(", ")));
    }
    draft.output = text;
    let requests = Requests::read(result);
    draft.usage = usage(printout.usage.as_ref(), &printout.models, &requests);
    // Each on its own, as some prices depend on the length of one prompt; but only if no request is missing.
    let all = requests.all();
    if draft.usage.is_some_and(|usage| Usage { requests: usage.requests, ..sum(&all) } == usage) {
        draft.requests = all;
    }
    draft.retries = requests.retries;
    draft.reported_cost_usd = printout.total_cost_usd;
    // With several models no single price is right: a name that no table has leaves the reported cost.
    draft.model =
        (!printout.models.is_empty()).then(|| printout.models.into_keys().collect::<Vec<_>>().join("+"));
    draft.stop_reason = printout.stop_reason;
    draft.turns = printout.num_turns;
    Some(draft)
}

/// Reads what a run had used that was ended before its result.
pub(super) fn spent(printed: &Printed) -> Option<Draft> {
    let requests = Requests::read(printed.stdout);
    let all = requests.all();
    if requests.sent() == 0 {
        return None;
    }
    Some(Draft {
        usage: Some(Usage { requests: requests.sent(), ..sum(&all) }),
        model: requests.models(),
        requests: all,
        retries: requests.retries,
        ..Draft::new(Status::Failed)
    })
}

fn usage(tokens: Option<&Tokens>, models: &BTreeMap<String, PerModel>, requests: &Requests) -> Option<Usage> {
    if tokens.is_none() && models.is_empty() {
        return None;
    }
    let total = |field: fn(&PerModel) -> u64| models.values().map(field).fold(0, u64::saturating_add);
    let (input, read, written, output) = match tokens {
        Some(tokens) if models.is_empty() => (
            tokens.input_tokens,
            tokens.cache_read_input_tokens,
            tokens.cache_creation_input_tokens,
            tokens.output_tokens,
        ),
        _ => (
            total(|model| model.input_tokens),
            total(|model| model.cache_read_input_tokens),
            total(|model| model.cache_creation_input_tokens),
            total(|model| model.output_tokens),
        ),
    };
    let one_hour = tokens.and_then(|tokens| tokens.cache_creation.as_ref());
    let one_hour = one_hour.map_or(0, |written| written.ephemeral_1h_input_tokens).min(written);
    let told = Usage {
        input_tokens: input,
        cache_read_tokens: read,
        cache_write_tokens: written - one_hour,
        cache_write_1h_tokens: one_hour,
        output_tokens: output,
        // Its own account has no reasoning tokens; they are part of the output.
        reasoning_tokens: sum(&requests.all()).reasoning_tokens,
        ..Usage::default()
    };
    let cut = Usage { reasoning_tokens: 0, ..sum(&requests.cut()) };
    Some(Usage { requests: requests.sent(), ..sum(&[told, cut]) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::tests::job;

    fn draft(stdout: &str) -> Draft {
        read(&Printed { stdout, stderr: "", result: "", exit_code: Some(0), env: &[] }).unwrap()
    }

    #[test]
    fn tools_and_permissions_are_those_of_the_executor() {
        let mut job = job("a", "look");
        job.model = Some("claude-haiku-5-5".into());
        let line = invoke(&job).arguments.join(" ");
        let expected = "-p --output-format stream-json --verbose --include-partial-messages --model claude-haiku-5-5 --tools Read,Grep --allowedTools Read,Grep --permission-mode default";
        assert_eq!(line, expected);
        job.tools.push("Edit".into());
        assert!(invoke(&job).arguments.join(" ").ends_with("--permission-mode acceptEdits"));
        job.tools.clear();
        let arguments = invoke(&job).arguments;
        let at = arguments.iter().position(|argument| argument == "--tools").unwrap();
        assert_eq!(arguments[at + 1], "", "who has no tools is offered none: {arguments:?}");
    }

    #[test]
    fn a_good_result_is_read_to_the_token() {
        let draft = draft(
            r#"{"type":"result","subtype":"success","is_error":false,"api_error_status":null,"num_turns":2,"result":"done",
            "stop_reason":"end_turn","total_cost_usd":0.02,"usage":{"input_tokens":1,"output_tokens":1,
            "cache_creation":{"ephemeral_1h_input_tokens":40,"ephemeral_5m_input_tokens":60}},"permission_denials":[],
            "modelUsage":{"claude-haiku-5-5":{"inputTokens":1234,"outputTokens":17,"cacheReadInputTokens":5000,"cacheCreationInputTokens":100,"costUSD":0.02}}}"#,
        );
        let usage = Usage {
            input_tokens: 1234,
            cache_read_tokens: 5000,
            cache_write_tokens: 60,
            cache_write_1h_tokens: 40,
            output_tokens: 17,
            ..Usage::default()
        };
        assert_eq!((draft.status, draft.output.as_str(), draft.usage), (Status::Ok, "done", Some(usage)));
        assert_eq!((draft.turns, draft.reported_cost_usd), (Some(2), Some(0.02)));
        assert_eq!(draft.model.as_deref(), Some("claude-haiku-5-5"));
    }

    #[test]
    fn a_stream_that_was_cut_off_is_paid_too() {
        let draft = draft(concat!(
            r#"{"type":"stream_event","event":{"type":"message_start","message":{"id":"1","model":"m","usage":{"input_tokens":1000,"cache_read_input_tokens":200,"output_tokens":1}}}}"#,
            "\n",
            r#"{"type":"assistant","message":{"id":"2","model":"m","usage":{"input_tokens":1000,"cache_read_input_tokens":200,"output_tokens":17}}}"#,
            "\n",
            r#"{"type":"result","subtype":"success","result":"done","modelUsage":{"m":{"inputTokens":1000,"outputTokens":17,"cacheReadInputTokens":200}}}"#,
        ));
        let usage = Usage {
            input_tokens: 2000,
            cache_read_tokens: 400,
            output_tokens: 18,
            requests: 2,
            ..Usage::default()
        };
        assert_eq!((draft.usage, draft.requests.len()), (Some(usage), 2));
    }

    #[test]
    fn success_with_an_error_is_an_error() {
        for (code, message, status) in [
            ("401", "Invalid API key", Status::Auth),
            ("400", "bad request", Status::Failed),
            ("429", "rate limit", Status::Transport),
            ("429", "You have reached your usage limit", Status::Quota),
            ("null", "something", Status::Failed),
        ] {
            let draft = draft(&format!(
                r#"{{"type":"result","subtype":"success","is_error":true,"api_error_status":{code},"result":"{message}"}}"#
            ));
            assert_eq!((draft.status, draft.reason.as_deref()), (status, Some(message)), "{code}");
        }
    }

    #[test]
    fn caps_and_refusals_have_their_names() {
        for (line, status) in [
            (r#""subtype":"error_max_budget_usd","is_error":true"#, Status::Budget),
            (r#""subtype":"error_max_turns","is_error":true"#, Status::Truncated),
            (r#""subtype":"error_during_execution","is_error":false"#, Status::Failed),
            (r#""subtype":"success","stop_reason":"refusal""#, Status::Refused),
            (r#""subtype":"success","stop_reason":"max_tokens""#, Status::Truncated),
        ] {
            let draft = draft(&format!("{{\"type\":\"result\",{line}}}"));
            assert_eq!(draft.status, status, "{line}");
            assert!(draft.reason.is_some());
        }
    }

    #[test]
    fn denied_tools_are_told_and_several_models_are_named_together() {
        let draft = draft(concat!(
            "{\"type\":\"system\",\"subtype\":\"init\"}\n",
            r#"{"type":"result","subtype":"success","result":"x","total_cost_usd":0.5,"permission_denials":[{"tool_name":"Bash"},{"tool_name":"Bash"}],"modelUsage":{"b":{"inputTokens":2},"a":{"inputTokens":1}}}"#,
        ));
        assert_eq!(draft.reason.as_deref(), Some("it was denied the use of Bash"));
        assert_eq!((draft.model.as_deref(), draft.usage.unwrap().input_tokens), (Some("a+b"), 3));
    }

    #[test]
    fn what_is_no_result_is_none() {
        for stdout in ["", "Execution error", "{\"type\":\"assistant\"}", "{\"type\":\"result\""] {
            assert!(
                read(&Printed { stdout, stderr: "", result: "", exit_code: Some(0), env: &[] }).is_none(),
                "{stdout}"
            );
        }
    }
}
