//! The two processes: one that sees to the end of everything, and one that becomes the shell.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, kill_process};
use rustix::thread::{CapabilitySet, CapabilitySets};
use shared::Exit;

use super::{ARGUMENT, Confinement, INNER, Policy, REFUSED, files, mounts, syscalls};

/// The most processes at once, and how many more for each processor: a build has a handful on each.
const PROCESSES: usize = 256;
const FOR_EACH: usize = 16;
/// How much the shell gives way to the supervisor, which has to count and end many that all want to run.
const NICE: i32 = 5;
/// The largest file that may be written, in bytes.
const FILE: u64 = 4 << 30;
/// How often it is looked how many processes there are.
const LOOK: Duration = Duration::from_millis(50);
/// How long it is tried to end them all.
const END: Duration = Duration::from_secs(10);

/// Is one of the two, if this process was started as one.
pub(super) fn main() -> Option<Exit> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let [_, mode, policy, command] = &arguments[..] else { return None };
    let done = if mode == ARGUMENT {
        supervise(policy, command)
    } else if mode == INNER {
        become_shell(policy, command)
    } else {
        return None;
    };
    match done {
        Ok(code) => std::process::exit(code),
        Err(reason) => {
            complain(&reason);
            std::process::exit(i32::from(REFUSED));
        }
    }
}

fn complain(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Starts the shell, waits for its end, and ends what it has left.
fn supervise(policy: &OsString, command: &OsString) -> Result<i32, String> {
    let failed = |what: &str, error: std::io::Error| format!("cannot {what}: {error}");
    let is_asked_to_end = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&is_asked_to_end))
            .map_err(|error| failed("listen", error))?;
    }
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| failed("adopt processes", error.into()))?;
    let stdout =
        std::io::stdout().as_fd().try_clone_to_owned().map_err(|error| failed("share the output", error))?;
    let mut inner = Command::new("/proc/self/exe");
    inner.arg(INNER).arg(policy).arg(command).stdin(Stdio::null());
    // One stream, so that what is printed is in its order; standard error is for what we have to say.
    inner.stdout(Stdio::inherit()).stderr(stdout);
    let mut child = inner.spawn().map_err(|error| failed("start the shell", error))?;
    let (sender, receiver) = channel();
    let waiter = move || {
        let _ = sender.send(child.wait());
    };
    std::thread::Builder::new().spawn(waiter).map_err(|error| failed("wait for the shell", error))?;
    let most = PROCESSES + FOR_EACH * shared::processors();
    let status = loop {
        match receiver.recv_timeout(LOOK) {
            Ok(status) => break Some(status.map_err(|error| failed("wait for the shell", error))?),
            Err(RecvTimeoutError::Disconnected) => break None,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if is_asked_to_end.load(Ordering::Relaxed) {
            break None;
        }
        // To count all that there are is cheap; to find out whose they are is not, and rarely necessary.
        if all_processes() > most && descendants().len() > most {
            complain(&format!("ended because it had more than {most} processes at once"));
            break None;
        }
    };
    end_all(status.is_none())?;
    Ok(status.map_or(128 + 9, code))
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(9))
}

/// Ends all descendants. They can not outrun this: who forks while we look is found the next time, as a child of ours if
/// need be, and who is killed forks no more.
fn end_all(shell_is_waited_for: bool) -> Result<(), String> {
    let started = Instant::now();
    loop {
        let left = descendants();
        for pid in &left {
            let _ = Pid::from_raw(*pid).map(|pid| kill_process(pid, Signal::KILL));
        }
        // The dead that nobody has waited for.
        if !shell_is_waited_for {
            while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
        }
        if left.is_empty() {
            return Ok(());
        }
        if started.elapsed() > END {
            return Err(format!("{} processes could not be ended", left.len()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn all_processes() -> usize {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    entries.filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit)).count()
}

/// Returns the descendants of this process that are alive.
fn descendants() -> HashSet<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    let Ok(entries) = std::fs::read_dir("/proc") else { return HashSet::new() };
    for entry in entries.filter_map(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name before these may hold anything, parentheses and spaces too.
        let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let state = fields.next();
        if let Some(parent) = fields.next().and_then(|parent| parent.parse().ok())
            && !matches!(state, Some("Z" | "X"))
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = HashSet::new();
    let mut next = vec![std::process::id() as i32];
    while let Some(pid) = next.pop() {
        for child in children.get(&pid).into_iter().flatten() {
            if found.insert(*child) {
                next.push(*child);
            }
        }
    }
    found
}

/// Gives up what the policy does not name, and becomes the shell.
fn become_shell(policy: &OsString, command: &OsString) -> Result<i32, String> {
    let policy: Policy = policy
        .to_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or("the policy can not be read")?;
    // If the supervisor is killed, the shell is not to go on.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    let _ = rustix::process::nice(NICE);
    limit(Resource::Core, 0);
    limit(Resource::Fsize, FILE);
    if policy.confinement != Confinement::None {
        close_inherited()?;
        let has_mounts = mounts::restrict(&policy).is_ok();
        give_up_capabilities()?;
        files::restrict(&policy)?;
        let may_change_modes = has_mounts || policy.confinement == Confinement::Partial;
        syscalls::restrict(policy.network, may_change_modes)?;
    }
    let shell = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    let error = Command::new(shell.unwrap_or("/bin/sh")).arg("-c").arg(command).exec();
    Err(format!("cannot start the shell: {error}"))
}

fn limit(resource: Resource, most: u64) {
    let now = rustix::process::getrlimit(resource);
    let most = now.maximum.map_or(most, |now| now.min(most));
    let _ = rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
}

/// Closes files that whoever started us has left open: an open file is not asked for its path.
fn close_inherited() -> Result<(), String> {
    let entries =
        std::fs::read_dir("/proc/self/fd").map_err(|error| format!("cannot see open files: {error}"))?;
    let open: Vec<i32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in open {
        // The one that the list was read from is closed already.
        let _ = nix::unistd::close(fd);
    }
    Ok(())
}

fn give_up_capabilities() -> Result<(), String> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets)
        .map_err(|error| format!("cannot give up privileges: {error}"))
}
