//! Runs the drafts of a race: gives each a place, has it checked, ends the others when one is accepted, and writes all of them down.
//!
//! Who takes part, what it may cost and who wins is decided in [`crate::speculate`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use shared::section::{self, Dispatch, Status};

use super::again::is_kept;
use super::{Engine, Event, Halt, Held, Run, chain, journal_problem};
use crate::backend::Answer;
use crate::journal::Key;
use crate::perform::Performed;
use crate::queue::Place;
use crate::route::Step;
use crate::schedule::Seq;
use crate::speculate::{self, Check, Heat, Race, Settled, Verdict};

/// Why a draft lost that was ended before its time.
const LOST: &str = "another draft was accepted first";

impl Engine {
    /// Lets a task race whose turn has come to go to a model, if several drafts of it are wanted; tells whether it does.
    pub(super) fn enters_race(&mut self, seq: Seq) -> Result<bool, Halt> {
        let Some(held) = self.held.get(&seq) else { return Ok(false) };
        let Some(attempt) = held.attempt.as_ref().filter(|attempt| attempt.race.is_none()) else {
            return Ok(false);
        };
        let steps = self.config.entrants(&held.known, &held.need, attempt.tier, attempt.step());
        if steps.len() < 2 {
            return Ok(false);
        }
        let prices: Vec<Option<f64>> =
            steps[1..].iter().map(|step| self.config.expected(&held.known, step)).collect();
        let grant = self.purse.take(&prices);
        let (wanted, key) = (steps.len() as u32, attempt.key);
        let race = section::Race {
            wanted,
            started: 1,
            accepted: None,
            expected_usd: grant.expected,
            reason: grant.reason,
        };
        let drafts = (0..).zip(steps).take(grant.drafts + 1);
        let drafts: Vec<(Step, Key)> = drafts.map(|(heat, step)| (step, key.of_draft(heat))).collect();
        let found = self.found_drafts(seq, &drafts)?;
        let Some(held) = self.held.get_mut(&seq) else { return Ok(false) };
        let Some(attempt) = &mut held.attempt else { return Ok(false) };
        let is_alone = drafts.len() < 2;
        let (id, number) = (held.record.id().unwrap_or_default().to_owned(), attempt.number);
        let tier = attempt.tier;
        attempt.enter(race, drafts.iter().map(|(step, _)| step));
        if is_alone {
            return Ok(false);
        }
        let mut race = Race::new(drafts, grant.expected);
        let mut heats = Vec::new();
        for (heat, dispatch) in found {
            heats.push(heat);
            race.drafted(heat, dispatch);
        }
        held.race = Some(Box::new(race));
        if let Some(journal) = self.journal()? {
            journal.started(key, &id, number, tier, "race", None).map_err(journal_problem)?;
        }
        for heat in heats {
            self.judge(Run { heat, seq })?;
        }
        self.advance(seq)?;
        Ok(true)
    }

    /// Returns the drafts that an earlier run has finished before it was killed.
    fn found_drafts(&mut self, seq: Seq, drafts: &[(Step, Key)]) -> Result<Vec<(Heat, Dispatch)>, Halt> {
        let mut found = Vec::new();
        if !self.config.resume {
            return Ok(found);
        }
        for (heat, (_, key)) in (0..).zip(drafts) {
            let Some(journal) = self.journal()? else { break };
            let past = journal.lookup(*key).map_err(journal_problem)?;
            if let Some(dispatch) = past.finished.filter(is_kept) {
                self.count_before(dispatch.tier, dispatch.cost_usd, dispatch.usage.as_ref());
                found.push((heat, dispatch));
            } else if let Some(paid) = past.unfinished {
                // It did not get to do its work, and is made again; what it took is paid.
                self.count_before(paid.tier, paid.cost_usd, paid.usage.as_ref());
                let attempt = self.held.get_mut(&seq).and_then(|held| held.attempt.as_mut());
                attempt.into_iter().for_each(|attempt| attempt.lost.push(paid.clone().into_rival()));
            }
        }
        Ok(found)
    }

    /// Lets those drafts wait for a place that do not yet, or ends the race if there is nothing left to wait for.
    fn advance(&mut self, seq: Seq) -> Result<(), Halt> {
        let Some(held) = self.held.get_mut(&seq) else { return Ok(()) };
        let Some(race) = &mut held.race else { return Ok(()) };
        if self.stopping.is_some() {
            race.close();
        }
        if race.is_over() {
            return self.conclude(seq);
        }
        // What was found is looked at before anything else is begun.
        if !race.is_busy() && !std::mem::replace(&mut race.is_queued, true) {
            for heat in race.waiting() {
                let Some(step) = race.step(heat) else { continue };
                let run = Run { heat, seq };
                self.queue.push(Place { lane: step.lane, tier: step.tier }, run, chain(&self.schedule, run));
            }
        }
        Ok(())
    }

