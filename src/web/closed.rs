//! What pages and API answer while the queue is closed: 503 in words, in both languages, for people,
//! programs and supervisors. It needs no database, key or account.

use std::net::IpAddr;
use std::time::Duration;

use askama::Template;
use axum::extract::State as Extract;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::api::{Problem, ProblemKind};
use super::door::{self, DoorLimits};
use super::shell::set_headers;
use super::{api, assets};
use crate::words::{Lang, Words};

/// Seconds after which it may be tried again.
const RETRY_SECONDS: &str = "300";

/// Why the queue is closed, as far as strangers may know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClosedBy {
    /// The database is lost, damaged or not ours.
    Database,
    /// A key is lost, or another one.
    Keys,
    /// The state directory cannot be written.
    StateDir,
    /// Something else.
    Other,
}

impl ClosedBy {
    /// The message id of the cause.
    const fn id(self) -> &'static str {
        match self {
            Self::Database => "closed-by-database",
            Self::Keys => "closed-by-keys",
            Self::StateDir => "closed-by-state-dir",
            Self::Other => "closed-by-other",
        }
    }
}

/// Serves until `stop` resolves, with how long requests under way may take.
pub async fn serve_closed(
    listener: TcpListener,
    why: ClosedBy,
    proxies: Vec<IpAddr>,
    limits: DoorLimits,
    stop: impl Future<Output = Duration> + Send + 'static,
) {
    door::serve(listener, router(why), proxies, limits, stop).await;
}

/// Pages and API as one service.
fn router(why: ClosedBy) -> Router {
    Router::new()
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(readyz))
        .route("/aset/{hash}/{name}", get(assets::serve))
        .fallback(anything)
        .with_state(why)
}

/// Nothing can be done here.
async fn readyz(Extract(why): Extract<ClosedBy>) -> (StatusCode, Json<Value>) {
    let words = Words::of(Lang::En).s(why.id());
    let json = json!({ "status": "queue closed", "detail": words });
    (StatusCode::SERVICE_UNAVAILABLE, Json(json))
}

/// Any page or call.
async fn anything(Extract(why): Extract<ClosedBy>, uri: Uri) -> Response {
    let mut response = if uri.path().starts_with("/api/") {
        let t = Words::of(Lang::En);
        let detail = format!("{} {}", t.s(why.id()), t.s("closed-text"));
        Problem::new(ProblemKind::QueueClosed, detail).into_response()
    } else {
        let text = &[why.id(), "closed-text", "closed-admin"];
        Bilingual { title: "closed-title", text }.answer(StatusCode::SERVICE_UNAVAILABLE)
    };
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
    // Whether it is reached by https is in the settings, which may be at fault.
    set_headers(headers, false);
    response
}

//------------ Bilingual -----------------------------------------------------

/// A page without anything of a session: both languages, because nobody's choice is known.
#[derive(Template)]
#[template(path = "bilingual.html", config = "src/web/askama.toml")]
pub(super) struct Bilingual<'a> {
    /// Message id of the title.
    pub(super) title: &'static str,
    /// Message ids of what is said, a paragraph each.
    pub(super) text: &'a [&'static str],
}

impl Bilingual<'_> {
    /// The page with a status.
    pub(super) fn answer(&self, status: StatusCode) -> Response {
        match self.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(_) => status.into_response(),
        }
    }

    /// The words, Indonesian first.
    fn languages(&self) -> [Words; 2] {
        [Words::of(Lang::Id), Words::of(Lang::En)]
    }

    /// Address of the style sheet.
    fn style(&self) -> &'static str {
        assets::style()
    }
}
