//! The data of a request in each of its stages.

use serde::{Deserialize, Serialize};

use super::State;
use crate::queue::act::RejectReason;
use crate::queue::calendar::Calendar;
use crate::queue::person::Signature;
use crate::queue::procedure::Phase;
use crate::queue::rules::Rules;

//------------ Stage ---------------------------------------------------------

/// The typed stages side by side, for storage.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Sent, not routed yet.
    Submitted(Submitted),
    /// With a verifier.
    Assigned(Assigned),
    /// With the applicant.
    NeedsCorrection(NeedsCorrection),
    /// Approved.
    Verified(Verified),
    /// In the zone, read back.
    Live(Live),
    /// Approved, but the promotion failed.
    PromotionFailed(PromotionFailed),
    /// The applicant knows.
    Notified(Notified),
    /// In a monthly report.
    Closed(Closed),
    /// Turned down.
    Rejected(Rejected),
    /// Taken back.
    Withdrawn(Ended),
    /// No answer in time.
    Expired(Ended),
}

impl Stage {
    /// The state it is.
    pub fn state(&self) -> State {
        match self {
            Self::Submitted(_) => State::Submitted,
            Self::Assigned(_) => State::Assigned,
            Self::NeedsCorrection(_) => State::NeedsCorrection,
            Self::Verified(_) => State::Verified,
            Self::Live(_) => State::Live,
            Self::PromotionFailed(_) => State::PromotionFailed,
            Self::Notified(_) => State::Notified,
            Self::Closed(_) => State::Closed,
            Self::Rejected(_) => State::Rejected,
            Self::Withdrawn(_) => State::Withdrawn,
            Self::Expired(_) => State::Expired,
        }
    }

    /// The phase of the procedure it is in, apart from the time.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Submitted(_) => Phase::Submitted,
            Self::Assigned(stage) if stage.waiting => Phase::Consulting,
            Self::Assigned(_) => Phase::Assigned,
            Self::NeedsCorrection(_) => Phase::NeedsCorrection,
            Self::Verified(stage) if stage.promoting.is_some() => Phase::Promoting,
            Self::Verified(stage) if stage.approval.awaits_second() => Phase::AwaitsSecond,
            Self::Verified(_) => Phase::Verified,
            Self::Live(_) => Phase::Live,
            Self::PromotionFailed(_) => Phase::PromotionFailed,
            Self::Notified(_) => Phase::Notified,
            Self::Closed(_) => Phase::Closed,
            Self::Rejected(stage) if stage.notified_at.is_some() => Phase::RejectedNotified,
            Self::Rejected(_) => Phase::Rejected,
            Self::Withdrawn(_) => Phase::Withdrawn,
            Self::Expired(_) => Phase::Expired,
        }
    }

    /// The stage without the note of a rejection and without the applicant who took it back.
    pub(super) fn without_persons(self) -> Self {
        match self {
            Self::Rejected(stage) => Self::Rejected(Rejected { note: String::new(), ..stage }),
            Self::Withdrawn(Ended { by }) => Self::Withdrawn(Ended { by: by.without_applicant() }),
            stage => stage,
        }
    }

    /// Who holds it, while a verifier does or will again.
    pub fn assignment(&self) -> Option<&Assignment> {
        match self {
            Self::Assigned(stage) => Some(&stage.assignment),
            Self::NeedsCorrection(stage) => Some(&stage.assignment),
            Self::Verified(stage) => Some(&stage.assignment),
            Self::PromotionFailed(stage) => Some(&stage.assignment),
            _ => None,
        }
    }

    /// The approval, from Verified on.
    pub fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Verified(stage) => Some(&stage.approval),
            Self::PromotionFailed(stage) => Some(&stage.approval),
            Self::Live(stage) => Some(&stage.approval),
            Self::Notified(stage) => Some(&stage.live.approval),
            Self::Closed(stage) => Some(&stage.live.approval),
            _ => None,
        }
    }
}

/// A transition ends in a stage of its own type.
macro_rules! stages {
    ($($name:ident),*) => {
        $(impl From<$name> for Stage {
            fn from(stage: $name) -> Self {
                Self::$name(stage)
            }
        })*
    };
}

stages!(
    Submitted,
    Assigned,
    NeedsCorrection,
    Verified,
    Live,
    PromotionFailed,
    Notified,
    Closed,
    Rejected
);

//------------ The stages ----------------------------------------------------

/// Sent, waiting for the head.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Submitted {}

/// With a verifier.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Assigned {
    /// Who holds it.
    pub assignment: Assignment,
    /// Whether a question to another party is open (the last of the request's questions).
    pub waiting: bool,
}

