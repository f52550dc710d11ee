//! Does one attempt: finds it a place to work, runs it on its backend, and keeps what came of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shared::git::Repo;
use shared::section::{Dispatch, OutputFile, Status};
use shared::{interrupt, units};

use crate::backend::{Answer, Draft, Job};
use crate::broker::carry;
use crate::native::{Desk, Terms};
use crate::replay::Recorder;
use crate::results::beginning;
use crate::route::{Backend, Lane};
use crate::speculate::Left;
use crate::worktree::{Worktree, Worktrees, name_of};

/// Why a worker that has no repository does not do work that comes out of one.
const NO_REPOSITORY: &str =
    "the task works in a git repository, and the worker was not started in a clone of it: start it there";

/// What all attempts of a run share.
pub(crate) struct Workshop {
    /// None if there are to be none; the reason if there can be none.
    worktrees: Result<Option<Worktrees>, String>,
    pub(crate) recorder: Option<Recorder>,
    /// What models get that work with tools.
    terms: Terms,
    pub(crate) outputs: PathBuf,
    pub(crate) output_limit: usize,
    /// How many jobs that could change files in the user's checkout have begun, and how many have ended.
    begun: AtomicU64,
    ended: AtomicU64,
}

/// One attempt to make.
pub(crate) struct Assignment {
    pub(crate) job: Job,
    pub(crate) lane: Arc<Lane>,
    pub(crate) key: String,
    /// Whether it is one draft of several: what it leaves is not kept if it is ended before its time.
    pub(crate) races: bool,
    /// Whether the executor may change files.
    pub(crate) writes: bool,
    /// Whether work of the same key is what a killed run has left, and may be replaced.
    pub(crate) replaces: bool,
    /// The commit to start from, and the one that changes are told against.
    pub(crate) from: Option<String>,
    pub(crate) base: Option<String>,
    /// The worktree of the task whose work it looks at, if it writes nothing itself.
    pub(crate) borrows: Option<PathBuf>,
    /// What came with it from a dispatcher, if this is a worker.
    pub(crate) order: Option<Carried>,
}

/// What a task of a dispatcher brings to its worker.
pub(crate) struct Carried {
    /// The commits that it builds on, as a bundle.
    pub(crate) bundle: Option<String>,
    /// The commit of the one task that it builds on: work that changes nothing looks at that tree.
    pub(crate) builds_on: Option<String>,
}

/// A result of a worker, with what was only there.
pub(crate) struct Arrived {
    pub(crate) id: String,
    pub(crate) attempt: u32,
    pub(crate) key: String,
    pub(crate) dispatch: Dispatch,
    /// The whole of a large output, in base64.
    pub(crate) whole: Option<String>,
    /// The commit, as a bundle.
    pub(crate) bundle: Option<String>,
}

impl Arrived {
    /// Tells whether there is anything to unpack.
    pub(crate) fn is_packed(&self) -> bool {
        self.whole.is_some() || self.bundle.is_some() || self.dispatch.commit.is_some()
    }
}

/// An attempt with all that it needs.
struct Prepared {
    job: Job,
    lane: Arc<Lane>,
    key: String,
    races: bool,
    worktree: Option<Worktree>,
    borrowed: Option<PathBuf>,
    watch: Option<Watch>,
    desk: Option<Desk>,
    started_at: String,
    started: Instant,
}

/// What came of an attempt.
#[derive(Debug)]
pub(crate) struct Performed {
    pub(crate) answer: Answer,
    pub(crate) started_at: String,
    pub(crate) elapsed: Duration,
    pub(crate) tree: Option<Tree>,
    pub(crate) files_changed: Option<Vec<String>>,
}

/// The worktree that an attempt was made in, and what it has left there.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tree {
    pub(crate) path: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) commit: Option<String>,
}

