//! Accounts, for the administrator: invite, reset, disable, enable. Passwords are never shown here.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::FormPage;
use super::link::people_words;
use super::sign_in::proof_first;
use crate::people::{Account, By, IssuedLink, LinkKind, NewAccount, PeopleError, Role};
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with, role_title};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::Words;

/// One account in the list.
struct Row {
    /// The account.
    account: Account,
    /// Role in words.
    role: String,
    /// Jabatan.
    title: String,
    /// State in words.
    state: String,
    /// Acts: last part of the path and words.
    acts: Vec<(&'static str, String)>,
}

/// Where the list is.
const PLACE: &str = "/pengguna";

/// The list and the form of an invitation.
#[derive(Template)]
#[template(path = "users.html", config = "src/web/askama.toml")]
struct UsersPage {
    /// Frame.
    shell: Shell,
    /// A link just made: heading and address.
    issued: Option<(String, String)>,
    /// Accounts.
    rows: Vec<Row>,
    /// Links that can still be used: id and a sentence.
    open: Vec<(String, String)>,
    /// The form of an invitation.
    form: Form,
}

/// `GET /pengguna`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&[Role::Operator])?, &visitor)?;
    let form = invite_form(&visitor);
    let session = visitor.token.as_deref().unwrap_or_default();
    let issued = state.shown_once().take(session, PLACE);
    page(&users_page(&state, &visitor, form, issued).await?)
}

/// `POST /pengguna`: invites.
pub(super) async fn invite(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let by = By::Officer(visitor.need(&[Role::Operator])?.account.clone());
    let form = invite_form(visitor).refill(|name| sent.get(name));
    let form = form.need(visitor.t, |field| sent.get(&field.name).is_empty());
    if form.is_faulty() {
        let users = users_page(&state, visitor, form, None).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &users);
    }
    let (role, email) = (sent.get("role").to_owned(), sent.get("email").to_owned());
    let tried = state
        .work(move |state| {
            let role = Role::of_officer(&role).ok_or(PeopleError::BadRole)?;
            state.people().invite(&by, role, &email)
        })
        .await?;
    match tried {
        Ok(link) => Ok(show_link(&state, visitor, &link)),
        Err(error) => {
            let Some(field) = error.field() else { return Err(error.into()) };
            let form = form.fault(field, people_words(visitor, &error));
            let users = users_page(&state, visitor, form, None).await?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &users)
        }
    }
}

