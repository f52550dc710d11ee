//! Puts on a record what is to be done about its attempts.

use shared::Record;
use shared::section::{Dispatch, Gates};

use super::Engine;
use crate::incoming::Known;
use crate::supervise::{Facts, decide, signatures};

impl Engine {
    /// Notes what the last attempt of a record has failed of that comes in.
    pub(super) fn note_failure(&mut self, record: &Record, known: &Known) {
        let Some(dispatch) = &known.dispatch else { return };
        let gates: Option<Gates> = record.get().ok().flatten();
        if decide(&Facts::of(dispatch, known.verify.as_ref(), gates.as_ref(), known.most())).is_some() {
            let signatures =
                signatures(dispatch, gates.as_ref().filter(|gates| gates.attempt == dispatch.attempt));
            self.causes.note(record.id().unwrap_or_default(), &signatures);
        }
    }

    /// Says what is to be done about an attempt that did not end well, and what was about the one before.
    pub(super) fn supervise(&mut self, record: &Record, known: &Known, dispatch: &mut Dispatch) {
        let id = record.id().unwrap_or_default();
        if let Some(mut action) = decide(&Facts::of(dispatch, None, None, known.most())) {
            let signatures = signatures(dispatch, None);
            self.causes.note(id, &signatures);
            self.causes.add_to(&mut action, &signatures);
            dispatch.action = Some(action);
        }
        let (Some(last), Some(before)) = (&known.dispatch, dispatch.earlier.last_mut()) else { return };
        if before.attempt != last.attempt {
            return;
        }
        let gates: Option<Gates> = record.get().ok().flatten();
        let facts = Facts::of(last, known.verify.as_ref(), gates.as_ref(), known.most());
        if let Some(mut action) = decide(&facts) {
            self.causes.add_to(&mut action, &signatures(last, facts.gates));
            before.action = Some(action);
        }
    }
}
