//! A node that follows: it serves what another one publishes, as the database has it, and changes nothing there.
//!
//! ```text
//! zones    those that the publisher says it serves; they come and go with its list
//! version  full copy and journal at first, then the journal behind what is served; the whole again where the chain is
//!          broken
//! swap     one for all that was committed since the last look
//! ```
//! What is served never goes back: if the database has an older version than this node serves (it failed over and lost
//! changes), the newer one stays until the database is ahead of it. Copies and serials beside the database are written
//! as the publisher writes them, so that this node can start without the database, or go on as the publisher.
//! Operator's files are not looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::known;
use super::reload::report;
use super::restore::version_in;
use crate::lock::lock;
use crate::publish::door::{self, swap};
use crate::publish::state::serial::is_ahead;
use crate::publish::state::{
    Cause, Copied, Guard, Inner, Job, KeptKeys, LastChange, Listed, Options, Outcome, Publisher,
    Refusal, Slot, Version, ZoneSigning, ZoneSource, ZoneState, error,
};
use crate::store::journal::JournalRow;
use crate::store::nodes::ZoneHead;
use crate::store::records::decode_all;
use crate::store::signing::SigningRow;
use crate::store::zones::ZoneRow;
use crate::store::{Reader, Store, StoreError, is_unavailable};
use crate::text::with_causes;
use crate::wire::Name;
use crate::zone::{Delta, Entry, Zone};

//------------ Publisher -----------------------------------------------------

/// What a look at the database came to.
#[derive(Debug, Default)]
pub struct Progress {
    /// Whether zones came or went.
    pub came_or_went: bool,
    /// Zones of which the database has an older version than is served, with both serials.
    pub ahead: Vec<(Name, u32, u32)>,
}

/// What is put in and taken out of what is served.
#[derive(Default)]
struct Edit {
    /// Zones as they are served from now on.
    entries: Vec<Entry>,
    /// Zones that are not.
    gone: Vec<Name>,
}

impl Publisher {
    /// A publisher that follows: before [`catch_up`](Self::catch_up) was called it serves what it served last, as the
    /// copies beside the database have it.
    pub fn follow(store: Store, options: Options) -> Self {
        Self::with_copies(store, options, &[])
    }

    /// The same for as long as a database is away that other nodes may work on: the serials are theirs to raise, and what
    /// their operator's files and ours say is for them to decide. A zone of which no copy can be read is not served: its
    /// file would get a serial under which others serve something else. None if nothing was served here before.
    pub fn keep(options: Options, sources: &[ZoneSource]) -> Result<Option<Self>, StoreError> {
        if !Self::has_kept(&options.state_dir) {
            return Ok(None);
        }
        let options = Options { is_stand_in: true, ..options };
        let publisher = Self::with_copies(Store::away()?, options, sources);
        publisher.0.miss(sources);
        Ok(Some(publisher))
    }

    /// One that serves copies.
    fn with_copies(store: Store, options: Options, settings: &[ZoneSource]) -> Self {
        let marks = door::read_marks(&options.state_dir);
        let inner = Arc::new(Inner::new(store, options, marks));
        door::start(&inner);
        inner.take_copies(settings);
        Self(inner)
    }

    /// Whether zones were served from a database before.
    pub fn has_kept(state_dir: &Path) -> bool {
        known::is_there(state_dir) || !door::copied(state_dir).is_empty()
    }

    /// Serves what was committed since the last look. What was taken in before it failed is served all the same.
    pub fn catch_up(&self) -> (Progress, Result<(), StoreError>) {
        let inner = &*self.0;
        let (mut progress, mut edit) = (Progress::default(), Edit::default());
        let taken = inner.take_in(&mut progress, &mut edit);
        if !edit.entries.is_empty() || !edit.gone.is_empty() {
            swap(inner, &edit.gone, edit.entries);
        }
        if progress.came_or_went {
            known::write(inner);
        }
        self.look_at_leases();
        self.tell_secondaries();
        (progress, taken)
    }

