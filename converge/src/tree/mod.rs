//! Over a working tree: again, until it changes nothing any more.
//!
//! Runs the command, looks at what it changed, asks the checks, commits if told to, and lets [`stop`] judge. Writes a
//! report to standard output; what the command says goes to standard error. What an agent claims is not read: a claim
//! never ends a loop.

pub(crate) mod check;
pub(crate) mod churn;
pub(crate) mod class;
mod commit;
mod diff;
mod fingerprint;
mod name;
mod report;
mod stop;
mod tracked;
mod walk;

use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shared::process::{Command, Ended, How};
use shared::state::Root;
use shared::units::format_duration;
use shared::writer::Stopped;
use shared::{Diagnostics, Exit, Io, Problem, interrupt};

use crate::config::TreePlan;
use crate::lock::{Lock, Refused};
use churn::{Changes, Past};
use class::Class;
use commit::Committer;
use fingerprint::{Fingerprint, Scanner, Tree};
use name::Name;
use report::{Report, Row};
use stop::{AT_ONCE, Ending, Iteration, Judge, Limits, Verdict};
use walk::Walker;

/// How long a command may take to end after its time is over: enough for an agent to put its work away.
const GRACE: Duration = Duration::from_secs(10);

/// Returns the directory that is looked at.
pub(crate) fn root(plan: &TreePlan) -> PathBuf {
    let directory = plan.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    let directory = directory.canonicalize().unwrap_or(directory);
    match Walker::new(&directory).repo() {
        Some(repo) if plan.directory.is_none() => repo.root().to_owned(),
        _ => directory,
    }
}

/// Why a loop ends before its verdict.
enum Broken {
    /// Nobody reads the report any more.
    Closed,
    /// It can not go on.
    Failed(Problem),
}

impl From<Problem> for Broken {
    fn from(problem: Problem) -> Self {
        Broken::Failed(problem)
    }
}

impl From<Stopped> for Broken {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Closed => Broken::Closed,
            Stopped::Failed(problem) => Broken::Failed(problem),
        }
    }
}

/// Runs the iterations.
pub(crate) fn run(plan: TreePlan, io: Io) -> Exit {
    interrupt::hold();
    let diagnostics = io.diagnostics.clone();
    match Loop::begin(plan, io).and_then(|mut run| run.finish()) {
        Ok(verdict) if verdict.is_settled() => Exit::Ok,
        Ok(Verdict::Interrupted) => Exit::Interrupted,
        Ok(_) => Exit::No,
        Err(Broken::Closed) => Exit::Ok,
        Err(Broken::Failed(problem)) => diagnostics.fatal(&problem),
    }
}

struct Loop {
    plan: TreePlan,
    diagnostics: Diagnostics,
    report: Report,
    scanner: Scanner,
    committer: Option<Committer>,
    /// Files that had changes before the loop, so that nobody is surprised to find those in a commit.
    dirty: HashSet<PathBuf>,
    check_log: Option<PathBuf>,
    _lock: Option<Lock>,
    tree: Tree,
    fingerprint: Fingerprint,
    judge: Judge,
    past: Past,
    iteration: u32,
    last_check: Option<&'static str>,
}

impl Loop {
    fn begin(mut plan: TreePlan, io: Io) -> Result<Loop, Broken> {
        let Io { output, diagnostics, .. } = io;
        let root = root(&plan);
        let state = Root::find(&root).state().and_then(|state| {
            let directory = state.join("converge");
            std::fs::create_dir_all(&directory)?;
            Ok(directory)
        });
        let state = state.map_err(|error| {
            let problem = Problem::new("no lock keeps another loop out of this tree").because(error);
            diagnostics.warning(problem.full_message());
        });
        let state = state.ok();
        let name = &blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex()[..16];
        let lock = match &state {
            Some(state) if !plan.share => lock(&state.join(format!("tree-{name}.lock")), &diagnostics)?,
            _ => None,
        };
        let mut report = Report::new(output, plan.json, diagnostics.is_quiet());
        report.begin(&plan.describe(&root))?;
        let walker = Walker::new(&root);
        let committer = match (&plan.commit, walker.repo()) {
            (None, _) => None,
            (Some(_), Some(repo)) => Some(Committer::new(repo.root(), &root)),
            (Some(_), None) => {
                return Err(Problem::new(format!(
                    "cannot commit: {} is in no git repository",
                    root.display()
                ))
                .hint("leave --commit out, or run git init")
                .into());
            }
        };
        let classes = std::mem::take(&mut plan.classes);
        let mut scanner = Scanner::new(walker, classes);
        let tree = scan(&mut scanner, false)?;
        if let Some(first) = tree.unreadable.first() {
            diagnostics.warning(format!(
                "{} can not be read and are not looked at, among them {}",
                crate::config::count(Some(tree.unreadable.len() as u32), "path"),
                first.display()
            ));
        }
        let files = Class::ALL.map(|class| format!("{} {}", class.name(), tree.count(class)));
        report.begin(&format!("files: {}\n", files.join(", ")))?;
        let fingerprint = tree.fingerprint();
        let unchanged = if plan.strict { 2 } else { 1 };
        let limits = Limits { iterations: plan.iterations, unchanged };
        Ok(Loop {
            judge: Judge::new(limits, fingerprint.of(Class::Code)),
            dirty: committer.as_ref().map(Committer::dirty).unwrap_or_default(),
            check_log: state.map(|state| state.join(format!("check-{name}.log"))),
            plan,
            diagnostics,
            report,
            scanner,
            committer,
            _lock: lock,
            tree,
            fingerprint,
            past: Past::default(),
            iteration: 0,
            last_check: None,
        })
    }

