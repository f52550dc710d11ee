use schemars::JsonSchema;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::Tier;

/// What is to be done. On the wire a plain string is the same as an object with `text` alone.
// `remote` makes the derived code inherent functions for the object form; the traits below add the plain string.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self")]
#[schemars(transform = or_plain_text)]
pub struct Task {
    /// What is asked for, in words. Data for an executor, never part of a shell command.
    pub text: String,
    /// The id of the compound task that this one is a part of; `dispatch` says so in the records that it adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The text of that compound task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<String>,
    /// Ids of the records whose results this task needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// Globs of the files that the task may change. Absent: nothing was declared. Empty: nothing may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_touched: Option<Vec<String>>,
    /// What has to hold for the result to be accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Criterion>,
    /// The program and arguments that do this task, when the user knows them; no model is asked then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Vec<String>>,
    /// The name of the executor to use, when the user wants a certain one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// Anything an executor should know besides the text; handed over as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub context: Option<Box<RawValue>>,
    /// Results of test layers, for the early exit of `gates`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub layer: Option<Box<RawValue>>,
    /// The lowest tier that may draft this task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_tier: Option<Tier>,
    /// The highest tier that may be paid for this task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tier: Option<Tier>,
    /// The most that all attempts together may cost, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<f64>,
    /// The longest that one attempt may take, such as `5m` or `90s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// The tools that this task needs, and the only ones that an executor may use for it; absent: those that the executor
    /// declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
}

impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Task::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Task {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringOrObject;

        impl<'de> Visitor<'de> for StringOrObject {
            type Value = Task;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a task: a string, or an object with `text`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Task, E> {
                Ok(Task { text: text.to_owned(), ..Task::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Task, A::Error> {
                Task::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_any(StringOrObject)
    }
}

fn or_plain_text(schema: &mut schemars::Schema) {
    let object = std::mem::take(schema.ensure_object());
    let mut either = serde_json::Map::new();
    for keyword in ["$schema", "title", "description", "$defs"] {
        if let Some(value) = object.get(keyword) {
            either.insert(keyword.to_owned(), value.clone());
        }
    }
    let mut object = object;
    object.retain(|keyword, _| !either.contains_key(keyword));
    object.insert("required".to_owned(), serde_json::json!(["text"]));
    either.insert("anyOf".to_owned(), serde_json::json!([{ "type": "string" }, object]));
    *schema.ensure_object() = either;
}

/// One condition that a result has to meet, checked by `verify` without a model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Criterion {
    /// A program, run where the work was done, ends with the exit code.
    Command {
        /// Program and arguments; no shell.
        run: Vec<String>,
        /// The exit code that means yes.
        #[serde(default)]
        exit_code: i32,
        /// The longest it may take, such as `5m`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout: Option<String>,
    },
    /// The executor itself ended with this exit code.
    ExitCode {
        /// The exit code.
        equals: i32,
    },
    /// The output contains a match of the regular expression (Rust `regex` syntax).
    Regex {
        /// The pattern.
        pattern: String,
    },
    /// The output contains the text.
    Contains {
        /// The text.
        text: String,
    },
    /// The output is the text, apart from white space at both ends.
    Equals {
        /// The text.
        text: String,
    },
    /// The output is a JSON document that is valid by the schema.
    Schema {
        /// A JSON Schema.
        schema: serde_json::Value,
    },
    /// A file exists where the work was done (or must not).
    File {
        /// The path, relative to where the work was done.
        path: String,
        /// Whether it must exist.
        #[serde(default = "yes")]
        exists: bool,
        /// A text that the file must contain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
    },
    /// A kind of a later version. It can not be checked here, so it is never a pass.
    #[serde(other)]
    Unknown,
}

fn yes() -> bool {
    true
}
