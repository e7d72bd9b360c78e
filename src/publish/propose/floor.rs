//! The floor of a zone's serials: what an operator knows to have been given out, and the database does
//! not.

use std::path::Path;

use crate::publish::door::{self, Held, Next, Proposal};
use crate::publish::state::serial::is_ahead;
use crate::publish::state::{Cause, Change, Job, PublishError, Publisher, zonemd};
use crate::wire::Name;
use crate::zone::{ApplyError, Delta, Zone};

impl Publisher {
    /// Raises the serials of a zone above `floor`, which was given out before, and publishes the zone as it
    /// is under the next one, so that secondaries take it. One that was signed elsewhere keeps its
    /// serial; its next file must have a higher one. None if all serials are above `floor` already.
    pub fn raise_floor(
        &self,
        zone: &Name,
        floor: u32,
        who: &str,
    ) -> Result<Option<Change>, PublishError> {
        let slot = self.0.slot(zone)?;
        let mut held = Held::new(&slot);
        let not_loaded = || PublishError::NotLoaded(zone.clone());
        let live = held.state.zone.clone().ok_or_else(not_loaded)?;
        let newest = held.state.row.as_ref().ok_or_else(not_loaded)?.high_water;
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
    pub fn raise_floor_at(state_dir: &Path, zone: &Name, floor: u32) -> Result<bool, PublishError> {
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

/// The same zone for another serial: without a ZONEMD, which would not hold for it.
pub(crate) fn renumbered(live: &Zone) -> Result<Next, ApplyError> {
    let content = Delta { removed: zonemd(live), added: Vec::new() };
    Ok(Next::Edited { zone: live.apply(&content)?, content })
}
