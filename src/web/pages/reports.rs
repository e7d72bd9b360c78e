//! The monthly report: figures of any month, its files, and the act that closes it.

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::FormPage;
use super::papers::months_place;
use super::parts::error_words;
use super::sign_in::proof_first;
use crate::desk::{ActError, Viewer};
use crate::people::Role;
use crate::queue::{Kind, NamingClass, State as RequestState};
use crate::report::{Count, Late, Line, Month, Report, StepTime, step_words};
use crate::web::chart::{BarTable, bars};
use crate::web::failure::Failure;
use crate::web::form::{Choice, Form};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// The media type of a workbook.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Which month.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// `YYYY-MM`; the running one if it is left out.
    #[serde(default)]
    bulan: String,
}

/// A step's time in words.
pub(super) struct StepRow {
    /// Which.
    pub(super) step: String,
    /// What the SOP allows.
    pub(super) limit: String,
    /// How many ended.
    pub(super) done: String,
    /// How many in time.
    pub(super) within: String,
    /// How many late.
    pub(super) over: String,
    /// The median.
    pub(super) median: String,
    /// The longest.
    pub(super) longest: String,
    /// The time paused.
    pub(super) paused: String,
    /// How many under way.
    pub(super) running: String,
    /// Those in time, of a hundred that ended.
    pub(super) share: u64,
    /// Those late, of a hundred.
    pub(super) late_share: u64,
}

/// A late step in words.
struct LateRow {
    /// The request.
    number: String,
    /// Its name.
    name: String,
    /// The step.
    step: String,
    /// The jabatan.
    holder: String,
    /// Used of what was allowed.
    used: String,
    /// By how much it is over.
    over: String,
    /// Whether it is over or under way.
    now: String,
}

/// A request in words.
struct Row {
    /// Number.
    number: String,
    /// Name.
    name: String,
    /// Office.
    office: String,
    /// Kind and class.
    kind: String,
    /// State at the end.
    state: String,
    /// When it came.
    submitted: String,
    /// When its result came.
    finished: String,
}

/// The page.
#[derive(Template)]
#[template(path = "report.html", config = "src/web/askama.toml")]
struct ReportPage {
    /// Frame.
    shell: Shell,
    /// Months to choose.
    months: Vec<Choice>,
    /// The month shown, `YYYY-MM`.
    month: String,
    /// The month in words.
    month_words: String,
    /// Up to when it counts.
    as_of: String,
    /// Whether it is over.
    is_over: bool,
    /// When it was closed, or empty.
    closed: String,
    /// Its paper: number and page.
    paper: Option<(String, String)>,
    /// Whether the viewer may close it now.
    may_close: bool,
    /// The figures: words and number.
    figures: Vec<(String, String)>,
    /// Time per step.
    steps: Vec<StepRow>,
    /// Late ones by holder: jabatan, step, how many, by how much.
    holders: Vec<(String, String, String, String)>,
    /// Late ones.
    late: Vec<LateRow>,
    /// By kind, class and result.
    parts: Vec<BarTable>,
    /// Live names: name, class, office, since.
    live: Vec<(String, String, String, String)>,
    /// The requests.
    rows: Vec<Row>,
}

/// `GET /laporan`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let viewer = Viewer::Officer(visitor.need(&Role::OFFICERS)?.actor());
    let is_head = visitor.need(&[Role::Head]).is_ok();
    let wanted = match asked.bulan.as_str() {
        "" => None,
        month => Some(month_of(&state, month)?),
    };
    let (report, months, paper) = state
        .work(move |state| {
            let desk = state.desk();
            let month = wanted.or_else(|| Month::of(desk.now())).ok_or(ActError::NotFound)?;
            let mut months = desk.months()?;
            // One that somebody asked for by its address is there to be chosen again.
            if !months.contains(&month) {
                months.push(month);
            }
            let paper = paper_of(state, month, &viewer)?;
            Ok::<_, ActError>((desk.month_report(month)?, months, paper))
        })
        .await??;
    let mut shown = report_page(&visitor, &report, &months, is_head);
    shown.paper = paper.map(|paper| (paper.number, format!("{}/{}", paper.place, paper.id)));
    page(&shown)
}

/// The paper of a month that is closed.
struct MonthPaper {
    /// Its number.
    number: String,
    /// Its id.
    id: String,
    /// Where the month's papers are.
    place: String,
    /// Whether its file is there.
    is_ready: bool,
}

