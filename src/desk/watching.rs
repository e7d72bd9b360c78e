//! The watch over the targets of live names (docs/procedure.md, "Targets are watched"): looks on schedule,
//! strikes, and what follows.
//!
//! ```text
//! each hour  ─► which names are served and point outside ─► watch: a moment of its own for each
//! each turn  ─► names that are due ─► a thread: one name after another ─► sights ─► strikes, notices
//! ```
//! A look holds no lock and no transaction. While nothing outside answers, not even what answered
//! before, we are cut off and not the targets: no strike is given. Nothing here runs by a doubted clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::probe::{Found, Target};
use super::{ActError, Desk};
use crate::ledger::{watch_of, with_watch};
use crate::lock::lock;
use crate::queue::time::{DAY_MS, is_recent};
use crate::queue::watch::{ADDRESSES_EVERY_MS, NAMES_EVERY_MS, next_slot};
use crate::queue::{Actor, Ground, Kind, LiveRecord, Place, Raised, Role, Sight, Warning};
use crate::store::watched::{WatchCounts, WatchRow};
use crate::store::{Reader, StoreError};
use crate::view::{TargetView, WatchView, rfc3339};
use crate::wire::Name;

/// How often it is looked which names there are, in milliseconds.
const SWEEP_MS: i64 = DAY_MS / 24;
/// Names read at once.
const BATCH: usize = 500;
/// Names of the operator's file that are watched at most: a zone of a registry is not an office's.
const FILE_NAMES_MAX: usize = 20_000;
/// Names looked at by one thread.
const LOOKS_MAX: usize = 20;
/// Names that answered before, looked at to know whether we are cut off.
const WITNESSES: usize = 3;
/// When a name is looked at again that nobody could see, in milliseconds.
const UNSEEN_MS: i64 = DAY_MS / 24;
/// Names with something wrong that are listed.
const WRONG_MAX: usize = 1_000;

/// What the watch remembers between turns.
#[derive(Default)]
pub(super) struct Lookout {
    /// When it was looked last which names there are.
    swept: Mutex<Option<i64>>,
    /// Whether a thread looks.
    looking: AtomicBool,
}

/// A name with what was found of its targets.
struct Looked {
    /// Its row.
    row: WatchRow,
    /// The live record.
    live: LiveRecord,
    /// The targets, with what came of each.
    found: Vec<(Target, Found)>,
}

/// The end of a thread that looks, also by a panic.
struct Landing<'a>(&'a AtomicBool);

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

//------------ Which names ---------------------------------------------------

