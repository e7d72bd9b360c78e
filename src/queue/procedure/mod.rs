//! The procedure on a page (SOP 500.12.6.4/534/SPeGOV): who may do what in which phase, where it
//! leads, and who gets a notice.
//!
//! [`TABLE`] is what the rules use: [`Request::may`](super::Request::may) tests the phase and the
//! person of an act against its row, [`Request::offers`](super::Request::offers) lists the rows that
//! fit, and the ledger notifies whom the row names. `docs/procedure.md` shows the same table; a test holds
//! the two equal, and writes it with `GAPURA_WRITE_DOCS=1`.

use super::act::ActKind;
use super::happening::Deed;
use super::named::named;
use super::request::State;

//------------ Row -----------------------------------------------------------

/// One step of the procedure.
#[derive(Debug)]
pub struct Row {
    /// What is done, as events and the history name it.
    pub deed: Deed,
    /// The act that does it; none for what gapura does by itself and for `submit`.
    pub act: Option<ActKind>,
    /// The phases it is possible in.
    pub from: &'static [Phase],
    /// The phases it is too early in: whoever may do it reads what is missing, and nobody is offered it.
    pub early: &'static [Phase],
    /// Who may do it.
    pub who: Who,
    /// Which of them are offered it.
    pub offered: Offered,
    /// What must be handed in.
    pub inputs: &'static [ActInput],
    /// What else must hold.
    pub holds: &'static str,
    /// The state it leads to.
    pub to: &'static [State],
    /// Who gets a notice.
    pub recipients: &'static [Recipient],
    /// Whether pages ask for password and code again when the last proof is old.
    pub fresh_proof: bool,
}

named! {
    /// A state as far as the procedure tells its moments apart.
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

/// Who may do a step. The tests are in `request/persons.rs`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Who {
    /// An applicant, or an officer who keys in a paper letter.
    Submitter,
    /// The applicant with the secret, or an officer who keys in a letter of theirs.
    Applicant,
    /// As [`Who::Applicant`], but no officer who routed or checked the request.
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
    /// The party that was asked, by its link, or an officer who keys in its letter.
    Party,
    /// A verifier, head or operator.
    Officer,
    /// gapura itself.
    System,
}

impl Who {
    /// Whether the applicant may do it with the secret of the request.
    pub fn includes_applicant(self) -> bool {
        matches!(self, Self::Applicant | Self::Corrector)
    }
}

/// Which of those who may do an act are offered it. Any officer may key in a letter; it is offered to
/// those who work on the request, and never to an operator, who decides nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Offered {
    /// All of them.
    Everybody,
    /// The applicant or party itself, and the holder.
    Holder,
    /// The applicant itself, the holder and every head.
    HeadOrHolder,
    /// The applicant itself, and every verifier and head.
    Deciders,
}

/// What an act takes, under its name in JSON, in forms and on the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ActInput {
    /// The application and the letter.
    Application,
    /// The application, and a new letter if there is one.
    Correction,
    /// The account name of the verifier.
    Assignee,
    /// What the verifier is to do.
    Instruction,
    /// Why.
    Reason,
    /// Who is asked to agree.
    Party,
    /// Where the party's link goes; empty where its letter will be keyed in.
    Email,
    /// The number of a letter; needed where an officer keys it in.
    Letter,
    /// Lines of the check sheet.
    Lines,
    /// Lines of the check sheet, one of them to be corrected.
    LinesToFix,
    /// Lines of the check sheet, one of them a reason to reject.
    LinesBad,
    /// The code of a reject reason.
    RejectReason,
    /// What the applicant reads.
    Note,
    /// The revision that was read.
    Revision,
    /// The candidate hash that was read.
    Candidate,
    /// The SOA serial that was read; needed under `approval.bind = "serial"`.
    Serial,
    /// How the notice was handed over.
    How,
}

