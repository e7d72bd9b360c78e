//! From RDATA to master-file text.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::encoding::{write_base32hex, write_base64, write_hex, write_quoted};
use super::fields::{Field, types_of};
use super::{Reader, apl, loc, svcb};
use crate::text::append;
use crate::wire::{NameRef, Rtype};

/// Appends the fields, a space between each two. `None` if the RDATA is not valid.
pub(super) fn fields(
    fields: &[Field],
    rdata: &[u8],
    reader: Reader,
    text: &mut String,
) -> Option<()> {
    let mut rest = rdata;
    let start = text.len();
    for field in fields {
        let used = field.take(rest).ok()?;
        let (bytes, after) = rest.split_at_checked(used)?;
        if text.len() > start && !text.ends_with(' ') {
            text.push(' ');
        }
        one(*field, bytes, reader, text)?;
        rest = after;
    }
    text.truncate(text.trim_end_matches(' ').len().max(start));
    Some(())
}

/// Appends one field, whose octets are valid.
fn one(field: Field, bytes: &[u8], reader: Reader, text: &mut String) -> Option<()> {
    match field {
        Field::U8 | Field::U16 | Field::U32 | Field::Period => number(bytes, text),
        Field::Algorithm | Field::CertType | Field::Scheme => number(bytes, text),
        Field::Time => time(u32::from_be_bytes(bytes.try_into().ok()?), text)?,
        Field::Type => {
            let rtype = Rtype(u16::from_be_bytes(bytes.try_into().ok()?));
            append!(text, "{}", rtype.portable());
        }
        Field::V4 => append!(text, "{}", Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        Field::V6 => append!(text, "{}", Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        Field::Name | Field::NameKept => {
            append!(text, "{}", NameRef::from_wire(bytes).ok()?.0)
        }
        Field::String | Field::Strings => strings(bytes, text),
        Field::Tag => text.push_str(std::str::from_utf8(&bytes[1..]).ok()?),
        Field::Text | Field::TextNotEmpty => write_quoted(bytes, text),
        Field::Hex => write_hex(bytes, text),
        Field::Base64 | Field::Base64OrNone => write_base64(bytes, text),
        Field::Salt if bytes.len() == 1 => text.push('-'),
        Field::Salt => write_hex(&bytes[1..], text),
        Field::Hash => write_base32hex(&bytes[1..], text),
        Field::Types | Field::TypesOrNone => {
            for number in types_of(bytes) {
                append!(text, "{} ", Rtype(number).portable());
            }
        }
        Field::Apl => apl::write(bytes, text)?,
        Field::Loc => loc::write(bytes, text)?,
        Field::Params => svcb::write(bytes, reader, text)?,
        Field::Gateway => gateway(bytes, reader, text)?,
        Field::Eui48 | Field::Eui64 => groups(bytes, 1, '-', text),
        Field::Groups64 => groups(bytes, 2, ':', text),
        // The generic form is for these.
        Field::Rare(_) => return None,
    }
    Some(())
}

/// Appends a name; labels without anything to escape, which nearly all are, unchanged.
pub(crate) fn name(name: NameRef<'_>, text: &mut String) {
    if !is_plain(name) {
        append!(text, "{name}");
        return;
    }
    for label in name.labels() {
        text.push_str(std::str::from_utf8(label).unwrap_or_default());
        text.push('.');
    }
}

/// Whether a name has labels, and nothing in them to escape.
fn is_plain(name: NameRef<'_>) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*');
    !name.is_root() && name.labels().all(|label| label.iter().all(plain))
}

/// Appends a big-endian number in decimal.
fn number(bytes: &[u8], text: &mut String) {
    let value = bytes.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    append!(text, "{value}");
}

/// Appends character strings in quotes.
fn strings(mut bytes: &[u8], text: &mut String) {
    while let Some((&length, rest)) = bytes.split_first() {
        let (string, rest) = rest.split_at(usize::from(length).min(rest.len()));
        write_quoted(string, text);
        bytes = rest;
        if !bytes.is_empty() {
            text.push(' ');
        }
    }
}

/// Appends a point in time as `YYYYMMDDHHmmSS`.
fn time(seconds: u32, text: &mut String) -> Option<()> {
    let moment = time::OffsetDateTime::from_unix_timestamp(i64::from(seconds)).ok()?;
    let (year, month, day) = moment.to_calendar_date();
    let (hour, minute, second) = moment.to_hms();
    let month = u8::from(month);
    append!(text, "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}");
    Some(())
}

/// Appends gateway type, algorithm and gateway.
fn gateway(bytes: &[u8], reader: Reader, text: &mut String) -> Option<()> {
    let [kind, algorithm, address @ ..] = bytes else { return None };
    append!(text, "{kind} {algorithm} ");
    match kind {
        1 => one(Field::V4, address, reader, text),
        2 => one(Field::V6, address, reader, text),
        // NSD reads the escapes of this name twice, and a dot as no gateway at all.
        3 if reader == Reader::Servers && !is_plain(NameRef::from_wire(address).ok()?.0) => None,
        3 => one(Field::NameKept, address, reader, text),
        _ => {
            text.push('.');
            Some(())
        }
    }
}

/// Appends octets in groups of hexadecimal digits.
fn groups(bytes: &[u8], octets: usize, between: char, text: &mut String) {
    for (at, group) in bytes.chunks(octets).enumerate() {
        if at > 0 {
            text.push(between);
        }
        write_hex(group, text);
    }
}