impl Desk {
    /// One turn; costs next to nothing while no name is due.
    pub(super) fn watch_targets(&self) -> Result<(), ActError> {
        if !self.0.prober.is_enabled() {
            return Ok(());
        }
        let now = self.now();
        {
            let mut swept = lock(&self.0.lookout.swept);
            if swept.is_none_or(|at| !is_recent(at, now, SWEEP_MS - 1)) {
                self.sweep(now)?;
                *swept = Some(now);
            }
        }
        if self.read(|reader| Ok(reader.watches_due(now, 1)?))?.is_empty()
            || self.0.lookout.looking.swap(true, Ordering::AcqRel)
        {
            return Ok(());
        }
        #[cfg(test)]
        if self.0.prober.is_pretending() {
            let _landing = Landing(&self.0.lookout.looking);
            return self.look_at_due();
        }
        let desk = self.clone();
        let looking = std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
            let _landing = Landing(&desk.0.lookout.looking);
            if let Err(error) = desk.look_at_due() {
                tracing::warn!(%error, "the targets of live names could not be looked at");
            }
        });
        if let Err(error) = looking {
            self.0.lookout.looking.store(false, Ordering::Release);
            tracing::warn!(%error, "the targets of live names could not be looked at");
        }
        Ok(())
    }

    /// Brings the rows up to the names that are served: new ones get their moment, those with other
    /// targets begin anew, and those that are gone are forgotten.
    fn sweep(&self, now: i64) -> Result<(), ActError> {
        let wanted = self.to_be_watched(now)?;
        let mut kept: BTreeMap<String, WatchRow> = BTreeMap::new();
        let mut after = String::new();
        loop {
            let rows = self.read(|reader| Ok(reader.watches_after(&after, BATCH)?))?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.name);
            kept.extend(rows.into_iter().map(|row| (row.name.clone(), row)));
        }
        let is_other = |row: &&WatchRow| {
            kept.get(&row.name)
                .is_none_or(|it| (&it.targets, it.every_ms) != (&row.targets, row.every_ms))
        };
        let changed: Vec<&WatchRow> = wanted.values().filter(is_other).collect();
        let gone: Vec<&String> = kept.keys().filter(|name| !wanted.contains_key(*name)).collect();
        for rows in changed.chunks(BATCH) {
            self.0
                .ledger
                .store
                .write::<_, StoreError>(|tx| rows.iter().try_for_each(|row| tx.put_watch(row)))?;
        }
        for names in gone.chunks(BATCH) {
            self.0.ledger.store.write::<_, StoreError>(|tx| {
                names.iter().try_for_each(|name| tx.drop_watch(name))
            })?;
        }
        Ok(())
    }

    /// What is to be watched, each with a fresh row: names that are promised and served, and names of
    /// the operator's files.
    fn to_be_watched(&self, now: i64) -> Result<BTreeMap<String, WatchRow>, ActError> {
        let register = &self.0.register;
        let mut wanted = BTreeMap::new();
        let mut add = |live: &LiveRecord| {
            let targets = self.targets_of(live);
            if live.state().is_served() && !targets.is_empty() {
                let row = fresh_row(live, &targets, now);
                wanted.insert(row.name.clone(), row);
            }
        };
        let mut after = String::new();
        loop {
            let rows = self.read(|reader| Ok(reader.live_records(None, &after, BATCH)?))?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.name);
            for row in &rows {
                add(&self.0.ledger.open_live(row)?);
            }
        }
        let mut last: Option<Name> = None;
        for _ in 0..FILE_NAMES_MAX / BATCH {
            let names = self
                .read(|reader| Ok(register.unrequested_after(reader, last.as_ref(), BATCH)?))?;
            let Some(end) = names.last() else { break };
            last = Some(end.name.clone());
            names.iter().for_each(&mut add);
        }
        Ok(wanted)
    }

    /// What a live record points at, as far as it may be probed.
    fn targets_of(&self, live: &LiveRecord) -> Vec<Target> {
        let place = Place { name: live.name.clone(), zone: live.zone.clone() };
        self.0.prober.targets(&place, live.records.iter())
    }
}

/// Targets as a row has them: a line each, in an order of their own, so that another order of records is no
/// other target.
fn texts_of(targets: &[Target]) -> String {
    let texts: BTreeSet<String> = targets.iter().map(Target::text).collect();
    texts.into_iter().collect::<Vec<_>>().join("\n")
}

/// A row of a name that nothing is known of yet.
fn fresh_row(live: &LiveRecord, targets: &[Target], now: i64) -> WatchRow {
    let name = live.name.to_string();
    let leaves = targets.iter().any(|target| !matches!(target, Target::Address(_)));
    let every_ms = if leaves { NAMES_EVERY_MS } else { ADDRESSES_EVERY_MS };
    WatchRow {
        zone: live.zone.to_string(),
        targets: texts_of(targets),
        every_ms,
        next_ms: next_slot(&name, every_ms, now),
        name,
        ..WatchRow::default()
    }
}

//------------ Looking -------------------------------------------------------

impl Desk {
    /// Looks at the names that are due, one after another, and takes in what was seen.
    fn look_at_due(&self) -> Result<(), ActError> {
        let rows = self.read(|reader| Ok(reader.watches_due(self.now(), LOOKS_MAX)?))?;
        let mut looked = Vec::new();
        for row in rows {
            looked.extend(self.look_at(row)?);
        }
        let is_down = |it: &Looked| sight_of(&it.found) == Some(Sight::Down);
        let is_cut_off = looked.iter().any(is_down) && self.is_cut_off(&looked)?;
        if is_cut_off {
            tracing::warn!("nothing outside answers: no target is held to be down");
        }
        for it in looked {
            let sight = sight_of(&it.found).filter(|sight| *sight != Sight::Down || !is_cut_off);
            let name = it.row.name.clone();
            if let Err(error) = self.take_sight(it, sight) {
                tracing::error!(name, %error, "what was seen of a target could not be kept");
            }
        }
        Ok(())
    }

