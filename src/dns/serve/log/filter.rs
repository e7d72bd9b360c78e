//! Which queries are logged: sampling, a rate, and a filter.

use crate::serve::acl::Network;
use crate::serve::query_log::Entry;
use crate::wire::{Name, Rcode};

/// Which queries are logged; all, unless something is set.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One query in this many is logged; 0 and 1: all.
    pub sample: u32,
    /// At most this many per second and worker; 0: no limit.
    pub per_second: u32,
    /// Only names at or below these; empty: all.
    pub zones: Vec<Name>,
    /// Only these response codes; empty: all.
    pub rcodes: Vec<Rcode>,
    /// Only clients of these networks; empty: all.
    pub clients: Vec<Network>,
}

impl Filter {
    /// Whether the entry is one of those wanted, sampling aside.
    fn wants(&self, entry: &Entry<'_>) -> bool {
        let name = entry.qname;
        let at_or_below = |zone: &Name| name.is_some_and(|n| n.is_at_or_below(zone.as_ref()));
        (self.zones.is_empty() || self.zones.iter().any(at_or_below))
            && (self.rcodes.is_empty() || self.rcodes.contains(&entry.facts.rcode))
            && (self.clients.is_empty() || self.clients.iter().any(|n| n.contains(entry.client)))
    }
}

/// What a worker has let through so far.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    /// Queries since the last sample.
    skipped: u32,
    /// The second that `this_second` counts.
    second: u64,
    /// Entries of that second.
    this_second: u32,
}

impl Sieve {
    /// Whether the next query belongs to the sample.
    #[inline]
    pub(super) fn samples(&mut self, filter: &Filter) -> bool {
        self.skipped += 1;
        if self.skipped < filter.sample {
            return false;
        }
        self.skipped = 0;
        true
    }

    /// Whether a query of the sample is logged.
    pub(super) fn passes(&mut self, filter: &Filter, entry: &Entry<'_>) -> bool {
        if !filter.wants(entry) {
            return false;
        }
        if filter.per_second == 0 {
            return true;
        }
        let second = entry.microseconds / 1_000_000;
        if second != self.second {
            (self.second, self.this_second) = (second, 0);
        }
        self.this_second = self.this_second.saturating_add(1);
        self.this_second <= filter.per_second
    }
}
