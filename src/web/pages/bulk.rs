//! Requests in bulk, for officers who key in letters: the table to fill in, the look at its rows, the letters, the
//! press that files them, and the list of what became of each. Nothing here needs the browser to stay open.

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::parts::full_name;
use super::sign_in::proof_first;
use crate::bulk::{Column, Table, ZIP_MAX, column_of, is_zip, letters, template};
use crate::desk::{ActError, BulkFile, BulkRowView, BulkView};
use crate::digest::sha256_hex;
use crate::people::{Role, Session};
use crate::queue::Fault;
use crate::queue::regions::Level;
use crate::spreadsheet::disarmed;
use crate::uploads::Sender;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::{Sent, Upload};
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// Where they are.
pub(in crate::web) const PLACE: &str = "/permohonan-kolektif";
/// Octets of a body that brings letters.
pub(in crate::web) const BODY_MAX: usize = ZIP_MAX + 256 * 1024;
/// Who may bring a table.
const MAY: [Role; 3] = [Role::Operator, Role::Verifier, Role::Head];
/// What a table may be.
const TABLES: &str = ".csv,.txt,text/csv";
/// What letters may be.
const LETTERS: &str =
    ".zip,.pdf,.jpg,.jpeg,.png,application/zip,application/pdf,image/jpeg,image/png";
/// Rows shown at once.
const ROWS: usize = 100;

//------------ A table comes -------------------------------------------------

/// A table that came before.
struct Known {
    /// Where it is.
    place: String,
    /// The name of its file.
    file: String,
    /// When it came.
    when: String,
    /// What became of it.
    state: String,
}

/// The page on which a table is brought.
#[derive(Template)]
#[template(path = "bulk.html", config = "src/web/askama.toml")]
struct BringPage {
    /// Frame.
    shell: Shell,
    /// What the person is to think of.
    note: String,
    /// The form.
    form: Form,
    /// The columns: name, what it holds, whether it is needed.
    columns: Vec<(String, String, bool)>,
    /// Tables that came before.
    known: Vec<Known>,
}

/// `GET /permohonan-kolektif`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&MAY)?, &visitor)?;
    let form = bring_form(&visitor);
    page(&bring_page(&state, &visitor, form).await?)
}

/// `POST /permohonan-kolektif`: a table.
pub(super) async fn bring(
    Extract(state): Extract<State>,
    mut sent: Sent,
) -> Result<Response, Failure> {
    let upload = sent.upload.take();
    let visitor = &sent.visitor;
    let session = visitor.need(&MAY)?;
    proof_first(&state, session, visitor)?;
    let t = visitor.t;
    let Some(Upload { name, bytes }) = upload else {
        let form = bring_form(visitor).fault("table", t.s("bulk-table-needed"));
        let again = bring_page(&state, visitor, form).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
    };
    let table = match Table::read(&bytes) {
        Ok(table) => table,
        Err(fault) => {
            let form = bring_form(visitor).fault("table", fault.say(t));
            let again = bring_page(&state, visitor, form).await?;
            return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
        }
    };
    let actor = session.actor();
    let id = state
        .work(move |state| {
            let hostings: Vec<(String, String)> =
                state.hostings().into_iter().map(|it| (it.name, it.target)).collect();
            let sha256 = sha256_hex(&bytes);
            let file = BulkFile { name: &name, sha256: &sha256, table: &table };
            state.desk().open_bulk(file, (&state.options().zone, &hostings), &actor)
        })
        .await??;
    Ok(see_other(&format!("{PLACE}/{id}")))
}

/// The form that takes a table.
fn bring_form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    let table = Field::line(t, "table", "bulk-table").input(Input::File(TABLES));
    Form::new(PLACE, &visitor.csrf, t.s("bulk-look")).field(table)
}

