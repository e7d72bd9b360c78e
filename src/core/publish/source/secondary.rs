//! Secondary zones: transferred from their primaries, stored in the database, served until they
//! expire.
//!
//! ```text
//! start        the version of the database; expired if its last refresh is longer ago than the SOA's EXPIRE
//! transfer     decided on, published like every change, and noted as a refresh in the same transaction
//! refreshed    a primary has what we have
//! expired      nothing is served (SERVFAIL) until the next refresh or transfer
//! ```
//!
//! `fleet` decides when to query a primary, and measures the time while the daemon runs. The system clock
//! matters only across a restart, and only if it is trusted: otherwise a clock that jumped would expire a
//! zone while its primary is unreachable. In that case EXPIRE counts from startup again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::reload::{failure, outcome_of, report};
use super::restore::recall;
use super::start::Begun;
use crate::lock::lock;
use crate::publish::door::{self, Held, RowsFn, swap};
use crate::publish::propose::{Kind, Prepared, TransferIn, decide_transfer};
use crate::publish::state::{
    By, Guard, Inner, Job, Lease, Outcome, PublishError, Publisher, Refusal, ReloadReport, Slot,
    ZoneState,
};
use crate::store::{StoreError, Tx};
use crate::text::with_causes;
use crate::wire::Name;
use crate::zone::{Entry, Soa, TimeLeft, Zone};

/// A refresh is written down once it is later than the last one written by this part of EXPIRE: zones that
/// are refreshed every minute must not keep the disk busy …
const UNWRITTEN_PARTS: i64 = 16;
/// … but an hour is the most that a restart may forget, in milliseconds.
const UNWRITTEN_MAX_MS: i64 = 3_600_000;

/// For how long a refresh may not be written down, of a zone with this EXPIRE, in milliseconds.
pub(super) fn unwritten_ms(expire_ms: i64) -> i64 {
    (expire_ms / UNWRITTEN_PARTS).min(UNWRITTEN_MAX_MS)
}

//------------ SecondaryZone -------------------------------------------------

/// What there is to know of a secondary zone to refresh it.
#[derive(Clone, Debug)]
pub struct SecondaryZone {
    /// The SOA record of the version there is; none before the first transfer.
    pub soa: Option<Soa>,
    /// How long it may still be served without a refresh; as of the start of this run.
    pub left: Duration,
    /// Where whoever counts the time brings it down for answers (RFC 7314).
    pub time_left: TimeLeft,
}

impl Publisher {
    /// The secondary zones, in canonical order.
    pub fn secondary_zones(&self) -> Vec<Name> {
        let slots = self.0.all_slots();
        let secondary = slots.iter().filter(|slot| lock(&slot.state).source.is_secondary());
        secondary.map(|slot| slot.apex.clone()).collect()
    }

    /// The SOA record of the version there is of one; none before its first transfer, or if it is no secondary
    /// zone of ours.
    pub fn secondary_soa(&self, zone: &Name) -> Option<Soa> {
        let slot = self.0.slot(zone).ok()?;
        let state = lock(&slot.state);
        let zone = state.zone.as_ref().filter(|_| state.source.is_secondary())?;
        // Whoever follows has it as it is served, with a serial of ours where gapura signs it.
        let own = state.row.as_ref().and_then(|row| row.file_serial).filter(|_| self.follows());
        Some(Soa { serial: own.unwrap_or_else(|| zone.serial()), ..*zone.soa() })
    }

    /// What there is to know of one; none if it is no secondary zone of ours.
    pub fn secondary_zone(&self, zone: &Name) -> Option<SecondaryZone> {
        let slot = self.0.slot(zone).ok()?;
        let state = lock(&slot.state);
        state.source.is_secondary().then(|| SecondaryZone {
            soa: state.zone.as_ref().map(|zone| *zone.soa()),
            left: self.0.left(&state),
            time_left: state.lease.left.clone(),
        })
    }

