//! Confirmation by others: parent office, camat, second holder. The clock pauses while they think.

use super::acts::needed;
use super::stages::{Assigned, Question, Stage};
use super::{Facts, Request, RequestResult, in_role, submitter};
use crate::queue::automatic::is_mailbox;
use crate::queue::fault::{Fault, NotAllowed, Rule, TransitionError};
use crate::queue::happening::Deed;
use crate::queue::person::{Actor, Role};

impl Request {
    /// *Minta konfirmasi*: the clock pauses.
    pub(super) fn ask_party(
        mut self,
        party: &str,
        email: &str,
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let Stage::Assigned(Assigned { waiting: false, .. }) = &self.stage else {
            return Err(TransitionError::wrong_state("ask", before));
        };
        let by = self.as_holder(actor, facts.now)?;
        let party = needed("party", party)?.to_owned();
        // Without a mailbox an officer will key in the party's letter.
        if !email.trim().is_empty() && !is_mailbox(email.trim()) {
            let fault = Fault::new("email", Rule::BadEmail, email.trim());
            return Err(TransitionError::Incomplete(vec![fault]));
        }
        self.questions.push(Question {
            party: party.clone(),
            email: email.trim().to_owned(),
            asked: by.clone(),
            revision: self.revision,
            agreed: None,
            answered: None,
            letter: String::new(),
        });
        self = self.in_stage(|stage| match stage {
            Stage::Assigned(stage) => Stage::Assigned(Assigned { waiting: true, ..stage }),
            other => other,
        });
        self.clocks.pause(facts.now, facts.calendar);
        let mut step = self.done(&by, Deed::Consult, before)?;
        step.happening = step.happening.with("party", party).with_personal("email", email);
        Ok(step)
    }

    /// What an [`Actor`] must have proven to answer for the party asked: the single-use link.
    pub fn party_key(&self) -> String {
        format!("{}#{}", self.number, self.questions.len())
    }

    /// The party agrees or not, by its mailed link or by a letter an officer keys in.
    pub(super) fn answer(
        mut self,
        agreed: bool,
        letter: &str,
        actor: &Actor,
        facts: &Facts<'_>,
    ) -> RequestResult {
        let before = self.state();
        let deed = if agreed { Deed::Confirm } else { Deed::Deny };
        let Stage::Assigned(Assigned { waiting: true, .. }) = &self.stage else {
            return Err(TransitionError::wrong_state(deed.as_str(), before));
        };
        let by = if actor.proved.as_deref() == Some(self.party_key().as_str()) {
            in_role(actor, Role::Applicant, facts.now)?
        } else {
            let by = submitter(actor, facts.now)?;
            if by.role == Role::Applicant {
                return Err(TransitionError::NotAllowed(NotAllowed::NotProven));
            }
            // Keying in the other office's letter is not deciding, but the applicant's side may
            // not do it.
            if self.applicants().iter().any(|applicant| applicant.same(&by.identity)) {
                return Err(TransitionError::SamePerson { with: Role::Applicant });
            }
            needed("letter", letter)?;
            by
        };
        if let Some(question) = self.questions.last_mut() {
            question.agreed = Some(agreed);
            question.answered = Some(by.clone());
            letter.clone_into(&mut question.letter);
        }
        self = self.in_stage(|stage| match stage {
            Stage::Assigned(stage) => Stage::Assigned(Assigned { waiting: false, ..stage }),
            other => other,
        });
        self.clocks.resume(facts.now);
        let mut step = self.done(&by, deed, before)?;
        step.happening = step.happening.with_personal("letter", letter);
        Ok(step)
    }
}
