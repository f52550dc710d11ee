//! Which model each tier has: the tables `[dispatch.tiers.N]`, by which dispatch acts and by which classify reckons.

use serde::Deserialize;

/// `[dispatch.tiers.N]`: who drafts the tasks of a tier, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    backend: OneOrMore,
    model: Option<OneOrMore>,
    budget_usd: Option<f64>,
    budget_tokens: Option<u64>,
    jobs: Option<u16>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// `[dispatch.tiers.N]`: who drafts the tasks of a tier, first choice first.
///
/// `backend` is a name, or a list of names of which each stands in for those before it. `model` is one for all of them, or
/// a list with one for each, `""` for none.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct TierSettings {
    /// The names of the backends, at least one, each with its model, if it has several.
    pub places: Vec<(String, Option<String>)>,
    /// The most that the attempts of a run on this tier may cost, in US dollars.
    pub budget_usd: Option<f64>,
    /// The most tokens that they may use.
    pub budget_tokens: Option<u64>,
    /// How many of its tasks run at once.
    pub jobs: Option<u16>,
}

impl TierSettings {
    /// Returns the model of the first choice.
    pub fn model(&self) -> Option<&str> {
        self.places.first()?.1.as_deref()
    }
}

impl TryFrom<Written> for TierSettings {
    type Error = String;

    fn try_from(written: Written) -> Result<TierSettings, String> {
        let backends = match written.backend {
            OneOrMore::One(name) => vec![name],
            OneOrMore::More(names) if names.is_empty() => {
                return Err("the list `backend` is empty".to_owned());
            }
            OneOrMore::More(names) => names,
        };
        let models = match written.model {
            None => vec![None; backends.len()],
            Some(OneOrMore::One(model)) => vec![Some(model); backends.len()],
            Some(OneOrMore::More(models)) if models.len() == backends.len() => {
                models.into_iter().map(|model| Some(model).filter(|model| !model.is_empty())).collect()
            }
            Some(OneOrMore::More(models)) => {
                return Err(format!(
                    "`model` has {} names and `backend` has {}",
                    models.len(),
                    backends.len()
                ));
            }
        };
        let places = backends.into_iter().zip(models).collect();
        let Written { budget_usd, budget_tokens, jobs, .. } = written;
        Ok(TierSettings { places, budget_usd, budget_tokens, jobs })
    }
}

/// Returns the models of tiers 1 to 3 on a kind of backend, where nobody has named any.
///
/// Behind an address of the user's own may be any models, so none is usual there.
pub fn usual_models(kind: &str, is_own_server: bool) -> [Option<&'static str>; 3] {
    match kind {
        "anthropic" if !is_own_server => {
            [Some("claude-haiku-5-5"), Some("claude-sonnet-5-5"), Some("claude-opus-5-5")]
        }
        // The program knows these names for the newest of each kind.
        "claude" => [Some("haiku"), Some("sonnet"), Some("opus")],
        "openai" if !is_own_server => [Some("gpt-6-luna"), Some("gpt-6.1-sol"), Some("gpt-6-astra")],
        _ => [None, None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::Table;

    #[test]
    fn a_tier_has_one_backend_or_several_with_a_model_for_each_or_one_for_all() {
        let read = |text: &str| toml::from_str::<TierSettings>(text).map(|settings| settings.places);
        let place = |name: &str, model: Option<&str>| (name.to_owned(), model.map(str::to_owned));
        assert_eq!(read("backend = 'a'").unwrap(), [place("a", None)]);
        let both = [place("a", Some("m")), place("b", Some("m"))];
        assert_eq!(read("backend = ['a', 'b']\nmodel = 'm'").unwrap(), both);
        let own = [place("a", Some("m")), place("b", None)];
        assert_eq!(read("backend = ['a', 'b']\nmodel = ['m', '']").unwrap(), own);
        for (bad, message) in [
            ("backend = []", "the list `backend` is empty"),
            ("backend = ['a']\nmodel = ['m', 'n']", "`model` has 2 names and `backend` has 1"),
            ("backend = 'a'\nmodle = 'm'", "modle"),
        ] {
            assert!(read(bad).unwrap_err().to_string().contains(message), "{bad}");
        }
    }

    #[test]
    fn every_usual_model_of_a_provider_has_a_price_and_the_tiers_get_dearer() {
        let table = Table::built_in();
        let usage = crate::section::Usage { input_tokens: 1000, output_tokens: 1000, ..Default::default() };
        for kind in ["anthropic", "openai"] {
            let costs = usual_models(kind, false).map(|model| table.cost(model.unwrap(), &usage).unwrap());
            assert!(costs[0] < costs[1] && costs[1] < costs[2], "{kind}: {costs:?}");
            assert_eq!(usual_models(kind, true), [None; 3]);
        }
    }
}
