//! What the sockets hand over, performed if the requester may.

use super::Fleet;
use super::rules::find;
use crate::answer::{Ede, Transfer};
use crate::serve::{Operations, Refusal, Requester};
use crate::transfer::Outgoing;
use crate::wire::{Name, Rcode};
use crate::zone::{Entry, Zone};

/// The requester may not (RFC 5936 §2.2.1, RFC 2136 §3.3).
const PROHIBITED: (Rcode, Ede) = (Rcode::REFUSED, Ede::PROHIBITED);

impl Operations for Fleet {
    fn transfer(
        &self,
        requester: &Requester,
        zone: &Name,
        wanted: Transfer,
    ) -> Result<Outgoing, Refusal> {
        let zones = self.0.publisher.zones();
        let Some(entry) = zones.get(zone.as_ref()) else {
            return Err(refusal((Rcode::NOTAUTH, Ede::NOT_AUTHORITATIVE)));
        };
        let rules = self.0.rules.load();
        let list = rules.of(zone).map(|rules| rules.transfer.as_slice()).unwrap_or_default();
        // Before anything is read: who may not costs nothing and learns nothing.
        find(list, requester).ok_or_else(|| refusal(PROHIBITED))?;
        match entry {
            Entry::Loaded(zone) => Ok(self.outgoing(zone, wanted)),
            Entry::NotLoaded(_) => Err(refusal((Rcode::SERVFAIL, Ede::NOT_READY))),
            Entry::Expired(_) => Err(refusal((Rcode::SERVFAIL, Ede::INVALID_DATA))),
        }
    }

    fn notify(
        &self,
        requester: &Requester,
        zone: &Name,
        serial: Option<u32>,
    ) -> Result<(), Refusal> {
        let rules = self.0.rules.load();
        let primaries = rules.of(zone).map(|rules| rules.primaries.as_slice()).unwrap_or_default();
        let Some(heed) = self.0.heed.get().filter(|_| !primaries.is_empty()) else {
            // No primary of ours could have sent it (RFC 1996 §3.10).
            return Err(refusal((Rcode::NOTAUTH, Ede::NOT_SUPPORTED)));
        };
        let primary = find(primaries, requester).ok_or_else(|| refusal(PROHIBITED))?;
        heed(primary, zone, serial);
        Ok(())
    }

    fn update(&self, _: &Requester, _: &[u8]) -> Result<(), Refusal> {
        Err(refusal(PROHIBITED))
    }
}

/// A refusal that needs no text of its own.
fn refusal((rcode, ede): (Rcode, Ede)) -> Refusal {
    Refusal::new(rcode, ede)
}

impl Fleet {
    /// What a transfer sends of a zone.
    fn outgoing(&self, zone: &Zone, wanted: Transfer) -> Outgoing {
        let changes = match wanted {
            Transfer::Full => None,
            Transfer::Since(serial) => {
                self.0.publisher.changes_since(&zone.apex().to_name(), serial)
            }
        };
        match changes {
            Some((zone, deltas)) => Outgoing::since(zone, deltas),
            None => Outgoing::Whole(zone.clone()),
        }
    }
}
