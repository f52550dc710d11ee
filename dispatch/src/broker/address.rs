//! Where a queue is and how one gets in: `nats://HOST[:PORT][,HOST[:PORT]…][/STREAM]`, and what the environment and specpipe.toml add.
//!
//! Secrets are kept apart from the address, so that the address can be shown, and are taken from files and the environment: a
//! password on a command line can be read by everybody on the machine.

use std::path::PathBuf;
use std::time::Duration;

use shared::Problem;

use crate::http::Secret;
use crate::settings::QueueSettings;

/// The variables that say how to get in.
pub(crate) const VARIABLES: [&str; 5] = [
    "SPECPIPE_DISPATCH_QUEUE",
    "SPECPIPE_DISPATCH_QUEUE_TOKEN",
    "SPECPIPE_DISPATCH_QUEUE_USER",
    "SPECPIPE_DISPATCH_QUEUE_PASSWORD",
    "SPECPIPE_DISPATCH_QUEUE_CREDENTIALS",
];

/// The port that NATS servers usually listen at.
const PORT: u16 = 4222;

/// The name of the queue, if nobody says otherwise.
const STREAM: &str = "specpipe";

/// After which time without a word an order is given to another worker, if nobody says otherwise.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// How many times an order is delivered, if nobody says otherwise.
const MAX_DELIVER: u64 = 10;

/// A queue and how to get in.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// `HOST:PORT` of each server.
    pub(crate) servers: Vec<String>,
    /// The name that everything there begins with.
    pub(crate) stream: String,
    /// Whether the connection must be encrypted.
    pub(crate) tls: bool,
    pub(crate) entrance: Entrance,
    /// A file with the certificates of authorities to trust instead of the system's.
    pub(crate) authorities: Option<PathBuf>,
    /// Files with the certificate and the key to show.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) ack_wait: Duration,
    pub(crate) max_deliver: u64,
}

/// What is shown to be let in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entrance {
    Open,
    Token(Secret),
    Password(String, Secret),
    /// A file as `nsc` writes it.
    Credentials(PathBuf),
}

impl Queue {
    /// Reads an address and adds what the environment and specpipe.toml say.
    pub(crate) fn resolve(
        text: &str,
        settings: &QueueSettings,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Queue, Problem> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("nats", text));
        let tls = match scheme {
            "nats" => false,
            "tls" => true,
            _ => return Err(bad("begins neither with nats:// nor with tls://")),
        };
        let (authority, stream) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let servers = hosts.split(',').map(server).collect::<Result<Vec<_>, _>>()?;
        let stream = stream.trim_end_matches('/');
        let stream = if stream.is_empty() { STREAM } else { stream };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if stream.len() > 60 || !stream.chars().all(is_plain) {
            return Err(bad("names a stream with other characters than letters, digits, `-` and `_`"));
        }
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let from_env = |name: &Option<String>| match name {
            Some(name) => variable(name).map(Some).ok_or_else(|| {
                Problem::new(format!("the environment variable `{name}` is not set"))
                    .hint("[dispatch.queue] of specpipe.toml names it")
            }),
            None => Ok(None),
        };
        let own = |name: &str| variable(&format!("SPECPIPE_DISPATCH_QUEUE_{name}"));
        let token = own("TOKEN").map_or_else(|| from_env(&settings.token_env), |token| Ok(Some(token)))?;
        let password =
            own("PASSWORD").map_or_else(|| from_env(&settings.password_env), |text| Ok(Some(text)))?;
        let name = own("USER").or_else(|| settings.user.clone());
        let credentials = own("CREDENTIALS").map(PathBuf::from).or_else(|| settings.credentials.clone());
        let entrance = match (user.map(|user| user.split_once(':')), user, name, password, token, credentials)
        {
            (Some(Some((user, password))), ..) => {
                Entrance::Password(decoded(user)?, Secret::new(&decoded(password)?))
            }
            (Some(None), Some(user), _, Some(password), ..) => {
                Entrance::Password(decoded(user)?, Secret::new(&password))
            }
            (Some(None), Some(token), ..) => Entrance::Token(Secret::new(&decoded(token)?)),
            (_, _, Some(user), Some(password), ..) => Entrance::Password(user, Secret::new(&password)),
            (_, _, Some(_), None, None, None) => {
                return Err(Problem::new("the queue has a user and no password")
                    .hint("set SPECPIPE_DISPATCH_QUEUE_PASSWORD, or password_env in [dispatch.queue]"));
            }
            (.., Some(token), _) => Entrance::Token(Secret::new(&token)),
            (.., Some(credentials)) => Entrance::Credentials(credentials),
            _ => Entrance::Open,
        };
        let certificate = match (&settings.certificate, &settings.key) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (None, None) => None,
            _ => {
                return Err(Problem::new("the queue has a certificate without a key, or a key without one")
                    .hint("set both `certificate` and `key` in [dispatch.queue]"));
            }
        };
        let ack_wait = settings.ack_wait.unwrap_or(ACK_WAIT);
        if ack_wait < Duration::from_millis(300) {
            return Err(Problem::new("`ack_wait` of [dispatch.queue] is too short for a word in time")
                .hint("30s is usual; a worker that has died is noticed after so long"));
        }
        Ok(Queue {
            servers,
            stream: stream.to_owned(),
            tls,
            entrance,
            authorities: settings.authorities.clone(),
            certificate,
            ack_wait,
            max_deliver: settings.max_deliver.unwrap_or(MAX_DELIVER).max(1),
        })
    }

    /// Returns the address as it can be shown.
    pub(crate) fn shown(&self) -> String {
        let scheme = if self.tls { "tls" } else { "nats" };
        format!("{scheme}://{}/{}", self.servers.join(","), self.stream)
    }
}

