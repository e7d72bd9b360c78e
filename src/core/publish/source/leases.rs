//! Secondary zones of a node that follows: they expire as RFC 1035 §3.3.13 has it, by what any node heard of
//! their primaries as far as this one knows, whether the database is there or not.

use super::secondary::unwritten_ms;
use crate::lock::lock;
use crate::publish::door::swap;
use crate::publish::state::{Publisher, ZoneState};
use crate::zone::Entry;

impl Publisher {
    /// Lets secondary zones expire of which no node has heard a primary for too long, as far as is known here, and those
    /// come back of which one was heard since: also while the database is away.
    pub fn look_at_leases(&self) {
        let inner = &*self.0;
        let now_ms = (inner.options.now_ms)();
        for slot in inner.all_slots() {
            let mut state = lock(&slot.state);
            // Under the lock: a primary may be heard at this moment.
            if let Some(entry) = state.expires_or_returns(now_ms) {
                swap(inner, &[], vec![entry]);
            }
        }
    }
}

impl ZoneState {
    /// What is served of a secondary zone from now on, if no primary was heard for too long, or one was heard again. It
    /// goes by this node's clock, and allows for what another node does not write down at once.
    pub(super) fn expires_or_returns(&mut self, now_ms: i64) -> Option<Entry> {
        let zone = self.served().filter(|_| self.source.is_secondary())?;
        let expire_ms = i64::from(zone.soa().expire) * 1000;
        let late_ms = if self.lease.is_own { 0 } else { unwritten_ms(expire_ms) };
        let over_ms = |refreshed_ms: i64| refreshed_ms + expire_ms + late_ms;
        let left_ms = self.lease.refreshed_ms.map_or(expire_ms, |at| over_ms(at) - now_ms);
        self.lease.left.set(u32::try_from(left_ms.clamp(0, expire_ms) / 1000).unwrap_or(u32::MAX));
        let is_expired = left_ms <= 0;
        if is_expired == self.lease.is_expired {
            return None;
        }
        let (apex, zone) = (self.source.apex.clone(), zone.clone());
        self.lease.is_expired = is_expired;
        if is_expired {
            tracing::error!(event = "zone_expired", zone = %apex,
                "expired: no primary was heard for longer than the SOA's EXPIRE; SERVFAIL");
            return Some(Entry::Expired(apex));
        }
        Some(Entry::Loaded(zone))
    }
}
