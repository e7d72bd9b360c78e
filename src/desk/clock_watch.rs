//! Whether the clock can be right (docs/procedure.md, "Clocks").
//!
//! Some things are done by time alone and cannot be undone: letters and contacts are erased, unanswered
//! corrections expire, names end, quarantines are over, scheduled names go up. A machine that starts
//! with a dead clock battery, or whose clock was set wrong by hand, would do all of them at once. So the
//! last time that was believed is kept. A clock far from it is doubted, and those things wait, until
//! gapura has run with that clock for a quarter of the difference, seven days at most, or an administrator
//! says that it is right (`gapura ctl clock`).

use std::sync::PoisonError;
use std::time::Duration;

use super::{ActError, Desk};
use crate::audit::{NewEvent, append};
use crate::queue::time::{DAY_MS, MINUTE_MS};
use crate::store::StoreError;
use crate::store::clock::ClockRow;
use crate::view::rfc3339;

/// How long gapura may have been off without a doubt about the clock, in milliseconds.
const AHEAD_MAX_MS: i64 = 2 * DAY_MS;
/// How far back a clock may be corrected without a doubt, in milliseconds.
const BEHIND_MAX_MS: i64 = 10 * MINUTE_MS;
/// The longest doubt, in milliseconds of running.
const DOUBT_MAX_MS: i64 = 7 * DAY_MS;
/// How often the row is written while nothing changes, in milliseconds.
const WRITTEN_EVERY_MS: i64 = 5 * MINUTE_MS;
/// The subject of the event that ends a doubt.
const CLOCK: &str = "settings:clock";

/// What the watch knows between two turns.
#[derive(Default)]
pub(super) struct ClockWatch {
    /// The row as it is now; none before the first turn.
    now: Option<ClockRow>,
    /// The row as it was written last.
    written: Option<ClockRow>,
}

/// A clock that cannot be believed yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Doubt {
    /// What the clock says (epoch ms).
    pub now_ms: i64,
    /// The last time that was believed (epoch ms).
    pub believed_ms: i64,
    /// How much longer gapura has to run with this clock, in milliseconds.
    pub left_ms: i64,
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (now, last) = (rfc3339(self.now_ms), rfc3339(self.believed_ms));
        let hours = self.left_ms / (60 * MINUTE_MS) + 1;
        write!(
            f,
            "the clock says {now}, and the last time gapura was sure of is {last}: nothing is erased, ended or \
             released by time. If the clock is wrong, correct it; if it is right, run `gapura ctl clock`, or \
             wait {hours} h"
        )
    }
}

impl Desk {
    /// One turn of the timers, `ran` after the turn before by a clock that nobody sets: everything that
    /// is due, but for what waits while the clock is doubted. Returns whether the clock is believed.
    pub fn turn(&self, ran: Duration) -> Result<bool, ActError> {
        let before = self.clock_doubt();
        let doubt = self.watch_clock(ran)?;
        match (&before, &doubt) {
            (None, Some(doubt)) => tracing::error!("{doubt}"),
            (Some(_), None) => tracing::info!("the clock is believed again"),
            _ => {}
        }
        self.do_what_is_due(doubt.is_none())?;
        Ok(doubt.is_none())
    }

    /// The doubt about the clock, if there is one.
    pub fn clock_doubt(&self) -> Option<Doubt> {
        let watch = self.0.clock_watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.now.and_then(|row| doubt(&row))
    }

    /// Ends a doubt: an administrator on the machine says that the clock is right.
    pub fn believe_clock(&self) -> Result<(), ActError> {
        let row = believed(self.now());
        let mut watch = self.0.clock_watch.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.ledger.store.write::<_, ActError>(|tx| {
            let event = NewEvent::new(self.now(), "console", "admin", "clock_confirmed", CLOCK);
            append(tx, event)?;
            Ok(tx.put_clock(&row)?)
        })?;
        (watch.now, watch.written) = (Some(row), Some(row));
        Ok(())
    }

    /// Brings the watch up to now, and keeps what has changed.
    fn watch_clock(&self, ran: Duration) -> Result<Option<Doubt>, ActError> {
        let now = self.now();
        let mut watch = self.0.clock_watch.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match watch.now {
            Some(row) => row,
            None => self.clock_at_start(now)?,
        };
        let row = judge(known, now, i64::try_from(ran.as_millis()).unwrap_or(i64::MAX));
        watch.now = Some(row);
        let is_due = watch.written.is_none_or(|written| {
            written.doubted_ms.is_some() != row.doubted_ms.is_some()
                || (row.believed_ms - written.believed_ms).abs() >= WRITTEN_EVERY_MS
                || (row.agreed_ms - written.agreed_ms).abs() >= WRITTEN_EVERY_MS
        });
        if is_due {
            self.0.ledger.store.write::<_, StoreError>(|tx| tx.put_clock(&row))?;
            watch.written = Some(row);
        }
        Ok(doubt(&row))
    }

