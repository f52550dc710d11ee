//! When a request is tried again, and how long to wait before.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use super::clock::{Clock, SystemClock};
use super::lane::Lanes;

/// How often and how patiently requests are repeated after transient faults.
///
/// Clones share their lanes: what a server asks one client to wait holds for every client that was made with a
/// clone of the same `Retry`.
#[derive(Clone)]
pub struct Retry {
    /// The most tries for one answer, the first included; four times as many where the server says how long to wait.
    pub tries: u32,
    /// The wait before the second try; it doubles from try to try.
    pub first_wait: Duration,
    /// The longest wait that is chosen here; a server may ask for more.
    pub longest_wait: Duration,
    /// No try begins later than this after the first one.
    pub patience: Duration,
    pub(crate) lanes: Lanes,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Default for Retry {
    fn default() -> Self {
        Retry::with_clock(Arc::new(SystemClock))
    }
}

impl Retry {
    /// Returns the defaults with another clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Retry {
            tries: 5,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            patience: Duration::from_secs(15 * 60),
            lanes: Lanes::default(),
            clock,
        }
    }

    /// Returns how long to wait after the `failed`-th failed try (from 1), if the server names no time.
    ///
    /// Exponential, and between half and all of it at random, so that clients that failed together do not come
    /// back together.
    pub(crate) fn backoff(&self, failed: u32) -> Duration {
        let doubled =
            self.first_wait.saturating_mul(1u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.min(self.longest_wait).mul_f64(0.5 + self.clock.chance() / 2.0)
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("tries", &self.tries)
            .field("first_wait", &self.first_wait)
            .field("longest_wait", &self.longest_wait)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// Returns how long the server asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date
/// (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some(milliseconds) = header("retry-after-ms").and_then(number) {
        return Some(seconds(milliseconds / 1000.0));
    }
    let text = header("retry-after")?;
    number(text).map(seconds).or_else(|| until(jiff::fmt::rfc2822::parse(text).ok()?.timestamp(), now))
}

/// Returns how long nothing should be sent, if a successful answer says that it used the last request or token of
/// its window. The next request would only be told so.
pub(crate) fn window_spent(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    for kind in ["requests", "tokens", "input-tokens", "output-tokens"] {
        if header(&format!("anthropic-ratelimit-{kind}-remaining")) == Some("0") {
            return until(header(&format!("anthropic-ratelimit-{kind}-reset"))?.parse().ok()?, now);
        }
    }
    for kind in ["requests", "tokens"] {
        if header(&format!("x-ratelimit-remaining-{kind}")) == Some("0") {
            return go_duration(header(&format!("x-ratelimit-reset-{kind}"))?);
        }
    }
    None
}

fn until(date: Timestamp, now: SystemTime) -> Option<Duration> {
    let now = Timestamp::try_from(now).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

fn seconds(number: f64) -> Duration {
    // A year stands for every absurd number.
    Duration::from_secs_f64(number.clamp(0.0, 365.0 * 86400.0))
}

/// Reads durations such as `12ms`, `1s` and `6m0s`, as OpenAI writes them.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match &rest[..unit] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    Some(seconds(total)).filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn noon() -> SystemTime {
        "2026-11-20T12:00:00Z".parse::<Timestamp>().unwrap().into()
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        let ms = |n| Some(Duration::from_millis(n));
        for (pairs, expected) in [
            (&[][..], None),
            (&[("retry-after", "7")][..], ms(7000)),
            (&[("retry-after", "0")], ms(0)),
            (&[("retry-after", "1.5")], ms(1500)),
            (&[("retry-after", "-3")], ms(0)),
            (&[("retry-after", "Fri, 20 Nov 2026 12:01:30 GMT")], ms(90_000)),
            (&[("retry-after", "Fri, 20 Nov 2026 11:00:00 GMT")], ms(0)),
            (&[("retry-after-ms", "250"), ("retry-after", "7")], ms(250)),
            (&[("retry-after-ms", "soon"), ("retry-after", "7")], ms(7000)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "inf")], None),
            (&[("retry-after", "1e300")], ms(365 * 86_400_000)),
        ] {
            assert_eq!(retry_after(&headers(pairs), noon()), expected, "{pairs:?}");
        }
    }

    #[test]
    fn the_end_of_a_spent_window_is_read() {
        for (pairs, expected) in [
            (&[("anthropic-ratelimit-requests-remaining", "3")][..], None),
            (
                &[
                    ("anthropic-ratelimit-requests-remaining", "0"),
                    ("anthropic-ratelimit-requests-reset", "2026-11-20T12:00:09Z"),
                ],
                Some(Duration::from_secs(9)),
            ),
            (
                &[
                    ("anthropic-ratelimit-output-tokens-remaining", "0"),
                    ("anthropic-ratelimit-output-tokens-reset", "2026-11-20T12:00:03Z"),
                ],
                Some(Duration::from_secs(3)),
            ),
            (
                &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "90ms")],
                Some(Duration::from_millis(90)),
            ),
            (
                &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6m0s")],
                Some(Duration::from_secs(360)),
            ),
            (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "later")], None),
            (&[("x-ratelimit-remaining-requests", "0")], None),
        ] {
            assert_eq!(window_spent(&headers(pairs), noon()), expected, "{pairs:?}");
        }
    }

    #[test]
    fn durations_of_rate_limit_headers_are_read() {
        for (text, expected) in [
            ("12ms", Some(12)),
            ("1s", Some(1000)),
            ("6m0s", Some(360_000)),
            ("1h2m3.5s", Some(3_723_500)),
            ("", None),
            ("7", None),
            ("x", None),
        ] {
            assert_eq!(go_duration(text), expected.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_with_some_chance_in_them() {
        let retry = Retry::default();
        for failed in 1..100 {
            let full =
                Duration::from_millis(500).saturating_mul(1 << (failed - 1).min(20)).min(retry.longest_wait);
            let wait = retry.backoff(failed);
            assert!(wait >= full / 2 && wait <= full, "{failed}: {wait:?}");
        }
    }
}
