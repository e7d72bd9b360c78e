//! Forms that change a list: one row, a week of hours, the office's lines, an import, holidays of fixed
//! dates, a former version. None of them changes anything: each leads to the page that shows the change.

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::list_change::place_of_change;
use super::lists::{column_id, day_words, headings, list_of, place_of, spans_words, title_of};
use super::sign_in::proof_first;
use crate::people::{Role, random_token};
use crate::queue::calendar::DAYS;
use crate::queue::lists::{Diff, List, RowFault, Table};
use crate::queue::time::year_of;
use crate::queue::{Fault, Hours, Rule};
use crate::spreadsheet::text_of;
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Lang, Said, Words};

/// Who changes lists.
const WRITERS: [Role; 1] = [Role::Operator];
/// Month and day of holidays that have the same date every year.
const FIXED: [&str; 5] = ["01-01", "05-01", "06-01", "08-17", "12-25"];

/// A form that changes a list.
#[derive(Template)]
#[template(path = "list_form.html", config = "src/web/askama.toml")]
struct ListFormPage {
    /// Frame.
    shell: Shell,
    /// The address of the list.
    place: String,
    /// What is wrong: where to mend it, and what.
    faults: Vec<(String, String)>,
    /// What is expected.
    lead: String,
    /// The form.
    form: Form,
}

/// Keeps a change and leads to the page that shows it.
async fn propose(
    state: &State,
    visitor: &Visitor,
    list: List,
    table: Option<Table>,
) -> Result<Response, Failure> {
    let actor = visitor.need(&WRITERS)?.actor();
    let id = random_token().map_err(Failure::internal)?;
    let place = place_of_change(list, &id);
    state.work(move |state| state.desk().propose_list(&id, list, table.as_ref(), &actor)).await??;
    Ok(see_other(&place))
}

//------------ One row -------------------------------------------------------

/// Which row.
#[derive(Deserialize)]
pub(super) struct Chosen {
    /// Its key; empty for a new one.
    #[serde(default)]
    baris: String,
}

/// `GET /pengaturan/daftar/{list}/ubah`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path(slug): Path<String>,
    Query(chosen): Query<Chosen>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&WRITERS)?, &visitor)?;
    let list = list_of(&slug)?;
    let table = state.desk().list_in_force(list).table;
    if !chosen.baris.is_empty() && table.row(&chosen.baris).is_none() {
        return Err(Failure::not_found());
    }
    page(&row_page(&visitor, list, row_form(&visitor, &table, &chosen.baris)))
}

/// `POST /pengaturan/daftar/{list}/ubah`
pub(super) async fn take(
    Extract(state): Extract<State>,
    Path(slug): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.need(&WRITERS)?;
    let list = list_of(&slug)?;
    let before = state.desk().list_in_force(list).table;
    let key = sent.get("baris");
    if sent.get("lanjut") == "hapus" {
        let without = before.without(key);
        let faults = without.faults();
        if faults.is_empty() {
            return propose(&state, visitor, list, Some(without)).await;
        }
        let form = row_form(visitor, &before, key).refill(|name| sent.get(name));
        return turned_back(visitor, list, form, faults.into_iter().map(|it| it.fault).collect());
    }
    let tried = changed(list, &before, &sent);
    let faults = match tried {
        Ok(after) if !Diff::between(&before, &after).is_empty() => {
            return propose(&state, visitor, list, Some(after)).await;
        }
        Ok(_) => Vec::new(),
        Err(faults) => faults,
    };
    let form = row_form(visitor, &before, key).refill(|name| sent.get(name));
    turned_back(visitor, list, form, faults)
}

/// The list with what was filled in; or what is wrong, by field.
fn changed(list: List, before: &Table, sent: &Sent) -> Result<Table, Vec<Fault>> {
    let after = match list {
        List::Hours => {
            let days = week(sent)?.into_iter();
            days.fold(before.clone(), |table, row| table.with(&row))
        }
        List::Identity => {
            let mut faults = Vec::new();
            let mut after = before.clone();
            for row in before.rows() {
                let Some(key) = row.first() else { continue };
                match Table::read_one(list, vec![key.clone(), sent.get(key).to_owned()]) {
                    Ok(row) => after = after.with(&row),
                    Err(found) => faults.extend(found.into_iter().map(|it| of_field(it, key))),
                }
            }
            if faults.is_empty() { after } else { return Err(faults) }
        }
        _ => with_row(list, before, sent)?,
    };
    let faults = after.faults();
    if faults.is_empty() { Ok(after) } else { Err(faults.into_iter().map(|it| it.fault).collect()) }
}

