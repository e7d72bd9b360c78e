//! The audit anchor in a zone: a signed checkpoint of the event chain as a TXT record, so that nobody can
//! rewrite the chain behind what the zone has shown. A promotion brings a new one; where none comes for a
//! day, the desk publishes it by itself.

use crate::audit::{ANCHOR_LABEL, Anchor};
use crate::publish::RrsetEdit;
use crate::wire::{Name, Rtype, rdata};
use crate::zone::Zone;

/// Time to live of the anchor, in seconds.
const ANCHOR_TTL: u32 = 300;

/// The anchor as an edit of a zone.
pub fn anchor_edit(apex: &Name, anchor: &Anchor) -> Option<RrsetEdit> {
    let owner = Name::prepend(ANCHOR_LABEL.as_bytes(), apex.as_ref()).ok()?;
    let text = format!("\"{anchor}\"");
    let rdata = rdata::parse(Rtype::TXT, text.as_bytes(), apex.as_ref()).ok()?;
    let rdatas = vec![rdata.into_boxed_slice()];
    Some(RrsetEdit { owner, rtype: Rtype::TXT, ttl: ANCHOR_TTL, rdatas })
}

/// The anchor that a zone serves, if it serves one that reads.
pub fn anchor_served(zone: &Zone) -> Option<Anchor> {
    let owner = Name::prepend(ANCHOR_LABEL.as_bytes(), zone.apex()).ok()?;
    let found = zone.rrset(owner.as_ref(), Rtype::TXT)?;
    // One character string: its length, then its text.
    std::str::from_utf8(found.first().get(1..)?).ok()?.parse().ok()
}
