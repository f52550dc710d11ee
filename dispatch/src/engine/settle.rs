//! From a result to the record that leaves with it.

use std::time::Instant;

use shared::section::{Dispatch, Status};
use shared::{Exit, Problem, Record, interrupt};

use super::asked::{CANCELLED, Wish};
use super::name_of;
use super::{Engine, Halt, Held, is_ok, journal_problem, spill_problem};
use crate::backend::{Answer, Draft};
use crate::incoming::{Known, Need, is_amount};
use crate::limits::{Consequences, Taken, Ticket};
use crate::perform::Performed;
use crate::results::{Ending, HANDED, Handed, Standing, beginning};
use crate::route::{Backend, Step};
use crate::schedule::{IdHash, Seq};

impl Engine {
    /// Ends an attempt that was made.
    pub(super) fn finish(&mut self, seq: Seq, performed: Performed) -> Result<(), Halt> {
        let Some(mut held) = self.take_out(seq) else { return Ok(()) };
        let ticket = held.tickets.remove(&0);
        let Some(step) = held.attempt.as_ref().and_then(|attempt| attempt.step().cloned()) else {
            return Ok(());
        };
        let Some(dispatch) = self.written_down(&held, &step, performed) else { return Ok(()) };
        let id = held.record.id().unwrap_or_default().to_owned();
        let consequences = ticket.map(|ticket| self.taken(ticket, &dispatch));
        self.end_attempt(seq, held, dispatch)?;
        consequences.map_or(Ok(()), |consequences| self.draw(step.lane, &id, consequences))
    }

    /// Counts what an attempt took that is over.
    pub(super) fn taken(&mut self, ticket: Ticket, dispatch: &Dispatch) -> Consequences {
        let taken = Taken {
            status: dispatch.status,
            reason: dispatch.reason.as_deref(),
            cost_usd: dispatch.cost_usd,
            usage: dispatch.usage.as_ref(),
            model: dispatch.model.as_deref(),
        };
        self.limits.settle(ticket, &taken, Instant::now())
    }

    /// Ends an attempt of which this came, unless another backend is to do it.
    pub(super) fn end_attempt(&mut self, seq: Seq, held: Held, dispatch: Dispatch) -> Result<(), Halt> {
        let Some((mut held, dispatch)) = self.fall_back(seq, held, dispatch)? else { return Ok(()) };
        let key = held.attempt.as_ref().map(|attempt| attempt.key);
        let id = held.record.id().unwrap_or_default().to_owned();
        if let (Some(journal), Some(key)) = (self.journal()?, key) {
            journal.finished(key, &id, &dispatch).map_err(journal_problem)?;
        }
        if let Some(Wish::Again(retry)) = held.wish.take()
            && self.stopping.is_none()
        {
            return self.start_over(seq, held, &dispatch, retry);
        }
        self.settle(seq, held.line, held.record, held.id, &held.known, Some(dispatch))
    }

