//! When a request that is slow to be answered is sent a second time.
//!
//! A few requests of many are much slower than the others for reasons that have nothing to do with what they ask. Sent once more
//! when they are late, at most once each and only a small share of all, they cost little and take the tail off (Dean and
//! Barroso, The Tail at Scale, 2013).

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use shared::units::parse_duration;

/// The share of all requests that may be sent a second time, if nobody says otherwise.
const SHARE: f64 = 0.05;

/// How many times to the first byte are remembered, …
const SEEN: usize = 256;
/// … and how many have to be known before a percentile of them says anything.
const LEAST: usize = 20;

/// After which time without an answer a request is late.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Late {
    /// After this time.
    After(Duration),
    /// After the time in which so many of a hundred answers have begun.
    Percentile(u8),
}

impl<'de> Deserialize<'de> for Late {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Late, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(percent) = text.strip_prefix('p').and_then(|percent| percent.parse().ok()) {
            return match percent {
                50..=99 => Ok(Late::Percentile(percent)),
                _ => Err(de::Error::custom(format!("`{text}` is none of p50 to p99"))),
            };
        }
        parse_duration(&text).map(Late::After).map_err(de::Error::custom)
    }
}

/// Decides for one backend which requests are sent a second time.
#[derive(Debug)]
pub struct Hedge {
    late: Late,
    share: f64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sent: u64,
    hedged: u64,
    seen: VecDeque<Duration>,
}

impl Hedge {
    /// Returns one for requests that are so late, and for so large a share of all, 0.05 if nothing is said.
    pub fn new(late: Late, share: Option<f64>) -> Hedge {
        Hedge { late, share: share.unwrap_or(SHARE).clamp(0.0, 1.0), state: Mutex::default() }
    }

    /// Counts a request; returns how long its answer may take to begin, if that is known.
    pub(crate) fn sent(&self) -> Option<Duration> {
        let mut state = self.state();
        state.sent += 1;
        match self.late {
            Late::After(time) => Some(time),
            Late::Percentile(_) if state.seen.len() < LEAST => None,
            Late::Percentile(percent) => {
                let mut seen: Vec<Duration> = state.seen.iter().copied().collect();
                let at = (seen.len() * usize::from(percent)).div_ceil(100).clamp(1, seen.len()) - 1;
                Some(*seen.select_nth_unstable(at).1)
            }
        }
    }

    /// Notes how long an answer took to begin.
    pub(crate) fn began(&self, after: Duration) {
        let mut state = self.state();
        state.seen.push_back(after);
        if state.seen.len() > SEEN {
            state.seen.pop_front();
        }
    }

    /// Tells whether one more request may be sent a second time, and counts it.
    pub(crate) fn take(&self) -> bool {
        let mut state = self.state();
        let may = (state.hedged + 1) as f64 <= self.share * state.sent as f64;
        state.hedged += u64::from(may);
        may
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    #[test]
    fn no_more_than_the_share_is_sent_twice() {
        let hedge = Hedge::new(Late::After(millis(1)), None);
        let mut taken = 0;
        for sent in 1..=1000 {
            hedge.sent();
            taken += u64::from(hedge.take());
            assert!(taken as f64 <= 0.05 * sent as f64, "{taken} of {sent}");
        }
        assert_eq!(taken, 50);
        let all = Hedge::new(Late::After(millis(1)), Some(1.0));
        assert!((0..9).all(|_| all.sent().is_some() && all.take()));
        assert!(!Hedge::new(Late::After(millis(1)), Some(0.0)).take());
    }

    #[test]
    fn late_is_later_than_most_of_those_that_were_seen() {
        let hedge = Hedge::new(Late::Percentile(95), None);
        for number in 1..20 {
            assert_eq!(hedge.sent(), None, "too few to say");
            hedge.began(millis(number));
        }
        (20..=100).for_each(|number| hedge.began(millis(number)));
        assert_eq!(hedge.sent(), Some(millis(95)));
        // What was long ago does not count for ever.
        (0..SEEN).for_each(|_| hedge.began(millis(7)));
        assert_eq!(hedge.sent(), Some(millis(7)));
    }

    #[test]
    fn late_is_a_time_or_a_percentile() {
        let read =
            |text: &str| serde_json::from_value::<Late>(text.into()).map_err(|error| error.to_string());
        assert_eq!(read("1500ms"), Ok(Late::After(millis(1500))));
        assert_eq!(read("p95"), Ok(Late::Percentile(95)));
        for bad in ["p100", "p5", "soon", ""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
