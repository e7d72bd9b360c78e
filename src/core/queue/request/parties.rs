//! Confirmation by others: parent office, camat, second holder. The clock pauses meanwhile.

use super::Request;
use super::acts::{letter_number, needed};
use super::case::Transition;
use super::stages::{Assigned, Question};
use crate::queue::fault::{Fault, Rule, TransitionError};
use crate::queue::person::{Role, is_mailbox};

impl Assigned {
    /// *Minta konfirmasi*.
    pub(super) fn consult(
        self,
        cx: &mut Transition<'_>,
        party: &str,
        email: &str,
    ) -> Result<Self, TransitionError> {
        let party = needed("party", party)?.to_owned();
        // Without a mailbox an officer will key in the party's letter.
        if !email.trim().is_empty() && !is_mailbox(email.trim()) {
            let fault = Fault::new("email", Rule::BadEmail, email.trim());
            return Err(TransitionError::Incomplete(vec![fault]));
        }
        cx.note_personal("party", &party);
        cx.note_personal("email", email);
        cx.case.questions.push(Question {
            party,
            email: email.trim().to_owned(),
            asked: cx.by.clone(),
            revision: cx.case.revision,
            agreed: None,
            answered: None,
            letter: String::new(),
        });
        cx.pause_clock();
        Ok(Self { waiting: true, ..self })
    }

    /// The party agrees or not, by its mailed link or by a letter an officer keys in.
    pub(super) fn answer(
        self,
        cx: &mut Transition<'_>,
        agreed: bool,
        letter: &str,
    ) -> Result<Self, TransitionError> {
        if cx.by.role != Role::Applicant {
            letter_number(letter)?;
            cx.takes_part();
        }
        cx.note_personal("letter", letter);
        if let Some(question) = cx.case.questions.last_mut() {
            question.agreed = Some(agreed);
            question.answered = Some(cx.by.clone());
            letter.clone_into(&mut question.letter);
        }
        cx.case.clocks.resume(cx.facts.now);
        Ok(Self { waiting: false, ..self })
    }

    /// The party did not answer in time: back to the verifier, and the clock runs.
    pub(super) fn consult_lapsed(self, cx: &mut Transition<'_>) -> Self {
        cx.case.clocks.resume(cx.facts.now);
        Self { waiting: false, ..self }
    }
}

impl Request {
    /// What an [`Actor`](crate::queue::Actor) must have proven to answer for the party: possession of
    /// the single-use link.
    pub fn party_key(&self) -> String {
        format!("{}#{}", self.case.number, self.case.questions.len())
    }
}
