//! One zone at startup: its version in the database, and what its file means for that.

use std::sync::Arc;
use std::time::Instant;

use super::compile::{self, IfLacking, Pace};
use super::early::Early;
use super::secondary;
use super::start::Begun;
use crate::files;
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::door::{self, Proposal, with_serial};
use crate::publish::propose::{
    Kind, Loaded, Prepared, Subject, Unread, merge, prepare, renumbered, whole,
};
use crate::publish::state::serial::{is_ahead, later};
use crate::publish::state::{
    By, Cause, ForeignFile, Guard, Inner, KeptKeys, LastChange, Outcome, Overlay, Slot, Version,
    ZoneSigning, ZoneState, error, warning,
};
use crate::store::records::{decode, decode_all};
use crate::store::zones::ZoneRow;
use crate::store::{Reader, StoreError};
use crate::text::with_causes;
use crate::wire::Name;
use crate::zone::{Delta, Zone, ZoneBuilder};

/// How far the serials go up after a database was put back, which may not know the newest: more than are
/// given out between two backups.
pub(super) const RESTORED_STEP: u32 = 10_000;

/// Finds out what is to be done about one zone.
pub(super) fn begin(inner: &Inner, slot: &Arc<Slot>, early: &Early) -> Begun {
    if lock(&slot.state).source.is_secondary() {
        return secondary::begin(inner, slot);
    }
    let began = Instant::now();
    let mut state = lock(&slot.state);
    let loaded = early.take(&state.source).map_or_else(|| load(inner, &state, Pace::AtOnce), Ok);
    let (prepared, refused) = match recall(inner, &mut state, loaded.as_ref().ok()) {
        Ok(()) => {
            let mut prepared = settled(inner, &mut state, loaded);
            let refused = catch_up(inner, &state, &mut prepared);
            (prepared, refused)
        }
        Err(failed) => (Prepared::failed(&failed), None),
    };
    drop(state);
    Begun { slot: Arc::clone(slot), prepared, refused, began }
}

/// What is to be done about a file as it was read, once it has been left alone for the quiet period; if it was not, as it is
/// then.
fn settled(inner: &Inner, state: &mut ZoneState, loaded: Result<Loaded, Box<Unread>>) -> Prepared {
    let is_read = loaded.is_ok() && state.frozen.is_none();
    let prepared = prepare(inner, state, loaded, &By::gapura());
    if !is_read || compile::were_left_alone(&prepared.seen, inner.options.quiet) {
        return prepared;
    }
    let loaded = load(inner, state, Pace::Start);
    if let (Some(row), Ok(loaded)) = (&state.row, &loaded) {
        state.foreign_file = foreign_file(inner, row, loaded);
    }
    prepare(inner, state, loaded, &By::gapura())
}

/// Loads the file. While nothing is served at all, lack of memory is no reason to leave out a zone of which
/// there is no other version, or one that was loaded before.
fn load(inner: &Inner, state: &ZoneState, pace: Pace) -> Result<Loaded, Box<Unread>> {
    let load = |if_lacking: &IfLacking<'_>| {
        compile::load_within(&state.source, &inner.options, pace, if_lacking)
    };
    if inner.live.load().iter().any(|entry| entry.zone().is_some()) {
        return load(&IfLacking::Refuse);
    }
    let row = inner.store.read(|reader| reader.zone(&state.source.apex)).ok().flatten();
    match row.map(|row| row.file_hash.unwrap_or_default()) {
        Some(hash) => load(&IfLacking::RefuseOther(&hash)),
        None => load(&IfLacking::Warn),
    }
}

