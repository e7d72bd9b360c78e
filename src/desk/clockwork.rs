//! Timers (docs/procedure.md, "Clocks"): nothing here approves or rejects anything.
//!
//! [`Desk::turn`] is called every few seconds and is idempotent. One item that fails is logged and
//! does not keep the others from their turn.

use super::{ActError, Desk};
use crate::audit::{Anchor, Notary};
use crate::publish::{Cause, Edit, EditProposal, NoRows};
use crate::queue::time::{DAY_MS, is_recent, month_and_year};
use crate::queue::{Actor, Request, RequestResult, Stage, State, TransitionError};
use crate::register::{anchor_edit, anchor_served};
use crate::store::StoreError;
use crate::text::with_causes;

/// Notices per turn.
const NOTICES_MAX: usize = 500;
/// Corrections that expire per turn.
const DUE_MAX: usize = 1_000;
/// Rows of unrequested names let go per turn.
const RELEASED_MAX: usize = 2_000;
/// From this month on, holidays of the next year should be known.
const WARNING_MONTH: u8 = 10;
/// Names per turn.
const NAMES_MAX: usize = 1_000;
/// With `audit.daily`, how long the anchor in the zone may be behind, in milliseconds.
const ANCHOR_MS: i64 = DAY_MS;

/// One job of the day.
pub(super) type Job = fn(&Desk) -> Result<(), ActError>;

impl Desk {
    /// Everything that is due now, by a clock that is believed; for tests, whose clocks jump.
    #[cfg(test)]
    pub fn tick(&self) -> Result<(), ActError> {
        self.do_what_is_due(true)
    }

    /// Everything that is due now; while the clock is doubted, only what does not depend on it.
    pub(super) fn do_what_is_due(&self, is_believed: bool) -> Result<(), ActError> {
        self.0.promoter.recover()?;
        if is_believed {
            self.expire_and_lapse()?;
            self.promote_scheduled()?;
            self.count_unbounced_as_delivered(NOTICES_MAX)?;
            self.names_that_end()?;
            self.watch_targets()?;
            self.look_through_years()?;
            self.remind()?;
        }
        self.watch_drift()?;
        self.follow_changes()?;
        self.release_imports()?;
        let ledger = &self.0.ledger;
        let unsigned = ledger.store.read::<_, StoreError>(Notary::unsigned_events)?;
        if unsigned > 0 {
            ledger
                .store
                .write::<_, StoreError>(|tx| ledger.notary.checkpoint_if_due(tx, ledger.now()))?;
        }
        if is_believed { self.daily_anchor() } else { Ok(()) }
    }

