//! DNS over QUIC in a gapura that was built without it: a listener that does not start.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;

use super::responder::Shared;
use super::tls::Certificate;

/// A listener that cannot be had.
pub(super) enum QuicServer {}

impl QuicServer {
    /// Fails, and says why.
    pub(super) fn start(
        _: Arc<Shared>,
        _: Vec<UdpSocket>,
        _: Arc<Certificate>,
    ) -> io::Result<Self> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this gapura was built without DNS over QUIC: remove [quic] from the settings",
        ))
    }

    /// Asks it to stop.
    pub(super) fn request_stop(&self) {
        match *self {}
    }
}
