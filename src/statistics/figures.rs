//! The figures as a value, for pages and programs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::book::What;
use super::time::Scale;
use crate::store::{Reader, StoreError};
use crate::view::rfc3339;

/// Labels of a kind at most.
const LABELS: usize = 20;
/// Names of a list at most.
const NAMES: usize = 20;
/// Live names at most.
const LIVE: usize = 500;

/// The span that labels and names are summed over.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Span {
    /// The last hour, by minutes; names of today.
    Hour,
    /// The last week, by hours.
    #[default]
    Week,
    /// The last year, by days; names of the last month.
    Year,
}

impl Span {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Week => "week",
            Self::Year => "year",
        }
    }

    /// The scale of its parts.
    fn scale(self) -> Scale {
        match self {
            Self::Hour => Scale::Minute,
            Self::Week => Scale::Hour,
            Self::Year => Scale::Day,
        }
    }

    /// Days whose names are summed.
    fn name_days(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Week => 7,
            Self::Year => 31,
        }
    }
}

/// Queries within a minute, an hour or a day.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct Point {
    /// Its beginning, RFC 3339.
    #[schema(format = DateTime)]
    pub at: String,
    /// The same in epoch milliseconds, for pages.
    #[serde(skip)]
    pub at_ms: i64,
    /// How many.
    pub count: u64,
}

/// Queries with something in common.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct LabelCount {
    /// What: `NXDOMAIN`, `AAAA`, `UDP`, a zone; empty for the rest, or for names in none of our zones.
    pub label: String,
    /// How many.
    pub count: u64,
}

/// Queries for a name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct NameQueries {
    /// The name, absolute.
    pub name: String,
    /// How many.
    pub count: u64,
    /// By how much that may be too high.
    pub error: u64,
}

/// Queries for a name since it went live, or since it is counted.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct LiveQueries {
    /// The name, absolute.
    pub name: String,
    /// Since when, RFC 3339.
    #[schema(format = DateTime)]
    pub since: String,
    /// The last one, RFC 3339; `null` where there was none yet.
    #[schema(format = DateTime)]
    pub last: Option<String>,
    /// How many.
    pub count: u64,
}

/// Statistics of queries.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = Statistics)]
pub struct Figures {
    /// Up to when, RFC 3339.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// `hour`, `week` or `year`: what the lists below are summed over.
    pub span: String,
    /// Of names and zones, one query in so many was looked at since the start, at most; 1 is each.
    pub sampled_one_in: u32,
    /// Queries of the span.
    pub total: u64,
    /// The last hour by minutes, the oldest first.
    pub minutes: Vec<Point>,
    /// The last week by hours.
    pub hours: Vec<Point>,
    /// The last year by days in WIB, from the first that was counted.
    pub days: Vec<Point>,
    /// By response code.
    pub rcodes: Vec<LabelCount>,
    /// By type.
    pub types: Vec<LabelCount>,
    /// By transport.
    pub transports: Vec<LabelCount>,
    /// By zone.
    pub zones: Vec<LabelCount>,
    /// Names of ours that were asked for most.
    pub names: Vec<NameQueries>,
    /// Names below our zones that do not exist and were asked for most.
    pub missing: Vec<NameQueries>,
    /// Each live name that was requested, the most queried first; also those nobody has asked for yet.
    pub live: Vec<LiveQueries>,
}

impl Figures {
    /// The figures of a span that ends now, as they were written last.
    pub(super) fn of(
        reader: &Reader<'_>,
        span: Span,
        sampled_one_in: u32,
        (now_ms, as_of_ms): (i64, i64),
    ) -> Result<Self, StoreError> {
        let scale = span.scale();
        let since = scale.first(now_ms);
        let sums = |what: What| -> Result<Vec<LabelCount>, StoreError> {
            let within = (since, now_ms);
            let sums = reader.query_sums(scale.as_str(), within, what.as_str(), LABELS)?;
            Ok(sums.into_iter().map(|(label, count)| LabelCount { label, count }).collect())
        };
        let today = Scale::Day.begin(now_ms);
        let days = (today - (span.name_days() - 1) * Scale::Day.length(), today);
        let names = |exists: bool| -> Result<Vec<NameQueries>, StoreError> {
            let names = reader.top_names(days, exists, NAMES)?.into_iter();
            Ok(names
                .map(|it| NameQueries { name: it.name, count: it.count, error: it.error })
                .collect())
        };
        let live = reader.live_counts(LIVE)?.into_iter().map(|it| LiveQueries {
            name: it.name,
            since: rfc3339(it.since_ms),
            last: (it.count > 0).then(|| rfc3339(it.last_ms)),
            count: it.count,
        });
        Ok(Self {
            as_of: rfc3339(as_of_ms),
            span: span.as_str().to_owned(),
            sampled_one_in,
            total: sums(What::All)?.iter().map(|it| it.count).sum(),
            minutes: points(reader, Scale::Minute, now_ms)?,
            hours: points(reader, Scale::Hour, now_ms)?,
            days: points(reader, Scale::Day, now_ms)?,
            rcodes: sums(What::Rcode)?,
            types: sums(What::Type)?,
            transports: sums(What::Transport)?,
            zones: sums(What::Zone)?,
            names: names(true)?,
            missing: names(false)?,
            live: live.collect(),
        })
    }

    /// The points that a span is drawn by.
    pub fn points(&self, span: Span) -> &[Point] {
        match span {
            Span::Hour => &self.minutes,
            Span::Week => &self.hours,
            Span::Year => &self.days,
        }
    }
}

/// The sums of a scale up to now, with zeros where there is none; from the first that was counted.
fn points(reader: &Reader<'_>, scale: Scale, now_ms: i64) -> Result<Vec<Point>, StoreError> {
    let within = (scale.first(now_ms), now_ms);
    let counts = reader.query_counts(scale.as_str(), within, What::All.as_str())?;
    let (last, length) = (scale.begin(now_ms), scale.length());
    // An hour is drawn whole; days begin with the first.
    let first = match (scale, counts.first()) {
        (Scale::Day, Some((first, _))) => *first,
        (Scale::Day, None) => last,
        _ => scale.first(now_ms),
    };
    let mut counts = counts.into_iter().peekable();
    let mut points = Vec::new();
    let mut at_ms = first;
    while at_ms <= last {
        let count = counts.next_if(|(at, _)| *at == at_ms).map_or(0, |(_, count)| count);
        points.push(Point { at: rfc3339(at_ms), at_ms, count });
        at_ms += length;
    }
    Ok(points)
}
