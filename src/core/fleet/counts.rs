//! What was counted of other name servers and of what came from them, for metrics.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use crate::lock::lock;
use crate::wire::Name;

/// Counters by the name of the other server; who has none in the settings counts under one name. What comes in
/// counts by zone.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// NOTIFYs sent, by secondary and result.
    notified: Mutex<BTreeMap<(String, &'static str), u64>>,
    /// Transfers sent, by secondary, kind and result.
    transferred: Mutex<BTreeMap<(String, &'static str, &'static str), u64>>,
    /// Transfers that were asked for, by zone, kind and result.
    came: Mutex<BTreeMap<(Name, &'static str, &'static str), u64>>,
}

impl Counts {
    /// Counts a NOTIFY that was sent: `answered`, `refused` or `unanswered`.
    pub(super) fn notified(&self, peer: &str, result: &'static str) {
        *lock(&self.notified).entry((peer.to_owned(), result)).or_default() += 1;
    }

    /// Counts a transfer that was sent: its kind, and `whole` or `broken`.
    pub(super) fn transferred(&self, peer: &str, kind: &'static str, result: &'static str) {
        *lock(&self.transferred).entry((peer.to_owned(), kind, result)).or_default() += 1;
    }

    /// Counts a transfer that was asked for: its kind, and `published`, `unchanged`, `refused` or `broken`.
    pub(super) fn came(&self, zone: &Name, kind: &'static str, result: &'static str) {
        *lock(&self.came).entry((zone.clone(), kind, result)).or_default() += 1;
    }

    /// Forgets what came of zones that are gone: members of catalogs come and go without end.
    pub(super) fn keep_only(&self, zones: &[Name]) {
        let zones: HashSet<&Name> = zones.iter().collect();
        lock(&self.came).retain(|(zone, ..), _| zones.contains(zone));
    }

    /// Transfers that were asked for, by zone, kind and result.
    pub(super) fn transfers_in(&self) -> Vec<(Name, &'static str, &'static str, u64)> {
        let counts = lock(&self.came);
        let of = |((zone, kind, result), count): (&(Name, &'static str, &'static str), &u64)| {
            (zone.clone(), *kind, *result, *count)
        };
        counts.iter().map(of).collect()
    }

    /// Transfers sent, by secondary, kind and result.
    pub(super) fn transfers(&self) -> Vec<(String, &'static str, &'static str, u64)> {
        let counts = lock(&self.transferred);
        let of = |((peer, kind, result), count): (&(String, &'static str, &'static str), &u64)| {
            (peer.clone(), *kind, *result, *count)
        };
        counts.iter().map(of).collect()
    }

    /// NOTIFYs sent, by secondary and result.
    pub(super) fn notifies(&self) -> Vec<(String, &'static str, u64)> {
        let counts = lock(&self.notified);
        counts.iter().map(|((peer, result), count)| (peer.clone(), *result, *count)).collect()
    }
}
