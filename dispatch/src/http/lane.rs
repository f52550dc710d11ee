//! What all who ask one model at one backend have in common: the wait that the server asked for, and the end of it.
//!
//! Seven agents that each discover the same rate limit for themselves fail seven times. Here the first answer
//! that says "wait" or "stop" speaks for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::fault::{Fault, Reach};

/// The lanes of a run, by backend and model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes(Arc<Mutex<HashMap<String, Arc<Gate>>>>);

impl Lanes {
    /// Returns the lane to a model at a backend.
    pub(crate) fn lane(&self, backend: &str, model: &str) -> Lane {
        let mut gates = lock(&self.0);
        let mut gate = |name: String| gates.entry(name).or_default().clone();
        Lane { backend: gate(backend.to_owned()), model: gate(format!("{backend} {model}")) }
    }
}

#[derive(Debug, Default)]
struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    opens: Option<Instant>,
    closed: Option<Fault>,
}

/// The way to one model at one backend.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    backend: Arc<Gate>,
    model: Arc<Gate>,
}

impl Lane {
    /// Waits until the lane is open; an error if it is closed, or opens only after `latest`.
    pub(crate) async fn enter(&self, clock: &dyn Clock, latest: Instant) -> Result<(), Fault> {
        for gate in [&self.backend, &self.model] {
            if let Some(fault) = &lock(&gate.0).closed {
                return Err(fault.clone());
            }
        }
        let mut waited = Duration::ZERO;
        loop {
            let opens = {
                let state = lock(&self.model.0);
                if let Some(fault) = &state.closed {
                    return Err(fault.clone());
                }
                state.opens
            };
            let now = clock.now();
            let wait = opens.map_or(Duration::ZERO, |opens| opens.saturating_duration_since(now));
            if wait.is_zero() {
                break;
            }
            if now + wait > latest {
                return Err(Fault {
                    transient: false,
                    ..Fault::transient(format!(
                        "the server asks to wait {} more, longer than this task may; run again with `--resume` \
                         then",
                        shared::units::format_duration(wait)
                    ))
                });
            }
            clock.sleep(wait).await;
            waited += wait;
        }
        if !waited.is_zero() {
            // Those who waited together do not start together.
            let spread = waited.min(Duration::from_secs(1)).mul_f64(clock.chance() / 4.0);
            clock.sleep(spread).await;
        }
        Ok(())
    }

    /// Lets nobody in for a while.
    pub(crate) fn hold(&self, clock: &dyn Clock, wait: Duration) {
        let until = clock.now() + wait;
        let mut state = lock(&self.model.0);
        state.opens = Some(state.opens.map_or(until, |opens| opens.max(until)));
    }

    /// Lets nobody in any more, as far as the fault reaches.
    pub(crate) fn close(&self, fault: &Fault) {
        let gate = match fault.reach {
            Reach::Request => return,
            Reach::Model => &self.model,
            Reach::Backend => &self.backend,
        };
        lock(&gate.0).closed.get_or_insert_with(|| fault.clone());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
