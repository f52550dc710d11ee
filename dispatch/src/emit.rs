//! Writes finished records on a thread of its own, so that whoever reads them slowly does not hold up the next task.

use std::io::Write;
use std::sync::mpsc::{Sender, channel};

use shared::writer::Stopped;

/// How many bytes are handed to the writer at once.
const PORTION: usize = 256 << 10;

/// The output: takes one portion at a time.
pub(crate) struct Emitter {
    portions: Sender<Vec<u8>>,
    is_busy: bool,
    spare: Vec<u8>,
}

/// What the writer tells: the buffer of a portion that was written, or why it stopped.
pub(crate) type Written = Result<Vec<u8>, Stopped>;

impl Emitter {
    /// Starts the writer; what it tells is sent as `wrap` makes it.
    pub(crate) fn start<E: Send + 'static>(
        mut output: Box<dyn Write + Send>,
        events: Sender<E>,
        wrap: fn(Written) -> E,
    ) -> Emitter {
        let (sender, portions) = channel::<Vec<u8>>();
        std::thread::spawn(move || {
            for mut portion in portions {
                let written = output.write_all(&portion).and_then(|()| output.flush());
                let has_stopped = written.is_err();
                portion.clear();
                if events.send(wrap(written.map(|()| portion).map_err(Stopped::from))).is_err() || has_stopped
                {
                    return;
                }
            }
        });
        Emitter { portions: sender, is_busy: false, spare: Vec::new() }
    }

    /// Tells whether a portion is being written.
    pub(crate) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Takes back the buffer of a portion that was written.
    pub(crate) fn written(&mut self, buffer: Vec<u8>) {
        self.is_busy = false;
        self.spare = buffer;
    }

    /// Writes what `fill` puts into the buffer, if nothing is being written.
    pub(crate) fn offer<F, P>(&mut self, fill: F) -> Result<(), P>
    where
        F: FnOnce(&mut Vec<u8>, usize) -> Result<(), P>,
    {
        if self.is_busy {
            return Ok(());
        }
        let mut portion = std::mem::take(&mut self.spare);
        // A buffer that one large record has blown up is not kept.
        portion.shrink_to(2 * PORTION);
        fill(&mut portion, PORTION)?;
        if portion.is_empty() {
            self.spare = portion;
        } else {
            self.is_busy = self.portions.send(portion).is_ok();
        }
        Ok(())
    }
}
