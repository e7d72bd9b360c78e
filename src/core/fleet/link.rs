//! What one secondary is told of one zone, and what is known of it: a state machine without socket and
//! clock.
//!
//! ```text
//! change ─► NOTIFY ─┬─ answered ─► SOA after 20 ms, 50 ms, 100 ms … ─┬─ has the serial ─► SOA every 5 minutes
//!                   │                                               └─ has not ─┐
//!                   └─ no answer ─────────────────────────────────────────────────┴─► NOTIFY again after
//!                                                       1, 2, 4, 8, 16 s, then slowly (RFC 1996 §3.6)
//! ```
//!
//! An answer is no promise: BIND answers a NOTIFY that meets a refresh of its own, and then forgets it.
//! A newer serial takes the place of one that waits. Nothing is given up: a secondary that comes back after a
//! week is told.

use std::time::{Duration, Instant};

use crate::wire::{Rcode, has_reached};

/// Between two NOTIFYs of a zone to one secondary: a burst of changes is told as few.
const GAP: Duration = Duration::from_millis(50);
/// Tries at which the wait doubles; after them it is [`slow`].
const QUICK_TRIES: u32 = 5;
/// The wait after the first try.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait for a response.
const PATIENCE_MAX: Duration = Duration::from_secs(3);
/// How long after an answered NOTIFY the secondary's serial is asked for, and after each answer again.
const LOOKS: [u64; 11] = [20, 30, 50, 100, 300, 500, 1_000, 3_000, 5_000, 10_000, 30_000];
/// How often a secondary that has the serial is looked at.
const PERIOD: Duration = Duration::from_secs(300);
/// The shortest time between two looks at a secondary that does not answer.
const SILENT_GAP: Duration = Duration::from_secs(5);

/// The wait between NOTIFYs that are of no avail so far.
fn slow(tries: u32) -> Duration {
    Duration::from_secs(if tries < 15 { 60 } else { 300 })
}

//------------ Outgoing ------------------------------------------------------

/// What is sent to a secondary.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outgoing {
    /// NOTIFY (RFC 1996).
    Notify,
    /// A question for the SOA record.
    Look,
}

//------------ Link ----------------------------------------------------------

/// One zone at one secondary.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// The serial that it should have: the one that is live.
    pub(super) wanted: u32,
    /// The serial that it answered last; none: it did not, or does not serve the zone.
    pub(super) serial: Option<u32>,
    /// When it last answered, in milliseconds since 1970.
    pub(super) seen: Option<i64>,
    /// Since when it lacks a serial, in milliseconds since 1970; none: it lacks none.
    pub(super) behind_since: Option<i64>,
    /// What went wrong last; none: nothing since it last answered well.
    pub(super) error: Option<String>,
    /// When the next NOTIFY is due; none: it need not be told.
    tell_at: Option<Instant>,
    /// When the next look is due.
    look_at: Instant,
    /// When the last NOTIFY was sent.
    told_at: Option<Instant>,
    /// NOTIFYs sent for the wanted serial.
    tries: u32,
    /// Looks since the last answered NOTIFY.
    looks: usize,
    /// The part of a period by which this link is later than others, in thousandths.
    jitter: u32,
}

impl Link {
    /// A secondary that nothing is known of yet, to be told at `at`.
    pub(super) fn new(wanted: u32, at: Instant, now_ms: i64, jitter: u32) -> Self {
        Self {
            wanted,
            serial: None,
            seen: None,
            behind_since: Some(now_ms),
            error: None,
            tell_at: Some(at),
            look_at: at + PERIOD,
            told_at: None,
            tries: 0,
            looks: 0,
            jitter: jitter % 1000,
        }
    }

    /// Whether it has the wanted serial, as far as is known.
    pub(super) fn has_it(&self) -> bool {
        self.serial.is_some_and(|serial| has_reached(serial, self.wanted))
    }

    /// The next message, and when it is due.
    pub(super) fn next(&self) -> (Instant, Outgoing) {
        match self.tell_at {
            Some(at) if at <= self.look_at => (at, Outgoing::Notify),
            _ => (self.look_at, Outgoing::Look),
        }
    }