/// The list with the row that was filled in.
fn with_row(list: List, before: &Table, sent: &Sent) -> Result<Table, Vec<Fault>> {
    let hours = if list == List::OtherHours { hours_text(&week(sent)?) } else { String::new() };
    let cells = list.columns().iter().map(|column| match (list, *column) {
        (List::OtherHours, "hours") => hours.clone(),
        (_, column) => sent.get(column).to_owned(),
    });
    // A week without hours is wrong at its first day: the column is no field of the form.
    let at_field = |it: Fault| if it.field == "hours" { of_field(it, DAYS[0]) } else { it };
    let row = Table::read_one(list, cells.collect())
        .map_err(|found| found.into_iter().map(at_field).collect::<Vec<_>>())?;
    let (key, old) = (row.rows().first().and_then(|row| row.first()), sent.get("baris"));
    let rest = before.without(old);
    if let Some(key) = key.filter(|key| rest.row(key).is_some()) {
        let column = list.columns().first().copied().unwrap_or_default();
        return Err(vec![Fault::new(column, Rule::DoubledRow, key)]);
    }
    // One that keeps its key keeps its place.
    let renamed = key.is_some_and(|key| key != old);
    Ok(if renamed { rest.with(&row) } else { before.with(&row) })
}

/// The days of a week as they were filled in; or what is wrong, by day.
fn week(sent: &Sent) -> Result<Vec<Table>, Vec<Fault>> {
    let t = sent.visitor.t;
    let (mut days, mut faults) = (Vec::new(), Vec::new());
    for day in DAYS {
        match Table::read_one(List::Hours, vec![day.to_owned(), sent.get(day).to_owned()]) {
            Ok(row) => days.push(row),
            Err(_) => faults.push(Fault::new(day, Rule::BadHours, day_words(t, day))),
        }
    }
    if faults.is_empty() { Ok(days) } else { Err(faults) }
}

/// The same fault at another field.
fn of_field(fault: Fault, field: &str) -> Fault {
    Fault { field: field.to_owned(), ..fault }
}

/// A week as one text.
fn hours_text(week: &[Table]) -> String {
    let days = week.iter().flat_map(Table::rows).filter_map(|row| match row.as_slice() {
        [day, hours] if !hours.is_empty() => Some(format!("{day} {hours}")),
        _ => None,
    });
    days.collect::<Vec<_>>().join(";")
}

/// The form with what is wrong; without a fault, that nothing changes.
fn turned_back(
    visitor: &Visitor,
    list: List,
    form: Form,
    faults: Vec<Fault>,
) -> Result<Response, Failure> {
    let t = visitor.t;
    let (mut form, others) = form.take_faults(t, &faults);
    let first = others.first().map(|fault| fault.say(t));
    if let Some(words) = first.or_else(|| faults.is_empty().then(|| t.s("list-same"))) {
        form = form.fault("", words);
    }
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &row_page(visitor, list, form))
}

/// The form of a row, or of a list whose rows are given.
fn row_form(visitor: &Visitor, table: &Table, key: &str) -> Form {
    let (t, list) = (visitor.t, table.list);
    let action = format!("{}/ubah", place_of(list));
    let form = Form::new(&action, &visitor.csrf, t.s("list-next"));
    match list {
        List::Hours => {
            week_fields(t, |day| table.cell(day, 1).to_owned()).into_iter().fold(form, Form::field)
        }
        List::Identity => {
            let lines = table.rows().iter().filter_map(|row| Some((row.first()?, row.get(1)?)));
            lines.map(|(key, value)| identity_field(t, key, value)).fold(form, Form::field)
        }
        _ => {
            let form = form.field(Field::hidden("baris", key));
            let fields = list.columns().iter().enumerate();
            let form = fields
                .flat_map(|(at, column)| cell_fields(t, list, column, table.cell(key, at)))
                .enumerate()
                .map(|(at, field)| if is_optional(list, at) { field.optional() } else { field })
                .fold(form, Form::field);
            if key.is_empty() { form } else { form.other("hapus", t.s("list-remove")) }
        }
    }
}

/// Whether a column may stay empty.
fn is_optional(list: List, at: usize) -> bool {
    list.optional().contains(&at)
}

