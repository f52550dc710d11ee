//! How a run ends: all records leave in the order of the input, each with how its rounds ended.

use shared::section::State;
use shared::writer::{Stopped, Writer};
use shared::{Exit, Problem, Record};

use super::limit::Stop;
use super::{NAME, Run, verdict};
use crate::config::count;

impl Run<'_> {
    /// Writes all records in the order of the input.
    pub(super) fn write(
        &mut self,
        stop: &Stop,
        output: Box<dyn std::io::Write + Send>,
    ) -> Result<Exit, Stopped> {
        let mut writer = Writer::new(output);
        let exit = self.write_to(stop, &mut writer)?;
        writer.flush()?;
        Ok(exit)
    }

    fn write_to(&mut self, stop: &Stop, writer: &mut Writer) -> Result<Exit, Stopped> {
        let read = |error: std::io::Error| {
            Stopped::Failed(Problem::new("cannot read the kept records").because(error))
        };
        self.store.flush().map_err(read)?;
        let mut exit = self.exit;
        let mut lost = 0u32;
        for (index, entry) in self.records.entries().iter().enumerate() {
            let line = self.store.read(entry.place).map_err(read)?;
            let Some(section) = verdict::section(entry, self.records.period(index), stop) else {
                writer.write_line(&line)?;
                if self.plan.exit_status {
                    exit = exit.worse(Exit::No);
                }
                continue;
            };
            if section.state == State::Lost {
                lost += 1;
            }
            if self.plan.exit_status && !entry.is_accepted() {
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
            let records = count(Some(lost), "record");
            let problem = Problem::new(format!("{records} did not come back from the command; kept in the last form"))
                .hint("their `converge.state` is `lost`; a stage may drop what it does not like, or die in the middle");
            self.diagnostics.error(&problem);
        }
        Ok(exit)
    }
}
