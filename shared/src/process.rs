//! Runs a child process: in a process group of its own, with a deadline, reading both streams at once into bounded
//! memory, and with a name for every way to end.
//!
//! The whole tree is ended on a timeout, on an interrupt, and (by the [`warden`](crate::warden)) when this program itself
//! is killed. The end of a stream is not waited for once the child has ended: a grandchild in the background may hold
//! it open for ever.
//!
//! One thread waits for everything with `poll`, without signals or helper threads, and the child is started without a
//! `fork` of this program's memory (`process_group` and a working directory stay on the `posix_spawn` path of std).

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{Problem, interrupt, warden};

/// How much of each stream is kept in memory, unless [`Command::capture`] says otherwise.
pub const CAPTURE: usize = 1 << 20;

/// After the child has ended, its streams are read until they were silent for this long …
const SILENCE: Duration = Duration::from_millis(200);
/// … and no longer than this.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a child may take to end after it was asked to.
const GRACE: Duration = interrupt::GRACE;

/// Tells whether a line is the last that a program prints.
type IsLast = fn(&[u8]) -> bool;

/// A child process to be.
#[derive(Clone, Debug)]
pub struct Command {
    argv: Vec<OsString>,
    directory: Option<PathBuf>,
    environment: Vec<(OsString, Option<OsString>)>,
    input: Vec<u8>,
    timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
    capture: usize,
    spool: Option<PathBuf>,
    handed: Handed,
    grace: Duration,
    last_line: Option<(IsLast, Duration)>,
}

/// Open files that are handed to a child in place of the pipes to us.
#[derive(Clone, Debug, Default)]
struct Handed {
    stdin: Option<Arc<OwnedFd>>,
    stdout: Option<Arc<OwnedFd>>,
    stderr: Option<Arc<OwnedFd>>,
}

impl Handed {
    fn stdio(file: &Option<Arc<OwnedFd>>, otherwise: Stdio) -> io::Result<Stdio> {
        file.as_ref().map_or(Ok(otherwise), |file| file.try_clone().map(Stdio::from))
    }
}

/// How a child process ended, and what it wrote.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub how: How,
    /// What it wrote on standard output.
    pub stdout: Captured,
    /// What it wrote on standard error.
    pub stderr: Captured,
    /// How long it took.
    pub elapsed: Duration,
}

/// The ways to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// By us, because it took too long.
    TimedOut,
    /// By us, because it wrote nothing for too long.
    Idle,
    /// By us, because we were asked to end.
    Interrupted,
}

impl Ended {
    /// Tells whether it ended by itself with exit code 0.
    pub fn success(&self) -> bool {
        self.how == How::Exited(0)
    }

    /// Returns the exit code, if it ended by itself.
    pub fn exit_code(&self) -> Option<i32> {
        if let How::Exited(code) = self.how { Some(code) } else { None }
    }
}

