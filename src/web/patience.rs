//! How long an answer may take, and what is said when it takes longer.
//!
//! The listener closes nothing while a request is under way, so every request must end: with its
//! answer, or with words that say what became of it. Work that was begun goes on; what still waits
//! for its turn is given up.

use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State as Extract};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::api::Problem;
use super::bodies::UPLINK;
use super::door::Closing;
use super::failure::Failure;
use super::pages::LARGE_BODY_MAX;
use super::state::State;
use super::visitor;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unanswered {
    /// Too many bodies are being taken in.
    Busy,
    /// It took too long.
    Slow,
}

/// The time that a request's body needs over a slow line.
pub(super) fn body_time(headers: &HeaderMap) -> Duration {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_secs(length.min(LARGE_BODY_MAX as u64) / UPLINK)
}

/// The answer, unless its body finds no room or it takes longer than it may: the setting, and the
/// time the body needs, or what a stop leaves.
async fn in_time(state: &State, request: Request, next: Next) -> Result<Response, Unanswered> {
    let from = visitor::address(request.extensions(), request.headers(), state);
    let (parts, body) = request.into_parts();
    let officer = !body.is_end_stream()
        && state.bodies().is_tight(from, &body)
        && visitor::is_officer(state, &parts.headers, from).await;
    let (body, room) = state.bodies().count(from, officer, body);
    let request = Request::from_parts(parts, body);
    // The path itself may hold the secret of a link that was not used yet.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("no route", MatchedPath::as_str).to_owned();
    let body = body_time(request.headers());
    let closes = request.extensions().get::<Closing>().cloned();
    let answer = next.run(request);
    let answer = tokio::time::timeout(state.options().answer_max + body, answer);
    let answer = tokio::select! {
        answer = answer => answer.ok(),
        () = Closing::over_if(closes) => None,
    };
    if room.was_short() {
        return Err(Unanswered::Busy);
    }
    match answer {
        Some(answer) if !room.was_slow() => Ok(answer),
        _ => {
            tracing::warn!(route, "an answer took too long and was abandoned");
            Err(Unanswered::Slow)
        }
    }
}

/// The same for pages; the failure is put into words further out.
pub(super) async fn page_in_time(state: &State, request: Request, next: Next) -> Response {
    match in_time(state, request, next).await {
        Ok(answer) => answer,
        Err(Unanswered::Busy) => Failure::busy().into_response(),
        Err(Unanswered::Slow) => Failure::slow().into_response(),
    }
}

/// The same for the API.
pub(super) async fn call_in_time(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    match in_time(&state, request, next).await {
        Ok(answer) => answer,
        Err(Unanswered::Busy) => Problem::busy().into_response(),
        Err(Unanswered::Slow) => Problem::slow().into_response(),
    }
}
