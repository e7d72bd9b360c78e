//! How many updates a key may send: one key that floods must not take all of the disk, nor bury a zone's history.
//!
//! Time is a parameter.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;
use crate::wire::Name;

/// Updates of a key a second, for long.
const RATE: u32 = 100;
/// Updates of a key at once.
const BURST: u32 = 1_000;

/// What each key has used of its updates. Keys are those of the settings, so they are few.
#[derive(Debug, Default)]
pub(super) struct Paces(Mutex<HashMap<Name, Instant>>);

impl Paces {
    /// Whether a key may send another update now; if so, it counts. Keeps when each key will have its whole burst
    /// again, which every update puts off by its share of a second.
    pub(super) fn allow(&self, key: &Name, now: Instant) -> bool {
        let share = Duration::from_secs(1) / RATE;
        let mut paces = lock(&self.0);
        let rested = paces.get(key).copied().filter(|rested| *rested > now).unwrap_or(now) + share;
        let is_allowed = rested.saturating_duration_since(now) <= share * BURST;
        if is_allowed {
            // Those that have rested are forgotten with their keys.
            paces.retain(|_, rested| *rested > now);
            paces.insert(key.clone(), rested);
        }
        is_allowed
    }

    /// What a key that sends too many is told.
    pub(super) fn too_many() -> String {
        format!("too many updates of this key: {RATE} a second are the most, {BURST} at once")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bug class: one key that floods takes all updates of the others.
    #[test]
    fn a_key_has_its_burst_and_its_rate_and_takes_nothing_from_others() {
        let (paces, now) = (Paces::default(), Instant::now());
        let [one, other] = ["one.", "other."].map(|key| key.parse::<Name>().unwrap());
        let allowed = |key: &Name, at: Instant| {
            (0..3 * BURST).filter(|_| paces.allow(key, at)).count() as u32
        };
        assert_eq!((allowed(&one, now), allowed(&other, now)), (BURST, BURST));
        assert_eq!(allowed(&one, now), 0);
        let second = now + Duration::from_secs(1);
        assert_eq!(allowed(&one, second), RATE, "those that were refused do not count");
        assert_eq!(allowed(&one, second + Duration::from_secs(3_600)), BURST);
        assert_eq!(lock(&paces.0).len(), 1, "the other has rested");
    }
}
