//! What of the file system, by Landlock.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};

use super::{Confinement, Policy};

/// What every program needs to start: libraries, interpreters, tables of names, certificates. Of `/etc` only what is no
/// secret, by name, and of `/proc` only what says nothing about other processes.
const SYSTEM: [&str; 56] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/alternatives",
    "/etc/bash.bashrc",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    "/etc/debian_version",
    "/etc/environment.d",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/inputrc",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/locale.alias",
    "/etc/localtime",
    "/etc/magic",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/perl",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
    "/etc/profile",
    "/etc/profile.d",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/shells",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/terminfo",
    "/etc/timezone",
    "/run/systemd/resolve/stub-resolv.conf",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
];

/// Devices without a content of their own.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What all the rules speak of: everything that the newest kernel known here can deny.
const NEWEST: ABI = ABI::V6;

/// Gives up everything but what the policy names; a reason if the kernel can not do it.
pub(super) fn restrict(policy: &Policy) -> Result<(), String> {
    apply(policy).map_err(|error| format!("{error}: {}", why(policy.confinement)))
}

/// Says why it can not be done here, if it can not.
pub(super) fn unavailable(confinement: Confinement) -> Option<String> {
    ruleset(confinement, false)
        .err()
        .map(|error| format!("Bash can not be confined on this kernel: {error}: {}", why(confinement)))
}

fn why(confinement: Confinement) -> &'static str {
    match confinement {
        Confinement::Full => {
            "this needs Linux 6.12 with Landlock; `confinement = \"partial\"` in [dispatch.native] takes what there is \
             from 6.2 on, without the protection of other processes from signals"
        }
        _ => "this needs Linux 6.2 with Landlock; use executors without Bash, or `command` backends",
    }
}

fn ruleset(confinement: Confinement, network: bool) -> Result<landlock::RulesetCreated, RulesetError> {
    // Files are never negotiable: before ABI 3 anybody may cut off files outside.
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V3))?;
    let level = match confinement {
        Confinement::Full => CompatLevel::HardRequirement,
        _ => CompatLevel::BestEffort,
    };
    let ruleset = ruleset
        .set_compatibility(level)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?;
    let ruleset = if network { ruleset } else { ruleset.handle_access(AccessNet::from_all(NEWEST))? };
    ruleset.create()
}

fn apply(policy: &Policy) -> Result<(), RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute;
    // Everything but what makes devices, and ioctl on those that are there.
    let write = AccessFs::from_all(ABI::V3) & !(AccessFs::MakeChar | AccessFs::MakeBlock);
    let devices: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::WriteFile;
    let list: BitFlags<AccessFs> = AccessFs::ReadDir.into();
    let there = |paths: &[std::path::PathBuf]| -> Vec<std::path::PathBuf> {
        paths.iter().filter(|path| path.exists()).cloned().collect()
    };
    ruleset(policy.confinement, policy.network)?
        .add_rules(path_beneath_rules(SYSTEM.iter().filter(|path| Path::new(path).exists()), read))?
        .add_rules(path_beneath_rules(DEVICES, devices))?
        .add_rules(path_beneath_rules(there(&policy.read), read))?
        .add_rules(path_beneath_rules(there(&policy.list), list))?
        .add_rules(path_beneath_rules(there(&policy.write), write))?
        .restrict_self()?;
    Ok(())
}
