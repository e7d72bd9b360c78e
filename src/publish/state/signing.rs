//! How a zone is signed: the policy, the keys with their rolls, and the private keys at hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::PublishError;
use crate::dnssec::{CDNSKEY_DELETE, CDS_DELETE, DigestType, Dnskey, KeyPair, key_digest};
use crate::keystore::Keystore;
use crate::rollover::{Cds, Key, KeyId, KeySet, Policy};
use crate::sign::{self, Plan};
use crate::store::StoreError;
use crate::store::signing::SigningRow;
use crate::text::with_causes;
use crate::wire::{Name, NameRef, Record, Rtype};
use crate::zone::{ApplyError, Zone};

/// How a zone is signed.
#[derive(Clone)]
pub(crate) struct ZoneSigning {
    /// The policy; of a zone that is on its way to be unsigned, the last it had.
    pub(crate) policy: Arc<Policy>,
    /// The keys and their rolls.
    pub(crate) keys: KeySet,
    /// The private keys that sign, as far as their files are there.
    pairs: BTreeMap<KeyId, Arc<KeyPair>>,
    /// What is wrong with the files of others.
    missing: BTreeMap<KeyId, String>,
}

impl ZoneSigning {
    /// Loads the private keys of a set; `known` are those at hand. What cannot be read is remembered: the zone
    /// is served all the same.
    pub(crate) fn new(
        state_dir: &Path,
        zone: &Name,
        policy: Arc<Policy>,
        keys: KeySet,
        known: Option<&Self>,
    ) -> Self {
        let store = Keystore::new(state_dir);
        let (mut pairs, mut missing) = (BTreeMap::new(), BTreeMap::new());
        for id in keys.key_signers().into_iter().chain(keys.zone_signers()) {
            let Some(key) = keys.key(&id) else { continue };
            let known = known.and_then(|known| known.pairs.get(&id)).cloned();
            let load = || store.load(zone, &key.dnskey).map(Arc::new);
            let found = known.map_or_else(load, Ok);
            match found {
                Ok(pair) => drop(pairs.insert(id, pair)),
                Err(error) => drop(missing.insert(id, with_causes(&error))),
            }
        }
        Self { policy, keys, pairs, missing }
    }

    /// As the database keeps it.
    pub(crate) fn read(
        state_dir: &Path,
        zone: &Name,
        row: &SigningRow,
    ) -> Result<Self, StoreError> {
        let corrupt = |error: String| StoreError::Corrupt(format!("{zone}: {error}"));
        let policy: Policy =
            serde_json::from_str(&row.policy).map_err(|error| corrupt(error.to_string()))?;
        let keys = KeySet::read(&row.key_set).map_err(|error| corrupt(with_causes(&error)))?;
        Ok(Self::new(state_dir, zone, Arc::new(policy), keys, None))
    }

    /// What is kept beside the key files, also of a zone that is not signed any more.
    pub(crate) fn kept_copy(state_dir: &Path, zone: &Name) -> Result<Option<Self>, StoreError> {
        let corrupt = |error: String| StoreError::Corrupt(format!("{zone}: {error}"));
        let text = Keystore::new(state_dir).read_key_set(zone);
        let Some(text) = text.map_err(|error| corrupt(with_causes(&error)))? else {
            return Ok(None);
        };
        let row: SigningRow =
            serde_json::from_str(&text).map_err(|error| corrupt(error.to_string()))?;
        Self::read(state_dir, zone, &row).map(Some)
    }

    /// Keeps a copy beside the key files.
    pub(crate) fn keep_copy(&self, state_dir: &Path, zone: &Name) -> Result<(), String> {
        let row = self.row().map_err(|error| with_causes(&error))?;
        let text = serde_json::to_string(&row).map_err(|error| error.to_string())?;
        let kept = Keystore::new(state_dir).write_key_set(zone, &text);
        kept.map_err(|error| with_causes(&error))
    }

    /// What the database is to keep.
    pub(crate) fn row(&self) -> Result<SigningRow, StoreError> {
        let corrupt = |error: String| StoreError::Corrupt(error);
        Ok(SigningRow {
            policy: serde_json::to_string(&*self.policy)
                .map_err(|error| corrupt(error.to_string()))?,
            key_set: self.keys.write().map_err(|error| corrupt(with_causes(&error)))?,
        })
    }

    /// The files of private keys that cannot be used, and why.
    pub(crate) fn missing(&self) -> Vec<String> {
        self.missing.values().cloned().collect()
    }

