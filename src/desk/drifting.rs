//! Watches for drift: served names that are not as promised, after a reload or an edit of the database.
//!
//! Nothing is repaired. After a zone has changed, its names are compared with the live records. What
//! differs in two consecutive turns is logged, and logged again once it is as promised: a single turn
//! may fall between the commit of a promotion and the end of its read-back.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use super::memory::Watched;
use super::{ActError, Desk};
use crate::wire::Name;

/// Items logged per turn; `gapura ctl status` lists all.
const TOLD_MAX: usize = 20;

impl Desk {
    /// One turn; costs nothing while no zone has changed and nothing new differs.
    pub(super) fn watch_drift(&self) -> Result<(), ActError> {
        let publisher = self.0.promoter.publisher();
        let serial = |apex: Name| publisher.zone(&apex).map(|zone| (apex, zone.serial()));
        let serials: Vec<(Name, u32)> = publisher.apexes().into_iter().filter_map(serial).collect();
        let mut watched = self.0.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.serials == serials && watched.found == watched.told {
            return Ok(());
        }
        let found: BTreeSet<String> = self.drift()?.iter().map(ToString::to_string).collect();
        let lasting: BTreeSet<String> = found.intersection(&watched.found).cloned().collect();
        for item in lasting.difference(&watched.told).take(TOLD_MAX) {
            tracing::warn!("not as promised: {item}");
        }
        for item in watched.told.difference(&found).take(TOLD_MAX) {
            tracing::info!("as promised again: {item}");
        }
        *watched = Watched { serials, found, told: lasting };
        Ok(())
    }
}
