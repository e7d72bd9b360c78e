//! The monthly report, and the act that closes its month.

use axum::Json;
use axum::extract::{Request, State as Extract};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Named, body};
use super::problem::Problem;
use crate::people::Scope;
use crate::report::{Month, NotAMonth, Report};
use crate::web::state::State;

/// A month that is closed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClosedMonth {
    /// The month, `YYYY-MM`.
    month: String,
    /// Numbers of the requests that are closed with it.
    requests: Vec<String>,
}

/// The report of a month, of the running one too; making it changes nothing
#[utoipa::path(get, path = "/reports/{month}", params(("month" = String, Path, description = "YYYY-MM, in WIB")),
    security(("token" = ["read"])),
    responses((status = 200, body = Report), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
pub(super) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(month): Named<String>,
) -> Result<Json<Report>, Problem> {
    caller.officer(Scope::Read)?;
    let month = month_of(&month)?;
    Ok(Json(state.work(move |state| state.desk().month_report(month)).await??))
}

/// Close a month that is over: the requests its report holds end with it
#[utoipa::path(post, path = "/reports/{month}/close", params(("month" = String, Path, description = "YYYY-MM, in WIB")),
    security(("token" = ["decide"])),
    responses((status = 200, body = ClosedMonth), (status = 403, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn close(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(month): Named<String>,
    request: Request,
) -> Result<Json<ClosedMonth>, Problem> {
    let actor = caller.officer(Scope::Decide)?.actor();
    drop(body(request, true).await?);
    let month = month_of(&month)?;
    let closed = state.work(move |state| state.desk().close_month(month, &actor)).await??;
    Ok(Json(ClosedMonth { month: closed.month, requests: closed.requests }))
}

/// Reads a month.
fn month_of(text: &str) -> Result<Month, Problem> {
    let wrong = |error: NotAMonth| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "incomplete", format!("{text}: {error}"))
    };
    text.parse().map_err(wrong)
}
