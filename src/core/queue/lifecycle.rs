//! A name's life after it went live (docs/procedure.md, "After going live"): the yearly question, the
//! end date, and what gapura asks for by itself.
//!
//! ```text
//! day -30 asked ─► -7 reminded ─► 0 Reconfirming ─► +30 a suspension is asked for
//! suspended ─► after `remove_days` a removal is asked for
//! ```
//! Pure: [`LiveRecord::call`] says what a name's year calls for at a moment, from what stands on the
//! record. Silence decides nothing: a request of gapura's goes through the whole procedure. Each step
//! is counted from the one before it as it happened, so that a machine that was off asks late and
//! does not skip the question.

use serde::{Deserialize, Serialize};
use time::{Date, Month};

use super::application::{Application, Contact, Kind, NamingClass};
use super::live::{LiveRecord, LiveState};
use super::named::named;
use super::time::{DAY_MS, date_of, day_of_date, midnight};

/// How far ahead of the clock a time may lie that a clock wrote which was corrected since, in
/// milliseconds.
const SLACK_MS: i64 = 31 * DAY_MS;

//------------ Lifecycle -----------------------------------------------------

/// The settings `lifecycle.*`, in days of the calendar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lifecycle {
    /// Before the anniversary: the owner is asked; 0 asks nobody.
    pub ask_days: i64,
    /// Before the anniversary: who has not answered is reminded.
    pub remind_days: i64,
    /// After the anniversary: gapura asks for a suspension.
    pub suspend_days: i64,
    /// After that suspension: gapura asks for the removal.
    pub remove_days: i64,
    /// Before the end date: notices to the owner.
    pub end_notice_days: Vec<i64>,
    /// After a suspension by the end date, or because the target is gone: gapura asks for the removal.
    pub ended_remove_days: i64,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            ask_days: 30,
            remind_days: 7,
            suspend_days: 30,
            remove_days: 60,
            end_notice_days: vec![14, 3],
            ended_remove_days: 30,
        }
    }
}

impl Lifecycle {
    /// How long a name may stay suspended for a cause, until its removal is asked for.
    pub(super) fn removal_after(&self, cause: Ground) -> i64 {
        let days = match cause {
            Ground::Unconfirmed => self.remove_days,
            Ground::Ended | Ground::Unreachable | Ground::NotNeeded => self.ended_remove_days,
        };
        days * DAY_MS
    }
}

//------------ Raised --------------------------------------------------------

named! {
    /// Why gapura asks for something by itself, or took a name out.
    pub enum Ground {
        /// The owner did not answer the yearly question.
        Unconfirmed = "unconfirmed",
        /// The approved end date has come.
        Ended = "ended",
        /// The target does not answer, or belongs to nobody any more.
        Unreachable = "unreachable",
        /// The owner answered that the name is not needed any more.
        NotNeeded = "not_needed",
    }
}

/// That gapura asks for it, and not an office.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Raised {
    /// Why.
    pub cause: Ground,
    /// Since when that is so, epoch milliseconds.
    pub since: i64,
}

/// What gapura asks for, on a name as it is.
pub fn raised(live: &LiveRecord, kind: Kind, raised: Raised, contact: Contact) -> Application {
    Application { contact, raised: Some(raised), ..live.asks(kind) }
}

impl LiveRecord {
    /// What a request about the name says before anybody adds to it: the name, and whose it is.
    pub fn asks(&self, kind: Kind) -> Application {
        let zone = self.zone.to_string();
        Application {
            kind,
            class: self.class.unwrap_or(NamingClass::Layanan),
            name: super::labels::below(&self.name.to_string(), &zone).to_owned(),
            office: self.office.clone(),
            region: self.region.clone(),
            ..Application::blank(&zone)
        }
    }
}

//------------ The yearly question -------------------------------------------

/// The yearly question to the owner, from the day it is asked until it is answered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct YearlyQuestion {
    /// When it was asked, epoch milliseconds.
    pub asked: i64,
    /// By when it is to be answered, epoch milliseconds: the anniversary, or later where it was asked late.
    pub due: i64,
    /// When the owner was reminded.
    pub reminded: Option<i64>,
    /// The suspension that gapura asked for.
    pub request: Option<String>,
}

/// What a name's year calls for now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Call {
    /// The owner is asked, to answer by this time.
    Ask(i64),
    /// Who has not answered is reminded.
    Remind,
    /// The anniversary has come without an answer.
    Reconfirm,
    /// gapura asks for a suspension or a removal.
    Raise(Kind, Raised),
}

