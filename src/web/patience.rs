//! How long an answer may take, and what is said when it takes longer.
//!
//! The listener closes nothing while a request is under way, so every request must end: with its
//! answer, or with words that say what became of it. Work that was begun goes on; what still waits
//! for its turn is given up.

use std::time::Duration;

use axum::extract::{Request, State as Extract};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::BODY_MAX;
use super::api::Problem;
use super::failure::Failure;
use super::state::State;

/// Octets a second of a body from the slowest client we wait for.
const UPLINK: u64 = 32 * 1024;

/// The answer, unless it takes longer than it may: the setting, and the time its body needs.
pub(super) async fn in_time(state: &State, request: Request, next: Next) -> Option<Response> {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok()).unwrap_or_default();
    let body = Duration::from_secs(length.min(BODY_MAX as u64) / UPLINK);
    let answer = next.run(request);
    tokio::time::timeout(state.options().answer_max + body, answer).await.ok()
}

/// The same for pages; the failure is put into words further out.
pub(super) async fn page_in_time(state: &State, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let answer = in_time(state, request, next).await;
    answer.unwrap_or_else(|| {
        tracing::warn!(path, "an answer took too long and was given up");
        Failure::slow().into_response()
    })
}

/// The same for the API.
pub(super) async fn call_in_time(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let answer = in_time(&state, request, next).await;
    answer.unwrap_or_else(|| {
        tracing::warn!(path, "an answer took too long and was given up");
        Problem::slow().into_response()
    })
}
