//! The command line as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use shared::units::{parse_duration, parse_size};
use shared::{CommandLine, Common};

use crate::limits::halt::Halting;
use crate::speculate::{Drafts, When, drafts};

use crate::commands::Command;

const EXAMPLES: &str = "\
Examples:
  Classify tasks, run them, keep the results
    classify tasks.jsonl | dispatch > results.jsonl

  See what would be run, where, why and for how much
    classify tasks.jsonl | dispatch --dry-run

  Any program for every task: the text on standard input, or as one argument
    dispatch -- wc -w < tasks.jsonl
    dispatch -j 8 -- ./summarize.sh --text {} < tasks.jsonl

  An agent program, at most two at once and for five dollars
    classify tasks.jsonl | dispatch --backend claude -j 2 --budget 5

  Go on after a crash, a kill or an interrupt: what has finished is not run again
    dispatch --resume routed.jsonl > results.jsonl

  On other machines: workers there, the tasks from here
    dispatch --worker nats://queue.example -j 4
    classify tasks.jsonl | dispatch --queue nats://queue.example > results.jsonl

  Without a network, from recorded answers
    classify tasks.jsonl | dispatch --replay answers.jsonl

  Which executors are there?
    dispatch agents list

A file that is named like a command is read if it is written as a path, such as ./agents.

Exit status: 0 fine, 1 no (with -e), 2 usage, 3 records with errors, 4 could not go on, 130 interrupted.";

/// Send every task to its executor and bring back what it said
///
/// Reads records, one JSON object a line, runs each task that needs it as soon as the tasks it depends on have ended, and
/// writes the records with their `dispatch` section. Tasks that need no model are done by `local`; which backend and model
/// drafts the others is said in specpipe.toml, or found by what is there.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "dispatch",
    version,
    max_term_width = 100,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true
)]
pub struct Args {
    /// Files of records, `-` for standard input [default: standard input]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Run this program for every task, with the text on standard input or in place of `{}`
    #[arg(last = true, value_name = "PROGRAM")]
    pub argv: Vec<String>,

    /// How many tasks run at once [default: the processors, but at least 4]
    #[arg(short, long, value_name = "N", env = "SPECPIPE_DISPATCH_JOBS", hide_env = true, help_heading = "Scheduling",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,

