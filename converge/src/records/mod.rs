//! Over records: again through the pipeline, until each is settled.
//!
//! Reads records, gives those that are not settled to the command, takes in what comes back, and at the end writes all of
//! them in the order they came, each with its `converge` member. What the command does to a record is its own affair;
//! what is kept is, byte for byte, the form it gave back last.

mod begin;
pub(crate) mod content;
mod emit;
mod facts;
mod index;
mod ingest;
mod intake;
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
use shared::writer::Stopped;
use shared::{Diagnostics, Exit, Io, Problem, interrupt};

use crate::config::RecordsPlan;
use journal::{Finished, Journal};
use limit::Stop;
use pipeline::{Ended, Terms};
use round::Rounds;
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
    let written = run.write(stop.as_ref().unwrap_or(&Stop::Failed), output);
    let have_left = written.is_ok();
    let exit = match written {
        Ok(exit) => exit,
        Err(Stopped::Closed) => Exit::Ok,
        Err(Stopped::Failed(problem)) => diagnostics.fatal(&problem),
    };
    match stop {
        Ok(stop) => {
            run.finish(&stop, have_left);
            exit
        }
        Err(problem) => {
            run.journal.clear();
            exit.worse(diagnostics.fatal(&problem))
        }
    }
}

/// A run over records.
struct Run<'a> {
    plan: &'a RecordsPlan,
    diagnostics: Diagnostics,
    records: Rounds<Place>,
    store: Store,
    journal: Journal,
    started: Instant,
    /// The time that rounds of an earlier process took.
    elapsed_before: Duration,
    /// How many lines came back so far that are no records; the same one each round counts once.
    broken: HashSet<Hash>,
    exit: Exit,
}

impl Run<'_> {
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
            let ended = self.run_command(elapsed)?;
            let returned = self.take_in(ended.how)?;
            // A child that our own signal ended may look as if somebody else had.
            let is_over = ended.how == How::Interrupted || interrupt::requested();
            let was_cut_short = is_over || matches!(ended.how, How::TimedOut | How::Idle);
            let lost = self.records.end(was_cut_short);
            if is_over {
                return Ok(Stop::Interrupted);
            }
            self.tell_command(&ended, &lost, returned);
            self.note_round(given, &ended, was_cut_short)?;
            progress::tell(
                &self.diagnostics,
                self.records.round(),
                given,
                &self.records.tally(),
                started.elapsed(),
            );
            if returned == 0 && matches!(ended.how, How::Exited(2 | 126 | 127)) {
                return Err(Problem::new(format!("the command can not be run: {}", ended.how))
                    .hint(format!("run it by itself to see what it says: {}", self.plan.program.shown)));
            }
        }
    }

    fn run_command(&mut self, elapsed: Duration) -> Result<Ended, Problem> {
        let keep = |error: std::io::Error| Problem::new("cannot keep the records on disk").because(error);
        self.store.flush().map_err(keep)?;
        let path = self.journal.given_path();
        pipeline::give(&path, &self.store, self.records.given().map(|entry| entry.place)).map_err(keep)?;
        let left = self.plan.time.map(|time| time.saturating_sub(elapsed));
        let spent = self.records.tally().cost_usd;
        let terms = Terms {
            round: self.records.round(),
            time: [self.plan.round_time, left].into_iter().flatten().min(),
            budget_left_usd: self.plan.budget_usd.map(|budget| (budget - spent).max(0.0)),
        };
        pipeline::run(&self.plan.program, terms, &path, &self.journal.returned_path())
    }

    fn note_round(&mut self, given: usize, ended: &Ended, was_cut_short: bool) -> Result<(), Problem> {
        let exit_code = if let How::Exited(code) = ended.how { Some(code) } else { None };
        let finished = Finished {
            round: self.records.round(),
            given,
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

    /// Leaves of the run what `--resume` can go on with: nothing if all is settled and all records have left, and so
    /// for a limit that may be raised, for an interrupt, and for records that nobody took.
    fn finish(&mut self, stop: &Stop, have_left: bool) {
        if stop.is_settled() && have_left {
            self.journal.discard();
        } else if *stop != Stop::Interrupted {
            // A journal without its last line only means that a resume looks once more.
            let _ = self.journal.end(&stop.reason());
        }
        self.journal.clear();
        progress::tell_end(
            &self.diagnostics,
            &self.records,
            stop,
            self.elapsed_before + self.started.elapsed(),
        );
    }
}
