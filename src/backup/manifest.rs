//! The manifest: what a backup contains and how it was made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The format that this build writes and reads.
pub const FORMAT: &str = "gapura backup 1";
/// The name of the member.
pub const MANIFEST: &str = "manifest.json";
/// Octets of a manifest: enough for the most members.
pub(super) const MANIFEST_OCTETS_MAX: u64 = 96 << 20;

/// The manifest of a backup.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The version of gapura that made it.
    pub gapura: String,
    /// When it was made, in milliseconds since 1970.
    pub taken_ms: i64,
    /// The same for people: RFC 3339.
    pub taken: String,
    /// The newest step of the database's tables.
    pub database_step: u32,
    /// The newest event of the chain; none without a queue, or before the first.
    pub newest_event: Option<NewestEvent>,
    /// The newest serial of each zone.
    pub serials: BTreeMap<String, u32>,
    /// Files that the database names and that were not there.
    pub missing: Vec<String>,
    /// All other members, in the order of the archive.
    pub members: Vec<Entry>,
}

/// The newest event of a chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NewestEvent {
    /// Its number.
    pub sequence: i64,
    /// Its hash, in hexadecimal.
    pub hash: String,
}

/// A member.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its octets.
    pub octets: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}
