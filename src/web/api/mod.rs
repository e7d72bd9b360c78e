//! The JSON API under `/api/v1` (docs/api.md): the same rules as the pages, for programs.
//!
//! Nothing is decided here: a handler reads credentials and body, calls `desk` on the blocking pool,
//! and writes the answer or a problem (RFC 9457). An officer sends a bearer token, an applicant the
//! secret in `Gapura-Secret`; there are no cookies, so no other site can act
//! through a browser.

// The macros that write the document spell out every path.
#![allow(unused_qualifications)]

mod caller;
mod chain;
mod document;
mod health;
mod mailbox;
mod multipart;
mod papers;
mod privacy;
mod problem;
mod records;
mod reports;
mod requests;
mod schema;
mod statistics;

use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::{Router, http::StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::State;
use super::{BODY_MAX, patience};
pub(super) use chain::{Frame, chain_body};
pub(super) use health::healthz;
use problem::PROBLEM;
pub(super) use problem::Problem;

/// The API as one service, to be merged beside the pages.
pub(super) fn router(state: State) -> Router {
    let (calls, document) = OpenApiRouter::with_openapi(document::blank())
        .nest(
            "/api/v1",
            OpenApiRouter::new()
                .routes(routes!(requests::list, requests::submit))
                .routes(routes!(requests::show))
                .routes(routes!(requests::act))
                .routes(routes!(mailbox::ask))
                .routes(routes!(papers::list))
                .routes(routes!(papers::get))
                .routes(routes!(privacy::erase))
                .routes(routes!(records::list))
                .routes(routes!(records::suspend))
                .routes(routes!(records::adopt))
                .routes(routes!(records::confirm))
                .routes(routes!(reports::show))
                .routes(routes!(reports::close))
                .routes(routes!(statistics::show))
                .routes(routes!(chain::events)),
        )
        .split_for_parts();
    let document = document::with_problems(document::with_acts(document));
    let no_store = HeaderValue::from_static("no-store");
    let no_sniff = HeaderValue::from_static("nosniff");
    let same_origin = HeaderValue::from_static("same-origin");
    let resource_policy = HeaderName::from_static("cross-origin-resource-policy");
    calls
        .route("/api/v1/openapi.json", get(async move || Json(document)))
        .route("/api/{*rest}", axum::routing::any(missing))
        .method_not_allowed_fallback(wrong_method)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, no_store))
        .layer(SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, no_sniff))
        .layer(SetResponseHeaderLayer::if_not_present(resource_policy, same_origin))
        .layer(CatchPanicLayer::custom(|_| problem::panicked()))
        .layer(axum::middleware::from_fn_with_state(state.clone(), patience::call_in_time))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .layer(axum::middleware::map_response(as_problem))
        .with_state(state)
}

/// The layer that measures bodies speaks plain text: its refusal becomes a problem like any other.
async fn as_problem(response: Response) -> Response {
    let plain = response.headers().get(CONTENT_TYPE).is_none_or(|media| media != PROBLEM);
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && plain {
        return Problem::too_large("the body is too long").into_response();
    }
    response
}

/// There is no such call.
async fn missing(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {}", uri.path()))
}

/// The call exists, but not with this method.
async fn wrong_method(uri: Uri) -> Problem {
    let detail = format!("{} does not know this method", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