    /// Looks again for private keys whose files could not be used.
    pub(crate) fn look_again(&mut self, state_dir: &Path, zone: &Name) {
        if !self.missing.is_empty() {
            let (policy, keys) = (Arc::clone(&self.policy), self.keys.clone());
            *self = Self::new(state_dir, zone, policy, keys, Some(self));
        }
    }

    /// Whether a version signed by this needs nothing else to be one signed by `other`.
    pub(crate) fn signs_like(&self, other: &Self) -> bool {
        let used = |signing: &Self| {
            let keys = &signing.keys;
            (keys.published(), keys.key_signers(), keys.zone_signers(), keys.cds(&signing.policy))
        };
        let form = |policy: &Policy| (policy.denial, policy.dnskey_ttl);
        used(self) == used(other) && form(&self.policy) == form(&other.policy)
    }

    /// What is put into the zone, and who signs what.
    pub(crate) fn plan(&self, zone: &Name, zonemd: bool) -> Result<Plan, PublishError> {
        let dnskey = |id: &KeyId| self.keys.key(id).map(|key| key.dnskey.clone());
        let dnskeys = |ids: &[KeyId]| ids.iter().filter_map(dnskey).collect::<Vec<Dnskey>>();
        let (cds, cdnskeys) = match self.keys.cds(&self.policy) {
            Cds::None => (Vec::new(), Vec::new()),
            Cds::Delete => (vec![CDS_DELETE.into()], vec![CDNSKEY_DELETE.into()]),
            Cds::Keys(ids) => {
                let keys = dnskeys(&ids);
                let cds = keys.iter().map(|key| key.ds(zone.as_ref(), DigestType::Sha256));
                (cds.collect(), keys.iter().map(Dnskey::rdata).collect())
            }
        };
        Ok(Plan {
            keys: dnskeys(&self.keys.published()),
            key_signers: self.signers(zone, self.keys.key_signers())?,
            zone_signers: self.signers(zone, self.keys.zone_signers())?,
            cds,
            cdnskeys,
            dnskey_ttl: self.policy.dnskey_ttl,
            denial: self.policy.denial,
            zonemd,
            lifetime_s: self.policy.lifetime_s,
            refresh_s: self.policy.refresh_s,
        })
    }

    /// The private keys of these.
    fn signers(&self, zone: &Name, ids: Vec<KeyId>) -> Result<Vec<Arc<KeyPair>>, PublishError> {
        let pair = |id: KeyId| {
            let missing = || {
                let why = self.missing.get(&id).cloned().unwrap_or_else(|| id.to_string());
                PublishError::KeyMissing { zone: zone.clone(), why }
            };
            self.pairs.get(&id).cloned().ok_or_else(missing)
        };
        ids.into_iter().map(pair).collect()
    }

    /// Whether a record that was served is there because the zone is signed.
    pub(crate) fn makes(&self, record: &Record) -> bool {
        let is_key =
            |rdata: &[u8]| self.keys.keys().iter().any(|key| *key.dnskey.rdata() == *rdata);
        match record.rtype {
            Rtype::DNSKEY => is_key(&record.rdata),
            Rtype::CDNSKEY => is_key(&record.rdata) || *record.rdata == CDNSKEY_DELETE,
            Rtype::CDS => self.speaks_of_ours(&record.rdata, record.owner.as_ref()),
            rtype => sign::is_proof(rtype),
        }
    }

    /// Whether a CDS record speaks of a key of ours, or wants no DS at all.
    fn speaks_of_ours(&self, cds: &[u8], apex: NameRef<'_>) -> bool {
        let [_, _, _, kind, digest @ ..] = cds else { return false };
        let is_of = |key: &Key| {
            let own = key_digest(apex, &key.dnskey.rdata(), *kind);
            own.is_some_and(|own| *own == *digest)
        };
        *cds == CDS_DELETE || self.keys.keys().iter().any(is_of)
    }

    /// A zone without what it is signed with. Keys of other signers stay (RFC 8901).
    pub(crate) fn strip(&self, zone: &Zone) -> Result<Zone, ApplyError> {
        let is_key = |rtype| matches!(rtype, Rtype::DNSKEY | Rtype::CDS | Rtype::CDNSKEY);
        let mut records = zone.records();
        if !records.any(|record| is_key(record.rtype) || sign::is_proof(record.rtype)) {
            return Ok(zone.clone());
        }
        let ours: Vec<Box<[u8]>> =
            self.keys.keys().iter().map(|key: &Key| key.dnskey.rdata()).collect();
        sign::strip(zone, |rdata| ours.iter().any(|own| **own == *rdata))
    }
}
