//! Whole lines out. A closed pipe is its own case: nobody wants more.

use std::io::{self, BufWriter, ErrorKind, Write};

use crate::Problem;
use crate::record::Record;

/// Writes records, a line each.
pub struct Writer {
    output: BufWriter<Box<dyn Write + Send>>,
}

/// Why nothing more can be written.
#[derive(Debug)]
pub enum Stopped {
    /// The reader has had enough.
    Closed,
    /// The output can not take it, such as a full disk.
    Failed(Problem),
}

impl Writer {
    /// Returns a writer to the output.
    pub fn new(output: Box<dyn Write + Send>) -> Writer {
        Writer { output: BufWriter::with_capacity(64 << 10, output) }
    }

    /// Writes a record as a line.
    pub fn write(&mut self, record: &Record) -> Result<(), Stopped> {
        self.write_line(&record.to_line())
    }

    /// Writes a line; the line break is added.
    pub fn write_line(&mut self, line: &str) -> Result<(), Stopped> {
        self.output
            .write_all(line.as_bytes())
            .and_then(|()| self.output.write_all(b"\n"))
            .map_err(Stopped::from)
    }

    /// Hands over what was written so far.
    pub fn flush(&mut self) -> Result<(), Stopped> {
        self.output.flush().map_err(Stopped::from)
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe {
            Stopped::Closed
        } else {
            Stopped::Failed(cannot_write(error))
        }
    }
}

/// Returns the problem of an output that can not be written.
pub fn cannot_write(error: io::Error) -> Problem {
    Problem::new("cannot write to standard output")
        .because(error)
        .hint("records from here on are not in the output; make room and run again")
}
