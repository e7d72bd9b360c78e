//! Requests: the queue, one request, and sending one. What is done to them is in `acts`.

use axum::Json;
use axum::extract::{OriginalUri, State as Extract};
use axum::http::header::{ETAG, IF_NONE_MATCH, LINK, LOCATION, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{Caller, Named};
use super::limits;
use super::mailbox::Proof;
use super::multipart::{Sent, read_letter};
use super::once::Once;
use super::params::{Asked, Form, NoParams, Param, ParamTable};
use super::problem::Problem;
use super::version::{self, Seen};
use crate::desk::{ActError, ListFilter, Once as Key, Sort, Submitted as Taken, Submitter, Viewer};
use crate::people::Scope;
use crate::queue::{
    Actor, Application, Identity, Kind, NamingClass, State as RequestState, automatic,
};
use crate::view::{FaultView, HistoryView, RecordView, RequestView, Summary};
use crate::web::limits::{Allowance, Route, network};
use crate::web::state::State;

/// Events of the history that come with a request at most, the newest.
const HISTORY_MAX: usize = 100;

//------------ Listing -------------------------------------------------------

/// The parameters of the queue.
pub(super) struct Queue;

impl ParamTable for Queue {
    const PARAMS: &'static [Param] = &[
        Param::new(
            "state",
            Form::Words(|| RequestState::ALL.map(RequestState::as_str).to_vec()),
            "Only these states",
        ),
        Param::new(
            "class",
            Form::Words(|| NamingClass::ALL.map(NamingClass::as_str).to_vec()),
            "Only these naming classes",
        ),
        Param::new(
            "kind",
            Form::Words(|| Kind::ALL.map(Kind::as_str).to_vec()),
            "Only these kinds",
        ),
        Param::new("open", Form::Flag, "Only those that still work towards a decision"),
        Param::new("late", Form::Flag, "Only those whose running step is past its due time"),
        Param::new("resubmitted", Form::Flag, "Only those that were corrected at least once"),
        Param::new(
            "holder",
            Form::Text,
            "Only those this account holds; `me`: the caller; `none`: those nobody holds",
        ),
        Param::new("waits_for_me", Form::Flag, "Only those that wait for an act of the caller"),
        Param::new("office", Form::Text, "Only those of this office, in any case"),
        Param::new("zone", Form::Text, "Only those in this zone"),
        Param::new("name", Form::Text, "Only those on this name, absolute or below the first zone"),
        Param::new("q", Form::Text, "Only those whose name, number or office holds this text"),
        Param::new("from", Form::Since, "Only those that came in from this date or time on"),
        Param::new("to", Form::Until, "Only those that came in up to this date or time"),
        Param::new(
            "changed_since",
            Form::Since,
            "Only those with an accepted act since this date or time. To follow the queue without \
             missing anything take `GET /changes`",
        ),
        Param::new(
            "sort",
            Form::Word(|| vec!["due", "submitted", "newest", "changed"]),
            "The order: the least time left first (`due`, if nothing is said), as they came in \
             (`submitted`, or `newest` first), or the last accepted act, the oldest first (`changed`). Only `submitted` \
             never moves: walked through page by page it shows every request once. In the order \
             `changed` what changes meanwhile comes once more at the end",
        ),
        Param::new("limit", Form::Rows(1, 200, 50), "Rows at most"),
        Param::new("cursor", Form::Text, "Where the page before ended: its `next`"),
    ];
}

/// One page of the queue.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    /// The rows.
    items: Vec<Summary>,
    /// The cursor of the next page; `null` at the end.
    next: Option<String>,
    /// On the first page of what is late, and of nothing else: names one officer took down and the
    /// other has not agreed with by the time they should.
    suspensions: Vec<RecordView>,
}

/// The queue
///
/// One page of requests, in the order of `sort`. The header `Link` with `rel="next"` leads to the next
/// page.
#[utoipa::path(get, path = "/requests", operation_id = "list_requests", tag = "requests",
    params(Asked<Queue>), security(("token" = ["read"])),
    responses((status = 200, description = "One page", body = Page,
        headers(("Link" = String, description = "The next page, with `rel=\"next\"`")))))]
pub(super) async fn list(
    Extract(state): Extract<State>,
    OriginalUri(uri): OriginalUri,
    caller: Caller,
    asked: Asked<Queue>,
) -> Result<Response, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let filter = filter(&asked, &actor, state.people().now_ms())?;
    let bare = ListFilter { limit: filter.limit, late: true, ..ListFilter::default() };
    let heads_late = filter == bare;
    let job = move |state: &State| -> Result<Page, ActError> {
        let page = state.desk().list(&filter, &actor)?;
        let suspensions = if heads_late { state.desk().overdue_suspensions()? } else { Vec::new() };
        Ok(Page { items: page.items, next: page.next, suspensions })
    };
    let page = state.work(job).await??;
    let link = next_link(&uri, page.next.as_deref());
    Ok((link, Json(page)).into_response())
}