impl LiveRecord {
    /// What the name's year calls for at `now`; nothing most of the time.
    pub fn call(&self, now: i64, rules: &Lifecycle) -> Option<Call> {
        self.request.as_ref()?;
        if self.state() == LiveState::Suspended {
            return self.removal_due(now);
        }
        if !self.state().is_served() {
            return None;
        }
        match self.asked(now) {
            Some(question) => self.call_of_question(question, now, rules),
            None => self.question_due(now, rules).map(Call::Ask),
        }
    }

    /// The open question. One that a clock far ahead has asked counts as not asked; one that was put back a
    /// little asks nobody twice.
    fn asked(&self, now: i64) -> Option<&YearlyQuestion> {
        self.question.as_ref().filter(|question| question.asked <= now + SLACK_MS)
    }

    /// What an open question calls for.
    fn call_of_question(
        &self,
        question: &YearlyQuestion,
        now: i64,
        rules: &Lifecycle,
    ) -> Option<Call> {
        // A suspension that the officers turned down is not asked for again until the next year.
        if question.request.is_some() {
            return self.question_due(now, rules).map(Call::Ask);
        }
        if question.due <= now && self.state() == LiveState::Live {
            return Some(Call::Reconfirm);
        }
        if question.due <= now {
            let over = question.due + rules.suspend_days * DAY_MS <= now;
            let raised = Raised { cause: Ground::Unconfirmed, since: question.due };
            return over.then_some(Call::Raise(Kind::Suspend, raised));
        }
        // Where the question was late, a reminder may come no sooner than halfway.
        let halfway = question.asked + (question.due - question.asked) / 2;
        let from = (question.due - rules.remind_days * DAY_MS).max(halfway);
        (question.reminded.is_none() && from <= now).then_some(Call::Remind)
    }

    /// By when a question is to be answered that is to be asked now.
    fn question_due(&self, now: i64, rules: &Lifecycle) -> Option<i64> {
        let anniversary = self.anniversary(now, rules)?;
        let (ahead, after) = (rules.ask_days * DAY_MS, rules.suspend_days * DAY_MS);
        // A name that ends before anybody would have to answer is not asked about.
        let ends = self.ends.is_some_and(|ends| ends <= anniversary + after);
        let asked = anniversary - ahead <= now;
        (asked && !ends).then_some(anniversary.max(now + ahead))
    }

    /// The next anniversary for which the owner has not been asked yet or has not answered; none where
    /// nobody is asked.
    pub fn anniversary(&self, now: i64, rules: &Lifecycle) -> Option<i64> {
        let since = self.since.filter(|_| rules.ask_days > 0 && self.request.is_some())?;
        // Answered or decided on once, the question returns with the next year.
        let asked = self.asked(now).map(|question| question.due);
        let confirmed = self.confirmed.filter(|at| *at <= now + SLACK_MS);
        let settled = confirmed.into_iter().chain(asked).fold(since, i64::max);
        let first = date_of(since)?;
        let ahead = rules.ask_days * DAY_MS;
        let latest = date_of(settled)?.year() + 2 + i32::try_from(rules.ask_days / 365).ok()?;
        let mut years = first.year() + 1..=latest;
        years.find_map(|year| {
            let at = midnight(day_of_date(same_day(first, year)));
            (at - ahead > settled).then_some(at)
        })
    }

    /// The removal of a name that stayed suspended.
    fn removal_due(&self, now: i64) -> Option<Call> {
        let suspension = self.suspension.as_ref()?;
        let (cause, due) = (suspension.cause?, suspension.remove_at?);
        let raised = Raised { cause, since: suspension.by.at };
        let open = suspension.removal.is_none() && due <= now;
        open.then_some(Call::Raise(Kind::Remove, raised))
    }

    /// The notice of the end that is due: the days of the nearest one, once each.
    pub fn end_notice(&self, now: i64, rules: &Lifecycle) -> Option<i64> {
        let ends = self.ends.filter(|_| self.state().is_served() && self.request.is_some())?;
        let since = self.since.unwrap_or_default();
        let due = |days: &&i64| {
            let at = ends - **days * DAY_MS;
            // A name that lives for less than that is not told on its first day.
            at <= now && since < at
        };
        rules.end_notice_days.iter().filter(due).min().copied().filter(|_| now < ends)
    }
}

/// The same day in another year; 29 February is the 28th where there is none.
fn same_day(date: Date, year: i32) -> Date {
    let there = date.replace_year(year);
    there.or_else(|_| Date::from_calendar_date(year, Month::February, 28)).unwrap_or(date)
}

#[cfg(test)]
mod tests;
