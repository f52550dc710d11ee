//! Where the engine meets the queue: as a dispatcher it gives tasks out and takes results in, as a worker it takes tasks in and gives
//! results out. Everything between is as it always is.
//!
//! A record whose task was started more than once waits at the end for all drafts that were started, so that what they have cost
//! leaves with it; those that depend on it do not wait.

use std::collections::{HashMap, HashSet};

use shared::section::{Decision, Dispatch, Rival, Status};
use shared::{Problem, Record};

use super::{Engine, Event, Halt, Held, Input, journal_problem};
use crate::broker::carry::{self, Wanted};
use crate::broker::ledger::{Ledger, Verdict};
use crate::broker::wire::{self, Draft, Event as Word, Order, Report, VERSION};
use crate::broker::{Exchange, Outcome, Serve, Taken, Told, unmade};
use crate::incoming::{Known, Need};
use crate::journal::Key;
use crate::perform::Arrived;
use crate::results::Handed;
use crate::schedule::{IdHash, Seq};

/// What a dispatcher knows of the tasks that it has given out.
pub(super) struct GivenOut {
    exchange: Exchange,
    ledger: Ledger,
    /// The attempts that have no result yet.
    given: HashMap<String, Seq>,
    /// Reports on tasks that have not been read yet.
    waiting: HashMap<String, Vec<(u64, Report)>>,
    /// Reports that are confirmed when the record has left.
    unconfirmed: HashMap<String, Vec<u64>>,
    /// What was paid for attempts that have no result yet.
    paid: HashMap<String, Vec<Rival>>,
    /// Records that wait for drafts that were started.
    held_back: HashMap<Seq, HeldBack>,
    /// Attempts whose result is being unpacked.
    unpacking: HashSet<String>,
    /// Attempts whose record has left.
    left: HashSet<String>,
    /// Attempts that were not in the queue when it was last looked at.
    missing: HashSet<String>,
    /// The commit that the user's checkout stands at.
    head: Option<String>,
}

struct HeldBack {
    key: Key,
    record: Option<Record>,
}

/// What a worker knows of the tasks that it has taken.
pub(super) struct Serving {
    serve: Serve,
    /// Each with the number of the attempt before.
    orders: HashMap<Seq, (Draft, u32)>,
}

/// What an order brings that a record of the input has to find.
pub(super) struct Given {
    pub(super) inputs: Vec<Handed>,
    pub(super) commit: Option<String>,
    pub(super) bundle: Option<String>,
}

impl Engine {
    /// Connects to the queue, if there is one.
    pub(super) fn connect(&mut self) -> Result<(), Halt> {
        let events = self.events.clone();
        if let Some(queue) = &self.config.queue {
            let state = if self.config.journal { Some(self.state()?) } else { None };
            let tell = move |told| drop(events.send(Event::Told(told)));
            let resume = self.config.resume;
            let exchange = Exchange::open(queue, state.as_deref(), resume, &self.diagnostics, tell);
            let mut exchange = exchange.map_err(Halt::Failed)?;
            let mut waiting: HashMap<String, Vec<(u64, Report)>> = HashMap::new();
            for (number, report) in std::mem::take(&mut exchange.early) {
                waiting.entry(report.key.clone()).or_default().push((number, report));
            }
            let head = self.config.worktrees.then(|| carry::head(&self.config.root.path)).flatten();
            self.given_out = Some(GivenOut {
                exchange,
                ledger: Ledger::default(),
                given: HashMap::new(),
                waiting,
                unconfirmed: HashMap::new(),
                paid: HashMap::new(),
                held_back: HashMap::new(),
                unpacking: HashSet::new(),
                left: HashSet::new(),
                missing: HashSet::new(),
                head,
            });
        } else if let Some(queue) = &self.config.worker {
            let state = self.state()?;
            let deliver = move |taken| drop(events.send(Event::Taken(Box::new(taken))));
            let name = self.config.worker_name.as_deref();
            let (jobs, place) = (self.config.jobs, (state.as_path(), self.config.root.path.as_path()));
            let serve = Serve::start(queue, name, jobs, place, &self.diagnostics, deliver);
            let serve = serve.map_err(Halt::Failed)?;
            self.diagnostics.note(format!("{} takes tasks from {}", serve.name, queue.shown()));
            self.serving = Some(Serving { serve, orders: HashMap::new() });
        }
        Ok(())
    }