    /// Runs iterations until there is a verdict, and reports it.
    fn finish(&mut self) -> Result<Verdict, Broken> {
        if !self.plan.delay.is_zero() {
            self.diagnostics.note(format!("starting in {}", format_duration(self.plan.delay)));
        }
        let is_awake = wait(self.plan.delay);
        let started = Instant::now();
        let verdict = if is_awake { self.iterations(started)? } else { Verdict::Interrupted };
        let log = self.check_log.as_deref().filter(|_| self.last_check == Some("red"));
        self.report.verdict(verdict, self.iteration, started.elapsed(), &self.past, log)?;
        Ok(verdict)
    }

    fn iterations(&mut self, started: Instant) -> Result<Verdict, Broken> {
        loop {
            if let Some(time) = self.plan.time.filter(|time| started.elapsed() >= *time) {
                return Ok(Verdict::Time(time));
            }
            if interrupt::requested() {
                return Ok(Verdict::Interrupted);
            }
            self.iteration += 1;
            if let Some(verdict) = self.iterate(started)? {
                return Ok(verdict);
            }
            let failures = self.judge.failures_at_once();
            if failures > 0 {
                // A tool that is down is not asked 30 times a minute.
                let pause = self.plan.retry_delay.saturating_mul(1 << (failures - 1).min(16));
                self.diagnostics
                    .note(format!("the command failed at once; next try in {}", format_duration(pause)));
                wait(pause);
            }
        }
    }

    /// Runs one iteration and judges it.
    fn iterate(&mut self, started: Instant) -> Result<Option<Verdict>, Broken> {
        let ended = self.run_command(started)?;
        let mut after = scan(&mut self.scanner, false)?;
        let changes = Changes::between(&self.tree, &after);
        let is_over = |ended: &Ended| ended.how == How::Interrupted || interrupt::requested();
        let checked = if is_over(&ended) {
            check::run(&[], None, None)?
        } else {
            check::run(&self.plan.checks, self.plan.iteration_time, self.check_log.as_deref())?
        };
        let returned = self.past.note(&self.tree, &after, &changes);
        let before = self.fingerprint;
        self.fingerprint = after.fingerprint();
        let commit =
            if is_over(&ended) { None } else { self.commit(&changes, &after, ended.how == How::TimedOut) };
        self.report.iteration(&Row {
            iteration: self.iteration,
            of: self.plan.iterations,
            ending: ended.how.to_string(),
            exit_code: ended.exit_code(),
            elapsed: ended.elapsed,
            fingerprint: self.fingerprint,
            changes: &changes,
            returned: &returned,
            check: checked.check,
            failing: &checked.failing,
            commit: commit.as_deref(),
        })?;
        let work = [Class::Code];
        let work_and_notes = [Class::Code, Class::Bookkeeping];
        let changed = |classes: &[Class]| before.of_all(classes) != self.fingerprint.of_all(classes);
        let (work_changed, anything_changed) = (changed(&work), changed(&work_and_notes));
        if !self.plan.checks.is_empty() {
            // What a check leaves behind is not the command's work, and a check that edits the work has not seen it.
            let now = scan(&mut self.scanner, false)?;
            if now.fingerprint().of(Class::Code) != self.fingerprint.of(Class::Code) {
                self.diagnostics
                    .warning("a check changes the work itself; what it changes counts as the command's");
            }
            after = now;
            self.fingerprint = after.fingerprint();
        }
        self.tree = after;
        self.last_check = match checked.check {
            stop::Check::None => None,
            stop::Check::Green => Some("green"),
            stop::Check::Red(_) => Some("red"),
        };
        if is_over(&ended) || checked.was_interrupted {
            return Ok(Some(Verdict::Interrupted));
        }
        let verdict = self.judge.judge(&Iteration {
            work: self.fingerprint.of(Class::Code),
            work_changed,
            anything_changed,
            ending: ending(&ended),
            check: checked.check,
            files: changes.of(Class::Code).files as usize,
            returned: returned.len(),
            most_returns: self.past.most_returned().map_or(0, |(_, count)| count),
        });
        if self.judge.is_stalling() && verdict.is_none() {
            self.diagnostics.warning(format!(
                "the same failure for {} iterations in a row; at {} it stops",
                stop::STALLING,
                stop::STALLED
            ));
        }
        if verdict.is_some_and(Verdict::is_settled) && !self.is_confirmed()? {
            self.diagnostics.note("a file changed though its times did not; going on");
            return Ok(None);
        }
        Ok(verdict)
    }

