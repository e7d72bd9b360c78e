//! Makes a catalog zone: as text, so that it is loaded and checked as any zone file.

use std::fmt::Write;

use crate::digest::{hex, sha256};
use crate::wire::{Name, NameRef};

/// Octets of a hash that stand in a label: enough that no two zones of a catalog share them.
const LABEL_OCTETS: usize = 16;
/// Everything but members (RFC 9432 §4.1, §4.2.1). Nobody asks for it by a resolver, so its TTL means nothing,
/// and no server is named. Its serial is the publisher's to give.
const HEAD: &str = "\
@ 0 SOA invalid. hostmaster.invalid. 1 3600 600 2419200 0
@ 0 NS invalid.
version 0 TXT \"2\"
";

/// The unique label of a member (RFC 9432 §4.1): the same after a restart, in whatever case its name is written. One
/// that leaves and comes back has it again; its serials go on from where they were, so there is no state that
/// a secondary would have to forget (RFC 9432 §5.6).
pub fn label(zone: NameRef<'_>) -> String {
    let hash = sha256(zone.to_lowercase().wire());
    hex(&hash[..LABEL_OCTETS])
}

/// The catalog zone of these members, in master file form; the origin is its name.
pub fn text<'a>(members: impl Iterator<Item = &'a Name>) -> String {
    let mut text = HEAD.to_owned();
    for member in members {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}.zones 0 PTR {member}", label(member.as_ref()));
    }
    text
}
