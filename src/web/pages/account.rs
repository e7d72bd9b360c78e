//! The visitor's own account: its data, and personal tokens for scripts.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::FormPage;
use super::link::people_words;
use super::sign_in::session_of;
use crate::people::{By, NewToken, OldProof, PeopleError, Role, Scopes, TokenView};
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::{see_other, see_other_with};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with, role_title};
use crate::web::state::State;
use crate::web::visitor::Visitor;

/// Where the page is.
const PLACE: &str = "/akun";

/// Facts, tokens, and the form of a new one.
#[derive(Template)]
#[template(path = "account.html", config = "src/web/askama.toml")]
struct AccountPage {
    /// Frame.
    shell: Shell,
    /// A token just made.
    issued: Option<String>,
    /// Facts of the account.
    facts: Vec<(String, String)>,
    /// The way to the second factor: its message id.
    enrol: &'static str,
    /// Sessions: id, when they began and were used last, whether it is this one.
    sessions: Vec<(String, String, bool)>,
    /// Tokens.
    tokens: Vec<Row>,
    /// The form of a new token.
    form: Form,
}

/// One token, in words.
struct Row {
    /// Public id.
    id: String,
    /// What it is for.
    label: String,
    /// What it may do.
    scopes: String,
    /// When it ends.
    ends: String,
    /// When it was used last.
    used: String,
    /// Whether it works now.
    live: bool,
}

/// `GET /akun`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let form = token_form(&state, &visitor);
    let session = visitor.token.as_deref().unwrap_or_default();
    let issued = state.shown_once().take(session, PLACE).map(|(_, token)| token);
    page(&account_page(&state, &visitor, form, issued).await?)
}

/// `POST /akun`: a new token.
pub(super) async fn create_token(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let name = visitor.need(&Role::OFFICERS)?.account.name.clone();
    let scopes: Vec<&str> = sent.all("scope").collect();
    let network = sent.get("network");
    let wish = NewToken {
        label: sent.get("label").to_owned(),
        scopes: scopes.join(",").parse::<Scopes>().unwrap_or_default(),
        network: (!network.is_empty()).then(|| network.to_owned()),
        days: sent.get("days").parse().ok(),
    };
    let (password, code) = (sent.raw("password").to_owned(), sent.get("code").to_owned());
    let (from, origin) = (session_of(visitor), session_of(visitor));
    let made = state.hashing(&from, move |state| {
        let proof = OldProof { password: &password, code: &code };
        state.people().create_token(&name, proof, &wish, &origin)
    });
    match made.await? {
        Ok(issued) => {
            let session = visitor.token.as_deref().unwrap_or_default();
            state.shown_once().put(session, PLACE, (String::new(), issued.token));
            Ok(see_other(PLACE))
        }
        Err(error) => {
            let Some(field) = error.field() else { return Err(error.into()) };
            let form = token_form(&state, visitor).refill(|name| sent.get(name));
            let form = form.fault(field, people_words(visitor, &error));
            let account = account_page(&state, visitor, form, None).await?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &account)
        }
    }
}

/// `POST /akun/token/{id}/cabut`
pub(super) async fn revoke(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let by = By::Officer(sent.visitor.need(&Role::OFFICERS)?.account.clone());
    state.work(move |state| state.people().revoke_token(&by, &id)).await??;
    Ok(see_other("/akun"))
}

/// `POST /akun/sesi/{id}/akhiri`: ends a session of one's own; `lainnya` means all but this one.
pub(super) async fn end_session(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    sent.visitor.need(&Role::OFFICERS)?;
    let token = sent.visitor.token.clone().unwrap_or_default();
    let id = (id != "lainnya").then_some(id);
    state.work(move |state| state.people().end_sessions(&token, id.as_deref())).await??;
    Ok(see_other("/akun"))
}

/// The form of another password.
fn password_form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    let form = Form::new("/akun/sandi", &visitor.csrf, t.s("password-button"))
        .field(Field::password(t, "password", "password-old", "current-password"));
    let form = match visitor.officer() {
        Some(session) if session.account.has_totp => form.field(Field::code(t, "code-label")),
        _ => form,
    };
    form.field(Field::password(t, "new", "link-password", "new-password")).field(Field::password(
        t,
        "again",
        "link-again",
        "new-password",
    ))
}

/// The page around it.
fn password_page_of(visitor: &Visitor, form: Form) -> FormPage {
    let t = visitor.t;
    FormPage {
        shell: Shell::new(visitor, t.s("password-title")).faulty(form.is_faulty()),
        lead: vec![t.s("password-lead")],
        facts: Vec::new(),
        form,
        after: Vec::new(),
    }
}

/// `GET /akun/sandi`
pub(super) async fn password_page(visitor: Visitor) -> Result<Response, Failure> {
    visitor.need(&Role::OFFICERS)?;
    page(&password_page_of(&visitor, password_form(&visitor)))
}