    /// The private keys of signed zones that this node has not: it could not sign, should it publish.
    pub fn missing_keys(&self) -> Result<Vec<String>, StoreError> {
        let signed = self.0.all_slots().into_iter().filter(|slot| {
            let state = lock(&slot.state);
            state.served().is_some_and(Zone::is_signed)
        });
        let rows: Vec<(Name, SigningRow)> = self.0.store.read::<_, StoreError>(|reader| {
            let rows = signed.map(|slot| Ok((slot.apex.clone(), reader.signing(&slot.apex)?)));
            let rows: Result<Vec<_>, StoreError> = rows.collect();
            Ok(rows?.into_iter().filter_map(|(apex, row)| Some((apex, row?))).collect())
        })?;
        let (state_dir, mut missing) = (&self.0.options.state_dir, Vec::new());
        for (apex, row) in rows {
            let kept = KeptKeys::read(&apex, &row)?;
            if !kept.keys.is_unsigned() {
                missing.extend(ZoneSigning::of_kept(state_dir, &apex, kept).missing());
            }
        }
        Ok(missing)
    }

    /// Has the secondaries of zones told that changed.
    fn tell_secondaries(&self) {
        let Some(secondaries) = self.0.secondaries.get() else { return };
        for slot in self.0.all_slots() {
            let mut state = lock(&slot.state);
            let serial = state.serial();
            if state.announced != serial
                && let Some(serial) = serial
            {
                state.announced = Some(serial);
                secondaries.announce(&slot.apex, serial);
            }
        }
    }
}

//------------ The list ------------------------------------------------------

impl Inner {
    /// Serves the zones of the run before as their copies have them. Their list may be lost: then a zone is what the
    /// settings say.
    fn take_copies(&self, settings: &[ZoneSource]) {
        let state_dir = &self.options.state_dir;
        let copied = door::copied(state_dir).into_iter();
        let copied = copied.map(|apex| ZoneSource::new(apex, PathBuf::new()));
        let settings = settings.iter().cloned();
        let sources = sources_by_apex(copied.chain(settings).chain(known::read(state_dir).zones));
        let mut entries = Vec::new();
        let now_ms = (self.options.now_ms)();
        let refreshes = door::read_refreshes(state_dir);
        for source in sources.into_values() {
            let Some(zone) = door::read_copy(state_dir, &source.apex) else { continue };
            let slot = Slot::new(source);
            let mut state = lock(&slot.state);
            // What nobody knows, and nobody will say, counts from here.
            let otherwise = self.options.is_stand_in.then_some((now_ms, true));
            let kept = refreshes.get(&slot.apex).copied().or(otherwise).unzip();
            state.lease.learn(kept.0, kept.1.unwrap_or_default(), now_ms);
            state.serve_followed(zone);
            let is_over = state.expires_or_returns(now_ms);
            entries.extend(is_over.or_else(|| state.served().cloned().map(Entry::Loaded)));
            drop(state);
            lock(&self.slots).insert(slot.apex.clone(), Arc::new(slot));
        }
        swap(self, &[], entries);
    }

    /// Says of zones that there should be, and of which there is no copy, that they wait for the database.
    fn miss(&self, sources: &[ZoneSource]) {
        let known = known::read(&self.options.state_dir).zones;
        let mut missed = sources_by_apex(sources.iter().cloned().chain(known));
        missed.retain(|apex, _| self.slot(apex).is_err());
        let mut entries = Vec::new();
        for (apex, source) in missed {
            let began = Instant::now();
            let message = "there is no copy beside the database of what was served of the zone";
            let hint = "it is served again once the database is reached";
            let findings = vec![error("no-copy", message.to_owned(), hint)];
            let outcome = Outcome::Refused { serial: None, guard: Guard::Database };
            let report = report(&source, outcome, findings, began);
            let slot = Slot::new(source);
            lock(&slot.state).conclude(&report, (self.options.now_ms)());
            lock(&self.slots).insert(apex.clone(), Arc::new(slot));
            entries.push(Entry::NotLoaded(apex));
        }
        swap(self, &[], entries);
    }

    /// Takes in what was committed since the last look.
    fn take_in(&self, progress: &mut Progress, edit: &mut Edit) -> Result<(), StoreError> {
        let mut heads = BTreeMap::new();
        let (list, refreshes) = self.store.read::<_, StoreError>(|reader| {
            reader.zone_heads(|key, head| {
                heads.insert(key, head);
            })?;
            let by = reader.publishing()?.map(|node| node.token);
            Ok((Listed { by, zones: reader.served_zones()? }, reader.refreshes()?))
        })?;
        let refreshes: BTreeMap<String, i64> = refreshes.into_iter().collect();
        self.take_list(list, progress, edit)?;
        let mut has_news = false;
        for slot in self.all_slots() {
            let key = Reader::zone_key(&slot.apex);
            edit.entries.extend(self.follow_zone(&slot, heads.get(&key).copied())?);
            let mut state = lock(&slot.state);
            let known = state.lease.refreshed_ms;
            state.lease.learn(refreshes.get(&key).copied(), false, (self.options.now_ms)());
            has_news |= state.lease.refreshed_ms != known;
            if let (Some(served), Some(row)) = (state.serial(), &state.row)
                && is_ahead(served, row.serial)
            {
                progress.ahead.push((slot.apex.clone(), served, row.serial));
            }
        }
        if has_news {
            self.keep_refreshes();
        }
        Ok(())
    }

