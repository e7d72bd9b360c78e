//! What a worker notes of one query: addresses and messages, packed into octets for the writer.

use std::net::{IpAddr, SocketAddr};

use crate::answer::Transport;
use crate::serve::log::{address_bits, address_of};
use crate::serve::query_log::Entry;
use crate::wire::{NameRef, Opcode};

/// Octets of a record before its zone and its messages.
const HEAD_OCTETS: usize = 64;

/// Bits of the octet of marks.
mod mark {
    pub(super) const IPV6: u8 = 1;
    pub(super) const LOCAL: u8 = 2;
    pub(super) const UPDATE: u8 = 4;
}

/// One query, its response, and who asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Record<'a> {
    /// When it arrived, microseconds since 1970.
    pub(super) microseconds: u64,
    /// How long it took, microseconds.
    pub(super) took: u32,
    /// The client.
    pub(super) client: SocketAddr,
    /// Our address, if the transport knows it.
    pub(super) local: Option<SocketAddr>,
    /// The number of its [`Transport`].
    pub(super) transport: u8,
    /// Whether it is an UPDATE.
    pub(super) is_update: bool,
    /// The apex of the zone that answered, on the wire; empty: none.
    pub(super) zone: &'a [u8],
    /// The query; empty: not wanted.
    pub(super) query: &'a [u8],
    /// The response; empty: none, or not wanted.
    pub(super) response: &'a [u8],
}

impl<'a> Record<'a> {
    /// What an entry says, with these messages.
    pub(super) fn of(entry: &Entry<'a>, query: &'a [u8], response: &'a [u8]) -> Self {
        let name = entry.qname.map_or(&[][..], NameRef::wire);
        let apex = usize::from(entry.facts.apex_octets);
        let start = name.len().checked_sub(apex).unwrap_or(name.len());
        Self {
            microseconds: entry.microseconds,
            took: entry.took,
            client: SocketAddr::new(entry.client, entry.port),
            local: entry.local,
            transport: entry.transport as u8,
            is_update: entry.facts.opcode == Opcode::UPDATE,
            zone: &name[start..],
            query: whole(query),
            response: whole(response),
        }
    }

    /// Octets it takes.
    pub(super) fn octets(&self) -> usize {
        HEAD_OCTETS + self.zone.len() + self.query.len() + self.response.len()
    }

    /// Packs it onto the end of `block`.
    pub(super) fn encode(&self, block: &mut Vec<u8>) {
        let mut head = [0; HEAD_OCTETS];
        head[..8].copy_from_slice(&self.microseconds.to_le_bytes());
        head[8..12].copy_from_slice(&self.took.to_le_bytes());
        head[12..28].copy_from_slice(&address_bits(self.client.ip()).to_le_bytes());
        head[28..30].copy_from_slice(&self.client.port().to_le_bytes());
        let mut marks = if self.client.is_ipv6() { mark::IPV6 } else { 0 };
        if let Some(local) = self.local {
            head[32..48].copy_from_slice(&address_bits(local.ip()).to_le_bytes());
            head[48..50].copy_from_slice(&local.port().to_le_bytes());
            marks |= mark::LOCAL;
        }
        if self.is_update {
            marks |= mark::UPDATE;
        }
        (head[50], head[51]) = (marks, self.transport);
        // A name has at most 255 octets, a message 65,535.
        head[52] = self.zone.len() as u8;
        head[54..56].copy_from_slice(&(self.query.len() as u16).to_le_bytes());
        head[56..58].copy_from_slice(&(self.response.len() as u16).to_le_bytes());
        block.extend_from_slice(&head);
        for part in [self.zone, self.query, self.response] {
            block.extend_from_slice(part);
        }
    }

    /// Reads the record at the start of `block`; with it the octets it took.
    pub(super) fn read(block: &'a [u8]) -> Option<(Self, usize)> {
        let (head, rest) = block.split_first_chunk::<HEAD_OCTETS>()?;
        let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let marks = head[50];
        let address = |at: usize| -> Option<IpAddr> {
            let bits = u128::from_le_bytes(*head.get(at..)?.first_chunk()?);
            Some(address_of(bits, marks & mark::IPV6 != 0))
        };
        let (zone, rest) = rest.split_at_checked(usize::from(head[52]))?;
        let (query, rest) = rest.split_at_checked(usize::from(number(54)))?;
        let response = rest.get(..usize::from(number(56)))?;
        let local = (marks & mark::LOCAL != 0).then(|| address(32)).flatten();
        let record = Self {
            microseconds: u64::from_le_bytes(*head.first_chunk()?),
            took: u32::from_le_bytes(*head.get(8..)?.first_chunk()?),
            client: SocketAddr::new(address(12)?, number(28)),
            local: local.map(|address| SocketAddr::new(address, number(48))),
            transport: head[51],
            is_update: marks & mark::UPDATE != 0,
            zone,
            query,
            response,
        };
        Some((record, record.octets()))
    }

    /// How it came, as dnstap numbers it.
    pub(super) fn protocol(&self) -> u64 {
        const NUMBERS: [(Transport, u64); 4] =
            [(Transport::Udp, 1), (Transport::Tcp, 2), (Transport::Tls, 3), (Transport::Quic, 7)];
        let known = NUMBERS.iter().find(|(transport, _)| *transport as u8 == self.transport);
        known.map_or(0, |(_, number)| *number)
    }
}

/// A message, or nothing if it is longer than one can be.
fn whole(message: &[u8]) -> &[u8] {
    if message.len() > usize::from(u16::MAX) { &[] } else { message }
}