    /// Takes what came of a draft.
    pub(super) fn drafted(&mut self, run: Run, performed: Performed) -> Result<(), Halt> {
        let Some(held) = self.held.get(&run.seq) else { return Ok(()) };
        let Some(race) = &held.race else { return Ok(()) };
        let (Some(step), Some(key)) = (race.step(run.heat).cloned(), race.key(run.heat)) else {
            return Ok(());
        };
        match performed.answer {
            Answer::Declined(why) => {
                if let Some(ticket) =
                    self.held.get_mut(&run.seq).and_then(|held| held.tickets.remove(&run.heat))
                {
                    self.limits.give_back(ticket);
                }
                self.withdraw(run, Status::Unavailable, why)
            }
            Answer::Draft(_) => {
                let Some(mut held) = self.take_out(run.seq) else { return Ok(()) };
                let ticket = held.tickets.remove(&run.heat);
                let dispatch = self.written_down(&held, &step, performed);
                let id = held.record.id().unwrap_or_default().to_owned();
                let is_called_off = held.race.as_ref().is_some_and(|race| race.is_won());
                let main = held.attempt.as_ref().map(|attempt| attempt.key);
                self.put_back(run.seq, held);
                let Some(dispatch) = dispatch else { return Ok(()) };
                let consequences = ticket.map(|ticket| self.taken(ticket, &dispatch));
                if let Some(journal) = self.journal()? {
                    match main.filter(|_| is_called_off) {
                        // Its result is of no use any more; what it has cost is.
                        Some(main) => {
                            journal.lost(main, &id, &speculate::rival(&dispatch, Some(LOST.to_owned())))
                        }
                        None => journal.finished(key, &id, &dispatch),
                    }
                    .map_err(journal_problem)?;
                }
                if let Some(race) = self.held.get_mut(&run.seq).and_then(|held| held.race.as_mut()) {
                    race.drafted(run.heat, dispatch);
                }
                self.judge(run)?;
                self.advance(run.seq)?;
                consequences.map_or(Ok(()), |consequences| self.draw(step.lane, &id, consequences))
            }
        }
    }

    /// Lets what waited for others, or in a lane that is left alone now, wait for its turn again.
    pub(super) fn queue_again(&mut self, run: Run) -> Result<(), Halt> {
        let Some(held) = self.held.get(&run.seq) else { return Ok(()) };
        let Some(race) = &held.race else { return self.send_on(run.seq) };
        let Some(step) = race.step(run.heat).filter(|_| race.may_start(run.heat)) else { return Ok(()) };
        if let Some(why) = self.limits.is_down(step.lane, Instant::now()) {
            return self.withdraw(run, Status::Transport, why);
        }
        self.queue.push(Place { lane: step.lane, tier: step.tier }, run, self.chain(run));
        Ok(())
    }

    /// Returns how much hangs on what waits for a place.
    pub(super) fn chain(&self, run: Run) -> u32 {
        chain(&self.schedule, run)
    }

    /// Takes a draft out that is not made, and frees its place.
    pub(super) fn withdraw(&mut self, run: Run, status: Status, why: String) -> Result<(), Halt> {
        let Some(race) = self.held.get_mut(&run.seq).and_then(|held| held.race.as_mut()) else {
            return Ok(());
        };
        if let Some(place) = race.withdraw(run.heat, status, why) {
            self.queue.end(place);
        }
        self.advance(run.seq)
    }

    /// Has a draft checked.
    fn judge(&mut self, run: Run) -> Result<(), Halt> {
        let Some(held) = self.held.get(&run.seq) else { return Ok(()) };
        let Some(race) = &held.race else { return Ok(()) };
        let Some(dispatch) = race.to_judge(run.heat) else { return Ok(()) };
        let verdict = speculate::plain(&held.known.task, dispatch);
        let Check::Command(command) = &self.config.speculation.check else {
            return self.judged(run, verdict);
        };
        if verdict != Verdict::Accepted || race.is_won() || self.stopping.is_some() {
            let is_unchecked = verdict == Verdict::Accepted && !race.is_won();
            let verdict = if is_unchecked {
                Verdict::Rejected("interrupted before it was checked".to_owned())
            } else {
                verdict
            };
            return self.judged(run, verdict);
        }
        let mut record = held.record.clone();
        record.set(dispatch);
        let (line, command, cancel) = (record.to_line().into_owned(), command.clone(), race.cancel(run.heat));
        let (directory, timeout) =
            (self.config.directory.clone(), held.known.timeout.or(self.config.timeout));
        let events = self.events.clone();
        self.pool.spawn(move || {
            let ask = || speculate::ask(&command, &line, &directory, timeout, &cancel);
            let verdict = catch_unwind(AssertUnwindSafe(ask));
            let verdict = verdict.unwrap_or_else(|_| Verdict::Rejected("the check has failed".to_owned()));
            let _ = events.send(Event::Judged(run, verdict));
        });
        Ok(())
    }