    /// Takes in the list of zones, if it is another one. A publisher that never got as far as to say what it serves does
    /// not take anything away, nor does a line that this build cannot read.
    fn take_list(
        &self,
        list: Listed,
        progress: &mut Progress,
        edit: &mut Edit,
    ) -> Result<(), StoreError> {
        let mut last = lock(&self.listed);
        let says_nothing = list.zones.is_empty() && (last.by != list.by || last.zones.is_empty());
        if says_nothing || *last == list {
            return Ok(());
        }
        let wanted = list.zones.iter().map(|(key, line)| {
            let unread = || StoreError::Corrupt(format!("how the publisher serves {key}"));
            let source = known::source(line).ok_or_else(unread)?;
            Ok((source.apex.clone(), source))
        });
        let mut wanted: BTreeMap<Name, ZoneSource> = wanted.collect::<Result<_, StoreError>>()?;
        for slot in self.all_slots() {
            let mut state = lock(&slot.state);
            match wanted.remove(&slot.apex) {
                Some(source) => {
                    progress.came_or_went |= state.source != source;
                    state.source = source;
                }
                None => {
                    state.is_gone = true;
                    lock(&self.slots).remove(&slot.apex);
                    edit.gone.push(slot.apex.clone());
                }
            }
        }
        progress.came_or_went |= !edit.gone.is_empty() || !wanted.is_empty();
        for (apex, source) in wanted {
            edit.entries.push(Entry::NotLoaded(apex.clone()));
            lock(&self.slots).insert(apex, Arc::new(Slot::new(source)));
        }
        *last = list;
        Ok(())
    }
}

//------------ One zone ------------------------------------------------------

/// What the database has of a zone behind what is served.
enum Behind {
    /// Changes, one after the other from the version that is served.
    Chain(Vec<Delta>),
    /// A version that is reached in no other way; none if it is not all there yet.
    Whole(Option<Zone>),
}

impl Inner {
    /// Brings a zone up to what the database has. Returns what is served of it from now on, if that is another version.
    fn follow_zone(
        &self,
        slot: &Slot,
        head: Option<ZoneHead>,
    ) -> Result<Option<Entry>, StoreError> {
        let mut state = lock(&slot.state);
        let known = state.row.as_ref().map(ZoneRow::head);
        if head.is_none() || known == head && state.refusal.is_none() && state.zone.is_some() {
            return Ok(None);
        }
        let was = state.serial();
        match self.take_rows(&mut state) {
            Ok(()) => state.refusal = None,
            // It is so for all of them.
            Err(failed) if is_unavailable(&failed) => return Err(failed),
            Err(failed) => refuse(&mut state, &failed, (self.options.now_ms)()),
        }
        let Some(zone) = state.served().filter(|zone| Some(zone.serial()) != was).cloned() else {
            return Ok(None);
        };
        let serial = zone.serial();
        tracing::info!(zone = %slot.apex, serial, "followed");
        self.jobs.send(Job::Mark(slot.apex.clone(), serial));
        self.jobs.send(Job::Copy(slot.apex.clone()));
        // One that has expired comes back with its refresh.
        Ok((!state.lease.is_expired).then_some(Entry::Loaded(zone)))
    }