    /// Ends the connection, when everything that is to be said was said.
    pub(super) fn disconnect(&mut self, has_reader: bool) {
        if let Some(given_out) = &mut self.given_out {
            if !has_reader {
                given_out.exchange.withdraw_all();
            }
            given_out.exchange.close();
        }
        if let Some(serving) = &mut self.serving {
            serving.serve.close();
        }
    }

    /// Gives a task to whoever takes it, unless it was given out before.
    pub(super) fn give_out(&mut self, seq: Seq) -> Result<(), Halt> {
        let Some(key) = self.key_of(seq) else { return Ok(()) };
        let Some(given_out) = &mut self.given_out else { return Ok(()) };
        given_out.given.insert(key.clone(), seq);
        let is_there = given_out.exchange.present.remove(&key);
        for (number, report) in given_out.waiting.remove(&key).unwrap_or_default() {
            self.heard(number, report)?;
        }
        let Some(given_out) = &mut self.given_out else { return Ok(()) };
        let is_open = given_out.given.contains_key(&key) && !given_out.unpacking.contains(&key);
        if is_open && !is_there {
            self.publish(seq)?;
        }
        Ok(())
    }

    fn publish(&mut self, seq: Seq) -> Result<(), Halt> {
        let Some(inputs) = self.ready_inputs(seq)? else { return Ok(()) };
        let Some(key) = self.key_of(seq) else { return Ok(()) };
        let (Some(held), Some(given_out)) = (self.held.get(&seq), &self.given_out) else { return Ok(()) };
        let repaired = match (&held.need, &held.known.dispatch) {
            (Need::Escalated(_, Decision::Fix), Some(last)) => last.branch.clone(),
            _ => None,
        };
        let branches = inputs.iter().filter(|input| input.commit.is_some());
        let branches = branches.filter_map(|input| input.branch.clone()).chain(repaired).collect::<Vec<_>>();
        let wanted = given_out.head.clone().filter(|_| !branches.is_empty()).map(|but| Wanted {
            root: self.config.root.path.clone(),
            branches,
            but,
        });
        let order = Order {
            version: VERSION,
            key,
            reply: given_out.exchange.reply.clone(),
            record: wire::pared(&held.record),
            need: held.need.clone(),
            inputs,
            files: Vec::new(),
            commit: given_out.head.clone(),
            bundle: None,
        };
        given_out.exchange.order(order, wanted);
        Ok(())
    }

    /// Hears what the queue has to tell.
    pub(super) fn told(&mut self, told: Told) -> Result<(), Halt> {
        match told {
            Told::Report(number, report) => self.heard(number, *report),
            Told::Present(present) => self.audited(&present),
            Told::Failed(key, problem) => {
                let Some(given_out) = &mut self.given_out else { return Ok(()) };
                let Some(seq) = given_out.given.remove(&key) else { return Ok(()) };
                self.make_room(seq);
                self.settle_unrun(seq, Status::Failed, problem.full_message())
            }
        }
    }

