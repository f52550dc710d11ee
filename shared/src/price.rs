//! What tokens cost: a table with a date, ours or the user's, and the arithmetic.
//!
//! A price is kept as a whole number of femtodollars (10⁻¹⁵ US dollars) a token, so that a cost is an exact sum
//! that is rounded once, whatever the order of its parts. A model that is not in the table has no price, and that
//! is not the price zero.

mod litellm;
mod ours;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::Problem;
use crate::section::Usage;

/// Femtodollars in a dollar.
const FEMTO: f64 = 1e15;

/// Prices of many models.
#[derive(Clone, Debug, Default)]
pub struct Table {
    date: String,
    models: HashMap<String, Arc<Model>>,
}

/// Prices of one model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// The prices by the size of the prompt they apply above, smallest first. The first is 0.
    levels: Vec<Level>,
    retires: Option<String>,
}

/// Prices that apply to a whole request when its prompt has more than `above` tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Level {
    above: u64,
    rates: Rates,
}

/// Femtodollars a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rates {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
}

impl Table {
    /// Returns the table that this version came with.
    pub fn built_in() -> Table {
        ours::parse(include_str!("../prices.toml")).expect("the table of this version is tested")
    }

    /// Reads a table: a TOML file like `shared/prices.toml`, or the JSON file of LiteLLM as it is.
    pub fn load(path: &Path) -> Result<Table, Problem> {
        let cannot = || Problem::new(format!("cannot read the price table `{}`", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| cannot().because(error))?;
        let table = if text.trim_start().starts_with('{') {
            let modified = path.metadata().and_then(|metadata| metadata.modified()).ok();
            litellm::parse(&text, modified)
        } else {
            ours::parse(&text)
        };
        table.map_err(|problem| {
            cannot()
                .because(problem)
                .hint("it is TOML like `shared/prices.toml`, or the JSON price file of LiteLLM")
        })
    }

    /// Returns the day that the prices are of, such as `2026-11-20`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Returns what one request costs in US dollars; nothing if the model's price is not known.
    pub fn cost(&self, model: &str, usage: &Usage) -> Option<f64> {
        self.cost_of_requests(model, std::slice::from_ref(usage))
    }

    /// Returns what several requests to a model cost together.
    ///
    /// The price of a token may depend on the length of the prompt it came with, so the sum of two usages can cost
    /// more than both.
    pub fn cost_of_requests(&self, model: &str, requests: &[Usage]) -> Option<f64> {
        let model = self.find(model)?;
        let total: u128 =
            requests.iter().map(|usage| model.femtodollars(usage)).fold(0, u128::saturating_add);
        Some(total as f64 / FEMTO)
    }

    /// Returns the last day on which the provider serves the model, if one is announced.
    pub fn retires(&self, model: &str) -> Option<&str> {
        self.find(model)?.retires.as_deref()
    }

    /// Returns a warning if the model is not served any more on the day `today` (`2026-11-20`).
    pub fn warning(&self, model: &str, today: &str) -> Option<String> {
        let date = self.retires(model).filter(|date| *date <= today)?;
        Some(format!("the model `{model}` was announced to retire on {date}; configure a newer one"))
    }

    /// Returns the prices of a model, for whoever asks for them often; nothing if they are not known.
    pub fn model(&self, name: &str) -> Option<Arc<Model>> {
        self.lookup(name).cloned()
    }

    fn find(&self, name: &str) -> Option<&Model> {
        self.lookup(name).map(|model| &**model)
    }

    /// Finds a model by its name, however it is decorated: `anthropic/claude-haiku-4-5-20251001`.
    fn lookup(&self, name: &str) -> Option<&Arc<Model>> {
        // These two prefixes name the provider itself. Others name resellers, who have prices of their own.
        let bare = name.strip_prefix("anthropic/").or_else(|| name.strip_prefix("openai/"));
        [Some(name), bare].into_iter().flatten().find_map(|name| {
            let undated = without_date(name);
            let newest = name.strip_suffix("-latest");
            [Some(name), undated, newest].into_iter().flatten().find_map(|name| self.models.get(name))
        })
    }

    fn insert(&mut self, names: impl IntoIterator<Item = String>, model: Model) -> Result<(), Problem> {
        let model = Arc::new(model);
        for name in names {
            if self.models.insert(name.clone(), model.clone()).is_some() {
                return Err(Problem::new(format!("there are two prices for `{name}`")));
            }
        }
        Ok(())
    }
}

impl Model {
    /// Returns what one request costs in US dollars.
    pub fn cost(&self, usage: &Usage) -> f64 {
        self.femtodollars(usage) as f64 / FEMTO
    }

    fn femtodollars(&self, usage: &Usage) -> u128 {
        let written = usage.cache_write_tokens.saturating_add(usage.cache_write_1h_tokens);
        let prompt = usage.input_tokens.saturating_add(usage.cache_read_tokens).saturating_add(written);
        let level = self.levels.iter().rev().find(|level| prompt > level.above).or(self.levels.first());
        let rates = level.map(|level| level.rates).unwrap_or_default();
        [
            (usage.input_tokens, rates.input),
            (usage.output_tokens, rates.output),
            (usage.cache_read_tokens, rates.cache_read),
            (usage.cache_write_tokens, rates.cache_write),
            (usage.cache_write_1h_tokens, rates.cache_write_1h),
        ]
        .into_iter()
        .map(|(tokens, rate)| u128::from(tokens) * u128::from(rate))
        .fold(0, u128::saturating_add)
    }
}

impl Rates {
    /// Completes prices that are not named: what the cache does costs no less than the plain input then.
    fn new(
        input: u64,
        output: u64,
        cache_read: Option<u64>,
        cache_write: Option<u64>,
        cache_write_1h: Option<u64>,
    ) -> Rates {
        let cache_write = cache_write.unwrap_or(input);
        Rates {
            input,
            output,
            cache_read: cache_read.unwrap_or(input),
            cache_write,
            cache_write_1h: cache_write_1h.unwrap_or(cache_write),
        }
    }
}

/// Returns femtodollars a token for dollars a token.
fn femto(dollars: f64) -> Result<u64, Problem> {
    // No model costs a dollar a token; a number like that is a price per million in the wrong place.
    if (0.0..1.0).contains(&dollars) {
        Ok((dollars * FEMTO).round() as u64)
    } else {
        Err(Problem::new(format!("{dollars} dollars a token is no price")))
    }
}

/// Returns the name without a date at its end (`-20251001`, `-2025-08-07`).
fn without_date(name: &str) -> Option<&str> {
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    let (rest, last) = name.rsplit_once('-')?;
    if digits(last, 8) {
        return Some(rest);
    }
    let (rest, month) = rest.rsplit_once('-')?;
    let (rest, year) = rest.rsplit_once('-')?;
    (digits(last, 2) && digits(month, 2) && digits(year, 4)).then_some(rest)
}

#[cfg(test)]
mod tests;
