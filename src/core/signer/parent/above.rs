//! Which zone is above a zone, and where it is served.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::heard::{Ds, Heard};
use super::silence::Silence;
use crate::dns_client::{Asked, Client, Reply, address, silence};
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
pub(super) fn served_here(
    zones: &ZoneSet,
    apex: &Name,
    is_own: &dyn Fn(&Ds) -> bool,
) -> Option<ServedHere> {
    let zone = zones.find(apex.as_ref().parent()?)?.zone()?;
    let found = zone.lookup(apex.as_ref());
    if found.cut().is_some_and(|cut| cut.owner() != apex.as_ref()) {
        return None;
    }
    let set = found.exact().and_then(|node| node.rrset(Rtype::DS));
    let heard = set.map_or(Heard::None, |set| {
        Heard::ds(set.rdatas().filter_map(Ds::read).collect(), set.ttl(), is_own)
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

/// The machine's recursive servers for one errand.
pub(super) struct Resolvers<'a> {
    /// Them, as the settings have them.
    servers: Vec<SocketAddr>,
    /// Until when they may be asked.
    until: Instant,
    /// Who did not answer.
    slow: &'a Silence,
}

impl<'a> Resolvers<'a> {
    /// These, until then.
    pub(super) fn new(servers: Vec<SocketAddr>, until: Instant, slow: &'a Silence) -> Self {
        Self { servers, until, slow }
    }

    /// Them, those that did not answer lately at the end.
    fn in_order(&self) -> Vec<SocketAddr> {
        let mut servers = self.servers.clone();
        servers.sort_by_cached_key(|server| self.slow.has(*server));
        servers
    }

    /// Asks one of them all these questions, as long as there is time. The replies are in the order of the questions.
    fn ask(&self, resolver: SocketAddr, questions: &[(&Name, Rtype)]) -> Vec<io::Result<Reply>> {
        let asked = |(name, rtype): &(&Name, Rtype)| Asked {
            server: resolver,
            name: Name::clone(name),
            rtype: *rtype,
        };
        let asked: Vec<Asked> = questions.iter().map(asked).collect();
        let rounds = rounds(TRIES, self.until);
        let replies = Client::recursive().ask_all(&asked, &rounds);
        let is_asked = !asked.is_empty() && !rounds.is_empty();
        if is_asked && replies.iter().all(Result::is_err) {
            self.slow.note(resolver);
        }
        replies
    }

    /// Asks them one after another until one knows.
    pub(super) fn resolve(&self, name: &Name, rtype: Rtype) -> Result<Reply, String> {
        let mut why = "no resolver is known: /etc/resolv.conf names them".to_owned();
        for resolver in self.in_order() {
            let Some(reply) = self.ask(resolver, &[(name, rtype)]).pop() else { continue };
            let fault = match reply {
                Err(error) => silence(&error),
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
}

/// The rounds of questions that there is time for until then.
pub(super) fn rounds(tries: [Duration; 2], until: Instant) -> Vec<Duration> {
    let mut left = until.saturating_duration_since(Instant::now());
    let cut = tries.map(|time| {
        let time = time.min(left);
        left -= time;
        time
    });
    cut.into_iter().filter(|time| !time.is_zero()).collect()
}

/// The zone that a name is in: whose SOA record a resolver gives for it (RFC 2308 §2.1, §2.2).
pub(super) fn enclosing(resolvers: &Resolvers<'_>, name: &Name) -> Result<Name, String> {
    let mut here = Some(name.as_ref());
    while let Some(name) = here {
        let reply = resolvers.resolve(&name.to_name(), Rtype::SOA)?;
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
pub(super) fn hosts(resolvers: &Resolvers<'_>, zone: &Name) -> Result<Vec<Name>, String> {
    let reply = resolvers.resolve(zone, Rtype::NS)?;
    let response = reply.read().map_err(|error| error.to_string())?;
    let of_zone = |record: &&Record| record.rtype == Rtype::NS && record.owner == *zone;
    let hosts = response.answer.iter().filter(of_zone).filter_map(|record| host(&record.rdata));
    let mut hosts: Vec<Name> = hosts.collect();
    hosts.sort();
    hosts.dedup();
    hosts.truncate(HOSTS_MAX);
    Ok(hosts)
}

/// The addresses of hosts, of those served here and else of the resolver's. The hosts keep their order.
pub(super) fn addresses(
    resolvers: &Resolvers<'_>,
    hosts: Vec<Name>,
    zones: &ZoneSet,
) -> Vec<(Name, Vec<IpAddr>)> {
    let here = |host: Name| {
        let addresses = addresses_here(zones, &host);
        (host, addresses)
    };
    let mut found: Vec<(Name, Vec<IpAddr>)> = hosts.into_iter().map(here).collect();
    for resolver in resolvers.in_order() {
        let unknown = found.iter().filter(|(_, addresses)| addresses.is_empty());
        let names: Vec<Name> = unknown.map(|(name, _)| name.clone()).collect();
        let questions: Vec<(&Name, Rtype)> =
            names.iter().flat_map(|name| [(name, Rtype::A), (name, Rtype::AAAA)]).collect();
        let replies = resolvers.ask(resolver, &questions);
        for ((host, rtype), reply) in questions.into_iter().zip(replies) {
            let more = reply.map(|reply| addresses_in(&reply, rtype)).unwrap_or_default();
            let of_host = found.iter_mut().find(|(name, _)| name == host);
            of_host.into_iter().for_each(|(_, addresses)| addresses.extend(&more));
        }
    }
    found.iter_mut().for_each(|(_, addresses)| addresses.truncate(ADDRESSES_MAX));
    found
}

/// The addresses in a response, of this type.
fn addresses_in(reply: &Reply, rtype: Rtype) -> Vec<IpAddr> {
    let Ok(response) = reply.read() else { return Vec::new() };
    let of_type = response.answer.iter().filter(|record| record.rtype == rtype);
    of_type.filter_map(|record| address(&record.rdata)).collect()
}
