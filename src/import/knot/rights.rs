//! Servers and access lists of knot.conf: who is contacted, and who may do what.

use std::collections::BTreeMap;

use super::scan::Group;
use crate::import::address::{ANYWHERE, Net, nets, with_port};
use crate::import::draft::{Budget, Draft, DraftZone, Peer, Permission};
use crate::import::model::{Content, Tls, Update};
use crate::import::{Item, Place, literal};
use crate::wire::Name;

/// Items of an access list that narrow it in ways gapura does not have.
const NARROWING: [&str; 3] = ["cert-key", "protocol", "cert-hostname"];

/// Items by which a remote must present a certificate before it may transfer.
const CERTIFIED: [&str; 4] = ["tls", "quic", "cert-key", "cert-hostname"];

/// Remotes, groups of them, access lists.
pub(super) struct Rights {
    /// Servers by name.
    servers: BTreeMap<String, Server>,
    /// Names of servers by the name of their group.
    groups: BTreeMap<String, Vec<String>>,
    /// Access lists by name.
    lists: BTreeMap<String, Group>,
    /// Whether servers that are notified may transfer without an access list.
    is_automatic: bool,
    /// Elements that were read, of all zones.
    pub(super) budget: Budget,
}

/// A server.
struct Server {
    /// As a server to contact; none if gapura cannot.
    peer: Option<Peer>,
    /// As a permission; or its name and the item that demands a certificate.
    permission: Result<Permission, (String, &'static str)>,
    /// Whether it is among those who may without a list.
    is_automatic: bool,
}

impl Rights {
    /// Reads all of them.
    pub(super) fn read(
        remotes: Vec<Group>,
        groups: Vec<Group>,
        lists: Vec<Group>,
        is_automatic: bool,
        draft: &mut Draft,
    ) -> Self {
        let servers =
            remotes.iter().filter_map(|it| Some((it.get("id").to_owned(), server(it, draft)?)));
        let servers = servers.collect();
        let groups = groups.iter().map(|it| (it.get("id").to_owned(), it.all("remote"))).collect();
        let lists = lists.into_iter().map(|it| (it.get("id").to_owned(), it)).collect();
        Self { servers, groups, lists, is_automatic, budget: Budget::default() }
    }

    /// The servers for names, which may be names of groups.
    fn named<'a>(
        &'a self,
        names: &'a [String],
    ) -> impl Iterator<Item = Result<&'a Server, &'a str>> {
        let each = names.iter().flat_map(|name| match self.groups.get(name) {
            Some(group) => group.iter().collect::<Vec<_>>(),
            None => vec![name],
        });
        let each = each.take_while(|_| self.budget.takes(1));
        each.map(|name| self.servers.get(name).ok_or(name.as_str()))
    }

    /// Servers that are contacted.
    pub(super) fn peers(&self, item: &Item, draft: &mut Draft) -> Vec<Peer> {
        let mut peers = Vec::new();
        for server in self.named(&item.values) {
            match server {
                Ok(server) => peers.extend(server.peer.clone()),
                Err(name) => {
                    draft.note(&item.place, format!("{}: there is no remote \"{name}\"", item.name))
                }
            }
        }
        peers
    }

    /// Permissions of notified servers, where they need no access list.
    pub(super) fn automatic(&self, item: &Item, zone: &mut DraftZone) {
        let known = self.named(&item.values).filter_map(Result::ok);
        for server in known.filter(|server| self.is_automatic && server.is_automatic) {
            server.may(&item.place, zone);
        }
    }

    /// The access lists of a zone, in their order: the first that fits decides.
    pub(super) fn acl(&self, item: &Item, zone: &mut DraftZone) {
        let mut denied = [false; 2];
        for name in &item.values {
            if !self.budget.takes(1) {
                return;
            }
            let Some(list) = self.lists.get(name) else {
                zone.note(&item.place, format!("there is no acl \"{name}\""));
                continue;
            };
            let actions = list.all("action");
            let has = |action: &str| actions.iter().any(|it| it == action);
            let is_deny = list.item("deny").is_some_and(Item::is_on);
            // A list that denies and names no action denies all of them.
            let meant = [
                has("transfer") || is_deny && actions.is_empty(),
                has("update") || is_deny && actions.is_empty(),
            ];
            if is_deny {
                for (denied, meant) in denied.iter_mut().zip(meant) {
                    *denied |= meant;
                }
                let text = format!(
                    "acl {name} denies: gapura has no exceptions, so of the lists behind it nothing is taken \
                     over that it could have been meant for"
                );
                zone.note(&list.place, text);
                continue;
            }
            if let Some(narrowing) = NARROWING.iter().find_map(|it| list.item(it)) {
                let text = format!(
                    "acl {name} is not taken over: gapura has nothing like {}",
                    narrowing.name
                );
                zone.note(&narrowing.place, text);
                continue;
            }
            if meant[0] && !denied[0] {
                self.permissions(list, zone);
            }
            if meant[1] && !denied[1] {
                self.update(list, zone);
            }
            if has("query") {
                asking(list, zone);
            }
        }
    }

