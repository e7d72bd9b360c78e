//! Live records: the list, the emergency suspension, and the other officer's agreement.

use axum::Json;
use axum::extract::{Request, State as Extract};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, Named, Params, body, json};
use super::problem::Problem;
use crate::desk::{ActError, Desk};
use crate::people::Scope;
use crate::queue::Actor;
use crate::view::RecordView;
use crate::web::state::State;

/// Records of a page at most.
const LIMIT_MAX: usize = 500;

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only this name, absolute or below the zone.
    #[serde(default)]
    name: Option<String>,
    /// Records at most, 1 to 500.
    #[serde(default)]
    limit: Option<usize>,
    /// Where the page before ended, its `next`.
    #[serde(default)]
    cursor: Option<String>,
}

/// Live records.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Records {
    /// The records.
    items: Vec<RecordView>,
    /// The cursor of the next page; `null` at the end.
    next: Option<String>,
}

/// Why a name is taken down, or a value accepted.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Reason {
    /// In words.
    #[serde(default)]
    reason: String,
}

/// Live records with the requests behind them
#[utoipa::path(get, path = "/records", params(Wanted), security(("token" = ["read"])),
    responses((status = 200, body = Records), (status = 403, body = Problem)))]
pub(super) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Params(named): Params<Wanted>,
) -> Result<Json<Records>, Problem> {
    caller.officer(Scope::Read)?;
    let name = named.name.filter(|name| !name.is_empty());
    let limit = named.limit.unwrap_or(LIMIT_MAX).clamp(1, LIMIT_MAX);
    let after = named.cursor.unwrap_or_default();
    let job = move |state: &State| match name {
        Some(name) => Ok((state.desk().record(&name)?.into_iter().collect(), None)),
        None => state.desk().records(None, &after, limit),
    };
    let (items, next) = state.work(job).await?.map_err(|error: ActError| Problem::from(error))?;
    Ok(Json(Records { items, next }))
}

/// Emergency: take a name out of the zone at once
#[utoipa::path(post, path = "/records/{name}/suspend", params(("name" = String, Path)),
    request_body = Reason, security(("token" = ["decide"])),
    responses((status = 200, body = RecordView), (status = 409, body = Problem)))]
pub(super) async fn suspend(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(name): Named<String>,
    request: Request,
) -> Result<Json<RecordView>, Problem> {
    with_reason(&state, &caller, name, request, Desk::suspend).await
}

/// Accept what the operator's zone file says in the place of what was promised
#[utoipa::path(post, path = "/records/{name}/adopt", params(("name" = String, Path)),
    request_body = Reason, security(("token" = ["decide"])),
    responses((status = 200, body = RecordView), (status = 409, body = Problem),
              (status = 422, body = Problem)))]
pub(super) async fn adopt(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(name): Named<String>,
    request: Request,
) -> Result<Json<RecordView>, Problem> {
    with_reason(&state, &caller, name, request, Desk::adopt).await
}

/// An officer's act on a name, with the reason that the body states.
async fn with_reason(
    state: &State,
    caller: &Caller,
    name: String,
    request: Request,
    act: fn(&Desk, &str, &str, &Actor) -> Result<RecordView, ActError>,
) -> Result<Json<RecordView>, Problem> {
    let actor = caller.officer(Scope::Decide)?.actor();
    let Reason { reason } = json(request).await?;
    let job = move |state: &State| act(state.desk(), &name, &reason, &actor);
    Ok(Json(state.work(job).await??))
}

/// Agree with the other officer's emergency suspension
#[utoipa::path(post, path = "/records/{name}/confirm", params(("name" = String, Path)),
    security(("token" = ["decide"])),
    responses((status = 200, body = RecordView), (status = 403, body = Problem)))]
pub(super) async fn confirm(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(name): Named<String>,
    request: Request,
) -> Result<Json<RecordView>, Problem> {
    let actor = caller.officer(Scope::Decide)?.actor();
    drop(body(request, true).await?);
    let job = move |state: &State| state.desk().confirm_suspension(&name, &actor);
    Ok(Json(state.work(job).await??))
}
