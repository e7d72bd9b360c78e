//! Queries by zone, counted by one worker: a table by the hash of the apex, without lock or allocation.
//!
//! Two zones whose hashes are the same count as one: of 64 bits that does not happen. A zone for which there is no
//! place counts with the others. A zone that comes and goes keeps its place until the program ends.

use std::sync::atomic::{AtomicU64, Ordering};

use super::counters::Counter;

/// Places; a power of two.
const PLACES: usize = 4096;
/// Places that are looked at for a zone.
const TRIES: usize = 8;

/// The counts of one worker, which alone may count.
#[derive(Debug)]
pub struct ZoneCounts {
    /// Hash and count of a zone; the hash 0 is no zone.
    places: Box<[(AtomicU64, Counter)]>,
    /// Queries of zones without a place.
    others: Counter,
}

impl Default for ZoneCounts {
    fn default() -> Self {
        let places = (0..PLACES).map(|_| (AtomicU64::new(0), Counter::default())).collect();
        Self { places, others: Counter::default() }
    }
}

impl ZoneCounts {
    /// Counts a query of a zone.
    #[inline]
    pub fn count(&self, hash: u64) {
        let first = (hash >> 32) as usize;
        for at in 0..TRIES {
            // A place outside of the table there is none.
            let Some((zone, count)) = self.places.get((first + at) % PLACES) else { break };
            let found = zone.load(Ordering::Relaxed);
            if found == 0 {
                zone.store(hash, Ordering::Relaxed);
            } else if found != hash {
                continue;
            }
            return count.add(1);
        }
        self.others.add(1);
    }

    /// Calls `see` with each zone that was counted and its count; none: those without a place.
    pub fn each(&self, mut see: impl FnMut(Option<u64>, u64)) {
        for (zone, count) in &self.places {
            match zone.load(Ordering::Relaxed) {
                0 => {}
                hash => see(Some(hash), count.value()),
            }
        }
        see(None, self.others.value());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_query_is_counted_once_also_where_there_is_no_place() {
        let counts = ZoneCounts::default();
        // All of them want the same places.
        for zone in 1..=20 {
            (0..zone).for_each(|_| counts.count(zone));
        }
        counts.count(7 << 32);
        let mut all = HashMap::new();
        counts.each(|zone, count| assert_eq!(all.insert(zone, count), None));
        assert_eq!(all.len(), TRIES + 2);
        assert_eq!((all[&Some(3)], all[&Some(7 << 32)]), (3, 1));
        assert_eq!(all.values().sum::<u64>(), 20 * 21 / 2 + 1);
    }
}
