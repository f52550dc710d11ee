//! Keeps count of what the requests of a job used, those that failed included: a provider bills a stream that was
//! cut off for what it had sent.

use shared::section::Usage;

use super::protocol::Reply;

/// The requests of one job.
#[derive(Debug, Default)]
pub(crate) struct Account {
    sent: u64,
    /// How many of them were sent because another one was late.
    hedged: u64,
    requests: Vec<Usage>,
    cost_usd: Option<f64>,
    /// How many were answered, or might have been, without a word about tokens.
    untold: u64,
}

impl Account {
    /// Counts a request that is being sent.
    pub(crate) fn send(&mut self) {
        self.sent += 1;
    }

    /// Counts a request that was sent because another one was late.
    pub(crate) fn hedge(&mut self) {
        self.sent += 1;
        self.hedged += 1;
    }

    /// Adds what came back for it, whole or not, also if we have given it up while the server was at it.
    pub(crate) fn settle(&mut self, reply: &Reply, is_given_up: bool) {
        match reply.usage {
            Some(usage) => self.requests.push(Usage { requests: 1, ..usage }),
            None => self.untold += u64::from(reply.begun || is_given_up),
        }
        if let Some(cost) = reply.cost_usd {
            self.cost_usd = Some(self.cost_usd.unwrap_or(0.0) + cost);
        }
    }

    /// Returns how many requests were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Returns how many of them were sent because another one was late.
    pub(crate) fn hedged(&self) -> u64 {
        self.hedged
    }

    /// Returns what the servers say that it cost.
    pub(crate) fn cost_usd(&self) -> Option<f64> {
        self.cost_usd
    }

    /// Returns the tokens of each request so far that a server counted.
    pub(crate) fn requests(&self) -> &[Usage] {
        &self.requests
    }

    /// Returns all tokens together, and of how many requests none were told; nothing if no request was sent.
    pub(crate) fn usage(&self) -> Option<Usage> {
        if self.sent == 0 {
            return None;
        }
        let told = self.requests.iter().copied().fold(Usage::default(), Usage::plus);
        Some(Usage { requests: self.sent, untold_requests: self.untold, ..told })
    }

    /// Returns the tokens of each request that a server counted.
    pub(crate) fn into_requests(self) -> Vec<Usage> {
        self.requests
    }
}
