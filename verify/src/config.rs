//! The command line as it is understood: flags over environment over files over defaults.

use std::time::Duration;

use serde::Deserialize;
use shared::{FilterOptions, Problem, config, processors, units};

use crate::args::Args;
use crate::checks::{CheckName, Commands};

/// What `[verify]` in `specpipe.toml` may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    only: Option<Vec<CheckName>>,
    skip: Option<Vec<CheckName>>,
    run_commands: Option<bool>,
    timeout: Option<String>,
    jobs: Option<u16>,
}

/// How `verify` judges.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) checks: Vec<CheckName>,
    pub(crate) commands: Commands,
    pub(crate) force: bool,
    pub(crate) filter: FilterOptions,
}

impl Config {
    pub(crate) fn new(args: &Args) -> Result<Config, Problem> {
        let here = std::env::current_dir()
            .map_err(|error| Problem::new("cannot find the working directory").because(error))?;
        let settings: Settings = config::load("verify", args.common.config.as_deref(), &here)?;
        let typed = !args.only.is_empty() || !args.skip.is_empty();
        let (only, skip) = match typed {
            true => (args.only.clone(), args.skip.clone()),
            false => (settings.only.unwrap_or_default(), settings.skip.unwrap_or_default()),
        };
        let wanted = |check: &CheckName| (only.is_empty() || only.contains(check)) && !skip.contains(check);
        let checks = CheckName::ALL.into_iter().filter(wanted).collect();
        let timeout = match (args.timeout, &settings.timeout) {
            (Some(timeout), _) => timeout,
            (None, Some(text)) => units::parse_duration(text)
                .map_err(|error| Problem::new(format!("[verify] timeout: {error}")))?,
            (None, None) => Duration::from_secs(600),
        };
        let allowed = match (args.run_commands, args.no_commands) {
            (true, _) => true,
            (_, true) => false,
            _ => settings.run_commands.unwrap_or(true),
        };
        let workers = match args.jobs.or(settings.jobs) {
            Some(0) => {
                return Err(
                    Problem::new("[verify] jobs is 0").hint("at least one record at a time has to be judged")
                );
            }
            jobs => jobs.map_or_else(processors, usize::from),
        };
        let max_line = args.common.max_line;
        let filter = FilterOptions { workers, max_line, exit_status: args.exit_status };
        Ok(Config { checks, commands: Commands { allowed, timeout }, force: args.force, filter })
    }
}
