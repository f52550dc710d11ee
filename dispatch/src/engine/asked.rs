//! What somebody in another terminal wants of this run.

use shared::section::Status;

use super::attempt::Attempt;
use super::{Engine, Halt};
use crate::control::{Asked, Reply, Request};
use crate::journal::Retry;
use crate::schedule::Seq;

/// What is told of a task that was cancelled.
pub(super) const CANCELLED: &str = "cancelled by `dispatch cancel`";

/// What is to become of a task that runs and is being ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wish {
    Cancel,
    Again(Retry),
}

impl Engine {
    /// Does what somebody wants, and answers.
    pub(super) fn answer(&mut self, asked: Asked) -> Result<(), Halt> {
        let mut told = Vec::new();
        match asked.request {
            Request::Cancel { ids } => {
                for id in ids {
                    self.cancel(&id, &mut told)?;
                }
            }
            Request::Retry { id, retry } => {
                if let Some(seq) = self.held_as(&id).first().copied() {
                    let (is_done, what) = self.make_again(seq, retry);
                    told.push((id, is_done, what.to_owned()));
                }
            }
        }
        // Who has asked may have gone.
        let _ = asked.answer.send(Reply { told });
        Ok(())
    }

    /// Returns the held records of a task: its own, then those of its parts.
    fn held_as(&self, id: &str) -> Vec<Seq> {
        let own = self.held.iter().filter(|(_, held)| held.record.id() == Some(id));
        let parts = self.held.iter().filter(|(_, held)| held.known.task.parent.as_deref() == Some(id));
        own.chain(parts).map(|(seq, _)| *seq).collect()
    }

    /// Ends a task, and its parts if it has any.
    fn cancel(&mut self, id: &str, told: &mut Vec<(String, bool, String)>) -> Result<(), Halt> {
        for seq in self.held_as(id) {
            let Some(held) = self.held.get_mut(&seq) else { continue };
            let name = held.record.id().unwrap_or_default().to_owned();
            if held.is_running() {
                held.wish = Some(Wish::Cancel);
                self.end_what_runs(seq);
                told.push((name, true, "is being ended".to_owned()));
            } else if held.parts.is_some() {
                told.push((name, true, "ends with its parts".to_owned()));
            } else {
                self.never_start(seq)?;
                told.push((name, true, "will not be started".to_owned()));
            }
        }
        Ok(())
    }

    /// Lets a task go that has not started.
    fn never_start(&mut self, seq: Seq) -> Result<(), Halt> {
        let Some(held) = self.take_out(seq) else { return Ok(()) };
        let tier = super::attempt::tier_of(&held.known, &held.need);
        let attempt =
            held.attempt.unwrap_or_else(|| Attempt::unmade(&held.known, tier, Default::default(), None));
        let dispatch = attempt.unrun(Status::Cancelled, CANCELLED.to_owned());
        self.settle(seq, held.line, held.record, held.id, &held.known, Some(dispatch))
    }

    /// Ends a task that runs, so that it is made again in another way.
    fn make_again(&mut self, seq: Seq, retry: Retry) -> (bool, &'static str) {
        let helps = self.held.get(&seq).and_then(|held| held.attempt.as_ref());
        if !helps.is_some_and(|attempt| self.helps(seq, attempt, &retry)) {
            return (
                false,
                "would be made again in the same way: it has no higher tier; say what is to be different",
            );
        }
        match self.held.get_mut(&seq) {
            Some(held) if held.is_running() => {
                held.wish = Some(Wish::Again(retry));
                self.end_what_runs(seq);
                (true, "is being ended and made again")
            }
            _ => (false, "has not been started yet"),
        }
    }

    /// Ends the children of a task, or its wait for a network. What is to become of it is decided when it has ended.
    fn end_what_runs(&mut self, seq: Seq) {
        if let Some(held) = self.held.get_mut(&seq) {
            held.end();
        }
    }
}
