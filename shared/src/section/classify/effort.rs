use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much work an attempt at a task will be: the text says, before anything has run.
///
/// `low` and `high` hold between them four attempts of five (an 80 % interval); `expected` is the mean, so that the
/// expectations of many tasks can be added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effort {
    /// How often a model is asked.
    pub turns: Interval<u32>,
    /// The tokens of all turns together: prompts, what a cache gives, and answers.
    pub tokens: Interval<u64>,
    /// What they cost in US dollars on `model`, not checked and not repeated; absent if no price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Interval<f64>>,
    /// The model of the task's tier, whose price it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// An expectation between the bounds of an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval<T> {
    /// One of ten is below it.
    pub low: T,
    /// The mean.
    pub expected: T,
    /// One of ten is above it.
    pub high: T,
}
