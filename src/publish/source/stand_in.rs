//! What is kept beside the database, for a start at which the database does not open.
//!
//! What was served must go on being served: the copy in `served/` is the zone, and the operator's file
//! together with the derived file is, if the file is good. The rows go to a stand-in database that is
//! thrown away at the stop; serials are kept outside of it, so none is used twice. A masked RRset, which
//! the derived file does not hold, is taken from the operator's file as it is.

use std::collections::BTreeMap;
use std::path::Path;

use super::compile::{self, Pace};
use super::{known, read};
use crate::master::{self, Input, NoIncludes};
use crate::publish::door;
use crate::publish::state::overlay::stored;
use crate::publish::state::serial::later;
use crate::publish::state::{Options, PublishError, Publisher, ZoneSource};
use crate::store::promoted::PromotedRow;
use crate::store::records::StoredRrset;
use crate::store::zones::ZoneRow;
use crate::store::{Store, StoreError};
use crate::wire::{Name, Rtype};

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
            let rows = rows(source, options, &path, &bytes);
            // The newest serial that was published; the next one is above it.
            let traces = [
                marks.get(&source.apex).copied(),
                String::from_utf8_lossy(&bytes).lines().find_map(door::serial_of),
                door::copy_trace(&options.state_dir, &source.apex),
            ];
            let Some(newest) = traces.into_iter().flatten().reduce(later) else { continue };
            let row = zone_row(newest, (options.now_ms)());
            store.write::<_, StoreError>(|tx| {
                tx.put_zone(&source.apex, &row)?;
                rows.iter().try_for_each(|row| tx.put_promoted(&source.apex, row))
            })?;
            all += rows.len();
        }
        Ok(all)
    }

    /// The zones that there are traces of outside of the database.
    pub fn published(state_dir: &Path) -> Vec<Name> {
        door::published(state_dir).into_iter().collect()
    }
}

/// What is known of a zone when only its newest serial is.
fn zone_row(newest: u32, changed_ms: i64) -> ZoneRow {
    ZoneRow {
        serial: newest,
        high_water: newest,
        file_serial: None,
        file_hash: None,
        held_hash: None,
        marker: false,
        zonemd: false,
        marked_includes: String::new(),
        copy_seq: None,
        changed_ms,
    }
}

/// The rows of one derived file.
fn rows(source: &ZoneSource, options: &Options, path: &Path, bytes: &[u8]) -> Vec<PromotedRow> {
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
    let file = compile::load(source, options, Pace::Start).ok().and_then(|loaded| loaded.zone);
    let since_ms = (options.now_ms)();
    let row = |((owner, rtype), rrset): ((Name, Rtype), StoredRrset)| {
        let found = file.as_ref().and_then(|zone| zone.rrset(owner.as_ref(), rtype));
        PromotedRow { base: found.map(stored), owner, rtype, rrset, request: None, since_ms }
    };
    sets.into_iter().map(row).collect()
}
