//! What is known of the zones between two turns, and when each has its next.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::agenda::{Agenda, Failures};
use super::alarm::Alarms;
use super::clock::Pace;
use super::parent::Sight;
use crate::publish::Change;
use crate::rollover::{Cds, KeySet, Policy};
use crate::wire::Name;

/// How often the parent of a zone is looked at while nothing waits for it.
const LOOK_EVERY: Duration = Duration::from_secs(2_400);
/// How often at most and at least while something does.
const LOOK_SOON: [u64; 2] = [2, 300];
/// How soon after the start a zone's parent is looked at for the first time.
const FIRST_LOOKS: Duration = Duration::from_secs(50);
/// The longest wait between two tries to tell a parent of CDS records.
const TELL_AGAIN: Duration = Duration::from_secs(86_400);
/// The wait after the first.
const TELL_SOON: Duration = Duration::from_secs(60);

//------------ Book ----------------------------------------------------------

/// Everything that the threads share.
#[derive(Default)]
pub(super) struct Book {
    /// Turns of zones.
    pub(super) turns: Agenda,
    /// Looks at parents.
    pub(super) looks: Agenda,
    /// Words to parents.
    pub(super) tells: Agenda,
    /// What is known of each zone.
    pub(super) notes: HashMap<Name, Notes>,
    /// The clock.
    pub(super) pace: Pace,
    /// Whether the clock was set or doubted in this run: then the waits of a zone that comes back begin again, too.
    pub(super) has_doubts: bool,
    /// Whether turns are taken at all: not before the sockets are open.
    pub(super) is_open: bool,
    /// Whether the threads were started.
    pub(super) is_running: bool,
    /// Whether it is over.
    pub(super) is_over: bool,
}

/// What is known of a zone.
#[derive(Default)]
pub(super) struct Notes {
    /// What the parent's servers said last.
    pub(super) seen: Option<Arc<Seen>>,
    /// What is wrong.
    pub(super) alarms: Alarms,
    /// How often its turns have failed.
    pub(super) failures: Failures,
    /// How often its parent is looked at while something waits for a DS; none: nothing does.
    pub(super) waits_for_ds: Option<Duration>,
    /// CDS records that the parent is to be told of.
    pub(super) telling: Option<Telling>,
    /// The largest TTL of a version, by its serial.
    pub(super) ttl_max: Option<(u32, u32)>,
    /// The last walk over its signatures that found none due.
    pub(super) calm: Option<Calm>,
    /// Whether the waits of its keys are to begin again, because the clock was set.
    pub(super) waits_again: bool,
    /// The serial that was served when it was looked last.
    serial: Option<u32>,
}

/// That no signature of a version is due for a while.
pub(super) struct Calm {
    /// The serial of the version.
    pub(super) serial: u32,
    /// The policy and the keys that it was compared with.
    pub(super) by: (Arc<Policy>, KeySet),
    /// When the first is due, in seconds since 1970; none: nothing in it is signed.
    pub(super) until: Option<u64>,
}

/// A look at the parent.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// When it began, in seconds since 1970.
    pub(super) at: u64,
    /// What was seen.
    pub(super) sight: Sight,
}

/// CDS records that the parent is told of until it has done what they say.
#[derive(Clone, Debug)]
pub(super) struct Telling {
    /// What they say.
    pub(super) cds: Cds,
    /// When it is told next.
    pub(super) at: Instant,
    /// How often it was.
    pub(super) tries: u32,
}

impl Telling {
    /// It was told, and nobody has to be told soon again; or not everybody heard it.
    pub(super) fn told(&mut self, is_heard: bool, now: Instant) {
        let doubled = TELL_SOON.saturating_mul(2_u32.pow(self.tries.min(16)));
        self.tries = self.tries.saturating_add(1);
        self.at = now + if is_heard { TELL_AGAIN } else { doubled.min(TELL_AGAIN) };
    }
}

impl Notes {
    /// Something waits for a DS at the parent, or nothing does. `every` is how often it is looked at then, and
    /// `telling` what its CDS records say. Returns whether that is new.
    pub(super) fn wait_for_ds(
        &mut self,
        every: Option<Duration>,
        cds: Cds,
        tell_after: Duration,
        now: Instant,
    ) -> bool {
        let is_new = every.is_some() && self.waits_for_ds.is_none();
        self.waits_for_ds = every;
        if every.is_none() || cds == Cds::None {
            self.telling = None;
        } else if self.telling.as_ref().is_none_or(|telling| telling.cds != cds) {
            // Secondaries have them by then (RFC 9859 §4.2).
            self.telling = Some(Telling { cds, at: now + tell_after, tries: 0 });
        }
        is_new
    }

    /// A version of the signer's own, made in a turn: it is no reason for another turn. What people made before it
    /// still is.
    pub(super) fn made(&mut self, change: &Change) {
        if self.serial == change.from {
            self.serial = Some(change.to);
        }
    }
}

impl Book {
    /// Takes note of which zones there are.
    pub(super) fn keep(&mut self, zones: &[Name], now: Instant) {
        self.turns.keep(zones, now, |_| Duration::ZERO);
        self.looks.keep(zones, now, |zone| share(zone, FIRST_LOOKS));
        self.tells.keep(zones, now, |_| TELL_AGAIN);
        let known: HashSet<&Name> = zones.iter().collect();
        self.notes.retain(|zone, _| known.contains(zone));
        for zone in zones {
            let new = || Notes { waits_again: self.has_doubts, ..Notes::default() };
            self.notes.entry(zone.clone()).or_insert_with(new);
        }
    }