    /// Takes over what the database has of a zone.
    fn take_rows(&self, state: &mut ZoneState) -> Result<(), StoreError> {
        let apex = state.source.apex.clone();
        let read = self.store.read::<_, StoreError>(|reader| {
            let Some(row) = reader.zone(&apex)? else { return Ok(None) };
            let end = reader.journal_end(&apex)?;
            let behind = behind(reader, state, &row)?;
            Ok(Some((row, end, behind)))
        })?;
        let Some((row, end, behind)) = read else { return Ok(()) };
        let served = state.serial();
        let is_older = served.is_some_and(|served| is_ahead(served, row.serial));
        if !is_older {
            match behind {
                Behind::Chain(deltas) => self.apply(state, &deltas)?,
                Behind::Whole(zone) => {
                    if let Some(zone) = zone.or_else(|| self.copied(state, &row)) {
                        state.copied = Copied::default();
                        state.serve_followed(zone);
                    }
                }
            }
            state.seq = end.as_ref().map_or(0, |end| end.seq);
            state.last_change = end.and_then(last_change);
        }
        state.file_serial = row.file_serial;
        state.row = Some(row);
        Ok(())
    }

    /// Applies changes to what is served.
    fn apply(&self, state: &mut ZoneState, deltas: &[Delta]) -> Result<(), StoreError> {
        let Some(mut zone) = state.served().cloned() else { return Ok(()) };
        for delta in deltas {
            zone = zone.apply(delta).map_err(|failed| StoreError::Corrupt(failed.to_string()))?;
            let records = delta.removed.len() + delta.added.len();
            // What was folded into the copy last is not all any more.
            state.copied.octets += records as u64;
        }
        if !deltas.is_empty() {
            state.serve_change(version(zone), (self.options.now_ms)());
        }
        Ok(())
    }

    /// The version beside the database, if that is the newer one.
    fn copied(&self, state: &ZoneState, row: &ZoneRow) -> Option<Zone> {
        let copy = door::read_copy(&self.options.state_dir, &state.source.apex)?;
        (copy.serial() == row.serial || is_ahead(copy.serial(), row.serial)).then_some(copy)
    }
}

/// Zones by their apex.
fn sources_by_apex(sources: impl IntoIterator<Item = ZoneSource>) -> BTreeMap<Name, ZoneSource> {
    sources.into_iter().map(|source| (source.apex.clone(), source)).collect()
}

impl ZoneState {
    /// Serves a version, whose time is brought down by `look_at_leases` if it is a secondary zone.
    fn serve_followed(&mut self, zone: Zone) {
        let is_secondary = self.source.is_secondary();
        let left = &self.lease.left;
        self.serve(version(if is_secondary { zone.with_time_left(left.clone()) } else { zone }));
    }
}

/// A version as it is served; nobody here edits its content.
fn version(zone: Zone) -> Version {
    Version { signed: zone.is_signed().then(|| zone.clone()), content: zone }
}

/// The last change, from the end of the journal.
fn last_change(end: JournalRow) -> Option<LastChange> {
    let cause: Cause = serde_json::from_str(&end.cause).ok()?;
    Some(LastChange { serial: end.to, cause, who: end.who, at_ms: end.at_ms })
}

/// What the database has of a zone behind what is served.
fn behind(reader: &Reader<'_>, state: &ZoneState, row: &ZoneRow) -> Result<Behind, StoreError> {
    let apex = &state.source.apex;
    if state.serial() == Some(row.serial) {
        return Ok(Behind::Chain(Vec::new()));
    }
    let (mut at, mut serial) = (state.seq, state.serial());
    let (mut deltas, mut is_chain) = (Vec::new(), serial.is_some());
    if is_chain {
        reader.journal_after(apex, state.seq, |change, blobs| {
            is_chain &= change.seq == at + 1 && change.from == serial && blobs.is_some();
            (at, serial) = (change.seq, Some(change.to));
            if let Some(blobs) = blobs.filter(|_| is_chain) {
                deltas.push(Delta {
                    removed: decode_all(&blobs.removed)?,
                    added: decode_all(&blobs.added)?,
                });
            }
            Ok(())
        })?;
    }
    if is_chain && serial == Some(row.serial) {
        return Ok(Behind::Chain(deltas));
    }
    version_in(reader, apex, row).map(Behind::Whole)
}

/// Notes why a zone cannot be followed; what is served of it stays.
fn refuse(state: &mut ZoneState, failed: &StoreError, at_ms: i64) {
    let finding = error(
        "not-followed",
        format!("{}: {}", state.source.apex, with_causes(failed)),
        "look at the log of the node that publishes; it is tried again",
    );
    let findings = vec![finding];
    if state.refusal.as_ref().is_none_or(|refusal| refusal.findings != findings) {
        findings.iter().for_each(|finding| tracing::error!("{finding}"));
        state.refusal = Some(Refusal { at_ms, guard: Guard::Database, findings });
    }
}
