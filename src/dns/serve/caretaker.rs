//! The thread that does what the time asks for while workers answer: rolls the cookie secret, loads certificates
//! that were exchanged, and looks whether the query log loses lines.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::answer::Identity;

use super::certificates::Certificates;
use super::cookie_secret;
use super::responder::{Policy, Shared};

/// How often it looks.
const REST: Duration = Duration::from_secs(1);
/// How long a stop waits for it.
const STOP_MAX: Duration = Duration::from_secs(2);

/// The running thread; it ends when this is dropped.
pub(super) struct Caretaker {
    /// Ends the thread when dropped.
    stop: Option<Sender<()>>,
    /// The thread.
    thread: Option<JoinHandle<()>>,
}

impl Caretaker {
    /// Starts it.
    pub(super) fn start(shared: Arc<Shared>, certificates: Certificates) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("caretaker".to_owned()).spawn(move || {
            let mut rolled = Instant::now();
            while stopped.recv_timeout(REST) == Err(RecvTimeoutError::Timeout) {
                if rolled.elapsed() >= cookie_secret::ROLL_AFTER {
                    rolled = Instant::now();
                    roll_cookies(&shared);
                }
                certificates.glance();
                if let Some(log) = &shared.log {
                    log.look_for_losses();
                }
                if let Some(dnstap) = &shared.dnstap {
                    dnstap.look_for_losses();
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

/// Makes cookies with a new secret from now on, if it is our own.
fn roll_cookies(shared: &Shared) {
    shared.policy.rcu(|old| {
        let rolled = old.identity.cookies.as_ref().filter(|_| old.rolls_cookies);
        let cookies = rolled.map(cookie_secret::roll).or_else(|| old.identity.cookies.clone());
        let identity = Arc::new(Identity { cookies, ..Identity::clone(&old.identity) });
        Policy { identity, ..Policy::clone(old) }
    });
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let begun = Instant::now();
            while !thread.is_finished() {
                // It looks at a file of a disk that hangs: a stop need not wait for that.
                if begun.elapsed() > STOP_MAX {
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            // It does not panic.
            let _ = thread.join();
        }
    }
}
