//! What all who ask one model at one backend have in common: how many may ask at once, the wait that the server
//! asked for, and the end of it.
//!
//! Seven agents that each discover the same rate limit for themselves fail seven times. Here the first answer
//! that says "wait" or "stop" speaks for all of them. And since those who waited together would meet the limit
//! together again, a lane that was throttled gets narrower, and wider again with every success (additive increase,
//! multiplicative decrease, as TCP does; Chiu and Jain, 1989).
//!
//! Where the user has said how much a server takes in a minute, every request gets a time of its own at the entrance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::clock::Clock;
use super::fault::{Fault, Reach};
use crate::limits::Pace;

/// After how many rounds of answers a width is tried again that was too much.
const CAREFUL_ROUNDS: f64 = 10.0;

/// The lanes of a run, by backend and model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes {
    gates: Arc<Mutex<HashMap<String, Arc<Gate>>>>,
    /// How many requests and tokens a backend takes in a minute, for each model.
    paces: Arc<Mutex<HashMap<String, Paces>>>,
}

/// Requests and tokens per minute.
#[derive(Clone, Copy, Debug, Default)]
struct Paces {
    requests: Option<Pace>,
    tokens: Option<Pace>,
    /// The tokens of the requests that were counted, and how many those are.
    counted: (u64, u64),
}

impl Paces {
    /// Returns the tokens that a request is expected to take: as many as those before.
    fn expected(&self) -> u64 {
        self.counted.0.checked_div(self.counted.1).unwrap_or(0)
    }

    /// Returns how long the next request has to wait.
    fn wait(&self, now: Instant) -> Duration {
        let wait = |pace: Option<Pace>, amount| pace.map_or(Duration::ZERO, |pace| pace.wait(now, amount));
        wait(self.requests, 1).max(wait(self.tokens, self.expected()))
    }

    /// Gives the next request its time; returns the tokens that it is taken to have.
    fn book(&mut self, now: Instant) -> u64 {
        let expected = self.expected();
        if let Some(pace) = &mut self.requests {
            pace.take(now, 1);
        }
        if let Some(pace) = &mut self.tokens {
            pace.take(now, expected);
        }
        expected
    }
}

impl Lanes {
    /// Returns the lane to a model at a backend.
    pub(crate) fn lane(&self, backend: &str, model: &str) -> Lane {
        let mut gates = lock(&self.gates);
        let common = gates.entry(backend.to_owned()).or_default().clone();
        let own = gates.entry(format!("{backend} {model}")).or_insert_with(|| {
            let paces = lock(&self.paces).get(backend).copied().unwrap_or_default();
            Arc::new(Gate { state: Mutex::new(State { paces, ..State::default() }), ..Gate::default() })
        });
        Lane { backend: common, model: own.clone() }
    }

    /// Sets how many requests and tokens a backend takes in a minute, for each model.
    pub(crate) fn pace(&self, backend: &str, requests: Option<u64>, tokens: Option<u64>) {
        let per_minute = |limit: Option<u64>| limit.map(Pace::per_minute);
        let paces = Paces { requests: per_minute(requests), tokens: per_minute(tokens), ..Paces::default() };
        lock(&self.paces).insert(backend.to_owned(), paces);
    }
}

#[derive(Debug, Default)]
struct Gate {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// When the next may enter.
    opens: Option<Instant>,
    /// Why nobody may enter any more.
    closed: Option<Fault>,
    /// How many are inside.
    inside: usize,
    /// How many may be.
    width: f64,
    /// How many there were when it was last too many.
    too_many: f64,
    /// How often the lane was narrowed.
    narrowed: u64,
    paces: Paces,
}

impl Default for State {
    fn default() -> Self {
        State {
            opens: None,
            closed: None,
            inside: 0,
            width: f64::INFINITY,
            too_many: f64::INFINITY,
            narrowed: 0,
            paces: Paces::default(),
        }
    }
}

/// The way to one model at one backend.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    backend: Arc<Gate>,
    model: Arc<Gate>,
}

/// The right to send one request. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    narrowed: u64,
    /// The tokens that it is taken to have.
    expected: u64,
}

/// What somebody has to do who wants to enter.
enum Entrance {
    Enter(Pass),
    Sleep(Duration),
    WaitForOthers,
}

impl Lane {
    /// Waits until one more may enter; an error if nobody may any more, or only after `latest`.
    pub(crate) async fn enter(&self, clock: &dyn Clock, latest: Instant) -> Result<Pass, Fault> {
        let expected = self.wait_for_its_time(clock, latest).await?;
        loop {
            let changed = self.model.changed.notified();
            match self.entrance(clock.now(), expected)? {
                Entrance::Enter(pass) => return Ok(pass),
                Entrance::Sleep(wait) if clock.now() + wait > latest => {
                    return Err(out_of_time(format!(
                        "the server asks to wait {} more, longer than this task may",
                        shared::units::format_duration(wait)
                    )));
                }
                Entrance::Sleep(wait) => {
                    clock.sleep(wait).await;
                    // Those who waited together do not start together.
                    clock.sleep(wait.min(Duration::from_secs(1)).mul_f64(clock.chance() / 4.0)).await;
                }
                Entrance::WaitForOthers => {
                    let left = latest.saturating_duration_since(clock.now());
                    if tokio::time::timeout(left, changed).await.is_err() {
                        return Err(out_of_time(
                            "the server lets too few requests in for this task's time".to_owned(),
                        ));
                    }
                }
            }
        }
    }

