//! The readers' output: zones with the servers of their lists, before the servers have become named remotes.

use std::cell::Cell;
use std::net::IpAddr;

use super::address::Net;
use super::model::{Content, Key, Note, Place, Signing, Tls, Zone};
use crate::tsig::{Algorithm, secret_octets};
use crate::wire::Name;
use crate::wire::rdata::base64_text;

/// Elements of lists that one import reads, over all its zones: a list that many zones name is read for each of them.
const ELEMENTS_MAX: usize = 2_000_000;

//------------ Budget --------------------------------------------------------

/// How many elements were read so far.
#[derive(Debug, Default)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    /// Reads so many more; false if that is too many.
    pub(super) fn takes(&self, count: usize) -> bool {
        self.0.set(self.0.get().saturating_add(count));
        !self.is_spent()
    }

    /// Whether there were too many.
    fn is_spent(&self) -> bool {
        self.0.get() > ELEMENTS_MAX
    }
}

//------------ Draft ---------------------------------------------------------

/// The settings before they become tables.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// All keys that gapura can use.
    pub(super) keys: Vec<Key>,
    /// Policies.
    pub(super) signings: Vec<Signing>,
    /// Zones.
    pub(super) zones: Vec<DraftZone>,
    /// What has no counterpart.
    pub(super) notes: Vec<Note>,
}

/// A zone, and the servers of its lists.
#[derive(Debug)]
pub(super) struct DraftZone {
    /// The zone; its lists of remotes are empty.
    pub(super) zone: Zone,
    /// The servers that it is transferred from.
    pub(super) primaries: Vec<Peer>,
    /// The servers that are told of changes.
    pub(super) notify: Vec<Peer>,
    /// Who may have it.
    pub(super) transfer: Vec<Permission>,
}

/// A server that is contacted.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// What the settings call it; empty where they give it no name.
    pub(super) label: String,
    /// Its addresses and ports.
    pub(super) addresses: Vec<(IpAddr, Option<u16>)>,
    /// Its key.
    pub(super) key: Option<Name>,
    /// Its TLS parameters.
    pub(super) tls: Option<Tls>,
    /// Where it stood.
    pub(super) place: Place,
}

/// Who may transfer a zone: from one of these networks, and signed with the key if there is one.
#[derive(Clone, Debug)]
pub(super) struct Permission {
    /// What the settings call it; empty where they give it no name.
    pub(super) label: String,
    /// The networks.
    pub(super) nets: Vec<Net>,
    /// The key.
    pub(super) key: Option<Name>,
    /// Where it stood.
    pub(super) place: Place,
}

impl Draft {
    /// Notes something.
    pub(super) fn note(&mut self, place: &Place, text: impl Into<String>) {
        self.notes.push(Note { place: place.clone(), text: text.into() });
    }

    /// Adds a key; one that gapura cannot use becomes a note.
    pub(super) fn key(&mut self, place: &Place, name: &str, algorithm: &str, secret: &str) {
        let Some(apex) = self.name(place, name) else { return };
        let Ok(known) = algorithm.parse::<Algorithm>() else {
            let text = format!(
                "key {name} uses {algorithm}, which gapura does not have: make a new one for both servers \
                 with `gapura key tsig {name}`"
            );
            return self.note(place, text);
        };
        let Some(secret) = secret_octets(secret.as_bytes()) else {
            return self.note(place, format!("key {name} is left out: its secret is no base64"));
        };
        if self.keys.iter().any(|key| key.name == apex) {
            return self.note(place, format!("key {name} is given twice: the first one counts"));
        }
        self.keys.push(Key { name: apex, algorithm: known, secret: base64_text(&secret) });
    }

    /// Takes a zone, unless not all of it was read: what is missing may close it to somebody.
    pub(super) fn push(&mut self, zone: DraftZone, budget: &Budget) {
        if budget.is_spent() {
            return self.too_much(&zone.zone.name.to_string(), &zone.zone.place);
        }
        self.zones.push(zone);
    }

    /// That a zone is left out because of those before it.
    pub(super) fn too_much(&mut self, zone: &str, place: &Place) {
        let text = format!(
            "zone {zone} is left out: up to it, the lists of all zones have more than {ELEMENTS_MAX} elements, and \
             one import takes no more: import it from a file with fewer zones, or write its table by hand"
        );
        self.note(place, text);
    }

    /// A domain name in lower case; an invalid one becomes a note.
    pub(super) fn name(&mut self, place: &Place, text: &str) -> Option<Name> {
        match text.parse::<Name>() {
            Ok(name) => Some(name.as_ref().to_lowercase()),
            Err(error) => {
                self.note(place, format!("\"{text}\" is left out, it is no domain name: {error}"));
                None
            }
        }
    }
}

impl DraftZone {
    /// A zone with no lists.
    pub(super) fn new(name: Name, content: Content, place: &Place) -> Self {
        let zone = Zone {
            name,
            content,
            transfer: Vec::new(),
            notify: Vec::new(),
            updates: Vec::new(),
            serial: None,
            zonemd: false,
            catalog: None,
            signing: None,
            is_for_some: false,
            place: place.clone(),
            notes: Vec::new(),
        };
        Self { zone, primaries: Vec::new(), notify: Vec::new(), transfer: Vec::new() }
    }

    /// Notes something about the zone.
    pub(super) fn note(&mut self, place: &Place, text: impl Into<String>) {
        self.zone.notes.push(Note { place: place.clone(), text: text.into() });
    }

    /// Marks a zone that the old server answered for some clients only: gapura answers everybody.
    pub(super) fn for_some(&mut self, place: &Place, rule: &str) {
        self.note(
            place,
            format!(
                "{rule}: only some clients could ask for this zone, and gapura answers everybody alike. \
                 So its table is a comment: serve it from a second instance of gapura that others do not \
                 reach, or make a table of it if everybody may see it"
            ),
        );
        self.zone.is_for_some = true;
    }

    /// Marks a zone that the old server signs, and notes what must happen before gapura does.
    pub(super) fn signed_by(&mut self, policy: String, place: &Place, keys: &str) {
        let name = self.zone.name.to_string();
        self.note(
            place,
            format!(
                "the old server signs this zone. Its keys come first, or its DS is wrong: serve the unsigned \
                 zone here, `gapura key import {name} FILE…` ({keys}), then the line `signing` below and \
                 `gapura ctl reload` (docs/signing.md, Keys from elsewhere)"
            ),
        );
        self.zone.signing = Some(policy);
    }
}
