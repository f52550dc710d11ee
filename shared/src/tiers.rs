//! Which model each tier has: the tables `[dispatch.tiers.N]`, by which dispatch acts and by which classify reckons.

use serde::Deserialize;

/// `[dispatch.tiers.N]`: who drafts the tasks of a tier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierSettings {
    /// The name of the backend.
    pub backend: String,
    /// The model, if the backend has several.
    pub model: Option<String>,
    /// The most that the attempts of a run on this tier may cost, in US dollars.
    pub budget_usd: Option<f64>,
    /// The most tokens that they may use.
    pub budget_tokens: Option<u64>,
    /// How many of its tasks run at once.
    pub jobs: Option<u16>,
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