impl std::fmt::Display for How {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            How::Exited(code) => write!(f, "exit code {code}"),
            How::Signalled(signal) => write!(f, "ended by signal {signal}"),
            How::TimedOut => f.write_str("timed out"),
            How::Idle => f.write_str("wrote nothing for too long"),
            How::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl Command {
    /// Returns a command with this program and these arguments. No shell is involved.
    pub fn new<A: Into<OsString>>(argv: impl IntoIterator<Item = A>) -> Self {
        Command {
            argv: argv.into_iter().map(Into::into).collect(),
            directory: None,
            environment: Vec::new(),
            input: Vec::new(),
            timeout: None,
            idle_timeout: None,
            capture: CAPTURE,
            spool: None,
            handed: Handed::default(),
            grace: GRACE,
            last_line: None,
        }
    }

    /// Runs it in this directory.
    #[must_use]
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), Some(value.into())));
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), None));
        self
    }

    /// Gives it these bytes on standard input, which is closed after them. Without, it is empty from the start.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Ends it after this time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Ends it when it has written nothing for this time.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Keeps so many bytes of each stream in memory.
    #[must_use]
    pub fn capture(mut self, bytes: usize) -> Self {
        self.capture = bytes;
        self
    }

    /// Writes standard output to this file, if it is more than is kept in memory.
    #[must_use]
    pub fn spool(mut self, path: impl Into<PathBuf>) -> Self {
        self.spool = Some(path.into());
        self
    }

    /// Hands it this open file as standard input, in place of bytes.
    #[must_use]
    pub fn stdin_from(mut self, file: impl Into<OwnedFd>) -> Self {
        self.handed.stdin = Some(Arc::new(file.into()));
        self
    }

    /// Lets it write standard output straight to this open file; nothing of it is captured.
    #[must_use]
    pub fn stdout_to(mut self, file: impl Into<OwnedFd>) -> Self {
        self.handed.stdout = Some(Arc::new(file.into()));
        self
    }

    /// Lets it write standard error straight to this open file, such as our own; nothing of it is captured.
    #[must_use]
    pub fn stderr_to(mut self, file: impl Into<OwnedFd>) -> Self {
        self.handed.stderr = Some(Arc::new(file.into()));
        self
    }

    /// Gives it so long to end after its time is over, before it is ended.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Ends it when it is still there so long after it has printed a last line. Some agent programs print their result
    /// and then hang. How it ended is told as it ended; its result is in what it printed.
    #[must_use]
    pub fn ends_after(mut self, is_last: IsLast, patience: Duration) -> Self {
        self.last_line = Some((is_last, patience));
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// If the command is empty or the program can not be started. How a started program ends is never an error.
    pub fn run(&self) -> Result<Ended, Problem> {
        let started = Instant::now();
        let mark = warden::child_mark();
        let mut child = self.spawn(&mark)?;
        let group = Group::enter(&child);
        let mut streams =
            Streams::new(&mut child, self).map_err(|error| self.problem("run").because(error))?;
        let exit = Watch::new(&child);
        let mut waiter = Waiter { command: self, started, asked: None, reason: None, looked: None, done: None };
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|error| self.problem("wait for").because(error))? {
                break status;
            }
            waiter.end_if_due(&group, &streams);
            streams.transfer(Some(&exit), waiter.patience(&streams));
        };
        streams.drain();
        group.end_the_rest();
        if waiter.reason.is_some() {
            // It was not its own end, so nothing that it has started was meant to stay.
            warden::end_child(&mark);
        }
        let how = waiter.reason.unwrap_or_else(|| how(status));
        let [stdout, stderr] = streams.finish();
        Ok(Ended { how, stdout, stderr, elapsed: started.elapsed() })
    }

    fn spawn(&self, mark: &str) -> Result<Child, Problem> {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(Problem::new("the command is empty").hint("give a program and its arguments"));
        };
        if let Some(directory) = self.directory.as_deref().filter(|directory| !directory.is_dir()) {
            return Err(self.problem("start").because(format!("no directory `{}`", directory.display())));
        }
        warden::start();
        let mut command = std::process::Command::new(program);
        command.args(arguments).process_group(0);
        command.env(warden::MARK, warden::mark()).env(warden::CHILD_MARK, mark);
        let input = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let handed = |file, otherwise| {
            Handed::stdio(file, otherwise).map_err(|error| self.problem("start").because(error))
        };
        command.stdin(handed(&self.handed.stdin, input)?);
        command.stdout(handed(&self.handed.stdout, Stdio::piped())?);
        command.stderr(handed(&self.handed.stderr, Stdio::piped())?);
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.spawn().map_err(|error| {
            let problem = self.problem("start");
            match error.kind() {
                io::ErrorKind::NotFound => problem.hint("install it, or name its full path").because(error),
                _ => problem.because(error),
            }
        })
    }

    fn problem(&self, verb: &str) -> Problem {
        let program = self.argv.first().map(|program| program.to_string_lossy()).unwrap_or_default();
        Problem::new(format!("cannot {verb} `{program}`"))
    }
}

fn how(status: ExitStatus) -> How {
    match (status.code(), status.signal()) {
        (Some(code), _) => How::Exited(code),
        (None, signal) => How::Signalled(signal.unwrap_or_default()),
    }
}

/// Decides when a child has had its time.
struct Waiter<'a> {
    command: &'a Command,
    started: Instant,
    asked: Option<Instant>,
    reason: Option<How>,
    /// When what was printed last was looked at, and since when it has been the last.
    looked: Option<Instant>,
    done: Option<Instant>,
}

