//! Gates in the pipe: what each task has changed, in the working tree of its attempt.

use std::path::{Component, Path, PathBuf};

use shared::section::{Dispatch, GateResult, GateType, Gates, Outcome, Status, Task};
use shared::{Problem, Record, Stage};

use crate::change::{Change, Repository};
use crate::commands::{self, Baselines, Place};
use crate::config::Config;
use crate::files::{self, Content, Subject};
use crate::gate::Gate;
use crate::scope;

/// The executors that are there to change files.
const WRITERS: [&str; 2] = ["implement", "document"];

/// Judges the attempts that have not been judged.
pub(crate) struct Judge {
    config: Config,
    directory: PathBuf,
    /// The root of the project, to which the paths of worktrees are relative.
    root: PathBuf,
    baselines: Baselines,
}

impl Judge {
    pub(crate) fn new(config: Config, directory: &Path) -> Judge {
        let root = shared::state::Root::find(directory).path;
        Judge { config, directory: directory.to_owned(), root, baselines: Baselines::default() }
    }

    fn gates(&self, task: Option<&Task>, dispatch: &Dispatch) -> Result<Gates, Problem> {
        let attempt = dispatch.attempt;
        let alone = |outcome, reason: String| {
            let gate = Gate::silent("changes", GateType::Fact, outcome, reason);
            Gates { attempt, outcome, results: vec![gate.into_result()], scope: None }
        };
        let work = match Work::of(dispatch, &self.directory, &self.root) {
            Ok(work) => work,
            Err((outcome, reason)) => return Ok(alone(outcome, reason)),
        };
        let text = task.map_or("", |task| task.text.as_str());
        let mut gates = files::check(&work.subjects, work.repository.as_ref(), text, &self.config)?;
        let mut scope = None;
        if self.config.selection.wants("scope") {
            let declared = task.and_then(|task| task.files_touched.as_deref());
            let (gate, section) = scope::check(&work.touched, declared, self.config.scope);
            gates.push(gate);
            scope = Some(section);
        }
        if work.on_disk {
            let place = Place {
                root: work.place,
                repository: work.repository,
                base: work.base.filter(|_| !self.config.whole_files),
                changed: work.touched,
                task: text.to_owned(),
                apart: true,
            };
            gates.extend(commands::check(&place, &self.config, &self.baselines));
        }
        let results: Vec<GateResult> = gates.into_iter().map(|gate| gate.clean().into_result()).collect();
        let outcome = Outcome::worst(results.iter().map(|result| result.outcome));
        Ok(Gates { attempt, outcome, results, scope })
    }
}

/// What an attempt has changed.
struct Work {
    /// The working tree.
    place: PathBuf,
    /// Whether it is still there; if not, the commit is looked at.
    on_disk: bool,
    repository: Option<Repository>,
    base: Option<String>,
    subjects: Vec<Subject>,
    /// Every path that was touched, both sides of renames.
    touched: Vec<String>,
}

impl Work {
    /// Finds out what was changed, or tells what is to be said if there is nothing to judge.
    fn of(dispatch: &Dispatch, directory: &Path, root: &Path) -> Result<Work, (Outcome, String)> {
        if dispatch.status != Status::Ok {
            let status = serde_json::to_value(dispatch.status).unwrap_or_default();
            return Err((
                Outcome::Skip,
                format!("the attempt ended as `{}`", status.as_str().unwrap_or_default()),
            ));
        }
        if dispatch.files_changed.as_ref().is_some_and(Vec::is_empty) {
            return Err((Outcome::Skip, "no file was changed".to_owned()));
        }
        let writes = WRITERS.contains(&dispatch.executor.as_str()) || dispatch.worktree.is_some();
        if dispatch.files_changed.is_none() && !writes {
            return Err((
                Outcome::Skip,
                format!("`{}` changes no files, and none was reported", dispatch.executor),
            ));
        }
        let unverifiable = |reason: String| (Outcome::Unverifiable, reason);
        let place = place(dispatch, directory, root);
        let on_disk = place.is_dir();
        let (at, spec) = match (&dispatch.commit, on_disk) {
            (_, true) => (place.clone(), None),
            (Some(commit), false) => (root.to_owned(), Some(commit.clone())),
            (None, false) => {
                return Err(unverifiable(format!("its working tree `{}` is not there", place.display())));
            }
        };
        let repository = Repository::find(&at).ok();
        let place = match &repository {
            // Paths are relative to the root of the working tree.
            Some(repository) if on_disk => repository.root().to_owned(),
            _ => place,
        };
        let base = dispatch.base.clone().and_then(|base| repository.as_ref()?.commit(&base).ok());
        let changes = match (&repository, &base) {
            (Some(repository), Some(base)) => {
                let changes = match &spec {
                    None => repository.since(base),
                    Some(commit) => repository.between(base, commit),
                };
                Some(changes.map_err(|problem| unverifiable(problem.full_message()))?)
            }
            _ => None,
        };
        let reported = match (&dispatch.files_changed, &changes) {
            (Some(files), _) => files.clone(),
            (None, Some(changes)) => {
                changes.iter().map(|change| crate::change::shown(&change.path)).collect()
            }
            (None, None) => {
                let reason = "which files were changed is not known (`dispatch.files_changed` is absent)";
                return Err(unverifiable(reason.to_owned()));
            }
        };
        if reported.is_empty() {
            return Err((Outcome::Skip, "no file was changed".to_owned()));
        }
        let mut work = Work { place, on_disk, repository, base, subjects: Vec::new(), touched: Vec::new() };
        for file in &reported {
            work.add(file, changes.as_deref(), spec.is_some());
        }
        work.touched.sort();
        work.touched.dedup();
        Ok(work)
    }

