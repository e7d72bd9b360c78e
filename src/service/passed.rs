//! Sockets that systemd passes at a start (sd_listen_fds(3)): those of a .socket unit, and those that it kept since the
//! last run. `FileDescriptorName=` may say what each is for: dns, tls, quic, web or metrics.

use crate::serve::batch::system::take_passed;
use crate::serve::{Inherited, Purpose};

/// Takes the sockets that were passed to this process; a second call finds none. Unusable ones are logged.
pub fn passed() -> Inherited {
    let text = |name| std::env::var(name).unwrap_or_default();
    let (pid, count) = (text("LISTEN_PID"), text("LISTEN_FDS"));
    let count = meant(&pid, &count, std::process::id());
    if count == 0 {
        return Inherited::default();
    }
    let mut inherited = Inherited::shared();
    let names = text("LISTEN_FDNAMES");
    let mut names = names.split(':');
    for socket in take_passed(count) {
        let purpose = names.next().and_then(Purpose::of);
        if let Err(why) = inherited.add(socket, purpose) {
            tracing::warn!("{why}");
        }
    }
    inherited
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
