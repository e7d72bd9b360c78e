//! Takes from this process whatever its work does not need: files, sockets, other programs,
//! more memory, time and output than its limits. Nothing taken away can be regained.
//!
//! The limits of the system (`setrlimit`) alone suffice against files and sockets: no descriptor can be
//! opened. Landlock denies the file system and TCP, and a list of system calls (seccomp) denies all
//! others, where the kernel has them; what it has is reported, for the log.

use std::collections::BTreeMap;

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, RulesetStatus,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::Budget;

/// Octets of memory besides those of the budget, for the program itself.
const MEMORY_OF_PROGRAM: u64 = 256 * 1024 * 1024;

/// Confines this process for good; returns what of Landlock and seccomp the kernel has, in words for
/// the log. An error means that the limits of the system could not be set, and no work may be done.
pub(super) fn confine(budget: Budget) -> Result<String, std::io::Error> {
    let memory = budget.memory_mib.saturating_mul(1024 * 1024);
    limit(Resource::Core, 0)?;
    limit(Resource::Cpu, budget.seconds)?;
    limit(Resource::As, memory.saturating_add(MEMORY_OF_PROGRAM))?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nproc, 0)?;
    let landlock = match landlock() {
        Ok(RulesetStatus::FullyEnforced) => "full",
        Ok(RulesetStatus::PartiallyEnforced) => "partial",
        Ok(RulesetStatus::NotEnforced) | Err(_) => "none",
    };
    // Landlock needed a descriptor of its own; from now on there are no new ones.
    limit(Resource::Nofile, 0)?;
    let seccomp = if seccomp().is_ok() { "full" } else { "none" };
    Ok(format!("landlock={landlock} seccomp={seccomp}"))
}

/// Sets one limit, so that it cannot be raised again.
fn limit(resource: Resource, most: u64) -> Result<(), std::io::Error> {
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}

/// No file, no directory, no TCP. Also gives up new privileges.
fn landlock() -> Result<RulesetStatus, RulesetError> {
    let abi = ABI::V5;
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?;
    Ok(rules.create()?.restrict_self()?.ruleset)
}

/// System calls that remain.
const CALLS: [i64; 23] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_close,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_fstat,
    libc::SYS_ppoll,
];

/// Refuses all other system calls, memory that could be run as a program, and signals to others.
fn seccomp() -> Result<(), seccompiler::Error> {
    let refused = SeccompAction::Errno(u32::try_from(libc::EPERM).unwrap_or(1));
    let arch = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules()?, refused, SeccompAction::Allow, arch)?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)
}

/// The system calls that remain, and with which arguments; a call without rules is free.
fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        CALLS.into_iter().map(|call| (call, Vec::new())).collect();
    let run = u64::try_from(libc::PROT_EXEC).unwrap_or_default();
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        let no_program =
            SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(run), 0)?;
        rules.insert(call, vec![SeccompRule::new(vec![no_program])?]);
    }
    // The standard library aborts by a signal to itself.
    let own = u64::from(std::process::id());
    let to_itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![to_itself])?]);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::rules;

    #[test]
    fn signals_go_to_itself_only_and_no_memory_becomes_a_program() {
        let rules = rules().unwrap();
        for call in [libc::SYS_tgkill, libc::SYS_mmap, libc::SYS_mprotect] {
            assert_eq!(rules[&call].len(), 1, "{call}");
        }
        for call in [libc::SYS_kill, libc::SYS_tkill, libc::SYS_execve, libc::SYS_openat] {
            assert!(!rules.contains_key(&call), "{call}");
        }
    }
}
