//! The threads that keep secondary zones fresh, and what is known of each.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::addresses::Haste;
use super::book::Book;
use super::pull::{NotPulled, Pulled, Puller, Try};
use super::watched::{Watched, random};
use crate::fleet::handle::Inner;
use crate::lock::lock;
use crate::wire::{Name, is_ahead};
use crate::zone::Entry;

/// Threads that pull and stay, whether there is something to pull or not.
const PULLERS: usize = 8;
/// Threads at most. There is one more whenever all others are at work, so that zones with quick primaries do not
/// wait until slow ones have answered: this many times what one address may hold, and more.
const PULLERS_MAX: usize = 64;
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
    /// Since when every try has failed, in milliseconds since 1970; none if the last one did not.
    pub failing_since: Option<i64>,
    /// What primaries sent that could not be used in the last try, though another one had what is wanted.
    pub passed_over: Option<String>,
}

impl Keeper {
    /// Begins to keep zones fresh.
    pub(in crate::fleet) fn open(&self, fleet: &Arc<Inner>) {
        self.book().is_open = true;
        self.renew(fleet);
    }

    /// Leaves them to another node; [`open`](Self::open) begins anew.
    pub(in crate::fleet) fn close(&self) {
        let mut book = self.book();
        book.is_open = false;
        book.zones.clear();
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
            kept.iter_mut().filter(|_| is_empty(apex)).for_each(|kept| kept.begin_anew(now));
            if let Some(watched) = kept.or_else(|| new.remove(apex)) {
                book.zones.insert(apex.clone(), watched);
            }
        }
        let starts = !book.is_running && !book.is_over && !book.zones.is_empty();
        book.is_running |= starts;
        drop(book);
        fleet.counts.keep_only(&known);
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
        let ours = fleet.publisher.content(zone).map(|zone| zone.serial());
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
            failing_since: watched.failing_since,
            passed_over: watched.passed_over.clone(),
        })
    }

    /// The book.
    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.0.book)
    }

    //--- Threads

    /// Starts the threads, of those that pull the first. Without that one none runs, and the next reload tries
    /// again.
    fn start(&self, fleet: &Arc<Inner>) {
        self.book().pullers += 1;
        if !self.start_puller(fleet) {
            self.book().is_running = false;
            tracing::error!("secondary zones are not kept fresh before the next reload: no thread");
            return;
        }
        let (keeper, weak) = (self.clone(), Arc::downgrade(fleet));
        let is_started = spawn("notices", move || keeper.heed_all(&weak));
        let (keeper, weak) = (self.clone(), Arc::downgrade(fleet));
        if !(is_started && spawn("expire", move || keeper.expire_all(&weak))) {
            tracing::error!("secondary zones are not kept fresh: no thread");
        }
    }

    /// Starts a thread that pulls, which the book counts already. Returns whether it runs.
    fn start_puller(&self, fleet: &Arc<Inner>) -> bool {
        let (keeper, weak) = (self.clone(), Arc::downgrade(fleet));
        let is_started = spawn("pull", move || keeper.pull_all(&weak));
        if !is_started {
            self.book().pullers -= 1;
        }
        is_started
    }

    /// Pulls what is due until it is over, or there are more threads than are needed.
    fn pull_all(&self, fleet: &Weak<Inner>) {
        while let Some((wanted, is_last)) = self.next(fleet) {
            let Some(fleet) = fleet.upgrade() else { return };
            if is_last {
                self.start_puller(&fleet);
            }
            let (zone, haste) = (wanted.zone.clone(), wanted.haste);
            let pulled = self.0.puller.pull(&fleet, wanted);
            self.note(&fleet, &zone, haste, pulled);
        }
    }

    /// Waits for the next zone that is due and that there is room for, and says whether nobody waits for one any
    /// more and another thread is to. None when it is over, or others are enough.
    fn next(&self, fleet: &Weak<Inner>) -> Option<(Try, bool)> {
        let mut book = self.book();
        book.idle += 1;
        loop {
            // Only while it is needed: the fleet ends with its last handle.
            let rules = fleet.upgrade().filter(|_| !book.is_over)?.rules.load_full();
            let now = Instant::now();
            if let Some(wanted) = book.take_next(&self.0.puller, &rules, now) {
                book.idle -= 1;
                let is_last = book.idle == 0 && book.pullers < PULLERS_MAX;
                book.pullers += usize::from(is_last);
                return Some((wanted, is_last));
            }
            // What is due already waits for another zone to end; whoever pulls that comes by here.
            let next = book.zones.values().filter_map(|watched| watched.timer.next());
            let next = next.filter(|next| *next > now).min();
            let wait = next.map_or(TICK, |next| next.saturating_duration_since(now)).min(TICK);
            let waited = self.0.news.wait_timeout(book, wait);
            let (waited, result) = waited.unwrap_or_else(PoisonError::into_inner);
            book = waited;
            if result.timed_out() && wait == TICK && book.pullers > PULLERS && book.idle > 1 {
                (book.pullers, book.idle) = (book.pullers - 1, book.idle - 1);
                return None;
            }
        }
    }

    /// Notes what came of a try.
    fn note(&self, fleet: &Inner, zone: &Name, haste: Haste, pulled: Result<Pulled, NotPulled>) {
        let soa = fleet.publisher.secondary_soa(zone);
        let (now, late) = (Instant::now(), random());
        let mut book = self.book();
        let Some(watched) = book.zones.get_mut(zone) else { return };
        if let Err(NotPulled::Postponed { why, errand }) = pulled {
            // No failure, and nothing that is truer than the last one. Whoever waits goes on waiting.
            watched.timer.postponed(now, haste != Haste::Time);
            watched.errand = errand;
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

/// Starts a thread. Returns whether there is one.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> bool {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    if let Err(error) = &started {
        tracing::warn!(%error, name, "no thread");
    }
    started.is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::timer::Timer;
    use super::*;
    use crate::fleet::Rules;
    use crate::fleet::tests::{name, publisher};
    use crate::tsig::Keyring;
    use crate::zone::TimeLeft;

    /// Bug class: a worker that receives NOTIFY waits while the zones are looked through.
    #[test]
    fn notify_does_not_wait_for_the_book() {
        let (_directory, publisher) = publisher();
        let fleet = crate::fleet::Fleet::new(publisher, Rules::default(), Keyring::default());
        let (keeper, zone) = (Keeper::default(), name("a."));
        let now = Instant::now();
        let timer = Timer::new(now, now + TICK * 3600, None);
        let watched = Watched::of(timer, TimeLeft::default());
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
