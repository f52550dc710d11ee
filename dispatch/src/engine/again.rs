//! Attempts that take the place of others: of one that was killed when it had cost something, of one that somebody wants made
//! again.
//!
//! The one before stays in the books, as an `earlier` one. The key of the next follows from its key and the reason, so that a run
//! that is resumed again finds the whole line of them.

use shared::process::Cancel;
use shared::section::{Dispatch, Earlier, Status, Tier, Usage};

use super::attempt::Attempt;
use super::{Engine, Halt, Held, journal_problem};
use crate::incoming::is_amount;
use crate::journal::{Retry, Unfinished};
use crate::schedule::Seq;

impl Engine {
    /// Looks up what earlier runs have left of an attempt. Returns the one that is to be made now, or that was, and how it ended.
    pub(super) fn made_before(
        &mut self,
        seq: Seq,
        mut attempt: Attempt,
    ) -> Result<(Attempt, Option<Dispatch>), Halt> {
        if !self.config.resume {
            return Ok((attempt, None));
        }
        loop {
            let Some(journal) = self.journal()? else { return Ok((attempt, None)) };
            let past = journal.lookup(attempt.key).map_err(journal_problem)?;
            // A result whose files somebody has removed is none any more.
            let finished = past.finished.filter(is_kept);
            let (before, retry) = match (finished, past.unfinished, past.retry) {
                (Some(dispatch), _, Some(retry)) if self.helps(seq, &attempt, &retry) => {
                    (Unfinished::of(&dispatch), Some(retry))
                }
                (Some(dispatch), ..) => {
                    let (usage, cost) = dispatch.paid_now();
                    self.count_before(dispatch.tier, cost, usage.as_ref());
                    return Ok((attempt, Some(dispatch)));
                }
                (None, Some(unfinished), retry) => (unfinished, retry),
                (None, None, Some(retry)) => (ended_unseen(&attempt), Some(retry)),
                // Nobody knows that it has cost anything: it is simply made again.
                (None, None, None) => return Ok((attempt, None)),
            };
            self.count_before(before.tier, before.cost_usd, before.usage.as_ref());
            for rival in &before.rivals {
                self.count_before(rival.tier, rival.cost_usd, rival.usage.as_ref());
            }
            attempt = self.replace(seq, attempt, before, retry);
        }
    }

    /// Counts what an earlier run has paid: a budget is for the whole work, however often it is interrupted.
    pub(super) fn count_before(&mut self, tier: Tier, cost: Option<f64>, usage: Option<&Usage>) {
        self.spent += cost.filter(|cost| is_amount(*cost)).unwrap_or_default();
        self.limits.taken_before(tier, cost, usage);
    }

    /// Tells whether a wish makes a difference.
    pub(super) fn helps(&self, seq: Seq, attempt: &Attempt, retry: &Retry) -> bool {
        let up = || self.held.get(&seq).zip(attempt.tier.up()).map(|(held, up)| held.known.at_most(up));
        retry.context.is_some() || up().is_some_and(|up| up > attempt.tier)
    }

    /// Makes a task again that was ended for that.
    pub(super) fn start_over(
        &mut self,
        seq: Seq,
        mut held: Held,
        dispatch: &Dispatch,
        retry: Retry,
    ) -> Result<(), Halt> {
        let Some(attempt) = held.attempt.take() else { return Ok(()) };
        if let Some(journal) = self.journal()? {
            let id = held.record.id().unwrap_or_default();
            journal.retry(attempt.key, id, &retry).map_err(journal_problem)?;
        }
        held.cancel = Cancel::default();
        held.race = None;
        self.held_bytes += held.bytes;
        self.held.insert(seq, held);
        let attempt = self.replace(seq, attempt, Unfinished::of(dispatch), Some(retry));
        if let Some(held) = self.held.get_mut(&seq) {
            held.attempt = Some(attempt);
        }
        self.send_on(seq)
    }

    /// Returns the attempt that takes the place of one.
    pub(super) fn replace(
        &self,
        seq: Seq,
        mut attempt: Attempt,
        before: Unfinished,
        retry: Option<Retry>,
    ) -> Attempt {
        let escalates = retry.as_ref().is_some_and(|retry| retry.escalate);
        let up = if escalates { attempt.tier.max(before.tier).up() } else { None };
        attempt.number = attempt.number.saturating_add(1);
        attempt.key = attempt.key.after(&match &retry {
            None => format!("unfinished {}", attempt.number),
            Some(retry) => format!("retry {} {} {:?}", attempt.number, retry.escalate, retry.context),
        });
        if let (Some(up), Some(held)) = (up, self.held.get(&seq)) {
            attempt.tier = held.known.at_most(up);
            let (id, has_run) = (held.record.id().unwrap_or_default(), held.known.task.run.is_some());
            attempt.steps = self.config.routes.steps(id, attempt.number, attempt.tier, false, has_run);
            attempt.declined.clear();
        }
        attempt.earlier.push(earlier_of(before, retry.as_ref()));
        attempt.race = None;
        attempt.lost.clear();
        attempt.guidance.extend(retry.and_then(|retry| retry.context));
        attempt
    }
}

/// Returns what is known of an attempt that was ended and has left nothing.
fn ended_unseen(attempt: &Attempt) -> Unfinished {
    Unfinished {
        attempt: attempt.number,
        status: Status::Cancelled,
        tier: attempt.tier,
        backend: None,
        model: None,
        usage: None,
        cost_usd: None,
        elapsed_ms: 0,
        reason: None,
        rivals: Vec::new(),
    }
}

fn earlier_of(before: Unfinished, retry: Option<&Retry>) -> Earlier {
    let wanted = retry.map(|retry| match &retry.context {
        Some(context) => format!("made again on request: {context}"),
        None => "made again on request, one tier up".to_owned(),
    });
    Earlier {
        attempt: before.attempt,
        tier: before.tier,
        backend: before.backend,
        model: before.model,
        status: before.status,
        usage: before.usage,
        cost_usd: before.cost_usd,
        elapsed_ms: before.elapsed_ms,
        decision: None,
        rivals: before.rivals,
        action: None,
        reason: wanted.or(before.reason),
    }
}

/// Tells whether the files are still there that a result speaks of.
pub(super) fn is_kept(dispatch: &Dispatch) -> bool {
    let kept_at =
        [dispatch.worktree.as_deref(), dispatch.output_file.as_ref().map(|file| file.path.as_str())];
    kept_at.into_iter().flatten().all(|path| std::path::Path::new(path).exists())
}
