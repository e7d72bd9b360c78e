//! The request (*permohonan*, docs/procedure.md, States and acts): twelve states, and every way
//! from one to another.
//!
//! ```text
//! Draft ─submit─► Submitted ─dispose─► Assigned ─approve─► Verified ─promote─► Live ─► Notified ─► Closed
//!                     ▲ release           │ ▲ resubmit         │    fails│ ▲
//!                     └───────────────────┤ │                  │         ▼ │ retry
//!                                  return ▼ │◄─────reopen──────┴── PromotionFailed
//!                             NeedsCorrection ─expire─► Expired
//! Assigned ─reject─► Rejected          any state before promotion starts ─withdraw─► Withdrawn
//! ```
//! Each stage is a type of its own, and a transition is a method of the stage it starts from, which it
//! consumes. `step` tests the phase and the person against the [`procedure`](super::procedure), in
//! that order; the transition tests freshness and then the lines. No function sets a stage from
//! outside.

mod acts;
mod case;
mod checking;
mod deciding;
mod ending;
mod facts;
mod parties;
mod persons;
mod promotion;
mod reading;
mod routing;
mod scheduling;
mod stages;
mod state;
mod system;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::clocks::{ClockStep, Clocks};
use super::fault::{Fault, TransitionError};
use super::happening::Step;
use super::person::{Actor, Role, Signature};
use super::procedure::{Act, ActKind, Row, TABLE, Turn};
use super::reading::Reading;
use super::sheet::{AutoLine, Sheet};

pub use acts::{needed, needed_within};
use case::{Case, Transition};
use deciding::{Read, reopened_for};
use ending::{handed_over, withdraw};
pub use facts::{Amendment, Candidate, Facts};
use persons::submitter;
pub use promotion::promotion_id;
use promotion::signatures;
pub use stages::{
    Approval, Assigned, Assignment, Closed, Disposition, Ended, Live, NeedsCorrection, Notified,
    Promoting, PromotionFailed, PromotionFault, Question, Rejected, Stage, Submitted, Verified,
};
pub use state::State;

//------------ Request -------------------------------------------------------

/// One request with everything the procedure has put on it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Request {
    /// What stays the same from stage to stage.
    #[serde(flatten)]
    case: Case,
    /// The stage with its own data.
    stage: Stage,
}

/// The result of every transition of a request.
pub type RequestResult = Result<Step<Request>, TransitionError>;

impl Request {
    /// *Kirim permohonan*: Draft → Submitted. `faults` is what the rules found (`automatic::refusals`).
    pub fn submit(
        number: &str,
        application: Reading,
        faults: Vec<Fault>,
        mailbox_proven: bool,
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let by = submitter(actor, facts.now)?;
        Self::begin(number, (application, faults), mailbox_proven, by, (Turn::Submit, facts))
    }

    /// gapura asks for something by itself: Draft → Submitted, and on through the whole procedure.
    pub fn raise(
        number: &str,
        application: Reading,
        faults: Vec<Fault>,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let by = Signature::system(facts.now);
        Self::begin(number, (application, faults), false, by, (Turn::Raise, facts))
    }

