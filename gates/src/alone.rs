//! Gates used alone: over paths, over the index, or over the difference to another commit.

use std::path::{Path, PathBuf};

use shared::section::Outcome;
use shared::{Exit, Io, Problem};

use crate::change::{Change, Repository, shown};
use crate::commands::{self, Place};
use crate::config::{Config, Mode};
use crate::files::{self, Subject};
use crate::gate::Gate;
use crate::report::{self, Detail, Report};
use crate::{scope, walk};

/// Checks, reports, and ends with 1 if a gate fails.
pub(crate) fn run(config: &Config, directory: &Path, mut io: Io) -> Exit {
    let report =
        match gather(config, directory).map_err(Failed::from).and_then(|work| check(work, config, directory))
        {
            Ok(report) => report,
            Err(Failed::Usage(problem)) => return io.diagnostics.usage(&problem),
            Err(Failed::Fatal(problem)) => return io.diagnostics.fatal(&problem),
        };
    let color = report::wants_color(config.format, config.color);
    let detail = match (io.diagnostics.is_quiet(), io.diagnostics.is_verbose()) {
        (true, _) => Detail::Errors,
        (_, true) => Detail::All,
        _ => Detail::Normal,
    };
    let text = report::write(&report, config.format, color, detail);
    let written = io.output.write_all(text.as_bytes()).and_then(|()| io.output.flush());
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Exit::Ok,
        Err(error) => return io.diagnostics.fatal(&shared::writer::cannot_write(error)),
        Ok(()) => {}
    }
    if report.is_no() && !config.exit_zero { Exit::No } else { Exit::Ok }
}

enum Failed {
    Usage(Problem),
    Fatal(Problem),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Failed {
        Failed::Usage(problem)
    }
}

/// What is to be checked.
struct Work {
    subjects: Vec<Subject>,
    repository: Option<Repository>,
    /// With a change: every path that it touched, both sides of renames, and the declared globs.
    change: Option<(Vec<String>, Option<Vec<String>>)>,
    /// The commit before the change.
    base: Option<String>,
    root: PathBuf,
}

fn gather(config: &Config, directory: &Path) -> Result<Work, Problem> {
    match &config.mode {
        Mode::Records(_) => Err(Problem::new("records are not checked alone")),
        Mode::Paths { paths, no_ignore } => Ok(Work {
            subjects: walk::subjects(paths, directory, *no_ignore)?,
            repository: None,
            change: None,
            base: None,
            root: shared::state::Root::find(directory).path,
        }),
        Mode::Staged { paths, declared } => {
            let repository = Repository::find(directory)?.with_hook_index();
            let changes = repository.staged()?;
            let base = repository.commit("HEAD").ok();
            changed(changes, paths, declared.clone(), base, repository, directory)
        }
        Mode::Diff { base, paths, declared } => {
            let repository = Repository::find(directory)?;
            let base = repository.merge_base(base)?;
            let changes = repository.since(&base)?;
            changed(changes, paths, declared.clone(), Some(base), repository, directory)
        }
    }
}

fn changed(
    mut changes: Vec<Change>,
    paths: &[PathBuf],
    declared: Option<Vec<String>>,
    base: Option<String>,
    repository: Repository,
    directory: &Path,
) -> Result<Work, Problem> {
    if !paths.is_empty() {
        let wanted = paths
            .iter()
            .map(|path| inside(path, directory, repository.root()))
            .collect::<Result<Vec<_>, _>>()?;
        changes.retain(|change| wanted.iter().any(|path| change.path.starts_with(path)));
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    let subjects = changes.iter().filter_map(|change| files::subject(change, repository.root())).collect();
    let mut touched: Vec<String> = changes
        .iter()
        .flat_map(|change| std::iter::once(&change.path).chain(&change.old_path))
        .map(|path| shown(path))
        .collect();
    touched.sort();
    touched.dedup();
    let root = repository.root().to_owned();
    Ok(Work { subjects, repository: Some(repository), change: Some((touched, declared)), base, root })
}

/// Returns the path relative to the root of the repository; it need not exist any more.
fn inside(path: &Path, directory: &Path, root: &Path) -> Result<PathBuf, Problem> {
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let mut full = PathBuf::new();
    for part in directory.join(path).components() {
        match part {
            std::path::Component::ParentDir => drop(full.pop()),
            std::path::Component::CurDir => {}
            part => full.push(part),
        }
    }
    full.strip_prefix(root).map(Path::to_owned).map_err(|_| {
        Problem::new(format!("`{}` is outside of the repository `{}`", path.display(), root.display()))
    })
}

fn check(work: Work, config: &Config, directory: &Path) -> Result<Report, Failed> {
    let mut gates =
        files::check(&work.subjects, work.repository.as_ref(), "", config).map_err(Failed::Fatal)?;
    if let Some((touched, declared)) = &work.change {
        if config.selection.wants("scope") && declared.is_some() {
            gates.push(scope::check(touched, declared.as_deref(), config.scope).0);
        }
        if touched.is_empty() {
            return Ok(Report::new(gates, &[], Vec::new(), config.strict));
        }
    }
    let touched = work
        .change
        .as_ref()
        .map(|(touched, _)| touched.clone())
        .unwrap_or_else(|| work.subjects.iter().map(|subject| shown(&subject.path)).collect());
    let place = Place {
        root: work.root,
        repository: Repository::find(directory).ok(),
        base: work.base.filter(|_| !config.whole_files),
        changed: touched,
        task: String::new(),
        // Where people work themselves, their own settings count.
        apart: false,
    };
    let baselines = commands::Baselines::default();
    gates.extend(commands::check(&place, config, &baselines));
    let not_run = commands::not_run(&place, config);
    Ok(Report::new(gates, &work.subjects, not_run, config.strict))
}

impl Report {
    fn new(gates: Vec<Gate>, subjects: &[Subject], not_run: Vec<String>, strict: bool) -> Report {
        // A file that is gone was not looked at, but something may be said of its name.
        let looked_at = subjects.iter().map(|subject| shown(&subject.path));
        let told = gates.iter().flat_map(|gate| &gate.found).filter_map(|found| found.finding.path.clone());
        let files = looked_at.chain(told).collect::<std::collections::BTreeSet<String>>().len();
        Report { gates: gates.into_iter().map(Gate::clean).collect(), files, not_run, strict }
    }

    /// Tells whether the answer is no.
    fn is_no(&self) -> bool {
        match self.outcome() {
            Outcome::Fail => true,
            Outcome::Unverifiable => self.strict,
            Outcome::Pass | Outcome::Skip => false,
        }
    }

    /// Returns the worst outcome of all gates.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::worst(self.gates.iter().map(|gate: &Gate| gate.outcome))
    }
}