impl Waiter<'_> {
    fn end_if_due(&mut self, group: &Group, streams: &Streams) {
        if let Some(asked) = self.asked {
            if asked.elapsed() >= self.command.grace {
                group.signal(Signal::KILL);
            }
            return;
        }
        let expired =
            |limit: Option<Duration>, since: Instant| limit.is_some_and(|limit| since.elapsed() >= limit);
        self.reason = if interrupt::requested() {
            Some(How::Interrupted)
        } else if expired(self.command.timeout, self.started) {
            Some(How::TimedOut)
        } else if expired(self.command.idle_timeout, streams.last_read) {
            Some(How::Idle)
        } else if self.has_hung(streams) {
            None
        } else {
            return;
        };
        self.asked = Some(Instant::now());
        group.signal(Signal::TERM);
    }

    /// Tells whether the last line was printed long ago.
    fn has_hung(&mut self, streams: &Streams) -> bool {
        let Some((is_last, patience)) = self.command.last_line else { return false };
        if self.looked != Some(streams.last_read) {
            self.looked = Some(streams.last_read);
            let is_done = is_last(streams.output[0].captured.last_line());
            self.done = is_done.then(|| self.done.unwrap_or_else(Instant::now));
        }
        self.done.is_some_and(|done| done.elapsed() >= patience)
    }

    /// Returns how long nothing has to be looked at. An interrupt wakes nobody, so never long.
    fn patience(&self, streams: &Streams) -> Duration {
        let left = |limit: Duration, since: Instant| limit.saturating_sub(since.elapsed());
        let mut patience = Duration::from_millis(250);
        if let Some(asked) = self.asked {
            return patience.min(left(self.command.grace, asked)).max(Duration::from_millis(5));
        }
        if let Some(limit) = self.command.timeout {
            patience = patience.min(left(limit, self.started));
        }
        if let Some(limit) = self.command.idle_timeout {
            patience = patience.min(left(limit, streams.last_read));
        }
        patience
    }
}

/// What wakes us when the child ends.
enum Watch {
    /// Readable once the process has ended (Linux 5.3).
    Fd(OwnedFd),
    /// No such thing here: look every few milliseconds.
    Clock,
}

impl Watch {
    #[cfg(target_os = "linux")]
    fn new(child: &Child) -> Watch {
        let flags = rustix::process::PidfdFlags::empty();
        pid(child)
            .and_then(|pid| rustix::process::pidfd_open(pid, flags).ok())
            .map_or(Watch::Clock, Watch::Fd)
    }

