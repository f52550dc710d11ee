//! Gets a job done by a model behind an API: each question is tried again as long as that can help.

mod hedged;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use shared::Problem;
use shared::section::Status;
use shared::units::format_duration;

use super::body::Body;
use super::conversation::Conversation;
use super::fault::{self, Context, Fault};
use super::lane::Lane;
use super::protocol::{Protocol, Question, Reader, Stop};
use super::retry::{Retry, retry_after, window_spent};
use super::secret::Secret;
use super::transport::Transport;
use crate::backend::{Answer, Draft, Job};
use crate::speculate::Hedge;
use hedged::Pair;

/// The longest that a spent window of requests holds everybody on the word of a header alone.
const LONGEST_WINDOW: Duration = Duration::from_secs(60);
/// How many times as often a request is tried when the server says when to come back: it is there and well.
const PATIENT_TRIES: u32 = 4;

/// A client for one server.
#[derive(Debug)]
pub struct Client<P: Protocol> {
    protocol: P,
    transport: Transport,
    headers: HeaderMap,
    key: Option<Secret>,
    model: Option<String>,
    context: Context,
    retry: Retry,
    hedge: Option<Arc<Hedge>>,
}

impl<P: Protocol> Client<P> {
    /// Returns a client for the server at `base_url`.
    ///
    /// `model` is asked where a job names none. A server on this machine often needs no key.
    pub fn new(
        base_url: &str,
        key: Option<&str>,
        model: Option<&str>,
        retry: Retry,
    ) -> Result<Self, Problem> {
        let url = P::endpoint(base_url)?;
        let protocol = P::for_server(&url);
        let key = key.map(Secret::new).filter(|key| !key.expose().is_empty());
        let headers = protocol.headers(key.as_ref(), false)?;
        let transport = Transport::new(url);
        let context = Context {
            address: transport.address().to_owned(),
            key_source: P::KEY_VARIABLE.to_owned(),
            has_key: key.is_some(),
            bare_429_is_final: P::BARE_429_IS_FINAL,
        };
        Ok(Client {
            protocol,
            transport,
            headers,
            key,
            model: model.map(str::to_owned),
            context,
            retry,
            hedge: None,
        })
    }

    /// Sends the key as `Authorization: Bearer`, where the API has a header of its own for keys.
    pub fn bearer(mut self) -> Result<Self, Problem> {
        self.headers = self.protocol.headers(self.key.as_ref(), true)?;
        Ok(self)
    }

    /// Says where the user put the key, for messages about it.
    #[must_use]
    pub fn key_from(mut self, source: &str) -> Self {
        source.clone_into(&mut self.context.key_source);
        self
    }

    /// Sets how long the server may say nothing in the middle of an answer; no time is no limit.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.transport.limits_mut().idle = if limit.is_zero() { Duration::MAX } else { limit };
        self
    }

    /// Sets how many requests and tokens the server takes in a minute, for each model.
    #[must_use]
    pub fn paced(self, requests: Option<u64>, tokens: Option<u64>) -> Self {
        self.retry.lanes.pace(self.transport.address(), requests, tokens);
        self
    }

    /// Sends requests that are late once more.
    #[must_use]
    pub fn hedged(mut self, hedge: Hedge) -> Self {
        self.hedge = Some(Arc::new(hedge));
        self
    }

    /// Sets how long the server may take to begin its answer; it reads the whole prompt in that time.
    #[must_use]
    pub fn first_byte_timeout(mut self, limit: Duration) -> Self {
        self.transport.limits_mut().first_byte = limit;
        self
    }

    /// Sets the largest answer, in bytes on the wire.
    #[must_use]
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.transport.limits_mut().bytes = bytes;
        self
    }

    /// Does a job, within its time: one question, one answer.
    pub async fn run(&self, job: &Job) -> Answer {
        Answer::Draft(match self.begin(job) {
            Ok(conversation) => conversation.ask_once().await,
            Err(draft) => draft,
        })
    }

    /// Begins a conversation about a job, which ends when it is called off; a draft if there is no model to ask.
    #[expect(clippy::result_large_err, reason = "one for each attempt")]
    pub(crate) fn begin(&self, job: &Job) -> Result<Conversation<'_, P>, Draft> {
        let model = job.model.as_deref().or(self.model.as_deref()).ok_or_else(|| {
            Draft::because(
                Status::Unavailable,
                format!("no model is configured for {}; set `model`", self.context.address),
            )
        })?;
        let lane = self.retry.lanes.lane(self.transport.address(), model);
        Ok(Conversation::new(self, job, model, lane))
    }

    pub(super) fn retry(&self) -> &Retry {
        &self.retry
    }

    /// Returns the text without the key.
    pub(super) fn redact(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| key.redact(text))
    }

    /// Sends the question once and lets the reader have what comes back. Notes when that began.
    async fn exchange(
        &self,
        question: &Question,
        lane: &Lane,
        reader: &mut P::Reader,
        began: &OnceLock<Instant>,
    ) -> Result<(), Fault> {
        let body = self.protocol.body(question).to_string().into_bytes();
        let clock = &*self.retry.clock;
        let mut response = self.transport.post(self.headers.clone(), body).await?;
        let status = response.status();
        if !(200..300).contains(&status) {
            let (headers, text) = response.error_text().await;
            let wait = retry_after(&headers, clock.date());
            return Err(fault::from_response(&self.context, &question.model, status, &headers, &text, wait));
        }
        if let Some(wait) = window_spent(response.headers(), clock.date()) {
            lane.hold(clock, wait.min(LONGEST_WINDOW));
        }
        let mut body = Body::Unknown;
        while let Some(portion) = response.portion().await? {
            began.get_or_init(|| clock.now());
            body.feed(portion.as_ref(), reader)?;
            if reader.reply().complete {
                response.finish().await;
                break;
            }
        }
        body.end(reader)
    }
}

