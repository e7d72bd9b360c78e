//! The keys of a zone with all that is known of their rolls, and what follows for the zone: which keys are
//! published, which sign what, which the parent should name.

use serde::{Deserialize, Serialize};

use super::command::Refusal;
use super::key::{Key, KeyId, KeyState, Role};
use super::next::{Place, Start};
use super::policy::{Arrangement, Policy};
use super::stage::{AlgorithmRoll, AlgorithmStage, EntryStage, Parent, Roll, ZoneStage};
use super::state::VERSION;
use super::ttl::Ttls;
use crate::dnssec::{Algorithm, Dnskey};

//------------ KeySet --------------------------------------------------------

/// The keys of a zone and their rolls. One version of it is one state; a step makes another one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeySet {
    /// The version of the form it is kept in.
    pub(super) version: u32,
    /// All keys, also those removed lately.
    pub(super) keys: Vec<Key>,
    /// The keys that the DNSKEY RRset is signed by, and the parent names.
    pub(super) entry: Track,
    /// The keys that the rest is signed by.
    pub(super) zone: Track,
    /// How far the zone has come with its parent.
    pub(super) parent: Parent,
    /// Since when.
    pub(super) parent_since: u64,
    /// Whether the parent ever had a DS of these keys: resolvers may validate.
    #[serde(default)]
    pub(super) is_trusted: bool,
    /// The roll of entry keys.
    #[serde(default)]
    pub(super) entry_roll: Option<Roll<EntryStage>>,
    /// The roll of zone keys.
    #[serde(default)]
    pub(super) zone_roll: Option<Roll<ZoneStage>>,
    /// The roll of the algorithm; then there is no other.
    #[serde(default)]
    pub(super) algorithm_roll: Option<AlgorithmRoll>,
    /// Rolls that somebody asked for, and that have not begun.
    #[serde(default)]
    pub(super) asked: Vec<Start>,
    /// Where somebody gave his word for the next step.
    #[serde(default)]
    pub(super) words: Vec<Place>,
    /// Keys whose DS somebody saw at the parent.
    #[serde(default)]
    pub(super) seen: Vec<KeyId>,
    /// Keys whose DS, as somebody saw, are gone from the parent.
    #[serde(default)]
    pub(super) gone: Vec<KeyId>,
    /// The TTLs that caches hold.
    #[serde(default)]
    pub(super) ttls: Ttls,
    /// When the last step was taken: a clock that is behind it takes none.
    #[serde(default)]
    pub(super) touched: u64,
    /// How many states there were before this one.
    #[serde(default)]
    pub(super) generation: u64,
}

/// The keys that stand in a track.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Track {
    /// The keys.
    pub(super) keys: Vec<KeyId>,
    /// Since when they do.
    pub(super) since: u64,
}

/// What the zone says to its parent in CDS and CDNSKEY records (RFC 7344, RFC 8078).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cds {
    /// Nothing.
    None,
    /// That the DS should be those of these keys.
    Keys(Vec<KeyId>),
    /// That there should be no DS.
    Delete,
}

/// A key that has to be made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeyNeed {
    /// What for.
    pub role: Role,
    /// By which algorithm.
    pub algorithm: Algorithm,
}

/// What a key does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Use {
    /// It is in the DNSKEY RRset.
    pub(super) published: bool,
    /// It signs the DNSKEY RRset.
    pub(super) keys: bool,
    /// It signs the rest.
    pub(super) zone: bool,
}

impl KeySet {
    /// The keys that a zone needs before it is signed the first time.
    pub fn needed(policy: &Policy) -> Vec<KeyNeed> {
        let roles: &[Role] = match policy.arrangement {
            Arrangement::Csk => &[Role::Csk],
            Arrangement::KskZsk => &[Role::Ksk, Role::Zsk],
        };
        roles.iter().map(|role| KeyNeed { role: *role, algorithm: policy.algorithm }).collect()
    }

