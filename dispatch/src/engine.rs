//! Runs what needs to be run: takes records in, starts each task the moment its inputs are there and a place is free, and
//! lets the records out.
//!
//! One thread decides everything and never waits for anything but the next event. Reading, writing, jobs and the journal's
//! way to the disk have threads of their own; jobs that wait for a network share a runtime, which is started for the first.

mod again;
mod asked;
mod attempt;
mod broker;
mod join;
mod merging;
mod race;
mod settle;
mod supervise;

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use shared::process::Cancel;
use shared::section::{Dispatch, Merge, Status};
use shared::writer::Stopped;
use shared::{Diagnostics, Exit, Io, Problem, Record, interrupt, warden};

use self::attempt::Attempt;
pub(crate) use self::attempt::name_of;
use self::broker::{Given, GivenOut, Serving};
use crate::backend::{Answer, Draft};
use crate::broker::{Taken, Told};
use crate::config::Config;
use crate::control::{Asked, Control};
use crate::emit::{Emitter, Written};
use crate::incoming::{Content, Incoming, Known, Need};
use crate::journal::{Arrivals, Beginning, Journal, Key};
use crate::limits::halt::{Halted, Urgency};
use crate::limits::{Limits, Ticket};
use crate::native::Terms;
use crate::order::Order;
use crate::perform::{Performed, Workshop};
use crate::pool::Pool;
use crate::progress::Bar;
use crate::queue::{Place, Queue};
use crate::reader::{self, Credits, Progress};
use crate::results::{Ending, Results, Standing};
use crate::route::{Backend, Step};
use crate::schedule::{IdHash, Schedule, Seq};
use crate::speculate::{Heat, Purse, Race, Verdict};
use crate::supervise::Causes;
use crate::worktree::Worktrees;

/// How many records are asked for at once.
const CREDIT: usize = 512;

/// How many bytes of unfinished records are held before reading waits.
const HELD: u64 = 24 << 20;

/// How many bytes of finished lines may wait in a file behind an unfinished one before reading waits.
const SPILLED: u64 = 4 << 30;

/// How often an interrupt is looked for while nothing happens.
const LOOK: Duration = Duration::from_millis(50);

/// After an interrupt, records that still come in are let by, as long as the next one is not longer away than this.
const LET_BY: Duration = Duration::from_secs(1);

/// What happens.
enum Event {
    Read(Progress),
    Written(Written),
    Performed(Run, Box<Performed>),
    /// A draft of a race was checked.
    Judged(Run, Verdict),
    /// Work was merged, or not.
    Merged(Seq, Box<Merge>),
    /// What the drafts that lost a race have left is removed.
    Cleared(Seq),
    Asked(Asked),
    /// The queue tells something.
    Told(Told),
    /// The queue gives this worker a task.
    Taken(Box<Taken>),
    /// A result that came packed is unpacked.
    Unpacked(Seq, crate::broker::wire::Draft, Box<Dispatch>),
}

/// What has a place while it runs: a task, or one of the drafts of its race. A first draft comes before all second ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    heat: Heat,
    seq: Seq,
}

/// A run.
pub(crate) struct Engine {
    config: Config,
    diagnostics: Diagnostics,
    workshop: Option<Arc<Workshop>>,
    journal: Option<Journal>,
    /// Where other terminals reach this run, if it keeps a journal.
    _control: Option<Control>,
    /// Read, and not yet noted in the journal.
    arrivals: Arrivals,
    schedule: Schedule,
    queue: Queue<Run>,
    limits: Limits,
    /// What tasks have failed of alike.
    causes: Causes,
    /// Those that wait for what others of the same task have set aside.
    parked: Vec<Run>,
    /// Whether what runs is being ended by us.
    is_ending: bool,
    /// The money for drafts beyond the first.
    purse: Purse,
    order: Order,
    results: Results,
    /// The records that are parts, and of which task.
    parts: HashMap<IdHash, IdHash>,
    /// How the parts of each task have ended that is not joined yet.
    outcomes: HashMap<IdHash, join::Outcomes>,
    merges: merging::Merges,
    held: HashMap<Seq, Held>,
    held_bytes: u64,
    /// Released, and not yet looked at.
    released: VecDeque<Seq>,
    pool: Pool,
    remote: Option<tokio::runtime::Runtime>,
    /// The tasks that are with workers, if they are given to workers.
    given_out: Option<GivenOut>,
    /// The tasks that this worker has taken, if this is one.
    serving: Option<Serving>,
    events: Sender<Event>,
    credits: Credits,
    credit: usize,
    input: Input,
    unreadable: Option<Problem>,
    /// Since when nothing is started any more, or the last record was let by after that.
    stopping: Option<Instant>,
    spent: f64,
    bar: Bar,
    exit: Exit,
}

