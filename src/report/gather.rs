//! Gathers a report from the event chain, as it stood at the month's end.

use std::collections::{BTreeMap, HashMap};

use super::holders::Holders;
use super::sheet::{Count, Line, LiveName, Moment, Report, StepUsed};
use super::{Month, steps};
use crate::queue::laps::{Lap, Mark, Replay};
use crate::queue::time::MINUTE_MS;
use crate::queue::{Calendar, Deed, LiveState, Rules, State, Subject};
use crate::store::events::{Event, TURNED_BACK};
use crate::store::requests::RequestRow;
use crate::store::{Reader, StoreError};

/// Working time and limits, by which the clocks are told.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Working time.
    pub calendar: &'a Calendar,
    /// The limits.
    pub rules: &'a Rules,
}

impl Report {
    /// The report of a month, as of its end, or as of `now_ms` while it runs.
    pub fn of(
        reader: &Reader<'_>,
        month: Month,
        now_ms: i64,
        terms: Terms<'_>,
    ) -> Result<Self, StoreError> {
        let (from, end) = month.span().unwrap_or((0, 0));
        // What happened at this moment counts; what happens at the month's end is the next one's.
        let (as_of, until) = (end.min(now_ms), end.min(now_ms + 1));
        let mut holders = Holders::new(reader)?;
        let mut requests = Vec::new();
        for row in reader.requests_at_work(from, until)? {
            let past = Past::of(reader, &row, (as_of, until), terms)?;
            if !past.is_of(from) {
                continue;
            }
            requests.push(line(&row, past, &mut holders)?);
        }
        let closed = closed_at(reader, month)?;
        let live = live_names(reader, until)?;
        let came = |line: &&Line| line.submitted.0 >= from;
        let ended = |line: &&Line| line.finished.is_some_and(|at| at.0 >= from);
        let total = requests.iter().filter(came).count();
        let finished = requests.iter().filter(ended).count();
        let steps = steps::times(&requests, from, terms.rules);
        let late = steps::late(&requests, from);
        Ok(Self {
            month: month.to_string(),
            as_of: Moment(as_of),
            is_over: end <= now_ms,
            closed: closed.map(Moment),
            total,
            finished,
            open: requests.iter().filter(|line| line.state.is_open()).count(),
            kinds: counts(requests.iter().filter(came).map(|line| line.kind.as_str())),
            classes: counts(requests.iter().filter(came).map(|line| line.class.as_str())),
            results: counts(requests.iter().filter(ended).map(|line| result_of(line.state))),
            states: counts(requests.iter().map(|line| line.state.as_str())),
            late_by_holder: steps::by_holder(&late),
            steps,
            late,
            live,
            requests,
        })
    }
}

/// When a month was closed, epoch milliseconds; none while it is not.
pub fn closed_at(reader: &Reader<'_>, month: Month) -> Result<Option<i64>, StoreError> {
    let events = reader.events_of(&Subject::Month(month.to_string()).to_string())?;
    let closed =
        events.iter().find(|event| is_done(event) && event.act == Deed::MonthClosed.as_str());
    Ok(closed.map(|event| event.at_ms))
}

//------------ Past ----------------------------------------------------------

/// A request as it stood at a moment.
struct Past {
    /// The state.
    state: State,
    /// When it came to its result.
    finished: Option<i64>,
    /// Its steps.
    laps: Vec<Lap>,
}

impl Past {
    /// Replays the events of a request before a moment; its clocks are those of `as_of`.
    fn of(
        reader: &Reader<'_>,
        row: &RequestRow,
        (as_of, until): (i64, i64),
        terms: Terms<'_>,
    ) -> Result<Self, StoreError> {
        let mut events = reader.events_of(&Subject::Request(row.number.clone()).to_string())?;
        events.extend(notices_sent(reader, &row.number)?);
        events.retain(|event| event.at_ms < until && is_done(event));
        events.sort_by_key(|event| event.sequence);
        let mut replay = Replay::new(terms.calendar, terms.rules);
        let (mut state, mut finished) = (State::Submitted, None);
        for event in &events {
            let Some(deed) = Deed::from_name(&event.act) else { continue };
            let fact = |key: &str| event.payload.get(key).map(String::as_str);
            replay.mark(&Mark {
                at: event.at_ms,
                deed,
                by: &event.person,
                to: fact("to"),
                starts: fact("starts"),
            });
            let after = event.after.as_deref().and_then(State::from_name);
            if let Some(after) = after.filter(|_| deed != Deed::NoticeSent) {
                if is_result(after) && state != after {
                    finished = Some(event.at_ms);
                }
                state = after;
            }
        }
        Ok(Self { state, finished, laps: replay.laps(as_of) })
    }

