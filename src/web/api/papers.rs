//! The papers of a request: their list, and the PDF of each.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Named};
use super::params::{Asked, NoParams};
use super::problem::Problem;
use super::schema::File;
use crate::desk::{ActError, Viewer};
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
    let file = file.await?;
    let name = format!("attachment; filename=\"{}\"", file.name);
    Ok(([(CONTENT_TYPE, file.media), (CONTENT_DISPOSITION, name)], file.bytes).into_response())
}

/// Does a job for an officer with a token, or for the applicant with the secret.
async fn looked_at<T: Send + 'static>(
    state: &State,
    caller: &Caller,
    number: String,
    job: impl FnOnce(&State, &str, &Viewer) -> Result<T, ActError> + Send + 'static,
) -> Result<T, Problem> {
    if caller.has_token() {
        let viewer = Viewer::Officer(caller.officer(Scope::Read)?.actor());
        return Ok(state.work(move |state| job(state, &number, &viewer)).await??);
    }
    let secret = caller.secret()?;
    let of = number.clone();
    let proven = move |state: &State| state.desk().applicant(&of, &secret).map(drop);
    state.with_secret(&number, caller.address, proven).await??;
    let number = number.trim().to_uppercase();
    Ok(state.work(move |state| job(state, &number, &Viewer::Applicant)).await??)
}
