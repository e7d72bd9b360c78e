//! The threads that keep secondary zones fresh, and what is known of each.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::addresses::{Haste, Room};
use super::pull::{NotPulled, Pulled, Puller, Try};
use super::watched::{Watched, random};
use crate::fleet::handle::Inner;
use crate::fleet::rules::Rules;
use crate::lock::lock;
use crate::wire::{Name, is_ahead};
use crate::zone::Entry;

/// Zones that are pulled at once: a few times what one address may take of them.
const PULLERS: usize = 8;
/// How often it is looked whether a zone has expired, and how long each has left is brought up to date.
const TICK: Duration = Duration::from_secs(1);

//------------ Keeper --------------------------------------------------------

/// Keeps the secondary zones fresh; clones share it.
#[derive(Clone, Default)]
pub(in crate::fleet) struct Keeper(Arc<Shared>);

/// What the threads share.
#[derive(Default)]
struct Shared {
    /// The zones.
    book: Mutex<Book>,
    /// Wakes the threads when something is due sooner, or it is over.
    news: Condvar,
    /// The newest NOTIFY of each zone that is not in the book yet.
    notices: Mutex<Notices>,
    /// Wakes the thread that brings them there.
    noticed: Condvar,
    /// Held while it is found out which zones there are.
    renewing: Mutex<()>,
    /// Asks primaries.
    puller: Puller,
}

/// All that is known.
#[derive(Default)]
struct Book {
    /// The zones by apex.
    zones: BTreeMap<Name, Watched>,
    /// Whether zones are kept fresh at all: not before the sockets are open.
    is_open: bool,
    /// Whether the threads were started.
    is_running: bool,
    /// Whether it is over.
    is_over: bool,
    /// Whether the next turn is that of a zone that only time drives, as the last one was not.
    is_turn_of_time: bool,
}

/// NOTIFYs on their way to the book. Whoever receives one does not wait for that.
#[derive(Default)]
struct Notices {
    /// Who sent the newest, by zone.
    primaries: HashMap<Name, String>,
    /// Whether it is over.
    is_over: bool,
}

/// What is known of a secondary zone, for people.
#[derive(Clone, Debug, Serialize)]
pub struct RefreshStatus {
    /// The primary that answered last, or sent the last NOTIFY.
    pub primary: Option<String>,
    /// How long until the next try, in seconds; none while one is under way.
    pub next_try_seconds: Option<u64>,
    /// How long the zone is still served without a refresh, in seconds; none if it is not served.
    pub expires_seconds: Option<u64>,
    /// Why the last try failed, if it did.
    pub error: Option<String>,
}

impl Keeper {
    /// Begins to keep zones fresh.
    pub(in crate::fleet) fn open(&self, fleet: &Arc<Inner>) {
        self.book().is_open = true;
        self.renew(fleet);
    }

    /// Takes note of which zones there are, after a start or a reload. The threads start with the first.
    pub(in crate::fleet) fn renew(&self, fleet: &Arc<Inner>) {
        let _one_at_a_time = lock(&self.0.renewing);
        let (now, known) = (Instant::now(), fleet.publisher.secondary_zones());
        let is_new = {
            let book = self.book();
            if !book.is_open {
                return;
            }
            known.iter().map(|apex| !book.zones.contains_key(apex)).collect::<Vec<_>>()
        };
        // The database is asked for what is new: not while others wait for the book.
        let new = known.iter().zip(is_new).filter(|(_, is_new)| *is_new);
        let mut new: BTreeMap<&Name, Watched> =
            new.map(|(apex, _)| (apex, Watched::new(fleet, apex, now))).collect();
        let served = fleet.publisher.zones();
        let is_empty = |apex: &Name| matches!(served.get(apex.as_ref()), Some(Entry::NotLoaded(_)));
        let mut book = self.book();
        let mut before = std::mem::take(&mut book.zones);
        for apex in &known {
            let mut kept = before.remove(apex);
            // It may have begun anew since it was transferred: nothing is left that could wait for REFRESH.
            kept.iter_mut().filter(|_| is_empty(apex)).for_each(|kept| kept.timer.begin_anew(now));
            if let Some(watched) = kept.or_else(|| new.remove(apex)) {
                book.zones.insert(apex.clone(), watched);
            }
        }
        let starts = !book.is_running && !book.is_over && !book.zones.is_empty();
        book.is_running |= starts;
        drop(book);
        self.0.news.notify_all();
        if starts {
            self.start(fleet);
        }
    }

    /// Ends the threads. One that is waiting for a primary ends when that answers or its time is over; nothing
    /// of it is published.
    pub(in crate::fleet) fn stop(&self) {
        self.book().is_over = true;
        self.0.news.notify_all();
        lock(&self.0.notices).is_over = true;
        self.0.noticed.notify_all();
    }

