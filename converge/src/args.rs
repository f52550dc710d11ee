//! The command line as typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use shared::units::parse_duration;

const EXAMPLES: &str = "\
Examples:
  Draft, check and escalate until every task has its verdict, in at most 3 rounds:
    classify < tasks.jsonl | converge -n 3 -c 'dispatch | gates | verify' > results.jsonl

  The same, with at most two dollars and half an hour, and again after a crash:
    converge --budget 2 --time 30m -c 'dispatch | gates | verify' routed.jsonl > done.jsonl
    converge --resume --budget 2 --time 30m -c 'dispatch | gates | verify' routed.jsonl > done.jsonl

  Loop an agent over this repository: 5 iterations of at most 2 hours, starting in an hour,
  a commit after each, until the tests are green and nothing changes any more:
    converge -n 5 -t 2h -d 1h --commit --verify-with 'cargo test' -- ./agent.sh prompts/002-plans.md

  What would that do, and how long could it take?
    converge -n 5 -t 2h -d 1h --dry-run -- ./agent.sh prompts/002-plans.md

Exit status:
  0 settled; over records without -e also when not
  1 not settled, or with -e: a record was not accepted
  2 the command line or the configuration can not be used
  3 a record has errors, was lost or came back twice
  4 could not go on
  130 interrupted";

const USAGE: &str = "\
converge [OPTIONS] -c <STRING> [FILE]...
       converge [OPTIONS] [--records | --tree[=<DIR>]] -- <COMMAND>...";

/// Run a pipeline or an agent again and again, until nothing changes any more.
///
/// Over records (a pipe or files of JSON lines): feeds the records that are not settled through the command, takes in
/// what comes back, and stops record by record at the fixed point. Over a working tree: runs the command in the tree,
/// looks at what it changed, and stops when it changes nothing any more, goes in circles, or has had its time.
///
/// With `-c` or files it works over records. With `-- COMMAND` it works over records if standard input has any, else over
/// the working tree. `--records` and `--tree` settle it.
#[derive(Debug, clap::Parser)]
#[command(name = "converge", version, override_usage = USAGE, after_help = EXAMPLES, max_term_width = 110)]
pub struct Args {
    /// Records to read instead of standard input (`-`)
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The program and its arguments; no shell is involved
    #[arg(last = true, value_name = "COMMAND")]
    pub argv: Vec<OsString>,

    /// Run this string with `sh -c`
    #[arg(
        short = 'c',
        long = "command",
        value_name = "STRING",
        conflicts_with = "argv",
        help_heading = "What is run"
    )]
    pub shell: Option<String>,

    /// Work over records
    #[arg(long, conflicts_with_all = ["tree", "iteration_time", "delay", "commit", "verify_with", "strict", "share",
          "retry_delay", "bookkeeping", "generated", "code", "json"], help_heading = "What is run")]
    pub records: bool,

    /// Work over a working tree: this directory, or else the repository
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true,
          conflicts_with_all = ["files", "round_time", "budget", "resume", "ignore", "exit_status"],
          help_heading = "What is run")]
    pub tree: Option<Option<PathBuf>>,

    /// Print what would run and how long it could take, and end
    #[arg(long, help_heading = "What is run")]
    pub dry_run: bool,

    /// At most so many rounds or iterations; 0 for no limit [default: 10]
    #[arg(
        short = 'n',
        long = "rounds",
        visible_alias = "iterations",
        value_name = "N",
        env = "SPECPIPE_CONVERGE_ROUNDS",
        hide_env = true,
        help_heading = "Limits"
    )]
    pub rounds: Option<u32>,

    /// End after this time in all, such as 45m or 2h
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Limits")]
    pub time: Option<Duration>,

    /// End a round after this time; what has come back by then counts
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Over records")]
    pub round_time: Option<Duration>,

    /// Begin no further round once all attempts together have cost this much
    #[arg(
        long,
        value_name = "USD",
        env = "SPECPIPE_CONVERGE_BUDGET",
        hide_env = true,
        help_heading = "Over records"
    )]
    pub budget: Option<f64>,

    /// Go on after the last finished round of a run with the same input
    #[arg(long, help_heading = "Over records")]
    pub resume: bool,

    /// A member that changes by itself and does not count as progress, such as mine.seen_at
    #[arg(long, value_name = "MEMBER", help_heading = "Over records")]
    pub ignore: Vec<String>,

    /// Exit with 1 if a record was not accepted
    #[arg(short = 'e', long, help_heading = "Over records")]
    pub exit_status: bool,

    /// End an iteration after this time; 0 for no limit [default: 2h]
    #[arg(short = 't', long, value_name = "TIME", value_parser = parse_duration, help_heading = "Over a working tree")]
    pub iteration_time: Option<Duration>,

    /// Wait this long before the first iteration
    #[arg(short = 'd', long, value_name = "TIME", value_parser = parse_duration, help_heading = "Over a working tree")]
    pub delay: Option<Duration>,

    /// Commit what an iteration changed, and nothing else; %n in the message is its number
    #[arg(long, value_name = "MESSAGE", num_args = 0..=1, require_equals = true,
          default_missing_value = "converge: iteration %n", help_heading = "Over a working tree")]
    pub commit: Option<String>,

    /// A check to run with `sh -c` after each iteration: green if it exits with 0. May be given several times
    #[arg(long, value_name = "STRING", help_heading = "Over a working tree")]
    pub verify_with: Vec<String>,

    /// Ask for two iterations in a row without a change, not one, before a green tree counts as converged
    #[arg(long, help_heading = "Over a working tree")]
    pub strict: bool,

    /// Let other loops work in the same tree; their changes can then not be told from ours
    #[arg(long = "shared", help_heading = "Over a working tree")]
    pub share: bool,

    /// Wait this long after a command that fails at once, and twice as long the next time [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Over a working tree")]
    pub retry_delay: Option<Duration>,

    /// Files that are the work itself, though they look like bookkeeping or generated
    #[arg(long, value_name = "GLOB", help_heading = "Over a working tree")]
    pub code: Vec<String>,

    /// Files in which an agent keeps its notes; a change in them is no progress
    #[arg(long, value_name = "GLOB", help_heading = "Over a working tree")]
    pub bookkeeping: Vec<String>,

    /// Files that a program makes from others; a change in them is no progress
    #[arg(long, value_name = "GLOB", help_heading = "Over a working tree")]
    pub generated: Vec<String>,

    /// Report as JSON lines: one for each iteration, and the verdict
    #[arg(long, help_heading = "Over a working tree")]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: shared::Common,
}

impl shared::CommandLine for Args {
    fn common(&self) -> &shared::Common {
        &self.common
    }
}
