//! `recvmmsg` and `sendmmsg`: up to [`BATCH`] packets per call, buffers allocated once.
//!
//! The kernel is given raw pointers into memory that [`Memory`] owns and never moves. On a socket
//! that listens on all addresses each query comes with its packet information, and the response
//! carries it back as its source address (RFC 3542 §6.2), so that it leaves from the address asked.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

use super::{BATCH, Packet, Packets, Sent};

/// Room for one query. What is longer arrives cut and cannot be parsed, hence FORMERR. The odd 64
/// octets keep the buffers' starts in different sets of the CPU's cache.
const QUERY_OCTETS: usize = 2048 + 64;
/// Room for one control message with packet information, of either family.
const CONTROL_OCTETS: usize = 64;

/// Control data, aligned as the kernel's `cmsghdr` wants it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_OCTETS]);

/// An address of either family: `sockaddr_in6` is the larger, and both begin with the family.
type Address = libc::sockaddr_in6;

//------------ SocketBatch ---------------------------------------------------

/// A UDP socket that is read and written batch by batch.
pub struct SocketBatch {
    /// The socket; bound, blocking.
    socket: UdpSocket,
    /// Whether queries come with packet information (wildcard address).
    wildcard: bool,
    /// Largest response, octets.
    response_octets: usize,
    /// The distance between responses: small, so that a batch touches few pages.
    response_stride: usize,
    /// Headers for `recvmmsg`; entry i points at entry i of the arrays below.
    incoming: Memory<libc::mmsghdr>,
    /// Headers for `sendmmsg`, filled from the front.
    outgoing: Memory<libc::mmsghdr>,
    /// Where queries go.
    incoming_parts: Memory<libc::iovec>,
    /// The memory of the responses.
    outgoing_parts: Memory<libc::iovec>,
    /// The client.
    addresses: Memory<Address>,
    /// Packet information of each query.
    controls: Memory<Control>,
    /// The queries, [`QUERY_OCTETS`] apart.
    queries: Memory<u8>,
    /// The responses, `response_stride` apart.
    responses: Memory<u8>,
    /// Queries the last `receive` brought.
    received: usize,
    /// Responses gathered for `send`.
    gathered: usize,
}

// SAFETY: all raw pointers point into memory that the value owns alone (`Memory`), and nothing in it
// belongs to a thread.
unsafe impl Send for SocketBatch {}

impl SocketBatch {
    /// Wraps a bound, blocking socket. No response is longer than `response_octets`.
    pub fn new(socket: UdpSocket, response_octets: usize) -> io::Result<Self> {
        let wildcard = socket.local_addr()?.ip().is_unspecified();
        let response_octets = response_octets.clamp(512, 4096);
        let response_stride = response_octets.next_multiple_of(128) + 64;
        let mut batch = Self {
            socket,
            wildcard,
            response_octets,
            response_stride,
            incoming: Memory::new(BATCH),
            outgoing: Memory::new(BATCH),
            incoming_parts: Memory::new(BATCH),
            outgoing_parts: Memory::new(BATCH),
            addresses: Memory::new(BATCH),
            controls: Memory::new(BATCH),
            queries: Memory::new(BATCH * QUERY_OCTETS),
            responses: Memory::new(BATCH * response_stride),
            received: BATCH,
            gathered: 0,
        };
        for index in 0..BATCH {
            batch.connect(index);
        }
        Ok(batch)
    }

    /// Lets header `index` point at its buffers, once for ever.
    fn connect(&mut self, index: usize) {
        let part = libc::iovec {
            iov_base: self.queries.at(index * QUERY_OCTETS).cast(),
            iov_len: QUERY_OCTETS,
        };
        // SAFETY: `at` checks the index and gives a pointer to an initialised element that only this
        // value can reach; nothing else borrows it now.
        unsafe {
            self.incoming_parts.at(index).write(part);
            let header = &mut (*self.incoming.at(index)).msg_hdr;
            header.msg_iov = self.incoming_parts.at(index);
            header.msg_iovlen = 1;
            header.msg_name = self.addresses.at(index).cast();
            if self.wildcard {
                header.msg_control = self.controls.at(index).cast();
            }
            let header = &mut (*self.outgoing.at(index)).msg_hdr;
            header.msg_iov = self.outgoing_parts.at(index);
            header.msg_iovlen = 1;
        }
    }