    /// NOTIFY came from a primary: a serial that we have needs no try. Does not wait for the book.
    pub(in crate::fleet) fn notified(
        &self,
        fleet: &Inner,
        zone: &Name,
        primary: &str,
        serial: Option<u32>,
    ) {
        let ours = fleet.publisher.zone(zone).map(|zone| zone.serial());
        let is_known = |serial: u32| ours.is_some_and(|ours| !is_ahead(serial, ours));
        if serial.is_some_and(is_known) {
            return;
        }
        lock(&self.0.notices).primaries.insert(zone.clone(), primary.to_owned());
        self.0.noticed.notify_one();
    }

    /// Has a zone refreshed now, as after a reload by hand.
    pub(in crate::fleet) fn refresh(&self, zone: &Name) {
        if let Some(watched) = self.book().zones.get_mut(zone) {
            watched.timer.now(Instant::now());
        }
        self.0.news.notify_all();
    }

    /// Has the whole zone transferred now, whatever its serial. What comes of it comes out of the channel; none
    /// if it is no secondary zone.
    pub(in crate::fleet) fn retransfer(
        &self,
        zone: &Name,
    ) -> Option<Receiver<Result<String, String>>> {
        let (sender, receiver) = channel();
        let mut book = self.book();
        let watched = book.zones.get_mut(zone)?;
        watched.waiting.push(sender);
        watched.timer.now(Instant::now());
        drop(book);
        self.0.news.notify_all();
        Some(receiver)
    }

    /// What is known of a zone; none if it is no secondary zone.
    pub(in crate::fleet) fn status(&self, zone: &Name) -> Option<RefreshStatus> {
        let now = Instant::now();
        let book = self.book();
        let watched = book.zones.get(zone)?;
        let seconds = |at: Instant| at.saturating_duration_since(now).as_secs();
        Some(RefreshStatus {
            primary: watched.first.clone(),
            next_try_seconds: watched.timer.next().map(seconds),
            expires_seconds: watched.timer.expires.map(seconds),
            error: watched.error.clone(),
        })
    }

