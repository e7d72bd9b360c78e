//! The procedure on a page (SOP 500.12.6.4/534/SPeGOV): who may do what in which phase, where it
//! leads, who gets a notice, and which papers are made.
//!
//! [`TABLE`] is what the rules use: [`Request::may`](super::Request::may) tests the phase, the condition
//! and the person of an act against its row, [`Request::offers`](super::Request::offers) lists the rows
//! that fit, and the ledger notifies whom the row names. The acts themselves, their commands and their
//! forms are made from the rows, and so are the tables of the manual: a test holds them equal, and writes
//! them with `GAPURA_WRITE_DOCS=1`.
//!
//! To add an act:
//!
//! 1. its row; if its phases do not say all of when it is possible, a [`Condition`]; what it needs that no
//!    act needed before is an [`Input`], with an example in `src/web/api/document/acts.rs`, a field in
//!    `src/web/pages/acts.rs` and `ask-FIELD` in both catalogues;
//! 2. its arm in [`Request::act`](super::Request::act) and the method of its stage, or a function if it has
//!    many; if it moves a clock, its arm in [`Replay::mark`](super::laps::Replay::mark);
//! 3. what its event says: `note` is a fact that stays in the chain for good and is shown with `fact-KEY`;
//!    what somebody wrote freely, or what is personal, goes through `note_personal`, of which the chain
//!    has a commitment only. The history shows such a text only if the request keeps it too: a field of
//!    `Case`, which `without_persons` erases;
//! 4. its words in both catalogues: `words_of` in `src/words/tests.rs` has their ids, and `ask-ACT-lead`
//!    is what its page says before the form, if anything.
//!
//! What is forgotten does not compile, or is named by a test: random walks in `request/tests/walks.rs` must
//! take every step, end where its row says, and have the clocks of the replay.

mod inputs;
mod notices;
mod table;

use super::named::named;
use super::papers::PaperKind;
use super::person::Role;
use super::request::State;
pub use inputs::{ActInput, Input};
pub use notices::{Notices, Recipient, notices};
pub(super) use table::Turn;
pub use table::{Act, ActKind, Deed, TABLE};

//------------ Row -----------------------------------------------------------

/// One step of the procedure.
#[derive(Debug)]
pub struct Row {
    /// What is done, as events and the history name it.
    pub deed: Deed,
    /// The act that does it; none for what gapura does by itself and for `submit`.
    pub act: Option<ActKind>,
    /// The last part of the path of its page; none where another page does it.
    pub page: Option<&'static str>,
    /// The phases it is possible in.
    pub from: &'static [Phase],
    /// The phases it is too early in: nobody is offered it, and trying it says what is missing.
    pub early: &'static [Phase],
    /// What must hold of the request besides: nobody is offered it otherwise.
    pub condition: Option<Condition>,
    /// Who may do it.
    pub who: Who,
    /// Which of them are offered it.
    pub offered: Offered,
    /// What must be handed in.
    pub inputs: &'static [Input],
    /// What else must hold when it is done.
    pub holds: &'static str,
    /// The state it leads to; where there are several, one for each of `from`.
    pub to: &'static [State],
    /// Who gets a notice, and what it contains.
    pub notices: Notices,
    /// Which papers are made.
    pub papers: &'static [PaperKind],
}

impl Row {
    /// A step that no act does and that takes nothing.
    const fn without_act(
        deed: Deed,
        who: Who,
        (from, to): (&'static [Phase], &'static [State]),
        notices: Notices,
        holds: &'static str,
    ) -> Self {
        Self {
            deed,
            act: None,
            page: None,
            from,
            early: &[],
            condition: None,
            who,
            offered: Offered::Everybody,
            inputs: &[],
            holds,
            to,
            notices,
            papers: &[],
        }
    }

    /// Whether it brings the request nearer to being live, or is the promotion itself.
    pub fn is_on_the_way_to_live(&self) -> bool {
        self.to == [State::Verified]
    }
}

/// The row whose page has this last part of the path.
pub fn row_of_page(page: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.page == Some(page))
}

named! {
    /// A state, split where the procedure treats its moments differently.
    pub enum Phase {
        /// Being filled in.
        Draft = "draft",
        /// Waits for the head to route it.
        Submitted = "submitted",
        /// With a verifier.
        Assigned = "assigned",
        /// With a verifier, while another party is asked to agree.
        Consulting = "consulting",
        /// With the applicant.
        NeedsCorrection = "needs_correction",
        /// Approved; no signature is missing, and the start time lies ahead.
        Scheduled = "scheduled",
        /// Approved; nothing is missing.
        Verified = "verified",
        /// Approved; the head's second signature is missing.
        AwaitsSecond = "awaits_second",
        /// The promotion is committed and not read back yet.
        Promoting = "promoting",
        /// The promotion did not succeed.
        PromotionFailed = "promotion_failed",
        /// In the zone; the applicant has not been notified yet.
        Live = "live",
        /// In the zone, and the applicant knows.
        Notified = "notified",
        /// Entered in a monthly report.
        Closed = "closed",
        /// Turned down; the applicant has not been notified yet.
        Rejected = "rejected",
        /// Turned down, and the applicant knows.
        RejectedNotified = "rejected_notified",
        /// Taken back.
        Withdrawn = "withdrawn",
        /// Not corrected in time.
        Expired = "expired",
    }
}

impl Phase {
    /// The phases that wait for the head, whoever holds the request.
    pub const FOR_HEAD: [Self; 2] = [Self::Submitted, Self::AwaitsSecond];
    /// The phases that wait for the verifier who holds it.
    pub const FOR_HOLDER: [Self; 3] = [Self::Assigned, Self::Verified, Self::PromotionFailed];

