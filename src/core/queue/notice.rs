//! The notice (*pemberitahuan*, step 5 of the SOP): one message to one person about one event, and
//! whether it arrived.
//!
//! ```text
//! Queued ─sent─► Sent ─delivered─► Delivered
//!   │              │ failed
//!   └───failed────►Failed ─handled─► Handled        (also straight from Queued and Sent)
//! ```
//! A notice belongs to an event, not to a state, so a second return sends a second mail. Its values
//! are fixed with the event: a mail that leaves late still says what happened then.

use serde::{Deserialize, Serialize};

use super::application::Kind;
use super::calendar::Calendar;
use super::change::{NameDelta, Way};
use super::fault::{Fault, NotAllowed, Rule, TransitionError};
use super::happening::{Happening, Step, Subject};
use super::lifecycle::Ground;
use super::line::LineCode;
use super::named::named;
use super::person::{Actor, Role, Signature};
use super::procedure::{Deed, Phase, notices};
use super::request::{Request, Stage, State};
use super::rules::Rules;
use super::sheet::Line;
use super::time::{DAY_MS, is_recent};

named! {
    /// The state of a notice.
    #[derive(Default)]
    pub enum NoticeState {
        /// ANTRE.
        #[default]
        Queued = "queued",
        /// TERKIRIM: our relay took it.
        Sent = "sent",
        /// DITERIMA: read on the status page, or no bounce for 3 working days.
        Delivered = "delivered",
        /// GAGAL: an item of the queue, not a line in a log.
        Failed = "failed",
        /// DITANGANI: handed over on paper or by telephone.
        Handled = "handled",
    }
}

named! {
    /// Who reads a notice; the text differs.
    pub enum NoticeReader {
        /// The applicant.
        Applicant = "applicant",
        /// An officer who must act or should know.
        Officer = "officer",
        /// Another office that is asked to agree.
        Party = "party",
        /// The office whose name it is about.
        Owner = "owner",
    }
}

//------------ NoticeValues --------------------------------------------------

/// What the text of a notice says, fixed in the transaction of its event.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct NoticeValues {
    /// The name asked for, without the final dot, or the account it is about.
    pub name: String,
    /// The office that asks, or that the name belonged to.
    pub office: String,
    /// The office that it belongs to now.
    pub successor: String,
    /// What is to be corrected, or why it was turned down.
    pub points: Vec<Point>,
    /// By when the reader must act, epoch milliseconds.
    pub due: Option<i64>,
    /// The command that repeats the proof.
    pub dig: Option<String>,
    /// The token of the reader's single-use link.
    pub token: Option<String>,
    /// Lines to be copied as they are, such as a DS record.
    pub lines: Vec<String>,
    /// What the request asks for.
    pub kind: Option<Kind>,
    /// What changed at names, and how many more names did.
    pub changes: Vec<NameDelta>,
    /// Names that changed and are not listed.
    pub more: u64,
    /// By which way it changed, and when, epoch milliseconds.
    pub way: Option<(Way, i64)>,
    /// Whether it puts a suspended name back.
    pub lift: bool,
    /// Why gapura asked for it by itself.
    pub ground: Option<Ground>,
    /// Until when what was made live is to stay.
    pub ends: Option<String>,
}

/// One point of a return or a rejection.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Point {
    /// The line of the check sheet it was found on, if it is about one.
    pub line: Option<LineCode>,
    /// What the officer wrote.
    pub note: String,
}

impl NoticeValues {
    /// The values of an event that has just changed `request`.
    pub fn of(
        request: &Request,
        deed: Deed,
        reader: NoticeReader,
        calendar: &Calendar,
        rules: &Rules,
    ) -> Self {
        let application = request.application();
        // A deadline is named to whom it binds: a correction is due from the applicant, any other
        // step from an officer.
        let due_from = match request.state() {
            State::NeedsCorrection => NoticeReader::Applicant,
            _ => NoticeReader::Officer,
        };
        Self {
            name: application.place().name.to_string().trim_end_matches('.').to_owned(),
            office: application.office.clone(),
            points: if reader == NoticeReader::Applicant { points(request, deed) } else { vec![] },
            due: request.due(calendar, rules).filter(|_| reader == due_from),
            kind: Some(application.kind),
            lift: application.lift,
            ground: application.raised.map(|raised| raised.cause),
            ends: application.ends.clone().filter(|_| deed == Deed::Promoted),
            ..Self::default()
        }
    }

    /// The values of a notice that is about no request, but about a name or an account.
    pub fn about(name: &str) -> Self {
        Self { name: name.trim_end_matches('.').to_owned(), ..Self::default() }
    }

    /// Blanks what may say something of a person.
    fn erase(&mut self) {
        self.points.clear();
        self.token = None;
    }
}

