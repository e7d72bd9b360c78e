//! Personal data: erases what is kept of the person behind a request (docs/procedure.md, Personal
//! data).

use axum::Json;
use axum::extract::{Request, State as Extract};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, Named, json};
use super::params::{Asked, NoParams};
use super::problem::Problem;
use crate::people::Scope;
use crate::web::state::State;

/// Why personal data is erased.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Ground {
    /// In words: the request of the person, the law.
    ground: String,
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Erased {
    /// Values whose commitments stay in the chain.
    values: usize,
    /// Revisions whose contact was blanked.
    revisions: u32,
    /// Letter files that were deleted.
    letters: usize,
    /// Files of papers, which were issued anew without the person.
    papers: usize,
}

/// Erase the personal data of a request that has ended
///
/// Contact, letter and free texts go; decision, name and office stay, and the audit trail still verifies.
#[utoipa::path(post, path = "/requests/{number}/erase", operation_id = "erase_request",
    tag = "requests",
    params(("number" = String, Path, description = "The number of the request"), Asked<NoParams>),
    request_body = Ground, security(("token" = ["decide"])),
    responses((status = 200, description = "What was erased", body = Erased)))]
pub(super) async fn erase(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(number): Named<String>,
    _: Asked<NoParams>,
    request: Request,
) -> Result<Json<Erased>, Problem> {
    let actor = caller.officer(Scope::Decide)?.actor();
    let Ground { ground } = json(request, &["ground"], &["ground"]).await?;
    let done = state.work(move |state| state.desk().erase(&number, &ground, &actor)).await??;
    let crate::desk::Erased { values, revisions, letters, papers } = done;
    Ok(Json(Erased { values, revisions, letters, papers }))
}