    /// The book.
    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.0.book)
    }

    //--- Threads

    /// Starts the threads.
    fn start(&self, fleet: &Arc<Inner>) {
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
            if let Err(error) = thread {
                tracing::error!(%error, "secondary zones are not kept fresh: no thread");
            }
        };
        for _ in 0..PULLERS {
            let (keeper, fleet) = (self.clone(), Arc::downgrade(fleet));
            spawn("pull", Box::new(move || keeper.pull_all(&fleet)));
        }
        let (keeper, weak) = (self.clone(), Arc::downgrade(fleet));
        spawn("notices", Box::new(move || keeper.heed_all(&weak)));
        let (keeper, fleet) = (self.clone(), Arc::downgrade(fleet));
        spawn("expire", Box::new(move || keeper.expire_all(&fleet)));
    }

    /// Pulls what is due until it is over.
    fn pull_all(&self, fleet: &Weak<Inner>) {
        while let Some(wanted) = self.next(fleet) {
            let Some(fleet) = fleet.upgrade() else { return };
            let (zone, haste) = (wanted.zone.clone(), wanted.haste);
            let pulled = self.0.puller.pull(&fleet, wanted);
            self.note(&fleet, &zone, haste, pulled);
        }
    }

    /// Waits for the next zone that is due and that there is room for. None when it is over.
    fn next(&self, fleet: &Weak<Inner>) -> Option<Try> {
        let mut book = self.book();
        loop {
            // Only while it is needed: the fleet ends with its last handle.
            let rules = fleet.upgrade().filter(|_| !book.is_over)?.rules.load_full();
            let now = Instant::now();
            if let Some(wanted) = book.take_next(&self.0.puller, &rules, now) {
                return Some(wanted);
            }
            // What is due already waits for another zone to end; whoever pulls that comes by here.
            let next = book.zones.values().filter_map(|watched| watched.timer.next());
            let next = next.filter(|next| *next > now).min();
            let wait = next.map_or(TICK, |next| next.saturating_duration_since(now)).min(TICK);
            let waited = self.0.news.wait_timeout(book, wait);
            book = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Notes what came of a try.
    fn note(&self, fleet: &Inner, zone: &Name, haste: Haste, pulled: Result<Pulled, NotPulled>) {
        let soa = fleet.publisher.secondary_soa(zone);
        let (now, late) = (Instant::now(), random());
        let mut book = self.book();
        let Some(watched) = book.zones.get_mut(zone) else { return };
        if let Err(NotPulled::Postponed(why)) = pulled {
            // No failure, and nothing that is truer than the last one. Whoever waits goes on waiting.
            watched.timer.postponed(now, haste != Haste::Time);
            watched.error.get_or_insert(why);
            return;
        }
        let is_for_somebody = haste == Haste::Person;
        let waiting =
            if is_for_somebody { std::mem::take(&mut watched.waiting) } else { Vec::new() };
        let told = watched.note(zone, pulled, soa.as_ref(), now, late);
        drop(book);
        // Whoever asked may be gone.
        waiting.into_iter().for_each(|waiting| drop(waiting.send(told.clone())));
    }

    /// Brings NOTIFYs into the book until it is over.
    fn heed_all(&self, fleet: &Weak<Inner>) {
        loop {
            let notices = lock(&self.0.notices);
            let nothing = |notices: &mut Notices| notices.primaries.is_empty() && !notices.is_over;
            let waited = self.0.noticed.wait_timeout_while(notices, TICK, nothing);
            let mut notices = waited.unwrap_or_else(PoisonError::into_inner).0;
            let primaries = std::mem::take(&mut notices.primaries);
            // Nobody says so where the fleet ends with its last handle.
            if notices.is_over || fleet.strong_count() == 0 {
                return;
            }
            drop(notices);
            if !primaries.is_empty() && self.book().hurry(primaries, Instant::now()) {
                self.0.news.notify_all();
            }
        }
    }

    /// Lets zones expire until it is over.
    fn expire_all(&self, fleet: &Weak<Inner>) {
        loop {
            let now = Instant::now();
            let mut expired = Vec::new();
            let mut book = self.book();
            for (zone, watched) in &mut book.zones {
                if watched.timer.expires.is_some_and(|at| at <= now) {
                    watched.timer.expires = None;
                    expired.push(zone.clone());
                }
                let left =
                    watched.timer.expires.map(|at| at.saturating_duration_since(now).as_secs());
                watched.time_left.set(u32::try_from(left.unwrap_or(0)).unwrap_or(u32::MAX));
            }
            let Some(fleet) = fleet.upgrade().filter(|_| !book.is_over) else { return };
            drop(book);
            expired.iter().for_each(|zone| fleet.publisher.expire(zone, now));
            drop(fleet);
            let next = self.book().zones.values().filter_map(|watched| watched.timer.expires).min();
            let wait = next.map_or(TICK, |next| next.saturating_duration_since(now)).min(TICK);
            let waited = self.0.news.wait_timeout(self.book(), wait.max(Duration::from_millis(5)));
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }
}

//------------ Book ----------------------------------------------------------

impl Book {
    /// Hurries the zones that NOTIFY came for. Returns whether there are any.
    fn hurry(&mut self, primaries: HashMap<Name, String>, now: Instant) -> bool {
        let mut any = false;
        for (zone, primary) in primaries {
            let Some(watched) = self.zones.get_mut(&zone) else { continue };
            watched.first = Some(primary);
            watched.timer.hurry(now);
            any = true;
        }
        any
    }

    /// The zone whose turn it is, of those that are due and that there is room for: those that somebody waits
    /// for, then in turns one that NOTIFY hurries and one that only time drives, each the one that has waited
    /// longest. Neither many NOTIFYs nor a primary that hangs hold up the zones of others.
    fn take_next(&mut self, puller: &Puller, rules: &Rules, now: Instant) -> Option<Try> {
        let is_turn_of_time = self.is_turn_of_time;
        let rank = |watched: &Watched| {
            let is_urgent = watched.timer.is_urgent;
            (watched.waiting.is_empty(), is_urgent == is_turn_of_time, watched.timer.due)
        };
        let mut first: Option<(&Name, &mut Watched, Option<SocketAddr>)> = None;
        for (zone, watched) in &mut self.zones {
            let is_sooner = || first.as_ref().is_none_or(|(_, best, _)| rank(watched) < rank(best));
            if !watched.timer.is_due(now) || !is_sooner() {
                continue;
            }
            match puller.room(rules, zone, watched.first.as_deref(), watched.haste(), now) {
                Some(Room::Free(address)) => first = Some((zone, watched, Some(address))),
                // A try says that no primary is known.
                None => first = Some((zone, watched, None)),
                Some(Room::Full) => {}
                Some(Room::Silent(why)) => drop(watched.error.get_or_insert(why)),
            }
        }
        let (zone, watched, address) = first?;
        let wanted = Try {
            zone: zone.clone(),
            first: watched.first.clone(),
            haste: watched.haste(),
            share: address.and_then(|address| puller.addresses.share(address)),
        };
        self.is_turn_of_time = watched.timer.is_urgent;
        watched.timer.begin(now);
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use super::super::addresses::Haste;
    use super::super::timer::Timer;
    use super::*;
    use crate::fleet::ZoneRules;
    use crate::fleet::tests::{name, publisher, remote};
    use crate::tsig::Keyring;
    use crate::zone::TimeLeft;

    /// Bug class: zones that NOTIFY hurries all the while leave no turn to those that only time drives.
    #[test]
    fn notify_and_time_take_turns_and_a_person_goes_first() {
        let now = Instant::now();
        let (mut book, mut rules) = (Book::default(), HashMap::new());
        for (at, of) in ["n1.", "n2.", "n3.", "t1.", "t2.", "p.", "later."].iter().enumerate() {
            let due = if *of == "later." { now + TICK } else { now };
            let mut timer = Timer::new(now, due, None);
            timer.is_urgent = of.starts_with('n');
            let (first, error, time_left) = (None, None, TimeLeft::default());
            let waiting = if *of == "p." { vec![channel().0] } else { Vec::new() };
            book.zones.insert(name(of), Watched { timer, first, waiting, time_left, error });
            let address = format!("192.0.2.{at}");
            let primaries = vec![Arc::new(remote(of, &[&address], ""))];
            rules.insert(name(of), ZoneRules { primaries, ..ZoneRules::default() });
        }
        let (puller, rules) = (Puller::default(), Rules::new(rules));
        let mut turns = Vec::new();
        while let Some(wanted) = book.take_next(&puller, &rules, now) {
            let expected = match wanted.zone.to_string().as_bytes()[0] {
                b'n' => Haste::Notify,
                b't' => Haste::Time,
                _ => Haste::Person,
            };
            assert_eq!(wanted.haste, expected);
            assert!(wanted.share.is_some());
            turns.push(wanted.zone.to_string());
        }
        assert_eq!(turns, ["p.", "n1.", "t1.", "n2.", "t2.", "n3."]);
    }

    #[test]
    fn a_zone_whose_primary_is_silent_or_full_waits_and_has_not_failed() {
        let (now, zone) = (Instant::now(), name("a."));
        let only = Arc::new(remote("ns1", &["192.0.2.1"], ""));
        let of = ZoneRules { primaries: vec![Arc::clone(&only)], ..ZoneRules::default() };
        let (puller, rules) = (Puller::default(), Rules::new(HashMap::from([(zone.clone(), of)])));
        let mut book = Book::default();
        let (first, error, time_left) = (None, Some("truth".to_owned()), TimeLeft::default());
        let timer = Timer::new(now, now, None);
        let watched = Watched { timer, first, waiting: Vec::new(), time_left, error };
        book.zones.insert(zone.clone(), watched);
        let address = only.addresses[0];
        let shares = [puller.addresses.share(address), puller.addresses.share(address)];
        assert!(shares.iter().all(Option::is_some));
        assert!(book.take_next(&puller, &rules, now).is_none(), "full");
        drop(shares);
        puller.addresses.silent(address, "gone", now);
        assert!(book.take_next(&puller, &rules, now).is_none(), "silent");
        assert_eq!(book.zones[&zone].error.as_deref(), Some("truth"));
        let later = now + Duration::from_secs(10);
        assert!(book.take_next(&puller, &rules, later).is_some());
    }

    /// Bug class: a worker that receives NOTIFY waits while the zones are looked through.
    #[test]
    fn notify_does_not_wait_for_the_book() {
        let (_directory, publisher) = publisher();
        let fleet = crate::fleet::Fleet::new(publisher, Rules::default(), Keyring::default());
        let (keeper, zone) = (Keeper::default(), name("a."));
        let (first, error, time_left) = (None, None, TimeLeft::default());
        let now = Instant::now();
        let timer = Timer::new(now, now + TICK * 3600, None);
        let watched = Watched { timer, first, waiting: Vec::new(), time_left, error };
        keeper.book().zones.insert(zone.clone(), watched);
        let book = keeper.book();
        let (done, waited) = channel();
        let (own, inner, of) = (keeper.clone(), Arc::clone(&fleet.0), zone.clone());
        std::thread::spawn(move || {
            own.notified(&inner, &of, "ns1", Some(7));
            done.send(()).unwrap();
        });
        waited.recv_timeout(Duration::from_secs(10)).expect("it waits for the book");
        drop(book);
        let weak = Arc::downgrade(&fleet.0);
        let own = keeper.clone();
        let thread = std::thread::spawn(move || own.heed_all(&weak));
        let end = Instant::now() + Duration::from_secs(10);
        while keeper.book().zones[&zone].first.as_deref() != Some("ns1") {
            assert!(Instant::now() < end, "it never comes to the book");
            std::thread::yield_now();
        }
        assert!(keeper.book().zones[&zone].timer.is_due(Instant::now()));
        keeper.stop();
        thread.join().unwrap();
    }
}
