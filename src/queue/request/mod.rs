//! The request (*permohonan*, §2.1): twelve states, and every way from one to another.
//!
//! ```text
//! Draft ─submit─► Submitted ─dispose─► Assigned ─approve─► Verified ─promote─► Live ─► Notified ─► Closed
//!                     ▲ release           │ ▲ resubmit         │    fails│ ▲
//!                     └───────────────────┤ │                  │         ▼ │ retry
//!                                  return ▼ │◄─────reopen──────┴── PromotionFailed
//!                             NeedsCorrection ─expire─► Expired
//! Assigned ─reject─► Rejected          any state before promotion starts ─withdraw─► Withdrawn
//! ```
//! Each stage is a type of its own, and a transition consumes it. Tested in this order: the state,
//! then the person, then freshness, then the lines. No function sets a stage from outside.

mod acts;
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

use super::act::Act;
use super::calendar::Calendar;
use super::clocks::Clocks;
use super::fault::{Fault, TransitionError};
use super::happening::{Deed, Happening, Step, Subject};
use super::person::{Actor, Role, Signature};
use super::reading::{ParsedApplication, Reading};
use super::rules::Rules;
use super::sheet::{AutoLine, Sheet};

use persons::{contact_of, in_role, submitter};
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

/// What an approval is bound to (§2.4, rule 4).
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
    /// Letters, digits and hyphens.
    number: String,
    /// 1 at submit, raised by each resubmit.
    revision: u32,
    /// The data of the current revision.
    application: ParsedApplication,
    /// Whether the applicant's mailbox is proven.
    mailbox_proven: bool,
    /// The officers who keyed in a paper letter: they count as applicants.
    keyed_in_by: Vec<Signature>,
    /// Epoch milliseconds.
    submitted_at: i64,
    /// Epoch milliseconds of the last accepted act.
    changed_at: i64,
    /// The check sheet.
    sheet: Sheet,
    /// The clocks.
    clocks: Clocks,
    /// All routing slips, oldest first.
    dispositions: Vec<Disposition>,
    /// All questions to other parties, oldest first.
    questions: Vec<Question>,
    /// How many promotions were started.
    attempts: u32,
    /// Where it stands.
    stage: Stage,
}

/// What every transition of a request gives.
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
        let mut request = Self {
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
            stage: Stage::Submitted(Submitted {}),
        };
        request.lay_in(facts);
        request.clocks.start(super::clocks::ClockStep::Route, now, now, facts.calendar);
        let application = &request.application;
        let happening = request
            .happening(&by, Deed::Submit, Some(State::Draft))
            .with("kind", application.kind)
            .with("class", application.class)
            .with("name", &application.place().name)
            .with("office", &application.office)
            .with("mailbox_proven", mailbox_proven)
            .with_personal("contact_name", &application.contact.name)
            .with_personal("contact_email", &application.contact.email)
            .with_personal("contact_phone", &application.contact.phone);
        Ok(Step { value: request, happening })
    }

    /// Performs an act. This is the only way from an act to a new state, and every rule of §2.4 that
    /// can be tested on the request itself is tested here.
    pub fn act(self, act: &Act, actor: &Actor, facts: &Facts<'_>) -> RequestResult {
        acts::perform(self, act, actor, facts)
    }

    /// Whether the act was done already with the same content, so that a second press gives the
    /// first result instead of an error (§2.4, rule 5). It changes nothing and needs no event.
    pub fn already(&self, act: &Act, actor: &Actor, now: i64) -> bool {
        acts::already(self, act, actor, now)
    }

    /// The request with its sheet as it would be opened now; for showing, nothing is decided by it.
    pub fn with_automatic(mut self, automatic: Vec<AutoLine>) -> Self {
        self.sheet.lay_in(automatic);
        self
    }

    /// The request without the person responsible: the decision stays, the person is erased (§7).
    pub fn without_contact(mut self) -> Self {
        self.application = self.application.without_contact();
        self
    }

    /// Lays in the automatic lines, if they were computed.
    fn lay_in(&mut self, facts: &Facts<'_>) {
        if let Some(automatic) = facts.automatic {
            self.sheet.lay_in(automatic.to_vec());
        }
    }

    /// The happening of an act on this request, which is already in its new state.
    fn happening(&self, by: &Signature, deed: Deed, before: Option<State>) -> Happening {
        let mut happening = Happening::new(by, deed, Subject::Request(self.number.clone()))
            .moved(before.map(State::as_str), self.state().as_str());
        happening.revision = self.revision;
        happening
    }
}

//--- Reading
impl Request {
    /// The number.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The revision.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// The data asked for.
    pub fn application(&self) -> &ParsedApplication {
        &self.application
    }

    /// The state.
    pub fn state(&self) -> State {
        self.stage.state()
    }

    /// The stage with its own data.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// The check sheet.
    pub fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    /// The clocks.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// The routing slips, oldest first.
    pub fn dispositions(&self) -> &[Disposition] {
        &self.dispositions
    }

    /// The questions to other parties, oldest first.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Whether the applicant's mailbox is proven.
    pub fn mailbox_proven(&self) -> bool {
        self.mailbox_proven
    }

    /// The officers who keyed in a paper letter, oldest first.
    pub fn keyed_in_by(&self) -> &[Signature] {
        &self.keyed_in_by
    }

    /// Epoch milliseconds.
    pub fn submitted_at(&self) -> i64 {
        self.submitted_at
    }

    /// Epoch milliseconds of the last accepted act.
    pub fn changed_at(&self) -> i64 {
        self.changed_at
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
        self.questions.iter().any(|q| q.revision == self.revision && q.agreed == Some(true))
    }

    /// When a running step is due, epoch milliseconds.
    pub fn due(&self, calendar: &Calendar, rules: &Rules) -> Option<i64> {
        match &self.stage {
            Stage::NeedsCorrection(stage) => Some(stage.lapses_at(calendar, rules)),
            _ => self.clocks.due(calendar, rules),
        }
    }

    /// Whether approving needs the head's second signature.
    pub fn needs_second_signature(&self) -> bool {
        !self.sheet.second_signature(&self.application).is_empty()
    }
}
