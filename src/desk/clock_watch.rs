//! Whether the clock can be right (docs/procedure.md, "Clocks").
//!
//! Some things are done by time alone and cannot be undone: letters and contacts are erased, unanswered
//! corrections expire, names end, quarantines are over, scheduled names go up. A machine that starts
//! with a dead clock battery, or whose clock was set wrong by hand, would do all of them at once. So the
//! last time that was believed is kept. A clock far from it is doubted by the rule of `store::clock`, and
//! those things wait, until gapura has run with it for long enough or an administrator says that it is
//! right (`gapura ctl clock`).

use std::sync::MutexGuard;
use std::time::Duration;

use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::lock::lock;
use crate::queue::Deed;
use crate::store::clock::ClockRow;
use crate::store::clock_watch::{ClockWatch, Doubt};

/// The subject of the event that ends a doubt.
const CLOCK: &str = "settings:clock";

impl Desk {
    /// One turn of the timers, `ran` after the turn before by a clock that nobody sets: everything that
    /// is due, but for what waits while the clock is doubted.
    pub fn turn(&self, ran: Duration) -> Result<(), ActError> {
        let (store, words) = (&self.0.ledger.store, ToString::to_string);
        self.clock_watch().turn(store, self.now(), ran, words)?;
        self.do_what_is_due(self.clock_doubt().is_none())
    }

    /// The doubt about the clock, if there is one.
    pub fn clock_doubt(&self) -> Option<Doubt> {
        self.clock_watch().doubt()
    }

    /// Whether the clock was judged since the start, and is believed.
    pub fn clock_is_believed(&self) -> bool {
        let watch = self.clock_watch();
        watch.has_turned() && watch.doubt().is_none()
    }

    /// Ends a doubt: an administrator on the machine says that the clock is right.
    pub fn believe_clock(&self) -> Result<(), ActError> {
        let row = ClockRow::believed(self.now());
        let mut watch = self.clock_watch();
        let ledger = &self.0.ledger;
        ledger.store.write::<_, ActError>(|tx| {
            let event =
                NewEvent::new(row.believed_ms, "console", "admin", Deed::ClockConfirmed, CLOCK);
            ledger.note(tx, event)?;
            Ok(tx.put_clock(&row)?)
        })?;
        watch.confirmed(row);
        Ok(())
    }

    /// What is known of the clock.
    fn clock_watch(&self) -> MutexGuard<'_, ClockWatch> {
        lock(&self.0.clock_watch)
    }
}
