//! A record as it comes in: what dispatch has to know of it, and whether anything is to be done about it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::lines::Line;
use shared::section::{Classify, Decision, Dispatch, Earlier, Status, Task, Tier, Verify};
use shared::{Problem, Record, units};

use crate::schedule::IdHash;

/// The executor of a task that nobody has classified: it may look, not change.
const UNCLASSIFIED: &str = "explore";

pub(crate) use shared::section::is_amount;

/// A record that was read.
pub(crate) struct Incoming {
    pub(crate) line: u64,
    pub(crate) record: Record,
    /// Absent only for a line that is no record.
    pub(crate) id: Option<IdHash>,
    pub(crate) content: Content,
}

/// What is in it.
pub(crate) enum Content {
    /// It had errors before: it is let by.
    LetBy,
    /// It can not be worked on.
    Unusable(Problem),
    /// A task, and what the stages have said about it.
    Task(Box<Known>),
}

/// What is known of a task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) task: Task,
    pub(crate) timeout: Option<Duration>,
    pub(crate) classify: Option<Classify>,
    pub(crate) dispatch: Option<Dispatch>,
    pub(crate) verify: Option<Verify>,
}

/// What is to be done about a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Need {
    /// Nothing, whatever its dependencies do.
    Nothing,
    /// Nothing, unless a result that it used was replaced.
    IfReplaced,
    /// It was skipped: an attempt, if what it needs is there now.
    IfPossible,
    /// The first attempt.
    First,
    /// Another attempt on the same tier, because the last one ended so.
    Again(Status),
    /// Another attempt, on this tier, because `verify` said so.
    Escalated(Tier, Decision),
}

/// Returns what these attempts have cost, with the drafts that lost.
pub(crate) fn spent_before(earlier: &[Earlier]) -> f64 {
    let costs = |earlier: &Earlier| {
        let rivals: f64 =
            earlier.rivals.iter().filter_map(|rival| rival.cost_usd).filter(|cost| is_amount(*cost)).sum();
        rivals + earlier.cost_usd.filter(|cost| is_amount(*cost)).unwrap_or_default()
    };
    earlier.iter().map(costs).sum()
}

impl Incoming {
    /// Reads a line.
    pub(crate) fn read(line: Line) -> Incoming {
        let number = line.number;
        match line.into_record(crate::NAME) {
            Err((problem, record)) => {
                Incoming { line: number, record: *record, id: None, content: Content::Unusable(problem) }
            }
            Ok(record) => {
                let content = match Known::of(&record) {
                    _ if record.has_errors() => Content::LetBy,
                    Ok(known) => Content::Task(Box::new(known)),
                    Err(problem) => Content::Unusable(problem),
                };
                let id = record.id().map(IdHash::of);
                Incoming { line: number, record, id, content }
            }
        }
    }
}

impl Incoming {
    /// Takes in the record of a part; it stands on the line of the whole.
    pub(crate) fn of_part(line: u64, record: Record) -> Incoming {
        let content = match Known::of(&record) {
            Ok(known) => Content::Task(Box::new(known)),
            Err(problem) => Content::Unusable(problem),
        };
        let id = record.id().map(IdHash::of);
        Incoming { line, record, id, content }
    }
}

