//! Switches from root to a user, and drops all rights beyond that user's, permanently.
//!
//! The system calls affect the calling thread and those that it starts later, so the process must be single-threaded.
//! Users are looked up in `/etc/passwd`, or given as numbers.

use std::io;

use rustix::fs::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid, set_thread_uid,
};

//------------ User ----------------------------------------------------------

/// A user to run as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// Its own group.
    pub gid: u32,
}

/// The user of a name in `/etc/passwd`, or of a number, or of numbers `UID:GID`.
pub fn user(text: &str) -> Result<User, String> {
    // A missing file means that there are no named users.
    find(text, &std::fs::read_to_string("/etc/passwd").unwrap_or_default())
}

/// The same in a given list.
fn find(text: &str, passwd: &str) -> Result<User, String> {
    if let Some((uid, gid)) = text.split_once(':')
        && let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse())
    {
        return not_root(User { uid, gid }, text);
    }
    let number = text.parse::<u32>();
    for line in passwd.lines() {
        let mut fields = line.split(':');
        let (name, _, uid, gid) = (fields.next(), fields.next(), fields.next(), fields.next());
        let numbers = uid.and_then(|it| it.parse().ok()).zip(gid.and_then(|it| it.parse().ok()));
        if let Some((uid, gid)) = numbers
            && (name == Some(text) || number == Ok(uid))
        {
            return not_root(User { uid, gid }, text);
        }
    }
    Err(format!("there is no user \"{text}\" in /etc/passwd: make one, or write UID:GID"))
}

/// Refuses root.
fn not_root(user: User, text: &str) -> Result<User, String> {
    if user.uid == 0 || user.gid == 0 {
        return Err(format!("\"{text}\" is root: name a user without its rights"));
    }
    Ok(user)
}

//------------ Rights --------------------------------------------------------

/// Whether this process is root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether this process has any capability.
pub fn holds_rights() -> bool {
    is_root() || capabilities(None).is_ok_and(|sets| !sets.permitted.is_empty())
}

/// Becomes `user`, if one is given, and gives up every right: supplementary groups, capabilities, and programs that
/// would give new ones (set-user-ID).
pub fn shed(user: Option<User>) -> io::Result<()> {
    if std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        return Err(io::Error::other("other threads run already, and would keep their rights"));
    }
    for bit in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        // EINVAL: capabilities that the kernel does not know. EPERM: without CAP_SETPCAP the bounding set stays, but is
        // irrelevant to a process that cannot gain rights.
        if capability_is_in_bounding_set(one).unwrap_or(false) {
            let _ = remove_capability_from_bounding_set(one);
        }
    }
    if let Some(User { uid, gid }) = user {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        set_thread_groups(&[])?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
    }
    // Kernels before 4.3 have no ambient set.
    let _ = clear_ambient_capability_set();
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    set_no_new_privs(true)?;
    if user.is_some() && set_thread_uid(Uid::ROOT).is_ok() {
        return Err(io::Error::other("the system lets this process become root again"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\ngapura:x:990:989::/:/usr/sbin/nologin\n";
        let gapura = Ok(User { uid: 990, gid: 989 });
        assert_eq!(find("gapura", passwd), gapura);
        assert_eq!(find("990", passwd), gapura);
        assert_eq!(find("7:8", passwd), Ok(User { uid: 7, gid: 8 }));
        for (text, why) in [
            ("nobody", "no user"),
            ("7", "no user"),
            ("root", "is root"),
            ("0:0", "is root"),
            ("5:0", "is root"),
        ] {
            assert!(find(text, passwd).unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn a_process_with_threads_keeps_its_rights_and_says_so() {
        // Tests run on threads.
        assert!(shed(None).unwrap_err().to_string().contains("other threads"));
    }
}
