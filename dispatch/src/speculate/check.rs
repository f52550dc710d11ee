//! Decides whether a draft wins its race: by what can be seen of it at once, or by a command of the user's.

use std::path::Path;
use std::time::Duration;

use regex::Regex;
use shared::process::{Cancel, Command, How};
use shared::section::{Criterion, Dispatch, Status, Task};

/// What a draft has to pass to win.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Check {
    /// It has ended well, said something, and breaks nothing of the task's `accept` list that is cheap to see.
    #[default]
    Plain,
    /// That, and a command that gets the record on standard input and ends with 0.
    Command(String),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    Accepted,
    /// And why.
    Rejected(String),
}

/// Looks at a draft without asking anybody. What can not be decided so is left to `verify`, which every draft comes to.
pub(crate) fn plain(task: &Task, dispatch: &Dispatch) -> Verdict {
    let no = |reason: String| Verdict::Rejected(reason);
    if dispatch.status != Status::Ok {
        let why = dispatch.reason.as_deref().unwrap_or("no reason was given");
        return no(format!("it did not end well: {why}"));
    }
    let output = dispatch.output.as_deref().unwrap_or_default();
    if output.trim().is_empty() && dispatch.commit.is_none() {
        return no("it said nothing and changed nothing".to_owned());
    }
    // Of an output that was put aside only the beginning is here.
    let is_whole = dispatch.output_file.is_none();
    for criterion in &task.accept {
        let is_broken = match criterion {
            Criterion::ExitCode { equals } => dispatch.exit_code.is_some_and(|code| code != *equals),
            Criterion::Regex { pattern } => {
                is_whole && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(output))
            }
            Criterion::Contains { text } => is_whole && !output.contains(text.as_str()),
            Criterion::Equals { text } => is_whole && output.trim() != text.trim(),
            _ => false,
        };
        if is_broken {
            return no("it does not meet the task's `accept` list".to_owned());
        }
    }
    Verdict::Accepted
}

/// Asks a command about a record.
pub(crate) fn ask(
    command: &str,
    line: &str,
    directory: &Path,
    timeout: Option<Duration>,
    cancel: &Cancel,
) -> Verdict {
    // The text of the command is the user's own; the record is only ever on standard input.
    let mut child = Command::new(["sh", "-c", command])
        .stdin(format!("{line}\n"))
        .current_dir(directory)
        .capture(64 << 10)
        .cancelled_by(cancel.clone());
    if let Some(timeout) = timeout {
        child = child.timeout(timeout);
    }
    match child.run() {
        Err(problem) => Verdict::Rejected(format!("the check could not be run: {}", problem.full_message())),
        Ok(ended) => match ended.how {
            How::Exited(0) => Verdict::Accepted,
            how => Verdict::Rejected(format!("the check did not accept it ({how})")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dispatch(rest: &str) -> Dispatch {
        serde_json::from_str(&format!(r#"{{"attempt":1,"executor":"e","tier":1,{rest}}}"#)).unwrap()
    }

    #[test]
    fn a_draft_wins_at_first_sight_only_if_nothing_speaks_against_it() {
        let task = |accept: &str| -> Task {
            serde_json::from_str(&format!(r#"{{"text":"x","accept":[{accept}]}}"#)).unwrap()
        };
        let wins = |accept: &str, rest: &str| plain(&task(accept), &dispatch(rest)) == Verdict::Accepted;
        let said = r#""status":"ok","output":"forty-two\n","exit_code":0"#;
        assert!(wins("", said));
        assert!(!wins("", r#""status":"refused","output":"no""#));
        assert!(!wins("", r#""status":"truncated","output":"a""#));
        assert!(!wins("", r#""status":"ok","output":" \n""#));
        assert!(wins("", r#""status":"ok","output":"","commit":"c""#));
        for (criterion, holds) in [
            (r#"{"kind":"contains","text":"two"}"#, true),
            (r#"{"kind":"contains","text":"three"}"#, false),
            (r#"{"kind":"equals","text":"forty-two"}"#, true),
            (r#"{"kind":"equals","text":"two"}"#, false),
            (r#"{"kind":"regex","pattern":"^forty"}"#, true),
            (r#"{"kind":"regex","pattern":"^two"}"#, false),
            (r#"{"kind":"exit_code","equals":0}"#, true),
            (r#"{"kind":"exit_code","equals":1}"#, false),
            // Not decided here.
            (r#"{"kind":"command","run":["false"]}"#, true),
            (r#"{"kind":"of a later version"}"#, true),
        ] {
            assert_eq!(wins(criterion, said), holds, "{criterion}");
        }
    }

    #[test]
    fn a_command_decides_by_its_exit_code_and_gets_the_record() {
        let here = std::env::temp_dir();
        let ask =
            |command: &str| super::ask(command, "{\"id\":\"$(false)\"}", &here, None, &Cancel::default());
        assert_eq!(ask(r#"read -r line; [ "$line" = '{"id":"$(false)"}' ]"#), Verdict::Accepted);
        assert_eq!(ask("exit 3"), Verdict::Rejected("the check did not accept it (exit code 3)".to_owned()));
        let cancelled = Cancel::default();
        cancelled.cancel();
        let verdict = super::ask("sleep 60", "", &here, None, &cancelled);
        assert_ne!(verdict, Verdict::Accepted);
    }
}
