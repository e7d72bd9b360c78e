//! What is known of one secondary zone, and what a try makes of it.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};

use super::addresses::Haste;
use super::pull::{NotPulled, Pulled};
use super::timer::Timer;
use crate::fleet::handle::Inner;
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
    /// Why the last try failed, if it did.
    pub(super) error: Option<String>,
}

impl Watched {
    /// A zone that is new to this run.
    pub(super) fn new(fleet: &Inner, apex: &Name, now: Instant) -> Self {
        let zone = fleet.publisher.secondary_zone(apex);
        let soa = zone.as_ref().and_then(|zone| zone.soa);
        let time_left = zone.as_ref().map(|zone| zone.time_left.clone()).unwrap_or_default();
        let left = zone.map(|zone| zone.left).filter(|left| soa.is_some() && !left.is_zero());
        // What is served can wait its turn; what is not must not.
        let due = match (&soa, left) {
            (Some(soa), Some(_)) => {
                let retry = Duration::from_secs(soa.retry.into());
                now + retry.min(SPREAD_MAX).mul_f64(random())
            }
            _ => now,
        };
        Self {
            timer: Timer::new(now, due, left),
            first: None,
            waiting: Vec::new(),
            time_left,
            error: None,
        }
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
            (Ok(Pulled { primary, report }), Some(soa)) => {
                if let Some(before) = self.error.take() {
                    tracing::info!(%zone, primary, before, "a primary is heard again");
                }
                self.timer.refreshed(soa, now, late);
                self.first = Some(primary);
                Ok(match report {
                    Some(report) => report.to_string(),
                    None => format!("{zone} {}  unchanged", soa.serial),
                })
            }
            (Ok(_), None) => Err(format!("{zone} has gone meanwhile")),
            (Err(NotPulled::Postponed(why)), _) => Err(why),
            (Err(NotPulled::Failed(failure, why)), soa) => {
                // A primary that stays away is told once.
                if self.error.as_ref() != Some(&why) {
                    tracing::warn!(%zone, why, "no primary could be used");
                }
                self.timer.failed(failure, soa, now, late);
                self.error = Some(why.clone());
                Err(why)
            }
        }
    }
}

/// A number from 0 to 1.
pub(super) fn random() -> f64 {
    let mut octets = [0; 2];
    // Without random numbers zones stay in step, which costs a burst.
    let _ = SystemRandom::new().fill(&mut octets);
    f64::from(u16::from_be_bytes(octets)) / f64::from(u16::MAX)
}
