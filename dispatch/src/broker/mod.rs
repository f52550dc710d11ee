//! Work beyond one machine: a dispatcher puts tasks whose inputs are there into a work queue, workers take them out and send back
//! what came of them.
//!
//! The dispatcher alone knows dependencies, order, budgets and the journal. A worker is an ordinary engine that gets its tasks from
//! the queue instead of from standard input, so routes, limits, worktrees and prices are those of the worker. Both sides decide in
//! modules that know no network: [`ledger`] what a dispatcher does with a report, [`lease`] what a worker does with a delivery. The
//! engine that moves the messages is NATS JetStream, in `nats`; `memory` is its stand-in for tests.

pub(crate) mod address;
pub(crate) mod carry;
mod lease;
pub(crate) mod ledger;
#[cfg(test)]
mod memory;
#[cfg(feature = "nats")]
mod nats;
#[cfg(not(feature = "nats"))]
#[path = "without.rs"]
mod nats;
mod outbox;
pub(crate) mod wire;

use std::collections::HashSet;

use shared::Problem;
use shared::section::{Dispatch, Status, Tier};

pub(crate) use nats::{Exchange, Serve};

use wire::{Draft, Order, Report};

/// What a dispatcher hears from the queue.
#[derive(Debug)]
pub(crate) enum Told {
    /// A report, with the number by which it is confirmed.
    Report(u64, Box<Report>),
    /// The keys of all tasks of this run that are in the queue: waiting, or with a worker.
    Present(HashSet<String>),
    /// An order could not be given out.
    Failed(String, Problem),
}

/// An order that this worker has taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) draft: Draft,
    pub(crate) order: Order,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It has ended so.
    Ended(Box<Dispatch>),
    /// It was never begun.
    Unbegun,
}

/// Returns a section that says why nothing was done.
pub(crate) fn unmade(status: Status, reason: String) -> Dispatch {
    let section = serde_json::json!({ "attempt": 1, "status": status, "tier": Tier::ONE, "reason": reason });
    serde_json::from_value(section).unwrap_or_else(|error| unreachable!("{error}"))
}
