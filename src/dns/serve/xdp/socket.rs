//! A socket of the family AF_XDP with the memory that it shares with the kernel: one for each queue of an interface.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::sockopt::{
    set_socket_send_buffer_size_force, set_xdp_rx_ring_size, set_xdp_tx_ring_size,
    set_xdp_umem_completion_ring_size, set_xdp_umem_fill_ring_size, set_xdp_umem_reg, xdp_options,
    xdp_statistics,
};
use rustix::net::xdp::{
    SocketAddrXdp, SocketAddrXdpFlags, XdpOptionsFlags, XdpStatistics, XdpUmemReg, XdpUmemRegFlags,
};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, bind, send, socket_with};

use super::memory::{FRAME, Frames};
use super::rings::Rings;

/// Frames of a socket, a power of two: 8 MiB.
pub(super) const FRAMES: usize = 4096;

/// What responses on their way may take of the kernel's memory, octets.
const SEND_OCTETS: usize = 8 << 20;

/// A socket with its memory.
#[derive(Debug)]
pub(super) struct Socket {
    /// The socket.
    descriptor: OwnedFd,
    /// Its frames.
    pub(super) frames: Frames,
    /// Its rings.
    pub(super) rings: Rings,
}

impl Socket {
    /// Makes a socket that belongs to no interface yet. Needs the right to (CAP_NET_RAW).
    pub(super) fn new() -> io::Result<Self> {
        let (family, kind) = (AddressFamily::XDP, SocketType::RAW);
        let descriptor = socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
        // Without it the kernel has room for some two hundred responses on their way.
        let _ = set_socket_send_buffer_size_force(&descriptor, SEND_OCTETS);
        let (frames, all) = Frames::new(FRAMES)?;
        let (addr, len) = frames.place();
        set_xdp_umem_reg(
            &descriptor,
            XdpUmemReg {
                addr,
                len,
                chunk_size: FRAME as u32,
                headroom: 0,
                flags: XdpUmemRegFlags::empty(),
                tx_metadata_len: 0,
            },
        )?;
        set_xdp_umem_fill_ring_size(&descriptor, FRAMES as u32)?;
        set_xdp_umem_completion_ring_size(&descriptor, FRAMES as u32)?;
        set_xdp_rx_ring_size(&descriptor, FRAMES as u32)?;
        set_xdp_tx_ring_size(&descriptor, FRAMES as u32)?;
        let rings = Rings::map(&descriptor, all)?;
        Ok(Self { descriptor, frames, rings })
    }

    /// Binds it to a queue: without copying where the driver can do that, unless `copy` is asked for.
    pub(super) fn bind(&self, interface: u32, queue: u32, copy: bool) -> io::Result<()> {
        let mut flags = SocketAddrXdpFlags::XDP_USE_NEED_WAKEUP;
        flags.set(SocketAddrXdpFlags::XDP_COPY, copy);
        Ok(bind(&self.descriptor, &SocketAddrXdp::new(flags, interface, queue))?)
    }

    /// Whether its frames are filled by the interface itself.
    pub(super) fn is_zero_copy(&self) -> bool {
        let flag = XdpOptionsFlags::XDP_OPTIONS_ZEROCOPY;
        xdp_options(&self.descriptor).is_ok_and(|options| options.contains(flag))
    }

    /// Lets the kernel send what waits in the ring. An error that passes is none: it is asked again.
    pub(super) fn push(&self) -> io::Result<()> {
        match send(&self.descriptor, &[], SendFlags::DONTWAIT).map_err(io::Error::from) {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_os_error() {
                Some(libc::EAGAIN | libc::EBUSY | libc::ENOBUFS | libc::EINTR) => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// A second handle on the socket, to look at its figures.
    pub(super) fn handle(&self) -> io::Result<OwnedFd> {
        self.descriptor.try_clone()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// What the kernel counted of a socket; nothing where it does not say.
pub(super) fn statistics(socket: &impl AsFd) -> Option<XdpStatistics> {
    xdp_statistics(socket).ok()
}

#[cfg(test)]
impl Socket {
    /// One of the frames that the kernel was given to fill, for a socket that nothing is redirected to.
    pub(super) fn spare(&mut self) -> super::memory::Frame {
        self.rings.take_back()
    }
}
