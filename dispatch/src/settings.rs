//! The `[dispatch]` table of specpipe.toml, as it is written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use shared::tiers::TierSettings;
use shared::units::{parse_duration, parse_size};

use crate::args::{Deps, Worktrees};
use crate::native::Confinement;
use crate::speculate::{Drafts, Late, When};
use crate::worktree::dependencies::{Means, Wish};

/// The whole table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) jobs: Option<u16>,
    pub(crate) deps: Option<Deps>,
    /// How often a request is repeated.
    pub(crate) retries: Option<u16>,
    #[serde(deserialize_with = "duration")]
    pub(crate) timeout: Option<Duration>,
    pub(crate) budget_usd: Option<f64>,
    pub(crate) budget_tokens: Option<u64>,
    pub(crate) halt: Option<String>,
    pub(crate) halt_min: Option<u16>,
    pub(crate) local: Option<bool>,
    /// Whether compound tasks are run in parts.
    pub(crate) decompose: Option<bool>,
    pub(crate) worktrees: Option<Worktrees>,
    pub(crate) worktree: WorktreeSettings,
    #[serde(deserialize_with = "size")]
    pub(crate) output_limit: Option<u64>,
    #[serde(deserialize_with = "size")]
    pub(crate) output_max: Option<u64>,
    pub(crate) prices: Option<PathBuf>,
    pub(crate) race: RaceSettings,
    pub(crate) queue: QueueSettings,
    pub(crate) tiers: BTreeMap<String, TierSettings>,
    pub(crate) backends: BTreeMap<String, BackendSettings>,
    pub(crate) native: NativeSettings,
}

/// `[dispatch.native]`: what executors with tools may do when a model behind an API is asked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NativeSettings {
    /// What the kernel must hold for Bash to be used.
    pub(crate) confinement: Confinement,
    /// Whether Bash may use the network.
    pub(crate) network: bool,
    /// Files and directories outside of the project that may be read.
    pub(crate) read: Vec<PathBuf>,
    /// How many replies a model may give in an attempt.
    pub(crate) turns: Option<u32>,
    /// How many tokens an attempt may take, those from a cache included.
    pub(crate) tokens: Option<u64>,
    /// How many tokens the models can read at once.
    pub(crate) window: Option<u64>,
    /// What differs for single executors.
    pub(crate) executors: BTreeMap<String, ExecutorSettings>,
}

/// `[dispatch.native.executors.NAME]`: what differs for an executor.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ExecutorSettings {
    pub(crate) network: Option<bool>,
    /// What it may read besides.
    pub(crate) read: Vec<PathBuf>,
    pub(crate) turns: Option<u32>,
}

/// `[dispatch.worktree]`: what worktrees are made of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WorktreeSettings {
    /// The commit that they start from.
    pub(crate) base: Option<String>,
    /// How dependency directories get into them.
    pub(crate) dependencies: Means,
    /// The names or paths of those, in place of the usual.
    pub(crate) directories: Option<Vec<String>>,
    /// The most that is copied into one where no blocks can be shared.
    #[serde(deserialize_with = "size")]
    pub(crate) copy_bytes: Option<u64>,
    pub(crate) copy_files: Option<u64>,
}

impl From<WorktreeSettings> for Wish {
    fn from(settings: WorktreeSettings) -> Wish {
        let usual = Wish::default();
        Wish {
            means: settings.dependencies,
            directories: settings.directories,
            bytes: settings.copy_bytes.unwrap_or(usual.bytes),
            files: settings.copy_files.unwrap_or(usual.files),
        }
    }
}

/// `[dispatch.race]`: several drafts of a task at once.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RaceSettings {
    /// A number of drafts, or a list of tiers.
    pub(crate) drafts: Option<Drafts>,
    /// Which tasks race.
    #[serde(rename = "if")]
    pub(crate) when: Vec<When>,
    /// What drafts beyond the first may cost together, in US dollars.
    pub(crate) budget_usd: Option<f64>,
    /// A command that decides whether a draft is accepted.
    pub(crate) check: Option<String>,
}

/// `[dispatch.queue]`: the queue that `--queue` and `--worker` use, and how one gets in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QueueSettings {
    /// The address, for `--worker` without one.
    pub(crate) url: Option<String>,
    /// A credentials file, as `nsc` writes it.
    pub(crate) credentials: Option<PathBuf>,
    /// The environment variable with the token.
    pub(crate) token_env: Option<String>,
    /// The user.
    pub(crate) user: Option<String>,
    /// The environment variable with the password.
    pub(crate) password_env: Option<String>,
    /// A file with the certificates of the authorities to trust.
    pub(crate) authorities: Option<PathBuf>,
    /// A file with the certificate to show.
    pub(crate) certificate: Option<PathBuf>,
    /// A file with its key.
    pub(crate) key: Option<PathBuf>,
    /// After which time without a word an order is given to another worker; of the queue, once it is made.
    #[serde(deserialize_with = "duration")]
    pub(crate) ack_wait: Option<Duration>,
    /// How many times an order is given out before it is told as failed.
    pub(crate) max_deliver: Option<u64>,
}

/// `[dispatch.backends.NAME]`: a backend and how it is reached.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BackendSettings {
    /// `anthropic`, `openai`, `command`, `replay` or the name of an agent program; by default the name of the table.
    pub(crate) kind: Option<String>,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// What is set in its environment.
    pub(crate) env: BTreeMap<String, String>,
    /// How long it may say nothing.
    #[serde(deserialize_with = "duration")]
    pub(crate) idle_timeout: Option<Duration>,
    /// The server.
    pub(crate) base_url: Option<String>,
    /// The environment variable with the key.
    pub(crate) key_env: Option<String>,
    /// The most tokens in an answer.
    pub(crate) max_output_tokens: Option<u32>,
    /// How many of its tasks run at once.
    pub(crate) jobs: Option<u16>,
    /// The most that its attempts in a run may cost, in US dollars.
    pub(crate) budget_usd: Option<f64>,
    /// The most tokens that they may use.
    pub(crate) budget_tokens: Option<u64>,
    /// What an attempt costs, in US dollars, where nobody else says so.
    pub(crate) attempt_usd: Option<f64>,
    /// How many requests it takes in a minute; of programs, how many are started.
    pub(crate) requests_per_minute: Option<u64>,
    /// How many tokens it takes in a minute.
    pub(crate) tokens_per_minute: Option<u64>,
    /// After how many failures of transport in a row it is left alone.
    pub(crate) breaker_failures: Option<u32>,
    /// For how long first.
    #[serde(deserialize_with = "duration")]
    pub(crate) breaker_cool_down: Option<Duration>,
    /// How long it may fail before those who wait for it are told.
    #[serde(deserialize_with = "duration")]
    pub(crate) patience: Option<Duration>,
    /// When a request is late that is sent once more: a time, or a percentile such as `p95` of those before.
    pub(crate) hedge: Option<Late>,
    /// The share of all requests that may be.
    pub(crate) hedge_share: Option<f64>,
    /// The file of recorded answers.
    pub(crate) file: Option<PathBuf>,
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map(Some).map_err(de::Error::custom)
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_size(&text).map(Some).map_err(de::Error::custom)
}
