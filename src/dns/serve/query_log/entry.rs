//! One query: what a worker notes of it, packed into words for the writer.

use std::net::{IpAddr, SocketAddr};

use crate::answer::{Facts, Transport};
use crate::serve::log::{address_bits, address_of};
use crate::wire::{NAME_OCTETS_MAX, NameRef};

/// Words of 64 bits before the names of an entry.
const HEAD_WORDS: usize = 11;
/// Octets of an entry before its names.
const HEAD_OCTETS: usize = 8 * HEAD_WORDS;
/// Octets an entry may have.
pub(super) const OCTETS_MAX: usize = HEAD_OCTETS + 2 * NAME_OCTETS_MAX;

/// Bits of the marks, which have the operation code in their upper four.
pub(super) mod mark {
    pub(in super::super) const EDNS: u16 = 1;
    pub(in super::super) const DNSSEC_OK: u16 = 2;
    pub(in super::super) const AUTHORITATIVE: u16 = 4;
    pub(in super::super) const TRUNCATED: u16 = 8;
    pub(in super::super) const LIMITED: u16 = 16;
    pub(in super::super) const EDE: u16 = 32;
    pub(in super::super) const COUNTS: u16 = 64;
    pub(in super::super) const DNSSEC: u16 = 128;
}
/// Where the operation code begins.
const OPCODE: u32 = 12;
/// Bits of the way, which has the number of the transport in its lower eight.
mod way {
    pub(super) const IPV6: u16 = 0x100;
    pub(super) const LOCAL: u16 = 0x200;
    pub(super) const SERIAL: u16 = 0x400;
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
        let name = self.qname.map_or(&[][..], NameRef::wire);
        let key = self.key.map_or(&[][..], NameRef::wire);
        // Whole words, so that this is a few instructions; names have at most 255 octets.
        let words = self.words(name.len() as u8, key.len() as u8);
        block.extend_from_slice(words.as_flattened());
        block.extend_from_slice(name);
        if !key.is_empty() {
            block.extend_from_slice(key);
        }
    }

    /// The words before the names, as [`Head`] reads them.
    #[inline]
    fn words(&self, name_octets: u8, key_octets: u8) -> [[u8; 8]; HEAD_WORDS] {
        let facts = self.facts;
        let client = address_bits(self.client);
        let local = self.local.map_or(0, |local| address_bits(local.ip()));
        let local_port = self.local.map_or(0, |local| local.port());
        let octets = u32::try_from(self.octets).unwrap_or(u32::MAX);
        let way = u16::from(self.transport as u8)
            | if self.client.is_ipv6() { way::IPV6 } else { 0 }
            | if self.local.is_some() { way::LOCAL } else { 0 }
            | if facts.serial.is_some() { way::SERIAL } else { 0 };
        let lengths = u16::from_le_bytes([name_octets, facts.apex_octets]);
        let key = u16::from_le_bytes([key_octets, self.tsig_error as u8]);
        let [answers, authority, additional] = self.counts.unwrap_or_default();
        let (edns, ede) = (facts.edns_size.unwrap_or(0), facts.ede.map_or(0, |ede| ede.code));
        [
            self.microseconds.to_le_bytes(),
            (client as u64).to_le_bytes(),
            ((client >> 64) as u64).to_le_bytes(),
            (local as u64).to_le_bytes(),
            ((local >> 64) as u64).to_le_bytes(),
            pack(self.port, local_port, self.id, self.messages).to_le_bytes(),
            (u64::from(octets) | u64::from(self.took) << 32).to_le_bytes(),
            (u64::from(facts.serial.unwrap_or(0)) | pack(0, 0, lengths, key)).to_le_bytes(),
            pack(facts.qtype.0, facts.qclass.0, way, 0).to_le_bytes(),
            pack(facts.query_flags, edns, facts.rcode.0, ede).to_le_bytes(),
            pack(answers, authority, additional, self.marks()).to_le_bytes(),
        ]
    }

    /// What is so or not.
    #[inline]
    fn marks(&self) -> u16 {
        let facts = self.facts;
        // Where nothing is said there is nothing to prove.
        let says = self.counts.is_some_and(|[answers, authority, _]| answers | authority > 0);
        let mut marks = u16::from(facts.opcode.0) << OPCODE;
        for (bit, set) in [
            (mark::EDNS, facts.edns_size.is_some()),
            (mark::DNSSEC_OK, facts.dnssec_ok),
            (mark::AUTHORITATIVE, facts.authoritative),
            (mark::TRUNCATED, facts.truncated),
            (mark::LIMITED, self.limited),
            (mark::EDE, facts.ede.is_some()),
            (mark::COUNTS, self.counts.is_some()),
            (mark::DNSSEC, facts.proofs && says),
        ] {
            marks |= if set { bit } else { 0 };
        }
        marks
    }
}

/// Four numbers in one word.
#[inline]
fn pack(a: u16, b: u16, c: u16, d: u16) -> u64 {
    u64::from(a) | u64::from(b) << 16 | u64::from(c) << 32 | u64::from(d) << 48
}

//------------ Head ----------------------------------------------------------

/// What the writer reads of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'b> {
    /// The words.
    words: &'b [[u8; 8]; HEAD_WORDS],
    /// The name asked for, on the wire; empty: there was no question.
    pub(super) name: &'b [u8],
    /// The TSIG key; empty: it was not signed.
    pub(super) key: &'b [u8],
}

/// Where and how a query came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Way {
    /// The bits of our address.
    address: u128,
    /// Our port.
    port: u16,
    /// Marks and transport.
    marks: u16,
}

