//! What was counted of other name servers, for metrics.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::lock::lock;

/// Counters by the name of the other server; who has none in the settings counts under one name.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// NOTIFYs sent, by secondary and result.
    notified: Mutex<BTreeMap<(String, &'static str), u64>>,
}

impl Counts {
    /// Counts a NOTIFY that was sent: `answered`, `refused` or `unanswered`.
    pub(super) fn notified(&self, peer: &str, result: &'static str) {
        *lock(&self.notified).entry((peer.to_owned(), result)).or_default() += 1;
    }

    /// NOTIFYs sent, by secondary and result.
    pub(super) fn notifies(&self) -> Vec<(String, &'static str, u64)> {
        let counts = lock(&self.notified);
        counts.iter().map(|((peer, result), count)| (peer.clone(), *result, *count)).collect()
    }
}
