//! Bytes in, numbered lines out, with a limit on their length.

use std::io::{self, BufRead, BufReader, Read};

use base64::Engine;

use crate::Problem;
use crate::record::Record;
use crate::section::RecordError;

/// How much of a line that is too long is kept.
const KEPT: usize = 4 << 10;

/// A line of the input.
#[derive(Debug)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Its bytes, without the line break; of a line that is too long only the beginning.
    pub bytes: Vec<u8>,
    /// The size of the whole line, if it is too long.
    pub too_long: Option<u64>,
}

/// Reads lines. Blank ones are passed over, but counted.
pub struct Lines {
    input: BufReader<Box<dyn Read + Send>>,
    max: u64,
    number: u64,
}

impl Lines {
    /// Reads lines of at most so many bytes.
    pub fn new(input: Box<dyn Read + Send>, max: u64) -> Lines {
        Lines { input: BufReader::with_capacity(128 << 10, input), max, number: 0 }
    }

    /// Returns the next line, and waits for it.
    ///
    /// # Errors
    /// If the input can not be read.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let mut bytes = Vec::new();
            let count = (&mut self.input).take(self.max.saturating_add(1)).read_until(b'\n', &mut bytes)?;
            if count == 0 {
                return Ok(None);
            }
            self.number += 1;
            // Some editors begin a file with a byte order mark; it is no part of the first record.
            if self.number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
                bytes.drain(..3);
            }
            let mut too_long = None;
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            } else if count as u64 > self.max {
                too_long = Some(count as u64 + self.skip_line()?);
                bytes.truncate(KEPT);
                bytes.shrink_to_fit();
            }
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(Line { number: self.number, bytes, too_long }));
            }
        }
    }

    /// Tells whether another line is here already, so that it can be had without waiting.
    pub fn has_line(&self) -> bool {
        self.input.buffer().contains(&b'\n')
    }

    /// Passes over the rest of the line and its line break, and returns the size of that rest.
    fn skip_line(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(skipped);
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let length = end.unwrap_or(buffer.len());
            skipped += length as u64;
            self.input.consume(length + usize::from(end.is_some()));
            if end.is_some() {
                return Ok(skipped);
            }
        }
    }
}

impl Line {
    /// Reads the line as a record, with an id.
    ///
    /// # Errors
    /// What is wrong, with a record that holds the line and says so: nothing is lost.
    pub fn into_record(self, stage: &str) -> Result<Record, (Problem, Box<Record>)> {
        let number = self.number;
        if let Some(bytes) = self.too_long {
            let problem =
                Problem::new(format!("not a record: the line has {bytes} bytes, more than are read"))
                    .hint("--max-line sets how long a line may be");
            return Err(broken(stage, number, problem, &self.bytes, Some(bytes)));
        }
        match String::from_utf8(self.bytes) {
            Err(error) => {
                let position = error.utf8_error().valid_up_to() + 1;
                let problem = Problem::new(format!("not a record: byte {position} of the line is not UTF-8"))
                    .hint("records are UTF-8; iconv converts other encodings");
                Err(broken(stage, number, problem, error.as_bytes(), None))
            }
            Ok(text) => match Record::parse_or_return(text) {
                Ok(mut record) => {
                    // What has errors is let by as it is, and what is no record any more has no name to give.
                    if record.has_errors() {
                        return Ok(record);
                    }
                    if let Some(problem) = record.id_problem() {
                        record.push_error(problem.to_record_error(stage, Some(number)));
                        return Err((problem, Box::new(record)));
                    }
                    record.ensure_id(number);
                    Ok(record)
                }
                Err((problem, text)) => Err(broken(stage, number, problem, text.as_bytes(), None)),
            },
        }
    }
}

fn broken(
    stage: &str,
    line: u64,
    problem: Problem,
    raw: &[u8],
    bytes: Option<u64>,
) -> (Problem, Box<Record>) {
    let text = String::from_utf8_lossy(raw);
    let is_text = matches!(text, std::borrow::Cow::Borrowed(_)) || bytes.is_some();
    let error = RecordError {
        stage: stage.to_owned(),
        line: Some(line),
        message: problem.full_message(),
        hint: problem.first_hint().map(str::to_owned),
        raw_base64: (!is_text).then(|| base64::engine::general_purpose::STANDARD.encode(raw)),
        raw: Some(text.into_owned()),
        raw_bytes: bytes,
    };
    (problem, Box::new(Record::of_error(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], max: u64) -> Vec<Line> {
        let mut lines = Lines::new(Box::new(io::Cursor::new(input.to_vec())), max);
        std::iter::from_fn(|| lines.next_line().unwrap()).collect()
    }

    #[test]
    fn blank_lines_are_counted_and_the_last_one_needs_no_line_break() {
        let found: Vec<_> =
            lines(b"{}\r\n\n  \n{\"a\":1}", 100).into_iter().map(|l| (l.number, l.bytes)).collect();
        assert_eq!(found, [(1, b"{}".to_vec()), (4, b"{\"a\":1}".to_vec())]);
    }

    #[test]
    fn a_line_that_is_too_long_is_told_with_its_size_and_the_next_one_is_read() {
        let found = lines(b"0123456789\n{}\n", 9);
        assert_eq!((found[0].too_long, found[1].bytes.as_slice()), (Some(10), &b"{}"[..]));
        assert_eq!(lines(b"0123456789\n", 10)[0].too_long, None);
        let (problem, record) = lines(b"0123456789\n", 5).remove(0).into_record("gates").unwrap_err();
        assert!(problem.first_hint().unwrap().contains("--max-line"));
        assert!(record.to_line().contains(r#""raw_bytes":10"#), "{record}");
    }

    #[test]
    fn a_record_with_errors_is_given_no_id() {
        let line = "{\"errors\":[{\"message\":\"oops\"}]}";
        let record = lines(line.as_bytes(), 100).remove(0).into_record("gates").unwrap();
        assert_eq!((record.id(), record.to_line().as_ref()), (None, line));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_record() {
        assert_eq!(lines(b"\xef\xbb\xbf{}\n{}\n", 100)[0].bytes, b"{}");
    }

    #[test]
    fn a_record_with_an_impossible_id_keeps_its_members() {
        let (problem, record) =
            lines(br#"{"id":null,"x":1.10}"#, 100).remove(0).into_record("gates").unwrap_err();
        assert!(problem.to_string().contains("neither a string nor an integer"));
        let line = record.to_line();
        assert!(line.starts_with(r#"{"id":null,"x":1.10,"errors":[{"stage":"gates","line":1,"#), "{line}");
    }

    #[test]
    fn what_is_no_record_is_kept_with_its_number() {
        let (_, record) = lines(b"\n{\"a\":\n", 100).remove(0).into_record("verify").unwrap_err();
        let line = record.to_line();
        assert!(
            line.starts_with(r#"{"errors":[{"stage":"verify","line":2,"message":"not a record: "#),
            "{line}"
        );
        assert!(line.contains(r#""raw":"{\"a\":""#), "{line}");
    }

    #[test]
    fn bytes_that_are_not_utf_8_can_be_had_back() {
        let (_, record) = lines(b"{\"a\":\"\xff\"}\n", 100).remove(0).into_record("verify").unwrap_err();
        let line = record.to_line().into_owned();
        let encoded = base64::engine::general_purpose::STANDARD.encode(b"{\"a\":\"\xff\"}");
        assert!(line.contains(&format!(r#""raw_base64":"{encoded}""#)) && line.contains("byte 7"), "{line}");
    }
}
