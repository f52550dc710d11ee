//! `classify replay`: what other thresholds or prices would have made of a log, beside the baselines.
//!
//! Nothing is run: the verdicts in the log say what each tier's draft of each task came to. `cases` takes them from the
//! records, `metrics` says how well a score ranks them, `outcome` what routing by it costs and lets through, `table` shows it.

mod cases;
pub(crate) mod metrics;
mod outcome;
mod table;

use std::path::{Path, PathBuf};

use clap::Args;
use shared::writer::{Stopped, Writer};
use shared::{Exit, Io, Problem, price};

use crate::calibration::{Calibration, Source};
use crate::config::Config;
use crate::mode::Mode;
use outcome::Replayed;

/// How `classify replay` was called.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Replay {
    /// Files of records that went through dispatch and verify; none or `-` is standard input
    #[arg(value_name = "LOG")]
    pub logs: Vec<PathBuf>,

    /// Delegate what has at least this probability of acceptance; may be a list [default: so that 60, 70 and 80 % are]
    #[arg(long, value_name = "T,…", value_delimiter = ',', value_parser = probability, help_heading = "Routing")]
    pub threshold: Vec<f64>,

    /// Delegate what the words, and the calibration, would put on the tier in this mode; may be a list
    #[arg(
        long,
        value_name = "MODE,…",
        value_delimiter = ',',
        hide_possible_values = true,
        help_heading = "Routing"
    )]
    pub mode: Vec<Mode>,

    /// The calibration whose scores are replayed, or `off` [default: that of the project, if it has one]
    #[arg(long, value_name = "PATH", help_heading = "Routing")]
    pub calibration: Option<String>,

    /// The tier that tasks are delegated to [default: the lowest with verdicts]
    #[arg(long, value_name = "TIER", value_parser = clap::value_parser!(u8).range(1..=2), help_heading = "Routing")]
    pub tier: Option<u8>,

    /// Price the tokens of the log anew by this table: TOML like `shared/prices.toml`, or LiteLLM's JSON
    #[arg(long, value_name = "FILE", help_heading = "Prices")]
    pub prices: Option<PathBuf>,

    /// Price the tokens of a tier as those of this model, such as 1=claude-haiku-4-5; may be given more than once
    #[arg(long, value_name = "TIER=MODEL", value_parser = tier_model, help_heading = "Prices")]
    pub model: Vec<(u8, String)>,

    /// Print JSON instead of tables
    #[arg(long, help_heading = "Output")]
    pub json: bool,

    /// Add the curves of recovered quality, with so many points each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1000), help_heading = "Output")]
    pub curve: Option<u16>,
}

const EXAMPLES: &str = "\
Examples:
  # how well do the scores rank, and what would delegating 60, 70 or 80 % have brought?
  classify replay results.jsonl

  # what would these thresholds have let through?
  classify replay --threshold 0.6,0.8,0.9 results.jsonl

  # how much would each mode have delegated, and at what price?
  classify replay --mode conservative,balanced,aggressive results.jsonl

  # what if tier 1 were another model?
  classify replay --model 1=claude-haiku-4-5 --model 2=claude-sonnet-4-5 results.jsonl

  # for a plot
  classify replay --json --curve 50 results.jsonl > replay.json

AUROC: how often a draft that was rejected scores lower than one that was accepted. APGR: the area under the share of the
quality gap that is recovered, over the share of strong calls; 0.5 is chance. CPT50, CPT80: the share of strong calls that
recovers 50 and 80 % of the gap.

Exit status: 0 fine, 2 usage, 3 some records could not be read, 4 could not go on.";

fn probability(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is no probability from 0 to 1")),
    }
}

fn tier_model(text: &str) -> Result<(u8, String), String> {
    let parsed =
        text.split_once('=').and_then(|(tier, model)| Some((tier.trim().parse().ok()?, model.trim())));
    match parsed {
        Some((tier @ 0..=3, model)) if !model.is_empty() => Ok((tier, model.to_owned())),
        _ => Err(format!("`{text}` is not of the form TIER=MODEL, such as 1=claude-haiku-4-5")),
    }
}

/// Runs `classify replay`.
pub(crate) fn run(args: &Replay, config: &Config, directory: &Path, max_line: u64, mut io: Io) -> Exit {
    let loaded = Calibration::load(&Source::new(args.calibration.as_deref()), directory);
    let prices = match (&args.prices, args.model.is_empty()) {
        (Some(path), _) => price::Table::load(path).map(Some),
        (None, false) => Ok(Some(price::Table::built_in())),
        (None, true) => Ok(None),
    };
    let (calibration, prices) = match (loaded, prices) {
        (Ok(calibration), Ok(prices)) => (calibration, prices),
        (Err(problem), _) | (_, Err(problem)) => return io.diagnostics.usage(&problem),
    };
    if let Some(table) = &prices
        && let Some((_, model)) =
            args.model.iter().find(|(_, model)| table.cost(model, &Default::default()).is_none())
    {
        let problem = Problem::new(format!("the price table of {} has no model `{model}`", table.date()))
            .hint("--prices takes a table that has it");
        return io.diagnostics.usage(&problem);
    }
    if let Err(problem) = io.read_files(&args.logs) {
        return io.diagnostics.usage(&problem);
    }
    let Io { input, output, diagnostics } = io;
    let asked = cases::Asked {
        tier: args.tier,
        prices: prices.as_ref(),
        models: &args.model,
        router: config.router(),
        modes: &args.mode,
    };
    let (exit, log) = match cases::read(input, max_line, &asked, calibration.as_ref(), &diagnostics) {
        Ok(read) => read,
        Err(problem) => return diagnostics.fatal(&problem),
    };
    if log.cases.is_empty() {
        let problem = Problem::new(format!(
            "of {} tasks none has a verdict on a draft of tier {}",
            log.tasks, log.tier
        ))
        .hint("a record counts if `verify` has judged what `dispatch` made of it; --tier names another tier");
        return exit.worse(diagnostics.fatal(&problem));
    }
    let replayed =
        Replayed::of(&log, calibration.as_ref(), &args.threshold, &args.mode, args.curve.map(usize::from));
    let text = if args.json {
        serde_json::to_string_pretty(&replayed).unwrap_or_default()
    } else {
        table::render(&replayed)
    };
    let mut writer = Writer::new(output);
    match writer.write_line(text.trim_end()).and_then(|()| writer.flush()) {
        Ok(()) => exit,
        Err(Stopped::Closed) => Exit::Ok,
        Err(Stopped::Failed(problem)) => diagnostics.fatal(&problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_with_messages_that_help() {
        assert_eq!(tier_model("1=claude-haiku-4-5"), Ok((1, "claude-haiku-4-5".to_owned())));
        for text in ["claude", "4=x", "1=", "=x"] {
            assert!(tier_model(text).is_err(), "{text}");
        }
        assert_eq!(probability("0.5"), Ok(0.5));
        assert!(probability("50").is_err() && probability("NaN").is_err());
    }
}
