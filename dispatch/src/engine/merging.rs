//! Merges accepted work before its record leaves: in the order of dependencies, one at a time, on a thread of its own.
//!
//! What a task builds on is merged before it, and what was not merged keeps those back that build on it: their commits
//! contain it. Tasks do not wait for merges, only records do.

use std::collections::HashMap;
use std::sync::Arc;

use shared::Record;
use shared::section::{Dispatch, Merge, MergeOutcome};

use super::{Engine, Event, Halt, Input, is_ok};
use crate::args::Merging;
use crate::incoming::Known;
use crate::results::Standing;
use crate::schedule::{IdHash, Seq};
use crate::worktree::merge::{Merger, Work};

/// What is merged, and what is to be.
#[derive(Default)]
pub(super) struct Merges {
    merger: Option<Arc<Merger>>,
    waiting: Vec<Waiting>,
    /// Of the records that have left: whether those that build on them may be merged.
    has_passed: HashMap<IdHash, bool>,
    /// The one that is being merged.
    running: Option<Seq>,
    /// Whether something has happened since it was last looked who may be merged.
    is_due: bool,
}

/// A record that leaves once its work is merged.
struct Waiting {
    seq: Seq,
    id: IdHash,
    record: Record,
    dispatch: Box<Dispatch>,
    /// The ids that it builds on.
    builds_on: Vec<String>,
    title: String,
}

/// What stands in the way of a merge.
enum Standstill {
    Free,
    Waits,
    /// The work of this id was not merged.
    Blocked(String),
}

impl Engine {
    /// Lets a settled record out, once its work is merged if it is to be.
    pub(super) fn depart(
        &mut self,
        seq: Seq,
        id: IdHash,
        record: Record,
        known: &Known,
        new: Option<Dispatch>,
    ) -> Result<(), Halt> {
        let Some(wanted) = self.config.merge else { return self.let_out(seq, &record) };
        let is_new = new.is_some();
        let Some(dispatch) = new.or_else(|| known.dispatch.clone()).filter(is_ok) else {
            return self.pass(seq, id, &record, false);
        };
        if dispatch.commit.is_none() {
            // Who has changed nothing is in nobody's way.
            return self.pass(seq, id, &record, true);
        }
        let verdict = known.verify.as_ref().filter(|verify| !is_new && verify.attempt == dispatch.attempt);
        let is_wanted = match (wanted, verdict) {
            (_, Some(_)) => known.is_accepted(),
            // Nobody has judged it but, if it raced, the check.
            (Merging::Finished, None) => {
                dispatch.race.as_ref().is_none_or(|race| race.accepted != Some(false))
            }
            (Merging::Accepted, None) => false,
        };
        let is_done = dispatch.merge.as_ref().is_some_and(|merge| {
            let is_there = matches!(merge.outcome, MergeOutcome::Merged | MergeOutcome::Already);
            is_there && self.config.merge_into.as_ref().is_none_or(|into| *into == merge.into)
        });
        if !is_wanted || is_done || self.stopping.is_some() {
            return self.pass(seq, id, &record, is_done);
        }
        let parts = dispatch.parts.iter().map(|part| part.id.clone());
        let builds_on = known.task.depends_on.iter().cloned().chain(parts).collect();
        let title = known.task.text.clone();
        let dispatch = Box::new(dispatch);
        self.merges.waiting.push(Waiting { seq, id, record, dispatch, builds_on, title });
        self.merges.is_due = true;
        Ok(())
    }

    fn pass(&mut self, seq: Seq, id: IdHash, record: &Record, may_follow: bool) -> Result<(), Halt> {
        self.merges.has_passed.insert(id, may_follow);
        self.merges.is_due = true;
        self.let_out(seq, record)
    }

