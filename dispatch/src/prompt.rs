//! What an executor is told: the task, what it builds on, and what an earlier attempt was rejected for.
//!
//! A program that is no agent is told the text of the task and nothing else, so that `dispatch -- PROGRAM` is of use to
//! programs that know nothing of all this. What else there is to know lies in files, which its environment names.

use std::fmt::Write;

use shared::section::{Decision, Dispatch, Gates, Outcome, Task, Verify};

use crate::results::{Handed, beginning};

/// How many findings and checks are told; whoever has more to repair starts with these.
const TOLD: usize = 40;

/// How much of the output that is to be repaired is told.
const REPAIRED: usize = 64 << 10;

/// What an earlier attempt was rejected for.
pub(crate) struct Rejected<'a> {
    pub(crate) dispatch: &'a Dispatch,
    pub(crate) verify: &'a Verify,
    pub(crate) gates: Option<&'a Gates>,
}

/// Returns the whole text.
pub(crate) fn prompt(task: &Task, inputs: &[Handed], rejected: Option<&Rejected>) -> String {
    let mut text = task.text.clone();
    let has_more = task.context.is_some()
        || task.whole.is_some()
        || !inputs.is_empty()
        || rejected.is_some()
        || task.files_touched.is_some();
    if !has_more {
        return text;
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    if let Some(whole) = &task.whole {
        section(&mut text, "The whole task, of which only the above is to be done now", whole.trim_end());
    }
    match task.files_touched.as_deref() {
        None => {}
        Some([]) => text.push_str("\n# Files that may be changed\n\nNone.\n"),
        Some(globs) => section(&mut text, "Files that may be changed", &globs.join("\n")),
    }
    if let Some(context) = &task.context {
        section(&mut text, "Context", context.get());
    }
    for input in inputs {
        section(&mut text, &format!("Result of {}", input.id), input.output.trim_end());
        let left_out = input.bytes.saturating_sub(input.output.len() as u64);
        if let Some(file) = &input.file {
            let _ = writeln!(text, "\nThis is the beginning; the whole result is in {file}");
        } else if left_out > 0 {
            let _ = writeln!(text, "\nThis is the beginning; {left_out} bytes are left out.");
        }
        if let Some(branch) = &input.branch {
            let _ = writeln!(text, "\nIts changes are on the git branch {branch}.");
        }
    }
    if let Some(rejected) = rejected {
        rejected.tell(&mut text);
    }
    text
}

/// Returns what a program reads that is no agent: the text, and what an earlier attempt was rejected for.
pub(crate) fn plain(task: &Task, rejected: Option<&Rejected>) -> String {
    let alone = Task { text: task.text.clone(), ..Task::default() };
    prompt(&alone, &[], rejected)
}

/// Returns a text with what somebody wants to be different this time.
pub(crate) fn guided(mut text: String, guidance: &[String]) -> String {
    if !guidance.is_empty() {
        text.truncate(text.trim_end().len());
        text.push('\n');
        section(&mut text, "What to do differently", &guidance.join("\n"));
    }
    text
}

/// Returns the results that a task builds on as a JSON document; nothing if it builds on none.
pub(crate) fn results(inputs: &[Handed]) -> Option<String> {
    if inputs.is_empty() {
        return None;
    }
    let results = inputs.iter().map(|input| {
        let mut result = serde_json::json!({
            "id": input.id,
            "attempt": input.attempt,
            "output": input.output,
            "bytes": input.bytes,
        });
        for (name, value) in [
            ("file", &input.file),
            ("worktree", &input.worktree),
            ("branch", &input.branch),
            ("commit", &input.commit),
        ] {
            if let Some(value) = value {
                result[name] = value.as_str().into();
            }
        }
        result
    });
    Some(results.collect::<serde_json::Value>().to_string())
}

fn section(text: &mut String, title: &str, body: &str) {
    let _ = write!(text, "\n# {title}\n\n{body}\n");
}

impl Rejected<'_> {
    fn tell(&self, text: &mut String) {
        let Rejected { dispatch, verify, .. } = self;
        let title = match verify.decision {
            Decision::Fix => "Repair the earlier result",
            _ => "An earlier attempt was rejected",
        };
        section(text, title, &verify.reason);
        if let Some(reason) = dispatch.reason.as_deref().filter(|reason| *reason != verify.reason) {
            let _ = writeln!(text, "{reason}");
        }
        let mut points = Vec::new();
        for check in verify.checks.iter().filter(|check| check.outcome == Outcome::Fail) {
            points.push(format!("{}: {}", check.name, check.detail.as_deref().unwrap_or("failed")));
        }
        points.extend(self.findings());
        if !points.is_empty() {
            text.push_str("\nWhat failed:\n\n");
            for point in points.iter().take(TOLD) {
                let _ = writeln!(text, "- {point}");
            }
            if points.len() > TOLD {
                let _ = writeln!(text, "- and {} more", points.len() - TOLD);
            }
        }
        if verify.decision == Decision::Fix {
            let output = dispatch.output.as_deref().unwrap_or_default();
            section(text, "The earlier result", beginning(output, REPAIRED));
        } else {
            text.push_str("\nStart afresh; do not repeat what failed.\n");
        }
    }

    fn findings(&self) -> Vec<String> {
        let gates = self.gates.filter(|gates| gates.attempt == self.dispatch.attempt);
        let results = gates.into_iter().flat_map(|gates| &gates.results);
        let mut told = Vec::new();
        for result in results.filter(|result| result.outcome == Outcome::Fail) {
            if result.findings.is_empty() {
                told.push(format!("{}: {}", result.gate, result.reason.as_deref().unwrap_or("failed")));
            }
            for finding in &result.findings {
                let path = finding.path.as_deref().unwrap_or_default();
                let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
                let place = if path.is_empty() { String::new() } else { format!("{path}{line}: ") };
                told.push(format!("{}: {place}{} ({})", result.gate, finding.message, finding.rule));
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_task_is_told_as_it_is() {
        let task = Task { text: " echo $(rm -rf /) \n".into(), ..Task::default() };
        assert_eq!(prompt(&task, &[], None), " echo $(rm -rf /) \n");
    }

    #[test]
    fn context_and_results_follow_the_task() {
        let task: Task = serde_json::from_str(
            r#"{"text":"sum up","context":{"n": 1.10},"files_touched":["src/**"],"depends_on":["a"]}"#,
        )
        .unwrap();
        let inputs =
            [Handed { id: "a".into(), attempt: 2, output: "42\n".into(), bytes: 3, ..Handed::default() }];
        let expected = "sum up\n\n# Files that may be changed\n\nsrc/**\n\n# Context\n\n{\"n\": 1.10}\n\n# Result of a\n\n42\n";
        assert_eq!(prompt(&task, &inputs, None), expected);
        assert_eq!(plain(&task, None), "sum up", "a program is told the text alone");
        assert_eq!(results(&inputs).unwrap(), r#"[{"attempt":2,"bytes":3,"id":"a","output":"42\n"}]"#);
        assert_eq!(results(&[]), None);
    }

    #[test]
    fn a_rejected_attempt_says_what_failed() {
        let dispatch: Dispatch = serde_json::from_str(
            r#"{"attempt":1,"status":"ok","executor":"implement","tier":1,"output":"my draft"}"#,
        )
        .unwrap();
        let mut verify: Verify = serde_json::from_str(
            r#"{"attempt":1,"decision":"escalate","confidence":0.9,"reason":"2 checks failed","checks":[
            {"name":"complete","outcome":"pass"},{"name":"grounded","outcome":"fail","detail":"src/no.rs does not exist"}]}"#,
        )
        .unwrap();
        let gates: Gates = serde_json::from_str(
            r#"{"attempt":1,"outcome":"fail","results":[{"gate":"tests","type":"fact","outcome":"fail","findings":[
            {"path":"src/lib.rs","line":7,"rule":"test","severity":"error","message":"adds_up failed"}]}]}"#,
        )
        .unwrap();
        let task = Task { text: "fix it".into(), ..Task::default() };
        let told = |verify: &Verify| {
            prompt(&task, &[], Some(&Rejected { dispatch: &dispatch, verify, gates: Some(&gates) }))
        };
        let text = told(&verify);
        assert!(
            text.starts_with("fix it\n\n# An earlier attempt was rejected\n\n2 checks failed\n"),
            "{text}"
        );
        assert!(text.contains("- grounded: src/no.rs does not exist\n"), "{text}");
        assert!(text.contains("- tests: src/lib.rs:7: adds_up failed (test)\n"), "{text}");
        assert!(!text.contains("my draft") && !text.contains("complete"), "{text}");
        verify.decision = Decision::Fix;
        assert!(told(&verify).ends_with("# The earlier result\n\nmy draft\n"), "{}", told(&verify));
    }
}
