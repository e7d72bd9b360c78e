//! What the sockets hand over, performed if the requester may.

use std::time::Instant;

use super::Fleet;
use super::pace::Paces;
use super::rules::find;
use crate::answer::{Ede, Transfer};
use crate::serve::{Operations, Refusal, Requester, Transferred};
use crate::transfer::Outgoing;
use crate::wire::{Name, Rcode};
use crate::zone::{Entry, Zone};

/// The requester may not (RFC 5936 §2.2.1, RFC 2136 §3.3).
const PROHIBITED: (Rcode, Ede) = (Rcode::REFUSED, Ede::PROHIBITED);

impl Operations for Fleet {
    fn may_transfer(&self, requester: &Requester, zone: &Name) -> Result<(), Refusal> {
        if self.0.publisher.zones().get(zone.as_ref()).is_none() {
            return Err(refusal((Rcode::NOTAUTH, Ede::NOT_AUTHORITATIVE)));
        }
        let rules = self.0.rules.load();
        let list = rules.of(zone).map(|rules| rules.transfer.as_slice()).unwrap_or_default();
        find(list, requester).ok_or_else(|| refusal(PROHIBITED))?;
        if requester.identity.as_ref().is_some_and(|it| !it.is_tls13()) {
            let text = Some("a zone transfer over TLS takes version 1.3 (RFC 9103)".to_owned());
            return Err(Refusal { text, ..refusal(PROHIBITED) });
        }
        Ok(())
    }

    fn transferred(&self, requester: &Requester, zone: &Name, report: &Transferred) {
        let rules = self.0.rules.load();
        let list = rules.of(zone).map(|rules| rules.transfer.as_slice()).unwrap_or_default();
        // A reload may have taken the remote away meanwhile.
        let peer = find(list, requester).map_or("other", |remote| remote.name.as_str());
        let result = if report.is_whole { "whole" } else { "broken" };
        self.0.counts.transferred(peer, report.kind, result);
    }

    fn transfer(
        &self,
        requester: &Requester,
        zone: &Name,
        wanted: Transfer,
    ) -> Result<Outgoing, Refusal> {
        // Before anything is read: who may not costs nothing and learns nothing.
        self.may_transfer(requester, zone)?;
        let zones = self.0.publisher.zones();
        match zones.get(zone.as_ref()) {
            Some(Entry::Loaded(zone)) => Ok(self.outgoing(zone, wanted)),
            Some(Entry::Expired(_)) => Err(refusal((Rcode::SERVFAIL, Ede::INVALID_DATA))),
            Some(Entry::NotLoaded(_)) | None => Err(refusal((Rcode::SERVFAIL, Ede::NOT_READY))),
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

    fn may_update(&self, requester: &Requester, zone: &Name) -> Result<(), Refusal> {
        self.allows_update(requester, zone)?;
        match &requester.key {
            Some(key) if !self.0.paces.allow(key, Instant::now()) => {
                let text = Some(Paces::too_many());
                Err(Refusal { text, ..refusal((Rcode::SERVFAIL, Ede::BUSY)) })
            }
            _ => Ok(()),
        }
    }

    fn update(&self, requester: &Requester, message: &[u8]) -> Result<(), Refusal> {
        self.perform_update(requester, message)
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
