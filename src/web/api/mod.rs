//! The JSON API under `/api/v1` (docs/api.md): the same rules as the pages, for programs.
//!
//! Nothing is decided here: a handler reads credentials, parameters and body, calls `desk` on the
//! blocking pool, and writes the answer or a problem (RFC 9457). An officer sends a bearer token, an
//! applicant the secret in `Gapura-Secret`; there are no cookies, so no other site can act
//! through a browser.

// The macros that write the document spell out every path.
#![allow(unused_qualifications)]

mod accept;
mod acts;
mod caller;
mod chain;
mod document;
mod health;
mod json;
mod kinds;
mod letters;
mod limits;
mod lists;
mod mailbox;
mod multipart;
mod once;
mod papers;
mod params;
mod privacy;
mod problem;
mod records;
mod reports;
mod requests;
mod schema;
mod statistics;
mod texts;
mod version;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::State;
use super::{BODY_MAX, patience};
pub(super) use chain::{Frame, chain_body};
pub(super) use health::healthz;
pub(super) use kinds::ProblemKind;
pub(super) use problem::Problem;

/// The calls, with what they say of themselves.
fn calls() -> (Router<State>, OpenApi) {
    OpenApiRouter::with_openapi(document::blank())
        .nest(
            "/api/v1",
            OpenApiRouter::new()
                .routes(routes!(requests::list, requests::submit))
                .routes(routes!(requests::check))
                .routes(routes!(requests::show))
                .routes(routes!(requests::history))
                .routes(routes!(mailbox::ask))
                .routes(routes!(papers::list))
                .routes(routes!(papers::get))
                .routes(routes!(papers::list_months))
                .routes(routes!(papers::get_months))
                .routes(routes!(privacy::erase))
                .routes(routes!(privacy::show))
                .routes(routes!(privacy::breach_export))
                .routes(routes!(records::list))
                .routes(routes!(records::show))
                .routes(routes!(records::changes))
                .routes(routes!(records::suspend))
                .routes(routes!(records::adopt))
                .routes(routes!(records::answer))
                .routes(routes!(records::confirm))
                .routes(routes!(reports::show))
                .routes(routes!(reports::close))
                .routes(routes!(statistics::show))
                .routes(routes!(lists::zones))
                .routes(routes!(lists::classes))
                .routes(routes!(lists::offices))
                .routes(routes!(lists::regions))
                .routes(routes!(lists::officers))
                .routes(routes!(texts::list))
                .routes(routes!(lists::me))
                .routes(routes!(chain::changes))
                // Its acts are in the document one by one.
                .route("/requests/{number}/{act}", post(acts::act))
                .layer(middleware::from_fn(accept::json_only))
                .routes(routes!(letters::letter))
                .routes(routes!(chain::events)),
        )
        .split_for_parts()
}

/// The document of a site.
pub(super) fn describe(url: &str) -> Value {
    document::complete(calls().1, url)
}

/// The API as one service, to be merged beside the pages.
pub(super) fn router(state: State) -> Router {
    let (calls, _) = calls();
    let served = document::Served::of(state.document());
    let no_store = HeaderValue::from_static("no-store");
    let no_sniff = HeaderValue::from_static("nosniff");
    let same_origin = HeaderValue::from_static("same-origin");
    let resource_policy = HeaderName::from_static("cross-origin-resource-policy");
    calls
        .route("/api/v1/openapi.json", get(document::serve).with_state(served))
        .route("/api/v1/{*rest}", axum::routing::any(missing))
        .method_not_allowed_fallback(wrong_method)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, no_store))
        .layer(SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, no_sniff))
        .layer(SetResponseHeaderLayer::if_not_present(resource_policy, same_origin))
        .layer(CatchPanicLayer::custom(|_| problem::panicked()))
        .layer(middleware::from_fn_with_state(state.clone(), patience::call_in_time))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .layer(middleware::from_fn_with_state(state.clone(), problem::finish))
        .with_state(state)
}

/// There is no such call.
async fn missing(uri: Uri) -> Problem {
    Problem::new(ProblemKind::NotFound, format!("there is no {}", uri.path()))
}

/// The call exists, but not with this method. `OPTIONS` is answered with the methods there are, which
/// the router adds.
async fn wrong_method(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("{} does not know this method", uri.path());
    Problem::new(ProblemKind::MethodNotAllowed, detail).into_response()
}