    /// The phase of a state whose moments are not known.
    pub fn of(state: State) -> Self {
        match state {
            State::Draft => Self::Draft,
            State::Submitted => Self::Submitted,
            State::Assigned => Self::Assigned,
            State::NeedsCorrection => Self::NeedsCorrection,
            State::Verified => Self::Verified,
            State::Live => Self::Live,
            State::PromotionFailed => Self::PromotionFailed,
            State::Notified => Self::Notified,
            State::Closed => Self::Closed,
            State::Rejected => Self::Rejected,
            State::Withdrawn => Self::Withdrawn,
            State::Expired => Self::Expired,
        }
    }

    /// Whose turn it is; nobody's while another party is asked, and at the end.
    pub fn turn(self) -> Option<Role> {
        match self {
            Self::Submitted | Self::AwaitsSecond => Some(Role::Head),
            Self::Assigned | Self::Verified | Self::PromotionFailed => Some(Role::Verifier),
            Self::Draft | Self::NeedsCorrection => Some(Role::Applicant),
            Self::Scheduled | Self::Promoting => Some(Role::System),
            Self::Consulting
            | Self::Live
            | Self::Notified
            | Self::Closed
            | Self::Rejected
            | Self::RejectedNotified
            | Self::Withdrawn
            | Self::Expired => None,
        }
    }
}

/// What must hold of a request for a step, whoever does it. The tests are in `request/persons.rs`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Condition {
    /// An applicant sent it: gapura did not ask for it by itself.
    HasSender,
}

impl Condition {
    /// What it is, in words.
    pub fn about(self) -> &'static str {
        match self {
            Self::HasSender => "an applicant sent it, not gapura",
        }
    }
}

/// Who may do a step. The tests are in `request/persons.rs`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Who {
    /// An applicant, or an officer who keys in a paper letter.
    Submitter,
    /// The applicant with the secret, or with a letter of theirs the holder or a head.
    Applicant,
    /// The applicant with the secret, or an officer who keys in a letter of theirs and has neither
    /// routed nor checked the request.
    Corrector,
    /// The head.
    Head,
    /// The verifier who holds the request, or stands in for the holder.
    Holder,
    /// The holder, or the head.
    HolderOrHead,
    /// The holder, or an operator.
    HolderOrOperator,
    /// The holder, or gapura's scheduler.
    HolderOrSystem,
    /// The party that was asked, by its link, or with its letter the holder or a head.
    Party,
    /// A verifier, head or operator.
    Officer,
    /// gapura itself.
    System,
}

impl Who {
    /// Whether whoever does it is one of the request's heads or verifiers from then on.
    pub fn works_on_it(self) -> bool {
        match self {
            Self::Head
            | Self::Holder
            | Self::HolderOrHead
            | Self::HolderOrOperator
            | Self::HolderOrSystem => true,
            Self::Submitter
            | Self::Applicant
            | Self::Corrector
            | Self::Party
            | Self::Officer
            | Self::System => false,
        }
    }

    /// Who it is, in words; roles are in backquotes.
    pub fn about(self) -> &'static str {
        match self {
            Self::Submitter => "applicant, or an officer with their paper letter",
            Self::Applicant => {
                "applicant with the secret, or with their letter the `kasi` who holds it or `kabid`"
            }
            Self::Corrector => {
                "applicant with the secret, or an officer with their letter who took no part"
            }
            Self::Head => "`kabid`",
            Self::Holder => "the `kasi` who holds it",
            Self::HolderOrHead => "the `kasi` who holds it, or `kabid`",
            Self::HolderOrOperator => "the `kasi` who holds it, or `admin`",
            Self::HolderOrSystem => "the `kasi` who holds it, or gapura at the start time",
            Self::Party => {
                "the party by its link, or with its letter the `kasi` who holds it or `kabid`"
            }
            Self::Officer => "`kasi`, `kabid` or `admin`",
            Self::System => "gapura",
        }
    }

    /// Whether the applicant may do it with the secret of the request.
    pub fn includes_applicant(self) -> bool {
        matches!(self, Self::Applicant | Self::Corrector)
    }
}

/// Which of those who may do an act are offered it. An operator may help with paper where too few
/// officers are left, but is not offered it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Offered {
    /// All of them.
    Everybody,
    /// The applicant itself, and every verifier and head.
    Deciders,
}

/// What else a row of the table says of its step or event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flag {
    /// Pages ask for password and code again when the last proof is old.
    FreshProof,
    /// The applicant's history tells it; everything else is work of officers.
    Milestone,
    /// A step that no webhook reports.
    NoWebhook,
    /// An event that is no step, and that webhooks report.
    Webhook,
    /// A change of an account that every officer sees on the queue's page.
    News,
}

impl Deed {
    /// Whether it has this flag.
    pub fn is(self, flag: Flag) -> bool {
        self.flags().contains(&flag)
    }

    /// Whether webhooks report it.
    pub fn is_for_webhooks(self) -> bool {
        let is_step = TABLE.iter().any(|row| row.deed == self);
        if is_step { !self.is(Flag::NoWebhook) } else { self.is(Flag::Webhook) }
    }

    /// Whether it belongs to the year of a name, of which its owner is told.
    pub fn is_of_year(self) -> bool {
        let asks = matches!(self, Self::ReconfirmAsked | Self::ReconfirmReminded | Self::Reconfirm);
        asks || self.is_of_end()
    }

    /// Whether it is about the approved end of a name.
    pub fn is_of_end(self) -> bool {
        matches!(self, Self::EndsSoon | Self::Ended)
    }
}

/// Which papers are made of an event.
pub fn papers(deed: Deed) -> &'static [PaperKind] {
    TABLE.iter().find(|row| row.deed == deed).map_or(&[], |row| row.papers)
}

#[cfg(test)]
mod tests;