    /// Whether it was at work at some time from a moment on.
    fn is_of(&self, from: i64) -> bool {
        let ended = self.laps.iter().filter_map(|lap| lap.ended).max();
        self.state.is_open()
            || self.finished.is_some_and(|at| at >= from)
            || self.laps.iter().any(|lap| lap.ended.is_none())
            || ended.is_some_and(|at| at >= from)
    }
}

/// The events by which the relay took a notice to the applicant of a request.
fn notices_sent(reader: &Reader<'_>, number: &str) -> Result<Vec<Event>, StoreError> {
    let mut sent = Vec::new();
    for notice in reader.notices_of(number)?.iter().filter(|notice| notice.to_applicant) {
        let events = reader.events_of(&Subject::Notice(notice.id.clone()).to_string())?;
        sent.extend(events.into_iter().filter(|it| it.act == Deed::NoticeSent.as_str()));
    }
    Ok(sent)
}

/// Whether an event tells of something that was done, not of an attempt that was turned back.
fn is_done(event: &Event) -> bool {
    !event.payload.contains_key(TURNED_BACK)
}

/// Whether a request that is in this state has come to its result.
fn is_result(state: State) -> bool {
    matches!(state, State::Live | State::Rejected | State::Withdrawn | State::Expired)
}

/// The result of a request in a state after it: whoever was told of it is live still.
fn result_of(state: State) -> &'static str {
    match state {
        State::Notified | State::Closed => State::Live.as_str(),
        state => state.as_str(),
    }
}

/// A request as a line.
fn line(row: &RequestRow, past: Past, holders: &mut Holders<'_>) -> Result<Line, StoreError> {
    let mut steps = Vec::new();
    for lap in &past.laps {
        steps.push(StepUsed {
            step: lap.step.number(),
            used_minutes: lap.used / MINUTE_MS,
            limit_minutes: lap.limit / MINUTE_MS,
            paused_minutes: lap.paused / MINUTE_MS,
            ended: lap.ended.map(Moment),
            holder: holders.of(lap)?,
        });
    }
    Ok(Line {
        number: row.number.clone(),
        kind: row.kind,
        class: row.class,
        name: row.name.trim_end_matches('.').to_owned(),
        office: row.office.clone(),
        state: past.state,
        submitted: Moment(row.submitted_ms),
        finished: past.finished.map(Moment),
        late: steps.iter().any(StepUsed::is_late),
        steps,
    })
}

//------------ Names ---------------------------------------------------------

/// The names that were live at a moment, with what is known of them now.
fn live_names(reader: &Reader<'_>, until: i64) -> Result<Vec<LiveName>, StoreError> {
    let mut since: BTreeMap<String, i64> = BTreeMap::new();
    for (name, state, at_ms) in reader.moves_of_names(until)? {
        if LiveState::from_name(&state).is_some_and(LiveState::is_served) {
            since.entry(name).or_insert(at_ms);
        } else {
            since.remove(&name);
        }
    }
    let mut live = Vec::new();
    for (name, at_ms) in since {
        let row = reader.live_record(&name)?;
        live.push(LiveName {
            name: name.trim_end_matches('.').to_owned(),
            class: row.as_ref().and_then(|row| row.class),
            office: row.map(|row| row.office).unwrap_or_default(),
            since: Moment(at_ms),
        });
    }
    Ok(live)
}

/// How often each word occurs, in the order of the words.
fn counts<'a>(words: impl Iterator<Item = &'a str>) -> Vec<Count> {
    let mut found: HashMap<&str, usize> = HashMap::new();
    for word in words {
        *found.entry(word).or_default() += 1;
    }
    let mut counts: Vec<Count> =
        found.into_iter().map(|(what, count)| Count { what: what.to_owned(), count }).collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.what.cmp(&b.what)));
    counts
}