    /// Publishes a transfer, if it may be served: durable, served and confirmed when this returns. An error
    /// means that it does not fit what is live; what is wrong with its content is in the report.
    pub fn take_transfer(&self, transfer: TransferIn<'_>) -> Result<ReloadReport, PublishError> {
        let (inner, began) = (&*self.0, Instant::now());
        let (apex, source) = (transfer.zone.clone(), transfer.primary.to_owned());
        let slot = inner.slot(&apex)?;
        let mut held = Held::new(&slot);
        if held.state.is_gone {
            return Err(PublishError::UnknownZone(apex));
        }
        inner.remembered(&mut held.state)?;
        let (kind, mut findings) = decide_transfer(inner, &held.state, transfer)?;
        let outcome = match kind {
            Kind::Done(outcome) => outcome,
            Kind::Propose(proposal) => {
                let (now_ms, key) = (proposal.at_ms, apex.clone());
                let rows = RowsFn(move |tx: &Tx<'_>, _: &_| tx.put_refresh(&key, now_ms));
                let published = door::publish_one(inner, &mut held, proposal.with_rows(rows));
                match published {
                    Ok(published) => {
                        let state = &mut *held.state;
                        state.zone.iter().for_each(|zone| state.lease.note(zone, now_ms, true));
                        state.lease.is_expired = false;
                        inner.keep_refreshes();
                        outcome_of(&published.change, held.state.zone.as_ref())
                    }
                    Err(failed) => {
                        let (guard, finding) = failure(&failed.into());
                        findings.push(finding);
                        Outcome::Refused { serial: held.state.serial(), guard }
                    }
                }
            }
        };
        let report = report(&held.state.source, outcome, findings, began);
        if matches!(report.outcome, Outcome::Refused { .. }) {
            tracing::warn!(zone = %apex, primary = source, "the transfer is refused");
        }
        let now_ms = (inner.options.now_ms)();
        held.state.conclude(&report, now_ms);
        held.state.recall_that_it_left(now_ms);
        let is_catalog = held.state.source.consume;
        drop(held);
        if is_catalog {
            inner.consume(&apex, &By::gapura());
        }
        Ok(report)
    }

    /// A primary has the version that is live here. One that had expired is served again.
    pub fn refreshed(&self, zone: &Name) -> Result<(), PublishError> {
        let inner = &*self.0;
        let slot = inner.slot(zone)?;
        let mut state = lock(&slot.state);
        let Some(live) = state.served().cloned().filter(|_| !state.is_gone) else { return Ok(()) };
        let now_ms = (inner.options.now_ms)();
        let rest = unwritten_ms(i64::from(live.soa().expire).saturating_mul(1000));
        let is_due = !inner.store.is_followed() && state.lease.is_unwritten(now_ms, rest);
        let written = || inner.store.write::<_, StoreError>(|tx| tx.put_refresh(zone, now_ms));
        // What cannot be written down was heard all the same: no zone expires for want of a database.
        let written = is_due.then(written).transpose().inspect_err(|error| {
            let error = with_causes(error);
            tracing::warn!(%zone, error, "the refresh is not in the database: it is written with the next one");
        });
        state.lease.note(&live, now_ms, matches!(written, Ok(Some(()))));
        inner.keep_refreshes();
        if std::mem::take(&mut state.lease.is_expired) {
            tracing::info!(event = "primary_back", %zone, serial = live.serial(), "refreshed: served again");
            swap(inner, &[], vec![Entry::Loaded(live)]);
        }
        Ok(())
    }

    /// No primary was heard for longer than the SOA's EXPIRE as of `now`: the zone is not served any more,
    /// unless one was heard while this waited for its turn: a transfer holds the zone until it is published.
    pub fn expire(&self, zone: &Name, now: Instant) {
        // Whoever follows goes by what all nodes heard (`look_at_leases`).
        let Some(slot) = self.0.slot(zone).ok().filter(|_| !self.follows()) else { return };
        let mut state = lock(&slot.state);
        let Some(live) = &state.zone else { return };
        let has_run_out = state.lease.has_run_out(live, now);
        if state.is_gone || !state.source.is_secondary() || !has_run_out {
            return;
        }
        if !std::mem::replace(&mut state.lease.is_expired, true) {
            tracing::error!(
                event = "zone_expired",
                %zone,
                "expired: no primary answered for longer than the SOA's EXPIRE; SERVFAIL"
            );
            swap(&self.0, &[], vec![Entry::Expired(zone.clone())]);
        }
    }
}

//------------ Start ---------------------------------------------------------

/// Finds out what is served of a secondary zone at a start.
pub(super) fn begin(inner: &Inner, slot: &Arc<Slot>) -> Begun {
    let began = Instant::now();
    let mut state = lock(&slot.state);
    let prepared = match inner.remembered(&mut state) {
        Ok(()) => Prepared::done(held_version(&state)),
        Err(failed) => Prepared::failed(&failed),
    };
    drop(state);
    Begun { slot: Arc::clone(slot), prepared, refused: None, began }
}

/// What a reload of a secondary zone comes to: there is no file to look at.
pub(super) fn reload(inner: &Inner, slot: &Slot, began: Instant) -> ReloadReport {
    let mut state = lock(&slot.state);
    if state.is_gone {
        return report(&state.source, Outcome::Removed, Vec::new(), began);
    }
    if let Some(frozen) = &state.frozen {
        let outcome = Outcome::Refused { serial: state.serial(), guard: frozen.guard };
        return report(&state.source, outcome, vec![frozen.finding.clone()], began);
    }
    let was_recalled = state.is_recalled;
    if let Err(failed) = inner.remembered(&mut state) {
        let outcome = Outcome::Refused { serial: None, guard: Guard::Database };
        let findings = Prepared::failed(&failed).findings;
        return report(&state.source, outcome, findings, began);
    }
    if !was_recalled && let Some(zone) = state.served() {
        swap(inner, &[], vec![Entry::Loaded(zone.clone())]);
        inner.jobs.send(Job::Copy(slot.apex.clone()));
    }
    report(&state.source, held_version(&state), Vec::new(), began)
}

/// What there is of a secondary zone.
fn held_version(state: &ZoneState) -> Outcome {
    Outcome::Secondary { serial: state.zone.as_ref().map(Zone::serial) }
}

impl ZoneState {
    /// A good transfer does not mend that the settings have lost the zone.
    fn recall_that_it_left(&mut self, at_ms: i64) {
        if let (None, Some(frozen)) = (&self.refusal, &self.frozen) {
            let findings = vec![frozen.finding.clone()];
            self.refusal = Some(Refusal { at_ms, guard: frozen.guard, findings });
        }
    }
}

impl Inner {
    /// Reads what the database keeps of a secondary zone, unless that was done before.
    fn remembered(&self, state: &mut ZoneState) -> Result<(), StoreError> {
        if state.is_recalled {
            return Ok(());
        }
        recall(self, state, None)?;
        let apex = state.source.apex.clone();
        state.lease = Lease::read(self.store.read(|reader| reader.refresh(&apex))?);
        self.keep_refreshes();
        let left = self.left(state);
        state.lease.is_expired = state.zone.is_some() && left.is_zero();
        state.lease.left.set(u32::try_from(left.as_secs()).unwrap_or(u32::MAX));
        let left = &state.lease.left;
        state.zone = state.zone.take().map(|zone| zone.with_time_left(left.clone()));
        state.signed = state.signed.take().map(|zone| zone.with_time_left(left.clone()));
        if state.lease.is_expired {
            tracing::error!(
                event = "zone_expired",
                zone = %apex,
                "expired while the daemon was off: SERVFAIL until a primary answers"
            );
        }
        Ok(())
    }

    /// Has it kept beside a database that other nodes use when primaries were heard: it may be away.
    pub(super) fn keep_refreshes(&self) {
        if self.options.database.state_dir().is_none() {
            self.jobs.send(Job::Refreshes);
        }
    }

    /// How long a zone may be served without a refresh from now on, by the clock if that is believed.
    fn left(&self, state: &ZoneState) -> Duration {
        let Some(zone) = &state.zone else { return Duration::ZERO };
        let expire = Duration::from_secs(zone.soa().expire.into());
        let now_ms = (self.options.now_ms)();
        // Whoever follows asks no database that may be away.
        let is_believed = || {
            if self.store.is_followed() {
                return true;
            }
            let known = self.store.read(|reader| reader.clock()).ok().flatten();
            known.is_none_or(|known| known.believes(now_ms))
        };
        match state.lease.refreshed_ms {
            Some(refreshed_ms) if is_believed() => {
                let ago = u64::try_from(now_ms - refreshed_ms).unwrap_or(0);
                expire.saturating_sub(Duration::from_millis(ago))
            }
            _ => expire,
        }
    }
}