/// How far the input is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
}

/// A record that is held because something is to be done about it.
struct Held {
    line: u64,
    record: Record,
    known: Box<Known>,
    need: Need,
    id: IdHash,
    bytes: u64,
    attempt: Option<Attempt>,
    /// The parts whose results it joins.
    parts: Option<Vec<String>>,
    /// Where it runs.
    running: Option<Place>,
    /// What is set aside for it, or for each draft of its race, while it runs.
    tickets: HashMap<Heat, Ticket>,
    /// Ends what runs for it.
    cancel: Cancel,
    /// What came with it, if it is a task that this worker was given.
    given: Option<Box<Given>>,
    /// Its drafts, while there are several.
    race: Option<Box<Race>>,
    /// What is to become of it when that has ended.
    wish: Option<asked::Wish>,
}

impl Held {
    /// Tells whether anything is under way for it whose end is waited for.
    fn is_running(&self) -> bool {
        self.running.is_some() || self.race.as_ref().is_some_and(|race| race.is_busy() || race.is_clearing)
    }

    /// Returns where it, or a draft of its race, goes.
    fn step(&self, heat: Heat) -> Option<&Step> {
        match &self.race {
            Some(race) => race.step(heat),
            None => self.attempt.as_ref()?.step(),
        }
    }

    /// Returns the key of its result, or of that of a draft of its race.
    fn key(&self, heat: Heat) -> Option<Key> {
        match &self.race {
            Some(race) => race.key(heat),
            None => self.attempt.as_ref().map(|attempt| attempt.key),
        }
    }

    /// Ends what runs for it.
    fn end(&mut self) {
        self.cancel.cancel();
        self.race.iter_mut().for_each(|race| race.end());
    }
}

/// Why a run can not go on.
enum Halt {
    /// The reader of the output has had enough.
    Closed,
    Failed(Problem),
}