/// The page with a form.
async fn bring_page(state: &State, visitor: &Visitor, form: Form) -> Result<BringPage, Failure> {
    let t = visitor.t;
    let session = visitor.need(&MAY)?;
    let (role, actor) = (session.account.role, session.actor());
    let known = state.work(move |state| state.desk().bulks(&actor)).await??;
    let known = known.iter().map(|bulk| Known {
        place: format!("{PLACE}/{}", bulk.id),
        file: bulk.file.clone(),
        when: t.moment(&bulk.at),
        state: state_words(t, bulk),
    });
    let column = |column: &Column| {
        let hint = format!("bulk-hint-{}", column.name.replace('.', "-"));
        (column.label(t), t.s(&hint), column.needed)
    };
    Ok(BringPage {
        shell: Shell::new(visitor, t.s("bulk-title")).faulty(form.is_faulty()),
        note: t.s(if role == Role::Operator { "bulk-note-admin" } else { "bulk-note-officer" }),
        form,
        columns: crate::bulk::COLUMNS.iter().map(column).collect(),
        known: known.collect(),
    })
}

/// What became of a table, in words.
fn state_words(t: Words, bulk: &BulkView) -> String {
    let (filed, total) = (bulk.count("filed").to_string(), bulk.total().to_string());
    let id = format!("bulk-state-{}", bulk.state);
    t.with(&id, &[("filed", &filed), ("total", &total)])
}

/// Which table is wanted.
#[derive(Deserialize)]
pub(super) struct Filled {
    /// `desa`, `kelurahan` or `kecamatan`; empty = without rows.
    #[serde(default)]
    isi: String,
}

/// `GET /permohonan-kolektif/templat.csv`
pub(super) async fn table(
    Extract(state): Extract<State>,
    Query(filled): Query<Filled>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.need(&MAY)?;
    let level = match filled.isi.as_str() {
        "desa" => Some(Level::Desa),
        "kelurahan" => Some(Level::Kelurahan),
        "kecamatan" => Some(Level::Kecamatan),
        _ => None,
    };
    let text = template(visitor.t, &state.desk().naming(), level);
    Ok(csv("permohonan-kolektif.csv", text.into_bytes()))
}

/// A list for spreadsheets.
fn csv(name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned())];
    (headers, [(CONTENT_DISPOSITION, disposition)], bytes).into_response()
}

//------------ One table -----------------------------------------------------

/// A row as it is shown.
struct Row {
    /// Its line in the file.
    line: String,
    /// The name asked for.
    name: String,
    /// The office.
    office: String,
    /// What became of it.
    state: String,
    /// What is wrong: column and words.
    faults: Vec<String>,
    /// The request.
    number: Option<String>,
}

/// The page of a table.
#[derive(Template)]
#[template(path = "bulk_one.html", config = "src/web/askama.toml")]
struct OnePage {
    /// Frame.
    shell: Shell,
    /// Where it is.
    place: String,
    /// `open`, `filing` or `done`.
    state: String,
    /// What was done just now, or what it does.
    words: String,
    /// Whether that is good news.
    is_good: bool,
    /// Counts in words.
    facts: Vec<(String, String)>,
    /// What to think about.
    notes: Vec<String>,
    /// The form that takes letters; none once it is filed.
    form: Option<Form>,
    /// What the button that files says; none if there is nothing to file.
    file: Option<String>,
    /// Whether the list of results can be had.
    has_results: bool,
    /// Whether the table can be dropped.
    may_drop: bool,
    /// The rows of this page.
    rows: Vec<Row>,
    /// The page before.
    previous: Option<String>,
    /// The next page.
    next: Option<String>,
    /// The token of forms.
    csrf: String,
}

/// Which part is shown, and what was done just now.
#[derive(Default, Deserialize)]
pub(super) struct Shown {
    /// The page, from 1.
    #[serde(default)]
    halaman: Option<usize>,
    /// How many letters came.
    #[serde(default)]
    surat: Option<usize>,
}

/// `GET /permohonan-kolektif/{id}`
pub(super) async fn one(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    Query(shown): Query<Shown>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&MAY)?;
    proof_first(&state, session, &visitor)?;
    let bulk = load(&state, session, &id).await?;
    page(&one_page(&state, &visitor, &bulk, &shown, None))
}

