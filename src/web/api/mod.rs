//! The JSON API under `/api/v1` (approval.md §11): the same rules as the pages, for programs.
//!
//! Nothing is decided here: a handler reads who asks and what is sent, calls `desk` on the blocking
//! pool, and writes the answer or a problem (RFC 9457). An officer comes with a bearer token, an
//! applicant with the secret in `Gapura-Secret`; there are no cookies, so no other site can act
//! through a browser.

// The macros that write the document spell out every path.
#![allow(unused_qualifications)]

mod caller;
mod chain;
mod health;
mod multipart;
mod privacy;
mod problem;
mod records;
mod requests;

use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Uri};
use axum::response::Json;
use axum::routing::get;
use axum::{Router, http::StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::BODY_MAX;
use super::state::State;
use problem::Problem;

/// What the document says about the whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "gapura",
        description = "The approval queue: a verified request becomes a live record. Times are \
            RFC 3339 in UTC; errors are problem details (RFC 9457) with a stable `code`."
    ),
    modifiers(&Keys)
)]
struct Document;

/// The two ways to say who asks.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let secret = ApiKey::Header(ApiKeyValue::new("Gapura-Secret"));
        components.add_security_scheme("secret", SecurityScheme::ApiKey(secret));
    }
}

/// The API as one service, to be merged beside the pages.
pub(super) fn router(state: State) -> Router {
    let (calls, document) = OpenApiRouter::with_openapi(Document::openapi())
        .nest(
            "/api/v1",
            OpenApiRouter::new()
                .routes(routes!(requests::list, requests::submit))
                .routes(routes!(requests::show))
                .routes(routes!(requests::act))
                .routes(routes!(privacy::erase))
                .routes(routes!(records::list))
                .routes(routes!(records::suspend))
                .routes(routes!(records::confirm))
                .routes(routes!(chain::events)),
        )
        .split_for_parts();
    let no_store = HeaderValue::from_static("no-store");
    let no_sniff = HeaderValue::from_static("nosniff");
    calls
        .route("/api/v1/openapi.json", get(async move || Json(document)))
        .route("/api/{*rest}", axum::routing::any(missing))
        .method_not_allowed_fallback(wrong_method)
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, no_store))
        .layer(SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, no_sniff))
        .layer(CatchPanicLayer::custom(|_| problem::panicked()))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .with_state(state)
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