    fn heard(&mut self, number: u64, report: Report) -> Result<(), Halt> {
        let Some(given_out) = &mut self.given_out else { return Ok(()) };
        let key = report.key.clone();
        let is_known = given_out.given.contains_key(&key) || given_out.left.contains(&key);
        if !is_known && given_out.held_back_by(&key).is_none() {
            // Its record may come yet.
            given_out.waiting.entry(key).or_default().push((number, report));
            return Ok(());
        }
        given_out.unconfirmed.entry(key.clone()).or_default().push(number);
        let Report { draft, event, .. } = report;
        let Word::Ended { dispatch, is_final, whole, bundle } = event else {
            given_out.ledger.started(&key, &draft);
            return Ok(());
        };
        match given_out.ledger.ended(&key, &draft, is_final) {
            Verdict::Again => {}
            Verdict::Late => return self.book(&key, &draft, dispatch, is_final),
            Verdict::Accept => {
                let Some(seq) = given_out.given.get(&key).copied() else { return Ok(()) };
                let Some(held) = self.held.get(&seq) else { return Ok(()) };
                let id = held.record.id().unwrap_or_default().to_owned();
                let number = held.attempt.as_ref().map_or(1, |attempt| attempt.number);
                let arrived = Arrived { id, attempt: number, key: key.clone(), dispatch, whole, bundle };
                if !arrived.is_packed() {
                    // Where the worker has looked is no place here.
                    let mut arrived = arrived;
                    arrived.dispatch.worktree = None;
                    return self.accept(seq, &draft, arrived.dispatch);
                }
                given_out.unpacking.insert(key);
                let workshop = self.workshop()?;
                let events = self.events.clone();
                self.pool.spawn(move || {
                    let dispatch = workshop.unpack(arrived);
                    let _ = events.send(Event::Unpacked(seq, draft, Box::new(dispatch)));
                });
            }
        }
        Ok(())
    }

    /// Takes a result.
    pub(super) fn accept(&mut self, seq: Seq, draft: &Draft, dispatch: Dispatch) -> Result<(), Halt> {
        let ticket = self.held.get_mut(&seq).and_then(|held| held.tickets.drain().next());
        let ticket = ticket.map(|(_, ticket)| ticket);
        self.make_room(seq);
        let Some(held) = self.take_out(seq) else { return Ok(()) };
        let Some(attempt) = &held.attempt else { return Ok(()) };
        let (key, lane) = (attempt.key, attempt.step().map_or(0, |step| step.lane));
        let mut dispatch = Dispatch {
            attempt: attempt.number,
            inputs: attempt.inputs.clone(),
            earlier: attempt.earlier.clone(),
            worker: Some(draft.worker.clone()),
            ..dispatch
        };
        if let Some(given_out) = &mut self.given_out {
            let name = key.to_hex();
            given_out.given.remove(&name);
            given_out.unpacking.remove(&name);
            given_out.missing.remove(&name);
            dispatch.rivals.extend(given_out.paid.remove(&name).unwrap_or_default());
            if given_out.ledger.is_open(&name) {
                given_out.held_back.insert(seq, HeldBack { key, record: None });
            }
        }
        self.spent += dispatch.paid_now().1.unwrap_or(0.0);
        let consequences = ticket.map(|ticket| self.taken(ticket, &dispatch));
        let id = held.record.id().unwrap_or_default().to_owned();
        if let Some(journal) = self.journal()? {
            journal.finished(key, &id, &dispatch).map_err(journal_problem)?;
        }
        let is_held_back =
            self.given_out.as_ref().is_some_and(|given_out| given_out.held_back.contains_key(&seq));
        if !is_held_back {
            self.confirm(key);
        }
        self.settle(seq, held.line, held.record, held.id, &held.known, Some(dispatch))?;
        consequences.map_or(Ok(()), |consequences| self.draw(lane, &id, consequences))
    }

    /// Puts into the books what was paid for and is not the result.
    fn book(&mut self, key: &str, draft: &Draft, late: Dispatch, is_final: bool) -> Result<(), Halt> {
        let rivals = lost(draft, &late, is_final);
        let cost: f64 = rivals.iter().filter_map(|rival| rival.cost_usd).sum();
        let Some(given_out) = &mut self.given_out else { return Ok(()) };
        if given_out.given.contains_key(key) {
            given_out.paid.entry(key.to_owned()).or_default().extend(rivals);
            return Ok(());
        }
        self.spent += cost;
        let Some(seq) = given_out.held_back_by(key) else {
            // The record has left; the queue keeps the report for a run that goes on from the journal.
            if let Some(numbers) = given_out.unconfirmed.get_mut(key) {
                numbers.pop();
            }
            let worker = &draft.worker;
            let told = format!(
                "a result of {worker} came after the record had left: ${cost:.4} were paid for nothing and are not in it; \
                 with --resume they will be"
            );
            self.bar.aside(|| self.diagnostics.warning(told));
            return Ok(());
        };
        let Some(held_back) = given_out.held_back.get_mut(&seq) else { return Ok(()) };
        let (name, is_open) = (held_back.key, given_out.ledger.is_open(key));
        if let Some(record) = &mut held_back.record
            && let Ok(Some(mut dispatch)) = record.get::<Dispatch>()
        {
            dispatch.rivals.extend(rivals);
            record.set(&dispatch);
            let id = record.id().unwrap_or_default().to_owned();
            if let Some(journal) = self.journal()? {
                journal.finished(name, &id, &dispatch).map_err(journal_problem)?;
            }
        }
        if is_open { Ok(()) } else { self.let_go(seq) }
    }

