//! Many packets with one system call, behind a small trait.
//!
//! [`Packets`] is all that a UDP worker knows of the network; [`SocketBatch`] implements it with
//! `recvmmsg` and `sendmmsg`, `xdp` with AF_XDP. What `std` and `socket2` have no safe call for
//! (socket options, the CPUs of a thread, the limit of open files) is in [`system`]. Every block of `unsafe`
//! code says why it is sound.

mod mmsg;
pub mod system;

use std::io;
use std::net::{IpAddr, SocketAddr};

pub use mmsg::SocketBatch;

/// Queries that one call can bring.
pub const BATCH: usize = 64;

//------------ Packets -------------------------------------------------------

/// A source of queries that sends their responses, batch by batch.
///
/// One round is `receive`, then for each query `packet` and perhaps `answer`, then `send`.
pub trait Packets {
    /// Waits for at least one query; returns how many there are. 0: nothing to do, look whether to
    /// stop.
    fn receive(&mut self) -> io::Result<usize>;

    /// The octets of the query of that index.
    fn query(&self, index: usize) -> &[u8];

    /// The query of that index, and room for its response.
    fn packet(&mut self, index: usize) -> Packet<'_>;

    /// Puts the first `length` octets of that query's response into the batch that goes out.
    fn answer(&mut self, index: usize, length: usize);

    /// Sends what `answer` gathered.
    fn send(&mut self) -> Sent;
}

/// One query as received.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The query; cut at the size of the buffer.
    pub query: &'a [u8],
    /// Room for the response.
    pub response: &'a mut [u8],
    /// The client. `None`: the kernel named none.
    pub from: Option<SocketAddr>,
    /// The address that was asked, where the socket listens on all of them.
    pub asked: Option<IpAddr>,
    /// Whether it came to a broadcast or multicast address.
    pub to_many: bool,
    /// Which of the addresses that the worker answers at was asked; 0 where it has one.
    pub endpoint: usize,
}

/// The outcome of sending a batch of responses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sent {
    /// Responses the kernel took.
    pub sent: usize,
    /// Responses it refused.
    pub failed: usize,
    /// Calls that took fewer than they were given.
    pub short: usize,
    /// Calls that failed and left their responses for the next one.
    pub errors: usize,
}