/// Refuses an address on the command line that everybody on the machine could read a secret from.
pub(crate) fn without_secret(typed: Option<&str>, from_env: Option<&str>) -> Result<(), Problem> {
    let Some(typed) = typed else { return Ok(()) };
    let authority = typed.split_once("://").map_or(typed, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    if !authority.contains('@') || from_env == Some(typed) {
        return Ok(());
    }
    Err(Problem::new("the address of the queue has a secret in it, which others could read off the command line")
        .hint("put the address into SPECPIPE_DISPATCH_QUEUE or [dispatch.queue], or the secret into SPECPIPE_DISPATCH_QUEUE_TOKEN, _PASSWORD or _CREDENTIALS"))
}

fn server(text: &str) -> Result<String, Problem> {
    // An address of version 6 has colons of its own and stands in brackets.
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(bad("names no host"));
    }
    let port = port.map_or(Ok(PORT), str::parse).map_err(|_| bad("has a port that is no number"))?;
    Ok(format!("{host}:{port}"))
}

/// Decodes `%40` and the like.
fn decoded(text: &str) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
        let byte = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(|| bad("has a `%` that no two hexadecimal digits follow"))?);
    }
    String::from_utf8(bytes).map_err(|_| bad("is no text"))
}

/// Says what is wrong with an address without quoting it: there may be a secret in it.
fn bad(what: &str) -> Problem {
    Problem::new(format!("the address of the queue {what}")).hint(
        "write nats://HOST, nats://HOST:PORT or nats://HOST:PORT/STREAM; tls:// for an encrypted connection",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<Queue, Problem> {
        Queue::resolve(text, &QueueSettings::default(), |_| None)
    }

    #[test]
    fn addresses_are_read() {
        for (text, shown) in [
            ("nats://localhost", "nats://localhost:4222/specpipe"),
            ("localhost:14222", "nats://localhost:14222/specpipe"),
            ("tls://a.example:1,b.example/nightly", "tls://a.example:1,b.example:4222/nightly"),
            ("nats://[::1]:5/x", "nats://[::1]:5/x"),
            ("nats://[::1]", "nats://[::1]:4222/specpipe"),
        ] {
            assert_eq!(resolve(text).unwrap().shown(), shown);
        }
        for text in ["http://x", "nats://", "nats://h:port", "nats://h/a.b", "nats://u:%4@h", "nats://h/a/b"]
        {
            let problem = resolve(text).unwrap_err();
            assert!(problem.first_hint().is_some() && !problem.full_message().contains("%4"), "{text}");
        }
    }

    #[test]
    fn secrets_come_from_the_address_or_the_environment_and_are_not_shown() {
        let queue = resolve("nats://me:p%40sst1me@h/s").unwrap();
        assert_eq!(queue.entrance, Entrance::Password("me".to_owned(), Secret::new("p@sst1me")));
        assert!(!format!("{queue:?} {}", queue.shown()).contains("sst1me"));
        assert_eq!(resolve("nats://t0ken@h").unwrap().entrance, Entrance::Token(Secret::new("t0ken")));
        let with = |set: &[(&str, &str)]| {
            let set: Vec<(String, String)> =
                set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Queue::resolve("nats://h", &QueueSettings::default(), |name| {
                set.iter().find(|(set, _)| set == name).map(|(_, value)| value.clone())
            })
        };
        let token = with(&[("SPECPIPE_DISPATCH_QUEUE_TOKEN", "abc")]).unwrap();
        assert_eq!(token.entrance, Entrance::Token(Secret::new("abc")));
        let user = [("SPECPIPE_DISPATCH_QUEUE_USER", "u"), ("SPECPIPE_DISPATCH_QUEUE_PASSWORD", "p")];
        assert_eq!(with(&user).unwrap().entrance, Entrance::Password("u".to_owned(), Secret::new("p")));
        assert!(with(&user[..1]).unwrap_err().full_message().contains("no password"));
        let file = with(&[("SPECPIPE_DISPATCH_QUEUE_CREDENTIALS", "/c")]).unwrap();
        assert_eq!(file.entrance, Entrance::Credentials("/c".into()));
    }

    #[test]
    fn a_secret_on_the_command_line_is_refused() {
        let secret = "nats://u:p@h";
        assert!(without_secret(Some(secret), None).is_err());
        assert!(without_secret(Some(secret), Some(secret)).is_ok(), "it came from the environment");
        assert!(without_secret(Some("nats://h/x"), None).is_ok());
        assert!(without_secret(None, None).is_ok());
    }
}
