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
mod parties;
mod persons;
mod promotion;
mod routing;
mod stages;
mod state;
mod system;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::clocks::{ClockStep, Clocks, Timing};
use super::fault::{Fault, TransitionError};
use super::happening::Step;
use super::person::{Actor, Role, Signature};
use super::procedure::{Act, ActKind, Phase, Row, TABLE, Turn};
use super::reading::{ParsedApplication, Reading};
use super::rules::Rules;
use super::sheet::{AutoLine, Sheet};

use case::{Case, Transition};
use deciding::{Read, reopened_for};
use ending::{handed_over, withdraw};
use persons::submitter;
pub use promotion::{PromotionFault, promotion_id};
pub use stages::{
    Approval, Assigned, Assignment, Closed, Disposition, Ended, Live, NeedsCorrection, Notified,
    Promoting, PromotionFailed, Question, Rejected, Stage, Submitted, Verified,
};
pub use state::State;

//------------ Facts ---------------------------------------------------------

/// What the acting function knows in its transaction, handed in because this room asks nobody.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Epoch milliseconds.
    pub now: i64,
    /// Working time.
    pub calendar: &'a Calendar,
    /// The settings in force.
    pub rules: &'a Rules,
    /// For `dispose` and `reassign`: the account named under `to`, if there is one.
    pub assignee: Option<&'a Actor>,
    /// The automatic lines, computed now; required by `approve`, welcome at `check`, `submit`.
    pub automatic: Option<&'a [AutoLine]>,
    /// The candidate as it would be built now, for every act that is bound to one.
    pub candidate: Option<&'a Candidate>,
    /// For `resubmit`: the new data, and the faults that were found in it.
    pub amendment: Option<&'a Amendment>,
}

impl<'a> Facts<'a> {
    /// Facts with nothing but the time, the calendar and the rules.
    pub fn at(now: i64, calendar: &'a Calendar, rules: &'a Rules) -> Self {
        Self {
            now,
            calendar,
            rules,
            assignee: None,
            automatic: None,
            candidate: None,
            amendment: None,
        }
    }
}

/// What an approval is bound to (docs/procedure.md, Freshness of an approval).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Candidate {
    /// SHA-256 in hexadecimal over everything the approval must not see change.
    pub hash: String,
    /// The SOA serial it was built on.
    pub serial: u32,
}

/// New data of the applicant with what the automatic rules say about it.
#[derive(Clone, Debug)]
pub struct Amendment {
    /// The data, as far as it parses.
    pub application: Reading,
    /// Faults that keep it from being sent (`automatic::refusals`); empty is good.
    pub faults: Vec<Fault>,
}

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
        let now = facts.now;
        let by = submitter(actor, now)?;
        if !faults.is_empty() {
            return Err(TransitionError::of_faults(faults));
        }
        let application = application.parse().map_err(TransitionError::of_faults)?;
        let case = Case {
            number: number.to_owned(),
            revision: 1,
            application,
            mailbox_proven,
            keyed_in_by: (by.role != Role::Applicant).then(|| by.clone()).into_iter().collect(),
            submitted_at: now,
            changed_at: now,
            sheet: Sheet::default(),
            clocks: Clocks::default(),
            dispositions: Vec::new(),
            questions: Vec::new(),
            attempts: 0,
        };
        let mut cx = Transition::new(case, by, facts);
        cx.lay_in();
        cx.start_clock(ClockStep::Route);
        let application = cx.case.application.clone();
        cx.note("kind", application.kind);
        cx.note("class", application.class);
        cx.note("name", &application.place().name);
        cx.note("office", &application.office);
        cx.note("mailbox_proven", mailbox_proven);
        cx.note_personal("contact_name", &application.contact.name);
        cx.note_personal("contact_email", &application.contact.email);
        cx.note_personal("contact_phone", &application.contact.phone);
        Ok(cx.end(Turn::Submit.row().deed, State::Draft, Submitted {}.into()))
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
                (
                    Stage::Submitted(_)
                    | Stage::Assigned(_)
                    | Stage::NeedsCorrection(_)
                    | Stage::Verified(_),
                    Act::Withdraw { letter },
                ) => Stage::Withdrawn(withdraw(cx, letter)),
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
        Ok(cx.end(row.deed, before, stage))
    }

    /// The request with its sheet as it would be opened now; for showing, nothing is decided by it.
    pub fn with_automatic(mut self, automatic: Vec<AutoLine>) -> Self {
        self.case.sheet.lay_in(automatic);
        self
    }

    /// The request without the person responsible: the decision stays, the person is erased.
    pub fn without_contact(mut self) -> Self {
        self.case.application = self.case.application.without_contact();
        self
    }
}

