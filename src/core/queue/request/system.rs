//! What gapura does by itself: clocks that run out, promotions that end, notices that are delivered,
//! reports that close requests.
//!
//! Lateness never approves or rejects anything; only a request that its applicant does not correct
//! expires.

use super::case::Transition;
use super::stages::PromotionFault;
use super::stages::{Ended, Stage, Verified};
use super::{Facts, Request, RequestResult};
use crate::queue::clocks::ClockStep;
use crate::queue::fault::{Stale, TransitionError};
use crate::queue::person::Actor;
use crate::queue::procedure::Turn;

impl Request {
    /// NeedsCorrection → Expired, once the time is up.
    pub fn expire(self, facts: &Facts<'_>) -> RequestResult {
        self.turn(Turn::Expire, facts, |stage, cx| match stage {
            Stage::NeedsCorrection(s)
                if s.lapses_at(cx.facts.calendar, cx.facts.rules) <= cx.facts.now =>
            {
                Ok(Stage::Expired(s.expire(cx)))
            }
            other => Err(wrong(Turn::Expire, &other)),
        })
    }

    /// What gapura asked for is settled otherwise: taken back, unless its promotion has begun.
    pub fn settled(self, facts: &Facts<'_>) -> RequestResult {
        self.turn(Turn::Settle, facts, |stage, cx| match stage {
            Stage::Submitted(_) | Stage::Assigned(_) | Stage::Verified(_)
                if cx.case.application.raised.is_some() =>
            {
                cx.stop_clock();
                Ok(Stage::Withdrawn(Ended { by: cx.by.clone() }))
            }
            other => Err(wrong(Turn::Settle, &other)),
        })
    }

    /// The party did not answer in time: the request returns to the verifier, and the clock runs.
    pub fn lapse_question(self, facts: &Facts<'_>) -> RequestResult {
        self.turn(Turn::ConsultLapsed, facts, |stage, cx| {
            let wait = cx.facts.rules.ask_days * cx.facts.rules.working_day;
            let asked = cx.case.questions.last().map(|question| question.asked.at);
            let over = asked.is_some_and(|at| cx.facts.calendar.add(at, wait) <= cx.facts.now);
            match stage {
                Stage::Assigned(s) if over => Ok(s.consult_lapsed(cx).into()),
                other => Err(wrong(Turn::ConsultLapsed, &other)),
            }
        })
    }

    /// The read-back was right: Live, and step 5 begins.
    pub fn promoted(self, serial: u32, facts: &Facts<'_>) -> RequestResult {
        self.turn(Turn::Promoted, facts, |stage, cx| match stage {
            Stage::Verified(Verified { promoting: Some(promoting), assignment, approval }) => {
                let stage = Verified { promoting: None, assignment, approval };
                Ok(stage.promoted(cx, promoting, serial).into())
            }
            other => Err(wrong(Turn::Promoted, &other)),
        })
    }

    /// The promotion failed after it had begun, or could not begin. Step 4 runs on.
    pub fn promotion_failed(self, fault: PromotionFault, facts: &Facts<'_>) -> RequestResult {
        self.turn(Turn::PromotionFailed, facts, |stage, cx| match stage {
            Stage::Verified(s) => Ok(s.promotion_failed(cx, &fault).into()),
            other => Err(wrong(Turn::PromotionFailed, &other)),
        })
    }

    /// The approval is stale: back to the verifier, with what moved in the event.
    pub fn reopen_stale(self, stale: &Stale, facts: &Facts<'_>) -> RequestResult {
        self.turn(Turn::Reopen, facts, |stage, cx| {
            cx.note("stale", stale);
            match stage {
                Stage::Verified(s) => Ok(s.reopen(cx).into()),
                Stage::PromotionFailed(s) => Ok(s.reopen(cx).into()),
                other => Err(wrong(Turn::Reopen, &other)),
            }
        })
    }

    /// A notice of the outcome was delivered: Live → Notified, and step 5 ends. A rejected request
    /// stays rejected; its clock stops.
    pub fn notified(self, facts: &Facts<'_>) -> RequestResult {
        self.turn(Turn::Notified, facts, |stage, cx| match stage {
            Stage::Live(s) => Ok(s.notified(cx).into()),
            Stage::Rejected(s) => Ok(s.notified(cx).into()),
            other => Err(wrong(Turn::Notified, &other)),
        })
    }

    /// Notified → Closed: the report of a month holds it.
    pub fn close(self, report: &str, facts: &Facts<'_>) -> RequestResult {
        self.turn(Turn::Close, facts, |stage, cx| match stage {
            Stage::Notified(s) => Ok(s.close(cx, report).into()),
            other => Err(wrong(Turn::Close, &other)),
        })
    }

    /// The relay accepted the notice: the clock of step 5 stops; the state waits for delivery.
    pub fn notice_sent(mut self, facts: &Facts<'_>) -> Self {
        if self.case.clocks.running() == Some(ClockStep::Notify) {
            self.case.clocks.stop(facts.now, facts.calendar);
        }
        self
    }

    /// A step gapura does by itself: phase and person as the table says, then the transition.
    fn turn(
        self,
        turn: Turn,
        facts: &Facts<'_>,
        go: impl FnOnce(Stage, &mut Transition<'_>) -> Result<Stage, TransitionError>,
    ) -> RequestResult {
        let actor = Actor::system();
        self.step(turn.row(), &actor, facts, go)
    }
}

/// The error of a step that is not possible in this stage.
fn wrong(turn: Turn, stage: &Stage) -> TransitionError {
    TransitionError::wrong_state(turn.row().deed.as_str(), stage.state())
}
