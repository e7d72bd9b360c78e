//! What was counted of other name servers, for metrics.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::lock::lock;

/// Counters by the name of the other server; who has none in the settings counts under one name.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// NOTIFYs sent, by secondary and result.
    notified: Mutex<BTreeMap<(String, &'static str), u64>>,
    /// Transfers sent, by secondary, kind and result.
    transferred: Mutex<BTreeMap<(String, &'static str, &'static str), u64>>,
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