    /// Enters at once, for a request that is not needed: only where nobody was ever told to wait, and none waits for his turn.
    pub(crate) fn enter_if_calm(&self, clock: &dyn Clock) -> Option<Pass> {
        let now = clock.now();
        let expected = {
            let mut state = lock(&self.model.state);
            if state.width.is_finite() || !state.paces.wait(now).is_zero() {
                return None;
            }
            state.paces.book(now)
        };
        match self.entrance(now, expected) {
            Ok(Entrance::Enter(pass)) => Some(pass),
            _ => None,
        }
    }

    /// Waits until a request is due by the pace; returns the tokens that it is taken to have.
    async fn wait_for_its_time(&self, clock: &dyn Clock, latest: Instant) -> Result<u64, Fault> {
        let now = clock.now();
        let (wait, expected) = {
            let mut state = lock(&self.model.state);
            let wait = state.paces.wait(now);
            if now.checked_add(wait).is_none_or(|due| due > latest) && !wait.is_zero() {
                return Err(out_of_time(format!(
                    "by the pace of its backend it would be sent in {}, later than this task may",
                    shared::units::format_duration(wait)
                )));
            }
            (wait, state.paces.book(now))
        };
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
        Ok(expected)
    }

    fn entrance(&self, now: Instant, expected: u64) -> Result<Entrance, Fault> {
        if let Some(fault) = &lock(&self.backend.state).closed {
            return Err(fault.clone());
        }
        let mut state = lock(&self.model.state);
        if let Some(fault) = &state.closed {
            return Err(fault.clone());
        }
        let wait = state.opens.map_or(Duration::ZERO, |opens| opens.saturating_duration_since(now));
        if !wait.is_zero() {
            return Ok(Entrance::Sleep(wait));
        }
        if state.inside as f64 + 1.0 > state.width.max(1.0) {
            return Ok(Entrance::WaitForOthers);
        }
        state.inside += 1;
        Ok(Entrance::Enter(Pass { gate: self.model.clone(), narrowed: state.narrowed, expected }))
    }

    /// Lets nobody in for a while.
    pub(crate) fn hold(&self, clock: &dyn Clock, wait: Duration) {
        let until = clock.now() + wait;
        let mut state = lock(&self.model.state);
        state.opens = Some(state.opens.map_or(until, |opens| opens.max(until)));
    }

    /// Lets nobody in any more, as far as the fault reaches.
    pub(crate) fn close(&self, fault: &Fault) {
        let gate = match fault.reach {
            Reach::Request => return,
            Reach::Model => &self.model,
            Reach::Backend => &self.backend,
        };
        lock(&gate.state).closed.get_or_insert_with(|| fault.clone());
        self.model.changed.notify_waiters();
    }
}

impl Pass {
    /// Says that the server had too much to do: half as many may be inside.
    pub(crate) fn throttled(&self) {
        let mut state = lock(&self.gate.state);
        // All who were inside together are told so, and it was one event.
        if state.narrowed == self.narrowed {
            state.too_many = state.width.min(state.inside as f64);
            state.width = (state.too_many / 2.0).max(1.0);
            state.narrowed += 1;
        }
    }

    /// Says how many tokens the server has counted.
    pub(crate) fn used(&self, clock: &dyn Clock, tokens: u64) {
        let mut state = lock(&self.gate.state);
        let paces = &mut state.paces;
        if let Some(pace) = &mut paces.tokens {
            pace.correct(clock.now(), self.expected, tokens);
            paces.counted = (paces.counted.0.saturating_add(tokens), paces.counted.1 + 1);
        }
    }

    /// Says that the server answered: after a round of answers one more may be inside. What was too many before
    /// is tried only after many rounds, because to be told so again costs everybody the wait that comes with it.
    pub(crate) fn answered(&self) {
        let mut state = lock(&self.gate.state);
        let rounds = if state.width + 1.0 < state.too_many { 1.0 } else { CAREFUL_ROUNDS };
        state.width += 1.0 / (state.width * rounds);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        lock(&self.gate.state).inside -= 1;
        self.gate.changed.notify_waiters();
    }
}