    /// Puts into a result of an earlier run what was told of other drafts since.
    pub(super) fn catch_up(&mut self, key: Key, id: &str, dispatch: &mut Dispatch) -> Result<(), Halt> {
        let name = key.to_hex();
        let Some(given_out) = &mut self.given_out else { return Ok(()) };
        let mut is_news = false;
        for (number, report) in given_out.waiting.remove(&name).unwrap_or_default() {
            given_out.unconfirmed.entry(name.clone()).or_default().push(number);
            let Word::Ended { dispatch: late, is_final, .. } = &report.event else { continue };
            let is_taken = dispatch.worker.as_ref() == Some(&report.draft.worker)
                && dispatch.started_at == late.started_at;
            let rivals = lost(&report.draft, late, *is_final);
            if !is_taken && !rivals.iter().all(|rival| dispatch.rivals.contains(rival)) {
                dispatch.rivals.extend(rivals);
                is_news = true;
            }
        }
        given_out.left.insert(name);
        if is_news && let Some(journal) = self.journal()? {
            journal.finished(key, id, dispatch).map_err(journal_problem)?;
        }
        self.confirm(key);
        Ok(())
    }

    /// Tells the queue that what was told of an attempt is in the books.
    fn confirm(&mut self, key: Key) {
        let Some(given_out) = &mut self.given_out else { return };
        let key = key.to_hex();
        for number in given_out.unconfirmed.remove(&key).unwrap_or_default() {
            given_out.exchange.confirm(number);
        }
        given_out.left.insert(key);
    }

    /// Lets a record go that has waited for other drafts.
    fn let_go(&mut self, seq: Seq) -> Result<(), Halt> {
        let Some(given_out) = &mut self.given_out else { return Ok(()) };
        let Some(HeldBack { key, record }) = given_out.held_back.remove(&seq) else { return Ok(()) };
        self.confirm(key);
        record.map_or(Ok(()), |record| self.let_out(seq, &record))
    }

    /// Lets all records go that wait for drafts of which nobody tells, when there is nothing else to wait for.
    pub(super) fn let_all_go(&mut self) -> Result<(), Halt> {
        let Some(given_out) = &self.given_out else { return Ok(()) };
        let mut waiting: Vec<Seq> = given_out.held_back.keys().copied().collect();
        waiting.sort_unstable();
        let keys = given_out.held_back.values().map(|held_back| held_back.key.to_hex());
        let keys = keys.collect::<Vec<_>>();
        let drafts: Vec<&Draft> = keys.iter().flat_map(|key| given_out.ledger.outstanding(key)).collect();
        if !drafts.is_empty() {
            let mut workers: Vec<&str> = drafts.iter().map(|draft| draft.worker.as_str()).collect();
            workers.sort_unstable();
            workers.dedup();
            let told = format!(
                "{} drafts were started by {} and never told of; what they may have cost is not known",
                drafts.len(),
                workers.join(", ")
            );
            self.bar.aside(|| self.diagnostics.warning(told));
        }
        waiting.into_iter().try_for_each(|seq| self.let_go(seq))
    }