    /// Returns what the record says of a draft, and counts what it has cost.
    pub(super) fn written_down(
        &mut self,
        held: &Held,
        step: &Step,
        performed: Performed,
    ) -> Option<Dispatch> {
        let Answer::Draft(mut draft) = performed.answer else { return None };
        // A child that we have asked to end says that it failed, or that a signal ended it.
        if (interrupt::requested() || self.is_ending)
            && matches!(
                draft.status,
                Status::Failed | Status::Timeout | Status::Transport | Status::Cancelled
            )
        {
            draft.status = Status::Cancelled;
            draft.reason = Some(if self.is_ending { "the run has halted" } else { "interrupted" }.to_owned());
        }
        if held.wish.is_some()
            && matches!(
                draft.status,
                Status::Failed | Status::Timeout | Status::Transport | Status::Cancelled
            )
        {
            draft.status = Status::Cancelled;
            draft.reason = Some(CANCELLED.to_owned());
        }
        let attempt = held.attempt.as_ref()?;
        let lane = &self.config.routes.lanes[step.lane];
        let is_local = matches!(lane.backend, Backend::Local(_));
        let said = lane.terms.attempt_usd;
        let (cost_usd, price_table) = if is_local { (Some(0.0), None) } else { self.cost(&draft, said) };
        self.spent += cost_usd.unwrap_or(0.0);
        let tree = performed.tree.unwrap_or_default();
        let dispatch = Dispatch {
            backend: Some(lane.backend.name().to_owned()),
            model: draft.model,
            tier: step.tier,
            output: Some(draft.output),
            output_file: draft.output_file,
            stderr: draft.stderr,
            exit_code: draft.exit_code,
            reason: draft.reason,
            // What needed no model has moved nowhere.
            moved: attempt.moved.clone().filter(|_| !is_local),
            usage: draft.usage,
            cost_usd,
            price_table,
            started_at: Some(performed.started_at),
            elapsed_ms: u64::try_from(performed.elapsed.as_millis()).unwrap_or(u64::MAX),
            stop_reason: draft.stop_reason,
            turns: draft.turns,
            retries: Some(draft.retries).filter(|retries| *retries > 0),
            hedged: Some(draft.hedged).filter(|hedged| *hedged > 0),
            worktree: tree.path,
            branch: tree.branch,
            base: tree.base,
            commit: tree.commit,
            files_changed: performed.files_changed,
            transcript: draft.transcript,
            ..attempt.unrun(draft.status, String::new())
        };
        if let Some(trace) = &mut self.config.trace
            && let Err(error) = trace.note(held.record.id().unwrap_or_default(), &dispatch, performed.elapsed)
        {
            self.config.trace = None;
            self.diagnostics.warning(format!("the trace ends here, because it can not be written: {error}"));
        }
        Some(dispatch)
    }

    /// Does what the end of an attempt means for the others.
    pub(super) fn draw(&mut self, lane: usize, id: &str, consequences: Consequences) -> Result<(), Halt> {
        for warning in consequences.warnings {
            self.bar.aside(|| self.diagnostics.warning(format!("id {id}: {warning}")));
        }
        if let Some(halted) = &consequences.halted {
            self.halt(halted);
        }
        for run in std::mem::take(&mut self.parked) {
            self.queue_again(run)?;
        }
        if let Some(reason) = consequences.opened {
            let name = &self.config.routes.lanes[lane].name;
            self.bar.aside(|| {
                self.diagnostics.warning(format!("the backend `{name}` is left alone for a while: {reason}"));
            });
            // Who may go elsewhere does so at once.
            for run in self.queue.drain_lane(lane) {
                self.queue_again(run)?;
            }
        }
        Ok(())
    }

    /// Returns what a draft has cost, by the price table if it knows the model, else by the executor's own account.
    /// Where neither knows, it is what the user has `said` that an attempt costs.
    fn cost(&self, draft: &Draft, said: Option<f64>) -> (Option<f64>, Option<String>) {
        let priced = match (&draft.model, &draft.usage) {
            (Some(model), Some(_)) if !draft.requests.is_empty() => {
                self.config.prices.cost_of_requests(model, &draft.requests)
            }
            (Some(model), Some(usage)) => self.config.prices.cost(model, usage),
            _ => None,
        };
        // An account without tokens is no account to price.
        let has_tokens = draft.usage.is_some_and(|usage| usage.output_tokens > 0 || usage.input_tokens > 0);
        let reported = draft.reported_cost_usd.filter(|cost| is_amount(*cost));
        let priced = priced.filter(|cost| is_amount(*cost));
        // A number of tokens that nobody has told is not zero, and neither is its price.
        let is_told =
            draft.usage.is_none_or(|usage| usage.untold_requests == 0 || !draft.requests.is_empty());
        match priced.filter(|_| (has_tokens || reported.is_none()) && is_told) {
            Some(cost) => (Some(cost), Some(self.config.prices.date().to_owned())),
            None => (reported.or(said), None),
        }
    }

