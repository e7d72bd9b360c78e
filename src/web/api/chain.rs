//! `GET /events`: the chain in export form, for `gapura audit verify`.

use axum::extract::State as Extract;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::{Asked, Caller};
use super::problem::Problem;
use crate::desk::ActError;
use crate::people::Scope;
use crate::web::state::State;

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Only events after this sequence.
    #[serde(default)]
    after: i64,
}

/// The chain of events after a sequence, with checkpoints, keys and erasures between them
///
/// JSON with one event a line under `items`; JSON lines when `application/x-ndjson` is accepted.
#[utoipa::path(get, path = "/events", params(After), security(("token" = ["read"])),
    responses((status = 200, description = "The chain", body = serde_json::Value),
              (status = 403, body = Problem)))]
pub(super) async fn events(
    Extract(state): Extract<State>,
    caller: Caller,
    Asked(After { after }): Asked<After>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let lines = state.work(move |state| state.desk().export(after, &actor)).await?;
    let lines = lines.map_err(|error| match error {
        ActError::NotAllowed => Problem::not_allowed("the chain is for auditor, admin and kabid"),
        error => error.into(),
    })?;
    let wanted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    if wanted.contains("application/x-ndjson") {
        let body = lines.join("\n") + "\n";
        return Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response());
    }
    let body = format!("{{\"items\":[\n{}\n],\"next\":null}}\n", lines.join(",\n"));
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}