/// The fields of a cell: one, or those of a week.
fn cell_fields(t: Words, list: List, column: &'static str, value: &str) -> Vec<Field> {
    let line = || Field::line(t, column, &column_id(list, column)).value(value);
    match (list, column) {
        (List::OtherHours, "hours") => {
            let hours = Hours::parse(value).unwrap_or_default();
            let days: Vec<String> = hours.days().map(crate::queue::calendar::spans_text).collect();
            let of = |day: &str| {
                let at = DAYS.iter().position(|known| *known == day);
                at.and_then(|at| days.get(at)).cloned().unwrap_or_default()
            };
            week_fields(t, of)
        }
        (List::Holidays, "date") | (List::OtherHours, "first" | "last") => {
            vec![line().input(Input::Line("date")).width("w-s")]
        }
        (List::Regions, "jenis") => {
            let levels = ["kecamatan", "kelurahan", "desa"]
                .map(|level| Choice::new(level, super::lists::cell_words(t, list, 1, level)));
            vec![line().input(Input::Radios(levels.to_vec()))]
        }
        _ => vec![line()],
    }
}

/// A field for each day of a week.
fn week_fields(t: Words, hours: impl Fn(&str) -> String) -> Vec<Field> {
    let field = |day: &'static str| {
        let label = t.a("hours-day", "day", &day_words(t, day));
        let mut field = Field::labelled(day, label).value(&spans_words(t, &hours(day)));
        // Said once: the others are filled in alike.
        field.hint = if day == DAYS[0] { t.s("hours-hint") } else { String::new() };
        field.width("w-m")
    };
    DAYS.map(field).to_vec()
}

/// A line of the office's identity.
fn identity_field(t: Words, key: &str, value: &str) -> Field {
    let id = format!("identity-{}", key.replace('_', "-"));
    let field = Field::line(t, key, &id).value(value);
    let may_be_empty =
        crate::queue::lists::IDENTITY.iter().any(|(known, empty)| *known == key && *empty);
    let field = match key {
        "paper" => {
            let sizes =
                ["a4", "f4"].map(|it| Choice::new(it, t.s(&format!("identity-paper-{it}"))));
            field.input(Input::Radios(sizes.to_vec()))
        }
        "email" => field.input(Input::Line("email")),
        _ => field,
    };
    if may_be_empty { field.optional() } else { field }
}

/// The page around the form.
fn row_page(visitor: &Visitor, list: List, form: Form) -> ListFormPage {
    let t = visitor.t;
    let is_new = form.others.is_empty() && !list.is_fixed();
    let id = if is_new { "list-add-title" } else { "list-edit-title" };
    let title = t.a(id, "list", &title_of(t, list));
    let faults = form.faults().into_iter();
    ListFormPage {
        shell: Shell::new(visitor, title).faulty(form.is_faulty()),
        place: place_of(list),
        faults: faults.map(|(name, text)| (format!("#{name}"), text.to_owned())).collect(),
        lead: t.s("list-form-lead"),
        form,
    }
}

//------------ Import --------------------------------------------------------

/// `GET /pengaturan/daftar/{list}/impor`
pub(super) async fn ask_import(
    Extract(state): Extract<State>,
    Path(slug): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&WRITERS)?, &visitor)?;
    let list = list_of(&slug)?;
    page(&import_page(&visitor, list, import_form(&visitor, list), Vec::new()))
}

