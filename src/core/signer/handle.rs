//! The handle that `run` builds, and the threads behind it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::agenda::Agenda;
use super::alarm::Alarm;
use super::book::{Book, Notes, Seen};
use super::facts;
use super::parent::{Finder, Sight};
use crate::dnssec::Dnskey;
use crate::keystore::Keystore;
use crate::lock::lock;
use crate::publish::{Publisher, SigningState};
use crate::rollover::Facts;
use crate::wire::Name;
use crate::zone::Entry;

/// Threads that wait for servers of parents.
const LOOKERS: usize = 4;
/// Threads that wait for whoever parents want to be told: they hold up no look.
const TELLERS: usize = 4;
/// How often it is found out which zones there are, besides reloads.
const RELIST: Duration = Duration::from_secs(60);
/// How old a look may be, in seconds, for somebody who only asks.
const FRESH_S: u64 = 5;
/// The wait after a turn that was a fault of gapura's.
const AFTER_PANIC: Duration = Duration::from_secs(600);

//------------ Signer --------------------------------------------------------

/// The clockwork; clones share it.
#[derive(Clone)]
pub struct Signer(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    /// The zones.
    pub(super) publisher: Publisher,
    /// Their private keys.
    pub(super) keystore: Keystore,
    /// Looks at parents.
    pub(super) finder: Finder,
    /// Milliseconds since 1970.
    pub(super) now_ms: fn() -> i64,
    /// A clock that nobody sets.
    pub(super) ran: fn() -> Instant,
    /// Whether nothing but signatures is made: what keys do is not kept where the database only stands in for
    /// one that is lost.
    pub(super) only_renews: bool,
    /// What is known, and what is due.
    book: Mutex<Book>,
    /// Wakes the threads when something is due sooner, or it is over.
    news: Condvar,
    /// The thread that takes turns.
    turner: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// A clockwork for the zones of this publisher, whose private keys are there. It stands still until
    /// [`Self::start`]. With `only_renews`, keys are left as they are.
    pub fn new(
        publisher: Publisher,
        keystore: Keystore,
        now_ms: fn() -> i64,
        only_renews: bool,
    ) -> Self {
        let clocks = (now_ms, Instant::now as fn() -> Instant);
        Self::with_finder(publisher, keystore, clocks, only_renews, Finder::default())
    }

    /// The same with another way to find parents, and a clock that nobody sets beside the one that tells the time.
    pub(super) fn with_finder(
        publisher: Publisher,
        keystore: Keystore,
        (now_ms, ran): (fn() -> i64, fn() -> Instant),
        only_renews: bool,
        finder: Finder,
    ) -> Self {
        Self(Arc::new(Inner {
            publisher,
            keystore,
            finder,
            now_ms,
            ran,
            only_renews,
            book: Mutex::default(),
            news: Condvar::new(),
            turner: Mutex::default(),
        }))
    }

    /// Begins. The threads start with the first signed zone.
    pub fn start(&self) {
        self.0.book().is_open = true;
        self.renew_turns();
    }

    /// Ends. A turn that is under way is waited for; a look is not, and nothing comes of it.
    pub fn stop(&self) {
        self.0.book().is_over = true;
        self.0.news.notify_all();
        if let Some(turner) = lock(&self.0.turner).take() {
            // A panic inside is in the log already.
            let _ = turner.join();
        }
    }

    /// Somebody says that the clock is right now.
    pub fn clock_is_right(&self) {
        self.0.book().clock_was_set(Instant::now());
        self.go_on();
    }

    /// Takes note of which zones there are, and has them and their parents all looked after soon: after a
    /// reload.
    pub fn renew(&self) {
        self.renew_turns();
        let mut book = self.0.book();
        if book.is_running {
            book.looks.hurry_all(Instant::now());
        }
        drop(book);
        self.0.news.notify_all();
    }

    /// Takes note of which zones there are, and has them all looked after soon.
    fn renew_turns(&self) {
        self.0.relist();
        self.0.book().turns.hurry_all(Instant::now());
        self.go_on();
    }

    /// Wakes the threads, and starts them with the first signed zone.
    fn go_on(&self) {
        let mut book = self.0.book();
        let starts = book.is_open && !book.is_running && !book.is_over && !book.turns.is_empty();
        book.is_running |= starts;
        drop(book);
        self.0.news.notify_all();
        if starts {
            self.start_threads();
        }
    }

    /// Has a zone looked after now, and its parent looked at: somebody gave a command, or has read it again.
    pub fn wake(&self, zone: &Name) {
        self.0.relist();
        let seen = self.0.note(zone, |notes| notes.seen.clone()).flatten();
        self.0.finder.forget(zone, seen.as_ref().map(|seen| &seen.sight));
        let (mut book, now) = (self.0.book(), Instant::now());
        book.turns.hurry(zone, now);
        book.looks.hurry(zone, now);
        drop(book);
        self.go_on();
    }

    /// Removes the files of those of these keys that are not in the zone's key set.
    pub fn forget_unused(&self, zone: &Name, keys: &[Dnskey]) {
        self.0.forget_unused(zone, keys);
    }

    /// Has the parent of a zone looked at now, unless it was just now: somebody asks how it is.
    pub fn look(&self, zone: &Name) {
        let now = self.0.now_s();
        let is_fresh = |notes: &Notes| {
            notes.seen.as_ref().is_some_and(|seen| now.saturating_sub(seen.at) < FRESH_S)
        };
        let mut book = self.0.book();
        if book.notes.get(zone).is_some_and(is_fresh) {
            return;
        }
        book.looks.hurry(zone, Instant::now());
        drop(book);
        self.0.news.notify_all();
    }

    //--- What is known

    /// What is known of the world, for whoever asks the key set of a zone what it waits for.
    pub fn facts(&self, zone: &Name, state: &SigningState) -> Facts {
        self.0.facts(zone, state)
    }

    /// What is wrong with the signing of a zone, or waits for a person.
    pub fn alarms(&self, zone: &Name) -> Vec<Alarm> {
        self.0.book().notes.get(zone).map(|notes| notes.alarms.all()).unwrap_or_default()
    }

    /// The same of all zones that have such.
    pub fn all_alarms(&self) -> Vec<(Name, Vec<Alarm>)> {
        let book = self.0.book();
        let all = book.notes.iter().map(|(zone, notes)| (zone.clone(), notes.alarms.all()));
        let mut all: Vec<(Name, Vec<Alarm>)> =
            all.filter(|(_, alarms)| !alarms.is_empty()).collect();
        drop(book);
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    /// What the servers of a zone's parent said last, and when they were asked, in seconds since 1970.
    pub fn sight(&self, zone: &Name) -> Option<(u64, Sight)> {
        let seen = self.0.book().notes.get(zone)?.seen.clone()?;
        Some((seen.at, seen.sight.clone()))
    }

    //--- Threads

    /// Starts the threads.
    fn start_threads(&self) {
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
            let failed = "signed zones are not looked after: no thread";
            thread.inspect_err(|error| tracing::error!(%error, failed)).ok()
        };
        for _ in 0..LOOKERS {
            let inner = Arc::clone(&self.0);
            spawn("parents", Box::new(move || inner.look_at_all()));
        }
        for _ in 0..TELLERS {
            let inner = Arc::clone(&self.0);
            spawn("tell parents", Box::new(move || inner.tell_all()));
        }
        let inner = Arc::clone(&self.0);
        *lock(&self.0.turner) = spawn("signer", Box::new(move || inner.turn_all()));
    }
}

