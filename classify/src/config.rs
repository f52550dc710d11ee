//! The settings, as they are understood: flags > environment > specpipe.toml > the user's file > defaults.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use shared::units::parse_duration;
use shared::{Diagnostics, FilterOptions, Problem, processors};

use crate::args::When;
use crate::ask::{self, Budget};
use crate::calibration::Source;
use crate::decide::Router;
use crate::economics::{CHECK_SHARE, Economy, Models, STRONG, Unpriced};
use crate::mode::Mode;
use crate::model::Model;
use crate::reckon::Reckoner;
use crate::rules::Rule;
use crate::spend::Target;
use crate::{Args, Reflect};

/// More than this is no budget but a mistake.
const MOST_USD: f64 = 1e7;

/// What may be spent on asking, in US dollars, if nobody says otherwise: some ten thousand tasks with a cheap model.
const BUDGET: f64 = 1.0;

/// How many tasks go into one question, if nobody says otherwise: few enough for a small model to keep apart, and enough
/// for the rubric not to cost more than they do.
const BATCH: u16 = 20;

/// How long one question may take, if nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The table `[classify]` of a configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    rules: Vec<Rule>,
    jobs: Option<NonZeroU16>,
    reflect: Option<Reflect>,
    calibration: Option<String>,
    weights: Option<PathBuf>,
    mode: Option<Mode>,
    #[serde(deserialize_with = "share")]
    strong_rate: Option<f64>,
    budget_usd: Option<f64>,
    economics: Option<When>,
    #[serde(deserialize_with = "share")]
    check_share: Option<f64>,
    ask: Option<String>,
    ask_model: Option<String>,
    ask_budget_usd: Option<f64>,
    ask_batch: Option<NonZeroU16>,
    ask_timeout: Option<String>,
}

/// Reads a share as it is written on the command line, or as a number from 0 to 1.
fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    shared::units::parse_share(&text).map(Some).map_err(de::Error::custom)
}

/// What was asked for, all layers together.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) rules: Vec<Rule>,
    pub(crate) mode: Mode,
    pub(crate) target: Option<Target>,
    when: When,
    check_share: f64,
    pub(crate) force: bool,
    pub(crate) explain: bool,
    pub(crate) reflect: Reflect,
    pub(crate) calibration: Source,
    pub(crate) ask: Option<ask::Settings>,
    /// The user's own weights.
    weights: Option<Model>,
    pub(crate) filter: FilterOptions,
}

impl Config {
    /// Puts the layers together.
    ///
    /// # Errors
    /// If a configuration file can not be read or understood.
    pub(crate) fn new(args: &Args, directory: &Path) -> Result<Config, Problem> {
        let options: Options = shared::config::load("classify", args.common.config.as_deref(), directory)?;
        let ask = options.ask(args)?;
        let Options {
            rules,
            jobs,
            mode,
            strong_rate,
            budget_usd,
            economics,
            check_share,
            weights,
            reflect,
            calibration,
            ..
        } = options;
        // What is said on the command line comes before what is said in a file, whichever of the two it is.
        let target = match (args.budget, args.strong_rate) {
            (Some(budget), _) => Some(Target::Budget(budget)),
            (None, Some(rate)) => Some(Target::StrongRate(rate)),
            (None, None) => match (budget_usd, strong_rate) {
                (Some(_), Some(_)) => {
                    return Err(Problem::new("[classify] has both `budget_usd` and `strong_rate`")
                        .hint("a plan has one aim: leave one of them out"));
                }
                (Some(budget), None) => Some(Target::Budget(budget)),
                (None, Some(rate)) => Some(Target::StrongRate(rate)),
                (None, None) => None,
            },
        };
        if let Some(Target::Budget(budget)) = target
            && !(0.0..=MOST_USD).contains(&budget)
        {
            return Err(
                Problem::new("the budget is no amount of money").hint("write US dollars such as 5 or 0.25")
            );
        }
        if let (Some(_), Some(target)) = (&ask, target) {
            let aim =
                if matches!(target, Target::Budget(_)) { "a budget" } else { "a share of strong calls" };
            return Err(Problem::new(format!(
                "{aim} is planned before anything is asked, and answers would change the plan"
            ))
            .hint("leave out --ask (or `ask`), or the plan; --ask-budget is what asking may cost"));
        }
        let workers = args.jobs.or(jobs.map(NonZeroU16::get)).map_or_else(processors, usize::from);
        let reflect = args.reflect.or(reflect).unwrap_or_default();
        // What is told about records comes in their order.
        let in_order = args.explain || reflect == Reflect::Warn;
        let weights = args.weights.as_ref().or(weights.as_ref()).map(|path| Model::load(path)).transpose()?;
        Ok(Config {
            rules,
            weights,
            mode: args.mode.or(mode).unwrap_or_default(),
            target,
            when: args.economics.or(economics).unwrap_or_default(),
            check_share: check_share.unwrap_or(CHECK_SHARE),
            force: args.force,
            explain: args.explain,
            reflect,
            calibration: Source::new(args.calibration.as_deref().or(calibration.as_deref())),
            ask,
            filter: FilterOptions {
                workers: if in_order { 1 } else { workers },
                max_line: args.common.max_line,
                exit_status: args.exit_status,
            },
        })
    }

