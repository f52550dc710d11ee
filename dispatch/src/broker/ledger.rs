//! What a dispatcher makes of the reports it gets: one result for each attempt, whoever sends how many in which order.
//!
//! A queue delivers at least once: a worker that was frozen sends its result late, one that died before it could confirm has its
//! order done again, and a dispatcher that died hears everything once more. So the first result of an attempt is taken and every
//! other draft is only paid for. A draft that was started and has not ended is outstanding: it may have cost something that
//! nobody has told yet.

use std::collections::{BTreeMap, HashMap};

use super::wire::Draft;

/// What is to be done with a report of a draft that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the result.
    Accept,
    /// There is a result already, or this is none: it was paid for nothing.
    Late,
    /// It was heard before.
    Again,
}

/// The attempts that were given out, and what is known of their drafts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    attempts: HashMap<String, Attempt>,
}

#[derive(Debug, Default)]
struct Attempt {
    accepted: Option<Draft>,
    /// Whether each draft has ended.
    drafts: BTreeMap<Draft, bool>,
}

impl Ledger {
    /// Notes that a draft was started.
    pub(crate) fn started(&mut self, key: &str, draft: &Draft) {
        self.attempt(key).drafts.entry(draft.clone()).or_insert(false);
    }

    /// Notes that a draft has ended, and says what it is good for.
    pub(crate) fn ended(&mut self, key: &str, draft: &Draft, is_final: bool) -> Verdict {
        let attempt = self.attempt(key);
        if attempt.drafts.insert(draft.clone(), true) == Some(true) {
            return Verdict::Again;
        }
        // Of each delivery there is at most one draft, so those before it have been taken by others who may still be at it.
        if attempt.accepted.is_some() || !is_final {
            return Verdict::Late;
        }
        attempt.accepted = Some(draft.clone());
        Verdict::Accept
    }

    /// Returns the drafts that were started and have not ended, as far as anybody has told.
    pub(crate) fn outstanding(&self, key: &str) -> impl Iterator<Item = &Draft> {
        let drafts = self.attempts.get(key).into_iter().flat_map(|attempt| &attempt.drafts);
        drafts.filter(|(_, has_ended)| !**has_ended).map(|(draft, _)| draft)
    }

    /// Tells whether a draft that was started may still be told of.
    pub(crate) fn is_open(&self, key: &str) -> bool {
        self.outstanding(key).next().is_some()
    }

    fn attempt(&mut self, key: &str) -> &mut Attempt {
        if !self.attempts.contains_key(key) {
            self.attempts.insert(key.to_owned(), Attempt::default());
        }
        self.attempts.entry(key.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(delivery: u64, worker: &str) -> Draft {
        Draft { place: 7, delivery, worker: worker.to_owned() }
    }

    #[test]
    fn the_first_result_is_taken_and_the_others_are_paid_for() {
        let mut ledger = Ledger::default();
        ledger.started("k", &draft(1, "a"));
        ledger.started("k", &draft(2, "b"));
        assert_eq!(ledger.ended("k", &draft(2, "b"), true), Verdict::Accept);
        assert_eq!(ledger.outstanding("k").collect::<Vec<_>>(), [&draft(1, "a")]);
        assert_eq!(ledger.ended("k", &draft(1, "a"), true), Verdict::Late);
        assert!(!ledger.is_open("k"));
        assert_eq!(ledger.ended("k", &draft(1, "a"), true), Verdict::Again);
        assert_eq!(ledger.ended("k", &draft(2, "b"), true), Verdict::Again);
    }

    #[test]
    fn a_refusal_is_no_result() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.ended("k", &draft(1, "a"), false), Verdict::Late);
        assert_eq!(ledger.ended("k", &draft(2, "a"), true), Verdict::Accept);
    }
}