    /// The packet information of query `index`: the address asked, and whether it is broadcast or multicast.
    fn packet_information(&self, index: usize) -> (Option<IpAddr>, bool) {
        // SAFETY: `at` checks the index; the element is initialised and not borrowed elsewhere.
        let length = unsafe { (*self.incoming.at(index)).msg_hdr.msg_controllen };
        if !self.wildcard || length < size_of::<libc::cmsghdr>() {
            return (None, false);
        }
        let control = self.controls.at(index).cast::<u8>();
        // SAFETY: `control` is aligned for `cmsghdr` (align 8) and has `CONTROL_OCTETS` octets, room
        // for the header and the larger of the two structures; the kernel wrote the header, and the
        // structure is read only if level, type and length say that it is there. Both structures are
        // plain numbers, and `read_unaligned` asks for no alignment.
        unsafe {
            let header = control.cast::<libc::cmsghdr>().read();
            let data = control.add(size_of::<libc::cmsghdr>());
            let room = header.cmsg_len.saturating_sub(size_of::<libc::cmsghdr>());
            match (header.cmsg_level, header.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) if room >= size_of::<libc::in_pktinfo>() => {
                    let info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    let local = Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr));
                    (Some(local.into()), info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr)
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)
                    if room >= size_of::<libc::in6_pktinfo>() =>
                {
                    let info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    let local = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    (Some(local.into()), local.is_multicast())
                }
                _ => (None, false),
            }
        }
    }

    /// Takes the interface out of packet information that goes back: the route decides. A link-local
    /// address keeps it, because it means nothing without.
    fn forget_interface(&mut self, index: usize) {
        let control = self.controls.at(index).cast::<u8>();
        // SAFETY: as in `packet_information`; the same checks were made there before (the caller has
        // seen `Some`), and the writes stay inside the structures.
        unsafe {
            let header = control.cast::<libc::cmsghdr>().read();
            let data = control.add(size_of::<libc::cmsghdr>());
            if header.cmsg_level == libc::IPPROTO_IP {
                let info = data.cast::<libc::in_pktinfo>();
                (&raw mut (*info).ipi_ifindex).write_unaligned(0);
            } else {
                let info = data.cast::<libc::in6_pktinfo>();
                let address = Ipv6Addr::from((&raw const (*info).ipi6_addr.s6_addr).read());
                if !address.is_unicast_link_local() {
                    (&raw mut (*info).ipi6_ifindex).write_unaligned(0);
                }
            }
        }
    }

    /// The octets of query `index`, as many as arrived.
    fn received_octets(&self, index: usize) -> NonNull<[u8]> {
        // SAFETY: `at` checks the index; the element is initialised.
        let length = unsafe { (*self.incoming.at(index)).msg_len as usize };
        self.queries.slice(index * QUERY_OCTETS, length.min(QUERY_OCTETS))
    }

    /// The source address of query `index`.
    fn source(&self, index: usize) -> Option<SocketAddr> {
        // SAFETY: `at` checks the index; header and address are initialised plain numbers, and
        // `sockaddr_in` is smaller than the `Address` it is read from and no stricter in alignment.
        unsafe {
            let length = (*self.incoming.at(index)).msg_hdr.msg_namelen as usize;
            let address = self.addresses.at(index);
            match i32::from((*address).sin6_family) {
                libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => {
                    let address = address.cast::<libc::sockaddr_in>().read();
                    let ip = Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr));
                    Some(SocketAddrV4::new(ip, u16::from_be(address.sin_port)).into())
                }
                libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
                    let address = address.read();
                    let ip = Ipv6Addr::from(address.sin6_addr.s6_addr);
                    let port = u16::from_be(address.sin6_port);
                    Some(SocketAddrV6::new(ip, port, 0, address.sin6_scope_id).into())
                }
                _ => None,
            }
        }
    }
}

