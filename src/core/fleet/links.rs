//! All links: which secondary is told of which zone, what is due when, and what is under way.
//!
//! A link is due at some time, waits for a place among the messages to its secondary, or is aloft: one
//! secondary that does not answer, for however many zones, takes a few of the sockets and never all of them.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::link::{Link, Outgoing};
use super::peers::Peer;
use super::rules::Remote;
use crate::publish::Secondary;
use crate::wire::{Name, Rcode, has_reached, is_ahead};

/// Messages under way at once.
const ALOFT_MAX: usize = 128;
/// Of them, to one secondary.
const ALOFT_PER_PEER_MAX: usize = 8;
/// Between the first messages of links that are made together.
const SPREAD: Duration = Duration::from_millis(5);

//------------ Flight --------------------------------------------------------

/// A message to be sent.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    /// The link.
    pub(super) id: u64,
    /// What is sent.
    pub(super) outgoing: Outgoing,
    /// The zone.
    pub(super) zone: Name,
    /// The secondary's name.
    pub(super) peer: String,
    /// Where to.
    pub(super) address: SocketAddr,
    /// Its key and TLS.
    pub(super) remote: Arc<Remote>,
    /// How long the response may take.
    pub(super) patience: Duration,
}

/// What came of a message.
#[derive(Clone, Debug)]
pub(super) enum Landing {
    /// NOTIFY of this serial was answered.
    Told(u32, Rcode),
    /// A look was answered: with a serial, or why there is none.
    Looked(Result<u32, String>),
    /// Nothing came, or nothing that can be believed.
    Failed(String),
}

//------------ Links ---------------------------------------------------------

/// The links.
#[derive(Default)]
pub(super) struct Links {
    /// The next link's number.
    next_id: u64,
    /// By number.
    entries: HashMap<u64, Entry>,
    /// Those of a zone.
    by_zone: HashMap<Name, Vec<u64>>,
    /// Those that are due at a time.
    due: BTreeSet<(Instant, u64)>,
    /// Those that wait for a place, by the secondary's name.
    waiting: HashMap<String, VecDeque<u64>>,
    /// Messages under way, by the secondary's name.
    aloft: HashMap<String, usize>,
    /// Messages under way in all.
    aloft_in_all: usize,
}

/// A link and where it is.
struct Entry {
    /// The zone.
    zone: Name,
    /// The secondary.
    peer: Peer,
    /// Which of its addresses is used.
    at: usize,
    /// What it was told and what is known.
    link: Link,
    /// Where it is.
    place: Place,
    /// What came of the NOTIFY that somebody waits for; none: nothing yet.
    told: Option<Result<Rcode, String>>,
}

/// Where a link is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// Due at a time.
    Due(Instant),
    /// Due and waiting for a place.
    Waiting,
    /// Under way.
    Aloft,
}

impl Entry {
    /// The address in use.
    fn address(&self) -> Option<SocketAddr> {
        let addresses = &self.peer.addresses;
        addresses.get(self.at % addresses.len().max(1)).copied()
    }

    /// What is known of the secondary.
    fn secondary(&self) -> Secondary {
        let link = &self.link;
        let ahead = link.serial.filter(|serial| is_ahead(*serial, link.wanted)).map(|serial| {
            format!("it has {serial}, ahead of ours: it takes nothing until ours has passed that")
        });
        Secondary {
            name: self.peer.name.clone(),
            address: self.address().map(|address| address.to_string()).unwrap_or_default(),
            serial: link.serial,
            seen: link.seen,
            behind: !link.has_it(),
            behind_since: link.behind_since,
            error: link.error.clone().or(ahead),
        }
    }
}

//--- Who is told

impl Links {
    /// The secondaries of a zone whose live serial is this. Those that were told before are told on; new ones
    /// have their turn after the `new` links that were made together with them.
    pub(super) fn set_peers(
        &mut self,
        zone: &Name,
        serial: u32,
        peers: Vec<Peer>,
        (now, now_ms): (Instant, i64),
        new: &mut u32,
    ) {
        let mut before = self.by_zone.remove(zone).unwrap_or_default();
        let mut ids = Vec::new();
        for peer in peers {
            let is_it = |id: &u64| self.entries.get(id).is_some_and(|it| it.peer.name == peer.name);
            if let Some(place) = before.iter().position(is_it) {
                let id = before.swap_remove(place);
                self.go_on(id, serial, peer, now, now_ms);
                ids.push(id);
            } else {
                ids.push(self.make(zone, serial, peer, now + SPREAD * *new, now_ms));
                *new += 1;
            }
        }
        before.into_iter().for_each(|id| self.forget(id));
        if !ids.is_empty() {
            self.by_zone.insert(zone.clone(), ids);
        }
    }