    /// Merges the next that may be, if none is being merged.
    pub(super) fn merge_on(&mut self) -> Result<(), Halt> {
        if self.stopping.is_some() {
            // What is not merged now can be the next time.
            let (running, waiting) = std::mem::take(&mut self.merges.waiting)
                .into_iter()
                .partition(|waiting| Some(waiting.seq) == self.merges.running);
            self.merges.waiting = running;
            return waiting
                .into_iter()
                .try_for_each(|waiting: Waiting| self.let_out(waiting.seq, &waiting.record));
        }
        if self.merges.waiting.is_empty() || self.merges.running.is_some() {
            return Ok(());
        }
        let is_last = self.input == Input::Ended && self.held.is_empty();
        if !self.merges.is_due && !is_last {
            return Ok(());
        }
        self.merges.is_due = false;
        let merger = self.merger()?;
        let mut at = 0;
        while at < self.merges.waiting.len() {
            match self.standstill(&self.merges.waiting[at]) {
                Standstill::Free => return self.merge(at, &merger),
                Standstill::Blocked(id) => {
                    let merge = merger.skipped(format!("`{id}`, which it builds on, was not merged"));
                    self.merged_at(at, merge)?;
                    at = 0;
                }
                Standstill::Waits => at += 1,
            }
        }
        if is_last {
            // Nothing will ever happen to these: each waits for another.
            while !self.merges.waiting.is_empty() {
                self.merged_at(0, merger.skipped("the tasks depend on each other in a circle".to_owned()))?;
            }
        }
        Ok(())
    }

    fn standstill(&self, waiting: &Waiting) -> Standstill {
        let mut stands = Standstill::Free;
        for id in &waiting.builds_on {
            let hash = IdHash::of(id);
            let has_passed = self.merges.has_passed.get(&hash).copied();
            match (has_passed, self.results.standing(hash)) {
                (Some(true), _) => {}
                (Some(false), _) | (None, Some(Standing::Ended(..))) => {
                    return Standstill::Blocked(id.clone());
                }
                // It is not in the input, and who has accepted this one knew that.
                (None, None) if self.input == Input::Ended => {}
                (None, _) => stands = Standstill::Waits,
            }
        }
        stands
    }

    fn merge(&mut self, at: usize, merger: &Arc<Merger>) -> Result<(), Halt> {
        let waiting = &self.merges.waiting[at];
        let work = Work {
            id: waiting.record.id().unwrap_or_default().to_owned(),
            attempt: waiting.dispatch.attempt,
            title: waiting.title.clone(),
            commit: waiting.dispatch.commit.clone().unwrap_or_default(),
        };
        let (seq, events, merger) = (waiting.seq, self.events.clone(), Arc::clone(merger));
        self.merges.running = Some(seq);
        let started = std::thread::Builder::new().name("merge".to_owned()).spawn(move || {
            let merge = merger.merge(&work);
            let _ = events.send(Event::Merged(seq, Box::new(merge)));
        });
        started
            .map(drop)
            .map_err(|error| Halt::Failed(shared::Problem::new("cannot start a thread").because(error)))
    }

    /// Takes in what became of a merge.
    pub(super) fn merged(&mut self, seq: Seq, merge: Merge) -> Result<(), Halt> {
        self.merges.running = None;
        match self.merges.waiting.iter().position(|waiting| waiting.seq == seq) {
            Some(at) => self.merged_at(at, merge),
            None => Ok(()),
        }
    }

    fn merged_at(&mut self, at: usize, merge: Merge) -> Result<(), Halt> {
        let Waiting { seq, id, mut record, mut dispatch, .. } = self.merges.waiting.remove(at);
        let may_follow = matches!(merge.outcome, MergeOutcome::Merged | MergeOutcome::Already);
        if !may_follow {
            let why = match &merge.reason {
                Some(reason) => reason.clone(),
                None => format!("conflicts in {}", merge.conflicts.join(", ")),
            };
            let name = record.id().unwrap_or_default().to_owned();
            self.bar.aside(|| self.diagnostics.note(format!("id {name}: not merged: {why}")));
        }
        dispatch.merge = Some(merge);
        record.set(&*dispatch);
        self.pass(seq, id, &record, may_follow)
    }

    fn merger(&mut self) -> Result<Arc<Merger>, Halt> {
        if let Some(merger) = &self.merges.merger {
            return Ok(Arc::clone(merger));
        }
        let state = self.config.root.path.join(shared::state::DIRECTORY);
        let (into, base) = (self.config.merge_into.as_deref(), self.config.base.as_deref());
        let merger = Merger::of(&self.config.root.path, &state, into, base).map_err(Halt::Failed)?;
        self.bar
            .aside(|| self.diagnostics.note(format!("work is merged into the branch {}", merger.branch())));
        Ok(Arc::clone(self.merges.merger.insert(Arc::new(merger))))
    }
}
