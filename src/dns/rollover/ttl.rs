//! TTLs of which caches may still hold the old value: who lowers a TTL just before a rollover still has to
//! wait for what was fetched with the larger one.
//!
//! No TTL counts for longer than caches hold anything: a mistyped one that was served for seconds would hold up
//! rollovers for decades.

use serde::{Deserialize, Serialize};

use super::policy::Policy;

/// The longest that caches hold what they cannot validate, in seconds: resolvers have bounds of their own, a week
/// at most.
pub(super) const HELD_MAX_S: u32 = 7 * 86_400;

/// The longest that caches hold data of a zone, in seconds: what was validated no longer than its signature is
/// valid (RFC 4035 §5.3.3).
pub(super) fn held_max_s(policy: &Policy) -> u32 {
    policy.lifetime_s.max(HELD_MAX_S)
}

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
    /// Takes note of the value now; says whether that changes what is known. What counted for longer than `most`
    /// does not any more.
    pub(super) fn note(&mut self, ttl: u32, most: u32, propagation_s: u32, now: u64) -> bool {
        let (ttl, was) = (ttl.min(most), self.now);
        let out = |ttl: u32| now + u64::from(ttl) + u64::from(propagation_s);
        let within = |before: Before| Before {
            ttl: before.ttl.min(most),
            until: before.until.min(out(before.ttl.min(most))),
        };
        let kept = self.before.map(within);
        let is_cut = kept != self.before;
        (self.now, self.before) = (self.now.min(most), kept);
        if ttl < self.now {
            let until = out(self.now);
            let ttl = self.before.map_or(self.now, |before| before.ttl.max(self.now));
            let until = self.before.map_or(until, |before| before.until.max(until));
            self.before = Some(Before { ttl, until });
        }
        self.now = ttl;
        if self.before.is_some_and(|before| before.until <= now || before.ttl <= ttl) {
            self.before = None;
        }
        was != ttl || is_cut
    }

    /// Lets a larger value before this one count as if it was lowered now.
    fn wait_again(&mut self, propagation_s: u32, now: u64) {
        if let Some(before) = &mut self.before {
            before.until = now + u64::from(before.ttl) + u64::from(propagation_s);
        }
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

impl Ttls {
    /// Lets larger TTLs before those of now count as if they were lowered now.
    pub(super) fn wait_again(&mut self, propagation_s: u32, now: u64) {
        let all = [&mut self.dnskey, &mut self.zone, &mut self.ds];
        all.into_iter().for_each(|ttl| ttl.wait_again(propagation_s, now));
    }
}