/// The filter that the parameters say.
fn filter(asked: &Asked<Queue>, actor: &Actor, now: i64) -> Result<ListFilter, Problem> {
    let cursor = asked.text("cursor");
    if cursor.as_deref().is_some_and(|cursor| ListFilter::place(cursor).is_none()) {
        return Err(Asked::<Queue>::refuse("cursor", "the `next` of a page of the same list"));
    }
    let (holder, holder_name) = match asked.text("holder").as_deref() {
        None => (None, None),
        Some("me") => (Some(actor.person().to_owned()), None),
        Some("none") => (Some(String::new()), None),
        Some(name) => (None, Some(name.to_owned())),
    };
    let zone = asked.text("zone").map(|zone| {
        let zone = zone.to_ascii_lowercase();
        if zone.ends_with('.') { zone } else { format!("{zone}.") }
    });
    let filter = ListFilter {
        states: words(asked, "state", RequestState::from_name),
        classes: words(asked, "class", NamingClass::from_name),
        kinds: words(asked, "kind", Kind::from_name),
        numbers: Vec::new(),
        open: asked.flag("open").then_some(true),
        late: asked.flag("late"),
        resubmitted: asked.flag("resubmitted"),
        holder,
        holder_name,
        office: asked.text("office"),
        zone,
        name: asked.text("name"),
        text: asked.text("q"),
        submitted_from: asked.moment("from"),
        submitted_before: asked.moment("to"),
        changed_from: asked.moment("changed_since"),
        sort: match asked.text("sort").as_deref() {
            Some("submitted") => Sort::Submitted,
            Some("changed") => Sort::Changed,
            Some("newest") => Sort::Newest,
            _ => Sort::Due,
        },
        cursor,
        limit: asked.rows("limit"),
        waits_for: None,
    };
    Ok(if asked.flag("waits_for_me") { filter.waiting_for(actor, now) } else { filter })
}

/// The values of some words.
fn words<T>(asked: &Asked<Queue>, name: &str, read: fn(&str) -> Option<T>) -> Vec<T> {
    asked.words(name).iter().filter_map(|word| read(word)).collect()
}

/// The header that leads to the next page: the same call with another cursor.
pub(super) fn next_link(uri: &axum::http::Uri, next: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(next) = next else { return headers };
    let query = form_urlencoded::parse(uri.query().unwrap_or("").as_bytes());
    let mut link = form_urlencoded::Serializer::new(String::new());
    link.extend_pairs(query.filter(|(name, _)| name != "cursor"));
    link.append_pair("cursor", next);
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), link.finish());
    if let Ok(link) = HeaderValue::try_from(link) {
        headers.insert(LINK, link);
    }
    headers
}

//------------ Showing -------------------------------------------------------

/// One request
///
/// With candidate, check sheet, proof, notices, and the milestones of its history: refused attempts and
/// all but the newest 100 events are left to `GET /requests/{number}/history`. With `If-None-Match` the
/// answer is 304 as long as nothing has changed.
#[utoipa::path(get, path = "/requests/{number}", operation_id = "get_request", tag = "requests",
    params(("number" = String, Path, description = "The number of the request"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer")),
    security(("token" = ["read"]), ("secret" = [])),
    responses((status = 200, description = "The request", body = RequestView,
            headers(("ETag" = String, description = "Names this state of the request"))),
        (status = 304, description = "Nothing has changed since the answer with this `ETag`")))]
pub(super) async fn show(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(number): Named<String>,
    _: Asked<NoParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let number = number.to_ascii_uppercase();
    let view = if caller.has_token() {
        let viewer = Viewer::Officer(caller.officer(Scope::Read)?.actor());
        state.work(move |state| state.desk().view(&number, &viewer)).await??
    } else {
        let (of, secret) = (number.clone(), caller.secret()?);
        let job = move |state: &State| state.desk().status(&of, &secret);
        state.with_secret(&number, caller.address, job).await??
    };
    let seen = Seen::of(view);
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|tag| tag.to_str().ok());
    if version::names(known, seen.etag()) {
        let common = [(ETAG, seen.etag().to_owned()), (VARY, VARIES.to_owned())];
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok(seen.into_response())
}

/// What the answer about a request depends on besides its path.
pub(super) const VARIES: &str = "authorization, gapura-secret";

