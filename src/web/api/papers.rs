//! The papers of a request, and those of a month: their list, and the PDF of each.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Named};
use super::params::{Asked, NoParams};
use super::problem::Problem;
use super::reports::month_of;
use super::schema::File;
use crate::desk::{ActError, AttachmentFile, Viewer};
use crate::people::Scope;
use crate::view::PaperView;
use crate::web::state::State;

/// The papers of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Papers {
    /// The papers, the oldest first.
    items: Vec<PaperView>,
}

/// The papers of a request
///
/// The applicant gets those that are written to them.
#[utoipa::path(get, path = "/requests/{number}/papers", operation_id = "list_papers", tag = "papers",
    params(("number" = String, Path, description = "The number of the request"), Asked<NoParams>),
    security(("token" = ["read"]), ("secret" = [])),
    responses((status = 200, description = "The papers", body = Papers)))]
pub(super) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(number): Named<String>,
    _: Asked<NoParams>,
) -> Result<Json<Papers>, Problem> {
    let items = looked_at(&state, &caller, number, |state, number, viewer| {
        state.desk().papers(number, viewer)
    });
    Ok(Json(Papers { items: items.await? }))
}

/// The PDF of a paper
///
/// `id` is the id in the list, or a kind: then it is the newest in force. Kabid and kasi only, and the
/// applicant; an officer's download is an event. A paper whose file is still being made is not found.
#[utoipa::path(get, path = "/requests/{number}/papers/{id}", operation_id = "get_paper", tag = "papers",
    params(("number" = String, Path, description = "The number of the request"),
           ("id" = String, Path, description = "The id of the paper, or its kind"), Asked<NoParams>),
    security(("token" = ["read"]), ("secret" = [])),
    responses((status = 200, description = "The PDF", content_type = "application/pdf", body = File)))]
pub(super) async fn get(
    Extract(state): Extract<State>,
    caller: Caller,
    Named((number, id)): Named<(String, String)>,
    _: Asked<NoParams>,
) -> Result<Response, Problem> {
    let file = looked_at(&state, &caller, number, move |state, number, viewer| {
        let id = state.desk().paper_named(number, &id)?;
        state.desk().paper_file(number, &id, viewer)
    });
    Ok(attachment(file.await?))
}

/// The papers of a month
///
/// Its report, once the month is closed, and what superseded it.
#[utoipa::path(get, path = "/reports/{month}/papers", operation_id = "list_report_papers", tag = "reports",
    params(("month" = String, Path, description = "YYYY-MM, in WIB"), Asked<NoParams>),
    security(("token" = ["read"])),
    responses((status = 200, description = "The papers", body = Papers)))]
pub(super) async fn list_months(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(month): Named<String>,
    _: Asked<NoParams>,
) -> Result<Json<Papers>, Problem> {
    let viewer = Viewer::Officer(caller.officer(Scope::Read)?.actor());
    let month = month_of(&month)?;
    let items = state.work(move |state| state.desk().papers(month, &viewer)).await??;
    Ok(Json(Papers { items }))
}

/// The PDF of a month's paper
///
/// Each download is an event. A paper whose file is still being made is not found.
#[utoipa::path(get, path = "/reports/{month}/papers/{id}", operation_id = "get_report_paper", tag = "reports",
    params(("month" = String, Path, description = "YYYY-MM, in WIB"),
           ("id" = String, Path, description = "The id of the paper"), Asked<NoParams>),
    security(("token" = ["read"])),
    responses((status = 200, description = "The PDF", content_type = "application/pdf", body = File)))]
pub(super) async fn get_months(
    Extract(state): Extract<State>,
    caller: Caller,
    Named((month, id)): Named<(String, String)>,
    _: Asked<NoParams>,
) -> Result<Response, Problem> {
    let viewer = Viewer::Officer(caller.officer(Scope::Read)?.actor());
    let month = month_of(&month)?;
    let job = move |state: &State| state.desk().paper_file(month, &id, &viewer);
    Ok(attachment(state.work(job).await??))
}

/// A file as a download.
fn attachment(file: AttachmentFile) -> Response {
    let name = format!("attachment; filename=\"{}\"", file.name);
    ([(CONTENT_TYPE, file.media), (CONTENT_DISPOSITION, name)], file.bytes).into_response()
}

/// Does a job for an officer with a token, or for the applicant with the secret.
async fn looked_at<T: Send + 'static>(
    state: &State,
    caller: &Caller,
    number: String,
    job: impl FnOnce(&State, &str, &Viewer) -> Result<T, ActError> + Send + 'static,
) -> Result<T, Problem> {
    let number = number.trim().to_uppercase();
    if caller.has_token() {
        let viewer = Viewer::Officer(caller.officer(Scope::Read)?.actor());
        return Ok(state.work(move |state| job(state, &number, &viewer)).await??);
    }
    let secret = caller.secret()?;
    let of = number.clone();
    let proven = move |state: &State| state.desk().applicant(&of, &secret).map(drop);
    state.with_secret(&number, caller.address, proven).await??;
    Ok(state.work(move |state| job(state, &number, &Viewer::Applicant)).await??)
}
