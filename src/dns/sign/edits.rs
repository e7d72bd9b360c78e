//! What a name is to own against what it owns, as a delta with no record more than must change.

use crate::wire::{Class, NameRef, Record, RecordRef, Rtype};
use crate::zone::Delta;

/// A delta in the making.
#[derive(Debug, Default)]
pub(super) struct Edits(Delta);

/// A record that a name is to own: type, TTL and RDATA.
pub(super) type Wanted = (Rtype, u32, Box<[u8]>);

impl Edits {
    /// Has a name own `wanted` in the place of `old`.
    pub(super) fn replace<'r>(
        &mut self,
        owner: NameRef<'_>,
        old: impl Iterator<Item = RecordRef<'r>>,
        mut wanted: Vec<Wanted>,
    ) {
        wanted.sort_unstable();
        let mut is_there = vec![false; wanted.len()];
        for record in old {
            let same = |one: &Wanted| {
                (one.0, one.1, &*one.2).cmp(&(record.rtype, record.ttl, record.rdata))
            };
            match wanted.binary_search_by(same) {
                Ok(at) => is_there[at] = true,
                Err(_) => self.0.removed.push(record.to_record()),
            }
        }
        let missing = wanted.into_iter().zip(is_there).filter(|(_, is_there)| !is_there);
        let added = missing.map(|((rtype, ttl, rdata), _)| Record {
            owner: owner.to_name(),
            rtype,
            class: Class::IN,
            ttl,
            rdata,
        });
        self.0.added.extend(added);
    }

    /// The delta.
    pub(super) fn finish(self) -> Delta {
        self.0
    }
}
