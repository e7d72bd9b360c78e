//! Problem details (RFC 9457): status, a stable `code`, and the single faults by field.
//!
//! A handler says what is wrong; [`finish`] adds on the way out what only it knows: the address of the
//! page that explains the kind, the call, and the id under which the log has it.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::{Request, State as Extract};
use axum::http::header::{
    CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::kinds::ProblemKind;
use super::limits;
use crate::desk::ActError;
use crate::people::{PeopleError, Scope};
use crate::queue::{Fault, Rule, TransitionError};
use crate::store::{is_disk_full, is_unavailable};
use crate::text::with_causes;
use crate::view::FaultView;
use crate::web::failure::Failure;
use crate::web::limits::Allowance;
use crate::web::state::State;
use crate::web::status;

/// The media type of problem details.
pub(super) const PROBLEM: &str = "application/problem+json";
/// The header that names a call, in requests and in answers.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Why a call was not done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::web) struct Problem {
    /// The address of the page that explains this kind of problem.
    #[serde(rename = "type")]
    about: String,
    /// The kind of problem in words, the same each time.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened this time, in English.
    detail: String,
    /// The stable code of the kind.
    code: &'static str,
    /// The single faults; empty where the code says everything.
    errors: Vec<FaultView>,
    /// The path of the call.
    instance: String,
    /// The id under which the log of the server has the call, also in the header `X-Request-Id`.
    request_id: String,
    /// What the header `WWW-Authenticate` says beside the scheme.
    #[serde(skip)]
    challenge: Cow<'static, str>,
    /// Seconds after which it may be tried again.
    #[serde(skip)]
    retry_after: u64,
    /// The limit that is used up.
    #[serde(skip)]
    allowance: Option<Allowance>,
    /// Why, for the log only.
    #[serde(skip)]
    cause: Option<String>,
}

impl Problem {
    /// A problem without single faults.
    pub(in crate::web) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            about: format!("/api/problem#{}", kind.code()),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            code: kind.code(),
            errors: Vec::new(),
            instance: String::new(),
            request_id: String::new(),
            challenge: Cow::Borrowed(""),
            retry_after: kind.retry_after(),
            allowance: None,
            cause: None,
        }
    }

    /// Credentials are missing.
    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(ProblemKind::Unauthorized, detail)
    }

    /// A credential came along that is wrong, or cannot be read (RFC 6750 §3.1, `invalid_token`).
    pub(super) fn invalid_token(detail: &str) -> Self {
        let challenge = Cow::Borrowed(", error=\"invalid_token\"");
        Self { challenge, ..Self::unauthorized(detail) }
    }

    /// The token was not made for this (RFC 6750 §3.1, `insufficient_scope`).
    pub(super) fn insufficient_scope(scope: Scope) -> Self {
        let word = scope.as_str();
        let challenge = format!(", error=\"insufficient_scope\", scope=\"{word}\"");
        let detail = format!("the token lacks the scope {word}");
        Self { challenge: challenge.into(), ..Self::new(ProblemKind::InsufficientScope, detail) }
    }

    /// The body is of another media type.
    pub(super) fn unsupported(detail: &str) -> Self {
        Self::new(ProblemKind::UnsupportedMediaType, detail)
    }

    /// The role is not enough.
    pub(super) fn not_allowed(detail: &str) -> Self {
        Self::new(ProblemKind::NotAllowed, detail)
    }

    /// There is no such thing, or the caller may not see it.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound, format!("there is no such {what}"))
    }

    /// What was sent cannot be read.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::BadRequest, detail)
    }

    /// What was sent cannot be read, with the fields or parameters at fault.
    pub(super) fn unreadable(faults: &[Fault]) -> Self {
        let texts: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.field, fault.detail())).collect();
        let errors = faults.iter().map(FaultView::from).collect();
        Self { errors, ..Self::bad_request(texts.join("; ")) }
    }

    /// Too often; once more as soon as the limit allows it.
    pub(super) fn too_many(limit: Allowance) -> Self {
        let retry_after = limits::seconds(limit.more_in);
        let detail = format!("too many calls from this network: wait {retry_after} s");
        let allowance = Some(limit);
        Self { retry_after, allowance, ..Self::new(ProblemKind::TooMany, detail) }
    }

    /// Others use what this needs just now.
    pub(in crate::web) fn busy() -> Self {
        let detail = "others use what this call needs just now: try again in a few seconds";
        Self::new(ProblemKind::Busy, detail)
    }

    /// The disk has no room; the cause goes to the log.
    fn disk_full(cause: impl std::fmt::Display) -> Self {
        let detail = "the disk of the server is full: nothing was changed, and the administrator must make room";
        Self { cause: Some(cause.to_string()), ..Self::new(ProblemKind::DiskFull, detail) }
    }

    /// The database or its disk cannot be used at present; the cause goes to the log.
    fn unavailable(cause: impl std::fmt::Display) -> Self {
        let detail = "the server cannot keep anything at present: nothing was changed; try again later, and tell the administrator";
        Self { cause: Some(cause.to_string()), ..Self::new(ProblemKind::Unavailable, detail) }
    }

    /// The answer takes too long.
    pub(in crate::web) fn slow() -> Self {
        let detail = "the answer took too long: the act may still be carried out, so read the request again before repeating it";
        Self::new(ProblemKind::Slow, detail)
    }

    /// More than is taken in.
    pub(super) fn too_large(detail: &str) -> Self {
        Self::new(ProblemKind::TooLarge, detail)
    }

    /// Our own fault; the cause goes to the log only.
    pub(super) fn internal(cause: impl std::fmt::Display) -> Self {
        let detail = "something went wrong here; the log says what, under the request id";
        Self { cause: Some(cause.to_string()), ..Self::new(ProblemKind::Internal, detail) }
    }

    /// Faults by field; a broken rule is what is reported first.
    pub(super) fn of_faults(faults: Vec<Fault>) -> Self {
        TransitionError::of_faults(faults).into()
    }

    /// Whether something is missing, and nothing else is wrong.
    pub(super) fn is_incomplete(&self) -> bool {
        self.code == ProblemKind::Incomplete.code()
    }

    /// The single faults.
    pub(super) fn into_errors(self) -> Vec<FaultView> {
        self.errors
    }

    /// One field that breaks one rule.
    pub(super) fn of_fault(field: &str, rule: Rule, about: impl Into<String>) -> Self {
        Self::of_faults(vec![Fault::new(field, rule, about)])
    }
}

