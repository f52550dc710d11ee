//! The dispatcher's end of the queue: orders go out, reports come in.
//!
//! Everything happens on a runtime of its own; the engine gives commands and hears events. A run has a name, under which reports
//! reach it; it is kept in the state directory, so that a run that goes on where another was killed hears what has been told
//! meanwhile, and sees what is in the queue still.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, pull};
use async_nats::jetstream::message::Acker;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt;
use rustix::fs::{FlockOperation, flock};
use shared::{Diagnostics, Problem};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Link;
use crate::broker::address::Queue;
use crate::broker::wire::{Event, Order, Report};
use crate::broker::{Told, carry};

/// A report is not sent a second time while the dispatcher lives.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// How often at least it is looked whether what was given out is still in the queue.
const AUDIT: Duration = Duration::from_secs(10);

/// How long the end of a run waits for its last messages.
const LAST_WORDS: Duration = Duration::from_secs(10);

enum Command {
    Order(Box<Order>, Option<carry::Wanted>),
    Confirm(u64),
    Withdraw(String),
    WithdrawAll,
}

/// The connection of one run.
pub(crate) struct Exchange {
    runtime: Option<Runtime>,
    commands: Option<UnboundedSender<Command>>,
    done: Option<tokio::task::JoinHandle<()>>,
    /// The name of this run.
    pub(crate) reply: String,
    /// What was told before this run began.
    pub(crate) early: Vec<(u64, Report)>,
    /// The keys that were in the queue when this run began.
    pub(crate) present: HashSet<String>,
    /// Held as long as the name is used.
    _slot: Option<File>,
}

/// How a report is confirmed, and the message that it came in.
type Ackers = Arc<Mutex<HashMap<u64, (Acker, Bytes)>>>;

impl Exchange {
    /// Connects; with `resume` as the run that was here before.
    pub(crate) fn open(
        queue: &Queue,
        state: Option<&Path>,
        resume: bool,
        diagnostics: &Diagnostics,
        tell: impl Fn(Told) + Clone + Send + Sync + 'static,
    ) -> Result<Exchange, Problem> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime =
            runtime.map_err(|error| Problem::new("cannot start the threads for the queue").because(error))?;
        let slot = state.map(|state| Slot::take(state, &queue.shown(), resume)).transpose();
        let slot = slot.map_err(|error| {
            Problem::new("cannot keep the name of this run in the state directory").because(error)
        })?;
        let (slot, reply, former) = match slot {
            Some(slot) => (Some(slot.file), slot.reply, slot.former),
            None => (None, new_name(), None),
        };
        let (link, consumer, early, present, ackers) = runtime.block_on(async {
            let link = Link::open(queue, "dispatcher", diagnostics).await?;
            if let Some(former) = former {
                clear(&link, &former).await;
            }
            let (consumer, early, ackers) = collect(&link, &reply).await?;
            let present = present(&link, &reply).await?;
            Ok::<_, Problem>((link, consumer, early, present, ackers))
        })?;
        let (commands, inbox) = unbounded_channel();
        runtime.spawn(listen(link.clone(), consumer, reply.clone(), Arc::clone(&ackers), tell.clone()));
        let pause = (queue.ack_wait / 3).clamp(AUDIT / 10, AUDIT);
        runtime.spawn(audit(link.clone(), reply.clone(), pause, tell.clone()));
        let done = runtime.spawn(obey(link, reply.clone(), inbox, ackers, tell));
        Ok(Exchange {
            runtime: Some(runtime),
            commands: Some(commands),
            done: Some(done),
            reply,
            early,
            present,
            _slot: slot,
        })
    }

    /// Gives out an order, with the commits that it builds on.
    pub(crate) fn order(&self, order: Order, wanted: Option<carry::Wanted>) {
        self.command(Command::Order(Box::new(order), wanted));
    }

    /// Says that a report is in the books, and need not be told again.
    pub(crate) fn confirm(&self, number: u64) {
        self.command(Command::Confirm(number));
    }

    /// Takes an order back that nobody needs any more.
    pub(crate) fn withdraw(&self, key: &str) {
        self.command(Command::Withdraw(key.to_owned()));
    }

    /// Takes all orders back; workers that have one already come to their end with it.
    pub(crate) fn withdraw_all(&self) {
        self.command(Command::WithdrawAll);
    }

    fn command(&self, command: Command) {
        if let Some(commands) = &self.commands {
            let _ = commands.send(command);
        }
    }

    /// Does what was commanded, for a while, and ends the connection.
    pub(crate) fn close(&mut self) {
        self.commands = None;
        if let (Some(runtime), Some(done)) = (self.runtime.take(), self.done.take()) {
            let _ = runtime.block_on(async { tokio::time::timeout(LAST_WORDS, done).await });
            runtime.shutdown_background();
        }
    }
}

