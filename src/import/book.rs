//! Turns the servers of all lists into named remotes: each server is one `[[remote]]`, however often it is listed.
//!
//! Servers that are contacted come first: a permission for the same address and key then uses the same remote. A
//! permission for any other address gets a remote of its own; networks of one list share one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::address::Net;
use super::draft::{Draft, Peer, Permission};
use super::model::{Content, Imported, Key, Note, Remote, Tls};
use crate::wire::Name;

/// Turns a draft into tables.
pub(super) fn settle(draft: Draft) -> Imported {
    let Draft { keys, signings, zones, notes } = draft;
    let mut book = Book::new(keys);
    let (mut settled, mut permissions, mut notes) = (Vec::new(), Vec::new(), notes);
    let mut names = BTreeSet::new();
    for draft in zones {
        let mut zone = draft.zone;
        if !names.insert(zone.name.clone()) {
            let text = format!("zone {} is given twice: the first one counts", zone.name);
            notes.push(Note { place: zone.place, text });
            continue;
        }
        let primaries = book.contacts(&draft.primaries, &mut zone.notes);
        if let Content::Primaries { remotes, .. } = &mut zone.content {
            *remotes = primaries;
        }
        zone.notify = book.contacts(&draft.notify, &mut zone.notes);
        let Book { known, used, .. } = &mut book;
        zone.updates.retain(|update| {
            let is_known = known.contains(&update.key);
            if is_known {
                used.insert(update.key.clone());
            } else {
                let text = format!(
                    "updates with key {} are not taken over: there is no such key",
                    update.key
                );
                zone.notes.push(Note { place: zone.place.clone(), text });
            }
            is_known
        });
        permissions.push(draft.transfer);
        settled.push(zone);
    }
    for (zone, list) in settled.iter_mut().zip(permissions) {
        zone.transfer = book.permitted(&list, &mut zone.notes);
    }
    let mut zones = settled;
    without_primaries(&mut zones, &mut notes);
    catalogs(&mut zones, &mut notes);
    let used_signings: BTreeSet<&String> =
        zones.iter().filter_map(|it| it.signing.as_ref()).collect();
    let signings = signings.into_iter().filter(|it| used_signings.contains(&it.name)).collect();
    let unused: Vec<String> = book
        .keys
        .iter()
        .filter(|key| !book.used.contains(&key.name))
        .map(|key| key.name.to_string())
        .collect();
    if let (false, Some(first)) = (unused.is_empty(), zones.first()) {
        let text = format!("nothing that is taken over uses key {}: left out", unused.join(", "));
        notes.push(Note { place: first.place.clone(), text });
    }
    book.keys.retain(|key| book.used.contains(&key.name));
    // Patterns and templates repeat a note for many zones.
    let mut said = BTreeSet::new();
    notes.retain(|note| said.insert(note.to_string()));
    Imported {
        keys: book.keys,
        remotes: book.remotes.into_iter().map(|it| it.remote).collect(),
        signings,
        zones,
        notes,
    }
}

/// A secondary zone whose primaries could not be taken over has no content: it is left out.
fn without_primaries(zones: &mut Vec<super::Zone>, notes: &mut Vec<Note>) {
    zones.retain_mut(|zone| {
        let is_lost =
            matches!(&zone.content, Content::Primaries { remotes, .. } if remotes.is_empty());
        if is_lost {
            notes.append(&mut zone.notes);
            let text =
                format!("zone {} is left out: no primary of it could be taken over", zone.name);
            notes.push(Note { place: zone.place.clone(), text });
        }
        !is_lost
    });
}

/// A catalog zone has members, and a member a catalog zone.
fn catalogs(zones: &mut Vec<super::Zone>, notes: &mut Vec<Note>) {
    let made: BTreeSet<Name> = zones
        .iter()
        .filter(|zone| zone.content == Content::Catalog)
        .map(|zone| zone.name.clone())
        .collect();
    let mut of_use = BTreeSet::new();
    for zone in zones.iter_mut() {
        let Some(catalog) = zone.catalog.take() else { continue };
        if made.contains(&catalog) && catalog != zone.name {
            if !zone.is_for_some {
                of_use.insert(catalog.clone());
            }
            zone.catalog = Some(catalog);
        } else {
            let text = format!("{catalog} is no catalog zone that is made here");
            zone.notes.push(Note { place: zone.place.clone(), text });
        }
    }
    zones.retain(|zone| {
        let is_empty = zone.content == Content::Catalog && !of_use.contains(&zone.name);
        if is_empty {
            let text = format!("catalog zone {} is left out: it has no members", zone.name);
            notes.push(Note { place: zone.place.clone(), text });
        }
        !is_empty
    });
}