/// `POST /akun/sandi`
pub(super) async fn change_password(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.need(&Role::OFFICERS)?;
    let t = visitor.t;
    let form = password_form(visitor).need(t, |field| sent.raw(&field.name).is_empty());
    if form.is_faulty() {
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &password_page_of(visitor, form));
    }
    if sent.raw("new") != sent.raw("again") {
        let form = form.fault("again", t.s("link-again-wrong"));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &password_page_of(visitor, form));
    }
    let token = visitor.token.clone().unwrap_or_default();
    let (old, code) = (sent.raw("password").to_owned(), sent.get("code").to_owned());
    let new = sent.raw("new").to_owned();
    let from = session_of(visitor);
    let tried = state.hashing(&from, move |state| {
        let proof = OldProof { password: &old, code: &code };
        state.people().change_password(&token, proof, &new)
    });
    match tried.await? {
        Ok(signed_in) => {
            let cookie = state.cookie("sesi", &signed_in.token, "Strict", -1);
            Ok(see_other_with("/akun", &[cookie]))
        }
        Err(error) => {
            let Some(field) = error.field() else { return Err(error.into()) };
            // What is wrong with a password is said of the new one, unless the old one is wrong.
            let is_old = matches!(error, PeopleError::WrongPassword | PeopleError::TooMany { .. });
            let field = if field == "password" && !is_old { "new" } else { field };
            let form = form.fault(field, people_words(visitor, &error));
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &password_page_of(visitor, form))
        }
    }
}

/// The form of a new token.
fn token_form(state: &State, visitor: &Visitor) -> Form {
    let t = visitor.t;
    let mut scopes =
        vec![Choice::new("read", t.s("scope-read")), Choice::new("submit", t.s("scope-submit"))];
    if state.people().decide_tokens() {
        scopes.push(Choice::new("decide", t.s("scope-decide")));
    }
    let form = Form::new("/akun", &visitor.csrf, t.s("token-button"))
        .field(Field::line(t, "label", "token-label-new").width("w-m"))
        .field(Field::line(t, "scope", "token-scope-new").input(Input::Checks(scopes)))
        .field(Field::line(t, "days", "token-days").inputmode("numeric").width("w-s").value("90"))
        .field(Field::line(t, "network", "token-network").optional().width("w-m"))
        .field(Field::password(t, "password", "token-password", "current-password"));
    match visitor.officer() {
        Some(session) if session.account.has_totp => form.field(Field::code(t, "code-label")),
        _ => form,
    }
}

/// Everything the page shows.
async fn account_page(
    state: &State,
    visitor: &Visitor,
    form: Form,
    issued: Option<String>,
) -> Result<AccountPage, Failure> {
    let t = visitor.t;
    let account = visitor.need(&Role::OFFICERS)?.account.clone();
    let id = account.id.clone();
    let token = visitor.token.clone().unwrap_or_default();
    let (tokens, sessions) = state
        .work(move |state| {
            let people = state.people();
            Ok::<_, PeopleError>((people.tokens(Some(&id))?, people.sessions(&token)?))
        })
        .await??;
    let nip = account.nip.clone().unwrap_or_else(|| "–".to_owned());
    let title = if account.title.is_empty() { "–".to_owned() } else { account.title.clone() };
    let sessions = sessions.into_iter().map(|it| {
        let (from, seen) = (t.date_time(it.created_ms), t.date_time(it.seen_ms));
        (it.id, t.with("session-line", &[("from", &from), ("seen", &seen)]), it.is_own)
    });
    let second = if account.has_totp { "account-totp-on" } else { "account-totp-off" };
    Ok(AccountPage {
        shell: Shell::new(visitor, t.s("account-title")).faulty(form.is_faulty()),
        issued,
        facts: vec![
            (t.s("users-name"), account.full_name.clone()),
            (t.s("sign-in-name"), account.name.clone()),
            (t.s("users-role"), role_title(t, "", account.role)),
            (t.s("link-jabatan"), title),
            (t.s("users-email"), account.email.clone()),
            ("NIP".to_owned(), nip),
            (t.s("account-totp"), t.s(second)),
        ],
        enrol: if account.has_totp { "account-replace" } else { "account-enrol" },
        sessions: sessions.collect(),
        tokens: tokens.into_iter().map(|token| row(visitor, token)).collect(),
        form,
    })
}

/// A token in words.
fn row(visitor: &Visitor, token: TokenView) -> Row {
    let t = visitor.t;
    let scopes = token.scopes.iter().map(|scope| t.s(&format!("scope-{}", scope.as_str())));
    Row {
        id: token.id,
        label: token.label,
        scopes: scopes.collect::<Vec<_>>().join("; "),
        ends: t.date(token.ends_ms),
        used: token.used_ms.map_or_else(|| "–".to_owned(), |used| t.date(used)),
        live: token.live,
    }
}
