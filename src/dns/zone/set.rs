//! All zones now served, found by longest match.

mod shard;

use std::sync::Arc;

use shard::Shard;

use super::contents::Zone;
use crate::wire::{Name, NameRef};

/// Parts of a set; changing one zone copies one part.
const SHARDS: usize = 256;

//------------ Entry ---------------------------------------------------------

/// A zone of the set.
#[derive(Clone, Debug)]
pub enum Entry {
    /// It is served.
    Loaded(Zone),
    /// It is configured, but there is no version to serve (SERVFAIL).
    NotLoaded(Name),
    /// It is a secondary zone, and no primary was heard for too long (SERVFAIL).
    Expired(Name),
}

impl Entry {
    /// The name of the zone.
    pub fn apex(&self) -> NameRef<'_> {
        match self {
            Self::Loaded(zone) => zone.apex(),
            Self::NotLoaded(apex) | Self::Expired(apex) => apex.as_ref(),
        }
    }

    /// The zone, if it is served.
    pub fn zone(&self) -> Option<&Zone> {
        match self {
            Self::Loaded(zone) => Some(zone),
            Self::NotLoaded(_) | Self::Expired(_) => None,
        }
    }

    /// How many names there are in it.
    fn name_count(&self) -> usize {
        self.zone().map_or(0, Zone::name_count)
    }
}

//------------ ZoneSet -------------------------------------------------------

/// An immutable set of zones. A changed set shares all parts but one.
#[derive(Clone)]
pub struct ZoneSet {
    /// Zones by the hash of their apex.
    shards: Arc<[Arc<Shard>]>,
    /// The number of zones by octets of the apex: a length without zones needs no lookup.
    lengths: Arc<[u32; 256]>,
    /// The number of zones.
    count: usize,
    /// The number of names in all of them.
    names: usize,
}

/// Names from which on a set does not stay in a processor's caches with all else that is there.
const LARGE: usize = if cfg!(test) { 8 } else { 4096 };
/// Zones from which on it is worth to look for zones ahead.
const MANY: usize = if cfg!(test) { 2 } else { 256 };

impl Default for ZoneSet {
    fn default() -> Self {
        let shards = vec![Arc::default(); SHARDS].into();
        Self { shards, lengths: Arc::new([0; 256]), count: 0, names: 0 }
    }
}

impl ZoneSet {
    /// A set without zones.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of zones.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The zone of the longest apex that `qname` is at or below.
    pub fn find(&self, qname: NameRef<'_>) -> Option<&Entry> {
        self.apexes(qname).find_map(|apex| self.get(apex))
    }

    /// The zone of exactly this apex.
    pub fn get(&self, apex: NameRef<'_>) -> Option<&Entry> {
        let hash = hash(apex);
        self.shards[shard_of(hash)].get(hash, apex)
    }

    /// The set with a zone added, or in the place of the one with the same apex.
    pub fn with(&self, zone: Zone) -> Self {
        self.edit(&[], vec![Entry::Loaded(zone)])
    }

    /// The set without a zone.
    pub fn without(&self, apex: &Name) -> Self {
        self.edit(std::slice::from_ref(apex), Vec::new())
    }

    /// All zones, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    /// The set without some zones and with others, copied once.
    pub fn edit(&self, removed: &[Name], added: Vec<Entry>) -> Self {
        let mut set = self.clone();
        removed.iter().for_each(|apex| set.take(apex.as_ref()));
        for entry in added {
            set.take(entry.apex());
            set.add(entry);
        }
        set
    }

    /// Takes a zone out, if it is there; a part without it is not copied.
    fn take(&mut self, apex: NameRef<'_>) {
        let hash = hash(apex);
        let shard = shard_of(hash);
        if self.shards[shard].get(hash, apex).is_none() {
            return;
        }
        let shard = &mut Arc::make_mut(&mut self.shards)[shard];
        if let Some(entry) = Arc::make_mut(shard).take(hash, apex) {
            Arc::make_mut(&mut self.lengths)[apex.wire().len()] -= 1;
            self.count -= 1;
            self.names -= entry.name_count();
        }
    }

    /// Adds a zone that is not there.
    fn add(&mut self, entry: Entry) {
        let hash = hash(entry.apex());
        Arc::make_mut(&mut self.lengths)[entry.apex().wire().len()] += 1;
        self.count += 1;
        self.names += entry.name_count();
        Arc::make_mut(&mut Arc::make_mut(&mut self.shards)[shard_of(hash)]).add(hash, entry);
    }

    /// What may be the apexes of zones among a name and its ancestors, the longest first.
    fn apexes<'q>(&self, qname: NameRef<'q>) -> impl Iterator<Item = NameRef<'q>> {
        let names = std::iter::successors(Some(qname), |name| name.parent());
        names.filter(|name| self.lengths[name.wire().len()] > 0)
    }

    //--- Ahead of queries

    /// Whether there is so much that look-ups wait for memory: then it pays to look for many names at once
    /// ([`super::look_ahead`]).
    pub fn is_large(&self) -> bool {
        self.names + self.count > LARGE
    }

    /// Whether zones are looked for ahead, too.
    pub(super) fn is_of_many(&self) -> bool {
        self.count >= MANY
    }

    /// Asks for the places where the zone of a name is looked for.
    pub(super) fn fetch(&self, qname: NameRef<'_>) {
        for apex in self.apexes(qname) {
            let hash = hash(apex);
            self.shards[shard_of(hash)].fetch(hash);
        }
    }

    /// What is nearly always the zone of a name, and the name it must have to be it, which is not read here.
    pub(super) fn guess<'q>(&self, qname: NameRef<'q>) -> Option<(&Zone, NameRef<'q>)> {
        let (entry, apex) = self.apexes(qname).find_map(|apex| {
            let hash = hash(apex);
            self.shards[shard_of(hash)].guess(hash).map(|entry| (entry, apex))
        })?;
        entry.zone().map(|zone| (zone, apex))
    }
}

impl FromIterator<Zone> for ZoneSet {
    fn from_iter<I: IntoIterator<Item = Zone>>(zones: I) -> Self {
        Self::new().edit(&[], zones.into_iter().map(Entry::Loaded).collect())
    }
}

/// The part in which a hash is.
fn shard_of(hash: u64) -> usize {
    (hash >> 56) as usize % SHARDS
}

/// A hash of a name that does not depend on the case of letters.
fn hash(name: NameRef<'_>) -> u64 {
    super::key::hash(name)
}
