//! The kinds of fields, and how many octets of the wire one takes, with its validity.

use super::rare::Rare;
use super::{RdataError, apl, loc, svcb};
use crate::wire::NameRef;

//------------ Field ---------------------------------------------------------

/// A kind of field. Those named "rest" take all that is left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::wire) enum Field {
    /// An 8-bit number.
    U8,
    /// A 16-bit number.
    U16,
    /// A 32-bit number.
    U32,
    /// Seconds, 32 bits; units such as `1w2d` are read.
    Period,
    /// A point in time, 32 bits (RFC 4034 §3.2): `YYYYMMDDHHmmSS` or seconds.
    Time,
    /// A record type, 16 bits.
    Type,
    /// A DNSSEC algorithm, 8 bits; mnemonics are read, the number is written.
    Algorithm,
    /// A certificate type, 16 bits (RFC 4398 §2.1).
    CertType,
    /// A DSYNC scheme, 8 bits (RFC 9859 §2.2).
    Scheme,
    /// An IPv4 address.
    V4,
    /// An IPv6 address.
    V6,
    /// A name of the types whose canonical form is in lower case.
    Name,
    /// A name that keeps its case in the canonical form.
    NameKept,
    /// One `<character-string>`.
    String,
    /// Rest: one or more `<character-string>`s.
    Strings,
    /// A CAA property tag: length and letters or digits (RFC 8659 §4.1).
    Tag,
    /// Rest: octets that one quoted string writes (CAA value, URI target).
    Text,
    /// The same, not empty.
    TextNotEmpty,
    /// Rest: hexadecimal, not empty.
    Hex,
    /// Rest: base64, not empty.
    Base64,
    /// Rest: base64.
    Base64OrNone,
    /// Length and octets in hexadecimal, `-` for none (RFC 5155 §3.3).
    Salt,
    /// Length and octets in base32hex (RFC 5155 §3.3).
    Hash,
    /// Rest: a type bitmap with at least one type (RFC 4034 §4.1.2).
    Types,
    /// Rest: a type bitmap.
    TypesOrNone,
    /// Rest: address prefixes (RFC 3123).
    Apl,
    /// Rest: a location (RFC 1876).
    Loc,
    /// Rest: service parameters (RFC 9460 §2.1).
    Params,
    /// Gateway type, algorithm, gateway (RFC 4025 §2.1).
    Gateway,
    /// Six octets, `xx-xx-…` (RFC 7043 §3.2).
    Eui48,
    /// Eight octets, `xx-xx-…` (RFC 7043 §4.2).
    Eui64,
    /// Eight octets as four groups, `xxxx:xxxx:xxxx:xxxx` (RFC 6742 §2.1.1).
    Groups64,
    /// Rest: a field of a type that is rare or gone.
    Rare(Rare),
}

impl Field {
    /// How many octets at the start of `rest` the field takes, if they are valid.
    pub(super) fn take(self, rest: &[u8]) -> Result<usize, RdataError> {
        let fixed = |octets: usize| {
            if rest.len() < octets { Err(RdataError::Cut) } else { Ok(octets) }
        };
        let not_empty = || if rest.is_empty() { Err(RdataError::Empty) } else { Ok(rest.len()) };
        match self {
            Self::U8 | Self::Algorithm | Self::Scheme => fixed(1),
            Self::U16 | Self::Type | Self::CertType => fixed(2),
            Self::U32 | Self::Period | Self::Time | Self::V4 => fixed(4),
            Self::Eui48 => fixed(6),
            Self::Eui64 | Self::Groups64 => fixed(8),
            Self::V6 => fixed(16),
            Self::Name | Self::NameKept => Ok(NameRef::from_wire(rest)?.1),
            Self::String | Self::Salt => counted(rest),
            Self::Strings => strings(rest),
            Self::Tag => match counted(rest)? {
                1 => Err(RdataError::Empty),
                used if rest[1..used].iter().all(u8::is_ascii_alphanumeric) => Ok(used),
                _ => Err(RdataError::Value),
            },
            Self::Hash => match counted(rest)? {
                1 => Err(RdataError::Empty),
                used => Ok(used),
            },
            Self::Text | Self::Base64OrNone => Ok(rest.len()),
            Self::Hex | Self::Base64 | Self::TextNotEmpty => not_empty(),
            Self::Types => {
                not_empty()?;
                bitmap(rest)
            }
            Self::TypesOrNone => bitmap(rest),
            Self::Apl => apl::check(rest),
            Self::Loc => loc::check(rest),
            Self::Params => svcb::check_params(rest),
            Self::Gateway => gateway(rest),
            Self::Rare(field) => field.take(rest),
        }
    }
}

