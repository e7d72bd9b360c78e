//! Status and watchdog messages to the service manager.
//!
//! Only answers feed the watchdog: responses sent since the last message, or else responses to a query to each of our
//! own sockets, over UDP and TCP. The manager therefore restarts a daemon whose workers hang, whatever else still
//! works, and leaves alone one whose disk hangs while it answers.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use super::host::Host;
use crate::publish::Sockets;
use crate::serve;
use crate::service::{Notifier, Watchdog};

/// How often the status is sent, where there is no watchdog.
const REST_MAX: Duration = Duration::from_secs(10);
/// The shortest interval of watchdog messages.
const REST_MIN: Duration = Duration::from_millis(100);

/// The running threads; they end when this is dropped.
pub(super) struct Herald {
    /// Ends them when dropped.
    stop: Option<(Sender<()>, Sender<()>)>,
    /// Feeds the watchdog.
    feeder: Option<JoinHandle<()>>,
}

impl Herald {
    /// Starts the threads, if there is a service manager.
    pub(super) fn start(host: &Arc<Host>, addresses: Vec<SocketAddr>) -> Option<Self> {
        let notifier = host.notifier.clone();
        if !notifier.is_on() {
            return None;
        }
        let (stop_feeder, fed) = channel();
        let feeder = Watchdog::from_environment().and_then(|Watchdog(time)| {
            let sockets = host.publisher.sockets().clone();
            let mut feeder = Feeder { notifier: notifier.clone(), sockets, addresses, octets: 0 };
            let weak = Arc::downgrade(host);
            // Leaves room for one round without an answer.
            begin("watchdog", (time / 3).clamp(REST_MIN, REST_MAX), fed, move || feeder.go(&weak))
        });
        let (stop_teller, told) = channel();
        let (weak, mut said) = (Arc::downgrade(host), String::new());
        // The status waits for zones and disks, so this thread is not joined.
        drop(begin("herald", REST_MAX, told, move || {
            let Some(headline) = weak.upgrade().map(|host| host.headline()) else { return };
            if said != headline {
                notifier.status(&headline);
                said = headline;
            }
        }));
        Some(Self { stop: Some((stop_feeder, stop_teller)), feeder })
    }
}

impl Drop for Herald {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.feeder.take() {
            // The feeder waits for our own sockets only, a few seconds at most.
            let _ = thread.join();
        }
    }
}

/// Repeats a piece of work on a thread of its own, until the other end of `stopped` is dropped.
fn begin(
    name: &str,
    rest: Duration,
    stopped: Receiver<()>,
    mut work: impl FnMut() + Send + 'static,
) -> Option<JoinHandle<()>> {
    let run = move || {
        work();
        while stopped.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
            work();
        }
    };
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    let told = thread.inspect_err(|error| {
        tracing::error!(%error, "the watchdog of the service manager will not be notified");
    });
    told.ok()
}

/// Feeds the watchdog. It waits for no zone and no disk: neither is a reason to restart a daemon that answers.
struct Feeder {
    /// The service manager.
    notifier: Notifier,
    /// The client that queries our own sockets.
    sockets: Sockets,
    /// Where they listen.
    addresses: Vec<SocketAddr>,
    /// Octets of all responses up to the previous round.
    octets: u64,
}

impl Feeder {
    /// Feeds the watchdog if queries were answered since the last time, or if our own are answered now.
    fn go(&mut self, host: &Weak<Host>) {
        let Some(host) = host.upgrade() else { return };
        let octets = || host.running.counters().iter().map(|(_, totals)| totals.octets_out).sum();
        // Under a flood our own queries may be lost, while others are answered.
        let now: u64 = octets();
        if now > self.octets || self.lives() {
            self.notifier.alive();
        }
        // Responses to our own queries do not count for the next round.
        self.octets = octets();
    }

    /// Whether every socket answers. A freebind address that is not configured yet is skipped: it cannot answer.
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
    /// The state of the daemon in one line.
    pub(super) fn headline(&self) -> String {
        let zones = self.publisher.status();
        let served = zones.iter().filter(|zone| zone.serial.is_some()).count();
        let addresses = self.running.addresses().len();
        let mut text = format!("{served} of {} zones served on {addresses} sockets", zones.len());
        let health = self.health_of(&zones);
        let mut faults = health.all_faults();
        if let Some(first) = faults.next() {
            text = format!("{text}; {} to fix: {first}", 1 + faults.count());
        }
        text
    }
}
