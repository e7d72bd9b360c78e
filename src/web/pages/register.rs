//! The public list of live names, as a page and as CSV, without personal data.

use askama::Template;
use axum::extract::{Query, State as Extract};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::people::Role;
use crate::queue::LiveState;
use crate::text::disarmed;
use crate::view::RecordView;
use crate::web::failure::Failure;
use crate::web::redirect::encode;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// Names of one page.
const ROWS: usize = 200;
/// Names of one file.
const FILE_ROWS: usize = 20_000;

/// Where the page begins.
#[derive(Deserialize)]
pub(super) struct ListParams {
    /// After this place, as the page before said.
    #[serde(default)]
    setelah: String,
}

/// One name in words.
struct Row {
    /// The name without its final dot.
    name: String,
    /// Class.
    class: String,
    /// Office.
    office: String,
    /// Since when.
    since: String,
    /// Until when.
    ends: String,
}

/// The page.
#[derive(Template)]
#[template(path = "register.html", config = "src/web/askama.toml")]
struct RegisterPage {
    /// Frame.
    shell: Shell,
    /// Names.
    rows: Vec<Row>,
    /// The next page.
    next: Option<String>,
}

/// `GET /subdomain`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Query(asked): Query<ListParams>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    open(&state, &visitor)?;
    let t = visitor.t;
    let after = asked.setelah;
    let (found, next) = live(&state, after, ROWS).await?;
    let next = next.map(|next| format!("/subdomain?setelah={}", encode(&next)));
    let rows = found.iter().filter(|record| is_site(record)).map(|record| row(t, record)).collect();
    page(&RegisterPage { shell: Shell::new(&visitor, t.s("register-title")).wide(), rows, next })
}

/// `GET /subdomain.csv`: semicolons and a byte order mark, as spreadsheets here expect.
pub(super) async fn csv(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    open(&state, &visitor)?;
    let t = visitor.t;
    let mut records = Vec::new();
    let mut next = Some(String::new());
    while let Some(after) = next.take_if(|_| records.len() < FILE_ROWS) {
        let more;
        (more, next) = live(&state, after, 500).await?;
        records.extend(more);
    }
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(vec![0xEF, 0xBB, 0xBF]);
    let head = ["queue-name", "register-class", "queue-office", "register-since", "apply-ends"];
    writer.write_record(head.map(|id| t.s(id))).map_err(Failure::internal)?;
    for record in records.iter().filter(|record| is_site(record)) {
        let row = row(t, record);
        let cells = [row.name, row.class, row.office, row.since, row.ends];
        writer.write_record(cells.map(|cell| disarmed(&cell))).map_err(Failure::internal)?;
    }
    let bytes = writer.into_inner().map_err(Failure::internal)?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"daftar-subdomain.csv\""),
    ];
    Ok((headers, bytes).into_response())
}

/// Whether this visitor may see the list.
fn open(state: &State, visitor: &Visitor) -> Result<(), Failure> {
    if state.settings().register_public { Ok(()) } else { visitor.need(&Role::OFFICERS).map(drop) }
}

/// Served names after a place, and where the next page begins.
async fn live(
    state: &State,
    after: String,
    most: usize,
) -> Result<(Vec<RecordView>, Option<String>), Failure> {
    let found = state
        .work(move |state| state.desk().records(Some(LiveState::Live), &after, most))
        .await??;
    Ok(found)
}

/// Whether a name is one that people visit: no service label (`_dmarc`), no wildcard.
fn is_site(record: &RecordView) -> bool {
    let is_listed = record.unlisted.is_none();
    is_listed && record.name.split('.').all(|label| !label.starts_with('_') && label != "*")
}

/// A name in words.
fn row(t: Words, record: &RecordView) -> Row {
    let day = |at: &Option<String>| at.as_deref().map(|at| t.day_of(at)).unwrap_or_default();
    Row {
        name: record.name.trim_end_matches('.').to_owned(),
        class: record.class.map_or_else(|| "–".to_owned(), |class| class.say(t)),
        office: if record.office.is_empty() { "–".to_owned() } else { record.office.clone() },
        since: day(&record.since),
        ends: day(&record.ends),
    }
}
