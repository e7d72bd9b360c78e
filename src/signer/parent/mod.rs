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
mod sight;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::dns_client::{Asked, Client, Ours, recursive_servers};
use crate::lock::lock;
use crate::wire::{Name, Rcode, Rtype};
use crate::zone::ZoneSet;

pub use heard::{Ds, Heard};
pub use sight::{ParentServer, Sight};

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
/// Silent addresses remembered.
const SILENT_MAX: usize = 1_000;

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
    /// Addresses that did not answer, and when.
    silent: Mutex<HashMap<SocketAddr, Instant>>,
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
        let (known, silent) = (Mutex::default(), Mutex::default());
        Self { resolvers: None, port: 53, tries: TRIES, known, silent }
    }
}

impl Finder {
    /// A finder that asks these recursive servers, and servers of parents on this port.
    pub fn new(resolvers: Vec<SocketAddr>, port: u16) -> Self {
        Self { resolvers: Some(resolvers), port, ..Self::default() }
    }

    /// Which DS records the parent's servers have for a zone. `parents` are the addresses of the settings;
    /// without any, the servers are looked up. `zones` are those that are served here, at the addresses of
    /// `ours`: of a parent that is among them our own answer counts as well.
    pub fn look(&self, apex: &Name, parents: &[SocketAddr], zones: &ZoneSet, ours: &Ours) -> Sight {
        if !parents.is_empty() {
            let servers = parents.iter().map(|address| (address.to_string(), vec![*address]));
            return Sight { parent: None, servers: self.ask(apex, servers.collect()), why: None };
        }
        let Some(name) = apex.as_ref().parent() else {
            let why = "the root has no parent".to_owned();
            return Sight { parent: None, servers: Vec::new(), why: Some(why) };
        };
        let own = above::served_here(zones, apex);
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
        let mut servers = self.ask(apex, servers);
        servers.extend(own.map(|own| ParentServer::here(own.heard)));
        Sight { parent, servers, why }
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
        let resolvers = self.resolvers();
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
        let servers = above::addresses(&self.resolvers(), hosts, self.port, zones);
        Ok(above::Above { zone, servers })
    }

    /// Tells the parent that CDS and CDNSKEY records of a zone changed, if it publishes where (RFC 9859). `parent`
    /// is its apex; where the settings name its servers, it is looked up. Returns who was told, and what each
    /// answered.
    pub fn tell(&self, apex: &Name, parent: Option<Name>) -> Result<Vec<Told>, String> {
        let resolvers = self.resolvers();
        let above = || {
            let name = apex.as_ref().parent().ok_or("the root has no parent")?;
            above::enclosing(&resolvers, &name.to_name())
        };
        let parent = &parent.map_or_else(above, Ok)?;
        let receivers = dsync::receivers(&resolvers, apex, parent)?.into_iter();
        let tell = |receiver: dsync::Receiver| Told {
            receiver: format!("{} port {}", receiver.host, receiver.port),
            answer: dsync::tell(&resolvers, &receiver, apex),
        };
        Ok(receivers.map(tell).collect())
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
        let mut silent = lock(&self.silent);
        for address in addresses {
            silent.remove(&address);
        }
    }

    /// The recursive servers.
    fn resolvers(&self) -> Vec<SocketAddr> {
        self.resolvers.clone().unwrap_or_else(recursive_servers)
    }

    /// Asks servers, each at all its addresses, for the DS records of a zone.
    fn ask(&self, apex: &Name, servers: Vec<(String, Vec<SocketAddr>)>) -> Vec<ParentServer> {
        let is_silent = self.silent_now();
        let all = servers.iter().flat_map(|(_, addresses)| addresses.iter().copied());
        let asked = all.filter(|address| !is_silent.contains_key(address)).map(|server| Asked {
            server,
            name: apex.clone(),
            rtype: Rtype::DS,
        });
        let asked: Vec<Asked> = asked.collect();
        let replies = Client::default().ask_all(&asked, &self.tries);
        let heard: HashMap<SocketAddr, Heard> = asked
            .iter()
            .zip(replies)
            .map(|(asked, reply)| (asked.server, Heard::of(reply, apex)))
            .collect();
        self.note_silent(&heard);
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

    /// The addresses that did not answer a moment ago.
    fn silent_now(&self) -> HashMap<SocketAddr, Instant> {
        let mut silent = lock(&self.silent);
        silent.retain(|_, since| since.elapsed() < SILENT_KEPT);
        silent.clone()
    }

    /// Notes who did not answer.
    fn note_silent(&self, heard: &HashMap<SocketAddr, Heard>) {
        let mut silent = lock(&self.silent);
        for (address, heard) in heard {
            if matches!(heard, Heard::Silent(_)) && silent.len() < SILENT_MAX {
                silent.insert(*address, Instant::now());
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
