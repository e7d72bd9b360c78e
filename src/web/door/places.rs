//! The places of the listener: who has one, what they do with it, and who must give it up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::DoorLimits;
use crate::lock::lock;
use crate::web::limits::prefix;

/// Octets of a response that the slowest client we wait for takes in a second. An answer keeps its
/// connection for the time it needs at this rate.
const DOWNLINK: u64 = 8 * 1024;

//------------ Places --------------------------------------------------------

/// All places; clones share them.
#[derive(Clone)]
pub(super) struct Places {
    /// Those that are taken.
    taken: Arc<Mutex<Taken>>,
    /// How many there may be.
    limits: DoorLimits,
    /// Proxies: their addresses are shared by many clients, and only the total counts.
    proxies: Arc<[IpAddr]>,
}

/// The places that are taken.
#[derive(Default)]
struct Taken {
    /// By number.
    by_number: HashMap<u64, Seat>,
    /// How many each network has.
    by_network: HashMap<IpNet, usize>,
    /// The next number.
    next: u64,
}

/// A place that is taken.
struct Seat {
    /// The network it counts for; none for a proxy.
    network: Option<IpNet>,
    /// What goes on there.
    activity: Arc<Activity>,
}

impl Places {
    /// All free.
    pub(super) fn new(limits: DoorLimits, proxies: Vec<IpAddr>) -> Self {
        Self { taken: Arc::default(), limits, proxies: proxies.into() }
    }

    /// A place for one more connection from this address. Where none is free, in all or for its
    /// network, another has to leave for it; none if every other one is at work.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let network = (!self.proxies.contains(&address)).then(|| prefix(address, 32, 64));
        let mut taken = lock(&self.taken);
        let own = network.and_then(|network| taken.by_network.get(&network)).copied();
        let own = own.unwrap_or_default();
        if own >= self.limits.per_network {
            let leaves = taken.oldest_idle(|seat| seat.network == network)?;
            taken.dismiss(leaves);
        } else if taken.by_number.len() >= self.limits.places {
            let leaves = taken
                .oldest_idle(|seat| seat.network.is_some())
                .or_else(|| taken.oldest_idle(|_| true))
                .or_else(|| taken.oldest_of_the_fullest(own))?;
            taken.dismiss(leaves);
        }
        let number = taken.next;
        taken.next += 1;
        if let Some(network) = network {
            *taken.by_network.entry(network).or_default() += 1;
        }
        let activity = Arc::new(Activity::new());
        taken.by_number.insert(number, Seat { network, activity: Arc::clone(&activity) });
        Some(Place { number, activity, places: self.clone() })
    }
}

impl Taken {
    /// The place without a request under way for the longest time, among some.
    fn oldest_idle(&self, among: impl Fn(&Seat) -> bool) -> Option<u64> {
        let idle = self.by_number.iter().filter(|(_, seat)| among(seat));
        let idle = idle.filter_map(|(number, seat)| Some((seat.activity.idle_since()?, *number)));
        idle.min().map(|(_, number)| number)
    }

    /// The oldest place of the network that has most of them, if that is more than a newcomer's
    /// network would have: nobody fills the house with requests that never end.
    fn oldest_of_the_fullest(&self, own: usize) -> Option<u64> {
        let fullest = self.by_network.iter().max_by_key(|(_, count)| **count);
        let (network, _) = fullest.filter(|(_, count)| **count > own + 1)?;
        let theirs = self.by_number.iter().filter(|(_, seat)| seat.network == Some(*network));
        theirs.map(|(number, _)| *number).min()
    }

    /// Takes a place back; its connection is closed.
    fn dismiss(&mut self, number: u64) {
        if let Some(seat) = self.give_back(number) {
            seat.activity.dismissed.notify_one();
        }
    }

    /// Frees a place, if it is still taken.
    fn give_back(&mut self, number: u64) -> Option<Seat> {
        let seat = self.by_number.remove(&number)?;
        self.uncount(seat.network);
        Some(seat)
    }

    /// Counts one place less for a network.
    fn uncount(&mut self, network: Option<IpNet>) {
        if let Some(network) = network
            && let Some(count) = self.by_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

/// A connection's place, given back when it ends.
pub(in crate::web) struct Place {
    /// Its number.
    number: u64,
    /// What goes on there.
    activity: Arc<Activity>,
    /// Where it is given back.
    places: Places,
}

impl Place {
    /// What goes on there.
    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// From now on it counts for no network: many visitors come by it.
    pub(in crate::web) fn belongs_to_many(&self) {
        let mut taken = lock(&self.places.taken);
        let network = taken.by_number.get_mut(&self.number).and_then(|seat| seat.network.take());
        taken.uncount(network);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places.taken).give_back(self.number);
    }
}

//------------ Activity ------------------------------------------------------

/// The requests of one connection.
pub(super) struct Activity {
    /// When it was accepted.
    born: Instant,
    /// What is under way.
    doing: Mutex<Doing>,
    /// Told when another needs the place.
    dismissed: Notify,
}

/// What is under way on a connection.
struct Doing {
    /// Requests without an answer yet.
    under_way: usize,
    /// Since when it is idle, once nothing is under way; ahead of now while an answer is on its way.
    idle_since: Instant,
}

impl Activity {
    /// Just accepted.
    fn new() -> Self {
        let now = Instant::now();
        let doing = Mutex::new(Doing { under_way: 0, idle_since: now });
        Self { born: now, doing, dismissed: Notify::new() }
    }

