//! Turns updates (RFC 2136) that may only be proposed into requests of the queue.

use crate::desk::{ActError, Desk, UpdateWish};
use crate::fleet::{NotProposed, Proposal, Queue};
use crate::queue::{Application, Contact, State};
use crate::text::with_causes;
use crate::wire::Name;

/// The queue, behind the trait that the fleet uses.
pub(super) struct Proposals(pub(super) Desk);

impl Queue for Proposals {
    fn is_kept_out(&self, name: &Name) -> Result<bool, String> {
        self.0.is_kept_out(name).map_err(|error| with_causes(&error))
    }

    fn propose(&self, proposal: &Proposal) -> Result<String, NotProposed> {
        let proposed = self.0.propose(&wish(proposal)).map_err(|error| not_proposed(&error))?;
        let number = proposed.number;
        if !proposed.holds_all {
            return Err(NotProposed::TurnedBack(format!(
                "request {number} for this name is open and asks for something else; this update is in no request"
            )));
        }
        match proposed.state {
            State::Rejected => Err(NotProposed::TurnedBack(format!(
                "request {number} asked for it and was rejected"
            ))),
            _ => Ok(number),
        }
    }
}

/// A proposal as the desk takes it.
fn wish(proposal: &Proposal) -> UpdateWish {
    let of = proposal.applicant.clone();
    let blank = Application::blank(&proposal.zone.to_string());
    UpdateWish {
        owner: proposal.owner.clone(),
        zone: proposal.zone.clone(),
        changed: proposal.changed.clone(),
        key: proposal.key.to_string(),
        application: Application {
            class: of.class.parse().unwrap_or(blank.class),
            office: of.office,
            purpose: format!("{} ({})", of.purpose, proposal.key),
            contact: Contact {
                name: of.name,
                position: of.position,
                email: of.email,
                phone: of.phone,
                nip: None,
            },
            letter: crate::queue::Letter { number: of.letter, date: of.letter_date, sha256: None },
            ..blank
        },
    }
}

/// Why there is no request: a rule, which is reported to the requester, or a failure.
fn not_proposed(error: &ActError) -> NotProposed {
    match error {
        ActError::Rule(_) | ActError::Limit(_) | ActError::NotAllowed => {
            NotProposed::TurnedBack(with_causes(error))
        }
        _ => NotProposed::Failed(with_causes(error)),
    }
}
