//! Who gets a notice of an event, and what of the request goes with it. The mailboxes are found by the
//! ledger; the texts are in the catalogues.

use super::table::{ANNOUNCEMENTS, Deed, TABLE};
use crate::queue::line::LineVerdict;
use crate::queue::notice::NoticeReader;
use crate::queue::request::State;

//------------ Notices -------------------------------------------------------

/// The notices of an event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notices {
    /// Who gets one.
    pub recipients: &'static [Recipient],
    /// The verdicts whose lines on the check sheet the applicant's contains.
    pub points: &'static [LineVerdict],
    /// The states of the request in which what they ask for is not done yet; empty for any.
    pub wanted_in: &'static [State],
}

/// The notices of an event; none for most events of live records and notices.
pub fn notices(deed: Deed) -> Notices {
    let steps = TABLE.iter().map(|row| (row.deed, row.notices));
    let mut all = steps.chain(ANNOUNCEMENTS.iter().copied());
    all.find(|(of, _)| *of == deed).map(|(_, notices)| notices).unwrap_or_default()
}

//------------ Recipient -----------------------------------------------------

/// Who gets a notice of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recipient {
    /// The applicant's mailbox.
    Applicant,
    /// The applicant, where the time asked for as the start is over: who counted on it hears that it was missed.
    ApplicantOfMissedStart,
    /// Every head, while the request waits to be routed.
    Heads,
    /// Every head, while the second signature is missing.
    SecondSigner,
    /// The verifier who holds the request.
    Holder,
    /// Every operator.
    Operators,
    /// The party that is asked to agree.
    Party,
    /// Every officer of the other deciding role.
    OtherDeciders,
    /// Every officer.
    Officers,
    /// The office whose name it is.
    Owner,
}

impl Recipient {
    /// Whose text it is.
    pub fn reader(self) -> NoticeReader {
        match self {
            Self::Applicant | Self::ApplicantOfMissedStart => NoticeReader::Applicant,
            Self::Party => NoticeReader::Party,
            Self::Owner => NoticeReader::Owner,
            Self::Heads
            | Self::SecondSigner
            | Self::Holder
            | Self::Operators
            | Self::OtherDeciders
            | Self::Officers => NoticeReader::Officer,
        }
    }
}
