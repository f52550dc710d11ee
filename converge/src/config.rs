//! The command line as understood: flags over environment variables over `specpipe.toml` over defaults, and over what to
//! work: records or a working tree.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use shared::units::{format_duration, parse_duration};
use shared::{Problem, config};

use crate::Args;
use crate::records::content::Mask;
use crate::tree::class::Classes;

/// Enough for every tier and a few dependents; agent loops that need more are not converging (seed 004).
pub(crate) const ROUNDS: u32 = 10;

/// The time of an iteration in the examples of seed 004.
const ITERATION_TIME: Duration = Duration::from_secs(2 * 60 * 60);

const RETRY_DELAY: Duration = Duration::from_secs(5);

/// What to do.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Over records.
    Records(RecordsPlan),
    /// Over a working tree.
    Tree(TreePlan),
}

/// What is run each time.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The program and its arguments.
    pub(crate) argv: Vec<OsString>,
    /// The same as a person would type it.
    pub(crate) shown: String,
}

/// What to do over records.
#[derive(Debug)]
pub(crate) struct RecordsPlan {
    pub(crate) program: Program,
    /// `None` is no limit.
    pub(crate) rounds: Option<u32>,
    pub(crate) time: Option<Duration>,
    pub(crate) round_time: Option<Duration>,
    pub(crate) budget_usd: Option<f64>,
    pub(crate) resume: bool,
    pub(crate) mask: Mask,
    pub(crate) exit_status: bool,
    pub(crate) max_line: u64,
    pub(crate) files: Vec<PathBuf>,
}

/// What to do over a working tree.
#[derive(Debug)]
pub(crate) struct TreePlan {
    pub(crate) program: Program,
    /// The directory that is looked at; the repository if there is one, else the working directory.
    pub(crate) directory: Option<PathBuf>,
    /// `None` is no limit.
    pub(crate) iterations: Option<u32>,
    pub(crate) time: Option<Duration>,
    /// `None` is no limit.
    pub(crate) iteration_time: Option<Duration>,
    pub(crate) delay: Duration,
    pub(crate) commit: Option<String>,
    pub(crate) checks: Vec<String>,
    pub(crate) strict: bool,
    pub(crate) share: bool,
    pub(crate) retry_delay: Duration,
    pub(crate) classes: Classes,
    pub(crate) json: bool,
}

/// The table `[converge]` of `specpipe.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    rounds: Option<u32>,
    time: Option<Span>,
    round_time: Option<Span>,
    budget_usd: Option<f64>,
    ignore: Vec<String>,
    iteration_time: Option<Span>,
    verify_with: Vec<String>,
    code: Vec<String>,
    bookkeeping: Vec<String>,
    generated: Vec<String>,
}

/// A duration as people write it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Span(Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_duration(&text).map(Span)
    }
}

impl Plan {
    /// Understands a command line. `has_input` tells whether there are records on standard input, and may wait for it.
    pub(crate) fn new(args: Args, has_input: impl FnOnce() -> bool) -> Result<Plan, Problem> {
        let start = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        let options: Options = config::load("converge", args.common.config.as_deref(), &start)?;
        let program = Program::new(args.shell.as_deref(), &args.argv)?;
        let over_records = Plan::is_over_records(&args, has_input)?;
        let rounds = args.rounds.or(options.rounds).unwrap_or(ROUNDS);
        let rounds = (rounds > 0).then_some(rounds);
        let time = args.time.or(options.time.map(|span| span.0)).filter(|time| !time.is_zero());
        if over_records {
            let budget_usd = args.budget.or(options.budget_usd);
            if budget_usd.is_some_and(|budget| !(budget.is_finite() && budget >= 0.0)) {
                return Err(
                    Problem::new("the budget is no amount of money").hint("write dollars, such as 2.50")
                );
            }
            let round_time = args.round_time.or(options.round_time.map(|span| span.0));
            return Ok(Plan::Records(RecordsPlan {
                program,
                rounds,
                time,
                round_time: round_time.filter(|time| !time.is_zero()),
                budget_usd,
                resume: args.resume,
                mask: Mask::new(&[options.ignore, args.ignore].concat())?,
                exit_status: args.exit_status,
                max_line: args.common.max_line,
                files: args.files,
            }));
        }
        let iteration_time = args.iteration_time.or(options.iteration_time.map(|span| span.0));
        let checks = if args.verify_with.is_empty() { options.verify_with } else { args.verify_with };
        let directory = args.tree.flatten();
        if let Some(directory) = directory.as_deref().filter(|directory| !directory.is_dir()) {
            return Err(Problem::new(format!("no directory `{}`", directory.display()))
                .hint("--tree=DIR names the directory to look at"));
        }
        Ok(Plan::Tree(TreePlan {
            program,
            directory,
            iterations: rounds,
            time,
            iteration_time: Some(iteration_time.unwrap_or(ITERATION_TIME)).filter(|time| !time.is_zero()),
            delay: args.delay.unwrap_or_default(),
            commit: args.commit,
            checks,
            strict: args.strict,
            share: args.share,
            retry_delay: args.retry_delay.unwrap_or(RETRY_DELAY),
            classes: Classes::new(
                &[options.code, args.code].concat(),
                &[options.bookkeeping, args.bookkeeping].concat(),
                &[options.generated, args.generated].concat(),
            )?,
            json: args.json,
        }))
    }