    /// Rows that older versions kept of names nobody asked for, a few each turn.
    fn release_imports(&self) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let most = RELEASED_MAX;
        if self.read(|reader| Ok(reader.imports_kept(1)?))?.is_empty() {
            return Ok(());
        }
        Ok(ledger.store.write(|tx| ledger.release_imports(tx, most).map(drop))?)
    }

    /// The jobs of the day, once the timers have judged the clock and while it is believed: nothing is
    /// erased by a clock that may be wrong. Returns whether their time had come.
    pub fn daily(&self) -> Result<bool, ActError> {
        let is_believed = self.clock_is_believed();
        if is_believed {
            self.do_jobs_of_the_day()?;
        }
        Ok(is_believed)
    }

    /// A look at the chain, and retention.
    pub(super) fn do_jobs_of_the_day(&self) -> Result<(), ActError> {
        self.warn_of_empty_year();
        let mut done = Ok(());
        for job in [Self::warn_of_edits as Job].iter().chain(Self::RETENTION) {
            if let Err(error) = job(self) {
                let causes = with_causes(&error);
                tracing::error!(error = causes, "a daily job failed; the others go on");
                done = done.and(Err(error));
            }
        }
        done
    }

    /// Says in the log that holidays of the next year should be known.
    fn warn_of_empty_year(&self) {
        if let Some(next) = self.year_without_holidays() {
            tracing::warn!(
                year = next,
                "no holiday of the next year is known: due times will be too early; add them on the page of \
                 holidays, or name the table in work.holidays"
            );
        }
    }

    /// The next year, from October on and while no holiday of it is known (docs/procedure.md, Clocks).
    pub fn year_without_holidays(&self) -> Option<i32> {
        let (month, year) = month_and_year(self.now());
        (month >= WARNING_MONTH && self.calendar().year_is_empty(year + 1)).then_some(year + 1)
    }

    /// Corrections and questions nobody answered.
    fn expire_and_lapse(&self) -> Result<(), ActError> {
        let now = self.now();
        let rows =
            self.read(|reader| Ok(reader.requests_due(State::NeedsCorrection, now, DUE_MAX)?))?;
        for row in &rows {
            self.by_clock(&row.number, |request, facts| request.expire(facts));
        }
        // A paused clock has no due time: those requests wait for a party's answer.
        for row in self.read(|reader| Ok(reader.requests_paused(State::Assigned)?))? {
            self.by_clock(&row.number, |request, facts| request.lapse_question(facts));
        }
        Ok(())
    }

    /// One transition by the clock; one that is not due yet is none.
    fn by_clock(
        &self,
        number: &str,
        rule: impl Fn(Request, &crate::queue::Facts<'_>) -> RequestResult,
    ) {
        let ledger = &self.0.ledger;
        let calendar = ledger.calendar();
        // Nobody waits for the writer while there is nothing to write.
        let is_due = ledger.store.read(|reader| {
            let stored = ledger.expect_request(reader, number)?;
            drop(rule(stored.request, &ledger.facts(ledger.now(), &calendar))?);
            Ok::<_, ActError>(())
        });
        let done = is_due.and_then(|()| {
            ledger.store.write(|tx| {
                let stored = ledger.expect_request(tx, number)?;
                let step = rule(stored.request, &ledger.facts(ledger.now(), &calendar))?;
                ledger.apply(tx, &stored.row, step)?;
                Ok::<_, ActError>(())
            })
        });
        match done {
            Ok(()) | Err(ActError::Rule(_)) => {}
            Err(error) => {
                tracing::error!(request = number, %error, "a transition by the clock failed")
            }
        }
    }

    /// Approved requests whose time has come, and those a crash kept from going on.
    fn promote_scheduled(&self) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let now = self.now();
        let rows = self.read(|reader| Ok(reader.requests_in(State::Verified)?))?;
        for row in rows.iter().filter(|row| row.starts_ms.is_none_or(|starts| starts <= now)) {
            let stored = self.read(|reader| Ok(ledger.expect_request(reader, &row.number)?))?;
            let scheduled = row.starts_ms.is_some();
            let Stage::Verified(stage) = stored.request.stage() else { continue };
            let signed = !stage.approval.awaits_second();
            if !(self.is_ready(&stored.request, now) || (scheduled && signed)) {
                continue;
            }
            if let Err(error) = self.promote_later(&stored.request, &Actor::system()) {
                tracing::warn!(request = row.number, %error, "a scheduled promotion did not happen");
                self.missed_its_time(&row.number, &error)?;
            }
        }
        Ok(())
    }

    /// A promotion that was turned back at its time, and not because the approval is stale: operators and
    /// holder are told, and it is not tried again by itself.
    fn missed_its_time(&self, number: &str, error: &ActError) -> Result<(), ActError> {
        match error {
            ActError::Rule(TransitionError::Stale(_)) => Ok(()),
            ActError::Rule(_) => self.could_not_begin(number, error),
            _ => Ok(()),
        }
    }

    /// Approved end dates and quarantines that are over.
    fn names_that_end(&self) -> Result<(), ActError> {
        let now = self.now();
        let (ended, free) = self.read(|reader| {
            Ok((
                reader.live_records_ended(now, NAMES_MAX)?,
                reader.quarantines_over(now, NAMES_MAX)?,
            ))
        })?;
        for name in ended {
            if let Err(error) = self.end_name(&name) {
                tracing::error!(name, %error, "a name past its end date could not be taken out");
            }
        }
        for name in free {
            if let Err(error) = self.end_quarantine(&name) {
                tracing::error!(name, %error, "a quarantine could not be ended");
            }
        }
        Ok(())
    }

    /// With `audit.daily`: an anchor of its own on a day that had news but no promotion.
    fn daily_anchor(&self) -> Result<(), ActError> {
        if !self.settings().audit_daily {
            return Ok(());
        }
        let publisher = self.0.register.publisher();
        let last = self.read(|reader| Ok(reader.last_checkpoint()?))?;
        let Some(last) = last else { return Ok(()) };
        for apex in publisher.apexes() {
            let Some(zone) = publisher.content(&apex) else { continue };
            let Some(set) = anchor_edit(&apex, &Anchor(last.clone())) else { continue };
            let Some(Anchor(served)) = anchor_served(&zone) else { continue };
            let behind = !is_recent(served.at_ms, self.now(), ANCHOR_MS);
            if behind && served.sequence < last.sequence {
                publisher.publish(EditProposal {
                    zone: &apex,
                    base: None,
                    edit: &Edit { set: vec![set] },
                    cause: Cause::Own { purpose: "audit".to_owned() },
                    who: "gapura",
                    expect: Vec::new(),
                    rows: NoRows,
                })?;
            }
        }
        Ok(())
    }
}