impl ActInput {
    /// Its name in JSON and in forms.
    pub fn name(self) -> &'static str {
        match self {
            Self::Application | Self::Correction => "request",
            Self::Assignee => "to",
            Self::Instruction => "instruction",
            Self::Reason | Self::RejectReason => "reason",
            Self::Party => "party",
            Self::Email => "email",
            Self::Letter => "letter",
            Self::Lines | Self::LinesToFix | Self::LinesBad => "lines",
            Self::Note => "note",
            Self::Revision => "revision",
            Self::Candidate => "candidate",
            Self::Serial => "serial",
            Self::How => "how",
        }
    }
}

/// Who gets a notice of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recipient {
    /// The applicant's mailbox.
    Applicant,
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
}

//------------ TABLE ---------------------------------------------------------

/// Whom an act is offered to: everybody who may do it, unless the table says otherwise.
macro_rules! offered {
    () => {
        Offered::Everybody
    };
    ($offered:ident) => {
        Offered::$offered
    };
}

/// Makes [`TABLE`] from one line per step: the deed, where it is possible, who, what it takes, where
/// it leads, who gets a notice, and in brackets what else must hold.
macro_rules! table {
    (
        acts { $($act:ident: $($from:ident)+ $((too early in $($early:ident)+))?, $who:ident
            $(offered($offered:ident))?, ($($input:ident)*)
            => $($to:ident)+, notifies($($told:ident)*) $($proof:ident)? [$holds:literal];)* }
        others { $($deed:ident: $($ofrom:ident)+, $owho:ident, ($($oinput:ident)*)
            => $($oto:ident)+, notifies($($otold:ident)*) [$oholds:literal];)* }
    ) => {
        /// Every step of a request, acts first.
        pub const TABLE: &[Row] = &[
            $(Row {
                deed: Deed::$act,
                act: Some(ActKind::$act),
                from: &[$(Phase::$from),+],
                early: &[$($(Phase::$early),+)?],
                who: Who::$who,
                offered: offered!($($offered)?),
                inputs: &[$(ActInput::$input),*],
                holds: $holds,
                to: &[$(State::$to),+],
                recipients: &[$(Recipient::$told),*],
                fresh_proof: [$(stringify!($proof),)? ""].len() > 1,
            },)*
            $(Row {
                deed: Deed::$deed,
                act: None,
                from: &[$(Phase::$ofrom),+],
                early: &[],
                who: Who::$owho,
                offered: Offered::Everybody,
                inputs: &[$(ActInput::$oinput),*],
                holds: $oholds,
                to: &[$(State::$oto),+],
                recipients: &[$(Recipient::$otold),*],
                fresh_proof: false,
            },)*
        ];

        /// A step that is no act on a request: it makes one, or gapura does it by itself.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Turn { $(#[doc = $oholds] $deed,)* }

        impl ActKind {
            /// Its row in the procedure.
            pub fn row(self) -> &'static Row {
                /// Places in the table.
                enum Place { $($act,)* }
                match self { $(Self::$act => &TABLE[Place::$act as usize],)* }
            }
        }

        impl Turn {
            /// Its row in the procedure.
            pub(super) fn row(self) -> &'static Row {
                &TABLE[ActKind::ALL.len() + self as usize]
            }
        }
    };
}

