//! Counts what the records say.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use shared::section::{Classify, Decision, Dispatch, FailureClass, Role, Status, Usage, Verify};
use shared::{Problem, Record};

/// What is kept of each record until all are read; the last attempt of an id counts.
#[derive(Default)]
pub(super) struct Tally {
    tasks: HashMap<String, Task>,
    broken: u64,
}

#[derive(Clone, Default)]
struct Task {
    attempt: u32,
    state: State,
    tier: u8,
    raised: bool,
    attempts: u64,
    rejected: u64,
    rivals: u64,
    usage: Tokens,
    cost_usd: f64,
    rejected_cost_usd: f64,
    rivals_cost_usd: f64,
    verify_cost_usd: f64,
    classify_cost_usd: f64,
    unpriced: u64,
    elapsed_ms: u64,
    failure: Option<(FailureClass, String)>,
    is_joined: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Judged(Decision),
    Error,
}

/// The tokens of all attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Tokens {
    pub(super) input_tokens: u64,
    pub(super) cached_tokens: u64,
    pub(super) output_tokens: u64,
}

/// What a run came to.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) tasks: u64,
    pub(super) accepted: u64,
    pub(super) accepted_by_tier: BTreeMap<u8, u64>,
    pub(super) fix: u64,
    pub(super) escalate: u64,
    pub(super) unverifiable: u64,
    pub(super) blocked: u64,
    pub(super) not_judged: u64,
    pub(super) errors: u64,
    /// Tasks that went on to a higher tier at least once.
    pub(super) escalated: u64,
    pub(super) escalated_and_accepted: u64,
    pub(super) attempts: u64,
    /// Attempts that were replaced by another one.
    pub(super) rejected_attempts: u64,
    /// Drafts that lost a race; they are no attempts of their own.
    pub(super) rivals: u64,
    #[serde(flatten)]
    pub(super) tokens: Tokens,
    /// All attempts, and all judging and classifying.
    pub(super) cost_usd: f64,
    pub(super) rejected_cost_usd: f64,
    pub(super) rivals_cost_usd: f64,
    pub(super) verify_cost_usd: f64,
    pub(super) classify_cost_usd: f64,
    /// Attempts that used tokens and have no price; their cost is in no total. A question of `classify` counts as one.
    pub(super) unpriced_attempts: u64,
    /// The work of all attempts, one after the other.
    pub(super) elapsed_ms: u64,
    pub(super) failures: Failures,
}

