//! The hidden part of this program that runs a shell which may do little.
//!
//! Two processes, both this executable: the *supervisor* adopts whatever the shell leaves behind (as a "subreaper") and ends
//! it, whatever session or environment it has given itself; the one below it gives up what the policy does not name, and
//! becomes the shell. What is given up is given up for all descendants and can not be had back:
//!
//! * files, by Landlock: reading and writing below the named paths, and nowhere else;
//! * modes, owners, times and attributes of files elsewhere, by mounts that are read-only; where no namespace for these is to
//!   be had, by seccomp, and then those of all files;
//! * the network, by Landlock (TCP) and by seccomp (sockets of every family, `io_uring`);
//! * signals to and traces of processes outside, by Landlock;
//! * privileges: all capabilities, and gaining any by running a program.
//!
//! Nothing of this needs privileges. Where the kernel can not do it, the shell does not start.

#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod supervisor;
#[cfg(target_os = "linux")]
mod syscalls;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shared::Exit;

/// The secret argument of the supervisor, and of the process that becomes the shell.
pub(super) const ARGUMENT: &str = "__confined";
#[cfg(target_os = "linux")]
const INNER: &str = "__confined-shell";

/// What the shell says by its exit code that could not be confined.
#[cfg(target_os = "linux")]
const REFUSED: u8 = 125;

/// How much of the confinement the kernel must be able to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Confinement {
    /// All of it (Linux 6.12 and later).
    #[default]
    Full,
    /// What it can, but at least files (Linux 6.2 and later).
    Partial,
    /// Nothing: for machines that are thrown away.
    None,
}

/// What a shell may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Policy {
    pub(super) confinement: Confinement,
    pub(super) network: bool,
    /// Files and directories that may be read and written.
    pub(super) write: Vec<PathBuf>,
    /// Files and directories that may be read, and programs there that may be run.
    pub(super) read: Vec<PathBuf>,
    /// Files within what may be written that stay as they are.
    pub(super) fixed: Vec<PathBuf>,
    /// Directories whose names may be listed.
    pub(super) list: Vec<PathBuf>,
}

/// Is one of the two processes, if this process was started as one.
pub fn main() -> Option<Exit> {
    #[cfg(target_os = "linux")]
    return supervisor::main();
    #[cfg(not(target_os = "linux"))]
    None
}

/// Says why a shell can not be confined here, if it can not.
pub(super) fn unavailable(confinement: Confinement) -> Option<String> {
    if confinement == Confinement::None {
        return None;
    }
    #[cfg(target_os = "linux")]
    return files::unavailable(confinement);
    #[cfg(not(target_os = "linux"))]
    Some("Bash can not be confined on this system".to_owned())
}
