//! llm: `llm -u`, text on standard output, token counts on standard error.

use std::sync::LazyLock;

use regex::Regex;
use shared::section::{Status, Usage};

use super::{Invocation, Printed, fault};
use crate::backend::{Draft, Job};

/// How it is started: the text on standard input.
pub(super) fn invoke(job: &Job) -> Invocation {
    let mut arguments = vec!["-u".to_owned()];
    if let Some(model) = &job.model {
        arguments.extend(["-m".to_owned(), model.clone()]);
    }
    if let Some(system) = &job.system {
        arguments.extend(["-s".to_owned(), system.clone()]);
    }
    Invocation { arguments, stdin: Some(job.prompt.clone()), ..Invocation::default() }
}

/// Reads what was printed.
pub(super) fn read(printed: &Printed) -> Option<Draft> {
    static USAGE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"Token usage: ([\d,]+) input, ([\d,]+) output").ok());
    let mut draft = Draft { output: printed.stdout.trim_end().to_owned(), ..Draft::new(Status::Ok) };
    if printed.exit_code != Some(0) {
        draft.status = fault::status(None, printed.stderr).unwrap_or(Status::Failed);
        draft.reason = Some(fault::first_words(printed.stderr)?);
        return Some(draft);
    }
    if let Some(found) = USAGE.as_ref()?.captures(printed.stderr) {
        let number = |index: usize| found[index].replace(',', "").parse().unwrap_or_default();
        draft.usage = Some(Usage {
            input_tokens: number(1),
            output_tokens: number(2),
            requests: 1,
            ..Usage::default()
        });
        draft.turns = Some(1);
    }
    (!draft.output.is_empty()).then_some(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(stdout: &str, stderr: &str, exit_code: i32) -> Option<Draft> {
        read(&Printed { stdout, stderr, result: "", exit_code: Some(exit_code), env: &[] })
    }

    #[test]
    fn the_answer_is_on_one_stream_and_the_tokens_on_the_other() {
        let draft = parsed("hello\n", "Token usage: 1,234 input, 17 output\n", 0).unwrap();
        let usage = Usage { input_tokens: 1234, output_tokens: 17, requests: 1, ..Usage::default() };
        assert_eq!((draft.output.as_str(), draft.usage), ("hello", Some(usage)));
        assert_eq!(parsed("", "Error: Error code: 401 - no\n", 1).unwrap().status, Status::Auth);
        assert!(parsed("", "", 0).is_none(), "an empty answer is none");
    }
}
