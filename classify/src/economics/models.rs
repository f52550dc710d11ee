//! Which model each tier has, and what it costs: by the same keys of specpipe.toml that `dispatch` goes by.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use shared::price::{Model, Table};
use shared::tiers::{TierSettings, usual_models};
use shared::{Problem, config};

/// What concerns prices in the table `[dispatch]`; the rest of it is for `dispatch` to judge.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    prices: Option<PathBuf>,
    tiers: BTreeMap<String, TierSettings>,
}

/// The priced models of the tiers 1 to 3.
#[derive(Clone, Debug)]
pub(crate) struct Models {
    /// The day the prices are of.
    pub(crate) date: String,
    of_tiers: [Option<Priced>; 3],
}

/// A model whose price is known.
#[derive(Clone, Debug)]
pub(crate) struct Priced {
    pub(crate) name: String,
    pub(crate) model: Arc<Model>,
}

/// Why a tier has no price.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unpriced {
    pub(crate) tier: u8,
    /// The model, if one is named.
    pub(crate) model: Option<String>,
}

impl fmt::Display for Unpriced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.model {
            Some(model) => write!(f, "the price of `{model}` (tier {}) is not known", self.tier),
            None => write!(f, "no model is named for tier {}", self.tier),
        }
    }
}

impl Models {
    /// Puts the models and their prices together, and tells which are not known. Returns nothing if the configuration names
    /// none and `is_wanted` is not set: with it, the models count that `dispatch` would use by itself.
    ///
    /// # Errors
    /// If the configuration or the price table can not be read.
    pub(crate) fn load(
        prices: Option<&Path>,
        is_wanted: bool,
        explicit: Option<&Path>,
        start: &Path,
    ) -> Result<Option<(Models, Vec<Unpriced>)>, Problem> {
        let settings: Settings = config::load("dispatch", explicit, start)?;
        let names = if !settings.tiers.is_empty() {
            configured(&settings.tiers)
        } else if is_wanted {
            usual_models(usual_kind(), false).map(|name| name.map(str::to_owned))
        } else {
            return Ok(None);
        };
        let table = match prices.or(settings.prices.as_deref()) {
            Some(path) => Table::load(path)?,
            None => Table::built_in(),
        };
        Ok(Some(Models::priced(names, &table)))
    }

    /// Looks the prices up.
    pub(crate) fn priced(names: [Option<String>; 3], table: &Table) -> (Models, Vec<Unpriced>) {
        let mut unpriced = Vec::new();
        let mut tier = 0;
        let of_tiers = names.map(|name| {
            tier += 1;
            let model = name.as_deref().and_then(|name| table.model(in_full(name)));
            match (name, model) {
                (Some(name), Some(model)) => Some(Priced { name, model }),
                (name, _) => {
                    unpriced.push(Unpriced { tier, model: name });
                    None
                }
            }
        });
        (Models { date: table.date().to_owned(), of_tiers }, unpriced)
    }

    /// Returns the model of a tier, if its price is known.
    pub(crate) fn of(&self, tier: u8) -> Option<&Priced> {
        self.of_tiers.get(usize::from(tier).checked_sub(1)?)?.as_ref()
    }
}

/// Returns the models that are named for the tiers. A tier without a line uses that of the next tier that has one, as in
/// `dispatch`.
fn configured(tiers: &BTreeMap<String, TierSettings>) -> [Option<String>; 3] {
    let line = |tier: usize| (tier..=3).find_map(|tier| tiers.get(&tier.to_string()));
    [1, 2, 3].map(|tier| line(tier).and_then(|settings| settings.model().map(str::to_owned)))
}

/// Returns the kind of backend that `dispatch` would find by itself, as far as it has prices.
fn usual_kind() -> &'static str {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_openai = is_set("OPENAI_API_KEY") && !is_set("OPENAI_BASE_URL");
    if is_openai && !is_set("ANTHROPIC_API_KEY") && !is_set("ANTHROPIC_AUTH_TOKEN") {
        "openai"
    } else {
        "anthropic"
    }
}

/// Returns the name by which price tables know a model that an agent program knows by a short one.
fn in_full(name: &str) -> &str {
    let [haiku, sonnet, opus] = usual_models("anthropic", false);
    match name {
        "haiku" => haiku,
        "sonnet" => sonnet,
        "opus" => opus,
        _ => None,
    }
    .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, is_wanted: bool) -> Result<Option<(Models, Vec<Unpriced>)>, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("specpipe.toml");
        std::fs::write(&path, text).unwrap();
        Models::load(None, is_wanted, Some(&path), directory.path()).map_err(|problem| problem.full_message())
    }

    fn names(models: &Models) -> [Option<&str>; 3] {
        [1, 2, 3].map(|tier| models.of(tier).map(|priced| priced.name.as_str()))
    }

    #[test]
    fn models_are_those_that_dispatch_is_told_to_use() {
        let text = "[dispatch]\njobs = 2\nanything = true\n[dispatch.tiers.1]\nbackend = \"claude\"\nmodel = \"haiku\"\n\
                    [dispatch.tiers.3]\nbackend = \"openai\"\nmodel = \"gpt-6-astra\"\n";
        let (models, unpriced) = load(text, false).unwrap().unwrap();
        assert_eq!(names(&models), [Some("haiku"), Some("gpt-6-astra"), Some("gpt-6-astra")]);
        assert_eq!(unpriced, []);
    }

    #[test]
    fn without_any_configuration_prices_are_reckoned_only_where_they_are_wanted() {
        assert!(load("", false).unwrap().is_none());
        let (models, unpriced) = load("", true).unwrap().unwrap();
        assert!(names(&models).iter().all(Option::is_some), "{models:?}");
        assert_eq!(unpriced, []);
    }

    #[test]
    fn what_has_no_price_is_told() {
        let text = "[dispatch.tiers.1]\nbackend = \"mine\"\n[dispatch.tiers.2]\nbackend = \"x\"\nmodel = \"local-7b\"\n\
                    [dispatch.tiers.3]\nbackend = \"anthropic\"\nmodel = \"claude-opus-5-5\"\n";
        let (models, unpriced) = load(text, false).unwrap().unwrap();
        assert_eq!(names(&models), [None, None, Some("claude-opus-5-5")]);
        let expected = [(1, None), (2, Some("local-7b".to_owned()))];
        assert_eq!(unpriced, expected.map(|(tier, model)| Unpriced { tier, model }));
        assert_eq!(models.of(0).map(|priced| &priced.name), None);
        assert_eq!(models.of(4).map(|priced| &priced.name), None);
    }

    #[test]
    fn a_tier_that_is_written_wrong_has_its_place() {
        let problem = load("[dispatch.tiers.1]\nmodel = \"haiku\"\n", false).unwrap_err();
        assert!(problem.contains("specpipe.toml:1") && problem.contains("backend"), "{problem}");
    }
}