impl Workshop {
    pub(crate) fn new(
        worktrees: Result<Option<Worktrees>, String>,
        recorder: Option<Recorder>,
        terms: Terms,
        outputs: PathBuf,
        output_limit: usize,
    ) -> Workshop {
        Workshop {
            worktrees,
            recorder,
            terms,
            outputs,
            output_limit,
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        }
    }

    /// Returns what the user has to know of his worktrees and has not been told yet.
    pub(crate) fn notes(&self) -> Vec<String> {
        let worktrees = self.worktrees.as_ref().ok().and_then(Option::as_ref);
        worktrees.map(|worktrees| worktrees.notes.take()).unwrap_or_default()
    }

    /// Makes an attempt on this thread.
    pub(crate) fn perform(&self, assignment: Assignment) -> Performed {
        let prepared = match self.prepare(assignment) {
            Ok(prepared) => prepared,
            Err(performed) => return *performed,
        };
        let answer = prepared.lane.backend.run(&prepared.job);
        self.conclude(prepared, answer)
    }

    /// Makes an attempt that waits for a network. What waits for git and the disk does so on threads for that.
    pub(crate) async fn ask(self: Arc<Self>, assignment: Assignment) -> Performed {
        // Without tools there is nothing to wait for.
        let is_heavy = !assignment.job.tools.is_empty();
        let workshop = Arc::clone(&self);
        let prepared = on_a_thread(is_heavy, move || workshop.prepare(assignment)).await;
        let mut prepared = match prepared {
            Ok(prepared) => prepared,
            Err(performed) => return *performed,
        };
        let desk = prepared.desk.take();
        let answer = prepared.lane.backend.ask(&prepared.job, desk).await;
        on_a_thread(is_heavy, move || self.conclude(prepared, answer)).await
    }

    /// Finds a place to work for an attempt, and puts there what it works with.
    fn prepare(&self, assignment: Assignment) -> Result<Prepared, Box<Performed>> {
        let started_at = units::now();
        let started = Instant::now();
        let failed = |reason: String| {
            Box::new(Performed {
                answer: Answer::Draft(Draft::because(Status::Failed, reason)),
                started_at: started_at.clone(),
                elapsed: started.elapsed(),
                tree: None,
                files_changed: None,
            })
        };
        let worktree = self.worktree(&assignment).map_err(|reason| {
            let mut performed = failed(reason);
            // Another worker may have what this one lacks.
            if let (true, Answer::Draft(draft)) = (assignment.order.is_some(), &mut performed.answer) {
                draft.status = Status::Unavailable;
            }
            performed
        })?;
        let Assignment { mut job, lane, key, borrows, writes, races, .. } = assignment;
        let borrowed = borrows.filter(|path| worktree.is_none() && path.is_dir());
        if let Some(tree) = worktree.as_ref().map(|worktree| &worktree.path).or(borrowed.as_ref()) {
            job.workdir = self.inside(tree, &job.workdir);
        }
        let mut prepared = Prepared {
            job,
            lane,
            key,
            races,
            worktree,
            borrowed,
            watch: None,
            desk: None,
            started_at,
            started,
        };
        if prepared.lane.backend.is_remote() {
            let tree = prepared.worktree.as_ref().map(|worktree| worktree.path.clone());
            let tree = tree.or_else(|| prepared.borrowed.clone());
            let tree = tree.unwrap_or_else(|| self.terms.project.clone());
            match self.terms.desk(&prepared.job, &tree, writes) {
                Ok(desk) => prepared.desk = desk,
                Err(problem) => {
                    let reason = problem.full_message();
                    let answer = Answer::Draft(Draft::because(Status::Failed, reason));
                    return Err(Box::new(self.conclude(prepared, answer)));
                }
            }
        }
        if prepared.worktree.is_none() {
            prepared.watch = self.watch(&prepared);
        }
        Ok(prepared)
    }

