//! An agent CLI that needs no account: headless, it answers as the real one would, in the real one's form.
//!
//! Which one it is, its own name says (`claude`, `codex`, `gemini`, `opencode`, `aider`, `llm`, `mini`), because `dispatch`
//! finds it on PATH. What it does, the environment says:
//!
//! * `FAKE_AGENT_ANSWER`: the text of the answer; without, it repeats the prompt.
//! * `FAKE_AGENT_FAILURE`: an HTTP status (`400`, `401`, `429`, `529`), `max_turns`, `budget`, `silent` (no output), `cut` (half an
//!   object), `hang` (never ends), `hang_after_result`, `text` (words where JSON was asked for).
//! * `FAKE_AGENT_LOG`: a file that gets a line of JSON for each call: name, arguments, standard input, directory.
//! * `FAKE_AGENT_WRITE`: `path=text`, a file to write in the working directory, as an agent that edits would.
//!
//! The numbers are the same every time: 1234 prompt tokens, 1000 of them from a cache, 17 completion tokens, 5 of those reasoning;
//! as Anthropic counts, 1234 new, 100 written to a cache and 5000 read from it. Forms and exit codes are those that the real
//! programs showed against a scripted server (claude-code 2.1, codex 0.169, gemini-cli 0.61, opencode 1.18, aider 0.86, llm 0.36,
//! mini-swe-agent 2.4).

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let name = arguments.next().unwrap_or_default();
    let name = Path::new(&name).file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let arguments: Vec<String> = arguments.collect();
    if arguments.iter().any(|argument| argument == "--version") {
        return say(&format!("{name} 0.0.0 (fake)"), 0);
    }
    let input = read_input();
    let prompt = prompt(&name, &arguments, &input);
    log(&name, &arguments, &input);
    if let Some((path, text)) = variable("FAKE_AGENT_WRITE").and_then(|both| {
        let (path, text) = both.split_once('=')?;
        Some((path.to_owned(), text.to_owned()))
    }) && std::fs::write(path, text).is_err()
    {
        return ExitCode::from(74);
    }
    let call = Call {
        answer: variable("FAKE_AGENT_ANSWER").unwrap_or(prompt),
        failure: variable("FAKE_AGENT_FAILURE"),
        arguments,
    };
    match call.failure.as_deref() {
        Some("silent") => return ExitCode::SUCCESS,
        Some("hang") => hang(),
        Some("text") => return say(&call.answer, 0),
        Some("cut") => return say(r#"{"type":"result","subtype":"succ"#, 0),
        _ => {}
    }
    let exit = match name.as_str() {
        "claude" => call.claude(),
        "codex" => call.codex(),
        "gemini" => call.gemini(),
        "opencode" => call.opencode(),
        "aider" => call.aider(),
        "llm" => call.llm(),
        "mini" => call.mini(),
        _ => return say("fake-agent: call me by the name of an agent CLI", 2),
    };
    if call.failure.as_deref() == Some("hang_after_result") {
        hang();
    }
    exit
}

struct Call {
    answer: String,
    failure: Option<String>,
    arguments: Vec<String>,
}

impl Call {
    fn http_status(&self) -> Option<u16> {
        self.failure.as_ref()?.parse().ok()
    }

    fn after(&self, flags: &[&str]) -> Option<&str> {
        let position = self.arguments.iter().position(|argument| flags.contains(&argument.as_str()))?;
        self.arguments.get(position + 1).map(String::as_str)
    }

    fn model<'a>(&'a self, default: &'a str) -> &'a str {
        self.after(&["--model", "-m"]).unwrap_or(default)
    }

