//! The lists of the settings: one with search and pages, as a file, and its former versions. Forms are in
//! `list_forms`, what a change does and its one button in `list_change`.

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::sign_in::proof_first;
use crate::desk::{ActError, ListOrigin, ListView};
use crate::people::{Account, Role};
use crate::queue::lists::List;
use crate::queue::time::year_of;
use crate::queue::{Hours, NamingClass};
use crate::spreadsheet::disarmed;
use crate::store::lists::VersionRow;
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::encode;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Lang, Said, Words};

/// Where the settings are.
pub(super) const SETTINGS: &str = "/pengaturan";
/// Rows of a page.
const ROWS: usize = 50;
/// Who may look at the settings.
pub(super) const READERS: [Role; 2] = [Role::Operator, Role::Auditor];

//------------ Words ---------------------------------------------------------

/// The lists with the last part of their addresses.
const SLUGS: [(List, &str); 11] = [
    (List::Identity, "kantor"),
    (List::Hours, "jam-kerja"),
    (List::OtherHours, "jam-khusus"),
    (List::Holidays, "hari-libur"),
    (List::Offices, "perangkat-daerah"),
    (List::Regions, "wilayah"),
    (List::Spellings, "ejaan"),
    (List::Reserved, "nama-dicadangkan"),
    (List::Hijackable, "tujuan-rawan"),
    (List::Indonesia, "jaringan-indonesia"),
    (List::Hostings, "hosting"),
];

/// The address of a list.
pub(super) fn place_of(list: List) -> String {
    let slug = SLUGS.iter().find(|(known, _)| *known == list).map_or("", |(_, slug)| slug);
    format!("{SETTINGS}/daftar/{slug}")
}

/// The list of the last part of an address.
pub(super) fn list_of(slug: &str) -> Result<List, Failure> {
    let found = SLUGS.iter().find(|(_, known)| *known == slug);
    found.map(|(list, _)| *list).ok_or_else(Failure::not_found)
}

/// The message id of something of a list.
pub(super) fn list_id(list: List, rest: &str) -> String {
    format!("list-{}{rest}", list.as_str().replace('_', "-"))
}

/// The name of a list.
pub(super) fn title_of(t: Words, list: List) -> String {
    t.s(&list_id(list, ""))
}

/// The message id of a column.
pub(super) fn column_id(list: List, column: &str) -> String {
    format!("col-{}-{column}", list.as_str().replace('_', "-"))
}

/// A cell in words.
pub(super) fn cell_words(t: Words, list: List, column: usize, cell: &str) -> String {
    match (list, column) {
        (List::Holidays, 0) | (List::OtherHours, 0 | 1) => t.iso_date(cell),
        (List::OtherHours, 3) => Hours::parse(cell).map(|it| t.hours(&it)).unwrap_or_default(),
        (List::Hours, 0) => day_words(t, cell),
        (List::Hours, 1) if cell.is_empty() => t.s("hours-closed"),
        (List::Hours, 1) => spans_words(t, cell),
        (List::Regions, 1) => {
            NamingClass::from_name(cell).map_or_else(|| cell.to_owned(), |it| it.say(t))
        }
        (List::Identity, 0) => t.s(&format!("identity-{}", cell.replace('_', "-"))),
        (List::Identity, 1) if ["a4", "f4"].contains(&cell) => {
            t.s(&format!("identity-paper-{cell}"))
        }
        _ if cell.is_empty() => "–".to_owned(),
        _ => cell.to_owned(),
    }
}

/// A day of the week.
pub(super) fn day_words(t: Words, day: &str) -> String {
    let at = crate::queue::calendar::DAYS.iter().position(|known| *known == day).unwrap_or(0);
    t.s(&format!("weekday-{}", at + 1))
}

/// The hours of a day as people write them, which also reads back.
pub(super) fn spans_words(t: Words, cell: &str) -> String {
    let text = cell.replace(',', ", ");
    if t.lang() == Lang::Id { text.replace(':', ".") } else { text }
}

/// The name of a person.
pub(super) fn who(people: &[Account], person: &str) -> String {
    let known = people.iter().find(|one| one.id == person);
    known.map_or_else(|| person.to_owned(), |one| one.full_name.clone())
}

/// Where a list comes from.
pub(super) fn origin_words(t: Words, view: &ListView, people: &[Account]) -> String {
    let by = |id: &str, row: &VersionRow| {
        let (who, when) = (who(people, &row.person), t.date_time(row.at_ms));
        t.with(id, &[("who", &who), ("when", &when)])
    };
    let own = match view.origin {
        ListOrigin::Shipped => t.s("origin-shipped"),
        ListOrigin::File => t.a("origin-file", "key", view.table.list.setting()),
        ListOrigin::Page => String::new(),
    };
    match (&view.version, view.origin) {
        (Some(row), ListOrigin::Page) => by("origin-page", row),
        (Some(row), _) => format!("{own}. {}", by("origin-back", row)),
        (None, _) => own,
    }
}

