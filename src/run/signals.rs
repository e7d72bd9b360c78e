//! Signals: stop, reload, reopen the logs.

use std::io;

use tokio::signal::unix::{self, SignalKind, signal};

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
