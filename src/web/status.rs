//! The HTTP status of what the desk refuses, for pages and API alike (docs/api.md, "Errors").

use axum::http::StatusCode;

use crate::desk::{ActError, PublicLimit};
use crate::publish::PublishError;
use crate::queue::FaultCode;

/// The status of a rule that was broken.
pub(super) fn of_code(code: FaultCode) -> StatusCode {
    match code {
        FaultCode::WrongState | FaultCode::Stale => StatusCode::CONFLICT,
        FaultCode::NotAllowed | FaultCode::SamePerson => StatusCode::FORBIDDEN,
        FaultCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FaultCode::BadRequest => StatusCode::BAD_REQUEST,
        FaultCode::LetterUnchecked => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The status of an act that failed.
pub(super) fn of_error(error: &ActError) -> StatusCode {
    match error {
        _ if error.is_disk_full() => StatusCode::INSUFFICIENT_STORAGE,
        _ if error.is_unavailable() => StatusCode::SERVICE_UNAVAILABLE,
        ActError::NotFound => StatusCode::NOT_FOUND,
        ActError::Rule(error) => of_code(error.code()),
        ActError::Letter(fault) => of_code(fault.code),
        ActError::NotAllowed => StatusCode::FORBIDDEN,
        ActError::Changed => StatusCode::PRECONDITION_FAILED,
        ActError::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        ActError::Limit(PublicLimit::All | PublicLimit::Drafts | PublicLimit::Disk) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ActError::Limit(_) => StatusCode::TOO_MANY_REQUESTS,
        ActError::Publish(
            PublishError::Refused { .. }
            | PublishError::Presigned(_)
            | PublishError::Secondary(_)
            | PublishError::Made(_),
        ) => StatusCode::CONFLICT,
        ActError::Publish(_) | ActError::NoServer => StatusCode::SERVICE_UNAVAILABLE,
        ActError::Audit(_) | ActError::File { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
