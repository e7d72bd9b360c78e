//! Frames: a query read from one, and its response written into the same frame.
//!
//! Octets in, octets out; no system call. [`read`] accepts only what the [`program`](super::program) may have let
//! through and looks at what the program does not: checksums and source addresses, as the kernel's sockets do.
//! Ethernet II, IPv4 (RFC 791) without options, IPv6 (RFC 8200) without extension headers, UDP (RFC 768).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::ops::Range;

use super::checksum::Sum;

/// Octets of the headers.
pub(super) const ETHERNET: usize = 14;
pub(super) const IPV4: usize = 20;
pub(super) const IPV6: usize = 40;
pub(super) const UDP: usize = 8;
/// Shortest query that is taken: a header.
pub(super) const QUERY_MIN: usize = 12;
/// Longest query that is taken: what passes everywhere in one piece.
pub(super) const QUERY_MAX: usize = 1232;
/// Shortest frame that may be sent (IEEE 802.3, without its check sequence).
const FRAME_MIN: usize = 60;
/// How many routers a response may pass (RFC 1700).
const TTL: u8 = 64;
/// The protocol number of UDP.
const PROTOCOL_UDP: u8 = 17;

//------------ Query ---------------------------------------------------------

/// A query in a frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Query {
    /// Who sent it.
    pub(super) client: SocketAddr,
    /// Where it was sent to.
    pub(super) asked: SocketAddr,
    /// Where in the frame it is.
    pub(super) octets: Range<usize>,
}

/// Why a frame holds no query that may be answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// Its headers are not those that the program lets through.
    Headers,
    /// A checksum is wrong.
    Checksum,
    /// Nobody can have sent it from there.
    Source,
}

/// Reads a frame that came by an interface of this index to a machine that has these addresses.
pub(super) fn read(frame: &[u8], interface: u32, own: &[IpAddr]) -> Result<Query, Fault> {
    let (headers, version) = match array(frame, 12)? {
        [0x08, 0x00, 0x45] => (ETHERNET + IPV4, 4),
        [0x86, 0xdd, first] if first >> 4 == 6 => (ETHERNET + IPV6, 6),
        _ => return Err(Fault::Headers),
    };
    let udp: [u8; UDP] = array(frame, headers)?;
    let [_, _, _, _, a, b, checksum @ ..] = udp;
    let length = usize::from(u16::from_be_bytes([a, b]));
    let body = length.checked_sub(UDP).ok_or(Fault::Headers)?;
    if !(QUERY_MIN..=QUERY_MAX).contains(&body) {
        return Err(Fault::Headers);
    }
    let octets = headers + UDP..headers + length;
    let datagram = frame.get(headers..octets.end).ok_or(Fault::Headers)?;
    let (from, to) =
        if version == 4 { read_ipv4(frame, length)? } else { read_ipv6(frame, length)? };
    let pseudo = pseudo_header(from, to, length);
    let has_none = version == 4 && checksum == [0, 0];
    // A sender on this machine, in a container say, leaves its checksum to hardware that is never
    // reached: then the field has the sum of the pseudo-header alone.
    let is_left = checksum == pseudo.folded();
    if !has_none && !is_left && !pseudo.with(datagram).is_whole() {
        return Err(Fault::Checksum);
    }
    let [source_port, port] = [[udp[0], udp[1]], [udp[2], udp[3]]].map(u16::from_be_bytes);
    let is_group = frame.get(6).is_none_or(|first| first & 1 == 1);
    if is_group || own.contains(&from) || !may_send(from) {
        return Err(Fault::Source);
    }
    let client = match from {
        IpAddr::V6(ip) if ip.is_unicast_link_local() => {
            SocketAddrV6::new(ip, source_port, 0, interface).into()
        }
        ip => SocketAddr::new(ip, source_port),
    };
    Ok(Query { client, asked: SocketAddr::new(to, port), octets })
}

/// The addresses of a whole IPv4 packet with so many octets of UDP.
fn read_ipv4(frame: &[u8], udp: usize) -> Result<(IpAddr, IpAddr), Fault> {
    let header: [u8; IPV4] = array(frame, ETHERNET)?;
    let [_, _, a, b, _, _, flags, offset, _, protocol, ..] = header;
    let length = usize::from(u16::from_be_bytes([a, b]));
    let is_fragment = flags & 0xbf != 0 || offset != 0;
    if protocol != PROTOCOL_UDP || is_fragment || length != IPV4 + udp {
        return Err(Fault::Headers);
    }
    if !Sum::default().with(&header).is_whole() {
        return Err(Fault::Checksum);
    }
    let address = |at| Ok::<_, Fault>(IpAddr::from(array::<4>(&header, at)?));
    Ok((address(12)?, address(16)?))
}