/// The column headings of a list.
pub(super) fn headings(t: Words, list: List) -> Vec<String> {
    list.columns().iter().map(|column| t.s(&column_id(list, column))).collect()
}

/// A row in words.
pub(super) fn row_words(t: Words, list: List, row: &[String]) -> Vec<String> {
    row.iter().enumerate().map(|(at, cell)| cell_words(t, list, at, cell)).collect()
}

/// The year in which holidays must be known soon and of which none is: from October on, the next one.
pub(super) fn empty_year(state: &State) -> Option<i32> {
    state.desk().year_without_holidays()
}

//------------ One list ------------------------------------------------------

/// What is looked for in a list.
#[derive(Deserialize)]
pub(super) struct Wanted {
    /// Words.
    #[serde(default)]
    cari: String,
    /// A year, of holidays.
    #[serde(default)]
    tahun: String,
    /// Which page, from 1.
    #[serde(default)]
    hal: String,
    /// `terapkan` just after a change.
    #[serde(default)]
    hasil: String,
}

/// One row.
pub(super) struct Row {
    /// Its cells in words.
    cells: Vec<String>,
    /// Where it is changed; empty where it is not changed by itself.
    place: String,
}

/// A list.
#[derive(Template)]
#[template(path = "list.html", config = "src/web/askama.toml")]
struct ListPage {
    /// Frame.
    shell: Shell,
    /// What it is for.
    lead: String,
    /// What was done just now, or empty.
    done: String,
    /// What is to be heeded.
    notes: Vec<String>,
    /// Where it comes from.
    origin: String,
    /// Its address.
    place: String,
    /// Whether the visitor may change it.
    may_change: bool,
    /// Whether its rows are given.
    is_fixed: bool,
    /// The year holidays of fixed dates may be copied to, and from which.
    copy: Option<(String, String)>,
    /// The search; none where there is little to search.
    form: Option<Form>,
    /// How many rows were found.
    found: String,
    /// Column headings.
    columns: Vec<String>,
    /// Rows.
    rows: Vec<Row>,
    /// The page before.
    previous: Option<String>,
    /// The page after.
    next: Option<String>,
}

/// `GET /pengaturan/daftar/{list}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path(slug): Path<String>,
    Query(wanted): Query<Wanted>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&READERS)?;
    let list = list_of(&slug)?;
    let t = visitor.t;
    let (view, people) = look(&state, list).await?;
    let years = years_of(&view, list);
    let sought = wanted.cari.to_lowercase();
    let rows: Vec<(&[String], Vec<String>)> = view
        .table
        .rows()
        .iter()
        .filter(|row| {
            let of_year = row.first().is_some_and(|it| it.starts_with(&wanted.tahun));
            !is_dated(list) || of_year
        })
        .map(|row| (row.as_slice(), row_words(t, list, row)))
        .filter(|(row, words)| {
            let cells = row.iter().chain(words);
            sought.is_empty() || cells.into_iter().any(|it| it.to_lowercase().contains(&sought))
        })
        .collect();
    let at = wanted.hal.parse::<usize>().unwrap_or(1).clamp(1, rows.len() / ROWS + 1);
    let from = (at - 1) * ROWS;
    let place = place_of(list);
    let may_change = session.holds_one_of(&[Role::Operator]);
    let address = |hal: usize| {
        let (cari, tahun) = (encode(&wanted.cari), encode(&wanted.tahun));
        format!("{place}?cari={cari}&tahun={tahun}&hal={hal}")
    };
    let shown = rows.iter().skip(from).take(ROWS).map(|(row, cells)| Row {
        cells: cells.clone(),
        place: if may_change && !list.is_fixed() {
            format!("{place}/ubah?baris={}", encode(row.first().map_or("", String::as_str)))
        } else {
            String::new()
        },
    });
    let shadowed = view.origin == ListOrigin::Page && view.in_file;
    let mut notes = Vec::new();
    if shadowed {
        notes.push(t.a("list-shadowed", "key", list.setting()));
    }
    let year = empty_year(&state).filter(|_| list == List::Holidays);
    notes.extend(year.map(|year| t.a("settings-year-empty", "year", &year.to_string())));
    let this = year_of(state.desk().now());
    let may_copy = may_change
        && list == List::Holidays
        && years.contains(&this.to_string())
        && !years.contains(&(this + 1).to_string());
    page(&ListPage {
        shell: Shell::new(&visitor, title_of(t, list)).wide(),
        lead: t.s(&list_id(list, "-lead")),
        done: if wanted.hasil == "terapkan" { t.s("list-applied") } else { String::new() },
        notes,
        origin: origin_words(t, &view, &people),
        may_change,
        is_fixed: list.is_fixed(),
        copy: may_copy.then(|| (this.to_string(), (this + 1).to_string())),
        form: (!list.is_fixed()).then(|| filters(&visitor, list, &wanted, &years)),
        found: t.a("list-found", "count", &t.count(rows.len() as u64)),
        columns: headings(t, list),
        rows: shown.collect(),
        previous: (at > 1).then(|| address(at - 1)),
        next: (rows.len() > from + ROWS).then(|| address(at + 1)),
        place,
    })
}

