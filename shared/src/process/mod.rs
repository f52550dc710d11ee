//! Runs a child process: in a process group of its own, with a deadline, reading both streams at once into bounded
//! memory, and with a name for every way to end.
//!
//! The whole tree is ended on a timeout, on an interrupt, and (by the [`warden`](mod@crate::warden)) when this program itself
//! is killed. The end of a stream is not waited for once the child has ended: a grandchild in the background may hold
//! it open for ever.
//!
//! One thread waits for everything with `poll`, without signals or helper threads, and the child is started without a
//! `fork` of this program's memory (`process_group` and a working directory stay on the `posix_spawn` path of std).

mod cancel;
mod captured;
mod streams;
mod wait;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use cancel::{Cancel, Cancelled};
pub use captured::Captured;

use crate::group::{self, GRACE, Group};
use crate::{Problem, interrupt, warden};
use streams::Streams;
use wait::{Waiter, Watch};

/// How much of each stream is kept in memory, unless [`Command::capture`] says otherwise.
pub const CAPTURE: usize = 1 << 20;

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
    output_max: Option<u64>,
    capture: usize,
    spool: Option<PathBuf>,
    handed: Handed,
    grace: Duration,
    last_line: Option<(IsLast, Duration)>,
    cancel: Option<Cancel>,
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
            output_max: None,
            capture: CAPTURE,
            spool: None,
            handed: Handed::default(),
            grace: GRACE,
            last_line: None,
            cancel: None,
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

    /// Ends it once it has written more than so many bytes on standard output: a disk is not to be filled by one that
    /// prints for ever. How it ended is told as it ended; [`Captured::total`] tells how much it had written by then.
    #[must_use]
    pub fn output_max(mut self, bytes: u64) -> Self {
        self.output_max = Some(bytes);
        self
    }

    /// Ends it, with all that it has started, when this is cancelled; it has ended as [`How::Interrupted`] then.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: Cancel) -> Self {
        self.cancel = Some(cancel);
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
        let _membership = self.cancel.as_ref().map(|cancel| cancel.enter(group::pid(&child)));
        let mut streams =
            Streams::new(&mut child, self).map_err(|error| self.problem("run").because(error))?;
        let exit = Watch::new(&child);
        let mut waiter =
            Waiter { command: self, started, asked: None, reason: None, looked: None, done: None };
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|error| self.problem("wait for").because(error))? {
                break status;
            }
            waiter.end_if_due(&group, &streams);
            streams.transfer(Some(&exit), waiter.patience(&streams));
        };
        streams.drain();
        group.end_the_rest();
        let was_cancelled = self.is_cancelled() && !matches!(how(status), How::Exited(0));
        if waiter.reason.is_some() || was_cancelled {
            // It was not its own end, so nothing that it has started was meant to stay.
            warden::end_child(&mark);
        }
        let how = match (waiter.reason, how(status)) {
            (Some(reason), _) => reason,
            // All groups are signalled at once on an interrupt, so it may have ended before its waiter knew why.
            (None, How::Signalled(_)) if interrupt::requested() || was_cancelled => How::Interrupted,
            (None, how) => how,
        };
        let [stdout, stderr] = streams.finish();
        Ok(Ended { how, stdout, stderr, elapsed: started.elapsed() })
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_cancelled)
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
        // A make above us speaks to its own children by these, and a make below us is not one of them.
        command.env_remove("MAKEFLAGS").env_remove("MFLAGS").env_remove("MAKELEVEL");
        let input = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let handed = |file, otherwise| {
            Handed::stdio(file, otherwise).map_err(|error| self.problem("start").because(error))
        };
        command.stdin(handed(&self.handed.stdin, input)?);
        command.stdout(handed(&self.handed.stdout, Stdio::piped())?);
        command.stderr(handed(&self.handed.stderr, Stdio::piped())?);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
            // Some programs believe it more than the directory they are in, and would work in ours.
            if directory.is_absolute() {
                command.env("PWD", directory.components().collect::<PathBuf>());
            } else {
                command.env_remove("PWD");
            }
        }
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
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
mod tests;
