//! Watches for drift: what a reload, or a hand in the database, made of the names that were promised.
//!
//! Nothing is repaired. After a zone has changed its names are compared with the live records; what
//! differs in two turns running is told in the log, and again when it is as promised. One turn alone
//! may have looked between the commit of a promotion and its settling.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use super::{ActError, Desk};
use crate::wire::Name;

/// Items told in one turn; the rest stands in `gapura ctl status`.
const TOLD_MAX: usize = 20;

/// What was seen in the last turn.
#[derive(Default)]
pub(super) struct Watched {
    /// The serial of each zone when it was compared.
    serials: Vec<(Name, u32)>,
    /// What differed then.
    found: BTreeSet<String>,
    /// What the log knows.
    told: BTreeSet<String>,
}

impl Desk {
    /// One turn; costs nothing while zones stand still and nothing new differs.
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
