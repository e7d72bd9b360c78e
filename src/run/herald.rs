//! Tells the service manager that the daemon lives and how it does.
//!
//! The watchdog is fed by nothing but answers: a query to each of our own sockets, over UDP and over TCP. A daemon whose
//! workers hang is ended by the manager, whatever else of it goes on.

use std::net::SocketAddr;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use super::host::Host;
use crate::publish::Sockets;
use crate::serve;
use crate::service::{Notifier, Watchdog};

/// How often the manager is told how the daemon does, where nobody watches.
const REST_MAX: Duration = Duration::from_secs(10);

/// The running thread; it ends when this is dropped.
pub(super) struct Herald {
    /// Ends it when dropped.
    stop: Option<Sender<()>>,
    /// The thread.
    thread: Option<JoinHandle<()>>,
}

impl Herald {
    /// Starts it, if anybody wants to be told.
    pub(super) fn start(host: &Arc<Host>, addresses: Vec<SocketAddr>) -> Option<Self> {
        let notifier = host.notifier.clone();
        if !notifier.is_on() {
            return None;
        }
        let watchdog = Watchdog::from_environment();
        // One round without an answer is not too late.
        let rest = watchdog.map_or(REST_MAX, |Watchdog(time)| (time / 3).min(REST_MAX));
        let (stop, stopped) = channel();
        let sockets = host.publisher.sockets().clone();
        let weak = Arc::downgrade(host);
        let round = Round { notifier, watched: watchdog.is_some(), sockets, addresses };
        let work = move || {
            let mut last = Last::default();
            loop {
                round.go(&weak, &mut last);
                if stopped.recv_timeout(rest) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("herald".to_owned()).spawn(work);
        let thread = thread.inspect_err(|error| {
            tracing::error!(%error, "the service manager will not be told that gapura lives");
        });
        Some(Self { stop: Some(stop), thread: thread.ok() })
    }
}

impl Drop for Herald {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It waits for answers of our own sockets only, a second or two.
            let _ = thread.join();
        }
    }
}

/// What was seen and said in the round before.
#[derive(Default)]
struct Last {
    /// The headline.
    said: String,
    /// Octets of all responses.
    octets: u64,
}

/// What a round needs.
struct Round {
    /// Who is told.
    notifier: Notifier,
    /// Whether somebody watches.
    watched: bool,
    /// How our own sockets are asked.
    sockets: Sockets,
    /// Where they listen.
    addresses: Vec<SocketAddr>,
}

impl Round {
    /// Asks, and tells.
    fn go(&self, host: &Weak<Host>, last: &mut Last) {
        let lives = self.watched && self.lives();
        let Some(host) = host.upgrade() else { return };
        // A flood takes the place of our questions and not that of answers.
        let octets = host.running.counters().iter().map(|(_, totals)| totals.octets_out).sum();
        if lives || (self.watched && octets > last.octets) {
            self.notifier.alive();
        }
        last.octets = octets;
        let headline = host.headline();
        if last.said != headline {
            self.notifier.status(&headline);
            last.said = headline;
        }
    }

    /// Whether every socket answers. An address that is not here (freebind) gives no answer to anybody.
    fn lives(&self) -> bool {
        let here = self.addresses.iter().filter(|address| serve::find_address(**address).is_ok());
        let mut answers = true;
        for address in here {
            if let Err(error) = self.sockets.answers(*address) {
                tracing::error!(%address, %error, "our own socket does not answer");
                answers = false;
            }
        }
        answers
    }
}

impl Host {
    /// How the daemon does, in one line.
    pub(super) fn headline(&self) -> String {
        let zones = self.publisher.status();
        let served = zones.iter().filter(|zone| zone.serial.is_some()).count();
        let addresses = self.running.addresses().len();
        let mut text = format!("{served} of {} zones served on {addresses} sockets", zones.len());
        let (faults, _) = self.to_mend(&zones, &self.refreshes(&zones));
        let faults: Vec<String> = self.zone_faults(&zones).into_iter().chain(faults).collect();
        if let Some(first) = faults.first() {
            text = format!("{text}; {} to mend: {first}", faults.len());
        }
        text
    }
}
