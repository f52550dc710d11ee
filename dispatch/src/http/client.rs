//! Gets a job done by a model behind an API: one question, tried again as long as that can help.

mod hedged;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use shared::Problem;
use shared::process::Cancel;
use shared::section::Status;
use shared::units::format_duration;

use super::account::Account;
use super::body::Body;
use super::fault::{self, Context, Fault};
use super::lane::Lane;
use super::protocol::{Message, Protocol, Question, Reader, Reply, Role, Stop};
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

    /// Does a job, within its time.
    pub async fn run(&self, job: &Job) -> Answer {
        let Some(model) = job.model.as_deref().or(self.model.as_deref()) else {
            return Answer::Draft(Draft::because(
                Status::Unavailable,
                format!("no model is configured for {}; set `model`", self.context.address),
            ));
        };
        let start = self.retry.clock.now();
        let mut turn = Turn {
            lane: self.retry.lanes.lane(self.transport.address(), model),
            latest: start + self.retry.patience.min(job.timeout.unwrap_or(Duration::MAX)),
            timeout: job.timeout.map(|timeout| (start + timeout, timeout)),
            account: Account::default(),
            last: Reply::default(),
            cancel: job.cancel.clone(),
        };
        let filled = |text: &String| !text.trim().is_empty();
        let question = Question {
            model: model.to_owned(),
            system: job.system.clone().filter(filled),
            messages: vec![Message { role: Role::User, text: job.prompt.clone() }],
            max_tokens: job.max_output_tokens,
        };
        // One question, one answer. A loop with tools goes here: while the model stops to use one, its message
        // and the results join `question.messages`, and it is asked again on the same account.
        let asked = self.ask(&question, &mut turn).await;
        Answer::Draft(self.draft(asked, turn, model))
    }

    fn draft(&self, asked: Result<Stop, Fault>, turn: Turn, model: &str) -> Draft {
        let Turn { account, last, .. } = turn;
        let (status, reason) = match asked {
            Ok(stop) => (stop.status, stop.reason),
            Err(fault) => (fault.status, Some(fault.reason)),
        };
        // A server may quote the key that it does not like.
        let reason = reason.map(|reason| self.key.as_ref().map_or(reason.clone(), |key| key.redact(&reason)));
        let mut draft = Draft::new(status);
        draft.output = if last.text.is_empty() { last.refusal } else { last.text };
        draft.reason = reason;
        draft.usage = account.usage();
        draft.reported_cost_usd = account.cost_usd();
        draft.model = Some(last.model.unwrap_or_else(|| model.to_owned()));
        draft.stop_reason = last.stop_reason;
        draft.turns = last.complete.then_some(1);
        draft.retries =
            u32::try_from(account.sent().saturating_sub(1 + account.hedged())).unwrap_or(u32::MAX);
        draft.hedged = u32::try_from(account.hedged()).unwrap_or(u32::MAX);
        draft.requests = account.into_requests();
        draft
    }

    /// Asks until there is a whole reply, or a fault that another try would not cure.
    async fn ask(&self, question: &Question, turn: &mut Turn) -> Result<Stop, Fault> {
        let clock = &*self.retry.clock;
        let (mut failed, mut asked_to_wait) = (0, 0);
        loop {
            let pass = tokio::select! {
                biased;
                () = turn.cancel.cancelled() => return Err(cancelled()),
                pass = turn.lane.enter(clock, turn.latest) => pass?,
            };
            let mut pair = Pair::new(self.protocol.reader(&self.context, &question.model));
            turn.account.send();
            let exchange = self.exchange_hedged(question, &turn.lane, &mut pair);
            let left = turn.timeout.map(|(end, _)| end.saturating_duration_since(clock.now()));
            let outcome = tokio::select! {
                biased;
                () = turn.cancel.cancelled() => Err(cancelled()),
                outcome = tokio::time::timeout(left.unwrap_or(Duration::MAX), exchange) => outcome.unwrap_or_else(|_| {
                    let limit = turn.timeout.map(|(_, limit)| limit).unwrap_or_default();
                    let reason = format!("there was no whole answer after {}", format_duration(limit));
                    Err(Fault::lasting(Status::Timeout, reason, fault::Reach::Request))
                }),
            };
            let reader = pair.settle(&mut turn.account);
            turn.last = reader.reply().clone();
            if let Some(usage) = &turn.last.usage {
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
                turn.lane.hold(clock, wait);
            }
            turn.lane.close(&fault);
            drop(pass);
            if !fault.transient {
                return Err(fault);
            }
            // A wait that the server asks for is waited for by all, at the entrance of the lane. One of no time
            // at all is no answer to the question how long.
            let is_asked = fault.wait.is_some_and(|wait| !wait.is_zero());
            *(if is_asked { &mut asked_to_wait } else { &mut failed }) += 1;
            let tries = self.retry.tries.max(1);
            if failed >= tries || asked_to_wait >= tries.saturating_mul(PATIENT_TRIES) {
                fault.reason = format!("{}, in the last of {} tries", fault.reason, failed + asked_to_wait);
                return Err(fault);
            }
            if !is_asked {
                let wait = self.retry.backoff(failed);
                if clock.now() + wait > turn.latest {
                    fault.reason = format!("{}, and the time for tries is over", fault.reason);
                    return Err(fault);
                }
                tokio::select! {
                    biased;
                    () = turn.cancel.cancelled() => return Err(cancelled()),
                    () = clock.sleep(wait) => {}
                }
            }
        }
    }

    /// Sends the question once and lets the reader have what comes back.
    /// Notes when that began.
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

/// What belongs to one job while it runs.
struct Turn {
    lane: Lane,
    /// No try begins later.
    latest: Instant,
    /// When the job has to be done, and how long that was from its start.
    timeout: Option<(Instant, Duration)>,
    account: Account,
    /// The last reply, as far as it came.
    last: Reply,
    cancel: Cancel,
}

fn cancelled() -> Fault {
    Fault::lasting(Status::Cancelled, "cancelled", fault::Reach::Request)
}
