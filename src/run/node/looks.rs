//! Whether the node that publishes lives: looks at its beat, counted.

use crate::store::nodes::Seat;

/// Looks at the same beat after which the publisher is dead.
const LOOKS: u32 = 6;
/// Looks at a lock that nobody holds: a publisher whose database was away takes it back with its next beat.
const LOOKS_AT_FREE: u32 = 3;

/// Counts looks at a beat.
#[derive(Default)]
pub(super) struct Watch {
    /// The last beat.
    beat_ms: i64,
    /// How often it was seen again.
    looks: u32,
    /// How often the lock was free.
    free: u32,
}

/// What a look says of the publisher.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// It lives, as far as is known.
    Lives,
    /// Nobody has the lock.
    Free,
    /// It has the lock and does not beat.
    Dead,
}

impl Watch {
    /// Judges a look; none failed.
    pub(super) fn judge(&mut self, seat: Option<&Seat>, is_quick: bool) -> Verdict {
        let Some(seat) = seat else {
            *self = Self::default();
            return Verdict::Lives;
        };
        if !seat.is_held {
            (self.looks, self.free) = (0, self.free + 1);
            return if self.free < LOOKS_AT_FREE { Verdict::Lives } else { Verdict::Free };
        }
        self.free = 0;
        if seat.beat_ms != self.beat_ms || !is_quick {
            (self.beat_ms, self.looks) = (seat.beat_ms, 0);
            return Verdict::Lives;
        }
        self.looks += 1;
        if self.looks < LOOKS {
            return Verdict::Lives;
        }
        self.looks = 0;
        Verdict::Dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A seat that is held.
    fn held(beat_ms: i64) -> Seat {
        Seat { publishing: None, beat_ms, is_held: true }
    }

    #[test]
    fn a_publisher_is_dead_after_six_looks_at_the_same_beat() {
        let mut watch = Watch::default();
        assert_eq!(watch.judge(Some(&held(7)), true), Verdict::Lives);
        for _ in 1..LOOKS {
            assert_eq!(watch.judge(Some(&held(7)), true), Verdict::Lives);
        }
        assert_eq!(watch.judge(Some(&held(7)), true), Verdict::Dead);
        // A clock that was set back is a beat all the same.
        assert_eq!(watch.judge(Some(&held(3)), true), Verdict::Lives);
    }

    #[test]
    fn a_lock_is_free_if_nobody_takes_it_back() {
        let mut watch = Watch::default();
        let free = Seat { is_held: false, ..held(3) };
        for _ in 1..LOOKS_AT_FREE {
            assert_eq!(watch.judge(Some(&free), true), Verdict::Lives);
        }
        assert_eq!(watch.judge(Some(&held(3)), true), Verdict::Lives);
        for _ in 1..LOOKS_AT_FREE {
            assert_eq!(watch.judge(Some(&free), true), Verdict::Lives);
        }
        assert_eq!(watch.judge(Some(&free), true), Verdict::Free);
    }

    #[test]
    fn a_database_that_stands_still_does_not_make_a_publisher_dead() {
        let mut watch = Watch::default();
        for turn in 0..10 * LOOKS {
            let (seat, is_quick) = (held(7), !turn.is_multiple_of(LOOKS));
            let seat = (turn % 4 != 3).then_some(&seat);
            assert_eq!(watch.judge(seat, is_quick), Verdict::Lives, "{turn}");
        }
    }
}
