//! How a zone is signed: the policy, the keys with their rollovers, and the available private keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::PublishError;
use crate::dnssec::{CDNSKEY_DELETE, CDS_DELETE, DigestType, Dnskey, KeyPair};
use crate::keystore::Keystore;
use crate::rollover::{Cds, KeyId, KeySet, Policy};
use crate::sign::{self, Plan};
use crate::store::StoreError;
use crate::store::signing::SigningRow;
use crate::text::with_causes;
use crate::wire::{Name, NameRef, Record};
use crate::zone::{ApplyError, Zone};

//------------ KeptKeys ------------------------------------------------------

/// How a zone is signed, as the database and the copy beside the key files keep it: without private keys.
#[derive(PartialEq)]
pub(crate) struct KeptKeys {
    /// The policy.
    policy: Policy,
    /// The keys and their rolls.
    pub(crate) keys: KeySet,
}

impl KeptKeys {
    /// Reads what was kept.
    pub(crate) fn read(zone: &Name, row: &SigningRow) -> Result<Self, StoreError> {
        let corrupt = |error: String| StoreError::Corrupt(format!("{zone}: {error}"));
        let policy =
            serde_json::from_str(&row.policy).map_err(|error| corrupt(error.to_string()))?;
        let keys = KeySet::read(&row.key_set).map_err(|error| corrupt(with_causes(&error)))?;
        Ok(Self { policy, keys })
    }

    /// What is kept beside the key files, also of a zone that is not signed any more; none if there is nothing.
    pub(crate) fn beside_keys(state_dir: &Path, zone: &Name) -> Result<Option<Self>, StoreError> {
        let corrupt = |error: String| StoreError::Corrupt(format!("{zone}: {error}"));
        let text = Keystore::new(state_dir).read_key_set(zone);
        let Some(text) = text.map_err(|error| corrupt(with_causes(&error)))? else {
            return Ok(None);
        };
        let row = serde_json::from_str(&text).map_err(|error| corrupt(error.to_string()))?;
        Self::read(zone, &row).map(Some)
    }
}

//------------ ZoneSigning ---------------------------------------------------

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
        // A CSK is among both.
        let signers = keys.key_signers().into_iter().chain(keys.zone_signers());
        for id in signers.collect::<BTreeSet<KeyId>>() {
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

    /// Signing as it was kept.
    pub(crate) fn of_kept(state_dir: &Path, zone: &Name, kept: KeptKeys) -> Self {
        Self::new(state_dir, zone, Arc::new(kept.policy), kept.keys, None)
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
        let form = |policy: &Policy| (policy.denial, policy.dnskey_ttl);
        form(&self.policy) == form(&other.policy)
            && !self.keys.changes_zone(&self.policy, &other.keys, &other.policy)
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

    /// RDATA of our keys, also of those removed lately.
    fn ours(&self) -> Vec<Box<[u8]>> {
        self.keys.keys().iter().map(|key| key.dnskey.rdata()).collect()
    }

    /// Whether records that were served in a zone are there because it is signed.
    pub(crate) fn makes(&self, apex: NameRef<'_>) -> impl Fn(&Record) -> bool {
        let ours = self.ours();
        move |record| sign::is_of_signing(apex, &ours, record.as_ref())
    }

    /// A zone without what it is signed with.
    pub(crate) fn strip(&self, zone: &Zone) -> Result<Zone, ApplyError> {
        sign::strip(zone, &self.ours())
    }
}
