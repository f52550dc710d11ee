//! Time and chance, as the retries see them: a trait, so that a test waits for an hour in no time.

use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// Where waiting plugs into the world.
pub trait Clock: Send + Sync {
    /// Returns a time that never goes backwards.
    fn now(&self) -> Instant;
    /// Returns the time of day, for headers that name a date.
    fn date(&self) -> SystemTime;
    /// Waits.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// Returns a random number from 0 up to but not including 1.
    fn chance(&self) -> f64;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn chance(&self) -> f64 {
        // Every `RandomState` has keys of its own, which is all the randomness that spreading retries needs.
        let bits = RandomState::new().build_hasher().finish() >> 11;
        bits as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_stays_between_zero_and_one_and_varies() {
        let numbers: Vec<f64> = (0..100).map(|_| SystemClock.chance()).collect();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        assert!(numbers.iter().any(|number| *number < 0.5) && numbers.iter().any(|number| *number >= 0.5));
    }
}