    /// Keeps what came of an attempt.
    fn conclude(&self, prepared: Prepared, answer: Answer) -> Performed {
        let Prepared { job, lane, key, races, worktree, borrowed, watch, started_at, started, .. } = prepared;
        let finish = |answer, tree, files_changed| Performed {
            answer,
            started_at,
            elapsed: started.elapsed(),
            tree,
            files_changed,
        };
        let Some(worktree) = worktree else {
            let answer = self.kept(&job, answer, None);
            let files_changed = match (&answer, watch) {
                (Answer::Declined(_), _) => None,
                (Answer::Draft(_), Some(watch)) => watch.changed(self),
                // Only programs change files.
                (Answer::Draft(_), None) if !self.is_git() || self.can_write(&lane.backend, &job) => None,
                (Answer::Draft(_), None) => Some(Vec::new()),
            };
            let tree =
                borrowed.map(|path| Tree { path: Some(path.display().to_string()), ..Tree::default() });
            return finish(answer, tree, files_changed);
        };
        let Answer::Draft(mut draft) = answer else {
            worktree.remove();
            return finish(answer, None, None);
        };
        if races && job.cancel.is_cancelled() {
            worktree.remove();
            draft.status = Status::Cancelled;
            return finish(Answer::Draft(draft), None, None);
        }
        // What an interrupt has cut short is half done, however quick git would be to commit it. It is done anew.
        if interrupt::requested() && draft.status != Status::Ok {
            worktree.remove();
            return finish(Answer::Draft(draft), None, None);
        }
        let at = worktree.path.clone();
        let tree = Tree {
            path: Some(at.display().to_string()),
            branch: Some(worktree.branch.clone()),
            base: Some(worktree.base.clone()),
            commit: None,
        };
        let text = job.task.text.clone();
        let (tree, files_changed) = match worktree.finish(&job.id, job.attempt, &text, &key) {
            Ok(work) => {
                let tree = work.commit.map(|commit| Tree { commit: Some(commit), ..tree });
                (tree, Some(work.files_changed))
            }
            Err(problem) => {
                draft.status = Status::Failed;
                draft.reason = Some(problem.full_message());
                (None, None)
            }
        };
        let patch = tree.as_ref().filter(|_| self.recorder.is_some()).and_then(|tree| {
            let repo = Repo::discover(&at)?;
            repo.run(["diff", "--binary", tree.base.as_deref()?, tree.commit.as_deref()?]).ok()
        });
        finish(self.kept(&job, Answer::Draft(draft), patch), tree, files_changed)
    }

    /// Removes what a draft has left that is not kept.
    pub(crate) fn discard(&self, left: &Left) {
        if let (Ok(Some(worktrees)), Some((path, branch))) = (&self.worktrees, &left.tree) {
            worktrees.discard(Path::new(path), branch);
        }
        if let Some(output) = &left.output {
            let _ = std::fs::remove_file(output);
        }
    }

    /// Makes a worktree for an attempt that writes, where there can be one.
    fn worktree(&self, assignment: &Assignment) -> Result<Option<Worktree>, String> {
        let Assignment { job, lane, key, writes, replaces, from, base, order, .. } = assignment;
        let wants_one = match &lane.backend {
            Backend::Command(_) | Backend::Anthropic(_) | Backend::OpenAi(_) => *writes,
            Backend::Replay(replay) => replay.writes(&job.id, job.attempt),
            Backend::Local(_) | Backend::Queue => false,
        };
        // What a task of somebody else's machine looks at has no tree here yet.
        let looks =
            order.as_ref().is_some_and(|order| order.builds_on.is_some()) && !lane.backend.is_remote();
        let wants_one = wants_one || looks;
        if !wants_one {
            return Ok(None);
        }
        let Some(worktrees) = self.worktrees.as_ref().map_err(Clone::clone)? else {
            let is_elsewhere = order.is_some() && from.is_some();
            return if is_elsewhere { Err(NO_REPOSITORY.to_owned()) } else { Ok(None) };
        };
        if let Some(order) = order {
            if let Some(bundle) = &order.bundle {
                carry::unpack(worktrees.root(), bundle).map_err(|problem| problem.full_message())?;
            }
            if let Some(from) = from.as_ref().filter(|from| !carry::has(worktrees.root(), from)) {
                return Err(format!(
                    "the worker's repository does not have the commit {from}: fetch it there"
                ));
            }
        }
        let replaces = replaces.then_some(key.as_str());
        let made = worktrees.add(&job.id, job.attempt, replaces, from.as_deref(), base.as_deref());
        made.map(Some).map_err(|problem| problem.full_message())
    }