impl Known {
    /// Reads what a record says about its task.
    pub(crate) fn of(record: &Record) -> Result<Known, Problem> {
        let task: Task = record.get()?.ok_or_else(|| {
            Problem::new("the record has no `task`").hint("a task is a string, or an object with `text`")
        })?;
        if task.text.trim().is_empty() && task.run.is_none() {
            return Err(Problem::new("the text of the task is empty")
                .hint("say what is to be done in `task` or `task.text`"));
        }
        let timeout = task.timeout.as_deref().map(units::parse_duration).transpose();
        let timeout =
            timeout.map_err(|error| Problem::new("`task.timeout` can not be read").because(error))?;
        if task.run.as_ref().is_some_and(Vec::is_empty) {
            return Err(
                Problem::new("`task.run` is empty").hint("give a program and its arguments, or leave it out")
            );
        }
        if let Some(id) = record.id().filter(|id| task.depends_on.iter().any(|needed| needed == id)) {
            return Err(Problem::new(format!("the task depends on itself: {id} → {id}"))
                .hint(format!("remove `{id}` from its depends_on")));
        }
        if let (Some(min), Some(max)) = (task.min_tier, task.max_tier)
            && min > max
        {
            return Err(Problem::new(format!("min_tier {min} is above max_tier {max}"))
                .hint("no tier is left to run it"));
        }
        if let Some(budget) = task.budget_usd.filter(|budget| !budget.is_finite() || *budget < 0.0) {
            return Err(Problem::new(format!("`task.budget_usd` is {budget}, which is no amount of money"))
                .hint("write US dollars such as 5 or 0.25, or leave it out"));
        }
        let dispatch: Option<Dispatch> = record.get()?;
        if dispatch.as_ref().is_some_and(|dispatch| dispatch.attempt == u32::MAX) {
            return Err(Problem::new(format!("`dispatch.attempt` is {}, and none can follow it", u32::MAX))
                .hint("attempts count from 1; remove `dispatch` to start again"));
        }
        Ok(Known { task, timeout, classify: record.get()?, dispatch, verify: record.get()? })
    }

    /// Tells what is to be done; `rerun` are the ways to end that do not count as having run.
    pub(crate) fn need(&self, rerun: &[Status]) -> Need {
        let Some(dispatch) = &self.dispatch else { return Need::First };
        if let Some((tier, decision)) = self.escalation(dispatch) {
            return Need::Escalated(tier, decision);
        }
        if !dispatch.parts.is_empty() {
            // What is to be run again are its parts.
            return Need::IfReplaced;
        }
        match dispatch.status {
            status if rerun.contains(&status) => Need::Again(status),
            Status::Skipped => Need::IfPossible,
            _ if self.task.depends_on.is_empty() => Need::Nothing,
            _ => Need::IfReplaced,
        }
    }

    /// Returns where `verify` wants the next attempt, if it wants one and one may be made.
    ///
    /// Never the tier of the rejected attempt or a lower one: that would be the same draft again (seed 000).
    fn escalation(&self, dispatch: &Dispatch) -> Option<(Tier, Decision)> {
        let verify = self.verify.as_ref().filter(|verify| verify.attempt == dispatch.attempt)?;
        // A command given by the user would only do the same again.
        if !verify.decision.asks_for_more() || self.task.run.is_some() {
            return None;
        }
        let tier = verify.escalate_to.max(dispatch.tier.up()).filter(|tier| *tier > dispatch.tier)?;
        self.most().is_none_or(|max| tier <= max).then_some((tier, verify.decision))
    }

    /// Returns the tier that no attempt may be above: that of the task, or that which the budget of `classify` pays for.
    pub(crate) fn most(&self) -> Option<Tier> {
        let planned = self.classify.as_ref().and_then(|classify| classify.economics.as_ref()?.max_tier);
        [self.task.max_tier, planned].into_iter().flatten().min()
    }

    /// Returns the tier of the first attempt.
    pub(crate) fn first_tier(&self) -> Tier {
        let tier = self.classify.as_ref().map_or(Tier::ONE, |classify| classify.tier).max(Tier::ONE);
        let tier = self.task.min_tier.map_or(tier, |min| tier.max(min));
        self.at_most(tier)
    }

    /// Returns the tier, or the highest that the task allows if that is lower. It is 0 where no model may be asked.
    pub(crate) fn at_most(&self, tier: Tier) -> Tier {
        self.task.max_tier.map_or(tier, |max| tier.min(max))
    }

    /// Tells whether the task may be tried without a model.
    pub(crate) fn may_be_local(&self) -> bool {
        self.first_tier() <= Tier::ONE && self.task.min_tier.is_none_or(|min| min == Tier::LOCAL)
    }

