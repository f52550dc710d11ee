//! What the loop has to know of a record: what it says, which attempt it is at, and what the verdict on that is.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use blake3::Hash;

use shared::Record;
use shared::section::Decision;

use super::content::Mask;

/// A record at one moment: what it says, and what the loop has to know of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    /// The hash of what it says.
    pub(crate) content: Hash,
    /// What has to be kept in mind of it.
    pub(crate) facts: Facts,
}

/// What the loop has to keep in mind of a record. Small: there may be a million of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    /// The attempt it is at; 0 before the first.
    pub(crate) attempt: u32,
    /// The verdict on this very attempt.
    pub(crate) decision: Option<Decision>,
    /// Stages let it by from now on.
    pub(crate) has_errors: bool,
    /// What all its attempts and its verdict have cost.
    pub(crate) cost_usd: f64,
    /// Most records need no others.
    pub(crate) links: Option<Box<Links>>,
}

/// The records that a record needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Links {
    /// Their ids.
    pub(crate) depends_on: Vec<String>,
    /// The attempt of each that it was made from.
    pub(crate) inputs: BTreeMap<String, u32>,
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
    cost_usd: Option<f64>,
    earlier: Vec<EarlierView>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EarlierView {
    cost_usd: Option<f64>,
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
        let earlier = dispatch.earlier.iter().filter_map(|earlier| earlier.cost_usd);
        let attempts: f64 = earlier.chain(dispatch.cost_usd).sum();
        let verdict = verify.as_ref().map_or(0.0, |verify| verify.cost_usd);
        let links = Links { depends_on: task.depends_on, inputs: dispatch.inputs };
        let facts = Facts {
            attempt: dispatch.attempt,
            // A verdict on an older attempt is stale. Without any attempt there is nothing that it could be older than.
            decision: verify
                .filter(|verify| dispatch.attempt == 0 || verify.attempt == dispatch.attempt)
                .map(|verify| verify.decision),
            has_errors: record.has_errors(),
            cost_usd: attempts + verdict,
            links: Some(links).filter(|links| !links.depends_on.is_empty()).map(Box::new),
        };
        Form { content: mask.hash(&record.to_line()), facts }
    }
}

impl Facts {
    /// Returns the ids of the records it needs.
    pub(crate) fn depends_on(&self) -> &[String] {
        self.links.as_ref().map_or(&[], |links| &links.depends_on)
    }

    /// Returns the attempt of another record that it was made from.
    pub(crate) fn input(&self, id: &str) -> Option<u32> {
        self.links.as_ref()?.inputs.get(id).copied()
    }

    /// Returns the verdict, if it needs no further attempt.
    pub(crate) fn final_decision(&self) -> Option<Decision> {
        self.decision.filter(|decision| !decision.asks_for_more())
    }

    /// Tells whether the user may have it.
    pub(crate) fn is_accepted(&self) -> bool {
        self.decision == Some(Decision::Accept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(line: &str) -> Facts {
        Form::of(&Record::parse(line.to_owned()).unwrap(), &Mask::new(&[]).unwrap()).facts
    }

    #[test]
    fn a_verdict_counts_for_its_own_attempt_alone() {
        let verdict = |dispatch: &str, verify: &str| {
            facts(&format!(r#"{{"id":"a","dispatch":{dispatch},"verify":{verify}}}"#)).final_decision()
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
    fn rejected_attempts_and_the_verdict_are_paid_work() {
        let line = r#"{"id":"a","dispatch":{"attempt":3,"cost_usd":0.5,"earlier":[{"cost_usd":0.25},{}]},"verify":{"attempt":3,"decision":"accept","cost_usd":0.125}}"#;
        assert_eq!(facts(line).cost_usd, 0.875);
    }

    #[test]
    fn sections_of_another_shape_are_let_be() {
        let facts = facts(r#"{"id":"a","task":"x","dispatch":7,"gates":[],"verify":"good"}"#);
        assert_eq!((facts.attempt, facts.decision, facts.cost_usd), (0, None, 0.0));
        assert!(facts.depends_on().is_empty());
    }
}
