//! Lists of requests: by columns and indexes only, no body is opened.

use serde::Serialize;

use super::{ActError, Desk};
use crate::queue::{Actor, Calendar, Kind, NamingClass, Phase, Role, State, Timing};
pub use crate::store::requests::Sort;
use crate::store::requests::{RequestFilter, RequestRow, WaitsFor};
use crate::view::{Summary, rfc3339};

/// Rows of a page at most.
const ROWS_MAX: usize = 200;
/// Where a count ends: one more means that there are more.
pub const COUNTED_MAX: u64 = 10_000;
/// Rows of a page when nobody says.
const ROWS: usize = 50;

/// Which requests a list shows; every part that is set narrows it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListFilter {
    /// Only these states; any if there is none.
    pub states: Vec<State>,
    /// Only these classes; any if there is none.
    pub classes: Vec<NamingClass>,
    /// Only these kinds; any if there is none.
    pub kinds: Vec<Kind>,
    /// Only these numbers; any if there is none.
    pub numbers: Vec<String>,
    /// Only open ones, or only those that are not.
    pub open: Option<bool>,
    /// Only those past their due time.
    pub late: bool,
    /// Only those this person holds (person id); empty: those nobody holds.
    pub holder: Option<String>,
    /// Only those that wait for somebody.
    pub waits_for: Option<WaitsFor>,
    /// Only those that somebody with this account name holds.
    pub holder_name: Option<String>,
    /// Only those of this office.
    pub office: Option<String>,
    /// Only those in this zone, absolute.
    pub zone: Option<String>,
    /// Only those on this name, absolute or below the first zone.
    pub name: Option<String>,
    /// Only those that came in from this time on.
    pub submitted_from: Option<i64>,
    /// Only those that came in before this time.
    pub submitted_before: Option<i64>,
    /// Only those that changed from this time on.
    pub changed_from: Option<i64>,
    /// Only those sent again at least once.
    pub resubmitted: bool,
    /// Only those whose name, number or office holds this text.
    pub text: Option<String>,
    /// The order.
    pub sort: Sort,
    /// Where the page begins, as the page before said under `next`.
    pub cursor: Option<String>,
    /// At most so many rows; 0 = 50.
    pub limit: usize,
}

impl ListFilter {
    /// Narrows it to what waits for this officer, in each role held now: to be routed or signed second
    /// by the head, to be checked or promoted by the verifier who holds it or is stood in for, to be
    /// tried again by the operator.
    pub fn waiting_for(mut self, actor: &Actor, now: i64) -> Self {
        let held = Phase::FOR_HOLDER.to_vec();
        let mut waits = WaitsFor { held, now_ms: now, ..WaitsFor::default() };
        let holds = |role| actor.capacity(role, now).is_some();
        if holds(Role::Head) {
            waits.phases.extend(Phase::FOR_HEAD);
        }
        if holds(Role::Operator) {
            waits.phases.push(Phase::PromotionFailed);
        }
        if actor.roles.contains(&Role::Verifier) {
            waits.holders.push(actor.person().to_owned());
        }
        let acting = actor.acting.iter().filter(|it| it.role == Role::Verifier && it.in_force(now));
        waits.holders.extend(acting.map(|it| it.holder.clone()).filter(|it| !it.is_empty()));
        self.waits_for = Some(waits);
        self
    }

    /// Reads a cursor: the place in the order and the number after which a page begins.
    pub fn place(cursor: &str) -> Option<(i64, String)> {
        let (place, number) = cursor.split_once('.')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let is_number = !number.is_empty() && number.chars().all(plain);
        Some((place.parse().ok().filter(|_| is_number)?, number.to_owned()))
    }
}

/// A page of a list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Page {
    /// The rows, in the order of the filter.
    pub items: Vec<Summary>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// How many are in each of the lists of an officer; counting ends after [`COUNTED_MAX`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counts {
    /// *Milik saya*.
    pub mine: u64,
    /// *Semua*.
    pub open: u64,
    /// *Terlambat*.
    pub late: u64,
    /// *Diajukan ulang*.
    pub resubmitted: u64,
    /// *Selesai*: no longer under way, however it ended.
    pub finished: u64,
}

