//! Drift: what requests promised against what the zone says, after each change of it.
//!
//! Nothing is repaired here: "hilang dari zona" is an item for the administrator. A name that nobody
//! requested follows the operator's file and never drifts. A version is compared with the one that was
//! looked at last, so only names that changed are opened.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::{Register, rrsets};
use crate::audit::AuditError;
use crate::ledger::Ledger;
use crate::queue::LiveRecord;
use crate::store::Reader;
use crate::wire::Name;
use crate::zone::Zone;

/// Changed records up to which the changed names are looked at one by one.
const CHANGED_MAX: usize = 10_000;
/// Promised names looked at in one read of the database.
const BATCH: usize = 500;

//------------ Drift ---------------------------------------------------------

/// *Hilang dari zona*: promised, and not served as promised.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename = "missing")]
pub struct Drift {
    /// The name.
    pub name: String,
    /// The request behind it.
    pub request: Option<String>,
    /// The types that differ.
    pub types: Vec<String>,
}

/// For logs and the command line.
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, request, types } = self;
        let behind = request.as_deref().unwrap_or("-");
        write!(f, "{name} {} ({behind}) is not served as promised", types.join(" "))
    }
}

/// What was looked at last, and what differed then.
#[derive(Default)]
pub struct Looked {
    /// The versions.
    zones: BTreeMap<Name, Zone>,
    /// What differed, by zone and name.
    found: BTreeMap<(Name, Name), Drift>,
}

impl Looked {
    /// What differed.
    pub fn found(&self) -> impl Iterator<Item = &Drift> {
        self.found.values()
    }
}

//------------ Looking -------------------------------------------------------

impl Register {
    /// Brings `looked` up to the zones as served: looks at the names that changed since, and again at
    /// those that differed.
    pub fn look_for_drift(&self, looked: &mut Looked) -> Result<(), AuditError> {
        let served: BTreeMap<Name, Zone> = self
            .publisher
            .apexes()
            .into_iter()
            .filter_map(|apex| self.publisher.content(&apex).map(|zone| (apex, zone)))
            .collect();
        looked.zones.retain(|apex, _| served.contains_key(apex));
        looked.found.retain(|(apex, _), _| served.contains_key(apex));
        for (apex, zone) in served {
            let before = looked.zones.get(&apex);
            if before.is_some_and(|before| before.is_same(&zone)) {
                continue;
            }
            let delta = before.and_then(|before| before.diff_within(&zone, CHANGED_MAX));
            match delta {
                Some(delta) => {
                    let records = delta.removed.iter().chain(&delta.added);
                    let names = records.map(|record| record.owner.as_ref().to_lowercase());
                    self.look_at(&apex, &zone, names.collect(), &mut looked.found)?;
                }
                None => self.look_at_all(&apex, &zone, &mut looked.found)?,
            }
            looked.zones.insert(apex, zone);
        }
        // A promotion under way, or a record that was changed meanwhile, is as promised a turn later.
        let mut known: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
        for (apex, name) in looked.found.keys() {
            known.entry(apex.clone()).or_default().insert(name.clone());
        }
        for (apex, names) in known {
            if let Some(zone) = looked.zones.get(&apex) {
                self.look_at(&apex, zone, names, &mut looked.found)?;
            }
        }
        Ok(())
    }

    /// Looks at some names of a zone.
    fn look_at(
        &self,
        apex: &Name,
        zone: &Zone,
        names: BTreeSet<Name>,
        found: &mut BTreeMap<(Name, Name), Drift>,
    ) -> Result<(), AuditError> {
        let ledger = &self.ledger;
        ledger.store.read(|reader| {
            for name in names {
                let differs = promised(ledger, reader, &name)?.and_then(|live| drift(&live, zone));
                let key = (apex.clone(), name);
                match differs {
                    Some(drift) => drop(found.insert(key, drift)),
                    None => drop(found.remove(&key)),
                }
            }
            Ok(())
        })
    }

    /// Looks at everything that was promised in a zone.
    fn look_at_all(
        &self,
        apex: &Name,
        zone: &Zone,
        found: &mut BTreeMap<(Name, Name), Drift>,
    ) -> Result<(), AuditError> {
        found.retain(|(of, _), _| of != apex);
        let (ledger, key) = (&self.ledger, apex.as_ref().to_lowercase().to_string());
        let mut after = String::new();
        loop {
            let rows = ledger.store.read::<_, AuditError>(|reader| {
                let rows = reader.promised_after(&key, &after, BATCH)?;
                rows.iter().map(|row| ledger.open_live(row)).collect::<Result<Vec<_>, _>>()
            })?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.name.to_string();
            let differing = rows.iter().filter_map(|live| Some((live, drift(live, zone)?)));
            found.extend(differing.map(|(live, drift)| ((apex.clone(), live.name.clone()), drift)));
        }
    }
}

/// What requests promised at a name, if it is to be served.
fn promised(
    ledger: &Ledger,
    reader: &Reader<'_>,
    name: &Name,
) -> Result<Option<LiveRecord>, AuditError> {
    let row = reader.live_record(&name.to_string())?;
    let live = row.map(|row| ledger.open_live(&row)).transpose()?;
    Ok(live.filter(|live| live.state().is_served() && !live.follows_file()))
}

/// What of a promise is not served.
fn drift(live: &LiveRecord, zone: &Zone) -> Option<Drift> {
    let types = differing(live, zone);
    let (name, request) = (live.name.to_string(), live.request.clone());
    (!types.is_empty()).then_some(Drift { name, request, types })
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
