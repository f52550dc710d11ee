//! How a run begins: the input is read, the run that it belongs to is found, and finished rounds are taken in again.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use shared::state::Root;
use shared::{Diagnostics, Exit, Problem, Record};

use super::Run;
use super::facts::Form;
use super::ingest::{self, Incoming as Line};
use super::journal::{Earlier, Incoming};
use super::round::Rounds;
use super::store::Place;
use crate::config::{RecordsPlan, count};

impl<'a> Run<'a> {
    /// Reads the input and finds the run that it belongs to.
    pub(super) fn begin(
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
            started: Instant::now(),
            elapsed_before: Duration::ZERO,
            broken: HashSet::new(),
            exit,
        };
        run.records.wake();
        match earlier {
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
            for line in self.store.lines(start, round.end).map_err(problem)? {
                let (text, place) = line.map_err(problem)?;
                self.take_in_stored(text, place);
            }
            self.records.end(round.was_cut_short);
            start = round.end;
        }
        self.store.cut(start).map_err(problem)?;
        self.elapsed_before = earlier.elapsed();
        self.diagnostics
            .note(format!("resuming after {}", count(Some(earlier.rounds.len() as u32), "finished round")));
        Ok(())
    }

    fn take_in_stored(&mut self, text: String, place: Place) {
        let hash = ingest::broken_hash(&text);
        let record = Record::parse(text).ok();
        match record.as_ref().and_then(|record| Some((record.id()?, record))) {
            Some((id, record)) => {
                let form = Form::of(record, &self.plan.mask);
                if form.has_errors {
                    self.exit = self.exit.worse(Exit::Records);
                }
                self.records.came_back(id, form, place);
            }
            None => {
                self.exit = self.exit.worse(Exit::Records);
                self.broken.insert(hash);
                self.records.add_broken(place);
            }
        }
    }
}