    /// What a dependency must be for its dependents to start [default: finished]
    #[arg(
        long,
        value_name = "STATE",
        env = "SPECPIPE_DISPATCH_DEPS",
        hide_env = true,
        help_heading = "Scheduling"
    )]
    pub deps: Option<Deps>,

    /// Write records as they end instead of in input order
    #[arg(long, overrides_with = "keep_order", help_heading = "Scheduling")]
    pub as_completed: bool,

    /// Write records in input order, which is the default; undoes --as-completed
    #[arg(long, overrides_with = "as_completed", help_heading = "Scheduling")]
    pub keep_order: bool,

    /// How many unfinished records are held before reading waits
    #[arg(long, value_name = "N", default_value_t = 4096, help_heading = "Scheduling",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub window: u32,

    /// Make several drafts of a task at once, and keep the first that is accepted: so many on its tier, or one on each of
    /// these tiers besides
    #[arg(long, value_name = "N|TIERS", value_parser = drafts, env = "SPECPIPE_DISPATCH_RACE", hide_env = true,
          help_heading = "Speculation")]
    pub race: Option<Drafts>,

    /// Which tasks race [default: all]
    #[arg(long, value_name = "WHICH", value_delimiter = ',', help_heading = "Speculation")]
    pub race_if: Vec<When>,

    /// What all drafts beyond the first may cost together, in US dollars
    #[arg(
        long,
        value_name = "USD",
        env = "SPECPIPE_DISPATCH_RACE_BUDGET",
        hide_env = true,
        help_heading = "Speculation"
    )]
    pub race_budget: Option<f64>,

    /// Accept a draft only if this command, run with `sh -c`, ends with 0; the record is on its standard input
    #[arg(
        long,
        value_name = "COMMAND",
        env = "SPECPIPE_DISPATCH_CHECK",
        hide_env = true,
        help_heading = "Speculation"
    )]
    pub check: Option<String>,

    /// Run tasks again whose last attempt ended so [default: cancelled]
    #[arg(long, value_name = "STATUS", value_delimiter = ',', help_heading = "Scheduling")]
    pub rerun: Vec<Ended>,

    /// Show what would be run, in which order, where, why and for how much; run nothing
    #[arg(long, help_heading = "Scheduling")]
    pub dry_run: bool,

    /// How a plan is written
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        requires = "dry_run",
        help_heading = "Scheduling"
    )]
    pub format: Format,

    /// Run a compound task as a whole instead of in the parts that `classify` found
    #[arg(long, help_heading = "Scheduling")]
    pub no_decompose: bool,

    /// Use results that an earlier, ended run has left in the journal
    #[arg(long, help_heading = "Scheduling")]
    pub resume: bool,

    /// Log every attempt in this file, in the columns of GNU parallel and some more
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub joblog: Option<PathBuf>,

    /// Keep what every task said in a directory of its own below this one: stdout, stderr and record.json
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub results: Option<PathBuf>,

    /// Show one line on the terminal, and not the tasks that run
    #[arg(long, help_heading = "Reports")]
    pub bar: bool,

    /// Show also how long it will take
    #[arg(long, help_heading = "Reports")]
    pub eta: bool,

    /// Keep no journal: nothing is noted, and no later run can use the results
    #[arg(long, conflicts_with = "resume", help_heading = "Scheduling")]
    pub no_journal: bool,

    /// How often a request is repeated that failed for a reason which passes, such as an overloaded server [default: 4]
    #[arg(long, value_name = "N", env = "SPECPIPE_DISPATCH_RETRIES", hide_env = true, help_heading = "Limits",
          value_parser = clap::value_parser!(u16))]
    pub retries: Option<u16>,

    /// Send every task to this backend; `local` is none but the built-in one
    #[arg(
        long,
        value_name = "NAME",
        env = "SPECPIPE_DISPATCH_BACKEND",
        hide_env = true,
        help_heading = "Backends"
    )]
    pub backend: Option<String>,

    /// Ask this model, whatever the tier
    #[arg(
        long,
        value_name = "MODEL",
        env = "SPECPIPE_DISPATCH_MODEL",
        hide_env = true,
        help_heading = "Backends"
    )]
    pub model: Option<String>,

    /// Do nothing without a model but what `task.run` says
    #[arg(long, help_heading = "Backends")]
    pub no_local: bool,

    /// Answer from this file of recorded answers
    #[arg(long, value_name = "FILE", help_heading = "Backends")]
    pub replay: Option<PathBuf>,

    /// Record all answers in this file, for --replay
    #[arg(long, value_name = "FILE", help_heading = "Backends")]
    pub record: Option<PathBuf>,

    /// Give the tasks to workers through the queue at nats://HOST:PORT/STREAM; port and stream may be left out
    #[arg(
        long,
        value_name = "URL",
        env = "SPECPIPE_DISPATCH_QUEUE",
        hide_env = true,
        hide_env_values = true,
        help_heading = "Beyond one machine"
    )]
    pub queue: Option<String>,

    /// Be a worker: take tasks from this queue and run them here, until told to stop
    #[arg(
        long,
        value_name = "URL",
        num_args = 0..=1,
        default_missing_value = "",
        hide_env_values = true,
        conflicts_with_all = ["files", "as_completed", "rerun", "dry_run", "no_decompose", "resume"],
        help_heading = "Beyond one machine"
    )]
    pub worker: Option<String>,

    /// The name of this worker in the records [default: the host and the process id]
    #[arg(
        long,
        value_name = "NAME",
        env = "SPECPIPE_DISPATCH_WORKER_NAME",
        hide_env = true,
        help_heading = "Beyond one machine"
    )]
    pub worker_name: Option<String>,

    /// Write what ran when to this file, as a trace that Perfetto and Chrome draw
    #[arg(long, value_name = "FILE", help_heading = "Scheduling")]
    pub trace: Option<PathBuf>,

    /// Where tasks that write files do so: a git worktree each, or right here
    #[arg(
        long,
        value_name = "WHERE",
        env = "SPECPIPE_DISPATCH_WORKTREES",
        hide_env = true,
        help_heading = "Backends"
    )]
    pub worktrees: Option<Worktrees>,

    /// The commit that worktrees start from [default: where the checkout stands]
    #[arg(
        long,
        value_name = "REV",
        env = "SPECPIPE_DISPATCH_BASE",
        hide_env = true,
        help_heading = "Worktrees"
    )]
    pub base: Option<String>,

    /// Merge work into one branch in the order of dependencies: what `verify` has accepted, or all that has finished and was not rejected
    #[arg(long, value_name = "WORK", num_args = 0..=1, require_equals = true, default_missing_value = "accepted",
          env = "SPECPIPE_DISPATCH_MERGE", hide_env = true, help_heading = "Worktrees")]
    pub merge: Option<Merging>,

    /// The branch that work is merged into [default: specpipe/merged-COMMIT, named after where tasks start]
    #[arg(
        long,
        value_name = "BRANCH",
        env = "SPECPIPE_DISPATCH_MERGE_INTO",
        hide_env = true,
        help_heading = "Worktrees"
    )]
    pub merge_into: Option<String>,

    /// The longest that one attempt may take, unless the task says otherwise; 0 is no limit [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, env = "SPECPIPE_DISPATCH_TIMEOUT", hide_env = true,
          help_heading = "Limits")]
    pub timeout: Option<Duration>,

    /// Start nothing that may cost more than is left of this many US dollars
    #[arg(
        long,
        value_name = "USD",
        env = "SPECPIPE_DISPATCH_BUDGET",
        hide_env = true,
        help_heading = "Limits"
    )]
    pub budget: Option<f64>,

    /// Start nothing more that uses tokens once so many are used
    #[arg(
        long,
        value_name = "TOKENS",
        env = "SPECPIPE_DISPATCH_BUDGET_TOKENS",
        hide_env = true,
        help_heading = "Limits"
    )]
    pub budget_tokens: Option<u64>,

    /// Start nothing more, or end everything, once so many attempts have failed, such as `soon,fail=30%` [default: never]
    #[arg(
        long,
        value_name = "WHEN,WHAT=N",
        env = "SPECPIPE_DISPATCH_HALT",
        hide_env = true,
        help_heading = "Limits"
    )]
    pub halt: Option<Halting>,

    /// How many attempts a share in --halt is about at least [default: 10]
    #[arg(long, value_name = "N", env = "SPECPIPE_DISPATCH_HALT_MIN", hide_env = true, help_heading = "Limits",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub halt_min: Option<u16>,

    /// A larger output goes to a file [default: 64KiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, env = "SPECPIPE_DISPATCH_OUTPUT_LIMIT", hide_env = true,
          help_heading = "Limits")]
    pub output_limit: Option<u64>,

    /// The most that a program may print before it is ended; 0 is no limit [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, env = "SPECPIPE_DISPATCH_OUTPUT_MAX", hide_env = true,
          help_heading = "Limits")]
    pub output_max: Option<u64>,

    /// The price table to use instead of the built-in one
    #[arg(
        long,
        value_name = "FILE",
        env = "SPECPIPE_DISPATCH_PRICES",
        hide_env = true,
        help_heading = "Limits"
    )]
    pub prices: Option<PathBuf>,

    /// Exit with 1 if a task did not end well
    #[arg(short, long)]
    pub exit_status: bool,

    /// What to do besides running tasks
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The options that all programs share.
    #[command(flatten)]
    pub common: Common,
}

