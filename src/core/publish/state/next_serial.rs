//! The serial that gapura chooses for a zone: by the policy and a trusted clock, above all published
//! ones, and never one that was used before.

use super::serial::plus_one;
use super::{Inner, ZoneState};
use crate::store::clock::ClockRow;
use crate::wire::Name;

impl Inner {
    /// The next serial of a zone that serves `live`.
    pub(crate) fn next_serial(&self, state: &ZoneState, live: u32, now_ms: i64) -> u32 {
        let policy = state.source.serial;
        let high_water = state.row.as_ref().map_or(live, |row| row.high_water);
        let mut serial = policy.next(live, high_water, self.believed_ms(state, now_ms));
        while self.is_used(&state.source.apex, serial) {
            serial = plus_one(serial);
        }
        serial
    }

    /// Whether a serial was given to a version that the journal holds. The circle can be closed: a clock
    /// or a hand that jumps far takes few steps for it.
    pub(crate) fn is_used(&self, zone: &Name, serial: u32) -> bool {
        // A database that does not answer takes no change either.
        self.store.read(|reader| reader.has_serial(zone, serial)).unwrap_or(false)
    }

    /// What the clock says, if serials are made from it and it is believed. A serial out of the far
    /// future could never be taken back.
    pub(crate) fn believed_ms(&self, state: &ZoneState, now_ms: i64) -> Option<i64> {
        if !state.source.serial.follows_clock() {
            return Some(now_ms);
        }
        if self.options.is_stand_in {
            return None;
        }
        // Before anybody has watched the clock, the zone's last change tells the time.
        let changed = || Some(ClockRow::believed(state.row.as_ref()?.changed_ms));
        let known = self.store.read(|reader| reader.clock()).ok()?.or_else(changed);
        known.is_none_or(|known| known.believes(now_ms)).then_some(now_ms)
    }
}