/// `POST /pengaturan/daftar/{list}/impor`
pub(super) async fn import(
    Extract(state): Extract<State>,
    Path(slug): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.need(&WRITERS)?;
    let list = list_of(&slug)?;
    let t = visitor.t;
    let form = import_form(visitor, list).refill(|name| sent.get(name));
    let text = match sent.upload.as_ref().map(|file| text_of(&file.bytes)) {
        Some(Ok(text)) => text.to_owned(),
        Some(Err(fault)) => {
            let faults = vec![("#file".to_owned(), fault.say(t))];
            let again = import_page(visitor, list, form.fault("file", fault.say(t)), faults);
            return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
        }
        None => sent.raw("text").to_owned(),
    };
    if text.trim().is_empty() {
        let form = form.fault("text", t.s("list-import-both"));
        let faults = vec![("#text".to_owned(), t.s("list-import-both"))];
        let again = import_page(visitor, list, form, faults);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    let before = state.desk().list_in_force(list).table;
    let adds = sent.get("how") != "ganti";
    // Rows that are added are judged with the list they come into: a village whose district is there.
    let heads = [Lang::Id, Lang::En].map(|lang| headings(Words::of(lang), list));
    let read = Table::read_rows(list, &text, sent.get("source"), &heads)
        .and_then(|new| if adds { before.with(&new) } else { new }.checked());
    let faults = match read {
        Ok(after) if !Diff::between(&before, &after).is_empty() => {
            return propose(&state, visitor, list, Some(after)).await;
        }
        Ok(_) => vec![("#text".to_owned(), t.s("list-same"))],
        Err(faults) => {
            faults.iter().map(|it| ("#text".to_owned(), line_words(t, list, it))).collect()
        }
    };
    let first = faults.first().map(|(_, words)| words.clone()).unwrap_or_default();
    let again = import_page(visitor, list, form.fault("text", first), faults);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
}

/// What is wrong with a line, in words.
fn line_words(t: Words, list: List, it: &RowFault) -> String {
    if it.line == 0 {
        return it.fault.say(t);
    }
    let column = t.s(&column_id(list, &it.fault.field));
    let (line, text) = (it.line.to_string(), it.fault.say(t));
    t.with("list-line", &[("line", &line), ("column", &column), ("text", &text)])
}

/// The form of an import.
fn import_form(visitor: &Visitor, list: List) -> Form {
    let t = visitor.t;
    let ways = [("tambah", "add"), ("ganti", "replace")].map(|(value, id)| Choice {
        value: value.to_owned(),
        label: t.s(&format!("list-import-{id}")),
        hint: t.s(&format!("list-import-{id}-hint")),
    });
    let form = Form::new(&format!("{}/impor", place_of(list)), &visitor.csrf, t.s("list-next"))
        .field(Field::line(t, "text", "list-import-text").input(Input::Area))
        .field(Field::line(t, "file", "list-import-file").input(Input::File(".csv,.txt,text/csv")))
        .field(
            Field::line(t, "how", "list-import-how")
                .input(Input::Radios(ways.to_vec()))
                .value("tambah"),
        );
    if list == List::Holidays {
        form.field(Field::line(t, "source", "list-import-source").optional())
    } else {
        form
    }
}

/// The page around it.
fn import_page(
    visitor: &Visitor,
    list: List,
    form: Form,
    faults: Vec<(String, String)>,
) -> ListFormPage {
    let t = visitor.t;
    let columns = headings(t, list).join(", ");
    ListFormPage {
        shell: Shell::new(visitor, t.a("list-import-title", "list", &title_of(t, list)))
            .faulty(!faults.is_empty()),
        place: place_of(list),
        faults,
        lead: t.a("list-import-lead", "columns", &columns),
        form,
    }
}

//------------ Buttons -------------------------------------------------------

/// `POST /pengaturan/daftar/{list}/salin`: holidays of fixed dates, from this year to the next.
pub(super) async fn copy(
    Extract(state): Extract<State>,
    Path(slug): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.need(&WRITERS)?;
    if list_of(&slug)? != List::Holidays {
        return Err(Failure::not_found());
    }
    let before = state.desk().list_in_force(List::Holidays).table;
    let this = year_of(state.desk().now());
    let rows = before.rows().iter().filter_map(|row| match row.as_slice() {
        [date, name, source] => {
            let day = date.strip_prefix(&format!("{this}-"))?;
            FIXED
                .contains(&day)
                .then(|| [format!("{}-{day}", this + 1), name.clone(), source.clone()])
        }
        _ => None,
    });
    let mut after = before.clone();
    for row in rows {
        // Good cells with another year stay good.
        if let Ok(row) = Table::read_one(List::Holidays, row.to_vec()) {
            after = after.with(&row);
        }
    }
    if after == before {
        return Ok(see_other(&place_of(List::Holidays)));
    }
    propose(&state, visitor, List::Holidays, Some(after)).await
}

/// `POST /pengaturan/daftar/{list}/pulihkan`: a former version; 0 goes back to where the list came from.
pub(super) async fn restore(
    Extract(state): Extract<State>,
    Path(slug): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let actor = visitor.need(&WRITERS)?.actor();
    let list = list_of(&slug)?;
    let version: i64 = sent.get("versi").parse().map_err(|_| Failure::not_found())?;
    let table = match version {
        0 => None,
        _ => state.work(move |state| state.desk().list_at(list, version, &actor)).await??,
    };
    propose(&state, visitor, list, table).await
}
