//! Compound tasks: their parts are taken in as records of their own, and their results are joined.
//!
//! The record of the whole stays and comes after its parts. Joining costs nothing: what the parts have used and cost is in
//! their records, and in `dispatch.parts` for reading. When a part has a newer attempt, the whole is joined anew.

use std::collections::BTreeMap;
use std::fmt::Write;

use shared::Record;
use shared::section::{Decision, Dispatch, Joined, Status, Tier};

use super::attempt::{Attempt, name_of};
use super::{Engine, Halt};
use crate::incoming::{Content, Incoming, Known, Need};
use crate::parts;
use crate::results::{Ending, Standing, beginning};
use crate::schedule::{IdHash, Seq};

/// How the parts of a task have ended, by id.
pub(super) type Outcomes = BTreeMap<String, Outcome>;

/// How a part has ended.
pub(super) struct Outcome {
    dispatch: Dispatch,
    decision: Option<Decision>,
}

impl Engine {
    /// Returns the parts of a task that is to be run in parts, as records.
    pub(super) fn decompose(&mut self, incoming: &mut Incoming) -> Vec<Incoming> {
        let (Some(id), Content::Task(known)) = (incoming.id, &incoming.content) else { return Vec::new() };
        let is_new = self.results.standing(id).is_none();
        if !self.config.decompose || self.stopping.is_some() || !is_new {
            return Vec::new();
        }
        let name = incoming.record.id().unwrap_or_default();
        let Some(ids) = parts::ids(name, known) else { return Vec::new() };
        // Those that an earlier run has made stand before it in the input.
        let is_there = |part: &String| self.parts.get(&IdHash::of(part)) == Some(&id);
        let is_taken = |part: &String| !is_there(part) && self.results.standing(IdHash::of(part)).is_some();
        if let Some(taken) = ids.iter().find(|part| is_taken(part)) {
            self.diagnostics
                .verbose(format!("id {name}: run as a whole, because the id `{taken}` of a part is taken"));
            return Vec::new();
        }
        match parts::records(name, known, &self.config.agents) {
            Ok(records) => {
                let new = ids.iter().zip(records).filter(|(id, _)| !is_there(id));
                new.map(|(_, record)| Incoming::of_part(incoming.line, record)).collect()
            }
            Err(problem) => {
                incoming.content = Content::Unusable(problem);
                Vec::new()
            }
        }
    }

    /// Returns the ids of the parts that a task joins, if it does.
    pub(super) fn joined_parts(&self, record: &Record, known: &Known) -> Option<Vec<String>> {
        if let Some(dispatch) = &known.dispatch {
            let ids = dispatch.parts.iter().map(|part| part.id.clone());
            return Some(ids.collect::<Vec<_>>()).filter(|ids| !ids.is_empty());
        }
        let name = record.id()?;
        let ids = parts::ids(name, known).filter(|_| self.config.decompose)?;
        ids.iter().all(|part| self.parts.get(&IdHash::of(part)) == Some(&IdHash::of(name))).then_some(ids)
    }

    /// Notes how a part has ended, for the task that it is a part of.
    pub(super) fn note_part(&mut self, record: &Record, known: &Known, new: Option<&Dispatch>) {
        let (Some(parent), Some(id)) = (&known.task.parent, record.id()) else { return };
        let Some(dispatch) = new.or(known.dispatch.as_ref()) else { return };
        let verify = known.verify.as_ref().filter(|verify| verify.attempt == dispatch.attempt);
        let outcome = Outcome { dispatch: dispatch.clone(), decision: verify.map(|verify| verify.decision) };
        self.outcomes.entry(IdHash::of(parent)).or_default().insert(id.to_owned(), outcome);
    }

    /// Returns what the other parts of the same task have cost.
    pub(super) fn spent_by_others(&self, known: &Known, id: &str) -> f64 {
        let parent = known.task.parent.as_ref().map(|parent| IdHash::of(parent));
        let outcomes = parent.and_then(|parent| self.outcomes.get(&parent));
        let others = outcomes.into_iter().flatten().filter(|(other, _)| *other != id);
        others.map(|(_, outcome)| outcome.dispatch.spent_usd()).sum()
    }

    /// Deals with a task whose parts have ended; tells whether that was all there is to do.
    pub(super) fn joins(&mut self, seq: Seq) -> Result<bool, Halt> {
        let Some(held) = self.held.get_mut(&seq) else { return Ok(true) };
        let Some(ids) = held.parts.clone() else { return Ok(false) };
        let outcomes = self.outcomes.remove(&held.id).unwrap_or_default();
        let because = match &held.known.dispatch {
            None => {
                let is_waiting = |id: &String| {
                    matches!(self.results.standing(IdHash::of(id)), Some(Standing::Ended(_, Ending::Waiting)))
                };
                if ids.iter().any(is_waiting) {
                    self.leave(seq)?;
                    return Ok(true);
                }
                None
            }
            Some(last) => {
                let newer = outcomes.iter().find_map(|(id, outcome)| {
                    let used = last.parts.iter().find(|part| part.id == *id).map_or(0, |part| part.attempt);
                    let attempt = outcome.dispatch.attempt;
                    (attempt > used)
                        .then(|| format!("its part `{id}` was replaced: attempt {used} by attempt {attempt}"))
                });
                let are_accepted = ids.iter().all(|id| {
                    outcomes.get(id).is_some_and(|outcome| outcome.decision == Some(Decision::Accept))
                });
                match newer {
                    Some(because) => Some(because),
                    // Each part is right, and all together are not: somebody has to look at the whole.
                    None if matches!(held.need, Need::Escalated(..)) && are_accepted => {
                        held.parts = None;
                        return Ok(false);
                    }
                    None => {
                        self.leave(seq)?;
                        return Ok(true);
                    }
                }
            }
        };
        let Some(held) = self.take_out(seq) else { return Ok(true) };
        let dispatch = join(&held.known, &ids, &outcomes, because, self.config.output_limit);
        self.settle(seq, held.line, held.record, held.id, &held.known, Some(dispatch))?;
        Ok(true)
    }
}

