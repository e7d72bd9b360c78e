//! Restores zones from the files beside the database, for a start at which the database does not
//! open.
//!
//! What was served must stay in service: the zone is the copy in `served/`, or the operator's file together
//! with the derived file if that file is good. Promoted records and masks are read from the derived file, if
//! it is the one that the copy was written with. If it is lost, torn or older, they are what the copy has and
//! the operator's file lacks: then the copy overrides both. A file that was rolled back stays so. The rows go
//! to a stand-in database that is discarded at the stop; serials are kept outside it, so none is used twice.

use std::collections::BTreeMap;
use std::path::Path;

use super::compile::{self, Pace};
use super::{known, read};
use crate::master::{self, Input, NoIncludes};
use crate::publish::door::{self, Note};
use crate::publish::state::overlay::{is_guard, same_records, stored};
use crate::publish::state::serial::later;
use crate::publish::state::{Options, PublishError, Publisher, ZoneSource};
use crate::store::promoted::{Origin, PromotedRow};
use crate::store::records::StoredRrset;
use crate::store::zones::ZoneRow;
use crate::store::{Store, StoreError};
use crate::wire::{Name, Rtype};
use crate::zone::{NodeRef, RrsetRef, Zone};

impl Publisher {
    /// Puts what the derived files hold into `store`; returns how many RRsets that is.
    pub fn take_in_derived(
        store: &Store,
        sources: &[ZoneSource],
        options: &Options,
    ) -> Result<usize, PublishError> {
        let marks = door::read_marks(&options.state_dir);
        let mut all = 0;
        // Zones that the settings have lost are served on, too.
        let lost = known::read(&options.state_dir).zones.into_iter();
        let lost = lost.filter(|known| !sources.iter().any(|source| source.apex == known.apex));
        for source in sources.iter().cloned().chain(lost) {
            let source = &source;
            let path = door::path(&options.state_dir, &source.apex);
            let bytes = read::read(&path, options.file_octets_max).map(|(bytes, _)| bytes);
            let bytes = bytes.unwrap_or_default();
            let note = door::copy_note(&options.state_dir, &source.apex);
            // A secondary zone has no file that anything could be promoted beside.
            let rows = if source.is_secondary() {
                Vec::new()
            } else {
                promoted(source, options, note.as_ref(), &path, &bytes)
            };
            // The newest serial that was published; the next one is above it.
            let traces = [
                marks.get(&source.apex).copied(),
                String::from_utf8_lossy(&bytes).lines().find_map(door::serial_of),
                door::copy_trace(&options.state_dir, &source.apex),
            ];
            let Some(newest) = traces.into_iter().flatten().reduce(later) else { continue };
            let rolled_back = note.and_then(|note| note.rolled_back);
            let row = zone_row(newest, rolled_back, (options.now_ms)());
            store.write::<_, StoreError>(|tx| {
                tx.put_zone(&source.apex, &row)?;
                rows.iter().try_for_each(|row| tx.put_promoted(&source.apex, row))
            })?;
            all += rows.len();
        }
        Ok(all)
    }

    /// The newest serial of each zone, as it is kept outside of the database.
    pub fn newest_serials(state_dir: &Path) -> BTreeMap<Name, u32> {
        door::read_marks(state_dir).into_iter().collect()
    }

    /// The zones that there are traces of outside of the database. Serials alone are none as long as no zone was served
    /// from a database: a start without one gives out serials, too.
    pub fn published(state_dir: &Path) -> Vec<Name> {
        let mut names = door::copied(state_dir);
        if known::is_there(state_dir) {
            names.extend(door::read_marks(state_dir).into_keys());
        }
        names.into_iter().collect()
    }
}

/// What is known of a zone when only its newest serial is, and which file was rolled back.
fn zone_row(newest: u32, rolled_back: Option<String>, changed_ms: i64) -> ZoneRow {
    ZoneRow {
        serial: newest,
        high_water: newest,
        file_serial: None,
        file_hash: rolled_back.clone(),
        held_hash: rolled_back,
        marker: false,
        zonemd: false,
        marked_includes: String::new(),
        copy_seq: None,
        changed_ms,
        own_zonemd: None,
        file_node: None,
    }
}

