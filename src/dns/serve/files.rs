//! How many connections the limit of open files leaves room for.
//!
//! Zone files, the database, the control socket and the sockets of the listeners need descriptors too, and
//! must not fail because clients hold all of them.

use super::batch::system;

/// Files that a process may have open, where the system does not say how many.
const FILES_MIN: usize = 1024;
/// What gapura needs besides connections, with some to spare: about 56 while nothing happens (a second
/// handle on each listening socket among them, for who comes after us), and sockets to other servers.
const OWN: usize = 72;
/// The most connections of each kind if nobody says.
const CONNECTIONS_MAX: usize = 1 << 16;
/// The fewest, however low the limit is.
const CONNECTIONS_MIN: usize = 4;

/// Connections for TCP and TLS: what is wanted, at most half of what is left; 0 wants that half.
pub(super) fn streams(wanted: usize) -> usize {
    share(wanted, limit(), 2)
}

/// Connections for pages: what is wanted, at most a quarter of what is left.
pub fn pages(wanted: usize) -> usize {
    share(wanted, limit(), 4)
}

/// Files that may be open.
fn limit() -> usize {
    // A filter of system calls may refuse the question; then what systems allow at least is assumed.
    system::open_files_max().unwrap_or(FILES_MIN)
}

/// A share of what a limit leaves.
fn share(wanted: usize, files: usize, part: usize) -> usize {
    let wanted = if wanted == 0 { CONNECTIONS_MAX } else { wanted };
    let most = (files.saturating_sub(OWN) / part).clamp(CONNECTIONS_MIN, CONNECTIONS_MAX);
    wanted.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_leaves_files_for_zones_database_and_control_socket() {
        for (files, streams, pages) in
            [(96, 12, 6), (256, 92, 46), (1024, 476, 238), (1 << 17, 65_500, 2048)]
        {
            assert_eq!((share(0, files, 2), share(2048, files, 4)), (streams, pages), "{files}");
            assert!(files - streams - pages >= OWN, "{files}");
        }
        assert_eq!(share(100, 1024, 2), 100, "as wanted");
        assert_eq!((share(0, 64, 2), share(2048, 64, 4)), (4, 4), "the fewest");
    }
}
