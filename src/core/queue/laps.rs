//! The clocks of a request told once more, from its events alone: what each step had used at a
//! moment that is past, and who held it.
//!
//! A request keeps its clocks as they are now. A report of a month wants them as they were at the
//! month's end, and an auditor wants them from the chain. [`Replay`] starts, pauses and stops the
//! same [`Clocks`] as the transitions do; a test walks both side by side.

use std::collections::BTreeMap;

use super::calendar::Calendar;
use super::clocks::{ClockStep, Clocks};
use super::procedure::Deed;
use super::rules::Rules;
use super::time::moment;

//------------ Mark ----------------------------------------------------------

/// One event of a request, as far as its clocks go.
#[derive(Clone, Copy, Debug)]
pub struct Mark<'a> {
    /// Epoch milliseconds.
    pub at: i64,
    /// What was done. [`Deed::NoticeSent`] stands for a notice to the applicant that the relay took.
    pub deed: Deed,
    /// Person id of whoever did it.
    pub by: &'a str,
    /// For a routing slip: person id of the verifier.
    pub to: Option<&'a str>,
    /// For an approval: the start that was asked for, a date or an RFC 3339 time.
    pub starts: Option<&'a str>,
}

//------------ Lap -----------------------------------------------------------

/// What one step of one request came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lap {
    /// The step.
    pub step: ClockStep,
    /// Working milliseconds used.
    pub used: i64,
    /// Working milliseconds it was allowed.
    pub limit: i64,
    /// Working milliseconds it was paused while somebody else had to act.
    pub paused: i64,
    /// When it ended; none while it runs or is paused.
    pub ended: Option<i64>,
    /// Person id of whoever held it last: who routed it, or the verifier. None of a step that no
    /// single person holds.
    pub holder: Option<String>,
    /// When that person took it, or ended it.
    pub held_at: i64,
}

impl Lap {
    /// Whether it used more than it was allowed.
    pub fn is_late(&self) -> bool {
        self.used > self.limit
    }
}

//------------ Replay --------------------------------------------------------

/// What is known of a step beside its clock.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Working milliseconds paused.
    paused: i64,
    /// When it stopped last; none while it runs.
    ended: Option<i64>,
    /// Who held it last.
    holder: Option<String>,
    /// Since when, or when they ended it.
    held_at: i64,
}

/// Replays the events of one request.
#[derive(Debug)]
pub struct Replay<'a> {
    /// Working time.
    calendar: &'a Calendar,
    /// The limits.
    rules: &'a Rules,
    /// The clocks after the marks so far.
    clocks: Clocks,
    /// Since when the paused step is paused.
    paused_at: i64,
    /// The verifier who holds the request, and since when.
    verifier: (Option<String>, i64),
    /// The steps that have begun.
    known: BTreeMap<ClockStep, Known>,
}

impl<'a> Replay<'a> {
    /// A request of which nothing has happened yet.
    pub fn new(calendar: &'a Calendar, rules: &'a Rules) -> Self {
        Self {
            calendar,
            rules,
            clocks: Clocks::default(),
            paused_at: 0,
            verifier: (None, 0),
            known: BTreeMap::new(),
        }
    }

    /// Takes in the next event. Whatever moves no clock changes nothing.
    pub fn mark(&mut self, mark: &Mark<'_>) {
        let at = mark.at;
        match mark.deed {
            Deed::Submit | Deed::Raise | Deed::Release => self.start(ClockStep::Route, at, at),
            Deed::Dispose => {
                self.assign(mark);
                self.hold(ClockStep::Route, Some(mark.by.to_owned()), at);
                self.start(ClockStep::Check, at, at);
            }
            Deed::Reassign => self.assign(mark),
            Deed::Consult => self.pause(at),
            // A question that is open already has paused it.
            Deed::Return if self.clocks.paused().is_none() => self.pause(at),
            Deed::Confirm | Deed::Deny | Deed::ConsultLapsed | Deed::Resubmit => self.resume(at),
            Deed::Approve => {
                let starts = mark.starts.and_then(|text| moment(text, 0)).unwrap_or(at).max(at);
                self.start(ClockStep::Make, starts, at);
            }
            Deed::Reopen | Deed::Reschedule => {
                self.stop(at);
                self.clocks.grant(ClockStep::Check, self.rules.reopen_least, self.rules);
                self.start(ClockStep::Check, at, at);
            }
            Deed::Promoted | Deed::Reject => self.start(ClockStep::Notify, at, at),
            Deed::Withdraw | Deed::Settle | Deed::Expire => self.stop(at),
            Deed::Notified | Deed::NoticeSent
                if self.clocks.running() == Some(ClockStep::Notify) =>
            {
                self.stop(at);
            }
            _ => {}
        }
    }

    /// What each step that has begun had come to at a moment after the last mark.
    pub fn laps(&self, now: i64) -> Vec<Lap> {
        let lap = |(step, known): (&ClockStep, &Known)| {
            let waits = self.clocks.paused() == Some(*step);
            let more = if waits { self.calendar.worked(self.paused_at, now) } else { 0 };
            Lap {
                step: *step,
                used: self.clocks.used(*step, now, self.calendar),
                limit: self.clocks.limit(*step, self.rules),
                paused: known.paused + more,
                ended: known.ended,
                holder: known.holder.clone(),
                held_at: known.held_at,
            }
        };
        self.known.iter().map(lap).collect()
    }

    /// The clocks after the marks so far.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// Notes the verifier named on a slip; the step they are on is theirs from now.
    fn assign(&mut self, mark: &Mark<'_>) {
        self.verifier = (mark.to.map(str::to_owned), mark.at);
        if self.known.get(&ClockStep::Check).is_some_and(|known| known.ended.is_none()) {
            self.hold(ClockStep::Check, self.verifier.0.clone(), mark.at);
        }
    }

    /// Notes who holds a step that has begun.
    fn hold(&mut self, step: ClockStep, holder: Option<String>, at: i64) {
        let known = self.known.entry(step).or_default();
        (known.holder, known.held_at) = (holder, at);
    }

    /// Ends what runs or is paused, and starts a step at a moment that may lie ahead.
    fn start(&mut self, step: ClockStep, at: i64, now: i64) {
        self.stop(now);
        self.clocks.start(step, at, now, self.calendar);
        let (verifier, since) = self.verifier.clone();
        match step {
            ClockStep::Check | ClockStep::Make => self.hold(step, verifier, since),
            ClockStep::Route | ClockStep::Notify => self.hold(step, None, now),
        }
        self.known.entry(step).or_default().ended = None;
    }

    /// Ends what runs or is paused.
    fn stop(&mut self, now: i64) {
        self.count_pause(now);
        if let Some(step) = self.clocks.running().or_else(|| self.clocks.paused()) {
            self.known.entry(step).or_default().ended = Some(now);
        }
        self.clocks.stop(now, self.calendar);
    }

    /// Pauses what runs.
    fn pause(&mut self, now: i64) {
        self.clocks.pause(now, self.calendar);
        self.paused_at = now;
    }

    /// Resumes what is paused.
    fn resume(&mut self, now: i64) {
        self.count_pause(now);
        self.clocks.resume(now);
    }

    /// Adds a pause that ends now.
    fn count_pause(&mut self, now: i64) {
        if let Some(step) = self.clocks.paused() {
            let paused = self.calendar.worked(self.paused_at, now);
            self.known.entry(step).or_default().paused += paused;
        }
    }
}
