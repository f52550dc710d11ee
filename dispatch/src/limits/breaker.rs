//! A circuit breaker for a backend (Nygard, Release It!, 2007): what fails again and again is left alone for a while.
//!
//! Closed, everything goes through. After so many failures in a row it opens, and nothing goes through until a cool-down has
//! passed; then it is half open, and one goes through as a probe. If that comes back well it closes; if not, it stays open for twice
//! as long, up to a longest time. A key that is not accepted or an account that is spent does not pass by waiting:
//! after [`REFUSALS`] of those in a row it is shut for the rest of the run. A failure of the task itself says that the backend is
//! there, and counts as none.

use std::time::{Duration, Instant};

use shared::section::Status;

/// The longest cool-down.
const LONGEST: Duration = Duration::from_secs(60);

/// How many refusals in a row are enough: one may be about a single model.
const REFUSALS: u32 = 3;

/// How a backend is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Habit {
    /// After how many failures in a row.
    pub(crate) failures: u32,
    /// For how long first.
    pub(crate) cool_down: Duration,
    /// For how long in all, before those who wait are told that it is of no use.
    pub(crate) patience: Duration,
}

impl Default for Habit {
    fn default() -> Habit {
        Habit { failures: 5, cool_down: Duration::from_secs(1), patience: Duration::from_secs(15 * 60) }
    }
}

/// What came of an attempt, as far as it says something about the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It answered.
    Alive,
    /// The network or the server failed, or had too much to do.
    Down(String),
    /// It does not accept the key, or the account is spent.
    Refuses(Status, String),
}

impl Sign {
    /// Returns what the end of an attempt says of its backend; nothing if it says nothing.
    pub(crate) fn of(status: Status, reason: Option<&str>) -> Option<Sign> {
        let reason = || reason.unwrap_or("no reason was given").to_owned();
        match status {
            Status::Transport => Some(Sign::Down(reason())),
            Status::Auth | Status::Quota => Some(Sign::Refuses(status, reason())),
            Status::Ok | Status::Failed | Status::Refused | Status::Truncated => Some(Sign::Alive),
            // It may have hung as well as worked hard.
            Status::Timeout => None,
            Status::Budget | Status::Unavailable | Status::Skipped | Status::Cancelled => None,
        }
    }
}

/// Whether something may be sent to a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Yes,
    /// Yes, and how it comes back decides for the others.
    Probe,
    /// Not before so long.
    Later(Duration),
    /// Not any more, and how those who wait end.
    Never(Status, String),
}

/// The state of one backend.
#[derive(Clone, Debug)]
pub(crate) struct Breaker {
    habit: Habit,
    state: State,
    in_a_row: u32,
    refusals: u32,
}

#[derive(Clone, Debug)]
enum State {
    Closed,
    Open { since: Instant, until: Instant, cool_down: Duration, reason: String },
    HalfOpen { since: Instant, until: Instant, cool_down: Duration, reason: String },
    Shut(Status, String),
}

impl Breaker {
    pub(crate) fn new(habit: Habit) -> Breaker {
        Breaker { habit, state: State::Closed, in_a_row: 0, refusals: 0 }
    }

    /// Tells whether something may be sent, and changes nothing: a probe begins with [`Breaker::sent`].
    pub(crate) fn admits(&self, now: Instant) -> Admission {
        let (since, until, reason, is_probed) = match &self.state {
            State::Closed => return Admission::Yes,
            State::Shut(status, reason) => return Admission::Never(*status, reason.clone()),
            State::Open { since, until, reason, .. } => (since, until, reason, false),
            State::HalfOpen { since, until, reason, .. } => (since, until, reason, true),
        };
        if now.saturating_duration_since(*since) >= self.habit.patience {
            let after = shared::units::format_duration(self.habit.patience);
            return Admission::Never(
                Status::Transport,
                format!(
                    "the backend has been failing for {after}, the last time so: {reason}; run again with `--resume` later"
                ),
            );
        }
        match until.saturating_duration_since(now) {
            Duration::ZERO => Admission::Probe,
            // Who probes may never come back; then there is another after a while.
            wait if is_probed => Admission::Later(wait),
            wait => Admission::Later(wait),
        }
    }

    /// Notes that something was sent.
    pub(crate) fn sent(&mut self, now: Instant) {
        if let State::Open { since, cool_down, reason, .. }
        | State::HalfOpen { since, cool_down, reason, .. } = &self.state
        {
            self.state = State::HalfOpen {
                since: *since,
                until: now + LONGEST,
                cool_down: *cool_down,
                reason: reason.clone(),
            };
        }
    }