//------------ Book ----------------------------------------------------------

/// The remotes so far.
struct Book {
    /// The keys that there are.
    keys: Vec<Key>,
    /// Their names.
    known: BTreeSet<Name>,
    /// Each with the addresses it was made of.
    remotes: Vec<Entry>,
    /// The names of remotes.
    taken: BTreeSet<String>,
    /// The number that the next remote of a label gets whose name is taken.
    next: BTreeMap<String, usize>,
    /// Those that are spoken to, by each of their addresses.
    by_address: BTreeMap<IpAddr, Vec<usize>>,
    /// The names of those that are permissions alone, by their networks and key.
    by_networks: BTreeMap<(Vec<Net>, Option<Name>), String>,
    /// The keys that something uses.
    used: BTreeSet<Name>,
}

/// A remote, and what it was made of.
struct Entry {
    /// The remote.
    remote: Remote,
    /// The addresses at which it is contacted; none if it only has permissions.
    contacts: Vec<(IpAddr, Option<u16>)>,
}

impl Book {
    /// Without remotes.
    fn new(keys: Vec<Key>) -> Self {
        Self {
            known: keys.iter().map(|key| key.name.clone()).collect(),
            keys,
            remotes: Vec::new(),
            taken: BTreeSet::new(),
            next: BTreeMap::new(),
            by_address: BTreeMap::new(),
            by_networks: BTreeMap::new(),
            used: BTreeSet::new(),
        }
    }

    /// Notes a remote.
    fn push(&mut self, remote: Remote, contacts: Vec<(IpAddr, Option<u16>)>) {
        let addresses: BTreeSet<IpAddr> = contacts.iter().map(|contact| contact.0).collect();
        for address in addresses {
            self.by_address.entry(address).or_default().push(self.remotes.len());
        }
        self.taken.insert(remote.name.clone());
        self.remotes.push(Entry { remote, contacts });
    }

    /// The remotes that are spoken to at an address, in the order in which they came.
    fn at(&self, address: Option<IpAddr>) -> impl Iterator<Item = &Entry> {
        let places = address.and_then(|address| self.by_address.get(&address));
        places.into_iter().flatten().filter_map(|at| self.remotes.get(*at))
    }

    /// The names of servers that are contacted.
    fn contacts(&mut self, peers: &[Peer], notes: &mut Vec<Note>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for peer in peers {
            if !self.knows(peer.key.as_ref()) {
                let key = peer.key.as_ref().map(ToString::to_string).unwrap_or_default();
                let who = addresses(&peer.addresses, None).join(", ");
                let text =
                    format!("server {who} is left out: there is no key {key} that gapura can use");
                notes.push(Note { place: peer.place.clone(), text });
                continue;
            }
            names.push(self.contact(peer));
        }
        without_repeated(names)
    }

    /// The name of one server.
    fn contact(&mut self, peer: &Peer) -> String {
        let same = |it: &&Entry| {
            it.contacts == peer.addresses && it.remote.key == peer.key && it.remote.tls == peer.tls
        };
        if let Some(known) = self.at(peer.addresses.first().map(|it| it.0)).find(same) {
            return known.remote.name.clone();
        }
        let first = peer.addresses.first().map(|it| it.0.to_string()).unwrap_or_default();
        let label = if peer.label.is_empty() { first } else { peer.label.clone() };
        let name = self.free_name(&label, peer.key.as_ref());
        let remote = Remote {
            name: name.clone(),
            addresses: addresses(&peer.addresses, peer.tls.as_ref()),
            key: self.with(peer.key.as_ref()),
            tls: peer.tls.clone(),
        };
        self.push(remote, peer.addresses.clone());
        name
    }

