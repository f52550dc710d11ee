//! The verdict on a compound task whose parts `dispatch` has joined.
//!
//! The parts are judged one by one, in their own records, which come before that of the whole. The whole is right if each part
//! is, and if what was asked of the whole (its `accept` list, the facts of `gates`) holds. Nothing is judged twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use shared::Record;
use shared::section::{Decision, Dispatch, Outcome, Task, Tier, Verify};

/// The verdicts on parts that have passed, until the whole comes.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    seen: Mutex<HashMap<String, (u32, Decision)>>,
}

impl Parts {
    /// Notes the verdict on a part, or adds those on the parts to the verdict on a whole; tells whether that changed it.
    pub(crate) fn settle(&self, record: &mut Record) -> bool {
        if record.raw("task").is_some_and(|task| task.contains("\"parent\"")) {
            self.note(record);
        }
        if !record.raw("dispatch").is_some_and(|dispatch| dispatch.contains("\"parts\""))
            || record.has_errors()
        {
            return false;
        }
        let (Ok(Some(dispatch)), Ok(Some(mut verify))) = (record.get::<Dispatch>(), record.get::<Verify>())
        else {
            return false;
        };
        if dispatch.parts.is_empty() || verify.attempt != dispatch.attempt {
            return false;
        }
        let before = verify.clone();
        self.combine(&dispatch, &mut verify);
        if verify == before {
            return false;
        }
        record.set(&verify);
        true
    }

    fn note(&self, record: &Record) {
        let (Ok(Some(task)), Ok(Some(verify)), Some(id)) =
            (record.get::<Task>(), record.get::<Verify>(), record.id())
        else {
            return;
        };
        let is_current =
            matches!(record.get::<Dispatch>(), Ok(Some(dispatch)) if dispatch.attempt == verify.attempt);
        if task.parent.is_some() && is_current {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(id.to_owned(), (verify.attempt, verify.decision));
        }
    }

    fn combine(&self, dispatch: &Dispatch, verify: &mut Verify) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut worst, mut named) = (Decision::Accept, None);
        for part in &dispatch.parts {
            let passed = seen.remove(&part.id).filter(|(attempt, _)| *attempt == part.attempt);
            let decision = passed.map(|(_, decision)| decision).or(part.decision);
            let (decision, why) = match decision {
                // The next attempt at the part is the next attempt at the whole.
                Some(Decision::Fix | Decision::Escalate) => {
                    (Decision::Escalate, "goes on to another attempt")
                }
                Some(Decision::Blocked) => (Decision::Blocked, "is blocked"),
                Some(Decision::Accept) => (Decision::Accept, ""),
                Some(Decision::Unverifiable) => (Decision::Unverifiable, "could not be verified"),
                None => (Decision::Unverifiable, "has no verdict here"),
            };
            if severity(decision) > severity(worst) {
                (worst, named) = (decision, Some(format!("its part `{}` {why}", part.id)));
            }
        }
        // Gates that nobody ran on the whole have run on its parts, or those would not be accepted.
        let lacks_evidence =
            verify.checks.iter().any(|check| check.outcome == Outcome::Unverifiable && check.name != "gates");
        match named {
            None if verify.decision == Decision::Unverifiable && !lacks_evidence => {
                verify.decision = Decision::Accept;
                verify.reason = "each of its parts is accepted".to_owned();
                verify.confidence = verify.confidence.max(0.9);
            }
            // Equally unsure of the whole as of a part, the part is what to look at.
            Some(why)
                if severity(worst) > severity(verify.decision)
                    || verify.decision == Decision::Unverifiable =>
            {
                verify.decision = worst;
                verify.reason = why;
                verify.escalate_to =
                    (worst == Decision::Escalate).then_some(verify.escalate_to.unwrap_or(Tier::ONE));
                verify.confidence = verify.confidence.min(0.5);
            }
            _ => {}
        }
    }
}

/// What is still worked on comes before what nobody can help any more: the whole may yet be right.
fn severity(decision: Decision) -> u8 {
    match decision {
        Decision::Accept => 0,
        Decision::Unverifiable => 1,
        Decision::Blocked => 2,
        Decision::Fix => 3,
        Decision::Escalate => 4,
    }
}
