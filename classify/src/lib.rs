//! `classify` decides how hard each task is, and who should draft it.
//!
//! It reads the member `task` of each record and writes `classify`. It asks no model, reads no project and
//! remembers nothing: a task and the user's rules go in, a decision with its reasons comes out. What the decision
//! leads to is left to `dispatch`.
//!
//! On the way from text to decision: `words` takes the text apart, `lexicon` knows what words mean, `subject` takes
//! off labels, `clause` finds who asks for what, `flowchart` and `rubric` place each clause, `reading` finds the one
//! that decides, `risk` says what an error would cost, `compound` finds the steps, and `decide` puts it all together.

mod args;
mod clause;
mod compound;
mod config;
mod decide;
mod executor;
mod explain;
mod flowchart;
mod lexicon;
mod plain;
mod reading;
mod risk;
mod rubric;
mod rules;
mod subject;
mod words;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod properties;

use std::io::Cursor;
use std::path::PathBuf;

pub use args::Args;
use config::Config;
use shared::section::{Classify, Task};
use shared::{Diagnostics, Exit, Io, Problem, Record, Stage};

/// Runs the program.
pub fn run(args: Args, mut io: Io) -> Exit {
    let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let config = match Config::new(&args, &directory) {
        Ok(config) => config,
        Err(problem) => return io.diagnostics.usage(&problem),
    };
    if !args.text.is_empty() {
        io.input = Box::new(Cursor::new(records(&args.text)));
    } else if let Err(problem) = io.read_files(&args.files) {
        return io.diagnostics.usage(&problem);
    }
    if args.lines {
        io.input = Box::new(plain::Plain::new(io.input));
    }
    let filter = config.filter;
    let classifier = Classifier { config, diagnostics: io.diagnostics.clone() };
    shared::filter(&classifier, io, filter)
}

/// Returns a record for each text of the command line.
fn records(texts: &[String]) -> Vec<u8> {
    let line = |text: &String| serde_json::json!({ "task": text }).to_string() + "\n";
    texts.iter().map(line).collect::<String>().into_bytes()
}

struct Classifier {
    config: Config,
    diagnostics: Diagnostics,
}

impl Stage for Classifier {
    const NAME: &'static str = "classify";
    /// A decision takes microseconds; handing over a record takes as long.
    const BATCH: usize = 256;

    fn process(&self, record: &mut Record) -> Result<(), Problem> {
        if !self.config.force && record.raw(Self::NAME).is_some_and(|raw| raw != "null") {
            if self.config.explain
                && let (Some(task), Some(decision)) = (record.get::<Task>()?, record.get::<Classify>()?)
            {
                self.diagnostics.plain(explain::explanation(record.id(), &task, &decision));
            }
            return Ok(());
        }
        let task = record.get::<Task>()?.ok_or_else(|| {
            Problem::new("no `task`")
                .hint("a record says what is to be done in `task`: a string, or an object with `text`")
        })?;
        let decision = decide::decide(&task, &self.config.rules)?;
        if self.config.explain {
            self.diagnostics.plain(explain::explanation(record.id(), &task, &decision));
        }
        record.set(&decision);
        Ok(())
    }

    fn is_yes(&self, record: &Record) -> bool {
        self.config.filter.exit_status
            && matches!(record.get::<Classify>(), Ok(Some(decision)) if !decision.unsure)
    }
}
