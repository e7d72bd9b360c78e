//! RDATA of every type: text and wire, validity, canonical form, the names inside.
//!
//! One table (in `rtype`) lists the fields of each type; everything else walks that table, so one line
//! adds a type. A type that is not in the table is opaque and written as RFC 3597 §5 says,
//! `\# LENGTH HEX`; that form is read for known types too, and then has to be valid.
//!
//! RDATA is always uncompressed here. RFC 1035 §3.3, RFC 3597, RFC 4034 §6.2, RFC 9460.

use std::borrow::Cow;

use super::{NameError, NameRef, Rtype};
use crate::text::append;

mod apl;
mod encoding;
mod expand;
mod fields;
mod loc;
mod rare;
mod read;
mod svcb;
mod whole;
mod word;
mod write;

pub(crate) use encoding::write_base32hex;
pub(in crate::wire) use expand::expand;
pub(crate) use fields::{types_of as types, write_types};
pub use read::{TextError, Token};
pub use word::ttl_from_text;
pub(crate) use word::{push_name, shown, time as time_from_text};
pub(crate) use write::name as write_name;

pub(in crate::wire) use fields::Field;
pub(in crate::wire) use rare::Rare;

/// Octets RDATA may have: RDLENGTH is 16 bits.
pub const RDATA_OCTETS_MAX: usize = 65_535;

//------------ Base64 --------------------------------------------------------

/// The octets that base64 writes, padding included; `None` if it is none.
pub fn base64_octets(text: &[u8]) -> Option<Vec<u8>> {
    // Enough at once: what grows leaves copies behind, and it may be a secret.
    let mut octets = Vec::with_capacity(text.len() / 4 * 3 + 3);
    encoding::read_base64(text.iter().copied(), &mut octets).map(|()| octets)
}

/// Octets in base64.
pub fn base64_text(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    encoding::write_base64(octets, &mut text);
    text
}

//------------ Reading text --------------------------------------------------

