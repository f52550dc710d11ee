//! Lines of the input, or of what came back: records, records of errors, and what is neither.

use std::io::Read;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use blake3::Hash;

use shared::lines::{Line, Lines};
use shared::section::RecordError;
use shared::{Problem, Record, interrupt};

/// A line, as the loop sees it. The text is what is kept of it.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A record. If it came without an id, it has one now.
    Record { id: String, record: Record, number: u64, text: String },
    /// A record of errors without an id, as a stage makes of a broken line. Nothing is to be done with it.
    Errors(String),
    /// No record; the text is one that holds it.
    Broken { number: u64, problem: Problem, text: String },
}

impl Incoming {
    /// Looks at a line.
    pub(crate) fn of(line: Line) -> Incoming {
        let number = line.number;
        match line.into_record(super::NAME) {
            Err((problem, record)) => {
                Incoming::Broken { number, problem, text: record.to_line().into_owned() }
            }
            Ok(record) => {
                let text = record.to_line().into_owned();
                match record.id().map(str::to_owned) {
                    Some(id) => Incoming::Record { id, record, number, text },
                    None => Incoming::Errors(text),
                }
            }
        }
    }

    /// Returns the line that is kept.
    pub(crate) fn text(&self) -> &str {
        match self {
            Incoming::Record { text, .. } | Incoming::Errors(text) | Incoming::Broken { text, .. } => text,
        }
    }
}

/// Returns what tells broken lines apart: what they hold, wherever it stood. A stage that greets with a line of text each
/// round has said one thing, not ten.
pub(crate) fn broken_hash(text: &str) -> Hash {
    let errors = Record::parse(text.to_owned())
        .ok()
        .and_then(|record| record.get::<Vec<RecordError>>().ok().flatten());
    let raw = errors.and_then(|errors| errors.into_iter().rev().find_map(|error| error.raw));
    blake3::hash(raw.as_deref().unwrap_or(text).as_bytes())
}

/// After an interrupt, the programs before us have so long to hand over what they have …
const PATIENCE: Duration = Duration::from_secs(10);
/// … and are taken to have nothing more when they have been silent for so long.
const SILENCE: Duration = Duration::from_secs(2);

/// Reads all lines of the input. The reader has a thread of its own, because a read can not be called off.
pub(crate) fn read(
    input: Box<dyn Read + Send>,
    max_line: u64,
    mut each: impl FnMut(Incoming) -> Result<(), Problem>,
) -> Result<(), Problem> {
    // A line may have megabytes, so few of them wait.
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        let mut lines = Lines::new(input, max_line);
        while let Some(line) = lines.next_line().transpose() {
            let is_last = line.is_err();
            if sender.send(line).is_err() || is_last {
                return;
            }
        }
    });
    let mut interrupted: Option<Instant> = None;
    let mut last = Instant::now();
    loop {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(Ok(line)) => {
                last = Instant::now();
                each(Incoming::of(line))?;
            }
            Ok(Err(error)) => return Err(Problem::new("cannot read the records").because(error)),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if interrupt::requested() {
            let since = *interrupted.get_or_insert_with(Instant::now);
            let is_silent = since.elapsed().min(last.elapsed()) > SILENCE;
            if is_silent || since.elapsed() > PATIENCE {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(text: &str) -> Incoming {
        let mut lines = Lines::new(Box::new(std::io::Cursor::new(text.to_owned())), 1000);
        Incoming::of(lines.next_line().unwrap().unwrap())
    }

    #[test]
    fn records_of_errors_stay_as_they_are() {
        let text = r#"{"errors":[{"stage":"x","message":"bad"}]}"#;
        let Incoming::Errors(kept) = incoming(text) else { panic!() };
        assert_eq!(kept, text);
        assert!(matches!(incoming(r#"{"id":"a","errors":[1]}"#), Incoming::Record { .. }));
        let Incoming::Record { text, .. } = incoming(r#"{"task":"x"}"#) else { panic!() };
        assert!(text.starts_with(r#"{"id":"t1-"#), "{text}");
    }

    #[test]
    fn the_same_broken_line_is_the_same_wherever_it_stands() {
        let (a, b) = (incoming("hello"), incoming("\n\nhello"));
        assert_ne!(a.text(), b.text());
        assert_eq!(broken_hash(a.text()), broken_hash(b.text()));
        assert_ne!(broken_hash(a.text()), broken_hash(incoming("hello!").text()));
    }
}
