//! The open connections: the number in all and per address, and which have been idle longest.
//!
//! Locked when a connection opens or closes, never for a query: a connection records its activity in its
//! own slot.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::super::files;
use super::StreamLimits;
use crate::lock::lock;

/// When full, one in this many is closed at once, so that the search for idle ones is rare.
const SHARE_TO_CLOSE: usize = 64;

/// How long a search that found nothing counts, in milliseconds: clients that knock and find all places taken by
/// busy ones must not keep the lock.
const SEARCH_REST: u64 = 100;

/// The limits with the number of connections that the limit of open files leaves room for.
fn filled_in(limits: StreamLimits) -> StreamLimits {
    StreamLimits { connections: files::streams(limits.connections), ..limits }
}

//------------ Roster --------------------------------------------------------

/// All connections of all stream threads.
#[derive(Debug)]
pub(super) struct Roster {
    /// The limits, with the number of connections filled in.
    limits: ArcSwap<StreamLimits>,
    /// When counting of milliseconds began.
    start: Instant,
    /// The open connections.
    inner: Mutex<Inner>,
}

/// The open connections.
#[derive(Debug, Default)]
struct Inner {
    /// One slot per connection; `None`: free.
    slots: Vec<Option<Arc<Slot>>>,
    /// Free slots.
    free: Vec<usize>,
    /// Connections that were asked to close to make room and are still open.
    leaving: usize,
    /// Connections of each address.
    per_address: HashMap<IpAddr, usize>,
    /// Until when nobody is taken to be idle, milliseconds since the roster's start.
    none_idle_until: u64,
    /// The address with the most connections and their number, and until when that counts.
    greediest: Option<(IpAddr, usize, u64)>,
}

/// The state of a connection, and how it is asked to close.
#[derive(Debug)]
pub(super) struct Slot {
    /// When it was last active, milliseconds since the roster's start.
    active: AtomicU64,
    /// Whether it is in the middle of a message.
    busy: AtomicBool,
    /// Whether it was asked to close to make room.
    leaving: AtomicBool,
    /// Whether that means at once, also in the middle of a message.
    at_once: AtomicBool,
    /// Asks it to close.
    close: Notify,
    /// Whose it is.
    host: IpAddr,
}

impl Roster {
    /// An empty roster.
    pub(super) fn new(limits: StreamLimits) -> Self {
        let limits = ArcSwap::from_pointee(filled_in(limits));
        Self { limits, start: Instant::now(), inner: Mutex::default() }
    }

    /// The limits.
    pub(super) fn limits(&self) -> StreamLimits {
        **self.limits.load()
    }

    /// Admits by these limits from now on; connections that are open stay.
    pub(super) fn set_limits(&self, limits: StreamLimits) {
        self.limits.store(Arc::new(filled_in(limits)));
    }

    /// Connections open now.
    pub(super) fn count(&self) -> usize {
        self.inner().count()
    }

    /// A place for a client; `None` if it has too many connections, or no idle one can make room.
    pub(super) fn admit(self: &Arc<Self>, client: IpAddr) -> Option<Ticket> {
        self.admit_by(client, self.limits())
    }

    /// A place for a proxy's connection, until it is known whose it is: a proxy has as many as its clients.
    pub(super) fn admit_proxy(self: &Arc<Self>, proxy: IpAddr) -> Option<Ticket> {
        self.admit_by(proxy, StreamLimits { per_address: usize::MAX, ..self.limits() })
    }

    /// A place by these limits.
    fn admit_by(self: &Arc<Self>, client: IpAddr, limits: StreamLimits) -> Option<Ticket> {
        let host = host_of(client);
        let mut inner = self.inner();
        if inner.per_address.get(&host).is_some_and(|count| *count >= limits.per_address) {
            return None;
        }
        let share = (limits.connections / SHARE_TO_CLOSE).max(1);
        if inner.count() - inner.leaving >= limits.connections {
            inner.make_room(host, share, self.milliseconds());
        }
        // A connection that was asked to close needs a moment, during which there may be a few too many.
        if inner.count() - inner.leaving >= limits.connections
            || inner.count() >= limits.connections + limits.connections / 8 + 16
        {
            return None;
        }
        *inner.per_address.entry(host).or_default() += 1;
        let slot = Arc::new(Slot {
            active: AtomicU64::new(self.milliseconds()),
            busy: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            at_once: AtomicBool::new(false),
            close: Notify::new(),
            host,
        });
        let index = match inner.free.pop() {
            Some(index) => {
                inner.slots[index] = Some(slot.clone());
                index
            }
            None => {
                inner.slots.push(Some(slot.clone()));
                inner.slots.len() - 1
            }
        };
        Some(Ticket { roster: self.clone(), slot, index, host })
    }

