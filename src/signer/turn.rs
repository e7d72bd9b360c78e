//! A turn of a zone: everything that is due for it, and what there is to say afterwards.

use std::time::{Duration, Instant};

use super::book::look_every;
use super::handle::Inner;
use super::keys::Standstill;
use crate::publish::{KeysError, PublishError, SigningState};
use crate::rollover::{Cds, Refusal};
use crate::sign::Due;
use crate::text::with_causes;
use crate::wire::Name;

/// Who does what time brings about, in the history.
pub(super) const WHO: &str = "gapura";
/// The longest time between two turns.
const EVERY: Duration = Duration::from_secs(3_600);
/// The shortest time between two turns that time alone brings about.
const SOON: Duration = Duration::from_secs(1);
/// Between two parts of the signatures that are due.
const GAP: Duration = Duration::from_secs(60);
/// How long after a fault of the clock it is looked at again.
const CLOCK_AGAIN: Duration = Duration::from_secs(60);
/// Signatures of one part, at least and at most.
const PART: [usize; 2] = [500, 20_000];
/// In how many parts all that is due is made anew.
const PARTS: usize = 60;
/// How much of the time that a part took is let pass before the next, so that answers and changes have the machine.
const REST: u32 = 4;

//------------ Halt ----------------------------------------------------------

/// Why a turn went no further.
#[derive(Debug)]
pub(super) enum Halt {
    /// The zone is not there, or has no version.
    NoZone,
    /// The clock cannot be right.
    Clock(String),
    /// Something failed.
    Failed(String),
}

impl From<PublishError> for Halt {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::UnknownZone(_) | PublishError::NotLoaded(_) => Self::NoZone,
            PublishError::Clock { .. } => Self::Clock(with_causes(&error)),
            other => Self::Failed(with_causes(&other)),
        }
    }
}

impl From<KeysError<Refusal>> for Halt {
    fn from(error: KeysError<Refusal>) -> Self {
        match error {
            KeysError::Against(refusal) => Self::Failed(refusal.to_string()),
            KeysError::Door(error) => error.into(),
        }
    }
}

//------------ The turn ------------------------------------------------------

impl Inner {
    /// Does what is due for a zone. Returns how long until its next turn.
    pub(super) fn turn(&self, zone: &Name) -> Duration {
        let outcome = self.go_on(zone);
        let (wait, why) = match outcome {
            Ok(wait) => {
                self.note(zone, |notes| notes.failures.over());
                (wait, None)
            }
            Err(Halt::NoZone) => (EVERY, None),
            Err(Halt::Clock(why)) => (CLOCK_AGAIN, Some(why)),
            Err(Halt::Failed(why)) => {
                let wait = self.note(zone, |notes| notes.failures.again());
                (wait.unwrap_or(EVERY), Some(why))
            }
        };
        if let Ok(state) = self.publisher.signing(zone) {
            self.tell_troubles(zone, &state, why);
        }
        wait
    }

    /// Does what is due.
    fn go_on(&self, zone: &Name) -> Result<Duration, Halt> {
        let state = self.publisher.signing(zone)?;
        let is_signed = state.current.is_some();
        if !is_signed && (state.wanted.is_none() || self.only_renews) {
            return Ok(EVERY);
        }
        if !state.missing.is_empty() {
            self.publisher.look_for_keys(zone)?;
        }
        if self.only_renews {
            let due = self.publisher.signatures_due(zone)?;
            return self.renew_signatures(zone, &due);
        }
        self.follow_settings(zone, &state)?;
        // Also says whether the clock is one to sign by, and to note the time of a step.
        let due = match self.publisher.signatures_due(zone) {
            Err(error @ PublishError::Clock { .. }) => return Err(error.into()),
            due => due,
        };
        let still = self.step(zone)?;
        let state = self.publisher.signing(zone)?;
        self.note_wait(zone, &state, &still);
        if state.current.is_none() {
            return Ok(EVERY);
        }
        let next = self.renew_signatures(zone, &due?)?;
        Ok(still.wait.map_or(next, |wait| wait.min(next)).clamp(SOON, EVERY))
    }

    /// Notes whether a DS at the parent is waited for, and what CDS records say.
    fn note_wait(&self, zone: &Name, state: &SigningState, still: &Standstill) {
        let Some((policy, keys)) = &state.current else { return };
        let every = still.for_ds.then(|| look_every(policy.propagation_s));
        let cds = if still.for_ds { keys.cds(policy) } else { Cds::None };
        let now = Instant::now();
        let tell_after = Duration::from_secs(policy.propagation_s.into());
        let is_new = self.note(zone, |notes| notes.wait_for_ds(every, cds, tell_after, now));
        if is_new == Some(true) {
            self.book().looks.hurry(zone, now);
            self.wake_all();
        }
    }

    /// Makes a part of the signatures anew that are due. Returns how long until the next part.
    fn renew_signatures(&self, zone: &Name, due: &Due) -> Result<Duration, Halt> {
        if due.now == 0 {
            let next = due.next_in_s.map_or(EVERY, |next| Duration::from_secs(next.into()));
            // A trickle: what is due within a minute is made together.
            return Ok(next.max(GAP));
        }
        let [least, most] = PART;
        let part = (due.now / PARTS).clamp(least, most);
        let begun = Instant::now();
        self.publisher.renew_signatures(zone, part)?;
        let rest = begun.elapsed() * REST;
        tracing::debug!(%zone, due = due.now, part, "signatures made anew");
        Ok(if due.now > part { rest.max(self.gap(zone)) } else { rest.max(GAP) })
    }

    /// The time between two parts: less if signatures end within a day.
    fn gap(&self, zone: &Name) -> Duration {
        let state = self.publisher.signing(zone).ok();
        let end = state.and_then(|state| state.first_end);
        let day = i64::try_from(self.now_s()).unwrap_or(i64::MAX).saturating_add(86_400);
        if end.is_some_and(|end| end < day) { SOON } else { GAP }
    }
}