    /// The set of a zone that is signed from now on. The keys are new or come from elsewhere; those with the
    /// SEP flag are what the parent names, and sign everything if there are no others.
    pub fn begin(keys: Vec<Dnskey>, policy: &Policy, now: u64) -> Result<Self, Refusal> {
        let mut set = Self {
            version: VERSION,
            keys: Vec::new(),
            entry: Track { keys: Vec::new(), since: now },
            zone: Track { keys: Vec::new(), since: now },
            parent: Parent::Introducing,
            parent_since: now,
            is_trusted: false,
            entry_roll: None,
            zone_roll: None,
            algorithm_roll: None,
            asked: Vec::new(),
            words: Vec::new(),
            seen: Vec::new(),
            gone: Vec::new(),
            ttls: Ttls::default(),
            touched: now,
            generation: 0,
        };
        set.take_in(keys, policy, now)?;
        set.settle(now);
        Ok(set)
    }

    /// Puts keys in place of all there were: nobody relies on those yet.
    pub(super) fn take_in(
        &mut self,
        keys: Vec<Dnskey>,
        policy: &Policy,
        now: u64,
    ) -> Result<(), Refusal> {
        let algorithms = keys.iter().map(|key| key.algorithm);
        if let Some(other) = algorithms.clone().find(|it| Some(*it) != algorithms.clone().next()) {
            return Err(Refusal::TwoAlgorithms(other));
        }
        let (entry, zone): (Vec<_>, Vec<_>) = keys.into_iter().partition(Dnskey::is_sep);
        if entry.is_empty() {
            return Err(Refusal::NoEntryKey);
        }
        let is_one = zone.is_empty() && policy.arrangement == Arrangement::Csk;
        let entry = self.add(entry, if is_one { Role::Csk } else { Role::Ksk }, now)?;
        let zone = self.add(zone, Role::Zsk, now)?;
        let zone = if zone.is_empty() { entry.clone() } else { zone };
        self.entry = Track { keys: entry, since: now };
        self.zone = Track { keys: zone, since: now };
        (self.parent, self.parent_since) = (Parent::Introducing, now);
        Ok(())
    }

    /// Takes public keys into the set, as yet without any use.
    pub(super) fn add(
        &mut self,
        keys: Vec<Dnskey>,
        role: Role,
        now: u64,
    ) -> Result<Vec<KeyId>, Refusal> {
        let mut ids = Vec::with_capacity(keys.len());
        for dnskey in keys {
            let id = KeyId::of(&dnskey);
            if self.keys.iter().any(|key| key.id.tag == id.tag) {
                return Err(Refusal::SameTag(id.tag));
            }
            self.keys.push(Key { id, role, dnskey, since: now, published: None, removed: None });
            ids.push(id);
        }
        Ok(ids)
    }

    /// The set that a change, if it succeeds, makes of this one.
    pub(super) fn changed<E>(
        &self,
        now: u64,
        change: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut changed = Ok(());
        let set = self.after(now, |set| changed = change(set));
        changed.map(|()| set)
    }

    /// The set that a change makes of this one. The states after steps and commands all come to be here, and are
    /// counted if they are others.
    pub(super) fn after(&self, now: u64, change: impl FnOnce(&mut Self)) -> Self {
        let mut set = self.clone();
        change(&mut set);
        set.settle(now);
        let is_same = set == Self { touched: set.touched, ..self.clone() };
        set.generation = self.generation.saturating_add(u64::from(!is_same));
        set
    }

    /// After a step: notes which keys came to be published, and which are of no use any more. A key that a roll
    /// still names is of use, also while it does nothing.
    fn settle(&mut self, now: u64) {
        let is_signed = !self.is_unsigned();
        let named: Vec<KeyId> = self.named().filter(|_| is_signed).collect();
        let published = self.published();
        for key in &mut self.keys {
            let is_published = published.contains(&key.id);
            key.published = is_published.then(|| key.published.unwrap_or(now));
            let is_named = named.contains(&key.id);
            key.removed = (!is_named).then(|| key.removed.unwrap_or(now));
        }
        self.touched = now;
    }
}

//------------ What follows for the zone -------------------------------------

