//! Sees to it that no child outlives a program that was killed.
//!
//! Before its first child, a program starts a warden: this same executable with a secret argument and a pipe for its
//! standard input. When the program ends, in whatever way, the pipe closes; if it did not say goodbye first, the warden ends
//! every process that carries the program's mark in its environment, grandchildren and those in sessions of their own
//! included. Marks are found in `/proc`; where there is none, a killed program may leave children behind.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::Duration;

use crate::Exit;

/// The environment variable that marks all descendants of a program.
pub const MARK: &str = "SPECPIPE_RUN";

/// The environment variable that marks the descendants of one child.
pub const CHILD_MARK: &str = "SPECPIPE_CHILD";

const ARGUMENT: &str = "__warden";

static PIPE: OnceLock<Mutex<Option<ChildStdin>>> = OnceLock::new();

/// Returns the mark of this program: its process id and the time it started.
pub fn mark() -> &'static str {
    static RUN: LazyLock<String> = LazyLock::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        format!("{}-{:x}", std::process::id(), since.as_nanos())
    });
    &RUN
}

/// Returns the mark of one more child.
pub(crate) fn child_mark() -> String {
    static CHILDREN: AtomicU64 = AtomicU64::new(0);
    format!("{}.{}", mark(), CHILDREN.fetch_add(1, Ordering::Relaxed))
}

/// Starts the warden of this program, once.
pub(crate) fn start() {
    PIPE.get_or_init(|| Mutex::new(spawn()));
}

fn spawn() -> Option<ChildStdin> {
    // A test binary is not one of the five programs and would run its tests again.
    if cfg!(test) || !std::path::Path::new("/proc/self/environ").exists() {
        return None;
    }
    let program = std::env::current_exe().ok()?;
    let name = program.file_name()?.to_str()?;
    if !is_ours(name) {
        return None;
    }
    let mut command = Command::new(&program);
    // Without the mark of the program above us, whose warden would otherwise end this one before its work.
    command.args([ARGUMENT, mark()]).env_remove(MARK).env_remove(CHILD_MARK).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().ok()?.stdin
}

/// Tells whether this is a program that calls [`main`](crate::main), also under a prefix that its installer gave it.
fn is_ours(name: &str) -> bool {
    ["classify", "dispatch", "gates", "verify", "converge"].iter().any(|tool| name.ends_with(tool))
}

/// Says goodbye, so that what children have left running on purpose stays.
pub(crate) fn dismiss() {
    if let Some(pipe) = PIPE.get() {
        let mut pipe = pipe.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(mut pipe) = pipe.take() {
            let _ = pipe.write_all(b"q");
        }
    }
}

/// Is the warden, if this process was started as one.
pub(crate) fn main() -> Option<Exit> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let mark = arguments.next()?.into_string().ok()?;
    // A signal for the program's whole session must not end the one who cleans up after it.
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        let _ = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
    }
    let mut byte = [0];
    let goodbye = loop {
        match std::io::stdin().read(&mut byte) {
            Ok(count) => break count > 0,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break false,
        }
    };
    if !goodbye {
        end_marked(&mark);
    }
    Some(Exit::Ok)
}

/// How often it is looked whether anything is left, …
const LOOK: Duration = Duration::from_millis(20);
/// … how many times patiently, since somebody may be putting a file in order that others would trip over, …
const PATIENT_LOOKS: u32 = 25;
/// … and how many times at all.
const MOST_LOOKS: u32 = 200;

/// Ends all processes with the mark, until none is left. Programs of this project are asked first: they have children too.
pub fn end_marked(mark: &str) {
    end(&format!("{MARK}={mark}"));
}

/// Ends what is left of the descendants of a child, those in sessions of their own included.
pub(crate) fn end_child(mark: &str) {
    end(&format!("{CHILD_MARK}={mark}"));
}

fn end(needle: &str) {
    use rustix::process::{Pid, Signal, kill_process};
    for round in 0..MOST_LOOKS {
        let marked: Vec<Pid> = marked(needle.as_bytes());
        if marked.is_empty() {
            return;
        }
        let signal = match round {
            0 => Some(Signal::TERM),
            1..PATIENT_LOOKS => None,
            _ => Some(Signal::KILL),
        };
        if let Some(signal) = signal {
            for pid in marked {
                let _ = kill_process(pid, signal);
            }
        }
        std::thread::sleep(LOOK);
    }
}

fn marked(needle: &[u8]) -> Vec<rustix::process::Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let own = std::process::id() as i32;
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != own)
        .filter(|pid| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == needle)
        })
        .filter_map(rustix::process::Pid::from_raw)
        .collect()
}
