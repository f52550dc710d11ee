//! The settings, as they are understood: flags > environment > specpipe.toml > the user's file > defaults.

use std::path::Path;

use serde::Deserialize;
use shared::{FilterOptions, Problem, processors};

use crate::Args;
use crate::rules::Rule;

/// The table `[classify]` of a configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    rules: Vec<Rule>,
    jobs: Option<u16>,
}

/// What was asked for, all layers together.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) rules: Vec<Rule>,
    pub(crate) force: bool,
    pub(crate) explain: bool,
    pub(crate) filter: FilterOptions,
}

impl Config {
    /// Puts the layers together.
    ///
    /// # Errors
    /// If a configuration file can not be read or understood.
    pub(crate) fn new(args: &Args, directory: &Path) -> Result<Config, Problem> {
        let Options { rules, jobs } =
            shared::config::load("classify", args.common.config.as_deref(), directory)?;
        let workers = args.jobs.or(jobs).map_or_else(processors, usize::from).max(1);
        Ok(Config {
            rules,
            force: args.force,
            explain: args.explain,
            filter: FilterOptions {
                // Explanations come in the order of the records.
                workers: if args.explain { 1 } else { workers },
                max_line: args.common.max_line,
                exit_status: args.exit_status,
            },
        })
    }
}
