//! Requests: the queue, one request, submitting one, and every act on it.

use axum::Json;
use axum::extract::{FromRequest, Request, State as Extract};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{Caller, Named, Params, body};
use super::mailbox::Proof;
use super::multipart::{Sent, read_letter};
use super::problem::Problem;
use crate::desk::{ActError, ListFilter, Submitter, Viewer};
use crate::people::Scope;
use crate::queue::act::BodyError;
use crate::queue::{Act, ActKind, Actor, Application, Identity, State as RequestState, automatic};
use crate::view::{FaultView, RecordView, RequestView, Summary};
use crate::web::limits::{Route, network};
use crate::web::state::State;

/// Rows of a list when nobody says how many.
const LIMIT_DEFAULT: usize = 50;
/// Rows of a list at most.
const LIMIT_MAX: usize = 200;

//------------ Listing -------------------------------------------------------

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only this state.
    #[serde(default)]
    state: Option<String>,
    /// `true`: only what is late.
    #[serde(default)]
    late: Option<String>,
    /// Rows at most, 1 to 200.
    #[serde(default)]
    limit: Option<usize>,
    /// Where the page before ended, its `next`.
    #[serde(default)]
    cursor: Option<String>,
}

/// One page of the queue.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    /// The rows, least time left first.
    items: Vec<Summary>,
    /// The cursor of the next page; `null` at the end.
    next: Option<String>,
    /// On the first page of what is late: names one officer took down and the other has not agreed
    /// with by the time they should.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suspensions: Vec<RecordView>,
}

/// The queue, least time left first
#[utoipa::path(get, path = "/requests", params(Wanted), security(("token" = ["read"])),
    responses((status = 200, body = Page), (status = 401, body = Problem),
              (status = 403, body = Problem)))]
pub(super) async fn list(
    Extract(state): Extract<State>,
    caller: Caller,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page>, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let only = wanted.state.as_deref().filter(|text| !text.is_empty());
    let only = only.map(|text| {
        let unknown = || Problem::bad_request(format!("there is no state {text:?}"));
        RequestState::from_name(text).ok_or_else(unknown)
    });
    let cursor = wanted.cursor.filter(|cursor| !cursor.is_empty());
    if cursor.as_deref().is_some_and(|cursor| ListFilter::place(cursor).is_none()) {
        return Err(Problem::bad_request("cursor is not the `next` of a page"));
    }
    let filter = ListFilter {
        state: only.transpose()?,
        late: matches!(wanted.late.as_deref(), Some("true" | "1" | "yes")),
        limit: wanted.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX),
        cursor,
        ..ListFilter::default()
    };
    let heads_late = filter.late && filter.state.is_none() && filter.cursor.is_none();
    let job = move |state: &State| -> Result<Page, ActError> {
        let page = state.desk().list(&filter, &actor)?;
        let suspensions = if heads_late { state.desk().overdue_suspensions()? } else { Vec::new() };
        Ok(Page { items: page.items, next: page.next, suspensions })
    };
    Ok(Json(state.work(job).await??))
}

//------------ Showing -------------------------------------------------------

/// One request, with candidate, check sheet, proof, notices and history
#[utoipa::path(get, path = "/requests/{number}", params(("number" = String, Path)),
    security(("token" = ["read"]), ("secret" = [])),
    responses((status = 200, body = RequestView), (status = 404, body = Problem)))]
pub(super) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(number): Named<String>,
) -> Result<Json<RequestView>, Problem> {
    if caller.has_token() {
        let viewer = Viewer::Officer(caller.officer(Scope::Read)?.actor());
        return Ok(Json(state.work(move |state| state.desk().view(&number, &viewer)).await??));
    }
    let (of, secret) = (number.clone(), secret(&caller)?);
    let job = move |state: &State| state.desk().status(&of, &secret);
    Ok(Json(state.with_secret(&number, caller.address, job).await??))
}

/// The secret that came along.
fn secret(caller: &Caller) -> Result<String, Problem> {
    let missing = "a bearer token or the header Gapura-Secret is needed";
    caller.secret.clone().ok_or_else(|| Problem::unauthorized(missing))
}

//------------ Sending -------------------------------------------------------

/// The answer to `POST /requests`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Submitted {
    /// The number.
    number: String,
    /// The applicant's secret; it is shown this once.
    secret: String,
    /// `submitted`.
    state: RequestState,
    /// 1.
    revision: u32,
    /// Fields in which a number of 16 digits was masked, because it may be a NIK.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<FaultView>,
}

/// The parts of `POST /requests`, for the document.
#[derive(ToSchema)]
#[allow(dead_code)] // Read by the macro that writes the document.
pub(super) struct Parts {
    /// The request.
    request: Application,
    /// The letter: a PDF of 2 MB at most, or a JPEG or PNG of 10 MB at most, which is kept smaller.
    #[schema(format = Binary)]
    letter: String,
}

