//! Whether the clock was set. What was noted by it before says nothing of how much time has passed, so the waits of
//! rollovers begin again.
//!
//! That it was set shows against a clock that nobody sets. Over a restart there is none: then only a jump that is
//! large enough for a doubt shows, once that is over (`store::clock`).

use std::time::Instant;

use super::book::{Book, Notes};
use super::handle::Inner;
use super::turn::Halt;
use crate::rollover::KeySet;
use crate::wire::Name;

/// How far a clock may be corrected at once, in seconds: propagation times have room for that.
const CORRECTED_MAX_S: u64 = 600;

/// What both clocks said last: the one that nobody sets, and the one that tells the time since 1970.
#[derive(Debug, Default)]
pub(super) struct Pace(Option<(Instant, u64)>);

impl Pace {
    /// Takes note of what they say now; whether the clock was set since.
    fn was_set(&mut self, ran: Instant, now: u64) -> bool {
        let last = self.0.replace((ran, now));
        last.is_some_and(|(last_ran, last)| {
            let passed = ran.saturating_duration_since(last_ran).as_secs();
            last.saturating_add(passed).abs_diff(now) > CORRECTED_MAX_S
        })
    }
}

impl Book {
    /// The clock was set, or somebody says that it is right now: all zones and their parents are looked after soon.
    pub(super) fn clock_was_set(&mut self, now: Instant) {
        self.has_doubts = true;
        self.notes.values_mut().for_each(Notes::clock_was_set);
        self.turns.hurry_all(now);
        self.looks.hurry_all(now);
    }
}

impl Notes {
    /// What was noted by the clock counts no more.
    fn clock_was_set(&mut self) {
        self.waits_again = true;
        self.calm = None;
    }
}

impl Inner {
    /// Now, in seconds since 1970, by a clock that is watched.
    pub(super) fn watched_now_s(&self) -> u64 {
        let mut book = self.book();
        let (ran, now) = ((self.ran)(), self.now_s());
        if book.pace.was_set(ran, now) {
            tracing::warn!("the clock was set: the waits of key rollovers begin again");
            book.clock_was_set(Instant::now());
            drop(book);
            self.wake_all();
        }
        now
    }

    /// Takes note that the clock could not be right when a zone had its turn.
    pub(super) fn clock_is_doubted(&self, zone: &Name) {
        let mut book = self.book();
        book.has_doubts = true;
        book.notes.get_mut(zone).into_iter().for_each(Notes::clock_was_set);
    }

    /// Lets the waits of a zone begin again, if the clock was set; whether it did.
    pub(super) fn wait_again(&self, zone: &Name, keys: &KeySet, now: u64) -> Result<bool, Halt> {
        // What is set meanwhile counts for the next time.
        let is_set = self.note(zone, |notes| std::mem::take(&mut notes.waits_again));
        if is_set != Some(true) && keys.touched() <= now {
            return Ok(false);
        }
        let what = "waits begin again: the clock was set";
        let done = self.change(zone, what, |keys, policy| Ok(keys.wait_again(policy, now)));
        if done.is_err() {
            self.note(zone, |notes| notes.waits_again = true);
        }
        done.map(|()| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_clock_that_was_set_is_told_from_time_that_passed() {
        let (begin, hour) = (Instant::now(), 3_600);
        let mut pace = Pace::default();
        let (mut ran, mut now) = (0, 1_795_500_000);
        let mut was_set = |passed: u64, clock: i64| {
            (ran, now) = (ran + passed, now + clock);
            pace.was_set(begin + Duration::from_secs(ran), u64::try_from(now).unwrap())
        };
        assert!(!was_set(0, 0), "the first");
        assert!(!was_set(hour, 3_600) && !was_set(60, 660) && !was_set(60, -500));
        assert!(was_set(60, 661) && was_set(60, 47 * 3_600) && was_set(0, 30 * 3_600));
        assert!(was_set(60, -541) && was_set(hour, -100 * 3_600));
        assert!(!was_set(hour, 3_600), "once for all");
    }
}