fn out_of_time(reason: String) -> Fault {
    Fault { transient: false, ..Fault::transient(format!("{reason}; run again with `--resume` later")) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is left half done under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::clock::SystemClock;
    use super::*;

    /// Forty jobs at a server that answers two at once and turns all others away: without a lane of adapted width
    /// every job would be turned away again and again.
    #[test]
    fn a_throttled_lane_finds_the_width_of_the_server() {
        let lane = Lanes::default().lane("b", "m");
        let (inside, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let latest = Instant::now() + Duration::from_secs(60);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut jobs = tokio::task::JoinSet::new();
            for _ in 0..40 {
                let (lane, inside, refused) = (lane.clone(), inside.clone(), refused.clone());
                jobs.spawn(async move {
                    loop {
                        let pass = lane.enter(&SystemClock, latest).await.unwrap();
                        if inside.load(Ordering::SeqCst) >= 2 {
                            refused.fetch_add(1, Ordering::SeqCst);
                            pass.throttled();
                            continue;
                        }
                        inside.fetch_add(1, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        inside.fetch_sub(1, Ordering::SeqCst);
                        pass.answered();
                        return;
                    }
                });
            }
            while let Some(job) = jobs.join_next().await {
                job.unwrap();
            }
        });
        let refused = refused.load(Ordering::SeqCst);
        assert!((1..=40).contains(&refused), "{refused} refused");
        assert_eq!(lock(&lane.model.state).inside, 0);
    }

    #[test]
    fn a_request_that_is_not_needed_enters_only_where_nobody_has_to_wait() {
        let lanes = Lanes::default();
        let lane = lanes.lane("b", "m");
        let pass = lane.enter_if_calm(&SystemClock).unwrap();
        pass.throttled();
        drop(pass);
        assert!(lane.enter_if_calm(&SystemClock).is_none(), "throttled");
        let held = lanes.lane("b", "held");
        held.hold(&SystemClock, Duration::from_secs(60));
        assert!(held.enter_if_calm(&SystemClock).is_none());
        lanes.pace("paced", Some(1), None);
        let paced = lanes.lane("paced", "m");
        assert!((0..9).map_while(|_| paced.enter_if_calm(&SystemClock)).count() < 9);
        lane.close(&Fault::lasting(shared::section::Status::Auth, "no", Reach::Backend));
        assert!(lanes.lane("b", "other").enter_if_calm(&SystemClock).is_none(), "closed");
    }

    #[test]
    fn who_waits_for_others_learns_that_the_lane_is_closed() {
        let lane = Lanes::default().lane("b", "m");
        let latest = Instant::now() + Duration::from_secs(60);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let pass = lane.enter(&SystemClock, latest).await.unwrap();
            pass.throttled();
            let waiting = tokio::spawn({
                let lane = lane.clone();
                async move { lane.enter(&SystemClock, latest).await.map(drop) }
            });
            tokio::task::yield_now().await;
            let fault = Fault::lasting(shared::section::Status::Auth, "no", Reach::Backend);
            lane.close(&fault);
            assert_eq!(waiting.await.unwrap(), Err(fault));
        });
    }

    #[test]
    fn every_request_gets_a_time_of_its_own() {
        /// Goes forward by what is slept, and notes when that was over.
        struct Stepping(Instant, Mutex<Vec<Duration>>);
        impl Clock for Stepping {
            fn now(&self) -> Instant {
                self.0
            }
            fn date(&self) -> std::time::SystemTime {
                std::time::SystemTime::UNIX_EPOCH
            }
            fn sleep(
                &self,
                duration: Duration,
            ) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + Send + '_>> {
                self.1.lock().unwrap().push(duration);
                Box::pin(std::future::ready(()))
            }
            fn chance(&self) -> f64 {
                0.0
            }
        }
        let clock = Stepping(Instant::now(), Mutex::default());
        let latest = clock.0 + Duration::from_secs(50);
        let lanes = Lanes::default();
        lanes.pace("b", Some(5), Some(1000));
        let lane = lanes.lane("b", "m");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            for _ in 0..4 {
                lane.enter(&clock, latest).await.unwrap();
            }
            let fault = lane.enter(&clock, latest).await.map(drop).unwrap_err();
            assert!(fault.reason.contains("by the pace of its backend"), "{}", fault.reason);
            assert_eq!(*clock.1.lock().unwrap(), [15, 30, 45].map(Duration::from_secs), "five a minute");
            // Another model has a pace of its own, and so have tokens: 800 in a minute are 13 in a second.
            let other = lanes.lane("b", "n");
            other.enter(&clock, latest).await.unwrap().used(&clock, 600);
            other.enter(&clock, latest).await.unwrap();
            let slept = clock.1.lock().unwrap().last().unwrap().as_secs_f64();
            assert!((slept - 45.0).abs() < 1.0, "600 tokens take 45 seconds: {slept}");
        });
    }

    #[test]
    fn who_waits_for_others_does_not_wait_for_ever() {
        let lane = Lanes::default().lane("b", "m");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let latest = Instant::now() + Duration::from_millis(30);
            let pass = lane.enter(&SystemClock, latest).await.unwrap();
            pass.throttled();
            let fault = lane.enter(&SystemClock, latest).await.map(drop).unwrap_err();
            assert!(!fault.transient && fault.reason.contains("too few requests"), "{}", fault.reason);
        });
    }
}
