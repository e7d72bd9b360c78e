//! Catalog zones that are consumed (RFC 9432): their members are secondary zones with the same primaries,
//! added and removed with the catalog.
//!
//! ```text
//! listed, unknown           a secondary zone, transferred at once; what was served under its name before
//!                           was another zone, except at a start
//! listed, in the settings   stays what it is; a finding
//! listed by another, too    stays there, unless that one hands it over (`coo`)
//! listed under a new label  reset: not served until the next transfer
//! no longer listed          removed; many at once wait until somebody confirms it
//! the catalog is broken     everything stays as it is; a finding
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use super::early::Early;
use super::known;
use crate::catalog::{self, Member};
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::door::swap;
use crate::publish::state::{
    By, Inner, Listing, Publisher, Slot, ZoneSource, ZoneState, error, warning,
};
use crate::store::StoreError;
use crate::store::zones::ZoneRow;
use crate::wire::Name;
use crate::zone::Entry;

/// Members that one catalog may have.
const MEMBERS_MAX: usize = 100_000;
/// More than this part of the members, in percent, may not go at once …
const SHRINK_PERCENT: usize = 30;
/// … if they are more than this many.
const SHRINK_MEMBERS: usize = 10;

impl Publisher {
    /// The catalog zone of each zone that is a member of one that is consumed.
    pub fn members(&self) -> HashMap<Name, Name> {
        let slots = self.0.all_slots();
        let listing = |slot: &Arc<Slot>| lock(&slot.state).source.listing.clone();
        let pairs = slots.iter().filter_map(|slot| Some((slot.apex.clone(), listing(slot)?)));
        pairs.map(|(apex, listing)| (apex, listing.catalog)).collect()
    }
}

impl Inner {
    /// Brings the members of every catalog that is consumed up to what it says.
    pub(super) fn consume_all(&self, past: Past, by: &By) {
        let slots = self.all_slots();
        let catalogs = slots.iter().filter(|slot| lock(&slot.state).source.consume);
        catalogs.for_each(|slot| self.consume_with(&slot.apex, past, by));
    }

    /// Brings the members of a catalog up to what it says while the daemon runs.
    pub(super) fn consume(&self, catalog: &Name, by: &By) {
        self.consume_with(catalog, Past::Forgotten, by);
    }

    /// Brings the members of a catalog up to what it says.
    fn consume_with(&self, catalog: &Name, past: Past, by: &By) {
        let _one_at_a_time = lock(&self.consuming);
        let Ok(slot) = self.slot(catalog) else { return };
        let (zone, primaries) = {
            let state = lock(&slot.state);
            let is_good = state.source.consume && state.frozen.is_none() && !state.lease.is_expired;
            let Some(zone) = state.zone.clone().filter(|_| is_good) else { return };
            (zone, state.source.primaries.clone())
        };
        let mut findings = Vec::new();
        match catalog::members(&zone) {
            Ok(members) if members.len() > MEMBERS_MAX => {
                findings.push(too_large(catalog, members.len()));
            }
            Ok(members) => {
                let change = Consuming {
                    inner: self,
                    catalog,
                    primaries,
                    past,
                    by,
                    findings: Vec::new(),
                    gifts: HashMap::new(),
                };
                findings = change.apply(members);
            }
            Err(faults) => {
                findings.extend(faults.into_iter().map(|fault| broken(catalog, &fault)));
            }
        }
        let mut state = lock(&slot.state);
        if state.members_findings != findings {
            findings.iter().for_each(|finding| tracing::warn!("{finding}"));
        }
        state.members_findings = findings;
    }

    /// The slots of a catalog's members.
    pub(super) fn slots_of(&self, catalog: &Name) -> Vec<Arc<Slot>> {
        let slots = self.all_slots();
        let is_member = |slot: &Arc<Slot>| {
            let state = lock(&slot.state);
            state.source.listing.as_ref().is_some_and(|listing| listing.catalog == *catalog)
        };
        slots.into_iter().filter(is_member).collect()
    }

    /// Says that zones came or went.
    fn renewed(&self) {
        known::write(self);
        if let Some(secondaries) = self.secondaries.get() {
            secondaries.renew();
        }
    }
}

//------------ Consuming -----------------------------------------------------

