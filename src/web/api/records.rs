//! Live records: the list, one, the emergency suspension, and the other officer's agreement.

use axum::Json;
use axum::extract::{OriginalUri, Request, State as Extract};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, Named, body, json};
use super::params::{Asked, Form, NoParams, Param, ParamTable};
use super::problem::Problem;
use super::requests::next_link;
use crate::desk::{ActError, Desk, OwnerAnswer};
use crate::people::Scope;
use crate::queue::{Actor, LiveState};
use crate::view::{NameChangeView, RecordView, WatchView};
use crate::web::state::State;

/// The parameters of the list.
pub(super) struct Register;

impl ParamTable for Register {
    const PARAMS: &'static [Param] = &[
        Param::new("name", Form::Text, "Only this name, absolute or below the first zone"),
        Param::new(
            "state",
            Form::Word(|| LiveState::ALL.map(LiveState::as_str).to_vec()),
            "Only names in this state",
        ),
        Param::new("limit", Form::Rows(1, 500, 500), "Records at most"),
        Param::new("cursor", Form::Text, "Where the page before ended: its `next`"),
    ];
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
    reason: String,
}

/// Names and what is promised about them
///
/// First those that somebody asked for, by name, then those that only stand in the operator's files.
/// With `name` the answer holds that name or nothing.
#[utoipa::path(get, path = "/records", operation_id = "list_records", tag = "records",
    params(Asked<Register>), security(("token" = ["read"])),
    responses((status = 200, description = "One page", body = Records,
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`")))))]
pub(super) async fn list(
    Extract(state): Extract<State>,
    OriginalUri(uri): OriginalUri,
    caller: Caller,
    asked: Asked<Register>,
) -> Result<Response, Problem> {
    caller.officer(Scope::Read)?;
    let (name, limit) = (asked.text("name"), asked.rows("limit"));
    let only = asked.text("state").and_then(|state| LiveState::from_name(&state));
    let after = asked.text("cursor").unwrap_or_default();
    let job = move |state: &State| match name {
        Some(name) => {
            let found = state.desk().record(&name)?;
            let fits = |record: &RecordView| only.is_none_or(|state| record.state == state);
            Ok((found.into_iter().filter(fits).collect(), None))
        }
        None => state.desk().records(only, &after, limit),
    };
    let (items, next) = state.work(job).await?.map_err(|error: ActError| Problem::from(error))?;
    Ok((next_link(&uri, next.as_deref()), Json(Records { items, next })).into_response())
}

/// One name
#[utoipa::path(get, path = "/records/{name}", operation_id = "get_record", tag = "records",
    params(("name" = String, Path, description = "The name, absolute or below the first zone"),
        Asked<NoParams>),
    security(("token" = ["read"])),
    responses((status = 200, description = "The name and what is promised about it", body = RecordView)))]
pub(super) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(name): Named<String>,
    _: Asked<NoParams>,
) -> Result<Json<RecordView>, Problem> {
    caller.officer(Scope::Read)?;
    let found = state.work(move |state| state.desk().record(&name)).await??;
    found.map(Json).ok_or_else(|| Problem::not_found("name: it is free, or in no zone of ours"))
}

/// What changed at a name, and what is seen of its targets.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NameHistory {
    /// The changes of its records, and of names below it; the newest first.
    changes: Vec<NameChangeView>,
    /// What is seen of what it points at; `null` if it is not watched.
    watch: Option<WatchView>,
}

/// What changed at one name, and what is seen of its targets
///
/// Whichever way it came: requests, the operator's file, UPDATE, rollback, suspension.
#[utoipa::path(get, path = "/records/{name}/changes", operation_id = "list_record_changes",
    tag = "records",
    params(("name" = String, Path, description = "The name, absolute or below the first zone"),
        Asked<NoParams>),
    security(("token" = ["read"])),
    responses((status = 200, description = "Changes and targets", body = NameHistory)))]
pub(super) async fn changes(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(name): Named<String>,
    _: Asked<NoParams>,
) -> Result<Json<NameHistory>, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let job = move |state: &State| state.desk().name_changes(&name, &actor);
    let (changes, watch) = state.work(job).await??;
    Ok(Json(NameHistory { changes, watch }))
}

/// Take a name out of the zone at once
///
/// An emergency: one officer, kasi or kabid, does it alone, and the other must agree within a working
/// day. Without `reason` nothing happens.
#[utoipa::path(post, path = "/records/{name}/suspend", operation_id = "suspend_record",
    tag = "records",
    params(("name" = String, Path, description = "The name, absolute or below the first zone"),
        Asked<NoParams>),
    request_body = Reason, security(("token" = ["decide"])),
    responses((status = 200, description = "The name as it is now", body = RecordView)))]
pub(super) async fn suspend(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(name): Named<String>,
    _: Asked<NoParams>,
    request: Request,
) -> Result<Json<RecordView>, Problem> {
    with_reason(&state, &caller, name, request, Desk::suspend).await
}

/// Accept what the operator's zone file says in the place of what was promised
#[utoipa::path(post, path = "/records/{name}/adopt", operation_id = "adopt_record",
    tag = "records",
    params(("name" = String, Path, description = "The name, absolute or below the first zone"),
        Asked<NoParams>),
    request_body = Reason, security(("token" = ["decide"])),
    responses((status = 200, description = "The name as it is now", body = RecordView)))]
pub(super) async fn adopt(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(name): Named<String>,
    _: Asked<NoParams>,
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
    let Reason { reason } = json(request, &["reason"], &["reason"]).await?;
    let job = move |state: &State| act(state.desk(), &name, &reason, &actor);
    Ok(Json(state.work(job).await??))
}

/// What the owner of a name says.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Answer {
    /// `in_use`: it is in use and its contact right. `not_needed`: gapura asks the officers to remove it;
    /// the owner's answer only.
    answer: AnswerWord,
    /// The number of the owner's letter, where an officer keys the answer in.
    #[serde(default)]
    letter: String,
}

/// What an owner may say of a name.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AnswerWord {
    /// In use, and the contact is right.
    InUse,
    /// Not needed any more.
    NotNeeded,
}

/// Answer for the owner of a name: is it still needed?
///
/// At any time of its year. By its owner, with the secret of the request whose contact speaks for the name,
/// or by a kasi or kabid with the number of the owner's letter.
#[utoipa::path(post, path = "/records/{name}/answer", operation_id = "answer_for_record",
    tag = "records",
    params(("name" = String, Path, description = "The name, absolute or below the first zone"),
        Asked<NoParams>),
    request_body = Answer, security(("token" = ["decide"]), ("secret" = [])),
    responses((status = 200, description = "The name as it is now", body = RecordView)))]
pub(super) async fn answer(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(name): Named<String>,
    _: Asked<NoParams>,
    request: Request,
) -> Result<Json<RecordView>, Problem> {
    let actor = if caller.has_token() {
        caller.officer(Scope::Decide)?.actor()
    } else {
        owner(&state, &caller, &name).await?
    };
    let Answer { answer, letter } = json(request, &["answer", "letter"], &["answer"]).await?;
    let answer = match answer {
        AnswerWord::InUse => OwnerAnswer::InUse,
        AnswerWord::NotNeeded => OwnerAnswer::NotNeeded,
    };
    let job = move |state: &State| state.desk().answer_for_name(&name, answer, &letter, &actor);
    let record = state.work(job).await??;
    Ok(Json(if caller.has_token() { record } else { record.for_owner() }))
}

/// The owner of a name, by the secret of the request whose contact speaks for it.
async fn owner(state: &State, caller: &Caller, name: &str) -> Result<Actor, Problem> {
    let (secret, of) = (caller.secret()?, name.to_owned());
    let number = state.work(move |state| state.desk().contact_request_of(&of)).await??;
    let number = number.unwrap_or_default();
    let of = number.clone();
    let proven = state
        .with_secret(&number, caller.address, move |state| state.desk().applicant(&of, &secret));
    Ok(proven.await??)
}

/// Agree with the other officer's emergency suspension
///
/// The kasi where the kabid took the name down, and the other way round. It takes no body, or `{}`.
#[utoipa::path(post, path = "/records/{name}/confirm", operation_id = "confirm_record",
    tag = "records",
    params(("name" = String, Path, description = "The name, absolute or below the first zone"),
        Asked<NoParams>),
    security(("token" = ["decide"])),
    responses((status = 200, description = "The name as it is now", body = RecordView)))]
pub(super) async fn confirm(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(name): Named<String>,
    _: Asked<NoParams>,
    request: Request,
) -> Result<Json<RecordView>, Problem> {
    let actor = caller.officer(Scope::Decide)?.actor();
    drop(body(request, true).await?);
    let job = move |state: &State| state.desk().confirm_suspension(&name, &actor);
    Ok(Json(state.work(job).await??))
}