    /// A new request in its first state.
    fn begin(
        number: &str,
        (application, faults): (Reading, Vec<Fault>),
        mailbox_proven: bool,
        by: Signature,
        (turn, facts): (Turn, &Facts<'_>),
    ) -> RequestResult {
        let now = facts.now;
        if !faults.is_empty() {
            return Err(TransitionError::of_faults(faults));
        }
        let application = application.parse().map_err(TransitionError::of_faults)?;
        let is_keyed_in = !matches!(by.role, Role::Applicant | Role::System);
        let case = Case {
            number: number.to_owned(),
            revision: 1,
            application,
            mailbox_proven,
            keyed_in_by: is_keyed_in.then(|| by.clone()).into_iter().collect(),
            submitted_at: now,
            changed_at: now,
            sheet: Sheet::default(),
            clocks: Clocks::default(),
            dispositions: Vec::new(),
            questions: Vec::new(),
            attempts: 0,
            took_part: Vec::new(),
            former_contacts: Vec::new(),
        };
        let mut cx = Transition::new(case, by, facts);
        cx.lay_in();
        cx.start_clock(ClockStep::Route);
        let application = cx.case.application.clone();
        cx.note("kind", application.kind);
        cx.note("class", application.class);
        cx.note("name", &application.place().name);
        cx.note("office", &application.office);
        match application.raised {
            Some(raised) => cx.note("cause", raised.cause),
            None => cx.note("mailbox_proven", mailbox_proven),
        }
        cx.note_personal("contact_name", &application.contact.name);
        cx.note_personal("contact_email", &application.contact.email);
        cx.note_personal("contact_phone", &application.contact.phone);
        Ok(cx.end(turn.row().deed, State::Draft, Submitted {}.into()))
    }

    /// Performs an act: the only way from an act to a new stage. A pair that is not listed is an act
    /// the stage does not know.
    pub fn act(self, act: &Act, actor: &Actor, facts: &Facts<'_>) -> RequestResult {
        self.step(act.kind().row(), actor, facts, |stage, cx| {
            Ok(match (stage, act) {
                (Stage::Submitted(s), Act::Dispose { instruction, .. }) => {
                    s.dispose(cx, instruction)?.into()
                }
                (Stage::Assigned(s), Act::Reassign { reason, .. }) => {
                    s.reassign(cx, reason)?.into()
                }
                (Stage::Assigned(s), Act::Release { reason }) => s.release(cx, reason)?.into(),
                (Stage::Assigned(s), Act::Consult { party, email }) => {
                    s.consult(cx, party, email)?.into()
                }
                (Stage::Assigned(s), Act::Confirm { letter, .. }) => {
                    s.answer(cx, true, letter)?.into()
                }
                (Stage::Assigned(s), Act::Deny { letter, .. }) => {
                    s.answer(cx, false, letter)?.into()
                }
                (Stage::Assigned(s), Act::Return { lines }) => s.send_back(cx, lines)?.into(),
                (Stage::NeedsCorrection(s), Act::Resubmit {}) => s.resubmit(cx)?.into(),
                (Stage::Assigned(s), Act::Check { lines }) => s.check(cx, lines)?.into(),
                (Stage::Assigned(s), Act::Reject { reason, note, lines }) => {
                    s.reject(cx, reason, note, lines)?.into()
                }
                (Stage::Assigned(s), Act::Approve { revision, candidate, serial, lines }) => {
                    let read = Read { revision: *revision, candidate, serial: *serial };
                    s.approve(cx, &read, lines)?.into()
                }
                (Stage::Verified(s), Act::Countersign { candidate }) => {
                    s.countersign(cx, candidate)?.into()
                }
                (Stage::Verified(s), Act::Reopen { reason }) => {
                    reopened_for(cx, reason)?;
                    s.reopen(cx).into()
                }
                (Stage::PromotionFailed(s), Act::Reopen { reason }) => {
                    reopened_for(cx, reason)?;
                    s.reopen(cx).into()
                }
                (Stage::Verified(s), Act::Promote {}) => s.begin(cx)?.into(),
                (Stage::PromotionFailed(s), Act::Retry {}) => s.retry(cx)?.into(),
                (Stage::Verified(s), Act::Reschedule { starts, letter }) => {
                    s.reschedule(cx, starts, letter)?.into()
                }
                (
                    Stage::Submitted(_)
                    | Stage::Assigned(_)
                    | Stage::NeedsCorrection(_)
                    | Stage::Verified(_),
                    Act::Withdraw { letter },
                ) => Stage::Withdrawn(withdraw(cx, letter)?),
                (Stage::Live(s), Act::Notified { how }) => {
                    handed_over(cx, how)?;
                    s.notified(cx).into()
                }
                (Stage::Rejected(s), Act::Notified { how }) => {
                    handed_over(cx, how)?;
                    s.notified(cx).into()
                }
                (stage, act) => {
                    return Err(TransitionError::wrong_state(act.kind().as_str(), stage.state()));
                }
            })
        })
    }

    /// *Tayangkan*, as part of the transaction that commits the change.
    pub fn begin_promotion(self, actor: &Actor, facts: &Facts<'_>) -> RequestResult {
        self.act(&Act::Promote {}, actor, facts)
    }

    /// The signatures a promotion rests on: the slip in force, the approval, the second signature.
    pub fn signatures(&self) -> impl Iterator<Item = &Signature> {
        signatures(&self.case, self.approval())
    }

    /// Takes one step of the procedure: phase and person by its row, the rest by the transition.
    fn step(
        self,
        row: &Row,
        actor: &Actor,
        facts: &Facts<'_>,
        go: impl FnOnce(Stage, &mut Transition<'_>) -> Result<Stage, TransitionError>,
    ) -> RequestResult {
        let by = self.may_take(row, actor, facts.now)?;
        let before = self.state();
        let Self { case, stage } = self;
        let mut cx = Transition::new(case, by, facts);
        let stage = go(stage, &mut cx)?;
        if row.who.works_on_it() {
            cx.takes_part();
        }
        Ok(cx.end(row.deed, before, stage))
    }

    /// The request with its sheet as it would be opened now; for showing, nothing is decided by it.
    pub fn with_automatic(mut self, automatic: Vec<AutoLine>) -> Self {
        self.case.sheet.lay_in(automatic);
        self
    }

    /// The request without what it says of persons outside the office, be it the contact or what
    /// officers wrote freely: the decision stays.
    pub fn without_persons(self) -> Self {
        Self { case: self.case.without_persons(), stage: self.stage.without_persons() }
    }
}

//--- Who may do what now
impl Request {
    /// The acts the actor is offered now: those the actor may do and that are not too early.
    /// What an act takes and what else must hold is tested when it is done.
    pub fn offers(&self, actor: &Actor, now: i64) -> Vec<ActKind> {
        let phase = self.phase(now);
        let fits = |row: &&Row| {
            let by = self.may_take(row, actor, now);
            let is_offered = by.is_ok_and(|by| self.is_offered(row.offered, actor, &by));
            is_offered && !row.early.contains(&phase)
        };
        TABLE.iter().filter(fits).filter_map(|row| row.act).collect()
    }

    /// Tests whether the actor may do an act now: first state and condition, then the person.
    pub fn may(&self, act: ActKind, actor: &Actor, now: i64) -> Result<(), TransitionError> {
        self.may_take(act.row(), actor, now).map(drop)
    }

    /// The actor's signature for a step, if its phase, its condition and its person fit.
    fn may_take(&self, row: &Row, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        let phase = self.phase(now);
        if !row.from.contains(&phase) && !row.early.contains(&phase) {
            return Err(TransitionError::wrong_state(row.deed.as_str(), self.state()));
        }
        if let Some(why) = row.condition.and_then(|condition| self.hinders(condition)) {
            return Err(TransitionError::NotAllowed(why));
        }
        self.signature(row.who, actor, now)
    }
}
