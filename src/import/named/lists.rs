//! Lists of named.conf: `acl` and who may transfer a zone, `primaries` and servers that are contacted.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::scan::{Item, Statement};
use crate::import::Place;
use crate::import::address::{ANYWHERE, Net, nets};
use crate::import::draft::{Budget, Draft, Peer, Permission};
use crate::import::model::Tls;
use crate::wire::Name;

/// Lists in lists.
const DEPTH_MAX: usize = 32;
/// Elements of a list, including nested lists: a few lists that name each other can expand to very many.
const ELEMENTS_MAX: usize = 100_000;

/// The lists that have names.
#[derive(Default)]
pub(super) struct Lists {
    /// `acl`
    pub(super) acls: BTreeMap<String, Vec<Statement>>,
    /// `primaries`, `masters`, `remote-servers`: the whole statement, for its port.
    pub(super) servers: BTreeMap<String, Statement>,
    /// `tls`; none where the server's certificate is not verified.
    pub(super) tls: BTreeMap<String, Option<Tls>>,
    /// `server ADDRESS { keys K; }`
    pub(super) keys: Vec<(Net, String)>,
    /// Elements of the list that is being read so far.
    read: Cell<usize>,
    /// Those of all lists.
    pub(super) budget: Budget,
}

//------------ Permissions ---------------------------------------------------

/// A list of permissions being read.
struct Permitting<'a> {
    /// What came of it.
    found: Vec<Permission>,
    /// The networks that permissions are limited to; none = no limit.
    within: Option<Vec<Net>>,
    /// Whether the following elements cannot be expressed.
    is_ended: bool,
    /// The name of the list that is being read.
    label: String,
    /// Where the whole list stood.
    place: &'a Place,
    /// How much may still be read.
    budget: &'a Budget,
}

impl Lists {
    /// Permissions of a list of addresses, networks, keys and lists. The first match decides, so nothing after a denial
    /// is taken over.
    pub(super) fn permissions(&self, list: &Statement, draft: &mut Draft) -> Vec<Permission> {
        let mut permitting = Permitting {
            found: Vec::new(),
            within: None,
            is_ended: false,
            label: String::new(),
            place: &list.place,
            budget: &self.budget,
        };
        self.read.set(0);
        self.elements(list.block(), &mut permitting, draft, 0);
        permitting.found
    }

    /// Takes one more element of a list; false if that is too many.
    fn takes_one(&self, element: &Statement, draft: &mut Draft) -> bool {
        self.read.set(self.read.get() + 1);
        if self.read.get() == ELEMENTS_MAX {
            draft.note(&element.place, "the list is too long: what follows is left out");
        }
        self.read.get() < ELEMENTS_MAX && self.budget.takes(1)
    }

    /// Whether a list lets in everybody, from everywhere and without a key.
    pub(super) fn is_for_all(&self, list: &Statement) -> bool {
        // Notes on its elements are not needed: nothing is taken over.
        let found = self.permissions(list, &mut Draft::default());
        let may = |net: &Net| found.iter().any(|it| it.key.is_none() && it.nets.contains(net));
        ANYWHERE.iter().all(may)
    }

    /// The elements of a list.
    fn elements(
        &self,
        list: &[Statement],
        into: &mut Permitting<'_>,
        draft: &mut Draft,
        depth: usize,
    ) {
        for element in list {
            if into.is_ended {
                return;
            }
            if depth > DEPTH_MAX {
                draft.note(&element.place, "lists are too deep in each other: left out");
                into.is_ended = true;
                return;
            }
            if !self.takes_one(element, draft) {
                into.is_ended = true;
                return;
            }
            match element.items.as_slice() {
                [Item::Word(not), rest @ ..] if not == "!" => {
                    self.denied(element, rest, into, draft)
                }
                [Item::Block(inside)] => self.elements(inside, into, draft, depth + 1),
                [Item::Word(word), Item::Word(key)] if word == "key" => {
                    into.key(key, element, draft)
                }
                [Item::Word(word)] => self.word(word, element, into, draft, depth),
                _ => {
                    let text = format!(
                        "\"{}\" is not taken over: gapura lets in by address and key",
                        element.text()
                    );
                    draft.note(&element.place, text);
                }
            }
        }
    }

    /// One word: an address, a network, or the name of a list.
    fn word(
        &self,
        word: &str,
        element: &Statement,
        into: &mut Permitting<'_>,
        draft: &mut Draft,
        depth: usize,
    ) {
        match word {
            "any" => into.networks(&ANYWHERE, element),
            "none" => into.is_ended = true,
            "localhost" => {
                let own: Vec<Net> =
                    ["127.0.0.0/8", "::1"].into_iter().filter_map(nets).flatten().collect();
                into.networks(&own, element);
                let text =
                    "localhost: of this machine's addresses only the loopback ones are taken over";
                draft.note(&element.place, text);
            }
            "localnets" => {
                let text = "localnets is not taken over: name the networks in a [[remote]]";
                draft.note(&element.place, text);
            }
            word => match (nets(word), self.acls.get(&word.to_ascii_lowercase())) {
                (Some(nets), _) => into.networks(&nets, element),
                (None, Some(list)) => {
                    let before = std::mem::replace(&mut into.label, word.to_owned());
                    self.elements(list, into, draft, depth + 1);
                    into.label = before;
                }
                (None, None) => draft.note(&element.place, format!("there is no acl \"{word}\"")),
            },
        }
    }

