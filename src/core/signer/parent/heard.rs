//! What one server says about the DS records of a zone.

use std::fmt;
use std::io;

use serde::Serialize;

use crate::dns_client::{Reply, silence};
use crate::text::append;
use crate::wire::{Class, Name, NameRef, Rcode, Record, Response, Rtype};

/// DS records of one answer that are kept.
const RECORDS_MAX: usize = 64;
/// Octets of a DS record before its digest (RFC 4034 §5.1).
const HEAD_OCTETS: usize = 4;

//------------ Ds ------------------------------------------------------------

/// A DS record: the RDATA as the parent has it (RFC 4034 §5.1).
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ds(Box<[u8]>);

impl Ds {
    /// Reads RDATA; none without a digest.
    pub fn read(rdata: &[u8]) -> Option<Self> {
        (rdata.len() > HEAD_OCTETS).then(|| Self(rdata.into()))
    }

    /// The RDATA.
    pub fn rdata(&self) -> &[u8] {
        &self.0
    }

    /// The tag of the key that it is of.
    pub fn tag(&self) -> u16 {
        self.0.first_chunk().map_or(0, |tag| u16::from_be_bytes(*tag))
    }

    /// The number of that key's algorithm.
    pub fn algorithm(&self) -> u8 {
        self.0.get(2).copied().unwrap_or_default()
    }

    /// The number of the digest's type.
    pub fn digest_type(&self) -> u8 {
        self.0.get(3).copied().unwrap_or_default()
    }
}

impl fmt::Display for Ds {
    /// As in a master file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digest = String::new();
        for octet in self.0.get(HEAD_OCTETS..).unwrap_or_default() {
            append!(digest, "{octet:02X}");
        }
        write!(f, "{} {} {} {digest}", self.tag(), self.algorithm(), self.digest_type())
    }
}

impl fmt::Debug for Ds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Ds {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

//------------ Heard ---------------------------------------------------------

/// What a server says, or why it says nothing of use.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Heard {
    /// It has these DS records.
    Ds {
        /// In order, each once.
        records: Vec<Ds>,
        /// Their TTL in seconds.
        ttl: u32,
    },
    /// It has no DS record.
    None,
    /// It answers, but not for the parent.
    Lame(String),
    /// Nothing came.
    Silent(String),
}

impl Heard {
    /// What a server answered to the question for the DS records of `apex`. Records of which `is_own` holds are kept
    /// before all others, and `is_parent` knows which zone further up the parent can be.
    pub(super) fn of(
        reply: io::Result<Reply>,
        apex: &Name,
        is_own: &dyn Fn(&Ds) -> bool,
        is_parent: &dyn Fn(NameRef<'_>) -> bool,
    ) -> Self {
        match reply {
            Err(error) => Self::Silent(silence(&error)),
            Ok(reply) => match reply.read() {
                Ok(response) => Self::of_response(&response, apex, is_own, is_parent),
                Err(error) => Self::Lame(format!("its answer cannot be read: {error}")),
            },
        }
    }

    /// What a response says.
    fn of_response(
        response: &Response<'_>,
        apex: &Name,
        is_own: &dyn Fn(&Ds) -> bool,
        is_parent: &dyn Fn(NameRef<'_>) -> bool,
    ) -> Self {
        if !matches!(response.rcode, Rcode::NOERROR | Rcode::NXDOMAIN) {
            return Self::Lame(format!("it answers {}", response.rcode));
        }
        if !response.is_authoritative() {
            return Self::Lame("it does not answer with authority for the parent".to_owned());
        }
        let is_ds = |record: &&Record| {
            (record.rtype, record.class) == (Rtype::DS, Class::IN) && record.owner == *apex
        };
        let all = || response.answer.iter().filter(is_ds);
        if let Some(ttl) = all().map(|record| record.ttl).min() {
            let records = all().filter_map(|record| Ds::read(&record.rdata));
            return Self::ds(records.collect(), ttl, is_own);
        }
        let soa = response.authority.iter().find(|record| record.rtype == Rtype::SOA);
        match soa.map(|soa| soa.owner.as_ref()) {
            Some(owner) if owner == apex.as_ref() => {
                Self::Lame("it answers for the zone itself and not for its parent".to_owned())
            }
            Some(owner) if apex.as_ref().is_at_or_below(owner) => {
                if is_parent(owner) {
                    Self::None
                } else {
                    Self::Lame(format!("it answers for the zone {owner} and not for the parent"))
                }
            }
            _ => {
                Self::Lame("its answer has neither DS nor the SOA record of the parent".to_owned())
            }
        }
    }

    /// These records. Of too many, those are kept first of which `is_own` holds: whether they are there is what
    /// counts.
    pub(super) fn ds(mut records: Vec<Ds>, ttl: u32, is_own: &dyn Fn(&Ds) -> bool) -> Self {
        records.sort();
        records.dedup();
        if records.len() > RECORDS_MAX {
            records.sort_by_cached_key(|ds| !is_own(ds));
            records.truncate(RECORDS_MAX);
            records.sort();
        }
        if records.is_empty() { Self::None } else { Self::Ds { records, ttl } }
    }

    /// The DS records, none among them, of a server that answers for the parent.
    pub fn records(&self) -> Option<&[Ds]> {
        match self {
            Self::Ds { records, .. } => Some(records),
            Self::None => Some(&[]),
            Self::Lame(_) | Self::Silent(_) => None,
        }
    }

    /// Why it says nothing of use.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Lame(why) | Self::Silent(why) => Some(why),
            Self::Ds { .. } | Self::None => None,
        }
    }
}
