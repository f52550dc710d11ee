//! The three streams of a child, moved by one thread.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Command;
use super::captured::Captured;
use super::wait::Watch;

/// After the child has ended, its streams are read until they were silent for this long …
const SILENCE: Duration = Duration::from_millis(200);
/// … and no longer than this.
const DRAIN: Duration = Duration::from_secs(2);

/// The three streams of a child.
pub(super) struct Streams {
    input: Option<(File, Vec<u8>, usize)>,
    pub(super) output: [Stream; 2],
    pub(super) last_read: Instant,
}

pub(super) struct Stream {
    pub(super) pipe: Option<File>,
    pub(super) captured: Captured,
    limit: usize,
    spool: Option<PathBuf>,
}

impl Streams {
    pub(super) fn new(child: &mut Child, command: &Command) -> io::Result<Streams> {
        let stream = |fd: Option<OwnedFd>, spool: Option<PathBuf>| -> io::Result<Stream> {
            let pipe = fd.map(nonblocking).transpose()?;
            Ok(Stream { pipe, captured: Captured::default(), limit: command.capture, spool })
        };
        let stdin = child.stdin.take().map(|stdin| nonblocking(stdin.into())).transpose()?;
        Ok(Streams {
            input: stdin.map(|pipe| (pipe, command.input.clone(), 0)),
            output: [
                stream(child.stdout.take().map(Into::into), command.spool.clone())?,
                stream(child.stderr.take().map(Into::into), None)?,
            ],
            last_read: Instant::now(),
        })
    }

    /// Waits until a stream or the watch is ready or the patience is over, and moves what can be moved.
    pub(super) fn transfer(&mut self, watch: Option<&Watch>, patience: Duration) {
        let mut fds = Vec::with_capacity(4);
        let outputs = self.output.iter().filter_map(|stream| stream.pipe.as_ref());
        fds.extend(outputs.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(self.input.iter().map(|(pipe, ..)| PollFd::new(pipe, PollFlags::OUT)));
        let mut patience = patience;
        match watch {
            Some(Watch::Fd(fd)) => fds.push(PollFd::new(fd, PollFlags::IN)),
            Some(Watch::Clock) => patience = patience.min(Duration::from_millis(10)),
            None => {}
        }
        let timeout = Timespec { tv_sec: patience.as_secs() as _, tv_nsec: patience.subsec_nanos() as _ };
        // An interrupted or failed wait only means that we look at once.
        if poll(&mut fds, Some(&timeout)).unwrap_or(1) == 0 {
            return;
        }
        drop(fds);
        self.write();
        self.read();
    }

    fn write(&mut self) {
        let Some((pipe, bytes, written)) = &mut self.input else { return };
        match pipe.write(&bytes[*written..]) {
            Ok(count) if *written + count < bytes.len() => *written += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // All is written, or the child does not want it: close.
            _ => self.input = None,
        }
    }

    /// Reads what is there, and tells whether anything was.
    fn read(&mut self) -> bool {
        let mut any = false;
        for stream in &mut self.output {
            any |= stream.read();
        }
        if any {
            self.last_read = Instant::now();
        }
        any
    }

    /// Reads what the child left in its pipes, but does not wait for those who hold them open.
    pub(super) fn drain(&mut self) {
        self.input = None;
        self.read();
        let started = Instant::now();
        self.last_read = started;
        while self.output.iter().any(|stream| stream.pipe.is_some())
            && self.last_read.elapsed() < SILENCE
            && started.elapsed() < DRAIN
        {
            self.transfer(None, SILENCE.saturating_sub(self.last_read.elapsed()));
        }
    }

    pub(super) fn finish(self) -> [Captured; 2] {
        self.output.map(Stream::finish)
    }
}

impl Stream {
    fn read(&mut self) -> bool {
        let mut any = false;
        let mut buffer = [0; 32 << 10];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    any = true;
                    self.keep(&buffer[..count]);
                    if count < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.pipe = None,
            }
        }
        any
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.captured.keep(bytes, self.limit);
        self.captured.spool(bytes, self.limit, self.spool.as_deref());
    }

    fn finish(self) -> Captured {
        self.captured
    }
}

fn nonblocking(fd: OwnedFd) -> io::Result<File> {
    let flags = rustix::fs::fcntl_getfl(&fd)?;
    match rustix::fs::fcntl_setfl(&fd, flags | rustix::fs::OFlags::NONBLOCK) {
        Ok(()) | Err(Errno::NOTTY) => Ok(File::from(fd)),
        Err(error) => Err(error.into()),
    }
}