/// Appends the RDATA that `tokens` write to `out`; names without a final dot end in `origin`.
///
/// On an error `out` is as it was before.
pub fn from_text(
    rtype: Rtype,
    tokens: &[Token<'_>],
    origin: NameRef<'_>,
    out: &mut Vec<u8>,
) -> Result<(), TextError> {
    let start = out.len();
    let result = read::fields(rtype, tokens, origin, out).and_then(|()| {
        if out.len() - start > RDATA_OCTETS_MAX {
            return Err(TextError::new(0, "the RDATA is longer than 65,535 octets"));
        }
        Ok(())
    });
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Reads RDATA from one line of text that people typed: no comment, no parenthesis, no line break.
///
/// Whatever the text holds, the result is the RDATA of one record or an error.
pub fn parse(rtype: Rtype, text: &[u8], origin: NameRef<'_>) -> Result<Vec<u8>, TextError> {
    let tokens = read::split_line(text)?;
    let mut out = Vec::new();
    from_text(rtype, &tokens, origin, &mut out)?;
    Ok(out)
}

//------------ Writing text --------------------------------------------------

/// The RDATA as master-file text on one line; names are absolute.
pub fn to_text(rtype: Rtype, rdata: &[u8]) -> String {
    let mut text = String::new();
    write_text(rtype, rdata, &mut text);
    text
}

/// Appends the RDATA as master-file text on one line.
pub fn write_text(rtype: Rtype, rdata: &[u8], text: &mut String) {
    write_for(Reader::People, rtype, rdata, text);
}

/// Who reads a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reader {
    /// People, and gapura itself.
    People,
    /// Every name server: what one of them does not know is in a generic form.
    Servers,
}

/// Appends the RDATA for a reader.
fn write_for(reader: Reader, rtype: Rtype, rdata: &[u8], text: &mut String) {
    let start = text.len();
    let known = rtype.fields().filter(|_| check(rtype, rdata).is_ok());
    if known.is_some_and(|fields| write::fields(fields, rdata, reader, text).is_some()) {
        return;
    }
    text.truncate(start);
    write_generic(rdata, text);
}

/// Appends the RDATA as zone files have it that other servers read, too: see [`Rtype::portable`].
pub fn write_portable(rtype: Rtype, rdata: &[u8], text: &mut String) {
    if rtype.is_portable() {
        write_for(Reader::Servers, rtype, rdata, text);
    } else {
        write_generic(rdata, text);
    }
}

/// Appends the RDATA in the generic form (RFC 3597 §5).
fn write_generic(rdata: &[u8], text: &mut String) {
    append!(text, "\\# {}", rdata.len());
    if !rdata.is_empty() {
        text.push(' ');
        encoding::write_hex(rdata, text);
    }
}

//------------ Validity ------------------------------------------------------

/// Whether `rdata` is valid uncompressed RDATA of the type. Opaque types hold anything.
pub fn check(rtype: Rtype, rdata: &[u8]) -> Result<(), RdataError> {
    if rdata.len() > RDATA_OCTETS_MAX {
        return Err(RdataError::TooLong);
    }
    let Some(fields) = rtype.fields() else { return Ok(()) };
    let mut rest = rdata;
    for field in fields {
        let used = field.take(rest)?;
        rest = rest.get(used..).ok_or(RdataError::Cut)?;
    }
    if !rest.is_empty() {
        return Err(RdataError::Trailing);
    }
    whole::check_whole(rtype, rdata)
}

//------------ Names and canonical form --------------------------------------

/// The names inside valid RDATA, each with its offset. Opaque types have none.
pub fn names(rtype: Rtype, rdata: &[u8]) -> impl Iterator<Item = (usize, NameRef<'_>)> {
    let mut fields = rtype.fields().unwrap_or_default().iter();
    let mut at = 0;
    std::iter::from_fn(move || {
        for field in fields.by_ref() {
            let rest = rdata.get(at..)?;
            let (here, used) = (at, field.take(rest).ok()?);
            at += used;
            match field {
                Field::Name | Field::NameKept => {
                    return NameRef::from_wire(rest).ok().map(|(name, _)| (here, name));
                }
                Field::Gateway if rest.first() == Some(&3) => {
                    return NameRef::from_wire(&rest[2..]).ok().map(|(name, _)| (here + 2, name));
                }
                _ => {}
            }
        }
        None
    })
}

/// Where the names are that a message may compress: octets before them, and how many there are. Only the
/// types of RFC 1035 have any (RFC 3597 §4).
pub fn compressible(rtype: Rtype) -> Option<(usize, usize)> {
    match rtype {
        Rtype::NS | Rtype::CNAME | Rtype::PTR => Some((0, 1)),
        Rtype::MD | Rtype::MF | Rtype::MB | Rtype::MG | Rtype::MR => Some((0, 1)),
        Rtype::MX => Some((2, 1)),
        Rtype::SOA | Rtype::MINFO => Some((0, 2)),
        _ => None,
    }
}

/// The canonical form (RFC 4034 §6.2, RFC 6840 §5.1): names of the old types in lower case.
pub fn canonical(rtype: Rtype, rdata: &[u8]) -> Cow<'_, [u8]> {
    let fields = rtype.fields().unwrap_or_default();
    if !fields.contains(&Field::Name) {
        return Cow::Borrowed(rdata);
    }
    let (mut lowered, mut at) = (rdata.to_vec(), 0);
    for field in fields {
        let Some(used) = rdata.get(at..).and_then(|rest| field.take(rest).ok()) else { break };
        if *field == Field::Name {
            // A length octet is at most 63 and so never an upper-case letter.
            lowered[at..at + used].make_ascii_lowercase();
        }
        at += used;
    }
    Cow::Owned(lowered)
}

//------------ RdataError ----------------------------------------------------

/// Why bytes are not RDATA of the type.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RdataError {
    /// The bytes end inside a field.
    #[error("the RDATA is cut short")]
    Cut,
    /// There are bytes behind the last field.
    #[error("the RDATA has octets behind its last field")]
    Trailing,
    /// More than 65,535 octets.
    #[error("the RDATA is longer than 65,535 octets")]
    TooLong,
    /// A name inside is none.
    #[error("a name in the RDATA is bad: {0}")]
    Name(#[from] NameError),
    /// A field that must hold something is empty.
    #[error("a field of the RDATA is empty")]
    Empty,
    /// A type bitmap with windows out of order, of a wrong length or with a zero at the end.
    #[error("the type bitmap is malformed")]
    Bitmap,
    /// A digest or address that is longer or shorter than its kind has to be.
    #[error("a field of the RDATA has a wrong length")]
    Length,
    /// A value that the type does not allow.
    #[error("a field of the RDATA has a value that is not allowed")]
    Value,
    /// Service parameters out of order, twice, or with a bad value (RFC 9460 §2.2, §8).
    #[error("the service parameter key{0} is malformed, out of order or not allowed")]
    Param(u16),
    /// `no-default-alpn` says that the protocols of `alpn` are all there are.
    #[error("no-default-alpn stands without alpn (RFC 9460 section 7.1.1)")]
    NoAlpn,
    /// `mandatory` lists a key that is not there.
    #[error("mandatory names key{0}, which the record does not have (RFC 9460 section 8)")]
    NotThere(u16),
    /// An NSEC3 hash that is none of its algorithm.
    #[error(
        "a hash of algorithm 1 (SHA-1) has 20 octets, 32 signs in base32hex (RFC 5155 section 5)"
    )]
    Hash,
}

#[cfg(test)]
mod tests;