/// `POST /permohonan-kolektif/{id}/surat`: letters.
pub(super) async fn bring_letters(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    mut sent: Sent,
) -> Result<Response, Failure> {
    let upload = sent.upload.take();
    let visitor = &sent.visitor;
    let session = visitor.need(&MAY)?;
    proof_first(&state, session, visitor)?;
    let t = visitor.t;
    let fault = match upload {
        None => t.s("bulk-letters-needed"),
        Some(upload) => match take_letters(&state, session, &id, upload).await? {
            Ok(taken) => return Ok(see_other(&format!("{PLACE}/{id}?surat={taken}"))),
            Err(told) => told.say(t),
        },
    };
    let bulk = load(&state, session, &id).await?;
    let again = one_page(&state, visitor, &bulk, &Shown::default(), Some(fault));
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
}

/// Why letters were not taken.
enum NotTaken {
    /// The archive.
    Archive(crate::bulk::ZipFault),
    /// The letter.
    Letter(Fault),
}

impl NotTaken {
    /// In words.
    fn say(&self, t: Words) -> String {
        match self {
            Self::Archive(fault) => fault.say(t),
            Self::Letter(fault) => fault.say(t),
        }
    }
}

/// Takes an archive of letters, or the one letter of all rows; how many.
async fn take_letters(
    state: &State,
    session: &Session,
    id: &str,
    Upload { name, bytes }: Upload,
) -> Result<Result<usize, NotTaken>, Failure> {
    let (id, actor) = (id.to_owned(), session.actor());
    if is_zip(&bytes) {
        let job = move |state: &State| match letters(&bytes) {
            Ok(found) => state.desk().add_bulk_letters(&id, &found, &actor).map(Ok),
            Err(fault) => Ok(Err(NotTaken::Archive(fault))),
        };
        return match state.work(job).await? {
            Err(ActError::Letter(fault)) => Ok(Err(NotTaken::Letter(fault))),
            done => Ok(done?),
        };
    }
    let letter = match state.letters().read(bytes, Sender::Officer).await {
        Ok(letter) => letter,
        Err(fault) => return Ok(Err(NotTaken::Letter(fault))),
    };
    let job = move |state: &State| state.desk().set_bulk_cover(&id, &name, &letter, &actor);
    state.work(job).await??;
    Ok(Ok(1))
}