    /// The names of the remotes for a list of permissions.
    fn permitted(&mut self, list: &[Permission], notes: &mut Vec<Note>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for permission in list {
            if !self.knows(permission.key.as_ref()) {
                let key = permission.key.as_ref().map(ToString::to_string).unwrap_or_default();
                let text = format!(
                    "transfers with key {key} are not taken over: gapura cannot use that key"
                );
                notes.push(Note { place: permission.place.clone(), text });
                continue;
            }
            let mut wide = Vec::new();
            for net in &permission.nets {
                match net.as_host() {
                    Some(address) => names.push(self.host(address, permission)),
                    None => wide.push(*net),
                }
            }
            if !wide.is_empty() {
                names.push(self.networks(wide, permission));
            }
        }
        without_repeated(names)
    }

    /// The remote for a permission of a single address: one that is contacted there, if it has the same key.
    fn host(&mut self, address: IpAddr, permission: &Permission) -> String {
        let fits = |it: &&Entry| {
            it.remote.key == permission.key
                && it.remote.tls.is_none()
                && it.contacts.iter().all(|contact| contact.0 == address)
        };
        if let Some(known) = self.at(Some(address)).find(fits) {
            return known.remote.name.clone();
        }
        // A server with several addresses, all of which are in the list.
        let has = |contact: &(IpAddr, Option<u16>)| {
            permission.nets.iter().any(|net| net.holds(Net::host(contact.0)))
        };
        let is_part = |it: &&Entry| {
            it.remote.key == permission.key
                && it.remote.tls.is_none()
                && it.contacts.iter().all(has)
        };
        if let Some(known) = self.at(Some(address)).find(is_part) {
            return known.remote.name.clone();
        }
        let peer = Peer {
            label: String::new(),
            addresses: vec![(address, None)],
            key: permission.key.clone(),
            tls: None,
            place: permission.place.clone(),
        };
        self.contact(&peer)
    }

    /// The remote for a permission of networks.
    fn networks(&mut self, nets: Vec<Net>, permission: &Permission) -> String {
        let what = (nets, permission.key.clone());
        if let Some(known) = self.by_networks.get(&what) {
            return known.clone();
        }
        let nets = &what.0;
        let label = match nets.as_slice() {
            _ if !permission.label.is_empty() => permission.label.clone(),
            nets if nets.iter().any(|net| net.bits == 0) => "anywhere".to_owned(),
            [net] => net.to_string(),
            _ => "networks".to_owned(),
        };
        let remote = Remote {
            name: self.free_name(&label, permission.key.as_ref()),
            addresses: nets.iter().map(ToString::to_string).collect(),
            key: self.with(permission.key.as_ref()),
            tls: None,
        };
        let name = remote.name.clone();
        self.by_networks.insert(what, name.clone());
        self.push(remote, Vec::new());
        name
    }

    /// A key, marked as used.
    fn with(&mut self, key: Option<&Name>) -> Option<Name> {
        self.used.extend(key.cloned());
        key.cloned()
    }

    /// Whether there is a key of that name; none is needed where none is asked for.
    fn knows(&self, key: Option<&Name>) -> bool {
        key.is_none_or(|name| self.known.contains(name))
    }

    /// A name that no remote has yet, made from this one and the key if needed.
    fn free_name(&mut self, label: &str, key: Option<&Name>) -> String {
        let label: String = label.chars().filter(|sign| !sign.is_control()).collect();
        let with_key = key.map(|key| format!("{label} {}", key.to_string().trim_end_matches('.')));
        let mut candidates = std::iter::once(label.clone()).chain(with_key);
        if let Some(name) = candidates.find(|name| !self.taken.contains(name)) {
            return name;
        }
        let next = self.next.entry(label.clone()).or_insert(2);
        loop {
            let name = format!("{label} {next}");
            *next += 1;
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }
}

/// Names, each at the place where it comes first.
fn without_repeated(mut names: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Addresses as the settings write them.
fn addresses(addresses: &[(IpAddr, Option<u16>)], tls: Option<&Tls>) -> Vec<String> {
    let usual = if tls.is_some() { 853 } else { 53 };
    let write = |(address, port): &(IpAddr, Option<u16>)| match (address, port) {
        (address, None) => address.to_string(),
        (address, Some(port)) if *port == usual => address.to_string(),
        (IpAddr::V4(v4), Some(port)) => format!("{v4}:{port}"),
        (IpAddr::V6(v6), Some(port)) => format!("[{v6}]:{port}"),
    };
    addresses.iter().map(write).collect()
}
