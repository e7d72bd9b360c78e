//! What the fleet needs of the queue: whether a name is kept out of the zone, and a request made of an update.
//!
//! `run` hands in who does it; without a queue nothing is proposed.

use crate::publish::RrsetEdit;
use crate::wire::Name;

//------------ Queue ---------------------------------------------------------

/// The queue, as far as updates need it.
pub trait Queue: Send + Sync {
    /// Whether the procedure keeps a name out of its zone: suspended, or in quarantine.
    fn is_kept_out(&self, name: &Name) -> Result<bool, String>;

    /// Makes a request of an update, corrects with it a request that was sent back, or finds the one that asks for
    /// the same already; returns its number.
    fn propose(&self, proposal: &Proposal) -> Result<String, NotProposed>;
}

/// What an update asks for at one name.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The apex.
    pub zone: Name,
    /// The name.
    pub owner: Name,
    /// The RRsets of the name that would change.
    pub changed: Vec<RrsetEdit>,
    /// The key that signed.
    pub key: Name,
    /// For whom the key stands.
    pub applicant: Applicant,
}

/// For whom a key that may propose stands, as the settings say: what a request needs and an UPDATE does
/// not have.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Applicant {
    /// The office that owns the names.
    pub office: String,
    /// The naming class of new names.
    pub class: String,
    /// What its names are for.
    pub purpose: String,
    /// The person responsible.
    pub name: String,
    /// Their position.
    pub position: String,
    /// Their mailbox.
    pub email: String,
    /// Their telephone.
    pub phone: String,
    /// The number of the letter by which the office asked for the key.
    pub letter: String,
    /// Its date, `YYYY-MM-DD`.
    pub letter_date: String,
}

/// Why there is no request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotProposed {
    /// A rule of the procedure turns it back; for the requester.
    TurnedBack(String),
    /// The queue cannot take it now; for the log.
    Failed(String),
}
