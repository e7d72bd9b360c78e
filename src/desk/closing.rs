//! Closing a month (step 6 of the SOP): the kabid says that its report is made, and the requests it reports
//! end there. Its paper, *laporan kegiatan*, is issued with it, once, and gets its number then. Making a
//! report closes nothing, and no timer does.

use std::sync::Arc;

use super::{ActError, Desk};
use crate::audit::NewEvent;
use crate::ledger::{House, Ledger, NewPaper, Stored};
use crate::lock::lock;
use crate::paper::{Content, Paper};
use crate::queue::fault::NotAllowed;
use crate::queue::{
    Actor, Deed, Fault, Happening, PaperKind, Role, Rule, Signature, Stage, State, Subject,
    TransitionError,
};
use crate::report::{Month, Report, StepTime, Terms, closed_at};
use crate::store::{Reader, Tx};

/// What closing a month came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MonthClosed {
    /// The month, `YYYY-MM`.
    pub month: String,
    /// Numbers of the requests that are closed with it.
    pub requests: Vec<String>,
    /// The number of its paper.
    pub paper: String,
}

/// How much work there was and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkFigures {
    /// Requests that came in by month, the oldest first.
    pub came: Vec<(Month, u64)>,
    /// The running month.
    pub month: Month,
    /// Its time per step.
    pub steps: Vec<StepTime>,
}

impl Desk {
    /// The report of a month as things stand. It changes nothing.
    pub fn month_report(&self, month: Month) -> Result<Report, ActError> {
        let (now, calendar) = (self.now(), self.calendar());
        let terms = Terms { calendar: &calendar, rules: self.rules() };
        self.read(|reader| Ok(Report::of(reader, month, now, terms)?))
    }

    /// The report of a month as a paper, printed on demand.
    pub fn month_paper(&self, month: Month) -> Result<Paper, ActError> {
        let (report, now) = (self.month_report(month)?, self.now());
        let (signer, chain) = self.read(|reader| {
            let house = House::of(reader)?;
            let head = house.head_now(None, now);
            Ok((house.signer(head.as_ref(), Role::Head), reader.chain_head()?))
        })?;
        Ok(report.printed(signer, chain, now))
    }

    /// The months that a report can be made of, the newest first: from the first request to now.
    pub fn months(&self) -> Result<Vec<Month>, ActError> {
        let first = self.read(|reader| Ok(reader.first_request()?))?;
        let now = self.now();
        let (Some(current), Some(first)) = (Month::of(now), Month::of(first.unwrap_or(now))) else {
            return Ok(Vec::new());
        };
        let back = std::iter::successors(Some(current), |month| Some(month.previous()));
        Ok(back.take_while(|month| *month >= first.min(current)).take(MONTHS_MAX).collect())
    }

    /// Requests by month and the steps of the running one. They are gathered once, and again when
    /// something has happened: they hang on events alone, and not on the time that goes by.
    pub fn work_figures(&self) -> Result<Arc<WorkFigures>, ActError> {
        let now = self.now();
        let current = Month::of(now).ok_or(ActError::NotFound)?;
        let head = self.last_event()?;
        let mut kept = lock(&self.0.work_figures);
        if let Some((at, figures)) = kept.as_ref()
            && (*at, figures.month) == (head, current)
        {
            return Ok(Arc::clone(figures));
        }
        let figures = Arc::new(WorkFigures {
            came: self.requests_by_month(current)?,
            month: current,
            steps: self.month_report(current)?.steps,
        });
        *kept = Some((head, Arc::clone(&figures)));
        Ok(figures)
    }

    /// How many requests came in each of the last months, the oldest first.
    fn requests_by_month(&self, current: Month) -> Result<Vec<(Month, u64)>, ActError> {
        let back = std::iter::successors(Some(current), |month| Some(month.previous()));
        let mut months: Vec<Month> = back.take(MONTHS_COUNTED).collect();
        months.reverse();
        self.read(|reader| {
            let count = |month: Month| {
                let (from, to) = month.span().unwrap_or((0, 0));
                Ok((month, reader.requests_came(from, to)?))
            };
            months.into_iter().map(count).collect()
        })
    }

    /// How many requests would be closed with a month.
    pub fn count_to_close(&self, month: Month) -> Result<usize, ActError> {
        let (_, end) = month.span().ok_or(ActError::NotFound)?;
        self.read(|reader| Ok(to_close(&self.0.ledger, reader, end)?.len()))
    }

