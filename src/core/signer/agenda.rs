//! What is due for which zone, and when: no clock, no thread, no zone. Finding the next one costs the same
//! for one zone and for ten thousand.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::wire::Name;

/// Between the first turns of zones that come together.
const SPREAD: Duration = Duration::from_millis(5);

//------------ Agenda --------------------------------------------------------

/// One kind of work, for all zones.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// Where each zone is.
    places: HashMap<Name, Place>,
    /// Those that are due at a time.
    due: BTreeSet<(Instant, Name)>,
}

/// Where a zone is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// Due at a time.
    Due(Instant),
    /// Somebody works on it; whether it is due again at once after that.
    Busy(bool),
}

impl Agenda {
    /// Takes note of which zones there are. New ones are due one after the other from now on, each `after` what
    /// is said of it.
    pub(super) fn keep(&mut self, zones: &[Name], now: Instant, after: impl Fn(&Name) -> Duration) {
        let mut new = 0_u32;
        for zone in zones {
            if !self.places.contains_key(zone) {
                self.put(zone, now + after(zone) + SPREAD * new);
                new = new.saturating_add(1);
            }
        }
        if self.places.len() > zones.len() {
            let kept: HashSet<&Name> = zones.iter().collect();
            self.places.retain(|zone, _| kept.contains(zone));
            self.due.retain(|(_, zone)| kept.contains(zone));
        }
    }

    /// Has a zone done at this time, if not sooner. One that is being worked on is due again after that.
    pub(super) fn hurry(&mut self, zone: &Name, at: Instant) {
        match self.places.get_mut(zone) {
            Some(Place::Due(due)) if at < *due => {
                self.due.remove(&(*due, zone.clone()));
                self.put(zone, at);
            }
            Some(Place::Busy(again)) => *again = true,
            Some(Place::Due(_)) | None => {}
        }
    }

    /// Has all zones done soon, one after the other.
    pub(super) fn hurry_all(&mut self, now: Instant) {
        let zones: Vec<Name> = self.places.keys().cloned().collect();
        for (zone, turn) in zones.iter().zip(0_u32..) {
            self.hurry(zone, now + SPREAD * turn);
        }
    }

    /// The zone that has been due for longest, to be worked on from now on.
    pub(super) fn take(&mut self, now: Instant) -> Option<Name> {
        let (at, _) = self.due.first().filter(|(at, _)| *at <= now)?;
        let at = *at;
        let (_, zone) = self.due.pop_first().filter(|(first, _)| *first == at)?;
        self.places.insert(zone.clone(), Place::Busy(false));
        Some(zone)
    }

    /// The work on a zone is done: it is due at this time again, or at once if somebody has hurried it.
    pub(super) fn done(&mut self, zone: &Name, next: Instant, now: Instant) {
        // It may be gone, or may have come back meanwhile.
        if let Some(Place::Busy(again)) = self.places.get(zone) {
            let next = if *again { now } else { next };
            self.put(zone, next);
        }
    }

    /// When the next zone is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Puts a zone at a time.
    fn put(&mut self, zone: &Name, at: Instant) {
        self.places.insert(zone.clone(), Place::Due(at));
        self.due.insert((at, zone.clone()));
    }
}

//------------ Retry ---------------------------------------------------------

/// The wait after the first failure.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// How often something has failed since it last went well.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Failures(u32);

impl Failures {
    /// It failed again: how long to wait.
    pub(super) fn again(&mut self) -> Duration {
        let wait = FIRST_WAIT.saturating_mul(2_u32.pow(self.0.min(16))).min(WAIT_MAX);
        self.0 = self.0.saturating_add(1);
        wait
    }

    /// It went well.
    pub(super) fn over(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names.
    fn names(texts: &[&str]) -> Vec<Name> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn zones_take_turns_and_none_is_worked_on_twice_at_once() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let [a, b] = names(&["a.", "b."]).try_into().unwrap();
        let mut agenda = Agenda::default();
        agenda.keep(
            &[a.clone(), b.clone()],
            now,
            |zone| if *zone == a { second } else { 2 * second },
        );
        assert_eq!((agenda.take(now), agenda.next()), (None, Some(now + second)));
        let later = now + 3 * second;
        assert_eq!((agenda.take(later), agenda.take(later)), (Some(a.clone()), Some(b.clone())));
        assert_eq!((agenda.take(later), agenda.next()), (None, None), "both are being worked on");
        agenda.hurry(&a, later);
        agenda.done(&a, later + 60 * second, later);
        agenda.done(&b, later + 60 * second, later);
        assert_eq!((agenda.take(later), agenda.take(later)), (Some(a.clone()), None));
        agenda.done(&a, later + 90 * second, later);
        assert_eq!(agenda.next(), Some(later + 60 * second));
        agenda.hurry(&a, later + 70 * second);
        agenda.hurry(&a, later + 80 * second);
        assert_eq!(agenda.take(later + 71 * second), Some(b.clone()));
        assert_eq!(agenda.take(later + 71 * second), Some(a.clone()), "sooner, and not later");
    }

    #[test]
    fn zones_come_and_go_also_while_they_are_worked_on() {
        let now = Instant::now();
        let mut agenda = Agenda::default();
        let all = names(&["a.", "b.", "c."]);
        agenda.keep(&all, now, |_| Duration::ZERO);
        let first = agenda.take(now).unwrap();
        assert_eq!(agenda.take(now), None, "those that come together are spread");
        agenda.keep(&all[1..], now, |_| Duration::ZERO);
        agenda.done(&first, now, now);
        let has = |zone| agenda.places.contains_key(zone);
        assert!(!has(&first) && has(&all[1]));
        let later = now + Duration::from_secs(1);
        assert_eq!(std::iter::from_fn(|| agenda.take(later)).count(), 2);
        agenda.keep(&[], now, |_| Duration::ZERO);
        assert!(agenda.is_empty() && agenda.next().is_none());
        agenda.hurry_all(now);
        assert!(agenda.take(later).is_none());
    }

    #[test]
    fn what_fails_is_tried_again_more_and_more_slowly() {
        let mut failures = Failures::default();
        let waits: Vec<u64> = (0..11).map(|_| failures.again().as_secs()).collect();
        assert_eq!((waits[0], waits[1], waits[10]), (10, 20, 3_600));
        failures.over();
        assert_eq!(failures.again().as_secs(), 10);
    }
}
