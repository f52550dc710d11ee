//! The command line, as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use shared::units::{parse_duration, parse_share};

use crate::mode::Mode;
use crate::reckon::CachedTokens;

use crate::{Calibrate, IndexArgs, Reflect, Replay, TrainArgs};

/// Decides how hard each task is, and which executor should draft it.
///
/// Reads records, one JSON object a line, and writes them with a member `classify`: the tier (1 mechanical,
/// 2 standard engineering, 3 deep reasoning), the executor, how sure that is, the risk, and why. All else in a
/// record passes through as it came. Unless told to, it asks no model and looks nothing up: the same task gets the
/// same answer, in microseconds.
#[derive(Debug, Parser)]
#[command(
    name = "classify",
    version,
    about = "Decide how hard each task is, and who should draft it",
    max_term_width = 100,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true
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

    /// Take the weights that `classify train` has made, instead of those built in
    #[arg(
        long,
        value_name = "FILE",
        env = "SPECPIPE_CLASSIFY_WEIGHTS",
        hide_env = true,
        help_heading = "Work"
    )]
    pub weights: Option<PathBuf>,

    /// How many batches of records are worked on at the same time [default: one per processor]
    #[arg(short, long, value_name = "N", env = "SPECPIPE_CLASSIFY_JOBS", hide_env = true, help_heading = "Work",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,

    /// Ask whether a task is ready to be worked on, and warn about it or block it if not [default: off]
    #[arg(
        long,
        value_name = "MODE",
        env = "SPECPIPE_CLASSIFY_REFLECT",
        hide_env = true,
        help_heading = "Reflection"
    )]
    pub reflect: Option<Reflect>,

    /// The calibration to apply, or `off` [default: .specpipe/calibration.json of the project, if it is there]
    #[arg(
        long,
        value_name = "PATH",
        env = "SPECPIPE_CLASSIFY_CALIBRATION",
        hide_env = true,
        help_heading = "Calibration"
    )]
    pub calibration: Option<String>,

    /// How careful to be: conservative lifts more tasks a tier up, aggressive fewer [default: balanced]
    #[arg(
        long,
        value_name = "MODE",
        env = "SPECPIPE_CLASSIFY_MODE",
        hide_env = true,
        help_heading = "Prices and budget"
    )]
    pub mode: Option<Mode>,

    /// Put about this share of the tasks on tier 3, those that most need it, such as 20% or 0.2
    #[arg(long, value_name = "SHARE", value_parser = parse_share, env = "SPECPIPE_CLASSIFY_STRONG_RATE", hide_env = true,
          help_heading = "Prices and budget")]
    pub strong_rate: Option<f64>,

    /// Plan so that all tasks together are expected to cost no more than so many US dollars
    #[arg(
        long,
        value_name = "USD",
        env = "SPECPIPE_CLASSIFY_BUDGET",
        hide_env = true,
        help_heading = "Prices and budget",
        conflicts_with = "strong_rate"
    )]
    pub budget: Option<f64>,

    /// Reckon what drafts cost: `auto` if [dispatch.tiers] names models, `always`, or `never` [default: auto]
    #[arg(
        long,
        value_name = "WHEN",
        env = "SPECPIPE_CLASSIFY_ECONOMICS",
        hide_env = true,
        help_heading = "Prices and budget"
    )]
    pub economics: Option<When>,

    /// The price table to use instead of the built-in one
    #[arg(
        long,
        value_name = "FILE",
        env = "SPECPIPE_CLASSIFY_PRICES",
        hide_env = true,
        help_heading = "Prices and budget"
    )]
    pub prices: Option<PathBuf>,

    /// So many tokens of every prompt are in the cache of tier 3's model, or of another tier's: TOKENS@TIER
    #[arg(
        long,
        value_name = "TOKENS",
        env = "SPECPIPE_CLASSIFY_CACHED_TOKENS",
        hide_env = true,
        help_heading = "Prices and budget"
    )]
    pub cached_tokens: Option<CachedTokens>,

    /// Put tasks that are uncertain to a model of this backend of dispatch; `auto` is the one that tier 1 has
    #[arg(
        long,
        value_name = "BACKEND",
        env = "SPECPIPE_CLASSIFY_ASK",
        hide_env = true,
        help_heading = "Asking"
    )]
    pub ask: Option<String>,

    /// Ask this model [default: the backend's for tier 1]
    #[arg(
        long,
        value_name = "MODEL",
        env = "SPECPIPE_CLASSIFY_ASK_MODEL",
        hide_env = true,
        help_heading = "Asking"
    )]
    pub ask_model: Option<String>,

    /// Begin no question once this many US dollars are spent on asking [default: 1]
    #[arg(
        long,
        value_name = "USD",
        env = "SPECPIPE_CLASSIFY_ASK_BUDGET",
        hide_env = true,
        help_heading = "Asking"
    )]
    pub ask_budget: Option<f64>,

    /// How many tasks go into one question [default: 20]
    #[arg(long, value_name = "N", env = "SPECPIPE_CLASSIFY_ASK_BATCH", hide_env = true, help_heading = "Asking",
          value_parser = clap::value_parser!(u16).range(1..=100))]
    pub ask_batch: Option<u16>,

    /// The longest that one question may take [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, env = "SPECPIPE_CLASSIFY_ASK_TIMEOUT",
          hide_env = true, help_heading = "Asking")]
    pub ask_timeout: Option<Duration>,

    /// Tell on standard error why each task is where it is
    #[arg(long, help_heading = "Output")]
    pub explain: bool,

    /// End with status 1 if any task was uncertain
    #[arg(short, long, help_heading = "Output")]
    pub exit_status: bool,

    /// What to do besides classifying
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: shared::Common,
}

