//! Where other terminals reach a running dispatch: a directory of its own in the state directory, with a socket in it.
//!
//! The directory, `.specpipe/run/<run>`, is locked as long as the run lives, so that everybody can tell whether it does; what a
//! killed run has left is removed by the next one. Only its owner may enter. One thread waits for questions and hands them to the
//! run, which answers between two of its own decisions; nobody looks for anything again and again.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::journal::Retry;

/// Where the directories of the runs are, in the state directory.
const RUNS: &str = "run";

/// The name of the socket in the directory of a run.
const SOCKET: &str = "control";

/// How long one side waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest path that an address of a socket can hold everywhere.
const LONGEST: usize = 100;

/// A directory that is being made has no name yet that counts; if that takes so long, its maker was killed.
const HALF_MADE: Duration = Duration::from_secs(60);

/// What somebody wants of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Ends these tasks.
    Cancel { ids: Vec<String> },
    /// Makes the attempt of a task again that runs.
    Retry { id: String, retry: Retry },
}

/// What came of it, for each id that the run knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reply {
    /// The id, whether it was done, and what there is to say.
    pub(crate) told: Vec<(String, bool, String)>,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) answer: Sender<Reply>,
}

/// The place of a run, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Control {
    directory: PathBuf,
    _lock: File,
}

impl Control {
    /// Makes a place for a run, clears away what killed ones have left, and hands every request to a function.
    pub(crate) fn open(
        state: &Path,
        run: &str,
        hand: impl Fn(Asked) + Send + 'static,
    ) -> io::Result<Control> {
        clear(state);
        let runs = state.join(RUNS);
        std::fs::create_dir_all(&runs)?;
        let made = runs.join(format!(".{run}"));
        DirBuilder::new().mode(0o700).create(&made)?;
        let lock = File::open(&made)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        let listener = UnixListener::bind(address(&made, &lock))?;
        let directory = runs.join(run);
        std::fs::rename(&made, &directory)?;
        std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                // Who asks and does not listen has only himself to blame.
                let _ = serve(&stream, &hand);
            }
        })?;
        Ok(Control { directory, _lock: lock })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn serve(stream: &UnixStream, hand: &impl Fn(Asked)) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(io::Read::take(stream, 1 << 20)).read_line(&mut line)?;
    let Ok(request) = serde_json::from_str(&line) else { return Ok(()) };
    let (answer, answered) = channel();
    hand(Asked { request, answer });
    let Ok(reply) = answered.recv_timeout(PATIENCE) else { return Ok(()) };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    (&*stream).write_all(&line)
}

/// Asks a run for something.
///
/// # Errors
/// If it can not be reached or does not answer.
pub(crate) fn ask(state: &Path, run: &str, request: &Request) -> io::Result<Reply> {
    let directory = state.join(RUNS).join(run);
    let open = File::open(&directory)?;
    let mut stream = UnixStream::connect(address(&directory, &open))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    serde_json::from_str(&answer).map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))
}

/// Tells whether a run is going on.
pub(crate) fn is_going_on(state: &Path, run: &str) -> bool {
    let directory = File::open(state.join(RUNS).join(run));
    directory.is_ok_and(|directory| flock(&directory, FlockOperation::NonBlockingLockShared).is_err())
}

/// Returns the runs that are going on.
pub(crate) fn going_on(state: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(state.join(RUNS)).into_iter().flatten().filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.') && is_going_on(state, name)).collect()
}

/// Removes what killed runs have left.
fn clear(state: &Path) {
    let entries = std::fs::read_dir(state.join(RUNS)).into_iter().flatten().filter_map(Result::ok);
    for entry in entries {
        let is_half_made = entry.file_name().as_encoded_bytes().starts_with(b".");
        let made =
            entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let may_be_in_work =
            made.elapsed().is_ok_and(|age| age < HALF_MADE) && maker_lives(&entry.file_name());
        if is_half_made && may_be_in_work {
            continue;
        }
        let Ok(directory) = File::open(entry.path()) else { continue };
        if flock(&directory, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Tells whether the process is there that a run has its name from.
fn maker_lives(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let pid = name.trim_start_matches('.').split('-').next().and_then(|pid| pid.parse().ok());
    // Who is there and somebody else's is there.
    pid.and_then(Pid::from_raw).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

/// Returns the address of the socket in a directory. A long path does not fit into one: through the open directory it does.
fn address(directory: &Path, open: &File) -> PathBuf {
    let path = directory.join(SOCKET);
    if path.as_os_str().len() <= LONGEST || !cfg!(target_os = "linux") {
        return path;
    }
    PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", open.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(asked: Asked) {
        let Request::Cancel { ids } = asked.request else { return };
        let told = ids.into_iter().map(|id| (id, true, "ended".to_owned())).collect();
        let _ = asked.answer.send(Reply { told });
    }

    #[test]
    fn a_run_answers_while_it_lives_also_where_paths_are_long() {
        let place = tempfile::tempdir().unwrap();
        for state in [place.path().to_owned(), place.path().join("x".repeat(150))] {
            let control = Control::open(&state, "7-a", echo).unwrap();
            assert!(is_going_on(&state, "7-a") && going_on(&state) == ["7-a"]);
            let request = Request::Cancel { ids: vec!["t".to_owned()] };
            let reply = ask(&state, "7-a", &request).unwrap();
            assert_eq!(reply.told, [("t".to_owned(), true, "ended".to_owned())]);
            drop(control);
            assert!(!is_going_on(&state, "7-a") && ask(&state, "7-a", &request).is_err());
            assert_eq!(std::fs::read_dir(state.join(RUNS)).unwrap().count(), 0);
        }
    }

    #[test]
    fn only_the_owner_may_enter_and_what_a_killed_run_left_is_cleared_away() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let runs = state.path().join(RUNS);
        std::fs::create_dir_all(runs.join("1-killed")).unwrap();
        let in_work = runs.join(format!(".{}-being-made", std::process::id()));
        std::fs::create_dir_all(&in_work).unwrap();
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        let left = runs.join(format!(".{}-half-made", gone.id()));
        std::fs::create_dir_all(&left).unwrap();
        drop(UnixListener::bind(runs.join("1-killed").join(SOCKET)).unwrap());
        let first = Control::open(state.path(), "3-a", echo).unwrap();
        let second = Control::open(state.path(), "4-b", echo).unwrap();
        assert!(!runs.join("1-killed").exists() && in_work.exists() && !left.exists());
        assert_eq!(runs.join("3-a").metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let mut names = going_on(state.path());
        names.sort();
        assert_eq!(names, ["3-a", "4-b"]);
        drop((first, second));
    }
}