impl KeySet {
    /// The keys in the DNSKEY RRset.
    pub fn published(&self) -> Vec<KeyId> {
        self.used(|used| used.published)
    }

    /// The keys that sign the DNSKEY RRset, and those of CDS and CDNSKEY (RFC 7344 §4.1).
    pub fn key_signers(&self) -> Vec<KeyId> {
        self.used(|used| used.keys)
    }

    /// The keys that sign the rest. During a roll of the algorithm some are not in the DNSKEY RRset.
    pub fn zone_signers(&self) -> Vec<KeyId> {
        self.used(|used| used.zone)
    }

    /// What CDS and CDNSKEY records say.
    pub fn cds(&self, policy: &Policy) -> Cds {
        match self.parent {
            _ if !policy.cds => Cds::None,
            Parent::Introducing | Parent::Unsigned => Cds::None,
            Parent::Wanted | Parent::Secure => Cds::Keys(self.ds_wanted()),
            Parent::Leaving | Parent::Expiring => Cds::Delete,
        }
    }

    /// The keys whose DS, and no others, the parent should have. While the zone is introduced it should not
    /// have them yet.
    pub fn ds_wanted(&self) -> Vec<KeyId> {
        if matches!(self.parent, Parent::Leaving | Parent::Expiring | Parent::Unsigned) {
            return Vec::new();
        }
        let is_asked = |stage| !matches!(stage, EntryStage::Publishing);
        if let Some(roll) = self.entry_roll.as_ref().filter(|roll| is_asked(roll.stage)) {
            return roll.new.clone();
        }
        let is_asked = |stage| {
            use AlgorithmStage::{DsExchange, DsExpiring, Withdrawing};
            matches!(stage, DsExchange | DsExpiring | Withdrawing)
        };
        let roll = self.algorithm_roll.as_ref().filter(|roll| is_asked(roll.stage));
        roll.map_or(&self.entry.keys, |roll| &roll.entry).clone()
    }

    /// Keys with a use.
    fn used(&self, is_so: impl Fn(Use) -> bool) -> Vec<KeyId> {
        let ids = self.keys.iter().map(|key| key.id);
        ids.filter(|id| is_so(self.use_of(id))).collect()
    }

    /// What a key does: the one place from which everything else follows.
    pub(super) fn use_of(&self, id: &KeyId) -> Use {
        if self.parent == Parent::Unsigned {
            return Use::default();
        }
        let (is_entry, is_zone) = (self.entry.keys.contains(id), self.zone.keys.contains(id));
        if let Some(roll) = &self.algorithm_roll {
            let (to_entry, to_zone) = (roll.entry.contains(id), roll.zone.contains(id));
            let (is_old, is_new) = (is_entry || is_zone, to_entry || to_zone);
            use AlgorithmStage::{PreSigned, PreSigning, Withdrawing};
            let (old, new) = match roll.stage {
                PreSigning | PreSigned => (true, false),
                Withdrawing => (false, true),
                _ => (true, true),
            };
            return Use {
                published: old && is_old || new && is_new,
                keys: old && is_entry || new && to_entry,
                zone: is_zone || to_zone,
            };
        }
        let to_entry = self.entry_roll.as_ref().is_some_and(|roll| roll.new.contains(id));
        let (mut zone, mut to_zone) = (is_zone, false);
        if let Some(roll) = &self.zone_roll {
            to_zone = roll.new.contains(id);
            zone = match roll.stage {
                ZoneStage::Publishing => is_zone,
                ZoneStage::Switching | ZoneStage::Draining => to_zone,
                ZoneStage::Doubling | ZoneStage::Doubled => is_zone || to_zone,
            };
        }
        let keys = is_entry || to_entry;
        Use { published: keys || is_zone || to_zone, keys, zone }
    }
}

//------------ What it tells -------------------------------------------------

impl KeySet {
    /// When a step was taken last, in seconds since 1970.
    pub fn touched(&self) -> u64 {
        self.touched
    }

