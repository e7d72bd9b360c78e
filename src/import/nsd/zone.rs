//! The attributes of a zone in nsd.conf: servers, and who may transfer it.

use super::Reader;
use crate::import::address::{ANYWHERE, Net, nets, with_port};
use crate::import::draft::{DraftZone, Peer, Permission};
use crate::import::{Item, Place};
use crate::wire::Name;

/// Attributes of a zone or pattern without a counterpart, and why nothing is lost without them.
const TOLD: &[(&str, &str)] = &[
    ("outgoing-interface", "gapura asks from the address that the system chooses"),
    ("max-refresh-time", "the SOA record says when a secondary zone is refreshed"),
    ("min-refresh-time", "the SOA record says when a secondary zone is refreshed"),
    ("max-retry-time", "the SOA record says when a secondary zone is refreshed"),
    ("min-retry-time", "the SOA record says when a secondary zone is refreshed"),
    ("min-expire-time", "the SOA record says when a secondary zone expires"),
    ("zonestats", "gapura counts queries for each zone without being told"),
    ("size-limit-xfr", "gapura's limits of a transfer are fixed: docs/fleet.md"),
    ("rrl-whitelist", "gapura has one rate limit for all zones, [rate_limit]"),
    ("multi-master-check", "gapura asks its primaries in turn until one has something newer"),
    ("multi-primary-check", "gapura asks its primaries in turn until one has something newer"),
    ("allow-axfr-fallback", "gapura transfers the whole zone where changes cannot be had"),
    ("notify-retry", "gapura sends NOTIFY again until the secondary has the serial"),
    ("store-ixfr", "gapura always keeps changes for IXFR"),
    ("create-ixfr", "gapura always keeps changes for IXFR"),
    ("ixfr-size", "gapura always keeps changes for IXFR"),
    ("ixfr-number", "gapura always keeps changes for IXFR"),
    ("verify-zone", "gapura checks each version by rules of its own"),
    ("verifier", "gapura checks each version by rules of its own"),
];

impl Reader {
    /// One attribute of a zone.
    pub(super) fn attribute(&mut self, attribute: &Item, zone: &mut DraftZone) {
        let Item { name, values, place } = attribute;
        match name.as_str() {
            "name" | "zonefile" | "catalog" | "allow-query" => {}
            "request-xfr" => {
                let words: Vec<&str> = values
                    .iter()
                    .map(String::as_str)
                    .skip_while(|it| matches!(*it, "AXFR" | "UDP"))
                    .collect();
                zone.primaries.extend(self.peer(&words, place));
            }
            "notify" => {
                let words: Vec<&str> = values.iter().map(String::as_str).collect();
                zone.notify.extend(self.peer(&words, place));
            }
            "provide-xfr" => {
                if let [address, key, rest @ ..] = values.as_slice()
                    && key != "BLOCKED"
                {
                    if rest.is_empty() && !self.is_tls_only {
                        zone.transfer.extend(self.permission(address, key, place));
                    } else {
                        let client = rest.first().map_or("tls-auth-xfr-only", String::as_str);
                        let text = format!(
                            "provide-xfr {address} is not taken over: it is for TLS clients alone ({client}): name \
                             in `transfer` a [[remote]] with tls"
                        );
                        zone.note(place, text);
                    }
                }
            }
            "allow-notify" => {
                let from = values.first().map_or("", String::as_str);
                let text = format!("NOTIFY from {from}: gapura takes it from the primaries of the zone alone");
                let is_plain = nets(from).is_some_and(|nets| nets.iter().all(|net| net.as_host().is_some()));
                if !is_plain {
                    zone.note(place, text);
                }
            }
            "catalog-producer-zone" => {
                zone.zone.catalog = self.draft.name(place, attribute.value());
            }
            "catalog-member-pattern" => zone.note(
                place,
                "members of a catalog take over the rules of the catalog zone itself, not of a pattern",
            ),
            _ => {
                let why = TOLD.iter().find(|told| told.0 == name);
                let why = why.map_or("gapura has nothing like it", |told| told.1);
                // Noted once for a pattern, and not for each zone.
                self.draft.note(place, format!("{name}: {} is not taken over: {why}", values.join(" ")));
            }
        }
    }

