//! The backend that answers from a file: recorded or written answers, one JSON object a line.
//!
//! `{"id":"t1","attempt":1,"output":"…","patch":"…","usage":{…},"model":"…","status":"ok","delay_ms":5}`: without `attempt` it
//! answers every attempt; a `patch` is applied to the files where the work is done, as an agent's edits would be.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use shared::section::{Status, Usage};
use shared::{Problem, interrupt, process};

use crate::backend::{Answer, Draft, Job};

/// Answers from a file.
#[derive(Debug)]
pub(crate) struct Replay {
    answers: HashMap<(String, Option<u32>), Recorded>,
    name: String,
    fingerprint: String,
}

/// An answer in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(default)]
    output: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stop_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
}

impl Replay {
    /// Reads the answers.
    pub(crate) fn load(path: &Path) -> Result<Replay, Problem> {
        let name = path.display().to_string();
        let problem = || Problem::new(format!("cannot read the recorded answers `{name}`"));
        let text = std::fs::read_to_string(path).map_err(|error| problem().because(error))?;
        let mut answers = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let recorded: Recorded = serde_json::from_str(line).map_err(|error| {
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default().to_owned();
                Problem::new(format!("{name}:{}: {message}", index + 1))
                    .hint("an answer is a line such as {\"id\":\"t1\",\"output\":\"done\"}; see the README for its members")
            })?;
            answers.insert((recorded.id.clone(), recorded.attempt), recorded);
        }
        let fingerprint = blake3::hash(text.as_bytes()).to_hex().to_string();
        Ok(Replay { answers, name, fingerprint })
    }

    /// Returns a hash of all answers.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn find(&self, id: &str, attempt: u32) -> Option<&Recorded> {
        let key = |attempt| (id.to_owned(), attempt);
        self.answers.get(&key(Some(attempt))).or_else(|| self.answers.get(&key(None)))
    }

    /// Tells whether there is an answer for this attempt.
    pub(crate) fn has(&self, id: &str, attempt: u32) -> bool {
        self.find(id, attempt).is_some()
    }

    /// Tells whether the answer changes files.
    pub(crate) fn writes(&self, id: &str, attempt: u32) -> bool {
        self.find(id, attempt).is_some_and(|recorded| recorded.patch.is_some())
    }

    /// Gives the answer.
    pub(crate) fn run(&self, job: &Job) -> Answer {
        let Some(recorded) = self.find(&job.id, job.attempt) else {
            return Answer::Declined(format!(
                "no answer is recorded for id {} attempt {} in `{}`",
                job.id, job.attempt, self.name
            ));
        };
        let delay = Duration::from_millis(recorded.delay_ms.unwrap_or_default());
        if let Some(ended) = wait(delay, job.timeout) {
            return Answer::Draft(ended);
        }
        let mut draft = Draft {
            output: recorded.output.clone(),
            reason: recorded.reason.clone(),
            usage: recorded.usage,
            reported_cost_usd: recorded.cost_usd,
            model: recorded.model.clone().or_else(|| job.model.clone()),
            stop_reason: recorded.stop_reason.clone(),
            ..Draft::new(recorded.status.unwrap_or(Status::Ok))
        };
        if let Some(patch) = &recorded.patch
            && let Err(reason) = apply(patch, &job.workdir)
        {
            draft.status = Status::Failed;
            draft.reason = Some(format!("the recorded patch does not apply: {reason}"));
        }
        Answer::Draft(draft)
    }
}

/// Waits as the recorded executor did, but not longer than it may.
fn wait(delay: Duration, timeout: Option<Duration>) -> Option<Draft> {
    let started = Instant::now();
    while started.elapsed() < delay {
        if interrupt::requested() {
            return Some(Draft::because(Status::Cancelled, "interrupted"));
        }
        if timeout.is_some_and(|timeout| started.elapsed() >= timeout) {
            return Some(Draft::because(Status::Timeout, "took longer than it may"));
        }
        std::thread::sleep((delay - started.elapsed()).min(Duration::from_millis(20)));
    }
    None
}

