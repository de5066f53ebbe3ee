//! What a transcoding child gives up before it looks at what strangers sent: Linux' limits and seccomp.

// Closing descriptors that nothing here owns has no safe form.
#![allow(unsafe_code)]

use super::wire::Confinement;
use rustix::{
    io::Errno,
    process::{self, Resource, Rlimit, Signal},
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;

/// Lower than what forwards, which gets nine times as much of a core where both want it.
const NICE: i32 = 10;
/// Standard streams, the socket, and what is read of `/proc`.
const MOST_DESCRIPTORS: u64 = 16;
/// Addresses that may be reserved beyond memory that may be used: threads' stacks and arenas are mostly not.
const RESERVED: u64 = 8 << 30;

/// Closes everything that was inherited but the standard streams.
pub fn close_inherited() {
    // SAFETY: this runs first in the process, when nothing owns a descriptor above the standard three.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
    // Before Linux 5.9 they stay open; the server's own are closed by `exec` anyway.
    let _ = answer;
}

/// Goes behind whatever forwards. Answers whether that was done.
pub fn lower_priority() -> bool {
    process::setpriority_process(None, NICE).is_ok()
}

/// Gives up memory, descriptors, core dumps, and outliving the server.
pub fn limit(memory: u64) -> Confinement {
    let set = |resource, most| {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        process::setrlimit(resource, limit).is_ok()
    };
    set(Resource::Core, 0);
    set(Resource::Nofile, MOST_DESCRIPTORS);
    // What is written to: counted when it becomes writable, so that reserved addresses don't.
    let memory = set(Resource::Data, memory) && set(Resource::As, memory.saturating_add(RESERVED));
    // The socket's end tells it too, but not while it is busy.
    let _ = process::set_parent_process_death_signal(Some(Signal::KILL));
    Confinement { memory, ..Confinement::default() }
}

/// Leaves of the kernel what encoding takes, in this thread and those that it starts: anything else is refused with EPERM.
/// Answers whether that is in force.
pub fn restrict_calls() -> bool {
    filters().is_some_and(|filters| filters.iter().all(|filter| seccompiler::apply_filter(filter).is_ok()))
}

fn filters() -> Option<[BpfProgram; 2]> {
    let arch = std::env::consts::ARCH.try_into().ok()?;
    let everything: Vec<SeccompRule> = Vec::new();
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> =
        CALLS.iter().map(|call| (*call, everything.clone())).collect();
    // Threads, and no processes.
    let thread = libc::CLONE_THREAD as u64;
    let is_thread =
        SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), thread).ok()?;
    allowed.insert(libc::SYS_clone, vec![SeccompRule::new(vec![is_thread]).ok()?]);
    // Memory that is written and then run is nothing that these codecs make.
    let plain =
        SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0)
            .ok()?;
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        allowed.insert(call, vec![SeccompRule::new(vec![plain.clone()]).ok()?]);
    }
    // Debug builds look whether a descriptor is open before they close it.
    let looks =
        SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, libc::F_GETFD as u64).ok()?;
    allowed.insert(libc::SYS_fcntl, vec![SeccompRule::new(vec![looks]).ok()?]);
    let refused = SeccompAction::Errno(Errno::PERM.raw_os_error() as u32);
    let few = SeccompFilter::new(allowed, refused, SeccompAction::Allow, arch).ok()?;
    // Its flags are behind a pointer, where a filter can't look; without it, threads are made by `clone`.
    let missing = SeccompAction::Errno(Errno::NOSYS.raw_os_error() as u32);
    let clone3 = BTreeMap::from([(libc::SYS_clone3, everything)]);
    let no_clone3 = SeccompFilter::new(clone3, SeccompAction::Allow, missing, arch).ok()?;
    // The one that refuses more goes last: it refuses another filter, too.
    Some([no_clone3.try_into().ok()?, few.try_into().ok()?])
}

/// What reading and writing the socket, memory, threads, clocks and an orderly end take.
const CALLS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_clone3,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_recvfrom,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_tgkill,
    libc::SYS_write,
    libc::SYS_writev,
];
