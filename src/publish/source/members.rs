//! Catalog zones that are consumed (RFC 9432): their members are secondary zones from the same primaries, and
//! come and go with them.
//!
//! ```text
//! listed, unknown           a secondary zone, transferred at once
//! listed, of the settings   stays what it is; a finding
//! listed, of another        stays there, unless that one gives it away (`coo`)
//! listed under a new label  begun anew: what was served goes, and comes with the next transfer
//! listed no more            goes; many at once wait for somebody who confirms it
//! the catalog is broken     everything goes on as it is; a finding
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use super::known;
use crate::catalog::{self, Member};
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::door::swap;
use crate::publish::state::{By, Inner, Listing, Publisher, Slot, ZoneSource, error, warning};
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
        let slots: Vec<Arc<Slot>> = lock(&self.0.slots).values().cloned().collect();
        let listing = |slot: &Arc<Slot>| lock(&slot.state).source.listing.clone();
        let pairs = slots.iter().filter_map(|slot| Some((slot.apex.clone(), listing(slot)?)));
        pairs.map(|(apex, listing)| (apex, listing.catalog)).collect()
    }
}

impl Inner {
    /// Brings the members of every catalog that is consumed up to what it says.
    pub(super) fn consume_all(&self, by: &By) {
        let slots: Vec<Arc<Slot>> = lock(&self.slots).values().cloned().collect();
        let catalogs = slots.iter().filter(|slot| lock(&slot.state).source.consume);
        catalogs.for_each(|slot| self.consume(&slot.apex, by));
    }

    /// Brings the members of a catalog up to what it says.
    pub(super) fn consume(&self, catalog: &Name, by: &By) {
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
                let change =
                    Consuming { inner: self, catalog, primaries, by, findings: Vec::new() };
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
        let slots: Vec<Arc<Slot>> = lock(&self.slots).values().cloned().collect();
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

/// A good catalog on its way to being served.
struct Consuming<'a> {
    /// The publisher.
    inner: &'a Inner,
    /// The catalog's name.
    catalog: &'a Name,
    /// Where it, and so its members, come from.
    primaries: Vec<String>,
    /// Who confirms what is doubtful.
    by: &'a By,
    /// What there is to say.
    findings: Vec<Finding>,
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
        drop(self.inner.start_all(&new));
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
        let message = format!("{catalog}: {gone} of {before} members left it at once; they go on");
        let hint = format!("if this is meant, let them go: gapura ctl reload {catalog} --force");
        self.findings.push(error("catalog-shrinks", message, &hint));
        false
    }

    /// Takes a zone that is there already, if it is this catalog's to take. Returns whether that is news.
    fn take(&mut self, slot: &Slot, member: &Member) -> bool {
        let source = self.source(member);
        let before = lock(&slot.state).source.clone();
        if before == source {
            return false;
        }
        let is_ours = match &before.listing {
            Some(listing) if listing.catalog == *self.catalog => true,
            Some(listing) => self.gives(&listing.catalog, &member.zone),
            None => false,
        };
        if !is_ours {
            self.findings.push(clash(self.catalog, &member.zone, &before));
            return false;
        }
        let label = |source: &ZoneSource| source.listing.as_ref().map(|it| it.label.clone());
        let begins_anew = label(&before) != label(&source);
        let mut state = lock(&slot.state);
        state.source = source;
        if begins_anew && !state.is_gone && state.zone.take().is_some() {
            // Its primary has another zone under the old name (RFC 9432 section 5.4).
            tracing::info!(zone = %slot.apex, "begun anew under another label");
            swap(self.inner, &[], vec![Entry::NotLoaded(slot.apex.clone())]);
        }
        true
    }

    /// Whether another catalog gives a member to this one.
    fn gives(&self, other: &Name, zone: &Name) -> bool {
        let other = self.inner.slot(other).ok();
        let other = other.and_then(|slot| lock(&slot.state).zone.clone());
        let members = other.and_then(|other| catalog::members(&other).ok()).unwrap_or_default();
        let is_given =
            |it: &Member| it.zone == *zone && it.new_owner.as_ref() == Some(self.catalog);
        members.iter().any(is_given)
    }
}

//------------ Findings ------------------------------------------------------

/// A catalog that does not count.
fn broken(catalog: &Name, fault: &catalog::CatalogFault) -> Finding {
    let message = format!("{catalog} is broken: {fault}; its members go on as they are");
    error("catalog-broken", message, "mend it at its primary (RFC 9432)")
}

/// A catalog with more members than anybody serves.
fn too_large(catalog: &Name, count: usize) -> Finding {
    let message = format!("{catalog} lists {count} zones; its members go on as they are");
    error("catalog-too-large", message, &format!("{MEMBERS_MAX} is the most"))
}

/// A member that is a zone of ours already.
fn clash(catalog: &Name, zone: &Name, source: &ZoneSource) -> Finding {
    let whose = match &source.listing {
        Some(listing) => format!("a member of {}", listing.catalog),
        None => "a zone of the settings".to_owned(),
    };
    let message = format!("{catalog} lists {zone}, which is {whose} and stays so");
    let hint = "take it out of one of them, or let the other catalog give it away (coo)";
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
