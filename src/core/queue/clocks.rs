//! The clocks of one request (*tenggat*, docs/procedure.md, Clocks): one for each step, at most one
//! running.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::named::named;
use super::request::State;
use super::rules::Rules;
use super::time::MINUTE_MS;

//------------ ClockStep -----------------------------------------------------

named! {
    /// A step of the SOP that has a limit.
    pub enum ClockStep {
        /// Step 2: the head routes it.
        Route = "route",
        /// Step 3: the verifier checks it.
        Check = "check",
        /// Step 4: the verifier makes the subdomain and reports it.
        Make = "make",
        /// Step 5: the applicant is notified.
        Notify = "tell",
    }
}

impl ClockStep {
    /// Its number in the SOP.
    pub fn number(self) -> u8 {
        match self {
            Self::Route => 2,
            Self::Check => 3,
            Self::Make => 4,
            Self::Notify => 5,
        }
    }

    /// Its limit in working milliseconds.
    pub fn limit(self, rules: &Rules) -> i64 {
        match self {
            Self::Route => rules.route,
            Self::Check => rules.check,
            Self::Make => rules.make,
            Self::Notify => rules.notify,
        }
    }
}

//------------ Clocks --------------------------------------------------------

/// Time used by each step, and which one runs.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Clocks {
    /// Working milliseconds used up to the last stop.
    used: BTreeMap<ClockStep, i64>,
    /// Working milliseconds granted on top of the limit by `reopen`.
    granted: BTreeMap<ClockStep, i64>,
    /// The running step and since when (epoch milliseconds, may lie ahead for a scheduled start).
    running: Option<(ClockStep, i64)>,
    /// The step that is paused while somebody else must act.
    paused: Option<ClockStep>,
}

impl Clocks {
    /// The running step.
    pub fn running(&self) -> Option<ClockStep> {
        self.running.map(|(step, _)| step)
    }

    /// The paused step.
    pub fn paused(&self) -> Option<ClockStep> {
        self.paused
    }

    /// Working milliseconds a step has used until `now`.
    pub fn used(&self, step: ClockStep, now: i64, calendar: &Calendar) -> i64 {
        let before = self.used.get(&step).copied().unwrap_or(0);
        match self.running {
            Some((running, since)) if running == step => before + calendar.worked(since, now),
            _ => before,
        }
    }

    /// Working milliseconds a step may use, including what was granted.
    pub fn limit(&self, step: ClockStep, rules: &Rules) -> i64 {
        step.limit(rules) + self.granted.get(&step).copied().unwrap_or(0)
    }

    /// Working milliseconds left to the running or paused step; negative when late.
    pub fn left(&self, now: i64, calendar: &Calendar, rules: &Rules) -> Option<i64> {
        let step = self.running().or(self.paused)?;
        Some(self.limit(step, rules) - self.used(step, now, calendar))
    }

    /// When the running step is due; `None` while nothing runs.
    pub fn due(&self, calendar: &Calendar, rules: &Rules) -> Option<i64> {
        let (step, since) = self.running?;
        let used = self.used.get(&step).copied().unwrap_or(0);
        Some(calendar.add(since, self.limit(step, rules) - used))
    }

    /// Stops the running step and starts `step`; time it used earlier still counts.
    pub(super) fn start(&mut self, step: ClockStep, at: i64, now: i64, calendar: &Calendar) {
        self.stop(now, calendar);
        self.running = Some((step, at));
    }

    /// Stops the running step.
    pub(super) fn stop(&mut self, now: i64, calendar: &Calendar) {
        if let Some((step, since)) = self.running.take() {
            *self.used.entry(step).or_default() += calendar.worked(since, now);
        }
        self.paused = None;
    }

    /// Pauses the running step while somebody else must act.
    pub(super) fn pause(&mut self, now: i64, calendar: &Calendar) {
        let step = self.running();
        self.stop(now, calendar);
        self.paused = step;
    }

    /// Resumes the paused step.
    pub(super) fn resume(&mut self, now: i64) {
        if let Some(step) = self.paused.take() {
            self.running = Some((step, now));
        }
    }

    /// Extends the limit of `step`, which is not running, so that at least `least` is left.
    pub(super) fn grant(&mut self, step: ClockStep, least: i64, rules: &Rules) {
        let used = self.used.get(&step).copied().unwrap_or(0);
        let left = self.limit(step, rules) - used;
        if left < least {
            *self.granted.entry(step).or_default() += least - left;
        }
    }
}

//------------ Timing --------------------------------------------------------

/// The step a request is in and the time left to it: the same for a row of the queue, which knows
/// columns only, and for the whole request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timing {
    /// The number of the running or paused step of the SOP.
    pub step: Option<u8>,
    /// When it is due, epoch milliseconds; none while its clock is paused for another party. For a
    /// correction it is when the applicant's time ends.
    pub due: Option<i64>,
    /// Working minutes until then; negative when late.
    pub left_minutes: Option<i64>,
    /// Whether that time has passed.
    pub late: bool,
}

impl Timing {
    /// The timing of a request in a state, with its due time.
    pub fn of(state: State, due: Option<i64>, now: i64, calendar: &Calendar) -> Self {
        let step = state.clock_step().filter(|step| *step != ClockStep::Notify || due.is_some());
        let left = |due: i64| calendar.worked(now, due) - calendar.worked(due, now);
        Self {
            step: step.map(ClockStep::number),
            due,
            left_minutes: due.map(|due| left(due).div_euclid(MINUTE_MS)),
            late: due.is_some_and(|due| due < now),
        }
    }
}
