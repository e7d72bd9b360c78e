//! A DNSKEY as data (RFC 4034 §2).

use super::algorithm::Algorithm;
use super::ds::{DigestType, ds};
use crate::wire::NameRef;

/// The flag of every key that signs a zone (RFC 4034 §2.1.1).
pub const ZONE: u16 = 0x0100;
/// The flag of a key that the parent names (RFC 4034 §2.1.1).
pub const SEP: u16 = 0x0001;
/// The flags of a key that signs the zone's data.
pub const ZSK: u16 = ZONE;
/// The flags of a key that signs the keys, or everything.
pub const KSK: u16 = ZONE | SEP;
/// The one protocol there is (RFC 4034 §2.1.2).
const PROTOCOL: u8 = 3;

/// A public key of an algorithm that zones are signed with here.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Dnskey {
    /// Zone key, secure entry point, revoked.
    pub flags: u16,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The public key as the algorithm writes it.
    pub public: Box<[u8]>,
}

impl Dnskey {
    /// The RDATA; that of its CDNSKEY is the same (RFC 7344 §3.2).
    pub fn rdata(&self) -> Box<[u8]> {
        let [high, low] = self.flags.to_be_bytes();
        let head: &[u8] = &[high, low, PROTOCOL, self.algorithm.number()];
        [head, &self.public].concat().into()
    }

    /// Reads RDATA; none if the algorithm is not one of ours.
    pub fn from_rdata(rdata: &[u8]) -> Option<Self> {
        let [high, low, PROTOCOL, algorithm, public @ ..] = rdata else { return None };
        let algorithm = Algorithm::from_number(*algorithm)?;
        let flags = u16::from_be_bytes([*high, *low]);
        (!public.is_empty()).then(|| Self { flags, algorithm, public: public.into() })
    }

    /// Its tag.
    pub fn tag(&self) -> u16 {
        key_tag(&self.rdata())
    }

    /// Whether it has the flag of a key that the parent names.
    pub fn is_sep(&self) -> bool {
        self.flags & SEP != 0
    }

    /// The RDATA of its DS, and of its CDS (RFC 7344 §3.1).
    pub fn ds(&self, owner: NameRef<'_>, kind: DigestType) -> Box<[u8]> {
        ds(owner, &self.rdata(), kind)
    }
}

/// The tag of a DNSKEY (RFC 4034 appendix B; algorithm 1, which is another, is long gone).
pub fn key_tag(rdata: &[u8]) -> u16 {
    let sum = rdata.iter().enumerate().fold(0u32, |sum, (at, octet)| {
        sum.wrapping_add(u32::from(*octet) << if at % 2 == 0 { 8 } else { 0 })
    });
    (sum.wrapping_add(sum >> 16 & 0xffff) & 0xffff) as u16
}
