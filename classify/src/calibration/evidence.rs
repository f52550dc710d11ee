//! What a record that went through the pipe is evidence of: which attempts were made at which tier, and what became of them.
//!
//! Only verdicts count. An attempt without one, one that could not be verified, and one that the network, an account or a
//! budget ended, say nothing about the tier. `fix` is a rejection: another attempt had to be paid for. A gate that
//! failed is a rejection too, also where no verdict speaks of it.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use shared::section::{
    Classify, Decision, Dispatch, FailureClass, Gates, Outcome, Status, Task, Usage, Verify,
};
use shared::{Problem, Record};

use super::signature;
use crate::{reading, words};

/// A task that was worked on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// The same for the same run of the same task, however often and at which stage its record is read.
    pub(crate) key: String,
    /// When the last attempt started, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    pub(crate) text: String,
    pub(crate) signature: String,
    pub(crate) attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) tier: u8,
    /// Whether it was rejected; absent if nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rejected: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cost_usd: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) turns: Option<u32>,
    #[serde(default)]
    pub(crate) elapsed_ms: u64,
}

impl Attempt {
    /// All tokens, those of caches included.
    pub(crate) fn tokens(&self) -> Option<u64> {
        let usage = self.usage?;
        let parts = [
            usage.input_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.cache_write_1h_tokens,
            usage.output_tokens,
        ];
        Some(parts.into_iter().fold(0, u64::saturating_add))
    }
}

impl Evidence {
    /// Reads a record. `None` if nothing was attempted.
    ///
    /// # Errors
    /// If a section of the record can not be read.
    pub(crate) fn of(record: &Record) -> Result<Option<Evidence>, Problem> {
        if record.has_errors() {
            return Ok(None);
        }
        let (Some(task), Some(dispatch)) = (record.get::<Task>()?, record.get::<Dispatch>()?) else {
            return Ok(None);
        };
        // A command that the task names itself is no draft: no executor has thought about it.
        // A whole that was joined of its parts is none either; those have records of their own.
        if task.run.is_some() || !dispatch.parts.is_empty() {
            return Ok(None);
        }
        let verify = record.get::<Verify>()?;
        let gates = record.get::<Gates>()?;
        let executor = match record.get::<Classify>()? {
            Some(classify) => classify.executor,
            None => dispatch.executor.clone(),
        };
        let earlier = dispatch.earlier.iter().map(|earlier| Attempt {
            tier: earlier.tier.number(),
            rejected: judged(earlier.status, earlier.decision),
            model: earlier.model.clone(),
            usage: earlier.usage,
            cost_usd: earlier.cost_usd,
            turns: None,
            elapsed_ms: earlier.elapsed_ms,
        });
        let last = Attempt {
            tier: dispatch.tier.number(),
            rejected: last_judged(&dispatch, verify.as_ref(), gates.as_ref()),
            model: dispatch.model.clone(),
            usage: dispatch.usage,
            cost_usd: dispatch.cost_usd,
            turns: dispatch.turns,
            elapsed_ms: dispatch.elapsed_ms,
        };
        let attempts: Vec<Attempt> = earlier.chain([last]).collect();
        let (text, _) = words::within_limits(&task.text);
        let signature = signature::of(&executor, &reading::read(&text));
        let key = key(record.id(), &text, &attempts);
        Ok(Some(Evidence { key, at: dispatch.started_at, text: text.into_owned(), signature, attempts }))
    }

    /// Returns what became of the last attempt at a tier that anything is known of.
    pub(crate) fn at_tier(&self, tier: u8) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|attempt| attempt.tier == tier && attempt.rejected.is_some())
    }

    /// Tells whether anything is known of any attempt.
    pub(crate) fn is_judged(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.rejected.is_some())
    }

    /// Returns the time in seconds, if it is known.
    pub(crate) fn seconds(&self) -> Option<f64> {
        let at: jiff::Timestamp = self.at.as_deref()?.parse().ok()?;
        Some(at.as_second() as f64)
    }
}

