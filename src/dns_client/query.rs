//! Writes a query: one question, an OPT record with a cookie.

use crate::wire::edns::option;
use crate::wire::header::FLAG_RD;
use crate::wire::{Class, NameRef, Rtype};

/// The UDP payload we can take: what fits every path without fragments (RFC 9715 §3).
const UDP_SIZE: u16 = 1232;
/// Octets of an option's code and length.
const OPTION_HEAD_OCTETS: u16 = 4;

/// The message that asks for a name and type, with this identifier and cookie.
pub(super) fn write(
    id: u16,
    recursion: bool,
    name: NameRef<'_>,
    rtype: Rtype,
    cookie: &[u8],
) -> Vec<u8> {
    let mut message = Vec::with_capacity(64 + name.wire().len());
    let numbers = |message: &mut Vec<u8>, all: &[u16]| {
        all.iter().for_each(|number| message.extend_from_slice(&number.to_be_bytes()));
    };
    let flags = if recursion { FLAG_RD } else { 0 };
    // Identifier, flags, and one entry each of question and additional section.
    numbers(&mut message, &[id, flags, 1, 0, 0, 1]);
    message.extend_from_slice(name.wire());
    numbers(&mut message, &[rtype.0, Class::IN.0]);
    // OPT at the root: version 0, no flags.
    message.push(0);
    numbers(&mut message, &[Rtype::OPT.0, UDP_SIZE, 0, 0]);
    // A cookie has at most 40 octets (RFC 7873 §4).
    let octets = cookie.len() as u16;
    numbers(&mut message, &[octets + OPTION_HEAD_OCTETS, option::COOKIE, octets]);
    message.extend_from_slice(cookie);
    message
}