fn apply(patch: &str, workdir: &Path) -> Result<(), String> {
    let argv = ["git", "apply", "--whitespace=nowarn", "-"];
    let ended =
        process::Command::new(argv).current_dir(workdir).stdin(patch).run().map_err(|p| p.full_message())?;
    if ended.success() { Ok(()) } else { Err(ended.stderr.text().trim().to_owned()) }
}

/// Writes answers down as they come, in the form that [`Replay`] reads.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: Mutex<File>,
}

impl Recorder {
    /// Creates the file, or empties it.
    pub(crate) fn create(path: &Path) -> Result<Recorder, Problem> {
        let problem =
            |error| Problem::new(format!("cannot write the record `{}`", path.display())).because(error);
        Ok(Recorder { file: Mutex::new(File::create(path).map_err(problem)?) })
    }

    /// Writes an answer down.
    pub(crate) fn record(&self, job: &Job, draft: &Draft, patch: Option<String>) -> std::io::Result<()> {
        let recorded = Recorded {
            id: job.id.clone(),
            attempt: Some(job.attempt),
            output: draft.output.clone(),
            patch,
            status: (draft.status != Status::Ok).then_some(draft.status),
            reason: draft.reason.clone(),
            model: draft.model.clone(),
            usage: draft.usage,
            cost_usd: draft.reported_cost_usd,
            stop_reason: draft.stop_reason.clone(),
            delay_ms: None,
        };
        let mut line = serde_json::to_vec(&recorded)?;
        line.push(b'\n');
        self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write_all(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::tests::job;

    fn replay(lines: &str) -> (tempfile::TempDir, Result<Replay, Problem>) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("answers.jsonl");
        std::fs::write(&path, lines).unwrap();
        let replay = Replay::load(&path);
        (place, replay)
    }

    fn draft(answer: Answer) -> Draft {
        match answer {
            Answer::Draft(draft) => draft,
            Answer::Declined(why) => panic!("declined: {why}"),
        }
    }

    #[test]
    fn an_answer_for_the_attempt_comes_before_one_for_any() {
        let (_place, replay) =
            replay("{\"id\":\"a\",\"attempt\":2,\"output\":\"two\"}\n\n{\"id\":\"a\",\"output\":\"any\"}\n");
        let replay = replay.unwrap();
        let job = |attempt| Job { attempt, ..job("a", "x") };
        assert_eq!(draft(replay.run(&job(1))).output, "any");
        assert_eq!(draft(replay.run(&job(2))).output, "two");
        let other = Job { id: "b".into(), ..job(1) };
        assert!(
            matches!(replay.run(&other), Answer::Declined(why) if why.starts_with("no answer is recorded for id b"))
        );
    }

    #[test]
    fn a_broken_line_is_named() {
        let (_place, replay) = replay("{\"id\":\"a\"}\n{\"id\":\"b\",\"outptu\":\"x\"}\n");
        let problem = replay.unwrap_err();
        assert!(problem.to_string().contains("answers.jsonl:2: unknown field `outptu`"), "{problem}");
    }

    #[test]
    fn a_patch_changes_the_files_or_the_answer_has_failed() {
        let patch = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n";
        let (place, replay) = replay(&serde_json::json!({"id": "a", "patch": patch}).to_string());
        let replay = replay.unwrap();
        let job = Job { workdir: place.path().to_owned(), ..job("a", "x") };
        std::fs::write(place.path().join("x"), "old\n").unwrap();
        assert_eq!(draft(replay.run(&job)).status, Status::Ok);
        assert_eq!(std::fs::read_to_string(place.path().join("x")).unwrap(), "new\n");
        let again = draft(replay.run(&job));
        assert_eq!(again.status, Status::Failed);
        assert!(again.reason.unwrap().starts_with("the recorded patch does not apply"));
    }

    #[test]
    fn a_recorded_delay_does_not_outlast_the_timeout() {
        let (_place, replay) = replay("{\"id\":\"a\",\"delay_ms\":600000}");
        let job = Job { timeout: Some(Duration::from_millis(30)), ..job("a", "x") };
        assert_eq!(draft(replay.unwrap().run(&job)).status, Status::Timeout);
    }
}
