//! When a child has had its time, and what wakes us when it ends.

use std::os::fd::OwnedFd;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::streams::Streams;
use super::{Command, How};
use crate::group::{self, Group};
use crate::interrupt;

/// Decides when a child has had its time.
pub(super) struct Waiter<'a> {
    pub(super) command: &'a Command,
    pub(super) started: Instant,
    pub(super) asked: Option<Instant>,
    pub(super) reason: Option<How>,
    /// When what was printed last was looked at, and since when it has been the last.
    pub(super) looked: Option<Instant>,
    pub(super) done: Option<Instant>,
}

impl Waiter<'_> {
    pub(super) fn end_if_due(&mut self, group: &Group, streams: &Streams) {
        if let Some(asked) = self.asked {
            if asked.elapsed() >= self.command.grace {
                group.signal(Signal::KILL);
            }
            return;
        }
        let expired =
            |limit: Option<Duration>, since: Instant| limit.is_some_and(|limit| since.elapsed() >= limit);
        self.reason = if interrupt::requested() || self.command.is_cancelled() {
            Some(How::Interrupted)
        } else if expired(self.command.timeout, self.started) {
            Some(How::TimedOut)
        } else if expired(self.command.idle_timeout, streams.last_read) {
            Some(How::Idle)
        } else if self.has_hung(streams) || self.has_said_too_much(streams) {
            None
        } else {
            return;
        };
        self.asked = Some(Instant::now());
        group.signal(Signal::TERM);
    }

    /// Tells whether the last line was printed long ago.
    fn has_hung(&mut self, streams: &Streams) -> bool {
        let Some((is_last, patience)) = self.command.last_line else { return false };
        if self.looked != Some(streams.last_read) {
            self.looked = Some(streams.last_read);
            let is_done = is_last(streams.output[0].captured.last_line());
            self.done = is_done.then(|| self.done.unwrap_or_else(Instant::now));
        }
        self.done.is_some_and(|done| done.elapsed() >= patience)
    }

    fn has_said_too_much(&self, streams: &Streams) -> bool {
        self.command.output_max.is_some_and(|most| streams.output[0].captured.total > most)
    }

    /// Returns how long nothing has to be looked at. An interrupt wakes nobody, so never long.
    pub(super) fn patience(&self, streams: &Streams) -> Duration {
        let left = |limit: Duration, since: Instant| limit.saturating_sub(since.elapsed());
        let mut patience = Duration::from_millis(250);
        if let Some(asked) = self.asked {
            return patience.min(left(self.command.grace, asked)).max(Duration::from_millis(5));
        }
        if let Some(limit) = self.command.timeout {
            patience = patience.min(left(limit, self.started));
        }
        if let Some(limit) = self.command.idle_timeout {
            patience = patience.min(left(limit, streams.last_read));
        }
        patience
    }
}

/// What wakes us when the child ends.
pub(super) enum Watch {
    /// Readable once the process has ended (Linux 5.3).
    Fd(OwnedFd),
    /// No such thing here: look every few milliseconds.
    Clock,
}

impl Watch {
    #[cfg(target_os = "linux")]
    pub(super) fn new(child: &Child) -> Watch {
        let flags = rustix::process::PidfdFlags::empty();
        group::pid(child)
            .and_then(|pid| rustix::process::pidfd_open(pid, flags).ok())
            .map_or(Watch::Clock, Watch::Fd)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn new(_child: &Child) -> Watch {
        Watch::Clock
    }
}
