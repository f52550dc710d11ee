//! The process groups that are alive, and how to end them.

use std::collections::BTreeSet;
use std::process::Child;
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// Returns the process id of a child.
pub(crate) fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// How long a child may take to end after it was asked to.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// The process groups that are alive.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn groups() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The process group of a child, for as long as somebody waits for the child.
pub(crate) struct Group(Option<Pid>);

impl Group {
    pub(crate) fn enter(child: &Child) -> Group {
        let pid = pid(child);
        groups().extend(pid.map(|pid| pid.as_raw_nonzero().get()));
        Group(pid)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.0 {
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Ends what the child has left behind in its group.
    pub(crate) fn end_the_rest(&self) {
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
pub(crate) fn end_all() {
    signal_all(Signal::TERM);
    // Those who wait for a child end it after the same grace; this is for children that nobody waits for any more.
    let _ = std::thread::Builder::new().spawn(move || {
        std::thread::sleep(GRACE);
        kill_all();
    });
}

/// Ends all children at once.
pub(crate) fn kill_all() {
    signal_all(Signal::KILL);
}
