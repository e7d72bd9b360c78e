//! Condenses successive changes into one: what one adds and a later one removes is not in it.

use std::collections::HashMap;

use crate::store::StoreError;
use crate::store::journal::DeltaBlobs;
use crate::store::records::decode;
use crate::wire::{Class, Name, Record, RecordRef, Rtype};
use crate::zone::Delta;

/// Changes one after the other, of which only what is left in the end is kept.
#[derive(Default)]
pub(super) struct Net(HashMap<Key, bool>);

/// A record: the owner, the type, the TTL and the RDATA.
#[derive(Eq, Hash, PartialEq)]
struct Key(Name, Rtype, u32, Box<[u8]>);

impl Net {
    /// Two changes as one.
    pub(super) fn of(first: &Delta, then: &Delta) -> Delta {
        let mut net = Self::default();
        net.add(first);
        net.add(then);
        net.into_delta()
    }

    /// Adds a change behind those so far.
    pub(super) fn add(&mut self, delta: &Delta) {
        delta.removed.iter().for_each(|record| self.note(record.as_ref(), false));
        delta.added.iter().for_each(|record| self.note(record.as_ref(), true));
    }

    /// Adds the way back of a change.
    pub(super) fn add_backwards(&mut self, delta: &Delta) {
        delta.added.iter().for_each(|record| self.note(record.as_ref(), false));
        delta.removed.iter().for_each(|record| self.note(record.as_ref(), true));
    }

    /// Adds a change as the journal has it.
    pub(super) fn add_stored(&mut self, blobs: &DeltaBlobs) -> Result<(), StoreError> {
        decode(&blobs.removed, |record| self.note(record, false))?;
        decode(&blobs.added, |record| self.note(record, true))
    }

    /// Notes that a record was added or removed; that it was removed or added before takes itself away with
    /// it.
    fn note(&mut self, record: RecordRef<'_>, added: bool) {
        let RecordRef { owner, rtype, ttl, rdata, .. } = record;
        let key = Key(owner.to_name(), rtype, ttl, rdata.into());
        if self.0.get(&key) == Some(&!added) {
            self.0.remove(&key);
        } else {
            self.0.insert(key, added);
        }
    }

    /// What is left, in an order of its own that is always the same.
    pub(super) fn into_delta(self) -> Delta {
        let mut delta = Delta::default();
        let mut left: Vec<(Key, bool)> = self.0.into_iter().collect();
        left.sort_unstable_by(|(a, _), (b, _)| (&a.0, a.1, a.2, &a.3).cmp(&(&b.0, b.1, b.2, &b.3)));
        for (Key(owner, rtype, ttl, rdata), added) in left {
            let record = Record { owner, rtype, class: Class::IN, ttl, rdata };
            if added { delta.added.push(record) } else { delta.removed.push(record) }
        }
        delta
    }
}
