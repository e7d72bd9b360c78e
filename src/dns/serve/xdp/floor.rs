//! The floor: what AF_XDP costs without a name server, for `benches/floor.rs`.
//!
//! The same program, rings, frames and batches as [`FrameBatch`](super::batch::FrameBatch), and nothing else: a frame goes
//! back with addresses and ports in each other's place and the bit QR set. It reads no message and verifies no checksum.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::attach::{BUSY_MAX, link};
use super::batch::CALLS_MAX;
use super::bpf::{self, Mode};
use super::frame::{ETHERNET, IPV4, UDP};
use super::prepare::{Prepared, Ready};
use super::socket::Socket;
use crate::serve::batch::BATCH;

/// How long queries are waited for.
const WAIT: Duration = Duration::from_millis(50);

/// A queue whose queries over IPv4 go back as they are.
#[derive(Debug)]
pub struct XdpFloor {
    /// The socket of the first queue.
    socket: Socket,
    /// Holds the program on the interface.
    _link: OwnedFd,
    /// Holds the socket for the program.
    _map: OwnedFd,
}

impl XdpFloor {
    /// Attaches to the first queue of an interface that has this address, or says in words why not.
    pub fn attach(interface: &str, address: SocketAddr) -> Result<Self, String> {
        let mut prepared = Prepared::new(&[interface.to_owned()], &[address]).interfaces;
        let (_, ready) = prepared.pop().ok_or("no interface")?;
        let Ready { interface, program, map, mut sockets, .. } = ready?;
        let socket = (!sockets.is_empty()).then(|| sockets.swap_remove(0)).ok_or("no queue")?;
        let told = |error: io::Error| error.to_string();
        let (link, mode) =
            link(&program, interface.index, Instant::now() + BUSY_MAX).map_err(told)?;
        socket.bind(interface.index, 0, mode == Mode::Generic).map_err(told)?;
        bpf::put(&map, 0, &socket).map_err(told)?;
        Ok(Self { socket, _link: link, _map: map })
    }

    /// Waits a moment for queries and sends a batch of them back; returns how many.
    pub fn round(&mut self) -> io::Result<usize> {
        self.socket.rings.reclaim();
        if self.socket.rings.count() == 0 {
            self.socket.rings.publish();
            let wait = Timespec::try_from(WAIT).map_err(io::Error::other)?;
            poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&wait))?;
        }
        let Socket { rings, frames, .. } = &mut self.socket;
        let mut count = 0;
        while count < BATCH
            && let Some(frame) = rings.take()
        {
            let (octets, length) = frames.octets(&frame);
            turn(&mut octets[..length]);
            rings.send(frame.with_length(length));
            count += 1;
        }
        rings.publish();
        for _ in 0..CALLS_MAX {
            if self.socket.rings.wants_a_call() {
                self.socket.push()?;
            }
        }
        Ok(count)
    }
}

/// Turns a frame round. Its checksums stay right: the same numbers are added, but for the bit, which is taken off the
/// checksum of UDP.
pub(super) fn turn(frame: &mut [u8]) {
    const QR: u16 = 0x8000;
    const FLAGS: usize = ETHERNET + IPV4 + UDP + 2;
    let Some(frame) = frame.first_chunk_mut::<{ FLAGS + 2 }>() else { return };
    let mut swap = |first: usize, octets: usize| {
        let (left, right) = frame[first..first + 2 * octets].split_at_mut(octets);
        left.swap_with_slice(right);
    };
    swap(0, 6);
    swap(ETHERNET + 12, 4);
    swap(ETHERNET + IPV4, 2);
    frame[FLAGS] |= (QR >> 8) as u8;
    let at = ETHERNET + IPV4 + 6;
    let sum = u16::from_be_bytes([frame[at], frame[at + 1]]);
    // 0 says that there is none.
    if sum != 0 {
        let (less, borrowed) = sum.overflowing_sub(QR);
        let sum = less.wrapping_sub(u16::from(borrowed));
        [frame[at], frame[at + 1]] = sum.to_be_bytes();
    }
}
