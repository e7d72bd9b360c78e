//! Why the ledger could not read or write.

use crate::audit::AuditError;
use crate::queue::TransitionError;
use crate::store::StoreError;

/// What reading and writing rows may fail with.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no such request or notice.
    #[error("there is nothing of that number or name")]
    NotFound,
    /// A rule does not allow what would follow from the step.
    #[error(transparent)]
    Rule(#[from] TransitionError),
    /// The database, a key file, or something sealed.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self::Audit(AuditError::Store(error))
    }
}