    /// Keeps a record that has to wait; tells whether it does.
    pub(super) fn is_held_back(&mut self, seq: Seq, record: &Record) -> bool {
        let Some(given_out) = &mut self.given_out else { return false };
        let Some(held_back) = given_out.held_back.get_mut(&seq) else { return false };
        held_back.record = Some(record.clone());
        true
    }

    /// Gives out again what has vanished from the queue without a result: somebody has emptied it, or its disk was lost.
    fn audited(&mut self, present: &HashSet<String>) -> Result<(), Halt> {
        let Some(given_out) = &mut self.given_out else { return Ok(()) };
        // Its worker has died between the result and the confirmation; nobody is to do it again.
        for key in present.iter().filter(|key| given_out.left.contains(*key)) {
            given_out.exchange.withdraw(key);
        }
        let is_gone = |key: &&String| !present.contains(*key) && !given_out.unpacking.contains(*key);
        let gone: HashSet<String> = given_out.given.keys().filter(is_gone).cloned().collect();
        // A result may be on its way to us; so only what is gone twice is gone.
        let lost: Vec<Seq> = gone
            .iter()
            .filter(|key| given_out.missing.contains(*key))
            .filter_map(|key| given_out.given.get(key).copied())
            .collect();
        given_out.missing = gone;
        if !lost.is_empty() {
            let told = format!("{} tasks have vanished from the queue and are given out again", lost.len());
            self.bar.aside(|| self.diagnostics.warning(told));
        }
        lost.into_iter().try_for_each(|seq| self.publish(seq))
    }

    /// Takes everything back that has no result, because the run is stopping; those tasks leave as they came.
    pub(super) fn take_back(&mut self) {
        if let Some(serving) = &self.serving {
            serving.serve.stop();
            self.input = Input::Ended;
        }
        let Some(given_out) = &mut self.given_out else { return };
        given_out.exchange.withdraw_all();
        let unpacking = &given_out.unpacking;
        let back: Vec<Seq> = given_out
            .given
            .iter()
            .filter(|(key, _)| !unpacking.contains(*key))
            .map(|(_, seq)| *seq)
            .collect();
        given_out.given.retain(|key, _| unpacking.contains(key));
        back.into_iter().for_each(|seq| self.make_room(seq));
    }

    /// Frees the place of a task that is with a worker.
    fn make_room(&mut self, seq: Seq) {
        let Some(held) = self.held.get_mut(&seq) else { return };
        if let Some(place) = held.running.take() {
            self.queue.end(place);
        }
        for (_, ticket) in held.tickets.drain() {
            self.limits.give_back(ticket);
        }
    }

    fn key_of(&self, seq: Seq) -> Option<String> {
        self.held.get(&seq)?.attempt.as_ref().map(|attempt| attempt.key.to_hex())
    }

    /// Takes a task that this worker was given.
    pub(super) fn take_order(&mut self, taken: Taken) -> Result<(), Halt> {
        let Taken { draft, order } = taken;
        let is_stopping = self.stopping.is_some();
        let Some(serving) = &mut self.serving else { return Ok(()) };
        if is_stopping {
            serving.serve.tell(draft, Outcome::Unbegun);
            return Ok(());
        }
        let read = Record::parse(order.record.get().to_owned());
        let read = read.and_then(|record| Ok((Known::of(&record)?, record)));
        let (known, record) = match read.and_then(|read| Ok((read, self.inputs_of(&order)?))) {
            Ok(((known, record), inputs)) => {
                let given = Given { inputs, commit: order.commit, bundle: order.bundle };
                return self.hold(draft, known, record, order.need, given);
            }
            Err(problem) => (problem, draft),
        };
        let (problem, draft) = (known, record);
        let Some(serving) = &self.serving else { return Ok(()) };
        let dispatch = unmade(Status::Unavailable, problem.full_message());
        serving.serve.tell(draft, Outcome::Ended(Box::new(dispatch)));
        Ok(())
    }