/// What queries and responses have in common with many others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Shape {
    /// Flags and EDNS of the query, codes of the response.
    codes: u64,
    /// Numbers of records, and marks.
    counts: u64,
}

impl<'b> Head<'b> {
    /// Reads the entry at the start of `block`, and how many octets it took; `None` at the end of the block.
    #[inline]
    pub(super) fn read(block: &'b [u8]) -> Option<(Self, usize)> {
        let (head, rest) = block.split_at_checked(HEAD_OCTETS)?;
        let words = head.as_chunks().0.first_chunk()?;
        let mut read = Self { words, name: &[], key: &[] };
        let [name_octets, _] = read.number(7, 2).to_le_bytes();
        let [key_octets, _] = read.number(7, 3).to_le_bytes();
        let (name, rest) = rest.split_at_checked(usize::from(name_octets))?;
        (read.name, read.key) = (name, rest.get(..usize::from(key_octets))?);
        Some((read, HEAD_OCTETS + read.name.len() + read.key.len()))
    }

    /// A word.
    #[inline]
    fn word(&self, word: usize) -> u64 {
        u64::from_le_bytes(self.words[word])
    }

    /// One of the four numbers in a word.
    #[inline]
    fn number(&self, word: usize, at: u32) -> u16 {
        (self.word(word) >> (16 * at)) as u16
    }

    /// An address.
    #[inline]
    fn address(&self, word: usize) -> u128 {
        u128::from(self.word(word)) | u128::from(self.word(word + 1)) << 64
    }

    /// When it arrived, microseconds since 1970.
    #[inline]
    pub(super) fn microseconds(&self) -> u64 {
        self.word(0)
    }

    /// The bits of the client's address, and whether it is of IPv6.
    #[inline]
    pub(super) fn client(&self) -> (u128, bool) {
        (self.address(1), self.number(8, 2) & way::IPV6 != 0)
    }

    /// The client's port.
    #[inline]
    pub(super) fn port(&self) -> u16 {
        self.number(5, 0)
    }

    /// Where and how it came.
    #[inline]
    pub(super) fn way(&self) -> Way {
        let marks = self.number(8, 2) & !way::SERIAL;
        Way { address: self.address(3), port: self.number(5, 1), marks }
    }

    /// The id of the message.
    #[inline]
    pub(super) fn id(&self) -> u16 {
        self.number(5, 2)
    }

    /// Messages of a transfer.
    #[inline]
    pub(super) fn messages(&self) -> u16 {
        self.number(5, 3)
    }

    /// Octets of the response.
    #[inline]
    pub(super) fn octets(&self) -> u32 {
        self.word(6) as u32
    }

    /// How long it took, microseconds.
    #[inline]
    pub(super) fn took(&self) -> u32 {
        (self.word(6) >> 32) as u32
    }

    /// The serial of the zone, if one answered.
    #[inline]
    pub(super) fn serial(&self) -> Option<u32> {
        (self.number(8, 2) & way::SERIAL != 0).then_some(self.word(7) as u32)
    }

    /// Octets of the zone's name, which ends the name asked for; 0: none answered.
    #[inline]
    pub(super) fn apex_octets(&self) -> usize {
        let [_, apex_octets] = self.number(7, 2).to_le_bytes();
        usize::from(apex_octets)
    }

    /// What is wrong with its TSIG; 0: nothing.
    pub(super) fn tsig_error(&self) -> u8 {
        let [_, error] = self.number(7, 3).to_le_bytes();
        error
    }

    /// The type and the class asked for.
    #[inline]
    pub(super) fn question(&self) -> (u16, u16) {
        (self.number(8, 0), self.number(8, 1))
    }

    /// What it has in common with others.
    #[inline]
    pub(super) fn shape(&self) -> Shape {
        Shape { codes: self.word(9), counts: self.word(10) }
    }
}

impl Way {
    /// A number that differs where the way does, mostly.
    #[inline]
    pub(super) fn mark(self) -> u64 {
        self.address as u64 ^ (self.address >> 64) as u64 ^ u64::from(self.marks) << 32
    }

    /// Our address and port, if the transport knows them.
    pub(super) fn local(self) -> Option<SocketAddr> {
        let is_ipv6 = self.marks & way::IPV6 != 0;
        let local = SocketAddr::new(address_of(self.address, is_ipv6), self.port);
        (self.marks & way::LOCAL != 0).then_some(local)
    }

    /// The number of the transport.
    pub(super) fn transport(self) -> u8 {
        self.marks as u8
    }
}

impl Shape {
    /// A number that differs where the shape does, mostly.
    #[inline]
    pub(super) fn mark(self) -> u64 {
        self.codes.rotate_left(29) ^ self.counts
    }

    /// The flags of the query's header.
    pub(super) fn flags(self) -> u16 {
        self.codes as u16
    }

    /// The UDP size of the query's OPT record.
    pub(super) fn edns(self) -> u16 {
        (self.codes >> 16) as u16
    }

    /// The response code.
    pub(super) fn rcode(self) -> u16 {
        (self.codes >> 32) as u16
    }

    /// The extended error code.
    pub(super) fn ede(self) -> u16 {
        (self.codes >> 48) as u16
    }

    /// Records of the answer, authority and additional sections.
    pub(super) fn counts(self) -> [u16; 3] {
        [self.counts as u16, (self.counts >> 16) as u16, (self.counts >> 32) as u16]
    }

    /// The operation code.
    pub(super) fn opcode(self) -> u8 {
        (self.counts >> (48 + OPCODE)) as u8
    }

    /// Whether all these marks are set.
    pub(super) fn has(self, marks: u16) -> bool {
        (self.counts >> 48) as u16 & marks == marks
    }
}
