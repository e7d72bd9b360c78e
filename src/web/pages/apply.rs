//! The request form in six steps: one group of questions per page, a draft in between, a final check.
//!
//! ```text
//! 1 kind, class → 2 office, contact → 3 name → 4 target → 5 letter → 6 check answers → sent
//! ```
//! Every POST saves the draft and is answered by a redirect, so that Back always works. A step shows
//! the faults of its own fields, by the rules of the procedure for name and target; everything is tested
//! again when the request is sent, and each fault links back to its step.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;

use super::mailbox;
use super::parts::full_name;
use crate::queue::automatic::tidy;
use crate::queue::person::is_mailbox;
use crate::queue::regions::{Level, Regions, Unit};
use crate::queue::{Kind, NamingClass, Rule};
use crate::web::draft::{Draft, FORM, FormField, LIFT, RECORD_ROWS, field_of, label, step_of};
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::limits::Route;
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::status;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// The last step that is a form; the one after it is the last look.
pub(super) const LAST: u8 = 5;
/// Where the last look is.
pub(super) const CHECK: &str = "/permohonan/periksa";
/// What a letter may be.
pub(super) const LETTER_KINDS: &str = ".pdf,.jpg,.jpeg,.png,application/pdf,image/jpeg,image/png";

/// Record types the form offers; others come by a letter to the office.
const TYPES: [&str; 6] = ["A", "AAAA", "CNAME", "MX", "TXT", "NS"];

/// One step.
#[derive(Template)]
#[template(path = "step.html", config = "src/web/askama.toml")]
struct StepPage {
    /// Frame.
    shell: Shell,
    /// "Langkah 2 dari 6".
    caption: String,
    /// The page before.
    back: String,
    /// Paragraphs before the form.
    lead: Vec<String>,
    /// Names that would fit.
    suggestions: Vec<String>,
    /// What "Periksa nama" found good, or empty.
    good: String,
    /// The form.
    form: Form,
}

//------------ Steps ---------------------------------------------------------

/// `GET /permohonan`
pub(super) async fn start(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    Ok(see_other("/permohonan/1"))
}

/// `GET /permohonan/{step}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path(step): Path<u8>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    let form = step_form(&state, &visitor, &draft, step)?;
    page(&step_page(&state, &visitor, &draft, step, form, String::new()))
}

