//! Signals: stop, reload, reopen the logs. Other common signals are ignored.

use std::io;

use tokio::signal::unix::{self, SignalKind, signal};

/// Signals that would end the process by default and may be sent by mistake. SIGXFSZ is raised by a write past the
/// file size limit; ignored, the write fails as on a full disk.
const HARMLESS: [libc::c_int; 9] = [
    libc::SIGQUIT,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGXFSZ,
    libc::SIGXCPU,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGIO,
    libc::SIGPWR,
];

/// What a signal asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Signal {
    /// SIGINT, SIGTERM.
    Stop,
    /// SIGHUP: settings and zones.
    Reload,
    /// SIGUSR1: log files.
    Reopen,
}

/// The signals we listen to.
pub(super) struct Signals {
    /// SIGINT.
    interrupt: unix::Signal,
    /// SIGTERM.
    terminate: unix::Signal,
    /// SIGHUP.
    hangup: unix::Signal,
    /// SIGUSR1.
    user: unix::Signal,
}

impl Signals {
    /// Listens from now on; call inside a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        for harmless in HARMLESS {
            // Registering once removes the default action for good.
            drop(signal(SignalKind::from_raw(harmless))?);
        }
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined1())?,
        })
    }

    /// Resolves at the next signal to stop; ignores all others.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.user.recv() => Signal::Reopen,
        }
    }
}
