//! The request form: one group of questions per page, a draft in between, a final check.
//!
//! Every POST saves the draft and is answered by a redirect, so that Back always works. A step shows
//! the faults of its own fields, by the rules of the procedure; everything is tested again when the request
//! is sent, and each fault links back to its page. The order of the pages is in
//! [`progress`](crate::web::progress), their questions are in [`questions`](super::questions).

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::mailbox;
use super::parts::full_name;
use super::questions::{given_names, step_fields, unit_label};
use super::saved::SAVE;
use crate::queue::automatic::{masked_fields, tidy};
use crate::queue::labels::mask_personal_numbers;
use crate::queue::regions::Level;
use crate::queue::{Fault, Kind, NamingClass, Rule};
use crate::web::draft::{Draft, field_of, step_of};
use crate::web::failure::Failure;
use crate::web::form::{Form, Input};
use crate::web::limits::Route;
use crate::web::progress::{
    CHECK, Change, DISTRICT, LAST, after, before, gap, missing, needs_end, path_of,
};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::status;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// What a letter may be.
pub(super) const LETTER_KINDS: &str = ".pdf,.jpg,.jpeg,.png,application/pdf,image/jpeg,image/png";

/// One page of the form.
#[derive(Template)]
#[template(path = "step.html", config = "src/web/askama.toml")]
pub(super) struct StepPage {
    /// Frame.
    pub(super) shell: Shell,
    /// "Langkah 2 dari 6".
    pub(super) caption: String,
    /// The page before.
    pub(super) back: String,
    /// Paragraphs before the form.
    pub(super) lead: Vec<String>,
    /// What was said before and matters here: words, and where to change it.
    pub(super) said: Option<(String, String)>,
    /// Names that would fit.
    pub(super) suggestions: Vec<String>,
    /// What "Periksa nama" found good, or empty.
    pub(super) good: String,
    /// The form.
    pub(super) form: Form,
}

impl StepPage {
    /// A page of a step with a title and its form.
    pub(super) fn new(visitor: &Visitor, step: u8, title: &str, back: &str, form: Form) -> Self {
        let t = visitor.t;
        // Before the first answer there is nothing that could be saved.
        let form = if step > 1 { form.other(FOR_LATER, t.s("save-link")) } else { form };
        Self {
            shell: Shell::new(visitor, t.s(title)).faulty(form.is_faulty()),
            caption: t.with("apply-caption", &[("step", &step.to_string()), ("last", "6")]),
            back: back.to_owned(),
            lead: Vec::new(),
            said: None,
            suggestions: Vec::new(),
            good: String::new(),
            form,
        }
    }

    /// Adds a paragraph before the form.
    pub(super) fn lead(mut self, text: String) -> Self {
        self.lead.push(text);
        self
    }
}

/// What the button sends that keeps the answers for later, right or not.
const FOR_LATER: &str = "simpan";

/// Whether the answers are to be kept for later.
pub(super) fn is_for_later(sent: &Sent) -> bool {
    sent.get("lanjut") == FOR_LATER
}

//------------ The beginning -------------------------------------------------

/// A form that was begun in this browser.
#[derive(Template)]
#[template(path = "resume.html", config = "src/web/askama.toml")]
struct ResumePage {
    /// Frame.
    shell: Shell,
    /// What it is about.
    what: String,
    /// Where it goes on.
    next: String,
}

/// `GET /permohonan`: begins, or asks what is to become of a form that was begun here. On a shared machine
/// that may be somebody else's: the page names no person.
pub(super) async fn start(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    if draft.get("kind").is_empty() {
        return Ok(see_other("/permohonan/1"));
    }
    let t = visitor.t;
    let what = super::saved::what(&state, t, &draft);
    let next = gap(&draft).unwrap_or_else(|| CHECK.to_owned());
    page(&ResumePage { shell: Shell::new(&visitor, t.s("resume-title")), what, next })
}

/// `POST /permohonan`: drops the form that was begun, and begins anew or not.
pub(super) async fn drop_draft(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    Draft::drop_of(&state, &sent.visitor.visit).await?;
    Ok(see_other(if sent.get("lanjut") == "hapus" { "/" } else { "/permohonan/1" }))
}

//------------ Steps ---------------------------------------------------------

/// `GET /permohonan/{step}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path(step): Path<u8>,
    Query(change): Query<Change>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    let form = step_form(&state, &visitor, &draft, step, change)?;
    page(&step_page(&state, &visitor, &draft, step, form, change))
}

