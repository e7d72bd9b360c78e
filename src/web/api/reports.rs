//! The monthly report, and the act that closes its month.

use axum::Json;
use axum::extract::{Request, State as Extract};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Named, body};
use super::kinds::ProblemKind;
use super::params::{Asked, NoParams};
use super::problem::Problem;
use crate::desk::MonthClosed;
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
    /// The number of its paper, *laporan kegiatan*.
    paper: String,
}

/// The report of a month
///
/// Of the running one too; making it changes nothing.
#[utoipa::path(get, path = "/reports/{month}", operation_id = "get_report", tag = "reports",
    params(("month" = String, Path, pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$", description = "YYYY-MM, in WIB"),
        Asked<NoParams>),
    security(("token" = ["read"])),
    responses((status = 200, description = "The report", body = Report)))]
pub(super) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(month): Named<String>,
    _: Asked<NoParams>,
) -> Result<Json<Report>, Problem> {
    caller.officer(Scope::Read)?;
    let month = month_of(&month)?;
    Ok(Json(state.work(move |state| state.desk().month_report(month)).await??))
}

/// Close a month that is over
///
/// The requests its report holds end with it. It takes no body, or `{}`.
#[utoipa::path(post, path = "/reports/{month}/close", operation_id = "close_month", tag = "reports",
    params(("month" = String, Path, pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$", description = "YYYY-MM, in WIB"),
        Asked<NoParams>),
    security(("token" = ["decide"])),
    responses((status = 200, description = "The month, and what is closed with it", body = ClosedMonth)))]
pub(super) async fn close(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(month): Named<String>,
    _: Asked<NoParams>,
    request: Request,
) -> Result<Json<ClosedMonth>, Problem> {
    let actor = caller.officer(Scope::Decide)?.actor();
    drop(body(request, true).await?);
    let month = month_of(&month)?;
    let closed = state.work(move |state| state.desk().close_month(month, &actor)).await??;
    let MonthClosed { month, requests, paper } = closed;
    Ok(Json(ClosedMonth { month, requests, paper }))
}

/// Reads a month.
pub(super) fn month_of(text: &str) -> Result<Month, Problem> {
    let wrong =
        |error: NotAMonth| Problem::new(ProblemKind::Incomplete, format!("{text}: {error}"));
    text.parse().map_err(wrong)
}
