//! aider: `aider --message=TEXT`, text.
//!
//! Seen with 0.86.2: the exit code is 0 also when the key is refused, so what it printed decides; tokens and cost are rounded
//! for people to read, so the cost is taken and the tokens are those it says.

use std::sync::LazyLock;

use regex::Regex;
use shared::section::{Status, Usage};

use super::{Invocation, Printed, fault, with_system, writes};
use crate::backend::{Draft, Job};

/// How it is started. The text is in the same argument as its option, so that it can not be taken for one.
pub(super) fn invoke(job: &Job) -> Invocation {
    let mut arguments = vec![format!("--message={}", with_system(job))];
    let fixed = [
        "--yes-always",
        "--no-stream",
        "--no-pretty",
        "--no-check-update",
        "--analytics-disable",
        // The commit is ours to make, and its own files are not part of the work.
        "--no-auto-commits",
        "--no-gitignore",
        "--chat-history-file=/dev/null",
        "--input-history-file=/dev/null",
    ];
    arguments.extend(fixed.map(str::to_owned));
    if let Some(model) = &job.model {
        arguments.push(format!("--model={model}"));
    }
    if !writes(job) {
        arguments.push("--dry-run".to_owned());
    }
    Invocation { arguments, ..Invocation::default() }
}

/// Reads what was printed: a run that used tokens has done something, one that did not has failed. One that was ended from outside
/// has no result, whatever it had said.
pub(super) fn read(printed: &Printed) -> Option<Draft> {
    printed.exit_code.and_then(|_| said(printed))
}

/// Reads what a run had used that was ended before its result.
pub(super) fn spent(printed: &Printed) -> Option<Draft> {
    said(printed)
}

fn said(printed: &Printed) -> Option<Draft> {
    static TOKENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?m)^Tokens: ([\d.,]+)([kM]?) sent,(?: [^,]* cache[^,]*,)* ([\d.,]+)([kM]?) received")
            .ok()
    });
    static COST: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"Cost: \$[\d.,]+ message, \$([\d.]+) session").ok());
    static ERROR: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?m)^(litellm\.\w*(?:Error|Exception)\b.*|.*AuthenticationError.*)$").ok()
    });
    let text = printed.stdout;
    let (mut usage, mut turns) = (Usage::default(), 0);
    for found in TOKENS.as_ref()?.captures_iter(text) {
        usage.input_tokens = usage.input_tokens.saturating_add(number(&found[1], &found[2]));
        usage.output_tokens = usage.output_tokens.saturating_add(number(&found[3], &found[4]));
        turns += 1;
    }
    let error = ERROR.as_ref()?.find_iter(text).last().map(|found| found.as_str());
    if turns == 0 && error.is_none() {
        return None;
    }
    let mut draft = Draft { output: text.trim().to_owned(), ..Draft::new(Status::Ok) };
    if let Some(error) = error.filter(|_| turns == 0 || printed.exit_code != Some(0)) {
        draft.status = fault::status(None, error).unwrap_or(Status::Failed);
        draft.reason = fault::first_words(error);
    } else if let Some(code) = printed.exit_code.filter(|code| *code != 0) {
        draft.status = Status::Failed;
        draft.reason = Some(format!("exit code {code}"));
    }
    draft.usage = (turns > 0).then_some(usage);
    draft.turns = (turns > 0).then_some(turns);
    draft.reported_cost_usd =
        COST.as_ref()?.captures_iter(text).last().and_then(|found| found[1].parse().ok());
    Some(draft)
}

fn number(digits: &str, unit: &str) -> u64 {
    let factor = match unit {
        "k" => 1e3,
        "M" => 1e6,
        _ => 1.0,
    };
    (digits.replace(',', "").parse::<f64>().unwrap_or_default() * factor).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(stdout: &str, exit_code: i32) -> Option<Draft> {
        read(&Printed { stdout, stderr: "", result: "", exit_code: Some(exit_code), env: &[] })
    }

    #[test]
    fn tokens_and_cost_are_those_it_prints() {
        let draft = parsed(
            "I changed it.\n\nTokens: 1.2k sent, 17 received. Cost: $0.01 message, $0.02 session.\n",
            0,
        )
        .unwrap();
        let usage = Usage { input_tokens: 1200, output_tokens: 17, ..Usage::default() };
        assert_eq!(
            (draft.status, draft.usage, draft.reported_cost_usd),
            (Status::Ok, Some(usage), Some(0.02))
        );
        assert!(draft.output.starts_with("I changed it."));
    }

    #[test]
    fn exit_0_after_a_refused_key_is_a_failure() {
        let text = "Aider v0.86.2\nlitellm.AuthenticationError: AuthenticationError: OpenAIException - Error code: 401\nThe API provider is not able to authenticate you.\n";
        assert_eq!(parsed(text, 0).unwrap().status, Status::Auth);
        assert!(parsed("Aider v0.86.2\n", 0).is_none(), "nothing was done");
    }

    #[test]
    fn one_that_was_ended_has_no_result_but_an_account() {
        let stdout = "I will.\n\nTokens: 1.2k sent, 17 received.\n";
        let printed = Printed { stdout, stderr: "", result: "", exit_code: None, env: &[] };
        assert!(read(&printed).is_none());
        assert_eq!(spent(&printed).unwrap().usage.unwrap().output_tokens, 17);
    }
}
