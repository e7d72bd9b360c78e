//! The floor of a zone's serials: what an operator knows to have been published, but the database does
//! not.

use std::path::Path;

use crate::publish::door::{self, Held, Next, Proposal};
use crate::publish::state::serial::is_ahead;
use crate::publish::state::{Cause, Change, Job, PublishError, Publisher};
use crate::wire::Name;
use crate::zone::{ApplyError, Delta, Zone};

/// How far ahead a floor is believed at once: a year of serials by date (RFC 1912 §2.2).
const STEP_MAX: u32 = 1_000_000;

/// A serial that was given out before.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// The serial.
    pub serial: u32,
    /// Whether somebody said that it is meant, however far ahead.
    pub is_meant: bool,
}

impl From<u32> for Floor {
    fn from(serial: u32) -> Self {
        Self { serial, is_meant: false }
    }
}

impl Floor {
    /// Refuses what looks like a slip, above the newest serial that is known.
    fn check(self, zone: &Name, newest: u32) -> Result<u32, PublishError> {
        let floor = self.serial;
        let is_far = is_ahead(floor, newest) && floor.wrapping_sub(newest) > STEP_MAX;
        if is_far && !self.is_meant {
            return Err(PublishError::FarFloor { zone: zone.clone(), newest, floor });
        }
        Ok(floor)
    }
}

impl Publisher {
    /// Raises the serials of a zone above `floor`, which was given out before, and publishes the zone as it
    /// is under the next one, so that secondaries take it. One that was signed elsewhere keeps its
    /// serial; its next file must have a higher one. None if all serials are above `floor` already.
    pub fn raise_floor(
        &self,
        zone: &Name,
        floor: impl Into<Floor>,
        who: &str,
    ) -> Result<Option<Change>, PublishError> {
        let slot = self.0.slot(zone)?;
        let mut held = Held::new(&slot);
        let not_loaded = || PublishError::NotLoaded(zone.clone());
        let live = held.state.zone.clone().ok_or_else(not_loaded)?;
        let newest = held.state.row.as_ref().ok_or_else(not_loaded)?.high_water;
        if held.state.source.is_secondary() {
            return Err(PublishError::Secondary(zone.clone()));
        }
        let floor = floor.into().check(zone, newest)?;
        if !is_ahead(floor, newest) {
            return Ok(None);
        }
        held.state.burn(floor);
        let next = if live.is_signed() { Next::Same } else { renumbered(&live)? };
        let cause = Cause::Own { purpose: format!("serials above {floor}") };
        let at_ms = (self.0.options.now_ms)();
        let proposal = Proposal::new(Some(live), next, cause, who, at_ms);
        let change = door::publish_one(&self.0, &mut held, proposal)?.change;
        self.0.jobs.send(Job::Mark(zone.clone(), floor));
        Ok(Some(change))
    }

    /// Does the same while no daemon runs, for its next start. Returns whether `floor` was above the serials
    /// that are kept beside the database.
    pub fn raise_floor_at(
        state_dir: &Path,
        zone: &Name,
        floor: impl Into<Floor>,
    ) -> Result<bool, PublishError> {
        let newest = door::read_marks(state_dir).get(zone).copied();
        let floor = floor.into();
        let floor = newest.map_or(Ok(floor.serial), |newest| floor.check(zone, newest))?;
        door::raise_mark_at(state_dir, zone, floor)
    }

    /// The newest serial of a zone that was ever given out.
    pub fn newest_serial(&self, zone: &Name) -> Result<u32, PublishError> {
        let slot = self.0.slot(zone)?;
        let state = Held::new(&slot).state;
        let row = state.row.as_ref().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        Ok(row.high_water)
    }
}

/// The same zone for another serial: without a ZONEMD, which would not hold for it. The door makes one of
/// ours anew.
pub(crate) fn renumbered(live: &Zone) -> Result<Next, ApplyError> {
    let content = Delta { removed: live.zonemd(), added: Vec::new() };
    Ok(Next::Edited { zone: live.apply(&content)?, content })
}
