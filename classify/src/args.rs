//! The command line, as it is typed.

use std::path::PathBuf;

use clap::Parser;

/// Decides how hard each task is, and which executor should draft it.
///
/// Reads records, one JSON object a line, and writes them with a member `classify`: the tier (1 mechanical,
/// 2 standard engineering, 3 deep reasoning), the executor, how sure that is, the risk, and why. All else in a
/// record passes through as it came. No model is asked and nothing is looked up: the same task gets the same
/// answer, in microseconds.
#[derive(Debug, Parser)]
#[command(
    name = "classify",
    version,
    about = "Decide how hard each task is, and who should draft it",
    max_term_width = 100,
    after_help = EXAMPLES
)]
pub struct Args {
    /// Files to read instead of standard input; `-` is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Classify this text; may be given more than once, instead of files
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["files", "lines"], help_heading = "Input")]
    pub text: Vec<String>,

    /// Read plain text, one task a line, and give each an id
    #[arg(short, long, help_heading = "Input")]
    pub lines: bool,

    /// Classify again what is classified already
    #[arg(short, long, help_heading = "Work")]
    pub force: bool,

    /// How many batches of records are worked on at the same time [default: one per processor]
    #[arg(short, long, value_name = "N", env = "SPECPIPE_CLASSIFY_JOBS", hide_env = true, help_heading = "Work",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,

    /// Tell on standard error why each task is where it is
    #[arg(long, help_heading = "Output")]
    pub explain: bool,

    /// End with status 1 if any task was uncertain
    #[arg(short, long, help_heading = "Output")]
    pub exit_status: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: shared::Common,
}

const EXAMPLES: &str = "\
Examples:
  # why is this task where it is?
  classify --explain --text 'fix the race condition in checkout' > /dev/null

  # classify the tasks of a file, and draft them
  classify tasks.jsonl | dispatch | gates | verify > results.jsonl

  # a plain list of tasks, one a line
  classify --lines < todo.txt > tasks.jsonl

  # is any of them too vague to tell?
  classify --exit-status --quiet < tasks.jsonl > routed.jsonl || echo 'look at the uncertain ones'

Your own rules stand in specpipe.toml, as [[classify.rules]], and come before all that is built in.

Exit status: 0 fine, 1 some task was uncertain (with -e), 2 usage, 3 records with errors, 4 could not go on,
130 interrupted.";

impl shared::CommandLine for Args {
    fn common(&self) -> &shared::Common {
        &self.common
    }
}