/// The kinds of failure that the unaccepted tasks ended with (seed 002's aggregate).
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Failures {
    pub(super) total: u64,
    pub(super) pipeline: u64,
    /// The share that is the pipeline's fault and not the task's, to two places; 0 if there are none.
    pub(super) pipeline_ratio: f64,
    pub(super) kinds: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a record. Of records with the same id the one with the latest attempt counts.
    pub(super) fn add(&mut self, record: &Record, line: u64) -> Result<(), Problem> {
        let key = record.id().map_or_else(|| format!("line {line}"), |id| format!("id {id}"));
        let task = Task::of(record)?;
        if task.is_joined {
            // Its parts are counted, each in its own record.
            return Ok(());
        }
        match self.tasks.get(&key) {
            Some(known) if known.attempt > task.attempt => {}
            _ => {
                self.tasks.insert(key, task);
            }
        }
        Ok(())
    }

    /// Counts a line that is no record.
    pub(super) fn add_broken(&mut self) {
        self.broken = self.broken.saturating_add(1);
    }

    pub(super) fn report(&self) -> Report {
        let all = || self.tasks.values();
        let count = |wanted: &dyn Fn(&Task) -> bool| all().filter(|task| wanted(task)).count() as u64;
        let judged = |decision| count(&|task: &Task| task.state == State::Judged(decision));
        let sum = |part: &dyn Fn(&Task) -> u64| all().map(part).fold(0, u64::saturating_add);
        let money = |part: &dyn Fn(&Task) -> f64| {
            // A sum of zeros of either sign is printed as 0, and hidden digits of a float help nobody.
            let sum = all().map(part).sum::<f64>().clamp(f64::MIN, f64::MAX);
            let rounded = (sum * 1e9).round() / 1e9 + 0.0;
            if rounded.is_finite() { rounded } else { sum }
        };
        let accepted = |task: &Task| task.state == State::Judged(Decision::Accept);
        let mut accepted_by_tier = BTreeMap::new();
        all()
            .filter(|task| accepted(task))
            .for_each(|task| *accepted_by_tier.entry(task.tier).or_insert(0) += 1);
        Report {
            tasks: (self.tasks.len() as u64).saturating_add(self.broken),
            accepted: judged(Decision::Accept),
            accepted_by_tier,
            fix: judged(Decision::Fix),
            escalate: judged(Decision::Escalate),
            unverifiable: judged(Decision::Unverifiable),
            blocked: judged(Decision::Blocked),
            not_judged: count(&|task| task.state == State::Open),
            errors: count(&|task| task.state == State::Error).saturating_add(self.broken),
            escalated: count(&|task| task.raised),
            escalated_and_accepted: count(&|task| task.raised && accepted(task)),
            attempts: sum(&|task| task.attempts),
            rejected_attempts: sum(&|task| task.rejected),
            rivals: sum(&|task| task.rivals),
            tokens: Tokens {
                input_tokens: sum(&|task| task.usage.input_tokens),
                cached_tokens: sum(&|task| task.usage.cached_tokens),
                output_tokens: sum(&|task| task.usage.output_tokens),
            },
            cost_usd: money(&|task| task.cost_usd + task.verify_cost_usd + task.classify_cost_usd),
            rejected_cost_usd: money(&|task| task.rejected_cost_usd),
            rivals_cost_usd: money(&|task| task.rivals_cost_usd),
            verify_cost_usd: money(&|task| task.verify_cost_usd),
            classify_cost_usd: money(&|task| task.classify_cost_usd),
            unpriced_attempts: sum(&|task| task.unpriced),
            elapsed_ms: sum(&|task| task.elapsed_ms),
            failures: Failures::of(all().filter_map(|task| task.failure.as_ref())),
        }
    }
}

impl Task {
    fn of(record: &Record) -> Result<Task, Problem> {
        let mut task = Task::default();
        let dispatch = record.get::<Dispatch>()?;
        let verify = record.get::<Verify>()?;
        if let Some(dispatch) = &dispatch {
            task.add_attempts(dispatch);
        }
        // Of a section that can not be read nobody knows a price; the attempts can be counted all the same.
        if let Ok(Some(classify)) = record.get::<Classify>() {
            task.add_question(&classify);
        }
        if let Some(verify) = &verify {
            task.verify_cost_usd = verify.cost_usd;
            // A verdict on an older attempt says nothing about this one.
            if dispatch.as_ref().is_none_or(|dispatch| dispatch.attempt == verify.attempt) {
                task.state = State::Judged(verify.decision);
                task.failure =
                    verify.failure.as_ref().map(|failure| (failure.class, failure.subclass.clone()));
            }
        }
        if record.has_errors() {
            task.state = State::Error;
        }
        Ok(task)
    }

    /// Adds what a model was asked about the task before anybody drafted it.
    fn add_question(&mut self, classify: &Classify) {
        self.classify_cost_usd = classify.cost_usd.unwrap_or(0.0);
        let usage = classify.asked.as_ref().and_then(|asked| asked.usage);
        self.unpriced += u64::from(usage.is_some() && classify.cost_usd.is_none());
        self.add_tokens(usage.unwrap_or_default());
    }