    //--- What is wanted

    /// Another serial is live.
    pub(super) fn want(&mut self, serial: u32, now: Instant, now_ms: i64) {
        if serial == self.wanted {
            return;
        }
        self.wanted = serial;
        if !self.has_it() {
            self.behind_since.get_or_insert(now_ms);
        }
        self.tell(now);
    }

    /// Tells it now, whatever was before.
    pub(super) fn tell(&mut self, now: Instant) {
        self.tries = 0;
        let earliest = self.told_at.map_or(now, |last| (last + GAP).max(now));
        self.tell_at = Some(earliest);
        // There is nothing to look for before that.
        self.look_at = self.look_at.max(earliest + FIRST_WAIT);
    }

    //--- What is sent

    /// A message is sent. Returns how long the response may take.
    pub(super) fn sent(&mut self, outgoing: Outgoing, now: Instant) -> Duration {
        match outgoing {
            Outgoing::Notify => {
                let doubled = FIRST_WAIT * 2_u32.pow(self.tries.min(QUICK_TRIES - 1));
                let wait = if self.tries < QUICK_TRIES { doubled } else { slow(self.tries) };
                self.tries = self.tries.saturating_add(1);
                self.told_at = Some(now);
                self.tell_at = Some(now + self.late(wait));
                doubled.min(PATIENCE_MAX)
            }
            Outgoing::Look => {
                self.look_at = now + PERIOD;
                FIRST_WAIT
            }
        }
    }

    //--- What comes back

    /// NOTIFY of this serial was answered.
    pub(super) fn told(&mut self, serial: u32, rcode: Rcode, now: Instant, now_ms: i64) {
        self.seen = Some(now_ms);
        // Who does not know NOTIFY is told by the timers of its SOA record (RFC 1996 §3.12).
        let is_good = matches!(rcode, Rcode::NOERROR | Rcode::NOTIMP);
        if is_good {
            self.error = None;
        } else {
            self.error = Some(format!("it answers NOTIFY with {rcode}"));
        }
        if serial != self.wanted {
            return;
        }
        if !is_good {
            self.tell_at = Some(now + self.late(slow(self.tries)));
        }
        self.looks = 0;
        self.look_at = now + Duration::from_millis(LOOKS[0]);
    }

    /// A look was answered: with a serial, or why there is none.
    pub(super) fn looked(&mut self, found: Result<u32, String>, now: Instant, now_ms: i64) {
        self.seen = Some(now_ms);
        match found {
            Ok(serial) => (self.serial, self.error) = (Some(serial), None),
            Err(why) => (self.serial, self.error) = (None, Some(why)),
        }
        if self.has_it() {
            (self.tell_at, self.behind_since) = (None, None);
            self.look_at = now + self.late(PERIOD);
        } else {
            self.behind_since.get_or_insert(now_ms);
            self.look_at = now + self.until_next_look();
        }
    }

    /// A message came to nothing.
    pub(super) fn failed(&mut self, outgoing: Outgoing, why: String, now: Instant) {
        self.error = Some(why);
        if outgoing == Outgoing::Look {
            self.look_at = now + self.until_next_look().max(SILENT_GAP);
        }
    }

    /// How long until the next look at a secondary that has not the serial yet.
    fn until_next_look(&mut self) -> Duration {
        self.looks += 1;
        let milliseconds = LOOKS.get(self.looks).copied();
        milliseconds.map_or_else(|| self.late(PERIOD), Duration::from_millis)
    }

