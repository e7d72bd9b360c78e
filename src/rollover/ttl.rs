//! TTLs of which caches may still hold the old value: who lowers a TTL just before a rollover still has to
//! wait for what was fetched with the larger one.

use serde::{Deserialize, Serialize};

/// A TTL, and the larger one before it as long as that matters.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Ttl {
    /// The value now.
    now: u32,
    /// A larger one that was in force.
    before: Option<Before>,
}

/// A TTL that was lowered.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Before {
    /// The value.
    ttl: u32,
    /// When caches have run out of what was fetched with it.
    until: u64,
}

impl Ttl {
    /// Takes note of the value now; says whether it is another one.
    pub(super) fn note(&mut self, ttl: u32, propagation_s: u32, now: u64) -> bool {
        let was = self.now;
        if ttl < self.now {
            let until = now + u64::from(self.now) + u64::from(propagation_s);
            let ttl = self.before.map_or(self.now, |before| before.ttl.max(self.now));
            let until = self.before.map_or(until, |before| before.until.max(until));
            self.before = Some(Before { ttl, until });
        }
        self.now = ttl;
        if self.before.is_some_and(|before| before.until <= now || before.ttl <= ttl) {
            self.before = None;
        }
        was != ttl
    }

    /// When caches have run out of what was served until `since`.
    pub(super) fn out(&self, since: u64, propagation_s: u32) -> u64 {
        let after = |ttl: u32| since + u64::from(ttl) + u64::from(propagation_s);
        let larger = self.before.map_or(0, |before| before.until.min(after(before.ttl)));
        after(self.now).max(larger)
    }
}

/// The TTLs that rollovers wait for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Ttls {
    /// Of the DNSKEY RRset.
    pub(super) dnskey: Ttl,
    /// The largest of the zone's data.
    pub(super) zone: Ttl,
    /// Of the DS at the parent.
    pub(super) ds: Ttl,
}
