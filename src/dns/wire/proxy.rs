//! The header of the PROXY protocol, version 2, by which a proxy says whom it speaks for: in front of each
//! datagram, and at the start of each connection. Version 1, which is text, is not read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Octets of a header without addresses.
pub const PROXY_HEAD_OCTETS: usize = 16;
/// The longest header that is read: proxies may add what they know (TLVs), and nobody has this much to say.
const PROXY_OCTETS_MAX: usize = 4096;
/// How a header begins; no message of DNS is likely to.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

//------------ ProxyHeader ---------------------------------------------------

/// What a header says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProxyHeader {
    /// Whom the proxy speaks for; none: itself.
    pub client: Option<SocketAddr>,
    /// Octets of the header; the message follows.
    pub octets: usize,
}

impl ProxyHeader {
    /// The header of one who speaks for itself.
    pub const LOCAL: [u8; PROXY_HEAD_OCTETS] = *b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

    /// Octets of the whole header, by its first ones; none if it is no header, or longer than
    /// is read.
    pub fn length(head: &[u8; PROXY_HEAD_OCTETS]) -> Option<usize> {
        let [.., version, _, high, low] = *head;
        let octets = PROXY_HEAD_OCTETS + usize::from(u16::from_be_bytes([high, low]));
        let is_one = head.starts_with(&SIGNATURE) && version >> 4 == 2;
        (is_one && octets <= PROXY_OCTETS_MAX).then_some(octets)
    }

    /// Reads the header that `bytes` begins with; none if that is no whole header, or one of a client
    /// that has no address.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk()?;
        let octets = Self::length(head)?;
        let addresses = bytes.get(PROXY_HEAD_OCTETS..octets)?;
        let [.., version, family, _, _] = *head;
        let client = match (version & 0x0f, family >> 4) {
            // Whatever else it says does not count.
            (0, _) => None,
            (1, 0) => None,
            (1, 1) => Some(v4(addresses.first_chunk()?)),
            (1, 2) => Some(v6(addresses.first_chunk()?)),
            _ => return None,
        };
        Some(Self { client, octets })
    }
}

/// The source of an IPv4 block: source and destination, then their ports.
fn v4(block: &[u8; 12]) -> SocketAddr {
    let [a, b, c, d, _, _, _, _, high, low, ..] = *block;
    SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low]))
}

/// The source of an IPv6 block. An IPv4 address mapped into it is the IPv4 address.
fn v6(block: &[u8; 36]) -> SocketAddr {
    let (mut address, [high, low]) = ([0; 16], [block[32], block[33]]);
    address.copy_from_slice(&block[..16]);
    let address = IpAddr::from(Ipv6Addr::from(address)).to_canonical();
    SocketAddr::new(address, u16::from_be_bytes([high, low]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with this command, family and block.
    fn header(version: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[version, family], &length, block].concat()
    }

    /// Source 192.0.2.7 port 4660, destination 127.0.0.1 port 53.
    const V4: &[u8] = b"\xc0\x00\x02\x07\x7f\0\0\x01\x12\x34\0\x35";

    #[test]
    fn the_client_is_who_the_proxy_speaks_for() {
        let read = |bytes: &[u8]| {
            let found = ProxyHeader::read(bytes)?;
            Some((found.client.map(|it| it.to_string()), found.octets))
        };
        let v4 = Some("192.0.2.7:4660".to_owned());
        // A message behind it, TLVs in it, a stream or a datagram: all the same.
        assert_eq!(read(&[header(0x21, 0x11, V4), vec![1; 30]].concat()), Some((v4.clone(), 28)));
        let with_tlv = [V4, b"\xe0\0\x03abc"].concat();
        assert_eq!(read(&header(0x21, 0x12, &with_tlv)), Some((v4, 34)));
        let mut v6 = [0u8; 36];
        v6[..4].copy_from_slice(&[0x20, 1, 0x0d, 0xb8]);
        v6[15] = 9;
        v6[33] = 53;
        assert_eq!(read(&header(0x21, 0x22, &v6)), Some((Some("[2001:db8::9]:53".to_owned()), 52)));
        v6[..16].copy_from_slice(&Ipv4Addr::new(192, 0, 2, 7).to_ipv6_mapped().octets());
        assert_eq!(read(&header(0x21, 0x21, &v6)), Some((Some("192.0.2.7:53".to_owned()), 52)));
        // It speaks for itself: LOCAL, whatever the block says, or an unknown family.
        assert_eq!(read(&ProxyHeader::LOCAL), Some((None, 16)));
        assert_eq!(read(&header(0x20, 0x11, V4)), Some((None, 28)));
        assert_eq!(read(&header(0x21, 0, b"")), Some((None, 16)));
    }

    #[test]
    fn what_is_no_whole_header_is_none() {
        for wrong in [
            header(0x11, 0x11, V4),         // another version
            header(0x22, 0x11, V4),         // an unknown command
            header(0x21, 0x31, &[0; 216]),  // a socket in the file system has no address
            header(0x21, 0x41, V4),         // an unknown family
            header(0x21, 0x11, &V4[..11]),  // a block that is too short
            header(0x21, 0x21, V4),         // and one for another family
            header(0x21, 0x11, &[0; 4081]), // longer than anybody needs
            b"PROXY TCP4 192.0.2.7 127.0.0.1 4660 53\r\n".to_vec(),
        ] {
            assert_eq!(ProxyHeader::read(&wrong), None, "{wrong:?}");
        }
        let whole = header(0x21, 0x11, V4);
        for length in 0..whole.len() {
            assert_eq!(ProxyHeader::read(&whole[..length]), None, "cut at {length}");
        }
        assert!(ProxyHeader::read(&header(0x21, 0x11, &[0; 4080])).is_some());
    }
}
