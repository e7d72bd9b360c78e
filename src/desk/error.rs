//! Why an act came to nothing.

use crate::audit::AuditError;
use crate::ledger::LedgerError;
use crate::promote::PromotionError;
use crate::publish::{NotPublished, PublishError};
use crate::queue::{Fault, TransitionError};
use crate::store::{StoreError, is_disk_full, is_unavailable};

/// Why an acting function failed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// There is no such request, record or notice; also the one answer to a wrong secret.
    #[error("there is nothing of that number or name")]
    NotFound,
    /// A rule of the procedure refused it.
    #[error(transparent)]
    Rule(#[from] TransitionError),
    /// The letter cannot be taken.
    #[error("{}", .0.detail())]
    Letter(Fault),
    /// A limit for people without an account is reached.
    #[error("{}", .0.text())]
    Limit(PublicLimit),
    /// The request is not at the version that was read.
    #[error("somebody has acted on the request since it was read")]
    Changed,
    /// The key of a call that may be repeated belongs to another call.
    #[error("this key was sent with another call: make a new one for each new wish")]
    KeyReused,
    /// The actor may not see or do this at all (no officer, wrong scope).
    #[error("this needs an officer who may do it")]
    NotAllowed,
    /// The publisher did not take the change.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The database, a key file, or something sealed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A file of the state directory.
    #[error("cannot use the file {path}", path = path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No socket of ours can be asked, so nothing can be read back.
    #[error("the name server is not listening: nothing can be read back, so nothing is promoted")]
    NoServer,
}

impl From<LedgerError> for ActError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::NotFound => Self::NotFound,
            LedgerError::Rule(error) => Self::Rule(error),
            LedgerError::Audit(error) => Self::Audit(error),
        }
    }
}

impl From<PromotionError> for ActError {
    fn from(error: PromotionError) -> Self {
        match error {
            PromotionError::NotFound => Self::NotFound,
            PromotionError::Rule(error) => Self::Rule(error),
            PromotionError::Publish(error) => Self::Publish(error),
            PromotionError::Audit(error) => Self::Audit(error),
            PromotionError::NoServer => Self::NoServer,
        }
    }
}

impl<E: Into<Self>> From<NotPublished<E>> for ActError {
    fn from(error: NotPublished<E>) -> Self {
        match error {
            NotPublished::Rows(error) => error.into(),
            NotPublished::Door(error) => error.into(),
        }
    }
}

impl From<StoreError> for ActError {
    fn from(error: StoreError) -> Self {
        Self::Audit(AuditError::Store(error))
    }
}

impl ActError {
    /// The `code` of the problem details, where there is one.
    pub fn code(&self) -> &'static str {
        match self {
            _ if self.is_disk_full() => "disk_full",
            _ if self.is_unavailable() => "unavailable",
            Self::NotFound => "not_found",
            Self::Rule(error) => error.code().as_str(),
            Self::Letter(fault) => fault.code.as_str(),
            Self::NotAllowed => "not_allowed",
            Self::Changed => "changed",
            Self::KeyReused => "key_reused",
            Self::Limit(limit) => limit.code(),
            Self::Publish(_) => "not_published",
            Self::Audit(_) | Self::File { .. } => "storage",
            Self::NoServer => "not_listening",
        }
    }

    /// Whether the disk has no room.
    pub fn is_disk_full(&self) -> bool {
        is_disk_full(self)
    }

    /// Whether the database or its disk cannot be used at present.
    pub fn is_unavailable(&self) -> bool {
        is_unavailable(self)
    }

    /// Whether it may have been done all the same: the answer to its commit was not heard.
    pub fn may_be_done(&self) -> bool {
        let (Self::Audit(AuditError::Store(error)) | Self::Publish(PublishError::Store(error))) =
            self
        else {
            return false;
        };
        matches!(error, StoreError::Unheard(_))
    }

    /// The single faults, by field.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Rule(error) => error.faults(),
            Self::Letter(fault) => std::slice::from_ref(fault),
            _ => &[],
        }
    }
}

//------------ PublicLimit ---------------------------------------------------

/// A limit for people without an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PublicLimit {
    /// Drafts of one network.
    NetworkDrafts,
    /// Drafts in all.
    Drafts,
    /// Open requests from one network.
    Network,
    /// Open requests with one mailbox.
    Mailbox,
    /// Open requests of one office.
    Office,
    /// Codes to prove a mailbox.
    Codes,
    /// Links to drafts.
    Links,
    /// Open requests in all.
    All,
    /// Letters in all, or the disk.
    Disk,
}

impl PublicLimit {
    /// The `code` of the problem details.
    pub fn code(self) -> &'static str {
        match self {
            Self::NetworkDrafts | Self::Network | Self::Mailbox | Self::Office => "too_many_open",
            Self::Codes => "too_many_codes",
            Self::Links => "too_many",
            Self::All | Self::Drafts | Self::Disk => "no_room",
        }
    }

    /// What is full and what to do, in English.
    pub fn text(self) -> &'static str {
        match self {
            Self::NetworkDrafts => {
                "too many forms begun and not sent from this network: try again later"
            }
            Self::Drafts => "too many forms begun and not sent: try again later",
            Self::Network => {
                "too many open requests from this network: wait until they are decided, or bring the letter to the office"
            }
            Self::Mailbox => {
                "too many open requests with this mailbox: wait until they are decided, or bring the letter to the office"
            }
            Self::Office => {
                "too many open requests for this office: wait until they are decided, or bring the letter to the office"
            }
            Self::Codes => {
                "too many codes were sent to this mailbox or asked for from this network: try again in an hour"
            }
            Self::Links => {
                "too many links were sent to this mailbox or asked for from this network: try again in an hour"
            }
            Self::All | Self::Disk => {
                "no more requests are taken without an account at present: bring the letter to the office"
            }
        }
    }
}