//--- Who may do what now
impl Request {
    /// The acts the actor is offered now: those whose phase and person fit and that are not too early.
    /// What an act takes and what else must hold is tested when it is done.
    pub fn offers(&self, actor: &Actor, now: i64) -> Vec<ActKind> {
        let phase = self.phase(now);
        let fits = |row: &&Row| {
            let by = row.from.contains(&phase).then(|| self.signature(row.who, actor, now));
            matches!(by, Some(Ok(by)) if self.is_offered(row.offered, actor, &by))
        };
        TABLE.iter().filter(fits).filter_map(|row| row.act).collect()
    }

    /// Tests whether the actor may do an act now: first the state, then the person.
    pub fn may(&self, act: ActKind, actor: &Actor, now: i64) -> Result<(), TransitionError> {
        self.may_take(act.row(), actor, now).map(drop)
    }

    /// The actor's signature for a step, if its phase and its person fit.
    fn may_take(&self, row: &Row, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        let phase = self.phase(now);
        if !row.from.contains(&phase) && !row.early.contains(&phase) {
            return Err(TransitionError::wrong_state(row.deed.as_str(), self.state()));
        }
        self.signature(row.who, actor, now)
    }
}

//--- Reading
impl Request {
    /// The number.
    pub fn number(&self) -> &str {
        &self.case.number
    }

    /// The revision.
    pub fn revision(&self) -> u32 {
        self.case.revision
    }

    /// The data asked for.
    pub fn application(&self) -> &ParsedApplication {
        &self.case.application
    }

    /// The state.
    pub fn state(&self) -> State {
        self.stage.state()
    }

    /// The phase of the procedure it is in.
    pub fn phase(&self, now: i64) -> Phase {
        match self.stage.phase() {
            Phase::Verified if self.case.starts_later(now) => Phase::Scheduled,
            phase => phase,
        }
    }

    /// The stage with its own data.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The check sheet.
    pub fn sheet(&self) -> &Sheet {
        &self.case.sheet
    }

    /// The clocks.
    pub fn clocks(&self) -> &Clocks {
        &self.case.clocks
    }

    /// The routing slips, oldest first.
    pub fn dispositions(&self) -> &[Disposition] {
        &self.case.dispositions
    }

    /// The questions to other parties, oldest first.
    pub fn questions(&self) -> &[Question] {
        &self.case.questions
    }

    /// Whether the applicant's mailbox is proven.
    pub fn mailbox_proven(&self) -> bool {
        self.case.mailbox_proven
    }

    /// The officers who keyed in a paper letter, oldest first.
    pub fn keyed_in_by(&self) -> &[Signature] {
        &self.case.keyed_in_by
    }

    /// Epoch milliseconds.
    pub fn submitted_at(&self) -> i64 {
        self.case.submitted_at
    }

    /// Epoch milliseconds of the last accepted act.
    pub fn changed_at(&self) -> i64 {
        self.case.changed_at
    }

    /// The verifier who holds it, as long as one does.
    pub fn holder(&self) -> Option<&Signature> {
        self.stage.assignment().map(|assignment| &assignment.holder)
    }

    /// The approval in force, if there is one.
    pub fn approval(&self) -> Option<&Approval> {
        self.stage.approval()
    }

    /// Whether some party has agreed since the current revision came in.
    pub fn party_confirmed(&self) -> bool {
        self.case.party_confirmed()
    }

    /// The step it is in and the time left to it.
    pub fn timing(&self, now: i64, calendar: &Calendar, rules: &Rules) -> Timing {
        Timing::of(self.state(), self.due(calendar, rules), now, calendar)
    }

    /// When a running step is due, epoch milliseconds.
    pub fn due(&self, calendar: &Calendar, rules: &Rules) -> Option<i64> {
        match &self.stage {
            Stage::NeedsCorrection(stage) => Some(stage.lapses_at(calendar, rules)),
            _ => self.case.clocks.due(calendar, rules),
        }
    }
}
