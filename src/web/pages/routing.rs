//! *Disposisi* of several requests of one class in one press: each is an act of its own, judged and
//! recorded by itself.

use askama::Template;
use axum::extract::{RawQuery, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::acts::{assignee, instruction};
use super::parts::{error_words, full_name};
use super::sign_in::proof_first;
use crate::desk::{ActError, ListFilter};
use crate::people::{Account, Role};
use crate::queue::{Act, Fault, State as RequestState};
use crate::view::Summary;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::{Sent, decode};
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::Said;

/// Requests routed in one press.
const MOST: usize = 50;

/// The page.
#[derive(Template)]
#[template(path = "routing.html", config = "src/web/askama.toml")]
struct RoutingPage {
    /// Frame.
    shell: Shell,
    /// Why something was not routed: where it is mended, and what.
    faults: Vec<(String, String)>,
    /// Paragraphs.
    lead: Vec<String>,
    /// The requests: number, name, office.
    items: Vec<(String, String, String)>,
    /// The form; none if they cannot be routed together.
    form: Option<Form>,
}

/// `GET /antrean/disposisi?pilih=…`
pub(super) async fn show(
    Extract(state): Extract<State>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&[Role::Head])?, &visitor)?;
    let query = query.unwrap_or_default();
    let chosen = query.split('&').filter_map(|pair| pair.strip_prefix("pilih="));
    let chosen: Vec<String> = chosen.filter_map(decode).take(MOST).collect();
    if chosen.is_empty() {
        return Ok(see_other("/antrean?daftar=milik-saya&pilih=kosong"));
    }
    let (found, people) = look(&state, &visitor, chosen).await?;
    page(&routing_page(&visitor, &found, &people))
}

/// `POST /antrean/disposisi`
pub(super) async fn press(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let t = visitor.t;
    let actor = visitor.need(&[Role::Head])?.actor();
    let chosen: Vec<String> = sent.all("pilih").take(MOST).map(str::to_owned).collect();
    let (to, instruction) = (sent.get("to").to_owned(), sent.get("instruction").to_owned());
    if chosen.is_empty() {
        return Ok(see_other("/antrean?daftar=milik-saya&pilih=kosong"));
    }
    let (found, people) = look(&state, visitor, chosen.clone()).await?;
    if !are_of_one_class(&found) {
        let mut again = routing_page(visitor, &found, &people);
        again.shell.faulty = true;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    let (mut done, mut faults, mut fields) = (0_usize, Vec::new(), Vec::<Fault>::new());
    for number in &chosen {
        let act = Act::Dispose { to: to.clone(), instruction: instruction.clone() };
        match state.perform(number, act, actor.clone()).await? {
            Ok(_) => done += 1,
            Err(error) => {
                let in_form =
                    |fault: &&Fault| ["to", "instruction"].contains(&fault.field.as_str());
                fields.extend(error.faults().iter().filter(in_form).cloned());
                let words = error_words(t, &error).join(" ");
                if Failure::from(error).is_internal() && done == 0 {
                    return Err(Failure::busy());
                }
                faults.push((format!("/tinjau/{number}"), format!("{number}: {words}")));
            }
        }
    }
    if faults.is_empty() {
        return Ok(see_other(&format!("/antrean?daftar=milik-saya&selesai={done}")));
    }
    let (found, people) = look(&state, visitor, chosen).await?;
    let mut again = routing_page(visitor, &found, &people);
    if let Some(form) = again.form.take() {
        let (form, _) = form.refill(|name| sent.get(name)).take_faults(t, &fields);
        if form.is_faulty() {
            let links = form.faults().into_iter();
            faults = links.map(|(name, text)| (format!("#{name}"), text.to_owned())).collect();
        }
        again.form = Some(form);
    }
    if done > 0 {
        again.lead.insert(0, t.a("routing-some", "count", &done.to_string()));
    }
    again.faults = faults;
    again.shell.faulty = true;
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
}

/// Those of the chosen requests that wait to be routed, and the accounts.
async fn look(
    state: &State,
    visitor: &Visitor,
    chosen: Vec<String>,
) -> Result<(Vec<Summary>, Vec<Account>), Failure> {
    let actor = visitor.need(&[Role::Head])?.actor();
    let found = state
        .work(move |state| {
            let waiting = ListFilter {
                states: vec![RequestState::Submitted],
                limit: chosen.len(),
                numbers: chosen,
                ..ListFilter::default()
            };
            let items = state.desk().list(&waiting, &actor)?.items;
            Ok::<_, ActError>((items, state.people().list().unwrap_or_default()))
        })
        .await??;
    Ok(found)
}

/// Whether requests are of one class, so that one instruction fits them all.
fn are_of_one_class(found: &[Summary]) -> bool {
    found.windows(2).all(|pair| matches!(pair, [one, next] if one.class == next.class))
}

/// Everything the page shows.
fn routing_page(visitor: &Visitor, found: &[Summary], people: &[Account]) -> RoutingPage {
    let t = visitor.t;
    let class = found.first().map(|item| item.class);
    let together = are_of_one_class(found);
    let count = found.len().to_string();
    let lead = match class {
        None => t.s("routing-none"),
        Some(_) if !together => t.s("routing-classes"),
        Some(class) => t.with("routing-lead", &[("count", &count), ("class", &class.say(t))]),
    };
    let form = (together && class.is_some()).then(|| {
        let form =
            Form::new("/antrean/disposisi", &visitor.csrf, t.a("routing-button", "count", &count));
        let chosen = found.iter().map(|item| Field::hidden("pilih", &item.number));
        chosen.fold(form, Form::field).field(assignee(t, people)).field(instruction(t))
    });
    let row = |it: &Summary| (it.number.clone(), full_name(&it.name, &it.zone), it.office.clone());
    RoutingPage {
        shell: Shell::new(visitor, t.s("routing-title")),
        faults: Vec::new(),
        lead: vec![lead],
        items: found.iter().map(row).collect(),
        form,
    }
}
