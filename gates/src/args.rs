//! The command line as it was typed.

use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum};

use crate::report::Format;

const EXAMPLES: &str = "\
Examples:
  gates .                                   Check every file here that git does not ignore
  gates --staged                            In a pre-commit hook: what would be committed
  gates --diff main --format sarif          In CI: what this branch adds to main
  gates --full .                            Also run the project's linter, type checker and tests
  gates --gate secrets --skip lint src/     Some gates, some files
  dispatch | gates | verify                 In a pipe: what each task has changed, in its worktree

Exit status:
  0  no gate fails      1  a gate fails (alone; with records only with -e)
  2  usage or configuration      3  some records could not be processed      4  could not go on";

/// Facts about what was produced: does it parse, does it leak, does it stay in scope, do lint and tests pass.
///
/// With PATHs, --staged or --diff it works alone, like a linter. With none of them it reads records from
/// standard input (with --records from files), checks what each task has changed and writes the member `gates`.
/// Missing evidence is never a pass: what can not be checked is `unverifiable` or `skip`, with the reason.
#[derive(Clone, Debug, Parser)]
#[command(name = "gates", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Args {
    /// Files and directories to check; directories are walked as git sees them (with --records: files of records)
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Check what is staged for the next commit, not what is on disk
    #[arg(long, help_heading = "What to check", conflicts_with_all = ["diff", "records"])]
    pub staged: bool,

    /// Check what changed since the branch left BASE, and only what it made worse
    #[arg(long, help_heading = "What to check", value_name = "BASE", conflicts_with = "records")]
    pub diff: Option<String>,

    /// Read records from the files (`-` and none are standard input), write them with the member `gates`
    #[arg(long, help_heading = "What to check")]
    pub records: bool,

    /// Also check files that .gitignore and its like leave out
    #[arg(long, help_heading = "What to check")]
    pub no_ignore: bool,

    /// Let count what was there before the change as well
    #[arg(long, help_heading = "What to check")]
    pub whole_files: bool,

    /// Only these gates: syntax, secrets, scope, lint, types, tests, build, format or a configured name
    #[arg(long = "gate", help_heading = "Gates", value_name = "NAME,…", value_delimiter = ',')]
    pub gates: Vec<String>,

    /// All but these gates
    #[arg(long, help_heading = "Gates", value_name = "NAME,…", value_delimiter = ',')]
    pub skip: Vec<String>,

    /// Run no commands: only what is built in
    #[arg(long, help_heading = "Gates", conflicts_with = "full")]
    pub fast: bool,

    /// Also run the commands that the project's own files point to (with records that is the default)
    #[arg(long, help_heading = "Gates")]
    pub full: bool,

    /// How undeclared files are judged [default: graduated] [env: SCOPE_STRICT]
    #[arg(long, help_heading = "Gates", value_name = "MODE", hide_default_value = true)]
    pub scope: Option<ScopeMode>,

    /// Declare which files a change may touch (with --staged or --diff; records say it themselves)
    #[arg(long, help_heading = "Gates", value_name = "GLOB")]
    pub declare: Vec<String>,

    /// The longest that one command may take [default: 15m]
    #[arg(long, help_heading = "Gates", value_name = "TIME", value_parser = shared::units::parse_duration,
        env = "SPECPIPE_GATES_TIMEOUT", hide_env = true)]
    pub timeout: Option<std::time::Duration>,

    /// How findings are written when used alone
    #[arg(long, help_heading = "Output", value_name = "FORMAT", default_value = "human")]
    pub format: Format,

    /// Let `unverifiable` count as a failure
    #[arg(long, help_heading = "Output")]
    pub strict: bool,

    /// End with 0 also if a gate fails
    #[arg(long, help_heading = "Output", conflicts_with = "exit_status")]
    pub exit_zero: bool,

    /// With records: end with 1 if a gate failed on one of them
    #[arg(short = 'e', long, help_heading = "Output", action = ArgAction::SetTrue)]
    pub exit_status: bool,

    /// How many files or records are checked at the same time [default: the number of processors]
    #[arg(short, long, help_heading = "Output", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024),
        env = "SPECPIPE_GATES_JOBS", hide_env = true)]
    pub jobs: Option<u16>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: shared::Common,
}

impl shared::CommandLine for Args {
    fn common(&self) -> &shared::Common {
        &self.common
    }
}

/// How changed files that nobody declared are judged (seed 002).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeMode {
    /// One or two pass with a warning, three or more fail
    #[default]
    Graduated,
    /// One is enough to fail
    Strict,
    /// They are not looked at
    Disabled,
}
