//! Address prefix lists (RFC 3123): `[!]afi:address/prefix` …

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::RdataError;
use super::read::{TextError, Words};
use super::word::{decimal, v4, v6};

/// The address families (IANA): IPv4 and IPv6, with the octets of an address.
const FAMILIES: [(u16, usize); 2] = [(1, 4), (2, 16)];

/// Checks all prefixes: a known family, the prefix in range, no zero octet at the end of the address.
pub(super) fn check(rest: &[u8]) -> Result<usize, RdataError> {
    let mut at = 0;
    while at < rest.len() {
        let [high, low, prefix, length, ..] = rest[at..] else { return Err(RdataError::Cut) };
        let family = u16::from_be_bytes([high, low]);
        let octets = usize::from(length & 0x7f);
        let known = FAMILIES.iter().find(|(number, _)| *number == family);
        let (_, most) = *known.ok_or(RdataError::Value)?;
        let address = rest.get(at + 4..at + 4 + octets).ok_or(RdataError::Cut)?;
        if octets > most || usize::from(prefix) > most * 8 || address.last() == Some(&0) {
            return Err(RdataError::Value);
        }
        at += 4 + octets;
    }
    Ok(at)
}

/// Reads all words that are left.
pub(super) fn read(words: &mut Words<'_, '_>, out: &mut Vec<u8>) -> Result<(), TextError> {
    while words.peek().is_some() {
        let item = words.word(item, "a prefix such as 1:192.0.2.0/24")?;
        out.extend_from_slice(&item);
    }
    Ok(())
}

/// One prefix on the wire.
fn item(text: &[u8]) -> Option<Vec<u8>> {
    let (negated, text) = match text.strip_prefix(b"!") {
        Some(text) => (0x80, text),
        None => (0, text),
    };
    let colon = text.iter().position(|byte| *byte == b':')?;
    let slash = text.iter().rposition(|byte| *byte == b'/').filter(|slash| *slash > colon)?;
    let address = &text[colon + 1..slash];
    let (family, octets) = match &text[..colon] {
        b"1" => (1u8, v4(address)?.to_vec()),
        b"2" => (2, v6(address)?.to_vec()),
        _ => return None,
    };
    let prefix = decimal(&text[slash + 1..]).filter(|n| *n <= octets.len() as u64 * 8)? as u8;
    let used = octets.iter().rposition(|octet| *octet != 0).map_or(0, |at| at + 1);
    let mut wire = vec![0, family, prefix, negated | used as u8];
    wire.extend_from_slice(&octets[..used]);
    Some(wire)
}

/// Appends all prefixes.
pub(super) fn write(mut rest: &[u8], text: &mut String) -> Option<()> {
    while let [_, family, prefix, length, after @ ..] = rest {
        let (address, after) = after.split_at_checked(usize::from(length & 0x7f))?;
        text.push_str(if length & 0x80 != 0 { "!" } else { "" });
        let mut octets = [0u8; 16];
        octets.get_mut(..address.len())?.copy_from_slice(address);
        if *family == 1 {
            let short = [octets[0], octets[1], octets[2], octets[3]];
            write!(text, "1:{}/{prefix}", Ipv4Addr::from(short)).ok()?;
        } else {
            write!(text, "2:{}/{prefix}", Ipv6Addr::from(octets)).ok()?;
        }
        if !after.is_empty() {
            text.push(' ');
        }
        rest = after;
    }
    Some(())
}
