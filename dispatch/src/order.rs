//! Gives finished lines back in input order, in bounded memory.
//!
//! A slow task at the front holds back all that ended after it. Beyond a limit such lines wait in a temporary file
//! without a name, so that the other tasks need not be held back as well.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::schedule::Seq;

/// How many bytes of finished lines wait in memory.
const MEMORY: usize = 8 << 20;

/// The lines that can not leave yet.
#[derive(Debug)]
pub(crate) struct Order {
    /// Whether lines leave as they finish, whatever came before them.
    as_completed: bool,
    first: Seq,
    slots: VecDeque<Slot>,
    in_memory: usize,
    memory: usize,
    spill: Option<File>,
    spilled_bytes: u64,
    spilled_slots: usize,
}

#[derive(Debug)]
enum Slot {
    Open,
    Line(Box<str>),
    Spilled { start: u64, length: u64 },
}

impl Order {
    pub(crate) fn new(as_completed: bool) -> Self {
        Order {
            as_completed,
            first: 0,
            slots: VecDeque::new(),
            in_memory: 0,
            memory: MEMORY,
            spill: None,
            spilled_bytes: 0,
            spilled_slots: 0,
        }
    }

    /// Reserves the place of the next record.
    pub(crate) fn open(&mut self) -> Seq {
        self.slots.push_back(Slot::Open);
        self.first + self.slots.len() as u64 - 1
    }

    /// Puts the finished line of a record into its place.
    pub(crate) fn fill(&mut self, seq: Seq, line: String) -> io::Result<()> {
        let position = if self.as_completed {
            // The places stand for the order of ending: the first that is open is the next to leave.
            self.slots.iter().position(|slot| matches!(slot, Slot::Open))
        } else {
            seq.checked_sub(self.first).and_then(|position| usize::try_from(position).ok())
        };
        let Some(position) = position else { return Ok(()) };
        let is_next = position == 0;
        let slot = if is_next || self.in_memory + line.len() <= self.memory {
            self.in_memory += line.len();
            Slot::Line(line.into_boxed_str())
        } else {
            self.spill(&line)?
        };
        if let Some(place) = self.slots.get_mut(position) {
            *place = slot;
        }
        Ok(())
    }

    fn spill(&mut self, line: &str) -> io::Result<Slot> {
        let file = match &mut self.spill {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.spilled_bytes))?;
        file.write_all(line.as_bytes())?;
        let slot = Slot::Spilled { start: self.spilled_bytes, length: line.len() as u64 };
        self.spilled_bytes += line.len() as u64;
        self.spilled_slots += 1;
        Ok(slot)
    }

    /// Takes lines whose turn it is, each with a newline, until the buffer has so many bytes.
    pub(crate) fn take(&mut self, buffer: &mut Vec<u8>, limit: usize) -> io::Result<()> {
        while buffer.len() < limit {
            match self.slots.front() {
                None | Some(Slot::Open) => break,
                Some(Slot::Line(line)) => {
                    self.in_memory -= line.len();
                    buffer.extend_from_slice(line.as_bytes());
                }
                Some(Slot::Spilled { start, length }) => {
                    if let Some(file) = &mut self.spill {
                        file.seek(SeekFrom::Start(*start))?;
                        file.take(*length).read_to_end(buffer)?;
                    }
                    self.spilled_slots -= 1;
                    if self.spilled_slots == 0 {
                        self.spilled_bytes = 0;
                    }
                }
            }
            buffer.push(b'\n');
            self.slots.pop_front();
            self.first += 1;
        }
        Ok(())
    }

    /// Tells whether a line could leave now.
    pub(crate) fn has_next(&self) -> bool {
        matches!(self.slots.front(), Some(Slot::Line(_) | Slot::Spilled { .. }))
    }

    /// Tells whether everything has left.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Returns how many bytes of finished lines wait in memory and in the file.
    pub(crate) fn waiting(&self) -> (usize, u64) {
        (self.in_memory, self.spilled_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(order: &mut Order) -> String {
        let mut buffer = Vec::new();
        order.take(&mut buffer, usize::MAX).unwrap();
        String::from_utf8(buffer).unwrap()
    }

    #[test]
    fn lines_leave_in_input_order_whenever_they_end() {
        let mut order = Order::new(false);
        let seqs: Vec<Seq> = (0..4).map(|_| order.open()).collect();
        order.fill(seqs[1], "b".into()).unwrap();
        order.fill(seqs[3], "d".into()).unwrap();
        assert_eq!((taken(&mut order).as_str(), order.has_next()), ("", false));
        order.fill(seqs[0], "a".into()).unwrap();
        assert_eq!(taken(&mut order), "a\nb\n");
        order.fill(seqs[2], "c".into()).unwrap();
        assert_eq!((taken(&mut order).as_str(), order.is_empty()), ("c\nd\n", true));
    }

    #[test]
    fn lines_leave_as_they_end_if_that_is_wanted() {
        let mut order = Order::new(true);
        let seqs: Vec<Seq> = (0..3).map(|_| order.open()).collect();
        for (seq, line) in [(2, "c"), (0, "a")] {
            order.fill(seqs[seq], line.into()).unwrap();
        }
        assert_eq!(taken(&mut order), "c\na\n");
        order.fill(seqs[1], "b".into()).unwrap();
        assert_eq!(taken(&mut order), "b\n");
    }

    #[test]
    fn what_does_not_fit_into_memory_waits_in_a_file() {
        let mut order = Order { memory: 10, ..Order::new(false) };
        let seqs: Vec<Seq> = (0..50).map(|_| order.open()).collect();
        for seq in seqs.iter().rev() {
            order.fill(*seq, format!("line {seq}")).unwrap();
        }
        assert!(order.waiting().0 < 30 && order.waiting().1 > 200, "{:?}", order.waiting());
        let expected: String = (0..50).map(|n| format!("line {n}\n")).collect();
        assert_eq!(taken(&mut order), expected);
        assert_eq!(order.waiting(), (0, 0));
    }
}
