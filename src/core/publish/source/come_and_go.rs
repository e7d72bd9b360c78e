//! Zones that are added and removed: by the settings at startup and at a reload, by a command, and
//! by their files.
//!
//! ```text
//! named by the settings        loaded, or loaded again if its file or its checks changed
//! named twice                  stays as it is, until one claim is gone
//! no longer named              stays as it is, until somebody confirms the removal
//! ```
//!
//! A zone that was served is never lost by mistake, neither through an emptied directory nor through a line
//! missing from the settings. `state/zones` records what was served last, so that a start knows it, too.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Instant;

use super::compile::Pace;
use super::directory::still_claims;
use super::early::Early;
use super::members::Past;
use super::reload::{reload_all, report};
use super::restore::RESTORED_STEP;
use super::{known, members};
use crate::catalog;
use crate::lock::lock;
use crate::master::{Finding, Severity};
use crate::publish::door::{self, swap};
use crate::publish::state::{
    By, Claims, Frozen, Inner, Options, Outcome, PublishError, Publisher, ReloadReport, Slot,
    Sources, ZoneSource, ZoneState, warning,
};
use crate::store::Store;
use crate::wire::Name;

/// The claims of each name, in the order of the settings.
type Wanted = BTreeMap<Name, Vec<ZoneSource>>;

//------------ Open and change sources ---------------------------------------

impl Publisher {
    /// Loads all zones; what is refused is in the reports, and served from the database if it can be.
    pub fn open(
        store: Store,
        sources: impl Into<Sources>,
        options: Options,
    ) -> Result<(Self, Vec<ReloadReport>), PublishError> {
        Self::open_early(store, sources, options, Early::default())
    }

    /// The same, with a file that is being loaded already.
    pub fn open_early(
        store: Store,
        sources: impl Into<Sources>,
        options: Options,
        early: Early,
    ) -> Result<(Self, Vec<ReloadReport>), PublishError> {
        let marks = door::read_marks(&options.state_dir);
        let known = known::read(&options.state_dir);
        let is_other = known.is_other_database(&store);
        let mut inner = Inner::new(store, options, marks);
        let is_copy = is_other || door::are_marks_copied(&inner.options.state_dir);
        inner.is_restored = is_copy && !inner.options.is_stand_in;
        let inner = Arc::new(inner);
        door::start(&inner);
        if inner.is_restored {
            inner.note(restored());
        }
        let publisher = Self(inner);
        let reports =
            publisher.take_sources(sources.into(), Some((known.zones, early)), &By::gapura());
        Ok((publisher, reports))
    }

    /// Makes these the zones that are served: adds and, where a file's path or the checks changed, loads
    /// again. A zone that is missing goes if `by` forces it, and else goes on as it is. The reports
    /// are of the zones that this concerned.
    pub fn set_sources(&self, sources: impl Into<Sources>, by: &By) -> Vec<ReloadReport> {
        self.take_sources(sources.into(), None, by)
    }

    /// What `ctl reload` and SIGHUP do: these are the zones from now on, and each file is looked at
    /// once.
    pub fn reload_sources(&self, sources: impl Into<Sources>, by: &By) -> Vec<ReloadReport> {
        let mut reports = self.set_sources(sources, by);
        let done: BTreeSet<Name> = reports.iter().map(|report| report.zone.clone()).collect();
        let rest: Vec<Arc<Slot>> = {
            let slots = lock(&self.0.slots);
            slots.values().filter(|slot| !done.contains(&slot.apex)).cloned().collect()
        };
        // A manifest may bring back a zone that is done; then its second report is no news.
        let again = reload_all(&self.0, &rest, Pace::Patient, by);
        reports.extend(again.into_iter().filter(|report| !done.contains(&report.zone)));
        reports.sort_by(|a, b| a.zone.cmp(&b.zone));
        reports
    }

    /// The zones that go on although the settings have lost them.
    pub fn left(&self) -> HashSet<Name> {
        let slots = self.0.all_slots();
        let left = slots.iter().filter(|slot| lock(&slot.state).has_left());
        left.map(|slot| slot.apex.clone()).collect()
    }

