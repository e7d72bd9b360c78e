//! Public keys as DNSKEY records, one a line: the `.key` files of BIND and ldns, `keymgr ZONE dnskey`, what
//! `dig` prints.

use super::content::Public;
use super::text::{KeyFileFault, lines};
use crate::dnssec::{Dnskey, ZONE};
use crate::wire::{Name, Rtype, rdata};

/// The flag of a key that is revoked (RFC 5011 §3).
const REVOKE: u16 = 0x0080;

/// Reads the DNSKEY records of a text. Other lines of a zone are passed over, and so are keys of algorithms
/// that zones are not signed with here.
pub(super) fn read(text: &[u8]) -> Result<Vec<Public>, KeyFileFault> {
    let mut found = Vec::new();
    for (line, content) in lines(text) {
        let content = content.split(|octet| *octet == b';').next().unwrap_or_default();
        let mut words = content.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let Some(owner) = words.next() else { continue };
        let is_before =
            |word: &&[u8]| word.eq_ignore_ascii_case(b"IN") || word.iter().all(u8::is_ascii_digit);
        let mut words = words.skip_while(is_before);
        if !words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"DNSKEY")) {
            continue;
        }
        let fields = words.collect::<Vec<_>>().join(&b' ');
        let owner = Name::from_text(owner)
            .map_err(|error| KeyFileFault::at(line, format!("the owner is no name: {error}")))?;
        let rdata = rdata::parse(Rtype::DNSKEY, &fields, Name::root().as_ref())
            .map_err(|error| KeyFileFault::at(line, format!("this is no DNSKEY: {error}")))?;
        let Some(dnskey) = Dnskey::from_rdata(&rdata) else { continue };
        if dnskey.flags & ZONE == 0 || dnskey.flags & REVOKE != 0 {
            let message = format!("a key with flags {} cannot sign a zone", dnskey.flags);
            return Err(KeyFileFault::at(line, message));
        }
        found.push(Public { owner, dnskey, line });
    }
    Ok(found)
}
