//! The report as a value: counts, times per step, what was late, names that are live, the list.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use crate::queue::{Kind, NamingClass, State};
use crate::view::rfc3339;

//------------ Moment --------------------------------------------------------

/// Epoch milliseconds; RFC 3339 in JSON.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Moment(pub i64);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&rfc3339(self.0))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
        let ms = i64::try_from(at.unix_timestamp_nanos() / 1_000_000);
        ms.map(Self).map_err(serde::de::Error::custom)
    }
}

//------------ Report --------------------------------------------------------

/// What came in during a month and what became of it. All minutes are working minutes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[schema(as = MonthlyReport)]
pub struct Report {
    /// `YYYY-MM`.
    pub month: String,
    /// Up to when it counts: the month's end, or now while the month runs.
    pub as_of: Moment,
    /// Whether the month is over.
    pub is_over: bool,
    /// When the month was closed, if it was.
    pub closed: Option<Moment>,
    /// Requests that came in.
    pub total: usize,
    /// Requests that came to a result: live, rejected, withdrawn, expired.
    pub finished: usize,
    /// Requests at work at the end.
    pub open: usize,
    /// Those that came in, by kind.
    pub kinds: Vec<Count>,
    /// Those that came in, by class.
    pub classes: Vec<Count>,
    /// Those that came to a result, by result.
    pub results: Vec<Count>,
    /// All of the list, by their state at the end.
    pub states: Vec<Count>,
    /// Times of the steps with a limit.
    pub steps: Vec<StepTime>,
    /// Steps over their limit, the longest over it first.
    pub late: Vec<Late>,
    /// Those by holder and step, the most first.
    pub late_by_holder: Vec<HolderLate>,
    /// Names that somebody asked for and that were live at the end.
    pub live: Vec<LiveName>,
    /// The requests that came in, came to a result or were at work, in the order they came.
    pub requests: Vec<Line>,
}

/// How many there are of something.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportCount)]
pub struct Count {
    /// The JSON name.
    pub what: String,
    /// How many.
    pub count: usize,
}

/// The time of one step, over all requests on which it ended within the month.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportStepTime)]
pub struct StepTime {
    /// Its number in the SOP.
    pub step: u8,
    /// What the SOP allows.
    pub limit_minutes: i64,
    /// On how many requests it ended.
    pub done: usize,
    /// On how many of those in time.
    pub within: usize,
    /// On how many of those late.
    pub over: usize,
    /// Half of them took no longer.
    pub median_minutes: Option<i64>,
    /// The longest.
    pub longest_minutes: Option<i64>,
    /// What those waited for others, altogether; it is not counted as time used.
    pub paused_minutes: i64,
    /// On how many it was under way at the end.
    pub running: usize,
}

/// A step of a request that is, or was when it ended, over its limit.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportLate)]
pub struct Late {
    /// The request.
    pub number: String,
    /// The full name asked for.
    pub name: String,
    /// The step.
    pub step: u8,
    /// The jabatan of whoever held it.
    pub holder: String,
    /// What was used.
    pub used_minutes: i64,
    /// What was allowed.
    pub limit_minutes: i64,
    /// By how much it is over.
    pub over_minutes: i64,
    /// Whether it was still under way at the end.
    pub running: bool,
}

/// How many late steps one holder has.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportHolderLate)]
pub struct HolderLate {
    /// The jabatan.
    pub holder: String,
    /// The step.
    pub step: u8,
    /// How many.
    pub count: usize,
    /// By how much altogether.
    pub over_minutes: i64,
}

/// A name that was live at the end.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportLiveName)]
pub struct LiveName {
    /// The full name.
    pub name: String,
    /// The class, if it is known.
    pub class: Option<NamingClass>,
    /// The office.
    pub office: String,
    /// Since when without a break.
    pub since: Moment,
}

/// One request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportLine)]
pub struct Line {
    /// The number.
    pub number: String,
    /// The kind.
    pub kind: Kind,
    /// The class.
    pub class: NamingClass,
    /// The full name.
    pub name: String,
    /// The office.
    pub office: String,
    /// The state at the end.
    pub state: State,
    /// When it came in.
    pub submitted: Moment,
    /// When it came to its result, if it had.
    pub finished: Option<Moment>,
    /// The steps that had begun.
    pub steps: Vec<StepUsed>,
    /// Whether one of them is late.
    pub late: bool,
}

/// What a step of a request had used.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportStepUsed)]
pub struct StepUsed {
    /// The step.
    pub step: u8,
    /// Minutes used.
    pub used_minutes: i64,
    /// Minutes allowed.
    pub limit_minutes: i64,
    /// Minutes paused.
    pub paused_minutes: i64,
    /// When it ended; none while it was under way.
    pub ended: Option<Moment>,
    /// The jabatan of whoever held it.
    pub holder: String,
}

impl StepUsed {
    /// Whether it is over its limit, by a whole minute at least.
    pub fn is_late(&self) -> bool {
        self.used_minutes > self.limit_minutes
    }
}