/// `POST /permohonan/{step}`
pub(super) async fn take(
    Extract(state): Extract<State>,
    Path(step): Path<u8>,
    mut sent: Sent,
) -> Result<Response, Failure> {
    sent.visitor.may_apply(&state)?;
    may_save(&state, &sent)?;
    let mut draft = Draft::load(&state, &sent.visitor.visit).await?;
    let names: Vec<String> = step_fields(&state, sent.visitor.t, &draft, step)?
        .into_iter()
        .map(|field| field.name)
        .collect();
    draft.take(&sent, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let letter = if step == LAST { draft.take_letter(&state, &mut sent).await } else { None };
    let visitor = &sent.visitor;
    draft.save(&state, visitor).await?;
    let mut form = step_form(&state, visitor, &draft, step)?;
    let asks_name = step == 3 && sent.get("lanjut") == "periksa";
    for (field, rule) in step_faults(&draft, step) {
        if letter.is_some() && field == "letter" {
            continue;
        }
        if !asks_name || field == "name" {
            let words = words_of_rule(visitor.t, &form, &field, rule);
            form = form.fault(&field, words);
        }
    }
    if let Some(fault) = &letter {
        form = form.fault("letter", fault.say(visitor.t));
    }
    if !form.is_faulty() && matches!(step, 3 | 4) {
        for (field, words) in ruled_out(&state, visitor.t, &draft, step).await? {
            form = form.fault(&field, words);
        }
    }
    if form.is_faulty() {
        let again = step_page(&state, visitor, &draft, step, form, String::new());
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let status = letter.map_or(unprocessable, |fault| status::of_code(fault.code));
        return page_with(status, &again);
    }
    if asks_name {
        let zone = state.options().zone.clone();
        let name = full_name(&tidy(draft.application(&zone), &state.desk().naming()).name, &zone);
        let good = visitor.t.a("apply-name-good", "name", &name);
        return page(&step_page(&state, visitor, &draft, step, form, good));
    }
    if step == 2 && mailbox::is_to_be_proven(&state, visitor, &draft).await? {
        return mailbox::begin(&state, visitor, &draft).await;
    }
    Ok(see_other(&after(&draft, step)))
}

/// Tests whether this network has not sent too many steps or files.
fn may_save(state: &State, sent: &Sent) -> Result<(), Failure> {
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

/// The faults that the procedure finds in name or target already now, by field of this step.
async fn ruled_out(
    state: &State,
    t: Words,
    draft: &Draft,
    step: u8,
) -> Result<Vec<(String, String)>, Failure> {
    let application = draft.application(&state.options().zone);
    let faults = state.work(move |state| state.desk().rehearse(application, true)).await??;
    let own = faults.iter().filter_map(|fault| {
        let field = match field_of(&fault.field).as_str() {
            // The unit was chosen a step before; that it differs is seen by the name.
            "region" => "name".to_owned(),
            field => field.to_owned(),
        };
        // An empty field of a later look has been said by the step already.
        (step_of(&field) == step && fault.rule != Rule::Empty).then(|| (field, fault.say(t)))
    });
    Ok(own.collect())
}

/// The page after a step; a kind that brings no records has no fourth step.
fn after(draft: &Draft, step: u8) -> String {
    match step {
        3 if !draft.wants_records() => "/permohonan/5".to_owned(),
        LAST => CHECK.to_owned(),
        step => format!("/permohonan/{}", step + 1),
    }
}

/// The page before a step.
fn before(draft: &Draft, step: u8) -> String {
    match step {
        0 | 1 => "/".to_owned(),
        5 if !draft.wants_records() => "/permohonan/3".to_owned(),
        step => format!("/permohonan/{}", step - 1),
    }
}

/// The page of a step.
fn step_page(
    state: &State,
    visitor: &Visitor,
    draft: &Draft,
    step: u8,
    form: Form,
    good: String,
) -> StepPage {
    let t = visitor.t;
    let suggestions = if step == 3 && draft.kind() == Some(Kind::New) {
        let fits = state.desk().naming().suggest(&draft.application(&state.options().zone));
        fits.into_iter().filter(|name| !name.is_empty() && !name.starts_with('.')).collect()
    } else {
        Vec::new()
    };
    let silent = step == 2 && state.mailer().is_none();
    let lead_id = format!("apply-lead-{step}{}", if silent { "-no-mail" } else { "" });
    StepPage {
        shell: Shell::new(visitor, t.s(&format!("apply-title-{step}"))).faulty(form.is_faulty()),
        caption: t.with("apply-caption", &[("step", &step.to_string()), ("last", "6")]),
        back: before(draft, step),
        lead: if t.has(&lead_id) { vec![t.s(&lead_id)] } else { Vec::new() },
        suggestions,
        good,
        form,
    }
}

/// The form of a step, filled in as far as the draft goes.
fn step_form(state: &State, visitor: &Visitor, draft: &Draft, step: u8) -> Result<Form, Failure> {
    let t = visitor.t;
    let action = format!("/permohonan/{step}");
    let mut form = Form::new(&action, &visitor.csrf, t.s("apply-next"));
    form.fields = step_fields(state, t, draft, step)?;
    if step == 3 {
        form = form.other("periksa", t.s("apply-check-name"));
    }
    if step == 4 {
        form = form.fold(2, t.s("apply-more"));
    }
    Ok(form.refill(|name| draft.get(name)))
}

/// The fields of a step.
pub(super) fn step_fields(
    state: &State,
    t: Words,
    draft: &Draft,
    step: u8,
) -> Result<Vec<Field>, Failure> {
    Ok(match step {
        1 => vec![kind_field(t), class_field(t)],
        2 => contact_fields(state, t, draft),
        3 => name_fields(state, t, draft),
        4 => record_fields(t),
        5 => letter_fields(t, draft),
        _ => return Err(Failure::not_found()),
    })
}

//------------ Fields --------------------------------------------------------

/// A field of the form, by its name in JSON.
fn field(t: Words, json: &str) -> Field {
    Field::line(t, &field_of(json), label(json))
}

/// What is to happen.
fn kind_field(t: Words) -> Field {
    let kinds = [Kind::New, Kind::Change, Kind::Suspend, Kind::Remove];
    let choices = kinds.map(|kind| Choice {
        value: kind.as_str().to_owned(),
        label: kind.say(t),
        hint: t.s(&format!("{}-hint", kind.id())),
    });
    field(t, "kind").input(Input::Radios(choices.to_vec()))
}

/// The naming class.
fn class_field(t: Words) -> Field {
    let choices = CLASSES.map(|class| Choice {
        value: class.as_str().to_owned(),
        label: class.say(t),
        hint: t.s(&format!("{}-hint", class.id())),
    });
    field(t, "class").input(Input::Radios(choices.to_vec()))
}

/// All classes, in the order the form shows them.
const CLASSES: [NamingClass; 8] = [
    NamingClass::Desa,
    NamingClass::Kelurahan,
    NamingClass::Kecamatan,
    NamingClass::PerangkatDaerah,
    NamingClass::Uptd,
    NamingClass::Layanan,
    NamingClass::Kegiatan,
    NamingClass::Ormas,
];

/// Office and person responsible.
fn contact_fields(state: &State, t: Words, draft: &Draft) -> Vec<Field> {
    let mut fields = vec![field(t, "office").autocomplete("organization")];
    fields.extend(region_field(&state.desk().naming().regions, t, draft));
    fields.extend([
        field(t, "contact.name").autocomplete("name"),
        field(t, "contact.position").autocomplete("organization-title"),
        field(t, "contact.nip").optional().inputmode("numeric").width("w-m"),
        field(t, "contact.email").input(Input::Line("email")).autocomplete("email"),
        field(t, "contact.phone").input(Input::Line("tel")).autocomplete("tel").width("w-m"),
    ]);
    fields
}

/// The unit, where the class is one of the regency's list.
fn region_field(regions: &Regions, t: Words, draft: &Draft) -> Option<Field> {
    let level = match draft.class()? {
        NamingClass::Desa => Level::Desa,
        NamingClass::Kelurahan => Level::Kelurahan,
        NamingClass::Kecamatan => Level::Kecamatan,
        _ => return None,
    };
    let mut units: Vec<_> = regions.of(level).collect();
    units.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.code.cmp(&b.code)));
    let mut choices = vec![Choice::new("", t.s("apply-region-none"))];
    choices
        .extend(units.into_iter().map(|unit| Choice::new(&unit.code, unit_label(regions, unit))));
    Some(field(t, "region").input(Input::Select(choices)).width("w-m"))
}

