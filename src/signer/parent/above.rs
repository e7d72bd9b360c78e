//! Which zone is above a zone, and where it is served.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::heard::{Ds, Heard};
use crate::dns_client::{Asked, Client, Reply, address};
use crate::wire::{Class, Name, NameRef, Rcode, Record, Rtype};
use crate::zone::{Zone, ZoneSet};

/// Name servers of a parent that are looked at: the root has thirteen.
const HOSTS_MAX: usize = 20;
/// Addresses of one name server that are looked at.
const ADDRESSES_MAX: usize = 4;
/// For each of the two rounds in which a resolver is asked: it may have to ask others.
const TRIES: [Duration; 2] = [Duration::from_secs(3); 2];

/// A parent zone.
#[derive(Clone, Debug)]
pub(super) struct Above {
    /// Its apex.
    pub(super) zone: Name,
    /// Its servers: names and addresses.
    pub(super) servers: Vec<(String, Vec<SocketAddr>)>,
}

//------------ Served here ---------------------------------------------------

/// A parent zone that is served here.
pub(super) struct ServedHere {
    /// Its apex.
    pub(super) zone: Name,
    /// Its name servers.
    pub(super) hosts: Vec<Name>,
    /// What it has of DS records of the zone below.
    pub(super) heard: Heard,
}

/// The parent of a zone, if it is served here: not a zone further up that delegates what is between.
pub(super) fn served_here(zones: &ZoneSet, apex: &Name) -> Option<ServedHere> {
    let zone = zones.find(apex.as_ref().parent()?)?.zone()?;
    let found = zone.lookup(apex.as_ref());
    if found.cut().is_some_and(|cut| cut.owner() != apex.as_ref()) {
        return None;
    }
    let set = found.exact().and_then(|node| node.rrset(Rtype::DS));
    let heard = set.map_or(Heard::None, |set| {
        Heard::ds(set.rdatas().filter_map(Ds::read).collect(), set.ttl())
    });
    Some(ServedHere { zone: zone.apex().to_name(), hosts: hosts_of(zone), heard })
}

/// The name servers of a zone that is served here.
fn hosts_of(zone: &Zone) -> Vec<Name> {
    let servers = zone.apex_node().rrset(Rtype::NS);
    let names = servers.into_iter().flat_map(|set| set.rdatas()).filter_map(host);
    names.take(HOSTS_MAX).collect()
}

/// The name in NS RDATA.
fn host(rdata: &[u8]) -> Option<Name> {
    Name::from_wire(rdata).ok().map(|(name, _)| name)
}

/// The addresses that the zones served here have for a name.
fn addresses_here(zones: &ZoneSet, host: &Name) -> Vec<IpAddr> {
    let Some(zone) = zones.find(host.as_ref()).and_then(|entry| entry.zone()) else {
        return Vec::new();
    };
    let sets = [Rtype::A, Rtype::AAAA].map(|rtype| zone.rrset(host.as_ref(), rtype));
    sets.into_iter().flatten().flat_map(|set| set.rdatas()).filter_map(address).collect()
}

//------------ Asked of the resolver -----------------------------------------

/// The zone that a name is in: whose SOA record a resolver gives for it (RFC 2308 §2.1, §2.2).
pub(super) fn enclosing(resolvers: &[SocketAddr], name: &Name) -> Result<Name, String> {
    let mut here = Some(name.as_ref());
    while let Some(name) = here {
        let reply = resolve(resolvers, &name.to_name(), Rtype::SOA)?;
        let owner = reply.read().ok().and_then(|response| {
            let mut all = response.answer.iter().chain(&response.authority);
            let soa = all.find(|record| is_soa_above(record, name))?;
            Some(soa.owner.clone())
        });
        if let Some(owner) = owner {
            return Ok(owner);
        }
        here = name.parent();
    }
    Err(format!("the resolver does not say which zone {name} is in"))
}

/// Whether a record is the SOA of a zone that a name is in.
fn is_soa_above(record: &Record, name: NameRef<'_>) -> bool {
    (record.rtype, record.class) == (Rtype::SOA, Class::IN)
        && name.is_at_or_below(record.owner.as_ref())
}

/// The name servers of a zone.
pub(super) fn hosts(resolvers: &[SocketAddr], zone: &Name) -> Result<Vec<Name>, String> {
    let reply = resolve(resolvers, zone, Rtype::NS)?;
    let response = reply.read().map_err(|error| error.to_string())?;
    let of_zone = |record: &&Record| record.rtype == Rtype::NS && record.owner == *zone;
    let hosts = response.answer.iter().filter(of_zone).filter_map(|record| host(&record.rdata));
    let mut hosts: Vec<Name> = hosts.collect();
    hosts.sort();
    hosts.dedup();
    hosts.truncate(HOSTS_MAX);
    Ok(hosts)
}

/// The addresses of name servers, of those served here and else of the resolver's.
pub(super) fn addresses(
    resolvers: &[SocketAddr],
    hosts: Vec<Name>,
    port: u16,
    zones: &ZoneSet,
) -> Vec<(String, Vec<SocketAddr>)> {
    let here = |host: Name| (addresses_here(zones, &host), host);
    let mut found: Vec<(Vec<IpAddr>, Name)> = hosts.into_iter().map(here).collect();
    for resolver in resolvers {
        let unknown = found.iter().filter(|(addresses, _)| addresses.is_empty());
        let question = |name: &Name, rtype| Asked { server: *resolver, name: name.clone(), rtype };
        let asked: Vec<Asked> = unknown
            .flat_map(|(_, name)| [Rtype::A, Rtype::AAAA].map(|rtype| question(name, rtype)))
            .collect();
        let replies = Client::recursive().ask_all(&asked, &TRIES);
        for (asked, reply) in asked.iter().zip(replies.into_iter().map(Result::ok)) {
            let more = reply.map(|reply| addresses_in(&reply, asked.rtype)).unwrap_or_default();
            let of_host = found.iter_mut().find(|(_, name)| *name == asked.name);
            of_host.into_iter().for_each(|(addresses, _)| addresses.extend(&more));
        }
    }
    let server = |(mut addresses, name): (Vec<IpAddr>, Name)| {
        addresses.truncate(ADDRESSES_MAX);
        let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        (name.to_string(), addresses)
    };
    found.into_iter().map(server).collect()
}

/// The addresses in a response, of this type.
fn addresses_in(reply: &Reply, rtype: Rtype) -> Vec<IpAddr> {
    let Ok(response) = reply.read() else { return Vec::new() };
    let of_type = response.answer.iter().filter(|record| record.rtype == rtype);
    of_type.filter_map(|record| address(&record.rdata)).collect()
}

/// Asks the resolvers one after another until one knows.
pub(super) fn resolve(
    resolvers: &[SocketAddr],
    name: &Name,
    rtype: Rtype,
) -> Result<Reply, String> {
    let client = Client::recursive();
    let mut why = "no resolver is known: /etc/resolv.conf names them".to_owned();
    for resolver in resolvers {
        let asked = Asked { server: *resolver, name: name.clone(), rtype };
        let Some(reply) = client.ask_all(&[asked], &TRIES).pop() else { continue };
        let fault = match reply {
            Err(error) => error.to_string(),
            Ok(reply) => match reply.read().map(|response| response.rcode) {
                Ok(Rcode::NOERROR | Rcode::NXDOMAIN) => return Ok(reply),
                Ok(rcode) => rcode.to_string(),
                Err(error) => error.to_string(),
            },
        };
        why = format!("the resolver {resolver} does not say {rtype} of {name}: {fault}");
    }
    Err(why)
}
