use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a stage could not do its work on a record. A record with errors is let by from then on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordError {
    /// The program that says so.
    pub stage: String,
    /// The line of its input, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The line as it came, if it is no record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// The same in base64, if it is not UTF-8 (then `raw` has replacement characters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_base64: Option<String>,
    /// The size of the whole line in bytes, if `raw` is only its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_bytes: Option<u64>,
}
