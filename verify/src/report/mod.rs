//! `verify report`: what a run came to, net of everything that was paid on the way.
//!
//! Rejected drafts, repeated attempts, judging and classifying are paid work, so every total counts them. Where a price is not known
//! the report says for how many attempts, instead of counting them as free.

mod table;
mod tally;

use std::path::PathBuf;

use shared::lines::Lines;
use shared::writer::{Stopped, Writer};
use shared::{Exit, Io, Record};

use crate::args::Format;
use tally::Tally;

/// Reads records and prints the report.
pub(crate) fn run(files: &[PathBuf], format: Format, max_line: u64, mut io: Io) -> Exit {
    if let Err(problem) = io.read_files(files) {
        return io.diagnostics.usage(&problem);
    }
    let Io { input, output, diagnostics } = io;
    let mut lines = Lines::new(input, max_line);
    let mut tally = Tally::default();
    let mut exit = Exit::Ok;
    loop {
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => {
                return diagnostics.fatal(&shared::Problem::new("cannot read the records").because(error));
            }
        };
        let record = Record::parse(String::from_utf8_lossy(&line.bytes).into_owned());
        if let Err(problem) = record.and_then(|record| tally.add(&record, line.number)) {
            tally.add_broken();
            exit = exit.worse(Exit::Records);
            diagnostics.record(Some(line.number), None, &problem);
        }
    }
    let report = tally.report();
    let text = match format {
        Format::Table => table::render(&report),
        Format::Json => serde_json::to_string_pretty(&report).unwrap_or_default(),
    };
    let mut writer = Writer::new(output);
    match writer.write_line(text.trim_end()).and_then(|()| writer.flush()) {
        Ok(()) => exit,
        Err(Stopped::Closed) => Exit::Ok,
        Err(Stopped::Failed(problem)) => diagnostics.fatal(&problem),
    }
}