/// What becomes of the version that the database keeps under the name of a new member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Past {
    /// It is served: at a start it may be that of the run before.
    Served,
    /// It is forgotten: the zone came while the daemon runs, and the one before it had left.
    Forgotten,
}

/// A good catalog on its way to being served.
struct Consuming<'a> {
    /// The publisher.
    inner: &'a Inner,
    /// The catalog's name.
    catalog: &'a Name,
    /// Where it, and so its members, come from.
    primaries: Vec<String>,
    /// What becomes of what was there under the name of a new one.
    past: Past,
    /// Who confirms what is doubtful.
    by: &'a By,
    /// What there is to say.
    findings: Vec<Finding>,
    /// What other catalogs give to this one, of those that were looked at.
    gifts: HashMap<Name, HashSet<Name>>,
}

impl Consuming<'_> {
    /// Makes members come and go; what there is to say about it.
    fn apply(mut self, members: Vec<Member>) -> Vec<Finding> {
        let listed: BTreeSet<&Name> = members.iter().map(|member| &member.zone).collect();
        let before = self.inner.slots_of(self.catalog);
        let gone: Vec<&Arc<Slot>> =
            before.iter().filter(|slot| !listed.contains(&slot.apex)).collect();
        let goes = self.may_go(gone.len(), before.len());
        for slot in gone.iter().filter(|_| goes) {
            self.inner.let_go(slot, Instant::now());
        }
        let (mut new, mut is_changed) = (Vec::new(), goes && !gone.is_empty());
        for member in members {
            match self.inner.slot(&member.zone) {
                Err(_) => new.push(Arc::new(Slot::new(self.source(&member)))),
                Ok(slot) => is_changed |= self.take(&slot, &member),
            }
        }
        is_changed |= !new.is_empty();
        if self.past == Past::Forgotten {
            self.forget(&new);
        }
        drop(self.inner.start_all(&new, &Early::default()));
        if is_changed {
            let (came, left) = (new.len(), if goes { gone.len() } else { 0 });
            tracing::info!(catalog = %self.catalog, came, left, "members follow the catalog");
            self.inner.renewed();
        }
        self.findings
    }

    /// The settings of a member.
    fn source(&self, member: &Member) -> ZoneSource {
        let label = String::from_utf8_lossy(&member.label).into_owned();
        let listing = Some(Listing { catalog: self.catalog.clone(), label });
        let zone = member.zone.clone();
        ZoneSource { listing, ..ZoneSource::secondary(zone, self.primaries.clone()) }
    }

    /// Whether so many members may go.
    fn may_go(&mut self, gone: usize, before: usize) -> bool {
        let is_much = gone > SHRINK_MEMBERS && gone * 100 > before * SHRINK_PERCENT;
        if !is_much || self.by.force {
            return true;
        }
        let catalog = self.catalog;
        let message =
            format!("{catalog}: {gone} of {before} members left it at once; they stay in service");
        let hint = format!("if this is intended, remove them: gapura ctl reload {catalog} --force");
        self.findings.push(error("catalog-shrinks", message, &hint));
        false
    }

    /// Takes a zone that is there already, if it is this catalog's to take. Returns whether that is news.
    fn take(&mut self, slot: &Slot, member: &Member) -> bool {
        let source = self.source(member);
        let listing = lock(&slot.state).source.listing.clone();
        if let Some(other) = listing.filter(|listing| listing.catalog != *self.catalog) {
            self.look_at(&other.catalog);
        }
        let mut state = lock(&slot.state);
        if state.source == source {
            return false;
        }
        let is_ours = match &state.source.listing {
            Some(listing) if listing.catalog == *self.catalog => true,
            Some(listing) => {
                let gifts = self.gifts.get(&listing.catalog);
                gifts.is_some_and(|gifts| gifts.contains(&member.zone))
            }
            None => false,
        };
        if !is_ours {
            self.findings.push(clash(self.catalog, &member.zone, &state.source));
            return false;
        }
        let label = |source: &ZoneSource| source.listing.as_ref().map(|it| it.label.clone());
        let begins_anew = label(&state.source) != label(&source);
        state.source = source;
        if begins_anew && !state.is_gone {
            self.begin_anew(&mut state);
        }
        true
    }

    /// Forgets the versions that the database keeps under the names of new members: whoever had the name before
    /// has gone, and a serial of theirs would keep the new zone from being transferred.
    fn forget(&self, new: &[Arc<Slot>]) {
        if new.is_empty() {
            return;
        }
        let written = self.inner.store.write::<_, StoreError>(|tx| {
            for slot in new {
                let kept = tx.zone(&slot.apex)?.filter(|row| row.copy_seq.is_some());
                if let Some(row) = kept {
                    tx.put_zone(&slot.apex, &ZoneRow { copy_seq: None, ..row })?;
                }
            }
            Ok(())
        });
        if let Err(error) = written {
            tracing::error!(catalog = %self.catalog, %error, "new members may be served with old content");
        }
    }

    /// Forgets what is served of a zone: its primary has another one under the old name (RFC 9432 section 5.4).
    fn begin_anew(&self, state: &mut ZoneState) {
        let Some(before) = state.zone.take() else { return };
        state.signed = None;
        let apex = before.apex().to_name();
        tracing::info!(zone = %apex, serial = before.serial(), "reset under another label");
        state.lease.begin_anew();
        // A copy of it that is under way does not count any more.
        state.chain_from = state.seq + 1;
        if let Some(row) = &mut state.row {
            // Or a restart would serve it again.
            row.copy_seq = None;
            let written = self.inner.store.write::<_, StoreError>(|tx| tx.put_zone(&apex, row));
            if let Err(error) = written {
                tracing::error!(zone = %apex, %error, "a restart may serve the old content");
            }
        }
        swap(self.inner, &[], vec![Entry::NotLoaded(apex)]);
    }

    /// Finds out, once, what another catalog gives to this one. No lock of a member is held meanwhile.
    fn look_at(&mut self, other: &Name) {
        if self.gifts.contains_key(other) {
            return;
        }
        let zone = self.inner.slot(other).ok();
        let zone = zone.and_then(|slot| lock(&slot.state).zone.clone());
        let members = zone.and_then(|zone| catalog::members(&zone).ok()).unwrap_or_default();
        let is_given = |it: &Member| it.new_owner.as_ref() == Some(self.catalog);
        let gifts = members.into_iter().filter(is_given).map(|it| it.zone).collect();
        self.gifts.insert(other.clone(), gifts);
    }
}