/// Asks until there is a whole reply, or a fault that another try would not cure.
pub(super) async fn ask<P: Protocol>(conversation: &mut Conversation<'_, P>) -> Result<Stop, Fault> {
    let retry = &conversation.client.retry;
    let clock = &*retry.clock;
    // No try begins later.
    let end = conversation.timeout.map(|(end, _)| end);
    let patient = clock.now() + retry.patience;
    let latest = end.map_or(patient, |end| end.min(patient));
    let (mut failed, mut asked_to_wait) = (0, 0);
    loop {
        let Conversation { client, question, lane, account, cancel, timeout, .. } = &mut *conversation;
        let pass = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(cancelled()),
            pass = lane.enter(clock, latest) => pass?,
        };
        let mut pair = Pair::new(client.protocol.reader(&client.context, &question.model));
        account.send();
        let exchange = client.exchange_hedged(question, lane, &mut pair);
        let left = timeout.map(|(end, _)| end.saturating_duration_since(clock.now()));
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(cancelled()),
            outcome = tokio::time::timeout(left.unwrap_or(Duration::MAX), exchange) => outcome.unwrap_or_else(|_| {
                let limit = timeout.map(|(_, limit)| limit).unwrap_or_default();
                let reason = format!("there was no whole answer after {}", format_duration(limit));
                Err(Fault::lasting(Status::Timeout, reason, fault::Reach::Request))
            }),
        };
        let reader = pair.settle(account);
        conversation.heard(&reader);
        if let Some(usage) = &conversation.last.usage {
            pass.used(clock, crate::limits::tokens(usage));
        }
        let mut fault = match outcome {
            Ok(()) => {
                pass.answered();
                return Ok(reader.stop());
            }
            Err(fault) => fault,
        };
        if fault.is_throttle {
            pass.throttled();
        }
        if let Some(wait) = fault.wait {
            conversation.lane.hold(clock, wait);
        }
        conversation.lane.close(&fault);
        drop(pass);
        if !fault.transient {
            return Err(fault);
        }
        // A wait that the server asks for is waited for by all, at the entrance of the lane. One of no time
        // at all is no answer to the question how long.
        let is_asked = fault.wait.is_some_and(|wait| !wait.is_zero());
        *(if is_asked { &mut asked_to_wait } else { &mut failed }) += 1;
        let tries = retry.tries.max(1);
        if failed >= tries || asked_to_wait >= tries.saturating_mul(PATIENT_TRIES) {
            fault.reason = format!("{}, in the last of {} tries", fault.reason, failed + asked_to_wait);
            return Err(fault);
        }
        if !is_asked {
            let wait = retry.backoff(failed);
            if clock.now() + wait > latest {
                fault.reason = format!("{}, and the time for tries is over", fault.reason);
                return Err(fault);
            }
            tokio::select! {
                biased;
                () = conversation.cancel.cancelled() => return Err(cancelled()),
                () = clock.sleep(wait) => {}
            }
        }
    }
}

fn cancelled() -> Fault {
    Fault::lasting(Status::Cancelled, "cancelled", fault::Reach::Request)
}