/// The paper of a month that is in force, if the month is closed.
fn paper_of(state: &State, month: Month, viewer: &Viewer) -> Result<Option<MonthPaper>, ActError> {
    let papers = state.desk().papers(month, viewer)?;
    let in_force = papers.into_iter().rfind(|paper| paper.superseded_by.is_none());
    Ok(in_force.map(|paper| MonthPaper {
        number: paper.number,
        id: paper.id,
        place: months_place(month),
        is_ready: paper.sha256.is_some() && !paper.deleted,
    }))
}

/// `GET /laporan/{month}.csv`, `.xlsx` and `.pdf`: of a closed month the PDF is the paper that was issued.
pub(super) async fn file(
    Extract(state): Extract<State>,
    Path(file): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let viewer = Viewer::Officer(visitor.need(&Role::OFFICERS)?.actor());
    let (month, form) = file.split_once('.').ok_or_else(Failure::not_found)?;
    let month = month_of(&state, month)?;
    let (media, form) = match form {
        "csv" => ("text/csv; charset=utf-8", "csv"),
        "xlsx" => (XLSX, "xlsx"),
        "pdf" => ("application/pdf", "pdf"),
        _ => return Err(Failure::not_found()),
    };
    let octets = if form == "pdf" {
        let issued = state.work(move |state| paper_of(state, month, &viewer)).await??;
        if let Some(paper) = issued.filter(|paper| paper.is_ready) {
            return Ok(see_other(&format!("{}/{}/pdf", paper.place, paper.id)));
        }
        let paper = state.work(move |state| state.desk().month_paper(month)).await??;
        state.print(paper).await?
    } else {
        let job = move |state: &State| {
            let report = state.desk().month_report(month)?;
            match form {
                "csv" => report.csv().map(String::into_bytes).map_err(Failure::internal),
                _ => report.xlsx().map_err(Failure::internal),
            }
        };
        state.work(job).await??
    };
    let name = format!("attachment; filename=\"laporan-kegiatan-{month}.{form}\"");
    Ok(([(CONTENT_TYPE, media), (CONTENT_DISPOSITION, name.as_str())], octets).into_response())
}

/// `GET /laporan/{month}/tutup`
pub(super) async fn ask(
    Extract(state): Extract<State>,
    Path(month): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&[Role::Head])?, &visitor)?;
    let month = month_of(&state, &month)?;
    let count = state.work(move |state| state.desk().count_to_close(month)).await??;
    page(&close_page(&visitor, month, count, Vec::new()))
}

/// `POST /laporan/{month}/tutup`
pub(super) async fn close(
    Extract(state): Extract<State>,
    Path(month): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let session = visitor.need(&Role::OFFICERS)?;
    proof_first(&state, session, visitor)?;
    let month = month_of(&state, &month)?;
    let actor = session.actor();
    match state.work(move |state| state.desk().close_month(month, &actor)).await? {
        Ok(_) => Ok(see_other(&format!("/laporan?bulan={month}"))),
        Err(error @ ActError::Rule(_)) => {
            let count = state.work(move |state| state.desk().count_to_close(month)).await??;
            let refused = close_page(visitor, month, count, error_words(visitor.t, &error));
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &refused)
        }
        Err(error) => Err(error.into()),
    }
}

/// A month by its address; there is none that has not begun.
fn month_of(state: &State, text: &str) -> Result<Month, Failure> {
    let month: Option<Month> = text.parse().ok();
    let current = Month::of(state.desk().now());
    month.filter(|month| current.is_some_and(|now| *month <= now)).ok_or_else(Failure::not_found)
}

/// The page that asks before a month is closed, with so many requests; and why it was not.
fn close_page(visitor: &Visitor, month: Month, count: usize, why_not: Vec<String>) -> FormPage {
    let t = visitor.t;
    let words = t.month(month.year(), month.number());
    let title = t.a("report-close-title", "month", &words);
    let place = format!("/laporan/{month}/tutup");
    let mut lead = why_not;
    let faulty = !lead.is_empty();
    lead.push(t.s("report-close-lead"));
    FormPage {
        shell: Shell::new(visitor, title).faulty(faulty),
        lead,
        facts: vec![(t.s("report-to-close"), count.to_string())],
        form: Form::new(&place, &visitor.csrf, t.a("report-close-button", "month", &words)),
        after: vec![t.s("report-close-after")],
    }
}

//------------ In words ------------------------------------------------------

