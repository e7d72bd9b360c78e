//! Acting officials (Plh., Plt.), recorded by the head on a letter.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::link::people_words;
use super::sign_in::proof_first;
use crate::people::{Account, ActingOfficial, ActingStyle, By, NewActing, PeopleError, Role};
use crate::queue::time::{day_number, midnight};
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with, role_title};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::Words;

/// One acting official in words.
struct Row {
    /// Id, for ending it.
    id: String,
    /// Who acts.
    name: String,
    /// As what.
    role: String,
    /// On which letter.
    letter: String,
    /// From when to when.
    period: String,
    /// Whether it holds.
    state: String,
    /// Whether it can be ended.
    open: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "acting.html", config = "src/web/askama.toml")]
struct ActingPage {
    /// Frame.
    shell: Shell,
    /// All ever recorded.
    rows: Vec<Row>,
    /// The form of a new one.
    form: Form,
}

/// `GET /plh`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&[Role::Head])?, &visitor)?;
    page(&acting_page(&state, &visitor, None).await?)
}

/// `POST /plh`
pub(super) async fn record(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let by = visitor.need(&[Role::Head])?.account.clone();
    let wish = NewActing {
        name: sent.get("name").to_owned(),
        role: if sent.get("role") == "kabid" { Role::Head } else { Role::Verifier },
        holder: sent.get("holder").to_owned(),
        style: if sent.get("style") == "plt" { ActingStyle::Plt } else { ActingStyle::Plh },
        letter: sent.get("letter").to_owned(),
        starts_ms: day_ms(sent.get("starts"), 0).unwrap_or(0),
        ends_ms: day_ms(sent.get("ends"), 1).unwrap_or(0),
    };
    match state.work(move |state| state.people().record_acting(&by, &wish)).await? {
        Ok(()) => Ok(see_other("/plh")),
        Err(error) if error.is_internal() => Err(error.into()),
        Err(error) => {
            let acting = acting_page(&state, visitor, Some((&sent, &error))).await?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &acting)
        }
    }
}

/// `POST /plh/{id}/akhiri`
pub(super) async fn end(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let by = By::Officer(sent.visitor.need(&[Role::Head, Role::Operator])?.account.clone());
    state.work(move |state| state.people().end_acting(&by, &id)).await??;
    Ok(see_other("/plh"))
}

/// Everything the page shows; a form that came back keeps its input.
async fn acting_page(
    state: &State,
    visitor: &Visitor,
    back: Option<(&Sent, &PeopleError)>,
) -> Result<ActingPage, Failure> {
    let t = visitor.t;
    let (people, acting, now) = state
        .work(|state| {
            let people = state.people();
            Ok::<_, PeopleError>((people.list()?, people.acting_officials()?, people.now_ms()))
        })
        .await??;
    let rows = acting.iter().map(|it| row(t, it, &people, now)).collect();
    let mut form = acting_form(visitor, &people);
    if let Some((sent, error)) = back {
        form = form.refill(|name| sent.get(name));
        form = form.fault(error.field().unwrap_or("name"), people_words(visitor, error));
    }
    let shell = Shell::new(visitor, t.s("acting-title")).faulty(form.is_faulty());
    Ok(ActingPage { shell, rows, form })
}

/// The form of a new one.
fn acting_form(visitor: &Visitor, people: &[Account]) -> Form {
    let t = visitor.t;
    let able = people.iter().filter(|it| it.enabled && it.role != Role::Auditor);
    let names = able.map(|it| {
        let label = format!("{} – {}", it.full_name, role_title(t, &it.title, it.role));
        Choice::new(&it.name, label)
    });
    let roles = [Role::Head, Role::Verifier];
    let mut holders = vec![Choice::new("", t.s("acting-holder-only"))];
    let chairs = people.iter().filter(|it| roles.contains(&it.role));
    holders.extend(chairs.map(|it| {
        let label = format!("{} – {}", it.full_name, role_title(t, &it.title, it.role));
        Choice::new(&it.name, label)
    }));
    let roles = roles.map(|role| Choice::new(role.as_str(), role_title(t, "", role)));
    let styles = [("plh", "acting-plh"), ("plt", "acting-plt")];
    let styles = styles.map(|(value, id)| Choice::new(value, t.s(id)));
    let day =
        |name: &str, id: &str| Field::line(t, name, id).input(Input::Line("date")).width("w-s");
    Form::new("/plh", &visitor.csrf, t.s("acting-button"))
        .field(Field::line(t, "name", "acting-name").input(Input::Select(names.collect())))
        .field(Field::line(t, "role", "acting-role").input(Input::Select(roles.to_vec())))
        .field(Field::line(t, "holder", "acting-holder").input(Input::Select(holders)).optional())
        .field(Field::line(t, "style", "acting-style").input(Input::Radios(styles.to_vec())))
        .field(Field::line(t, "letter", "acting-letter").width("w-m"))
        .field(day("starts", "acting-starts"))
        .field(day("ends", "acting-ends"))
}

/// One in words.
fn row(t: Words, acting: &ActingOfficial, people: &[Account], now: i64) -> Row {
    let of = |id: &str| people.iter().find(|person| person.id == id);
    let name = of(&acting.person);
    let role = format!("{} {}", acting.style.prefix(), role_title(t, "", acting.role));
    let state =
        match (acting.ended_ms.is_some(), acting.held().in_force(now), now < acting.starts_ms) {
            (true, ..) => "acting-ended",
            (_, true, _) => "acting-holds",
            (_, _, true) => "acting-coming",
            _ => "acting-over",
        };
    Row {
        id: acting.id.clone(),
        name: name.map_or_else(|| acting.person.clone(), |person| person.full_name.clone()),
        role: match of(&acting.holder) {
            Some(holder) => format!("{role} – {}", holder.full_name),
            None => role,
        },
        letter: acting.letter.clone(),
        period: format!("{} – {}", t.date(acting.starts_ms), t.date(acting.ends_ms - 1)),
        state: t.s(state),
        open: acting.ended_ms.is_none() && now < acting.ends_ms,
    }
}

/// The beginning of a day in WIB, so many days later (epoch ms).
fn day_ms(text: &str, later: i64) -> Option<i64> {
    Some(midnight(day_number(text)? + later))
}