table! {
    acts {
        Dispose:     Submitted, Head, (Assignee Instruction) => Assigned, notifies(Holder)
            ["the verifier is active and none of the other persons"];
        Reassign:    Assigned Consulting, Head, (Assignee Reason) => Assigned, notifies(Holder)
            ["the verifier is active and none of the other persons; the clock runs on"];
        Release:     Assigned Consulting, Holder, (Reason) => Submitted, notifies(Heads)
            ["the time used stays used"];
        Consult:     Assigned, Holder, (Party Email) => Assigned, notifies(Party)
            ["the clock pauses"];
        Confirm:     Consulting, Party offered(Holder), (Party Letter) => Assigned, notifies(Holder)
            [""];
        Deny:        Consulting, Party offered(Holder), (Party Letter) => Assigned, notifies(Holder)
            [""];
        Return:      Assigned Consulting, Holder, (LinesToFix) => NeedsCorrection, notifies(Applicant) proof
            ["a note on each line that is not ok; the clock pauses"];
        Resubmit:    NeedsCorrection, Corrector offered(Deciders), (Correction) => Assigned, notifies(Applicant Holder)
            ["the rules of a new request; lines on changed fields are open again"];
        Check:       Assigned Consulting, Holder, (Lines) => Assigned, notifies()
            ["a note on each line that is not ok; decides nothing"];
        Reject:      Assigned Consulting, Holder, (RejectReason Note LinesBad) => Rejected, notifies(Applicant) proof
            ["a note on each line that is not ok"];
        Approve:     Assigned (too early in Consulting), Holder, (Revision Candidate Serial Lines) => Verified, notifies(SecondSigner) proof
            ["revision and candidate are those of now; every line is ok; no question is open"];
        Countersign: AwaitsSecond, Head, (Candidate) => Verified, notifies() proof
            ["the candidate is the one approved and the one of now"];
        Reopen:      Verified AwaitsSecond Scheduled PromotionFailed, HolderOrHead, (Reason) => Assigned, notifies(Holder)
            ["at least an hour of step 3 is left"];
        Promote:     Verified (too early in AwaitsSecond Scheduled), HolderOrSystem, () => Verified, notifies() proof
            ["the approval is fresh, the second signature given, the start time come"];
        Retry:       PromotionFailed, HolderOrOperator, () => Verified, notifies() proof
            ["the approval is fresh"];
        Withdraw:    Submitted Assigned Consulting NeedsCorrection Verified AwaitsSecond Scheduled, Applicant offered(HeadOrHolder), (Letter) => Withdrawn, notifies(Applicant)
            [""];
        Notified:    Live Rejected, Officer offered(Deciders), (How) => Notified Rejected, notifies()
            ["the notice was handed over on paper or by telephone"];
    }
    others {
        Submit:          Draft, Submitter, (Application) => Submitted, notifies(Applicant Heads)
            ["no rule stands against the application"];
        Expire:          NeedsCorrection, System, () => Expired, notifies(Applicant)
            ["the time for the correction is over"];
        ConsultLapsed:   Consulting, System, () => Assigned, notifies(Holder)
            ["the party did not answer in time; the clock runs again"];
        Promoted:        Promoting, System, () => Live, notifies(Applicant)
            ["every listening socket answered as it should"];
        PromotionFailed: Verified AwaitsSecond Scheduled Promoting, System, () => PromotionFailed, notifies(Operators Holder)
            ["the promotion could not begin, or was not answered as it should"];
        Reopen:          Verified AwaitsSecond Scheduled PromotionFailed, System, () => Assigned, notifies(Holder)
            ["the approval is stale"];
        Notified:        Live Rejected, System, () => Notified Rejected, notifies()
            ["a notice of the outcome was delivered"];
        Close:           Notified, System, () => Closed, notifies()
            ["the report of the month holds it"];
    }
}

/// Events that are no step of a request and that people get a notice of all the same.
const ANNOUNCEMENTS: &[(Deed, &[Recipient])] = &[
    (Deed::DueSoon, &[Recipient::Heads, Recipient::SecondSigner, Recipient::Holder]),
    (Deed::CorrectionDue, &[Recipient::Applicant]),
    (Deed::EmergencySuspend, &[Recipient::OtherDeciders]),
    (Deed::OfficerAdded, &[Recipient::Officers]),
    (Deed::RoleChanged, &[Recipient::Officers]),
    (Deed::PasswordReset, &[Recipient::Officers]),
    (Deed::SecondFactorSet, &[Recipient::Officers]),
    (Deed::AccountEnabled, &[Recipient::Officers]),
];

/// Who gets a notice of an event; nobody for most events of live records and notices.
pub fn recipients(deed: Deed) -> &'static [Recipient] {
    let steps = TABLE.iter().map(|row| (row.deed, row.recipients));
    let mut all = steps.chain(ANNOUNCEMENTS.iter().copied());
    all.find(|(of, _)| *of == deed).map_or(&[], |(_, recipients)| recipients)
}

#[cfg(test)]
mod tests;
