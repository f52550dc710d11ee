//! Requests and tokens per minute, spread evenly: the generic cell rate algorithm (ITU-T I.371), with a cost for each request.
//!
//! Four fifths of what may be sent in a minute is spread evenly over it, as seed 002 did, and at most a tenth of it may come
//! at once. So in whatever minute is looked at there is less than the limit, with a margin for estimates that
//! were too low and for others who use the same key. What is too large for a tenth goes when nothing else is owed.
//!
//! No crate: those that exist refuse what is larger than the burst, and do not take back an estimate that was too high.

use std::time::{Duration, Instant};

/// The share of a limit that is used.
const USED: f64 = 0.8;

/// The share of a limit that may come at once.
const BURST: f64 = 0.1;

/// So many of something per minute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Seconds that one of them takes.
    each: f64,
    burst: f64,
    /// When all that was let through is paid off.
    free: Option<Instant>,
}

impl Pace {
    /// Returns a pace within a limit per minute.
    pub(crate) fn per_minute(limit: u64) -> Pace {
        let limit = limit.max(1) as f64;
        Pace { each: 60.0 / (limit * USED), burst: (limit * BURST).max(1.0), free: None }
    }

    /// Returns how long to wait until so many may go; no time if they may go now.
    pub(crate) fn wait(&self, now: Instant, amount: u64) -> Duration {
        let owed = self.owed(now);
        let room = ((self.burst - amount as f64) * self.each).max(0.0);
        seconds(owed - room)
    }

    /// Counts what goes now.
    pub(crate) fn take(&mut self, now: Instant, amount: u64) {
        let owed = self.owed(now) + amount as f64 * self.each;
        self.free = now.checked_add(seconds(owed));
    }

    /// Corrects an amount that was expected by what it came to be.
    pub(crate) fn correct(&mut self, now: Instant, expected: u64, actual: u64) {
        let owed = self.owed(now) + (actual as f64 - expected as f64) * self.each;
        self.free = now.checked_add(seconds(owed));
    }

    /// Returns the seconds until all is paid off.
    fn owed(&self, now: Instant) -> f64 {
        self.free.map_or(0.0, |free| free.saturating_duration_since(now).as_secs_f64())
    }
}

/// Returns a duration of so many seconds. A day stands for every absurd number.
fn seconds(number: f64) -> Duration {
    Duration::from_secs_f64(number.clamp(0.0, 86_400.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(start: Instant, milliseconds: u64) -> Instant {
        start + Duration::from_millis(milliseconds)
    }

    #[test]
    fn five_a_minute_are_one_every_fifteen_seconds() {
        let (start, mut pace) = (Instant::now(), Pace::per_minute(5));
        assert_eq!(pace.wait(start, 1), Duration::ZERO);
        pace.take(start, 1);
        assert_eq!(pace.wait(start, 1), Duration::from_secs(15));
        assert_eq!(pace.wait(after(start, 5000), 1), Duration::from_secs(10));
        assert_eq!(pace.wait(after(start, 15_000), 1), Duration::ZERO);
    }

    #[test]
    fn a_tenth_may_come_at_once_and_the_rest_is_spread() {
        let (start, mut pace) = (Instant::now(), Pace::per_minute(600));
        let mut at = start;
        let mut times = Vec::new();
        for _ in 0..68 {
            at += pace.wait(at, 1);
            pace.take(at, 1);
            times.push(at.saturating_duration_since(start).as_millis());
        }
        assert_eq!(times[59], 0);
        // 480 a minute are one in 125 ms.
        assert_eq!(times[60..], [125, 250, 375, 500, 625, 750, 875, 1000]);
    }

    #[test]
    fn what_is_larger_than_the_burst_goes_when_nothing_is_owed() {
        let (start, mut pace) = (Instant::now(), Pace::per_minute(1000));
        assert_eq!(pace.wait(start, 5000), Duration::ZERO);
        pace.take(start, 400);
        assert_eq!(pace.wait(start, 5000), Duration::from_secs(30));
        pace.correct(start, 400, 800);
        assert_eq!(pace.wait(start, 5000), Duration::from_secs(60));
        pace.correct(start, 800, 0);
        assert_eq!(pace.wait(start, 5000), Duration::ZERO);
        pace.take(start, u64::MAX);
        assert!(pace.wait(start, 1) > Duration::from_secs(86_000), "a day stands for every absurd amount");
    }

    proptest! {
        /// In no minute is there more than the limit, whenever and however often somebody asks.
        #[test]
        fn no_minute_has_more_than_the_limit(limit in 1u64..200, asked in prop::collection::vec(0u64..4000, 1..400)) {
            let (start, mut pace) = (Instant::now(), Pace::per_minute(limit));
            let (mut now, mut sent) = (0, Vec::new());
            for pause in asked {
                now += pause;
                if pace.wait(after(start, now), 1).is_zero() {
                    pace.take(after(start, now), 1);
                    sent.push(now);
                }
            }
            for (index, first) in sent.iter().enumerate() {
                let within = sent[index..].iter().take_while(|at| **at < first + 60_000).count();
                prop_assert!(within as u64 <= limit, "{within} in a minute");
            }
        }

        /// Who waits as long as was said may go then: nobody is sent away for ever.
        #[test]
        fn the_wait_that_is_said_is_enough(limit in 1u64..100_000, amounts in prop::collection::vec(1u64..50_000, 1..50)) {
            let (mut now, mut pace) = (Instant::now(), Pace::per_minute(limit));
            for amount in amounts {
                now += pace.wait(now, amount);
                let rest = pace.wait(now, amount);
                prop_assert!(rest < Duration::from_micros(1), "{rest:?}");
                pace.take(now, amount);
            }
        }
    }
}
