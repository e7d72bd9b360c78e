//! What is known of one secondary zone, and what a try makes of it.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};

use super::addresses::{Errand, Haste};
use super::pull::{NotPulled, Pulled};
use super::timer::{Failure, Timer};
use crate::fleet::handle::Inner;
use crate::publish::now_ms;
use crate::wire::Name;
use crate::zone::{Soa, TimeLeft};

/// Over how long zones that are served already are spread at a start; a zone's RETRY at most.
const SPREAD_MAX: Duration = Duration::from_secs(60);

/// One zone.
pub(super) struct Watched {
    /// When things are due.
    pub(super) timer: Timer,
    /// The primary to begin with: that of the last NOTIFY, else the one that answered last.
    pub(super) first: Option<String>,
    /// Those who wait for a transfer of the whole zone.
    pub(super) waiting: Vec<Sender<Result<String, String>>>,
    /// Where the time left is brought down for answers.
    pub(super) time_left: TimeLeft,
    /// What it needs next of a primary, as far as is known.
    pub(super) errand: Errand,
    /// Why the last try failed, if it did.
    pub(super) error: Option<String>,
    /// Since when every try has failed, in milliseconds since 1970; none if the last one did not.
    pub(super) failing_since: Option<i64>,
    /// What primaries sent that could not be used in the last try, though another one had what is wanted.
    pub(super) passed_over: Option<String>,
}

impl Watched {
    /// A zone that is new to this run.
    pub(super) fn new(fleet: &Inner, apex: &Name, now: Instant) -> Self {
        let zone = fleet.publisher.secondary_zone(apex);
        let soa = zone.as_ref().and_then(|zone| zone.soa);
        // Whoever follows counts it elsewhere, by what all nodes heard.
        let counted = zone.as_ref().filter(|_| !fleet.publisher.follows());
        let time_left = counted.map(|zone| zone.time_left.clone()).unwrap_or_default();
        let left = zone.map(|zone| zone.left).filter(|left| soa.is_some() && !left.is_zero());
        // What is served can wait its turn; what is not must not.
        let due = match (&soa, left) {
            (Some(soa), Some(_)) => {
                let retry = Duration::from_secs(soa.retry.into());
                now + retry.min(SPREAD_MAX).mul_f64(random())
            }
            _ => now,
        };
        let errand = if soa.is_some() { Errand::Question } else { Errand::Transfer };
        Self { errand, ..Self::of(Timer::new(now, due, left), time_left) }
    }

    /// A zone with these times of which nothing else is known.
    pub(super) fn of(timer: Timer, time_left: TimeLeft) -> Self {
        Self {
            timer,
            first: None,
            waiting: Vec::new(),
            time_left,
            errand: Errand::Question,
            error: None,
            failing_since: None,
            passed_over: None,
        }
    }

    /// Nothing is served of the zone, perhaps any more.
    pub(super) fn begin_anew(&mut self, now: Instant) {
        self.errand = Errand::Transfer;
        self.timer.begin_anew(now);
    }

    /// What the next try needs: a person has the whole zone.
    pub(super) fn errand(&self) -> Errand {
        if self.waiting.is_empty() { self.errand } else { Errand::Transfer }
    }

    /// How much the next try matters to somebody.
    pub(super) fn haste(&self) -> Haste {
        match (self.waiting.is_empty(), self.timer.is_urgent) {
            (false, _) => Haste::Person,
            (true, true) => Haste::Notify,
            (true, false) => Haste::Time,
        }
    }

    /// Notes what came of a try, and says it in words.
    pub(super) fn note(
        &mut self,
        zone: &Name,
        pulled: Result<Pulled, NotPulled>,
        soa: Option<&Soa>,
        now: Instant,
        late: f64,
    ) -> Result<String, String> {
        match (pulled, soa) {
            (Ok(Pulled { primary, report, passed_over }), Some(soa)) => {
                self.heard(zone, &primary, passed_over);
                self.errand = Errand::Question;
                self.timer.refreshed(soa, now, late);
                self.first = Some(primary);
                Ok(match report {
                    Some(report) => report.to_string(),
                    None => format!("{zone} {}  unchanged", soa.serial),
                })
            }
            (Ok(_), None) => {
                self.errand = Errand::Transfer;
                self.timer.failed(Failure::Unheard, None, now, late);
                Err(format!("{zone} has gone meanwhile"))
            }
            (Err(NotPulled::Postponed { why, .. }), _) => Err(why),
            (Err(NotPulled::Failed(failure, why)), soa) => {
                self.failed(zone, failure, &why);
                self.errand = if soa.is_some() { Errand::Question } else { Errand::Transfer };
                self.timer.failed(failure, soa, now, late);
                Err(why)
            }
        }
    }

    /// A primary had what is wanted. One that sends what cannot be used is told once.
    fn heard(&mut self, zone: &Name, primary: &str, passed_over: Option<String>) {
        let before = self.error.take();
        if let Some(since) = self.failing_since.take() {
            let seconds = now_ms().saturating_sub(since) / 1000;
            tracing::info!(event = "primary_back", %zone, primary, before, seconds,
                "a primary is heard again");
        }
        if let Some(why) = passed_over.as_ref().filter(|why| self.passed_over.as_ref() != Some(why))
        {
            tracing::warn!(%zone, why, "passed over for another primary");
        }
        self.passed_over = passed_over;
    }

    /// No primary had what is wanted. Primaries that stay away are told once.
    fn failed(&mut self, zone: &Name, failure: Failure, why: &str) {
        if self.failing_since.is_none() || self.error.as_deref() != Some(why) {
            let again =
                if failure == Failure::Refused { "ever more rarely" } else { "after RETRY" };
            tracing::warn!(event = "primary_lost", %zone, why, again, "no primary could be used");
        }
        self.failing_since.get_or_insert_with(now_ms);
        (self.error, self.passed_over) = (Some(why.to_owned()), None);
    }
}

/// A number from 0 to 1.
pub(super) fn random() -> f64 {
    let mut octets = [0; 2];
    // Without random numbers zones stay in step, which costs a burst.
    let _ = SystemRandom::new().fill(&mut octets);
    f64::from(u16::from_be_bytes(octets)) / f64::from(u16::MAX)
}
