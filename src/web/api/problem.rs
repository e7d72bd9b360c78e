//! Problem details (RFC 9457): status, a stable `code`, and the single faults by field.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::desk::ActError;
use crate::people::PeopleError;
use crate::queue::{Fault, TransitionError};
use crate::store::{is_disk_full, is_unavailable};
use crate::text::with_causes;
use crate::view::FaultView;
use crate::web::failure::Failure;
use crate::web::status;

/// The media type of problem details.
pub(super) const PROBLEM: &str = "application/problem+json";

/// Why a call was not done.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Problem {
    /// A URN of the code; nothing has to be fetched from it.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: Cow<'static, str>,
    /// The HTTP status.
    status: u16,
    /// What happened this time, in English.
    detail: String,
    /// The stable code: `wrong_state`, `not_allowed`, `same_person`, `incomplete`, `stale`,
    /// `name_rule`, `name_taken`, `target_refused`, `reserved`, `letter_refused`,
    /// `letter_unchecked`, or one of the call itself.
    code: Cow<'static, str>,
    /// The single faults.
    errors: Vec<FaultView>,
    /// Whether a credential came along and is wrong.
    #[serde(skip)]
    wrong_credential: bool,
    /// Seconds after which it may be tried again.
    #[serde(skip)]
    retry_after: u64,
}

impl Problem {
    /// A problem without single faults.
    pub(in crate::web) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("urn:gapura:problem:{code}"),
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            status: status.as_u16(),
            detail: detail.into(),
            code: Cow::Borrowed(code),
            errors: Vec::new(),
            wrong_credential: false,
            retry_after: 0,
        }
    }

    /// Credentials are missing.
    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// A credential came along that is wrong, or cannot be read (RFC 6750 §3.1, `invalid_token`).
    pub(super) fn invalid_token(detail: &str) -> Self {
        Self { wrong_credential: true, ..Self::unauthorized(detail) }
    }

    /// The body is of another media type.
    pub(super) fn unsupported(detail: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    /// The token or role is not enough.
    pub(super) fn not_allowed(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_allowed", detail)
    }

    /// There is no such thing, or the caller may not see it.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// What was sent cannot be read.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Too often; once more after this time.
    pub(super) fn too_many(wait: Duration) -> Self {
        Self::too_many_for(wait.as_secs() + 1)
    }

    /// The same, in whole seconds.
    fn too_many_for(retry_after: u64) -> Self {
        let detail = format!("too many calls from this network: wait {retry_after} s");
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", detail) }
    }

    /// Others use what this needs just now.
    pub(in crate::web) fn busy() -> Self {
        let detail = "others use what this call needs just now: try again in a few seconds";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    }

    /// The disk has no room; the cause goes to the log.
    fn disk_full(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "an API call failed: the disk is full");
        let detail = "the disk of the server is full: nothing was changed, and the administrator must make room";
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail)
    }

    /// The database or its disk cannot be used at present; the cause goes to the log.
    fn unavailable(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "an API call failed: the database cannot be used");
        let detail = "the server cannot keep anything at present: nothing was changed; try again later, and tell the administrator";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// The answer takes too long.
    pub(in crate::web) fn slow() -> Self {
        let detail = "the answer took too long: the act may still be carried out, so read the request again before repeating it";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "slow", detail)
    }

    /// More than is taken in.
    pub(super) fn too_large(detail: &str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// Our own fault; the cause goes to the log only.
    pub(super) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "an API call failed");
        let detail = "something went wrong here; the log says what";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// Faults by field; a broken rule is what is reported first.
    pub(super) fn of_faults(faults: Vec<Fault>) -> Self {
        TransitionError::of_faults(faults).into()
    }
}

impl From<TransitionError> for Problem {
    fn from(error: TransitionError) -> Self {
        let code = error.code();
        let status = status::of_code(code);
        Self {
            errors: error.faults().iter().map(FaultView::from).collect(),
            ..Self::new(status, code.as_str(), error.to_string())
        }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        let status = status::of_error(&error);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            return Self::internal(error);
        }
        if error.is_disk_full() {
            return Self::disk_full(error);
        }
        if error.is_unavailable() {
            return Self::unavailable(with_causes(&error));
        }
        Self {
            errors: error.faults().iter().map(FaultView::from).collect(),
            ..Self::new(status, error.code(), error.to_string())
        }
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        if is_disk_full(&error) {
            return Self::disk_full(error);
        }
        if is_unavailable(&error) {
            return Self::unavailable(with_causes(&error));
        }
        Self::internal(error)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure.status {
            StatusCode::TOO_MANY_REQUESTS => {
                return Self::too_many_for(failure.retry_after.unwrap_or(1));
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                return Self::too_large("the letter may have 10 MB at most");
            }
            _ if failure.is_unavailable() => {
                return Self::unavailable(failure.detail.as_deref().unwrap_or(failure.id));
            }
            StatusCode::SERVICE_UNAVAILABLE => return Self::busy(),
            StatusCode::INSUFFICIENT_STORAGE => {
                return Self::disk_full(failure.detail.as_deref().unwrap_or(failure.id));
            }
            _ => {}
        }
        Self::internal(failure.detail.as_deref().unwrap_or(failure.id))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (wrong, seconds) = (self.wrong_credential, self.retry_after);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        let media = HeaderValue::from_static(PROBLEM);
        headers.insert(CONTENT_TYPE, media);
        if status == StatusCode::UNAUTHORIZED {
            let challenge = if wrong {
                "Bearer realm=\"gapura\", error=\"invalid_token\""
            } else {
                "Bearer realm=\"gapura\""
            };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("30"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

/// The answer after a panic.
pub(super) fn panicked() -> Response {
    Problem::internal("a handler panicked").into_response()
}
