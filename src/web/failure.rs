//! A request that cannot be answered with its page: status and message id.
//!
//! A handler only names the failure; the text is added on the way out, where the visitor's language is
//! known.

use std::fmt::Display;
use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::redirect::{encode, see_other};
use super::status;
use crate::desk::{ActError, PublicLimit};
use crate::people::{PeopleError, SignInError};
use crate::store::{StoreError, is_disk_full, is_unavailable};
use crate::text::with_causes;

/// Seconds after which a database that cannot be used is tried again.
const RETRY_SECONDS: u64 = 30;

/// Why there is no page.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The status sent.
    pub(super) status: StatusCode,
    /// Message id; `-title` and `-text` are appended to it.
    pub(super) id: &'static str,
    /// What the log says; never shown.
    pub(super) detail: Option<String>,
    /// The page to go to instead.
    pub(super) place: Option<String>,
    /// Seconds after which it may be tried again.
    pub(super) retry_after: Option<u64>,
}

impl Failure {
    /// A failure of this status with the messages `{id}-title` and `{id}-text`.
    pub(super) fn new(status: StatusCode, id: &'static str) -> Self {
        Self { status, id, detail: None, place: None, retry_after: None }
    }

    /// There is no such page or thing.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "fail-missing")
    }

    /// The role may not see or do this.
    pub(super) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "fail-forbidden")
    }

    /// The form token is missing or of another session.
    pub(super) fn stale_form() -> Self {
        Self::new(StatusCode::FORBIDDEN, "fail-form")
    }

    /// Too many requests; one more after this time.
    pub(super) fn too_many(wait: Duration) -> Self {
        let retry_after = Some(wait.as_secs() + 1);
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "fail-many") }
    }

    /// The answer takes too long; what was begun may still be done.
    pub(super) fn slow() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "fail-slow")
    }

    /// The person must prove themselves first, and then goes on from a page.
    pub(super) fn proof_first(place: &str) -> Self {
        let again = format!("/masuk/lagi?ke={}", encode(place));
        Self { place: Some(again), ..Self::new(StatusCode::SEE_OTHER, "again") }
    }

    /// The person must sign in first, and then goes on from a page.
    pub(super) fn sign_in_first(place: &str) -> Self {
        let sign_in = format!("/masuk?ke={}", encode(place));
        Self { place: Some(sign_in), ..Self::new(StatusCode::SEE_OTHER, "fail-sign-in") }
    }

    /// The body cannot be read.
    pub(super) fn bad_request() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "fail-request")
    }

    /// Our own fault; the cause goes to the log.
    pub(super) fn internal(cause: impl Display) -> Self {
        Self {
            detail: Some(cause.to_string()),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "fail-internal")
        }
    }

    /// A paper whose file is gone or is not the one that was rendered: nobody gets another in its place.
    pub(super) fn paper(error: ActError) -> Self {
        let is_file = matches!(error, ActError::File { .. });
        match Self::from(error) {
            failure if is_file && failure.id == "fail-internal" => {
                Self { id: "fail-paper", ..failure }
            }
            failure => failure,
        }
    }

    /// The disk has no room; the cause goes to the log.
    pub(super) fn disk_full(cause: &dyn std::error::Error) -> Self {
        let detail = Some(with_causes(cause));
        Self { detail, ..Self::new(StatusCode::INSUFFICIENT_STORAGE, "fail-disk") }
    }

    /// The database or its disk cannot be used at present; the cause goes to the log.
    pub(super) fn unavailable(cause: &dyn std::error::Error) -> Self {
        let detail = Some(with_causes(cause));
        let retry_after = Some(RETRY_SECONDS);
        Self { detail, retry_after, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "fail-store") }
    }

    /// What an error of the disk or the database means, if it is one of those that pass.
    fn of_disk(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if is_disk_full(error) {
            return Some(Self::disk_full(error));
        }
        is_unavailable(error).then(|| Self::unavailable(error))
    }

    /// Whether the database or its disk cannot be used at present.
    pub(super) fn is_unavailable(&self) -> bool {
        self.id == "fail-store"
    }

    /// Others use what this needs just now.
    pub(super) fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "fail-busy")
    }

    /// Whether it is our own fault.
    pub(super) fn is_internal(&self) -> bool {
        let ours = [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::INSUFFICIENT_STORAGE];
        ours.contains(&self.status) || self.is_unavailable()
    }

    /// The message id of a bare status, for answers made below the pages.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                Self { status, ..Self::not_found() }
            }
            StatusCode::FORBIDDEN => Self::stale_form(),
            StatusCode::TOO_MANY_REQUESTS => Self::new(status, "fail-many"),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "fail-large"),
            _ if status.is_client_error() => Self { status, ..Self::bad_request() },
            _ => Self::new(status, "fail-internal"),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Some(detail) = &self.detail {
            tracing::error!(%detail, "a page failed");
        }
        if let Some(place) = &self.place {
            return see_other(place);
        }
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of_disk(&error).unwrap_or_else(|| Self::internal(with_causes(&error)))
    }
}

impl From<PeopleError> for Failure {
    fn from(error: PeopleError) -> Self {
        if let Some(failure) = Self::of_disk(&error) {
            return failure;
        }
        match error {
            PeopleError::NotAllowed => Self::forbidden(),
            PeopleError::UnknownPerson | PeopleError::UnknownToken => Self::not_found(),
            PeopleError::LinkGone => Self::new(StatusCode::GONE, "fail-link"),
            error => Self::internal(error),
        }
    }
}

impl From<ActError> for Failure {
    fn from(error: ActError) -> Self {
        let status = status::of_error(&error);
        if error.may_be_done() {
            return Self { detail: Some(with_causes(&error)), ..Self::slow() };
        }
        if let Some(failure) = Self::of_disk(&error) {
            return failure;
        }
        match error {
            ActError::Limit(limit) => Self::new(status, words_of(limit)),
            ActError::NotFound => Self::not_found(),
            ActError::NotAllowed => Self::forbidden(),
            ActError::Rule(_) | ActError::Letter(_) | ActError::Changed | ActError::KeyReused => {
                Self::new(status, "fail-rule")
            }
            ActError::Publish(_) | ActError::NoServer => {
                Self { detail: Some(error.to_string()), ..Self::new(status, "fail-publish") }
            }
            ActError::Audit(_) | ActError::File { .. } => Self::internal(with_causes(&error)),
        }
    }
}

/// The words for a limit.
fn words_of(limit: PublicLimit) -> &'static str {
    match limit {
        PublicLimit::NetworkDrafts => "fail-limit-drafts",
        PublicLimit::Drafts => "fail-limit-all-drafts",
        PublicLimit::Network => "fail-limit-network",
        PublicLimit::Mailbox => "fail-limit-mailbox",
        PublicLimit::Office => "fail-limit-office",
        PublicLimit::Codes => "fail-limit-codes",
        PublicLimit::Links => "fail-limit-links",
        PublicLimit::All | PublicLimit::Disk => "fail-limit-all",
    }
}

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::People(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::internal(error)
    }
}
