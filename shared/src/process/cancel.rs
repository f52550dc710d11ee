//! Ends the children of one task while those of others go on.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

/// Ends the children that were started under it, those to come included. Clones are one and the same.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_cancelled: AtomicBool,
    /// The process groups that live under it.
    groups: Mutex<BTreeSet<i32>>,
}

impl Cancel {
    /// Asks all children under it to end; those that do not are ended after their grace, with all that they have started.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::SeqCst);
        // With the lock held: a group that has left may have given its number to somebody else.
        for pid in self.groups().iter().filter_map(|raw| Pid::from_raw(*raw)) {
            let _ = kill_process_group(pid, Signal::TERM);
        }
    }

    /// Tells whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::SeqCst)
    }

    fn groups(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a child in until the value that is returned is dropped.
    pub(super) fn enter(&self, pid: Option<Pid>) -> Membership {
        let raw = pid.map(|pid| pid.as_raw_nonzero().get());
        self.groups().extend(raw);
        Membership(self.clone(), raw)
    }
}

/// A child's place under a [`Cancel`].
pub(super) struct Membership(Cancel, Option<i32>);

impl Drop for Membership {
    fn drop(&mut self) {
        if let Some(raw) = self.1 {
            self.0.groups().remove(&raw);
        }
    }
}