impl From<TransitionError> for Problem {
    fn from(error: TransitionError) -> Self {
        Self {
            errors: error.faults().iter().map(FaultView::from).collect(),
            ..Self::new(ProblemKind::of_fault(error.code()), error.to_string())
        }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        if error.may_be_done() {
            tracing::error!(cause = with_causes(&error), "it is not known what became of an act");
            return Self::slow();
        }
        let status = status::of_error(&error);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            return Self::internal(with_causes(&error));
        }
        if error.is_disk_full() {
            return Self::disk_full(error);
        }
        if error.is_unavailable() {
            return Self::unavailable(with_causes(&error));
        }
        Self {
            errors: error.faults().iter().map(FaultView::from).collect(),
            // A change of a zone is refused for good, or only at present.
            status: status.as_u16(),
            ..Self::new(ProblemKind::of(error.code()), error.to_string())
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
                // Only tries of secrets come here.
                let wait = Duration::from_secs(failure.retry_after.unwrap_or(1));
                return Self::too_many(Allowance::wrong_secrets(wait));
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

//------------ Answering -----------------------------------------------------

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, serde_json::to_vec(&self).unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
        let challenge = format!("Bearer realm=\"gapura\"{}", self.challenge);
        let challenged = status == StatusCode::UNAUTHORIZED || !self.challenge.is_empty();
        if challenged && let Ok(challenge) = HeaderValue::try_from(challenge) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if self.retry_after > 0 {
            headers.insert(RETRY_AFTER, HeaderValue::from(self.retry_after));
        }
        if let Some(allowance) = self.allowance {
            headers.extend(limits::headers(allowance));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer after a panic.
pub(super) fn panicked() -> Response {
    Problem::internal("a handler panicked").into_response()
}

/// Names every call, and completes the problems on their way out.
pub(super) async fn finish(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    // The layer that measures bodies speaks plain text.
    let plain = response.extensions().get::<Problem>().is_none();
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && plain {
        response = Problem::too_large("the body is too long").into_response();
    }
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        if let Some(cause) = problem.cause.take() {
            tracing::error!(id, path, code = problem.code, %cause, "an API call failed");
        }
        problem.about = format!("{}{}", state.options().url, problem.about);
        problem.instance = path;
        problem.request_id.clone_from(&id);
        let told = std::mem::replace(&mut response, problem.into_response());
        for (name, value) in told.headers() {
            if !response.headers().contains_key(name) && name != "content-length" {
                response.headers_mut().insert(name.clone(), value.clone());
            }
        }
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The id of a call: the one the client gave it, if that is a plain word, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match given.filter(plain) {
        Some(id) => id.to_owned(),
        None => crate::people::random_token().unwrap_or_default().chars().take(16).collect(),
    }
}