/// What `classify` can do besides classifying.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the index of the project, or show what it knows of some files
    Index(IndexArgs),
    /// Learn from verified records what is accepted, and how far tasks may be delegated
    Calibrate(Calibrate),
    /// Show what other thresholds or prices would have made of verified records
    Replay(Replay),
    /// Make a model from labelled examples, or try one on them
    Train(TrainArgs),
}

/// When prices are reckoned with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// If the configuration names the models of the tiers
    #[default]
    Auto,
    /// With the models that `dispatch` would use by itself, if none are named
    Always,
    /// Not at all
    Never,
}

const EXAMPLES: &str = "\
Examples:
  # why is this task where it is?
  classify --explain --text 'fix the race condition in checkout' > /dev/null

  # classify the tasks of a file, and draft them
  classify tasks.jsonl | dispatch | gates | verify > results.jsonl

  # a plain list of tasks, one a line
  classify --lines < todo.txt > tasks.jsonl

  # what does each way to do it cost, and is a draft worth it?
  classify --economics always --explain --text 'add pagination to the list of users' > /dev/null

  # no more than five dollars for all of it, and where they go
  classify --budget 5 tasks.jsonl > routed.jsonl

  # is any of them too vague to tell?
  classify --exit-status --quiet < tasks.jsonl > routed.jsonl || echo 'look at the uncertain ones'

  # which tasks have to be asked about before anything is spent on them?
  classify --reflect=block tasks.jsonl | dispatch | gates | verify > results.jsonl

  # learn from what became of them; later runs use it
  classify calibrate results.jsonl

  # put the uncertain ones, and only those, to the cheapest model, for ten cents at the most
  classify --ask anthropic --ask-budget 0.10 tasks.jsonl > routed.jsonl

Your own rules stand in specpipe.toml, as [[classify.rules]], and come before all that is built in.

Exit status: 0 fine, 1 some task was uncertain (with -e), 2 usage, 3 records with errors, 4 could not go on,
130 interrupted.";

impl shared::CommandLine for Args {
    fn common(&self) -> &shared::Common {
        &self.common
    }
}