    /// One object; `is_error` says what `subtype` does not.
    fn claude(&self) -> ExitCode {
        let status = self.http_status();
        let subtype = match self.failure.as_deref() {
            Some("max_turns") => "error_max_turns",
            Some("budget") => "error_max_budget_usd",
            _ => "success",
        };
        let is_error = status.is_some() || subtype != "success";
        let usage = json!({"input_tokens": 1234, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 5000,
            "output_tokens": 17, "server_tool_use": {"web_search_requests": 0}, "service_tier": "standard"});
        let mut result = json!({"type": "result", "subtype": subtype, "is_error": is_error, "api_error_status": status,
            "duration_ms": 12, "duration_api_ms": 10, "num_turns": 1, "session_id": "0", "stop_reason": "end_turn",
            "total_cost_usd": if status.is_some() { 0.0 } else { 0.0061 }, "usage": usage,
            "modelUsage": {self.model("claude-haiku-4-5"): {"inputTokens": 1234, "outputTokens": 17,
                "cacheReadInputTokens": 5000, "cacheCreationInputTokens": 100, "webSearchRequests": 0, "costUSD": 0.0061}},
            "permission_denials": [], "uuid": "0"});
        match status {
            Some(status) => {
                result["result"] = json!(format!("API Error: {status}"));
                result["usage"] = json!({"input_tokens": 0, "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0, "output_tokens": 0});
                result["modelUsage"] = json!({});
            }
            None if is_error => result["errors"] = json!([subtype]),
            None => result["result"] = json!(self.answer),
        }
        let code = u8::from(is_error);
        if self.after(&["--output-format"]) == Some("stream-json") {
            let model = self.model("claude-haiku-4-5").to_owned();
            let text = json!([{"type": "text", "text": self.answer}]);
            return lines(
                &[
                    json!({"type": "system", "subtype": "init", "model": model, "tools": [], "session_id": "0"}),
                    json!({"type": "assistant", "message": {"role": "assistant", "content": text}}),
                    result,
                ],
                code,
            );
        }
        lines(&[result], code)
    }

    /// Events; the HTTP status stands only in the words of a message.
    fn codex(&self) -> ExitCode {
        let begin = [json!({"type": "thread.started", "thread_id": "0"}), json!({"type": "turn.started"})];
        let end = match self.http_status() {
            Some(status) => {
                let message = format!("unexpected status {status}: the fake says so");
                return lines(
                    &[
                        &begin[..],
                        &[
                            json!({"type": "error", "message": message}),
                            json!({"type": "turn.failed", "error": {"message": message}}),
                        ],
                    ]
                    .concat(),
                    1,
                );
            }
            None => [
                json!({"type": "item.completed", "item": {"id": "item_0", "type": "error", "message": "no metadata for the model"}}),
                json!({"type": "item.completed", "item": {"id": "item_1", "type": "agent_message", "text": self.answer}}),
                json!({"type": "turn.completed", "usage": {"input_tokens": 1234, "cached_input_tokens": 1000,
                    "cache_write_input_tokens": 0, "output_tokens": 17, "reasoning_output_tokens": 5}}),
            ],
        };
        lines(&[&begin[..], &end[..]].concat(), 0)
    }

    /// One object; a failing one ends with the HTTP status modulo 256.
    fn gemini(&self) -> ExitCode {
        if let Some(status) = self.http_status() {
            let error = json!({"session_id": "0", "error": {"type": "ApiError", "message": "the fake says so", "code": status}});
            return lines(&[error], (status % 256) as u8);
        }
        if self.failure.as_deref() == Some("max_turns") {
            return lines(
                &[
                    json!({"session_id": "0", "error": {"type": "FatalTurnLimitedError", "message": "turns", "code": 53}}),
                ],
                53,
            );
        }
        let tokens = json!({"input": 234, "prompt": 1234, "candidates": 17, "total": 1251, "cached": 1000, "thoughts": 5, "tool": 0});
        let model = self.model("gemini-2.5-flash");
        let result = json!({"session_id": "0", "response": self.answer, "stats": {
            "models": {model: {"api": {"totalRequests": 1, "totalErrors": 0, "totalLatencyMs": 10}, "tokens": tokens}},
            "tools": {"totalCalls": 0}, "files": {"totalLinesAdded": 0, "totalLinesRemoved": 0}}});
        // It prints its object over many lines.
        say(&serde_json::to_string_pretty(&result).unwrap_or_default(), 0)
    }

    /// Events; tokens without the cached and the reasoning ones, and a cost.
    fn opencode(&self) -> ExitCode {
        let event = |kind: &str, part: Value| json!({"type": kind, "timestamp": 1, "sessionID": "ses_0", "part": part});
        if let Some(status) = self.http_status() {
            let data =
                json!({"message": "the fake says so", "statusCode": status, "isRetryable": status != 401});
            return lines(
                &[
                    json!({"type": "error", "timestamp": 1, "sessionID": "ses_0", "error": {"name": "APIError", "data": data}}),
                ],
                1,
            );
        }
        let tokens = json!({"total": 1251, "input": 234, "output": 12, "reasoning": 5, "cache": {"read": 1000, "write": 0}});
        lines(
            &[
                event("step_start", json!({"type": "step-start"})),
                event("text", json!({"type": "text", "text": self.answer})),
                event(
                    "step_finish",
                    json!({"type": "step-finish", "reason": "stop", "tokens": tokens, "cost": 0.000419}),
                ),
            ],
            0,
        )
    }

    /// Text, and exit code 0 whatever happened.
    fn aider(&self) -> ExitCode {
        if let Some(status) = self.http_status() {
            return say(
                &format!(
                    "litellm.AuthenticationError: status {status}\nThe API provider is not able to authenticate you."
                ),
                0,
            );
        }
        say(&format!("{}\n\nTokens: 1.2k sent, 17 received.", self.answer), 0)
    }

    fn llm(&self) -> ExitCode {
        if let Some(status) = self.http_status() {
            let _ = writeln!(std::io::stderr(), "Error: Error code: {status}");
            return ExitCode::from(1);
        }
        if self.arguments.iter().any(|argument| argument == "-u" || argument == "--usage") {
            let _ = writeln!(std::io::stderr(), "Token usage: 1,234 input, 17 output");
        }
        say(&self.answer, 0)
    }

    /// Its result is in a file.
    fn mini(&self) -> ExitCode {
        let submitted = self.failure.is_none();
        let info = json!({"exit_status": if submitted { "Submitted" } else { "LimitsExceeded" },
            "submission": if submitted { self.answer.as_str() } else { "" },
            "model_stats": {"instance_cost": 0.000_117_5, "api_calls": 1}});
        if let Some(file) = self.after(&["-o", "--output"]) {
            let trajectory = json!({"info": info, "messages": [], "trajectory_format": "mini-swe-agent-1"});
            if std::fs::write(file, trajectory.to_string()).is_err() {
                return ExitCode::from(74);
            }
        }
        say("mini-swe-agent (fake)", 0)
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The real ones read what is piped to them, some to its end before anything else.
fn read_input() -> String {
    let mut input = Vec::new();
    if !std::io::stdin().is_terminal() {
        let _ = std::io::stdin().read_to_end(&mut input);
    }
    String::from_utf8_lossy(&input).into_owned()
}

fn prompt(name: &str, arguments: &[String], input: &str) -> String {
    let after = |flags: &[&str]| {
        let position = arguments.iter().position(|argument| flags.contains(&argument.as_str()))?;
        arguments.get(position + 1).filter(|next| !next.starts_with('-')).cloned()
    };
    let found = match name {
        "claude" | "gemini" => after(&["-p", "--print", "--prompt"]),
        "aider" => after(&["--message", "-m", "--msg"]),
        "mini" => after(&["-t", "--task"]),
        _ => arguments
            .last()
            .filter(|last| *last != "-" && !last.starts_with('-') && arguments.len() > 1)
            .cloned(),
    };
    if input.trim().is_empty() { found.unwrap_or_default() } else { input.trim_end().to_owned() }
}

fn log(name: &str, arguments: &[String], input: &str) {
    let Some(file) = variable("FAKE_AGENT_LOG") else { return };
    let directory = std::env::current_dir().unwrap_or_default();
    let line = json!({"name": name, "arguments": arguments, "input": input, "directory": directory});
    if let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(file) {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

fn lines(values: &[Value], code: u8) -> ExitCode {
    let text: Vec<String> = values.iter().map(Value::to_string).collect();
    say(&text.join("\n"), code)
}

fn say(text: &str, code: u8) -> ExitCode {
    let mut output = std::io::stdout();
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(74),
    }
}

fn hang() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