    fn is_over_records(args: &Args, has_input: impl FnOnce() -> bool) -> Result<bool, Problem> {
        let records_only = args.records
            || !args.files.is_empty()
            || args.round_time.is_some()
            || args.budget.is_some()
            || args.resume
            || !args.ignore.is_empty()
            || args.exit_status;
        let tree_only = args.tree.is_some()
            || args.iteration_time.is_some()
            || args.delay.is_some()
            || args.commit.is_some()
            || !args.verify_with.is_empty()
            || args.strict
            || args.share
            || args.retry_delay.is_some()
            || !(args.code.is_empty() && args.bookkeeping.is_empty() && args.generated.is_empty())
            || args.json;
        match (records_only, tree_only) {
            (true, true) => {
                Err(Problem::new("some of these options are for records, others for a working tree")
                    .hint("--help groups them; --records or --tree says which you mean"))
            }
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            (false, false) => Ok(args.shell.is_some() || has_input()),
        }
    }
}

impl Program {
    fn new(shell: Option<&str>, argv: &[OsString]) -> Result<Program, Problem> {
        match (shell, argv) {
            (None, []) => Err(Problem::new("nothing to run")
                .hint("give a pipeline as -c 'dispatch | gates | verify', or a program after --")),
            (Some(shell), _) if shell.trim().is_empty() => Err(Problem::new("the command is empty")),
            (Some(shell), _) => {
                Ok(Program { argv: vec!["sh".into(), "-c".into(), shell.into()], shown: shell.to_owned() })
            }
            (None, argv) => Ok(Program {
                argv: argv.to_vec(),
                shown: argv.iter().map(quoted).collect::<Vec<_>>().join(" "),
            }),
        }
    }
}