    /// Closes a month that is over: every request that went live before its end and whose applicant
    /// knows is closed with it; the rest wait for the next month's. By the kabid, once.
    pub fn close_month(&self, month: Month, actor: &Actor) -> Result<MonthClosed, ActError> {
        let ledger = &self.0.ledger;
        let closed = ledger.store.write(|tx| close(ledger, tx, month, actor));
        if let Err(ActError::Rule(error)) = &closed {
            let subject = Subject::Month(month.to_string());
            self.log_turned_back(actor, Deed::MonthClosed, subject, error)?;
        }
        closed
    }
}

/// Months that are offered at most.
const MONTHS_MAX: usize = 60;
/// Months whose requests are counted.
const MONTHS_COUNTED: usize = 12;

/// Closes a month, in one transaction.
fn close(
    ledger: &Ledger,
    tx: &Tx<'_>,
    month: Month,
    actor: &Actor,
) -> Result<MonthClosed, ActError> {
    let (now, calendar) = (ledger.now(), ledger.calendar());
    let (_, end) = month.span().ok_or(ActError::NotFound)?;
    let by = may_close(ledger, tx, (month, end), actor, now)?;
    let facts = ledger.facts(now, &calendar);
    let mut requests = Vec::new();
    for Stored { request, row } in to_close(ledger, tx, end)? {
        let step = request.close(&month.to_string(), &facts).map_err(ActError::Rule)?;
        ledger.apply(tx, &row, step)?;
        requests.push(row.number);
    }
    let subject = Subject::Month(month.to_string());
    let closed = Happening::new(&by, Deed::MonthClosed, subject).with("requests", requests.len());
    ledger.note(tx, NewEvent::from(&closed))?;
    let paper = issue(ledger, tx, month, &by)?;
    Ok(MonthClosed { month: month.to_string(), requests, paper })
}

/// Issues the paper of a month, to be signed by whoever closes it. One that is in force is superseded.
fn issue(ledger: &Ledger, tx: &Tx<'_>, month: Month, by: &Signature) -> Result<String, ActError> {
    let calendar = ledger.calendar();
    let terms = Terms { calendar: &calendar, rules: &ledger.rules };
    let report = Report::of(tx, month, by.at, terms)?;
    let signer = House::of(tx)?.signer(Some(by), Role::Head);
    let about = month.to_string();
    let older = tx.papers_about(PaperKind::Activity, &about)?;
    let (sequence, head) = tx.chain_head()?.unwrap_or_default();
    let new = NewPaper {
        request: None,
        about: &about,
        event: (sequence, &head),
        content: Content::Activity(report.activity(signer)),
        signed: vec![Some(by.clone())],
        by,
        supersedes: older.into_iter().rfind(|row| row.superseded_by.is_none()),
        reason: None,
    };
    Ok(ledger.issue_paper(tx, new)?.number)
}

/// The requests that went live before a moment and whose applicants know.
fn to_close(ledger: &Ledger, reader: &Reader<'_>, end: i64) -> Result<Vec<Stored>, ActError> {
    let mut found = Vec::new();
    for row in reader.requests_in(State::Notified)? {
        let stored = ledger.expect_request(reader, &row.number)?;
        let is_before =
            matches!(stored.request.stage(), Stage::Notified(told) if told.live.at < end);
        if is_before {
            found.push(stored);
        }
    }
    Ok(found)
}

/// Tests state, then person; returns the signature under which the month is closed.
fn may_close(
    ledger: &Ledger,
    tx: &Tx<'_>,
    (month, end): (Month, i64),
    actor: &Actor,
    now: i64,
) -> Result<Signature, ActError> {
    if closed_at(tx, month)?.is_some() {
        return Err(TransitionError::wrong_state(Deed::MonthClosed.as_str(), State::Closed).into());
    }
    // Before the first request there is nothing to report, and so nothing to close.
    let first = tx.first_request()?.and_then(Month::of);
    if first.is_some_and(|first| month < first) {
        return Err(ActError::NotFound);
    }
    let current = ledger.current(tx, actor)?;
    let by = current.capacity(Role::Head, now);
    let by = by.ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(Role::Head)))?;
    if end > now {
        let fault = Fault::new("month", Rule::MonthNotOver, month.to_string());
        return Err(TransitionError::Incomplete(vec![fault]).into());
    }
    Ok(by)
}