/// Whether the rows of a list begin with a date.
fn is_dated(list: List) -> bool {
    matches!(list, List::Holidays | List::OtherHours)
}

/// The years of a list's dates.
fn years_of(view: &ListView, list: List) -> Vec<String> {
    let rows = view.table.rows().iter().filter(|_| is_dated(list));
    let mut years: Vec<String> =
        rows.filter_map(|row| Some(row.first()?.get(..4)?.to_owned())).collect();
    years.dedup();
    years
}

/// The search.
fn filters(visitor: &Visitor, list: List, wanted: &Wanted, years: &[String]) -> Form {
    let t = visitor.t;
    let mut form = Form::new(&place_of(list), &visitor.csrf, t.s("list-search"))
        .field(Field::line(t, "cari", "list-search").value(&wanted.cari));
    if is_dated(list) {
        let all = Choice::new("", t.s("list-years-all"));
        let years = years.iter().map(|year| Choice::new(year, year.clone()));
        let choices = std::iter::once(all).chain(years).collect();
        form = form.field(
            Field::line(t, "tahun", "list-year").input(Input::Select(choices)).value(&wanted.tahun),
        );
    }
    form
}

/// A list as it is in force, and the accounts.
pub(super) async fn look(state: &State, list: List) -> Result<(ListView, Vec<Account>), Failure> {
    let found = state.work(move |state| {
        Ok::<_, ActError>((
            state.desk().list_in_force(list),
            state.people().list().unwrap_or_default(),
        ))
    });
    Ok(found.await??)
}

/// `GET /pengaturan/daftar/{list}/isi.csv`: the list as in force, with semicolons and a byte order mark, as
/// spreadsheets here expect; it reads back by an import.
pub(super) async fn csv(
    Extract(state): Extract<State>,
    Path(slug): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.need(&READERS)?;
    let list = list_of(&slug)?;
    let text = state.desk().list_in_force(list).table.csv(b';', disarmed);
    let text = format!("\u{feff}{text}");
    let name = format!("attachment; filename=\"{slug}.csv\"");
    let headers =
        [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, text).into_response())
}

//------------ Former versions -----------------------------------------------

/// One version.
struct Version {
    /// Its number.
    number: i64,
    /// When it was made.
    when: String,
    /// By whom.
    who: String,
    /// What for.
    why: String,
    /// What it holds.
    rows: String,
    /// Whether it is in force.
    in_force: bool,
}

/// All versions.
#[derive(Template)]
#[template(path = "list_history.html", config = "src/web/askama.toml")]
struct HistoryPage {
    /// Frame.
    shell: Shell,
    /// The address of the list.
    place: String,
    /// Whether the visitor may restore one.
    may_change: bool,
    /// Versions.
    versions: Vec<Version>,
    /// The button that goes back to where the list came from; none if it is there.
    back: Option<String>,
}

/// `GET /pengaturan/daftar/{list}/riwayat`
pub(super) async fn history(
    Extract(state): Extract<State>,
    Path(slug): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&READERS)?;
    let may_change = session.holds_one_of(&[Role::Operator]);
    if may_change {
        proof_first(&state, session, &visitor)?;
    }
    let list = list_of(&slug)?;
    let t = visitor.t;
    let rows = state.work(move |state| state.desk().list_versions(list)).await??;
    let (view, people) = look(&state, list).await?;
    let newest = rows.first().map_or(0, |row| row.version);
    let versions = rows.iter().map(|row| Version {
        number: row.version,
        when: t.date_time(row.at_ms),
        who: who(&people, &row.person),
        why: row.reason.clone(),
        rows: row.body.as_deref().map_or_else(
            || t.s("list-went-back"),
            |body| {
                let count = body.lines().count().saturating_sub(1) as u64;
                t.a(&list_id(list, "-count"), "count", &t.count(count))
            },
        ),
        in_force: row.version == newest,
    });
    let back = if view.in_file { "list-back-file" } else { "list-back-shipped" };
    let title = t.a("list-history-title", "list", &title_of(t, list));
    page(&HistoryPage {
        shell: Shell::new(&visitor, title).wide(),
        place: place_of(list),
        may_change,
        versions: versions.collect(),
        back: (may_change && view.origin == ListOrigin::Page).then(|| t.s(back)),
    })
}