/// What the applicant is to correct, or why the request was turned down.
fn points(request: &Request, deed: Deed) -> Vec<Point> {
    let verdicts = notices(deed).points;
    if verdicts.is_empty() {
        return Vec::new();
    }
    let is_told = |line: &&Line| line.verdict.is_some_and(|verdict| verdicts.contains(&verdict));
    let mut lines: Vec<&Line> = request.sheet().written().iter().filter(is_told).collect();
    lines.sort_by_key(|line| line.code);
    let noted = lines
        .into_iter()
        .filter_map(|line| line.note.clone().map(|note| Point { line: Some(line.code), note }));
    let mut points: Vec<Point> = noted.collect();
    if let Stage::Rejected(rejected) = request.stage()
        // Whoever wrote the same at a line has said it.
        && points.iter().all(|point| point.note.trim() != rejected.note.trim())
    {
        points.push(Point { line: None, note: rejected.note.clone() });
    }
    points
}

//------------ Notice --------------------------------------------------------

/// One message to one person about one event.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// The request it is about, if any.
    pub request: Option<String>,
    /// The event it is about.
    pub deed: Deed,
    /// Who reads it.
    pub reader: NoticeReader,
    /// The mailbox; empty when it waits as a letter.
    pub to: String,
    /// What its text says.
    pub values: NoticeValues,
    /// The state; only the functions here change it.
    state: NoticeState,
    /// Written at, epoch milliseconds.
    pub queued_at: i64,
    /// Taken by the relay at.
    pub sent_at: Option<i64>,
    /// Tries so far.
    pub attempts: u32,
    /// When to try next, epoch milliseconds.
    pub next_try: i64,
    /// What the relay said last.
    pub last_error: Option<String>,
    /// How it was handed over.
    pub handled: Option<Handled>,
}

/// How an officer handed a notice over.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Handled {
    /// Who.
    pub by: Signature,
    /// How: printed and handed over, telephoned.
    pub how: String,
}

/// What every transition of a notice returns.
pub type NoticeResult = Result<Step<Notice>, TransitionError>;