/// Joins what the parts have given.
fn join(
    known: &Known,
    ids: &[String],
    outcomes: &Outcomes,
    because: Option<String>,
    limit: usize,
) -> Dispatch {
    let all = || ids.iter().filter_map(|id| outcomes.get(id)).map(|outcome| &outcome.dispatch);
    let worst = ids
        .iter()
        .map(|id| (id, outcomes.get(id).map_or(Status::Failed, |outcome| outcome.dispatch.status)))
        .rev()
        .max_by_key(|(_, status)| badness(*status));
    let status = worst.map_or(Status::Failed, |(_, status)| status);
    let mut output = String::new();
    let share = (limit / ids.len().max(1)).saturating_sub(200);
    for id in ids {
        let _ = match outcomes.get(id).map(|outcome| &outcome.dispatch) {
            None => write!(output, "# {id}\n\nIt could not be processed.\n\n"),
            Some(dispatch) => {
                let text = dispatch.output.as_deref().unwrap_or_default().trim_end();
                let shown = beginning(text, share);
                let more =
                    if shown.len() < text.len() { "\n[the record of the part has it whole]" } else { "" };
                write!(
                    output,
                    "# {id}: {}, {}\n\n{shown}{more}\n\n",
                    dispatch.executor,
                    name_of(dispatch.status)
                )
            }
        };
    }
    output.truncate(output.trim_end().len());
    let has_work = |dispatch: &&Dispatch| dispatch.commit.is_some();
    let last = all().rfind(has_work);
    let mut files: Option<Vec<String>> = Some(Vec::new());
    for dispatch in all() {
        let was_run = !matches!(dispatch.status, Status::Skipped | Status::Unavailable | Status::Budget);
        match (&mut files, &dispatch.files_changed) {
            (Some(files), Some(changed)) => files.extend(changed.iter().cloned()),
            // Who only looks may not have been watched; what was to be written is in the commits.
            (_, None) if was_run && last.is_none() => files = None,
            _ => {}
        }
    }
    if let Some(files) = &mut files {
        files.sort_unstable();
        files.dedup();
    }
    let attempt = Attempt::unmade(known, Tier::LOCAL, all_attempts(ids, outcomes), because);
    Dispatch {
        backend: Some("parts".to_owned()),
        output: Some(output),
        reason: worst.filter(|(_, status)| *status != Status::Ok).map(|(id, status)| {
            let why = outcomes.get(id).and_then(|outcome| outcome.dispatch.reason.as_deref());
            format!(
                "its part `{id}` ended as {}{}",
                name_of(status),
                why.map_or_else(String::new, |why| format!(": {why}"))
            )
        }),
        cost_usd: Some(0.0),
        worktree: last.and_then(|dispatch| dispatch.worktree.clone()),
        branch: last.and_then(|dispatch| dispatch.branch.clone()),
        base: all().find(has_work).and_then(|dispatch| dispatch.base.clone()),
        commit: last.and_then(|dispatch| dispatch.commit.clone()),
        files_changed: files,
        parts: ids.iter().map(|id| joined(id, outcomes.get(id))).collect(),
        ..attempt.unrun(status, String::new())
    }
}

fn joined(id: &str, outcome: Option<&Outcome>) -> Joined {
    Joined {
        id: id.to_owned(),
        attempt: outcome.map_or(0, |outcome| outcome.dispatch.attempt),
        status: outcome.map(|outcome| outcome.dispatch.status),
        decision: outcome.and_then(|outcome| outcome.decision),
        cost_usd: outcome
            .filter(|outcome| outcome.dispatch.paid().any(|paid| paid.cost_usd.is_some()))
            .map(|outcome| outcome.dispatch.spent_usd()),
    }
}

fn all_attempts(ids: &[String], outcomes: &Outcomes) -> BTreeMap<String, u32> {
    ids.iter().filter_map(|id| Some((id.clone(), outcomes.get(id)?.dispatch.attempt))).collect()
}

/// Orders statuses: what went wrong by itself is worse than what followed from that.
fn badness(status: Status) -> u8 {
    match status {
        Status::Ok => 0,
        Status::Skipped => 1,
        Status::Cancelled => 2,
        Status::Budget | Status::Unavailable => 3,
        Status::Transport | Status::Quota | Status::Auth => 4,
        Status::Timeout | Status::Truncated => 5,
        Status::Refused => 6,
        Status::Failed => 7,
    }
}
