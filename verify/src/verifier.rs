//! The stage: which records are judged, and what is gathered for it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::section::{Classify, Decision, Dispatch, Gates, Task, Verify};
use shared::{FilterOptions, Problem, Record, Stage, interrupt};

use crate::attempt::Attempt;
use crate::config::Config;
use crate::place::Place;
use crate::whole::Parts;
use crate::{checks, verdict};

/// A large output is read up to here; what is longer is not judged by its beginning.
const READ_LIMIT: u64 = 64 << 20;

/// Judges records.
pub(crate) struct Verifier {
    config: Config,
    here: Arc<Place>,
    parts: Parts,
}

impl Verifier {
    pub(crate) fn new(config: Config) -> Verifier {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Verifier { config, here: Arc::new(Place::new(here)), parts: Parts::default() }
    }

    pub(crate) fn options(&self) -> FilterOptions {
        self.config.filter
    }

    /// Returns the whole output, and why it is not whole.
    fn output(&self, dispatch: &Dispatch) -> (String, Option<String>) {
        let begun = dispatch.output.clone().unwrap_or_default();
        let Some(file) = &dispatch.output_file else { return (begun, None) };
        if file.bytes > READ_LIMIT {
            return (begun, Some(format!("the output of {} bytes is too long to be judged", file.bytes)));
        }
        match read(&self.here.root().join(&file.path), file.bytes) {
            Err(error) => (begun, Some(format!("cannot read the output in `{}`: {error}", file.path))),
            Ok(bytes) if blake3::hash(&bytes).to_hex().as_str() != file.blake3 => (
                begun,
                Some(format!("`{}` is not the output that was recorded: its hash differs", file.path)),
            ),
            Ok(bytes) => (String::from_utf8_lossy(&bytes).into_owned(), None),
        }
    }
}

fn read(path: &Path, expected: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more than expected: a file that grew has another hash, and is not read to its end to see that.
    std::fs::File::open(path)?.take(expected + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Stage for Verifier {
    const NAME: &'static str = "verify";
    // Most records take microseconds, but one with a command may take minutes and holds up those behind it.
    const BATCH: usize = 4;

    fn process(&self, record: &mut Record) -> Result<(), Problem> {
        let Some(dispatch) = record.get::<Dispatch>()? else { return Ok(()) };
        let judged = record.get::<Verify>()?.map_or(0, |verify| verify.attempt);
        if dispatch.attempt <= judged && !self.config.force {
            return Ok(());
        }
        let Some(task) = record.get::<Task>()? else {
            return Err(Problem::new("no `task`").hint("a verdict needs to know what was asked for"));
        };
        let (classify, gates) = (record.get::<Classify>()?, record.get::<Gates>()?);
        let (output, unread) = self.output(&dispatch);
        let here = self.here.clone();
        let attempt =
            Attempt::new(&task, classify.as_ref(), &dispatch, gates.as_ref(), (&output, unread), here);
        let observations = checks::run(&self.config.checks, &attempt, self.config.commands);
        // A command that was called off says nothing; the next run judges this attempt.
        if !interrupt::requested() {
            record.set(&verdict::of(&attempt, &observations));
        }
        Ok(())
    }

    fn settle(&self, record: &mut Record) -> bool {
        self.parts.settle(record)
    }

    fn is_yes(&self, record: &Record) -> bool {
        matches!(record.get::<Verify>(), Ok(Some(verify)) if verify.decision == Decision::Accept)
    }
}
