//! Another office answers a question by a mailed link: it agrees, or it does not.

use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::FormPage;
use super::parts::full_name;
use crate::desk::{ActError, Viewer};
use crate::queue::{Act, Actor};
use crate::view::RequestView;
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::limits::Route;
use crate::web::redirect::see_other_with;
use crate::web::sent::Sent;
use crate::web::shell::{Message, Shell, page};
use crate::web::state::State;
use crate::web::visitor::{Visitor, cookie};
use crate::words::Said;

/// `GET /konfirmasi/{token}`: moves the secret out of the address.
pub(super) async fn open(
    Extract(state): Extract<State>,
    Path(token): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    state.limits().take(Route::Link, visitor.address).map_err(Failure::too_many)?;
    if !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) || token.len() > 200 {
        return Err(gone());
    }
    Ok(see_other_with("/konfirmasi", &[state.cookie("konfirmasi", &token, "Lax", 3600)]))
}

/// `GET /konfirmasi`
pub(super) async fn show(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let (view, _) = asked(&state, &headers).await?;
    let t = visitor.t;
    let answers = vec![Choice::new("ya", t.s("party-yes")), Choice::new("tidak", t.s("party-no"))];
    let form = Form::new("/konfirmasi", &visitor.csrf, t.s("party-button"))
        .field(Field::line(t, "answer", "party-answer").input(Input::Radios(answers)))
        .field(Field::line(t, "letter", "ask-letter").optional());
    page(&FormPage {
        shell: Shell::new(&visitor, t.s("party-title")),
        lead: vec![t.s("party-lead")],
        facts: vec![
            (t.s("status-number"), view.number.clone()),
            (t.s("apply-name"), full_name(&view.name, &view.zone)),
            (t.s("apply-kind"), view.kind.say(t)),
            (t.s("apply-office"), view.office.clone()),
            (t.s("apply-purpose"), view.purpose),
        ],
        form,
        after: Vec::new(),
    })
}

/// `POST /konfirmasi`
pub(super) async fn answer(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Failure> {
    let (view, actor) = asked(&state, &headers).await?;
    let (party, letter) = (String::new(), sent.get("letter").to_owned());
    let act = match sent.get("answer") {
        "ya" => Act::Confirm { party, letter },
        "tidak" => Act::Deny { party, letter },
        _ => return Err(Failure::bad_request()),
    };
    state.perform(&view.number, act, actor).await??;
    let t = sent.visitor.t;
    page(&Message {
        shell: Shell::new(&sent.visitor, t.s("party-done-title")),
        text: vec![t.s("party-done")],
        next: None,
    })
}

/// The request a link asks about, and the party as an actor.
async fn asked(state: &State, headers: &HeaderMap) -> Result<(RequestView, Actor), Failure> {
    let token = cookie(headers, &state.cookie_name("konfirmasi")).ok_or_else(gone)?;
    let found = state
        .work(move |state| {
            let Some((number, actor)) = state.desk().party_link(&token)? else { return Ok(None) };
            let view = state.desk().view(&number, &Viewer::Applicant)?;
            Ok::<_, ActError>(Some((view, actor)))
        })
        .await??;
    found.ok_or_else(gone)
}

/// The link is used or over.
fn gone() -> Failure {
    Failure::new(StatusCode::GONE, "fail-link")
}
