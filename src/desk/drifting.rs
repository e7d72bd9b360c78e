//! Watches for drift: promised names that are not served as promised, after a change of a zone.
//!
//! Nothing is repaired. What differs in two consecutive turns is logged, and logged again once it is
//! as promised: a single turn may fall between the commit of a promotion and the end of its read-back.

use std::collections::BTreeSet;

use super::{ActError, Desk};
use crate::lock::lock;
use crate::register::Drift;

/// Items logged per turn; `gapura ctl status` lists all.
const TOLD_MAX: usize = 20;

impl Desk {
    /// What is promised and not served so, in every zone.
    pub fn drift(&self) -> Result<Vec<Drift>, ActError> {
        let mut watched = lock(&self.0.watched);
        self.0.register.look_for_drift(&mut watched.looked)?;
        Ok(watched.looked.found().cloned().collect())
    }

    /// One turn; costs next to nothing while no zone has changed and nothing differs.
    pub(super) fn watch_drift(&self) -> Result<(), ActError> {
        let mut watched = lock(&self.0.watched);
        self.0.register.look_for_drift(&mut watched.looked)?;
        let found: BTreeSet<String> = watched.looked.found().map(ToString::to_string).collect();
        let lasting: BTreeSet<String> = found.intersection(&watched.found).cloned().collect();
        for item in lasting.difference(&watched.told).take(TOLD_MAX) {
            tracing::warn!("not as promised: {item}");
        }
        for item in watched.told.difference(&found).take(TOLD_MAX) {
            tracing::info!("as promised again: {item}");
        }
        (watched.found, watched.told) = (found, lasting);
        Ok(())
    }
}
