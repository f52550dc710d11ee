//! The model that an executor asks for, as a backend knows it.

use shared::tiers;

use super::agent::{Agent, tier_of_alias};
use crate::command::Preset;
use crate::route::Backend;

impl Agent {
    /// Returns the model to ask on a backend, where the tier names none.
    ///
    /// `haiku` and its like are names that one program knows for the models of one provider; to others they are nothing.
    pub(crate) fn model_on(&self, backend: &Backend) -> Option<String> {
        let model = self.model.as_deref()?;
        let Some(tier) = tier_of_alias(model) else { return Some(model.to_owned()) };
        match backend {
            Backend::Command(program) if program.preset == Some(Preset::Claude) => Some(model.to_owned()),
            Backend::Anthropic(_) => {
                let models = tiers::usual_models("anthropic", false);
                models[usize::from(tier.number()) - 1].map(str::to_owned)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Program;

    #[test]
    fn an_alias_is_a_model_only_where_it_is_known() {
        let backend = |preset| Backend::Command(Program { preset, ..Program::default() });
        let model = |model: &str, preset| {
            Agent { model: Some(model.into()), ..Agent::default() }.model_on(&backend(preset))
        };
        assert_eq!(model("haiku", Some(Preset::Claude)).as_deref(), Some("haiku"));
        assert_eq!(model("haiku", Some(Preset::Codex)), None);
        assert_eq!(model("haiku", None), None);
        assert_eq!(model("gpt-6-luna", Some(Preset::Codex)).as_deref(), Some("gpt-6-luna"));
    }
}