/// A unit with its district, because village names repeat.
fn unit_label(regions: &Regions, unit: &Unit) -> String {
    match regions.district_of(unit).filter(|_| unit.level != Level::Kecamatan) {
        Some(district) => format!("{} – Kec. {}", unit.name, district.name),
        None => unit.name.clone(),
    }
}

/// The unit of a code in words, with the code; an unknown code stays as it is.
pub(super) fn unit_words(regions: &Regions, code: &str) -> String {
    let unit = regions.get(code.trim());
    unit.map_or_else(|| code.to_owned(), |it| format!("{} ({})", unit_label(regions, it), it.code))
}

/// The label of a field, whatever step it is on.
pub(super) fn label_of(state: &State, t: Words, draft: &Draft, name: &str) -> Option<String> {
    let fields = step_fields(state, t, draft, step_of(name)).unwrap_or_default();
    fields.into_iter().find(|field| field.name == name).map(|field| field.label)
}

/// Name, purpose, period.
fn name_fields(state: &State, t: Words, draft: &Draft) -> Vec<Field> {
    let zone = state.options().zone.trim_end_matches('.');
    let mut fields = vec![
        field(t, "name").suffix(&format!(".{zone}")).width("w-m"),
        field(t, "purpose").input(Input::Area),
    ];
    if draft.kind() == Some(Kind::Suspend) {
        let lift = vec![Choice::new(LIFT, t.s("apply-lift-yes"))];
        fields.push(field(t, "lift").input(Input::Checks(lift)).optional());
    }
    if draft.kind() == Some(Kind::New) {
        let ends = field(t, "ends").input(Input::Line("date")).width("w-s");
        let needed = matches!(draft.class(), Some(NamingClass::Kegiatan | NamingClass::Ormas));
        fields.push(field(t, "starts").input(Input::Line("date")).optional().width("w-s"));
        fields.push(if needed { ends } else { ends.optional() });
        fields.push(field(t, "exception").input(Input::Area).optional());
    }
    fields
}

