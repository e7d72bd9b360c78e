//! The visitor's own account: its data, and personal tokens for scripts.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::link::people_words;
use super::sign_in::session_of;
use crate::people::{By, NewToken, OldProof, Role, Scopes, TokenView};
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with, role_title};
use crate::web::state::State;
use crate::web::visitor::Visitor;

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
    page(&account_page(&state, &visitor, form, None).await?)
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
            let form = token_form(&state, visitor);
            page(&account_page(&state, visitor, form, Some(issued.token)).await?)
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
    let tokens = state.work(move |state| state.people().tokens(Some(&id))).await??;
    let nip = account.nip.clone().unwrap_or_else(|| "–".to_owned());
    let second = if account.has_totp { "account-totp-on" } else { "account-totp-off" };
    Ok(AccountPage {
        shell: Shell::new(visitor, t.s("account-title")).faulty(form.is_faulty()),
        issued,
        facts: vec![
            (t.s("users-name"), account.full_name.clone()),
            (t.s("sign-in-name"), account.name.clone()),
            (t.s("users-role"), role_title(t, &account.title, account.role)),
            (t.s("users-email"), account.email.clone()),
            ("NIP".to_owned(), nip),
            (t.s("account-totp"), t.s(second)),
        ],
        enrol: if account.has_totp { "account-replace" } else { "account-enrol" },
        tokens: tokens.into_iter().map(|token| row(visitor, token)).collect(),
        form,
    })
}

/// A token in words.
fn row(visitor: &Visitor, token: TokenView) -> Row {
    let t = visitor.t;
    Row {
        id: token.id,
        label: token.label,
        scopes: token.scopes.to_string(),
        ends: t.date(token.ends_ms),
        used: token.used_ms.map_or_else(|| "–".to_owned(), |used| t.date(used)),
        live: token.live,
    }
}
