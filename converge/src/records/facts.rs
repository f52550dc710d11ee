//! What the loop has to know of a record: what it says, which attempt it is at, and what the verdict on that is.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use shared::Record;
use shared::section::{Costs, Decision};

use super::content::Mask;
use super::index::Key;
use crate::cycle::State;

/// A record at one moment: what it says, and what the loop has to know of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    /// What it says.
    pub(crate) content: State,
    /// The attempt it is at; 0 before the first.
    pub(crate) attempt: u32,
    /// The verdict on this very attempt.
    pub(crate) decision: Option<Decision>,
    /// Stages let it by from now on.
    pub(crate) has_errors: bool,
    /// What all its attempts and its verdict have cost.
    pub(crate) cost_usd: f64,
    /// The records that it needs.
    pub(crate) needs: Vec<Need>,
}

/// A record that another one needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Need {
    /// Its key.
    pub(crate) key: Key,
    /// The attempt of it that the other one was made from.
    pub(crate) used: Option<u32>,
}

/// The members of a section that matter here. A section of another shape is no reason to fail: it is not ours.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TaskView {
    depends_on: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DispatchView {
    attempt: u32,
    inputs: BTreeMap<String, u32>,
    #[serde(flatten)]
    costs: Costs,
}

#[derive(Deserialize)]
struct VerifyView {
    #[serde(default)]
    attempt: u32,
    decision: Decision,
    #[serde(default)]
    cost_usd: f64,
}

fn view<T: DeserializeOwned>(record: &Record, name: &str) -> Option<T> {
    serde_json::from_str(record.raw(name)?).ok()
}

impl Form {
    /// Reads it from a record.
    pub(crate) fn of(record: &Record, mask: &Mask) -> Form {
        let task: TaskView = view(record, "task").unwrap_or_default();
        let dispatch: DispatchView = view(record, "dispatch").unwrap_or_default();
        let verify: Option<VerifyView> = view(record, "verify");
        let verdict = verify.as_ref().map_or(0.0, |verify| verify.cost_usd);
        let need = |id: &String| Need { key: Key::of(id), used: dispatch.inputs.get(id).copied() };
        Form {
            content: mask.hash(&record.to_line()).into(),
            attempt: dispatch.attempt,
            // A verdict on an older attempt is stale. Without any attempt there is nothing that it could be older than.
            decision: verify
                .filter(|verify| dispatch.attempt == 0 || verify.attempt == dispatch.attempt)
                .map(|verify| verify.decision),
            has_errors: record.has_errors(),
            cost_usd: dispatch.costs.total() + verdict,
            // What a record was made from it needs as well: the parts of a compound task are in no `depends_on`.
            needs: task
                .depends_on
                .iter()
                .chain(dispatch.inputs.keys().filter(|id| !task.depends_on.contains(id)))
                .map(need)
                .collect(),
        }
    }

    /// Returns the verdict, if it needs no further attempt.
    pub(crate) fn final_decision(&self) -> Option<Decision> {
        self.decision.filter(|decision| !decision.asks_for_more())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(line: &str) -> Form {
        Form::of(&Record::parse(line.to_owned()).unwrap(), &Mask::new(&[]).unwrap())
    }

    #[test]
    fn a_verdict_counts_for_its_own_attempt_alone() {
        let verdict = |dispatch: &str, verify: &str| {
            form(&format!(r#"{{"id":"a","dispatch":{dispatch},"verify":{verify}}}"#)).final_decision()
        };
        let accept = r#"{"attempt":1,"decision":"accept"}"#;
        assert_eq!(verdict(r#"{"attempt":1}"#, accept), Some(Decision::Accept));
        assert_eq!(verdict(r#"{"attempt":2}"#, accept), None);
        assert_eq!(verdict(r#"{"attempt":1}"#, r#"{"attempt":1,"decision":"escalate"}"#), None);
        assert_eq!(verdict(r#"{"attempt":1}"#, r#"{"attempt":1,"decision":"fix"}"#), None);
        assert_eq!(
            verdict(r#"{"attempt":1}"#, r#"{"attempt":1,"decision":"blocked"}"#),
            Some(Decision::Blocked)
        );
        assert_eq!(
            verdict(r#"{"attempt":1}"#, r#"{"attempt":1,"decision":"unverifiable"}"#),
            Some(Decision::Unverifiable)
        );
        assert_eq!(verdict(r#"{"attempt":1}"#, r#"{"attempt":1,"decision":"a later version's"}"#), None);
    }

    #[test]
    fn rejected_attempts_lost_drafts_and_the_verdict_are_paid_work() {
        let line = r#"{"id":"a","dispatch":{"attempt":3,"cost_usd":0.5,"rivals":[{"cost_usd":1}],"earlier":[{"cost_usd":0.25,"rivals":[{"cost_usd":2}]},{}]},"verify":{"attempt":3,"decision":"accept","cost_usd":0.125}}"#;
        assert_eq!(form(line).cost_usd, 3.875);
    }

    #[test]
    fn sections_of_another_shape_are_let_be() {
        let form = form(r#"{"id":"a","task":"x","dispatch":7,"gates":[],"verify":"good"}"#);
        assert_eq!((form.attempt, form.decision, form.cost_usd), (0, None, 0.0));
        assert!(form.needs.is_empty());
    }
}
