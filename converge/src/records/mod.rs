//! Over records: again through the pipeline, until each is settled.
//!
//! Reads records, gives those that are not settled to the command, takes in what comes back, and at the end writes all of
//! them in the order they came, each with its `converge` member. What the command does to a record is its own affair;
//! what is kept is, byte for byte, the form it gave back last.

pub(crate) mod content;
mod facts;
mod ingest;
mod journal;
mod limit;
mod pipeline;
mod progress;
mod round;
mod store;
mod verdict;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use blake3::Hash;

use shared::process::How;
use shared::section::State;
use shared::state::Root;
use shared::writer::{Stopped, Writer};
use shared::{Diagnostics, Exit, Io, Problem, Record, interrupt};

use crate::config::RecordsPlan;
use facts::{Facts, Form};
use ingest::Incoming as Line;
use journal::{Earlier, Finished, Incoming, Journal};
use limit::Stop;
use pipeline::{Ended, Terms};
use round::{Arrival, Rounds};
use store::{Place, Store};

const NAME: &str = "converge";

/// Runs the rounds.
pub(crate) fn run(plan: &RecordsPlan, mut io: Io) -> Exit {
    if let Err(problem) = io.read_files(&plan.files) {
        return io.diagnostics.usage(&problem);
    }
    interrupt::hold();
    let Io { input, output, diagnostics } = io;
    let mut run = match Run::begin(plan, input, diagnostics.clone()) {
        Ok(run) => run,
        Err(problem) => return diagnostics.fatal(&problem),
    };
    let stop = run.rounds();
    // Whatever happened: all records leave.
    let exit = run.write(stop.as_ref().map_or(&Stop::Failed, |stop| stop), output);
    match stop {
        Ok(stop) => {
            run.finish(&stop);
            exit
        }
        Err(problem) => exit.worse(diagnostics.fatal(&problem)),
    }
}

/// A run over records.
struct Run<'a> {
    plan: &'a RecordsPlan,
    diagnostics: Diagnostics,
    records: Rounds<Place>,
    store: Store,
    journal: Journal,
    earlier: Option<Earlier>,
    started: Instant,
    /// The time that rounds of an earlier process took.
    elapsed_before: Duration,
    /// How many lines came back so far that are no records; the same one each round counts once.
    broken: HashSet<Hash>,
    exit: Exit,
}

