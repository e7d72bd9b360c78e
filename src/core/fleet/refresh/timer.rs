//! The times of one secondary zone (RFC 1034 §4.3.5, RFC 1035 §3.3.13): a state machine without socket and
//! clock.

use std::time::{Duration, Instant};

use crate::zone::Soa;

/// The shortest REFRESH and RETRY that are kept: a zone that asks for less is not worth a flood.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// The longest.
const INTERVAL_MAX: Duration = Duration::from_secs(86_400);
/// The first wait of a zone that was never transferred, doubled with each failure …
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// … up to this.
const FIRST_WAIT_MAX: Duration = Duration::from_secs(600);
/// Between two tries that NOTIFY asks for; doubled with each failure …
const NOTIFY_GAP: Duration = Duration::from_millis(20);
/// … up to this.
const NOTIFY_GAP_MAX: Duration = Duration::from_secs(30);

/// How soon a try comes again that could not be made a second time in a row, though there seemed to be room for
/// it; doubled with each more …
const POSTPONED: Duration = Duration::from_secs(2);
/// … up to this.
const POSTPONED_MAX: Duration = Duration::from_secs(30);

/// How a try failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    /// No primary was heard, or none has what is wanted.
    Unheard,
    /// What a primary sent cannot be served, or had no end. Asking again as often would be the same transfer again and
    /// again.
    Refused,
}

//------------ Timer ---------------------------------------------------------

/// The times of one zone.
#[derive(Clone, Debug)]
pub(super) struct Timer {
    /// When the next try is due.
    pub(super) due: Instant,
    /// When the zone expires; none: it has, or there is nothing that could.
    pub(super) expires: Option<Instant>,
    /// Whether somebody waits for the try: it goes before those that only time asks for.
    pub(super) is_urgent: bool,
    /// Whether a try is under way.
    is_busy: bool,
    /// When a try began last.
    began: Option<Instant>,
    /// Whether NOTIFY came since.
    again: bool,
    /// Tries that failed in a row.
    failures: u32,
    /// Tries that could not be made, in a row.
    postponements: u32,
}

impl Timer {
    /// A zone to be tried at `due`, that may be served for `left` from now on without.
    pub(super) fn new(now: Instant, due: Instant, left: Option<Duration>) -> Self {
        let expires = left.map(|left| now + left);
        let (is_urgent, is_busy, again) = (false, false, false);
        let (failures, postponements) = (0, 0);
        Self { due, expires, is_urgent, is_busy, began: None, again, failures, postponements }
    }

    /// Whether a try is to begin.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        !self.is_busy && self.due <= now
    }

    /// When something is to be done next; none while a try is under way.
    pub(super) fn next(&self) -> Option<Instant> {
        (!self.is_busy).then_some(self.due)
    }

    /// A try begins.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.is_busy, self.is_urgent, self.again, self.began) = (true, false, false, Some(now));
    }

    /// NOTIFY came, or somebody asks for a try. It does not wait for REFRESH, but a flood of them is not a flood
    /// of tries.
    pub(super) fn hurry(&mut self, now: Instant) {
        if self.is_busy {
            self.again = true;
            return;
        }
        let earliest = self.began.map_or(now, |began| began + self.gap());
        self.due = earliest.max(now).min(self.due);
        self.is_urgent = true;
    }

    /// Nothing is served of the zone, perhaps any more: a try, but no more of them than NOTIFY may ask for.
    pub(super) fn begin_anew(&mut self, now: Instant) {
        self.expires = None;
        self.hurry(now);
    }

    /// Tries at once, whatever was before: a person asks.
    pub(super) fn now(&mut self, now: Instant) {
        (self.due, self.is_urgent, self.again) = (now, true, self.is_busy);
    }

    /// A primary has what we have now. `late` is from 0 to 1.
    pub(super) fn refreshed(&mut self, soa: &Soa, now: Instant, late: f64) {
        (self.failures, self.postponements) = (0, 0);
        let expire = Duration::from_secs(soa.expire.into()).max(INTERVAL_MIN);
        self.expires = Some(now + expire);
        // A zone that expires before it is refreshed would come and go.
        let refresh = seconds(soa.refresh).min((expire / 2).max(INTERVAL_MIN));
        self.end(now, jittered(refresh, late));
    }

    /// A try failed; `soa` is that of the version there is.
    pub(super) fn failed(&mut self, failure: Failure, soa: Option<&Soa>, now: Instant, late: f64) {
        let doublings = self.failures.min(16);
        (self.failures, self.postponements) = (self.failures.saturating_add(1), 0);
        let doubled = |wait: Duration, max: Duration| {
            wait.saturating_mul(2_u32.pow(doublings)).min(max.max(wait))
        };
        let wait = match (soa, failure) {
            (None, _) => doubled(FIRST_WAIT, FIRST_WAIT_MAX),
            (Some(soa), Failure::Unheard) => seconds(soa.retry),
            (Some(soa), Failure::Refused) => doubled(seconds(soa.retry), seconds(soa.refresh)),
        };
        self.end(now, jittered(wait, late));
    }

    /// A try could not be made, for want of room or because others heard nothing a moment ago: no failure. It is
    /// due at once, as it only begins where there is room; where that is untrue again and again it waits.
    pub(super) fn postponed(&mut self, now: Instant, is_urgent: bool) {
        let wait = match self.postponements {
            0 => Duration::ZERO,
            more => POSTPONED.saturating_mul(2_u32.pow((more - 1).min(16))).min(POSTPONED_MAX),
        };
        self.postponements = self.postponements.saturating_add(1);
        self.end(now, wait);
        self.is_urgent |= is_urgent;
    }

    /// A try is over: the next one after `wait`, or sooner if NOTIFY came meanwhile.
    fn end(&mut self, now: Instant, wait: Duration) {
        self.is_busy = false;
        self.due = now + wait;
        if std::mem::take(&mut self.again) {
            (self.due, self.is_urgent) = ((now + self.gap()).min(self.due), true);
        }
    }

    /// The time between two tries that NOTIFY asks for.
    fn gap(&self) -> Duration {
        (NOTIFY_GAP * 2_u32.pow(self.failures.min(11))).min(NOTIFY_GAP_MAX)
    }
}