/// Reads what the database keeps of a zone, except for its records.
fn remember(inner: &Inner, state: &mut ZoneState) -> Result<(), StoreError> {
    let apex = state.source.apex.clone();
    let (row, promoted, end, signing) = inner.store.read(|reader| {
        let (row, signing) = (reader.zone(&apex)?, reader.signing(&apex)?);
        if row.is_none() {
            return Ok((None, Vec::new(), None, signing));
        }
        Ok::<_, StoreError>((row, reader.promoted(&apex)?, reader.journal_end(&apex)?, signing))
    })?;
    state.row = row;
    let state_dir = &inner.options.state_dir;
    // A database that was lost is no reason to forget the keys, which the parent may name.
    let kept = signing.map(|row| KeptKeys::read(&apex, &row)).transpose()?;
    let copy = KeptKeys::beside_keys(state_dir, &apex).unwrap_or_else(|failed| {
        // The zone is loaded all the same. It is not signed with new keys: that reads the copy, too.
        inner.note(error("keys-unreadable", with_causes(&failed), "see docs/signing.md"));
        None
    });
    // A clock does not decide: it may have been set back between the two.
    let age = |kept: &KeptKeys| (kept.keys.generation(), kept.keys.touched());
    let is_newer = |copy: &KeptKeys| kept.as_ref().is_none_or(|kept| age(copy) > age(kept));
    state.copied.lacks_keys =
        kept.is_some() && copy != kept && !copy.as_ref().is_some_and(is_newer);
    let (signing, signs_anew) = match copy.filter(is_newer) {
        // A database that was put back may name keys that the parent does not know any more.
        Some(copy) if kept.is_some() => {
            let message = format!(
                "{apex}: the database is older than keys/{}: the zone is signed with the keys that were in use last",
                files::stem(&apex)
            );
            inner.note(warning("keys-restored", message));
            (Some(copy), true)
        }
        Some(copy) => (Some(copy), false),
        None => (kept, false),
    };
    state.signs_anew = signs_anew;
    let signing = signing.filter(|kept| !kept.keys.is_unsigned());
    state.signing = signing.map(|kept| ZoneSigning::of_kept(state_dir, &apex, kept));
    state.overlay = Overlay::new(promoted);
    if let Some(end) = end {
        state.seq = end.seq;
        let cause = serde_json::from_str(&end.cause);
        state.last_change = cause.ok().map(|cause: Cause| LastChange {
            serial: end.to,
            cause,
            who: end.who,
            at_ms: end.at_ms,
        });
    }
    // A database restored from a backup may be behind what was published.
    let trace = door::copy_trace(&inner.options.state_dir, &apex);
    let known = state.row.as_ref().map(|row| row.high_water);
    let is_newer = |trace: &u32| known.is_some_and(|known| is_ahead(*trace, known));
    if let Some(trace) = trace {
        door::raise_mark(inner, apex.clone(), trace);
    }
    if let Some(trace) = trace.filter(is_newer).filter(|_| !inner.options.is_stand_in) {
        door::put_aside(inner, &apex, trace);
    }
    let mark = lock(&inner.marks).get(&apex).copied();
    if let (Some(row), Some(mark)) = (&mut state.row, mark) {
        row.high_water = later(row.high_water, mark);
    }
    Ok(())
}

/// Reads what the database keeps of a zone and restores the version that it says is live, unless that
/// was done before. `loaded` is the file, if there is one that can be read.
pub(super) fn recall(
    inner: &Inner,
    state: &mut ZoneState,
    loaded: Option<&Loaded>,
) -> Result<(), StoreError> {
    if state.is_recalled {
        return Ok(());
    }
    remember(inner, state)?;
    if let (Some(row), Some(loaded)) = (state.row.clone(), loaded) {
        state.foreign_file = foreign_file(inner, &row, loaded);
        let accepted = row.file_hash.as_deref() == Some(loaded.hash.as_str());
        let held = row.held_hash.as_deref() == Some(loaded.hash.as_str());
        // A signed version is not made anew from the file: its signatures are in the database.
        if accepted && !held && state.signing.is_none() {
            resumed(inner, state, loaded, row.serial)
                .into_iter()
                .for_each(|zone| state.serve(Version::plain(zone)));
        }
    }
    if inner.options.is_stand_in {
        match copied(inner, state) {
            Some(zone) => state.serve(as_served(state, zone)?),
            None => (state.zone, state.signed) = (None, None),
        }
    }
    if state.row.is_some()
        && state.zone.is_none()
        && let Some(zone) = restored(inner, state)?
    {
        state.serve(as_served(state, zone)?);
    }
    let is_signed = state.zone.as_ref().is_some_and(Zone::is_signed);
    let owns_serials = !is_signed && !state.source.is_secondary();
    if let Some(row) = state.row.as_mut().filter(|_| inner.is_restored && owns_serials) {
        row.high_water = row.high_water.wrapping_add(RESTORED_STEP);
    }
    state.is_recalled = true;
    Ok(())
}

/// The file, if another node published from another one: it may be an older one that nobody has copied here.
fn foreign_file(inner: &Inner, row: &ZoneRow, loaded: &Loaded) -> Option<ForeignFile> {
    let node = row.file_node.clone().filter(|node| *node != inner.options.node.name)?;
    let differs = row.file_hash.as_deref() != Some(loaded.hash.as_str());
    (differs && inner.store.is_shared()).then(|| ForeignFile { hash: loaded.hash.clone(), node })
}

/// The version that was served so.
fn as_served(state: &ZoneState, zone: Zone) -> Result<Version, StoreError> {
    match state.signing.as_ref().filter(|_| zone.is_signed()) {
        None => Ok(Version::plain(zone)),
        Some(signing) => {
            let stripped = signing.strip(&zone);
            // The serial that the primary gave a transfer is no part of what is served.
            let own = state.row.as_ref().and_then(|row| row.file_serial);
            let own = own.filter(|_| state.source.is_secondary());
            let content = stripped
                .and_then(|zone| with_serial(&zone, own.unwrap_or_else(|| zone.serial())))
                .map_err(|failed| StoreError::Corrupt(failed.to_string()))?;
            Ok(Version { signed: Some(zone.with_content(&content)), content })
        }
    }
}

