//! The chain: `GET /events` in export form, for `gapura audit verify`, and `GET /changes`, what happened
//! to requests and names since.
//!
//! An export is read part by part as the client takes it, each part in a transaction of its own that only
//! reads: the chain is append only, so what was read stays true.

use std::io;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State as Extract;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::params::{Asked, Form, Param, ParamTable};
use super::problem::Problem;
use super::{accept, version};
use crate::desk::ActError;
use crate::people::Scope;
use crate::view::ChangeView;
use crate::web::failure::Failure;
use crate::web::state::State;

/// Events read at once.
const PART: usize = 500;

/// The parameters of the export.
pub(super) struct Export;

impl ParamTable for Export {
    const PARAMS: &'static [Param] = &[
        Param::new("after", Form::Sequence, "Only events after this sequence"),
        Param::new("cursor", Form::Sequence, "The same: where the page before ended, its `next`"),
        Param::new("limit", Form::Rows(1, 5_000, 0), "Events at most; without it the whole chain"),
    ];
}

/// The chain in export form.
#[derive(ToSchema)]
#[allow(dead_code)] // Read by the macro that writes the document.
pub(super) struct Chain {
    /// Keys, events, checkpoints, proofs and erasures, each as its members say: what
    /// `gapura audit verify` reads.
    #[schema(value_type = Vec<std::collections::HashMap<String, serde_json::Value>>)]
    items: Vec<serde_json::Value>,
    /// The cursor of the next page; `null` at the end.
    next: Option<i64>,
}

/// The audit trail in export form
///
/// For `gapura audit verify`: events after a sequence, with checkpoints, keys, proofs and erasures between
/// them. JSON, or JSON lines where `application/x-ndjson` is preferred. For auditor, admin and kabid. The
/// first call of a person and day leaves the event `exported`; whoever only wants to know what has
/// changed takes `GET /changes`, which leaves none.
#[utoipa::path(get, path = "/events", operation_id = "export_events", tag = "chain",
    params(Asked<Export>), security(("token" = ["read"])),
    responses((status = 200, description = "The chain", content(
        (Chain = "application/json"), (String = "application/x-ndjson")))))]
pub(super) async fn events(
    Extract(state): Extract<State>,
    caller: Caller,
    asked: Asked<Export>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let frame = Frame::accepted(&headers)?;
    let after = asked.sequence("cursor").or_else(|| asked.sequence("after")).unwrap_or(0);
    let to = state.work(move |state| state.desk().begin_export(after, true, &actor)).await?;
    let to = to.map_err(|error| match error {
        ActError::NotAllowed => Problem::not_allowed("the chain is for auditor, admin and kabid"),
        error => error.into(),
    })?;
    let kind = [(CONTENT_TYPE, frame.media()), (VARY, "accept, authorization")];
    let limit = asked.rows("limit");
    if limit == 0 {
        return Ok((kind, chain_body(state, after, to, frame)).into_response());
    }
    let part =
        state.work(move |state| state.desk().export_part((after, to), limit, true)).await??;
    let body = frame.whole(&part.lines, part.next);
    Ok((kind, body).into_response())
}

//------------ Changes -------------------------------------------------------

/// The parameters of the feed.
pub(super) struct Feed;

impl ParamTable for Feed {
    const PARAMS: &'static [Param] = &[
        Param::new(
            "since",
            Form::Sequence,
            "Only changes after this one: the `next` of the answer before",
        ),
        Param::new("limit", Form::Rows(1, 1_000, 200), "Changes at most"),
    ];
}

/// Changes, and where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changes {
    /// The changes, in their order.
    items: Vec<ChangeView>,
    /// What `since` says the next time.
    next: i64,
    /// Whether there are more now.
    more: bool,
}

/// What has changed
///
/// Every accepted act on requests and names, in order: begin with `since=0`, go on with `next`. Nothing
/// is left out and nothing is recorded. As long as there is nothing new, `If-None-Match` with the `ETag`
/// of the answer before gets 304.
#[utoipa::path(get, path = "/changes", operation_id = "list_changes", tag = "chain",
    params(Asked<Feed>,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer")),
    security(("token" = ["read"])),
    responses((status = 200, description = "The changes", body = Changes,
            headers(("ETag" = String, description = "Names the end of what there was"))),
        (status = 304, description = "There is nothing new")))]
pub(super) async fn changes(
    Extract(state): Extract<State>,
    caller: Caller,
    asked: Asked<Feed>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let (since, limit) = (asked.sequence("since").unwrap_or(0), asked.rows("limit"));
    let page = state.work(move |state| state.desk().changes(since, limit, &actor)).await??;
    let etag = format!("\"{since}-{limit}-{}\"", page.next);
    let common = [(ETAG, etag.clone()), (VARY, "authorization".to_owned())];
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|tag| tag.to_str().ok());
    if version::names(known, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let body = Changes { items: page.items, next: page.next, more: page.more };
    Ok((common, Json(body)).into_response())
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
    /// The form that the client prefers of those it accepts (RFC 9110 §12.5.1).
    fn accepted(headers: &HeaderMap) -> Result<Self, Problem> {
        let json = accept::weight(headers, "application/json");
        let lines = accept::weight(headers, "application/x-ndjson");
        // A range that fits both does not ask for lines.
        let named = accept::names(headers, "application/x-ndjson");
        if json.max(lines) <= 0.0 {
            return Err(accept::refused());
        }
        Ok(if lines > json || (named && lines >= json) { Self::Lines } else { Self::Json })
    }

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
