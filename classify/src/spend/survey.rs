//! The first reading of the input: every task is looked at, every byte is kept, nothing is written.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};

use shared::diagnostic::Level;
use shared::section::Task;
use shared::{Diagnostics, FilterOptions, Io, Problem, Record, Stage};

use super::{Spend, Target, budget, cannot_keep, rate};
use crate::Classifier;

/// Reads all tasks, and returns the threshold for them and the input from its beginning. If an error ended the input, it comes
/// again where it was.
pub(crate) fn survey(
    classifier: &Classifier,
    target: Target,
    input: Box<dyn Read + Send>,
    options: FilterOptions,
) -> Result<(Spend, Box<dyn Read + Send>), Problem> {
    let kept = tempfile::tempfile().map_err(cannot_keep)?;
    let copy = kept.try_clone().map_err(cannot_keep)?;
    let failed = Arc::new(Mutex::new(None));
    let tee = Tee { source: input, copy: BufWriter::with_capacity(64 << 10, copy), failed: failed.clone() };
    let io = Io {
        input: Box::new(tee),
        output: Box::new(io::sink()),
        // What is wrong with a record is told when it is its turn.
        diagnostics: Diagnostics::new("classify", Level::Quiet, Box::new(io::sink()), false),
    };
    let look = Look {
        classifier,
        count: match target {
            Target::StrongRate(share) => Count::Rate(rate::Count::new(share)?),
            Target::Budget(dollars) => Count::Budget(budget::Count::new(dollars)?),
        },
    };
    shared::filter(&look, io, FilterOptions { exit_status: false, ..options });
    let spend = match look.count {
        Count::Rate(count) => Spend::Rate(count.finish()?),
        Count::Budget(count) => Spend::Budget(count.finish()?),
    };
    let failed = failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    let length = kept.metadata().map_err(cannot_keep)?.len();
    Ok((spend, Box::new(Kept { file: kept, at: 0 }.take(length).chain(Failure(failed)))))
}

enum Count {
    Rate(rate::Count),
    Budget(budget::Count),
}

struct Look<'a> {
    classifier: &'a Classifier,
    count: Count,
}

impl Stage for Look<'_> {
    const NAME: &'static str = Classifier::NAME;
    const BATCH: usize = Classifier::BATCH;

    fn process(&self, record: &mut Record) -> Result<(), Problem> {
        if self.classifier.is_done(record) {
            return Ok(());
        }
        let Some(task) = record.get::<Task>()? else { return Ok(()) };
        let reckoner = &self.classifier.reckoner;
        let weighed = reckoner.weigh(&task, self.classifier.decide(&task)?);
        let case = reckoner.case(record.id(), &weighed);
        match &self.count {
            Count::Rate(count) => count.add(&case),
            Count::Budget(count) => count.add(&case, &weighed.classify),
        }
        Ok(())
    }
}

/// Reads, and keeps a copy of what was read.
struct Tee {
    source: Box<dyn Read + Send>,
    copy: BufWriter<File>,
    failed: Arc<Mutex<Option<io::Error>>>,
}

impl Read for Tee {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer).and_then(|count| {
            let kept = if count == 0 { self.copy.flush() } else { self.copy.write_all(&buffer[..count]) };
            kept.map_err(|error| {
                io::Error::new(error.kind(), format!("no room for a temporary copy: {error}"))
            })?;
            Ok(count)
        });
        match read {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let _ = self.copy.flush();
                *self.failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(error);
                // What was read is worked on, and the error is told after it.
                Ok(0)
            }
            read => read,
        }
    }
}

/// The copy. It has a place of its own: after an interrupt, somebody may still be writing at the end.
struct Kept {
    file: File,
    at: u64,
}

impl Read for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Fails once, if there is something to fail with.
struct Failure(Option<io::Error>);

impl Read for Failure {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
