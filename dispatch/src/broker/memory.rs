//! A queue in memory that behaves as JetStream does, for tests of what dispatchers and workers decide: random interleavings of
//! deliveries, deaths, freezes, duplicates, lost confirmations and restarts, and what must hold after each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;
use shared::section::Status;

use super::lease::{Effect, Leases, REFUSALS};
use super::ledger::{Ledger, Verdict};
use super::wire::Draft;

const ACK_WAIT: Duration = Duration::from_secs(30);
const MAX_DELIVER: u64 = 40;

/// What both ends need of a queue.
trait Broker {
    /// Puts a task in, unless it is there.
    fn put(&mut self, key: usize) -> bool;
    /// Takes the next task out, for a while: its key, its place, and how many times it was delivered.
    fn pull(&mut self) -> Option<(usize, u64, u64)>;
    /// Extends the while.
    fn touch(&mut self, place: u64);
    /// Removes a task.
    fn ack(&mut self, place: u64);
    /// Makes a task available again after a time.
    fn nak(&mut self, place: u64, delay: Duration);
    /// Sends a report; a second one of the same id is dropped.
    fn report(&mut self, id: String, said: Said);
}

/// A report, in short.
#[derive(Clone, Debug)]
struct Said {
    key: usize,
    draft: Draft,
    /// What it cost and whether it is a result; none if it only starts.
    ended: Option<(u64, bool)>,
}

#[derive(Debug, Default)]
struct Memory {
    now: Duration,
    places: u64,
    /// Place → key, how often delivered, and when it is available.
    tasks: BTreeMap<u64, (usize, u64, Duration)>,
    seen: BTreeSet<String>,
    /// Reports that the dispatcher has not confirmed, with their numbers.
    reports: BTreeMap<u64, Said>,
    numbers: u64,
    /// The next numbers to hand to the dispatcher.
    to_deliver: VecDeque<u64>,
}

impl Broker for Memory {
    fn put(&mut self, key: usize) -> bool {
        if self.tasks.values().any(|(there, ..)| *there == key) {
            return false;
        }
        self.places += 1;
        self.tasks.insert(self.places, (key, 0, self.now));
        true
    }

    fn pull(&mut self) -> Option<(usize, u64, u64)> {
        let now = self.now;
        let (place, (key, delivered, available)) =
            self.tasks.iter_mut().find(|(_, (_, _, available))| *available <= now)?;
        *delivered += 1;
        *available = now + ACK_WAIT;
        Some((*key, *place, *delivered))
    }

    fn touch(&mut self, place: u64) {
        if let Some((_, _, available)) = self.tasks.get_mut(&place) {
            *available = self.now + ACK_WAIT;
        }
    }

    fn ack(&mut self, place: u64) {
        self.tasks.remove(&place);
    }

    fn nak(&mut self, place: u64, delay: Duration) {
        if let Some((_, _, available)) = self.tasks.get_mut(&place) {
            *available = self.now + delay;
        }
    }

    fn report(&mut self, id: String, said: Said) {
        if self.seen.insert(id) {
            self.numbers += 1;
            self.reports.insert(self.numbers, said);
            self.to_deliver.push_back(self.numbers);
        }
    }
}

/// A worker: its leases, what it runs, and what it has finished and not told (its outbox).
struct Worker {
    name: String,
    leases: Leases,
    running: Vec<(usize, Draft)>,
    untold: Vec<(usize, Draft, u64)>,
    is_frozen: bool,
    /// When it started or was frozen: its clock stands still then.
    lives: u32,
}

struct World {
    queue: Memory,
    workers: Vec<Worker>,
    ledger: Ledger,
    /// The journal: what was accepted, and what was paid for nothing.
    accepted: BTreeMap<usize, u64>,
    times_accepted: BTreeMap<usize, u32>,
    paid: u64,
    /// What the executors have spent and somebody can still tell.
    spent: u64,
    tasks: usize,
}

