//! The records an application asks for: what each must look like, and its value once it is read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize, Serializer};

use super::application::RequestedRecord;
use super::fault::Rule;
use crate::wire::{Name, Rtype, rdata};

/// SvcParamKeys that hold addresses (RFC 9460 §14.3.2): `ipv4hint` and `ipv6hint`.
const HINT_KEYS: [u16; 2] = [4, 6];

//------------ ParsedRecord --------------------------------------------------

/// A record whose text has been read. Its owner is the name it is asked for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RequestedRecord")]
pub struct ParsedRecord {
    /// As it was sent.
    text: RequestedRecord,
    /// The type.
    rtype: Rtype,
    /// Uncompressed RDATA.
    rdata: Box<[u8]>,
}

impl ParsedRecord {
    /// A record as a zone holds it.
    pub fn served(rtype: Rtype, ttl: u32, rdata: &[u8]) -> Self {
        let text =
            RequestedRecord { rtype: rtype.to_string(), data: rdata::to_text(rtype, rdata), ttl };
        Self { text, rtype, rdata: rdata.into() }
    }

    /// A record as an applicant sent it: targets and addresses must look like ones, too.
    pub(super) fn sent(text: &RequestedRecord) -> Result<Self, Rule> {
        check_form(text)?;
        Self::try_from(text.clone()).map_err(|_| Rule::BadData)
    }

    /// The record as it was sent.
    pub fn text(&self) -> &RequestedRecord {
        &self.text
    }

    /// As people read it: type, data and time to live.
    pub fn in_words(&self) -> String {
        let RequestedRecord { rtype, data, ttl } = &self.text;
        format!("{rtype} {data} (TTL {ttl})")
    }

    /// The type.
    pub fn rtype(&self) -> Rtype {
        self.rtype
    }

    /// Time to live in seconds.
    pub fn ttl(&self) -> u32 {
        self.text.ttl
    }

    /// Uncompressed RDATA.
    pub fn rdata(&self) -> &[u8] {
        &self.rdata
    }

    /// The addresses it points at: of A and AAAA, and the hints of HTTPS and SVCB.
    pub fn addresses(&self) -> Vec<IpAddr> {
        match self.rtype {
            Rtype::A | Rtype::AAAA => addresses_of(&self.rdata, self.rdata.len()),
            Rtype::HTTPS | Rtype::SVCB => hints(&self.rdata).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// The names it points at, in lower case; the root stands for no target at all.
    pub fn targets(&self) -> Vec<Name> {
        let names = rdata::names(self.rtype, &self.rdata).map(|(_, name)| name);
        names.filter(|name| !name.is_root()).map(|name| name.to_lowercase()).collect()
    }
}

/// Reads a record of any type; a record that was promised once has passed the rules for targets.
impl TryFrom<RequestedRecord> for ParsedRecord {
    type Error = UnreadableRecord;

    fn try_from(text: RequestedRecord) -> Result<Self, UnreadableRecord> {
        let unreadable = || UnreadableRecord(format!("{} {}", text.rtype, text.data));
        let rtype: Rtype = text.rtype.trim().parse().map_err(|_| unreadable())?;
        let data = text.data.trim();
        if data.chars().any(char::is_control) {
            return Err(unreadable());
        }
        let rdata = rdata::parse(rtype, data.as_bytes(), Name::root().as_ref());
        let rdata = rdata.map_err(|_| unreadable())?.into_boxed_slice();
        Ok(Self { text, rtype, rdata })
    }
}

/// The text is no record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not a record")]
pub struct UnreadableRecord(String);

/// As it was sent.
impl Serialize for ParsedRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

/// The addresses in `octets`, each of `length` octets.
fn addresses_of(octets: &[u8], length: usize) -> Vec<IpAddr> {
    let address = |octets: &[u8]| match octets.len() {
        4 => Some(IpAddr::V4(Ipv4Addr::from(*octets.first_chunk::<4>()?))),
        16 => Some(IpAddr::V6(Ipv6Addr::from(*octets.first_chunk::<16>()?))),
        _ => None,
    };
    octets.chunks(length.max(1)).filter_map(address).collect()
}

/// The address hints of HTTPS or SVCB RDATA (RFC 9460 §2.2): priority, target, parameters.
fn hints(rdata: &[u8]) -> Option<Vec<IpAddr>> {
    let (_, used) = Name::from_wire(rdata.get(2..)?).ok()?;
    let mut rest = rdata.get(2 + used..)?;
    let mut hints = Vec::new();
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let [a, b, c, d] = *head;
        let (key, length) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let (value, after) = tail.split_at_checked(usize::from(length))?;
        if HINT_KEYS.contains(&key) {
            hints.extend(addresses_of(value, if key == HINT_KEYS[0] { 4 } else { 16 }));
        }
        rest = after;
    }
    Some(hints)
}

//------------ Form ----------------------------------------------------------

/// Whether addresses and targets look like ones, so that an applicant sees which of them does not.
fn check_form(record: &RequestedRecord) -> Result<(), Rule> {
    let data = record.data.trim();
    let fields: Vec<&str> = data.split_whitespace().collect();
    let numbers = |fields: &[&str]| fields.iter().all(|field| field.parse::<u16>().is_ok());
    match record.rtype.trim().to_ascii_uppercase().as_str() {
        "A" => data.parse::<Ipv4Addr>().map(drop).map_err(|_| Rule::BadAddress),
        "AAAA" => data.parse::<Ipv6Addr>().map(drop).map_err(|_| Rule::BadAddress),
        "CNAME" | "NS" => check_target(data),
        "MX" => match fields[..] {
            [preference, host] if numbers(&[preference]) => check_target(host),
            _ => Err(Rule::BadData),
        },
        "SRV" => match fields[..] {
            [a, b, c, host] if numbers(&[a, b, c]) => check_target(host),
            _ => Err(Rule::BadData),
        },
        "HTTPS" | "SVCB" => {
            let [_, host, parameters @ ..] = &fields[..] else { return Err(Rule::BadData) };
            if !numbers(&fields[..1]) {
                return Err(Rule::BadData);
            }
            if *host != "." {
                check_target(host)?;
            }
            parameters.iter().try_for_each(|parameter| check_hint(parameter))
        }
        _ if data.is_empty() => Err(Rule::BadData),
        _ => Ok(()),
    }
}

/// A target: a domain name of at least two labels, without escapes.
fn check_target(text: &str) -> Result<(), Rule> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let good = text.contains('.') && text.chars().all(plain) && text.parse::<Name>().is_ok();
    if good { Ok(()) } else { Err(Rule::BadTarget) }
}

/// A service parameter; the addresses of a hint must be ones.
fn check_hint(parameter: &str) -> Result<(), Rule> {
    match parameter.split_once('=') {
        Some(("ipv4hint" | "ipv6hint", hints)) => {
            let mut hints = hints.trim_matches('"').split(',');
            let good = hints.all(|hint| hint.parse::<IpAddr>().is_ok());
            if good { Ok(()) } else { Err(Rule::BadAddress) }
        }
        _ => Ok(()),
    }
}