    /// Returns what is known of prices, and tells once what is not.
    ///
    /// # Errors
    /// If a table can not be read, or what was asked for needs a price that nobody knows.
    pub(crate) fn reckoner(
        &self,
        args: &Args,
        directory: &Path,
        diagnostics: &Diagnostics,
    ) -> Result<Reckoner, Problem> {
        let has_budget = matches!(self.target, Some(Target::Budget(_)));
        let mut reckoner =
            Reckoner { economy: None, cached: args.cached_tokens, tokens_per_turn: [None; 3], spend: None };
        if self.when == When::Never {
            return match has_budget {
                true => Err(Problem::new("a budget needs prices, and `economics` is `never`")
                    .hint("leave one of them out")),
                false => Ok(reckoner),
            };
        }
        let is_wanted =
            self.when == When::Always || has_budget || args.prices.is_some() || args.cached_tokens.is_some();
        let explicit = args.common.config.as_deref();
        let Some((models, unpriced)) = Models::load(args.prices.as_deref(), is_wanted, explicit, directory)?
        else {
            return Ok(reckoner);
        };
        if let Some(first) = unpriced.first() {
            let hint = "--prices names another table; [dispatch.tiers] in specpipe.toml names the models";
            if has_budget {
                return Err(Problem::new(format!("a budget needs prices, and {first}")).hint(hint));
            }
            let told = unpriced.iter().map(Unpriced::to_string).collect::<Vec<_>>().join("; ");
            let outcome = if models.of(STRONG).is_none() {
                "no prices are reckoned"
            } else {
                "such drafts are not reckoned"
            };
            // Who names no models has not asked for prices.
            if is_wanted || unpriced.iter().any(|unpriced| unpriced.model.is_some()) {
                diagnostics.warning(format!("{told}: {outcome}"));
            } else {
                diagnostics.verbose(format!("{told}: {outcome}"));
            }
        }
        if models.of(STRONG).is_some() {
            reckoner.economy =
                Some(Economy { models, mode: self.mode, check_share: self.check_share, min_evidence: 0.0 });
        }
        Ok(reckoner)
    }

    /// Returns what decisions are made by.
    pub(crate) fn router(&self) -> Router<'_> {
        let model = self.weights.as_ref().unwrap_or_else(|| Model::built_in());
        Router { rules: &self.rules, model, mode: self.mode }
    }
}

impl Options {
    /// Returns whom to ask where there is doubt, if anybody.
    fn ask(&self, args: &Args) -> Result<Option<ask::Settings>, Problem> {
        let Some(backend) = args.ask.clone().or_else(|| self.ask.clone()) else { return Ok(None) };
        let budget = args.ask_budget.or(self.ask_budget_usd);
        let from_file = self.ask_timeout.as_deref().map(parse_duration).transpose();
        let from_file =
            from_file.map_err(|error| Problem::new(format!("`ask_timeout` under [classify]: {error}")))?;
        let batch = args.ask_batch.or(self.ask_batch.map(NonZeroU16::get)).unwrap_or(BATCH);
        let settings = ask::Settings {
            backend,
            model: args.ask_model.clone().or_else(|| self.ask_model.clone()),
            budget: Budget { usd: budget.unwrap_or(BUDGET), is_explicit: budget.is_some() },
            batch: usize::from(batch),
            timeout: args.ask_timeout.or(from_file).filter(|time| !time.is_zero()).unwrap_or(TIMEOUT),
            config: args.common.config.clone(),
        };
        settings.checked().map(Some)
    }
}