/// Everything the page shows.
fn report_page(visitor: &Visitor, report: &Report, months: &[Month], is_head: bool) -> ReportPage {
    let t = visitor.t;
    let month_words = report.month_words(t);
    let choice =
        |month: &Month| Choice::new(&month.to_string(), t.month(month.year(), month.number()));
    let count = |count: usize| t.count(u64::try_from(count).unwrap_or(u64::MAX));
    let figures = [
        ("report-came", report.total),
        ("report-done", report.finished),
        ("report-open", report.open),
        ("report-live-count", report.live.len()),
    ];
    ReportPage {
        shell: Shell::new(visitor, t.a("report-of", "month", &month_words)).wide(),
        months: months.iter().map(choice).collect(),
        month: report.month.clone(),
        month_words,
        as_of: t.date_time(report.as_of.0),
        is_over: report.is_over,
        closed: report.closed.map(|at| t.date_time(at.0)).unwrap_or_default(),
        paper: None,
        may_close: is_head && report.is_over && report.closed.is_none(),
        figures: figures.map(|(id, number)| (t.s(id), count(number))).to_vec(),
        steps: report.steps.iter().map(|step| step_row(t, step)).collect(),
        holders: report
            .late_by_holder
            .iter()
            .map(|it| {
                let step = step_words(t, it.step);
                (it.holder.clone(), step, count(it.count), t.work_span(it.over_minutes))
            })
            .collect(),
        late: report.late.iter().map(|late| late_row(t, late)).collect(),
        parts: parts(t, report),
        live: report
            .live
            .iter()
            .map(|it| {
                let class = it.class.map(|class| class.say(t)).unwrap_or_default();
                (it.name.clone(), class, it.office.clone(), t.date(it.since.0))
            })
            .collect(),
        rows: report.requests.iter().map(|line| row(t, line)).collect(),
    }
}

/// The counts by kind, class and result that are not empty.
fn parts(t: Words, report: &Report) -> Vec<BarTable> {
    let table = |id: &str, counts: &[Count], say: &dyn Fn(&str) -> Option<String>| {
        let numbers = counts.iter().map(|it| {
            let label = say(&it.what).unwrap_or_else(|| it.what.clone());
            (label, String::new(), u64::try_from(it.count).unwrap_or(u64::MAX))
        });
        BarTable {
            title: t.s(id),
            head: t.s("chart-what"),
            count: t.s("report-count"),
            bars: bars(t, numbers.collect()),
        }
    };
    let kind = |name: &str| Kind::from_name(name).map(|it| it.say(t));
    let class = |name: &str| NamingClass::from_name(name).map(|it| it.say(t));
    let result = |name: &str| RequestState::from_name(name).map(|it| it.say(t));
    let mut parts = vec![
        table("report-by-kind", &report.kinds, &kind),
        table("report-by-class", &report.classes, &class),
        table("report-by-result", &report.results, &result),
    ];
    parts.retain(|part| !part.bars.is_empty());
    parts
}

/// A step's time in words.
pub(super) fn step_row(t: Words, step: &StepTime) -> StepRow {
    let span = |minutes: Option<i64>| {
        minutes.map_or_else(|| "–".to_owned(), |minutes| t.work_span(minutes))
    };
    let count = |count: usize| t.count(u64::try_from(count).unwrap_or(u64::MAX));
    let share = |part: usize| (part * 100).checked_div(step.done).unwrap_or(0) as u64;
    StepRow {
        step: step_words(t, step.step),
        limit: t.work_span(step.limit_minutes),
        done: count(step.done),
        within: count(step.within),
        over: count(step.over),
        median: span(step.median_minutes),
        longest: span(step.longest_minutes),
        paused: span(Some(step.paused_minutes).filter(|it| *it > 0)),
        running: count(step.running),
        share: share(step.within),
        late_share: if step.over > 0 { 100 - share(step.within) } else { 0 },
    }
}

/// A late step in words.
fn late_row(t: Words, late: &Late) -> LateRow {
    LateRow {
        number: late.number.clone(),
        name: late.name.clone(),
        step: step_words(t, late.step),
        holder: late.holder.clone(),
        used: t.work_span(late.used_minutes),
        over: t.work_span(late.over_minutes),
        now: t.s(if late.running { "report-still" } else { "report-was" }),
    }
}

/// A request in words.
fn row(t: Words, line: &Line) -> Row {
    Row {
        number: line.number.clone(),
        name: line.name.clone(),
        office: line.office.clone(),
        kind: format!("{} · {}", line.kind.say(t), line.class.say(t)),
        state: line.state.say(t),
        submitted: t.date(line.submitted.0),
        finished: line.finished.map(|at| t.date(at.0)).unwrap_or_else(|| "–".to_owned()),
    }
}
