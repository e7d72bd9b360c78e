//! `state/zones`: the zones as they were last served and where they came from, one JSON object per line
//! after a line with the version and one about the database. From it a start learns which zones are
//! missing from the settings, and whether the database is another file than before: one copied from a
//! backup may not know the newest serials.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf, absolute};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::lock::lock;
use crate::publish::door::write_file;
use crate::publish::state::{Inner, Listing, Publisher, SerialPolicy, Strictness, ZoneSource};
use crate::store::{Reader, Store, StoreError};
use crate::text::with_causes;

/// The first line.
const HEAD: &str = "gapura zones 1";

/// One zone.
#[derive(Deserialize, Serialize)]
struct Line {
    /// The apex.
    zone: String,
    /// The operator's file.
    file: String,
    /// The remotes that a secondary zone is transferred from.
    #[serde(default)]
    primaries: Vec<String>,
    /// How strictly it is checked.
    checks: Strictness,
    /// How serials are chosen.
    serial: SerialPolicy,
    /// Rules whose warnings count as errors.
    errors: Vec<String>,
    /// Whether gapura makes its ZONEMD record; older lists do not say.
    #[serde(default)]
    zonemd: bool,
    /// Whether only its file makes it a zone.
    by_file: bool,
    /// The catalog zone of ours that lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    catalog: Option<String>,
    /// Whether it is a catalog zone whose members are served.
    #[serde(default)]
    consume: bool,
    /// Which catalog zone lists it that is consumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listing: Option<Listing>,
}

/// The second line.
#[derive(Deserialize, Serialize)]
struct Head {
    /// Which one the database is.
    database: String,
}

/// What a run before kept.
#[derive(Default)]
pub(super) struct Known {
    /// Which database it was.
    database: Option<String>,
    /// The zones as they were served then.
    pub(super) zones: Vec<ZoneSource>,
}

impl Known {
    /// Whether a database is another one than it was then.
    pub(super) fn is_other_database(&self, store: &Store) -> bool {
        let both = self.database.as_ref().zip(store.identity());
        both.is_some_and(|(known, now)| *known != now)
    }
}

/// Where the list is.
fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("zones")
}

/// Whether there is a list: some zone was served from a database.
pub(super) fn is_there(state_dir: &Path) -> bool {
    path(state_dir).exists()
}

/// Reads the list; empty if there is none, or none that can be read.
pub(super) fn read(state_dir: &Path) -> Known {
    let Ok(bytes) = files::read(&path(state_dir)) else { return Known::default() };
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        tracing::warn!(path = %path(state_dir).display(), "not a list of zones: ignored");
        return Known::default();
    }
    let head: Option<Head> = lines.next().and_then(|line| serde_json::from_str(line).ok());
    let database = head.map(|head| head.database).filter(|it| !it.is_empty());
    Known { database, zones: lines.filter_map(source).collect() }
}

/// The zone of a line.
pub(super) fn source(line: &str) -> Option<ZoneSource> {
    let line: Line = serde_json::from_str(line).ok()?;
    let (apex, file) = (line.zone.parse().ok()?, PathBuf::from(line.file));
    let Line { primaries, checks, serial, errors, zonemd, by_file, consume, .. } = line;
    let catalog = line.catalog.and_then(|catalog| catalog.parse().ok());
    let source = ZoneSource {
        primaries,
        checks,
        serial,
        errors,
        zonemd,
        by_file,
        catalog,
        consume,
        listing: line.listing,
        ..ZoneSource::new(apex, file)
    };
    Some(source)
}

/// Writes the list. While the database only stands in for a lost one, the list stays as it is: then
/// not all zones are known.
pub(super) fn write(inner: &Inner) {
    if inner.options.is_stand_in {
        return;
    }
    let _one_after_the_other = lock(&inner.listing);
    let slots = inner.all_slots();
    // What a reload does not learn, because the server is away, the next start is not to take for another one.
    let database = inner.store.identity().or_else(|| read(&inner.options.state_dir).database);
    let head = Head { database: database.unwrap_or_default() };
    let mut text = format!("{HEAD}\n{}\n", serde_json::to_string(&head).unwrap_or_default());
    let mut listed = BTreeMap::new();
    for slot in slots {
        let source = lock(&slot.state).source.clone();
        let line = line(source);
        text.push_str(&line);
        text.push('\n');
        listed.insert(Reader::zone_key(&slot.apex), line);
    }
    let untold = tell_nodes(&inner.store, &listed).err().map(|error| {
        let error = with_causes(&error);
        format!("other nodes are not told which zones are served; it is tried again: {error}")
    });
    let before = std::mem::replace(&mut *lock(&inner.untold), untold.clone());
    // The log has each reason once.
    untold.iter().filter(|_| before != untold).for_each(|untold| tracing::error!("{untold}"));
    let _one_at_a_time = lock(&inner.files);
    let path = path(&inner.options.state_dir);
    inner.note_kept(&path, write_file(&path, text.as_bytes(), "zones"));
}

impl Publisher {
    /// Writes the list of zones again if it could not be written, for other nodes or the next start.
    pub fn retry_list(&self) {
        let inner = &*self.0;
        let path = path(&inner.options.state_dir);
        let is_due = lock(&inner.untold).is_some() || lock(&inner.unkept).contains_key(&path);
        // Another daemon writes it now.
        if is_due && !inner.store.is_left() {
            write(inner);
        }
    }
}

/// The line of a zone.
fn line(source: ZoneSource) -> String {
    let line = Line {
        zone: source.apex.to_string(),
        // A next run may start in another directory.
        file: absolute(&source.file).unwrap_or(source.file).display().to_string(),
        primaries: source.primaries,
        checks: source.checks,
        serial: source.serial,
        errors: source.errors,
        zonemd: source.zonemd,
        by_file: source.by_file,
        consume: source.consume,
        listing: source.listing,
        catalog: source.catalog.map(|catalog| catalog.to_string()),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// Writes the list into a database that other nodes follow, as far as it differs.
fn tell_nodes(store: &Store, listed: &BTreeMap<String, String>) -> Result<(), StoreError> {
    if !store.is_shared() || store.is_followed() {
        return Ok(());
    }
    let known = store.read::<_, StoreError>(|reader| reader.served_zones())?;
    let known: BTreeMap<String, String> = known.into_iter().collect();
    if known == *listed {
        return Ok(());
    }
    store.write(|tx| {
        for key in known.keys().filter(|key| !listed.contains_key(*key)) {
            tx.drop_served_zone(key)?;
        }
        for (key, line) in listed.iter().filter(|(key, line)| known.get(*key) != Some(*line)) {
            tx.put_served_zone(key, line)?;
        }
        tx.tell_followers()
    })
}
