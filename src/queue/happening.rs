//! What happened: the one event each accepted transition leaves, for the chain.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::named::named;
use super::person::{Actor, Role, Signature};

//------------ Step ----------------------------------------------------------

/// An accepted transition: the new value and exactly one happening.
#[derive(Clone, Debug)]
#[must_use = "the new value and its event belong into one transaction"]
pub struct Step<T> {
    /// The value after the act.
    pub value: T,
    /// What is to be written as an event in the same transaction.
    pub happening: Happening,
}

//------------ Happening -----------------------------------------------------

/// One event before it has a place in the chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Happening {
    /// Who did it, in which role, when.
    pub by: Signature,
    /// What was done.
    pub deed: Deed,
    /// On what.
    pub subject: Subject,
    /// The request's revision; 0 where there is none.
    pub revision: u32,
    /// State before; `None` at the beginning.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
    /// The problem code, when the attempt was turned back and nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned_back: Option<String>,
    /// Facts without personal data, kept in the chain as they are.
    pub facts: BTreeMap<String, String>,
    /// Free text and personal data: the chain keeps commitments only (docs/procedure.md, Personal
    /// data).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub personal: BTreeMap<String, String>,
}

impl Happening {
    /// An event signed by `who`.
    pub fn new(who: &Signature, deed: Deed, subject: Subject) -> Self {
        Self {
            by: who.clone(),
            deed,
            subject,
            revision: 0,
            before: None,
            after: None,
            turned_back: None,
            facts: BTreeMap::new(),
            personal: BTreeMap::new(),
        }
    }

    /// An attempt by a signed-in officer that was turned back.
    pub fn turned_back(actor: &Actor, now: i64, deed: Deed, subject: Subject, code: &str) -> Self {
        let by = Signature {
            name: actor.name.clone(),
            identity: actor.identity.clone(),
            role: actor.roles.first().copied().unwrap_or(Role::Applicant),
            acting: None,
            at: now,
        };
        Self { turned_back: Some(code.to_owned()), ..Self::new(&by, deed, subject) }
    }

    /// Adds the states before and after.
    pub fn moved(mut self, before: Option<&str>, after: &str) -> Self {
        self.before = before.map(str::to_owned);
        self.after = Some(after.to_owned());
        self
    }

    /// Adds a fact.
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.facts.insert(key.to_owned(), value.to_string());
        self
    }

    /// Adds a text that may hold personal data, unless it is empty.
    pub fn with_personal(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.personal.insert(key.to_owned(), value.to_owned());
        }
        self
    }
}

/// What an event is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A request, by number.
    Request(String),
    /// A live record, by absolute name.
    LiveRecord(String),
    /// A notice, by id.
    Notice(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(number) => write!(f, "request:{number}"),
            Self::LiveRecord(name) => write!(f, "record:{name}"),
            Self::Notice(id) => write!(f, "notice:{id}"),
        }
    }
}

//------------ Deed ----------------------------------------------------------

named! {
    /// Everything that leaves an event in one of the three machines, or a notice.
    pub enum Deed {
        /// A request came in.
        Submit = "submit",
        /// The head routed it.
        Dispose = "dispose",
        /// The head gave it to another verifier.
        Reassign = "reassign",
        /// The verifier gave it back.
        Release = "release",
        /// Another party was asked.
        Consult = "ask",
        /// The party agreed.
        Confirm = "confirm",
        /// The party did not agree.
        Deny = "deny",
        /// The party did not answer in time.
        ConsultLapsed = "ask_lapsed",
        /// It went back to the applicant.
        Return = "return",
        /// The applicant sent a new revision.
        Resubmit = "resubmit",
        /// Lines of the check sheet were saved.
        Check = "check",
        /// The applicant did not answer in time.
        Expire = "expire",
        /// It was turned down.
        Reject = "reject",
        /// It was approved.
        Approve = "approve",
        /// The head signed second.
        Countersign = "countersign",
        /// It went back to be checked again.
        Reopen = "reopen",
        /// The promotion was committed: journal, rows and this event are one transaction.
        Promote = "promote",
        /// The read-back was right: it is live.
        Promoted = "promoted",
        /// The promotion did not succeed.
        PromotionFailed = "promotion_failed",
        /// Another attempt was allowed.
        Retry = "retry",
        /// The applicant took it back.
        Withdraw = "withdraw",
        /// The applicant knows.
        Notified = "notified",
        /// It stands in a monthly report.
        Close = "close",
        /// A reminder: the running step is due soon.
        DueSoon = "due_soon",
        /// A reminder: the time for a correction is about to end.
        CorrectionDue = "correction_due",
        /// A notice to every officer: there is a new one.
        OfficerAdded = "officer_added",
        /// A notice to every officer: somebody has another role.
        RoleChanged = "role_changed",
        /// A notice to every officer: somebody's password was reset.
        PasswordReset = "password_reset",
        /// A notice to every officer: somebody set up or replaced a second factor.
        SecondFactorSet = "second_factor_set",
        /// A notice to every officer: an account was switched on again.
        AccountEnabled = "account_enabled",
        /// A name was held for a request.
        Hold = "hold",
        /// A held name became free again.
        LetGo = "let_go",
        /// A name went live or got a new version.
        GoLive = "go_live",
        /// A name found in the zone was taken into the records.
        Import = "import",
        /// A name was taken out of the zone.
        Suspend = "suspend",
        /// One officer took it out in an emergency.
        EmergencySuspend = "emergency_suspend",
        /// The other officer agreed with it.
        ConfirmSuspension = "confirm_suspension",
        /// It was put back.
        Lift = "lift",
        /// It was removed and put into quarantine.
        Remove = "remove",
        /// The yearly question is due.
        Reconfirm = "reconfirm",
        /// The owner confirmed it.
        Renew = "renew",
        /// The quarantine is over.
        Free = "free",
        /// A notice was written.
        NoticeQueued = "notice_queued",
        /// The relay took it.
        NoticeSent = "notice_sent",
        /// It was read, or no bounce came.
        NoticeDelivered = "notice_delivered",
        /// It bounced, or the tries are used up.
        NoticeFailed = "notice_failed",
        /// An officer handed it over.
        NoticeHandled = "notice_handled",
    }
}