    #[cfg(not(target_os = "linux"))]
    fn new(_child: &Child) -> Watch {
        Watch::Clock
    }
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// The process groups that are alive.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn groups() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

struct Group(Option<Pid>);

impl Group {
    fn enter(child: &Child) -> Group {
        let pid = pid(child);
        groups().extend(pid.map(|pid| pid.as_raw_nonzero().get()));
        Group(pid)
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.0 {
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Ends what the child has left behind in its group.
    fn end_the_rest(&self) {
        self.signal(Signal::KILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            groups().remove(&pid.as_raw_nonzero().get());
        }
    }
}

fn signal_all(signal: Signal) {
    for pid in groups().iter().filter_map(|raw| Pid::from_raw(*raw)) {
        let _ = kill_process_group(pid, signal);
    }
}

/// Asks all children to end, and ends those that have not after the grace.
pub(crate) fn end_all(grace: Duration) {
    signal_all(Signal::TERM);
    // Those who wait for a child end it after the same grace; this is for children that nobody waits for any more.
    let _ = std::thread::Builder::new().spawn(move || {
        std::thread::sleep(grace);
        kill_all();
    });
}

/// Ends all children at once.
pub(crate) fn kill_all() {
    signal_all(Signal::KILL);
}

/// The three streams of a child.
struct Streams {
    input: Option<(File, Vec<u8>, usize)>,
    output: [Stream; 2],
    last_read: Instant,
}

struct Stream {
    pipe: Option<File>,
    captured: Captured,
    limit: usize,
    spool: Option<PathBuf>,
}

impl Streams {
    fn new(child: &mut Child, command: &Command) -> io::Result<Streams> {
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
    fn transfer(&mut self, watch: Option<&Watch>, patience: Duration) {
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
    fn drain(&mut self) {
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

    fn finish(self) -> [Captured; 2] {
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

/// What was kept of a stream: all of it, or its beginning and its end.
#[derive(Debug, Default)]
pub struct Captured {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// How many bytes were written.
    pub total: u64,
    /// The file with all of it, if it was more than is kept in memory and a file was asked for.
    pub file: Option<PathBuf>,
    writer: Option<File>,
    hash: Option<blake3::Hasher>,
}

impl Captured {
    /// Returns the last line so far, without its line break.
    fn last_line(&self) -> &[u8] {
        let end = if self.tail.is_empty() { &self.head } else { &self.tail };
        let end = end.strip_suffix(b"\n").unwrap_or(end);
        let start = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
        &end[start..]
    }

    /// Tells whether something in the middle is missing here.
    pub fn truncated(&self) -> bool {
        self.total > (self.head.len() + self.tail.len()) as u64
    }

    /// Returns what was kept as text. What is no UTF-8 is replaced, what is missing in the middle is said to be.
    pub fn text(&self) -> String {
        let head = String::from_utf8_lossy(&self.head);
        if !self.truncated() {
            let mut bytes = self.head.clone();
            bytes.extend_from_slice(&self.tail);
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let missing = self.total - (self.head.len() + self.tail.len()) as u64;
        format!("{head}\n[… {missing} bytes left out …]\n{}", String::from_utf8_lossy(&self.tail))
    }

    /// Returns the bytes that were kept.
    pub fn bytes(&self) -> Vec<u8> {
        [self.head.as_slice(), self.tail.as_slice()].concat()
    }

    /// Returns the BLAKE3 hash of all that was written in hexadecimal, if it went to a file.
    pub fn blake3(&self) -> Option<String> {
        self.hash.as_ref().map(|hasher| hasher.finalize().to_hex().to_string())
    }

    fn keep(&mut self, bytes: &[u8], limit: usize) {
        self.total += bytes.len() as u64;
        let half = limit / 2;
        let room = half.saturating_sub(self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        self.tail.extend_from_slice(rest);
        // Cutting in large steps keeps the copying linear.
        let excess = self.tail.len().saturating_sub(limit - half);
        if excess > (limit - half).max(1 << 16) {
            self.tail.drain(..excess);
        }
    }

    fn spool(&mut self, bytes: &[u8], limit: usize, path: Option<&Path>) {
        let Some(path) = path else { return };
        if self.total <= limit as u64 {
            return;
        }
        if self.file.is_none() {
            // The first bytes beyond the limit: nothing has been cut yet, so all of it is still here.
            let so_far = self.bytes();
            if let Ok(file) = create(path) {
                self.file = Some(path.to_owned());
                self.writer = Some(file);
                self.hash = Some(blake3::Hasher::new());
                self.append(&so_far);
            }
        } else {
            self.append(bytes);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        // A full disk must not look like a complete file.
        if self.writer.as_mut().is_some_and(|writer| writer.write_all(bytes).is_err()) {
            self.writer = None;
            self.file = None;
            self.hash = None;
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    File::create(path)
}

/// Tells whether a program of this name can be started: a path that is there, or a name found in `PATH`.
pub fn is_installed(program: impl AsRef<OsStr>) -> bool {
    let program = Path::new(program.as_ref());
    let executable = |path: &Path| {
        use std::os::unix::fs::PermissionsExt;
        path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        return executable(program);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| executable(&directory.join(program)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        Command::new(["sh", "-c", script])
    }

    #[test]
    fn both_streams_are_read_at_once_and_the_exit_code_is_kept() {
        let script =
            "cat; i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; exit 3";
        let ended = sh(script).stdin("hello\n").run().unwrap();
        assert_eq!(ended.how, How::Exited(3));
        assert!(
            ended.stdout.text().starts_with("hello\nout 0\n") && ended.stdout.text().ends_with("out 1999\n")
        );
        assert!(ended.stderr.text().ends_with("err 1999\n"));
    }

    #[test]
    fn a_large_input_and_a_child_that_does_not_read_it_end_well() {
        let ended = sh("exec true").stdin(vec![b'x'; 4 << 20]).run().unwrap();
        assert!(ended.success());
        let ended = sh("wc -c").stdin(vec![b'x'; 4 << 20]).run().unwrap();
        assert_eq!(ended.stdout.text().trim(), "4194304");
    }

    #[test]
    fn a_child_without_input_reads_the_end_at_once() {
        assert_eq!(Command::new(["cat"]).run().unwrap().stdout.total, 0);
    }

    #[test]
    fn the_whole_tree_ends_at_the_deadline_even_if_it_ignores_the_request() {
        let started = Instant::now();
        let script = "trap '' TERM; sleep 60 & echo $!; sleep 60";
        let ended = sh(script).timeout(Duration::from_millis(300)).run().unwrap();
        assert_eq!(ended.how, How::TimedOut);
        assert!(started.elapsed() < Duration::from_secs(30));
        let grandchild: i32 = ended.stdout.text().trim().parse().unwrap();
        assert!(wait_until(|| !is_alive(grandchild)));
    }

    #[test]
    fn a_grandchild_in_a_session_of_its_own_ends_at_the_deadline_too() {
        let script = "setsid sh -c 'echo $$; exec sleep 60' & sleep 60";
        let ended = sh(script).timeout(Duration::from_millis(500)).run().unwrap();
        assert_eq!(ended.how, How::TimedOut);
        let grandchild: i32 = ended.stdout.text().trim().parse().unwrap();
        assert!(wait_until(|| !is_alive(grandchild)));
    }

    #[test]
    fn silence_is_a_way_to_end_too() {
        let ended = sh("echo start; sleep 60").idle_timeout(Duration::from_millis(300)).run().unwrap();
        assert_eq!((ended.how, ended.stdout.text().as_str()), (How::Idle, "start\n"));
    }

    #[test]
    fn a_program_that_hangs_after_its_last_line_is_ended() {
        let started = Instant::now();
        let script = "echo working; echo '{done}'; exec sleep 60";
        let is_last = |line: &[u8]| line.starts_with(b"{done");
        let ended = sh(script).ends_after(is_last, Duration::from_millis(100)).run().unwrap();
        assert_eq!(ended.stdout.text(), "working\n{done}\n");
        assert!(!ended.success() && started.elapsed() < Duration::from_secs(30));
        let talking = "echo '{done}'; sleep 0.3; echo more; sleep 0.3; exit 5";
        let ended = sh(talking).ends_after(is_last, Duration::from_secs(20)).run().unwrap();
        assert_eq!(ended.how, How::Exited(5));
    }

    #[test]
    fn a_grandchild_that_holds_the_pipe_is_not_waited_for() {
        let started = Instant::now();
        let ended = sh("sleep 60 & echo done").run().unwrap();
        assert_eq!((ended.how, ended.stdout.text().as_str()), (How::Exited(0), "done\n"));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_signal_and_a_missing_program_have_their_names() {
        assert_eq!(sh("kill -9 $$").run().unwrap().how, How::Signalled(9));
        let problem = Command::new(["no-such-program-here"]).run().unwrap_err();
        assert!(problem.full_message().starts_with("cannot start `no-such-program-here`: "));
        assert!(problem.first_hint().is_some());
        assert!(Command::new(Vec::<OsString>::new()).run().is_err());
    }

    #[test]
    fn much_output_keeps_its_beginning_and_its_end_and_goes_to_a_file_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/output");
        let ended = sh("seq 1 200000").capture(1000).spool(&path).run().unwrap();
        let text = ended.stdout.text();
        assert!(text.starts_with("1\n2\n") && text.ends_with("200000\n") && text.contains("bytes left out"));
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(whole.len() as u64, ended.stdout.total);
        assert_eq!(ended.stdout.blake3(), Some(blake3::hash(&whole).to_hex().to_string()));
    }

    #[test]
    fn files_can_be_handed_over_in_place_of_pipes() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("in"), "hello\n").unwrap();
        let (out, err) = (File::create(path("out")).unwrap(), File::create(path("err")).unwrap());
        let command = sh("cat; echo oops >&2").stdin_from(File::open(path("in")).unwrap());
        let ended = command.stdout_to(out).stderr_to(err).run().unwrap();
        assert!(ended.success() && ended.stdout.total == 0 && ended.stderr.total == 0);
        assert_eq!(std::fs::read_to_string(path("out")).unwrap(), "hello\n");
        assert_eq!(std::fs::read_to_string(path("err")).unwrap(), "oops\n");
    }

    #[test]
    fn a_missing_directory_is_not_mistaken_for_a_missing_program() {
        let problem = Command::new(["true"]).current_dir("/no/such/place").run().unwrap_err();
        assert_eq!(problem.full_message(), "cannot start `true`: no directory `/no/such/place`");
    }

    fn is_alive(pid: i32) -> bool {
        // A zombie that its new parent has not collected yet is not alive.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    }

    fn wait_until(condition: impl Fn() -> bool) -> bool {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if condition() {
                return true;
            }
            std::thread::yield_now();
        }
        false
    }
}
