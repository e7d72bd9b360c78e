//! Sockets that systemd passes at a start (sd_listen_fds(3)): those of a .socket unit, and those that it kept since the
//! last run. `FileDescriptorName=` may say what each is for: dns, tls, quic, web or metrics.

use std::os::fd::OwnedFd;

use crate::serve::batch::system::take_passed;
use crate::serve::{Inherited, Purpose};

/// What was passed to this process at its start, with what each is for.
#[derive(Debug)]
pub struct Passed(Vec<(OwnedFd, Option<Purpose>)>);

impl Passed {
    /// Takes it; a second call finds nothing. Call it before this process opens anything, the log too: where fewer
    /// were passed than the environment says, the numbers of the others are given out again.
    pub fn take() -> Self {
        let text = |name| std::env::var(name).unwrap_or_default();
        let (pid, count) = (text("LISTEN_PID"), text("LISTEN_FDS"));
        let count = meant(&pid, &count, std::process::id());
        let names = text("LISTEN_FDNAMES");
        let purposes = names.split(':').map(Purpose::of).chain(std::iter::repeat(None));
        Self(take_passed(count).into_iter().zip(purposes).collect())
    }

    /// The sockets that can be used; what cannot is logged.
    pub fn inherited(self) -> Inherited {
        if self.0.is_empty() {
            return Inherited::default();
        }
        let mut inherited = Inherited::shared();
        for (socket, purpose) in self.0 {
            if let Err(why) = inherited.add(socket, purpose) {
                tracing::warn!("{why}");
            }
        }
        inherited
    }
}

/// How many descriptors are meant for this process.
fn meant(pid: &str, count: &str, own: u32) -> usize {
    if pid.parse() == Ok(own) { count.parse().unwrap_or_default() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn descriptors_of_another_process_are_left_alone() {
        assert_eq!(meant("7", "2", 7), 2);
        assert_eq!((meant("8", "2", 7), meant("", "2", 7), meant("7", "", 7)), (0, 0, 0));
    }
}
