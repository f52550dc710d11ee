//! The account that Codex keeps in its session file while it works.
//!
//! Its events tell tokens only at the end of a turn, so of a run that failed or was ended in the middle this file is all there is
//! (seen with 0.169.0: `$CODEX_HOME/sessions/YYYY/MM/DD/rollout-<time>-<thread>.jsonl`).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Tokens;

/// How many days are looked through: a session is in the directory of the day on which it began.
const DAYS: usize = 3;

#[derive(Deserialize)]
struct Line {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: Option<String>,
    info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    total_token_usage: Tokens,
}

/// Returns the tokens of a session, if there is one of that thread in Codex's directory.
pub(super) fn tokens(home: &Path, thread: &str) -> Option<Tokens> {
    if thread.is_empty() || !thread.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return None;
    }
    let text = std::fs::read_to_string(find(home, thread)?).ok()?;
    let told = text.lines().rev().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let mut told = told.filter(|line| line.payload.kind.as_deref() == Some("token_count"));
    told.find_map(|line| line.payload.info).map(|info| info.total_token_usage)
}

fn find(home: &Path, thread: &str) -> Option<PathBuf> {
    let ending = format!("-{thread}.jsonl");
    let days = latest(&home.join("sessions"))
        .into_iter()
        .flat_map(|year| latest(&year))
        .flat_map(|month| latest(&month));
    days.take(DAYS).flat_map(|day| latest(&day)).find(|path| path.to_string_lossy().ends_with(&ending))
}

/// Returns what is in a directory, the last name first.
fn latest(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_total_of_the_thread_counts() {
        let home = tempfile::tempdir().unwrap();
        let day = home.path().join("sessions/2026/11/20");
        std::fs::create_dir_all(&day).unwrap();
        let total = |input: u64| {
            format!(
                "{{\"type\":\"event_msg\",\"payload\":{{\"type\":\"token_count\",\"info\":{{\"total_token_usage\":{{\"input_tokens\":{input}}}}}}}}}\n"
            )
        };
        let nothing = "{\"type\":\"event_msg\",\"payload\":{\"type\":\"token_count\",\"info\":null}}\n";
        std::fs::write(day.join("rollout-x-01a-b.jsonl"), total(1) + &total(5) + nothing + "{\"half")
            .unwrap();
        std::fs::write(day.join("rollout-y-01a-c.jsonl"), total(7)).unwrap();
        assert_eq!(tokens(home.path(), "01a-b").unwrap().input_tokens, 5);
        assert!(tokens(home.path(), "01a-d").is_none());
        assert!(tokens(home.path(), "../x").is_none() && tokens(home.path(), "").is_none());
    }
}