/// `POST /pengguna/{name}/{act}` from the list: asks once more before anything changes.
pub(super) async fn act(
    Extract(state): Extract<State>,
    Path((name, act)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let by = By::Officer(visitor.need(&[Role::Operator])?.account.clone());
    if sent.get("sure") != "ya" {
        return page(&ask_page(&state, visitor, &name, &act).await?);
    }
    let (known, of) = (act.clone(), name.clone());
    let role = Role::of_officer(sent.get("role"));
    let data = NewAccount {
        full_name: sent.get("full_name").to_owned(),
        title: sent.get("title").to_owned(),
        rank: Some(sent.get("rank").to_owned()),
        email: sent.get("email").to_owned(),
        nip: Some(sent.get("nip").to_owned()),
        ..NewAccount::default()
    };
    let tried = state
        .work(move |state| {
            let people = state.people();
            match known.as_str() {
                "reset" => people.reset_link(&by, &of).map(Some),
                "nonaktif" => people.disable(&by, &of).map(|_| None),
                "aktif" => people.enable(&by, &of).map(|_| None),
                "ubah" => people.edit(&by, &of, &data).map(|_| None),
                "peran" => {
                    let role = role.ok_or(PeopleError::BadRole)?;
                    people.set_role(&by, &of, role).map(|_| None)
                }
                _ => Err(PeopleError::UnknownPerson),
            }
        })
        .await?;
    match tried {
        Ok(Some(link)) => Ok(show_link(&state, visitor, &link)),
        Ok(None) => Ok(see_other("/pengguna")),
        Err(error) if error.is_internal() => Err(error.into()),
        Err(error) if error.field().is_none() && !matches!(error, PeopleError::LastAdmin) => {
            Err(error.into())
        }
        Err(error) => {
            let mut again = ask_page(&state, visitor, &name, &act).await?;
            let text = people_words(visitor, &error);
            again.form = again.form.refill(|name| sent.get(name));
            match error.field() {
                Some(field) => again.form = again.form.fault(field, text),
                None => again.lead.insert(0, text),
            }
            again.shell.faulty = true;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
    }
}

/// `POST /pengguna/tautan/{id}/cabut`: takes an open link back.
pub(super) async fn revoke(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let by = By::Officer(sent.visitor.need(&[Role::Operator])?.account.clone());
    state.work(move |state| state.people().revoke_link(&by, &id)).await??;
    Ok(see_other("/pengguna"))
}

/// The page that repeats who and what, with what can be filled in and one button.
async fn ask_page(
    state: &State,
    visitor: &Visitor,
    name: &str,
    act: &str,
) -> Result<FormPage, Failure> {
    let t = visitor.t;
    let (title, text) = match act {
        "reset" => (t.s("users-reset"), t.s("users-reset-text")),
        "nonaktif" => (t.s("users-disable"), t.s("users-disable-text")),
        "aktif" => (t.s("users-enable"), t.s("users-enable-text")),
        "ubah" => (t.s("users-edit"), t.s("users-edit-text")),
        "peran" => (t.s("users-change-role"), t.s("users-change-role-text")),
        _ => return Err(Failure::not_found()),
    };
    let wanted = name.to_owned();
    let account = state.work(move |state| state.people().by_name(&wanted)).await??;
    let form = Form::new(&format!("/pengguna/{name}/{act}"), &visitor.csrf, title.clone())
        .style(if act == "nonaktif" { "warn" } else { "" })
        .field(Field::hidden("sure", "ya"));
    let form = Form { kept: visitor.kept(state, &form.action).await?, ..form };
    let form = match act {
        "ubah" => data_fields(t, &account).into_iter().fold(form, Form::field),
        "peran" => form.field(roles(t).value(account.role.as_str())),
        _ => form,
    };
    Ok(FormPage {
        shell: Shell::new(visitor, title),
        lead: vec![text],
        facts: vec![
            (t.s("users-name"), account.full_name.clone()),
            (t.s("sign-in-name"), account.name.clone()),
            (t.s("users-role"), role_title(t, "", account.role)),
            (t.s("users-email"), account.email),
        ],
        form,
        after: Vec::new(),
    })
}

/// The data of an account as fields.
fn data_fields(t: Words, account: &Account) -> Vec<Field> {
    let line = |name: &str, id: &str, value: &str| Field::line(t, name, id).value(value);
    vec![
        line("full_name", "link-full-name", &account.full_name),
        line("title", "link-jabatan", &account.title).optional(),
        line("rank", "link-rank", account.rank.as_deref().unwrap_or_default()).optional(),
        line("email", "link-email", &account.email).input(Input::Line("email")),
        line("nip", "link-nip", account.nip.as_deref().unwrap_or_default())
            .optional()
            .inputmode("numeric")
            .width("w-m"),
    ]
}

/// The roles to choose from, each with what it may do.
fn roles(t: Words) -> Field {
    let roles = Role::OFFICERS.map(|role| Choice {
        value: role.as_str().to_owned(),
        label: role_title(t, "", role),
        hint: t.s(&format!("role-{role}-hint")),
    });
    Field::line(t, "role", "users-invite-role").input(Input::Radios(roles.to_vec()))
}

/// Leads to the page that shows a link just made, this once.
fn show_link(state: &State, visitor: &Visitor, link: &IssuedLink) -> Response {
    let t = visitor.t;
    let title = match link.kind {
        LinkKind::Reset => t.s("users-reset-made"),
        LinkKind::FirstAdmin | LinkKind::Invitation => t.s("users-invite-made"),
    };
    let address = format!("{}{}", state.options().url, link.path());
    let session = visitor.token.as_deref().unwrap_or_default();
    state.shown_once().put(session, PLACE, (title, address));
    see_other(PLACE)
}

/// The form of an invitation.
fn invite_form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    Form::new("/pengguna", &visitor.csrf, t.s("users-invite-button"))
        .field(Field::line(t, "email", "users-invite-email").input(Input::Line("email")))
        .field(roles(t))
}

/// Everything the page shows.
async fn users_page(
    state: &State,
    visitor: &Visitor,
    form: Form,
    issued: Option<(String, String)>,
) -> Result<UsersPage, Failure> {
    let t = visitor.t;
    let (accounts, links) = state
        .work(|state| Ok::<_, PeopleError>((state.people().list()?, state.people().open_links()?)))
        .await??;
    let rows = accounts.into_iter().map(|account| row(visitor, account)).collect();
    let open = links.iter().filter(|link| link.kind != LinkKind::FirstAdmin);
    let open = open.map(|link| {
        let ends = t.date_time(link.ends_ms);
        let role = role_title(t, "", link.role);
        let id =
            if link.kind == LinkKind::Reset { "users-open-reset" } else { "users-open-invite" };
        let values = [("email", &link.email), ("role", &role), ("ends", &ends)];
        (link.id.clone(), t.with(id, &values.map(|(key, value)| (key, value.as_str()))))
    });
    Ok(UsersPage {
        shell: Shell::new(visitor, t.s("users-title")).faulty(form.is_faulty()).wide(),
        issued,
        rows,
        open: open.collect(),
        form,
    })
}

/// One account with what may be done to it.
fn row(visitor: &Visitor, account: Account) -> Row {
    let t = visitor.t;
    let state = match (account.enabled, account.has_totp) {
        (false, _) => t.s("users-off"),
        (true, true) => t.s("users-on-totp"),
        (true, false) => t.s("users-on"),
    };
    let acts = if account.enabled {
        vec![
            ("ubah", t.s("users-edit")),
            ("peran", t.s("users-change-role")),
            ("reset", t.s("users-reset")),
            ("nonaktif", t.s("users-disable")),
        ]
    } else {
        vec![("aktif", t.s("users-enable"))]
    };
    Row {
        role: role_title(t, "", account.role),
        title: account.title.clone(),
        state,
        acts,
        account,
    }
}
