//! What a user has to know of his worktrees, said once a run.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Notes, until somebody tells them.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    state: Mutex<(HashSet<String>, Vec<String>)>,
}

impl Notes {
    /// Notes this, unless it has been noted before.
    pub(super) fn add(&self, note: impl Into<String>) {
        let note = note.into();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.insert(note.clone()) {
            state.1.push(note);
        }
    }

    /// Returns the notes that nobody has been told yet.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).1)
    }
}
