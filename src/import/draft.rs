//! The readers' output: zones with the servers of their lists, before the servers have become named remotes.

use std::net::IpAddr;

use super::address::Net;
use super::model::{Content, Key, Note, Place, Signing, Tls, Zone};
use crate::tsig::Algorithm;
use crate::wire::Name;
use crate::wire::rdata::base64_octets;

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
        let signs: Vec<u8> = secret.bytes().filter(|sign| !sign.is_ascii_whitespace()).collect();
        if base64_octets(&signs).is_none_or(|octets| octets.is_empty()) {
            return self.note(place, format!("key {name} is left out: its secret is no base64"));
        }
        if self.keys.iter().any(|key| key.name == apex) {
            return self.note(place, format!("key {name} is given twice: the first one counts"));
        }
        let secret = String::from_utf8_lossy(&signs).into_owned();
        self.keys.push(Key { name: apex, algorithm: known, secret });
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