    /// Takes over what the settings say; at a start with the zones of the run before, and a file that is being loaded.
    fn take_sources(
        &self,
        sources: Sources,
        start: Option<(Vec<ZoneSource>, Early)>,
        by: &By,
    ) -> Vec<ReloadReport> {
        let began = Instant::now();
        for finding in &sources.findings {
            match finding.severity {
                Severity::Error => tracing::error!("{finding}"),
                Severity::Warning => tracing::warn!("{finding}"),
            }
        }
        lock(&self.0.findings).clone_from(&sources.findings);
        let mut wanted = Wanted::new();
        for source in sources.zones.iter().cloned() {
            wanted.entry(source.apex.clone()).or_default().push(source);
        }
        let claims = Claims::new(&sources);
        let mut reports = self.0.missing(&wanted, &claims, by, began);
        let past = if start.is_some() { Past::Served } else { Past::Forgotten };
        let (known, early) = start.unwrap_or_default();
        let left: Vec<ZoneSource> =
            known.into_iter().filter(|source| !wanted.contains_key(&source.apex)).collect();
        self.0.list_members(&mut wanted, &left);
        let members = members::go_on(&left, |catalog| consumes(&wanted, catalog));
        let before = |source: ZoneSource| {
            if members.contains_key(&source.apex) {
                Arc::new(Slot::new(source))
            } else {
                left_before(source, &claims)
            }
        };
        let mut new: Vec<Arc<Slot>> = left.into_iter().map(before).collect();
        let mut changed = Vec::new();
        for (apex, mut claims) in wanted {
            let slot = lock(&self.0.slots).get(&apex).cloned();
            match (slot, claims.len()) {
                (None, _) => new.extend(new_slot(claims)),
                (Some(slot), 1) => {
                    let source = claims.pop();
                    if source.is_some_and(|source| lock(&slot.state).take_source(source)) {
                        changed.push(slot);
                    }
                }
                (Some(slot), _) => {
                    let frozen = Frozen::doubled(&apex, claims);
                    reports.push(self.0.freeze(&slot, frozen, began));
                }
            }
        }
        reports.extend(self.0.start_all(&new, &early));
        if !changed.is_empty() {
            reports.extend(reload_all(&self.0, &changed, Pace::Patient, by));
        }
        self.0.consume_all(past, by);
        known::write(&self.0);
        reports.sort_by(|a, b| a.zone.cmp(&b.zone));
        reports
    }
}

/// Whether a zone of the settings is a catalog whose members are served.
fn consumes(wanted: &Wanted, catalog: &Name) -> bool {
    wanted.get(catalog).is_some_and(|claims| claims.iter().any(|source| source.consume))
}

/// What is wrong with zones of one name, for a check that loads nothing.
pub fn doubled(zones: &[ZoneSource]) -> Vec<Finding> {
    let mut claims = Wanted::new();
    for source in zones {
        claims.entry(source.apex.clone()).or_default().push(source.clone());
    }
    claims.retain(|_, claims| claims.len() > 1);
    claims.into_iter().map(|(apex, claims)| Frozen::doubled(&apex, claims).finding).collect()
}

/// A database that is another file than before, or stands among files that are.
fn restored() -> Finding {
    let message = format!(
        "the files of the state are others than at the last run, a copy put back or moved: the database may \
         not know the newest serials, so those of all zones go up by {RESTORED_STEP}"
    );
    let hint = "if higher serials were published since the copy: gapura zone serial ZONE --floor N";
    Finding { hint: Some(hint.to_owned()), ..warning("database-restored", message) }
}

/// A place for a zone that was served in a run before and is not in the settings.
fn left_before(source: ZoneSource, claims: &Claims<'_>) -> Arc<Slot> {
    let slot = Slot::new(source.clone());
    lock(&slot.state).frozen = Some(Frozen::left(source, claims));
    Arc::new(slot)
}

/// A place for a zone that is not known yet; the first of two claims is its file.
fn new_slot(claims: Vec<ZoneSource>) -> Option<Arc<Slot>> {
    let slot = Slot::new(claims.first()?.clone());
    if claims.len() > 1 {
        let frozen = Frozen::doubled(&slot.apex, claims);
        lock(&slot.state).frozen = Some(frozen);
    }
    Some(Arc::new(slot))
}

//------------ Freezing and letting go ---------------------------------------

impl Inner {
    /// Keeps the zones that are not wanted any more, or lets them go if that is forced. One that never
    /// was served goes by itself.
    fn missing(
        &self,
        wanted: &Wanted,
        claims: &Claims<'_>,
        by: &By,
        began: Instant,
    ) -> Vec<ReloadReport> {
        let slots: Vec<Arc<Slot>> = {
            let slots = lock(&self.slots);
            let missing = slots.iter().filter(|(apex, _)| !wanted.contains_key(*apex));
            missing.map(|(_, slot)| Arc::clone(slot)).collect()
        };
        let mut reports = Vec::new();
        for slot in slots {
            let (is_served, source) = {
                let state = lock(&slot.state);
                (state.zone.is_some(), state.source.clone())
            };
            if let Some(listing) = &source.listing
                && (consumes(wanted, &listing.catalog) || !wanted.contains_key(&listing.catalog))
            {
                // It comes and goes with its catalog.
                continue;
            }
            reports.push(if is_served && !by.force {
                self.freeze(&slot, Frozen::left(source, claims), began)
            } else {
                self.let_go(&slot, began)
            });
        }
        reports
    }

    /// Leaves a zone as it is until it is clear again what is to be served.
    fn freeze(&self, slot: &Slot, frozen: Frozen, began: Instant) -> ReloadReport {
        let mut state = lock(&slot.state);
        let outcome = Outcome::Refused { serial: state.serial(), guard: frozen.guard };
        let report = report(&state.source, outcome, vec![frozen.finding.clone()], began);
        state.frozen = Some(frozen);
        state.conclude(&report, (self.options.now_ms)());
        report
    }

