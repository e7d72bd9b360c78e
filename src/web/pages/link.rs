//! Single-use links: the first administrator, an invitation, a new password.
//!
//! The address of a link is followed once by a redirect that moves its secret into a cookie, so
//! that it is neither in the address bar nor in a Referer while the form is filled in.

use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::FormPage;
use super::sign_in::many;
use crate::people::{LinkKind, LinkView, NewAccount, Origin, PeopleError, Redemption};
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::limits::Route;
use crate::web::redirect::keep_link;
use crate::web::sent::Sent;
use crate::web::shell::{Message, Shell, page, page_with, role_title};
use crate::web::state::State;
use crate::web::visitor::{Visitor, cookie};

/// `GET /tautan/{token}`
pub(super) async fn open(
    Extract(state): Extract<State>,
    Path(token): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let kept = keep_link(&state, &visitor, &token, ("/tautan", "tautan"))?;
    kept.ok_or_else(|| Failure::new(StatusCode::GONE, "fail-link"))
}

/// `GET /tautan`
pub(super) async fn page_of_link(
    Extract(state): Extract<State>,
    headers: axum::http::HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let token = secret(&state, &headers)?;
    let link = state.work(move |state| state.people().link(&token)).await??;
    page(&link_page(&visitor, &link, link_form(&visitor, &link)))
}

/// `POST /tautan`
pub(super) async fn redeem(
    Extract(state): Extract<State>,
    headers: axum::http::HeaderMap,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    state.limits().take(Route::Link, visitor.address).map_err(Failure::too_many)?;
    let token = secret(&state, &headers)?;
    let wanted = Redemption {
        account: NewAccount {
            name: sent.get("name").to_owned(),
            full_name: sent.get("full_name").to_owned(),
            title: sent.get("title").to_owned(),
            rank: Some(sent.get("rank").to_owned()),
            email: sent.get("email").to_owned(),
            nip: Some(sent.get("nip").to_owned()),
        },
        password: sent.raw("password").to_owned(),
    };
    let same = sent.raw("password") == sent.raw("again");
    let link = {
        let token = token.clone();
        state.work(move |state| state.people().link(&token)).await??
    };
    let form = link_form(visitor, &link).refill(|name| sent.get(name));
    let form = form.need(visitor.t, |field| sent.raw(&field.name).is_empty());
    if form.is_faulty() {
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &link_page(visitor, &link, form));
    }
    if !same {
        let form = form.fault("again", visitor.t.s("link-again-wrong"));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &link_page(visitor, &link, form));
    }
    let from = Origin::network(visitor.address);
    match state.hashing(&from, move |state| state.people().redeem(&token, &wanted)).await? {
        Ok(_) => Ok(done(&state, visitor)?),
        Err(error) => {
            let Some(field) = error.field() else { return Err(error.into()) };
            let form = form.fault(field, people_words(visitor, &error));
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &link_page(visitor, &link, form))
        }
    }
}

/// The secret in the cookie.
fn secret(state: &State, headers: &axum::http::HeaderMap) -> Result<String, Failure> {
    let gone = || Failure::new(StatusCode::GONE, "fail-link");
    cookie(headers, &state.cookie_name("tautan")).ok_or_else(gone)
}

/// The account is ready: say so, and take the secret back.
fn done(state: &State, visitor: &Visitor) -> Result<Response, Failure> {
    let t = visitor.t;
    let message = Message {
        shell: Shell::new(visitor, t.s("link-done-title")),
        text: vec![t.s("link-done")],
        next: Some(("/masuk".to_owned(), t.s("nav-sign-in"))),
    };
    let mut response = page(&message)?;
    if let Ok(line) = state.cookie("tautan", "", "Lax", 0).parse() {
        response.headers_mut().append(axum::http::header::SET_COOKIE, line);
    }
    Ok(response)
}

/// The form of a link.
fn link_form(visitor: &Visitor, link: &LinkView) -> Form {
    let t = visitor.t;
    let mut form = Form::new("/tautan", &visitor.csrf, t.s("link-button"));
    if link.name.is_none() {
        form = form
            .field(Field::line(t, "full_name", "link-full-name").autocomplete("name"))
            .field(
                Field::line(t, "title", "link-jabatan")
                    .optional()
                    .autocomplete("organization-title"),
            )
            .field(Field::line(t, "rank", "link-rank").optional())
            .field(Field::line(t, "nip", "link-nip").optional().inputmode("numeric").width("w-m"));
        if link.kind == LinkKind::FirstAdmin {
            let email = Field::line(t, "email", "link-email").input(Input::Line("email"));
            form = form.field(email.autocomplete("email"));
        }
        form =
            form.field(Field::line(t, "name", "link-name").autocomplete("username").width("w-m"));
    }
    form.field(Field::password(t, "password", "link-password", "new-password"))
        .field(Field::password(t, "again", "link-again", "new-password"))
}

/// The page of a link.
fn link_page(visitor: &Visitor, link: &LinkView, form: Form) -> FormPage {
    let t = visitor.t;
    let title = match link.kind {
        LinkKind::FirstAdmin => t.s("link-first-title"),
        LinkKind::Invitation => t.s("link-invitation-title"),
        LinkKind::Reset => t.s("link-reset-title"),
    };
    let mut facts = vec![(t.s("users-role"), role_title(t, "", link.role))];
    if !link.email.is_empty() {
        facts.push((t.s("users-email"), link.email.clone()));
    }
    if let Some(name) = &link.name {
        facts.push((t.s("sign-in-name"), name.clone()));
    }
    facts.push((t.s("link-ends"), t.date_time(link.ends_ms)));
    FormPage {
        shell: Shell::new(visitor, title).faulty(form.is_faulty()),
        lead: vec![t.s("link-lead")],
        facts,
        form,
        after: Vec::new(),
    }
}

/// What is wrong with a field of an account, in words.
pub(super) fn people_words(visitor: &Visitor, error: &PeopleError) -> String {
    match error {
        PeopleError::TooMany { wait_ms } => many(visitor.t, *wait_ms),
        error => visitor.t.s(error.words()),
    }
}