/// The promoted records and masks of a zone.
fn promoted(
    source: &ZoneSource,
    options: &Options,
    note: Option<&Note>,
    path: &Path,
    bytes: &[u8],
) -> Vec<PromotedRow> {
    let Some(note) = note else { return in_derived(source, options, path, bytes) };
    if note.promoted.is_none() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(bytes);
    if note.promoted == door::hash_in(&text, &source.apex) {
        return in_derived(source, options, path, bytes);
    }
    tracing::error!(zone = %source.apex, file = %path.display(),
        "the file of promoted records is lost or not the newest: what differs from the zone's file is taken \
         from the copy, and edits of the file since then do not count there");
    in_copy(source, options).unwrap_or_else(|| in_derived(source, options, path, bytes))
}

/// What the copy of a zone has and its file has not, and the other way round; none without a copy.
fn in_copy(source: &ZoneSource, options: &Options) -> Option<Vec<PromotedRow>> {
    let copy = door::read_copy(&options.state_dir, &source.apex)?;
    let file = good_file(source, options);
    let since_ms = (options.now_ms)();
    let row = |node: &NodeRef<'_>, rtype, base, rrset| {
        let owner = node.owner().to_name();
        PromotedRow { owner, rtype, rrset, base, origin: Origin::Unnamed, since_ms }
    };
    let mut rows = Vec::new();
    for node in copy.nodes() {
        for set in node.rrsets().filter(|set| counts(*set)) {
            let (base, rrset) = (rrset_of(file.as_ref(), &node, set.rtype()), stored(set));
            if !base.as_ref().is_some_and(|base| same_records(base, &rrset)) {
                rows.push(row(&node, set.rtype(), base, rrset));
            }
        }
    }
    for node in file.iter().flat_map(Zone::nodes) {
        for set in node.rrsets().filter(|set| counts(*set)) {
            if rrset_of(Some(&copy), &node, set.rtype()).is_none() {
                let nothing = StoredRrset { ttl: 0, rdatas: Vec::new() };
                rows.push(row(&node, set.rtype(), Some(stored(set)), nothing));
            }
        }
    }
    Some(rows)
}

/// Whether a request can put up or take out an RRset.
fn counts(set: RrsetRef<'_>) -> bool {
    !matches!(set.rtype(), Rtype::SOA | Rtype::ZONEMD) && !is_guard(set)
}

/// What a zone has of a type at a name.
fn rrset_of(zone: Option<&Zone>, node: &NodeRef<'_>, rtype: Rtype) -> Option<StoredRrset> {
    zone?.rrset(node.owner(), rtype).map(stored)
}

/// The operator's file, if it is good.
fn good_file(source: &ZoneSource, options: &Options) -> Option<Zone> {
    let loaded = compile::load(source, options, Pace::Start).ok()?;
    loaded.zone.filter(|_| loaded.guard.is_none())
}

/// The rows of one derived file.
fn in_derived(
    source: &ZoneSource,
    options: &Options,
    path: &Path,
    bytes: &[u8],
) -> Vec<PromotedRow> {
    let mut sets: BTreeMap<(Name, Rtype), StoredRrset> = BTreeMap::new();
    let input = Input { file: path, bytes, loader: &NoIncludes };
    let limits = master::Options::default();
    master::parse(&input, source.apex.as_ref(), &limits, &mut |record, _| {
        let set = sets.entry((record.owner.to_name(), record.rtype));
        let set = set.or_insert_with(|| StoredRrset { ttl: record.ttl, rdatas: Vec::new() });
        set.rdatas.push(record.rdata.into());
    });
    let text = String::from_utf8_lossy(bytes);
    for (owner, rtype) in text.lines().filter_map(door::mask_of) {
        sets.entry((owner, rtype)).or_insert(StoredRrset { ttl: 0, rdatas: Vec::new() });
    }
    let file = good_file(source, options);
    let since_ms = (options.now_ms)();
    let row = |((owner, rtype), rrset): ((Name, Rtype), StoredRrset)| {
        let found = file.as_ref().and_then(|zone| zone.rrset(owner.as_ref(), rtype));
        PromotedRow {
            base: found.map(stored),
            owner,
            rtype,
            rrset,
            origin: Origin::Unnamed,
            since_ms,
        }
    };
    sets.into_iter().map(row).collect()
}
