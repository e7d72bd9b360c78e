//! What is said when the node that publishes gives no answer: 503 in words, in both languages, for people, programs
//! and supervisors.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::web::api::{Problem, ProblemKind};
use crate::web::closed::Bilingual;
use crate::web::shell::set_headers;

/// Seconds after which it may be tried again: by then another node has taken over.
const RETRY_SECONDS: &str = "10";

/// What a node that follows says of itself while it reaches nobody who publishes.
pub(super) const NO_PUBLISHER: &str = "no publisher";

/// Why there is no answer of the node that publishes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Away {
    /// Nobody publishes.
    Nobody,
    /// Its pages are not reached.
    Unreached,
    /// Another one publishes than the one that was asked, here or there.
    Changing,
    /// The request was sent, and no answer came.
    Unanswered,
}

impl Away {
    /// The same in English, for programs and supervisors.
    fn detail(self) -> &'static str {
        match self {
            Self::Nobody => "no node publishes at present: nothing was passed on",
            Self::Unreached => {
                "the pages of the node that publishes are not reached from here: nothing was passed on; `gapura ctl \
                 status` says which node it is"
            }
            Self::Changing => "another node takes over: nothing was done",
            Self::Unanswered => {
                "the node that publishes gave no answer: what was sent may have been done"
            }
        }
    }

    /// The answer to a request of this path.
    pub(super) fn answer(self, path: &str) -> Response {
        let (kind, text) = match self {
            Self::Unanswered => (ProblemKind::AnswerLost, "away-unanswered"),
            Self::Nobody | Self::Unreached | Self::Changing => {
                (ProblemKind::PublisherAway, "away-unsent")
            }
        };
        let mut response = if is_call(path) {
            Problem::new(kind, self.detail()).into_response()
        } else {
            let text = &[text, "away-text", "away-admin"];
            Bilingual { title: "away-title", text }.answer(StatusCode::SERVICE_UNAVAILABLE)
        };
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        // Whether visitors come by https is known to the other node.
        set_headers(headers, false);
        response
    }

    /// The answer to a supervisor that asks whether acts can be done.
    pub(super) fn unready(self) -> Response {
        let json = json!({ "status": NO_PUBLISHER, "detail": self.detail() });
        (StatusCode::SERVICE_UNAVAILABLE, Json(json)).into_response()
    }
}

/// Whether a path is one of the API.
fn is_call(path: &str) -> bool {
    path.starts_with("/api/")
}

/// Puts the refusal of a body that is too long into words.
pub(super) async fn too_large(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_plain = kind.is_none_or(|kind| kind.starts_with(b"text/plain"));
    if response.status() != StatusCode::PAYLOAD_TOO_LARGE || !is_plain {
        return response;
    }
    let mut response = if is_call(&path) {
        Problem::new(ProblemKind::TooLarge, "the body is too long").into_response()
    } else {
        let page = Bilingual { title: "fail-large-title", text: &["fail-large-text"] };
        page.answer(StatusCode::PAYLOAD_TOO_LARGE)
    };
    set_headers(response.headers_mut(), false);
    response
}