/// Runs everything.
pub(crate) fn run(config: Config, io: Io) -> Exit {
    interrupt::hold();
    let Io { input, output, diagnostics } = io;
    let (events, inbox) = channel();
    let credits = Credits::default();
    if config.worker.is_none() {
        reader::start(input, config.max_line, credits.clone(), events.clone(), Event::Read);
    }
    // A worker's records leave through the queue.
    let output = if config.worker.is_some() { Box::new(std::io::sink()) } else { output };
    let mut emitter = Emitter::start(output, events.clone(), Event::Written);
    let lanes = config.routes.lanes.iter().map(|lane| lane.limit);
    let terms = config.routes.lanes.iter().map(|lane| (lane.name.as_str(), &lane.terms));
    let limits = Limits::new(config.limits.clone(), terms);
    let mut engine = Engine {
        queue: Queue::new(config.jobs, lanes).with_tiers(limits.jobs_of_tiers()),
        limits,
        causes: Causes::default(),
        parked: Vec::new(),
        is_ending: false,
        order: Order::new(config.as_completed),
        purse: Purse::new(config.speculation_budget),
        pool: Pool::new(config.jobs),
        bar: Bar::new(&diagnostics, config.shown, config.limits.run.usd()),
        diagnostics,
        workshop: None,
        journal: None,
        _control: None,
        arrivals: Arrivals::default(),
        schedule: Schedule::default(),
        results: Results::new(),
        parts: HashMap::new(),
        outcomes: HashMap::new(),
        merges: merging::Merges::default(),
        held: HashMap::new(),
        held_bytes: 0,
        released: VecDeque::new(),
        remote: None,
        given_out: None,
        serving: None,
        events,
        credits,
        credit: 0,
        input: Input::Open,
        unreadable: None,
        stopping: None,
        spent: 0.0,
        exit: Exit::Ok,
        config,
    };
    let halt = engine.connect().and_then(|()| engine.turn(&inbox, &mut emitter));
    engine.disconnect(!matches!(halt, Err(Halt::Closed)));
    engine.bar.finish();
    match halt {
        Ok(()) => {}
        // What still runs has nobody left to tell.
        Err(Halt::Closed) => {
            warden::end_marked(warden::mark());
            engine.exit = Exit::Ok;
        }
        Err(Halt::Failed(problem)) => {
            warden::end_marked(warden::mark());
            engine.exit = engine.diagnostics.fatal(&problem);
        }
    }
    if let Some(runtime) = engine.remote.take() {
        runtime.shutdown_background();
    }
    if let Some(journal) = &engine.journal
        && let Err(error) = journal.ended(engine.exit, engine.spent)
    {
        engine.diagnostics.warning(format!("the end of this run is not in the journal: {error}"));
    }
    engine.exit
}

