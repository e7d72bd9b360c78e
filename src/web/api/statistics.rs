//! Statistics of queries.

use axum::Json;
use axum::extract::State as Extract;

use super::caller::Caller;
use super::params::{Asked, Form, Param, ParamTable};
use super::problem::Problem;
use crate::desk::ActError;
use crate::people::Scope;
use crate::statistics::{Figures, Span};
use crate::web::state::State;

/// The parameters of the statistics.
pub(super) struct Over;

impl ParamTable for Over {
    const PARAMS: &'static [Param] = &[Param::new(
        "span",
        Form::Word(|| vec!["hour", "week", "year"]),
        "What codes, types, transports, zones and names are summed over: `week`, if nothing is said",
    )];
}

/// Queries over time, by kind and name
///
/// Nothing of who asked is counted.
#[utoipa::path(get, path = "/statistics", operation_id = "get_statistics", tag = "reports",
    params(Asked<Over>), security(("token" = ["read"])),
    responses((status = 200, description = "The figures", body = Figures)))]
pub(super) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    over: Asked<Over>,
) -> Result<Json<Figures>, Problem> {
    caller.officer(Scope::Read)?;
    let span = match over.text("span").as_deref() {
        Some("hour") => Span::Hour,
        Some("year") => Span::Year,
        _ => Span::Week,
    };
    let job = move |state: &State| state.statistics().figures(span, state.desk().now());
    Ok(Json(state.work(job).await?.map_err(ActError::from)?))
}
