//! Drift: what the office has promised against what the zone says, after each reload.
//!
//! Nothing is repaired here: "hilang dari zona" and "tanpa permohonan" are items for the
//! administrator. The records gapura keeps itself do not count. At the first start the names that
//! are there already become live records of origin *impor*.

use std::fmt;

use serde::Serialize;

use super::ActError;
use super::promoter::Promoter;
use super::rrsets::{rrsets, served_records};
use crate::audit::{ANCHOR_LABEL, AuditError, NewEvent};
use crate::ledger::{Ledger, LedgerError};
use crate::publish::is_only_guard;
use crate::queue::{LiveRecord, Place, Signature, labels};
use crate::wire::{Name, NameRef};
use crate::zone::Zone;

/// Names of a zone up to which each becomes a live record at the first start. A zone of a registry
/// is not an office's.
const IMPORT_MAX: usize = 20_000;
/// Names imported in one transaction, so that others get their turn.
const IMPORT_BATCH: usize = 500;

/// One thing that is not as promised.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Drift {
    /// *Hilang dari zona*: promised, and not served as promised.
    Missing {
        /// The name.
        name: String,
        /// The request behind it.
        request: Option<String>,
        /// The types that differ.
        types: Vec<String>,
    },
    /// *Tanpa permohonan*: served, and promised to nobody.
    Unrequested {
        /// The name.
        name: String,
    },
}

/// For logs and the command line.
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, request, types } => {
                let behind = request.as_deref().unwrap_or("import");
                write!(f, "{name} {} ({behind}) is not served as promised", types.join(" "))
            }
            Self::Unrequested { name } => write!(f, "{name} is in the zone without a request"),
        }
    }
}

impl Promoter {
    /// Compares the live records of a zone with the zone as served.
    pub fn drift(&self, apex: &Name) -> Result<Vec<Drift>, ActError> {
        let Some(zone) = self.publisher.zone(apex) else { return Ok(Vec::new()) };
        let key = apex.as_ref().to_lowercase().to_string();
        let ledger = &self.ledger;
        let promised = ledger.store.read::<_, AuditError>(|reader| {
            let rows = reader.live_records_of_zone(&key)?;
            rows.iter().map(|row| ledger.open_live(row)).collect::<Result<Vec<LiveRecord>, _>>()
        })?;
        let mut drift = Vec::new();
        for live in promised.iter().filter(|live| live.state().is_served()) {
            let types = differing(live, &zone);
            if !types.is_empty() {
                let (name, request) = (live.name.to_string(), live.request.clone());
                drift.push(Drift::Missing { name, request, types });
            }
        }
        if zone.name_count() <= IMPORT_MAX {
            let known: std::collections::BTreeSet<&Name> = promised
                .iter()
                .filter(|live| live.state().is_served() || live.state().as_str() == "suspended")
                .map(|live| &live.name)
                .collect();
            for name in own_names(&zone) {
                if !known.contains(&name) && !is_only_guard(&zone, &name) {
                    let name = name.as_ref().to_lowercase().to_string();
                    drift.push(Drift::Unrequested { name });
                }
            }
        }
        Ok(drift)
    }

    /// Imports the names of zones that have none yet into the live records; returns the count. Small
    /// zones share a transaction: a commit for each would take thousands of them half a minute.
    pub fn import(&self, apexes: &[Name]) -> Result<usize, ActError> {
        let (mut all, mut waiting, mut batch) = (0, 0, Vec::new());
        for apex in apexes {
            let Some((zone, names)) = self.to_import(apex)? else { continue };
            all += names.len();
            let key = apex.as_ref().to_lowercase().to_string();
            for part in names.chunks(IMPORT_BATCH) {
                batch.push((key.clone(), zone.clone(), part.to_vec()));
                waiting += part.len();
                if waiting >= IMPORT_BATCH {
                    self.import_batch(&batch)?;
                    (waiting, batch) = (0, Vec::new());
                }
            }
        }
        self.import_batch(&batch)?;
        Ok(all)
    }

    /// The names of a zone, if none of them is a live record yet and they are not too many.
    fn to_import(&self, apex: &Name) -> Result<Option<(Zone, Vec<Name>)>, ActError> {
        let Some(zone) = self.publisher.zone(apex) else { return Ok(None) };
        let key = apex.as_ref().to_lowercase().to_string();
        let known = self
            .ledger
            .store
            .read::<_, AuditError>(|reader| Ok(!reader.live_records_of_zone(&key)?.is_empty()))?;
        if known {
            return Ok(None);
        }
        if zone.name_count() > IMPORT_MAX {
            tracing::info!(zone = key, "too many names to be taken into the live records");
            return Ok(None);
        }
        let names = own_names(&zone).collect();
        Ok(Some((zone, names)))
    }

    /// Imports some names of some zones in one transaction.
    fn import_batch(&self, batch: &[(String, Zone, Vec<Name>)]) -> Result<(), ActError> {
        if batch.is_empty() {
            return Ok(());
        }
        let ledger = &self.ledger;
        ledger.store.write::<_, LedgerError>(|tx| {
            batch
                .iter()
                .try_for_each(|(apex, zone, names)| import_names(ledger, tx, apex, names, zone))
        })?;
        Ok(())
    }
}

/// Imports some names of a zone.
fn import_names(
    ledger: &Ledger,
    tx: &crate::store::Tx<'_>,
    apex: &str,
    names: &[Name],
    zone: &Zone,
) -> Result<(), LedgerError> {
    let by = Signature::system(ledger.now());
    let steps = names.iter().map(|name| {
        let place = Place::new(name, &zone.apex().to_name());
        let text = place.name.to_string();
        let below = text.strip_suffix(apex).unwrap_or(&text).trim_end_matches('.');
        let legacy = !labels::check(below, 1).is_empty();
        LiveRecord::import(place, served_records(name, zone), legacy, &by)
    });
    let event =
        NewEvent::new(by.at, by.person(), by.role.as_str(), "import", &format!("zone:{apex}"))
            .with("names", names.len())
            .with("first", names.first().map(Name::to_string).unwrap_or_default())
            .with("serial", zone.serial());
    ledger.import(tx, steps, event)
}

/// Names that offices have in a zone: not the apex, nothing below a cut, nothing of gapura's own.
fn own_names(zone: &Zone) -> impl Iterator<Item = Name> {
    let own = |name: NameRef<'_>| {
        name.labels()
            .next()
            .is_some_and(|label| label.eq_ignore_ascii_case(ANCHOR_LABEL.as_bytes()))
    };
    zone.nodes()
        .filter(move |node| {
            !node.is_apex()
                && !node.is_below_cut()
                && !node.is_empty_non_terminal()
                && !own(node.owner())
        })
        .map(|node| node.owner().to_name())
}

/// The types at a name that are not served as promised.
fn differing(live: &LiveRecord, zone: &Zone) -> Vec<String> {
    let mut types = Vec::new();
    for set in rrsets(&live.name, live.records.iter()) {
        let served: Vec<&[u8]> = zone
            .rrset(set.owner.as_ref(), set.rtype)
            .into_iter()
            .flat_map(|found| found.rdatas())
            .collect();
        let same = served.len() == set.rdatas.len()
            && set.rdatas.iter().all(|rdata| served.contains(&&**rdata));
        if !same {
            types.push(set.rtype.to_string());
        }
    }
    types
}
