//! One query: what a worker notes of it, packed into octets for the writer.

use std::net::{IpAddr, SocketAddr};

use crate::answer::{Facts, Transport};
use crate::serve::log::address_bits;
use crate::wire::{NAME_OCTETS_MAX, NameRef};

/// Octets of an entry before its names.
pub(super) const HEAD_OCTETS: usize = 88;
/// Octets an entry may have.
pub(super) const OCTETS_MAX: usize = HEAD_OCTETS + 2 * NAME_OCTETS_MAX;

/// Bits of the octets of marks.
pub(super) mod mark {
    pub(in super::super) const IPV6: u8 = 1;
    pub(in super::super) const EDNS: u8 = 2;
    pub(in super::super) const DNSSEC_OK: u8 = 4;
    pub(in super::super) const AUTHORITATIVE: u8 = 8;
    pub(in super::super) const TRUNCATED: u8 = 16;
    pub(in super::super) const SERIAL: u8 = 32;
    pub(in super::super) const LIMITED: u8 = 64;
    pub(in super::super) const EDE: u8 = 128;
    // Of the second octet.
    pub(in super::super) const COUNTS: u8 = 1;
    pub(in super::super) const DNSSEC: u8 = 2;
}

//------------ Entry ---------------------------------------------------------

/// What is known of one query and its response.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve) struct Entry<'a> {
    /// When it arrived, microseconds since 1970.
    pub microseconds: u64,
    /// The client.
    pub client: IpAddr,
    /// From which port.
    pub port: u16,
    /// Our address, if the transport knows it.
    pub local: Option<SocketAddr>,
    /// How.
    pub transport: Transport,
    /// The id of the message.
    pub id: u16,
    /// The name asked for, in the sender's case.
    pub qname: Option<NameRef<'a>>,
    /// The TSIG key that the message names, if it was signed.
    pub key: Option<NameRef<'a>>,
    /// What is wrong with its TSIG: 0 for nothing.
    pub tsig_error: u16,
    /// What the engine says of query and response.
    pub facts: &'a Facts,
    /// Messages of a transfer; 0 of anything else.
    pub messages: u16,
    /// Records of the response's answer, authority and additional sections; none of a transfer, or if none was sent.
    pub counts: Option<[u16; 3]>,
    /// Octets of the response, of all messages of a transfer; 0 if none was sent.
    pub octets: usize,
    /// Whether the rate limit changed or withheld it.
    pub limited: bool,
    /// How long it took, microseconds.
    pub took: u32,
}

impl Entry<'_> {
    /// Packs it onto the end of `block`.
    pub(super) fn encode(&self, block: &mut Vec<u8>) {
        let facts = self.facts;
        let mut marks = if self.client.is_ipv6() { mark::IPV6 } else { 0 };
        let client = address_bits(self.client);
        for (bit, set) in [
            (mark::EDNS, facts.edns_size.is_some()),
            (mark::DNSSEC_OK, facts.dnssec_ok),
            (mark::AUTHORITATIVE, facts.authoritative),
            (mark::TRUNCATED, facts.truncated),
            (mark::SERIAL, facts.serial.is_some()),
            (mark::LIMITED, self.limited),
            (mark::EDE, facts.ede.is_some()),
        ] {
            marks |= bit * u8::from(set);
        }
        let name = self.qname.map_or(&[][..], NameRef::wire);
        let mut head = [0; HEAD_OCTETS];
        head[..8].copy_from_slice(&self.microseconds.to_le_bytes());
        head[8..24].copy_from_slice(&client.to_le_bytes());
        head[24..28].copy_from_slice(&u32::try_from(self.octets).unwrap_or(u32::MAX).to_le_bytes());
        head[28..32].copy_from_slice(&self.took.to_le_bytes());
        head[32..36].copy_from_slice(&facts.serial.unwrap_or(0).to_le_bytes());
        let numbers = [
            self.port,
            facts.qtype.0,
            facts.qclass.0,
            facts.query_flags,
            facts.edns_size.unwrap_or(0),
            facts.rcode.0,
            facts.ede.map_or(0, |ede| ede.code),
        ];
        for (to, from) in head[36..50].chunks_exact_mut(2).zip(numbers) {
            to.copy_from_slice(&from.to_le_bytes());
        }
        head[50] = marks;
        head[51] = self.transport as u8;
        head[52] = facts.opcode.0;
        head[53] = name.len() as u8;
        if let Some(local) = self.local {
            head[54..70].copy_from_slice(&address_bits(local.ip()).to_le_bytes());
            head[70..72].copy_from_slice(&local.port().to_le_bytes());
        }
        head[72..74].copy_from_slice(&self.id.to_le_bytes());
        head[74] = facts.apex_octets;
        head[75] = u8::from(self.local.is_some());
        head[78..80].copy_from_slice(&self.messages.to_le_bytes());
        if let Some(counts) = self.counts {
            for (to, from) in head[80..86].chunks_exact_mut(2).zip(counts) {
                to.copy_from_slice(&from.to_le_bytes());
            }
            // Where nothing is said there is nothing to prove.
            let is_proved = facts.proofs && counts[0].saturating_add(counts[1]) > 0;
            head[86] = mark::COUNTS | if is_proved { mark::DNSSEC } else { 0 };
        }
        block.extend_from_slice(&head);
        block.extend_from_slice(name);
        if let Some(key) = self.key {
            let start = block.len() - name.len() - HEAD_OCTETS;
            block[start + 76] = key.wire().len() as u8;
            block[start + 77] = self.tsig_error as u8;
            block.extend_from_slice(key.wire());
        }
    }
}