    /// Notes what came back; tells if that has opened or shut it, with the reason.
    pub(crate) fn came_back(&mut self, now: Instant, sign: Sign) -> Option<String> {
        match sign {
            Sign::Alive => {
                self.in_a_row = 0;
                self.refusals = 0;
                // What is shut was shut for everybody; one that was under way before says nothing against it.
                if !matches!(self.state, State::Shut(..)) {
                    self.state = State::Closed;
                }
                None
            }
            Sign::Refuses(status, reason) => {
                self.refusals += 1;
                if self.refusals < REFUSALS || matches!(self.state, State::Shut(..)) {
                    return None;
                }
                self.state = State::Shut(status, reason.clone());
                Some(reason)
            }
            Sign::Down(reason) => {
                self.in_a_row += 1;
                let (since, cool_down) = match &self.state {
                    State::Closed if self.in_a_row < self.habit.failures => return None,
                    State::Closed => (now, self.habit.cool_down),
                    State::HalfOpen { since, cool_down, .. } => {
                        (*since, cool_down.saturating_mul(2).min(LONGEST.max(self.habit.cool_down)))
                    }
                    // Those that were under way when it opened.
                    State::Open { .. } | State::Shut(..) => return None,
                };
                let is_news = matches!(self.state, State::Closed);
                self.state = State::Open { since, until: now + cool_down, cool_down, reason: reason.clone() };
                is_news.then_some(reason)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        Breaker::new(Habit { failures: 3, cool_down: SECOND, patience: Duration::from_secs(600) })
    }

    fn down() -> Sign {
        Sign::Down("it is down".to_owned())
    }

    fn opened(now: Instant) -> Breaker {
        let mut breaker = breaker();
        assert_eq!(breaker.came_back(now, down()), None);
        assert_eq!(breaker.came_back(now, down()), None);
        assert_eq!(breaker.came_back(now, down()).as_deref(), Some("it is down"));
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let (now, mut breaker) = (Instant::now(), breaker());
        for _ in 0..10 {
            breaker.came_back(now, down());
            breaker.came_back(now, down());
            breaker.came_back(now, Sign::Alive);
        }
        assert_eq!(breaker.admits(now), Admission::Yes);
        assert_eq!(opened(now).admits(now), Admission::Later(SECOND));
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(breaker.came_back(now, down()), None, "those that were under way do not prolong it");
        let then = now + SECOND;
        assert_eq!(breaker.admits(then), Admission::Probe);
        breaker.sent(then);
        assert_eq!(breaker.admits(then), Admission::Later(LONGEST));
        breaker.came_back(then, Sign::Alive);
        assert_eq!(breaker.admits(then), Admission::Yes);
    }

    #[test]
    fn the_cool_down_doubles_up_to_a_minute_and_patience_ends() {
        let start = Instant::now();
        let mut breaker = opened(start);
        let (mut now, mut waits) = (start, Vec::new());
        loop {
            match breaker.admits(now) {
                Admission::Later(wait) => {
                    waits.push(wait.as_secs());
                    now += wait;
                }
                Admission::Probe => {
                    breaker.sent(now);
                    assert_eq!(breaker.came_back(now, down()), None, "that it is down is told once");
                }
                Admission::Never(status, reason) => {
                    assert_eq!(status, Status::Transport);
                    assert!(reason.contains("failing for 10m") && reason.contains("it is down"), "{reason}");
                    break;
                }
                Admission::Yes => panic!("it has not answered"),
            }
        }
        assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits.iter().sum::<u64>(), 603);
    }

    #[test]
    fn a_probe_that_never_comes_back_is_followed_by_another() {
        let now = Instant::now();
        let mut breaker = opened(now);
        breaker.sent(now + SECOND);
        assert_eq!(breaker.admits(now + SECOND + LONGEST), Admission::Probe);
    }

    #[test]
    fn who_is_refused_again_and_again_is_not_let_in_any_more() {
        let (now, mut breaker) = (Instant::now(), breaker());
        let refusal = || Sign::Refuses(Status::Auth, "no such key".to_owned());
        breaker.came_back(now, refusal());
        breaker.came_back(now, Sign::Alive);
        breaker.came_back(now, refusal());
        assert_eq!(breaker.came_back(now, refusal()), None);
        assert_eq!(breaker.admits(now), Admission::Yes);
        assert_eq!(breaker.came_back(now, refusal()).as_deref(), Some("no such key"));
        breaker.came_back(now, Sign::Alive);
        let late = now + Duration::from_secs(86_400);
        assert_eq!(breaker.admits(late), Admission::Never(Status::Auth, "no such key".to_owned()));
    }

    #[test]
    fn only_the_network_and_the_account_speak_against_a_backend() {
        assert_eq!(Sign::of(Status::Failed, Some("exit code 3")), Some(Sign::Alive));
        assert_eq!(Sign::of(Status::Timeout, None), None);
        assert_eq!(Sign::of(Status::Cancelled, None), None);
        assert_eq!(Sign::of(Status::Transport, Some("x")), Some(Sign::Down("x".to_owned())));
        assert!(matches!(Sign::of(Status::Quota, None), Some(Sign::Refuses(Status::Quota, _))));
    }

    proptest! {
        /// Whatever comes back when: it never lets two through while it is not closed, and one answer closes it.
        #[test]
        fn it_is_never_stuck(steps in prop::collection::vec((0u64..90, any::<bool>()), 0..100)) {
            let (mut now, mut breaker) = (Instant::now(), breaker());
            for (pause, well) in steps {
                now += Duration::from_secs(pause);
                match breaker.admits(now) {
                    Admission::Yes => {
                        breaker.sent(now);
                        breaker.came_back(now, if well { Sign::Alive } else { down() });
                    }
                    Admission::Probe => {
                        breaker.sent(now);
                        prop_assert!(matches!(breaker.admits(now), Admission::Later(_)));
                        breaker.came_back(now, if well { Sign::Alive } else { down() });
                        prop_assert_eq!(breaker.admits(now) == Admission::Yes, well);
                    }
                    Admission::Later(wait) => {
                        prop_assert!(wait <= LONGEST);
                        prop_assert!(!matches!(breaker.admits(now + wait), Admission::Later(_)));
                    }
                    Admission::Never(status, _) => {
                        prop_assert_eq!(status, Status::Transport);
                        return Ok(());
                    }
                }
            }
        }
    }
}