    /// Makes a link that is due at a time.
    fn make(&mut self, zone: &Name, serial: u32, peer: Peer, at: Instant, now_ms: i64) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let mut hasher = DefaultHasher::new();
        (zone, &peer.name).hash(&mut hasher);
        let link = Link::new(serial, at, now_ms, (hasher.finish() % 1000) as u32);
        let (zone, place) = (zone.clone(), Place::Due(at));
        self.entries.insert(id, Entry { zone, peer, at: 0, link, place, told: None });
        self.due.insert((at, id));
        id
    }

    /// Goes on with a link for a serial, also where the peer's key or addresses are others now.
    fn go_on(&mut self, id: u64, serial: u32, peer: Peer, now: Instant, now_ms: i64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.link.want(serial, now, now_ms);
        if entry.peer != peer {
            (entry.peer, entry.at) = (peer, 0);
            if !entry.link.has_it() {
                entry.link.tell(now);
            }
        }
        self.reorder(id);
    }

    /// Nobody is told any more of zones that are not to be kept.
    pub(super) fn retain_zones(&mut self, keep: impl Fn(&Name) -> bool) {
        let gone: Vec<Name> = self.by_zone.keys().filter(|zone| !keep(zone)).cloned().collect();
        for zone in gone {
            self.by_zone.remove(&zone).into_iter().flatten().for_each(|id| self.forget(id));
        }
    }

    /// Ends a link. What is under way for it lands for nobody.
    fn forget(&mut self, id: u64) {
        if let Some(Entry { place: Place::Due(at), .. }) = self.entries.remove(&id) {
            self.due.remove(&(at, id));
        }
    }

    /// Tells all secondaries of a zone now, whatever they have. False: there are none.
    pub(super) fn tell(&mut self, zone: &Name, now: Instant) -> bool {
        let ids = self.by_zone.get(zone).cloned().unwrap_or_default();
        for id in &ids {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.told = None;
                entry.link.tell(now);
            }
            self.reorder(*id);
        }
        !ids.is_empty()
    }
}

//--- What is due

impl Links {
    /// When a message can go out next; none: not before another one is back.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let first = self.due.first().map(|(at, _)| *at);
        first.filter(|_| self.aloft_in_all < ALOFT_MAX)
    }

    /// The next message that is due. What it is about may be gone: then its zone is to be let go.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Flight> {
        while self.aloft_in_all < ALOFT_MAX {
            let (at, id) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
            self.due.remove(&(at, id));
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            let peer = entry.peer.name.clone();
            let aloft = self.aloft.entry(peer.clone()).or_default();
            if *aloft >= ALOFT_PER_PEER_MAX {
                entry.place = Place::Waiting;
                self.waiting.entry(peer).or_default().push_back(id);
                continue;
            }
            let Some(address) = entry.address() else { continue };
            let (_, outgoing) = entry.link.next();
            let patience = entry.link.sent(outgoing, now);
            entry.place = Place::Aloft;
            (*aloft, self.aloft_in_all) = (*aloft + 1, self.aloft_in_all + 1);
            let (zone, remote) = (entry.zone.clone(), Arc::clone(&entry.peer.remote));
            return Some(Flight { id, outgoing, zone, peer, address, remote, patience });
        }
        None
    }

    /// A message is back. Returns the secondary's error where it is another one than before, and whether it
    /// had one.
    pub(super) fn land(
        &mut self,
        flight: &Flight,
        landing: Landing,
        (now, now_ms): (Instant, i64),
    ) -> Option<(Option<String>, bool)> {
        self.free_place(&flight.peer, now);
        let entry = self.entries.get_mut(&flight.id)?;
        let before = entry.link.error.clone();
        match landing {
            Landing::Told(serial, rcode) => {
                entry.told = Some(Ok(rcode));
                entry.link.told(serial, rcode, now, now_ms);
            }
            Landing::Looked(found) => entry.link.looked(found, now, now_ms),
            Landing::Failed(why) => {
                if flight.outgoing == Outgoing::Notify {
                    entry.told = Some(Err(why.clone()));
                }
                entry.link.failed(flight.outgoing, why, now);
                // Another one of its addresses may answer.
                entry.at = entry.at.wrapping_add(1);
            }
        }
        let after = entry.link.error.clone();
        let (at, _) = entry.link.next();
        entry.place = Place::Due(at);
        self.due.insert((at, flight.id));
        (before != after).then_some((after, before.is_some()))
    }

    /// Gives the place of a message to the next one that waits.
    fn free_place(&mut self, peer: &str, now: Instant) {
        self.aloft_in_all = self.aloft_in_all.saturating_sub(1);
        if let Some(aloft) = self.aloft.get_mut(peer) {
            *aloft = aloft.saturating_sub(1);
            if *aloft == 0 {
                self.aloft.remove(peer);
            }
        }
        let Some(queue) = self.waiting.get_mut(peer) else { return };
        while let Some(id) = queue.pop_front() {
            let waits = |entry: &&mut Entry| entry.place == Place::Waiting;
            if let Some(entry) = self.entries.get_mut(&id).filter(waits) {
                entry.place = Place::Due(now);
                self.due.insert((now, id));
                return;
            }
        }
        self.waiting.remove(peer);
    }

    /// Puts a link that is due, and neither waits nor flies, where it belongs by now.
    fn reorder(&mut self, id: u64) {
        if let Some(entry) = self.entries.get_mut(&id)
            && let Place::Due(before) = entry.place
        {
            let (at, _) = entry.link.next();
            self.due.remove(&(before, id));
            self.due.insert((at, id));
            entry.place = Place::Due(at);
        }
    }
}