impl<'a> Run<'a> {
    /// Reads the input and finds the run that it belongs to.
    fn begin(
        plan: &'a RecordsPlan,
        input: Box<dyn std::io::Read + Send>,
        diagnostics: Diagnostics,
    ) -> Result<Run<'a>, Problem> {
        let keep = |error: std::io::Error| Problem::new("cannot keep the records on disk").because(error);
        let directory = std::env::current_dir().unwrap_or_default();
        let incoming = Incoming::new(Root::find(&directory).state(), &diagnostics).map_err(keep)?;
        let mut store = incoming.store().map_err(keep)?;
        let mut records = Rounds::new();
        let mut key = blake3::Hasher::new();
        let mut exit = Exit::Ok;
        ingest::read(input, plan.max_line, |line| {
            key.update(line.text().as_bytes()).update(b"\n");
            let place = store.append(line.text()).map_err(keep)?;
            match &line {
                Line::Record { id, record, .. } => records.add(id, Form::of(record, &plan.mask), place),
                Line::Errors(_) => records.add_broken(place),
                Line::Broken { number, problem, .. } => {
                    records.add_broken(place);
                    diagnostics.record(Some(*number), None, problem);
                    exit = Exit::Records;
                }
            }
            Ok(())
        })?;
        let end = store.end();
        let key = key.finalize().to_hex();
        let (journal, store, earlier) = incoming.settle(&key[..16], plan.resume, store, &diagnostics)?;
        let mut run = Run {
            plan,
            diagnostics,
            records,
            store,
            journal,
            earlier,
            started: Instant::now(),
            elapsed_before: Duration::ZERO,
            broken: HashSet::new(),
            exit,
        };
        run.records.wake();
        match run.earlier.take() {
            Some(earlier) => run.replay(earlier)?,
            None => run.journal.start(&plan.program.shown, run.records.entries().len(), end).map_err(keep)?,
        }
        Ok(run)
    }

    /// Takes in the rounds of an earlier process as if they had just come back.
    fn replay(&mut self, earlier: Earlier) -> Result<(), Problem> {
        if earlier.command != self.plan.program.shown {
            self.diagnostics
                .note(format!("the run that is resumed ran another command: {}", earlier.command));
        }
        let problem =
            |error: std::io::Error| Problem::new("cannot read the journal of the run").because(error);
        let mut start = earlier.input_end;
        for round in &earlier.rounds {
            self.records.begin();
            let mut lines = Vec::new();
            self.store.replay(start, round.end, |text, place| lines.push((text, place))).map_err(problem)?;
            for (text, place) in lines {
                self.take_in_stored(text, place);
            }
            self.records.end(round.was_cut_short);
            start = round.end;
        }
        self.store.cut(start).map_err(problem)?;
        self.elapsed_before = earlier.elapsed();
        self.diagnostics.note(format!(
            "resuming after {}",
            crate::config::count(Some(earlier.rounds.len() as u32), "finished round")
        ));
        Ok(())
    }

    fn take_in_stored(&mut self, text: String, place: Place) {
        let hash = ingest::broken_hash(&text);
        let record = Record::parse(text).ok();
        match record.as_ref().and_then(|record| Some((record.id()?, record))) {
            Some((id, record)) => {
                let form = Form::of(record, &self.plan.mask);
                if form.facts.has_errors {
                    self.exit = self.exit.worse(Exit::Records);
                }
                self.records.came_back(id, form, place);
            }
            None => {
                self.exit = self.exit.worse(Exit::Records);
                self.broken.insert(hash);
                self.records.came_back_broken(place);
            }
        }
    }

    /// Runs rounds until there is a reason to stop.
    fn rounds(&mut self) -> Result<Stop, Problem> {
        loop {
            let tally = self.records.tally();
            let elapsed = self.elapsed_before + self.started.elapsed();
            if let Some(stop) = limit::reached(self.plan, self.records.round(), &tally, elapsed) {
                return Ok(stop);
            }
            if interrupt::requested() {
                return Ok(Stop::Interrupted);
            }
            let started = Instant::now();
            let given = self.records.begin();
            let ended = self.run_command(&given, elapsed)?;
            let returned = self.take_in(ended.how)?;
            // A child that our own signal ended may look as if somebody else had.
            let is_over = ended.how == How::Interrupted || interrupt::requested();
            let was_cut_short = is_over || matches!(ended.how, How::TimedOut | How::Idle);
            let lost = self.records.end(was_cut_short);
            if is_over {
                return Ok(Stop::Interrupted);
            }
            self.tell_command(&ended, &lost, returned);
            self.note_round(&given, &ended, was_cut_short)?;
            progress::tell(
                &self.diagnostics,
                self.records.round(),
                given.len(),
                &self.records.tally(),
                started.elapsed(),
            );
            if returned == 0 && matches!(ended.how, How::Exited(2 | 126 | 127)) {
                return Err(Problem::new(format!("the command can not be run: {}", ended.how))
                    .hint(format!("run it by itself to see what it says: {}", self.plan.program.shown)));
            }
        }
    }

    fn run_command(&mut self, given: &[usize], elapsed: Duration) -> Result<Ended, Problem> {
        let keep = |error: std::io::Error| Problem::new("cannot keep the records on disk").because(error);
        self.store.flush().map_err(keep)?;
        let path = self.journal.given_path();
        let entries = self.records.entries();
        pipeline::give(&path, &self.store, given.iter().map(|index| entries[*index].place)).map_err(keep)?;
        let left = self.plan.time.map(|time| time.saturating_sub(elapsed));
        let spent = self.records.tally().cost_usd;
        let terms = Terms {
            round: self.records.round(),
            time: [self.plan.round_time, left].into_iter().flatten().min(),
            budget_left_usd: self.plan.budget_usd.map(|budget| (budget - spent).max(0.0)),
        };
        pipeline::run(&self.plan.program, terms, &path, &self.journal.returned_path())
    }

    /// Takes in what came back and returns how many records those are.
    fn take_in(&mut self, how: How) -> Result<usize, Problem> {
        let keep = |error: std::io::Error| Problem::new("cannot keep the records on disk").because(error);
        let round = self.records.round();
        let mut lines =
            pipeline::returned(&self.journal.returned_path(), how, self.plan.max_line).map_err(keep)?;
        let mut returned = 0;
        while let Some(line) = lines.next_line().map_err(keep)? {
            let line = Line::of(line);
            match &line {
                Line::Record { id, record, number, .. } => {
                    let form = Form::of(record, &self.plan.mask);
                    let has_errors = form.facts.has_errors;
                    let place = self.store.place_of_next(line.text());
                    match self.records.came_back(id, form, place) {
                        Arrival::Duplicate => {
                            let problem =
                                Problem::new(format!("came back once more in round {round}; left out"))
                                    .hint("ids must be unique, also those of records that the command makes");
                            self.diagnostics.record(Some(*number), Some(id), &problem);
                            self.exit = self.exit.worse(Exit::Records);
                            continue;
                        }
                        Arrival::Known(_) => {}
                        Arrival::New(_) => {
                            self.diagnostics.verbose(format!("round {round}: new record {id}"));
                        }
                    }
                    self.store.append(line.text()).map_err(keep)?;
                    returned += 1;
                    if has_errors {
                        self.exit = self.exit.worse(Exit::Records);
                    }
                }
                Line::Errors(text) | Line::Broken { text, .. } => {
                    self.exit = self.exit.worse(Exit::Records);
                    if !self.broken.insert(ingest::broken_hash(text)) {
                        continue;
                    }
                    if let Line::Broken { number, problem, .. } = &line {
                        let problem = Problem::new(format!(
                            "what came back in round {round} is {}",
                            problem.full_message()
                        ))
                        .hint("it is kept as a record with `errors`; only records belong on standard output");
                        self.diagnostics.record(Some(*number), None, &problem);
                    }
                    let place = self.store.append(text).map_err(keep)?;
                    self.records.came_back_broken(place);
                }
            }
        }
        Ok(returned)
    }

    fn tell_command(&mut self, ended: &Ended, lost: &[usize], returned: usize) {
        let round = self.records.round();
        match ended.how {
            How::Exited(0) => {}
            // Exit code 1 is the "no" of `verify -e`; codes of 3 speak of errors that are in the records.
            How::Exited(1) => {
                self.diagnostics.verbose(format!("round {round}: the command says no (exit code 1)"));
            }
            How::Exited(3) => self.exit = self.exit.worse(Exit::Records),
            How::TimedOut => {
                self.diagnostics.warning(format!(
                    "round {round}: ended after its time; {returned} records had come back"
                ));
            }
            how => self.diagnostics.warning(format!("round {round}: the command failed: {how}")),
        }
        if !lost.is_empty() {
            let entries = self.records.entries();
            let ids =
                lost.iter().take(10).filter_map(|index| entries[*index].id.as_deref()).collect::<Vec<_>>();
            let more = if lost.len() > ids.len() {
                format!(" and {} more", lost.len() - ids.len())
            } else {
                String::new()
            };
            let records = crate::config::count(Some(lost.len() as u32), "record");
            self.diagnostics
                .warning(format!("round {round}: {records} did not come back: {}{more}", ids.join(", ")));
        }
    }

    fn note_round(&mut self, given: &[usize], ended: &Ended, was_cut_short: bool) -> Result<(), Problem> {
        let exit_code = if let How::Exited(code) = ended.how { Some(code) } else { None };
        let finished = Finished {
            round: self.records.round(),
            given: given.len(),
            end: self.store.end(),
            was_cut_short,
            exit_code,
            elapsed_ms: ended.elapsed.as_millis() as u64,
        };
        self.store
            .sync()
            .and_then(|()| self.journal.round(&finished))
            .map_err(|error| Problem::new("cannot write the journal").because(error))
    }

    /// Writes all records in the order of the input.
    fn write(&mut self, stop: &Stop, output: Box<dyn std::io::Write + Send>) -> Exit {
        let mut writer = Writer::new(output);
        match self.write_to(stop, &mut writer).and_then(|exit| writer.flush().map(|()| exit)) {
            Ok(exit) => exit,
            Err(Stopped::Closed) => Exit::Ok,
            Err(Stopped::Failed(problem)) => self.diagnostics.fatal(&problem),
        }
    }

    fn write_to(&mut self, stop: &Stop, writer: &mut Writer) -> Result<Exit, Stopped> {
        let read = |error: std::io::Error| {
            Stopped::Failed(Problem::new("cannot read the kept records").because(error))
        };
        self.store.flush().map_err(read)?;
        let mut exit = self.exit;
        let mut lost = 0u32;
        for entry in self.records.entries() {
            let line = self.store.read(entry.place).map_err(read)?;
            let Some(section) = verdict::section(entry, stop) else {
                writer.write_line(&line)?;
                if self.plan.exit_status {
                    exit = exit.worse(Exit::No);
                }
                continue;
            };
            if section.state == State::Lost {
                lost += 1;
            }
            if self.plan.exit_status && !entry.facts.as_ref().is_some_and(Facts::is_accepted) {
                exit = exit.worse(Exit::No);
            }
            match Record::parse(line) {
                // Seen before and settled without a round: it has its verdict already.
                Ok(record) if entry.rounds == 0 && record.raw(NAME).is_some() && stop.is_settled() => {
                    writer.write(&record)?;
                }
                Ok(mut record) => {
                    record.set(&section);
                    writer.write(&record)?;
                }
                Err(problem) => return Err(Stopped::Failed(problem)),
            }
        }
        if lost > 0 {
            exit = exit.worse(Exit::Records);
            let records = crate::config::count(Some(lost), "record");
            let problem = Problem::new(format!("{records} did not come back from the command; kept in the last form"))
                .hint("their `converge.state` is `lost`; a stage may drop what it does not like, or die in the middle");
            self.diagnostics.error(&problem);
        }
        Ok(exit)
    }

    fn finish(&mut self, stop: &Stop) {
        if *stop != Stop::Interrupted {
            // The records are out; a journal without its last line only means that a resume looks once more.
            let _ = self.journal.end(&stop.reason());
        }
        let _ = std::fs::remove_file(self.journal.given_path());
        let _ = std::fs::remove_file(self.journal.returned_path());
        progress::tell_end(
            &self.diagnostics,
            &self.records,
            stop,
            self.elapsed_before + self.started.elapsed(),
        );
    }
}
