//! Sends one request and brings in the bytes of its answer, within limits of time and size.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Url, redirect};
use shared::section::Status;
use shared::units::format_duration;
use tokio::time::timeout;

use super::endpoint::{is_loopback, shown};
use super::fault::{Fault, Reach, one_line};

/// The most that is read of an answer that is an error.
const ERROR_BYTES: usize = 64 << 10;
/// How long an answer that is complete may take to say so, before its connection is given up.
const LINGER: Duration = Duration::from_millis(100);

/// What an answer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Until a connection stands.
    pub(crate) connect: Duration,
    /// Until the first byte of the body: servers read the whole prompt before.
    pub(crate) first_byte: Duration,
    /// From one portion of the body to the next.
    pub(crate) idle: Duration,
    /// The size of a body.
    pub(crate) bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(600),
            idle: Duration::from_secs(120),
            bytes: 64 << 20,
        }
    }
}

/// The way to one server.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    /// The connections. They are prepared with the first request: to read the system's certificates takes
    /// milliseconds, and a run whose tasks all stay here needs none.
    client: Arc<OnceLock<Result<Client, Fault>>>,
    url: Url,
    address: String,
    limits: Limits,
}

impl Transport {
    /// Returns the way to an address.
    pub(crate) fn new(url: Url) -> Self {
        let address = shown(&url);
        Transport { client: Arc::default(), url, address, limits: Limits::default() }
    }

    /// Returns the address, without anything secret.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the limits, to change them.
    pub(crate) fn limits_mut(&mut self) -> &mut Limits {
        &mut self.limits
    }

    /// Sends a JSON body and waits for the head of the answer.
    pub(crate) async fn post(&self, mut headers: HeaderMap, body: Vec<u8>) -> Result<Response, Fault> {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("accept", HeaderValue::from_static("text/event-stream, application/json"));
        let client = self.client.get_or_init(|| self.connect()).as_ref().map_err(Fault::clone)?;
        let request = client.post(self.url.clone()).headers(headers).body(body).send();
        let response = timeout(self.limits.first_byte, request)
            .await
            .map_err(|_| Fault::transient(self.silence(self.limits.first_byte)))?
            .map_err(|error| self.fault(&error))?;
        Ok(Response { response, transport: self.clone(), taken: 0 })
    }

    fn connect(&self) -> Result<Client, Fault> {
        // Fails only if a provider is installed already, and then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("specpipe/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry the key to wherever it points.
            .redirect(redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(self.limits.connect);
        if is_loopback(&self.url) {
            builder = builder.no_proxy();
        }
        if self.url.scheme() == "http" {
            // Without TLS no certificates are needed; a minimal container may have none. And a new connection is
            // so cheap that none is kept: simple servers close theirs without a word, and a request that is lost
            // in one would be counted, though nobody saw it.
            builder = builder.tls_certs_only([]).pool_max_idle_per_host(0);
        }
        builder.build().map_err(|error| {
            Fault::lasting(
                Status::Failed,
                format!(
                    "cannot set up TLS ({}); install the system's CA certificates, or name a file of them in \
                     SSL_CERT_FILE",
                    one_line(&root_cause(&error))
                ),
                Reach::Backend,
            )
        })
    }

    fn silence(&self, limit: Duration) -> String {
        format!("{} said nothing for {}", self.address, format_duration(limit))
    }

    fn fault(&self, error: &reqwest::Error) -> Fault {
        let cause = one_line(&root_cause(error));
        if has_tls_error(error) {
            return Fault::lasting(
                Status::Failed,
                format!(
                    "no safe connection to {} ({cause}); check `base_url` and the system's CA certificates",
                    self.address
                ),
                Reach::Request,
            );
        }
        if error.is_connect() {
            return Fault::transient(format!(
                "cannot connect to {} ({cause}); is the server running",
                self.address
            ));
        }
        if error.is_builder() {
            return Fault::lasting(
                Status::Failed,
                format!("cannot make a request to {} ({cause})", self.address),
                Reach::Request,
            );
        }
        Fault::transient(format!("the connection to {} broke ({cause})", self.address))
    }
}

/// An answer whose body is still coming.
pub(crate) struct Response {
    response: reqwest::Response,
    transport: Transport,
    taken: usize,
}

impl Response {
    /// Returns the HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Returns the headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns the next portion of the body, or `None` at its end.
    pub(crate) async fn portion(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, Fault> {
        let limits = self.transport.limits;
        let limit = if self.taken == 0 { limits.first_byte } else { limits.idle };
        let portion = timeout(limit, self.response.chunk())
            .await
            .map_err(|_| Fault::transient(self.transport.silence(limit)))?
            .map_err(|error| self.transport.fault(&error))?;
        self.taken += portion.as_ref().map_or(0, |portion| portion.len());
        if self.taken > limits.bytes {
            return Err(Fault::lasting(
                Status::Failed,
                format!("the answer is larger than {} MiB", limits.bytes >> 20),
                Reach::Request,
            ));
        }
        Ok(portion)
    }

    /// Returns the body of an error, as far as it is worth reading; whatever breaks off breaks off.
    pub(crate) async fn error_text(mut self) -> (HeaderMap, String) {
        let mut body = Vec::new();
        while let Ok(Some(portion)) = self.portion().await {
            body.extend_from_slice(portion.as_ref());
            if body.len() >= ERROR_BYTES {
                body.truncate(ERROR_BYTES);
                break;
            }
        }
        (std::mem::take(self.response.headers_mut()), String::from_utf8_lossy(&body).into_owned())
    }

    /// Reads the end of a body that has said all, so that the connection can be used again.
    pub(crate) async fn finish(mut self) {
        let _ = timeout(LINGER, async { while let Ok(Some(_)) = self.portion().await {} }).await;
    }
}

fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // The outermost error of the client names the whole address, which may hold a password.
    if std::ptr::addr_eq(cause, error) { "no further details".to_owned() } else { cause.to_string() }
}

fn has_tls_error(error: &(dyn Error + 'static)) -> bool {
    // An I/O error hides what it was made of from `source`, and each layer makes one of the last.
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || inner.is_some_and(|inner| has_tls_error(inner))
        || error.source().is_some_and(has_tls_error)
}
