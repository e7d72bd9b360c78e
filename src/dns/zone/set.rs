//! All zones now served, found by longest match.

use std::sync::Arc;

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
}

//------------ ZoneSet -------------------------------------------------------

/// An immutable set of zones. A changed set shares all parts but one.
#[derive(Clone)]
pub struct ZoneSet {
    /// Zones by the hash of their apex.
    shards: Arc<[Arc<Shard>]>,
    /// The number of zones by octets of the apex: a length without zones needs no lookup.
    lengths: Arc<[u32; 256]>,
}

/// Zones whose hashes fall together, in order of hash.
type Shard = Vec<(u64, Entry)>;

impl Default for ZoneSet {
    fn default() -> Self {
        Self { shards: vec![Arc::default(); SHARDS].into(), lengths: Arc::new([0; 256]) }
    }
}

impl ZoneSet {
    /// A set without zones.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of zones.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The zone of the longest apex that `qname` is at or below.
    pub fn find(&self, qname: NameRef<'_>) -> Option<&Entry> {
        let mut name = qname;
        loop {
            if self.lengths[name.wire().len()] > 0 {
                let found = self.get(name);
                if found.is_some() {
                    return found;
                }
            }
            name = name.parent()?;
        }
    }

    /// The zone of exactly this apex.
    pub fn get(&self, apex: NameRef<'_>) -> Option<&Entry> {
        let hash = hash(apex);
        let shard = &self.shards[shard_of(hash)];
        let start = shard.partition_point(|(other, _)| *other < hash);
        let same = shard.iter().skip(start).take_while(|(other, _)| *other == hash);
        same.map(|(_, entry)| entry).find(|entry| entry.apex() == apex)
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
        self.shards.iter().flat_map(|shard| shard.iter().map(|(_, entry)| entry))
    }

    /// The set without some zones and with others, copied once.
    pub fn edit(&self, removed: &[Name], added: Vec<Entry>) -> Self {
        let mut set = self.clone();
        let shards = Arc::make_mut(&mut set.shards);
        let lengths = Arc::make_mut(&mut set.lengths);
        for apex in removed {
            if take(shards, apex.as_ref()) {
                lengths[apex.wire().len()] -= 1;
            }
        }
        for entry in added {
            take(shards, entry.apex()).then(|| lengths[entry.apex().wire().len()] -= 1);
            lengths[entry.apex().wire().len()] += 1;
            let hash = hash(entry.apex());
            let shard = Arc::make_mut(&mut shards[shard_of(hash)]);
            let at = shard.partition_point(|(other, _)| *other < hash);
            shard.insert(at, (hash, entry));
        }
        set
    }
}

impl FromIterator<Zone> for ZoneSet {
    fn from_iter<I: IntoIterator<Item = Zone>>(zones: I) -> Self {
        Self::new().edit(&[], zones.into_iter().map(Entry::Loaded).collect())
    }
}

/// Takes a zone out of its part. Returns whether it was there.
fn take(shards: &mut [Arc<Shard>], apex: NameRef<'_>) -> bool {
    let hash = hash(apex);
    let shard = &mut shards[shard_of(hash)];
    let at = shard.iter().position(|(other, entry)| *other == hash && entry.apex() == apex);
    if let Some(at) = at {
        Arc::make_mut(shard).remove(at);
    }
    at.is_some()
}

/// The part in which a hash is.
fn shard_of(hash: u64) -> usize {
    (hash >> 56) as usize % SHARDS
}

/// A hash of a name that does not depend on the case of letters.
fn hash(name: NameRef<'_>) -> u64 {
    super::key::hash(name)
}