    fn add_attempts(&mut self, dispatch: &Dispatch) {
        self.is_joined = !dispatch.parts.is_empty();
        self.attempt = dispatch.attempt;
        self.tier = dispatch.tier.number();
        self.raised = dispatch.earlier.iter().any(|earlier| earlier.tier < dispatch.tier);
        for paid in dispatch.paid() {
            let was_run = u64::from(was_run(paid.status));
            let cost = paid.cost_usd.unwrap_or(0.0);
            match paid.role {
                // It ran beside the draft that was kept, so its time is not added to that.
                Role::Rival => {
                    self.rivals += 1;
                    self.rivals_cost_usd += cost;
                }
                role => {
                    self.attempts += was_run;
                    self.elapsed_ms = self.elapsed_ms.saturating_add(paid.elapsed_ms);
                    if role == Role::Earlier {
                        self.rejected += was_run;
                        self.rejected_cost_usd += cost;
                    }
                }
            }
            self.cost_usd += cost;
            self.unpriced += u64::from(paid.usage.is_some() && paid.cost_usd.is_none());
            self.add_tokens(paid.usage.unwrap_or_default());
        }
    }

    fn add_tokens(&mut self, usage: Usage) {
        // Numbers are as the record says, and a record may say anything: a total stops at the largest number.
        let total = &mut self.usage;
        for tokens in [usage.input_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens] {
            total.input_tokens = total.input_tokens.saturating_add(tokens);
        }
        total.cached_tokens = total.cached_tokens.saturating_add(usage.cache_read_tokens);
        total.output_tokens = total.output_tokens.saturating_add(usage.output_tokens);
    }
}

fn was_run(status: Status) -> bool {
    !matches!(status, Status::Skipped | Status::Unavailable | Status::Budget)
}