    fn add(&mut self, file: &str, changes: Option<&[Change]>, from_commit: bool) {
        let path = crate::walk::clean(Path::new(file));
        self.touched.push(crate::change::shown(&path));
        let missing = |reason: &str| Subject {
            path: PathBuf::from(file),
            content: Content::Missing(reason.to_owned()),
            before: None,
            old_path: None,
        };
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)))
            && !path.as_os_str().is_empty();
        if !inside {
            self.subjects.push(missing("it is outside of the working tree"));
            return;
        }
        let change = changes.and_then(|changes| changes.iter().find(|change| change.path == path));
        if let Some(change) = change {
            self.touched.extend(change.old_path.as_ref().map(|old| crate::change::shown(old)));
            self.subjects.extend(files::subject(change, &self.place));
            return;
        }
        let renamed_away = changes
            .is_some_and(|changes| changes.iter().any(|change| change.old_path.as_ref() == Some(&path)));
        if renamed_away {
            return;
        }
        if from_commit {
            self.subjects.push(missing("its working tree is gone and the commit does not have it"));
            return;
        }
        let full = self.place.join(&path);
        // A directory on the way may be a link that leads elsewhere.
        let really_inside = full
            .parent()
            .and_then(|parent| parent.canonicalize().ok())
            .is_none_or(|parent| self.place.canonicalize().is_ok_and(|place| parent.starts_with(place)));
        let subject = match full.symlink_metadata() {
            _ if !really_inside => missing("it is outside of the working tree"),
            Ok(_) => {
                // Git sees no change in it, so what is in it was in it before.
                let before =
                    self.base.as_ref().filter(|_| !file.contains('\n')).map(|base| format!("{base}:{file}"));
                Subject { path, content: Content::Disk(full), before, old_path: None }
            }
            // Without a base nobody can tell a deleted file from one that was never there.
            Err(_) if changes.is_none() => missing("it is not there"),
            Err(_) => return,
        };
        self.subjects.push(subject);
    }
}

/// Returns where the attempt did its work.
fn place(dispatch: &Dispatch, directory: &Path, root: &Path) -> PathBuf {
    let Some(worktree) = &dispatch.worktree else { return root.to_owned() };
    let here = directory.join(worktree);
    if here.is_dir() { here } else { root.join(worktree) }
}

impl Stage for Judge {
    const NAME: &'static str = "gates";
    // Most records of a long stream only pass; those that are worked on should not wait for many others.
    const BATCH: usize = 8;

    fn process(&self, record: &mut Record) -> Result<(), Problem> {
        let Some(dispatch) = record.get::<Dispatch>()? else { return Ok(()) };
        let judged = record.get::<Gates>()?.map_or(0, |gates| gates.attempt);
        if dispatch.attempt <= judged {
            return Ok(());
        }
        let task = record.get::<Task>()?;
        let gates = self.gates(task.as_ref(), &dispatch)?;
        record.set(&gates);
        Ok(())
    }

    fn is_yes(&self, record: &Record) -> bool {
        if !self.config.exit_status {
            return true;
        }
        let gates = record.get::<Gates>().ok().flatten();
        match gates.map(|gates| gates.outcome) {
            Some(Outcome::Fail) => false,
            Some(Outcome::Unverifiable) => !self.config.strict,
            _ => true,
        }
    }
}