    /// Lets a record out, with a new section or with the one it has, and releases those that wait for it.
    pub(super) fn settle(
        &mut self,
        seq: Seq,
        line: u64,
        mut record: Record,
        id: IdHash,
        known: &Known,
        mut new: Option<Dispatch>,
    ) -> Result<(), Halt> {
        if let Some(dispatch) = &mut new {
            self.supervise(&record, known, dispatch);
            if dispatch.started_at.is_none()
                && let Some(journal) = self.journal()?
            {
                // Those that were made are in it already.
                let id = record.id().unwrap_or_default();
                journal.settled(None, id, Some(dispatch)).map_err(journal_problem)?;
            }
            record.set(dispatch);
            self.config.reports.note(&record, &known.task.text, dispatch).map_err(Halt::Failed)?;
            self.bar.ended(is_ok(dispatch));
        }
        let is_accepted = new.is_none() && known.is_accepted();
        match new.as_ref().or(known.dispatch.as_ref()) {
            Some(dispatch) if is_ok(dispatch) => {
                let name = record.id().unwrap_or_default();
                let handed = handed(line, name, dispatch, is_accepted);
                self.results.done(id, &handed).map_err(spill_problem)?;
            }
            Some(dispatch) => {
                if self.config.exit_status {
                    self.exit = self.exit.worse(Exit::No);
                }
                if new.is_some() {
                    let reason = dispatch.reason.as_deref().unwrap_or("no reason was given");
                    let name = record.id().unwrap_or_default();
                    let told = format!("id {name}: {}: {reason}", name_of(dispatch.status));
                    self.bar.aside(|| self.diagnostics.verbose(told));
                }
                self.results.end(id, line, Ending::Status(dispatch.status));
            }
            None => self.results.end(id, line, Ending::Waiting),
        }
        self.note_part(&record, known, new.as_ref());
        self.outcomes.remove(&id);
        self.release(id);
        self.depart(seq, id, record, known, new)
    }

    /// Takes a held record out.
    pub(super) fn take_out(&mut self, seq: Seq) -> Option<Held> {
        let held = self.held.remove(&seq)?;
        self.held_bytes -= held.bytes;
        Some(held)
    }

    /// Holds a record again that was taken out.
    pub(super) fn put_back(&mut self, seq: Seq, held: Held) {
        self.held_bytes += held.bytes;
        self.held.insert(seq, held);
    }

    /// Lets a record go as it came, because the run is stopping; with what was paid for it, if anything was.
    pub(super) fn abandon(&mut self, seq: Seq) -> Result<(), Halt> {
        let Some(held) = self.held.get(&seq) else { return Ok(()) };
        if held.race.as_ref().is_some_and(|race| race.has_drafts()) {
            return self.break_off(seq);
        }
        if held.attempt.as_ref().is_some_and(|attempt| !attempt.lost.is_empty()) {
            return self.settle_unrun(seq, Status::Cancelled, "interrupted".to_owned());
        }
        match self.take_out(seq) {
            Some(held) => self.let_out(seq, &held.record),
            None => Ok(()),
        }
    }

    /// Lets a record out that can not be processed, with the reason.
    pub(super) fn refuse(
        &mut self,
        seq: Seq,
        line: u64,
        mut record: Record,
        id: IdHash,
        problem: Problem,
    ) -> Result<(), Halt> {
        self.report(line, &mut record, &problem);
        if let (Some(journal), Some(name)) = (&self.journal, record.id()) {
            journal.refused(name, &problem.full_message()).map_err(journal_problem)?;
        }
        self.results.end(id, line, Ending::Errors);
        self.release(id);
        self.let_out(seq, &record)
    }

    fn report(&mut self, line: u64, record: &mut Record, problem: &Problem) {
        self.exit = self.exit.worse(Exit::Records);
        self.bar.aside(|| self.diagnostics.record(Some(line), record.id(), problem));
        record.push_error(problem.to_record_error(crate::NAME, Some(line)));
    }