//--- What is known

impl Links {
    /// The links of a zone.
    fn of_zone(&self, zone: &Name) -> impl Iterator<Item = &Entry> {
        let ids = self.by_zone.get(zone).into_iter().flatten();
        ids.filter_map(|id| self.entries.get(id))
    }

    /// What is known of the secondaries of a zone.
    pub(super) fn secondaries(&self, zone: &Name) -> Vec<Secondary> {
        self.of_zone(zone).map(Entry::secondary).collect()
    }

    /// Whether a zone's secondaries have a serial: those that answered last, and kept up until the moment
    /// `since`, in milliseconds since 1970. A wait for one that is away or stuck would be of no use.
    pub(super) fn have(&self, zone: &Name, serial: u32, since: i64) -> bool {
        self.of_zone(zone).map(|entry| &entry.link).all(|link| {
            link.error.is_some()
                || link.behind_since.is_some_and(|behind| behind < since)
                || link.serial.is_some_and(|it| has_reached(it, serial))
        })
    }

    /// Whether all NOTIFYs of a zone that somebody waits for are answered or failed.
    pub(super) fn has_told(&self, zone: &Name) -> bool {
        self.of_zone(zone).all(|entry| entry.told.is_some())
    }

    /// What came of the NOTIFYs of a zone; none of one that is still out.
    pub(super) fn told(&self, zone: &Name) -> Vec<(Secondary, Option<Result<Rcode, String>>)> {
        self.of_zone(zone).map(|entry| (entry.secondary(), entry.told.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::{name, remote};

    /// A peer of this name.
    fn peer(called: &str) -> Peer {
        let remote = Arc::new(remote(called, &["192.0.2.53"], ""));
        Peer { name: called.to_owned(), addresses: remote.addresses.clone(), remote }
    }

    /// All messages that can go out at a time.
    fn all_due(links: &mut Links, now: Instant) -> Vec<Flight> {
        std::iter::from_fn(|| links.take_due(now)).collect()
    }

    #[test]
    fn one_that_does_not_answer_for_a_thousand_zones_holds_up_no_other() {
        let (mut links, start, mut new) = (Links::default(), Instant::now(), 0);
        for at in 0..1_000 {
            let peers = vec![peer("gone"), peer("good")];
            links.set_peers(&name(&format!("z{at}.")), 1, peers, (start, 0), &mut new);
        }
        let now = start + SPREAD * new;
        let mut told = 0;
        let mut out: Vec<Flight> = Vec::new();
        // What is sent to one is answered at once, to the other never.
        for _ in 0..400 {
            out.extend(all_due(&mut links, now));
            assert!(out.len() <= ALOFT_MAX);
            let (good, gone): (Vec<_>, Vec<_>) = out.into_iter().partition(|it| it.peer == "good");
            assert!(gone.len() <= ALOFT_PER_PEER_MAX);
            told += good.len();
            for flight in good {
                let _news = links.land(&flight, Landing::Looked(Ok(1)), (now, 0));
            }
            out = gone;
        }
        assert_eq!(told, 1_000, "each once");
        assert_eq!(links.next_due(), links.due.first().map(|(at, _)| *at));
        // Those that wait have their turn as places become free.
        let first = out.swap_remove(0);
        let _news = links.land(&first, Landing::Failed(String::new()), (now, 0));
        assert_eq!(all_due(&mut links, now).len(), 1);
    }

    #[test]
    fn what_lands_for_a_zone_that_left_frees_its_place() {
        let (mut links, now, mut new) = (Links::default(), Instant::now(), 0);
        links.set_peers(&name("a."), 1, vec![peer("ns2")], (now, 0), &mut new);
        let flights = all_due(&mut links, now);
        assert_eq!((flights.len(), links.aloft_in_all), (1, 1));
        links.retain_zones(|_| false);
        assert!(links.entries.is_empty() && links.due.is_empty());
        assert!(links.land(&flights[0], Landing::Looked(Ok(1)), (now, 0)).is_none());
        assert_eq!((links.aloft_in_all, links.aloft.len()), (0, 0));
    }

    #[test]
    fn the_next_address_is_tried_and_one_that_is_ahead_is_told_of() {
        let (mut links, now, mut new) = (Links::default(), Instant::now(), 0);
        let mut two = peer("ns2");
        two.addresses.push("198.51.100.1:53".parse().unwrap());
        links.set_peers(&name("a."), 5, vec![two], (now, 0), &mut new);
        let flight = links.take_due(now).unwrap();
        let _news = links.land(&flight, Landing::Failed("no".to_owned()), (now, 0));
        let later = now + Duration::from_secs(2);
        let second = links.take_due(later).unwrap();
        assert_ne!(second.address, flight.address);
        let _news = links.land(&second, Landing::Looked(Ok(9)), (later, 1));
        let known = links.secondaries(&name("a.")).remove(0);
        assert_eq!((known.serial, known.behind), (Some(9), false));
        assert!(known.error.unwrap().contains("ahead of ours"));
    }
}
