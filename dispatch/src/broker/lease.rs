//! What a worker does with what the queue delivers: announce, run, keep alive, report, confirm or give back.
//!
//! An order stays with the queue until it is confirmed. The worker says that it is still at it, at a third of the time after which
//! the queue would give the order to somebody else, and confirms only when the queue has the report. So a worker that dies at any
//! point loses nothing: before the report the order is delivered again, after it the result is there.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::section::Status;

use super::wire::{Draft, is_refusal};

/// How many workers may refuse an order before a refusal is its result.
pub(crate) const REFUSALS: u64 = 3;

/// How long an order that was refused stays in the queue before it is delivered again, the first time.
const REFUSED: Duration = Duration::from_secs(1);

/// What is to be done about an order, in this sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Tell the dispatcher that the draft starts, and wait until the queue has it.
    Announce(Draft),
    /// Start it.
    Run(Draft),
    /// Tell the queue that the worker is still at it.
    Touch(Draft),
    /// Tell the dispatcher what came of it, and wait until the queue has it.
    Report {
        /// The draft.
        draft: Draft,
        /// Whether that is the result.
        is_final: bool,
    },
    /// Tell the dispatcher that too many have taken it and none came to an end, and wait until the queue has it.
    GiveUp(Draft),
    /// Confirm the order: it is done.
    Ack(Draft),
    /// Give the order back, to be delivered again after this time.
    Nak(Draft, Duration),
}

/// The orders that a worker has.
#[derive(Debug)]
pub(crate) struct Leases {
    /// After which time without a word the queue gives an order to somebody else.
    ack_wait: Duration,
    /// How many times an order is delivered before it is given up.
    max_deliver: u64,
    /// When each was last heard of.
    held: BTreeMap<Draft, Duration>,
}

impl Leases {
    pub(crate) fn new(ack_wait: Duration, max_deliver: u64) -> Leases {
        Leases { ack_wait, max_deliver: max_deliver.max(1), held: BTreeMap::new() }
    }

    /// How long the worker may say nothing.
    pub(crate) fn beat(&self) -> Duration {
        self.ack_wait / 3
    }

    /// Takes an order at this time since the worker started.
    pub(crate) fn delivered(&mut self, draft: Draft, now: Duration) -> Vec<Effect> {
        if draft.delivery > self.max_deliver {
            return vec![Effect::GiveUp(draft.clone()), Effect::Ack(draft)];
        }
        self.held.insert(draft.clone(), now);
        vec![Effect::Announce(draft.clone()), Effect::Run(draft)]
    }

    /// Says which orders the queue has to hear of now.
    pub(crate) fn tick(&mut self, now: Duration) -> Vec<Effect> {
        let beat = self.beat();
        let due = self.held.iter_mut().filter(|(_, heard)| now.saturating_sub(**heard) >= beat);
        due.map(|(draft, heard)| {
            *heard = now;
            Effect::Touch(draft.clone())
        })
        .collect()
    }

    /// Says what follows when a draft has ended.
    ///
    /// A worker that could not do its work leaves the order to others, a few times; what an interrupt has cut short is
    /// nobody's result.
    pub(crate) fn ended(&self, draft: &Draft, status: Status) -> Vec<Effect> {
        let is_final = !is_refusal(status)
            || (status != Status::Cancelled && draft.delivery >= REFUSALS.min(self.max_deliver));
        let last = match (is_final, status) {
            (true, _) => Effect::Ack(draft.clone()),
            (false, Status::Cancelled) => Effect::Nak(draft.clone(), Duration::ZERO),
            (false, _) => {
                let doublings = u32::try_from(draft.delivery.saturating_sub(1)).unwrap_or(u32::MAX).min(5);
                Effect::Nak(draft.clone(), REFUSED * 2u32.pow(doublings))
            }
        };
        vec![Effect::Report { draft: draft.clone(), is_final }, last]
    }

    /// Says what follows when an order was never begun, because the worker is stopping or can not do it.
    pub(crate) fn unbegun(&self, draft: &Draft, delay: Duration) -> Vec<Effect> {
        vec![Effect::Nak(draft.clone(), delay)]
    }

    /// Notes that the queue has confirmed the end of an order, or has it back.
    pub(crate) fn released(&mut self, draft: &Draft) {
        self.held.remove(draft);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(delivery: u64) -> Draft {
        Draft { place: 1, delivery, worker: "w".to_owned() }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_queue_hears_of_an_order_at_a_third_of_its_patience() {
        let mut leases = Leases::new(30 * SECOND, 5);
        leases.delivered(draft(1), Duration::ZERO);
        assert_eq!(leases.tick(9 * SECOND), []);
        assert_eq!(leases.tick(10 * SECOND), [Effect::Touch(draft(1))]);
        assert_eq!(leases.tick(19 * SECOND), []);
        assert_eq!(leases.tick(20 * SECOND), [Effect::Touch(draft(1))]);
        leases.released(&draft(1));
        assert_eq!(leases.tick(60 * SECOND), []);
    }

    #[test]
    fn what_nobody_comes_to_an_end_with_is_given_up_and_told() {
        let mut leases = Leases::new(SECOND, 5);
        assert_eq!(leases.delivered(draft(5), SECOND)[1], Effect::Run(draft(5)));
        assert_eq!(leases.delivered(draft(6), SECOND), [Effect::GiveUp(draft(6)), Effect::Ack(draft(6))]);
    }

    #[test]
    fn a_worker_that_can_not_leaves_it_to_others_a_few_times() {
        let leases = Leases::new(SECOND, 9);
        let last = |delivery, status| leases.ended(&draft(delivery), status).pop().unwrap();
        assert_eq!(last(1, Status::Auth), Effect::Nak(draft(1), SECOND));
        assert_eq!(last(2, Status::Auth), Effect::Nak(draft(2), 2 * SECOND));
        assert_eq!(last(3, Status::Auth), Effect::Ack(draft(3)));
        assert_eq!(last(8, Status::Cancelled), Effect::Nak(draft(8), Duration::ZERO));
        assert_eq!(last(1, Status::Failed), Effect::Ack(draft(1)), "that is a result");
    }
}
