//! Changes of keys and signatures alone: a zone becomes signed or unsigned, its keys roll, its signatures are
//! renewed. `signer` decides when one of these is due.

use std::path::Path;
use std::sync::Arc;

use super::floor::renumbered;
use crate::dnssec::{DigestType, Dnskey, ds, ds_line};
use crate::keystore::{Keystore, KeystoreError};
use crate::lock::lock;
use crate::publish::door::{self, Held, Next, Proposal, SigningFate, without_soa};
use crate::publish::state::{
    Cause, Change, Inner, KeptKeys, PublishError, Publisher, ZoneSigning, ZoneState,
};
use crate::rollover::{KeyId, KeyNeed, KeySet, Policy, Refusal};
use crate::sign::{self, Due};
use crate::store::StoreError;
use crate::text::with_causes;
use crate::wire::{Name, Rtype};
use crate::zone::{RrsetRef, Zone};

//------------ SigningState --------------------------------------------------

/// How a zone is signed, as of now.
#[derive(Clone)]
pub struct SigningState {
    /// The policy that the settings want; none = the zone is to be unsigned.
    pub wanted: Option<Arc<Policy>>,
    /// The policy it is signed by, and its keys; none = it is not signed by gapura.
    pub current: Option<(Arc<Policy>, KeySet)>,
    /// What is served; none before there is a first version.
    pub served: Option<Zone>,
    /// Private keys that cannot be used, and why.
    pub missing: Vec<String>,
    /// When the first signature that is served ends, in seconds since 1970.
    pub first_end: Option<i64>,
}

impl SigningState {
    /// The keys that all that is served is signed by: a change of keys signs everything.
    pub fn signed_by(&self) -> Vec<KeyId> {
        self.current.as_ref().map_or_else(Vec::new, |(_, keys)| keys.zone_signers())
    }

    /// The DS that the parent should have, one a line; none if it should have none. Of a zone that was signed elsewhere
    /// they are those of its keys with the SEP flag.
    pub fn ds_lines(&self, apex: &Name) -> Vec<String> {
        let (keys, ttl) = match &self.current {
            Some((policy, keys)) => {
                let wanted = keys.ds_wanted();
                let wanted = wanted.iter().filter_map(|id| Some(keys.key(id)?.dnskey.rdata()));
                (wanted.collect::<Vec<_>>(), policy.parent_ds_ttl_s)
            }
            None => {
                let served = self.served.as_ref().filter(|zone| zone.is_signed());
                let keys = served.and_then(|zone| zone.rrset(zone.apex(), Rtype::DNSKEY));
                let is_sep = |rdata: &&[u8]| rdata.get(1).is_some_and(|flags| flags & 1 == 1);
                let sep = keys.iter().flat_map(|set| set.rdatas()).filter(is_sep);
                (sep.map(Into::into).collect(), keys.map_or(0, RrsetRef::ttl))
            }
        };
        let ds = keys.iter().map(|key| ds(apex.as_ref(), key, DigestType::Sha256));
        ds.map(|ds| ds_line(apex.as_ref(), ttl, &ds)).collect()
    }

    /// The largest TTL that is served, in seconds.
    pub fn ttl_max(&self) -> u32 {
        let nodes = self.served.iter().flat_map(|zone| zone.nodes().chain(zone.nsec3_nodes()));
        nodes.flat_map(|node| node.rrsets()).map(RrsetRef::ttl).max().unwrap_or(0)
    }
}

impl Publisher {
    /// The zones that are signed by gapura, or are to be.
    pub fn signed_zones(&self) -> Vec<Name> {
        let slots = self.0.all_slots();
        let is_signed =
            |state: &ZoneState| state.signing.is_some() || state.source.signing.is_some();
        let signed = slots.iter().filter(|slot| is_signed(&lock(&slot.state)));
        signed.map(|slot| slot.apex.clone()).collect()
    }

