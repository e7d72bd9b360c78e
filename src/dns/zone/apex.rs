//! Facts of the apex, kept apart so that no query has to look them up.

use super::node::NodeRef;
use super::nsec3::Nsec3Params;
use crate::wire::{Class, NameRef, Rtype, Writer};

//------------ Apex ----------------------------------------------------------

/// What is at the apex.
#[derive(Clone, Debug)]
pub(super) struct Apex {
    /// The numbers of the SOA record.
    pub(super) soa: Soa,
    /// The SOA record of negative responses, where one can be prepared.
    pub(super) negative_soa: Option<NegativeSoa>,
    /// The NSEC3 chain that negative answers use.
    pub(super) nsec3: Option<Nsec3Params>,
    /// Whether the SOA record is signed.
    pub(super) is_signed: bool,
    /// Labels of the name.
    pub(super) labels: u8,
}

impl Apex {
    /// Reads the node of the apex `name`; `None` if it has no SOA record that reads.
    pub(super) fn read(name: NameRef<'_>, node: NodeRef<'_>) -> Option<Self> {
        let set = node.rrset(Rtype::SOA)?;
        let soa = Soa::from_rdata(set.ttl(), set.first())?;
        Some(Self {
            soa,
            negative_soa: NegativeSoa::new(name, &soa, set.first()),
            nsec3: Nsec3Params::of_apex(node),
            is_signed: set.signature_count() > 0,
            labels: name.label_count() as u8, // at most 127
        })
    }
}

//------------ Soa -----------------------------------------------------------

/// The numbers of a SOA record (RFC 1035 §3.3.13), in seconds but for the serial.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Soa {
    /// TTL of the record.
    pub ttl: u32,
    /// The version of the zone.
    pub serial: u32,
    /// How often a secondary refreshes.
    pub refresh: u32,
    /// How soon it asks again after a failure.
    pub retry: u32,
    /// When it stops answering.
    pub expire: u32,
    /// The TTL of negative answers.
    pub minimum: u32,
}

impl Soa {
    /// Reads the five numbers at the end of the RDATA.
    fn from_rdata(ttl: u32, rdata: &[u8]) -> Option<Self> {
        let (_, numbers) = rdata.split_last_chunk::<20>()?;
        let number = |at: usize| {
            u32::from_be_bytes([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]])
        };
        Some(Self {
            ttl,
            serial: number(0),
            refresh: number(4),
            retry: number(8),
            expire: number(12),
            minimum: number(16),
        })
    }

    /// The TTL of the SOA record in a negative response (RFC 2308 §3).
    pub fn negative_ttl(&self) -> u32 {
        self.ttl.min(self.minimum)
    }
}

//------------ NegativeSoa ---------------------------------------------------

/// The SOA record as negative responses have it (RFC 2308 §3): its TTL cut to MINIMUM, its names
/// compressed against the apex at the end of the QNAME.
#[derive(Clone, Debug)]
pub struct NegativeSoa {
    /// The record, with room for the pointers.
    octets: Box<[u8]>,
    /// Where pointers to the apex are in it: the owner's, and those of names below the apex.
    pointers: Vec<u16>,
}

impl NegativeSoa {
    /// Makes the record. `None` at the root, where nothing is shorter than the name itself, and for
    /// RDATA that is none of a SOA.
    fn new(apex: NameRef<'_>, soa: &Soa, rdata: &[u8]) -> Option<Self> {
        let (mname, used) = NameRef::from_wire(rdata).ok()?;
        let (rname, _) = NameRef::from_wire(&rdata[used..]).ok()?;
        let (_, numbers) = rdata.split_last_chunk::<20>()?;
        let mut octets = vec![0; 2];
        octets.extend_from_slice(&Rtype::SOA.0.to_be_bytes());
        octets.extend_from_slice(&Class::IN.0.to_be_bytes());
        octets.extend_from_slice(&soa.negative_ttl().to_be_bytes());
        octets.extend_from_slice(&[0; 2]);
        let rdata_at = octets.len();
        let mut pointers = vec![0];
        for name in [mname, rname] {
            let labels = name.wire().strip_suffix(apex.wire());
            // Byte for byte: what the pointer leads to is in the case of the apex.
            match labels.filter(|_| name.is_at_or_below(apex)) {
                Some(labels) => {
                    octets.extend_from_slice(labels);
                    pointers.push(octets.len() as u16);
                    octets.extend_from_slice(&[0; 2]);
                }
                None => octets.extend_from_slice(name.wire()),
            }
        }
        octets.extend_from_slice(numbers);
        let length = (octets.len() - rdata_at) as u16; // two names and 20 octets
        octets[rdata_at - 2..rdata_at].copy_from_slice(&length.to_be_bytes());
        (!apex.is_root()).then(|| Self { octets: octets.into(), pointers })
    }

    /// Writes the record behind a message whose octets at `apex_at` are those of the apex, in its
    /// case. False, and nothing written, if it does not fit.
    #[inline]
    pub fn put(&self, writer: &mut Writer<'_>, apex_at: u16) -> bool {
        let start = writer.len();
        let done = writer.put(&self.octets);
        if done {
            for at in &self.pointers {
                writer.patch_u16(start + usize::from(*at), 0xc000 | apex_at);
            }
        }
        done
    }
}
