//! The parent zone: its servers, and the DS records that each of them has for a zone (RFC 4035 §2.4).
//!
//! Every server of the parent is asked itself, with its authority: what a resolver says may be a few hours
//! old, and a key may go only when no server gives its DS any more. Where the settings name no addresses
//! of the parent, the machine's resolver is asked which zone is above, and who serves it.
//!
//! A look takes a limited time, asks a limited number of addresses, and believes nobody but the servers of
//! the parent, by a query of a random identifier from a random port. It verifies no signature: whoever can
//! answer in the place of all servers of the parent can sign in its place for most resolvers, too.

mod above;
mod dsync;
mod heard;
mod reach;
mod sight;
mod silence;

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::dns_client::{Asked, Client, Ours, recursive_servers};
use crate::lock::lock;
use crate::wire::{Name, NameRef, Rcode, Rtype};
use crate::zone::ZoneSet;

pub use heard::{Ds, Heard};
pub use sight::{ParentServer, Sight};

use above::Resolvers;
use silence::Silence;

/// The time for each of the two rounds in which servers are asked.
const TRIES: [Duration; 2] = [Duration::from_millis(1_500), Duration::from_secs(3)];
/// How long the servers of a parent are remembered.
const KEPT: Duration = Duration::from_secs(600);
/// How long it is remembered that they could not be found.
const FAILED_KEPT: Duration = Duration::from_secs(60);
/// Parents remembered.
const KEPT_MAX: usize = 1_000;
/// How long an address that did not answer is not asked for other zones.
const SILENT_KEPT: Duration = Duration::from_secs(60);
/// How long a recursive server that did not answer is asked after the others.
const SLOW_KEPT: Duration = Duration::from_secs(600);
/// The time in which it must be found who the parent of a zone is.
const FIND_MAX: Duration = Duration::from_secs(60);
/// The time for telling the parent of one zone, the search for whom to tell included.
const TELL_MAX: Duration = Duration::from_secs(10);

//------------ Finder --------------------------------------------------------

/// Looks at the parents of zones, and remembers for a while who serves them.
#[derive(Debug)]
pub struct Finder {
    /// The recursive servers; none: those of the system.
    resolvers: Option<Vec<SocketAddr>>,
    /// The port of the parent's servers.
    port: u16,
    /// The time for each round of questions.
    tries: [Duration; 2],
    /// The parents of zones by the name above the zone, and when they were found.
    known: Mutex<HashMap<Name, (Instant, Found)>>,
    /// Servers of parents, and whom they want to be told, that did not answer.
    silent: Silence,
    /// Recursive servers that did not.
    slow: Silence,
}

/// The parent as it was found, or why it was not.
type Found = Result<above::Above, String>;

/// Somebody who was told of CDS records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// Who.
    pub receiver: String,
    /// The response code, or why there is none.
    pub answer: Result<Rcode, String>,
}

impl Default for Finder {
    fn default() -> Self {
        let (silent, slow) = (Silence::new(SILENT_KEPT), Silence::new(SLOW_KEPT));
        Self { resolvers: None, port: 53, tries: TRIES, known: Mutex::default(), silent, slow }
    }
}

impl Finder {
    /// A finder that asks these recursive servers, and servers of parents on this port.
    pub fn new(resolvers: Vec<SocketAddr>, port: u16) -> Self {
        Self { resolvers: Some(resolvers), port, ..Self::default() }
    }