impl Packets for SocketBatch {
    fn receive(&mut self) -> io::Result<usize> {
        self.gathered = 0;
        for index in 0..self.received {
            // SAFETY: `at` checks the index; the element is initialised and not borrowed elsewhere.
            // The kernel overwrote these fields with what it used; they are the room again.
            unsafe {
                let header = &mut (*self.incoming.at(index)).msg_hdr;
                header.msg_namelen = size_of::<Address>() as libc::socklen_t;
                header.msg_controllen = if self.wildcard { CONTROL_OCTETS } else { 0 };
            }
        }
        self.received = 0;
        // SAFETY: the array has BATCH headers, each of which points (`connect`) at memory of the
        // stated size that lives as long as `self` and that nothing borrows during the call.
        let result = unsafe {
            libc::recvmmsg(
                self.socket.as_raw_fd(),
                self.incoming.at(0),
                BATCH as libc::c_uint,
                libc::MSG_WAITFORONE,
                ptr::null_mut(),
            )
        };
        let Ok(count) = usize::try_from(result) else {
            // Which entries were touched is not known: make all ready again.
            self.received = BATCH;
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Ok(0),
                _ => Err(error),
            };
        };
        self.received = count.min(BATCH);
        Ok(self.received)
    }

    fn query(&self, index: usize) -> &[u8] {
        assert!(index < self.received, "a packet of this batch");
        // SAFETY: as in `packet`; shared borrows only read.
        unsafe { self.received_octets(index).as_ref() }
    }

    fn packet(&mut self, index: usize) -> Packet<'_> {
        assert!(index < self.received, "a packet of this batch");
        let from = self.source(index);
        let (asked, to_many) = self.packet_information(index);
        let query = self.received_octets(index);
        let response = self.responses.slice(index * self.response_stride, self.response_octets);
        // SAFETY: `slice` checked the bounds; queries and responses are two allocations, initialised
        // at the start; `&mut self` keeps everything else away for the life of both borrows, and the
        // kernel has no business with them between two calls.
        let (query, response) = unsafe { (query.as_ref(), { response }.as_mut()) };
        Packet { query, response, from, asked, to_many, endpoint: 0 }
    }

    fn answer(&mut self, index: usize, length: usize) {
        assert!(index < self.received && self.gathered < BATCH, "one response for a query");
        let has_source = self.wildcard && self.packet_information(index).0.is_some();
        if has_source {
            self.forget_interface(index);
        }
        let part = libc::iovec {
            iov_base: self.responses.at(index * self.response_stride).cast(),
            iov_len: length.min(self.response_octets),
        };
        // SAFETY: `at` checks the indices; the elements are initialised and not borrowed elsewhere.
        unsafe {
            self.outgoing_parts.at(self.gathered).write(part);
            let incoming = &(*self.incoming.at(index)).msg_hdr;
            let header = &mut (*self.outgoing.at(self.gathered)).msg_hdr;
            header.msg_name = incoming.msg_name;
            header.msg_namelen = incoming.msg_namelen;
            if has_source {
                header.msg_control = incoming.msg_control;
                header.msg_controllen = incoming.msg_controllen;
            } else {
                header.msg_control = ptr::null_mut();
                header.msg_controllen = 0;
            }
        }
        self.gathered += 1;
    }

    fn send(&mut self) -> Sent {
        let mut result = Sent::default();
        let mut next = 0;
        while next < self.gathered {
            let left = self.gathered - next;
            // SAFETY: `left` headers from `next` on were filled by `answer` and point at memory that
            // lives as long as `self`; the kernel only reads what they point at.
            let taken = unsafe {
                let headers = self.outgoing.at(next);
                libc::sendmmsg(self.socket.as_raw_fd(), headers, left as libc::c_uint, 0)
            };
            match usize::try_from(taken) {
                Ok(taken) if taken > 0 => {
                    result.sent += taken;
                    result.short += usize::from(taken < left);
                    next += taken;
                }
                _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                // The first of them is refused (no route, a firewall): without it, go on.
                _ => {
                    result.failed += 1;
                    next += 1;
                }
            }
        }
        self.gathered = 0;
        result
    }
}

//------------ Memory --------------------------------------------------------

/// Elements that stay where they are and are reached by raw pointer alone, so that pointers handed
/// to the kernel stay good between calls.
struct Memory<T> {
    /// The first element.
    start: NonNull<T>,
    /// How many there are.
    count: usize,
}

impl<T: Plain> Memory<T> {
    /// `count` elements, all bits zero.
    fn new(count: usize) -> Self {
        let mut elements: Vec<T> = Vec::with_capacity(count);
        // SAFETY: `Plain` promises that all bits zero is a value of the type.
        elements.resize_with(count, || unsafe { std::mem::zeroed() });
        let start = Box::into_raw(elements.into_boxed_slice()).cast::<T>();
        // A pointer that came from a box is never null.
        Self { start: NonNull::new(start).unwrap_or_else(NonNull::dangling), count }
    }

