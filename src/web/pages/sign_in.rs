//! Sign-in with name and password, the second factor, and its set-up.

use askama::Template;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::Response;

use super::FormPage;
use crate::people::{Enrolment, SignInError, SignedIn, Stage};
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::limits::Route;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with, see_other, see_other_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;

//------------ Name and password ---------------------------------------------

/// The form.
fn sign_in_form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    Form::new("/masuk", &visitor.csrf, t.s("sign-in-button"))
        .field(Field::line(t, "name", "sign-in-name").autocomplete("username").width("w-m"))
        .field(Field::password(t, "password", "sign-in-password", "current-password"))
}

/// The page around the form.
fn sign_in_page(visitor: &Visitor, form: Form) -> FormPage {
    let t = visitor.t;
    FormPage {
        shell: Shell::new(visitor, t.s("sign-in-title")).faulty(form.is_faulty()),
        lead: vec![t.s("sign-in-lead")],
        facts: Vec::new(),
        form,
        after: vec![t.s("sign-in-lost")],
    }
}

/// `GET /masuk`: who is signed in already goes on.
pub(super) async fn show(visitor: Visitor) -> Result<Response, Failure> {
    match visitor.session.as_ref().map(|session| session.stage) {
        Some(stage) => Ok(see_other(next(stage))),
        None => page(&sign_in_page(&visitor, sign_in_form(&visitor))),
    }
}

/// `POST /masuk`
pub(super) async fn enter(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    if !state.limits().allows(Route::SignIn, visitor.address) {
        return Err(Failure::too_many());
    }
    let (name, password) = (sent.get("name").to_owned(), sent.raw("password").to_owned());
    let tried = state.hashing(move |state| state.people().sign_in(&name, &password)).await?;
    match tried {
        Ok(signed_in) => Ok(go_on(&state, &signed_in)),
        Err(error) => {
            let form = sign_in_form(visitor).refill(|name| sent.get(name));
            let form = form.fault("name", words_of(visitor, error, "sign-in-wrong")?);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &sign_in_page(visitor, form))
        }
    }
}

/// `POST /keluar`
pub(super) async fn leave(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    if let Some(token) = sent.visitor.token.clone() {
        state.work(move |state| state.people().sign_out(&token)).await??;
    }
    Ok(see_other_with("/", &[state.cookie("sesi", "", "Strict", 0)]))
}

//------------ Second factor -------------------------------------------------

/// The form of the code.
fn code_form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    Form::new("/masuk/kode", &visitor.csrf, t.s("sign-in-button"))
        .field(Field::code(t, "code-label"))
}

/// The page of the code.
fn code_page_of(visitor: &Visitor, form: Form) -> FormPage {
    let t = visitor.t;
    FormPage {
        shell: Shell::new(visitor, t.s("code-title")).faulty(form.is_faulty()),
        lead: vec![t.s("code-lead")],
        facts: Vec::new(),
        form,
        after: vec![t.s("code-lost")],
    }
}

/// `GET /masuk/kode`
pub(super) async fn code_page(visitor: Visitor) -> Result<Response, Failure> {
    match visitor.session.as_ref().map(|session| session.stage) {
        Some(Stage::Code) => page(&code_page_of(&visitor, code_form(&visitor))),
        Some(stage) => Ok(see_other(next(stage))),
        None => Ok(see_other("/masuk")),
    }
}

/// `POST /masuk/kode`
pub(super) async fn enter_code(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let Some(token) = visitor.token.clone() else { return Ok(see_other("/masuk")) };
    if !state.limits().allows(Route::SignIn, visitor.address) {
        return Err(Failure::too_many());
    }
    let code = sent.get("code").to_owned();
    match state.work(move |state| state.people().enter_code(&token, &code)).await? {
        Ok(signed_in) => Ok(go_on(&state, &signed_in)),
        Err(error) => {
            let text = words_of(visitor, error, "code-wrong")?;
            let form = code_form(visitor).fault("code", text);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &code_page_of(visitor, form))
        }
    }
}

/// The page that shows the secret of the second factor.
#[derive(Template)]
#[template(path = "enrol.html", config = "src/web/askama.toml")]
struct EnrolPage {
    /// Frame.
    shell: Shell,
    /// Sign-in name.
    account: String,
    /// The secret.
    enrolment: Enrolment,
    /// The form of its first code.
    form: Form,
}

/// `GET /masuk/daftar`
pub(super) async fn enrol_page(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    if visitor.session.as_ref().is_none_or(|session| session.stage == Stage::Code) {
        return Ok(see_other("/masuk"));
    }
    show_enrolment(&state, &visitor, None).await
}

/// `POST /masuk/daftar`
pub(super) async fn enrol(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let Some(token) = visitor.token.clone() else { return Ok(see_other("/masuk")) };
    let code = sent.get("code").to_owned();
    match state.work(move |state| state.people().finish_enrolment(&token, &code)).await? {
        Ok(signed_in) => Ok(go_on(&state, &signed_in)),
        Err(error) => {
            let text = words_of(visitor, error, "code-wrong")?;
            show_enrolment(&state, visitor, Some(text)).await
        }
    }
}

/// Shows the secret, with a fault at the code if there is one.
async fn show_enrolment(
    state: &State,
    visitor: &Visitor,
    fault: Option<String>,
) -> Result<Response, Failure> {
    let token = visitor.token.clone().unwrap_or_default();
    let enrolment = state.work(move |state| state.people().begin_enrolment(&token)).await??;
    let t = visitor.t;
    let mut form = Form::new("/masuk/daftar", &visitor.csrf, t.s("enrol-button"))
        .field(Field::code(t, "enrol-code"));
    let status = if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    if let Some(fault) = fault {
        form = form.fault("code", fault);
    }
    let account = visitor.session.as_ref().map(|session| session.account.name.clone());
    let enrol = EnrolPage {
        shell: Shell::new(visitor, t.s("enrol-title")).faulty(form.is_faulty()),
        account: account.unwrap_or_default(),
        enrolment,
        form,
    };
    page_with(status, &enrol)
}

//------------ Helpers -------------------------------------------------------

/// Sets the new session's cookie and goes to its next page.
pub(super) fn go_on(state: &State, signed_in: &SignedIn) -> Response {
    let cookie = state.cookie("sesi", &signed_in.token, "Strict", -1);
    see_other_with(next(signed_in.session.stage), &[cookie])
}

/// The page after each stage.
fn next(stage: Stage) -> &'static str {
    match stage {
        Stage::Code => "/masuk/kode",
        Stage::Enrol => "/masuk/daftar",
        Stage::Full => "/antrean",
    }
}

/// What the form says; a fault of ours is a failure instead.
fn words_of(visitor: &Visitor, error: SignInError, wrong: &str) -> Result<String, Failure> {
    match error {
        SignInError::Wrong => Ok(visitor.t.s(wrong)),
        SignInError::Locked { until_ms } => {
            Ok(visitor.t.a("sign-in-locked", "until", &visitor.t.date_time(until_ms)))
        }
        SignInError::NoSession => Ok(visitor.t.s("sign-in-over")),
        SignInError::People(error) => Err(Failure::internal(error)),
    }
}