/// Back with the applicant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NeedsCorrection {
    /// Who held it and will again.
    pub assignment: Assignment,
    /// Returned at, epoch milliseconds.
    pub since: i64,
    /// Until when the applicant has said that the site has no place, epoch milliseconds: the time counts from
    /// then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosting_at: Option<i64>,
}

impl NeedsCorrection {
    /// When it expires without an answer.
    pub fn lapses_at(&self, calendar: &Calendar, rules: &Rules) -> i64 {
        let since = self.hosting_at.unwrap_or(self.since).max(self.since);
        calendar.add(since, rules.correction_days * rules.working_day)
    }
}

/// Approved, not yet in the zone for good.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Verified {
    /// Who holds it.
    pub assignment: Assignment,
    /// The approval.
    pub approval: Approval,
    /// Set once the promotion is committed, until it is read back.
    pub promoting: Option<Promoting>,
}

/// In the zone, read back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Live {
    /// The approval it is based on.
    pub approval: Approval,
    /// The promotion that made it so.
    pub promoting: Promoting,
    /// The serial that brought it.
    pub serial: u32,
    /// Read back at, epoch milliseconds.
    pub at: i64,
}

/// The step that failed, with question, expected and found answer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PromotionFault {
    /// Which step of a promotion: `candidate`, `commit`, `swap`, `read_back`.
    pub step: String,
    /// What was asked.
    pub question: String,
    /// The expected answer.
    pub expected: String,
    /// The answer that came.
    pub found: String,
}

/// Approved, but the promotion did not succeed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PromotionFailed {
    /// Who holds it.
    pub assignment: Assignment,
    /// The approval, still there for `retry`.
    pub approval: Approval,
    /// What failed.
    pub fault: PromotionFault,
    /// Epoch milliseconds.
    pub at: i64,
}

/// The applicant knows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Notified {
    /// As it went live.
    pub live: Live,
    /// Epoch milliseconds.
    pub at: i64,
}

/// Entered in a monthly report.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Closed {
    /// As it went live.
    pub live: Live,
    /// The report, `YYYY-MM`.
    pub report: String,
    /// Epoch milliseconds.
    pub at: i64,
}

/// Turned down.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rejected {
    /// By whom.
    pub by: Signature,
    /// Why.
    pub reason: RejectReason,
    /// What the applicant reads.
    pub note: String,
    /// When the applicant was notified, epoch milliseconds.
    pub notified_at: Option<i64>,
}

/// Withdrawn or expired.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ended {
    /// By whom; gapura itself when it expired.
    pub by: Signature,
}

//------------ Their parts ---------------------------------------------------

/// *Disposisi*: the head's routing slip: to whom, what to do, by when. It is not a verdict.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Disposition {
    /// The head.
    pub from: Signature,
    /// The verifier.
    pub to: Signature,
    /// What to do.
    pub instruction: String,
    /// Working milliseconds of step 2 that were used.
    pub used: i64,
}

/// Who holds a request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Assignment {
    /// The verifier.
    pub holder: Signature,
    /// Since when, epoch milliseconds.
    pub since: i64,
}

/// A question to another party: parent office, camat, second holder.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Question {
    /// Who was asked.
    pub party: String,
    /// Where the link went.
    pub email: String,
    /// Who asked, when.
    pub asked: Signature,
    /// The revision it is about.
    pub revision: u32,
    /// `None` until answered, or for good when it lapsed.
    pub agreed: Option<bool>,
    /// Who answered or keyed in the letter.
    pub answered: Option<Signature>,
    /// The number of the party's letter.
    pub letter: String,
}

/// *Persetujuan*: what the verifier signed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Approval {
    /// The verifier.
    pub by: Signature,
    /// The revision.
    pub revision: u32,
    /// The candidate hash.
    pub candidate: String,
    /// The SOA serial seen.
    pub serial: u32,
    /// Whether the head must sign too.
    pub second_needed: bool,
    /// The head's signature on the same hash.
    pub second: Option<Signature>,
}

impl Approval {
    /// Whether the second signature is missing.
    pub fn awaits_second(&self) -> bool {
        self.second_needed && self.second.is_none()
    }
}

/// A promotion that was committed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Promoting {
    /// SHA-256 over number, revision, candidate hash and attempt, in hexadecimal.
    pub id: String,
    /// 1 for the first; raised by `retry` only.
    pub attempt: u32,
    /// Epoch milliseconds.
    pub at: i64,
    /// The verifier, or gapura's scheduler.
    pub by: Signature,
}
