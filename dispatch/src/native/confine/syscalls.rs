//! What of the kernel, by seccomp: calls that reach around the rules for files, or that only an administrator needs.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// Calls that no build and no test needs.
const DENIED: &[libc::c_long] = &[
    // A socket without `socket`, and a file without a path.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // Other views of the file system, and other users of the kernel.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    // Keys that the user's session holds.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Memory and messages that outlive whoever made them, and that others find by a number.
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
    // The machine.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
];

/// Calls that change what Landlock does not look at. Those that only old processors have are added below.
const MODES: &[libc::c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

/// Calls that are newer than the list of them; their numbers are the same on all processors that are supported.
const FCHMODAT2: libc::c_long = 452;
const SETXATTRAT: libc::c_long = 463;
const REMOVEXATTRAT: libc::c_long = 466;
const FILE_SETATTR: libc::c_long = 469;

/// `FS_IOC_SETFLAGS` and `FS_IOC_FSSETXATTR`: attributes such as "immutable".
const SET_FLAGS: [u64; 2] = [0x4008_6602, 0x401c_5820];

/// In the x32 variant of x86-64 the same calls have other numbers.
const X32: libc::c_long = 0x4000_0000;

/// Denies these calls to this process and its descendants.
pub(super) fn restrict(network: bool, may_change_modes: bool) -> Result<(), String> {
    let failed = |error: String| format!("cannot filter system calls: {error}");
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| failed(error.to_string()))?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = DENIED.iter().map(|call| (*call, Vec::new())).collect();
    if !may_change_modes {
        rules.extend(MODES.iter().map(|call| (*call, Vec::new())));
    }
    // A socket in the file system leads to whoever listens there, with all that he may do.
    let families: &[libc::c_int] =
        if network { &[libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK] } else { &[] };
    let others = families
        .iter()
        .map(|family| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, *family as u64))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(error.to_string()))?;
    let socket = match others.is_empty() {
        true => Vec::new(),
        false => vec![SeccompRule::new(others).map_err(|error| failed(error.to_string()))?],
    };
    rules.insert(libc::SYS_socket, socket);
    let one = |at, size, how, value| {
        let condition = SeccompCondition::new(at, size, how, value);
        condition
            .and_then(|condition| SeccompRule::new(vec![condition]))
            .map_err(|error| failed(error.to_string()))
    };
    // The limits of another process: one second of time for dispatch would be its end.
    rules.insert(libc::SYS_prlimit64, vec![one(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, 0)?]);
    // A pair leads to nobody, but for datagrams, which can be sent to any socket in the file system.
    let kind = SeccompCmpOp::MaskedEq(0xf);
    rules.insert(libc::SYS_socketpair, vec![one(1, SeccompCmpArgLen::Dword, kind, libc::SOCK_DGRAM as u64)?]);
    // A terminal would take characters as if they were typed by the user who sits there.
    let mut requests = vec![libc::TIOCSTI];
    if !may_change_modes {
        requests.extend(SET_FLAGS);
    }
    let requests = requests.into_iter().map(|request| {
        let condition = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request);
        condition.and_then(|condition| SeccompRule::new(vec![condition]))
    });
    let requests = requests.collect::<Result<Vec<_>, _>>().map_err(|error| failed(error.to_string()))?;
    rules.insert(libc::SYS_ioctl, requests);
    if cfg!(target_arch = "x86_64") {
        let again: Vec<_> = rules.iter().map(|(call, rules)| (call | X32, rules.clone())).collect();
        rules.extend(again);
    }
    let errno = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, errno, arch);
    let program: BpfProgram =
        filter.and_then(BpfProgram::try_from).map_err(|error| failed(error.to_string()))?;
    seccompiler::apply_filter(&program).map_err(|error| failed(error.to_string()))
}