    /// Looks at every byte once before a tree is called settled: a clock that was set back can hide a change.
    fn is_confirmed(&mut self) -> Result<bool, Broken> {
        let tree = scan(&mut self.scanner, true)?;
        let fingerprint = tree.fingerprint();
        let classes = [Class::Code];
        let is_same = fingerprint.of_all(&classes) == self.fingerprint.of_all(&classes);
        (self.tree, self.fingerprint) = (tree, fingerprint);
        Ok(is_same)
    }

    fn run_command(&self, started: Instant) -> Result<Ended, Problem> {
        let left = self.plan.time.map(|time| time.saturating_sub(started.elapsed()));
        let mut command = Command::new(self.plan.program.argv.clone())
            .env("CONVERGE_ROUND", self.iteration.to_string())
            .grace(GRACE);
        if let Some(check) = self.last_check {
            command = command.env("CONVERGE_CHECK", check);
            if let Some(log) = &self.check_log {
                command = command.env("CONVERGE_CHECK_LOG", log);
            }
        }
        if let Some(time) = [self.plan.iteration_time, left].into_iter().flatten().min() {
            command = command.timeout(time);
        }
        // Standard output is ours, for the report.
        let stderr = || io::stderr().as_fd().try_clone_to_owned();
        if let (Ok(out), Ok(err)) = (stderr(), stderr()) {
            command = command.stdout_to(out).stderr_to(err);
        }
        command.run()
    }

    /// Commits what an iteration changed. A commit that fails is told; the work is in the tree all the same.
    fn commit(&mut self, changes: &Changes, after: &Tree, timed_out: bool) -> Option<String> {
        let committer = self.committer.as_ref()?;
        let is_nested = |path: &Path| after.nested.iter().any(|nested| path.starts_with(nested));
        let paths: Vec<&Name> = changes.paths.keys().filter(|path| !is_nested(path)).collect();
        if paths.is_empty() {
            return None;
        }
        let message =
            self.plan.commit.as_deref().unwrap_or_default().replace("%n", &self.iteration.to_string());
        let message = if timed_out { format!("{message} (timed out)") } else { message };
        match committer.commit(paths.iter().map(|name| &***name), &message) {
            Err(problem) => {
                self.diagnostics.error(&problem);
                None
            }
            Ok(commit) => {
                let earlier = paths.iter().map(|path| committer.in_repository(path));
                let earlier: Vec<PathBuf> = earlier.filter(|path| self.dirty.contains(path)).collect();
                for path in &earlier {
                    self.dirty.remove(path);
                }
                if let (Some(first), Some(_)) = (earlier.first(), &commit) {
                    let more = if earlier.len() > 1 {
                        format!(" and {} more", earlier.len() - 1)
                    } else {
                        String::new()
                    };
                    self.diagnostics.note(format!(
                        "the commit has earlier changes too: {}{more} had some before the loop",
                        first.display()
                    ));
                }
                commit
            }
        }
    }
}

fn ending(ended: &Ended) -> Ending {
    match ended.how {
        How::Exited(0) => Ending::Done,
        How::TimedOut | How::Idle => Ending::TimedOut,
        _ if ended.elapsed < AT_ONCE => Ending::FailedAtOnce,
        _ => Ending::Failed,
    }
}

fn scan(scanner: &mut Scanner, read_all: bool) -> Result<Tree, Problem> {
    scanner.scan(read_all).map_err(|error| {
        let root = scanner.walker().root().display().to_string();
        Problem::new(format!("cannot look at the tree {root}")).because(error)
    })
}

fn lock(path: &Path, diagnostics: &Diagnostics) -> Result<Option<Lock>, Problem> {
    match Lock::take(path) {
        Ok(lock) => {
            if let Some(holder) = &lock.taken_over_from {
                diagnostics.note(format!("taking over from a loop that did not end well: {holder}"));
            }
            Ok(Some(lock))
        }
        Err(Refused::Held(holder)) => Err(Problem::new(format!("another loop works in this tree: {holder}"))
            .hint("give each loop a part of its own with --tree=DIR, or let them share it with --shared")),
        Err(Refused::Io(error)) => {
            let problem = Problem::new("no lock keeps another loop out of this tree").because(error);
            diagnostics.warning(problem.full_message());
            Ok(None)
        }
    }
}

/// Waits, and tells whether nobody asked for an end meanwhile.
fn wait(time: Duration) -> bool {
    let started = Instant::now();
    while !interrupt::requested() {
        let left = time.saturating_sub(started.elapsed());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
    false
}