/// `POST /permohonan/{step}`
pub(super) async fn take(
    Extract(state): Extract<State>,
    Path(step): Path<u8>,
    Query(change): Query<Change>,
    mut sent: Sent,
) -> Result<Response, Failure> {
    sent.visitor.may_apply(&state)?;
    may_save(&state, &sent)?;
    let mut draft = Draft::load(&state, &sent.visitor.visit).await?;
    let class = draft.class();
    let names: Vec<String> = step_fields(&state, sent.visitor.t, &draft, step)?
        .into_iter()
        .map(|field| field.name)
        .collect();
    draft.take(&sent, &names.iter().map(String::as_str).collect::<Vec<_>>());
    tidy_up(&state, &mut draft, step, class);
    let masked = mask(&mut draft, &state.options().zone, step);
    let letter = if step == LAST { draft.take_letter(&state, &mut sent).await } else { None };
    let visitor = &sent.visitor;
    draft.save(&state, visitor).await?;
    if is_for_later(&sent) && letter.is_none() {
        return Ok(see_other(SAVE));
    }
    let mut form = step_form(&state, visitor, &draft, step, change)?;
    let asks_name = step == 3 && sent.get("lanjut") == "periksa";
    if let Some(fault) = &letter {
        form = form.fault("letter", fault.say(visitor.t));
    }
    for field in &masked {
        form = form.fault(field, visitor.t.s("apply-masked"));
    }
    for (field, rule) in missing(&draft, step) {
        if !asks_name || field == "name" {
            let words = words_of_rule(visitor.t, &form, &field, rule);
            form = form.fault(&field, words);
        }
    }
    if step != 1 && step != 4 {
        for (field, words) in ruled_out(&state, visitor.t, &draft, step).await? {
            if !asks_name || field == "name" {
                form = form.fault(&field, words);
            }
        }
    }
    if form.is_faulty() {
        let again = step_page(&state, visitor, &draft, step, form, change);
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let status = letter.map_or(unprocessable, |fault| status::of_code(fault.code));
        return page_with(status, &again);
    }
    if asks_name {
        let zone = state.options().zone.clone();
        let name = full_name(&tidy(draft.application(&zone), &state.desk().naming()).name, &zone);
        let is_new = draft.kind() == Some(Kind::New);
        let id = if is_new { "apply-name-good" } else { "apply-name-live" };
        let mut again = step_page(&state, visitor, &draft, step, form, change);
        again.good = visitor.t.a(id, "name", &name);
        return page(&again);
    }
    if step == 2 && mailbox::is_to_be_proven(&state, visitor, &draft).await? {
        return mailbox::begin(&state, visitor, &draft).await;
    }
    // An address that was asked for before is asked for again only where the answer is another one.
    let next = after(&draft, step);
    let asks = step == 4 && draft.place_of_target().is_some();
    Ok(see_other(&if asks { change.mark(&next) } else { change.after(&draft, &next) }))
}

/// Brings what depends on an answer in line with it.
fn tidy_up(state: &State, draft: &mut Draft, step: u8, class: Option<NamingClass>) {
    match step {
        // A unit and its name belong to the class.
        1 if class.is_some() && draft.class() != class => {
            for field in ["district", "region", "name"] {
                draft.fields.remove(field);
            }
        }
        3 => {
            if let Some(class) = draft.class() {
                let name = state.desk().naming().complete(class, draft.get("name"));
                draft.fields.insert("name".to_owned(), name);
            }
        }
        4 => super::target::choose(state, draft),
        _ => {}
    }
}

/// Masks numbers that may be a NIK in the free text of a step; the fields that had some.
fn mask(draft: &mut Draft, zone: &str, step: u8) -> Vec<String> {
    let faults = masked_fields(&draft.application(zone)).into_iter();
    let fields: Vec<String> =
        faults.map(|fault| field_of(&fault.field)).filter(|field| step_of(field) == step).collect();
    for field in &fields {
        let text = mask_personal_numbers(draft.get(field));
        draft.fields.insert(field.clone(), text);
    }
    fields
}

/// Tests whether this network has not sent too many steps or files.
pub(super) fn may_save(state: &State, sent: &Sent) -> Result<(), Failure> {
    let visitor = &sent.visitor;
    if visitor.officer().is_some() {
        return Ok(());
    }
    let wanted = [Some(Route::Step), sent.upload.as_ref().map(|_| Route::Upload)];
    let mut wanted = wanted.into_iter().flatten();
    wanted
        .try_for_each(|route| state.limits().take(route, visitor.address))
        .map_err(Failure::too_many)
}

/// What is wrong with a field; an empty one is asked for by its label.
fn words_of_rule(t: Words, form: &Form, name: &str, rule: Rule) -> String {
    let field = form.fields.iter().find(|field| field.name == name);
    match field {
        Some(field) if rule == Rule::Empty => field.asks(t),
        _ => rule.say(t),
    }
}