    fn hold(
        &mut self,
        draft: Draft,
        known: Known,
        record: Record,
        need: Need,
        given: Given,
    ) -> Result<(), Halt> {
        let seq = self.order.open();
        self.bar.came_in();
        // The same task may come here twice, and tasks of several dispatchers may have one name.
        let id =
            IdHash::of(&format!("{} {} {}", record.id().unwrap_or_default(), draft.place, draft.delivery));
        let before = known.dispatch.as_ref().map_or(0, |last| last.attempt);
        let _ = self.results.claim(id, seq);
        if self.schedule.insert(seq, id, Vec::new()) {
            self.released.push_back(seq);
        }
        let bytes = record.to_line().len() as u64;
        self.held_bytes += bytes;
        self.held.insert(
            seq,
            Held {
                line: seq,
                record,
                known: Box::new(known),
                need,
                id,
                bytes,
                attempt: None,
                parts: None,
                running: None,
                cancel: Default::default(),
                tickets: HashMap::new(),
                race: None,
                wish: None,
                given: Some(Box::new(given)),
            },
        );
        if let Some(serving) = &mut self.serving {
            serving.orders.insert(seq, (draft, before));
        }
        Ok(())
    }

    /// Returns the results that an order builds on, as they are found here.
    fn inputs_of(&self, order: &Order) -> Result<Vec<Handed>, Problem> {
        let outputs = self.config.root.path.join(shared::state::DIRECTORY).join("outputs");
        order
            .inputs
            .iter()
            .map(|input| {
                let sent = input.file.as_ref().and_then(|file| order.file(file));
                let file = sent.map(|bytes| carry::put_down(&outputs, &input.id, &bytes?)).transpose()?;
                // Where the dispatcher has its trees says nothing here.
                Ok(Handed { file, worktree: None, ..input.clone() })
            })
            .collect()
    }

    /// Tells the dispatcher what has become of its task.
    pub(super) fn tell_dispatcher(&mut self, seq: Seq, record: &Record) {
        let Some(serving) = &mut self.serving else { return };
        let Some((draft, before)) = serving.orders.remove(&seq) else { return };
        let made = record.get::<Dispatch>().ok().flatten().filter(|dispatch| dispatch.attempt > before);
        let outcome = match made {
            Some(dispatch) => Outcome::Ended(Box::new(dispatch)),
            None if record.has_errors() => {
                let reason =
                    format!("the worker cannot process it: {}", record.raw("errors").unwrap_or_default());
                Outcome::Ended(Box::new(unmade(Status::Unavailable, reason)))
            }
            None => Outcome::Unbegun,
        };
        serving.serve.tell(draft, outcome);
    }
}

impl GivenOut {
    /// Tells whether nothing is left but records that wait for drafts.
    pub(super) fn waits_for_drafts(&self) -> bool {
        !self.held_back.is_empty() && self.unpacking.is_empty()
    }

    /// Returns the place of the record that waits for drafts of an attempt.
    fn held_back_by(&self, key: &str) -> Option<Seq> {
        self.held_back.iter().find(|(_, held_back)| held_back.key.to_hex() == key).map(|(seq, _)| *seq)
    }
}

/// Returns what was paid for a draft that is not the result, with those that it has won against on its worker.
fn lost(draft: &Draft, late: &Dispatch, is_final: bool) -> Vec<Rival> {
    let Draft { place, delivery, worker } = draft;
    let reason = match (is_final, &late.reason) {
        (true, _) => format!("worker {worker} (delivery {delivery} of {place}) was late"),
        (false, Some(reason)) => {
            format!("worker {worker} (delivery {delivery} of {place}) could not: {reason}")
        }
        (false, None) => format!("worker {worker} (delivery {delivery} of {place}) could not"),
    };
    let was_paid = late.usage.is_some() || late.cost_usd.is_some_and(|cost| cost > 0.0);
    let own = Rival {
        tier: late.tier,
        backend: late.backend.clone(),
        model: late.model.clone(),
        status: late.status,
        usage: late.usage,
        cost_usd: late.cost_usd,
        elapsed_ms: late.elapsed_ms,
        reason: Some(reason),
    };
    // A worker that only said no was paid nothing.
    let own = (is_final || was_paid).then_some(own);
    own.into_iter().chain(late.rivals.iter().cloned()).collect()
}
