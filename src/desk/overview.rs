//! What an officer sees first: what waits for them, what is late or due today, who holds what, and how
//! the month has gone.

use super::listing::summary;
use super::{ActError, Counts, Desk, ListFilter};
use crate::queue::time::{day_of, midnight};
use crate::queue::{Actor, LiveState, Phase};
use crate::report::{Month, median};
use crate::store::requests::RequestFilter;
use crate::view::{RecordView, Summary};

/// Requests shown of each list.
const SHOWN: usize = 10;
/// Finished requests that the median of a month is taken of.
const FINISHED_MAX: usize = 5_000;
/// Requests with undelivered notices that are counted.
const UNTOLD_MAX: usize = 1_000;

pub use crate::store::requests::HeldCount;

/// What an officer sees first.
#[derive(Clone, Debug)]
pub struct Overview {
    /// How many are in each list.
    pub counts: Counts,
    /// What waits for the officer, the most urgent first.
    pub mine: Vec<Summary>,
    /// Open requests past their due time.
    pub late: Vec<Summary>,
    /// Open requests due before the day is over and not late yet.
    pub today: Vec<Summary>,
    /// Open requests by phase and holder.
    pub held: Vec<HeldCount>,
    /// The month so far.
    pub month: MonthSoFar,
    /// Emergency suspensions that wait for the other officer's word.
    pub suspensions: Vec<RecordView>,
    /// Names whose owner has not answered the yearly question in time.
    pub reconfirming: u64,
    /// Requests whose applicant could not be told by mail, and so must be told by letter or telephone.
    pub untold: Vec<String>,
}

/// How the month has gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct MonthSoFar {
    /// Requests that came in.
    pub came: u64,
    /// Requests that came to their result: live, rejected, withdrawn or expired, as in the report.
    pub finished: u64,
    /// Working minutes from letter to result, the median; none where nothing finished.
    pub median_minutes: Option<i64>,
}

impl Desk {
    /// What an officer sees first.
    pub fn overview(&self, actor: &Actor) -> Result<Overview, ActError> {
        let now = self.now();
        if !actor.is_officer(now) {
            return Err(ActError::NotAllowed);
        }
        let mine = ListFilter { open: Some(true), limit: SHOWN, ..ListFilter::default() };
        let mine = self.list(&mine.waiting_for(actor, now), actor)?.items;
        let tomorrow = midnight(day_of(now) + 1);
        let due = |before: i64, limit: usize| RequestFilter {
            open: Some(true),
            due_before_ms: Some(before),
            limit,
            ..RequestFilter::default()
        };
        let calendar = self.calendar();
        let (rows, held, untold, suspensions, reconfirming) = self.read(|reader| {
            let late = reader.requests(&due(now, SHOWN))?;
            let today =
                RequestFilter { after: Some((now - 1, String::new())), ..due(tomorrow, SHOWN) };
            let rows = (late, reader.requests(&today)?);
            let open = reader.unconfirmed_suspensions()?;
            let open: Result<Vec<_>, ActError> = open
                .iter()
                .map(|row| Ok(RecordView::from(&self.0.ledger.open_live(row)?)))
                .collect();
            let reconfirming = reader.count_names(LiveState::Reconfirming.as_str())?;
            let untold = reader.untold(UNTOLD_MAX)?;
            Ok((rows, reader.held_counts(now)?, untold, open?, reconfirming))
        })?;
        let views = |rows: &[_]| rows.iter().map(|row| summary(row, now, &calendar)).collect();
        Ok(Overview {
            counts: self.counts(actor)?,
            mine,
            late: views(&rows.0),
            today: views(&rows.1),
            held,
            month: self.month_so_far(now)?,
            suspensions,
            reconfirming,
            untold,
        })
    }

    /// How the month has gone.
    fn month_so_far(&self, now: i64) -> Result<MonthSoFar, ActError> {
        let (first, _) = Month::of(now).and_then(Month::span).ok_or(ActError::NotFound)?;
        let calendar = self.calendar();
        self.read(|reader| {
            let finished = reader.finished_since(first, FINISHED_MAX)?;
            let mut spans: Vec<i64> =
                finished.iter().map(|(came, end)| calendar.worked(*came, *end) / 60_000).collect();
            spans.sort_unstable();
            Ok(MonthSoFar {
                came: reader.came_since(first)?,
                finished: spans.len() as u64,
                median_minutes: median(&spans),
            })
        })
    }
}

/// The step of the SOP that a phase is a part of, for lists by step.
pub fn step_of(phase: Phase) -> Option<u8> {
    match phase {
        Phase::Submitted => Some(2),
        Phase::Assigned | Phase::Consulting | Phase::NeedsCorrection => Some(3),
        Phase::Verified
        | Phase::AwaitsSecond
        | Phase::Scheduled
        | Phase::Promoting
        | Phase::PromotionFailed => Some(4),
        _ => None,
    }
}
