//! The policy that a zone is signed by, and whether it makes sense.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::ttl::HELD_MAX_S;
use crate::dnssec::{Algorithm, Denial};

/// A day, in seconds.
const DAY_S: u32 = 86_400;
/// The longest life of a signature: its times are compared modulo 2³² (RFC 4034 §3.1.5).
const LIFETIME_MAX_S: u32 = i32::MAX as u32;

/// How a zone is signed and its keys are rolled.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Policy {
    /// The name by which zones mean it.
    pub name: String,
    /// The algorithm of its keys.
    pub algorithm: Algorithm,
    /// Whether one key signs everything.
    pub arrangement: Arrangement,
    /// How it is proven that a name is not there.
    pub denial: Denial,
    /// Seconds a signature is valid.
    pub lifetime_s: u32,
    /// Seconds before its end at which a signature is made anew.
    pub refresh_s: u32,
    /// Seconds after which a ZSK is rolled; 0 = by hand.
    pub zsk_s: u32,
    /// Seconds after which a KSK or CSK is rolled; 0 = by hand.
    pub ksk_s: u32,
    /// Whether CDS and CDNSKEY records (RFC 7344) tell the parent which DS are wanted.
    pub cds: bool,
    /// Whether each step that changes the zone waits for a person's word.
    pub manual: bool,
    /// TTL of the DNSKEY, CDS and CDNSKEY RRsets.
    pub dnskey_ttl: u32,
    /// Seconds until a change has reached all servers of the zone, or of its parent.
    pub propagation_s: u32,
    /// TTL of the DS at the parent, if it is not seen, and the least that is reckoned with.
    pub parent_ds_ttl_s: u32,
    /// The parent's servers, where they cannot be looked up. Whoever looks for the DS asks them.
    pub parents: Vec<SocketAddr>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            algorithm: Algorithm::EcdsaP256Sha256,
            arrangement: Arrangement::Csk,
            denial: Denial::Nsec,
            lifetime_s: 14 * DAY_S,
            refresh_s: 7 * DAY_S,
            zsk_s: 90 * DAY_S,
            ksk_s: 0,
            cds: true,
            manual: false,
            dnskey_ttl: 3_600,
            propagation_s: 3_600,
            parent_ds_ttl_s: DAY_S,
            parents: Vec::new(),
        }
    }
}

/// Which keys a zone has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrangement {
    /// One key signs everything.
    Csk,
    /// One key signs the keys, another the rest.
    KskZsk,
}

//------------ Sense ---------------------------------------------------------

impl Policy {
    /// What makes no sense in it, for zones whose largest TTL is `max_zone_ttl`; 0 if that is not known.
    pub fn check(&self, max_zone_ttl: u32) -> Vec<PolicyFault> {
        let mut faults = Vec::new();
        if self.lifetime_s > LIFETIME_MAX_S {
            faults.push(PolicyFault::Lifetime { lifetime_s: self.lifetime_s });
        }
        if self.refresh_s >= self.lifetime_s {
            let (refresh_s, lifetime_s) = (self.refresh_s, self.lifetime_s);
            faults.push(PolicyFault::Refresh { refresh_s, lifetime_s });
        }
        // What is served with the last signature before a renewal must run out of caches before it ends.
        let ttl = max_zone_ttl.max(self.dnskey_ttl);
        if self.refresh_s < ttl.saturating_add(self.propagation_s) {
            let (refresh_s, propagation_s) = (self.refresh_s, self.propagation_s);
            faults.push(PolicyFault::TooLate { refresh_s, ttl, propagation_s });
        }
        let keys_s = u64::from(self.dnskey_ttl) + u64::from(self.propagation_s);
        let zone_s = u64::from(ttl) + u64::from(self.propagation_s);
        let ds_s = u64::from(self.parent_ds_ttl_s) + u64::from(self.propagation_s);
        if self.arrangement == Arrangement::KskZsk {
            faults.extend(too_often("zsk_days", self.zsk_s, keys_s + zone_s));
        }
        faults.extend(too_often("ksk_days", self.ksk_s, keys_s + ds_s));
        faults
    }

    /// What is wrong with the TTL of the DS that the parent serves.
    pub fn check_ds(ttl: Option<u32>) -> Option<PolicyFault> {
        let ttl = ttl.filter(|ttl| *ttl > HELD_MAX_S)?;
        Some(PolicyFault::DsTtl { ttl })
    }
}

/// The fault of a key's life that is shorter than a rollover takes.
fn too_often(setting: &'static str, life_s: u32, roll_s: u64) -> Option<PolicyFault> {
    let is_wrong = life_s != 0 && u64::from(life_s) <= roll_s;
    is_wrong.then_some(PolicyFault::TooOften { setting, life_s, roll_s })
}

/// What makes no sense in a policy.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyFault {
    /// Signatures would be valid too long for their times to be compared.
    #[error(
        "lifetime_days: a signature that is valid for {lifetime_s} s is more than DNSSEC can tell \
         ({LIFETIME_MAX_S} s); 14 days are usual"
    )]
    Lifetime {
        /// The life wanted.
        lifetime_s: u32,
    },
    /// Signatures would be made anew at once.
    #[error(
        "refresh_days: a signature cannot be made anew {refresh_s} s before its end when it is valid for \
         {lifetime_s} s: make refresh_days about half of lifetime_days"
    )]
    Refresh {
        /// The time before the end.
        refresh_s: u32,
        /// The life.
        lifetime_s: u32,
    },
    /// Signatures could end in caches.
    #[error(
        "refresh_days: signatures made anew {refresh_s} s before their end can end while others still hold \
         them: records are kept for {ttl} s, and a change takes {propagation_s} s to reach all servers. Raise \
         refresh_days, or lower the largest TTL"
    )]
    TooLate {
        /// The time before the end.
        refresh_s: u32,
        /// The largest TTL.
        ttl: u32,
        /// The time a change needs.
        propagation_s: u32,
    },
    /// Rollovers do not wait for such a TTL.
    #[error(
        "the parent's DS has a TTL of {ttl} s. Rollovers wait {HELD_MAX_S} s for it, which is as long as resolvers \
         keep anything: ask the parent for a lower one"
    )]
    DsTtl {
        /// The TTL.
        ttl: u32,
    },
    /// A key would be rolled before it has come in.
    #[error(
        "{setting}: a key cannot be rolled every {life_s} s when a rollover takes more than {roll_s} s (TTLs and \
         propagation): raise it, or write 0 to roll by hand"
    )]
    TooOften {
        /// The setting.
        setting: &'static str,
        /// The life of a key.
        life_s: u32,
        /// The time of a rollover.
        roll_s: u64,
    },
}
