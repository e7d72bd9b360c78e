//! Separate persons: who may do a step of the procedure, and in which role they sign it.

use super::Request;
use crate::queue::application::Application;
use crate::queue::fault::{NotAllowed, TransitionError};
use crate::queue::person::{ActingOfficial, Actor, Identity, Role, Signature};
use crate::queue::procedure::{Condition, Offered, Who};

/// The roles of officers who may hand over a notice.
const OFFICERS: &[Role] = &[Role::Verifier, Role::Head, Role::Operator];

impl Request {
    /// The actor's signature for a step, if they are among those who may do it.
    pub(super) fn signature(
        &self,
        who: Who,
        actor: &Actor,
        now: i64,
    ) -> Result<Signature, TransitionError> {
        if actor.disabled {
            return Err(TransitionError::NotAllowed(NotAllowed::Disabled));
        }
        match who {
            Who::Submitter => submitter(actor, now),
            Who::Applicant => match self.as_applicant(actor, now) {
                Some(by) => by,
                None => self.on_letter(actor, now),
            },
            Who::Corrector => match self.as_applicant(actor, now) {
                Some(by) => by,
                None => self.with_correction(actor, now),
            },
            Who::Head => self.as_head(actor, now),
            Who::Holder => self.as_holder(actor, now),
            // A verifier who acts for the head and does not hold the request reopens it as the head.
            Who::HolderOrHead => match self.as_holder(actor, now) {
                Err(_) if actor.capacity(Role::Head, now).is_some() => self.as_head(actor, now),
                by => by,
            },
            // An operator repairs the server and decides nothing; the approval remains a verifier's.
            Who::HolderOrOperator => match in_role(actor, &[Role::Operator], now) {
                Ok(by) if !actor.roles.contains(&Role::Verifier) => Ok(by),
                _ => self.as_holder(actor, now),
            },
            Who::HolderOrSystem => match actor.capacity(Role::System, now) {
                Some(by) => Ok(by),
                None => self.as_holder(actor, now),
            },
            Who::Party => self.as_party(actor, now),
            Who::Officer => in_role(actor, OFFICERS, now),
            Who::System => in_role(actor, &[Role::System], now),
        }
    }

    /// Why a condition of the procedure does not hold of this request, if so.
    pub(super) fn hinders(&self, condition: Condition) -> Option<NotAllowed> {
        match condition {
            Condition::HasSender => self.application().raised.map(|_| NotAllowed::NoSender),
        }
    }

    /// Whether an actor who may do an act with this signature is offered it.
    pub(super) fn is_offered(&self, offered: Offered, actor: &Actor, by: &Signature) -> bool {
        let holds = |role| actor.capacity(role, by.at).is_some();
        by.role == Role::Applicant
            || match offered {
                Offered::Everybody => true,
                Offered::Deciders => holds(Role::Head) || holds(Role::Verifier),
            }
    }

    /// The head, apart from the others.
    fn as_head(&self, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        let by = in_role(actor, &[Role::Head], now)?;
        self.case.apart(&by, Role::Head)?;
        Ok(by)
    }

    /// The verifier who holds this request, or who stands in for the holder and signs so.
    fn as_holder(&self, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        let mut by = in_role(actor, &[Role::Verifier], now)?;
        let stand_in = self.stand_in(actor, now);
        if !self.is_held_by(actor, now) {
            self.case.apart(&by, Role::Verifier)?;
            return Err(TransitionError::NotAllowed(NotAllowed::NotHolder));
        }
        by.acting = stand_in.cloned().or(by.acting);
        self.case.apart(&by, Role::Verifier)?;
        Ok(by)
    }

    /// Whether the actor holds this request or stands in for the holder.
    fn is_held_by(&self, actor: &Actor, now: i64) -> bool {
        let holds = self.holder().is_some_and(|holder| holder.identity.same(&actor.identity));
        holds || self.stand_in(actor, now).is_some()
    }

    /// The appointment by which the actor stands in for the holder of this request.
    fn stand_in<'a>(&self, actor: &'a Actor, now: i64) -> Option<&'a ActingOfficial> {
        let holder = self.holder()?.identity.person.as_ref()?;
        let for_holder = |acting: &&ActingOfficial| {
            acting.role == Role::Verifier && acting.in_force(now) && acting.holder == *holder
        };
        actor.acting.iter().find(for_holder)
    }

    /// The applicant with the secret; none if the actor has an account and no secret.
    fn as_applicant(&self, actor: &Actor, now: i64) -> Option<Result<Signature, TransitionError>> {
        if actor.proved.as_deref() == Some(self.number()) {
            return Some(in_role(actor, &[Role::Applicant], now));
        }
        let unproven = actor.roles.contains(&Role::Applicant);
        unproven.then_some(Err(TransitionError::NotAllowed(NotAllowed::NotProven)))
    }

    /// An officer who keys in what a letter says: the verifier who holds the request, or a head. It is
    /// the letter's word and not theirs, so they may be on any side.
    fn on_letter(&self, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        let by = in_role(actor, &[Role::Head, Role::Verifier], now)?;
        if !self.is_held_by(actor, now) {
            return match by.role {
                Role::Head => Ok(by),
                _ => Err(TransitionError::NotAllowed(NotAllowed::NotHolder)),
            };
        }
        let mut by = in_role(actor, &[Role::Verifier, Role::Head], now)?;
        if by.role == Role::Verifier {
            by.acting = self.stand_in(actor, now).cloned().or(by.acting);
        }
        Ok(by)
    }

    /// An officer who keys in a correction that came on paper, and counts as applicant from then on.
    fn with_correction(&self, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        let by = submitter(actor, now)?;
        self.case.applicant_apart(&by.identity)?;
        Ok(by)
    }

    /// The party by its link, or an officer who keys in its letter. The applicant's side may not do it, and
    /// who does it as head is no verifier of the request.
    fn as_party(&self, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        if actor.proved.as_deref() == Some(self.party_key().as_str()) {
            return in_role(actor, &[Role::Applicant], now);
        }
        if actor.roles.contains(&Role::Applicant) {
            return Err(TransitionError::NotAllowed(NotAllowed::NotProven));
        }
        let by = self.on_letter(actor, now)?;
        if self.case.applicants().iter().any(|applicant| applicant.same(&by.identity)) {
            return Err(TransitionError::SamePerson { with: Role::Applicant });
        }
        // What a head keys in counts in full, so it is a part in the procedure like any other.
        if by.role == Role::Head {
            self.case.apart(&by, Role::Head)?;
        }
        Ok(by)
    }
}

/// The person responsible, as a person.
pub(super) fn contact_of(application: &Application) -> Identity {
    application.contact.identity()
}

/// The actor's signature in the first of these roles they hold.
fn in_role(actor: &Actor, roles: &[Role], now: i64) -> Result<Signature, TransitionError> {
    if actor.disabled {
        return Err(TransitionError::NotAllowed(NotAllowed::Disabled));
    }
    let by = roles.iter().find_map(|role| actor.capacity(*role, now));
    let role = roles.first().copied().unwrap_or(Role::System);
    by.ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(role)))
}

/// The signature of somebody who may bring in data: an applicant, or an officer with a paper letter
/// (an auditor writes nothing).
pub(super) fn submitter(actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
    in_role(actor, &[Role::Applicant, Role::Verifier, Role::Head, Role::Operator], now)
}