fn key(id: Option<&str>, text: &str, attempts: &[Attempt]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(id.unwrap_or_default().as_bytes()).update(&[0]).update(text.as_bytes()).update(&[0]);
    // The first attempt tells one run of a task from another, and stays the same when more follow.
    if let Some(first) = attempts.first() {
        hasher.update(&[first.tier]).update(&first.elapsed_ms.to_le_bytes());
        hasher.update(&first.cost_usd.unwrap_or(-1.0).to_le_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Tells whether an attempt was rejected; `None` if that can not be known.
fn judged(status: Status, decision: Option<Decision>) -> Option<bool> {
    match status {
        Status::Ok | Status::Failed | Status::Refused | Status::Truncated | Status::Timeout => {}
        Status::Transport
        | Status::Auth
        | Status::Quota
        | Status::Budget
        | Status::Unavailable
        | Status::Skipped
        | Status::Cancelled => return None,
    }
    match decision? {
        Decision::Accept => Some(false),
        // What is blocked here was not good enough, and nothing else may be tried.
        Decision::Fix | Decision::Escalate | Decision::Blocked => Some(true),
        Decision::Unverifiable => None,
    }
}

fn last_judged(dispatch: &Dispatch, verify: Option<&Verify>, gates: Option<&Gates>) -> Option<bool> {
    let verify = verify.filter(|verify| verify.attempt == dispatch.attempt);
    let of_environment = |verify: &Verify| {
        verify.failure.as_ref().is_some_and(|failure| failure.class == FailureClass::Environment)
    };
    if verify.is_some_and(of_environment) {
        return None;
    }
    let by_verdict = judged(dispatch.status, verify.map(|verify| verify.decision));
    let fails =
        gates.is_some_and(|gates| gates.attempt == dispatch.attempt && gates.outcome == Outcome::Fail);
    let by_gates =
        fails.then_some(Decision::Escalate).and_then(|decision| judged(dispatch.status, Some(decision)));
    match (by_verdict, by_gates) {
        (_, Some(true)) => Some(true),
        (verdict, _) => verdict,
    }
}

/// Evidence without repetitions, in an order that does not depend on how it came in.
#[derive(Default)]
pub(crate) struct Collection {
    by_key: HashMap<String, Evidence>,
}

impl Collection {
    /// Adds evidence. Of one run of a task, what knows of more attempts, or of more verdicts, counts.
    pub(crate) fn add(&mut self, evidence: Evidence) {
        let known = |evidence: &Evidence| {
            let judged = evidence.attempts.iter().filter(|attempt| attempt.rejected.is_some()).count();
            // If all is the same, the text of the evidence decides, not who came first.
            (evidence.attempts.len(), judged, serde_json::to_string(evidence).unwrap_or_default())
        };
        match self.by_key.get_mut(&evidence.key) {
            Some(there) => {
                if known(&evidence) > known(there) {
                    *there = evidence;
                }
            }
            None => {
                self.by_key.insert(evidence.key.clone(), evidence);
            }
        }
    }

    pub(crate) fn keys(&self) -> HashSet<&str> {
        self.by_key.keys().map(String::as_str).collect()
    }

    /// Returns all of it, the oldest first.
    pub(crate) fn into_sorted(self) -> Vec<Evidence> {
        let mut all: Vec<Evidence> = self.by_key.into_values().collect();
        all.sort_by(|a, b| {
            let seconds = |evidence: &Evidence| evidence.seconds().unwrap_or(f64::INFINITY);
            seconds(a).total_cmp(&seconds(b)).then_with(|| a.key.cmp(&b.key))
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(line: &str) -> Option<Evidence> {
        Evidence::of(&Record::parse(line.to_owned()).unwrap()).unwrap()
    }

    fn outcomes(dispatch: &str, rest: &str) -> Vec<(u8, Option<bool>)> {
        let line = format!(r#"{{"id":"a","task":"fix the parser","dispatch":{dispatch}{rest}}}"#);
        let evidence = evidence(&line).unwrap();
        evidence.attempts.iter().map(|attempt| (attempt.tier, attempt.rejected)).collect()
    }

    const VERDICT: &str = r#""confidence":1,"checks":[],"reason":"","cost_usd":0"#;

    #[test]
    fn the_verdicts_on_all_attempts_are_evidence() {
        let dispatch = r#"{"attempt":2,"status":"ok","tier":2,"earlier":[{"attempt":1,"tier":1,"status":"ok","elapsed_ms":5,"decision":"escalate"}]}"#;
        let verify = format!(r#","verify":{{"attempt":2,"decision":"accept",{VERDICT}}}"#);
        assert_eq!(outcomes(dispatch, &verify), [(1, Some(true)), (2, Some(false))]);
        // A verdict on an older attempt says nothing about this one.
        let stale = format!(r#","verify":{{"attempt":1,"decision":"accept",{VERDICT}}}"#);
        assert_eq!(outcomes(dispatch, &stale), [(1, Some(true)), (2, None)]);
    }

    #[test]
    fn missing_evidence_is_no_acceptance_and_the_network_is_no_rejection() {
        let of = |status: &str, decision: &str| {
            let dispatch = format!(r#"{{"attempt":1,"status":"{status}","tier":1}}"#);
            let verify = format!(r#","verify":{{"attempt":1,"decision":"{decision}",{VERDICT}}}"#);
            outcomes(&dispatch, &verify)[0].1
        };
        assert_eq!(of("ok", "accept"), Some(false));
        assert_eq!(of("ok", "fix"), Some(true));
        assert_eq!(of("ok", "unverifiable"), None);
        assert_eq!(of("failed", "blocked"), Some(true));
        assert_eq!(of("timeout", "escalate"), Some(true));
        for status in ["transport", "auth", "quota", "budget", "unavailable", "skipped", "cancelled"] {
            assert_eq!(of(status, "blocked"), None, "{status}");
        }
        assert_eq!(outcomes(r#"{"attempt":1,"status":"ok","tier":1}"#, ""), [(1, None)]);
    }

    #[test]
    fn a_gate_that_failed_is_a_rejection_whatever_the_verdict() {
        let dispatch = r#"{"attempt":1,"status":"ok","tier":1}"#;
        let gates = |outcome: &str| format!(r#","gates":{{"attempt":1,"outcome":"{outcome}","results":[]}}"#);
        let accept = format!(r#","verify":{{"attempt":1,"decision":"accept",{VERDICT}}}"#);
        assert_eq!(outcomes(dispatch, &gates("fail"))[0].1, Some(true));
        assert_eq!(outcomes(dispatch, &(gates("fail") + &accept))[0].1, Some(true));
        assert_eq!(outcomes(dispatch, &gates("pass"))[0].1, None);
    }

    #[test]
    fn the_same_run_is_counted_once_at_its_latest_stage() {
        let first =
            r#"{"id":"a","task":"fix it","dispatch":{"attempt":1,"status":"ok","tier":1,"elapsed_ms":5}}"#;
        let later = r#"{"id":"a","task":"fix it","dispatch":{"attempt":2,"status":"ok","tier":2,"elapsed_ms":9,"earlier":[{"attempt":1,"tier":1,"status":"ok","elapsed_ms":5,"decision":"escalate"}]}}"#;
        let other =
            r#"{"id":"a","task":"fix it","dispatch":{"attempt":1,"status":"ok","tier":1,"elapsed_ms":7}}"#;
        for order in [[first, later, other], [other, later, first]] {
            let mut collection = Collection::default();
            order.iter().for_each(|line| collection.add(evidence(line).unwrap()));
            let all = collection.into_sorted();
            assert_eq!(all.len(), 2);
            assert!(all.iter().any(|evidence| evidence.attempts.len() == 2));
        }
    }

    #[test]
    fn what_was_not_drafted_is_no_evidence() {
        assert!(evidence(r#"{"id":"a","task":"fix it"}"#).is_none());
        assert!(
            evidence(r#"{"id":"a","task":{"text":"t","run":["ls"]},"dispatch":{"attempt":1,"status":"ok"}}"#)
                .is_none()
        );
    }
}
