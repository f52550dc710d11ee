//! A model server made of a script: it speaks Anthropic's Messages, chat completions, OpenAI's Responses and Google's
//! `generateContent` on a port of the loopback interface, answers, calls tools and fails as the script says, and keeps its own
//! books. `GET /books` shows them to other processes.
//!
//! It works on bare sockets, because the faults that matter happen below HTTP: a connection closed in the middle
//! of a line, a head that never ends, one byte at a time. Its books are what a test compares a client's accounts
//! to: they hold the tokens that were really told to the client, also before a cut.
//!
//! ```
//! use tests::fake_model::{Script, Server};
//!
//! let script = Script::parse(r#"{"status": 429, "headers": {"retry-after": "0"}}
//! {"text": "Paris", "usage": {"input": 12, "output": 1}}"#).unwrap();
//! let server = Server::start(script).unwrap();
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! ```

mod connection;
mod conversation;
mod log;
mod render;
mod script;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub use log::{Books, Entry, Log, Totals};
pub use script::{Call, CallStyle, Close, Each, Script, Step, Tokens, UsageStyle};

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

/// What the connections share.
#[derive(Debug)]
struct State {
    script: Mutex<Script>,
    log: Log,
    stopping: AtomicBool,
    open: Mutex<HashMap<u64, TcpStream>>,
}

impl Server {
    /// Starts a server on a free port.
    pub fn start(script: Script) -> io::Result<Server> {
        Server::on_port(0, script, Log::default())
    }

    /// Starts a server on a port (0 for a free one) that writes its books to a log.
    pub fn on_port(port: u16, script: Script, log: Log) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            script: Mutex::new(script),
            log,
            stopping: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let acceptor = std::thread::spawn({
            let state = state.clone();
            move || accept(&listener, &state)
        });
        Ok(Server { address, state, acceptor: Some(acceptor) })
    }

    /// Returns the base address, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the requests so far, in the order in which their answers began.
    pub fn entries(&self) -> Vec<Entry> {
        self.state.log.entries()
    }

    /// Returns how many requests there were, and the tokens that were told to the clients.
    pub fn totals(&self) -> Totals {
        self.state.log.totals()
    }

    /// Returns the sums for each model.
    pub fn books(&self) -> Books {
        self.state.log.books()
    }

    /// Waits for the end, which only comes from outside.
    pub fn wait(mut self) {
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, and every connection that waits for a request or lets its client wait.
        let _ = TcpStream::connect(self.address);
        for stream in lock(&self.state.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for (number, stream) in (0u64..).zip(listener.incoming()) {
        if state.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let state = state.clone();
        std::thread::spawn(move || {
            if let Ok(copy) = stream.try_clone() {
                lock(&state.open).insert(number, copy);
            }
            // A client that goes away is no event here.
            let _ = connection::serve(stream, &state);
            lock(&state.open).remove(&number);
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