/// Returns an argument as it would be typed into a shell.
fn quoted(argument: &OsString) -> String {
    let text = argument.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

impl RecordsPlan {
    /// Says what would be done, for `--dry-run`.
    pub(crate) fn describe(&self) -> String {
        let times = [self.time, self.rounds.zip(self.round_time).map(|(rounds, time)| time * rounds)];
        let bound = times.into_iter().flatten().min();
        let budget = self.budget_usd.map_or(String::new(), |budget| format!(" and {}", dollars(budget)));
        format!(
            "over records, up to {}{budget}, each round:\n  {}\nat most {}\n",
            count(self.rounds, "round"),
            self.program.shown,
            bound.map_or("as long as it takes".to_owned(), format_duration),
        )
    }
}

impl TreePlan {
    /// Returns the longest time that all of it can take, checks not counted: iterations × time + delay (seed 004).
    pub(crate) fn bound(&self) -> Option<Duration> {
        let product = self.iterations.zip(self.iteration_time).map(|(n, time)| time.saturating_mul(n));
        [product, self.time].into_iter().flatten().min().map(|time| time.saturating_add(self.delay))
    }

    /// Says what would be done, for `--dry-run`.
    pub(crate) fn describe(&self, directory: &Path) -> String {
        let mut text = format!(
            "over the tree {}, up to {}, each:\n",
            directory.display(),
            count(self.iterations, "iteration")
        );
        text += &format!("  {}\n", self.program.shown);
        for check in &self.checks {
            text += &format!("  check: {check}\n");
        }
        if let Some(commit) = &self.commit {
            text += &format!("  commit: {commit}\n");
        }
        let time = self.iteration_time.map_or("without a limit".to_owned(), format_duration);
        text += &format!("time of an iteration: {time}\n");
        if !self.delay.is_zero() {
            text += &format!("start: in {}\n", format_duration(self.delay));
        }
        let bound = self.bound().map_or("as long as it takes".to_owned(), format_duration);
        text + &format!("at most {bound}\n")
    }
}

/// Returns an amount of money as people read it.
pub(crate) fn dollars(amount: f64) -> String {
    if amount == 0.0 || amount >= 1.0 { format!("${amount:.2}") } else { format!("${amount:.4}") }
}

/// Returns a number with its noun.
pub(crate) fn count(number: Option<u32>, noun: &str) -> String {
    match number {
        None => format!("any number of {noun}s"),
        Some(1) => format!("1 {noun}"),
        Some(number) => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::Parser;

    fn plan(arguments: &[&str], has_input: bool) -> Result<Plan, String> {
        let args =
            Args::try_parse_from([&["converge"], arguments].concat()).map_err(|error| error.to_string())?;
        Plan::new(args, || has_input).map_err(|problem| problem.full_message())
    }

    #[test]
    fn over_what_it_works_follows_from_the_options_then_from_the_input() {
        for (arguments, has_input, over_records) in [
            (&["-c", "cat"][..], false, true),
            (&["-c", "cat", "file"], false, true),
            (&["--", "cat"], true, true),
            (&["--", "cat"], false, false),
            (&["--records", "--", "cat"], false, true),
            (&["--tree", "--", "cat"], true, false),
            (&["--tree", "-c", "cat"], true, false),
            (&["--tree=.", "--", "cat"], true, false),
            (&["-t", "2h", "--", "cat"], true, false),
            (&["-d", "1h", "--", "cat"], true, false),
            (&["--commit", "--", "cat"], true, false),
            (&["--commit=x", "-c", "cat"], true, false),
            (&["--verify-with", "true", "--", "cat"], true, false),
            (&["--budget", "1", "--", "cat"], false, true),
            (&["-e", "--", "cat"], false, true),
        ] {
            let plan = plan(arguments, has_input).unwrap();
            assert_eq!(matches!(plan, Plan::Records(_)), over_records, "{arguments:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for arguments in [
            &[][..],
            &["-c", " "],
            &["-c", "cat", "--", "cat"],
            &["-e", "-t", "1h", "--", "cat"],
            &["--records", "--tree", "--", "cat"],
            &["--budget", "-1", "-c", "cat"],
            &["--budget", "NaN", "-c", "cat"],
            &["--round-time", "5", "-c", "cat"],
            &["--tree=/no/such/place", "--", "cat"],
            &["--max-iterations=3", "--", "cat"],
        ] {
            assert!(plan(arguments, false).is_err(), "{arguments:?}");
        }
    }

    fn tree(arguments: &[&str]) -> TreePlan {
        match plan(arguments, false).unwrap() {
            Plan::Tree(plan) => plan,
            Plan::Records(_) => panic!("over records"),
        }
    }

    #[test]
    fn the_limits_are_finite_unless_zero_is_asked_for() {
        let plan = tree(&["--", "agent"]);
        assert_eq!((plan.iterations, plan.bound()), (Some(10), Some(Duration::from_secs(20 * 3600))));
        let plan = tree(&["-n", "5", "-t", "2h", "-d", "1h", "--", "agent"]);
        assert_eq!(plan.bound(), Some(Duration::from_secs(11 * 3600)));
        let plan = tree(&["--iterations=3", "-t=0", "--", "agent"]);
        assert_eq!((plan.iterations, plan.bound()), (Some(3), None));
        assert_eq!(tree(&["-n", "0", "--", "agent"]).iterations, None);
        assert_eq!(
            tree(&["-n", "0", "--time", "3h", "--", "agent"]).bound(),
            Some(Duration::from_secs(3 * 3600))
        );
    }

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let plan = tree(&["--", "./agent.sh", "a b", "it's", ""]);
        assert_eq!(plan.program.shown, r"./agent.sh 'a b' 'it'\''s' ''");
    }
}
