//! What a command said of the commit before the change: it is run there once, in a working tree of its own, and
//! only if it fails on the change.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use shared::Problem;
use shared::section::{Outcome, Severity};

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
type Earlier = OnceLock<Result<Vec<Found>, String>>;

/// The commit, the command, the directory in the repository.
type Key = (String, Vec<String>, PathBuf);

impl Baselines {
    /// Marks what failed before the change already. If nothing is left that counts, the gate passes.
    pub(super) fn compare(&self, gate: &mut Gate, planned: &Planned, place: &Place) {
        let (Some(base), Some(repository)) = (&place.base, &place.repository) else { return };
        let repair = repair::wanted(&place.task, &planned.gate);
        if repair == Repair::Yes {
            // What was to be repaired is still broken.
            return;
        }
        // Without findings by name there is nothing to compare: a failure is a failure.
        let comparable = |found: &Found| {
            found.finding.severity == Severity::Error && found.finding.rule != "command-failed"
        };
        if !gate.found.iter().any(comparable) {
            return;
        }
        let key = (base.clone(), planned.argv.clone(), planned.dir.clone());
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            known.entry(key).or_default().clone()
        };
        let before = cell.get_or_init(|| run_at(base, repository, planned));
        let reason = gate.reason.take().unwrap_or_default();
        match before {
            Ok(before) => {
                mark_existing(&mut gate.found, before);
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
fn run_at(base: &str, repository: &Repository, planned: &Planned) -> Result<Vec<Found>, String> {
    let tree = Tree::new(base, repository).map_err(|problem| problem.full_message())?;
    if !tree.path.join(&planned.dir).is_dir() {
        // The project did not exist: nothing of it failed.
        return Ok(Vec::new());
    }
    super::ready(planned, &tree.path)?;
    let ended = start(planned, &tree.path, true)?;
    let ran = output::read(planned, &ended, &tree.path);
    let verdict = judge::judge(planned, &ended, &ran);
    match verdict.outcome {
        Outcome::Unverifiable => Err(verdict.reason.unwrap_or_default()),
        _ => Ok(ran.found),
    }
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