impl Inner {
    /// The book.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    /// What is known of a zone is changed, unless the zone is gone.
    pub(super) fn note<T>(&self, zone: &Name, change: impl FnOnce(&mut Notes) -> T) -> Option<T> {
        self.book().notes.get_mut(zone).map(change)
    }

    /// Wakes the threads.
    pub(super) fn wake_all(&self) {
        self.news.notify_all();
    }

    /// Now, in seconds since 1970.
    pub(super) fn now_s(&self) -> u64 {
        u64::try_from((self.now_ms)().div_euclid(1000)).unwrap_or(0)
    }

    /// What is known of the world.
    pub(super) fn facts(&self, zone: &Name, state: &SigningState) -> Facts {
        let serial = state.served.as_ref().map(|served| served.serial());
        let (known, seen) =
            self.note(zone, |notes| (notes.ttl_max, notes.seen.clone())).unwrap_or_default();
        let known = known.filter(|(of, _)| Some(*of) == serial).map(|(_, ttl)| ttl);
        let max_zone_ttl = known.unwrap_or_else(|| {
            let ttl = state.ttl_max();
            self.note(zone, |notes| notes.ttl_max = serial.map(|serial| (serial, ttl)));
            ttl
        });
        let keys = state.current.as_ref().map(|(_, keys)| keys);
        // Of what was seen in a time to come nobody knows when it was.
        let now = self.now_s();
        let at = |seen: &Seen| if seen.at > now { 0 } else { seen.at };
        let parents =
            keys.zip(seen).map(|(keys, seen)| facts::parents(zone, keys, &seen.sight, at(&seen)));
        Facts { max_zone_ttl, signed_by: state.signed_by(), parents: parents.unwrap_or_default() }
    }

