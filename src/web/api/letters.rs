//! The letter of a request.

use axum::extract::State as Extract;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::caller::{Caller, Named};
use super::params::{Asked, NoParams};
use super::problem::Problem;
use super::schema::File;
use crate::people::Scope;
use crate::web::state::State;

/// The letter of a request
///
/// The file of the current revision, for kabid and kasi. Each download is an event. 404 where the letter
/// is on paper only, or was erased.
#[utoipa::path(get, path = "/requests/{number}/letter", operation_id = "get_letter",
    tag = "requests",
    params(("number" = String, Path, description = "The number of the request"), Asked<NoParams>),
    security(("token" = ["read"])),
    responses((status = 200, description = "The file", content(
        (File = "application/pdf"), (File = "image/jpeg"), (File = "image/png")))))]
pub(super) async fn letter(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(number): Named<String>,
    _: Asked<NoParams>,
) -> Result<Response, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let number = number.to_ascii_uppercase();
    let file = state.work(move |state| state.desk().letter(&number, false, &actor)).await??;
    let headers = [
        (CONTENT_TYPE, file.media),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)),
        (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
    ];
    Ok((headers, file.bytes).into_response())
}