    /// A request begins.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        lock(&self.doing).under_way += 1;
        UnderWay(Arc::clone(self))
    }

    /// Since when nothing is under way.
    fn idle_since(&self) -> Option<Instant> {
        let doing = lock(&self.doing);
        (doing.under_way == 0).then_some(doing.idle_since)
    }

    /// Resolves when the connection is to be closed at once: idle or old for too long, or dismissed.
    pub(super) async fn over(&self, limits: &DoorLimits) {
        let last = self.born + limits.age + limits.grace;
        loop {
            let now = Instant::now();
            let until = self.idle_since().map_or(now + limits.idle, |since| since + limits.idle);
            if until.min(last) <= now {
                return;
            }
            tokio::select! {
                () = self.dismissed.notified() => return,
                () = tokio::time::sleep_until(until.min(last)) => {}
            }
        }
    }

    /// Resolves when the connection shall take no further request.
    pub(super) async fn too_old(&self, limits: &DoorLimits) {
        tokio::time::sleep_until(self.born + limits.age).await;
    }
}

/// A request under way; dropped without an answer, it was given up by the client.
pub(super) struct UnderWay(Arc<Activity>);

impl UnderWay {
    /// The answer, of so many octets, is on its way.
    pub(super) fn answered(self, octets: u64) {
        let until = Instant::now() + Duration::from_secs(octets / DOWNLINK);
        let mut doing = lock(&self.0.doing);
        doing.idle_since = doing.idle_since.max(until);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.0.doing).under_way -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for four, two from one network.
    fn places() -> Places {
        let limits = DoorLimits { places: 4, per_network: 2, ..DoorLimits::default() };
        Places::new(limits, vec!["127.0.0.1".parse().unwrap()])
    }

    /// Whether the connection of a place was asked to end.
    async fn is_dismissed(place: &Place) -> bool {
        let limits = DoorLimits::default();
        let over = place.activity().over(&limits);
        tokio::time::timeout(Duration::from_millis(20), over).await.is_ok()
    }

    #[tokio::test]
    async fn one_network_does_not_take_all_places() {
        let places = places();
        let take = |address: &str| places.take(address.parse().unwrap());
        let (first, second) = (take("2001:db8::1").unwrap(), take("2001:db8::2").unwrap());
        let (one, other) = (first.activity().begin(), second.activity().begin());
        assert!(take("2001:db8::3").is_none(), "both at work, and a /64 is one network");
        assert!(take("::ffff:192.0.2.1").is_some());
        one.answered(0);
        let third = take("2001:db8::4").unwrap();
        assert!(is_dismissed(&first).await, "the idle one leaves");
        assert!(!is_dismissed(&second).await && !is_dismissed(&third).await);
        drop(other);
        // This machine counts like any other, unless it is a trusted proxy.
        let here: Vec<_> = std::iter::from_fn(|| take("127.0.0.2")).take(3).collect();
        assert!(is_dismissed(&here[0]).await && !is_dismissed(&here[2]).await);
    }

    #[tokio::test]
    async fn a_full_house_has_a_place_for_a_newcomer() {
        let places = places();
        let take = |address: &str| places.take(address.parse().unwrap());
        let all = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "127.0.0.1"].map(|it| take(it).unwrap());
        let busy: Vec<_> = all[..2].iter().map(|place| place.activity().begin()).collect();
        let new = take("192.0.2.3").unwrap();
        assert!(is_dismissed(&all[2]).await, "the idle one, before the proxy's");
        let _at_work = new.activity().begin();
        let _late = take("192.0.2.4").unwrap();
        assert!(is_dismissed(&all[3]).await, "then the proxy's");
        assert!(!is_dismissed(&all[0]).await && !is_dismissed(&new).await);
        drop(busy);
    }

    #[tokio::test]
    async fn nobody_fills_the_house_with_requests_that_never_end() {
        let places = places();
        let take = |address: &str| places.take(address.parse().unwrap());
        let all = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"].map(|it| take(it).unwrap());
        let _busy: Vec<_> = all.iter().map(|place| place.activity().begin()).collect();
        let new = take("192.0.2.3").unwrap();
        let _working = new.activity().begin();
        let mut told = Vec::new();
        for place in &all {
            told.push(is_dismissed(place).await);
        }
        assert_eq!(told.iter().filter(|told| **told).count(), 1, "{told:?}");
        drop(new);
    }
}
