//! SIGINT, SIGTERM and SIGHUP: children end first, results are kept, then the program leaves with 130.
//!
//! Children have process groups of their own, so that a terminal's Ctrl-C reaches only us. The first signal asks them
//! to end and sets a flag; a program that has said with [`hold`] that it looks at the flag then finishes by itself, any
//! other ends at once. A second signal ends everything.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::group;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static HELD: AtomicBool = AtomicBool::new(false);
static SIGNALS: AtomicU64 = AtomicU64::new(0);

/// Tells whether the user or the system has asked this program to end.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Promises that this program looks at [`requested`] and ends by itself soon after.
pub fn hold() {
    HELD.store(true, Ordering::Relaxed);
}

/// Sees to it that a file that may not grow any more is an error of who writes to it, and not the sudden end of the program.
fn outlive_file_limits() {
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}

/// Listens for signals from now on. Without a thread to do so, signals keep their usual effect.
pub(crate) fn install() {
    outlive_file_limits();
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in &mut signals {
            REQUESTED.store(true, Ordering::Relaxed);
            let is_second = SIGNALS.fetch_add(1, Ordering::Relaxed) > 0;
            if HELD.load(Ordering::Relaxed) && !is_second {
                group::end_all();
            } else {
                group::kill_all();
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    });
}