    /// Returns the directory in the worktree that corresponds to the one in the user's checkout.
    fn inside(&self, worktree: &Path, directory: &Path) -> PathBuf {
        let root = self.worktrees.as_ref().ok().and_then(|worktrees| worktrees.as_ref()).map(Worktrees::root);
        let below = root.and_then(|root| directory.strip_prefix(root).ok()).map(|below| worktree.join(below));
        below.filter(|below| below.is_dir()).unwrap_or_else(|| worktree.to_owned())
    }

    fn is_git(&self) -> bool {
        matches!(self.worktrees, Ok(Some(_)))
    }

    fn can_write(&self, backend: &Backend, job: &Job) -> bool {
        match backend {
            Backend::Command(_) => true,
            Backend::Local(_) => job.task.run.is_some(),
            Backend::Replay(replay) => replay.writes(&job.id, job.attempt),
            Backend::Anthropic(_) | Backend::OpenAi(_) => self.terms.may_change(&job.tools),
            Backend::Queue => false,
        }
    }

    /// Takes over what was only on the worker: a large output into a file, and a commit onto a branch and into a worktree here.
    pub(crate) fn unpack(&self, arrived: Arrived) -> Dispatch {
        let Arrived { id, attempt, key, mut dispatch, whole, bundle } = arrived;
        let mut problems = Vec::new();
        if let (Some(file), Some(whole)) = (&mut dispatch.output_file, whole) {
            let put = carry::decode(&whole).and_then(|bytes| carry::put_down(&self.outputs, &id, &bytes));
            match put {
                Ok(path) => file.path = path,
                Err(problem) => problems.push(problem.full_message()),
            }
        }
        (dispatch.worktree, dispatch.branch) = (None, None);
        if let Some(commit) = dispatch.commit.clone() {
            match self.adopt(&id, attempt, &key, &commit, dispatch.base.as_deref(), bundle.as_deref()) {
                Ok(tree) => (dispatch.worktree, dispatch.branch) = (tree.path, tree.branch),
                Err(problem) => {
                    problems.push(problem);
                    dispatch.commit = None;
                }
            }
        }
        if !problems.is_empty() {
            dispatch.status = Status::Failed;
            dispatch.reason = Some(format!("the work could not be brought here: {}", problems.join("; ")));
        }
        dispatch
    }

    fn adopt(
        &self,
        id: &str,
        attempt: u32,
        key: &str,
        commit: &str,
        base: Option<&str>,
        bundle: Option<&str>,
    ) -> Result<Tree, String> {
        let worktrees = self.worktrees.as_ref().map_err(Clone::clone)?;
        let worktrees = worktrees.as_ref().ok_or("there is no repository here")?;
        if let Some(bundle) = bundle {
            carry::unpack(worktrees.root(), bundle).map_err(|problem| problem.full_message())?;
        }
        let tree = worktrees.add(id, attempt, Some(key), Some(commit), base);
        let tree = tree.map_err(|problem| problem.full_message())?;
        Ok(Tree {
            path: Some(tree.path.display().to_string()),
            branch: Some(tree.branch.clone()),
            ..Tree::default()
        })
    }