    /// The row of the last run; in a database without one, the time of its last event was believed.
    fn clock_at_start(&self, now: i64) -> Result<ClockRow, ActError> {
        self.read(|reader| {
            if let Some(row) = reader.clock()? {
                return Ok(row);
            }
            let last = reader.chain_head()?.map_or(0, |(sequence, _)| sequence);
            let event = reader.events_after(last - 1, 1)?.pop();
            Ok(believed(event.map_or(now, |event| event.at_ms)))
        })
    }
}

/// The row of a clock that is believed.
fn believed(now: i64) -> ClockRow {
    ClockRow { id: 1, believed_ms: now, doubted_ms: None, agreed_ms: 0 }
}

/// Whether a clock may have gone from one time to the other while gapura was off or asleep.
fn can_follow(now: i64, last: i64) -> bool {
    (-BEHIND_MAX_MS..=AHEAD_MAX_MS).contains(&now.saturating_sub(last))
}

/// The next row. A doubted clock that jumps again starts anew.
fn judge(row: ClockRow, now: i64, ran_ms: i64) -> ClockRow {
    if can_follow(now, row.believed_ms) {
        return believed(now);
    }
    let goes_on = row.doubted_ms.is_some_and(|last| can_follow(now, last));
    let agreed_ms = if goes_on { row.agreed_ms.saturating_add(ran_ms) } else { 0 };
    let next = ClockRow { doubted_ms: Some(now), agreed_ms, ..row };
    if doubt(&next).is_some() { next } else { believed(now) }
}

/// The doubt that a row stands for.
fn doubt(row: &ClockRow) -> Option<Doubt> {
    let now_ms = row.doubted_ms?;
    let difference = now_ms.saturating_sub(row.believed_ms).saturating_abs();
    let left_ms = (difference / 4).min(DOUBT_MAX_MS) - row.agreed_ms;
    (left_ms > 0).then_some(Doubt { now_ms, believed_ms: row.believed_ms, left_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time of the last believed turn.
    const LAST: i64 = 1_795_500_000_000;

    #[test]
    fn a_clock_that_goes_on_is_believed_and_a_jump_is_not() {
        let row = believed(LAST);
        for later in [0, 5_000, AHEAD_MAX_MS, -BEHIND_MAX_MS] {
            assert_eq!(judge(row, LAST + later, 5_000), believed(LAST + later));
        }
        for later in [AHEAD_MAX_MS + 1, 3_650 * DAY_MS, -BEHIND_MAX_MS - 1, -LAST] {
            let jumped = judge(row, LAST + later, 5_000);
            assert_eq!((jumped.believed_ms, jumped.agreed_ms), (LAST, 0));
            assert!(doubt(&jumped).is_some());
            assert_eq!(judge(jumped, LAST + 60_000, 5_000), believed(LAST + 60_000), "corrected");
        }
    }

    #[test]
    fn a_doubt_ends_after_a_quarter_of_the_difference_in_running_time() {
        for (days, wait_days) in [(4, 1), (28, 7), (3_650, 7)] {
            let jump = LAST + days * DAY_MS;
            let mut row = judge(believed(LAST), jump, 0);
            let mut ran = 0;
            while let Some(left) = doubt(&row) {
                assert!(left.left_ms <= wait_days * DAY_MS + ran);
                ran += 60 * MINUTE_MS;
                row = judge(row, jump + ran, 60 * MINUTE_MS);
            }
            let wanted = wait_days * DAY_MS;
            assert!((wanted..=wanted + DAY_MS / 2).contains(&ran), "{days}: {ran}");
            assert_eq!(row.believed_ms, jump + ran);
        }
        // Time that only passed by the clock does not count, nor does a clock that jumps again.
        let jumped = judge(believed(LAST), LAST + 400 * DAY_MS, 0);
        let off = judge(jumped, LAST + 401 * DAY_MS, 5_000);
        assert_eq!(off.agreed_ms, 5_000);
        assert_eq!(judge(off, LAST + 800 * DAY_MS, 5_000).agreed_ms, 0);
    }
}
