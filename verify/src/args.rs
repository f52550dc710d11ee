//! The command line as it was typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use shared::{CommandLine, Common, units};

pub use crate::checks::CheckName;

const EXAMPLES: &str = "\
Examples:
  One pass over a file of tasks:
    classify < tasks.jsonl | dispatch | gates | verify > results.jsonl

  Judge what another program produced, and stop a script unless all of it is accepted:
    ./my-executor < tasks.jsonl | verify --exit-status > results.jsonl

  See why, for people:
    verify --explain results.jsonl > /dev/null

  Without running the commands of the tasks' `accept` lists:
    verify --no-commands < answers.jsonl

  The closing table, earlier attempts and their cost included:
    verify report results.jsonl

Exit status:
  0  all records were judged        1  not all are accepted (only with -e)
  2  wrong usage or configuration   3  some records could not be judged
  4  could not go on                130  interrupted";

/// Judge what executors produced: accept, fix, escalate
///
/// Reads records, judges every attempt that has no verdict yet, and writes the records with a `verify` member. The checks
/// are deterministic: no model is asked, and what could not be checked is said to be unverifiable, never accepted.
#[derive(Clone, Debug, Parser)]
#[command(name = "verify", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Files of records; none or `-` is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Exit with 1 unless every record is accepted
    #[arg(short, long)]
    pub exit_status: bool,

    /// Judge again what has a verdict already
    #[arg(short, long)]
    pub force: bool,

    /// Say on standard error what was checked and why it was decided so
    #[arg(long)]
    pub explain: bool,

    /// Make only these checks
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        conflicts_with = "skip",
        help_heading = "Checks"
    )]
    pub only: Vec<CheckName>,

    /// Leave these checks out
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        hide_possible_values = true,
        help_heading = "Checks"
    )]
    pub skip: Vec<CheckName>,

    /// Run the commands of `accept` lists, which is the default
    #[arg(long, overrides_with = "no_commands", help_heading = "Checks")]
    pub run_commands: bool,

    /// Do not run them; such conditions are unverifiable then
    #[arg(long, overrides_with = "run_commands", help_heading = "Checks")]
    pub no_commands: bool,

    /// The longest a command may take that has no limit of its own [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration, env = "SPECPIPE_VERIFY_TIMEOUT",
          hide_env = true, help_heading = "Checks")]
    pub timeout: Option<Duration>,

    /// How many records are judged at the same time [default: the processors]
    #[arg(short, long, value_name = "N", env = "SPECPIPE_VERIFY_JOBS", hide_env = true,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,

    /// What to do besides judging
    #[command(subcommand)]
    pub command: Option<Action>,

    /// What all programs share
    #[command(flatten)]
    pub common: Common,
}

/// What `verify` can do besides judging.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Print the closing table of a run, net of everything that was paid on the way
    Report {
        /// Files of records; none or `-` is standard input
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,

        /// How to print it
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: Format,
    },
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs: one JSON document.
    Json,
}

impl CommandLine for Args {
    fn common(&self) -> &Common {
        &self.common
    }
}
