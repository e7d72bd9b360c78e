//! The waits that are under way begin again: the clock was set, so nobody knows how much time has passed.

use super::key::KeyId;
use super::policy::Policy;
use super::set::KeySet;
use super::stage::Parent;

impl KeySet {
    /// The same set by a clock that was set, so that nobody knows how much time has passed since anything was
    /// noted: every wait that is under way begins again, longer than it must be and never shorter. Nothing counts
    /// as noted in a time to come.
    pub fn wait_again(&self, policy: &Policy, now: u64) -> Self {
        let mut set = self.clone();
        let back = |time: &mut u64| *time = (*time).min(now);
        back(&mut set.touched);
        back(&mut set.entry.since);
        back(&mut set.zone.since);
        set.parent_since = match set.parent {
            Parent::Introducing | Parent::Leaving | Parent::Expiring => now,
            Parent::Wanted | Parent::Secure | Parent::Unsigned => set.parent_since.min(now),
        };
        set.entry_roll.iter_mut().for_each(|roll| roll.since = now);
        set.zone_roll.iter_mut().for_each(|roll| roll.since = now);
        set.algorithm_roll.iter_mut().for_each(|roll| roll.since = now);
        let is_new = set.parent == Parent::Introducing;
        let coming: Vec<KeyId> = set.coming().collect();
        for key in &mut set.keys {
            let from = if is_new || coming.contains(&key.id) { now } else { 0 };
            back(&mut key.since);
            key.published.iter_mut().for_each(|time| *time = (*time).max(from).min(now));
            key.removed.iter_mut().for_each(back);
        }
        set.ttls.wait_again(policy.propagation_s, now);
        set.generation = set.generation.saturating_add(u64::from(set != *self));
        set
    }
}