/// Waits for what workers tell.
async fn listen(
    link: Link,
    consumer: Consumer<pull::Config>,
    reply: String,
    ackers: Ackers,
    tell: impl Fn(Told) + Send + Sync + 'static,
) {
    let mut consumer = consumer;
    loop {
        if let Ok(mut messages) = consumer
            .stream()
            .heartbeat(Duration::from_secs(5))
            .expires(Duration::from_secs(20))
            .messages()
            .await
        {
            while let Some(message) = messages.next().await {
                match message {
                    Ok(message) => {
                        if let Some((number, report)) = read(&link, message, &ackers).await {
                            tell(Told::Report(number, Box::new(report)));
                        }
                    }
                    Err(_) => break,
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        // It survives a restart of the server; if somebody has removed it, all that was not confirmed comes again.
        if let Ok(again) = link.results.get_or_create_consumer(&reply, config(&link, &reply)).await {
            consumer = again;
        }
    }
}

/// Reads a report; what is none is told and confirmed, since it would come for ever.
async fn read(link: &Link, message: Message, ackers: &Ackers) -> Option<(u64, Report)> {
    let number = message.info().ok()?.stream_sequence;
    let (message, acker) = message.split();
    let problem = match link.whole(&message.payload).await {
        Ok(text) => match serde_json::from_slice::<Report>(&text) {
            Ok(report) => {
                let mut ackers = ackers.lock().unwrap_or_else(PoisonError::into_inner);
                ackers.insert(number, (acker, message.payload));
                return Some((number, report));
            }
            Err(error) => Problem::new("a message of a worker can not be read").because(error),
        },
        Err(problem) => problem,
    };
    link.diagnostics.warning(problem.full_message());
    None
}

/// Looks now and then what is in the queue.
async fn audit(link: Link, reply: String, pause: Duration, tell: impl Fn(Told) + Send + Sync + 'static) {
    loop {
        tokio::time::sleep(pause).await;
        if let Ok(present) = present(&link, &reply).await {
            tell(Told::Present(present));
        }
    }
}

/// Does what the engine commands.
async fn obey(
    link: Link,
    reply: String,
    mut inbox: UnboundedReceiver<Command>,
    ackers: Ackers,
    tell: impl Fn(Told) + Clone + Send + Sync + 'static,
) {
    let mut busy = tokio::task::JoinSet::new();
    while let Some(command) = inbox.recv().await {
        while busy.try_join_next().is_some() {}
        let link = link.clone();
        match command {
            Command::Order(order, wanted) => {
                let (reply, tell) = (reply.clone(), tell.clone());
                busy.spawn(async move {
                    let key = order.key.clone();
                    if let Err(problem) = give_out(&link, &reply, *order, wanted).await {
                        tell(Told::Failed(key, problem));
                    }
                });
            }
            Command::Confirm(number) => {
                let acker = ackers.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
                if let Some((acker, message)) = acker {
                    busy.spawn(async move {
                        if acker.double_ack().await.is_ok() {
                            link.forget(&message).await;
                        }
                    });
                }
            }
            Command::Withdraw(key) => {
                let reply = reply.clone();
                busy.spawn(async move { remove(&link, &reply, &key).await });
            }
            Command::WithdrawAll => {
                // What is being given out now is taken back with the others.
                busy.abort_all();
                let reply = reply.clone();
                busy.spawn(async move { remove_all(&link, &reply).await });
            }
        }
    }
    while busy.join_next().await.is_some() {}
}

async fn give_out(
    link: &Link,
    reply: &str,
    mut order: Order,
    wanted: Option<carry::Wanted>,
) -> Result<(), Problem> {
    if let Some(wanted) = wanted {
        let bundle = tokio::task::spawn_blocking(move || wanted.bundle()).await;
        order.bundle = bundle.map_err(|error| Problem::new("cannot make a bundle").because(error))??;
    }
    for file in order.inputs.iter().filter_map(|input| input.file.clone()) {
        let bytes = tokio::fs::read(&file).await;
        let bytes = bytes.map_err(|error| Problem::new(format!("cannot read `{file}`")).because(error))?;
        order.files.push((file, STANDARD.encode(bytes)));
    }
    let text = serde_json::to_vec(&order)
        .map_err(|error| Problem::new("cannot write down an order").because(error))?;
    let id = format!("{reply}.{}", order.key);
    let body = link.fitted(&id, text).await?;
    link.send(link.task(reply, &order.key), &id, body).await;
    Ok(())
}

fn config(link: &Link, reply: &str) -> pull::Config {
    pull::Config {
        durable_name: Some(reply.to_owned()),
        filter_subject: link.result(reply, "*"),
        ack_policy: AckPolicy::Explicit,
        ack_wait: PATIENCE,
        max_ack_pending: -1,
        ..pull::Config::default()
    }
}

/// Makes the consumer of this run anew, and reads all that was told before. A consumer of a killed run would keep what it had
/// handed out and not heard confirmed.
async fn collect(
    link: &Link,
    reply: &str,
) -> Result<(Consumer<pull::Config>, Vec<(u64, Report)>, Ackers), Problem> {
    let problem =
        |cause: String| Problem::new(format!("cannot listen for results at {}", link.shown)).because(cause);
    let _ = link.results.delete_consumer(reply).await;
    let consumer = link.results.create_consumer(config(link, reply)).await;
    let consumer = consumer.map_err(|error| problem(shared::problem::chain(&error)))?;
    let mut waiting = consumer.cached_info().num_pending as usize;
    let (ackers, mut early) = (Ackers::default(), Vec::new());
    while waiting > 0 {
        let batch =
            consumer.batch().max_messages(waiting.min(256)).expires(Duration::from_secs(5)).messages();
        let mut batch = batch.await.map_err(|error| problem(shared::problem::chain(&error)))?;
        let mut came = 0;
        while let Some(message) = batch.next().await {
            let message = message.map_err(|error| problem(error.to_string()))?;
            came += 1;
            early.extend(read(link, message, &ackers).await);
        }
        if came == 0 {
            break;
        }
        waiting = waiting.saturating_sub(came);
    }
    Ok((consumer, early, ackers))
}

/// Returns the keys of the tasks of a run that are in the queue.
async fn present(link: &Link, reply: &str) -> Result<HashSet<String>, Problem> {
    let problem = |cause: String| {
        Problem::new(format!("cannot see what is in the queue at {}", link.shown)).because(cause)
    };
    let mut subjects = link
        .tasks
        .info_with_subjects(link.task(reply, "*"))
        .await
        .map_err(|error| problem(shared::problem::chain(&error)))?;
    let mut keys = HashSet::new();
    while let Some(subject) = subjects.next().await {
        let (subject, _) = subject.map_err(|error| problem(shared::problem::chain(&error)))?;
        keys.extend(subject.rsplit_once('.').map(|(_, key)| key.to_owned()));
    }
    Ok(keys)
}

/// Removes a task from the queue, whoever has it. Not by a purge: that of a single subject makes servers of version 2.9 pass over
/// other tasks.
async fn remove(link: &Link, reply: &str, key: &str) {
    if let Ok(message) = link.tasks.get_last_raw_message_by_subject(&link.task(reply, key)).await {
        let _ = link.tasks.delete_message(message.sequence).await;
    }
}

async fn remove_all(link: &Link, reply: &str) {
    for key in present(link, reply).await.unwrap_or_default() {
        remove(link, reply, &key).await;
    }
}

/// Takes back what a run has given out that nobody goes on with, and what was told to it.
async fn clear(link: &Link, former: &str) {
    remove_all(link, former).await;
    let told = match collect(link, former).await {
        Ok((_, told, ackers)) => {
            let ackers: Vec<_> = ackers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .drain()
                .map(|(_, acker)| acker)
                .collect();
            for (acker, message) in ackers {
                if acker.double_ack().await.is_ok() {
                    link.forget(&message).await;
                }
            }
            told.iter().filter(|(_, report)| matches!(report.event, Event::Ended { .. })).count()
        }
        Err(_) => 0,
    };
    let _ = link.results.delete_consumer(former).await;
    if told > 0 {
        link.diagnostics.warning(format!(
            "{told} results for an earlier run that is not gone on with were dropped; --resume would have used them"
        ));
    }
}

/// The name of a run, in a file of the state directory that is locked as long as the run lives.
struct Slot {
    file: File,
    reply: String,
    /// The run that had the place before and is not gone on with.
    former: Option<String>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Named {
    queue: String,
    reply: String,
}

impl Slot {
    fn take(state: &Path, queue: &str, resume: bool) -> std::io::Result<Slot> {
        let directory: PathBuf = state.join("queue");
        std::fs::create_dir_all(&directory)?;
        for number in 1u32.. {
            let path = directory.join(format!("run-{number}.json"));
            let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                continue;
            }
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            let before = serde_json::from_str::<Named>(&text).ok().filter(|named| named.queue == queue);
            let before = before.map(|named| named.reply);
            if let (true, Some(reply)) = (resume, before.clone()) {
                return Ok(Slot { file, reply, former: None });
            }
            let reply = new_name();
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&serde_json::to_vec(&Named { queue: queue.to_owned(), reply: reply.clone() })?)?;
            file.sync_data()?;
            return Ok(Slot { file, reply, former: before });
        }
        Err(std::io::Error::other("there are too many runs"))
    }
}

/// Returns a name that no other run has.
fn new_name() -> String {
    let random = RandomState::new().build_hasher().finish();
    let seed = format!("{}{random}{}", shared::warden::mark(), hostname());
    blake3::hash(seed.as_bytes()).to_hex()[..20].to_owned()
}

/// Returns the name of this machine.
pub(super) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_goes_on_has_the_name_of_the_one_before_and_others_have_their_own() {
        let state = tempfile::tempdir().unwrap();
        let first = Slot::take(state.path(), "q", false).unwrap();
        let beside = Slot::take(state.path(), "q", false).unwrap();
        let name = first.reply.clone();
        assert_eq!(first.former, None);
        drop(first);
        let again = Slot::take(state.path(), "q", true).unwrap();
        assert_eq!((again.reply.as_str(), again.former.as_deref()), (name.as_str(), None));
        drop(again);
        let afresh = Slot::take(state.path(), "q", false).unwrap();
        assert_eq!(afresh.former.as_deref(), Some(name.as_str()));
        drop((afresh, beside));
        assert_eq!(Slot::take(state.path(), "other", true).unwrap().former, None);
    }
}
