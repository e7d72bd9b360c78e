//! What a viewer may know of the persons behind a request (UU 27/2022), in one place.

use super::parts::FaultView;
use crate::queue::{Actor, Contact, Fault, LineCode, Role, Signature};

/// How much of the persons a viewer sees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sees {
    /// Head, verifier and gapura itself: everything.
    All,
    /// Operator and auditor: that there is a contact, not who it is.
    NoContact,
    /// The applicant: their own contact, and officers by their role only.
    Applicant,
}

impl Sees {
    /// What an officer sees; nothing, if the account holds no role now.
    pub fn of_officer(actor: &Actor, now: i64) -> Option<Self> {
        let holds = |role| actor.capacity(role, now).is_some();
        if holds(Role::Verifier) || holds(Role::Head) || holds(Role::System) {
            Some(Self::All)
        } else {
            actor.is_officer(now).then_some(Self::NoContact)
        }
    }

    /// Whether the viewer is an officer, and so sees other officers by name, the candidate, and
    /// refused attempts.
    pub fn is_officer(self) -> bool {
        self != Self::Applicant
    }

    /// The person responsible.
    pub fn contact(self, contact: &Contact) -> Option<Contact> {
        (self != Self::NoContact).then(|| contact.clone())
    }

    /// A fault; what it found in the contact only for those who see the contact. Line A11 is about
    /// the contact's mailbox, also where another fault quotes it.
    pub fn fault(self, fault: &Fault) -> FaultView {
        let of_contact =
            fault.field.starts_with("contact") || fault.field == LineCode::A11.as_str();
        if self == Self::Applicant {
            return FaultView::from(&fault.clone().for_stranger());
        }
        if self == Self::NoContact && of_contact {
            FaultView::from(&Fault { about: String::new(), ..fault.clone() })
        } else {
            FaultView::from(fault)
        }
    }

    /// An officer: by account name, or by role.
    pub fn officer(self, by: &Signature) -> String {
        self.officer_named(&by.name, by.role)
    }

    /// An officer whose account name and role are known.
    pub fn officer_named(self, name: &str, role: Role) -> String {
        if self.is_officer() { name.to_owned() } else { role.as_str().to_owned() }
    }

    /// The mailbox of a notice, and what the relay said about it.
    pub fn mailbox(self, text: &str) -> Option<String> {
        (self == Self::All).then(|| text.to_owned())
    }
}