    /// How a zone is signed.
    pub fn signing(&self, zone: &Name) -> Result<SigningState, PublishError> {
        let slot = self.0.slot(zone)?;
        let state = lock(&slot.state);
        let signing = state.signing.as_ref();
        Ok(SigningState {
            wanted: state.source.signing.clone(),
            current: signing.map(|signing| (Arc::clone(&signing.policy), signing.keys.clone())),
            served: state.served().cloned(),
            missing: signing.map_or_else(Vec::new, ZoneSigning::missing),
            first_end: state.signatures_end((self.0.options.now_ms)()),
        })
    }
}

/// What is wrong with the private keys of a zone, by the copy of its key set beside them; none if there is no
/// copy, because it never was signed.
pub fn kept_keys(state_dir: &Path, zone: &Name) -> Result<Option<Vec<String>>, StoreError> {
    let kept = KeptKeys::beside_keys(state_dir, zone)?;
    Ok(kept.map(|kept| ZoneSigning::of_kept(state_dir, zone, kept).missing()))
}

/// The keys that a zone is signed with by the copy of its key set, none if it is not signed any more.
pub fn kept_set(state_dir: &Path, zone: &Name) -> Result<Option<KeySet>, StoreError> {
    let kept = KeptKeys::beside_keys(state_dir, zone)?.map(|kept| kept.keys);
    Ok(kept.filter(|keys| !keys.is_unsigned()))
}

/// The keys that were imported for a zone that is not signed yet. An error if it was signed elsewhere, as `live` says,
/// and none of them is one that the parent can name.
pub fn imported_keys(
    state_dir: &Path,
    zone: &Name,
    live: &Zone,
) -> Result<Vec<Dnskey>, PublishError> {
    // Keys that the zone was signed with before it was unsigned are not for another time.
    let old = KeptKeys::beside_keys(state_dir, zone)?;
    let is_old = |key: &Dnskey| old.iter().any(|old| old.keys.key(&KeyId::of(key)).is_some());
    let kept = Keystore::new(state_dir).list(zone).map_err(|error| unusable(zone, &error))?;
    let keys: Vec<Dnskey> = kept.into_iter().filter(|key| !is_old(key)).collect();
    let published = live.rrset(live.apex(), Rtype::DNSKEY);
    let is_published =
        |key: &Dnskey| published.is_some_and(|set| set.rdatas().any(|it| *it == *key.rdata()));
    if live.is_signed() && !keys.iter().any(|key| key.is_sep() && is_published(key)) {
        return Err(PublishError::SignedElsewhere(zone.clone()));
    }
    Ok(keys)
}

/// The error of a key file.
fn unusable(zone: &Name, error: &KeystoreError) -> PublishError {
    PublishError::KeyMissing { zone: zone.clone(), why: with_causes(error) }
}

//------------ First signing -------------------------------------------------

/// Why keys were not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError<E> {
    /// It was decided against.
    #[error("it was decided against")]
    Against(E),
    /// The door refused, or took the change back.
    #[error(transparent)]
    Door(#[from] PublishError),
}

impl Publisher {
    /// Signs a zone for the first time, by the policy of the settings: with the keys that were imported for it,
    /// or with new ones. None if it is signed already, or is not to be.
    pub fn begin_signing(&self, zone: &Name, who: &str) -> Result<Option<Change>, PublishError> {
        let inner = &*self.0;
        let slot = inner.slot(zone)?;
        let mut held = Held::new(&slot);
        let Some(policy) = held.state.source.signing.clone() else { return Ok(None) };
        if held.state.signing.is_some() {
            return Ok(None);
        }
        let live = held.state.zone.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let at_ms = (inner.options.now_ms)();
        // A clock that cannot be right makes no keys either.
        inner.signing_time(&held.state, at_ms)?;
        let state_dir = &inner.options.state_dir;
        let imported = imported_keys(state_dir, zone, &live)?;
        let made = if imported.is_empty() { make_keys(state_dir, zone, &policy)? } else { vec![] };
        let keys = [imported, made.clone()].concat();
        let signed = first_signing(inner, (zone, live), policy, keys, (who, at_ms))
            .and_then(|proposal| Ok(door::publish_one(inner, &mut held, proposal)?.change));
        if signed.is_err() && held.state.signing.is_none() {
            // Of keys that nobody uses, the next try would not know whether they are imported ones.
            let store = Keystore::new(state_dir);
            made.iter().for_each(|key| _ = store.remove(zone, key));
        }
        signed.map(Some)
    }
}