    /// Closes the quietest connections.
    pub(super) fn make_room(&self) {
        let mut inner = self.inner();
        let share = (inner.count() / SHARE_TO_CLOSE).max(1);
        inner.close_quietest(share);
    }

    /// Asks all connections to close as soon as they are idle.
    pub(super) fn close_all(&self) {
        for slot in self.inner().slots.iter().flatten() {
            slot.close.notify_one();
        }
    }

    /// Milliseconds since the start.
    fn milliseconds(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// What is locked; no change of it can be left half done.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

impl Inner {
    /// Connections there are.
    fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Makes room for a newcomer: idle ones go, or some of the address that has most.
    fn make_room(&mut self, newcomer: IpAddr, count: usize, now: u64) {
        if now >= self.none_idle_until {
            if self.close_quietest(count) > 0 {
                return;
            }
            self.none_idle_until = now + SEARCH_REST;
        }
        self.close_greediest(newcomer, count, now);
    }

    /// Asks up to `count` idle connections to close, those that have been idle longest; how many.
    fn close_quietest(&mut self, count: usize) -> usize {
        let mut idle: Vec<_> = self
            .slots
            .iter()
            .flatten()
            .filter(|slot| !slot.busy.load(Ordering::Relaxed))
            .filter(|slot| !slot.leaving.load(Ordering::Relaxed))
            .map(|slot| (slot.active.load(Ordering::Relaxed), slot))
            .collect();
        let count = count.min(idle.len());
        if count < idle.len() {
            idle.select_nth_unstable_by_key(count, |(active, _)| *active);
        }
        for (_, slot) in &idle[..count] {
            slot.leaving.store(true, Ordering::Relaxed);
            slot.close.notify_one();
        }
        self.leaving += count;
        count
    }

    /// Where nobody is idle, the address with the most connections gives some up for one that has fewer: a
    /// few clients that send an octet now and then must not keep out all others.
    fn close_greediest(&mut self, newcomer: IpAddr, count: usize, now: u64) {
        let has = self.per_address.get(&newcomer).copied().unwrap_or(0);
        let Some((greediest, most)) = self.greediest(now) else { return };
        if most <= has + 1 {
            return;
        }
        let mut staying = self
            .slots
            .iter()
            .flatten()
            .filter(|slot| slot.host == greediest && !slot.leaving.load(Ordering::Relaxed));
        // With one more than the newcomer would have, it is its turn no longer.
        let most = staying.clone().count();
        let count = count.min(most.saturating_sub(has + 1).div_ceil(2));
        for slot in staying.by_ref().take(count) {
            slot.at_once.store(true, Ordering::Relaxed);
            slot.leaving.store(true, Ordering::Relaxed);
            slot.close.notify_one();
        }
        self.leaving += count;
        if count > 0 {
            self.greediest = None;
        }
    }

    /// The address with the most connections, leaving ones among them, and their number.
    fn greediest(&mut self, now: u64) -> Option<(IpAddr, usize)> {
        if self.greediest.is_none_or(|(_, _, until)| now >= until) {
            let most = self.per_address.iter().max_by_key(|(_, count)| **count);
            self.greediest = most.map(|(host, count)| (*host, *count, now + SEARCH_REST));
        }
        self.greediest.map(|(host, count, _)| (host, count))
    }
}

impl Slot {
    /// Resolves when the connection is asked to close.
    pub(super) async fn told(&self) {
        self.close.notified().await;
    }
}

/// What counts as one client: an IPv4 address, or an IPv6 /64.
fn host_of(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

//------------ Ticket --------------------------------------------------------

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    /// Where it is written.
    roster: Arc<Roster>,
    /// What it shows.
    slot: Arc<Slot>,
    /// Its slot's number.
    index: usize,
    /// Whom it is counted for.
    host: IpAddr,
}

impl Ticket {
    /// The limits.
    pub(super) fn limits(&self) -> StreamLimits {
        self.roster.limits()
    }

    /// Gives the place back for one of the client's own, now that it is known whose connection it is; `None`
    /// if the client has too many.
    pub(super) fn for_client(self, client: IpAddr) -> Option<Self> {
        let roster = self.roster.clone();
        drop(self);
        roster.admit(client)
    }

    /// Shows that it was active just now, and whether it is in the middle of something.
    pub(super) fn show(&self, now: Instant, busy: bool) {
        let active = now.saturating_duration_since(self.roster.start).as_millis() as u64;
        self.slot.active.store(active, Ordering::Relaxed);
        self.slot.busy.store(busy, Ordering::Relaxed);
    }

    /// What it shows of itself.
    pub(super) fn slot(&self) -> Arc<Slot> {
        self.slot.clone()
    }

    /// Whether it was asked to close in the middle of whatever it does.
    pub(super) fn is_to_go_at_once(&self) -> bool {
        self.slot.at_once.load(Ordering::Relaxed)
    }

    /// Whether it was asked to close to make room for others.
    pub(super) fn is_making_room(&self) -> bool {
        self.slot.leaving.load(Ordering::Relaxed)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = self.roster.inner();
        inner.slots[self.index] = None;
        inner.free.push(self.index);
        if self.slot.leaving.load(Ordering::Relaxed) {
            inner.leaving -= 1;
        }
        if let Some(count) = inner.per_address.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                inner.per_address.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn roster(connections: usize, per_address: usize) -> Arc<Roster> {
        let limits = StreamLimits { connections, per_address, ..StreamLimits::default() };
        Arc::new(Roster::new(limits))
    }

    #[test]
    fn one_address_gets_its_share_and_ipv6_counts_by_64() {
        let roster = roster(100, 2);
        let mut kept = Vec::new();
        for (client, admitted) in [
            ("192.0.2.1", true),
            ("192.0.2.1", true),
            ("192.0.2.1", false),
            ("192.0.2.2", true),
            ("2001:db8::1", true),
            ("2001:db8::2", true),
            ("2001:db8::3", false),
            ("2001:db8:0:1::3", true),
        ] {
            let ticket = roster.admit(client.parse().unwrap());
            assert_eq!(ticket.is_some(), admitted, "{client}");
            kept.extend(ticket);
        }
        kept.clear();
        assert_eq!(roster.count(), 0);
        assert!(roster.inner().per_address.is_empty());
        assert!(roster.admit([192, 0, 2, 1].into()).is_some());
    }

    #[test]
    fn when_full_of_busy_ones_the_address_with_most_gives_way() {
        let roster = roster(6, 10);
        let admit = |last: u8| roster.admit([192, 0, 2, last].into());
        let busy = |ticket: &Ticket| ticket.show(roster.start, true);
        let tickets: Vec<_> =
            [1, 1, 1, 1, 2, 2].into_iter().map(|last| admit(last).unwrap()).collect();
        tickets.iter().for_each(busy);
        // The newcomer takes a place of the one with four.
        let newcomer = admit(3).unwrap();
        busy(&newcomer);
        let gone = |of: &[Ticket]| of.iter().filter(|it| it.is_to_go_at_once()).count();
        assert_eq!((gone(&tickets[..4]), gone(&tickets[4..])), (1, 0));
        // One with most already gets nothing.
        assert!(admit(1).is_none());
        // Nor is all searched again for each that knocks meanwhile, and one with fewer still comes in.
        let inner = roster.inner();
        assert!(inner.none_idle_until > 0 && inner.greediest.is_some());
        drop(inner);
        assert!(admit(4).is_some());
    }

    #[test]
    fn when_full_the_quietest_idle_one_goes() {
        let roster = roster(3, 10);
        let client = IpAddr::from([192, 0, 2, 1]);
        let start = roster.start;
        let tickets: Vec<_> = (0..3).map(|_| roster.admit(client).unwrap()).collect();
        tickets[0].show(start + Duration::from_secs(1), true);
        tickets[1].show(start + Duration::from_secs(3), false);
        tickets[2].show(start + Duration::from_secs(2), false);
        let fourth = roster.admit(client).unwrap();
        fourth.show(start + Duration::from_secs(4), false);
        let leaving: Vec<_> = tickets.iter().map(Ticket::is_making_room).collect();
        assert_eq!(leaving, [false, false, true], "number 0 is busy, number 2 quieter than 1");
        // All busy: nobody is sent away, and nobody comes in.
        tickets[1].show(start + Duration::from_secs(5), true);
        fourth.show(start + Duration::from_secs(5), true);
        assert!(roster.admit(client).is_none());
    }
}
