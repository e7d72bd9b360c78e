//! Statistics: queries over time, by kind and name; requests per month and time per step. Nothing of who asked.

use askama::Template;
use axum::Json;
use axum::extract::{Query, State as Extract};
use axum::response::Response;
use serde::Deserialize;

use super::reports::{StepRow, step_row};
use crate::desk::{ActError, WorkFigures};
use crate::people::Role;
use crate::report::Month;
use crate::statistics::{Figures, LabelCount, NameQueries, Point, Span};
use crate::web::assets;
use crate::web::chart::{BarTable, Columns, bars};
use crate::web::failure::Failure;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::Words;

/// The spans: query value, span, message id.
const SPANS: [(&str, Span, &str); 3] = [
    ("jam", Span::Hour, "stats-hour"),
    ("minggu", Span::Week, "stats-week"),
    ("tahun", Span::Year, "stats-year"),
];

/// Which span.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// `jam`, `minggu` or `tahun`; the week if it is left out.
    #[serde(default)]
    rentang: String,
}

impl Asked {
    /// The span.
    fn span(&self) -> Span {
        let known = SPANS.iter().find(|(word, ..)| *word == self.rentang);
        known.map_or_else(Span::default, |(_, span, _)| *span)
    }
}

/// A span to choose.
struct Tab {
    /// Where.
    place: String,
    /// What.
    words: String,
    /// Whether it is shown.
    here: bool,
}

/// A live name in words.
struct LiveRow {
    /// The name.
    name: String,
    /// Since when it is counted.
    since: String,
    /// The last query.
    last: String,
    /// How many.
    count: String,
}

/// The page.
#[derive(Template)]
#[template(path = "statistics.html", config = "src/web/askama.toml")]
struct StatisticsPage {
    /// Frame.
    shell: Shell,
    /// Address of the script that renews the figures.
    script: &'static str,
    /// Spans to choose.
    tabs: Vec<Tab>,
    /// Up to when.
    as_of: String,
    /// How names and zones are counted.
    sampled: String,
    /// Queries over the span.
    queries: Columns,
    /// By code, type, transport and zone.
    kinds: Vec<BarTable>,
    /// Names asked for most: ours, and those that do not exist.
    names: Vec<BarTable>,
    /// Live names.
    live: Vec<LiveRow>,
    /// Requests by month.
    requests: Columns,
    /// The running month.
    month: String,
    /// Time per step in the running month.
    steps: Vec<StepRow>,
}

/// `GET /statistik`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.need(&Role::OFFICERS)?;
    let span = asked.span();
    let (figures, work) = state
        .work(move |state| {
            let desk = state.desk();
            let figures = state.statistics().figures(span, desk.now())?;
            Ok::<_, ActError>((figures, desk.work_figures()?))
        })
        .await??;
    page(&statistics_page(&visitor, span, &figures, &work))
}

/// `GET /statistik.json`: the same numbers for programs in the browser.
pub(super) async fn json(
    Extract(state): Extract<State>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Json<Figures>, Failure> {
    visitor.need(&Role::OFFICERS)?;
    let span = asked.span();
    let figures = state
        .work(move |state| state.statistics().figures(span, state.desk().now()))
        .await?
        .map_err(ActError::from)?;
    Ok(Json(figures))
}

/// Everything the page shows.
fn statistics_page(
    visitor: &Visitor,
    span: Span,
    figures: &Figures,
    work: &WorkFigures,
) -> StatisticsPage {
    let t = visitor.t;
    let tabs = SPANS.map(|(word, of, id)| Tab {
        place: format!("/statistik?rentang={word}"),
        words: t.s(id),
        here: of == span,
    });
    let month = |month: Month| t.month(month.year(), month.number());
    let months = work.came.iter().map(|(at, count)| (month(*at), *count));
    let heads = (t.s("stats-requests"), t.s("report-month"), t.s("report-came"));
    let live = figures.live.iter().map(|it| LiveRow {
        name: it.name.trim_end_matches('.').to_owned(),
        since: t.day_of(&it.since),
        last: it.last.as_ref().map_or_else(|| "–".to_owned(), |last| t.moment(last)),
        count: t.count(it.count),
    });
    StatisticsPage {
        shell: Shell::new(visitor, t.s("stats-title")).wide(),
        script: assets::script(),
        tabs: tabs.into(),
        as_of: t.a("stats-as-of", "when", &t.moment(&figures.as_of)),
        sampled: match figures.sampled_one_in {
            1 => t.s("stats-each"),
            some => t.a("stats-sampled", "count", &t.count(some.into())),
        },
        queries: queries(t, span, figures.points(span)),
        kinds: kinds(t, figures),
        names: names(t, figures),
        live: live.collect(),
        requests: Columns::new(t, "permohonan", heads, months.collect()),
        month: month(work.month),
        steps: work.steps.iter().map(|step| step_row(t, step)).collect(),
    }
}

/// Queries over a span.
fn queries(t: Words, span: Span, points: &[Point]) -> Columns {
    let label = |point: &Point| match span {
        Span::Hour => t.clock(point.at_ms),
        Span::Week => t.date_time(point.at_ms),
        Span::Year => t.date(point.at_ms),
    };
    let numbers = points.iter().map(|point| (label(point), point.count)).collect();
    let title = match span {
        Span::Hour => "stats-by-minute",
        Span::Week => "stats-by-hour",
        Span::Year => "stats-by-day",
    };
    let heads = (t.s(title), t.s("stats-time"), t.s("stats-queries"));
    Columns::new(t, "kueri", heads, numbers)
}

/// By code, type, transport and zone.
fn kinds(t: Words, figures: &Figures) -> Vec<BarTable> {
    let parts: [(&str, &str, &[LabelCount], &str); 4] = [
        ("stats-rcodes", "stats-rcode", &figures.rcodes, "stats-other"),
        ("stats-types", "stats-type", &figures.types, "stats-other"),
        ("stats-transports", "stats-transport", &figures.transports, "stats-other"),
        ("stats-zones", "stats-zone", &figures.zones, "stats-no-zone"),
    ];
    let table = |(title, head, counts, rest): (&str, &str, &[LabelCount], &str)| {
        let number = |it: &LabelCount| {
            // What a code means is said where there are words for it.
            let id = format!("{head}-{}", it.label.to_lowercase());
            let note = if t.has(&id) { t.s(&id) } else { String::new() };
            let label = if it.label.is_empty() { t.s(rest) } else { it.label.clone() };
            (label, note, it.count)
        };
        let bars = bars(t, counts.iter().map(number).collect());
        BarTable { title: t.s(title), head: t.s(head), count: t.s("stats-queries"), bars }
    };
    parts.into_iter().filter(|(_, _, counts, _)| !counts.is_empty()).map(table).collect()
}

/// Names asked for most.
fn names(t: Words, figures: &Figures) -> Vec<BarTable> {
    let table = |id: &str, names: &[NameQueries]| {
        let number = |it: &NameQueries| {
            let error = (it.error > 0).then(|| t.a("stats-error", "count", &t.count(it.error)));
            (it.name.trim_end_matches('.').to_owned(), error.unwrap_or_default(), it.count)
        };
        let bars = bars(t, names.iter().map(number).collect());
        BarTable { title: t.s(id), head: t.s("stats-name"), count: t.s("stats-queries"), bars }
    };
    let parts = [("stats-names", &figures.names), ("stats-missing", &figures.missing)];
    parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(id, names)| table(id, names))
        .collect()
}