    /// Who an access list lets change a zone.
    fn update(&self, list: &Group, zone: &mut DraftZone) {
        let count = |name: &str| list.all(name).len();
        let each = count("update-owner-name") + count("update-type");
        if self.budget.takes(count("key").saturating_mul(each)) {
            update(list, zone);
        }
    }

    /// Who may transfer a zone by an access list.
    fn permissions(&self, list: &Group, zone: &mut DraftZone) {
        let label = list.get("id").to_owned();
        for server in self.named(&list.all("remote")) {
            match server {
                Ok(server) => server.may(&list.place, zone),
                Err(name) => {
                    zone.note(&list.place, format!("acl {label}: there is no remote \"{name}\""))
                }
            }
        }
        let has_remote = list.item("remote").is_some();
        let addresses = list.all("address");
        if has_remote && addresses.is_empty() {
            return;
        }
        let mut found: Vec<Net> = Vec::new();
        for address in &addresses {
            match nets(address) {
                Some(read) => found.extend(read),
                None => zone.note(
                    &list.place,
                    format!("acl {label}: \"{address}\" is no address: left out"),
                ),
            }
        }
        if addresses.is_empty() {
            found.extend(ANYWHERE);
        }
        let place = list.place.clone();
        let keys = list.all("key");
        let names = keys.iter().filter_map(|key| key.parse::<Name>().ok());
        let keys: Vec<Option<Name>> = if keys.is_empty() {
            vec![None]
        } else {
            names.map(|name| Some(name.as_ref().to_lowercase())).collect()
        };
        if !self.budget.takes(keys.len().saturating_mul(found.len())) {
            return;
        }
        zone.transfer.extend(keys.into_iter().map(|key| {
            let (label, nets, place) = (label.clone(), found.clone(), place.clone());
            Permission { label, nets, key, place }
        }));
    }
}

impl Server {
    /// Permits it to transfer a zone, unless Knot demands a certificate: then its address alone would be too weak.
    fn may(&self, place: &Place, zone: &mut DraftZone) {
        match &self.permission {
            Ok(permission) => zone.transfer.push(permission.clone()),
            Err((label, item)) => {
                let text = format!(
                    "remote {label} may not have the zone here: with {item} Knot asks for its certificate, not for \
                     its address alone: name in `transfer` a [[remote]] with tls"
                );
                zone.note(place, text);
            }
        }
    }
}

/// One server.
fn server(group: &Group, draft: &mut Draft) -> Option<Server> {
    let place = group.place.clone();
    let label = group.get("id").to_owned();
    let mut addresses = Vec::new();
    for address in group.all("address") {
        match with_port(&address) {
            Some(contact) => addresses.push(contact),
            None => draft
                .note(&place, format!("remote {label}: \"{address}\" is no address of a server")),
        }
    }
    let key = group.item("key").map(|it| draft.name(&it.place, it.value()));
    // Without its key, a server with an invalid key name cannot be used.
    let key = match key {
        Some(None) => return None,
        Some(key) => key,
        None => None,
    };
    let switched =
        ["tls", "quic"].into_iter().filter_map(|it| group.item(it)).find(|it| it.is_on());
    let hostname = group.get("cert-hostname").to_owned();
    let tls = Tls { name: hostname, ..Tls::default() };
    let mut is_reachable = true;
    if let Some(item) = switched.filter(|_| tls.name.is_empty()) {
        is_reachable = false;
        let text = format!(
            "remote {label} is left out: gapura verifies a server that is spoken to by {} by the name in its \
             certificate, which is not here: write its [[remote]] with tls",
            item.name
        );
        draft.note(&item.place, text);
    }
    for item in &group.items {
        let is_known =
            ["id", "address", "key", "tls", "quic", "cert-hostname", "automatic-acl", "comment"];
        if !is_known.contains(&item.name.as_str()) {
            let values = item.values.join(" ");
            draft.note(
                &item.place,
                format!("remote {label}: {}: {values} is not taken over", item.name),
            );
        }
    }
    if addresses.is_empty() {
        draft.note(&place, format!("remote {label} is left out: it has no address"));
        return None;
    }
    let nets = addresses.iter().map(|it| Net::host(it.0)).collect();
    let is_asked = |name: &&&str| group.item(name).is_some_and(|it| !is_off(it));
    let permission = match CERTIFIED.iter().find(is_asked) {
        Some(item) => Err((label.clone(), *item)),
        None => {
            Ok(Permission { label: label.clone(), nets, key: key.clone(), place: place.clone() })
        }
    };
    let tls = switched.map(|_| tls);
    let peer = is_reachable.then_some(Peer { label, addresses, key, tls, place });
    let is_automatic = group.item("automatic-acl").is_none_or(Item::is_on);
    Some(Server { peer, permission, is_automatic })
}