    /// Has the turns of zones taken now that serve another version than before: its TTLs count for rolls.
    pub(super) fn see(&mut self, serials: &[(Name, Option<u32>)], now: Instant) {
        for (zone, serial) in serials {
            let Some(notes) = self.notes.get_mut(zone) else { continue };
            if std::mem::replace(&mut notes.serial, *serial) != *serial {
                self.turns.hurry(zone, now);
            }
        }
    }

    /// When the parent of a zone is looked at next.
    pub(super) fn next_look(&self, zone: &Name, now: Instant) -> Instant {
        let notes = self.notes.get(zone);
        match notes.and_then(|notes| notes.waits_for_ds) {
            Some(every) => now + every,
            None => now + LOOK_EVERY * 3 / 4 + share(zone, LOOK_EVERY / 2),
        }
    }
    /// When the parent of a zone is told next. One that was not looked at yet is so first.
    pub(super) fn next_tell(&self, zone: &Name, now: Instant) -> Instant {
        let notes = self.notes.get(zone).filter(|notes| notes.seen.is_some());
        let telling = notes.and_then(|notes| notes.telling.as_ref());
        telling.map_or(now + TELL_AGAIN, |telling| telling.at)
    }
}

/// How often a parent is looked at while something waits for it: as often as it matters beside the time that
/// changes take anyway.
pub(super) fn look_every(propagation_s: u32) -> Duration {
    let [least, most] = LOOK_SOON;
    Duration::from_secs(u64::from(propagation_s / 12).clamp(least, most))
}

/// A part of a time that is always the same for a zone, so that zones do not stay in step.
fn share(zone: &Name, of: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    zone.hash(&mut hasher);
    of * (hasher.finish() % 1_000) as u32 / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::Cause;
    use crate::zone::Delta;

    #[test]
    fn a_parent_is_looked_at_often_while_something_waits_for_it() {
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let zones: Vec<Name> = (0..100).map(|n| format!("z{n}.").parse().unwrap()).collect();
        let mut book = Book::default();
        book.keep(&zones, now);
        assert!(book.looks.next().unwrap() < now + minute);
        let next = |book: &Book, zone| book.next_look(zone, now) - now;
        let all: HashSet<Duration> = zones.iter().map(|zone| next(&book, zone)).collect();
        assert!(all.len() > 50, "they do not stay in step");
        assert!(all.iter().all(|wait| (30 * minute..=50 * minute).contains(wait)));
        let notes = book.notes.get_mut(&zones[0]).unwrap();
        assert!(notes.wait_for_ds(Some(look_every(3_600)), Cds::Delete, minute, now));
        assert!(!notes.wait_for_ds(Some(look_every(3_600)), Cds::Delete, minute, now));
        assert_eq!(next(&book, &zones[0]), 5 * minute);
        assert_eq!([0, 60, 86_400].map(|it| look_every(it).as_secs()), [2, 5, 300]);
    }

    #[test]
    fn a_version_that_people_made_has_its_turn_soon() {
        let (now, hour) = (Instant::now(), Duration::from_secs(3_600));
        let zone: Name = "a.".parse().unwrap();
        let mut book = Book::default();
        book.keep(std::slice::from_ref(&zone), now);
        let mut see = |serial, now| {
            book.see(&[(zone.clone(), serial)], now);
            let is_due = book.turns.take(now).is_some();
            book.turns.done(&zone, now + hour, now);
            is_due
        };
        assert!(see(Some(1), now));
        assert!(!see(Some(1), now + hour / 2));
        assert!(see(Some(2), now + hour / 2));
    }

    #[test]
    fn a_version_of_the_signer_s_own_is_no_reason_for_another_turn() {
        let (now, hour) = (Instant::now(), Duration::from_secs(3_600));
        let zone: Name = "a.".parse().unwrap();
        let mut book = Book::default();
        book.keep(std::slice::from_ref(&zone), now);
        book.see(&[(zone.clone(), Some(1))], now);
        // A turn makes a version of another one; then it is seen which is served.
        let mut is_due = |from, to| {
            book.turns.take(now + hour).unwrap();
            book.notes.get_mut(&zone).unwrap().made(&Change {
                zone: zone.clone(),
                from: Some(from),
                to,
                delta: Delta::default(),
                cause: Cause::renewal(),
                who: "gapura".to_owned(),
                at_ms: 0,
            });
            book.turns.done(&zone, now + hour, now);
            book.see(&[(zone.clone(), Some(to))], now);
            book.turns.next() == Some(now)
        };
        assert!(!is_due(1, 2) && !is_due(2, 3));
        assert!(is_due(4, 5), "people made 4");
        assert!(!is_due(5, 6));
    }

    #[test]
    fn a_parent_is_told_of_each_new_wish_and_again_as_long_as_it_is_not_done() {
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let mut notes = Notes::default();
        let mut want = |cds, now| {
            notes.wait_for_ds(Some(minute), cds, minute, now);
            let telling = notes.telling.as_mut().unwrap();
            (telling.at, telling.tries)
        };
        assert_eq!(want(Cds::Delete, now), (now + minute, 0));
        assert_eq!(want(Cds::Delete, now + minute), (now + minute, 0), "once for all");
        assert_eq!(want(Cds::Keys(Vec::new()), now), (now + minute, 0));
        let mut waits = Vec::new();
        for _ in 0..12 {
            let telling = notes.telling.as_mut().unwrap();
            telling.told(false, now);
            waits.push((telling.at - now).as_secs());
        }
        assert_eq!((waits[0], waits[1], waits[11]), (60, 120, 86_400));
        notes.telling.as_mut().unwrap().told(true, now);
        assert_eq!(notes.telling.as_ref().unwrap().at, now + TELL_AGAIN);
        notes.wait_for_ds(None, Cds::Delete, minute, now);
        assert!(notes.telling.is_none());
    }
}