    /// Returns the name of the executor.
    pub(crate) fn executor(&self) -> &str {
        let classified = self.classify.as_ref().map(|classify| classify.executor.as_str());
        self.task.executor.as_deref().or(classified).unwrap_or(UNCLASSIFIED)
    }

    /// Returns the attempts so far, oldest first, with the last one among them.
    pub(crate) fn earlier(&self, because: Option<String>) -> Vec<Earlier> {
        let Some(last) = &self.dispatch else { return Vec::new() };
        let verify = self.verify.as_ref().filter(|verify| verify.attempt == last.attempt);
        let mut earlier = last.earlier.clone();
        earlier.push(Earlier {
            attempt: last.attempt,
            tier: last.tier,
            backend: last.backend.clone(),
            model: last.model.clone(),
            status: last.status,
            usage: last.usage,
            cost_usd: last.cost_usd,
            elapsed_ms: last.elapsed_ms,
            decision: verify.map(|verify| verify.decision),
            action: None,
            reason: because
                .or_else(|| verify.map(|verify| verify.reason.clone()))
                .or_else(|| last.reason.clone()),
            rivals: last.rivals.clone(),
        });
        earlier
    }

    /// Returns what all attempts so far have cost.
    pub(crate) fn spent(&self) -> f64 {
        self.dispatch.as_ref().map_or(0.0, Dispatch::spent_usd)
    }

    /// Returns the number of the next attempt.
    pub(crate) fn next_attempt(&self) -> u32 {
        self.dispatch.as_ref().map_or(1, |dispatch| dispatch.attempt.saturating_add(1))
    }

