//! Gemini CLI: `gemini -p TEXT -o json`, one object.
//!
//! Seen with 0.61.0: the exit code is the HTTP status modulo 256 (145 for 401); tokens are told per model; a directory that
//! is not trusted ends it with 55.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::section::{Status, Usage};

use super::{Invocation, Printed, fault, with_system, writes};
use crate::backend::{Draft, Job};

/// How it is started. The text is in the same argument as its option, so that it can not be taken for one.
pub(super) fn invoke(job: &Job) -> Invocation {
    let mut arguments = vec![format!("--prompt={}", with_system(job))];
    if let Some(model) = &job.model {
        arguments.extend(["-m".to_owned(), model.clone()]);
    }
    if writes(job) {
        arguments.push("--approval-mode=auto_edit".to_owned());
    }
    arguments.extend(["-o", "json"].map(str::to_owned));
    Invocation { arguments, env: vec![("GEMINI_CLI_TRUST_WORKSPACE", "true")], ..Invocation::default() }
}

#[derive(Deserialize)]
struct Printout {
    response: Option<String>,
    #[serde(default)]
    stats: Stats,
    error: Option<Error>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats {
    models: BTreeMap<String, Model>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Model {
    tokens: Tokens,
    api: Api,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Api {
    total_requests: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    prompt: u64,
    candidates: u64,
    cached: u64,
    thoughts: u64,
    tool: u64,
}

#[derive(Deserialize)]
struct Error {
    #[serde(default)]
    message: String,
    code: Option<serde_json::Value>,
}

/// Reads the result object, which may follow lines of talk.
pub(super) fn read(printed: &Printed) -> Option<Draft> {
    let printout = object(printed.stdout).or_else(|| object(printed.stderr));
    let fault = fault_of_exit(printed.exit_code, printed.stderr);
    let Some(printout) = printout else {
        let (status, reason) = fault?;
        return Some(Draft::because(status, reason));
    };
    let mut draft = Draft::new(Status::Ok);
    if let Some(error) = &printout.error {
        let code = error.code.as_ref().and_then(|code| u16::try_from(code.as_u64()?).ok());
        let code = code.filter(|code| (400..600).contains(code));
        let from_exit = fault.as_ref().map(|(status, _)| *status);
        draft.status = fault::status(code, &error.message).or(from_exit).unwrap_or(Status::Failed);
        draft.reason = fault::first_words(&error.message).or(fault.map(|(_, reason)| reason));
    } else if let Some((status, reason)) = fault {
        (draft.status, draft.reason) = (status, Some(reason));
    } else if printout.response.is_none() {
        return None;
    }
    draft.output = printout.response.unwrap_or_default();
    let models = printout.stats.models;
    if !models.is_empty() {
        let mut usage = Usage::default();
        for Model { tokens, api } in models.values() {
            usage.input_tokens = usage
                .input_tokens
                .saturating_add(tokens.prompt.saturating_add(tokens.tool).saturating_sub(tokens.cached));
            usage.cache_read_tokens = usage.cache_read_tokens.saturating_add(tokens.cached);
            usage.output_tokens =
                usage.output_tokens.saturating_add(tokens.candidates.saturating_add(tokens.thoughts));
            usage.reasoning_tokens = usage.reasoning_tokens.saturating_add(tokens.thoughts);
            usage.requests = usage.requests.saturating_add(api.total_requests);
        }
        draft.usage = Some(usage);
        draft.model = Some(models.into_keys().collect::<Vec<_>>().join("+"));
    }
    Some(draft)
}

fn object(text: &str) -> Option<Printout> {
    let start = if text.starts_with('{') { 0 } else { text.find("\n{")? + 1 };
    let mut stream = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Printout>();
    stream.next()?.ok()
}

/// Returns what an exit code other than 0 means.
fn fault_of_exit(code: Option<i32>, stderr: &str) -> Option<(Status, String)> {
    let code = code.filter(|code| *code != 0)?;
    let said = fault::first_words(stderr);
    let known = match code {
        42 => Some((Status::Failed, "it did not accept its input (exit code 42)")),
        53 => Some((Status::Truncated, "its turns are used up (exit code 53)")),
        55 => Some((Status::Failed, "it does not trust the directory (exit code 55)")),
        _ => None,
    };
    if let Some((status, reason)) = known {
        return Some((status, reason.to_owned()));
    }
    // An HTTP status modulo 256; small codes are the program's own.
    let http =
        [code + 256, code + 512].into_iter().find(|status| matches!(status, 400..=429 | 500..=511 | 529));
    let http = http.and_then(|status| u16::try_from(status).ok());
    let status = fault::status(http, stderr).unwrap_or(Status::Failed);
    let meaning = http.map(|status| format!(", HTTP status {status}")).unwrap_or_default();
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    Some((status, format!("exit code {code}{meaning}{said}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::tests::job;

    fn parsed(stdout: &str, stderr: &str, exit_code: i32) -> Option<Draft> {
        read(&Printed { stdout, stderr, result: "", exit_code: Some(exit_code), env: &[] })
    }

    #[test]
    fn it_is_started_with_the_text_in_one_argument() {
        let job = Job { model: Some("gemini-3.8-flash".into()), ..job("a", "--yolo") };
        assert_eq!(invoke(&job).arguments, ["--prompt=--yolo", "-m", "gemini-3.8-flash", "-o", "json"]);
    }

    #[test]
    fn tokens_of_all_models_are_added_and_the_cache_taken_out() {
        let draft = parsed(
            "Loaded cached credentials.\n{\n \"session_id\":\"s\",\"response\":\"done\",\"stats\":{\"models\":{\"gemini-x\":{\"api\":{\"totalRequests\":2},\"tokens\":{\"input\":234,\"prompt\":1234,\"candidates\":12,\"total\":1251,\"cached\":1000,\"thoughts\":5,\"tool\":0}}}}}",
            "",
            0,
        )
        .unwrap();
        let usage = Usage {
            input_tokens: 234,
            cache_read_tokens: 1000,
            output_tokens: 17,
            reasoning_tokens: 5,
            requests: 2,
            ..Usage::default()
        };
        assert_eq!((draft.status, draft.output.as_str(), draft.usage), (Status::Ok, "done", Some(usage)));
        assert_eq!(draft.model.as_deref(), Some("gemini-x"));
    }

    #[test]
    fn exit_codes_are_http_statuses_modulo_256() {
        for (code, status) in [
            (145, Status::Auth),
            (144, Status::Failed),
            (173, Status::Transport),
            (244, Status::Transport),
            (247, Status::Transport),
            (53, Status::Truncated),
            (55, Status::Failed),
            (1, Status::Failed),
        ] {
            assert_eq!(parsed("", "", code).unwrap().status, status, "{code}");
        }
        assert!(parsed("", "", 0).is_none());
    }

    #[test]
    fn an_error_object_is_a_failure_whatever_the_exit_code() {
        let object = r#"{"session_id":"s","error":{"type":"Error","message":"API key not valid","code":1}}"#;
        let draft = parsed("", object, 0).unwrap();
        assert_eq!((draft.status, draft.reason.as_deref()), (Status::Auth, Some("API key not valid")));
        assert_eq!(parsed(object, "", 173).unwrap().status, Status::Auth);
    }
}
