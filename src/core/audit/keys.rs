//! Which public keys the verifier trusts, and up to which event.
//!
//! ```text
//! root       the key given from outside; without one, the first of the export
//! successors a trusted key signed the row of the next one: whoever trusts K1 trusts K2
//! forerunners a key says nothing of the one before it, and anybody can sign its row with a key of
//!            their own. So a key before the root is trusted only if the chain itself names it as
//!            replaced, under a checkpoint of the root, and only before the event that says so
//! ```

use std::collections::BTreeMap;

use super::export::Export;
use super::notary::{KEY_ROTATED, key_id, signed, vouched};
use super::report::{FaultKind, Report};
use crate::digest::unhex;
use crate::store::events::{AuditKey, Checkpoint};

/// The keys that may sign.
pub(super) struct Trusted {
    /// By id: the public key, and the last event a checkpoint of it may cover.
    keys: BTreeMap<String, (String, i64)>,
}

/// What a key says of a checkpoint.
pub(super) enum Judged {
    /// Signed by a key that may.
    Genuine,
    /// Not signed by the key it names.
    Forged,
    /// Signed by a key that had been replaced before.
    Retired,
    /// The key is not trusted.
    Unknown,
}

impl Trusted {
    /// The keys of an export that may sign, from a root or the export's first key. Keys that are
    /// trusted in no way are noted.
    pub(super) fn of(
        export: &Export,
        root: Option<&str>,
        hashes: &BTreeMap<i64, &str>,
        report: &mut Report,
    ) -> Self {
        let mut trusted = Self { keys: BTreeMap::new() };
        let root = root.map(|key| key.trim().to_lowercase());
        let root = root.or_else(|| export.keys.first().map(|row| row.public.clone()));
        if let Some(root) = root {
            trusted.keys.insert(id_of(&root), (root, i64::MAX));
        }
        let genuine = |row: &&AuditKey| id_of(&row.public) == row.key_id;
        trusted.add_successors(export.keys.iter().filter(genuine));
        trusted.add_forerunners(export, hashes);
        trusted.note_strangers(export, report);
        trusted
    }

    /// Adds every key whose row a trusted key signed; rows are in the order in which keys came.
    fn add_successors<'a>(&mut self, rows: impl Iterator<Item = &'a AuditKey>) {
        for row in rows {
            let by = row.signed_by.as_ref().and_then(|by| self.keys.get(by));
            if by.is_some_and(|(public, _)| vouched(row, public)) {
                let key = (row.public.clone(), i64::MAX);
                self.keys.entry(row.key_id.clone()).or_insert(key);
            }
        }
    }

    /// Adds the keys that the chain names as replaced, as far as trusted keys have signed it.
    fn add_forerunners(&mut self, export: &Export, hashes: &BTreeMap<i64, &str>) {
        let fits = |point: &&Checkpoint| hashes.get(&point.sequence) == Some(&point.head.as_str());
        let covered = export.checkpoints.iter().filter(fits);
        let covered = covered.filter(|point| matches!(self.judge(point), Judged::Genuine));
        let signed_to = covered.map(|point| point.sequence).max().unwrap_or(0);
        let rotations = export.events.iter().filter(|event| event.act == KEY_ROTATED.as_str());
        for event in rotations.filter(|event| event.sequence <= signed_to) {
            let named = event.before.as_deref();
            let row = export.keys.iter().find(|row| Some(row.key_id.as_str()) == named);
            if let Some(row) = row.filter(|row| id_of(&row.public) == row.key_id) {
                let key = (row.public.clone(), event.sequence - 1);
                self.keys.entry(row.key_id.clone()).or_insert(key);
            }
        }
    }

    /// Notes the rows of keys that are not trusted, at the first event they signed.
    fn note_strangers(&self, export: &Export, report: &mut Report) {
        for row in &export.keys {
            let what = if id_of(&row.public) != row.key_id {
                "is not the key of that id"
            } else if self.keys.contains_key(&row.key_id) {
                continue;
            } else {
                "is vouched for by no trusted key"
            };
            let signed = export.checkpoints.iter().filter(|point| point.key_id == row.key_id);
            let sequence = match signed.map(|point| point.sequence).min() {
                Some(sequence) => sequence,
                // An export that begins later need not say what a key before it was replaced by.
                None if report.first > 1 => continue,
                None => 1,
            };
            report.note(FaultKind::Signature, sequence, format!("the key {} {what}", row.key_id));
        }
    }

    /// Whether a checkpoint was signed by a key that may.
    pub(super) fn judge(&self, point: &Checkpoint) -> Judged {
        match self.keys.get(&point.key_id) {
            Some((public, _)) if !signed(point, public) => Judged::Forged,
            Some((_, until)) if point.sequence > *until => Judged::Retired,
            Some(_) => Judged::Genuine,
            None => Judged::Unknown,
        }
    }
}

/// The id of a public key in hexadecimal.
fn id_of(public: &str) -> String {
    key_id(&unhex(public).unwrap_or_default())
}
