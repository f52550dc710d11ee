//! Keeps count of what the requests of a job used, those that failed included: a provider bills a stream that was
//! cut off for what it had sent.

use shared::section::Usage;

use super::protocol::Reply;

/// The requests of one job.
#[derive(Debug, Default)]
pub(crate) struct Account {
    sent: u64,
    requests: Vec<Usage>,
    cost_usd: Option<f64>,
    untold: bool,
}

impl Account {
    /// Counts a request that is being sent.
    pub(crate) fn send(&mut self) {
        self.sent += 1;
    }

    /// Adds what came back for it, whole or not.
    pub(crate) fn settle(&mut self, reply: &Reply) {
        match reply.usage {
            Some(usage) => self.requests.push(Usage { requests: 1, ..usage }),
            None => self.untold |= reply.begun,
        }
        if let Some(cost) = reply.cost_usd {
            self.cost_usd = Some(self.cost_usd.unwrap_or(0.0) + cost);
        }
    }

    /// Returns how many requests were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Returns what the servers say that it cost.
    pub(crate) fn cost_usd(&self) -> Option<f64> {
        self.cost_usd
    }

    /// Returns all tokens together; nothing if no request was sent, or if a model answered and no server said
    /// what that took: an unknown number is not zero.
    pub(crate) fn usage(&self) -> Option<Usage> {
        if self.sent == 0 || (self.untold && self.requests.is_empty()) {
            return None;
        }
        let zero = Usage { requests: self.sent, ..Usage::default() };
        Some(self.requests.iter().fold(zero, |sum, one| Usage {
            input_tokens: sum.input_tokens.saturating_add(one.input_tokens),
            cache_read_tokens: sum.cache_read_tokens.saturating_add(one.cache_read_tokens),
            cache_write_tokens: sum.cache_write_tokens.saturating_add(one.cache_write_tokens),
            cache_write_1h_tokens: sum.cache_write_1h_tokens.saturating_add(one.cache_write_1h_tokens),
            output_tokens: sum.output_tokens.saturating_add(one.output_tokens),
            reasoning_tokens: sum.reasoning_tokens.saturating_add(one.reasoning_tokens),
            requests: sum.requests,
        }))
    }

    /// Returns the tokens of each request that a server counted.
    pub(crate) fn into_requests(self) -> Vec<Usage> {
        self.requests
    }
}