impl CommandLine for Args {
    fn common(&self) -> &Common {
        &self.common
    }
}

/// What a dependency must be for its dependents to start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deps {
    /// It has ended well.
    #[default]
    Finished,
    /// `verify` has accepted it.
    Accepted,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people.
    #[default]
    Human,
    /// A JSON object for each task, a line each.
    Jsonl,
}

/// Where tasks that write do so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worktrees {
    /// In a worktree each, if this is a git repository.
    #[default]
    Auto,
    /// Where dispatch was started.
    Never,
}

/// Which work is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Merging {
    /// That which `verify` has accepted.
    Accepted,
    /// All that has ended well, unless `verify` has said otherwise.
    Finished,
}

/// How an attempt may have ended, to be run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ended {
    /// It said that it did not do the task.
    Failed,
    /// The model refused.
    Refused,
    /// The answer was cut off.
    Truncated,
    /// It took too long.
    Timeout,
    /// The network or the server failed.
    Transport,
    /// The credentials were not accepted.
    Auth,
    /// The account's limit was reached.
    Quota,
    /// The budget was spent.
    Budget,
    /// No backend was configured for it.
    Unavailable,
    /// The run was interrupted.
    Cancelled,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn files_and_a_program_are_told_apart() {
        let args = Args::parse_from(["dispatch", "a.jsonl", "--", "sh", "-c", "cat"]);
        assert_eq!((args.files.len(), args.argv.join(" ").as_str()), (1, "sh -c cat"));
        let args = Args::parse_from(["dispatch", "--rerun", "failed,timeout"]);
        assert_eq!(args.rerun, [Ended::Failed, Ended::Timeout]);
    }

    #[test]
    fn a_file_or_a_program_that_is_named_like_a_command_can_be_said() {
        assert!(Args::parse_from(["dispatch", "agents", "list"]).command.is_some());
        let args = Args::parse_from(["dispatch", "./agents"]);
        assert!(args.command.is_none() && args.files == [PathBuf::from("./agents")]);
        let args = Args::parse_from(["dispatch", "--", "agents", "list"]);
        assert!(args.command.is_none() && args.argv == ["agents", "list"]);
    }
}