/// `POST /permohonan-kolektif/{id}/kirim` and `…/hapus`
pub(super) async fn press(
    Extract(state): Extract<State>,
    Path((id, act)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let session = visitor.need(&MAY)?;
    proof_first(&state, session, visitor)?;
    let (of, actor) = (id.clone(), session.actor());
    match act.as_str() {
        "kirim" => {
            state.work(move |state| state.desk().file_bulk(&of, &actor)).await??;
            Ok(see_other(&format!("{PLACE}/{id}")))
        }
        "hapus" => {
            state.work(move |state| state.desk().drop_bulk(&of, &actor)).await??;
            Ok(see_other(PLACE))
        }
        _ => Err(Failure::not_found()),
    }
}

/// `GET /permohonan-kolektif/{id}/hasil.csv`
pub(super) async fn results(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let session = visitor.need(&MAY)?;
    proof_first(&state, session, &visitor)?;
    let bulk = load(&state, session, &id).await?;
    let bytes = results_csv(visitor.t, &bulk, &state.options().zone).map_err(Failure::internal)?;
    Ok(csv("hasil-permohonan-kolektif.csv", bytes))
}

/// What became of each row, for spreadsheets: semicolons and a byte order mark.
fn results_csv(t: Words, bulk: &BulkView, zone: &str) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(vec![0xEF, 0xBB, 0xBF]);
    let head = ["line", "name", "office", "state", "number", "secret", "faults"];
    writer.write_record(head.map(|id| t.s(&format!("bulk-out-{id}"))))?;
    for it in &bulk.rows {
        let row = row(t, it, zone);
        let number = it.number.clone().unwrap_or_default();
        let cells = [
            row.line,
            row.name,
            row.office,
            row.state,
            number,
            it.secret.clone(),
            row.faults.join(" "),
        ];
        writer.write_record(cells.map(|cell| disarmed(&cell)))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// A table of this person.
async fn load(state: &State, session: &Session, id: &str) -> Result<BulkView, Failure> {
    let (id, actor) = (id.to_owned(), session.actor());
    Ok(state.work(move |state| state.desk().bulk(&id, &actor)).await??)
}

/// A row in words.
fn row(t: Words, row: &BulkRowView, zone: &str) -> Row {
    let told = |fault: &Fault| {
        let words = fault.say(t);
        match column_of(&fault.field) {
            Some(column) => format!("{}: {words}", column.label(t)),
            None => words,
        }
    };
    let state = if row.state == "ready" && !row.has_letter { "unlettered" } else { &row.state };
    Row {
        line: row.line.to_string(),
        name: if row.name.is_empty() { String::new() } else { full_name(&row.name, zone) },
        office: row.office.clone(),
        state: t.s(&format!("bulk-row-{state}")),
        faults: row.faults.iter().map(told).collect(),
        number: row.number.clone(),
    }
}

/// Everything the page shows.
fn one_page(
    state: &State,
    visitor: &Visitor,
    bulk: &BulkView,
    shown: &Shown,
    fault: Option<String>,
) -> OnePage {
    let t = visitor.t;
    let (place, zone) = (format!("{PLACE}/{}", bulk.id), &state.options().zone);
    let is_open = bulk.state == "open";
    let mut form = is_open.then(|| {
        let file = Field::line(t, "letters", "bulk-letters").input(Input::File(LETTERS));
        Form::new(&format!("{place}/surat"), &visitor.csrf, t.s("bulk-letters-button"))
            .style("quiet")
            .field(file)
    });
    if let Some(fault) = fault {
        form = form.map(|form| form.fault("letters", fault));
    }
    let ready = bulk.count("ready") - i64::try_from(bulk.without_letter).unwrap_or_default();
    // Faults first: they are what the officer looks for.
    let mut rows: Vec<&BulkRowView> = bulk.rows.iter().collect();
    rows.sort_by_key(|row| (row.faults.is_empty(), row.line));
    let at = shown.halaman.unwrap_or(1).max(1);
    let from = (at - 1).saturating_mul(ROWS);
    let page_of = |at: usize| format!("{place}?halaman={at}#baris");
    let mut notes = Vec::new();
    if is_open && bulk.without_letter > 0 {
        notes.push(t.a("bulk-without-letter", "count", &bulk.without_letter.to_string()));
    }
    if !bulk.unused.is_empty() {
        notes.push(t.a("bulk-unused", "columns", &bulk.unused.join(", ")));
    }
    OnePage {
        shell: Shell::new(visitor, t.a("bulk-one-title", "file", &bulk.file))
            .wide()
            .faulty(form.as_ref().is_some_and(Form::is_faulty)),
        state: bulk.state.clone(),
        is_good: bulk.state == "done" || (is_open && shown.surat.is_some()),
        words: match shown.surat {
            Some(count) if is_open => t.a("bulk-letters-taken", "count", &count.to_string()),
            _ => state_words(t, bulk),
        },
        facts: facts(t, bulk),
        notes,
        file: (is_open && ready > 0).then(|| t.a("bulk-file", "count", &ready.to_string())),
        form,
        has_results: !is_open,
        may_drop: bulk.state != "filing",
        previous: (at > 1).then(|| page_of(at - 1)),
        next: (rows.len() > from.saturating_add(ROWS)).then(|| page_of(at + 1)),
        rows: rows.into_iter().skip(from).take(ROWS).map(|it| row(t, it, zone)).collect(),
        csrf: visitor.csrf.token.clone(),
        place,
    }
}

/// Counts of a table in words, those that are not zero.
fn facts(t: Words, bulk: &BulkView) -> Vec<(String, String)> {
    let mut facts = vec![(t.s("bulk-total"), bulk.total().to_string())];
    for state in ["ready", "faulty", "filed", "before", "refused"] {
        let count = bulk.count(state);
        if count > 0 {
            facts.push((t.s(&format!("bulk-row-{state}")), count.to_string()));
        }
    }
    if let Some(cover) = &bulk.cover {
        facts.push((t.s("bulk-cover"), cover.clone()));
    }
    if bulk.letters > 0 {
        facts.push((t.s("bulk-letters-count"), bulk.letters.to_string()));
    }
    facts
}
