//! A view of the file system in which nothing can be changed but what the policy names.
//!
//! Landlock knows nothing of modes, owners, times and attributes: who owns a file may change these through any path, also
//! where he may not write. A mount that is read-only refuses that too. To make mounts of one's own needs a namespace, which
//! administrators have and others get with a user namespace, where the system allows these.

use std::fs;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::Policy;

/// File systems of the kernel itself, in which modes and owners can not be changed in earnest; some refuse to be made
/// read-only in a user namespace.
const OF_THE_KERNEL: [&str; 18] = [
    "proc",
    "sysfs",
    "cgroup",
    "cgroup2",
    "devpts",
    "mqueue",
    "autofs",
    "binfmt_misc",
    "debugfs",
    "tracefs",
    "securityfs",
    "pstore",
    "bpf",
    "efivarfs",
    "configfs",
    "fusectl",
    "hugetlbfs",
    "nsfs",
];

/// Makes everything read-only but what the policy names; a reason if that can not be done here.
pub(super) fn restrict(policy: &Policy) -> Result<(), String> {
    let directory = std::env::current_dir().map_err(|error| error.to_string())?;
    enter()?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).map_err(|error| error.to_string())?;
    let mut kept = Vec::new();
    for path in policy.write.iter().filter(|path| path.exists()) {
        bind(path)?;
        kept.push(path.canonicalize().map_err(|error| error.to_string())?);
    }
    let mut fixed = Vec::new();
    for path in policy.fixed.iter().filter(|path| path.exists()) {
        bind(path)?;
        fixed.push(path.clone());
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(|error| error.to_string())?;
    for line in mounts.lines() {
        let Some(found) = Mount::parse(line) else {
            return Err("the list of mounts is not understood".to_owned());
        };
        let is_kept = kept.iter().any(|path| found.path.starts_with(path)) && !fixed.contains(&found.path);
        if is_kept {
            continue;
        }
        let flags = found.flags | MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
        let made = mount(none, &found.path, none, flags, none);
        if let Err(error) = made
            && !OF_THE_KERNEL.contains(&found.kind.as_str())
            && !found.is_read_only
        {
            return Err(format!("{} can not be made read-only: {error}", found.path.display()));
        }
    }
    // The directory that we were in is still the one below the new mount.
    std::env::set_current_dir(directory).map_err(|error| error.to_string())
}

/// Enters a namespace of mounts.
fn enter() -> Result<(), String> {
    if unshare(CloneFlags::CLONE_NEWNS).is_ok() {
        return Ok(());
    }
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
        .map_err(|error| format!("there is no namespace of users to be had: {error}"))?;
    // Everybody is who he was.
    for (file, text) in [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("{user} {user} 1")),
        ("/proc/self/gid_map", format!("{group} {group} 1")),
    ] {
        fs::write(file, text).map_err(|error| format!("cannot write {file}: {error}"))?;
    }
    Ok(())
}

fn bind(path: &Path) -> Result<(), String> {
    let none: Option<&str> = None;
    mount(Some(path), path, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)
        .map_err(|error| format!("cannot mount {}: {error}", path.display()))
}

/// A line of `/proc/self/mountinfo` (`man 5 proc_pid_mountinfo`).
#[derive(Debug, PartialEq)]
struct Mount {
    path: PathBuf,
    kind: String,
    /// What has to stay set when it is mounted again.
    flags: MsFlags,
    is_read_only: bool,
}

impl Mount {
    fn parse(line: &str) -> Option<Mount> {
        let (front, back) = line.split_once(" - ")?;
        let mut fields = front.split(' ');
        let path = unescaped(fields.nth(4)?);
        let mut flags = MsFlags::empty();
        let mut is_read_only = false;
        for option in fields.next()?.split(',') {
            match option {
                "nosuid" => flags |= MsFlags::MS_NOSUID,
                "nodev" => flags |= MsFlags::MS_NODEV,
                "noexec" => flags |= MsFlags::MS_NOEXEC,
                "noatime" => flags |= MsFlags::MS_NOATIME,
                "nodiratime" => flags |= MsFlags::MS_NODIRATIME,
                "relatime" => flags |= MsFlags::MS_RELATIME,
                "ro" => is_read_only = true,
                _ => {}
            }
        }
        Some(Mount { path, kind: back.split(' ').next()?.to_owned(), flags, is_read_only })
    }
}

/// Undoes the octal numbers that stand for white space and backslashes.
fn unescaped(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes = text.as_bytes();
    let (mut path, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let octal = text.get(at + 1..at + 4).filter(|_| bytes[at] == b'\\');
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                path.push(byte);
                at += 4;
            }
            None => {
                path.push(bytes[at]);
                at += 1;
            }
        }
    }
    std::ffi::OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_read() {
        let line =
            r"36 35 98:0 /mnt1 /mnt/a\040b rw,nosuid,relatime master:1 - ext3 /dev/root rw,errors=continue";
        let expected = Mount {
            path: "/mnt/a b".into(),
            kind: "ext3".to_owned(),
            flags: MsFlags::MS_NOSUID | MsFlags::MS_RELATIME,
            is_read_only: false,
        };
        assert_eq!(Mount::parse(line), Some(expected));
        assert_eq!(Mount::parse("36 35"), None);
    }
}
