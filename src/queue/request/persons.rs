//! Separate persons (§2.4, rule 2): who stands on which side of a request, and who may act for it.

use super::Request;
use crate::queue::application::Application;
use crate::queue::fault::{NotAllowed, TransitionError};
use crate::queue::person::{ActingOfficial, Actor, Identity, Role, Signature};

impl Request {
    /// The applicant's side: penanggung jawab, and the officer who keyed in the letter.
    pub(super) fn applicants(&self) -> Vec<Identity> {
        let mut sides = vec![contact_of(&self.application)];
        sides.extend(self.keyed_in_by.iter().map(|by| by.identity.clone()));
        sides
    }

    /// Everyone who routed this request or signed second.
    fn heads(&self) -> impl Iterator<Item = &Identity> {
        let routed = self.dispositions.iter().map(|slip| &slip.from.identity);
        routed.chain(self.approval().and_then(|a| a.second.as_ref()).map(|s| &s.identity))
    }

    /// Everyone who was to check this request.
    fn verifiers(&self) -> impl Iterator<Item = &Identity> {
        self.dispositions.iter().map(|slip| &slip.to.identity)
    }

    /// Applicant ≠ kabid ≠ kasi, as persons (§2.4, rule 2).
    pub(super) fn apart(&self, who: &Identity, side: Role) -> Result<(), TransitionError> {
        let same = |with| Err(TransitionError::SamePerson { with });
        if side != Role::Applicant && self.applicants().iter().any(|a| a.same(who)) {
            return same(Role::Applicant);
        }
        if side != Role::Head && self.heads().any(|head| head.same(who)) {
            return same(Role::Head);
        }
        if side != Role::Verifier && self.verifiers().any(|verifier| verifier.same(who)) {
            return same(Role::Verifier);
        }
        Ok(())
    }

    /// The actor's signature as the head, apart from the others.
    pub(super) fn as_head(&self, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        let by = in_role(actor, Role::Head, now)?;
        self.apart(&by.identity, Role::Head)?;
        Ok(by)
    }

    /// The actor's signature as the verifier who holds this request, or who stands in for the holder.
    pub(super) fn as_holder(&self, actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
        let by = in_role(actor, Role::Verifier, now)?;
        self.apart(&by.identity, Role::Verifier)?;
        let holds = self.holder().is_some_and(|holder| {
            let for_holder = |acting: &ActingOfficial| {
                acting.role == Role::Verifier
                    && acting.in_force(now)
                    && Some(&acting.holder) == holder.identity.person.as_ref()
            };
            holder.identity.same(&by.identity) || actor.acting.iter().any(for_holder)
        });
        if holds { Ok(by) } else { Err(TransitionError::NotAllowed(NotAllowed::NotHolder)) }
    }

    /// The applicant with the secret, or an officer keying in a letter.
    pub(super) fn as_applicant(
        &self,
        actor: &Actor,
        now: i64,
    ) -> Result<Signature, TransitionError> {
        if actor.proved.as_deref() == Some(self.number.as_str()) {
            return in_role(actor, Role::Applicant, now);
        }
        let by = submitter(actor, now)?;
        if by.role == Role::Applicant {
            return Err(TransitionError::NotAllowed(NotAllowed::NotProven));
        }
        Ok(by)
    }
}

/// The penanggung jawab as a person.
pub(super) fn contact_of(application: &Application) -> Identity {
    Identity::new(None, application.contact.nip.as_deref(), Some(&application.contact.email))
}

/// The actor's signature in a role.
pub(super) fn in_role(actor: &Actor, role: Role, now: i64) -> Result<Signature, TransitionError> {
    if actor.disabled {
        return Err(TransitionError::NotAllowed(NotAllowed::Disabled));
    }
    actor.capacity(role, now).ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(role)))
}

/// The signature of somebody who may bring in data: an applicant, or an officer with a paper letter
/// (an auditor writes nothing).
pub(super) fn submitter(actor: &Actor, now: i64) -> Result<Signature, TransitionError> {
    if actor.disabled {
        return Err(TransitionError::NotAllowed(NotAllowed::Disabled));
    }
    [Role::Applicant, Role::Verifier, Role::Head, Role::Operator]
        .into_iter()
        .find_map(|role| actor.capacity(role, now))
        .ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(Role::Applicant)))
}
