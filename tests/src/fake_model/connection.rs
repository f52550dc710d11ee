//! One connection: reads requests, takes the step of the script for each, and writes what it says.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::conversation::Conversation;
use super::log::Entry;
use super::render::{Answer, Format, Piece};
use super::script::{Close, Step, Tokens};
use super::{State, lock};

/// The headers whose values are secret.
const SECRET: [&str; 4] = ["authorization", "x-api-key", "api-key", "cookie"];

struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Value,
}

/// Serves a connection until its end.
pub(super) fn serve(mut stream: TcpStream, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read(&mut reader, &mut stream)? {
        if !answer(&mut stream, request, state)? {
            let _ = stream.shutdown(Shutdown::Both);
            return Ok(());
        }
    }
    Ok(())
}

/// Reads a request; nothing at the end of the connection.
fn read(reader: &mut impl BufRead, stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let header =
        |name: &str| headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    if header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let size =
                u64::from_str_radix(line.trim().split(';').next().unwrap_or_default(), 16).unwrap_or(0);
            (&mut *reader).take(size).read_to_end(&mut body)?;
            line.clear();
            reader.read_line(&mut line)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = header("content-length").and_then(|value| value.parse().ok()) {
        reader.take(length).read_to_end(&mut body)?;
    }
    let body = serde_json::from_slice(&body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
    Ok(Some(Request { method, path, headers, body }))
}

/// Answers a request; tells whether the connection can serve another.
fn answer(stream: &mut TcpStream, request: Request, state: &State) -> io::Result<bool> {
    let Request { method, path, mut headers, body } = request;
    let bare = path.split('?').next().unwrap_or_default().to_owned();
    for (name, value) in &mut headers {
        if SECRET.contains(&name.as_str()) {
            "[key]".clone_into(value);
        }
    }
    let stream_path = path.clone();
    if method == "GET" && bare == "/books" {
        let books = serde_json::to_string(&state.log.books())?;
        return whole(stream, &Step::default(), 200, &books).map(|()| true);
    }
    let format = Format::of(&method, &bare);
    let conversation = format.map_or_else(Conversation::default, |format| Conversation::read(format, &body));
    let asked = format.and_then(|format| format.model(&bare, &body)).unwrap_or_default();
    let taken = format.and_then(|_| lock(&state.script).take(&bare, &asked, &conversation));
    let (number, mut step) = taken.map_or((None, Step::default()), |(number, step)| (Some(number), step));
    if let Some(problem) = &conversation.problem {
        let error = json!({ "type": "invalid_request_error", "message": problem });
        step = Step { status: Some(400), error: Some(error), ..Step::default() };
    }
    let status = match format {
        Some(_) => step.status.unwrap_or(200),
        None if bare.ends_with("/models") || bare.ends_with("/count_tokens") || bare == "/" => 200,
        None => 404,
    };
    let model = format.map(|_| step.model.clone().unwrap_or(asked));
    let entry = state.log.begin(Entry {
        number: 0,
        at_ms: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64),
        method,
        path,
        headers,
        body: body.clone(),
        model: model.clone(),
        step: number,
        status: step.close.is_none().then_some(status),
        told: None,
    });
    let asked = Asked { entry, format, step, status, path: stream_path, model, body, conversation };
    let more = reply(stream, state, &asked);
    state.log.end(entry);
    more
}

/// A request and what is to be done with it.
struct Asked {
    entry: u64,
    format: Option<Format>,
    step: Step,
    status: u16,
    path: String,
    model: Option<String>,
    body: Value,
    conversation: Conversation,
}