    /// A denial. `!{ !A; any; }` denies everybody outside A: BIND's idiom to demand both address and key.
    fn denied(
        &self,
        element: &Statement,
        what: &[Item],
        into: &mut Permitting<'_>,
        draft: &mut Draft,
    ) {
        if let [Item::Block(inside)] = what
            && let [not, any] = inside.as_slice()
            && any.name() == "any"
            && let [Item::Word(sign), kept @ ..] = not.items.as_slice()
            && sign == "!"
        {
            let kept = Statement { items: kept.to_vec(), place: not.place.clone() };
            let mut inner = Permitting {
                found: Vec::new(),
                within: into.within.clone(),
                is_ended: false,
                label: String::new(),
                place: into.place,
                budget: into.budget,
            };
            self.elements(&[kept], &mut inner, draft, 1);
            if inner.found.iter().all(|it| it.key.is_none()) {
                into.within = Some(inner.found.into_iter().flat_map(|it| it.nets).collect());
                return;
            }
        }
        into.is_ended = true;
        let is_all = matches!(what, [Item::Word(word)] if word == "any");
        if !is_all {
            let text = format!(
                "\"{}\": gapura has no exceptions; what follows in this list is not taken over, because it would \
                 let in more: name it in [[remote]] tables",
                element.text()
            );
            draft.note(&element.place, text);
        }
    }
}

impl Permitting<'_> {
    /// Permits networks.
    fn networks(&mut self, nets: &[Net], element: &Statement) {
        let nets = self.inside(nets);
        // One permission for all networks of a list.
        match self.found.last_mut().filter(|last| last.key.is_none() && last.label == self.label) {
            Some(last) => last.nets.extend(nets),
            None => {
                let (label, place) = (self.label.clone(), element.place.clone());
                self.found.push(Permission { label, nets, key: None, place });
            }
        }
    }

    /// Permits those who sign with a key.
    fn key(&mut self, key: &str, element: &Statement, draft: &mut Draft) {
        let Some(name) = draft.name(&element.place, key) else { return };
        let nets = self.inside(&ANYWHERE);
        // A key is valid from any address, so the list's name does not describe the networks.
        let label = if self.within.is_none() { format!("key {key}") } else { self.label.clone() };
        self.found.push(Permission { label, nets, key: Some(name), place: self.place.clone() });
    }

    /// The part of networks that is inside the limit.
    fn inside(&self, nets: &[Net]) -> Vec<Net> {
        match &self.within {
            None => nets.to_vec(),
            // The zone is left out then.
            Some(within) if !self.budget.takes(nets.len().saturating_mul(within.len())) => {
                Vec::new()
            }
            Some(within) => {
                nets.iter().flat_map(|net| within.iter().filter_map(|it| it.common(*net))).collect()
            }
        }
    }
}

//------------ Servers -------------------------------------------------------

impl Lists {
    /// Servers that are contacted: `[port N] { ADDRESS [port N] [key K] [tls T]; NAME [key K]; … }`.
    pub(super) fn peers(&self, list: &Statement, draft: &mut Draft) -> Vec<Peer> {
        let mut peers = Vec::new();
        self.read.set(0);
        self.servers_of(list, (None, None, None), &mut peers, draft, 0);
        peers
    }

    /// The servers of a list; its port, key and TLS apply to those without their own.
    fn servers_of(
        &self,
        list: &Statement,
        (port, key, tls): (Option<u16>, Option<&str>, Option<&str>),
        peers: &mut Vec<Peer>,
        draft: &mut Draft,
        depth: usize,
    ) {
        let port = list.behind("port").and_then(|it| it.parse().ok()).or(port);
        for element in list.block() {
            if !self.takes_one(element, draft) {
                return;
            }
            let address = element.name().parse();
            let own = |name| element.behind(name);
            let (key, tls) = (own("key").or(key), own("tls").or(tls));
            let port = own("port").and_then(|it| it.parse().ok()).or(port);
            match (address, self.servers.get(element.name())) {
                (Ok(address), _) => {
                    peers.extend(self.peer(element, (address, port), key, tls, draft));
                }
                (Err(_), Some(list)) if depth < DEPTH_MAX => {
                    self.servers_of(list, (port, key, tls), peers, draft, depth + 1);
                }
                (Err(_), _) => {
                    let text =
                        format!("\"{}\" is no address and no list of servers", element.name());
                    draft.note(&element.place, text);
                }
            }
        }
    }

    /// One server.
    fn peer(
        &self,
        element: &Statement,
        contact: (std::net::IpAddr, Option<u16>),
        key: Option<&str>,
        tls: Option<&str>,
        draft: &mut Draft,
    ) -> Option<Peer> {
        let host = Net::host(contact.0);
        let usual = self.keys.iter().find(|(net, _)| net.holds(host)).map(|it| it.1.as_str());
        let key: Option<Name> = match key.or(usual) {
            Some(key) => Some(draft.name(&element.place, key)?),
            None => None,
        };
        let tls = match tls.filter(|name| *name != "none").map(|name| (name, self.tls.get(name))) {
            None => None,
            Some((_, Some(Some(tls)))) => Some(tls.clone()),
            Some((name, _)) => {
                let text = format!(
                    "server {} is left out: tls {name} names no remote-hostname, and gapura verifies every server \
                     by the name in its certificate: write its [[remote]] with tls",
                    contact.0
                );
                draft.note(&element.place, text);
                return None;
            }
        };
        let (label, place) = (String::new(), element.place.clone());
        Some(Peer { label, addresses: vec![contact], key, tls, place })
    }
}