/// Leaves of a history what changed the request, the newest.
pub(super) fn milestones(view: &mut RequestView) {
    view.history.retain(|event| !event.facts.contains_key("turned_back"));
    let older = view.history.len().saturating_sub(HISTORY_MAX);
    view.history.drain(..older);
}

/// The parameters of a history.
pub(super) struct Past;

impl ParamTable for Past {
    const PARAMS: &'static [Param] = &[
        Param::new(
            "after",
            Form::Sequence,
            "Only events after this `sequence`: the `next` of a page",
        ),
        Param::new("limit", Form::Rows(1, 500, 100), "Events at most"),
    ];
}

/// A page of the history of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HistoryPage {
    /// The events, the oldest first.
    items: Vec<HistoryView>,
    /// What `after` says for the next page; `null` at the end.
    next: Option<i64>,
}

/// The whole history of a request
///
/// Page by page, with the attempts of officers that were refused.
#[utoipa::path(get, path = "/requests/{number}/history", operation_id = "get_history",
    tag = "requests",
    params(("number" = String, Path, description = "The number of the request"), Asked<Past>),
    security(("token" = ["read"])),
    responses((status = 200, description = "One page", body = HistoryPage)))]
pub(super) async fn history(
    Extract(state): Extract<State>,
    caller: Caller,
    Named(number): Named<String>,
    asked: Asked<Past>,
) -> Result<Json<HistoryPage>, Problem> {
    let actor = caller.officer(Scope::Read)?.actor();
    let (after, limit) = (asked.sequence("after").unwrap_or(0), asked.rows("limit"));
    let number = number.to_ascii_uppercase();
    let job = move |state: &State| state.desk().history_of(&number, (after, limit), &actor);
    let (items, more) = state.work(job).await??;
    let next = items.last().filter(|_| more).map(|event| event.sequence);
    Ok(Json(HistoryPage { items, next }))
}

//------------ Sending -------------------------------------------------------

/// The answer to `POST /requests`.
#[derive(Clone, Debug, Serialize, ToSchema)]
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
    warnings: Vec<FaultView>,
}

/// The parts of `POST /requests`, for the document.
#[derive(ToSchema)]
#[allow(dead_code)] // Read by the macro that writes the document.
pub(super) struct Parts {
    /// The request.
    request: Application,
    /// The letter: a PDF of 2 MB at most, or a JPEG or PNG of 10 MB at most, which is kept smaller. Only a
    /// `renew` from the proven mailbox recorded for the name that changes neither contact nor end needs none.
    #[schema(format = Binary)]
    letter: Option<String>,
}

/// Send a request
///
/// Without a token where the public form is open; an officer who keys in a paper letter counts as
/// applicant. The header `Gapura-Mailbox` with the id of `POST /mailbox-codes` and the code that was
/// mailed, separated by a blank, proves the contact's mailbox. With an `Idempotency-Key` a call that was
/// repeated because its answer got lost is answered with the same number and secret.
#[utoipa::path(post, path = "/requests", operation_id = "submit_request", tag = "requests",
    params(Asked<NoParams>, Once,
        ("Gapura-Mailbox" = Option<String>, Header, description = "Id and code of a mailbox proof, with a blank between them")),
    security((), ("token" = ["submit"])),
    request_body(content = Parts, content_type = "multipart/form-data"),
    responses((status = 201, description = "It was sent", body = Submitted,
        headers(("Location" = String, description = "The request"),
            ("RateLimit-Policy" = String, description = "Without a token: how often a network may send one, as `\"submit\";q=10;w=3600`"),
            ("RateLimit" = String, description = "Without a token: how many it may still send now, and in how many seconds at least one more, as `\"submit\";r=9;t=360`")))))]
pub(super) async fn submit(
    Extract(state): Extract<State>,
    caller: Caller,
    once: Once,
    proof: Option<Proof>,
    _: Asked<NoParams>,
    sent: Sent,
) -> Result<Response, Problem> {
    let key = once.of_request(&state, &caller, &sent)?;
    if let Some(before) = sent_before(&state, key.clone()).await? {
        return Ok(created(&before, None));
    }
    let done = take_in(&state, &caller, proof, sent, key.clone()).await;
    match done {
        Ok((done, allowance)) => Ok(created(&done, allowance)),
        // Of two calls with one key the second may come to here.
        Err(problem) => match sent_before(&state, key).await? {
            Some(before) => Ok(created(&before, None)),
            None => Err(problem),
        },
    }
}

/// The answer to a request that was taken in.
fn created(done: &Submitted, allowance: Option<Allowance>) -> Response {
    let place = [(LOCATION, format!("/api/v1/requests/{}", done.number))];
    let mut response = (StatusCode::CREATED, place, Json(done)).into_response();
    response.headers_mut().extend(allowance.into_iter().flat_map(limits::headers));
    response
}