#[derive(Clone, Debug)]
enum Step {
    Pull(usize),
    Finish(usize, usize),
    Refuse(usize, usize),
    /// Dies with everything in memory; what was in its outbox is on its disk.
    Die(usize),
    /// Dies after its executor has ended and the outbox is written, before anything was told.
    DieUntold(usize, usize),
    /// Dies after it has told and before it has confirmed.
    DieUnconfirmed(usize, usize),
    Freeze(usize),
    Thaw(usize),
    Interrupt(usize),
    Wait(u64),
    Deliver(usize),
    /// A report comes a second time.
    Repeat(usize),
    /// The dispatcher is killed and goes on from its journal.
    Restart,
    /// A task vanishes from the queue.
    Vanish(usize),
    /// The dispatcher gives out what is missing.
    Audit,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let worker = 0..3usize;
    let step = prop_oneof![
        6 => worker.clone().prop_map(Step::Pull),
        5 => (worker.clone(), 0..8usize).prop_map(|(worker, at)| Step::Finish(worker, at)),
        1 => (worker.clone(), 0..8usize).prop_map(|(worker, at)| Step::Refuse(worker, at)),
        1 => worker.clone().prop_map(Step::Die),
        1 => (worker.clone(), 0..8usize).prop_map(|(worker, at)| Step::DieUntold(worker, at)),
        1 => (worker.clone(), 0..8usize).prop_map(|(worker, at)| Step::DieUnconfirmed(worker, at)),
        1 => worker.clone().prop_map(Step::Freeze),
        2 => worker.clone().prop_map(Step::Thaw),
        1 => worker.prop_map(Step::Interrupt),
        4 => (1..40u64).prop_map(Step::Wait),
        6 => (0..8usize).prop_map(Step::Deliver),
        1 => (0..8usize).prop_map(Step::Repeat),
        1 => Just(Step::Restart),
        1 => (0..8usize).prop_map(Step::Vanish),
        1 => Just(Step::Audit),
    ];
    prop::collection::vec(step, 1..160)
}

