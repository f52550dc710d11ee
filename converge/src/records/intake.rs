//! What came back from a round: records, new ones among them, and what is none; and what did not come back.

use shared::process::How;
use shared::{Exit, Problem, Record};

use super::Run;
use super::facts::Form;
use super::ingest::{self, Incoming as Line};
use super::pipeline::{self, Ended};
use super::round::Arrival;
use crate::config::count;

impl Run<'_> {
    /// Takes in what came back and returns how many records those are.
    pub(super) fn take_in(&mut self, how: How) -> Result<usize, Problem> {
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
                    let has_errors = form.has_errors;
                    let place = self.store.place_of_next(line.text()).map_err(keep)?;
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
                    self.records.add_broken(place);
                }
            }
        }
        Ok(returned)
    }

    /// Tells how the command ended and what did not come back.
    pub(super) fn tell_command(&mut self, ended: &Ended, lost: &[u32], returned: usize) {
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
            let ids: Vec<String> =
                lost.iter().take(10).filter_map(|index| self.id_of(*index as usize)).collect();
            let more = if lost.len() > ids.len() {
                format!(" and {} more", lost.len() - ids.len())
            } else {
                String::new()
            };
            let records = count(Some(lost.len() as u32), "record");
            self.diagnostics
                .warning(format!("round {round}: {records} did not come back: {}{more}", ids.join(", ")));
        }
    }

    /// Reads the id of a record again, where it is needed for a message.
    fn id_of(&self, index: usize) -> Option<String> {
        let line = self.store.read(self.records.entries()[index].place).ok()?;
        Record::parse(line).ok()?.id().map(str::to_owned)
    }
}