    /// How many states there were before this one: of two that were kept, the one with more is newer, whatever
    /// the clock said.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The same set, counted as newer than one of this generation, of which it knows nothing: the zone was
    /// signed before, and begins anew.
    pub fn newer_than(self, generation: u64) -> Self {
        Self { generation: self.generation.max(generation.saturating_add(1)), ..self }
    }

    /// All keys, also those removed lately.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// A key by its id.
    pub fn key(&self, id: &KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == *id)
    }

    /// How far the zone has come with its parent, and since when.
    pub fn parent(&self) -> (Parent, u64) {
        (self.parent, self.parent_since)
    }

    /// Whether nothing is signed any more: signatures and keys come out of the zone.
    pub fn is_unsigned(&self) -> bool {
        self.parent == Parent::Unsigned
    }

    /// Whether the zone is on its way to be unsigned.
    pub fn is_leaving(&self) -> bool {
        matches!(self.parent, Parent::Leaving | Parent::Expiring)
    }

    /// Whether the parent ever had a DS of these keys, so that resolvers may validate.
    pub fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// The algorithm of the keys in place.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.entry.keys.first().map(|id| id.algorithm)
    }

    /// Where a key stands.
    pub fn state(&self, id: &KeyId) -> KeyState {
        if self.key(id).is_none_or(|key| key.removed.is_some()) {
            return KeyState::Removed;
        }
        let mut states = [None; 2];
        if let Some(roll) = &self.algorithm_roll {
            use AlgorithmStage::{
                DsExchange, DsExpiring, PreSigned, PreSigning, Publishing, Withdrawing,
            };
            let is_new = roll.entry.contains(id) || roll.zone.contains(id);
            states[0] = Some(match (roll.stage, is_new) {
                (PreSigning | PreSigned, true) => KeyState::Presigning,
                (Publishing, true) => KeyState::Published,
                (DsExchange, true) => KeyState::Ready,
                (DsExpiring | Withdrawing, true) => KeyState::Active,
                (DsExpiring | Withdrawing, false) => KeyState::Retiring,
                (_, false) => KeyState::Active,
            });
        } else {
            states[0] = track_state(&self.entry, &self.entry_roll, id, |stage| match stage {
                EntryStage::Publishing => [KeyState::Published, KeyState::Active],
                EntryStage::DsExchange => [KeyState::Ready, KeyState::Active],
                EntryStage::DsExpiring => [KeyState::Active, KeyState::Retiring],
            });
            states[1] = track_state(&self.zone, &self.zone_roll, id, |stage| match stage {
                ZoneStage::Publishing => [KeyState::Published, KeyState::Active],
                ZoneStage::Doubling | ZoneStage::Doubled => [KeyState::Active; 2],
                ZoneStage::Switching | ZoneStage::Draining => {
                    [KeyState::Active, KeyState::Retiring]
                }
            });
        }
        states.into_iter().flatten().max().unwrap_or(KeyState::Removed)
    }

    /// Every key that a track or a roll names.
    pub(super) fn named(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.entry.keys.iter().chain(&self.zone.keys).copied().chain(self.coming())
    }

    /// The keys that come with the rolls that run.
    pub(super) fn coming(&self) -> impl Iterator<Item = KeyId> + '_ {
        let entry = self.entry_roll.iter().flat_map(|roll| &roll.new);
        let zone = self.zone_roll.iter().flat_map(|roll| &roll.new);
        let algorithm = self.algorithm_roll.iter();
        let algorithm = algorithm.flat_map(|roll| roll.entry.iter().chain(&roll.zone));
        entry.chain(zone).chain(algorithm).copied()
    }
}

/// Where a key of a track stands; `of` gives the states of new and old keys by the stage.
fn track_state<S: Copy>(
    track: &Track,
    roll: &Option<Roll<S>>,
    id: &KeyId,
    of: impl Fn(S) -> [KeyState; 2],
) -> Option<KeyState> {
    let is_old = track.keys.contains(id);
    match roll {
        Some(roll) if roll.new.contains(id) => Some(of(roll.stage)[0]),
        Some(roll) if is_old => Some(of(roll.stage)[1]),
        _ => is_old.then_some(KeyState::Active),
    }
}