impl Notice {
    /// Waits after a failed try, in milliseconds: 1 min, 5 min, 30 min, 2 h, then each 6 h.
    const WAITS_MS: [i64; 5] = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000];
    /// How old a notice may be that is mailed for the first time, in milliseconds.
    const NEWS_MS: i64 = 2 * DAY_MS;
    /// Tries before a notice counts as failed: about a day.
    pub const TRIES_MAX: u32 = 8;

    /// A notice to be sent.
    pub fn queue(
        id: &str,
        request: Option<&str>,
        deed: Deed,
        (reader, to): (NoticeReader, &str),
        values: NoticeValues,
        now: i64,
    ) -> Step<Self> {
        let value = Self {
            id: id.to_owned(),
            request: request.map(str::to_owned),
            deed,
            reader,
            to: to.to_owned(),
            values,
            state: NoticeState::Queued,
            queued_at: now,
            sent_at: None,
            attempts: 0,
            // Without a mailbox it waits as a letter, and in nobody's way.
            next_try: if to.is_empty() { i64::MAX } else { now },
            last_error: None,
            handled: None,
        };
        value.step(None, &Signature::system(now), Deed::NoticeQueued)
    }

    /// Whether it is no news any more, and so not mailed: it has waited too long for a relay, or asks for what is
    /// done. `state` is that of its request now.
    pub fn is_stale(&self, state: Option<State>, now: i64) -> bool {
        if !is_recent(self.queued_at, now, Self::NEWS_MS) {
            return true;
        }
        let wanted_in = notices(self.deed).wanted_in;
        let wants_act = match self.reader {
            // They are told of every outcome; of what they are to do only while it is wanted.
            NoticeReader::Applicant => {
                let mut turns = wanted_in.iter().map(|state| Phase::of(*state).turn());
                turns.any(|turn| turn == Some(Role::Applicant))
            }
            NoticeReader::Officer | NoticeReader::Party => !wanted_in.is_empty(),
            NoticeReader::Owner => false,
        };
        wants_act && state.is_some_and(|state| !wanted_in.contains(&state))
    }

    /// Leaves it to be printed; no mail is tried any more.
    pub fn put_aside(self) -> Self {
        Self { next_try: i64::MAX, ..self }
    }

    /// The state.
    pub fn state(&self) -> NoticeState {
        self.state
    }

    /// Whether it goes to the applicant.
    pub fn to_applicant(&self) -> bool {
        self.reader == NoticeReader::Applicant
    }

    /// The relay took it.
    pub fn sent(mut self, now: i64) -> NoticeResult {
        let before = self.expect(&[NoticeState::Queued, NoticeState::Failed], "sent")?;
        self.state = NoticeState::Sent;
        self.sent_at = Some(now);
        self.attempts += 1;
        self.last_error = None;
        Ok(self.step(Some(before), &Signature::system(now), Deed::NoticeSent))
    }

    /// A try failed for now: the state stays, and nothing is worth an event until the tries are up.
    pub fn try_failed(mut self, error: &str, now: i64) -> Result<Tried, TransitionError> {
        self.expect(&[NoticeState::Queued], "try")?;
        self.attempts += 1;
        self.last_error = Some(error.to_owned());
        if self.attempts >= Self::TRIES_MAX {
            return self.failed(error, now).map(|step| Tried::GivenUp(Box::new(step)));
        }
        let index = usize::try_from(self.attempts - 1).unwrap_or(0).min(Self::WAITS_MS.len() - 1);
        self.next_try = now + Self::WAITS_MS[index];
        Ok(Tried::Again(Box::new(self)))
    }

    /// Blanks what says something of a person outside the office: the mailbox, what the relay said of
    /// it, and how the notice was handed over. It is not sent any more.
    pub fn erase(&mut self) {
        self.to.clear();
        // Not i64::MAX, which says that somebody is still to be told.
        self.next_try = i64::MAX - 1;
        self.last_error = None;
        self.values.erase();
        if let Some(handled) = &mut self.handled {
            handled.how.clear();
        }
    }

    /// A bounce, a refusal for good, or the tries are used up.
    pub fn failed(mut self, error: &str, now: i64) -> NoticeResult {
        let before = self.expect(&[NoticeState::Queued, NoticeState::Sent], "failed")?;
        self.state = NoticeState::Failed;
        self.last_error = Some(error.to_owned());
        Ok(self.step(Some(before), &Signature::system(now), Deed::NoticeFailed))
    }

    /// The status page was opened with the secret, or a delivery report came.
    pub fn delivered(mut self, now: i64) -> NoticeResult {
        let known = [NoticeState::Queued, NoticeState::Sent, NoticeState::Failed];
        let before = self.expect(&known, "delivered")?;
        self.state = NoticeState::Delivered;
        Ok(self.step(Some(before), &Signature::system(now), Deed::NoticeDelivered))
    }

    /// Whether it counts as delivered because no bounce came for 3 working days.
    pub fn counts_as_delivered(&self, now: i64, calendar: &Calendar, rules: &Rules) -> bool {
        let wait = 3 * rules.working_day;
        self.state == NoticeState::Sent
            && self.sent_at.is_some_and(|sent| calendar.add(sent, wait) <= now)
    }

    /// An officer printed it and handed it over, or telephoned.
    pub fn handle(mut self, actor: &Actor, how: &str, now: i64) -> NoticeResult {
        let known = [NoticeState::Queued, NoticeState::Sent, NoticeState::Failed];
        let before = self.expect(&known, "handle")?;
        let by = actor.capacity_in(&[Role::Verifier, Role::Head, Role::Operator], now);
        let by = by.ok_or(TransitionError::NotAllowed(NotAllowed::NeedsRole(Role::Verifier)))?;
        if how.trim().is_empty() {
            return Err(TransitionError::Incomplete(vec![Fault::new("how", Rule::Empty, "")]));
        }
        self.state = NoticeState::Handled;
        self.handled = Some(Handled { by: by.clone(), how: how.to_owned() });
        let mut step = self.step(Some(before), &by, Deed::NoticeHandled);
        step.happening = step.happening.with_personal("how", how);
        Ok(step)
    }

    /// The state, if the act knows it.
    fn expect(
        &self,
        known: &[NoticeState],
        act: &'static str,
    ) -> Result<NoticeState, TransitionError> {
        let state = self.state.as_str();
        known
            .contains(&self.state)
            .then_some(self.state)
            .ok_or(TransitionError::WrongState { act, state })
    }

    /// The step made, with its happening.
    fn step(self, before: Option<NoticeState>, by: &Signature, deed: Deed) -> Step<Self> {
        let mut happening = Happening::new(by, deed, Subject::Notice(self.id.clone()))
            .moved(before.map(NoticeState::as_str), self.state.as_str())
            .with("about", self.deed)
            .with("attempts", self.attempts);
        if let Some(request) = &self.request {
            happening = happening.with("request", request);
        }
        Step { value: self, happening }
    }
}

/// What came of a try that failed.
#[derive(Debug)]
pub enum Tried {
    /// It will be tried again; kept without an event.
    Again(Box<Notice>),
    /// The tries are used up.
    GivenUp(Box<Step<Notice>>),
}

#[cfg(test)]
mod tests;
