//! The queue on a NATS server with JetStream: the connection, the streams, and how a message gets there.
//!
//! Two streams bear the name of the queue: `NAME-tasks` with the subject `NAME.tasks.REPLY.KEY`, at most one message each, and
//! `NAME-results` with `NAME.results.REPLY.KEY`. Both are work queues in files: a message is gone when it is confirmed and not before.
//! `REPLY` is one run of a dispatcher, `KEY` the attempt. What is larger than a message may be is in the bucket `NAME-large`.

mod exchange;
mod large;
mod serve;

use std::time::Duration;

use async_nats::jetstream::context::{GetStreamErrorKind, PublishErrorKind, RequestErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use bytes::Bytes;
use shared::{Diagnostics, Problem};

use super::address::{Entrance, Queue};

pub(crate) use exchange::Exchange;
pub(crate) use serve::Serve;

/// How long the first connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long it is waited before a message is sent again that did not arrive, the first time and at most.
const AGAIN: Duration = Duration::from_millis(200);
const AGAIN_AT_MOST: Duration = Duration::from_secs(5);

/// Results that nobody has asked for are kept so long.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A connection to a queue.
#[derive(Clone)]
pub(crate) struct Link {
    client: Client,
    context: Context,
    tasks: Stream,
    results: Stream,
    /// The name that everything begins with.
    name: String,
    shown: String,
    diagnostics: Diagnostics,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// The queue has it.
    There,
    /// The queue had it already.
    AlreadyThere,
}

impl Link {
    /// Connects, and makes the streams if they are not there.
    async fn open(queue: &Queue, role: &str, diagnostics: &Diagnostics) -> Result<Link, Problem> {
        let shown = queue.shown();
        let client = connect(queue, role, diagnostics).await?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(Duration::from_secs(5));
        let none = || Problem::new(format!("the server at {shown} has no JetStream"));
        // Read as it is: servers of different age tell different things about an account.
        match context.request::<_, _, serde_json::Value>("INFO", &()).await {
            Ok(info) => {
                if let Some(error) = info.get("error") {
                    let cause = error["description"].as_str().unwrap_or("it does not say why").to_owned();
                    return Err(none().because(cause).hint("enable JetStream for this account"));
                }
            }
            Err(error) if error.kind() == RequestErrorKind::NoResponders => {
                return Err(none().hint(
                    "start it with `nats-server -js`, or with a `jetstream` block in its configuration",
                ));
            }
            Err(error) => {
                return Err(Problem::new(format!("cannot ask the server at {shown} about JetStream"))
                    .because(error.to_string())
                    .hint("the user needs to publish to and subscribe below `$JS.API`"));
            }
        }
        let name = queue.stream.clone();
        let tasks = stream(&context, &shown, tasks_config(&name)).await?;
        let results = stream(&context, &shown, results_config(&name)).await?;
        Ok(Link { client, context, tasks, results, name, shown, diagnostics: diagnostics.clone() })
    }

    /// Sends a message until the queue has it, however long the server is away.
    async fn send(&self, subject: String, id: &str, body: Bytes) -> Sent {
        let (mut wait, mut told) = (AGAIN, false);
        loop {
            let message = PublishMessage::build().message_id(id).payload(body.clone());
            let sent = match self.context.send_publish(subject.clone(), message).await {
                Ok(confirmation) => confirmation.await,
                Err(error) => Err(error),
            };
            let error = match sent {
                Ok(ack) if ack.duplicate => return Sent::AlreadyThere,
                Ok(_) => return Sent::There,
                Err(error) => error,
            };
            let cause = shared::problem::chain(&error);
            if cause.contains("maximum messages per subject") {
                return Sent::AlreadyThere;
            }
            let is_silence =
                matches!(error.kind(), PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe);
            if !is_silence && !std::mem::replace(&mut told, true) {
                self.diagnostics
                    .warning(format!("the queue at {} does not take a message: {cause}", self.shown));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(AGAIN_AT_MOST);
        }
    }

    /// Returns the subject of a task.
    fn task(&self, reply: &str, key: &str) -> String {
        format!("{}.tasks.{reply}.{key}", self.name)
    }

    /// Returns the subject of what is told about a task.
    fn result(&self, reply: &str, key: &str) -> String {
        format!("{}.results.{reply}.{key}", self.name)
    }
}

async fn connect(queue: &Queue, role: &str, diagnostics: &Diagnostics) -> Result<Client, Problem> {
    let shown = queue.shown();
    let told = diagnostics.clone();
    let place = shown.clone();
    let mut options = ConnectOptions::new()
        .name(format!("specpipe dispatch ({role})"))
        .connection_timeout(CONNECT)
        .require_tls(queue.tls)
        .event_callback(move |event| {
            let (told, place) = (told.clone(), place.clone());
            async move {
                match event {
                    Event::Disconnected => {
                        told.warning(format!("the queue at {place} is away; waiting for it"));
                    }
                    Event::Connected => told.verbose(format!("connected to {place}")),
                    Event::ServerError(error) => told.warning(format!("the queue at {place} says: {error}")),
                    other => told.verbose(format!("the queue at {place}: {other}")),
                }
            }
        });
    options = match &queue.entrance {
        Entrance::Open => options,
        Entrance::Token(token) => options.token(token.expose().to_owned()),
        Entrance::Password(user, password) => {
            options.user_and_password(user.clone(), password.expose().to_owned())
        }
        Entrance::Credentials(path) => options.credentials_file(path).await.map_err(|error| {
            Problem::new(format!("cannot use the credentials file `{}`", path.display())).because(error)
        })?,
    };
    if let Some(path) = &queue.authorities {
        options = options.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &queue.certificate {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    options.connect(queue.servers.clone()).await.map_err(|error| {
        let problem = Problem::new(format!("cannot connect to the queue at {shown}"));
        let hint = match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                "the server does not let us in: see SPECPIPE_DISPATCH_QUEUE_TOKEN, _USER, _PASSWORD and _CREDENTIALS"
            }
            ConnectErrorKind::Tls => "see `authorities`, `certificate` and `key` of [dispatch.queue]",
            ConnectErrorKind::Dns => "is the name of the host right?",
            _ => "is nats-server running there, and is the port right?",
        };
        // The library's own text may quote an address.
        let cause = shared::problem::chain(&error);
        problem.because(cause).hint(hint)
    })
}

fn tasks_config(name: &str) -> Config {
    Config {
        name: format!("{name}-tasks"),
        description: Some("tasks for specpipe's workers".to_owned()),
        subjects: vec![format!("{name}.tasks.*.*")],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        // A task that is there already is not taken a second time, however late.
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        discard_new_per_subject: true,
        num_replicas: 1,
        ..Config::default()
    }
}

fn results_config(name: &str) -> Config {
    Config {
        name: format!("{name}-results"),
        description: Some("what specpipe's workers tell".to_owned()),
        subjects: vec![format!("{name}.results.*.*")],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        max_age: KEPT,
        num_replicas: 1,
        ..Config::default()
    }
}

/// Returns a stream as it has to be: made now, or there and fit.
async fn stream(context: &Context, shown: &str, wanted: Config) -> Result<Stream, Problem> {
    let name = wanted.name.clone();
    let found = match context.get_stream(&name).await {
        Ok(stream) => stream,
        Err(error) => {
            match error.kind() {
                GetStreamErrorKind::JetStream(cause) if cause.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    context.create_stream(wanted.clone()).await.map_err(|error| {
                    Problem::new(format!("cannot make the stream `{name}` at {shown}"))
                        .because(shared::problem::chain(&error))
                        .hint("the account needs JetStream storage, and the user needs `$JS.API.STREAM.CREATE`")
                })?;
                    context.get_stream(&name).await.map_err(|error| {
                        Problem::new(format!("cannot see the stream `{name}` at {shown}"))
                            .because(shared::problem::chain(&error))
                    })?
                }
                _ => {
                    return Err(Problem::new(format!("cannot ask for the stream `{name}` at {shown}"))
                        .because(shared::problem::chain(&error))
                        .hint("the user needs to publish to and subscribe below `$JS.API`"));
                }
            }
        }
    };
    let there = &found.cached_info().config;
    let mut other = Vec::new();
    let mut compare = |what: &str, there: String, wanted: String| {
        if there != wanted {
            other.push(format!("its {what} is {there} and has to be {wanted}"));
        }
    };
    let retention = |config: &Config| format!("{:?}", config.retention);
    compare("retention", retention(there), retention(&wanted));
    compare("list of subjects", there.subjects.join(" "), wanted.subjects.join(" "));
    let most = |config: &Config| config.max_messages_per_subject.max(0).to_string();
    compare("most messages per subject", most(there), most(&wanted));
    let refuses = |config: &Config| config.discard_new_per_subject.to_string();
    compare("`discard new per subject`", refuses(there), refuses(&wanted));
    if other.is_empty() {
        return Ok(found);
    }
    Err(Problem::new(format!(
        "the stream `{name}` at {shown} is there with other settings: {}",
        other.join(", ")
    ))
    .hint("name another one in the address, as in nats://HOST/NAME, or remove this one if it is nobody's"))
}
