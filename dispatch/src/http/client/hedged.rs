//! Sends a request once more when its answer is late to begin; the first whole answer counts, and both are paid for.
//!
//! A request has no effects but its answer, so sending it twice does nothing twice. When and how often is decided in
//! [`crate::speculate::hedge`].

use std::pin::pin;
use std::sync::OnceLock;
use std::time::Instant;

use super::super::account::Account;
use super::super::fault::Fault;
use super::super::lane::Lane;
use super::super::protocol::{Protocol, Question, Reader};
use super::Client;

/// A request, and the same once more if it was late.
pub(super) struct Pair<R> {
    first: R,
    second: Option<R>,
    /// Which of them has come to an end, whatever that was.
    ended: [bool; 2],
}

impl<R: Reader> Pair<R> {
    pub(super) fn new(first: R) -> Pair<R> {
        Pair { first, second: None, ended: [false; 2] }
    }

    /// Counts what both have used, and returns the one that counts. What has not come to its end was given up.
    pub(super) fn settle(self, account: &mut Account) -> R {
        account.settle(self.first.reply(), !self.ended[0]);
        let Some(second) = self.second else { return self.first };
        account.hedge();
        account.settle(second.reply(), !self.ended[1]);
        match second.reply().complete && !self.first.reply().complete {
            true => second,
            false => self.first,
        }
    }
}

impl<P: Protocol> Client<P> {
    /// Sends a question, and once more if that is due and may be, and lets the readers have what comes back.
    pub(super) async fn exchange_hedged(
        &self,
        question: &Question,
        lane: &Lane,
        pair: &mut Pair<P::Reader>,
    ) -> Result<(), Fault> {
        let clock = &*self.retry.clock;
        let Pair { first, second, ended: [first_ended, second_ended] } = pair;
        let began = OnceLock::new();
        let mut one = pin!(self.exchange(question, lane, first, &began));
        let Some(hedge) = &self.hedge else {
            let outcome = one.await;
            *first_ended = true;
            return outcome;
        };
        let start = clock.now();
        let patience = hedge.sent();
        let note = |began: &OnceLock<Instant>| {
            if let Some(at) = began.get() {
                hedge.began(at.saturating_duration_since(start));
            }
        };
        let late = async {
            match patience {
                Some(patience) => clock.sleep(patience).await,
                None => std::future::pending().await,
            }
        };
        let early = tokio::select! {
            biased;
            outcome = &mut one => Some(outcome),
            () = late => None,
        };
        let pass = match &early {
            // What has begun is not late, only long.
            None if began.get().is_none() => lane.enter_if_calm(clock).filter(|_| hedge.take()),
            _ => None,
        };
        let (None, Some(pass)) = (&early, pass) else {
            let outcome = match early {
                Some(outcome) => outcome,
                None => one.await,
            };
            *first_ended = true;
            note(&began);
            return outcome;
        };
        let second = second.insert(self.protocol.reader(&self.context, &question.model));
        let began_again = OnceLock::new();
        let mut two = pin!(self.exchange(question, lane, second, &began_again));
        let outcome = tokio::select! {
            biased;
            outcome = &mut one => {
                *first_ended = true;
                match outcome {
                    Ok(()) => Ok(()),
                    Err(fault) => {
                        let outcome = two.await;
                        *second_ended = true;
                        outcome.map_err(|_| fault)
                    }
                }
            }
            outcome = &mut two => {
                *second_ended = true;
                match outcome {
                    Ok(()) => Ok(()),
                    Err(_) => {
                        let outcome = one.await;
                        *first_ended = true;
                        outcome
                    }
                }
            }
        };
        note(&began);
        if outcome.is_ok() && *second_ended {
            pass.answered();
        }
        outcome
    }
}
