//! Reminders of a step that is due soon and of a correction about to lapse, and the notice to every
//! officer that an account or a role was changed (docs/procedure.md, "Clocks" and "Notices").
//!
//! The id of a reminder is made of what it reminds of, so each is written once, even across restarts.

use super::memory::Reminded;
use super::{ActError, Desk};
use crate::lock::lock;
use crate::queue::time::{DAY_MS, is_recent};
use crate::queue::{Calendar, ClockStep, Deed, Rules, State};
use crate::store::StoreError;
use crate::store::requests::{RequestFilter, RequestRow};

/// Requests looked at in one turn; the next turn goes on behind them.
const ROWS_MAX: usize = 1_000;
/// How often the queue is looked through, in milliseconds.
const EVERY_MS: i64 = 60_000;
/// How far ahead due times are looked at, in milliseconds: 7 working days with a long holiday.
const AHEAD_MS: i64 = 40 * DAY_MS;
/// Working days left at which an applicant is reminded of a correction; the nearest first.
const DAYS_LEFT: [i64; 2] = [2, 7];
/// Reminders remembered in memory; whether one is written is decided by the notices.
const REMEMBERED_MAX: usize = 50_000;
/// Events looked back at after a start.
const EVENTS_BACK: i64 = 1_000;

impl Desk {
    /// Writes the reminders whose time has come.
    pub(super) fn remind(&self) -> Result<(), ActError> {
        let now = self.now();
        let mut reminded = lock(&self.0.reminded);
        self.tell_of_accounts(&mut reminded)?;
        let mut after = reminded.after.take();
        if after.is_none() {
            if is_recent(reminded.at, now, EVERY_MS - 1) {
                return Ok(());
            }
            reminded.at = now;
            after = Some((now - 1, String::new()));
        }
        let ahead = RequestFilter {
            open: Some(true),
            after,
            due_before_ms: Some(now + AHEAD_MS),
            limit: ROWS_MAX,
            ..RequestFilter::default()
        };
        let calendar = self.calendar();
        let (rows, due) = self.read(|reader| {
            let rows = reader.requests(&ahead)?;
            let mut due = Vec::new();
            for row in &rows {
                let Some(mark) = mark(row, now, &calendar, self.rules()) else { continue };
                let id = format!("r-{}-{}-{mark}", row.number, row.due_ms.unwrap_or(0));
                if !reminded.ids.contains(&id) && !self.0.ledger.is_reminded(reader, &id)? {
                    due.push((row.clone(), id));
                }
            }
            Ok((rows, due))
        })?;
        if reminded.ids.len() > REMEMBERED_MAX {
            reminded.ids.clear();
        }
        for (row, id) in due {
            self.remind_of(&row, &id)?;
            reminded.ids.insert(id);
        }
        let last = rows.last().filter(|_| rows.len() == ROWS_MAX);
        reminded.after = last.map(|row| (row.rank(), row.number.clone()));
        Ok(())
    }

    /// Writes one reminder, unless it is there or the request has moved on.
    fn remind_of(&self, row: &RequestRow, id: &str) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        ledger.store.write(|tx| {
            let stored = ledger.expect_request(tx, &row.number)?;
            if stored.row.due_ms != row.due_ms || stored.row.state != row.state {
                return Ok(());
            }
            let deed = match stored.request.state() {
                State::NeedsCorrection => Deed::CorrectionDue,
                _ => Deed::DueSoon,
            };
            Ok(ledger.remind(tx, id, deed, &stored.request)?)
        })
    }

    /// Tells every officer of accounts and roles that were changed since the last turn.
    fn tell_of_accounts(&self, reminded: &mut Reminded) -> Result<(), ActError> {
        let ledger = &self.0.ledger;
        let head = ledger.store.read::<_, StoreError>(|reader| reader.chain_head())?;
        let head = head.map_or(0, |(sequence, _)| sequence);
        let from = reminded.event.unwrap_or(head - EVENTS_BACK).max(0);
        if from >= head {
            return Ok(());
        }
        let events = self.events(from, usize::MAX)?;
        for event in &events {
            let deed = event.act.parse::<Deed>().ok().and_then(Deed::announced_as);
            let Some(deed) = deed else { continue };
            // Version 0.1.0 recorded these without a notice: what is long past is no news.
            let is_new_notice =
                matches!(deed, Deed::SecondFactorSet | Deed::AccountEnabled | Deed::ActingRecorded);
            if is_new_notice && event.at_ms < ledger.now() - DAY_MS {
                continue;
            }
            let Some(person) = event.subject.strip_prefix("person:") else { continue };
            ledger.store.write::<_, ActError>(|tx| {
                let Some(row) = tx.person(person)? else { return Ok(()) };
                Ok(ledger.tell_of_account(tx, event, deed, &row.name)?)
            })?;
        }
        reminded.event = events.last().map(|event| event.sequence).or(reminded.event);
        Ok(())
    }
}

/// What is to be reminded of now, as a part of the reminder's id.
fn mark(row: &RequestRow, now: i64, calendar: &Calendar, rules: &Rules) -> Option<String> {
    let left = calendar.worked(now, row.due_ms?);
    if row.state == State::NeedsCorrection {
        let days = DAYS_LEFT.into_iter().find(|days| left <= days * rules.working_day)?;
        return Some(format!("{days}d"));
    }
    let step = row.state.clock_step().filter(|step| *step != ClockStep::Notify)?;
    (left * 4 <= step.limit(rules)).then(|| format!("step{}", step.number()))
}
