//! Why a promotion came to nothing.

use crate::audit::AuditError;
use crate::ledger::LedgerError;
use crate::publish::{NotPublished, PublishError};
use crate::queue::TransitionError;
use crate::store::StoreError;

/// Why a promotion came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum PromotionError {
    /// There is no such request or promotion, or it is finished already.
    #[error("there is nothing of that number or name")]
    NotFound,
    /// A rule of the procedure refused it.
    #[error(transparent)]
    Rule(#[from] TransitionError),
    /// The publisher did not take the change.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The database, a key file, or something sealed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// No socket of ours can be asked, so nothing can be read back.
    #[error("the name server is not listening: nothing can be read back, so nothing is promoted")]
    NoServer,
}

impl From<LedgerError> for PromotionError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::NotFound => Self::NotFound,
            LedgerError::Rule(error) => Self::Rule(error),
            LedgerError::Audit(error) => Self::Audit(error),
        }
    }
}

impl<E: Into<Self>> From<NotPublished<E>> for PromotionError {
    fn from(error: NotPublished<E>) -> Self {
        match error {
            NotPublished::Rows(error) => error.into(),
            NotPublished::Door(error) => error.into(),
        }
    }
}

impl From<StoreError> for PromotionError {
    fn from(error: StoreError) -> Self {
        Self::Audit(AuditError::Store(error))
    }
}