impl World {
    fn new(tasks: usize) -> World {
        let worker = |at: usize| Worker {
            name: format!("w{at}.0"),
            leases: Leases::new(ACK_WAIT, MAX_DELIVER),
            running: Vec::new(),
            untold: Vec::new(),
            is_frozen: false,
            lives: 0,
        };
        let mut world = World {
            queue: Memory::default(),
            workers: (0..3).map(worker).collect(),
            ledger: Ledger::default(),
            accepted: BTreeMap::new(),
            times_accepted: BTreeMap::new(),
            paid: 0,
            spent: 0,
            tasks,
        };
        (0..tasks).for_each(|key| {
            world.queue.put(key);
        });
        world
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Pull(at) => self.pull(at),
            Step::Finish(at, which) => self.end(at, which, Status::Ok),
            Step::Refuse(at, which) => self.end(at, which, Status::Unavailable),
            Step::Die(at) => self.die(at),
            Step::DieUntold(at, which) => {
                if let Some((key, draft, cost)) = self.finish(at, which) {
                    self.workers[at].untold.push((key, draft, cost));
                    self.die(at);
                }
            }
            Step::DieUnconfirmed(at, which) => {
                if let Some((key, draft, cost)) = self.finish(at, which) {
                    self.say(key, &draft, Some((cost, true)));
                    self.die(at);
                }
            }
            Step::Freeze(at) => self.workers[at].is_frozen = true,
            Step::Thaw(at) => self.workers[at].is_frozen = false,
            Step::Interrupt(at) => {
                while !self.workers[at].is_frozen && !self.workers[at].running.is_empty() {
                    self.end(at, 0, Status::Cancelled);
                }
            }
            Step::Wait(seconds) => self.wait(seconds),
            Step::Deliver(which) => self.deliver(which),
            Step::Repeat(which) => {
                let numbers: Vec<u64> = self.queue.reports.keys().copied().collect();
                if let Some(number) = numbers.get(which % numbers.len().max(1)) {
                    self.queue.to_deliver.push_back(*number);
                }
            }
            Step::Restart => {
                // What was accepted is in the journal; everything unconfirmed comes again, in the order it was told.
                self.ledger = Ledger::default();
                self.queue.to_deliver = self.queue.reports.keys().copied().collect();
            }
            Step::Vanish(which) => {
                let places: Vec<u64> = self.queue.tasks.keys().copied().collect();
                if let Some(place) = places.get(which % places.len().max(1)) {
                    self.queue.ack(*place);
                }
            }
            Step::Audit => self.audit(),
        }
    }

    fn audit(&mut self) {
        for key in 0..self.tasks {
            if !self.accepted.contains_key(&key) {
                self.queue.put(key);
            }
        }
    }

    fn pull(&mut self, at: usize) {
        if self.workers[at].is_frozen || self.workers[at].running.len() >= 3 {
            return;
        }
        let Some((key, place, delivery)) = self.queue.pull() else { return };
        let draft = Draft { place, delivery, worker: self.workers[at].name.clone() };
        let now = self.queue.now;
        for effect in self.workers[at].leases.delivered(draft, now) {
            self.perform(at, key, 0, effect);
        }
    }

    /// Takes a draft that has come to its end, and counts what it cost.
    fn finish(&mut self, at: usize, which: usize) -> Option<(usize, Draft, u64)> {
        let worker = &mut self.workers[at];
        if worker.is_frozen || worker.running.is_empty() {
            return None;
        }
        let (key, draft) = worker.running.remove(which % worker.running.len());
        let cost = 1 + draft.place * 7 + draft.delivery;
        self.spent += cost;
        Some((key, draft, cost))
    }

    fn end(&mut self, at: usize, which: usize, status: Status) {
        let Some((key, draft, cost)) = self.finish(at, which) else { return };
        for effect in self.workers[at].leases.ended(&draft, status) {
            self.perform(at, key, cost, effect);
        }
    }

    fn perform(&mut self, at: usize, key: usize, cost: u64, effect: Effect) {
        match effect {
            Effect::Announce(draft) => self.say(key, &draft, None),
            Effect::Run(draft) => self.workers[at].running.push((key, draft)),
            Effect::Touch(draft) => self.queue.touch(draft.place),
            Effect::Report { draft, is_final } => self.say(key, &draft, Some((cost, is_final))),
            Effect::GiveUp(draft) => self.say(key, &draft, Some((0, true))),
            Effect::Ack(draft) => {
                self.queue.ack(draft.place);
                self.workers[at].leases.released(&draft);
            }
            Effect::Nak(draft, delay) => {
                self.queue.nak(draft.place, delay);
                self.workers[at].leases.released(&draft);
            }
        }
    }

    fn say(&mut self, key: usize, draft: &Draft, ended: Option<(u64, bool)>) {
        let id = format!("{key} {draft:?} {}", ended.is_some());
        self.queue.report(id, Said { key, draft: draft.clone(), ended });
    }

    /// Dies, and is started again under another name, with the outbox that it has left.
    fn die(&mut self, at: usize) {
        let worker = &mut self.workers[at];
        worker.running.clear();
        worker.leases = Leases::new(ACK_WAIT, MAX_DELIVER);
        worker.lives += 1;
        worker.name = format!("w{at}.{}", worker.lives);
        worker.is_frozen = false;
        for (key, draft, cost) in std::mem::take(&mut worker.untold) {
            self.say(key, &draft, Some((cost, true)));
        }
    }

    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.queue.now += Duration::from_secs(1);
            for at in 0..self.workers.len() {
                if self.workers[at].is_frozen {
                    continue;
                }
                let now = self.queue.now;
                for effect in self.workers[at].leases.tick(now) {
                    self.perform(at, 0, 0, effect);
                }
            }
        }
    }

    /// Hands a report to the dispatcher, not always in the order in which they were sent.
    fn deliver(&mut self, which: usize) {
        let length = self.queue.to_deliver.len();
        let Some(number) = self.queue.to_deliver.remove(which % length.max(1)) else { return };
        let Some(Said { key, draft, ended }) = self.queue.reports.get(&number).cloned() else { return };
        let Some((cost, is_final)) = ended else {
            self.ledger.started(&key.to_string(), &draft);
            return;
        };
        let name = key.to_string();
        let verdict = self.ledger.ended(&name, &draft, is_final);
        match verdict {
            Verdict::Again => {}
            // The journal has a result already, of a life before.
            Verdict::Accept if self.accepted.contains_key(&key) => self.paid += cost,
            Verdict::Accept => {
                self.accepted.insert(key, cost);
                *self.times_accepted.entry(key).or_default() += 1;
                let places = self.queue.tasks.iter().filter(|(_, (there, ..))| *there == key);
                for place in places.map(|(place, _)| *place).collect::<Vec<_>>() {
                    self.queue.ack(place);
                }
            }
            Verdict::Late => self.paid += cost,
        }
        // It is in the books.
        self.queue.reports.remove(&number);
    }

    /// Comes to the end: everybody works, nobody dies any more.
    fn come_to_an_end(&mut self) {
        for _ in 0..400 {
            self.audit();
            for at in 0..self.workers.len() {
                self.workers[at].is_frozen = false;
                self.pull(at);
                while !self.workers[at].running.is_empty() {
                    self.end(at, 0, Status::Ok);
                }
            }
            while !self.queue.to_deliver.is_empty() {
                self.deliver(0);
            }
            if self.accepted.len() == self.tasks && self.queue.tasks.is_empty() {
                return;
            }
            self.wait(31);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens in between: each task has one result, and everything that was spent is in the books once.
    #[test]
    fn each_task_is_accepted_once_and_every_cost_is_in_the_books(steps in steps(), tasks in 1..9usize) {
        let mut world = World::new(tasks);
        for step in &steps {
            world.step(step);
            prop_assert!(world.times_accepted.values().all(|times| *times == 1));
        }
        world.come_to_an_end();
        prop_assert_eq!(world.accepted.len(), tasks, "a task has no result");
        prop_assert!(world.times_accepted.values().all(|times| *times == 1));
        let books = world.accepted.values().sum::<u64>() + world.paid;
        prop_assert_eq!(books, world.spent);
    }

    /// A worker that is alive keeps what it has: nobody else gets it, however long it takes.
    #[test]
    fn what_a_living_worker_has_is_not_delivered_again(waits in prop::collection::vec(1..25u64, 1..40)) {
        let mut world = World::new(1);
        world.pull(0);
        for seconds in waits {
            world.wait(seconds);
            world.pull(1);
            prop_assert!(world.workers[1].running.is_empty());
        }
        world.end(0, 0, Status::Ok);
        prop_assert!(world.queue.tasks.is_empty());
    }

    /// What every worker refuses comes to an end as a refusal, and not never.
    #[test]
    fn what_everybody_refuses_ends(first in 0..3usize) {
        let mut world = World::new(1);
        for round in 0..REFUSALS as usize {
            let at = (first + round) % 3;
            world.pull(at);
            world.end(at, 0, Status::Auth);
            world.wait(40);
        }
        while !world.queue.to_deliver.is_empty() {
            world.deliver(0);
        }
        prop_assert_eq!(world.accepted.len(), 1);
    }
}

#[test]
fn a_frozen_worker_is_late_and_its_cost_is_kept() {
    let mut world = World::new(1);
    world.pull(0);
    world.step(&Step::Freeze(0));
    world.wait(31);
    world.pull(1);
    world.end(1, 0, Status::Ok);
    world.step(&Step::Thaw(0));
    world.end(0, 0, Status::Ok);
    while !world.queue.to_deliver.is_empty() {
        world.deliver(0);
    }
    assert_eq!(world.times_accepted.values().collect::<Vec<_>>(), [&1]);
    assert_eq!(world.accepted[&0] + world.paid, world.spent);
    assert!(world.paid > 0);
}
