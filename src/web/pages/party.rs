//! Mailed links: another office answers a question, or the owner of a name the yearly one.

use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::FormPage;
use super::filled;
use super::parts::full_name;
use crate::desk::{ActError, OwnerAnswer, Viewer};
use crate::queue::{Act, Actor};
use crate::view::RequestView;
use crate::web::draft::Draft;
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::keep_link;
use crate::web::sent::Sent;
use crate::web::shell::{Message, Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::{Visitor, cookie};
use crate::words::say_kind;

/// `GET /konfirmasi/{token}`: moves the secret out of the address.
pub(super) async fn open(
    Extract(state): Extract<State>,
    Path(token): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    keep_link(&state, &visitor, &token, ("/konfirmasi", "konfirmasi"))?.ok_or_else(gone)
}

/// `GET /konfirmasi`
pub(super) async fn show(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let (view, actor) = asked(&state, &headers).await?;
    if let Some(name) = state.desk().name_of_link(&actor) {
        return page(&owner_page(&visitor, "/konfirmasi", &name, view.office.clone()));
    }
    page(&party_page(&visitor, &view))
}

/// The question to another office about a request.
fn party_page(visitor: &Visitor, view: &RequestView) -> FormPage {
    let t = visitor.t;
    let answers = vec![Choice::new("ya", t.s("party-yes")), Choice::new("tidak", t.s("party-no"))];
    let form = Form::new("/konfirmasi", &visitor.csrf, t.s("party-button"))
        .field(Field::line(t, "answer", "party-answer").input(Input::Radios(answers)))
        .field(Field::line(t, "letter", "ask-letter").optional())
        .about(&view.number);
    FormPage {
        shell: Shell::new(visitor, t.s("party-title")),
        lead: vec![t.s("party-lead")],
        facts: vec![
            (t.s("status-number"), view.number.clone()),
            (t.s("apply-name"), full_name(&view.name, &view.zone)),
            (t.s("apply-kind"), say_kind(view.kind, view.lift, t)),
            (t.s("apply-office"), view.office.clone()),
            (t.s("apply-purpose"), view.purpose.clone()),
        ],
        form,
        after: Vec::new(),
    }
}

/// `POST /konfirmasi`
pub(super) async fn answer(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Failure> {
    let (view, actor) = asked(&state, &headers).await?;
    if let Some(name) = state.desk().name_of_link(&actor) {
        return owner_answers(&state, &sent, "/konfirmasi", (name, actor)).await;
    }
    sent.is_about(&view.number)?;
    let t = sent.visitor.t;
    let (party, letter) = (String::new(), sent.get("letter").to_owned());
    let act = match sent.get("answer") {
        "ya" => Act::Confirm { party, letter },
        "tidak" => Act::Deny { party, letter },
        _ => {
            let mut again = party_page(&sent.visitor, &view);
            again.form =
                again.form.refill(|name| sent.get(name)).fault("answer", t.s("party-answer"));
            again.shell.faulty = true;
            return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
        }
    };
    state.perform(&view.number, act, actor).await??;
    page(&Message {
        shell: Shell::new(&sent.visitor, t.s("party-done-title")),
        text: vec![t.s("party-done")],
        next: None,
    })
}

/// The yearly question, to the owner of a name.
fn owner_page(visitor: &Visitor, place: &str, name: &str, office: String) -> FormPage {
    let t = visitor.t;
    let answers = ["ya", "ubah", "tidak"].map(|answer| Choice {
        value: answer.to_owned(),
        label: t.s(&format!("owner-{answer}")),
        hint: t.s(&format!("owner-{answer}-hint")),
    });
    let form = Form::new(place, &visitor.csrf, t.s("party-button"))
        .field(Field::line(t, "answer", "owner-answer").input(Input::Radios(answers.to_vec())))
        .about(name.trim_end_matches('.'));
    FormPage {
        shell: Shell::new(visitor, t.s("owner-title")),
        lead: vec![t.s("owner-lead")],
        facts: vec![
            (t.s("apply-name"), name.trim_end_matches('.').to_owned()),
            (t.s("apply-office"), office),
        ],
        form,
        after: Vec::new(),
    }
}

/// What the owner says on the form at `place`: in use, with another contact, or not needed any more.
pub(super) async fn owner_answers(
    state: &State,
    sent: &Sent,
    place: &str,
    (name, actor): (String, Actor),
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    sent.is_about(name.trim_end_matches('.'))?;
    let answer = match sent.get("answer") {
        "ya" => OwnerAnswer::InUse,
        "tidak" => OwnerAnswer::NotNeeded,
        "ubah" => {
            let job = move |state: &State| state.desk().renewal_of(&name, &actor);
            let filled = state.work(job).await??;
            let filled = Draft::of_application(&filled)?;
            let again = (place, &[("answer", "ubah")][..]);
            return filled::begin(state, sent, again, &filled).await;
        }
        _ => {
            let mut again = owner_page(visitor, place, &name, String::new());
            let words = visitor.t.s("owner-answer");
            again.form = again.form.fault("answer", words);
            again.facts.truncate(1);
            again.shell.faulty = true;
            return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
        }
    };
    let job = move |state: &State| state.desk().answer_for_name(&name, answer, "", &actor);
    state.work(job).await??;
    let t = visitor.t;
    let id = if answer == OwnerAnswer::InUse { "owner-done" } else { "owner-done-not-needed" };
    page(&Message {
        shell: Shell::new(visitor, t.s("party-done-title")),
        text: vec![t.s(id)],
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
    Failure::new(StatusCode::GONE, "fail-answer-link")
}
