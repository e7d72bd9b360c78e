//! Statistics of queries.

use axum::Json;
use axum::extract::State as Extract;
use serde::Deserialize;
use utoipa::IntoParams;

use super::caller::{Caller, Params};
use super::problem::Problem;
use crate::desk::ActError;
use crate::people::Scope;
use crate::statistics::{Figures, Span};
use crate::web::state::State;

/// Over which time.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Over {
    /// `hour`, `week` (the default) or `year`: what codes, types, transports, zones and names are summed over.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    span: Span,
}

/// Queries over time, by kind and name; nothing of who asked
#[utoipa::path(get, path = "/statistics", params(Over), security(("token" = ["read"])),
    responses((status = 200, body = Figures), (status = 403, body = Problem)))]
pub(super) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Params(over): Params<Over>,
) -> Result<Json<Figures>, Problem> {
    caller.officer(Scope::Read)?;
    let job = move |state: &State| state.statistics().figures(over.span, state.desk().now());
    Ok(Json(state.work(job).await?.map_err(ActError::from)?))
}
