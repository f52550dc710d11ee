//! The worker's end of the queue: orders come in as there is room for them, and what came of them goes out.
//!
//! What is done in which order is [`lease`](crate::broker::lease)'s to say; here it is carried out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, Consumer, pull};
use async_nats::jetstream::message::Acker;
use async_nats::jetstream::{AckKind, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt;
use shared::section::{Dispatch, Status};
use shared::{Diagnostics, Problem};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Link;
use super::exchange::hostname;
use crate::broker::address::Queue;
use crate::broker::lease::{Effect, Leases};
use crate::broker::outbox::{Letter, Outbox};
use crate::broker::wire::{Draft, Event, Order, Report, VERSION};
use crate::broker::{Outcome, Taken, carry, unmade};

/// The consumer that all workers share.
const CONSUMER: &str = "workers";

/// How long a request for orders stands.
const PULL: Duration = Duration::from_secs(5);

/// How long an order that can not be read stays in the queue for somebody who can.
const UNREADABLE: Duration = Duration::from_secs(10);

/// How long a worker that is stopping waits until the queue has what it says.
const LAST_WORDS: Duration = Duration::from_secs(15);

/// The connection of a worker.
pub(crate) struct Serve {
    runtime: Option<Runtime>,
    worker: Arc<Worker>,
    /// The name that it has in records.
    pub(crate) name: String,
}

struct Worker {
    link: Link,
    queue: String,
    name: String,
    leases: Mutex<Leases>,
    orders: Mutex<HashMap<Draft, Pending>>,
    outbox: Outbox,
    /// The repository that the work is done in.
    root: PathBuf,
    started: Instant,
    is_stopping: AtomicBool,
}

/// What is kept of an order until the queue has its end.
struct Pending {
    acker: Arc<Acker>,
    message: Bytes,
    reply: String,
    key: String,
    /// The commit that the dispatcher has.
    commit: Option<String>,
    _place: OwnedSemaphorePermit,
}

impl Serve {
    /// Connects, tells what an earlier worker here has not told, and takes as many orders at once as there are jobs.
    pub(crate) fn start(
        queue: &Queue,
        name: Option<&str>,
        jobs: usize,
        (state, root): (&Path, &Path),
        diagnostics: &Diagnostics,
        deliver: impl Fn(Taken) + Clone + Send + Sync + 'static,
    ) -> Result<Serve, Problem> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime =
            runtime.map_err(|error| Problem::new("cannot start the threads for the queue").because(error))?;
        let outbox = Outbox::open(state).map_err(|error| {
            Problem::new("cannot keep reports in the state directory")
                .because(error)
                .hint("run the worker where it may write")
        })?;
        let name = name.map_or_else(|| format!("{}-{}", hostname(), std::process::id()), str::to_owned);
        let (worker, consumer) = runtime.block_on(async {
            let link = Link::open(queue, "worker", diagnostics).await?;
            let consumer = consumer(&link, queue).await?;
            // Everybody who takes from the queue has the patience that it was made with.
            let patience = consumer.cached_info().config.ack_wait;
            let worker = Worker {
                queue: queue.shown(),
                name: name.clone(),
                leases: Mutex::new(Leases::new(patience, queue.max_deliver)),
                orders: Mutex::new(HashMap::new()),
                outbox,
                root: root.to_owned(),
                started: Instant::now(),
                is_stopping: AtomicBool::new(false),
                link,
            };
            Ok::<_, Problem>((Arc::new(worker), consumer))
        })?;
        runtime.spawn(Arc::clone(&worker).tell_what_is_left());
        runtime.spawn(Arc::clone(&worker).keep_alive());
        runtime.spawn(Arc::clone(&worker).take(consumer, jobs, deliver));
        Ok(Serve { runtime: Some(runtime), worker, name })
    }

    /// Says what came of an order.
    pub(crate) fn tell(&self, draft: Draft, outcome: Outcome) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(Arc::clone(&self.worker).conclude(draft, outcome));
        }
    }

    /// Takes nothing more.
    pub(crate) fn stop(&self) {
        self.worker.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Waits until the queue has heard of everything, for a while, and ends the connection.
    pub(crate) fn close(&mut self) {
        self.stop();
        let Some(runtime) = self.runtime.take() else { return };
        let until = Instant::now() + LAST_WORDS;
        let worker = Arc::clone(&self.worker);
        runtime.block_on(async move {
            while !worker.orders().is_empty() && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let _ = tokio::time::timeout(Duration::from_secs(2), worker.link.client.flush()).await;
        });
        runtime.shutdown_background();
    }
}

