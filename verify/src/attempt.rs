//! One attempt under judgement, with all the evidence there is about it.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;

use shared::section::{Classify, Dispatch, Gates, Risk, Status, Task, Tier};

use crate::answer::Answer;
use crate::citation::{self, Citation};
use crate::patch::{self, FilePatch};
use crate::place::Place;
use crate::runner;

/// What an executor has to deliver, and what it may do (the five of seed 000, and six roles of seed 002).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Explore,
    Validate,
    Document,
    Implement,
    Review,
    Architect,
    PlanVerifier,
    Developer,
    Reviewer,
    Debugger,
    Coherence,
    /// An executor of the user's own, or the orchestrator: no contract is known.
    Other,
}

impl Kind {
    pub(crate) fn of(executor: &str) -> Kind {
        match executor.strip_prefix("sef-").unwrap_or(executor) {
            "explore" => Kind::Explore,
            "validate" => Kind::Validate,
            "document" => Kind::Document,
            "implement" => Kind::Implement,
            "review" => Kind::Review,
            "architect" => Kind::Architect,
            "plan-verifier" => Kind::PlanVerifier,
            "developer" => Kind::Developer,
            "reviewer" => Kind::Reviewer,
            "debugger" => Kind::Debugger,
            "coherence" => Kind::Coherence,
            _ => Kind::Other,
        }
    }

    /// Tells whether a change of files is due.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Kind::Document | Kind::Implement | Kind::Developer)
    }

    /// Tells whether a change of files is forbidden.
    pub(crate) fn only_reads(self) -> bool {
        !self.writes() && self != Kind::Other
    }

    /// Tells whether the answer is a JSON object by contract, whose words are no prose.
    pub(crate) fn is_object(self) -> bool {
        use Kind::{Architect, Coherence, Debugger, Developer, PlanVerifier, Reviewer};
        matches!(self, Architect | PlanVerifier | Developer | Reviewer | Debugger | Coherence)
    }
}

/// An attempt and what is known about it.
pub(crate) struct Attempt<'a> {
    pub(crate) task: &'a Task,
    pub(crate) dispatch: &'a Dispatch,
    pub(crate) gates: Option<&'a Gates>,
    pub(crate) kind: Kind,
    pub(crate) risk: Risk,
    /// The tier above that of the hardest part, if results of parts were joined.
    pub(crate) above_parts: Option<Tier>,
    pub(crate) answer: Answer<'a>,
    /// Why the answer could not be read whole.
    pub(crate) unread: Option<String>,
    pub(crate) place: Arc<Place>,
    citations: OnceCell<Vec<Citation>>,
    patch: OnceCell<Option<Vec<FilePatch>>>,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(
        task: &'a Task,
        classify: Option<&Classify>,
        dispatch: &'a Dispatch,
        gates: Option<&'a Gates>,
        (answer, unread): (&'a str, Option<String>),
        here: Arc<Place>,
    ) -> Attempt<'a> {
        Attempt {
            task,
            dispatch,
            gates,
            kind: Kind::of(&dispatch.executor),
            above_parts: classify
                .filter(|_| !dispatch.parts.is_empty())
                .map(|classify| classify.tier.up().unwrap_or(Tier::THREE)),
            // Nobody said what a mistake would cost, so it is not taken to be little.
            risk: classify.map_or(Risk::Medium, |classify| classify.risk),
            answer: Answer::parse(answer),
            unread,
            place: dispatch.worktree.as_ref().map_or(here, |path| Arc::new(Place::new(PathBuf::from(path)))),
            citations: OnceCell::new(),
            patch: OnceCell::new(),
        }
    }

    /// Tells whether no model was asked: the program did it itself, or ran the user's own command. What came out
    /// is then a fact, whatever words are in it.
    pub(crate) fn is_factual(&self) -> bool {
        self.dispatch.model.is_none()
            && (self.task.run.is_some() || self.dispatch.backend.as_deref() == Some("local"))
    }

    /// Returns the exit code if the process that ended with it did the task itself.
    pub(crate) fn own_exit_code(&self) -> Option<i32> {
        self.dispatch.exit_code.filter(|_| self.is_factual())
    }

    /// Tells whether a factual attempt came to a result: its command ran to its end, whatever it reported.
    ///
    /// A test run that fails is what "run the tests" asked to know, and a search that finds nothing is an
    /// answer. It is no result if the command could not be run at all (126, 127 by POSIX), was ended by a
    /// signal (no exit code, or 128 and more as shells say it), or was to change something and says it did not.
    pub(crate) fn has_result(&self) -> bool {
        if !self.is_factual() || !matches!(self.dispatch.status, Status::Ok | Status::Failed) {
            return false;
        }
        let ok = self.dispatch.status == Status::Ok;
        match self.own_exit_code() {
            None => ok,
            Some(0) => ok,
            Some(code) if self.expects_exit_code(code) => true,
            Some(126 | 127 | 128.. | ..0) => false,
            // The `local` backend says itself whether the question was answered; only a runner's own count of
            // failures says more.
            Some(_) if self.task.run.is_none() => {
                ok || (self.kind == Kind::Validate && runner::failures(self.answer.text) > Some(0))
            }
            Some(_) if self.kind == Kind::Validate => {
                !self.answer.is_empty() || self.dispatch.stderr.as_ref().is_some_and(|s| !s.trim().is_empty())
            }
            // grep, rg, git grep, diff and cmp say with 1 that there is nothing (or a difference), not an error.
            Some(1) if self.kind == Kind::Explore => self.is_search() && self.dispatch.stderr.is_none(),
            Some(_) => false,
        }
    }

    /// Tells whether the user named this exit code as the right one.
    pub(crate) fn expects_exit_code(&self, code: i32) -> bool {
        use shared::section::Criterion::ExitCode;
        self.task.accept.iter().any(|criterion| matches!(criterion, ExitCode { equals } if *equals == code))
    }

    fn is_search(&self) -> bool {
        let words: Vec<&str> = self.task.run.iter().flatten().map(String::as_str).take(2).collect();
        match words.first().map(|program| program.rsplit('/').next().unwrap_or(program)) {
            Some("grep" | "egrep" | "fgrep" | "rg" | "ag" | "ack" | "diff" | "cmp") => true,
            Some("git") => matches!(words.get(1), Some(&"grep" | &"diff")),
            _ => false,
        }
    }

    /// Returns the facts of `gates`, if they speak of this attempt.
    pub(crate) fn fresh_gates(&self) -> Option<&'a Gates> {
        self.gates.filter(|gates| gates.attempt == self.dispatch.attempt)
    }

    pub(crate) fn citations(&self) -> &[Citation] {
        self.citations.get_or_init(|| citation::citations(&self.answer))
    }

    /// Returns what the work changed, where git can say.
    pub(crate) fn patch(&self) -> Option<&[FilePatch]> {
        let ask = || {
            let worktree = self.dispatch.worktree.as_ref()?;
            patch::of_commits(
                worktree.as_ref(),
                self.dispatch.base.as_deref(),
                self.dispatch.commit.as_deref(),
            )
        };
        self.patch.get_or_init(ask).as_deref()
    }

    /// Tells whether the work changed this file.
    pub(crate) fn changed(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./");
        self.dispatch.files_changed.iter().flatten().any(|changed| {
            changed == path || changed.strip_suffix(path).is_some_and(|lead| lead.ends_with('/'))
        })
    }
}