    /// Which DS records the parent's servers have for a zone. `parents` are the addresses of the settings;
    /// without any, the servers are looked up. `zones` are those that are served here, at the addresses of
    /// `ours`: of a parent that is among them our own answer counts as well. `is_own` knows the DS records of the
    /// zone's keys.
    pub fn look(
        &self,
        apex: &Name,
        parents: &[SocketAddr],
        zones: &ZoneSet,
        ours: &Ours,
        is_own: &dyn Fn(&Ds) -> bool,
    ) -> Sight {
        if !parents.is_empty() {
            let servers = parents.iter().map(|address| (address.to_string(), vec![*address]));
            let is_parent = |owner: NameRef<'_>| self.is_perhaps_parent(apex, owner, zones);
            let servers = self.ask(apex, servers.collect(), is_own, &is_parent);
            return Sight { parent: None, servers, why: None };
        }
        let Some(name) = apex.as_ref().parent() else {
            let why = "the root has no parent".to_owned();
            return Sight { parent: None, servers: Vec::new(), why: Some(why) };
        };
        let own = above::served_here(zones, apex, is_own);
        let found = match &own {
            // What is served here changes with the zone: nothing of it is remembered.
            Some(own) => self.servers(own.zone.clone(), own.hosts.clone(), zones),
            None => self.remembered(&name.to_name(), zones),
        };
        let (parent, mut servers, why) = match found {
            Ok(above) => (Some(above.zone), above.servers, None),
            Err(why) => (own.as_ref().map(|own| own.zone.clone()), Vec::new(), Some(why)),
        };
        if own.is_some() {
            // Of a name server that is this one, the version in memory counts.
            servers.retain(|(_, addresses)| !addresses.iter().any(|address| ours.has(*address)));
        }
        // A zone that was cut off between them since is the parent as well.
        let is_parent = |owner: NameRef<'_>| {
            parent.as_ref().is_some_and(|parent| owner.is_at_or_below(parent.as_ref()))
        };
        let mut servers = self.ask(apex, servers, is_own, &is_parent);
        servers.extend(own.map(|own| ParentServer::here(own.heard)));
        Sight { parent, servers, why }
    }

    /// Whether a zone above `apex` is its parent, of which the settings name the servers alone: the name right
    /// above, and another one as far as the resolver agrees. Where it knows nothing, as in a network of its own, the
    /// root is not believed to be the parent: its servers, and others for want of anything better, answer so for
    /// every name.
    fn is_perhaps_parent(&self, apex: &Name, owner: NameRef<'_>, zones: &ZoneSet) -> bool {
        let Some(above) = apex.as_ref().parent() else { return false };
        owner == above
            || match self.remembered(&above.to_name(), zones) {
                Ok(parent) => owner.is_at_or_below(parent.zone.as_ref()),
                Err(_) => !owner.is_root(),
            }
    }

    /// The parent of zones whose names are one label longer than `name`, perhaps from memory.
    fn remembered(&self, name: &Name, zones: &ZoneSet) -> Found {
        let now = Instant::now();
        let is_fresh = |(since, found): &(Instant, Found)| {
            now.duration_since(*since) < if found.is_ok() { KEPT } else { FAILED_KEPT }
        };
        if let Some(known) = lock(&self.known).get(name).filter(|known| is_fresh(known)) {
            return known.1.clone();
        }
        let resolvers = self.resolvers(now + FIND_MAX);
        let found = above::enclosing(&resolvers, name)
            .and_then(|zone| Ok((above::hosts(&resolvers, &zone)?, zone)))
            .and_then(|(hosts, zone)| self.servers(zone, hosts, zones));
        let mut known = lock(&self.known);
        if known.len() >= KEPT_MAX {
            known.retain(|_, known| is_fresh(known));
        }
        if known.len() < KEPT_MAX {
            known.insert(name.clone(), (now, found.clone()));
        }
        found
    }

    /// A parent zone with the addresses of these name servers.
    fn servers(&self, zone: Name, hosts: Vec<Name>, zones: &ZoneSet) -> Found {
        if hosts.is_empty() {
            return Err(format!("{zone} has no name servers"));
        }
        let resolvers = self.resolvers(Instant::now() + FIND_MAX);
        let server = |(host, addresses): (Name, Vec<IpAddr>)| {
            let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, self.port));
            (host.to_string(), addresses.collect())
        };
        let servers = above::addresses(&resolvers, hosts, zones).into_iter().map(server);
        Ok(above::Above { zone, servers: servers.collect() })
    }

    /// Tells the parent that CDS and CDNSKEY records of a zone changed, if it publishes where (RFC 9859). `seen` is
    /// the last look at it; where that does not say which zone it is, it is looked up. Returns who was told, and what
    /// each answered.
    pub fn tell(&self, apex: &Name, seen: Option<&Sight>) -> Result<Vec<Told>, String> {
        let until = Instant::now() + TELL_MAX;
        let resolvers = self.resolvers(until);
        let above = || {
            let name = apex.as_ref().parent().ok_or("the root has no parent")?;
            above::enclosing(&resolvers, &name.to_name())
        };
        let parent = seen.and_then(|seen| seen.parent.clone());
        let receivers = dsync::receivers(&resolvers, apex, &parent.map_or_else(above, Ok)?)?;
        let hosts: BTreeSet<Name> =
            receivers.iter().map(|receiver| receiver.host.clone()).collect();
        let found = above::addresses(&resolvers, hosts.into_iter().collect(), &ZoneSet::new());
        let places = receivers.iter().map(|receiver| dsync::addresses(receiver, &found, seen));
        let places: Vec<Result<Vec<SocketAddr>, String>> = places.collect();
        let all = places.iter().flatten().flatten().copied();
        let all: BTreeSet<SocketAddr> = all.filter(|address| !self.silent.has(*address)).collect();
        let answers = dsync::tell(&all, apex, &above::rounds(self.tries, until));
        for (address, _) in answers.iter().filter(|(_, answer)| answer.is_err()) {
            self.silent.note(*address);
        }
        let told = |(receiver, places): (&dsync::Receiver, Result<Vec<SocketAddr>, String>)| Told {
            receiver: format!("{} port {}", receiver.host, receiver.port),
            answer: places.and_then(|places| dsync::answer(&places, &answers)),
        };
        Ok(receivers.iter().zip(places).map(told).collect())
    }

    /// Forgets what is remembered of a zone's parent: somebody wants to know how it is now. `seen` is what its
    /// servers said last.
    pub fn forget(&self, apex: &Name, seen: Option<&Sight>) {
        if let Some(name) = apex.as_ref().parent() {
            lock(&self.known).remove(&name.to_name());
        }
        let servers = seen.iter().flat_map(|sight| &sight.servers);
        let addresses =
            servers.flat_map(|server| &server.heard).filter_map(|(address, _)| *address);
        addresses.for_each(|address| self.silent.forget(address));
    }

    /// The recursive servers, until then.
    fn resolvers(&self, until: Instant) -> Resolvers<'_> {
        let servers = self.resolvers.clone().unwrap_or_else(recursive_servers);
        Resolvers::new(servers, until, &self.slow)
    }

    /// Asks servers, each at all its addresses, for the DS records of a zone.
    fn ask(
        &self,
        apex: &Name,
        servers: Vec<(String, Vec<SocketAddr>)>,
        is_own: &dyn Fn(&Ds) -> bool,
        is_parent: &dyn Fn(NameRef<'_>) -> bool,
    ) -> Vec<ParentServer> {
        let all = servers.iter().flat_map(|(_, addresses)| addresses.iter().copied());
        let asked = all.filter(|address| !self.silent.has(*address)).map(|server| Asked {
            server,
            name: apex.clone(),
            rtype: Rtype::DS,
        });
        let asked: Vec<Asked> = asked.collect();
        let replies = Client::default().ask_all(&asked, &self.tries);
        let heard: HashMap<SocketAddr, Heard> = asked
            .iter()
            .zip(replies)
            .map(|(asked, reply)| (asked.server, Heard::of(reply, apex, is_own, is_parent)))
            .collect();
        for (address, _) in heard.iter().filter(|(_, heard)| matches!(heard, Heard::Silent(_))) {
            self.silent.note(*address);
        }
        let silent = || Heard::Silent("it did not answer a moment ago".to_owned());
        let server = |(name, addresses): (String, Vec<SocketAddr>)| ParentServer {
            name,
            heard: addresses
                .into_iter()
                .map(|address| (Some(address), heard.get(&address).cloned().unwrap_or_else(silent)))
                .collect(),
        };
        servers.into_iter().map(server).collect()
    }
}

#[cfg(test)]
pub(super) mod tests;