/// Send a request
///
/// Without a token where the public form is open; an officer who keys in a paper letter counts as
/// applicant. The header `Gapura-Mailbox` with the id of `POST /mailbox-codes` and the code that was mailed,
/// separated by a blank, proves the contact's mailbox.
#[utoipa::path(post, path = "/requests", security((), ("token" = ["submit"])),
    request_body(content = Parts, content_type = "multipart/form-data"),
    responses((status = 201, body = Submitted), (status = 413, body = Problem),
              (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn submit(
    Extract(state): Extract<State>,
    caller: Caller,
    proof: Option<Proof>,
    sent: Sent,
) -> Result<(StatusCode, Json<Submitted>), Problem> {
    let Sent { application, letter } = sent;
    let actor = if caller.has_token() {
        caller.officer(Scope::Submit)?.actor()
    } else {
        may_try(&state, &caller, &application, letter.is_some()).await?;
        Actor::applicant(&application.contact.name, Identity::default(), None)
    };
    let letter = read_letter(&state, &caller, letter).await?;
    if !caller.has_token() {
        state.limits().take(Route::Submit, caller.address).map_err(Problem::too_many)?;
    }
    let warnings = automatic::masked_fields(&application).iter().map(FaultView::from).collect();
    let mailbox_proven = match &proof {
        Some(proof) => proof.holds(&state, &application.contact.email).await?,
        None => false,
    };
    let network = Some(network(caller.address));
    let proof_of = proof.map(|proof| proof.subject());
    let by = Submitter { actor, mailbox_proven, proof_of, network, letter_on_paper: false };
    let job = move |state: &State| state.desk().submit(application, letter, &by);
    let done = state.work(job).await??;
    let submitted = Submitted {
        number: done.number,
        secret: done.secret,
        state: done.state,
        revision: done.revision,
        warnings,
    };
    Ok((StatusCode::CREATED, Json(submitted)))
}

/// Tests whether somebody without a token may try to send this now. What the rules or the letter's content
/// refuse does not count against the network's few requests an hour.
async fn may_try(
    state: &State,
    caller: &Caller,
    application: &Application,
    has_letter: bool,
) -> Result<(), Problem> {
    if !state.settings().public_submit {
        return Err(Problem::not_allowed("the public form is closed: a token is needed"));
    }
    state.limits().take(Route::Attempt, caller.address).map_err(Problem::too_many)?;
    let application = application.clone();
    let faults = state.work(move |state| state.desk().rehearse(application, has_letter)).await??;
    if faults.is_empty() { Ok(()) } else { Err(Problem::of_faults(faults)) }
}

//------------ Acting --------------------------------------------------------

/// Perform an act
///
/// The state is tested first, then the person, then freshness, then the lines.
#[utoipa::path(post, path = "/requests/{number}/{act}",
    params(("number" = String, Path), ("act" = ActKind, Path)),
    security(("token" = ["decide"]), ("secret" = [])),
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses((status = 200, body = RequestView), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem),
              (status = 422, body = Problem)))]
pub(super) async fn act(
    Extract(state): Extract<State>,
    caller: Caller,
    Named((number, name)): Named<(String, String)>,
    request: Request,
) -> Result<Json<RequestView>, Problem> {
    let kind = ActKind::from_name(&name);
    let for_applicant = kind.is_some_and(|kind| kind.row().who.includes_applicant());
    let actor = if caller.has_token() {
        caller.officer(Scope::Decide)?.actor()
    } else if for_applicant {
        let (of, secret) = (number.clone(), secret(&caller)?);
        let job = move |state: &State| state.desk().applicant(&of, &secret);
        state.with_secret(&number, caller.address, job).await??
    } else {
        return Err(Problem::unauthorized("this act needs a bearer token"));
    };
    if kind == Some(ActKind::Resubmit) {
        let (of, by) = (number.clone(), actor.clone());
        state.work(move |state| state.desk().may_correct(&of, &by)).await??;
        let Sent { application, letter } = Sent::from_request(request, &state).await?;
        let letter = read_letter(&state, &caller, letter).await?;
        let job = move |state: &State| state.desk().resubmit(&number, application, letter, &actor);
        return Ok(Json(state.work(job).await??));
    }
    let act = read_act(kind, &name, request).await?;
    Ok(Json(state.perform(&number, act, actor).await??))
}

/// The act and its body.
async fn read_act(kind: Option<ActKind>, name: &str, request: Request) -> Result<Act, Problem> {
    let kind = kind.ok_or_else(|| Problem::not_found("act"))?;
    let may_be_empty = kind.row().inputs.iter().all(|input| input.what.is_optional());
    let body = body(request, may_be_empty).await?;
    Act::from_body(name, &body).map_err(|error| match error {
        BodyError::UnknownAct(_) => Problem::not_found("act"),
        BodyError::Unreadable(error) => {
            Problem::bad_request(format!("the body cannot be read: {error}"))
        }
    })
}