/// The addresses of an IPv6 packet with so many octets of UDP.
fn read_ipv6(frame: &[u8], udp: usize) -> Result<(IpAddr, IpAddr), Fault> {
    let header: [u8; IPV6] = array(frame, ETHERNET)?;
    let [_, _, _, _, a, b, next, ..] = header;
    if next != PROTOCOL_UDP || usize::from(u16::from_be_bytes([a, b])) != udp {
        return Err(Fault::Headers);
    }
    let address = |at| Ok::<_, Fault>(IpAddr::from(array::<16>(&header, at)?));
    Ok((address(8)?, address(24)?))
}

/// Whether an address may be that of a client of another machine (RFC 6890); who else may not be answered is for
/// [`answer`](crate::answer).
fn may_send(from: IpAddr) -> bool {
    match from {
        IpAddr::V4(ip) => {
            ip.octets()[0] != 0 && !ip.is_loopback() && !ip.is_multicast() && !ip.is_broadcast()
        }
        IpAddr::V6(ip) => {
            !ip.is_unspecified()
                && !ip.is_loopback()
                && !ip.is_multicast()
                && ip.to_ipv4_mapped().is_none()
        }
    }
}

/// So many octets at a place.
fn array<const N: usize>(octets: &[u8], at: usize) -> Result<[u8; N], Fault> {
    octets.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Fault::Headers)
}

/// What the checksum of UDP covers besides the datagram (RFC 768; RFC 8200 §8.1).
fn pseudo_header(from: IpAddr, to: IpAddr, udp: usize) -> Sum {
    let sum = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            Sum::default().with(&from.octets()).with(&to.octets())
        }
        (from, to) => Sum::default().with(&ipv6(from).octets()).with(&ipv6(to).octets()),
    };
    let [a, b] = (udp as u16).to_be_bytes();
    sum.with(&[0, PROTOCOL_UDP, a, b])
}

/// An address of a packet of IPv6.
fn ipv6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

//------------ Response ------------------------------------------------------

/// Writes the headers of a response of so many octets, which stands where the query stood, over those of the
/// query. `identification` is for IPv4. Returns how long the frame is now; `None` if it has no room for it.
pub(super) fn write(
    frame: &mut [u8],
    query: &Query,
    length: usize,
    identification: u16,
) -> Option<usize> {
    let udp_length = UDP + length;
    let end = query.octets.start + length;
    let udp_at = query.octets.start.checked_sub(UDP)?;
    if end > frame.len() || udp_length > usize::from(u16::MAX) - IPV4 {
        return None;
    }
    let (ethernet, ip) = frame.get_mut(..udp_at)?.split_at_mut_checked(ETHERNET)?;
    let [to_mac, from_mac] = ethernet.first_chunk_mut::<12>()?.as_chunks_mut::<6>().0 else {
        return None;
    };
    std::mem::swap(to_mac, from_mac);
    match (query.asked.ip(), query.client.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            *ip.first_chunk_mut()? = header_ipv4(from, to, udp_length, identification);
        }
        (from, to) => *ip.first_chunk_mut()? = header_ipv6(ipv6(from), ipv6(to), udp_length),
    }
    let [a, b] = query.asked.port().to_be_bytes();
    let [c, d] = query.client.port().to_be_bytes();
    let [e, f] = (udp_length as u16).to_be_bytes();
    *frame.get_mut(udp_at..)?.first_chunk_mut()? = [a, b, c, d, e, f, 0, 0];
    let pseudo = pseudo_header(query.asked.ip(), query.client.ip(), udp_length);
    let checksum = match pseudo.with(frame.get(udp_at..end)?).checksum() {
        // 0 would say that there is none.
        [0, 0] => [0xff, 0xff],
        checksum => checksum,
    };
    *frame.get_mut(udp_at + 6..)?.first_chunk_mut()? = checksum;
    let whole = end.max(FRAME_MIN);
    frame.get_mut(end..whole)?.fill(0);
    Some(whole)
}

/// A header of IPv4 for so many octets of UDP. It may be fragmented on its way, as what our sockets send.
fn header_ipv4(from: Ipv4Addr, to: Ipv4Addr, udp: usize, identification: u16) -> [u8; IPV4] {
    let [a, b] = ((IPV4 + udp) as u16).to_be_bytes();
    let [c, d] = identification.to_be_bytes();
    let ([e, f, g, h], [i, j, k, l]) = (from.octets(), to.octets());
    let mut header = [0x45, 0, a, b, c, d, 0, 0, TTL, PROTOCOL_UDP, 0, 0, e, f, g, h, i, j, k, l];
    [header[10], header[11]] = Sum::default().with(&header).checksum();
    header
}

/// A header of IPv6 for so many octets of UDP.
fn header_ipv6(from: Ipv6Addr, to: Ipv6Addr, udp: usize) -> [u8; IPV6] {
    let mut header = [0; IPV6];
    let [a, b] = (udp as u16).to_be_bytes();
    header[..8].copy_from_slice(&[0x60, 0, 0, 0, a, b, PROTOCOL_UDP, TTL]);
    header[8..24].copy_from_slice(&from.octets());
    header[24..].copy_from_slice(&to.octets());
    header
}
