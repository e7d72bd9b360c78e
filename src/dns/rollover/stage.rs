//! The stages that a zone and its rolls go through, as drawn at the head of this room.

use serde::{Deserialize, Serialize};

use super::key::KeyId;

/// How far the zone has come with its parent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Parent {
    /// All is signed; caches may still hold unsigned data, so there may be no DS yet.
    Introducing,
    /// The parent may have the DS, and is asked to.
    Wanted,
    /// The parent has the DS: resolvers validate.
    Secure,
    /// The parent is asked to remove the DS; all stays signed.
    Leaving,
    /// The parent has no DS any more; caches may.
    Expiring,
    /// Nothing is signed any more.
    Unsigned,
}

impl Parent {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Introducing => "introducing",
            Self::Wanted => "ds-wanted",
            Self::Secure => "secure",
            Self::Leaving => "ds-leaving",
            Self::Expiring => "ds-expiring",
            Self::Unsigned => "unsigned",
        }
    }
}

/// Stages of a roll of entry keys: double signature of the DNSKEY RRset (RFC 6781 §4.1.2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryStage {
    /// The new key is published and signs the keys with the old one.
    Publishing,
    /// The parent is asked for the new DS in place of the old.
    DsExchange,
    /// The parent has exchanged the DS; caches may hold the old one.
    DsExpiring,
}

/// Stages of a roll of zone keys: pre-publication (RFC 6781 §4.1.1.1), or double signature (§4.1.1.2) in an
/// emergency.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneStage {
    /// The new key is published; the old one signs.
    Publishing,
    /// The new key signs; some signatures may still be by the old.
    Switching,
    /// All is signed by the new key; caches may hold signatures by the old.
    Draining,
    /// The new key is published and signs beside the old one.
    Doubling,
    /// All is signed by both; caches may hold keys and signatures without the new.
    Doubled,
}

/// Stages of a roll of the algorithm, the conservative way (RFC 6781 §4.1.4).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlgorithmStage {
    /// The new keys sign the zone beside the old ones, and are not published.
    PreSigning,
    /// All is signed by both; caches may hold data with old signatures only.
    PreSigned,
    /// The new keys are published.
    Publishing,
    /// The parent is asked for the new DS in place of the old.
    DsExchange,
    /// The parent has exchanged the DS; caches may hold the old one.
    DsExpiring,
    /// The old keys are not published any more, and still sign.
    Withdrawing,
}

impl EntryStage {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Publishing => "publishing",
            Self::DsExchange => "ds-exchange",
            Self::DsExpiring => "ds-expiring",
        }
    }
}

impl ZoneStage {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Publishing => "publishing",
            Self::Switching => "switching",
            Self::Draining => "draining",
            Self::Doubling => "doubling",
            Self::Doubled => "doubled",
        }
    }
}

impl AlgorithmStage {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::PreSigning => "pre-signing",
            Self::PreSigned => "pre-signed",
            Self::Publishing => "publishing",
            Self::DsExchange => "ds-exchange",
            Self::DsExpiring => "ds-expiring",
            Self::Withdrawing => "withdrawing",
        }
    }
}

//------------ Rolls ---------------------------------------------------------

/// A roll of the keys of one track.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Roll<S> {
    /// The keys that come.
    pub(super) new: Vec<KeyId>,
    /// How far it has come.
    pub(super) stage: S,
    /// Since when.
    pub(super) since: u64,
    /// Whether a key may be in wrong hands.
    #[serde(default)]
    pub(super) emergency: bool,
}

/// A roll of all keys to another algorithm.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct AlgorithmRoll {
    /// The entry keys that come.
    pub(super) entry: Vec<KeyId>,
    /// The zone keys that come.
    pub(super) zone: Vec<KeyId>,
    /// How far it has come.
    pub(super) stage: AlgorithmStage,
    /// Since when.
    pub(super) since: u64,
    /// Whether a key may be in wrong hands.
    #[serde(default)]
    pub(super) emergency: bool,
}
