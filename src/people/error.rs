//! What can go wrong with accounts, as codes the pages put into words.

use crate::audit::AuditError;
use crate::store::StoreError;

//------------ PeopleError ---------------------------------------------------

/// Why a change to accounts, links or tokens was not made.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The sign-in name is empty, too long or holds other than a-z, 0-9, `.`, `_`, `-`.
    #[error("a sign-in name has 3 to 40 of a-z, 0-9, '.', '_' and '-', and starts with a letter")]
    BadName,
    /// The name as papers print it is empty or too long.
    #[error("the full name is empty or longer than 120 characters")]
    BadFullName,
    /// Not an e-mail address.
    #[error("the e-mail address does not look like one")]
    BadEmail,
    /// Not a NIP of 18 digits.
    #[error("a NIP has 18 digits")]
    BadNip,
    /// Not one of the four roles.
    #[error("the role is one of kabid, kasi, admin, auditor")]
    BadRole,
    /// Another account has the sign-in name.
    #[error("this sign-in name is taken")]
    NameTaken,
    /// Another account has the e-mail: one person holds one role.
    #[error("another account has this e-mail: one person holds one role")]
    EmailTaken,
    /// Another account has the NIP: one person holds one role.
    #[error("another account has this NIP: one person holds one role")]
    NipTaken,
    /// The password is shorter than 12 characters.
    #[error("a password has at least 12 characters")]
    PasswordShort,
    /// The password is longer than 200 bytes.
    #[error("a password has at most 200 bytes")]
    PasswordLong,
    /// Too little of the password remains without names, common words, sequences and repetitions.
    #[error(
        "the password is too easy to guess: names, common words, keyboard rows, sequences, years and repetitions do not count"
    )]
    PasswordWeak,
    /// Too many tries from there.
    #[error("too many tries: wait {} s", wait_ms / 1000 + 1)]
    TooMany {
        /// The time until the next try, in milliseconds.
        wait_ms: i64,
    },
    /// The own password was asked for and is not right, or the account is off.
    #[error("name or password is not right, or the account cannot be used now")]
    WrongPassword,
    /// The second factor's code is not right or was used already.
    #[error("the code is not right or was used already")]
    WrongCode,
    /// No such account.
    #[error("no such account")]
    UnknownPerson,
    /// No such token.
    #[error("no such token")]
    UnknownToken,
    /// The link is unknown, used or expired.
    #[error("the link is unknown, used or expired")]
    LinkGone,
    /// The acting person may not do this.
    #[error("this role may not do that")]
    NotAllowed,
    /// The last administrator cannot be switched off.
    #[error("the last administrator cannot be switched off or given another role")]
    LastAdmin,
    /// The scope `decide` is off.
    #[error("tokens may not decide: tokens.decide is false in the settings")]
    DecideOff,
    /// A scope that is none.
    #[error("a token's scopes are read, submit and decide, separated by commas")]
    BadScope,
    /// No scope, or an end date out of range.
    #[error("the token needs one of the scopes read, submit, decide and an end within {0} days")]
    BadToken(i64),
    /// The network is not written `address/length`.
    #[error("a network is written address/length, for example 10.1.0.0/16")]
    BadNetwork,
    /// The period of an acting official is empty or its letter number missing.
    #[error("an acting official needs a start, a later end, and the number of the letter")]
    BadActing,
    /// Several officers have the role, or the one named does not.
    #[error("name the officer whose chair it is: one who has this role")]
    ActingHolder,
    /// The person holds another role for somebody in the same period.
    #[error("this person holds another role for somebody in this period")]
    ActingTwice,
    /// The person holds the same chair in the same period already, by this letter.
    #[error("this person holds that chair in this period already, by the letter {0}")]
    ActingAlready(String),
    /// The event chain, or the system's random numbers.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The password could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PeopleError {
    /// The form field it belongs to, if there is one, and the message id of its words.
    fn told(&self) -> (Option<&'static str>, &'static str) {
        match self {
            Self::BadName => (Some("name"), "people-bad-name"),
            Self::NameTaken => (Some("name"), "people-name-taken"),
            Self::BadFullName => (Some("full_name"), "people-bad-full-name"),
            Self::BadEmail => (Some("email"), "people-bad-email"),
            Self::EmailTaken => (Some("email"), "people-email-taken"),
            Self::BadNip => (Some("nip"), "people-bad-nip"),
            Self::NipTaken => (Some("nip"), "people-nip-taken"),
            Self::BadRole => (Some("role"), "people-bad-role"),
            Self::PasswordShort => (Some("password"), "people-password-short"),
            Self::PasswordLong => (Some("password"), "people-password-long"),
            Self::PasswordWeak => (Some("password"), "people-password-weak"),
            Self::WrongPassword => (Some("password"), "people-password-wrong"),
            Self::TooMany { .. } => (Some("password"), "sign-in-many"),
            Self::WrongCode => (Some("code"), "code-wrong"),
            Self::DecideOff => (Some("scope"), "people-decide-off"),
            Self::BadScope | Self::BadToken(_) => (Some("scope"), "people-bad-token"),
            Self::BadNetwork => (Some("network"), "people-bad-network"),
            Self::BadActing => (Some("letter"), "people-bad-acting"),
            Self::ActingHolder => (Some("holder"), "people-acting-holder"),
            Self::ActingTwice => (Some("role"), "people-acting-twice"),
            Self::ActingAlready(_) => (Some("starts"), "people-acting-already"),
            Self::UnknownPerson | Self::UnknownToken => (None, "people-unknown"),
            Self::LinkGone => (None, "fail-link-text"),
            Self::NotAllowed => (None, "fail-forbidden-text"),
            Self::LastAdmin => (None, "people-last-admin"),
            Self::Audit(_) | Self::Hash(_) | Self::Store(_) => (None, "fail-internal-text"),
        }
    }

    /// The form field the fault belongs to, if there is one.
    pub fn field(&self) -> Option<&'static str> {
        self.told().0
    }

    /// The message id of its words.
    pub fn words(&self) -> &'static str {
        self.told().1
    }

    /// Whether the machine is at fault and not the person who asked.
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Audit(_) | Self::Hash(_) | Self::Store(_))
    }
}

//------------ SignInError ---------------------------------------------------

/// Why a sign-in failed. One answer for a wrong name, a wrong password and a disabled account.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name, password or code is not right.
    #[error("name, password or code is not right")]
    Wrong,
    /// Too many tries from there, whatever the name.
    #[error("too many tries from this network or browser")]
    TooMany {
        /// The time until the next try, in milliseconds.
        wait_ms: i64,
    },
    /// The session is over or was never there.
    #[error("the session has ended")]
    NoSession,
    /// Something else broke.
    #[error(transparent)]
    People(#[from] PeopleError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::People(PeopleError::Store(error))
    }
}