/// The proposal of a zone that is signed for the first time.
fn first_signing(
    inner: &Inner,
    (zone, live): (&Name, Zone),
    policy: Arc<Policy>,
    keys: Vec<Dnskey>,
    (who, at_ms): (&str, i64),
) -> Result<Proposal, PublishError> {
    let set = KeySet::begin(keys, &policy, seconds(at_ms));
    let set = set.map_err(|refusal| unfit(zone, &refusal))?;
    let set = match kept_generation(inner, zone)? {
        Some(generation) => set.newer_than(generation),
        None => set,
    };
    let signing = ZoneSigning::new(&inner.options.state_dir, zone, policy, set, None);
    let content = signing.strip(&live)?;
    let delta = without_soa(live.diff(&content));
    let next = Next::Edited { zone: content, content: delta };
    let cause = Cause::Signing { what: "first signatures".to_owned() };
    Ok(Proposal {
        signing: SigningFate::Replaced(Box::new(signing)),
        ..Proposal::new(Some(live), next, cause, who, at_ms)
    })
}

/// The highest generation of the sets that are kept of a zone from when it was signed before.
fn kept_generation(inner: &Inner, zone: &Name) -> Result<Option<u64>, StoreError> {
    let row = inner.store.read(|reader| reader.signing(zone))?;
    let kept = row.map(|row| KeptKeys::read(zone, &row)).transpose()?;
    let copy = KeptKeys::beside_keys(&inner.options.state_dir, zone)?;
    Ok(kept.into_iter().chain(copy).map(|kept| kept.keys.generation()).max())
}

/// New keys of a zone, all or none.
fn make_keys(state_dir: &Path, zone: &Name, policy: &Policy) -> Result<Vec<Dnskey>, PublishError> {
    let store = Keystore::new(state_dir);
    let (mut made, mut tags) = (Vec::new(), Vec::new());
    for KeyNeed { algorithm, role } in KeySet::needed(policy) {
        match store.generate(zone, algorithm, role.flags(), &tags) {
            Ok(key) => {
                tags.push(key.tag());
                made.push(key);
            }
            Err(error) => {
                made.iter().for_each(|key| _ = store.remove(zone, key));
                return Err(unusable(zone, &error));
            }
        }
    }
    Ok(made)
}

//------------ Keys ----------------------------------------------------------

impl Publisher {
    /// Makes the set of keys that `decide` makes of the one in place the one that the zone is signed by, and
    /// brings the zone up to it: durable, served and confirmed when this returns. The policy is that of the
    /// settings; the last there was, where they want the zone unsigned. None if nothing changes.
    pub fn change_keys<E>(
        &self,
        zone: &Name,
        (what, who): (&str, &str),
        decide: impl FnOnce(&KeySet, &Policy) -> Result<KeySet, E>,
    ) -> Result<Option<Change>, KeysError<E>> {
        let inner = &*self.0;
        let slot = inner.slot(zone).map_err(KeysError::Door)?;
        let mut held = Held::new(&slot);
        let state = &held.state;
        let not_signed = || PublishError::NotSigned(zone.clone());
        let before = state.signing.clone().ok_or_else(not_signed)?;
        let policy = state.source.signing.clone().unwrap_or_else(|| Arc::clone(&before.policy));
        let at_ms = (inner.options.now_ms)();
        let mut placed = before.keys.clone();
        // A clock that is believed although it is behind the last step was ahead then.
        if placed.touched() > seconds(at_ms) && inner.signing_time(state, at_ms).is_ok() {
            placed = placed.wait_again(&policy, seconds(at_ms));
        }
        let keys = decide(&placed, &policy).map_err(KeysError::Against)?;
        if keys == before.keys && policy == before.policy {
            return Ok(None);
        }
        let live = state.zone.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let is_over = keys.is_unsigned();
        let state_dir = &inner.options.state_dir;
        let after = ZoneSigning::new(state_dir, zone, policy, keys, Some(&before));
        // Who lost a key and takes the zone out of its parent cannot sign a CDS that says so: the zone stays as it is.
        let cannot_sign = after.keys.is_leaving() && !after.missing().is_empty();
        let is_other = !before.signs_like(&after) || state.signed.is_none();
        let is_visible = is_over || is_other && !cannot_sign;
        let next = if is_visible { renumbered(&live) } else { Ok(Next::Same) };
        let fate = if is_over { SigningFate::Ended } else { SigningFate::Replaced };
        let signing = fate(Box::new(after));
        let cause = Cause::Signing { what: what.to_owned() };
        let next = next.map_err(PublishError::from)?;
        let proposal = Proposal { signing, ..Proposal::new(Some(live), next, cause, who, at_ms) };
        let published = door::publish_one(inner, &mut held, proposal);
        Ok(Some(published.map_err(PublishError::from)?.change))
    }

