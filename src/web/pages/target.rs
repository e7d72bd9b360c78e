//! Where the site is, in plain words: the hosting of the government, an IP address, the name of a server, or not
//! yet. Record types are for those who open them.

use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::apply::{StepPage, found, is_for_later, may_save};
use super::questions::{HOSTING, address_fields};
use super::saved::SAVE;
use crate::queue::{Fault, Rule};
use crate::web::draft::{
    BY_ADDRESS, BY_SERVER, Draft, EXPERT, LATER, RECORD_ROWS, field_of, step_of,
};
use crate::web::failure::Failure;
use crate::web::form::Form;
use crate::web::progress::{Change, TARGET, path_of};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// The field for when there will be a site.
const HOSTING_BY: &str = "hosting_by";
/// The step these pages belong to.
const STEP: u8 = 4;

/// Takes over what the choice of a way says by itself: the target of a hosting, or that there is none.
pub(super) fn choose(state: &State, draft: &mut Draft) {
    match draft.get("target") {
        LATER => draft.clear_target(),
        _ => drop(draft.fields.remove(HOSTING_BY)),
    }
    let Some(name) = draft.get("target").strip_prefix(HOSTING) else { return };
    let hostings = state.hostings();
    match hostings.iter().find(|hosting| hosting.name == name) {
        Some(hosting) => draft.set_target(&hosting.target),
        // It was on a page that is older than the settings.
        None => drop(draft.fields.remove("target")),
    }
}

/// `GET /permohonan/tujuan/{how}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path(how): Path<String>,
    Query(change): Query<Change>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    match how.as_str() {
        BY_ADDRESS | BY_SERVER | EXPERT | LATER => {
            let form = address_form(&visitor, &draft, &how, change);
            page(&address_page(&state, &visitor, &how, form, change))
        }
        _ => Err(Failure::not_found()),
    }
}

/// `POST /permohonan/tujuan/{how}`
pub(super) async fn take(
    Extract(state): Extract<State>,
    Path(how): Path<String>,
    Query(change): Query<Change>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.may_apply(&state)?;
    if ![BY_ADDRESS, BY_SERVER, EXPERT, LATER].contains(&how.as_str()) {
        return Err(Failure::not_found());
    }
    may_save(&state, &sent)?;
    let mut draft = Draft::load(&state, &visitor.visit).await?;
    let fields = address_fields(visitor.t, &draft, &how);
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    draft.take(&sent, &names);
    draft.fields.insert("target".to_owned(), how.clone());
    choose(&state, &mut draft);
    if let Some(field) = field_of_way(&how) {
        let text = draft.get(field).to_owned();
        draft.set_target(&text);
    }
    draft.save(&state, visitor).await?;
    if is_for_later(&sent) {
        return Ok(see_other(SAVE));
    }
    let mut form = address_form(visitor, &draft, &how, change);
    form = form.need(visitor.t, |field| draft.get(&field.name).is_empty());
    for fault in found(&state, &draft).await? {
        let field = field_of(&fault.field);
        let is_filled_in =
            draft.has_records() || field == HOSTING_BY && !draft.get(HOSTING_BY).is_empty();
        if step_of(&field) == STEP && fault.rule != Rule::Empty && is_filled_in {
            let words = words_of(visitor.t, &draft, &field, &fault);
            let is_date = matches!(field.as_str(), "starts" | HOSTING_BY);
            let own = if is_date { None } else { field_of_way(&how) };
            form = form.fault(own.unwrap_or(&field), words);
        }
    }
    if form.is_faulty() {
        let again = address_page(&state, visitor, &how, form, change);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    Ok(see_other(&change.after(&draft, &path_of(STEP + 1))))
}

/// The one field of a way that has one.
fn field_of_way(how: &str) -> Option<&'static str> {
    match how {
        BY_ADDRESS => Some("target_ip"),
        BY_SERVER => Some("target_server"),
        _ => None,
    }
}

/// What is wrong with a target; data that cannot be read is explained by its type.
fn words_of(t: Words, draft: &Draft, field: &str, fault: &Fault) -> String {
    let row = (0..RECORD_ROWS).find(|at| field == format!("data{at}"));
    let rtype = row.map(|at| draft.get(&format!("type{at}")).to_lowercase()).unwrap_or_default();
    let id = format!("apply-bad-{rtype}");
    let unread = matches!(fault.rule, Rule::BadData | Rule::BadTarget | Rule::BadAddress);
    if unread && t.has(&id) { t.s(&id) } else { fault.say(t) }
}

/// The page of a way. Whoever has no site yet reads what to do, and what happens until there is one.
fn address_page(
    state: &State,
    visitor: &Visitor,
    how: &str,
    form: Form,
    change: Change,
) -> StepPage {
    let back = change.mark(&path_of(STEP));
    let t = visitor.t;
    let mut page = StepPage::new(visitor, STEP, &format!("apply-title-{how}"), &back, form);
    page.lead.push(t.s(&format!("apply-lead-{how}")));
    if how == LATER {
        let hostings = state.hostings();
        let names =
            hostings.iter().map(|hosting| t.a("apply-later-hosting", "name", &hosting.name));
        page.lead.extend(names);
        page.lead.extend([t.s("apply-later-rent"), t.s("apply-later-then")]);
    }
    page
}

/// The form of a way.
fn address_form(visitor: &Visitor, draft: &Draft, how: &str, change: Change) -> Form {
    let t = visitor.t;
    let action = change.mark(&format!("{TARGET}/{how}"));
    let mut form = Form::new(&action, &visitor.csrf, t.s("apply-next"));
    form.fields = address_fields(t, draft, how);
    if how == EXPERT {
        form = form.fold(2, t.s("apply-more"));
    }
    form.refill(|name| draft.get(name))
}