    /// Takes a zone out of service. Its history and its serials stay.
    pub(super) fn let_go(&self, slot: &Slot, began: Instant) -> ReloadReport {
        lock(&self.slots).remove(&slot.apex);
        // Whoever holds the lock finishes first; whoever waits for it finds the zone gone.
        let mut state = lock(&slot.state);
        state.is_gone = true;
        swap(self, std::slice::from_ref(&slot.apex), Vec::new());
        let report = report(&state.source, Outcome::Removed, Vec::new(), began);
        report.note();
        let is_catalog = state.source.consume;
        drop(state);
        if is_catalog {
            for member in self.slots_of(&slot.apex) {
                drop(self.let_go(&member, began));
            }
        }
        report
    }

    /// Settles zones that are frozen: those go that left the settings, if somebody confirms it, and those
    /// go on from their file of which it is clear again which one that is. Returns the others, and
    /// the reports of those that went.
    pub(super) fn settle(
        &self,
        slots: &[Arc<Slot>],
        by: &By,
    ) -> (Vec<Arc<Slot>>, Vec<ReloadReport>) {
        let (mut stay, mut reports) = (Vec::with_capacity(slots.len()), Vec::new());
        for slot in slots {
            let goes = {
                let mut state = lock(&slot.state);
                state.thaw();
                by.force && state.has_left()
            };
            if goes {
                tracing::warn!(zone = %slot.apex, who = by.who, "taken out of service");
                reports.push(self.let_go(slot, Instant::now()));
            } else {
                stay.push(Arc::clone(slot));
            }
        }
        if !reports.is_empty() {
            self.unlist(&reports);
            known::write(self);
            // A catalog may have waited for the name.
            self.consume_all(Past::Forgotten, &By::gapura());
        }
        (stay, reports)
    }

    /// Takes zones that went out of the catalogs that list them.
    fn unlist(&self, gone: &[ReloadReport]) {
        let slots = self.all_slots();
        let sources = || slots.iter().map(|slot| lock(&slot.state).source.clone());
        let mut made = Wanted::new();
        sources().filter(ZoneSource::is_made).for_each(|source| {
            made.insert(source.apex.clone(), vec![source]);
        });
        if made.is_empty() {
            return;
        }
        self.list_members(&mut made, &[]);
        for source in made.into_values().flatten() {
            let slot = slots.iter().find(|slot| slot.apex == source.apex);
            let Some(slot) = slot.filter(|slot| lock(&slot.state).take_source(source)) else {
                continue;
            };
            // Somebody has confirmed that they are to go.
            let by = By { force: true, ..By::gapura() };
            let reports = reload_all(self, std::slice::from_ref(slot), Pace::Patient, &by);
            let word = |report: &ReloadReport| format!("{} ({})", report.zone, report.result());
            let words: Vec<String> = reports.iter().map(word).collect();
            tracing::info!(zones = gone.len(), catalogs = words.join(" "), "left the catalog");
        }
    }

    /// Lists in the catalog zones that we make whatever names them as its catalog: zones that are wanted, and
    /// those that go on although the settings have lost them.
    fn list_members(&self, wanted: &mut Wanted, left: &[ZoneSource]) {
        if !wanted.values().flatten().any(ZoneSource::is_made) {
            return;
        }
        let slots = self.all_slots();
        let go_on = slots.iter().filter(|slot| !wanted.contains_key(&slot.apex));
        let go_on: Vec<ZoneSource> = go_on.map(|slot| lock(&slot.state).source.clone()).collect();
        let mut members: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
        for source in wanted.values().flatten().chain(&go_on).chain(left) {
            if let Some(catalog) = &source.catalog {
                members.entry(catalog.clone()).or_default().insert(source.apex.clone());
            }
        }
        for source in wanted.values_mut().flatten().filter(|source| source.is_made()) {
            let members = members.get(&source.apex).into_iter().flatten();
            source.text = Some(catalog::text(members).into());
        }
    }
}

impl ZoneState {
    /// Takes the settings of a zone. Returns whether they changed.
    fn take_source(&mut self, source: ZoneSource) -> bool {
        let was_frozen = self.frozen.take().is_some();
        let before = std::mem::replace(&mut self.source, source);
        was_frozen || before != self.source
    }

    /// Whether the zone left the settings.
    fn has_left(&self) -> bool {
        self.frozen.as_ref().is_some_and(|frozen| frozen.claims.len() == 1)
    }

    /// Whether the zone left the settings and nothing is known of it.
    pub(super) fn is_unknown_and_left(&self) -> bool {
        self.has_left() && self.zone.is_none()
    }

    /// What the zone is to be loaded from, now that files came or went by which it is clear again.
    pub(super) fn thawed(&self) -> Option<ZoneSource> {
        let frozen = self.frozen.as_ref()?;
        // A [[zone]] comes and goes with the settings only, and so does a file of another directory.
        if self.has_left() && !frozen.comes_back {
            return None;
        }
        let stands = |source: &&ZoneSource| !source.by_file || still_claims(&source.file);
        let mut standing = frozen.claims.iter().filter(stands);
        let first = standing.next()?;
        standing.next().is_none().then(|| first.clone())
    }

    /// Goes on from the file if it is clear again which one that is.
    fn thaw(&mut self) {
        if let Some(source) = self.thawed() {
            self.take_source(source);
        }
    }
}