/// Whether a switch is off; other values are no switches.
fn is_off(item: &Item) -> bool {
    matches!(item.value().to_ascii_lowercase().as_str(), "" | "off" | "false" | "no" | "0")
}

/// Who may query. For zones other than catalogs, Knot answers unsigned queries to everybody.
fn asking(list: &Group, zone: &mut DraftZone) {
    let rule = format!("acl {}: queries", list.get("id"));
    if matches!(zone.zone.content, Content::Catalog | Content::Primaries { consume: true, .. }) {
        return zone.for_some(&list.place, &rule);
    }
    let text = format!(
        "{rule}: Knot looks at it for signed ones alone and answers all others to everybody, as gapura does; \
         gapura's list is server.allow_query"
    );
    zone.note(&list.place, text);
}

/// Who may change a zone by UPDATE.
fn update(list: &Group, zone: &mut DraftZone) {
    let (id, keys) = (list.get("id"), list.all("key"));
    if keys.is_empty() || list.item("remote").is_some() {
        let text = format!(
            "acl {id}: updates are not taken over: gapura takes them by a key alone, zone.update"
        );
        return zone.note(&list.place, text);
    }
    if list.item("address").is_some() {
        let text = format!(
            "acl {id}: updates are not taken over: gapura would take them with this key from every address; if \
             that may be, write zone.update"
        );
        return zone.note(&list.place, text);
    }
    let names = match owners(list, &zone.zone.name.to_string()) {
        Ok(names) => names,
        Err(why) => {
            let text = format!("acl {id}: updates by {why} are not taken over: write zone.update");
            return zone.note(&list.place, text);
        }
    };
    let keys = keys.iter().filter_map(|key| key.parse::<Name>().ok());
    for key in keys.map(|key| key.as_ref().to_lowercase()) {
        zone.zone.updates.push(Update {
            key,
            names: names.clone(),
            types: list.all("update-type"),
        });
    }
}

/// The names that an access list lets change; or which item of it has no counterpart.
fn owners(list: &Group, apex: &str) -> Result<Vec<String>, String> {
    let (kind, fit) = (list.get("update-owner"), list.get("update-owner-match"));
    let relative = |owner: &String| {
        let owner = owner.to_ascii_lowercase();
        match owner.strip_suffix('.') {
            None => owner,
            Some(whole) if format!("{whole}.") == apex => "@".to_owned(),
            Some(whole) => match format!("{whole}.").strip_suffix(&format!(".{apex}")) {
                Some(below) => below.to_owned(),
                None => owner,
            },
        }
    };
    let owners: Vec<String> = match kind {
        // Without an owner, names are not compared at all.
        "" => return Ok(vec!["@".to_owned(), "*".to_owned()]),
        "zone" => vec!["@".to_owned()],
        "name" => list.all("update-owner-name").iter().map(relative).collect(),
        kind => return Err(format!("update-owner {kind}")),
    };
    if owners.is_empty() {
        return Err(format!("update-owner {kind}"));
    }
    let mut names = Vec::new();
    for owner in owners {
        let name = literal(&owner);
        let below = if name == "@" { "*".to_owned() } else { format!("*.{name}") };
        match fit {
            "equal" => names.push(name),
            // Knot's asterisk in a pattern is one label, ours is one or more.
            "pattern" if !owner.contains('*') => names.push(name),
            "sub" => names.push(below),
            "" | "sub-or-equal" => names.extend([name, below]),
            fit => return Err(format!("update-owner-match {fit} of {owner}")),
        }
    }
    Ok(names)
}