/// The last accepted file merged with what requests put up, under the serial of the database;
/// `None` if today's checks refuse it.
fn resumed(inner: &Inner, state: &ZoneState, loaded: &Loaded, serial: u32) -> Option<Zone> {
    let file = loaded.zone.as_ref().filter(|_| loaded.guard.is_none())?;
    let merged = merge(&state.overlay, file).ok().filter(|merged| merged.clashes.is_empty())?;
    let (overlay, now_ms) = (&state.overlay, (inner.options.now_ms)());
    let subject = Subject { file, merged: &merged.zone, signer: state.signer() };
    let findings = whole(&state.source, loaded, overlay, &subject, now_ms);
    if findings.iter().any(Finding::is_error) {
        return None;
    }
    let mut zone = merged.zone;
    if state.has_own_zonemd() {
        return with_serial(&zone, serial).ok()?.with_zonemd().ok();
    }
    if !state.overlay.is_empty() || file.serial() != serial {
        let removed = zone.zonemd();
        if !removed.is_empty() {
            zone = zone.apply(&Delta { removed, added: Vec::new() }).ok()?;
        }
    }
    with_serial(&zone, serial).ok()
}

/// The version that the copy in `served/` holds, while a database stands in. What the lost one had given
/// out beyond it nobody knows, so it goes above every serial there is a trace of; a zone that was signed
/// elsewhere keeps its own.
fn copied(inner: &Inner, state: &mut ZoneState) -> Option<Zone> {
    let owns_serials = !state.source.is_secondary();
    let row = state.row.as_mut()?;
    let mut zone = door::read_copy(&inner.options.state_dir, &state.source.apex)?;
    if !zone.is_signed() && owns_serials {
        let newest = later(row.high_water, zone.serial());
        // No clock is believed without the database that knows when it was last.
        let serial = state.source.serial.next(newest, newest, None);
        let bare = Delta { removed: zone.zonemd(), added: Vec::new() };
        zone = with_serial(&zone.apply(&bare).ok()?, serial).ok()?;
    }
    row.serial = zone.serial();
    row.high_water = later(row.high_water, zone.serial());
    Some(zone)
}

/// The version that the database holds.
fn restored(inner: &Inner, state: &ZoneState) -> Result<Option<Zone>, StoreError> {
    let Some(row) = &state.row else { return Ok(None) };
    inner.store.read(|reader| version_in(reader, &state.source.apex, row))
}

/// The version of a zone that the database holds: the full copy and the changes behind it.
pub(super) fn version_in(
    reader: &Reader<'_>,
    apex: &Name,
    row: &ZoneRow,
) -> Result<Option<Zone>, StoreError> {
    let Some(copy_seq) = row.copy_seq else { return Ok(None) };
    let mut builder = ZoneBuilder::new(apex);
    let mut deltas = Vec::new();
    reader.zone_copy(apex, copy_seq, |blob| decode(blob, |record| builder.push(record)))?;
    reader.journal_after(apex, copy_seq, |_, blobs| {
        let blobs = blobs.ok_or_else(|| {
            StoreError::Corrupt(format!("{apex}: a change behind the copy has no delta"))
        })?;
        deltas
            .push(Delta { removed: decode_all(&blobs.removed)?, added: decode_all(&blobs.added)? });
        Ok(())
    })?;
    let Some(mut zone) = builder.finish().0 else { return Ok(None) };
    for delta in &deltas {
        zone = zone.apply(delta).map_err(|failed| StoreError::Corrupt(failed.to_string()))?;
    }
    if zone.serial() != row.serial {
        let text = format!("{apex}: the copy does not lead to the live serial");
        return Err(StoreError::Corrupt(text));
    }
    Ok(Some(zone))
}

/// Raises the serial of a zone whose database is behind what was published before, and says so. Returns
/// why its file is refused all the same, if it is.
fn catch_up(inner: &Inner, state: &ZoneState, prepared: &mut Prepared) -> Option<Guard> {
    let (Some(zone), Some(row)) = (&state.zone, &state.row) else { return None };
    let mark = lock(&inner.marks).get(&state.source.apex).copied();
    let trace = mark.filter(|mark| is_ahead(*mark, zone.serial()));
    // A zone that was signed elsewhere cannot be renumbered.
    if (trace.is_none() && !inner.is_restored) || zone.is_signed() {
        return None;
    }
    if let Some(trace) = trace {
        let message = format!(
            "{}: the serial {trace} was published, and the database only knows {}: it is older than what was \
             published",
            state.source.apex, row.serial
        );
        let finding = warning("serial-restored", message);
        prepared.findings.push(finding.clone());
        inner.note(finding);
    }
    let changes = matches!(&prepared.kind, Kind::Propose(proposal) if proposal.is_visible());
    if changes {
        return None;
    }
    let next = renumbered(zone).ok()?;
    let cause = Cause::Own { purpose: "serial after a restored database".to_owned() };
    let at_ms = (inner.options.now_ms)();
    let proposal = Proposal::new(Some(zone.clone()), next, cause, "gapura", at_ms);
    match std::mem::replace(&mut prepared.kind, Kind::Propose(Box::new(proposal))) {
        Kind::Done(Outcome::Refused { guard, .. }) => Some(guard),
        _ => None,
    }
}
