//! Ends the children of one task while those of others go on.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use rustix::process::{Pid, Signal, kill_process_group};

/// Ends the children that were started under it, those to come included. Clones are one and the same.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_cancelled: AtomicBool,
    /// The process groups that live under it.
    groups: Mutex<BTreeSet<i32>>,
    /// Those who wait for it, and the number of the next one.
    waiting: Mutex<(u64, BTreeMap<u64, Waker>)>,
}

impl Cancel {
    /// Asks all children under it to end; those that do not are ended after their grace, with all that they have started.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::SeqCst);
        // With the lock held: a group that has left may have given its number to somebody else.
        for pid in self.groups().iter().filter_map(|raw| Pid::from_raw(*raw)) {
            let _ = kill_process_group(pid, Signal::TERM);
        }
        let waiting = std::mem::take(&mut self.waiting().1);
        waiting.into_values().for_each(Waker::wake);
    }

    /// Tells whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::SeqCst)
    }

    /// Waits until it is cancelled.
    pub fn cancelled(&self) -> Cancelled {
        Cancelled { cancel: self.clone(), number: None }
    }

    fn waiting(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Waker>)> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The wait for a [`Cancel`], for work that waits for a network and has no child.
#[derive(Debug)]
#[must_use = "it waits only while it is polled"]
pub struct Cancelled {
    cancel: Cancel,
    number: Option<u64>,
}

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut waiting = this.cancel.waiting();
        // With the lock held: whoever cancels sets the mark first and takes the lock then.
        if this.cancel.is_cancelled() {
            return Poll::Ready(());
        }
        let number = *this.number.get_or_insert(waiting.0);
        waiting.0 = waiting.0.max(number + 1);
        waiting.1.insert(number, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Cancelled {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.cancel.waiting().1.remove(&number);
        }
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
