use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the rounds of a record ended: what `converge` writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Converge {
    /// How many rounds the record took part in.
    pub rounds: u32,
    /// How it ended.
    pub state: State,
    /// With `cycle`: after how many rounds the record comes back to the same content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<u32>,
    /// Why it stopped here, in a sentence for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How the rounds of a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The verdict needs no further round, or the pipeline changes nothing any more.
    Settled,
    /// The record goes round in a circle.
    Cycle,
    /// The rounds, the time or the money were spent first.
    Exhausted,
    /// The pipeline did not give the record back; this is its last known form.
    Lost,
}
