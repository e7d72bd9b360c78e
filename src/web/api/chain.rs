//! `GET /events`: the chain in export form, for `gapura audit verify`.
//!
//! It is read part by part as the client takes it, each part in a transaction of its own that only
//! reads: the chain is append only, so what was read stays true.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::State as Extract;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::{Caller, Params};
use super::problem::Problem;
use crate::desk::ActError;
use crate::people::Scope;
use crate::web::failure::Failure;
use crate::web::state::State;

/// Events read at once.
const PART: usize = 500;
/// Events of a page at most.
const LIMIT_MAX: usize = 5_000;

/// Where to begin, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Only events after this sequence.
    #[serde(default)]
    after: i64,
    /// The same: where the page before ended, its `next`.
    #[serde(default)]
    cursor: Option<i64>,
    /// Events at most, 1 to 5000; without it the whole chain.
    #[serde(default)]
    limit: Option<usize>,
}

/// The chain of events after a sequence, with checkpoints, keys and erasures between them
///
/// JSON with one event a line under `items`, and under `next` the cursor of the next page; JSON lines when
/// `application/x-ndjson` is accepted.
#[utoipa::path(get, path = "/events", params(After), security(("token" = ["read"])),
    responses((status = 200, description = "The chain", body = serde_json::Value),
              (status = 403, body = Problem)))]
pub(super) async fn events(
    Extract(state): Extract<State>,
    caller: Caller,
    Params(asked): Params<After>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let after = asked.cursor.unwrap_or(asked.after);
    let to = state.work(move |state| state.desk().begin_export(after, true, &actor)).await?;
    let to = to.map_err(|error| match error {
        ActError::NotAllowed => Problem::not_allowed("the chain is for auditor, admin and kabid"),
        error => error.into(),
    })?;
    let wanted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let frame = if wanted.contains("application/x-ndjson") { Frame::Lines } else { Frame::Json };
    let Some(limit) = asked.limit else {
        return Ok(
            ([(CONTENT_TYPE, frame.media())], chain_body(state, after, to, frame)).into_response()
        );
    };
    let limit = limit.clamp(1, LIMIT_MAX);
    let part =
        state.work(move |state| state.desk().export_part((after, to), limit, true)).await??;
    let body = frame.whole(&part.lines, part.next);
    Ok(([(CONTENT_TYPE, frame.media())], body).into_response())
}

//------------ Frame ---------------------------------------------------------

/// What lies around the lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::web) enum Frame {
    /// An object with `items` and `next`.
    Json,
    /// Nothing.
    Lines,
}

impl Frame {
    /// The media type.
    fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Lines => "application/x-ndjson",
        }
    }

    /// Everything at once.
    fn whole(self, lines: &[String], next: Option<i64>) -> String {
        format!("{}{}{}", self.begin(), self.part(lines, true), self.end(next))
    }

    /// What comes before the lines.
    fn begin(self) -> &'static str {
        if self == Self::Json { "{\"items\":[\n" } else { "" }
    }

    /// Some lines.
    fn part(self, lines: &[String], is_first: bool) -> String {
        match self {
            Self::Json if is_first || lines.is_empty() => lines.join(",\n"),
            Self::Json => format!(",\n{}", lines.join(",\n")),
            Self::Lines => lines.iter().map(|line| format!("{line}\n")).collect(),
        }
    }

    /// What comes after the lines.
    fn end(self, next: Option<i64>) -> String {
        let next = next.map_or_else(|| "null".to_owned(), |next| next.to_string());
        if self == Self::Json { format!("\n],\"next\":{next}}}\n") } else { String::new() }
    }
}

/// The chain between two events, read as it is taken. One that breaks off is cut short on the wire.
pub(in crate::web) fn chain_body(state: State, after: i64, to: i64, frame: Frame) -> Body {
    Body::from_stream(stream::try_unfold((Some(after), true), move |(after, is_first)| {
        let state = state.clone();
        async move {
            let Some(after) = after else { return Ok::<_, io::Error>(None) };
            let job = move |state: &State| state.desk().export_part((after, to), PART, is_first);
            let part = state.work(job).await.map_err(|error: Failure| broken(&error))?;
            let part = part.map_err(|error| broken(&error))?;
            let begin = if is_first { frame.begin() } else { "" };
            let lines = frame.part(&part.lines, is_first);
            let end = if part.next.is_none() { frame.end(None) } else { String::new() };
            let bytes = Bytes::from(format!("{begin}{lines}{end}"));
            Ok(Some((bytes, (part.next, false))))
        }
    }))
}

/// Says in the log why an export ended before its end.
fn broken(error: &dyn std::fmt::Debug) -> io::Error {
    tracing::error!(?error, "an export of the chain broke off");
    io::Error::other("the export broke off")
}