/// Rows of type and data; the first is needed.
fn record_fields(t: Words) -> Vec<Field> {
    let choices =
        TYPES.map(|rtype| Choice::new(rtype, t.s(&format!("apply-type-{}", rtype.to_lowercase()))));
    let mut fields = Vec::new();
    for at in 0..RECORD_ROWS {
        let number = (at + 1).to_string();
        let mut rtype = Field::line(t, &format!("type{at}"), "apply-type")
            .input(Input::Select(choices.to_vec()))
            .width("w-m");
        rtype.label = t.a("apply-type-n", "number", &number);
        let mut data = Field::line(t, &format!("data{at}"), "apply-data").width("w-m");
        data.label = t.a("apply-data-n", "number", &number);
        if at > 0 {
            data.hint = String::new();
            data = data.optional();
        }
        fields.extend([rtype, data]);
    }
    fields
}

/// Number, date and file of the letter.
fn letter_fields(t: Words, draft: &Draft) -> Vec<Field> {
    let mut file = Field::line(t, "letter", "apply-letter").input(Input::File(LETTER_KINDS));
    if let Some(letter) = &draft.letter {
        let kib = letter.letter.bytes().len().div_ceil(1024);
        let size = t.count(u64::try_from(kib).unwrap_or(u64::MAX));
        file.hint = t.with("apply-letter-there", &[("name", &letter.name), ("size", &size)]);
        file = file.optional();
    }
    vec![
        field(t, "letter.number").width("w-m"),
        field(t, "letter.date").input(Input::Line("date")).width("w-s"),
        file,
    ]
}

//------------ What a step sees for itself -----------------------------------

/// Empty fields that are needed, in the order of the page.
fn step_faults(draft: &Draft, step: u8) -> Vec<(String, Rule)> {
    let needed = FORM.iter().filter(|field| field.step == step && field.needed);
    let empty = needed.map(FormField::name).filter(|name| draft.get(name).is_empty());
    let named = matches!(
        draft.class(),
        Some(NamingClass::Desa | NamingClass::Kelurahan | NamingClass::Kecamatan)
    );
    let mut faults: Vec<_> = empty.map(|name| (name, Rule::Empty)).collect();
    if step == 2 && named && draft.get("region").is_empty() {
        faults.insert(faults.len().min(1), ("region".to_owned(), Rule::Empty));
    }
    if step == 5 && draft.letter.is_none() {
        faults.push(("letter".to_owned(), Rule::NoLetter));
    }
    let email = draft.get("contact_email");
    if step == 2 && !email.is_empty() && !is_mailbox(email) {
        faults.push(("contact_email".to_owned(), Rule::BadEmail));
    }
    let class = draft.class();
    let ends_needed = matches!(class, Some(NamingClass::Kegiatan | NamingClass::Ormas));
    if step == 3 && ends_needed && draft.kind() == Some(Kind::New) && draft.get("ends").is_empty() {
        faults.push(("ends".to_owned(), Rule::EndDateNeeded));
    }
    faults
}