/// A length octet and as many octets.
fn counted(rest: &[u8]) -> Result<usize, RdataError> {
    let length = usize::from(*rest.first().ok_or(RdataError::Cut)?);
    if rest.len() < 1 + length { Err(RdataError::Cut) } else { Ok(1 + length) }
}

/// One or more character strings up to the end.
fn strings(rest: &[u8]) -> Result<usize, RdataError> {
    let mut at = 0;
    loop {
        at += counted(&rest[at..])?;
        if at == rest.len() {
            return Ok(at);
        }
    }
}

/// Windows in rising order, each with 1 to 32 octets of which the last is not zero.
fn bitmap(rest: &[u8]) -> Result<usize, RdataError> {
    let (mut at, mut last) = (0, None);
    while at < rest.len() {
        let [window, octets, ..] = rest[at..] else { return Err(RdataError::Cut) };
        let end = at + 2 + usize::from(octets);
        let bits = rest.get(at + 2..end).ok_or(RdataError::Cut)?;
        let in_order = last.is_none_or(|last| window > last);
        if !in_order || !(1..=32).contains(&octets) || bits.last() == Some(&0) {
            return Err(RdataError::Bitmap);
        }
        (at, last) = (end, Some(window));
    }
    Ok(at)
}

/// Gateway type, algorithm and the gateway of that type.
fn gateway(rest: &[u8]) -> Result<usize, RdataError> {
    let [kind, _algorithm, address @ ..] = rest else { return Err(RdataError::Cut) };
    let octets = match kind {
        0 => 0,
        1 => 4,
        2 => 16,
        3 => NameRef::from_wire(address)?.1,
        _ => return Err(RdataError::Value),
    };
    if address.len() < octets { Err(RdataError::Cut) } else { Ok(2 + octets) }
}

//------------ Type bitmaps --------------------------------------------------

/// The type numbers of a valid bitmap, rising.
pub(crate) fn types_of(bitmap: &[u8]) -> impl Iterator<Item = u16> {
    let mut rest = bitmap;
    std::iter::from_fn(move || {
        let [window, octets, after @ ..] = rest else { return None };
        let (bits, after) = after.split_at_checked(usize::from(*octets))?;
        rest = after;
        Some((u16::from(*window), bits))
    })
    .flat_map(|(window, bits)| {
        (0..bits.len() * 8)
            .filter(move |bit| bits[bit / 8] & (0x80 >> (bit % 8)) != 0)
            // At most 32 octets are 256 bits.
            .map(move |bit| window << 8 | bit as u16)
    })
}

/// Appends the bitmap of sorted type numbers without duplicates.
pub(crate) fn write_types(sorted: &[u16], out: &mut Vec<u8>) {
    for group in sorted.chunk_by(|a, b| a >> 8 == b >> 8) {
        let mut bits = [0u8; 32];
        let mut used = 0;
        for number in group {
            let low = usize::from(number & 0xff);
            bits[low / 8] |= 0x80 >> (low % 8);
            used = low / 8 + 1;
        }
        out.extend_from_slice(&[(group[0] >> 8) as u8, used as u8]);
        out.extend_from_slice(&bits[..used]);
    }
}