fn reply(stream: &mut TcpStream, state: &State, asked: &Asked) -> io::Result<bool> {
    let Asked { entry, step, status, body, .. } = asked;
    let (entry, status, prompt) = (*entry, *status, asked.conversation.prompt.as_str());
    std::thread::sleep(Duration::from_millis(step.delay_ms));
    match step.close {
        Some(Close::Request) => return Ok(false),
        Some(Close::Head) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-ty")?;
            return Ok(false);
        }
        None => {}
    }
    let Some(format) = asked.format else {
        let text = if status != 200 {
            json!({ "error": { "type": "not_found_error", "message": "there is nothing here" } })
        } else if asked.path.contains("/count_tokens") {
            json!({ "input_tokens": body.to_string().len().div_ceil(4) })
        } else {
            json!({ "object": "list", "data": [{ "id": "fake", "object": "model", "type": "model" }] })
        };
        return whole(stream, step, status, &text.to_string()).map(|()| true);
    };
    let text = match &step.each {
        Some(each) => each.of(prompt),
        None => {
            let default = if step.calls.is_empty() { "ok" } else { "" };
            let text = step.text.as_deref().unwrap_or(default).replace("{prompt}", prompt);
            text.replace("{results}", &asked.conversation.results.join("\n"))
        }
    };
    let by_length = Tokens {
        input: prompt.len().div_ceil(4) as u64,
        output: text.len().div_ceil(4) as u64,
        ..Tokens::default()
    };
    let model = asked.model.as_deref().filter(|model| !model.is_empty()).unwrap_or("fake");
    let tokens = step.usage.unwrap_or(by_length);
    let answer = Answer { format, step, number: entry, text: &text, model, tokens };
    if let Some(body) = &step.body {
        return whole(stream, step, status, body).map(|()| true);
    }
    if status != 200 {
        return whole(stream, step, status, &answer.error().to_string()).map(|()| true);
    }
    if step.document || !format.streams(&asked.path, body) {
        let Piece { text, told } = answer.document();
        let cut = step.cut_after.is_some_and(|bytes| bytes < text.len());
        if let Some(told) = told.filter(|_| !cut) {
            state.log.tell(entry, told);
        }
        return whole(stream, step, status, &text).map(|()| true);
    }
    head(stream, step, status, "text/event-stream", "transfer-encoding: chunked")?;
    let include_usage = body["stream_options"]["include_usage"] == true;
    for (number, piece) in answer.events(include_usage).into_iter().enumerate() {
        if step.cut_after == Some(number) {
            return Ok(false);
        }
        if step.stall_after == Some(number) {
            stall(stream, state);
            return Ok(false);
        }
        if number > 0 {
            std::thread::sleep(Duration::from_millis(step.pause_ms));
        }
        if let Some(told) = piece.told {
            state.log.tell(entry, told);
        }
        match (step.byte_ms, step.portion) {
            (Some(pause), _) => {
                for byte in piece.text.bytes() {
                    chunk(stream, &[byte])?;
                    std::thread::sleep(Duration::from_millis(pause));
                }
            }
            (None, Some(size)) => {
                for portion in piece.text.as_bytes().chunks(size.max(1)) {
                    chunk(stream, portion)?;
                }
            }
            (None, None) => chunk(stream, piece.text.as_bytes())?,
        }
    }
    stream.write_all(b"0\r\n\r\n")?;
    Ok(true)
}

/// Waits until the client gives up or the server is stopped.
fn stall(stream: &mut TcpStream, state: &State) {
    let mut ignored = [0; 64];
    while !state.stopping.load(Ordering::SeqCst) {
        match stream.read(&mut ignored) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn whole(stream: &mut TcpStream, step: &Step, status: u16, text: &str) -> io::Result<()> {
    let cut = step.cut_after.unwrap_or(text.len()).min(text.len());
    head(stream, step, status, "application/json", &format!("content-length: {}", text.len()))?;
    stream.write_all(&text.as_bytes()[..cut])?;
    if cut < text.len() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
}

fn head(stream: &mut TcpStream, step: &Step, status: u16, kind: &str, framing: &str) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Scripted\r\n{framing}\r\nrequest-id: req_fake\r\n");
    if !step.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
        head.push_str(&format!("content-type: {kind}\r\n"));
    }
    for (name, value) in &step.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())
}

fn chunk(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    stream.write_all(&framed)
}