/// What the procedure finds wrong with a draft already now.
pub(super) async fn found(state: &State, draft: &Draft) -> Result<Vec<Fault>, Failure> {
    let application = draft.application(&state.options().zone);
    // The letter's file is read by the step that takes it.
    Ok(state.work(move |state| state.desk().rehearse(application, true)).await??)
}

/// Of that, what is about the fields of this step; an empty field has been said by the step already.
async fn ruled_out(
    state: &State,
    t: Words,
    draft: &Draft,
    step: u8,
) -> Result<Vec<(String, String)>, Failure> {
    let faults = found(state, draft).await?;
    let own = faults.iter().filter_map(|fault| {
        let field = match field_of(&fault.field).as_str() {
            // The unit was chosen a step before; that it differs is seen by the name.
            "region" => "name".to_owned(),
            field => field.to_owned(),
        };
        let is_date = draft.get(&field).is_empty() && fault.rule == Rule::BadDate;
        // Whether a renewal needs a letter is seen by what it changes.
        let is_said = fault.rule == Rule::Empty && !(step == LAST && draft.goes_without_letter());
        let here = step_of(&field) == step && !is_said && !is_date;
        here.then(|| (field, fault.say(t)))
    });
    Ok(own.collect())
}

/// The page of a step.
fn step_page(
    state: &State,
    visitor: &Visitor,
    draft: &Draft,
    step: u8,
    form: Form,
    change: Change,
) -> StepPage {
    let t = visitor.t;
    let back = if change.is_on() { CHECK.to_owned() } else { before(draft, step) };
    let mut page = StepPage::new(visitor, step, &format!("apply-title-{step}"), &back, form);
    let silent = step == 2 && state.mailer().is_none();
    let lead_id = format!("apply-lead-{step}{}", if silent { "-no-mail" } else { "" });
    let given = if step == 3 { given_names(state, draft) } else { Vec::new() };
    if t.has(&lead_id) && given.is_empty() {
        page.lead.push(t.s(&lead_id));
    }
    let naming = state.desk().naming();
    let unit = draft.level().and_then(|_| naming.regions.get(draft.get("region")));
    match (step, unit) {
        (2, _) if draft.kind() == Some(Kind::HandOver) => {
            page.lead.push(t.s("apply-lead-hand-over"));
        }
        (5, _) if matches!(draft.kind(), Some(Kind::HandOver | Kind::Renew)) => {
            let kind = draft.kind().map_or("", Kind::as_str).replace('_', "-");
            page.lead.push(t.s(&format!("apply-lead-letter-{kind}")));
        }
        (2, _) if !matches!(draft.kind(), None | Some(Kind::New)) => {
            page.lead.push(t.s("apply-lead-owner"));
        }
        (3, Some(unit)) if !given.is_empty() => {
            let doubled = unit.level == Level::Desa && naming.regions.is_doubled(&unit.slug);
            let id = if doubled { "apply-given-doubled" } else { "apply-given" };
            page.lead.push(t.a(id, "unit", &unit.name));
        }
        _ => {}
    }
    if let (2, Some(unit)) = (step, unit) {
        let words = unit_label(&naming.regions, unit);
        page.said = Some((words, change.mark(DISTRICT)));
    }
    if step == 3 && draft.kind() == Some(Kind::New) && given.is_empty() {
        let fits = naming.suggest(&draft.application(&state.options().zone));
        let is_name = |name: &String| !name.is_empty() && !name.starts_with('.');
        page.suggestions = fits.into_iter().filter(is_name).collect();
    }
    page
}

/// The form of a step, filled in as far as the draft goes.
fn step_form(
    state: &State,
    visitor: &Visitor,
    draft: &Draft,
    step: u8,
    change: Change,
) -> Result<Form, Failure> {
    let t = visitor.t;
    let mut form = Form::new(&change.mark(&path_of(step)), &visitor.csrf, t.s("apply-next"));
    form.fields = step_fields(state, t, draft, step)?;
    if step == 3 {
        // What few need is folded away.
        let few = form
            .fields
            .iter()
            .position(|field| matches!(field.name.as_str(), "ends" | "exception"));
        if let Some(at) = few.filter(|_| !needs_end(draft)) {
            let given = !given_names(state, draft).is_empty();
            form = form.fold(at, t.s(if given { "apply-few-end" } else { "apply-few" }));
        }
        if given_names(state, draft).is_empty() {
            form = form.other("periksa", t.s("apply-check-name"));
        }
    }
    Ok(form.refill(|name| draft.get(name)))
}
