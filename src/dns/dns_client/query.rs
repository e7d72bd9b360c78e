//! Writes queries: one question, and an OPT record with a cookie behind it.

use crate::wire::edns::option;
use crate::wire::{Class, NameRef, Rtype};

/// The UDP payload we can take: what fits every path without fragments (RFC 9715 §3).
const UDP_SIZE: u16 = 1232;
/// Octets of an option's code and length.
const OPTION_HEAD_OCTETS: u16 = 4;

/// A message of one question. The caller appends as many records of the authority and the additional section as
/// it says.
pub fn question(
    id: u16,
    flags: u16,
    name: NameRef<'_>,
    rtype: Rtype,
    [authority, additional]: [u16; 2],
) -> Vec<u8> {
    let mut message = Vec::with_capacity(64 + name.wire().len());
    numbers(&mut message, &[id, flags, 1, 0, authority, additional]);
    message.extend_from_slice(name.wire());
    numbers(&mut message, &[rtype.0, Class::IN.0]);
    message
}

/// Appends numbers.
fn numbers(message: &mut Vec<u8>, all: &[u16]) {
    all.iter().for_each(|number| message.extend_from_slice(&number.to_be_bytes()));
}

/// The message that asks for a name and type, with this identifier, these flags and this cookie.
pub(super) fn write(
    id: u16,
    flags: u16,
    name: NameRef<'_>,
    rtype: Rtype,
    cookie: &[u8],
) -> Vec<u8> {
    let mut message = question(id, flags, name, rtype, [0, 1]);
    // OPT at the root: version 0, no flags.
    message.push(0);
    numbers(&mut message, &[Rtype::OPT.0, UDP_SIZE, 0, 0]);
    // A cookie has at most 40 octets (RFC 7873 §4).
    let octets = cookie.len() as u16;
    numbers(&mut message, &[octets + OPTION_HEAD_OCTETS, option::COOKIE, octets]);
    message.extend_from_slice(cookie);
    message
}
