//! Plain text as records: each line becomes `{"task":"…"}`, as it is read.

use std::io::{self, BufRead, BufReader, Read};

const OPENING: &[u8] = br#"{"task":""#;

/// The byte order mark in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads lines of text and gives records. What is no UTF-8 stays as it is, to be reported as such.
pub(crate) struct Plain<R> {
    input: BufReader<R>,
    ready: Vec<u8>,
    given: usize,
    in_task: bool,
    /// White space that is only part of the task if something follows.
    held: Vec<u8>,
    ended: bool,
    /// What may still come of a byte order mark, which says how the text is written and is no part of it.
    mark: &'static [u8],
}

impl<R: Read> Plain<R> {
    pub(crate) fn new(input: R) -> Self {
        Plain {
            input: BufReader::with_capacity(64 << 10, input),
            ready: Vec::new(),
            given: 0,
            in_task: false,
            held: Vec::new(),
            ended: false,
            mark: MARK,
        }
    }

    /// Takes what is there and makes records of it.
    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() && !self.ended {
            let buffer = self.input.fill_buf()?;
            let length = buffer.len();
            if length == 0 {
                self.ended = true;
                no_mark(&mut self.ready, &mut self.in_task, &mut self.mark);
                close(&mut self.ready, &mut self.in_task, &mut self.held);
            }
            for &byte in buffer {
                if let Some((first, rest)) = self.mark.split_first() {
                    if *first == byte {
                        self.mark = rest;
                        continue;
                    }
                    no_mark(&mut self.ready, &mut self.in_task, &mut self.mark);
                }
                match byte {
                    b'\n' => {
                        close(&mut self.ready, &mut self.in_task, &mut self.held);
                        self.ready.push(b'\n');
                    }
                    b' ' | b'\t' | b'\r' => {
                        if self.in_task {
                            self.held.push(byte);
                        }
                    }
                    byte => {
                        if !self.in_task {
                            self.ready.extend_from_slice(OPENING);
                            self.in_task = true;
                        }
                        for byte in self.held.drain(..).chain([byte]) {
                            escape(&mut self.ready, byte);
                        }
                    }
                }
            }
            self.input.consume(length);
        }
        Ok(())
    }
}

/// Gives what was held for the beginning of a byte order mark and is none.
fn no_mark(ready: &mut Vec<u8>, in_task: &mut bool, mark: &mut &[u8]) {
    let begun = &MARK[..MARK.len() - mark.len()];
    if !mark.is_empty() && !begun.is_empty() {
        ready.extend_from_slice(OPENING);
        ready.extend_from_slice(begun);
        *in_task = true;
    }
    *mark = &[];
}

fn close(ready: &mut Vec<u8>, in_task: &mut bool, held: &mut Vec<u8>) {
    held.clear();
    if std::mem::take(in_task) {
        ready.extend_from_slice(br#""}"#);
    }
}

fn escape(into: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => into.extend_from_slice(br#"\""#),
        b'\\' => into.extend_from_slice(br"\\"),
        b'\t' => into.extend_from_slice(br"\t"),
        b'\r' => into.extend_from_slice(br"\r"),
        0..0x20 => {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
            into.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
        byte => into.push(byte),
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.refill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.given);
        buffer[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_task() {
        let mut given = String::new();
        Plain::new("\u{feff}run the tests\n\u{feff}x\n".as_bytes()).read_to_string(&mut given).unwrap();
        assert_eq!(given, "{\"task\":\"run the tests\"}\n{\"task\":\"\u{feff}x\"}\n");
        // A letter whose first byte is that of the mark.
        for text in ["\u{fb01}x", "\u{fec0}"] {
            let mut given = String::new();
            Plain::new(text.as_bytes()).read_to_string(&mut given).unwrap();
            assert_eq!(given, format!("{{\"task\":\"{text}\"}}"));
        }
        let mut given = Vec::new();
        Plain::new(&b"\xef"[..]).read_to_end(&mut given).unwrap();
        assert_eq!(given, b"{\"task\":\"\xef\"}");
    }

    #[test]
    fn lines_become_records_and_blank_ones_stay_blank() {
        let text = "  run the \"tests\" \r\n\n \t\na\\b\tc\u{1}\nlast";
        let mut records = String::new();
        Plain::new(text.as_bytes()).read_to_string(&mut records).unwrap();
        let expected =
            "{\"task\":\"run the \\\"tests\\\"\"}\n\n\n{\"task\":\"a\\\\b\\tc\\u0001\"}\n{\"task\":\"last\"}";
        assert_eq!(records, expected);
    }

    #[test]
    fn it_does_not_matter_in_which_pieces_they_come() {
        let text = b"one  two \n three\n";
        let mut whole = Vec::new();
        Plain::new(&text[..]).read_to_end(&mut whole).unwrap();
        let mut plain = Plain::new(&text[..]);
        let mut pieces = Vec::new();
        let mut byte = [0];
        while plain.read(&mut byte).unwrap() == 1 {
            pieces.push(byte[0]);
        }
        assert_eq!(pieces, whole);
        assert_eq!(whole, b"{\"task\":\"one  two\"}\n{\"task\":\"three\"}\n");
    }
}
