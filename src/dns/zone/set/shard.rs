//! A part of a set of zones: a table that is found in by hash, at least half of it empty, so that a zone is nearly
//! always in the first line of memory that is looked at.

use super::Entry;
use crate::memory::fetch;
use crate::wire::NameRef;

/// Slots of the smallest table.
const SLOTS_MIN: usize = 2;

/// Zones by the hash of their apex; a slot that is taken leads on to the next one.
#[derive(Clone, Default)]
pub(super) struct Shard {
    /// The slots: none, or a power of two.
    slots: Vec<Option<(u64, Entry)>>,
    /// How many are taken.
    count: usize,
}

impl Shard {
    /// All zones.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().flatten().map(|(_, entry)| entry)
    }

    /// The zone of an apex with that hash.
    pub(super) fn get(&self, hash: u64, apex: NameRef<'_>) -> Option<&Entry> {
        self.with_hash(hash).map(|(_, entry)| entry).find(|entry| entry.apex() == apex)
    }

    /// What is nearly always the zone with that hash; its name is not looked at.
    pub(super) fn guess(&self, hash: u64) -> Option<&Entry> {
        self.with_hash(hash).next().map(|(_, entry)| entry)
    }

    /// Asks for the slot where a hash is looked for first.
    pub(super) fn fetch(&self, hash: u64) {
        if let Some(slot) = self.slots.get(self.start(hash)) {
            fetch(slot, 1);
        }
    }

    /// Adds a zone that is not there.
    pub(super) fn add(&mut self, hash: u64, entry: Entry) {
        if (self.count + 1) * 2 > self.slots.len() {
            let slots = (self.slots.len() * 2).max(SLOTS_MIN);
            let old = std::mem::replace(&mut self.slots, vec![None; slots]);
            old.into_iter().flatten().for_each(|(hash, entry)| self.put(hash, entry));
        }
        self.put(hash, entry);
        self.count += 1;
    }

    /// Takes a zone out.
    pub(super) fn take(&mut self, hash: u64, apex: NameRef<'_>) -> Option<Entry> {
        let is_it = |(other, entry): &(u64, Entry)| *other == hash && entry.apex() == apex;
        let (last, mut at) = (self.slots.len().checked_sub(1)?, self.start(hash));
        // At least half is empty.
        while !is_it(self.slots[at].as_ref()?) {
            at = (at + 1) & last;
        }
        let taken = self.slots[at].take();
        self.count -= 1;
        // Those behind it may have been led on by it.
        let mut next = (at + 1) & last;
        while let Some((hash, entry)) = self.slots[next].take() {
            self.put(hash, entry);
            next = (next + 1) & last;
        }
        taken.map(|(_, entry)| entry)
    }

    /// Puts a zone into the first slot that is free for it; there is one.
    fn put(&mut self, hash: u64, entry: Entry) {
        let mut at = self.start(hash);
        while self.slots[at].is_some() {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = Some((hash, entry));
    }

    /// The zones with a hash.
    fn with_hash(&self, hash: u64) -> impl Iterator<Item = &(u64, Entry)> {
        let (front, back) = self.slots.split_at(self.start(hash));
        back.iter().chain(front).map_while(Option::as_ref).filter(move |(other, _)| *other == hash)
    }

    /// The slot where a hash is looked for first, of as many as there are; the first octet has chosen the part
    /// of the set.
    fn start(&self, hash: u64) -> usize {
        (hash >> 24) as usize & self.slots.len().saturating_sub(1)
    }
}