    /// Looks at the targets of a name; nothing where it is not served or points elsewhere by now.
    fn look_at(&self, row: WatchRow) -> Result<Option<Looked>, ActError> {
        let ledger = &self.0.ledger;
        let place = Place::read(&row.name, &row.zone);
        let live =
            place.map(|place| self.read(|reader| Ok(self.0.register.live(reader, &place)?)));
        let live = live.transpose()?.filter(|live| live.state().is_served());
        let targets = live.as_ref().map(|live| self.targets_of(live)).unwrap_or_default();
        let Some(live) = live.filter(|_| !targets.is_empty()) else {
            ledger.store.write::<_, StoreError>(|tx| tx.drop_watch(&row.name))?;
            return Ok(None);
        };
        let fresh = fresh_row(&live, &targets, self.now());
        if fresh.targets != row.targets {
            ledger.store.write::<_, StoreError>(|tx| tx.put_watch(&fresh))?;
            return Ok(None);
        }
        let found = self.0.prober.look(&targets, row.name.trim_end_matches('.'));
        Ok(Some(Looked { row, live, found: targets.into_iter().zip(found).collect() }))
    }

    /// Whether it is us who cannot reach anything: nothing answers of what was looked at, nor of a few
    /// names that answered before. Where there are none, a recursive server must answer.
    fn is_cut_off(&self, looked: &[Looked]) -> Result<bool, ActError> {
        let answers = |found: &[(Target, Found)]| found.iter().any(|(_, it)| is_answer(*it));
        if looked.iter().any(|it| answers(&it.found)) {
            return Ok(false);
        }
        let rows = self.read(|reader| Ok(reader.watch_witnesses(self.now(), WITNESSES)?))?;
        if rows.is_empty() {
            // Where targets that were fine fail together and nothing else is watched, it is hardly they.
            let fine = looked.iter().filter(|it| watch_of(&it.row).is_clear());
            let fine: BTreeSet<&str> = fine.map(|it| it.row.targets.as_str()).collect();
            return Ok(fine.len() > 1 || !self.0.prober.resolves());
        }
        for row in rows {
            if self.look_at(row)?.is_some_and(|it| answers(&it.found)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes in what was seen of a name; none if nobody could tell.
    fn take_sight(&self, looked: Looked, sight: Option<Sight>) -> Result<(), ActError> {
        let Looked { row, live, found } = looked;
        let now = self.now();
        let before = watch_of(&row);
        let mut watch = before.clone();
        let warning = sight.and_then(|sight| watch.see(sight, now));
        let next_ms = match sight {
            Some(_) => watch.next(&row.name, row.every_ms, now),
            None => now + UNSEEN_MS,
        };
        let lines: Vec<String> = found
            .iter()
            .map(|(target, found)| format!("{} {}", found.word(), target.text()))
            .collect();
        let wrong = |(_, found): &&(Target, Found)| matches!(found, Found::Down | Found::Claimable);
        let targets: Vec<String> = match warning {
            Some(Warning::Mended) => found.iter().map(|(target, _)| target.text()).collect(),
            _ => found.iter().filter(wrong).map(|(target, _)| target.text()).collect(),
        };
        let kept = WatchRow { next_ms, looked_ms: Some(now), found: lines.join("\n"), ..row };
        let mut kept = with_watch(kept, &watch);
        kept.request = kept.request.filter(|_| !watch.is_clear());
        let (ledger, register) = (&self.0.ledger, &self.0.register);
        let place = Place::new(&live.name, &live.zone);
        let is_so_still = ledger.store.write::<_, ActError>(|tx| {
            // A look takes its time: what points elsewhere by now was not looked at.
            if !self.points_at(&register.live(tx, &place)?, &kept.targets) {
                return Ok(false);
            }
            tx.put_watch(&kept)?;
            if let Some(warning) = warning {
                ledger.warn_of_target(tx, &live, warning, (&before, &watch), &targets)?;
            }
            Ok(true)
        })?;
        if is_so_still { self.follow_up_look(kept, sight) } else { Ok(()) }
    }

    /// What the state of a watch calls for after a look. It is decided anew with each, so that what a crash
    /// or somebody's open request kept from being done is done a day later.
    fn follow_up_look(&self, row: WatchRow, sight: Option<Sight>) -> Result<(), ActError> {
        let watch = watch_of(&row);
        match sight {
            Some(Sight::Claimable) if watch.urgent && self.settings().auto_suspend => {
                let is_so_still = |live: &LiveRecord| self.points_at(live, &row.targets);
                self.suspend_by_rule(&row.name, "probe.auto_suspend", is_so_still)
            }
            // The officers decide on it like on any other request.
            Some(Sight::Down) if watch.strikes >= 3 && row.request.is_none() => {
                let since = watch.since.unwrap_or_else(|| self.now());
                let raised = Raised { cause: Ground::Unreachable, since };
                let Some(place) = Place::read(&row.name, &row.zone) else { return Ok(()) };
                let request = self.raise(&place, Kind::Suspend, raised)?;
                if request.is_some() {
                    let row = WatchRow { request, ..row };
                    self.0.ledger.store.write::<_, StoreError>(|tx| tx.put_watch(&row))?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether a name is served and points at these targets.
    fn points_at(&self, live: &LiveRecord, targets: &str) -> bool {
        live.state().is_served() && texts_of(&self.targets_of(live)) == targets
    }
}

/// What the targets of a name come to: claimable if one is, down if none of a kind answers; none if
/// nobody could tell.
fn sight_of(found: &[(Target, Found)]) -> Option<Sight> {
    if found.iter().any(|(_, it)| *it == Found::Claimable) {
        return Some(Sight::Claimable);
    }
    let mut is_unseen = false;
    for kind in found.iter().map(|(target, _)| std::mem::discriminant(target)) {
        let of_kind = || found.iter().filter(|(target, _)| std::mem::discriminant(target) == kind);
        if of_kind().all(|(_, it)| *it == Found::Down) {
            return Some(Sight::Down);
        }
        is_unseen |= !of_kind().any(|(_, it)| is_answer(*it) || *it == Found::Private);
    }
    (!is_unseen).then_some(Sight::Up)
}

/// Whether something outside answered.
fn is_answer(found: Found) -> bool {
    matches!(found, Found::Up | Found::Claimable)
}

//------------ Showing -------------------------------------------------------

impl Desk {
    /// What is seen of the targets of a name; none if it is not watched.
    pub(super) fn watch_view(
        &self,
        reader: &Reader<'_>,
        name: &str,
    ) -> Result<Option<WatchView>, ActError> {
        Ok(reader.watch(name)?.map(|row| view_of(&row)))
    }

    /// Names with something held against them, the most urgent first.
    pub fn targets_wrong(&self) -> Result<Vec<WatchView>, ActError> {
        let rows = self.read(|reader| Ok(reader.watches_wrong(WRONG_MAX)?))?;
        Ok(rows.iter().map(view_of).collect())
    }

    /// How many names are watched, and how many have something held against them.
    pub fn watch_counts(&self) -> Result<WatchCounts, ActError> {
        self.read(|reader| Ok(reader.watch_counts()?))
    }

    /// Has a name looked at with the next turn, by kabid, kasi or an administrator. A look that comes early is no
    /// strike.
    pub fn look_soon(&self, name: &str, actor: &Actor) -> Result<(), ActError> {
        let place = self.place_of(name).ok_or(ActError::NotFound)?;
        let now = self.now();
        self.0.ledger.store.write(|tx| {
            let actor = self.0.ledger.current(tx, actor)?;
            let by = actor.capacity_in(&[Role::Head, Role::Verifier, Role::Operator], now);
            by.ok_or(ActError::NotAllowed)?;
            let row = tx.watch(&place.name.to_string())?.ok_or(ActError::NotFound)?;
            Ok(tx.put_watch(&WatchRow { next_ms: now.min(row.next_ms), ..row })?)
        })
    }
}

/// What is seen of a name, to be shown.
fn view_of(row: &WatchRow) -> WatchView {
    let target = |line: &str| {
        let (found, target) = line.split_once(' ')?;
        let target = target.trim_end_matches('.').to_owned();
        Some(TargetView { target, found: found.to_owned() })
    };
    WatchView {
        name: row.name.clone(),
        strikes: row.strikes,
        urgent: row.urgent,
        claimable: row.claimable_ms.is_some(),
        since: row.since_ms.map(rfc3339),
        looked: row.looked_ms.map(rfc3339),
        next: rfc3339(row.next_ms),
        found: row.found.lines().filter_map(target).collect(),
        request: row.request.clone(),
    }
}