    /// Tells whether `verify` has accepted the last attempt.
    pub(crate) fn is_accepted(&self) -> bool {
        match (&self.dispatch, &self.verify) {
            (Some(dispatch), Some(verify)) => {
                verify.attempt == dispatch.attempt && verify.decision == Decision::Accept
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(line: &str) -> Known {
        Known::of(&Record::parse(line.to_owned()).unwrap()).unwrap()
    }

    fn need(line: &str) -> Need {
        known(line).need(&[Status::Cancelled])
    }

    #[test]
    fn only_what_needs_it_is_run() {
        let tier = |n: u8| Tier::try_from(n).unwrap();
        let draft = |rest: &str| {
            format!(
                r#"{{"id":"a","task":{{"text":"x"{rest}}},"dispatch":{{"attempt":2,"status":"ok","executor":"e","tier":1}},"#
            )
        };
        let verdict = |attempt: u32, decision: &str, to: &str| {
            format!(
                r#""verify":{{"attempt":{attempt},"decision":"{decision}","confidence":1,"checks":[],"reason":"r"{to}}}}}"#
            )
        };
        let to = |n: u8| format!(r#","escalate_to":{n}"#);
        assert_eq!(need(r#"{"id":"a","task":"x"}"#), Need::First);
        assert_eq!(need(&(draft("") + &verdict(2, "accept", ""))), Need::Nothing);
        assert_eq!(need(&(draft("") + &verdict(2, "blocked", &to(3)))), Need::Nothing);
        assert_eq!(need(&(draft("") + &verdict(2, "unverifiable", ""))), Need::Nothing);
        assert_eq!(
            need(&(draft("") + &verdict(2, "escalate", &to(3)))),
            Need::Escalated(tier(3), Decision::Escalate)
        );
        assert_eq!(need(&(draft("") + &verdict(2, "fix", ""))), Need::Escalated(tier(2), Decision::Fix));
        assert_eq!(
            need(&(draft("") + &verdict(2, "escalate", &to(1)))),
            Need::Escalated(tier(2), Decision::Escalate)
        );
        assert_eq!(
            need(&(draft("") + &verdict(1, "escalate", &to(3)))),
            Need::Nothing,
            "a verdict on an older attempt"
        );
        assert_eq!(need(&(draft(r#","max_tier":1"#) + &verdict(2, "escalate", &to(2)))), Need::Nothing);
        let planned = |max: u8| {
            let economics = format!(
                r#"{{"plan":"cheap_then_verify","direct_strong_usd":1,"strong_model":"m","price_table":"d","max_tier":{max}}}"#
            );
            let classify = format!(r#","classify":{{"tier":1,"economics":{economics}}},"verify""#);
            need(&(draft("") + &verdict(2, "escalate", &to(2))).replacen(",\"verify\"", &classify, 1))
        };
        assert_eq!(planned(1), Need::Nothing);
        assert!(matches!(planned(2), Need::Escalated(..)));
        assert_eq!(need(&(draft(r#","run":["true"]"#) + &verdict(2, "escalate", &to(2)))), Need::Nothing);
        assert_eq!(need(&(draft(r#","depends_on":["b"]"#) + &verdict(2, "accept", ""))), Need::IfReplaced);
        let ended = |status: &str| {
            format!(
                r#"{{"id":"a","task":"x","dispatch":{{"attempt":1,"status":"{status}","executor":"e","tier":1}}}}"#
            )
        };
        assert_eq!(need(&ended("cancelled")), Need::Again(Status::Cancelled));
        assert_eq!(need(&ended("skipped")), Need::IfPossible);
        assert_eq!(need(&ended("failed")), Need::Nothing);
    }

    #[test]
    fn the_first_tier_is_the_classified_one_within_what_the_task_allows() {
        let classified = |tier: u8, rest: &str| {
            known(&format!(
                r#"{{"task":{{"text":"x"{rest}}},"classify":{{"tier":{tier},"executor":"review","confidence":1,"risk":"low","scores":{{"1":1,"2":0,"3":0}}}}}}"#
            ))
        };
        assert_eq!(known(r#"{"task":"x"}"#).first_tier().number(), 1);
        assert_eq!(classified(3, "").first_tier().number(), 3);
        assert_eq!(classified(3, r#","max_tier":2"#).first_tier().number(), 2);
        assert_eq!(classified(1, r#","min_tier":2"#).first_tier().number(), 2);
        assert_eq!(classified(3, r#","max_tier":0"#).first_tier(), Tier::LOCAL);
        assert!(classified(3, r#","max_tier":0"#).may_be_local());
        assert_eq!(classified(2, "").executor(), "review");
        assert!(classified(1, "").may_be_local() && !classified(2, "").may_be_local());
        assert!(!classified(1, r#","min_tier":1"#).may_be_local());
    }

    #[test]
    fn what_can_not_be_run_says_why() {
        for (line, message) in [
            (r#"{"id":"a"}"#, "the record has no `task`"),
            (r#"{"id":"a","task":{"text":"x","depends_on":["a"]}}"#, "the task depends on itself: a → a"),
            (
                r#"{"id":"a","task":{"text":"x","timeout":"soon"}}"#,
                "`task.timeout` can not be read: `soon` is no duration",
            ),
            (r#"{"id":"a","task":{"text":"x","run":[]}}"#, "`task.run` is empty"),
            (r#"{"id":"a","task":" "}"#, "the text of the task is empty"),
            (r#"{"id":"a","task":{"text":"x","min_tier":3,"max_tier":2}}"#, "min_tier 3 is above max_tier 2"),
            (
                r#"{"id":"a","task":{"text":"x","budget_usd":-1}}"#,
                "`task.budget_usd` is -1, which is no amount of money",
            ),
            (
                r#"{"id":"a","task":"x","dispatch":{"attempt":4294967295,"status":"ok","executor":"e","tier":1}}"#,
                "`dispatch.attempt` is 4294967295, and none can follow it",
            ),
        ] {
            let problem = Known::of(&Record::parse(line.to_owned()).unwrap()).unwrap_err();
            assert!(problem.full_message().starts_with(message), "{}", problem.full_message());
            assert!(problem.first_hint().is_some() || message.contains("timeout"), "{message}");
        }
    }
}
