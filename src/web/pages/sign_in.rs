//! Sign-in with name and password, the second factor, and its setup.

use askama::Template;
use axum::extract::{Query, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::FormPage;
use crate::paper::Qr;
use crate::people::{
    Enrolment, OldProof, Origin, Role, Session, SignInError, SignedIn, Stage, sha256_hex,
};
use crate::queue::time::MINUTE_MS;
use crate::web::device::{device_cookie, origin};
use crate::web::draft::Draft;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::limits::Route;
use crate::web::redirect::{encode, own_place, see_other, see_other_with};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::Words;

/// Where officers begin.
const START: &str = "/beranda";

//------------ Name and password ---------------------------------------------

/// The form.
fn sign_in_form(visitor: &Visitor, back: &str) -> Form {
    let t = visitor.t;
    Form::new("/masuk", &visitor.csrf, t.s("sign-in-button"))
        .field(Field::hidden("ke", back))
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
pub(super) async fn show(Query(back): Query<Back>, visitor: Visitor) -> Result<Response, Failure> {
    match visitor.session.as_ref().map(|session| session.stage) {
        Some(stage) => Ok(see_other(&next(stage, &back.ke))),
        None => page(&sign_in_page(&visitor, sign_in_form(&visitor, &back.ke))),
    }
}

/// `POST /masuk`
pub(super) async fn enter(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let (name, password) = (sent.get("name").to_owned(), sent.raw("password").to_owned());
    let origin = known_or_few(&state, visitor, &name)?;
    tokio::time::sleep(state.people().pause(&name, &origin)).await;
    let from = origin.clone();
    let job = move |state: &State| state.people().sign_in(&name, &password, &from);
    let tried = state.hashing(&origin, job).await?;
    match tried {
        Ok(signed_in) => Ok(go_on(&state, &signed_in, sent.get("ke"))),
        Err(error) => {
            let form = sign_in_form(visitor, sent.get("ke")).refill(|name| sent.get(name));
            let (status, text) = words_of(visitor, error, "sign-in-wrong")?;
            page_with(status, &sign_in_page(visitor, form.fault("name", text)))
        }
    }
}

/// `POST /keluar`
pub(super) async fn leave(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    if let Some(token) = sent.visitor.token.clone() {
        state.work(move |state| state.people().sign_out(&token)).await??;
        Draft::drop_rollback_of(&state, &sent.visitor.visit).await?;
    }
    Ok(see_other_with("/", &[state.cookie("sesi", "", "Strict", 0)]))
}

//------------ Second factor -------------------------------------------------

/// The form of the code.
fn code_form(visitor: &Visitor, back: &str) -> Form {
    let t = visitor.t;
    Form::new("/masuk/kode", &visitor.csrf, t.s("sign-in-button"))
        .field(Field::hidden("ke", back))
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
pub(super) async fn code_page(
    Query(back): Query<Back>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    match visitor.session.as_ref().map(|session| session.stage) {
        Some(Stage::Code) => page(&code_page_of(&visitor, code_form(&visitor, &back.ke))),
        Some(stage) => Ok(see_other(&next(stage, &back.ke))),
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
    let name = visitor.session.as_ref().map(|session| session.account.name.clone());
    let origin = known_or_few(&state, visitor, &name.unwrap_or_default())?;
    let code = sent.get("code").to_owned();
    match state.work(move |state| state.people().enter_code(&token, &code, &origin)).await? {
        Ok(signed_in) => Ok(go_on(&state, &signed_in, sent.get("ke"))),
        Err(error) => {
            let (status, text) = words_of(visitor, error, "code-wrong")?;
            let form = code_form(visitor, sent.get("ke")).fault("code", text);
            page_with(status, &code_page_of(visitor, form))
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
    /// Its address as a picture.
    qr: Option<Qr>,
    /// The form of its first code.
    form: Form,
}

/// `GET /masuk/daftar`
pub(super) async fn enrol_page(
    Extract(state): Extract<State>,
    Query(back): Query<Back>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    if stage_of(&visitor).is_none_or(|stage| stage == Stage::Code) {
        return Ok(see_other("/masuk"));
    }
    show_enrolment(&state, &visitor, &back.ke, None).await
}

/// `POST /masuk/daftar`
pub(super) async fn enrol(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let Some(token) = visitor.token.clone() else { return Ok(see_other("/masuk")) };
    let code = sent.get("code").to_owned();
    let (password, old) = (sent.raw("password").to_owned(), sent.get("old_code").to_owned());
    let from = session_of(visitor);
    let tried = state.hashing(&from, move |state| {
        let old = OldProof { password: &password, code: &old };
        state.people().finish_enrolment(&token, old, &code)
    });
    match tried.await? {
        Ok(signed_in) => Ok(go_on(&state, &signed_in, sent.get("ke"))),
        Err(error) => {
            let first = stage_of(visitor) == Some(Stage::Enrol);
            let wrong = if first { "code-wrong" } else { "enrol-wrong" };
            let fault = words_of(visitor, error, wrong)?;
            show_enrolment(&state, visitor, sent.get("ke"), Some(fault)).await
        }
    }
}

/// Shows the secret, with a fault at the code if there is one.
async fn show_enrolment(
    state: &State,
    visitor: &Visitor,
    back: &str,
    fault: Option<(StatusCode, String)>,
) -> Result<Response, Failure> {
    let token = visitor.token.clone().unwrap_or_default();
    let enrolment = state.work(move |state| state.people().begin_enrolment(&token)).await??;
    let t = visitor.t;
    let mut form = Form::new("/masuk/daftar", &visitor.csrf, t.s("enrol-button"))
        .field(Field::hidden("ke", back));
    // Whoever is signed in already proves it again: a session alone changes no second factor.
    if let Some(session) = visitor.session.as_ref().filter(|it| it.stage == Stage::Full) {
        form = form.field(Field::password(t, "password", "sign-in-password", "current-password"));
        if session.account.has_totp {
            let old = Field::line(t, "old_code", "enrol-old-code").autocomplete("one-time-code");
            form = form.field(old.inputmode("numeric").width("w-s"));
        }
    }
    form = form.field(Field::code(t, "enrol-code"));
    let mut status = StatusCode::OK;
    if let Some((of_fault, text)) = fault {
        status = of_fault;
        form = form.fault("code", text);
    }
    let account = visitor.session.as_ref().map(|session| session.account.name.clone());
    let enrol = EnrolPage {
        shell: Shell::new(visitor, t.s("enrol-title")).faulty(form.is_faulty()),
        account: account.unwrap_or_default(),
        qr: Qr::of(&enrolment.url),
        enrolment,
        form,
    };
    page_with(status, &enrol)
}

//------------ Once more, for a decision -------------------------------------

/// Where to go on after the proof.
#[derive(Default, Deserialize)]
pub(super) struct Back {
    /// The page of the decision.
    #[serde(default)]
    ke: String,
}

/// The way to the proof and back, before a page on which a decision is filled in is shown.
pub(super) fn proof_first(
    state: &State,
    session: &Session,
    visitor: &Visitor,
) -> Result<(), Failure> {
    if session.is_stale(state.people().now_ms()) {
        return Err(Failure::proof_first(&visitor.here));
    }
    Ok(())
}

/// The form of password and, where one is set up, code.
fn again_form(visitor: &Visitor, session: &Session, back: &str) -> Form {
    let t = visitor.t;
    let form = Form::new("/masuk/lagi", &visitor.csrf, t.s("again-button"))
        .field(Field::hidden("ke", back))
        .field(Field::password(t, "password", "sign-in-password", "current-password"));
    if session.account.has_totp { form.field(Field::code(t, "code-label")) } else { form }
}

/// The page around the form.
fn again_page_of(visitor: &Visitor, form: Form) -> FormPage {
    let t = visitor.t;
    FormPage {
        shell: Shell::new(visitor, t.s("again-title")).faulty(form.is_faulty()),
        lead: vec![t.s("again-lead")],
        facts: Vec::new(),
        form,
        after: Vec::new(),
    }
}

/// `GET /masuk/lagi`
pub(super) async fn again_page(
    Query(back): Query<Back>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&Role::OFFICERS)?;
    page(&again_page_of(&visitor, again_form(&visitor, session, &back.ke)))
}

/// `POST /masuk/lagi`
pub(super) async fn prove_again(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let session = visitor.need(&Role::OFFICERS)?;
    let token = visitor.token.clone().unwrap_or_default();
    let (password, code) = (sent.raw("password").to_owned(), sent.get("code").to_owned());
    let tried = state
        .hashing(&session_of(visitor), move |state| {
            state.people().prove_again(&token, &password, &code)
        })
        .await?;
    let place = sent.get("ke");
    match tried {
        Ok(signed_in) => {
            let cookie = state.cookie("sesi", &signed_in.token, "Strict", -1);
            Ok(see_other_with(own_place(place).unwrap_or(START), &[cookie]))
        }
        Err(error) => {
            let (status, text) = words_of(visitor, error, "again-wrong")?;
            let form = again_form(visitor, session, place).fault("password", text);
            page_with(status, &again_page_of(visitor, form))
        }
    }
}

//------------ Helpers -------------------------------------------------------

/// How far the visitor's sign-in has come.
fn stage_of(visitor: &Visitor) -> Option<Stage> {
    visitor.session.as_ref().map(|session| session.stage)
}

/// Sets the new session's cookie and goes to its next page.
fn go_on(state: &State, signed_in: &SignedIn, back: &str) -> Response {
    let mut cookies = vec![state.cookie("sesi", &signed_in.token, "Strict", -1)];
    if signed_in.session.stage == Stage::Full {
        cookies.extend(device_cookie(state, &signed_in.session.account.name));
    }
    see_other_with(&next(signed_in.session.stage, back), &cookies)
}

/// The visitor's own session, which a try comes from.
pub(super) fn session_of(visitor: &Visitor) -> Origin {
    Origin::Session(sha256_hex(visitor.token.as_deref().unwrap_or_default()))
}

/// Where a try for this name comes from. Browsers nobody is known to have signed in with share the
/// limit of their network; known ones have counts of their own, so that no neighbor uses them up.
fn known_or_few(state: &State, visitor: &Visitor, name: &str) -> Result<Origin, Failure> {
    let origin = origin(state, visitor.device.as_deref(), visitor.address, name);
    if matches!(origin, Origin::Network(_)) {
        state.limits().take(Route::SignIn, visitor.address).map_err(Failure::too_many)?;
    }
    Ok(origin)
}

/// The page after each stage; at the end the one that was asked for, if it is one of ours.
fn next(stage: Stage, back: &str) -> String {
    let way = match stage {
        Stage::Code => "/masuk/kode",
        Stage::Enrol => "/masuk/daftar",
        Stage::Full => return own_place(back).unwrap_or(START).to_owned(),
    };
    own_place(back).map_or_else(|| way.to_owned(), |back| format!("{way}?ke={}", encode(back)))
}

/// Status and words of a form that came back; a fault of ours is a failure instead.
fn words_of(
    visitor: &Visitor,
    error: SignInError,
    wrong: &str,
) -> Result<(StatusCode, String), Failure> {
    let t = visitor.t;
    match error {
        SignInError::Wrong => Ok((StatusCode::UNPROCESSABLE_ENTITY, t.s(wrong))),
        SignInError::TooMany { wait_ms } => Ok((StatusCode::TOO_MANY_REQUESTS, many(t, wait_ms))),
        SignInError::NoSession => Ok((StatusCode::UNPROCESSABLE_ENTITY, t.s("sign-in-over"))),
        SignInError::People(error) => Err(error.into()),
    }
}

/// That too much was tried from there, and for how long it is too much.
pub(super) fn many(t: Words, wait_ms: i64) -> String {
    let minutes = u64::try_from(wait_ms / MINUTE_MS + 1).unwrap_or(1);
    t.a("sign-in-many", "minutes", &t.count(minutes))
}
