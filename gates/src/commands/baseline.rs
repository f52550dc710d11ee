//! What a command said of the commit before the change: it is run there once, in a working tree of its own, and
//! only if it fails on the change.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use regex::Regex;
use shared::Problem;
use shared::process::How;
use shared::section::{Outcome, Severity};

use super::diagnostics::regex;
use super::output::Ran;
use super::{Place, Planned, judge, output, start};
use crate::change::Repository;
use crate::found::{Found, mark_existing};
use crate::gate::{Gate, plural};
use crate::repair::{self, Repair};

/// What is known of earlier commits; many records start from the same one.
#[derive(Default)]
pub(crate) struct Baselines {
    known: Mutex<HashMap<Key, Arc<Earlier>>>,
}

/// What a command found at an earlier commit, or why that can not be known.
type Earlier = OnceLock<Result<Before, String>>;

/// How it ended at an earlier commit.
#[derive(Default)]
struct Before {
    found: Vec<Found>,
    /// If it failed: how, and what it said, in the form of [`same_words`].
    failure: Option<(How, String)>,
}

/// The commit, the command, the directory in the repository.
type Key = (String, Vec<String>, PathBuf);

impl Baselines {
    /// Marks what failed before the change already. If nothing is left that counts, the gate passes.
    pub(super) fn compare(&self, gate: &mut Gate, planned: &Planned, place: &Place, (how, ran): (How, &Ran)) {
        let (Some(base), Some(repository)) = (&place.base, &place.repository) else { return };
        let repair = repair::wanted(&place.task, &planned.gate);
        if repair == Repair::Yes {
            // What was to be repaired is still broken.
            return;
        }
        let comparable = |found: &Found| {
            found.finding.severity == Severity::Error && found.finding.rule != "command-failed"
        };
        // Without findings by name all that can be compared is the failure as a whole.
        let by_name = gate.found.iter().any(comparable);
        let key = (base.clone(), planned.argv.clone(), planned.dir.clone());
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            known.entry(key).or_default().clone()
        };
        let before = cell.get_or_init(|| run_at(base, repository, planned));
        let reason = gate.reason.take().unwrap_or_default();
        match before {
            Ok(before) if !by_name => {
                let now = (how, same_words(&ran.text, &place.root));
                if before.failure.as_ref() != Some(&now) {
                    gate.reason = Some(reason);
                    return;
                }
                for found in &mut gate.found {
                    found.existing = true;
                }
                gate.outcome = Outcome::Unverifiable;
                gate.reason = Some(format!(
                    "{reason}; it fails in exactly the same way at the commit before, so nothing says whether the change is right"
                ));
            }
            Ok(before) => {
                mark_existing(&mut gate.found, &before.found);
                if repair == Repair::Perhaps {
                    for found in gate.found.iter_mut().filter(|found| found.existing) {
                        found.existing = !repair::names(&place.task, test_name(&found.finding.message));
                    }
                }
                let existing = gate.found.iter().filter(|found| found.existing && comparable(found)).count();
                if gate.found.iter().any(Found::counts) {
                    let more = if existing > 0 {
                        format!("; {existing} of them before the change too")
                    } else {
                        String::new()
                    };
                    gate.reason = Some(format!("{reason}{more}"));
                } else {
                    let still = format!(
                        "{reason}; {} there before the change, none is new",
                        plural(existing, "failure")
                    );
                    (gate.outcome, gate.reason) = match repair {
                        Repair::Perhaps => (
                            Outcome::Unverifiable,
                            Some(format!("{still}; whether to repair it was the task is not known")),
                        ),
                        // What does not compile, before and now, has tested nothing.
                        _ if planned.gate == "tests"
                            && ran.tests.is_none_or(|tests| tests.executed() == 0) =>
                        {
                            (Outcome::Unverifiable, Some(format!("{still}; no test was run")))
                        }
                        _ => (Outcome::Pass, Some(still)),
                    };
                }
            }
            Err(why) => gate.reason = Some(format!("{reason}; no comparison with the commit before: {why}")),
        }
    }
}

/// Returns what stands between backticks: the name of the test.
fn test_name(message: &str) -> &str {
    message.split('`').nth(1).unwrap_or_default()
}

/// Runs the command at a commit, in a temporary working tree.
fn run_at(base: &str, repository: &Repository, planned: &Planned) -> Result<Before, String> {
    let tree = Tree::new(base, repository).map_err(|problem| problem.full_message())?;
    if !tree.path.join(&planned.dir).is_dir() {
        // The project did not exist: nothing of it failed.
        return Ok(Before::default());
    }
    super::ready(planned, &tree.path)?;
    let ended = start(planned, &tree.path, true)?;
    let ran = output::read(planned, &ended, &tree.path);
    let verdict = judge::judge(planned, &ended, &ran);
    match verdict.outcome {
        Outcome::Unverifiable => Err(verdict.reason.unwrap_or_default()),
        Outcome::Fail => {
            let failure = Some((ended.how, same_words(&ran.text, &tree.path)));
            Ok(Before { found: ran.found, failure })
        }
        _ => Ok(Before { found: ran.found, failure: None }),
    }
}

/// Returns what a program said without what differs from run to run: where it ran, how long it took, when.
fn same_words(text: &str, root: &Path) -> String {
    static CHANCE: LazyLock<Regex> = regex!(
        r"\b\d+(?:\.\d+)? ?(?:ms|µs|us|ns|s|secs?|seconds?|minutes?)\b|\b\d{4}-\d\d-\d\d[T ]|\b\d\d:\d\d:\d\d(?:\.\d+)?|0x[0-9a-fA-F]{4,}|\[\d+\]:|/tmp/[\w./-]+"
    );
    let text = text.replace(root.to_string_lossy().as_ref(), "<root>");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    CHANCE.replace_all(&lines.join("\n"), "<chance>").into_owned()
}

/// A working tree of a commit that is removed when it is no longer needed.
struct Tree<'a> {
    path: PathBuf,
    repository: &'a Repository,
    _directory: tempfile::TempDir,
}

impl<'a> Tree<'a> {
    fn new(commit: &str, repository: &'a Repository) -> Result<Tree<'a>, Problem> {
        let problem =
            |error: std::io::Error| Problem::new("cannot make a temporary working tree").because(error);
        let directory = tempfile::Builder::new().prefix("gates-base-").tempdir().map_err(problem)?;
        let path = directory.path().canonicalize().map_err(problem)?.join("tree");
        let shown = path.to_string_lossy().into_owned();
        // No hook of the repository is to run because somebody looks.
        let arguments = [
            "-c",
            "core.hooksPath=/dev/null",
            "worktree",
            "add",
            "--quiet",
            "--detach",
            "--",
            &shown,
            commit,
        ];
        repository.ask(&arguments, Vec::new(), 1 << 20)?;
        Ok(Tree { path, repository, _directory: directory })
    }
}

impl Drop for Tree<'_> {
    fn drop(&mut self) {
        let shown = self.path.to_string_lossy().into_owned();
        let _ = self.repository.ask(
            &["worktree", "remove", "--force", "--force", "--", &shown],
            Vec::new(),
            1 << 20,
        );
    }
}