//------------ Findings ------------------------------------------------------

/// A catalog that does not count.
fn broken(catalog: &Name, fault: &catalog::CatalogFault) -> Finding {
    let message = format!("{catalog} is broken: {fault}; its members stay as they are");
    error("catalog-broken", message, "correct it at its primary (RFC 9432)")
}

/// A catalog with more members than anybody serves.
fn too_large(catalog: &Name, count: usize) -> Finding {
    let message = format!("{catalog} lists {count} zones; its members stay as they are");
    error("catalog-too-large", message, &format!("at most {MEMBERS_MAX} are allowed"))
}

/// A member that is a zone of ours already.
fn clash(catalog: &Name, zone: &Name, source: &ZoneSource) -> Finding {
    let whose = match &source.listing {
        Some(listing) => format!("a member of {}", listing.catalog),
        None => "a zone of the settings".to_owned(),
    };
    let message = format!("{catalog} lists {zone}, which is {whose} and stays so");
    let hint = "remove it from one of them, or let the other catalog hand it over (coo)";
    Finding { hint: Some(hint.to_owned()), ..warning("catalog-clash", message) }
}

/// Which zones of a run before are members of a catalog that the settings still have, or that is itself
/// among those they have lost: they go on as they are until the catalog says otherwise.
pub(super) fn go_on(
    known: &[ZoneSource],
    consumes: impl Fn(&Name) -> bool,
) -> BTreeMap<Name, ZoneSource> {
    let is_known = |catalog: &Name| known.iter().any(|it| it.apex == *catalog && it.consume);
    let goes_on = |source: &&ZoneSource| {
        source.listing.as_ref().is_some_and(|it| consumes(&it.catalog) || is_known(&it.catalog))
    };
    let members = known.iter().filter(goes_on);
    members.map(|source| (source.apex.clone(), source.clone())).collect()
}