    /// Looks at the checkout before a program that should change nothing, to see whether it does. For a plain program in
    /// the user's own checkout that would cost more than the program.
    fn watch(&self, prepared: &Prepared) -> Option<Watch> {
        let Prepared { job, lane, borrowed, .. } = prepared;
        let is_worth_it = match &lane.backend {
            Backend::Command(program) => program.preset.is_some() || borrowed.is_some(),
            Backend::Local(_) => job.task.run.is_some() && borrowed.is_some(),
            Backend::Anthropic(_) | Backend::OpenAi(_) => self.terms.may_change(&job.tools),
            Backend::Replay(_) | Backend::Queue => false,
        };
        if !self.is_git() || !is_worth_it {
            return None;
        }
        let repo = Repo::discover(&job.workdir)?;
        let number = self.begun.fetch_add(1, Ordering::SeqCst);
        let begins_alone = self.ended.load(Ordering::SeqCst) == number;
        let before = status(&repo).unwrap_or_default();
        Some(Watch { repo, before, number, begins_alone })
    }

    /// Moves a large output into a file, and records the answer.
    fn kept(&self, job: &Job, answer: Answer, patch: Option<String>) -> Answer {
        let Answer::Draft(mut draft) = answer else { return answer };
        if let Some(recorder) = &self.recorder
            && let Err(error) = recorder.record(job, &draft, patch)
        {
            draft.reason.get_or_insert_with(|| format!("the answer could not be recorded: {error}"));
        }
        if draft.output.len() > self.output_limit && draft.output_file.is_none() {
            match self.put_aside(job, &draft.output) {
                Ok(file) => {
                    draft.output.truncate(beginning(&draft.output, self.output_limit).len());
                    draft.output_file = Some(file);
                }
                Err(error) => {
                    // It stays in the record whole, which is more than was wanted and nothing lost.
                    draft
                        .reason
                        .get_or_insert_with(|| format!("the output could not be written to a file: {error}"));
                }
            }
        }
        Answer::Draft(draft)
    }

    fn put_aside(&self, job: &Job, output: &str) -> std::io::Result<OutputFile> {
        std::fs::create_dir_all(&self.outputs)?;
        let blake3 = blake3::hash(output.as_bytes()).to_hex().to_string();
        let path = self.outputs.join(format!("{}-{}-{}", name_of(&job.id), job.attempt, &blake3[..12]));
        std::fs::write(&path, output)?;
        Ok(OutputFile { path: path.display().to_string(), bytes: output.len() as u64, blake3 })
    }
}

/// Does work that waits for git or the disk on a thread for that, where threads of the network would wait with it.
async fn on_a_thread<T: Send + 'static>(is_heavy: bool, work: impl FnOnce() -> T + Send + 'static) -> T {
    if !is_heavy {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // It has panicked; whoever waits for the attempt is told so.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The checkout before a job.
struct Watch {
    repo: Repo,
    before: Vec<Vec<u8>>,
    number: u64,
    begins_alone: bool,
}

impl Watch {
    /// Returns the files that changed; nothing if another job may have changed them too.
    fn changed(self, workshop: &Workshop) -> Option<Vec<String>> {
        let after = status(&self.repo);
        workshop.ended.fetch_add(1, Ordering::SeqCst);
        let was_alone = self.begins_alone && workshop.begun.load(Ordering::SeqCst) == self.number + 1;
        let after = after?;
        let changed = after.iter().filter(|entry| !self.before.contains(entry));
        let changed: Vec<String> = changed
            .map(|entry| String::from_utf8_lossy(entry.get(3..).unwrap_or_default()).into_owned())
            .collect();
        (was_alone || changed.is_empty()).then_some(changed)
    }
}

fn status(repo: &Repo) -> Option<Vec<Vec<u8>>> {
    let printed =
        repo.bytes(["status", "--porcelain", "--no-renames", "-z", "--untracked-files=all"]).ok()?;
    Some(printed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()).map(<[u8]>::to_vec).collect())
}