    /// Looks again for private keys whose files could not be used. Returns what is still wrong.
    pub fn look_for_keys(&self, zone: &Name) -> Result<Vec<String>, PublishError> {
        let slot = self.0.slot(zone)?;
        let mut state = lock(&slot.state);
        let Some(signing) = &mut state.signing else { return Ok(Vec::new()) };
        signing.look_again(&self.0.options.state_dir, zone);
        Ok(signing.missing())
    }
}

//------------ Signatures ----------------------------------------------------

impl Publisher {
    /// Whether a zone can be signed now: whether the clock is one to sign by, and the private keys are there.
    pub fn can_sign(&self, zone: &Name) -> Result<(), PublishError> {
        let slot = self.0.slot(zone)?;
        let state = lock(&slot.state);
        self.0.signing_time(&state, (self.0.options.now_ms)())?;
        let signing = state.signing.as_ref();
        let signing = signing.ok_or_else(|| PublishError::NotSigned(zone.clone()))?;
        signing.plan(zone, state.source.zonemd).map(drop)
    }

    /// How many signatures of a zone are to be made anew now, and when the next one is.
    pub fn signatures_due(&self, zone: &Name) -> Result<Due, PublishError> {
        let slot = self.0.slot(zone)?;
        let (plan, served, now) = {
            let state = lock(&slot.state);
            let signing = state.signing.as_ref();
            let signing = signing.ok_or_else(|| PublishError::NotSigned(zone.clone()))?;
            let plan = signing.plan(zone, state.source.zonemd)?;
            let now = self.0.signing_time(&state, (self.0.options.now_ms)())?;
            let served = state.served().cloned();
            (plan, served.ok_or_else(|| PublishError::NotLoaded(zone.clone()))?, now)
        };
        Ok(sign::due(&served, &plan, now))
    }

    /// Makes up to `most` signatures anew of those that will end soon, of which there are some.
    pub fn renew_signatures(&self, zone: &Name, most: usize) -> Result<Change, PublishError> {
        let slot = self.0.slot(zone)?;
        let mut held = Held::new(&slot);
        let live = held.state.zone.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let cause = Cause::renewal();
        let next = renumbered(&live)?;
        let at_ms = (self.0.options.now_ms)();
        let proposal = Proposal {
            signing: SigningFate::Renewed(most),
            ..Proposal::new(Some(live), next, cause, "gapura", at_ms)
        };
        Ok(door::publish_one(&self.0, &mut held, proposal)?.change)
    }
}

/// The error of keys that make no set.
fn unfit(zone: &Name, refusal: &Refusal) -> PublishError {
    PublishError::KeyMissing { zone: zone.clone(), why: refusal.to_string() }
}

/// Milliseconds since 1970 in seconds.
fn seconds(ms: i64) -> u64 {
    u64::try_from(ms.div_euclid(1000)).unwrap_or(0)
}
