//! Whether the clock can be right (docs/procedure.md, "Clocks").
//!
//! Some things are done by time alone and cannot be undone: letters and contacts are erased, unanswered
//! corrections expire, names end, quarantines are over, scheduled names go up. A machine that starts
//! with a dead clock battery, or whose clock was set wrong by hand, would do all of them at once. So the
//! last time that was believed is kept. A clock far from it is doubted by the rule of `store::clock`, and
//! those things wait, until gapura has run with it for long enough or an administrator says that it is
//! right (`gapura ctl clock`).

use std::sync::PoisonError;
use std::time::Duration;

use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::queue::Deed;
use crate::queue::time::MINUTE_MS;
use crate::store::StoreError;
use crate::store::clock::ClockRow;
use crate::view::rfc3339;

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
             released by time, and no serial is made from it. If the clock is wrong, correct it; if it is right, run `gapura ctl clock`, or \
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

    /// Whether the clock was judged since the start, and is believed.
    pub fn clock_is_believed(&self) -> bool {
        let watch = self.0.clock_watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.now.is_some_and(|row| doubt(&row).is_none())
    }

    /// Ends a doubt: an administrator on the machine says that the clock is right.
    pub fn believe_clock(&self) -> Result<(), ActError> {
        let row = ClockRow::believed(self.now());
        let mut watch = self.0.clock_watch.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = &self.0.ledger;
        ledger.store.write::<_, ActError>(|tx| {
            let event =
                NewEvent::new(row.believed_ms, "console", "admin", Deed::ClockConfirmed, CLOCK);
            ledger.note(tx, event)?;
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
        let row = known.turned(now, i64::try_from(ran.as_millis()).unwrap_or(i64::MAX));
        watch.now = Some(row);
        if row.is_worth_writing(watch.written.as_ref()) {
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
            Ok(ClockRow::believed(event.map_or(now, |event| event.at_ms)))
        })
    }
}

/// The doubt that a row stands for.
fn doubt(row: &ClockRow) -> Option<Doubt> {
    let (now_ms, left_ms) = (row.doubted_ms?, row.left_ms()?);
    Some(Doubt { now_ms, believed_ms: row.believed_ms, left_ms })
}