impl Desk {
    /// A page of requests, in the order of the queue unless the filter says otherwise: late ones first.
    /// For officers only.
    pub fn list(&self, filter: &ListFilter, actor: &Actor) -> Result<Page, ActError> {
        let now = self.now();
        if !actor.is_officer(now) {
            return Err(ActError::NotAllowed);
        }
        let limit = if filter.limit == 0 { ROWS } else { filter.limit.min(ROWS_MAX) };
        let columns = RequestFilter { limit: limit + 1, ..self.columns(filter) };
        let mut rows = self.read(|reader| Ok(reader.requests(&columns)?))?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more);
        let next = next.map(|row| format!("{}.{}", row.place(filter.sort), row.number));
        let calendar = self.calendar();
        let items = rows.iter().map(|row| summary(row, now, &calendar)).collect();
        Ok(Page { items, next })
    }

    /// How many are in each list of an officer.
    pub fn counts(&self, actor: &Actor) -> Result<Counts, ActError> {
        let count = |filter: ListFilter| {
            let limit = usize::try_from(COUNTED_MAX).unwrap_or(usize::MAX) + 1;
            let open = filter.open.or(Some(true));
            let columns = self.columns(&ListFilter { open, limit, ..filter });
            self.read(|reader| Ok(reader.request_count(&columns)?))
        };
        let mine = ListFilter::default().waiting_for(actor, self.now());
        Ok(Counts {
            mine: count(mine)?,
            open: count(ListFilter::default())?,
            late: count(ListFilter { late: true, ..ListFilter::default() })?,
            resubmitted: count(ListFilter { resubmitted: true, ..ListFilter::default() })?,
            finished: count(ListFilter { open: Some(false), ..ListFilter::default() })?,
        })
    }

    /// A filter as conditions on columns.
    fn columns(&self, filter: &ListFilter) -> RequestFilter {
        let after = filter.cursor.as_deref().and_then(ListFilter::place);
        RequestFilter {
            states: filter.states.clone(),
            classes: filter.classes.clone(),
            kinds: filter.kinds.clone(),
            numbers: filter.numbers.clone(),
            open: filter.open,
            holder_id: filter.holder.clone(),
            waits_for: filter.waits_for.clone(),
            holder: filter.holder_name.clone(),
            office: filter.office.clone(),
            zone: filter.zone.clone(),
            name: filter.name.as_deref().map(|name| self.absolute(name)),
            submitted_from_ms: filter.submitted_from,
            submitted_before_ms: filter.submitted_before,
            changed_from_ms: filter.changed_from,
            sort: filter.sort,
            due_before_ms: filter.late.then(|| self.now()),
            resubmitted: filter.resubmitted,
            text: filter.text.clone(),
            after,
            limit: filter.limit,
        }
    }
}

/// A row as others see it.
pub(super) fn summary(row: &RequestRow, now: i64, calendar: &Calendar) -> Summary {
    let state = row.state;
    let suffix = format!(".{}", row.zone);
    let timing = Timing::of(state, row.due_ms, now, calendar);
    let phase = match row.phase.unwrap_or_else(|| Phase::of(state)) {
        Phase::Verified if row.starts_ms.is_some_and(|starts| starts > now) => Phase::Scheduled,
        phase => phase,
    };
    Summary {
        number: row.number.clone(),
        state,
        revision: row.revision,
        kind: row.kind,
        class: row.class,
        name: row.name.strip_suffix(&suffix).unwrap_or(&row.name).to_owned(),
        zone: row.zone.clone(),
        office: row.office.clone(),
        raised: row.raised,
        holder: row.holder.clone(),
        holder_role: phase.turn(),
        phase,
        scheduled: row.starts_ms.filter(|_| phase == Phase::Scheduled).map(rfc3339),
        step: timing.step,
        due: timing.due.map(rfc3339),
        left_minutes: timing.left_minutes,
        late: timing.late,
        submitted: rfc3339(row.submitted_ms),
        changed: rfc3339(row.changed_ms),
    }
}