/// Seconds of an SOA record within bounds.
fn seconds(value: u32) -> Duration {
    Duration::from_secs(value.into()).clamp(INTERVAL_MIN, INTERVAL_MAX)
}

/// A wait shortened by up to a tenth, so that zones with the same times do not stay in step.
fn jittered(wait: Duration, late: f64) -> Duration {
    wait.mul_f64(0.9 + late.clamp(0.0, 1.0) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An SOA record with these times.
    fn soa(refresh: u32, retry: u32, expire: u32) -> Soa {
        Soa { ttl: 60, serial: 1, refresh, retry, expire, minimum: 60 }
    }

    /// Seconds until the next try.
    fn wait(timer: &Timer, now: Instant) -> u64 {
        timer.next().unwrap().duration_since(now).as_secs()
    }

    #[test]
    fn refresh_retry_and_expire_are_kept_within_bounds() {
        let now = Instant::now();
        let mut timer = Timer::new(now, now, None);
        timer.begin(now);
        assert!(!timer.is_due(now) && timer.next().is_none());
        timer.refreshed(&soa(7200, 900, 86_400), now, 1.0);
        assert_eq!((wait(&timer, now), timer.expires), (7200, Some(now + INTERVAL_MAX)));
        timer.failed(Failure::Unheard, Some(&soa(7200, 900, 86_400)), now, 1.0);
        timer.failed(Failure::Unheard, Some(&soa(7200, 900, 86_400)), now, 0.0);
        assert_eq!(wait(&timer, now), 810, "RETRY does not grow; at most a tenth is taken off");
        timer.refreshed(&soa(0, 0, 0), now, 1.0);
        assert_eq!((wait(&timer, now), timer.expires), (1, Some(now + INTERVAL_MIN)));
        timer.refreshed(&soa(u32::MAX, 1, u32::MAX), now, 1.0);
        assert_eq!(wait(&timer, now), 86_400);
        // REFRESH beyond EXPIRE.
        timer.refreshed(&soa(1000, 10, 100), now, 1.0);
        assert_eq!(wait(&timer, now), 50);
    }

    /// Bug class: a transfer that fails is not tried again and again in a tight loop.
    #[test]
    fn failed_transfer_in_a_tight_loop() {
        let now = Instant::now();
        let times = soa(3600, 1, 86_400);
        let mut timer = Timer::new(now, now, None);
        let waits: Vec<u64> = (0..14)
            .map(|_| {
                timer.begin(now);
                // NOTIFY all the while does not change it by much.
                timer.failed(Failure::Refused, Some(&times), now, 1.0);
                wait(&timer, now)
            })
            .collect();
        assert_eq!(waits[..5], [1, 2, 4, 8, 16]);
        assert_eq!(waits[13], 3600, "never slower than REFRESH");
        timer.hurry(now);
        assert_eq!(wait(&timer, now), 30, "NOTIFY hurries, but within reason");
        timer.begin(now);
        timer.hurry(now);
        timer.failed(Failure::Refused, Some(&times), now, 1.0);
        assert_eq!(wait(&timer, now), 30);
        // Never transferred.
        let mut timer = Timer::new(now, now, None);
        for expected in [2, 4, 8] {
            timer.failed(Failure::Unheard, None, now, 1.0);
            assert_eq!(wait(&timer, now), expected);
        }
    }

    /// Bug class: a zone whose primary is always busy comes back at once for ever, and holds a thread.
    #[test]
    fn what_is_postponed_again_and_again_waits() {
        let now = Instant::now();
        let mut timer = Timer::new(now, now, None);
        let mut waits = || {
            timer.begin(now);
            timer.postponed(now, false);
            wait(&timer, now)
        };
        let expected = [0, 2, 4, 8, 16, 30, 30];
        assert_eq!(expected.map(|_| waits()), expected);
        timer.refreshed(&soa(7200, 900, 86_400), now, 1.0);
        timer.begin(now);
        timer.postponed(now, true);
        assert!(timer.is_due(now) && timer.is_urgent, "the first of another row");
    }

    #[test]
    fn notify_hurries_and_a_burst_of_it_is_one_try_more() {
        let now = Instant::now();
        let mut timer = Timer::new(now, now + INTERVAL_MAX, None);
        timer.hurry(now);
        assert!(timer.is_due(now) && timer.is_urgent);
        timer.begin(now);
        (0..100).for_each(|_| timer.hurry(now));
        assert!(!timer.is_due(now));
        timer.refreshed(&soa(7200, 900, 86_400), now, 1.0);
        assert!(timer.is_due(now + NOTIFY_GAP), "one came behind the beginning of the try");
        timer.begin(now);
        timer.refreshed(&soa(7200, 900, 86_400), now, 1.0);
        assert_eq!(wait(&timer, now), 7200);
        timer.hurry(now);
        assert!(!timer.is_due(now) && timer.is_due(now + NOTIFY_GAP));
        timer.now(now);
        assert!(timer.is_due(now));
    }
}
