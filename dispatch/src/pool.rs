//! Threads for jobs that wait for a child or a file: as many as run at once, started when they are first needed.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

type Work = Box<dyn FnOnce() + Send>;

/// The threads.
pub(crate) struct Pool {
    most: usize,
    started: usize,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    idle: usize,
}

impl Pool {
    /// Returns a pool of at most so many threads; none of them runs yet.
    pub(crate) fn new(most: usize) -> Pool {
        Pool { most, started: 0, shared: Arc::new(Shared::default()) }
    }

    /// Does work on some thread.
    pub(crate) fn spawn(&mut self, work: impl FnOnce() + Send + 'static) {
        let mut state = self.shared.lock();
        state.waiting.push_back(Box::new(work));
        let needs_thread = state.idle < state.waiting.len() && self.started < self.most;
        drop(state);
        if needs_thread {
            let shared = Arc::clone(&self.shared);
            let started = std::thread::Builder::new().name("job".to_owned()).spawn(move || shared.work());
            match started {
                Ok(_) => self.started += 1,
                // Slow is better than never: with no thread to be had, this one does it.
                Err(_) if self.started == 0 => {
                    let work = self.shared.lock().waiting.pop_front();
                    return work.into_iter().for_each(|work| work());
                }
                Err(_) => {}
            }
        }
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                drop(state);
                work();
                state = self.lock();
            } else {
                state.idle += 1;
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn work_runs_at_the_same_time_up_to_the_limit() {
        let mut pool = Pool::new(3);
        let (sender, receiver) = channel();
        let gate = Arc::new(Barrier::new(3));
        for _ in 0..9 {
            let (sender, gate) = (sender.clone(), Arc::clone(&gate));
            pool.spawn(move || {
                // Goes on only when three are here together.
                gate.wait();
                sender.send(()).unwrap();
            });
        }
        for _ in 0..9 {
            receiver.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
        }
    }
}