impl Engine {
    /// Goes on until everything has left.
    fn turn(&mut self, inbox: &Receiver<Event>, emitter: &mut Emitter) -> Result<(), Halt> {
        loop {
            self.look_for_interrupt()?;
            self.follow_up()?;
            self.start_what_may()?;
            self.merge_on()?;
            emitter.offer(|buffer, most| self.order.take(buffer, most)).map_err(spill_problem)?;
            self.read_on(emitter);
            let all_left = self.order.is_empty() && !emitter.is_busy() && self.held.is_empty();
            let waits_for_drafts = self.given_out.as_ref().is_some_and(GivenOut::waits_for_drafts);
            if waits_for_drafts && self.held.is_empty() && (self.input == Input::Ended || self.is_over()) {
                self.let_all_go()?;
                continue;
            }
            if all_left && (self.input == Input::Ended || self.is_over()) {
                return self.unreadable.take().map_or(Ok(()), |problem| Err(Halt::Failed(problem)));
            }
            self.bar.draw(self.queue.running(), self.held.len(), self.spent);
            let wait = self.limits.next(Instant::now()).map_or(LOOK, |wait| wait.min(LOOK));
            match inbox.recv_timeout(wait) {
                Ok(event) => self.take(event, emitter)?,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            // What has happened meanwhile is looked at together.
            for event in inbox.try_iter().take(256) {
                self.take(event, emitter)?;
            }
        }
    }

    fn take(&mut self, event: Event, emitter: &mut Emitter) -> Result<(), Halt> {
        match event {
            Event::Read(Progress::Records(records, bytes)) => {
                self.credits.took(bytes);
                self.credit -= records.len();
                for incoming in records {
                    self.receive(incoming)?;
                }
            }
            Event::Read(Progress::End(end)) => {
                self.input = Input::Ended;
                self.bar.has_all();
                self.limits.left(self.held.len() as u64);
                match end {
                    Ok(()) => self.settle_stranded()?,
                    // What runs comes to its end and is told; without the rest of the input nothing more is started.
                    Err(error) => {
                        self.note_halt(&format!("the input can not be read: {error}"))?;
                        self.unreadable = Some(Problem::new("cannot read the input").because(error));
                        self.stop();
                    }
                }
            }
            Event::Written(Ok(buffer)) => emitter.written(buffer),
            Event::Written(Err(Stopped::Closed)) => return Err(Halt::Closed),
            Event::Written(Err(Stopped::Failed(problem))) => return Err(Halt::Failed(problem)),
            Event::Performed(run, performed) => self.performed(run, *performed)?,
            Event::Judged(run, verdict) => self.judged(run, verdict)?,
            Event::Cleared(seq) => self.cleared(seq)?,
            Event::Merged(seq, merge) => self.merged(seq, *merge)?,
            Event::Asked(asked) => self.answer(asked)?,
            Event::Told(told) => self.told(told)?,
            Event::Taken(taken) => self.take_order(*taken)?,
            Event::Unpacked(seq, draft, dispatch) => self.accept(seq, &draft, *dispatch)?,
        }
        Ok(())
    }

    /// Asks for more records, if there is room for them or nothing else to do.
    fn read_on(&mut self, emitter: &Emitter) {
        let (in_memory, spilled) = self.order.waiting();
        let reader_of_output_is_slow =
            emitter.is_busy() && self.order.has_next() && in_memory as u64 >= HELD / 4;
        let is_idle = self.queue.ready() == 0 && self.queue.free() > 0;
        let has_room = self.held.len() < self.config.window && self.held_bytes < HELD;
        let wants = (has_room || is_idle || self.stopping.is_some())
            && !reader_of_output_is_slow
            && spilled < SPILLED;
        if self.input == Input::Open && wants && self.credit < CREDIT / 2 {
            self.credits.grant(CREDIT - self.credit);
            self.credit = CREDIT;
        }
    }

    /// Takes a record in, after its parts if it has any.
    fn receive(&mut self, mut incoming: Incoming) -> Result<(), Halt> {
        for part in self.decompose(&mut incoming) {
            self.receive_one(part)?;
        }
        self.receive_one(incoming)
    }

    fn receive_one(&mut self, incoming: Incoming) -> Result<(), Halt> {
        let Incoming { line, record, id, content } = incoming;
        let seq = self.order.open();
        self.bar.came_in();
        if let Some(since) = &mut self.stopping {
            *since = Instant::now();
            return self.let_out(seq, &record);
        }
        let Some(id) = id else {
            // A line that is no record says so itself.
            if let Content::Unusable(problem) = &content {
                self.exit = self.exit.worse(Exit::Records);
                self.diagnostics.record(Some(line), None, problem);
            }
            return self.let_out(seq, &record);
        };
        if let Content::LetBy = content {
            if self.results.claim(id, line).is_ok() {
                self.results.end(id, line, Ending::Errors);
                self.release(id);
            }
            return self.let_out(seq, &record);
        }
        if let Err(standing) = self.results.claim(id, line) {
            return self.refuse_duplicate(seq, line, record, standing);
        }
        let known = match content {
            Content::Task(known) => known,
            Content::Unusable(problem) => return self.refuse(seq, line, record, id, problem),
            Content::LetBy => return Ok(()),
        };
        if let Some(parent) = &known.task.parent {
            self.parts.insert(id, IdHash::of(parent));
        }
        self.note_failure(&record, &known);
        let need = known.need(&self.config.rerun);
        if need == Need::Nothing {
            return self.settle(seq, line, record, id, &known, None);
        }
        let parts = self.joined_parts(&record, &known);
        let joins_only = parts.is_some() && !matches!(need, Need::Escalated(..));
        let own = known.task.depends_on.iter().filter(|_| !joins_only);
        let ids = own.chain(parts.iter().flatten()).map(|id| IdHash::of(id));
        let is_open = |id: &IdHash| matches!(self.results.standing(*id), None | Some(Standing::Held(_)));
        let open: Vec<IdHash> = ids.filter(is_open).collect();
        if self.schedule.insert(seq, id, open) {
            self.released.push_back(seq);
        }
        if matches!(need, Need::First | Need::Again(_) | Need::Escalated(..)) {
            self.arrivals.push(record.id().unwrap_or_default(), line, &known.task.text);
            if self.arrivals.are_many() {
                self.journal()?;
            }
        }
        let bytes = record.to_line().len() as u64;
        self.held_bytes += bytes;
        let held = Held {
            line,
            record,
            known,
            need,
            id,
            bytes,
            attempt: None,
            parts,
            running: None,
            tickets: HashMap::new(),
            cancel: Cancel::default(),
            race: None,
            wish: None,
            given: None,
        };
        self.held.insert(seq, held);
        match self.schedule.cycle_through(seq) {
            Some(cycle) => self.refuse_cycle(&cycle),
            None => Ok(()),
        }
    }

    /// Looks at all tasks whose dependencies have ended.
    fn follow_up(&mut self) -> Result<(), Halt> {
        while let Some(seq) = self.released.pop_front() {
            self.consider(seq)?;
        }
        Ok(())
    }

    /// Starts as much as may run at once.
    fn start_what_may(&mut self) -> Result<(), Halt> {
        if self.stopping.is_some() {
            return Ok(());
        }
        if self.queue.ready() > self.queue.free() && self.queue.free() > 0 && self.schedule.measure_chains() {
            let schedule = &self.schedule;
            self.queue.reorder(|run| chain(schedule, run));
        }
        loop {
            let now = Instant::now();
            let limits = &self.limits;
            let Some((place, run)) = self.queue.start(|place| limits.is_open(place.lane, place.tier, now))
            else {
                return Ok(());
            };
            if self.start(place, run)? {
                continue;
            }
            self.queue.end(place);
            self.follow_up()?;
        }
    }

    /// Starts a task, or a draft of its race, at its place; tells whether it runs.
    fn start(&mut self, place: Place, run: Run) -> Result<bool, Halt> {
        let Some(assignment) = self.assignment(place, run)? else { return Ok(false) };
        let workshop = self.workshop()?;
        let events = self.events.clone();
        if let Some(held) = self.held.get_mut(&run.seq) {
            if let Some(race) = &mut held.race {
                if !race.start(run.heat, place) {
                    return Ok(false);
                }
            } else {
                held.running = Some(place);
            }
            let job = &assignment.job;
            let who = format!("tier {} {}, {}", job.tier, job.executor, assignment.lane.name);
            self.bar.started((run.seq, run.heat), &job.id, who, held.known.spent());
        }
        if matches!(assignment.lane.backend, Backend::Queue) {
            self.give_out(run.seq)?;
        } else if assignment.lane.backend.is_remote() {
            let runtime = match &self.remote {
                Some(runtime) => runtime,
                None => self.remote.insert(runtime().map_err(|error| {
                    Halt::Failed(Problem::new("cannot start the threads for the network").because(error))
                })?),
            };
            let guard = Unsent { run, events: Some(events) };
            runtime.spawn(async move {
                let performed = workshop.ask(assignment).await;
                guard.send(performed);
            });
        } else {
            self.pool.spawn(move || {
                let performed = catch_unwind(AssertUnwindSafe(|| workshop.perform(assignment)));
                let performed = performed.unwrap_or_else(|_| broken());
                let _ = events.send(Event::Performed(run, Box::new(performed)));
            });
        }
        Ok(true)
    }

    /// Makes a directory for what the attempts need, when there is a first one.
    fn workshop(&mut self) -> Result<Arc<Workshop>, Halt> {
        if let Some(workshop) = &self.workshop {
            return Ok(Arc::clone(workshop));
        }
        // Whoever keeps nothing leaves nothing behind, not even an empty directory.
        let state = match self.config.journal || self.config.worktrees {
            true => self.state()?,
            false => self.config.root.path.join(shared::state::DIRECTORY),
        };
        let root = self.config.worktrees.then_some(&self.config.root.path);
        let base = self.config.base.as_deref();
        let worktrees = root.map_or(Ok(None), |root| {
            Worktrees::of(root, &state, base, self.config.dependencies.clone()).map(Some)
        });
        let worktrees = worktrees.map_err(|problem| problem.full_message());
        let recorder = self.config.recorder.take();
        let terms = Terms {
            settings: self.config.native.clone(),
            project: self.config.root.path.clone(),
            state: (self.config.journal || self.config.worktrees).then(|| state.clone()),
            // The program that runs, also if its file was replaced meanwhile.
            program: if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { PathBuf::new() },
        };
        let outputs = state.join("outputs");
        let workshop = Workshop::new(worktrees, recorder, terms, outputs, self.config.output_limit);
        Ok(Arc::clone(self.workshop.insert(Arc::new(workshop))))
    }

    fn state(&self) -> Result<PathBuf, Halt> {
        self.config.root.state().map_err(|error| {
            let path = self.config.root.path.join(shared::state::DIRECTORY);
            let problem = Problem::new(format!("cannot make the state directory `{}`", path.display()));
            Halt::Failed(
                problem
                    .because(error)
                    .hint("run dispatch where it may write, or make the directory writable"),
            )
        })
    }

    /// Returns the journal, which is opened when it is first needed; none if none is kept.
    fn journal(&mut self) -> Result<Option<&Journal>, Halt> {
        if self.journal.is_none() && self.config.journal {
            let state = self.state()?;
            let beginning = Beginning {
                directory: &self.config.directory,
                resume: self.config.resume,
                budget: self.config.limits.run.nanos.map(crate::limits::amount::dollars),
            };
            let journal = Journal::open(&state, &beginning);
            self.journal = Some(journal.map_err(journal_problem)?);
            let events = self.events.clone();
            let hand = move |asked| drop(events.send(Event::Asked(asked)));
            match Control::open(&state, warden::mark(), hand) {
                Ok(control) => self._control = Some(control),
                // Not on every file system are there sockets; the run itself needs none.
                Err(error) => {
                    self.diagnostics.verbose(format!("other terminals can not reach this run: {error}"))
                }
            }
        }
        let journal = self.journal.as_ref();
        if let Some(journal) = journal {
            journal.read(&mut self.arrivals).map_err(journal_problem)?;
        }
        Ok(journal)
    }

    /// Notes that nothing more is started, if there is a journal.
    fn note_halt(&self, reason: &str) -> Result<(), Halt> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.halted(reason)).map_err(journal_problem)
    }

    /// Puts the result of an attempt into its record, or tries the next backend.
    fn performed(&mut self, run: Run, performed: Performed) -> Result<(), Halt> {
        let seq = run.seq;
        for note in self.workshop.iter().flat_map(|workshop| workshop.notes()) {
            self.bar.aside(|| self.diagnostics.note(note));
        }
        self.bar.stopped((run.seq, run.heat));
        let Some(held) = self.held.get_mut(&seq) else { return Ok(()) };
        if held.race.is_some() {
            return self.drafted(run, performed);
        }
        if let Some(place) = held.running.take() {
            self.queue.end(place);
        }
        match performed.answer {
            Answer::Declined(why) => {
                let is_stopping = self.stopping.is_some();
                if let Some(ticket) = held.tickets.remove(&0) {
                    self.limits.give_back(ticket);
                }
                let Some(attempt) = &mut held.attempt else { return Ok(()) };
                attempt.declined(why);
                if is_stopping {
                    return self.abandon(seq);
                }
                self.send_on(seq)
            }
            Answer::Draft(_) => self.finish(seq, performed),
        }
    }

    /// Stops starting things. What waits leaves as it came.
    fn stop(&mut self) {
        self.stopping.get_or_insert_with(Instant::now);
        self.queue.drain();
        self.parked.clear();
        self.released.clear();
    }

    /// Stops because enough has failed, or has been done.
    fn halt(&mut self, halted: &Halted) {
        if self.stopping.is_some() {
            return;
        }
        let running = match (halted.urgency, self.queue.running()) {
            (_, 0) => "",
            (Urgency::Soon, _) => "; what runs comes to its end",
            (Urgency::Now, _) => "; what runs is ended",
        };
        let message = format!("the run halts, because {}{running}", halted.reason);
        let hint =
            "what has not started leaves as it came; the same command with `--resume` goes on from here";
        if halted.is_failure {
            self.exit = self.exit.worse(Exit::Fatal);
            self.bar.aside(|| self.diagnostics.error(&Problem::new(message).hint(hint)));
        } else {
            self.bar.aside(|| self.diagnostics.note(message));
        }
        // What can not be noted here shows with the next line.
        let _ = self.note_halt(&halted.reason);
        self.stop();
        if halted.urgency == Urgency::Now {
            self.is_ending = true;
            self.held.values_mut().filter(|held| held.is_running()).for_each(Held::end);
        }
        if halted.urgency == Urgency::Now || self.serving.is_some() {
            self.take_back();
        }
    }

    fn look_for_interrupt(&mut self) -> Result<(), Halt> {
        if interrupt::requested() && self.stopping.is_none() {
            self.exit = self.exit.worse(Exit::Interrupted);
            self.note_halt("interrupted")?;
            self.stop();
            self.take_back();
            // Those that wait for a network have no child that a signal could end.
            self.held.values_mut().for_each(Held::end);
        }
        if self.stopping.is_none() {
            return Ok(());
        }
        let mut waiting: Vec<Seq> =
            self.held.iter().filter(|(_, held)| !held.is_running()).map(|(seq, _)| *seq).collect();
        // A part leaves before the task that joins it, also in the order of ending.
        waiting.sort_unstable();
        let running = self.held.values().filter(|held| held.is_running());
        let unfinished: Vec<IdHash> =
            running.filter_map(|held| held.known.task.parent.as_deref()).map(IdHash::of).collect();
        waiting.retain(|seq| self.held.get(seq).is_some_and(|held| !unfinished.contains(&held.id)));
        for seq in waiting {
            self.abandon(seq)?;
        }
        Ok(())
    }

    /// Tells whether a run that is stopping has waited for the rest of its input long enough.
    fn is_over(&self) -> bool {
        self.stopping.is_some_and(|since| since.elapsed() > LET_BY)
    }

    fn release(&mut self, id: IdHash) {
        self.released.extend(self.schedule.complete(id));
    }

    /// Gives a record its place in the output.
    fn let_out(&mut self, seq: Seq, record: &Record) -> Result<(), Halt> {
        if self.is_held_back(seq, record) {
            return Ok(());
        }
        self.tell_dispatcher(seq, record);
        self.bar.went_out();
        self.order.fill(seq, record.to_line().into_owned()).map_err(spill_problem)
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

fn broken() -> Performed {
    told(Draft::because(Status::Failed, "dispatch itself has failed here; please report it"))
}

/// Sends what came of an attempt, also if it broke in the middle: somebody waits for it.
struct Unsent {
    run: Run,
    events: Option<Sender<Event>>,
}

impl Unsent {
    fn send(mut self, performed: Performed) {
        if let Some(events) = self.events.take() {
            let _ = events.send(Event::Performed(self.run, Box::new(performed)));
        }
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        if let Some(events) = self.events.take() {
            let _ = events.send(Event::Performed(self.run, Box::new(broken())));
        }
    }
}

fn told(draft: Draft) -> Performed {
    Performed {
        answer: Answer::Draft(draft),
        started_at: shared::units::now(),
        elapsed: Duration::ZERO,
        tree: None,
        files_changed: None,
    }
}

fn spill_problem(error: std::io::Error) -> Halt {
    let problem = Problem::new("cannot keep results in a temporary file").because(error);
    Halt::Failed(problem.hint("make room in the directory that TMPDIR names, or set it to another one"))
}

fn journal_problem(error: std::io::Error) -> Halt {
    let problem = Problem::new("cannot write the journal").because(error);
    Halt::Failed(problem.hint("what has finished is kept; make room and run the same command with --resume"))
}

/// Returns what comes first: what most hangs on. A place goes to a task without a draft before it goes to a second draft of another.
fn chain(schedule: &Schedule, run: Run) -> u32 {
    if run.heat == 0 { schedule.chain(run.seq) } else { 0 }
}

/// Tells whether an attempt ended well.
fn is_ok(dispatch: &Dispatch) -> bool {
    dispatch.status == Status::Ok
}
