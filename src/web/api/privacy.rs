//! Personal data (docs/procedure.md, Personal data): what is kept of a person and of all, and the erasure of the person
//! behind a request.

use axum::Json;
use axum::extract::{Request, State as Extract};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, Named, body, json};
use super::params::{Asked, NoParams};
use super::problem::Problem;
use crate::desk::Holding;
use crate::people::Scope;
use crate::queue::{Contact, State as RequestState};
use crate::view::rfc3339;
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

/// Whom somebody asks about.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Wanted {
    /// A mailbox, a number of a request, an absolute name, or part of a person's name of three characters at least.
    of: String,
}

/// What is kept of the person behind a request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoldingView {
    /// The number of the request; empty for a row of a table that is not filed yet.
    number: String,
    /// The absolute name it is about.
    name: String,
    /// The office.
    office: String,
    /// Its state.
    state: RequestState,
    /// When it came.
    #[schema(format = DateTime)]
    submitted: String,
    /// The person.
    contact: Contact,
    /// Versions of the data, each with a contact.
    revisions: u32,
    /// Files of letters.
    letters: usize,
    /// Papers that name the person.
    papers: usize,
    /// Notices with the person's mailbox.
    notices: usize,
    /// The fields that are filled in.
    fields: Vec<&'static str>,
}

/// What is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Holdings {
    /// One for each request.
    items: Vec<HoldingView>,
}

impl Holdings {
    /// As the desk found it.
    fn of(found: Vec<Holding>) -> Self {
        let items = found.into_iter().map(|it| HoldingView {
            fields: it.fields(),
            number: it.number,
            name: it.name,
            office: it.office,
            state: it.state,
            submitted: rfc3339(it.submitted_ms),
            contact: it.contact,
            revisions: it.revisions,
            letters: it.letters,
            papers: it.papers,
            notices: it.notices,
        });
        Self { items: items.collect() }
    }
}

/// What is kept of a person
///
/// For kabid and kasi. The look is an event, without the words that were looked for.
#[utoipa::path(post, path = "/personal-data", operation_id = "show_personal_data",
    tag = "requests", params(Asked<NoParams>), request_body = Wanted,
    security(("token" = ["read"])),
    responses((status = 200, description = "What is kept", body = Holdings)))]
pub(super) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    _: Asked<NoParams>,
    request: Request,
) -> Result<Json<Holdings>, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let Wanted { of } = json(request, &["of"], &["of"]).await?;
    let found = state.work(move |state| state.desk().holdings_of(&of, &actor)).await??;
    Ok(Json(Holdings::of(found)))
}

/// What is kept of everybody, for the notice of a breach
///
/// For kabid; an event each time. It takes no body, or `{}`.
#[utoipa::path(post, path = "/personal-data/breach-export", operation_id = "export_personal_data",
    tag = "requests", params(Asked<NoParams>), security(("token" = ["read"])),
    responses((status = 200, description = "What is kept", body = Holdings)))]
pub(super) async fn breach_export(
    Extract(state): Extract<State>,
    caller: Caller,
    _: Asked<NoParams>,
    request: Request,
) -> Result<Json<Holdings>, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    drop(body(request, true).await?);
    let found = state.work(move |state| state.desk().all_holdings(&actor)).await??;
    Ok(Json(Holdings::of(found)))
}
