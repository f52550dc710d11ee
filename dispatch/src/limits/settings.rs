//! The limits as they are configured: what is said is checked, and what is not said is not limited.

use std::time::Duration;

use shared::Problem;

use super::amount::nanos;
use super::breaker::Habit;
use super::estimate::Charge;
use super::halt::{Halting, Rule};
use super::purse::Limit;
use crate::args::Args;
use crate::route::Backend;
use crate::settings::{BackendSettings, Settings};

/// The least number of attempts that a share of failures is about, if nobody says otherwise.
const HALT_MIN: u16 = 10;

/// More than this is no budget but a mistake.
const ABSURD_USD: f64 = 1e9;

/// The limits that are not those of a backend.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) run: Limit,
    /// Of tiers 1 to 3.
    pub(crate) tiers: [Limit; 3],
    /// How many tasks of tiers 1 to 3 run at once.
    pub(crate) tier_jobs: [Option<usize>; 3],
    pub(crate) halt: Option<Rule>,
    pub(crate) halt_min: usize,
}

/// The limits of a backend.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) charge: Charge,
    pub(crate) is_remote: bool,
    pub(crate) attempt_usd: Option<f64>,
    pub(crate) budget: Limit,
    pub(crate) requests_per_minute: Option<u64>,
    pub(crate) tokens_per_minute: Option<u64>,
    pub(crate) habit: Habit,
}

impl Rules {
    /// Puts them together from the command line and the configuration.
    pub(crate) fn resolve(args: &Args, settings: &Settings) -> Result<Rules, Problem> {
        let halting = match (args.halt, settings.halt.as_deref()) {
            (Some(halting), _) => halting,
            (None, Some(text)) => {
                text.parse().map_err(|error: String| Problem::new("`halt` can not be read").because(error))?
            }
            (None, None) => Halting(None),
        };
        let mut rules = Rules {
            run: limit(
                "the budget",
                args.budget.or(settings.budget_usd),
                args.budget_tokens.or(settings.budget_tokens),
            )?,
            halt: halting.0,
            halt_min: usize::from(args.halt_min.or(settings.halt_min).unwrap_or(HALT_MIN)),
            ..Rules::default()
        };
        for (name, tier) in &settings.tiers {
            let Some(index) = ["1", "2", "3"].iter().position(|number| number == name) else { continue };
            let table = format!("[dispatch.tiers.{name}]");
            rules.tiers[index] =
                limit(&format!("`budget_usd` in {table}"), tier.budget_usd, tier.budget_tokens)?;
            rules.tier_jobs[index] =
                tier.jobs.map(|jobs| at_least_one("jobs", &table, jobs)).transpose()?.map(usize::from);
        }
        Ok(rules)
    }
}

impl Terms {
    /// Reads the limits of the backend of that name.
    pub(crate) fn of(
        name: &str,
        charge: Charge,
        is_remote: bool,
        settings: &BackendSettings,
    ) -> Result<Terms, Problem> {
        let table = format!("[dispatch.backends.{name}]");
        let usual = Habit::default();
        let positive = |key: &str, duration: Option<Duration>, usual: Duration| match duration {
            Some(Duration::ZERO) => Err(Problem::new(format!("`{key}` in {table} is no time"))
                .hint("write a duration such as 1s or 15m")),
            other => Ok(other.unwrap_or(usual)),
        };
        Ok(Terms {
            // Who says what a program costs says that it does.
            charge: match (charge, settings.attempt_usd) {
                (Charge::Free, Some(_)) => Charge::Unknown,
                _ => charge,
            },
            is_remote,
            attempt_usd: settings
                .attempt_usd
                .map(|usd| money(&format!("`attempt_usd` in {table}"), usd))
                .transpose()?,
            budget: limit(&format!("`budget_usd` in {table}"), settings.budget_usd, settings.budget_tokens)?,
            requests_per_minute: settings
                .requests_per_minute
                .map(|limit| at_least_one("requests_per_minute", &table, limit))
                .transpose()?,
            tokens_per_minute: settings
                .tokens_per_minute
                .map(|limit| at_least_one("tokens_per_minute", &table, limit))
                .transpose()?,
            habit: Habit {
                failures: settings
                    .breaker_failures
                    .map(|failures| at_least_one("breaker_failures", &table, failures))
                    .transpose()?
                    .unwrap_or(usual.failures),
                cool_down: positive("breaker_cool_down", settings.breaker_cool_down, usual.cool_down)?,
                patience: positive("patience", settings.patience, usual.patience)?,
            },
        })
    }
}

/// Tells how a backend charges; `is_named` if the user has named this very program for every task.
pub(crate) fn charge(backend: &Backend, is_named: bool) -> Charge {
    match backend {
        Backend::Local(_) => Charge::Free,
        Backend::Replay(_) => Charge::Recorded,
        // What it was is told with the result.
        Backend::Queue => Charge::Agent { tells: true },
        Backend::Anthropic(_) | Backend::OpenAi(_) => Charge::Question,
        Backend::Command(program) => match program.preset {
            Some(preset) => Charge::Agent { tells: preset.tells_cost() },
            None if is_named => Charge::Free,
            None => Charge::Unknown,
        },
    }
}

fn limit(what: &str, usd: Option<f64>, tokens: Option<u64>) -> Result<Limit, Problem> {
    Ok(Limit { nanos: usd.map(|usd| money(what, usd).map(nanos)).transpose()?, tokens })
}

fn money(what: &str, usd: f64) -> Result<f64, Problem> {
    match (0.0..=ABSURD_USD).contains(&usd) {
        true => Ok(usd),
        false => {
            Err(Problem::new(format!("{what} is no amount of money"))
                .hint("write US dollars such as 5 or 0.25"))
        }
    }
}

fn at_least_one<N: Copy + PartialOrd + From<u8>>(key: &str, table: &str, number: N) -> Result<N, Problem> {
    match number >= N::from(1) {
        true => Ok(number),
        false => Err(Problem::new(format!("`{key}` in {table} is 0"))
            .hint("the least is 1; leave it out for no limit")),
    }
}
