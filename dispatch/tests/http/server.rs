//! A server that plays one list of acts for each connection.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does after it has read a request.
pub enum Act {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Does nothing for a while.
    Pause(Duration),
    /// Does nothing until the client closes the connection.
    Hold,
}

/// Returns an answer with a length.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<Act> {
    let mut head =
        format!("HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    vec![Act::Send(format!("{head}\r\n{body}").into_bytes())]
}

/// Returns a stream that lasts until the connection is closed.
pub fn stream(body: &str) -> Vec<Act> {
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n";
    vec![Act::Send(format!("{head}{body}").into_bytes())]
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Serves one connection after the other, and refuses those for which no acts are left.
    pub fn start(connections: impl IntoIterator<Item = Vec<Act>>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server { address: listener.local_addr().unwrap(), requests: Arc::default() };
        let requests = server.requests.clone();
        let connections: Vec<_> = connections.into_iter().collect();
        std::thread::spawn(move || {
            for acts in connections {
                let Ok((stream, _)) = listener.accept() else { return };
                let requests = requests.clone();
                if acts.iter().any(|act| matches!(act, Act::Hold)) {
                    // The next client need not wait for one that is kept waiting.
                    std::thread::spawn(move || play(stream, acts, &requests));
                    continue;
                }
                // A client that breaks off is no failure of the server.
                let _ = play(stream, acts, &requests);
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn play(mut stream: TcpStream, acts: Vec<Act>, requests: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut text = Vec::new();
    let head = loop {
        if let Some(end) = text.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            // A client that wants TLS says hello, and never ends a line.
            _ if buffer[0] == 0x16 && text.is_empty() => {
                return stream.write_all(b"HTTP/1.1 400 What?\r\n\r\n");
            }
            n => text.extend_from_slice(&buffer[..n]),
        }
    };
    let mut body = text.split_off(head);
    let mut request = Request { head: String::from_utf8_lossy(&text).into_owned(), body: String::new() };
    let length: usize = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let there = body.len().min(length);
    body.resize(length, 0);
    stream.read_exact(&mut body[there..])?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    requests.lock().unwrap().push(request);
    for act in acts {
        match act {
            Act::Send(bytes) => stream.write_all(&bytes)?,
            Act::Pause(duration) => std::thread::sleep(duration),
            Act::Hold => while stream.read(&mut [0; 64])? > 0 {},
        }
    }
    stream.shutdown(Shutdown::Both)
}