    /// Takes note of which zones there are, and of their versions: those that are signed here or are to be, and
    /// those whose files come signed. Sees whether the clock was set.
    pub(super) fn relist(&self) {
        let mut zones = self.publisher.signed_zones();
        let transferred = self.publisher.secondary_zones();
        let live = self.publisher.zones();
        let signed = live.iter().filter_map(Entry::zone).filter(|zone| zone.is_signed());
        let others = signed.map(|zone| zone.apex().to_name());
        zones.extend(others.filter(|zone| !transferred.contains(zone)));
        zones.sort();
        zones.dedup();
        self.watched_now_s();
        let serial = |zone: &Name| Some(live.get(zone.as_ref())?.zone()?.serial());
        let serials: Vec<_> = zones.iter().map(|zone| (zone.clone(), serial(zone))).collect();
        let (mut book, now) = (self.book(), Instant::now());
        book.keep(&zones, now);
        book.see(&serials, now);
    }

    /// Takes the turns of all zones until it is over.
    fn turn_all(&self) {
        let mut listed = Instant::now();
        while let Some(zone) = self.next_turn(&mut listed) {
            let turned = catch_unwind(AssertUnwindSafe(|| self.turn(&zone)));
            // A panic is in the log already.
            let wait = turned.unwrap_or(AFTER_PANIC);
            let now = Instant::now();
            self.book().turns.done(&zone, now + wait, now);
            self.news.notify_all();
        }
    }

    /// Waits for the next turn; none when it is over.
    fn next_turn(&self, listed: &mut Instant) -> Option<Name> {
        loop {
            if listed.elapsed() >= RELIST {
                self.relist();
                *listed = Instant::now();
            }
            let mut book = self.book();
            if book.is_over {
                return None;
            }
            let now = Instant::now();
            if let Some(zone) = book.turns.take(now) {
                return Some(zone);
            }
            let next = book.turns.next().map_or(RELIST, |at| at.saturating_duration_since(now));
            self.sleep(book, next.min(RELIST));
        }
    }

    /// Looks at parents until it is over.
    fn look_at_all(&self) {
        while let Some(zone) = self.next_of(|book| &mut book.looks) {
            // A panic is in the log already.
            let _ = catch_unwind(AssertUnwindSafe(|| self.look(&zone)));
            let now = Instant::now();
            let mut book = self.book();
            let next = book.next_look(&zone, now);
            book.looks.done(&zone, next, now);
            drop(book);
            self.news.notify_all();
        }
    }

    /// Tells parents until it is over.
    fn tell_all(&self) {
        while let Some(zone) = self.next_of(|book| &mut book.tells) {
            // A panic is in the log already.
            let told = catch_unwind(AssertUnwindSafe(|| self.tell(&zone)));
            let now = Instant::now();
            let mut book = self.book();
            let next = book.next_tell(&zone, now);
            let next = if told.is_ok() { next } else { next.max(now + AFTER_PANIC) };
            book.tells.done(&zone, next, now);
            drop(book);
            self.news.notify_all();
        }
    }

    /// Waits for the next zone of one kind of work; none when it is over.
    fn next_of(&self, agenda: fn(&mut Book) -> &mut Agenda) -> Option<Name> {
        loop {
            let mut book = self.book();
            if book.is_over {
                return None;
            }
            let now = Instant::now();
            let agenda = agenda(&mut book);
            if let Some(zone) = agenda.take(now) {
                return Some(zone);
            }
            let next = agenda.next().map_or(RELIST, |at| at.saturating_duration_since(now));
            self.sleep(book, next);
        }
    }

    /// Waits for so long, or until there is news.
    fn sleep(&self, book: MutexGuard<'_, Book>, wait: Duration) {
        let waited = self.news.wait_timeout(book, wait);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}