    /// Lets the second record of an id out; the first one keeps it.
    pub(super) fn refuse_duplicate(
        &mut self,
        seq: Seq,
        line: u64,
        mut record: Record,
        standing: Standing,
    ) -> Result<(), Halt> {
        let first = match standing {
            Standing::Held(line) | Standing::Ended(line, _) => line,
            Standing::Done(place) => self.results.handed(place).map_err(spill_problem)?.line,
        };
        let id = record.id().unwrap_or_default();
        let problem = Problem::new(format!("the id `{id}` is taken by the record on line {first}"))
            .hint("give each record an id of its own, or leave the id out");
        self.report(line, &mut record, &problem);
        self.let_out(seq, &record)
    }

    /// Lets all records of a cycle out.
    pub(super) fn refuse_cycle(&mut self, cycle: &[Seq]) -> Result<(), Halt> {
        let name =
            |seq: &Seq| self.held.get(seq).and_then(|held| held.record.id()).unwrap_or_default().to_owned();
        let path = circle(cycle.len(), |at| name(&cycle[at]));
        for seq in cycle {
            let Some(held) = self.take_out(*seq) else { continue };
            let problem = Problem::new(format!("the tasks depend on each other in a circle: {path}"))
                .hint("remove one of these from a depends_on");
            self.refuse(*seq, held.line, held.record, held.id, problem)?;
        }
        Ok(())
    }

    /// At the end of the input: deals with those that wait for what was never read.
    pub(super) fn settle_stranded(&mut self) -> Result<(), Halt> {
        for (seq, unknown) in self.schedule.stranded() {
            let Some(held) = self.held.get(&seq) else { continue };
            if held.parts.is_some() || matches!(held.need, Need::IfReplaced | Need::IfPossible) {
                continue;
            }
            let ids = held.known.task.depends_on.iter().filter(|id| unknown.contains(&IdHash::of(id)));
            let ids: Vec<String> = ids.map(|id| format!("`{id}`")).collect();
            let Some(held) = self.take_out(seq) else { continue };
            let problem =
                Problem::new(format!("it depends on {}, which is not in the input", ids.join(" and ")))
                    .hint("add the record, or remove the id from depends_on");
            self.refuse(seq, held.line, held.record, held.id, problem)?;
        }
        // Those that were run when the others were there do not wait for them.
        for (_, unknown) in self.schedule.stranded() {
            unknown.into_iter().for_each(|id| self.release(id));
        }
        Ok(())
    }
}

/// Returns what a result hands to those that depend on it.
fn handed(line: u64, id: &str, dispatch: &Dispatch, is_accepted: bool) -> Handed {
    let output = dispatch.output.as_deref().unwrap_or_default();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&dispatch.attempt.to_le_bytes());
    hasher.update(output.as_bytes());
    hasher.update(dispatch.output_file.as_ref().map_or("", |file| &file.blake3).as_bytes());
    hasher.update(dispatch.commit.as_deref().unwrap_or_default().as_bytes());
    Handed {
        line,
        id: id.to_owned(),
        attempt: dispatch.attempt,
        output: beginning(output, HANDED).to_owned(),
        bytes: dispatch.output_file.as_ref().map_or(output.len() as u64, |file| file.bytes),
        file: dispatch.output_file.as_ref().map(|file| file.path.clone()),
        commit: dispatch.commit.clone(),
        branch: dispatch.branch.clone(),
        worktree: dispatch.worktree.clone(),
        is_accepted,
        fingerprint: hasher.finalize().to_hex()[..16].to_owned(),
    }
}

/// Names the tasks of a circle: all of a small one, the two ends of a large one.
fn circle(length: usize, name: impl Fn(usize) -> String) -> String {
    const NAMED: usize = 8;
    let mut path: Vec<String> = (0..length.min(NAMED)).map(&name).collect();
    if length > NAMED {
        path.push(format!("({} more)", length - NAMED));
    }
    path.push(name(0));
    path.join(" → ")
}

#[cfg(test)]
mod circles {
    use super::circle;

    #[test]
    fn a_large_circle_is_named_by_its_beginning() {
        assert_eq!(circle(2, |at| format!("t{at}")), "t0 → t1 → t0");
        let large = circle(20_000, |at| format!("t{at}"));
        assert_eq!(large, "t0 → t1 → t2 → t3 → t4 → t5 → t6 → t7 → (19992 more) → t0");
    }
}