    /// The element of that index.
    fn at(&self, index: usize) -> *mut T {
        assert!(index < self.count, "inside the buffer");
        // SAFETY: the index is inside the allocation.
        unsafe { self.start.as_ptr().add(index) }
    }

    /// `length` elements from `from` on.
    fn slice(&self, from: usize, length: usize) -> NonNull<[T]> {
        assert!(from < self.count && length <= self.count - from, "inside the buffer");
        // SAFETY: the index is inside the allocation.
        NonNull::slice_from_raw_parts(unsafe { self.start.add(from) }, length)
    }
}

impl<T> Drop for Memory<T> {
    fn drop(&mut self) {
        let elements = ptr::slice_from_raw_parts_mut(self.start.as_ptr(), self.count);
        // SAFETY: pointer and count are those of the box that `new` took apart, once.
        drop(unsafe { Box::from_raw(elements) });
    }
}

/// Types for which all bits zero is a value.
///
/// # Safety
/// Implement it only for such types.
unsafe trait Plain {}

// SAFETY: plain numbers and raw pointers that may be null.
unsafe impl Plain for libc::mmsghdr {}
// SAFETY: as above.
unsafe impl Plain for libc::iovec {}
// SAFETY: as above.
unsafe impl Plain for Address {}
// SAFETY: as above.
unsafe impl Plain for Control {}
// SAFETY: as above.
unsafe impl Plain for u8 {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `query` to `server` from `client` and lets `server` send it back doubled.
    fn echo(server: &mut SocketBatch, client: &UdpSocket, to: SocketAddr) -> (Vec<u8>, SocketAddr) {
        client.send_to(b"ab", to).unwrap();
        assert_eq!(server.receive().unwrap(), 1);
        let packet = server.packet(0);
        assert_eq!(packet.from, Some(client.local_addr().unwrap()));
        assert!(!packet.to_many);
        packet.response[..2].copy_from_slice(packet.query);
        packet.response[2..4].copy_from_slice(packet.query);
        server.answer(0, 4);
        assert_eq!(server.send(), Sent { sent: 1, ..Sent::default() });
        let mut reply = [0; 16];
        let (length, from) = client.recv_from(&mut reply).unwrap();
        (reply[..length].to_vec(), from)
    }

    /// A prepared server on `address`, and its port.
    fn server(address: &str) -> Option<(SocketBatch, u16)> {
        let socket = UdpSocket::bind(address).ok()?;
        super::super::system::prepare_udp(&socket).unwrap();
        let port = socket.local_addr().unwrap().port();
        Some((SocketBatch::new(socket, 1232).unwrap(), port))
    }

    #[test]
    fn a_response_leaves_from_the_address_that_was_asked() {
        let (mut batch, port) = server("0.0.0.0:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let asked = SocketAddr::from(([127, 1, 2, 3], port));
        assert_eq!(echo(&mut batch, &client, asked), (b"abab".to_vec(), asked));
    }

    #[test]
    fn ipv6_works_with_and_without_a_wildcard() {
        for address in ["[::]:0", "[::1]:0"] {
            let Some((mut batch, port)) = server(address) else {
                return; // This machine has no IPv6.
            };
            let client = UdpSocket::bind("[::1]:0").unwrap();
            let asked = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port));
            assert_eq!(echo(&mut batch, &client, asked), (b"abab".to_vec(), asked));
        }
    }

    #[test]
    fn a_full_batch_comes_and_goes_in_one_call() {
        let (mut batch, port) = server("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        for index in 0..BATCH + 1 {
            client.send_to(&[index as u8], ("127.0.0.1", port)).unwrap();
        }
        for expected in [BATCH, 1] {
            let count = batch.receive().unwrap();
            assert_eq!(count, expected);
            for index in 0..count {
                let packet = batch.packet(index);
                packet.response[0] = packet.query[0];
                batch.answer(index, 1);
            }
            assert_eq!(batch.send(), Sent { sent: expected, ..Sent::default() });
        }
        let mut reply = [0; 16];
        for index in 0..BATCH + 1 {
            assert_eq!(client.recv(&mut reply).unwrap(), 1);
            assert_eq!(usize::from(reply[0]), index);
        }
    }
}