async fn consumer(link: &Link, queue: &Queue) -> Result<Consumer<pull::Config>, Problem> {
    let config = pull::Config {
        durable_name: Some(CONSUMER.to_owned()),
        description: Some("the workers of specpipe".to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: queue.ack_wait,
        // Each worker takes as many as it has room for; what none comes to an end with is told by the worker that is next.
        max_ack_pending: 100_000,
        max_deliver: -1,
        ..pull::Config::default()
    };
    link.tasks.get_or_create_consumer(CONSUMER, config).await.map_err(|error| {
        Problem::new(format!("cannot take tasks from {}", link.shown))
            .because(shared::problem::chain(&error))
            .hint("another consumer of the stream may be in the way: see `nats consumer ls`")
    })
}

impl Worker {
    /// Takes orders as there is room for them.
    async fn take(
        self: Arc<Self>,
        mut consumer: Consumer<pull::Config>,
        jobs: usize,
        deliver: impl Fn(Taken) + Clone + Send + Sync + 'static,
    ) {
        let room = Arc::new(Semaphore::new(jobs));
        loop {
            let Ok(first) = Arc::clone(&room).acquire_owned().await else { return };
            if self.is_stopping.load(Ordering::Relaxed) {
                return;
            }
            let mut places = vec![first];
            while let Ok(place) = Arc::clone(&room).try_acquire_owned() {
                places.push(place);
            }
            let asked = consumer.batch().max_messages(places.len()).expires(PULL).messages().await;
            let mut failed = asked.is_err();
            if let Ok(mut batch) = asked {
                while !places.is_empty() {
                    let next = tokio::select! {
                        next = batch.next() => next,
                        () = self.stopping() => return,
                    };
                    match next {
                        Some(Ok(message)) => {
                            let Some(place) = places.pop() else { break };
                            tokio::spawn(Arc::clone(&self).begin(message, place, deliver.clone()));
                        }
                        Some(Err(_)) => {
                            failed = true;
                            break;
                        }
                        None => break,
                    }
                }
            }
            drop(places);
            if failed {
                tokio::time::sleep(Duration::from_millis(300)).await;
                if let Ok(again) = self.link.tasks.get_consumer(CONSUMER).await {
                    consumer = again;
                }
            }
        }
    }

    async fn stopping(&self) {
        while !self.is_stopping.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Takes one order.
    async fn begin(
        self: Arc<Self>,
        message: Message,
        place: OwnedSemaphorePermit,
        deliver: impl Fn(Taken) + Send + Sync + 'static,
    ) {
        let Ok(info) = message.info() else { return };
        let draft = Draft {
            place: info.stream_sequence,
            delivery: u64::try_from(info.delivered).unwrap_or(1),
            worker: self.name.clone(),
        };
        let (message, acker) = message.split();
        let acker = Arc::new(acker);
        let order = match self.link.whole(&message.payload).await.and_then(|text| read(&text)) {
            Ok(order) => order,
            Err(problem) => {
                self.link.diagnostics.warning(problem.full_message());
                let _ = acker.ack_with(AckKind::Nak(Some(UNREADABLE))).await;
                return;
            }
        };
        let pending = Pending {
            acker,
            message: message.payload,
            reply: order.reply.clone(),
            key: order.key.clone(),
            commit: order.commit.clone(),
            _place: place,
        };
        self.orders().insert(draft.clone(), pending);
        let effects = self.leases().delivered(draft, self.started.elapsed());
        let mut order = Some(order);
        for effect in effects {
            match effect {
                Effect::Run(draft) => {
                    if let Some(order) = order.take() {
                        deliver(Taken { draft, order });
                    }
                }
                Effect::GiveUp(draft) => {
                    let id = order.as_ref().map_or(0, |_| draft.delivery - 1);
                    let reason =
                        format!("it was given to workers {id} times, and none came to an end with it");
                    let dispatch = unmade(Status::Failed, reason);
                    self.report(&draft, Event::Ended { dispatch, is_final: true, whole: None, bundle: None })
                        .await;
                }
                other => self.perform(other).await,
            }
        }
    }

    /// Says what came of an order, and confirms it or gives it back.
    async fn conclude(self: Arc<Self>, draft: Draft, outcome: Outcome) {
        let dispatch = match outcome {
            Outcome::Unbegun => {
                let effects = self.leases().unbegun(&draft, Duration::ZERO);
                for effect in effects {
                    self.perform(effect).await;
                }
                return;
            }
            Outcome::Ended(dispatch) => *dispatch,
        };
        let Some(commit) = self.orders().get(&draft).map(|pending| pending.commit.clone()) else { return };
        let mut dispatch = dispatch;
        let (whole, bundle) = match self.packed(&dispatch, commit).await {
            Ok(packed) => packed,
            Err(problem) => {
                // The work is there, but nobody else can have it.
                dispatch.status = Status::Failed;
                dispatch.reason = Some(problem.full_message());
                (None, None)
            }
        };
        let effects = self.leases().ended(&draft, dispatch.status);
        for effect in effects {
            match effect {
                Effect::Report { draft, is_final } => {
                    let (dispatch, whole, bundle) = (dispatch.clone(), whole.clone(), bundle.clone());
                    self.report(&draft, Event::Ended { dispatch, is_final, whole, bundle }).await;
                }
                other => self.perform(other).await,
            }
        }
    }

    /// Packs what is only here: a large output, and the commit.
    async fn packed(
        &self,
        dispatch: &Dispatch,
        commit: Option<String>,
    ) -> Result<(Option<String>, Option<String>), Problem> {
        let whole = match &dispatch.output_file {
            Some(file) => {
                let problem =
                    |error| Problem::new(format!("cannot read the output `{}`", file.path)).because(error);
                Some(STANDARD.encode(tokio::fs::read(&file.path).await.map_err(problem)?))
            }
            None => None,
        };
        let wanted = match (&dispatch.commit, &dispatch.branch, dispatch.base.clone().or(commit)) {
            (Some(_), Some(branch), Some(but)) => {
                Some(carry::Wanted { root: self.root.clone(), branches: vec![branch.clone()], but })
            }
            _ => None,
        };
        let bundle = match wanted {
            Some(wanted) => {
                let bundle = tokio::task::spawn_blocking(move || wanted.bundle()).await;
                bundle.map_err(|error| Problem::new("cannot make a bundle").because(error))??
            }
            None => None,
        };
        Ok((whole, bundle))
    }

    /// Carries out what needs nothing but the queue.
    async fn perform(&self, effect: Effect) {
        match effect {
            Effect::Announce(draft) => self.report(&draft, Event::Started).await,
            Effect::Touch(draft) => {
                let acker = self.orders().get(&draft).map(|pending| Arc::clone(&pending.acker));
                if let Some(acker) = acker {
                    let _ = acker.ack_with(AckKind::Progress).await;
                }
            }
            Effect::Ack(draft) => self.release(&draft, AckKind::Ack).await,
            Effect::Nak(draft, delay) => self.release(&draft, AckKind::Nak(Some(delay))).await,
            Effect::Run(_) | Effect::Report { .. } | Effect::GiveUp(_) => {}
        }
    }

    /// Confirms an order or gives it back.
    async fn release(&self, draft: &Draft, kind: AckKind) {
        self.leases().released(draft);
        let Some(pending) = self.orders().remove(draft) else { return };
        let is_end = matches!(kind, AckKind::Ack);
        // Unheard, it is delivered once more, and its result is paid for and not taken.
        for _ in 0..3 {
            if pending.acker.double_ack_with(kind).await.is_ok() {
                break;
            }
        }
        if is_end {
            self.link.forget(&pending.message).await;
        }
    }

    /// Tells the dispatcher, and waits until the queue has it.
    async fn report(&self, draft: &Draft, event: Event) {
        let Some((reply, key)) =
            self.orders().get(draft).map(|pending| (pending.reply.clone(), pending.key.clone()))
        else {
            return;
        };
        let has_ended = matches!(event, Event::Ended { .. });
        let report = Report { key, draft: draft.clone(), event };
        let letter = Letter { queue: self.queue.clone(), reply, report };
        // Only what has cost something must not be forgotten.
        let kept = if has_ended { self.outbox.keep(&letter).map(Some) } else { Ok(None) };
        let kept = kept.unwrap_or_else(|error| {
            self.link.diagnostics.warning(format!("cannot keep a report until it is confirmed: {error}"));
            None
        });
        self.send(&letter, kept).await;
    }

    async fn send(&self, letter: &Letter, kept: Option<PathBuf>) {
        let Letter { reply, report, .. } = letter;
        let id = report.message_id();
        let text = serde_json::to_vec(report).unwrap_or_default();
        let mut told = false;
        let body = loop {
            match self.link.fitted(&id, text.clone()).await {
                Ok(body) => break body,
                Err(problem) => {
                    if !std::mem::replace(&mut told, true) {
                        self.link.diagnostics.warning(problem.full_message());
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        self.link.send(self.link.result(reply, &report.key), &id, body).await;
        if let Some(path) = kept {
            let _ = tokio::fs::remove_file(path).await;
        }
    }

    /// Tells what an earlier worker in this place has left untold.
    async fn tell_what_is_left(self: Arc<Self>) {
        for (path, letter) in self.outbox.left(&self.queue).unwrap_or_default() {
            self.send(&letter, Some(path)).await;
        }
    }

    /// Tells the queue that the worker is still at it.
    async fn keep_alive(self: Arc<Self>) {
        let look = (self.leases().beat() / 4).max(Duration::from_millis(20));
        loop {
            tokio::time::sleep(look).await;
            let due = self.leases().tick(self.started.elapsed());
            for effect in due {
                self.perform(effect).await;
            }
        }
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn orders(&self) -> MutexGuard<'_, HashMap<Draft, Pending>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads an order.
fn read(text: &[u8]) -> Result<Order, Problem> {
    let problem = || Problem::new("an order in the queue can not be read");
    #[derive(serde::Deserialize)]
    struct Head {
        version: u32,
    }
    let head: Head = serde_json::from_slice(text).map_err(|error| problem().because(error))?;
    if head.version != VERSION {
        return Err(
            problem().because(format!("it is of version {}, and this worker of {VERSION}", head.version))
        );
    }
    serde_json::from_slice(text).map_err(|error| problem().because(error))
}