impl Failures {
    fn of<'a>(all: impl Iterator<Item = &'a (FailureClass, String)>) -> Failures {
        let mut failures = Failures::default();
        for (class, subclass) in all {
            failures.total += 1;
            failures.pipeline += u64::from(*class == FailureClass::Pipeline);
            let class = serde_json::to_value(class).unwrap_or_default();
            *failures
                .kinds
                .entry(format!("{}:{subclass}", class.as_str().unwrap_or_default()))
                .or_default() += 1;
        }
        if failures.total > 0 {
            let ratio = failures.pipeline as f64 / failures.total as f64;
            failures.pipeline_ratio = (ratio * 100.0).round() / 100.0;
        }
        failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Report {
        let mut tally = Tally::default();
        for (number, line) in (1..).zip(lines) {
            tally.add(&Record::parse((*line).to_owned()).unwrap(), number).unwrap();
        }
        tally.report()
    }

    const SECOND: &str = r#"{"id":"a","task":"x","dispatch":{"attempt":2,"status":"ok","executor":"implement","tier":2,"cost_usd":0.2,
        "usage":{"input_tokens":10,"output_tokens":5},"elapsed_ms":40,"earlier":[{"attempt":1,"tier":1,"status":"ok","cost_usd":0.1,
        "usage":{"input_tokens":7,"cache_read_tokens":3,"output_tokens":2},"elapsed_ms":20,"decision":"escalate"}]},
        "verify":{"attempt":2,"decision":"accept","confidence":1,"checks":[],"reason":"","cost_usd":0.01}}"#;

    #[test]
    fn rejected_drafts_and_judging_are_in_the_totals() {
        let report = tally(&[SECOND]);
        assert_eq!(
            (report.tasks, report.accepted, report.escalated, report.escalated_and_accepted),
            (1, 1, 1, 1)
        );
        assert_eq!((report.attempts, report.rejected_attempts, report.elapsed_ms), (2, 1, 60));
        assert_eq!(report.tokens, Tokens { input_tokens: 17, cached_tokens: 3, output_tokens: 7 });
        assert_eq!((report.cost_usd, report.rejected_cost_usd, report.verify_cost_usd), (0.31, 0.1, 0.01));
        assert_eq!(report.accepted_by_tier, BTreeMap::from([(2, 1)]));
    }

    #[test]
    fn what_classifying_has_cost_is_in_the_totals() {
        let asked = |cost: &str| {
            format!(
                r#""classify":{{"tier":2,{cost}"asked":{{"backend":"b","usage":{{"input_tokens":90,"output_tokens":8}}}}}},"dispatch""#
            )
        };
        let report = tally(&[&SECOND.replace("\"dispatch\"", &asked("\"cost_usd\":0.002,"))]);
        assert_eq!((report.cost_usd, report.classify_cost_usd, report.unpriced_attempts), (0.312, 0.002, 0));
        assert_eq!(report.tokens, Tokens { input_tokens: 107, cached_tokens: 3, output_tokens: 15 });
        let report = tally(&[&SECOND.replace("\"dispatch\"", &asked(""))]);
        assert_eq!((report.cost_usd, report.unpriced_attempts), (0.31, 1));
    }

    #[test]
    fn absurd_numbers_stop_at_the_largest_one() {
        let absurd = |id: &str| {
            let (most, dear) = (u64::MAX, 1.7e308);
            format!(
                r#"{{"id":"{id}","dispatch":{{"attempt":2,"status":"ok","executor":"e","tier":2,"elapsed_ms":{most},"cost_usd":{dear},
                "usage":{{"input_tokens":{most},"cache_write_tokens":{most},"cache_read_tokens":{most},"output_tokens":{most}}},
                "earlier":[{{"attempt":1,"tier":1,"status":"ok","elapsed_ms":{most},"cost_usd":{dear},
                "usage":{{"input_tokens":{most},"cache_read_tokens":{most},"output_tokens":{most}}}}}]}}}}"#
            )
        };
        let report = tally(&[&absurd("a"), &absurd("b")]);
        let most = Tokens { input_tokens: u64::MAX, cached_tokens: u64::MAX, output_tokens: u64::MAX };
        assert_eq!((report.tokens, report.elapsed_ms), (most, u64::MAX));
        assert!(report.cost_usd.is_finite() && report.cost_usd >= 1e308);
    }

    #[test]
    fn of_the_same_id_the_latest_attempt_counts_once() {
        let first = r#"{"id":"a","task":"x","dispatch":{"attempt":1,"status":"ok","executor":"implement","tier":1,"cost_usd":0.1}}"#;
        assert_eq!(tally(&[SECOND, first]).cost_usd, 0.31);
        assert_eq!(tally(&[first, SECOND]).cost_usd, 0.31);
    }

    #[test]
    fn an_attempt_without_a_price_is_counted_as_such_and_a_skipped_one_not_at_all() {
        let unpriced = r#"{"id":"a","dispatch":{"attempt":1,"status":"ok","executor":"e","tier":1,"usage":{"input_tokens":1}}}"#;
        let skipped = r#"{"id":"b","dispatch":{"attempt":1,"status":"skipped","executor":"e","tier":1}}"#;
        let report = tally(&[unpriced, skipped, r#"{"id":"c","errors":[{"stage":"x","message":"y"}]}"#]);
        assert_eq!(
            (report.unpriced_attempts, report.attempts, report.not_judged, report.errors),
            (1, 1, 2, 1)
        );
    }

    #[test]
    fn failures_are_added_up_as_the_seed_does() {
        let kinds = [
            (FailureClass::Pipeline, "context_cut"),
            (FailureClass::Pipeline, "decomposition_error"),
            (FailureClass::Complexity, "implementation_error"),
            (FailureClass::Pipeline, "context_cut"),
        ];
        let kinds: Vec<_> = kinds.iter().map(|(class, subclass)| (*class, (*subclass).to_owned())).collect();
        let failures = Failures::of(kinds.iter());
        assert_eq!((failures.total, failures.pipeline, failures.pipeline_ratio), (4, 3, 0.75));
        assert_eq!(failures.kinds["pipeline:context_cut"], 2);
        assert_eq!(Failures::of([].iter()).pipeline_ratio, 0.0);
    }
}
