//! Who is told of a zone: its `notify` list, and its own name servers without the primary of its SOA record
//! (RFC 1996 §2), as far as their addresses are known here and they may have the zone.
//!
//! There is no resolver: a name server's addresses are those that the zones served here have for it.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::rules::{Remote, ZoneRules};
use crate::dns_client::{Ours, address};
use crate::wire::{Name, NameRef, Rtype};
use crate::zone::{Zone, ZoneSet};

//------------ Peer ----------------------------------------------------------

/// A secondary: a server that is told of changes and watched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Peer {
    /// The remote's name, or the name server's for one that a network of a remote lets in.
    pub(super) name: String,
    /// Where it is reached; the next is tried when one does not answer. Never empty.
    pub(super) addresses: Vec<SocketAddr>,
    /// The remote whose key and TLS it has.
    pub(super) remote: Arc<Remote>,
}

impl Peer {
    /// A remote as a peer; none if it has no address, or none but ours.
    fn of(remote: &Arc<Remote>, ours: &Ours) -> Option<Self> {
        Self::at(&remote.name, remote, remote.addresses.clone(), ours)
    }

    /// A peer at these addresses.
    fn at(
        name: &str,
        remote: &Arc<Remote>,
        mut addresses: Vec<SocketAddr>,
        ours: &Ours,
    ) -> Option<Self> {
        addresses.retain(|address| !ours.has(*address));
        let (name, remote) = (name.to_owned(), Arc::clone(remote));
        (!addresses.is_empty()).then_some(Self { name, addresses, remote })
    }
}

//------------ Who is told ---------------------------------------------------

/// Everybody who is told of a zone. `ours` is where we listen.
pub(super) fn peers(zone: &Zone, zones: &ZoneSet, rules: &ZoneRules, ours: &Ours) -> Vec<Peer> {
    let mut peers: Vec<Peer> =
        rules.notify.iter().filter_map(|remote| Peer::of(remote, ours)).collect();
    if !rules.transfer.is_empty() {
        for host in name_servers(zone) {
            peers.extend(server(&host, &rules.transfer, zones, ours));
        }
    }
    let (mut names, mut known) = (HashSet::new(), HashSet::new());
    peers.retain(|peer| {
        let is_new = !peer.addresses.iter().any(|address| known.contains(address));
        known.extend(peer.addresses.iter().copied());
        is_new && names.insert(peer.name.clone())
    });
    peers
}

/// The name servers of a zone without the primary.
fn name_servers(zone: &Zone) -> Vec<Name> {
    let apex = zone.apex_node();
    let primary = apex.rrset(Rtype::SOA).map(|soa| soa.first());
    let primary = primary.and_then(|rdata| NameRef::from_wire(rdata).ok()).map(|(name, _)| name);
    let servers = apex.rrset(Rtype::NS).into_iter().flat_map(|set| set.rdatas());
    let servers = servers.filter_map(|rdata| Some(NameRef::from_wire(rdata).ok()?.0));
    servers.filter(|name| Some(*name) != primary).map(NameRef::to_name).collect()
}

/// The peers that a name server stands for: remotes that may have the zone, by its addresses.
fn server(host: &Name, may: &[Arc<Remote>], zones: &ZoneSet, ours: &Ours) -> Option<Peer> {
    let mut found: Option<(Arc<Remote>, Vec<SocketAddr>)> = None;
    for ip in addresses(host, zones) {
        let knows = |remote: &&Arc<Remote>| remote.networks.iter().any(|it| it.contains(ip));
        let Some(remote) = may.iter().find(knows) else { continue };
        if remote.addresses.iter().any(|address| address.ip() == ip) {
            return Peer::of(remote, ours);
        }
        let (_, contacts) = found.get_or_insert_with(|| (Arc::clone(remote), Vec::new()));
        contacts.push(SocketAddr::new(ip, if remote.tls.is_some() { 853 } else { 53 }));
    }
    let (remote, contacts) = found?;
    Peer::at(&host.to_string(), &remote, contacts, ours)
}

/// The addresses that the zones served here have for a name.
fn addresses(host: &Name, zones: &ZoneSet) -> Vec<IpAddr> {
    let Some(zone) = zones.find(host.as_ref()).and_then(|entry| entry.zone()) else {
        return Vec::new();
    };
    let sets = [Rtype::A, Rtype::AAAA].map(|rtype| zone.rrset(host.as_ref(), rtype));
    sets.into_iter().flatten().flat_map(|set| set.rdatas()).filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::{name, publisher, remote};

    /// Who is told of `example.` by these rules: `NAME ADDRESS…`.
    fn told(rules: &ZoneRules, ours: &[&str]) -> Vec<String> {
        let (_directory, publisher) = publisher();
        let zone = publisher.zone(&name("example.")).unwrap();
        let ours = Ours::new(ours.iter().map(|text| text.parse().unwrap()).collect());
        let line = |peer: Peer| {
            let addresses: Vec<String> = peer.addresses.iter().map(ToString::to_string).collect();
            format!("{} {}", peer.name, addresses.join(" "))
        };
        peers(&zone, &publisher.zones(), rules, &ours).into_iter().map(line).collect()
    }

    #[test]
    fn the_list_and_the_name_servers_are_told_and_nobody_twice() {
        let [list, ns2] = [&["198.51.100.1"][..], &["192.0.2.53", "2001:db8::53"]]
            .map(|addresses| Arc::new(remote("listed", addresses, "")));
        let named = Arc::new(Remote { name: "ns2".to_owned(), ..Remote::clone(&ns2) });
        let mut rules = ZoneRules { notify: vec![list], ..ZoneRules::default() };
        // ns1 is the primary of the SOA record; ns2 may not have the zone.
        assert_eq!(told(&rules, &[]), ["listed 198.51.100.1:53"]);
        rules.transfer = vec![Arc::clone(&named)];
        let both = ["listed 198.51.100.1:53", "ns2 192.0.2.53:53 [2001:db8::53]:53"];
        assert_eq!(told(&rules, &[]), both);
        rules.notify.push(named);
        assert_eq!(told(&rules, &[]), both, "in both lists");
        // A network lets it in: its own name and the address of the zone.
        rules = ZoneRules {
            transfer: vec![Arc::new(remote("net", &["192.0.2.0/24"], "armada."))],
            ..ZoneRules::default()
        };
        assert_eq!(told(&rules, &[]), ["ns2.example. 192.0.2.53:53"]);
    }

    #[test]
    fn we_do_not_tell_ourselves() {
        let own = Arc::new(remote("own", &["127.0.0.3"], ""));
        let other = Arc::new(remote("other", &["192.0.2.53", "192.0.2.54"], ""));
        let rules = ZoneRules { notify: vec![own, other], ..ZoneRules::default() };
        let all = ["own 127.0.0.3:53", "other 192.0.2.53:53 192.0.2.54:53"];
        assert_eq!(told(&rules, &["127.0.0.3:54", "127.0.0.1:53"]), all);
        assert_eq!(told(&rules, &["127.0.0.3:53", "192.0.2.53:53"]), ["other 192.0.2.54:53"]);
        assert_eq!(told(&rules, &["0.0.0.0:53"]), ["other 192.0.2.53:53 192.0.2.54:53"]);
    }
}
