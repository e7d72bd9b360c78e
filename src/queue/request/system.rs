//! What gapura does by itself: clocks that run out, notices that arrive, reports that close.
//!
//! Lateness never approves or rejects anything; only a request the applicant left lying expires.

use super::stages::{Assigned, Closed, Ended, Notified, PromotionFailed, Stage, Verified};
use super::{Facts, Request, RequestResult};
use crate::queue::clocks::ClockStep;
use crate::queue::fault::{Stale, TransitionError};
use crate::queue::happening::{Deed, Step};
use crate::queue::person::Signature;

impl Request {
    /// NeedsCorrection → Expired, once the time is up.
    pub fn expire(mut self, facts: &Facts<'_>) -> RequestResult {
        let now = facts.now;
        let before = self.state();
        let lapsed = match &self.stage {
            Stage::NeedsCorrection(stage) => stage.lapses_at(facts.calendar, facts.rules) <= now,
            _ => false,
        };
        if !lapsed {
            return Err(TransitionError::wrong_state("expire", before));
        }
        self.clocks.stop(now, facts.calendar);
        self.stage = Stage::Expired(Ended { by: Signature::system(now) });
        self.done(&Signature::system(now), Deed::Expire, before)
    }

    /// A question nobody answered within the time goes back to the kasi, and the clock runs.
    pub fn lapse_question(mut self, facts: &Facts<'_>) -> RequestResult {
        let now = facts.now;
        let before = self.state();
        let wait = facts.rules.ask_days * facts.rules.working_day;
        let asked = self.questions.last().map_or(i64::MAX, |q| q.asked.at);
        match self.stage {
            Stage::Assigned(Assigned { assignment, waiting: true })
                if asked != i64::MAX && facts.calendar.add(asked, wait) <= now =>
            {
                self.stage = Stage::Assigned(Assigned { assignment, waiting: false });
            }
            _ => return Err(TransitionError::wrong_state("ask_lapsed", before)),
        }
        self.clocks.resume(now);
        self.done(&Signature::system(now), Deed::ConsultLapsed, before)
    }

    /// The approval is stale: back to Assigned, with what moved in the event.
    pub fn reopen_stale(self, stale: &Stale, facts: &Facts<'_>) -> RequestResult {
        let mut step = self.reopen_by(&Signature::system(facts.now), facts)?;
        step.happening = step.happening.with("stale", stale);
        Ok(step)
    }

    /// The notice was delivered, sent or handed over: Live → Notified, and step 5 stops. A rejected
    /// request stays rejected; its clock stops.
    pub fn notified(self, facts: &Facts<'_>) -> RequestResult {
        self.notified_by(&Signature::system(facts.now), facts)
    }

    /// Notified → Closed: it stands in the report of a month.
    pub fn close(mut self, report: &str, facts: &Facts<'_>) -> RequestResult {
        let now = facts.now;
        let before = self.state();
        let Stage::Notified(Notified { live, .. }) = self.stage else {
            return Err(TransitionError::wrong_state("close", before));
        };
        self.stage = Stage::Closed(Closed { live, report: report.to_owned(), at: now });
        let mut step = self.done(&Signature::system(now), Deed::Close, before)?;
        step.happening = step.happening.with("report", report);
        Ok(step)
    }

    /// Whether the relay taking the notice should stop the clock of step 5: the state waits for
    /// delivery, the clock does not.
    pub fn notice_sent(mut self, facts: &Facts<'_>) -> Self {
        if self.clocks.running() == Some(ClockStep::Tell) {
            self.clocks.stop(facts.now, facts.calendar);
        }
        self
    }

    /// Live → Notified, or a rejection told.
    pub(super) fn notified_by(mut self, by: &Signature, facts: &Facts<'_>) -> RequestResult {
        let now = facts.now;
        let before = self.state();
        self.stage = match self.stage {
            Stage::Live(live) => Stage::Notified(Notified { live, at: now }),
            Stage::Rejected(mut stage) if stage.notified_at.is_none() => {
                stage.notified_at = Some(now);
                Stage::Rejected(stage)
            }
            _ => return Err(TransitionError::wrong_state("notified", before)),
        };
        if self.clocks.running() == Some(ClockStep::Tell) {
            self.clocks.stop(now, facts.calendar);
        }
        self.done(by, Deed::Notified, before)
    }

    /// Verified or PromotionFailed → Assigned, with the time left of step 3, at least an hour.
    pub(super) fn reopen_by(mut self, by: &Signature, facts: &Facts<'_>) -> RequestResult {
        let now = facts.now;
        let before = self.state();
        let (Stage::Verified(Verified { assignment, promoting: None, .. })
        | Stage::PromotionFailed(PromotionFailed { assignment, .. })) = self.stage
        else {
            return Err(TransitionError::wrong_state("reopen", before));
        };
        self.stage = Stage::Assigned(Assigned { assignment, waiting: false });
        self.clocks.stop(now, facts.calendar);
        self.clocks.grant(ClockStep::Check, facts.rules.reopen_least, facts.rules);
        self.clocks.start(ClockStep::Check, now, now, facts.calendar);
        self.done(by, Deed::Reopen, before)
    }

    /// The step made, with its one happening.
    pub(super) fn done(
        mut self,
        by: &Signature,
        deed: Deed,
        before: super::State,
    ) -> RequestResult {
        self.changed_at = by.at;
        let happening = self.happening(by, deed, Some(before));
        Ok(Step { value: self, happening })
    }
}