    /// A server that is contacted: `ADDRESS[@PORT] KEY|NOKEY [TLS]`.
    fn peer(&mut self, words: &[&str], place: &Place) -> Option<Peer> {
        let [address, rest @ ..] = words else { return None };
        let Some(contact) = with_port(address) else {
            self.draft.note(place, format!("\"{address}\" is no address of a server: left out"));
            return None;
        };
        let key = rest.first().copied().unwrap_or("NOKEY");
        let key = if key == "NOKEY" { None } else { Some(self.draft.name(place, key)?) };
        let tls = match rest.get(1).map(|name| (name, self.tls.get(*name))) {
            None => None,
            Some((_, Some(Some(tls)))) => Some(tls.clone()),
            Some((name, _)) => {
                let text = format!(
                    "server {address} is left out: tls-auth {name} names no auth-domain-name, and gapura \
                     verifies every server by one: write its [[remote]] with tls"
                );
                self.draft.note(place, text);
                return None;
            }
        };
        Some(Peer {
            label: String::new(),
            addresses: vec![contact],
            key,
            tls,
            place: place.clone(),
        })
    }

    /// Who may transfer.
    fn permission(&mut self, address: &str, key: &str, place: &Place) -> Option<Permission> {
        // The port is the client's source port, which is not known in advance.
        let bare = address.split('@').next().unwrap_or(address);
        let Some(nets) = nets(bare) else {
            self.draft.note(place, format!("\"{address}\" is no address: left out"));
            return None;
        };
        let key: Option<Name> =
            if key == "NOKEY" { None } else { Some(self.draft.name(place, key)?) };
        Some(Permission { label: String::new(), nets, key, place: place.clone() })
    }

    /// Who may query: everybody, unless lists say who.
    pub(super) fn asking(attributes: &[Item], zone: &mut DraftZone) {
        let lists: Vec<&Item> = attributes.iter().filter(|it| it.name == "allow-query").collect();
        let Some(first) = lists.first() else { return };
        let has = |key: &'static str| {
            lists.iter().filter(move |it| it.values.get(1).is_some_and(|it| it == key))
        };
        let open: Vec<Net> = has("NOKEY").filter_map(|it| nets(it.value())).flatten().collect();
        let is_for_all = ANYWHERE.iter().all(|net| open.contains(net));
        if !is_for_all || has("BLOCKED").next().is_some() {
            zone.for_some(&first.place, &format!("allow-query {}", first.values.join(" ")));
        }
    }

    /// BLOCKED takes precedence over all permissions, wherever it appears: overlapping ones are removed.
    pub(super) fn unblocked(&mut self, attributes: &[Item], zone: &mut DraftZone) {
        let blocked = attributes.iter().filter(|it| {
            it.name == "provide-xfr" && it.values.get(1).is_some_and(|key| key == "BLOCKED")
        });
        for attribute in blocked {
            let bare = attribute.value().split('@').next().unwrap_or_default();
            let Some(blocked) = nets(bare) else {
                let text = format!("{bare} is BLOCKED, which does not read: nobody may transfer");
                zone.note(&attribute.place, text);
                zone.transfer.clear();
                return;
            };
            let meets = |net: &Net| blocked.iter().any(|it| it.common(*net).is_some());
            let before: usize = zone.transfer.iter().map(|it| it.nets.len()).sum();
            for permission in &mut zone.transfer {
                permission.nets.retain(|net| !meets(net));
            }
            zone.transfer.retain(|it| !it.nets.is_empty());
            let after: usize = zone.transfer.iter().map(|it| it.nets.len()).sum();
            if after < before {
                let text = format!(
                    "{bare} was BLOCKED inside a network that may transfer: gapura has no exceptions, so that \
                     network is left out; name its parts in a [[remote]]"
                );
                zone.note(&attribute.place, text);
            }
        }
    }
}
