use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::section::{Tier, Usage};

/// What a model was asked about a task that `classify` was unsure of, and what that took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// The backend that was asked.
    pub backend: String,
    /// The model that answered, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The tier that it told; absent if it told nothing that could be used. The decision may be on a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Whether it says that work could begin without asking anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear: Option<bool>,
    /// Whether it says that there are several separate jobs in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compound: Option<bool>,
    /// This task's share of the tokens of the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// This task's share of what the question cost, in US dollars; absent if the price is not known or nothing was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The answer is one that the same question got before, so nothing was paid for it now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
}