    /// A wait made a little longer, so that many links do not stay in step.
    fn late(&self, wait: Duration) -> Duration {
        wait + wait * self.jitter / 10_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Drives a link by hand.
    struct Hand {
        link: Link,
        start: Instant,
        now: Instant,
    }

    impl Hand {
        fn new() -> Self {
            let start = Instant::now();
            Self { link: Link::new(10, start, 0, 0), start, now: start }
        }

        /// Goes to the next message and sends it; which, and after how many milliseconds since the start.
        fn send(&mut self) -> (Outgoing, u128) {
            let (at, outgoing) = self.link.next();
            self.now = self.now.max(at);
            let _patience = self.link.sent(outgoing, self.now);
            (outgoing, (self.now - self.start).as_millis())
        }

        /// Sends what is next, a NOTIFY, which is answered.
        fn told(&mut self) {
            assert_eq!(self.send().0, Outgoing::Notify);
            self.link.told(self.link.wanted, Rcode::NOERROR, self.now, 0);
        }
    }

    #[test]
    fn an_unanswered_notify_is_sent_again_with_back_off_and_never_given_up() {
        let mut hand = Hand::new();
        let mut sent = Vec::new();
        while sent.len() < 20 {
            let (outgoing, at) = hand.send();
            if outgoing == Outgoing::Notify {
                sent.push(at / 1000);
            }
            hand.link.failed(outgoing, "no answer".to_owned(), hand.now);
        }
        assert_eq!(sent[..9], [0, 1, 3, 7, 15, 31, 91, 151, 211], "{sent:?}");
        assert_eq!(sent[18] - sent[17], 300, "{sent:?}");
        assert_eq!(hand.link.error.as_deref(), Some("no answer"));
    }

    #[test]
    fn after_an_answer_the_serial_is_looked_at_quickly_then_slowly() {
        let mut hand = Hand::new();
        hand.told();
        for after in [20, 50, 100, 200, 500] {
            assert_eq!(hand.send(), (Outgoing::Look, after));
            hand.link.looked(Ok(9), hand.now, 7);
        }
        assert_eq!((hand.link.serial, hand.link.behind_since), (Some(9), Some(0)));
        hand.link.looked(Ok(10), hand.now, 9);
        assert!(hand.link.has_it() && hand.link.behind_since.is_none());
        assert_eq!(hand.send(), (Outgoing::Look, 500 + 300_000), "nothing more to tell");
    }

    #[test]
    fn a_notify_that_was_answered_and_forgotten_is_sent_again() {
        let mut hand = Hand::new();
        let mut told = Vec::new();
        while told.len() < 7 {
            match hand.send() {
                (Outgoing::Notify, at) => {
                    told.push(at / 1000);
                    hand.link.told(10, Rcode::NOERROR, hand.now, 0);
                }
                (Outgoing::Look, _) => hand.link.looked(Ok(9), hand.now, 0),
            }
        }
        assert_eq!(told, [0, 1, 3, 7, 15, 31, 91]);
    }

    #[test]
    fn a_newer_serial_takes_the_place_of_one_that_waits() {
        let mut hand = Hand::new();
        for _ in 0..4 {
            let (outgoing, _) = hand.send();
            hand.link.failed(outgoing, String::new(), hand.now);
        }
        for serial in 11..40 {
            hand.link.want(serial, hand.now, 0);
        }
        let (at, outgoing) = hand.link.next();
        assert_eq!(
            (at - hand.now, outgoing),
            (GAP, Outgoing::Notify),
            "one for all of them, and soon"
        );
        hand.told();
        // The answer to an older one does not count for the newer.
        hand.link.want(41, hand.now, 0);
        hand.link.told(39, Rcode::NOERROR, hand.now, 0);
        assert_eq!(hand.link.next(), (hand.now + GAP, Outgoing::Notify));
    }

    #[test]
    fn a_secondary_that_has_the_serial_already_is_not_told_again() {
        let mut hand = Hand::new();
        let (outgoing, _) = hand.send();
        hand.link.failed(outgoing, String::new(), hand.now);
        hand.link.looked(Ok(11), hand.now, 0);
        assert_eq!(hand.link.next().1, Outgoing::Look);
    }

    #[test]
    fn who_refuses_notify_is_looked_at_and_told_slowly() {
        let mut hand = Hand::new();
        let _first = hand.send();
        hand.link.told(10, Rcode::NOTAUTH, hand.now, 5);
        assert_eq!(hand.link.error.as_deref(), Some("it answers NOTIFY with NOTAUTH"));
        assert_eq!(hand.link.next().1, Outgoing::Look);
        hand.link.looked(Err("it answers SOA with REFUSED".to_owned()), hand.now, 6);
        assert_eq!((hand.link.serial, hand.link.has_it()), (None, false));
    }
}
