//! Which files put aside are too old, and whether the clock that says so can be right: a machine that starts
//! with a wrong one must not remove all files at once.
//!
//! Files of days in a row show that the clock went on as it should. Before a gap of more than two days it may
//! have jumped, so the files before the gap stay until gapura has logged for a day after it.

use std::time::{Duration, Instant, SystemTime};

/// Two times further apart than this may be of two clocks.
const JUMP: Duration = Duration::from_secs(2 * 86_400);
/// How long a clock has to go on before it is believed.
const DOUBT: Duration = Duration::from_secs(86_400);

/// The watch over the clock.
#[derive(Debug)]
pub(super) struct Ages {
    /// When it was looked at last, by itself and by a clock that nobody sets.
    last: Option<(SystemTime, Instant)>,
    /// Since when it has not jumped.
    since: Instant,
}

impl Default for Ages {
    fn default() -> Self {
        Self { last: None, since: Instant::now() }
    }
}

impl Ages {
    /// From which time on files may be as old as the clock, which says `now`, makes them. `None`: all may.
    /// `written` is when each was.
    pub(super) fn known_from(
        &mut self,
        now: SystemTime,
        written: impl Iterator<Item = SystemTime>,
    ) -> Option<SystemTime> {
        let at = Instant::now();
        let expected = self.last.replace((now, at)).map(|(then, at)| then + at.elapsed());
        if expected.is_some_and(|expected| is_far(expected, now)) {
            self.since = at;
        }
        let mut written: Vec<_> = written.filter(|time| *time <= now).collect();
        written.sort();
        let mut from = now;
        for time in written.into_iter().rev() {
            if is_far(time, from) {
                let went_on = now.duration_since(from).unwrap_or_default();
                let is_doubted = went_on < DOUBT && self.since.elapsed() < DOUBT;
                return is_doubted.then_some(from);
            }
            from = time;
        }
        None
    }
}

/// Whether `later` is so much later that the clock may have jumped in between.
fn is_far(earlier: SystemTime, later: SystemTime) -> bool {
    later.duration_since(earlier).is_ok_and(|gap| gap > JUMP)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From how many days ago on ages are known, for files of these days ago.
    fn known(ages: &mut Ages, now: SystemTime, days: &[u32]) -> Option<u64> {
        let day = Duration::from_secs(86_400);
        let from = ages.known_from(now, days.iter().map(|ago| now - day * *ago));
        from.map(|from| now.duration_since(from).unwrap().as_secs() / day.as_secs())
    }

    #[test]
    fn a_clock_that_jumps_ahead_makes_nothing_old_for_a_day() {
        let now = SystemTime::now();
        let start = |days: &[u32]| known(&mut Ages::default(), now, days);
        assert_eq!((start(&[]), start(&[40, 39, 38, 37, 36]).is_some()), (None, true));
        assert_eq!(start(&[5, 4, 3, 2, 1, 0]), None, "days in a row");
        assert_eq!(start(&[2921, 2920]), Some(0), "eight years ahead");
        assert_eq!(start(&[2921, 2920, 0]), Some(0), "again, with a line of the wrong time");
        assert_eq!(start(&[2921, 2920, 1, 0]), None, "it went on for a day");
        // A jump while it runs, though it has run for long.
        let mut ages = Ages::default();
        let Some(long_ago) = Instant::now().checked_sub(2 * DOUBT) else { return };
        ages.since = long_ago;
        assert_eq!(known(&mut ages, now, &[40]), None);
        assert_eq!(known(&mut ages, now + 1000 * DOUBT, &[1000]), Some(0));
    }
}