/// What a call with this key has made before.
async fn sent_before(state: &State, key: Option<Key>) -> Result<Option<Submitted>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let before = state.work(move |state| state.desk().submitted_before(&key)).await??;
    Ok(before.map(|done| answer(done, Vec::new())))
}

/// What is answered.
fn answer(done: Taken, warnings: Vec<FaultView>) -> Submitted {
    let Taken { number, secret, state, revision } = done;
    Submitted { number, secret, state, revision, warnings }
}

/// Takes a request in, and tells what is left of the limit of who sends no token.
async fn take_in(
    state: &State,
    caller: &Caller,
    proof: Option<Proof>,
    sent: Sent,
    key: Option<Key>,
) -> Result<(Submitted, Option<Allowance>), Problem> {
    let Sent { application, letter } = sent;
    let actor = if caller.has_token() {
        caller.officer(Scope::Submit)?.actor()
    } else {
        may_try(state, caller, &application, letter.is_some()).await?;
        Actor::applicant(&application.contact.name, Identity::default(), None)
    };
    let letter = read_letter(state, caller, letter).await?;
    let mut allowance = None;
    if !caller.has_token() {
        let left = state.limits().spend(Route::Submit, caller.address);
        allowance = Some(left.map_err(Problem::too_many)?);
    }
    let warnings = automatic::masked_fields(&application).iter().map(FaultView::from).collect();
    let mailbox_proven = match &proof {
        Some(proof) => proof.holds(state, &application.contact.email).await?,
        None => false,
    };
    let network = Some(network(caller.address));
    let proof_of = proof.map(|proof| proof.subject());
    let by = Submitter { actor, mailbox_proven, proof_of, network, letter_on_paper: false };
    let job = move |state: &State| match key {
        Some(key) => state.desk().submit_once(&key, application, letter, &by),
        None => state.desk().submit(application, letter, &by),
    };
    Ok((answer(state.work(job).await??, warnings), allowance))
}

/// Tests whether somebody without a token may try to send this now. What the rules or the letter's content
/// refuse does not count against the network's few requests an hour.
async fn may_try(
    state: &State,
    caller: &Caller,
    application: &Application,
    has_letter: bool,
) -> Result<(), Problem> {
    may_speak(state, caller)?;
    let application = application.clone();
    let faults = state.work(move |state| state.desk().rehearse(application, has_letter)).await??;
    if faults.is_empty() { Ok(()) } else { Err(Problem::of_faults(faults)) }
}

/// Tests whether somebody without a token may try anything at all.
fn may_speak(state: &State, caller: &Caller) -> Result<(), Problem> {
    if !state.settings().public_submit {
        return Err(Problem::not_allowed("the public form is closed: a token is needed"));
    }
    state.limits().spend(Route::Attempt, caller.address).map(drop).map_err(Problem::too_many)
}

/// What a request would be told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rehearsed {
    /// Whether it would be taken in.
    accepted: bool,
    /// What it would be refused for.
    errors: Vec<FaultView>,
    /// Fields in which a number of 16 digits would be masked.
    warnings: Vec<FaultView>,
}

/// Try a request without sending it
///
/// Takes what the part `request` of `POST /requests` takes, and answers with everything it would be
/// refused for. Nothing is kept, no name is held, and no number is given out. That a letter is missing
/// is no fault here.
#[utoipa::path(post, path = "/requests/check", operation_id = "check_application",
    tag = "requests", params(Asked<NoParams>), security((), ("token" = ["submit"])),
    request_body(content = Application, content_type = "application/json"),
    responses((status = 200, description = "What would come of it", body = Rehearsed)))]
pub(super) async fn check(
    Extract(state): Extract<State>,
    caller: Caller,
    _: Asked<NoParams>,
    request: axum::extract::Request,
) -> Result<Json<Rehearsed>, Problem> {
    if caller.has_token() {
        caller.officer(Scope::Submit)?;
    } else {
        may_speak(&state, &caller)?;
    }
    let body = super::caller::body(request, false).await?;
    let application = match super::multipart::application(&body) {
        Ok(application) => application,
        Err(problem) if problem.is_incomplete() => {
            let errors = problem.into_errors();
            return Ok(Json(Rehearsed { accepted: false, errors, warnings: Vec::new() }));
        }
        Err(problem) => return Err(problem),
    };
    let warnings = automatic::masked_fields(&application).iter().map(FaultView::from).collect();
    let faults = state.work(move |state| state.desk().rehearse(application, true)).await??;
    let errors: Vec<FaultView> = faults.iter().map(FaultView::from).collect();
    Ok(Json(Rehearsed { accepted: errors.is_empty(), errors, warnings }))
}
