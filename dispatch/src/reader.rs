//! Reads records on a thread of its own, as far ahead as is wanted.
//!
//! A read that waits for a line can not be called off, so nobody waits for the thread. How far it may go ahead is said in
//! credits: one for each record, and a number of bytes that may be on their way.

use std::io::{self, Read};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use shared::lines::Lines;

use crate::incoming::Incoming;

/// How many bytes of records may be read and not yet be taken over.
const IN_FLIGHT: u64 = 4 << 20;

/// What the reader tells.
pub(crate) enum Progress {
    /// Records, with the number of their bytes.
    Records(Vec<Incoming>, u64),
    /// There are no more, or they can not be read.
    End(io::Result<()>),
}

/// How far the reader may go ahead. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Credits {
    shared: Arc<(Mutex<Balance>, Condvar)>,
}

#[derive(Default)]
struct Balance {
    records: usize,
    bytes: u64,
}

impl Credits {
    /// Lets so many more records be read.
    pub(crate) fn grant(&self, records: usize) {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).records += records;
        self.shared.1.notify_one();
    }

    /// Notes that records of so many bytes have been taken over.
    pub(crate) fn took(&self, bytes: u64) {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).bytes -= bytes;
        self.shared.1.notify_one();
    }

    /// Waits until a record may be read, and returns how many may be now.
    fn wait(&self) -> usize {
        let balance = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = |balance: &mut Balance| balance.records == 0 || balance.bytes >= IN_FLIGHT;
        let balance = self.shared.1.wait_while(balance, spent).unwrap_or_else(PoisonError::into_inner);
        balance.records
    }

    fn spend(&self, records: usize, bytes: u64) {
        let mut balance = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        balance.records = balance.records.saturating_sub(records);
        balance.bytes += bytes;
    }
}

/// Starts reading; what is read is sent as `wrap` makes it.
pub(crate) fn start<E: Send + 'static>(
    input: Box<dyn Read + Send>,
    max_line: u64,
    credits: Credits,
    events: Sender<E>,
    wrap: fn(Progress) -> E,
) {
    std::thread::spawn(move || {
        let mut lines = Lines::new(input, max_line);
        loop {
            let most = credits.wait().min(256);
            let (mut records, mut bytes) = (Vec::new(), 0);
            // Only records that are here already: nobody waits for a batch to fill.
            while records.len() < most && bytes < IN_FLIGHT / 4 && (records.is_empty() || lines.has_line()) {
                match lines.next_line() {
                    Ok(Some(line)) => {
                        bytes += line.bytes.len() as u64;
                        records.push(Incoming::read(line));
                    }
                    end => {
                        if !records.is_empty() {
                            credits.spend(records.len(), bytes);
                            let _ = events.send(wrap(Progress::Records(records, bytes)));
                        }
                        let _ = events.send(wrap(Progress::End(end.map(drop))));
                        return;
                    }
                }
            }
            credits.spend(records.len(), bytes);
            if events.send(wrap(Progress::Records(records, bytes))).is_err() {
                return;
            }
        }
    });
}