    /// Takes the verdict on a draft.
    pub(super) fn judged(&mut self, run: Run, verdict: Verdict) -> Result<(), Halt> {
        let Some(race) = self.held.get_mut(&run.seq).and_then(|held| held.race.as_mut()) else {
            return Ok(());
        };
        if let Some(place) = race.judged(run.heat, verdict) {
            self.queue.end(place);
        }
        self.advance(run.seq)
    }

    /// Ends a race that is not busy, because the run is stopping.
    pub(super) fn break_off(&mut self, seq: Seq) -> Result<(), Halt> {
        if let Some(race) = self.held.get_mut(&seq).and_then(|held| held.race.as_mut()) {
            race.close();
        }
        self.advance(seq)
    }

    /// Notes that the work of the drafts that lost is gone.
    pub(super) fn cleared(&mut self, seq: Seq) -> Result<(), Halt> {
        if let Some(race) = self.held.get_mut(&seq).and_then(|held| held.race.as_mut()) {
            race.is_clearing = false;
        }
        self.advance(seq)
    }

    /// Removes the worktrees, branches and large outputs of the drafts that lost; tells whether there is any such work.
    ///
    /// It is done before the result is written down: a run that is killed in between finds the draft that is kept again.
    fn clear_lost_work(&mut self, seq: Seq) -> Result<bool, Halt> {
        let Some(race) = self.held.get_mut(&seq).and_then(|held| held.race.as_mut()) else {
            return Ok(false);
        };
        if std::mem::replace(&mut race.is_cleared, true) {
            return Ok(false);
        }
        let work = race.lost_work();
        if work.is_empty() {
            return Ok(false);
        }
        race.is_clearing = true;
        let (workshop, events) = (self.workshop()?, self.events.clone());
        let clear = move || {
            let _ = catch_unwind(AssertUnwindSafe(|| work.iter().for_each(|work| workshop.discard(work))));
            let _ = events.send(Event::Cleared(seq));
        };
        // On a thread of its own: it takes a few git commands, and all others may have long work to do.
        if let Err(clear) = std::thread::Builder::new().name("clear".to_owned()).spawn(clear) {
            let problem =
                shared::Problem::new("cannot start a thread to remove the work of a draft").because(clear);
            return Err(Halt::Failed(problem));
        }
        Ok(true)
    }

    /// Keeps one draft of a race that is over, and writes the others down as paid.
    fn conclude(&mut self, seq: Seq) -> Result<(), Halt> {
        if self.clear_lost_work(seq)? {
            return Ok(());
        }
        let Some(mut held) = self.take_out(seq) else { return Ok(()) };
        let (Some(race), Some(attempt)) = (held.race.take(), &mut held.attempt) else { return Ok(()) };
        let expected = race.expected;
        let Settled { kept, rivals, accepted, started, out } = race.settle();
        self.purse.settle(expected, rivals.iter().filter_map(|rival| rival.cost_usd).sum());
        if let Some(told) = &mut attempt.race {
            told.started = started;
            told.accepted = (started > 0).then_some(accepted);
            told.reason = told.reason.take().or_else(|| out.as_ref().map(|(_, why)| why.clone()));
        }
        attempt.lost.extend(rivals);
        match kept {
            Some(kept) => {
                let dispatch = Dispatch { race: attempt.race.clone(), rivals: attempt.lost.clone(), ..*kept };
                self.end_attempt(seq, held, dispatch)
            }
            // All have declined, there was no money for any, or nothing is started any more.
            None => {
                let goes_on = self.stopping.is_none() && attempt.next_place();
                self.put_back(seq, held);
                match out {
                    _ if goes_on => self.send_on(seq),
                    Some((status, why)) => self.settle_unrun(seq, status, why),
                    None => self.abandon(seq),
                }
            }
        }
    }

    /// Lets the next backend of the tier do what this one could not: its server is out of reach, its key is refused or its
    /// account is spent. What it has cost stays in the books. Returns what is to be done otherwise.
    pub(super) fn fall_back(
        &mut self,
        seq: Seq,
        mut held: Held,
        dispatch: Dispatch,
    ) -> Result<Option<(Held, Dispatch)>, Halt> {
        let could_not =
            matches!(dispatch.status, Status::Transport | Status::Auth | Status::Quota | Status::Unavailable);
        let Some(attempt) = held.attempt.as_mut().filter(|_| could_not && self.stopping.is_none()) else {
            return Ok(Some((held, dispatch)));
        };
        if !attempt.next_place() {
            return Ok(Some((held, dispatch)));
        }
        let why = dispatch.reason.clone().unwrap_or_default();
        let rival =
            speculate::rival(&dispatch, Some(format!("the next backend of the tier took over: {why}")));
        attempt.lost = dispatch.rivals;
        attempt.lost.push(rival.clone());
        let (key, id) = (attempt.key, held.record.id().unwrap_or_default().to_owned());
        if let Some(journal) = self.journal()? {
            journal.lost(key, &id, &rival).map_err(journal_problem)?;
        }
        self.put_back(seq, held);
        self.send_on(seq)?;
        Ok(None)
    }
}
