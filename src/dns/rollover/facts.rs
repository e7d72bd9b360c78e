//! What the machine is told of the world: the zone as it is served, and the DS at the parent.

use super::key::KeyId;

/// What is known at the moment of a judgement.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The largest TTL in the zone, that of negative responses included.
    pub max_zone_ttl: u32,
    /// The keys that each RRset of the served zone is signed by, DNSKEY, CDS and CDNSKEY aside, if it is the same
    /// keys for all; empty as long as they differ.
    pub signed_by: Vec<KeyId>,
    /// The DS at the parent.
    pub parents: Parents,
}

/// What the parent's servers answered when they were asked for the DS.
#[derive(Clone, Debug, Default)]
pub struct Parents {
    /// When the first of these answers was asked for.
    pub at: u64,
    /// The largest TTL of a DS among them.
    pub ttl: Option<u32>,
    /// Each address of each server of the parent; none = they are not known.
    pub servers: Vec<ParentServer>,
}

/// One of the parent's servers.
#[derive(Clone, Debug)]
pub struct ParentServer {
    /// Its name or address, for people.
    pub name: String,
    /// The DS it has; none = it gave no usable answer.
    pub ds: Option<SeenDs>,
}

/// The DS that one server has.
#[derive(Clone, Debug, Default)]
pub struct SeenDs {
    /// Keys of the set that a DS fits, digest included.
    pub keys: Vec<KeyId>,
    /// How many DS fit no key of the set.
    pub strangers: usize,
}

impl Parents {
    /// Whether every server answered, and there is one.
    fn is_whole(&self) -> bool {
        !self.servers.is_empty() && self.servers.iter().all(|server| server.ds.is_some())
    }

    /// Whether every server has the DS of a key.
    pub fn all_have(&self, key: &KeyId) -> bool {
        self.is_whole() && self.without(key).next().is_none()
    }

    /// Whether it is certain that no server has the DS of a key.
    pub fn none_has(&self, key: &KeyId) -> bool {
        self.is_whole() && self.with(key).next().is_none()
    }

    /// Whether it is certain that no server has any DS.
    pub fn none_at_all(&self) -> bool {
        self.is_whole() && self.with_any().next().is_none()
    }

    /// Servers that have the DS of a key.
    pub fn with(&self, key: &KeyId) -> impl Iterator<Item = &ParentServer> {
        self.heard().filter(|(_, ds)| ds.keys.contains(key)).map(|(server, _)| server)
    }

    /// Servers that answered, and do not have the DS of a key.
    pub fn without(&self, key: &KeyId) -> impl Iterator<Item = &ParentServer> {
        self.heard().filter(|(_, ds)| !ds.keys.contains(key)).map(|(server, _)| server)
    }

    /// Servers that have any DS.
    pub fn with_any(&self) -> impl Iterator<Item = &ParentServer> {
        let has_one = |ds: &SeenDs| !ds.keys.is_empty() || ds.strangers > 0;
        self.heard().filter(move |(_, ds)| has_one(ds)).map(|(server, _)| server)
    }

    /// Servers that gave no usable answer.
    pub fn silent(&self) -> impl Iterator<Item = &ParentServer> {
        self.servers.iter().filter(|server| server.ds.is_none())
    }

    /// Servers that answered, with their DS.
    fn heard(&self) -> impl Iterator<Item = (&ParentServer, &SeenDs)> {
        self.servers.iter().filter_map(|server| Some((server, server.ds.as_ref()?)))
    }
}
