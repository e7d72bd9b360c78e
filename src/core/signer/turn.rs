//! A turn of a zone: everything that is due for it, and what there is to say afterwards.

use std::time::{Duration, Instant};

use super::book::{Calm, Notes, look_every};
use super::handle::Inner;
use super::keys::Standstill;
use crate::publish::{Change, KeysError, PublishError, SigningState};
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
            Err(Halt::Clock(why)) => {
                self.clock_is_doubted(zone);
                (CLOCK_AGAIN, Some(why))
            }
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
        if !is_signed {
            // Nothing is under way.
            self.note(zone, |notes| notes.waits_again = false);
        }
        if !state.missing.is_empty() {
            self.publisher.look_for_keys(zone)?;
        }
        if self.only_renews {
            self.publisher.can_sign(zone)?;
            return self.renew_signatures(zone, &self.publisher.signing(zone)?);
        }
        self.follow_settings(zone, &state)?;
        // A clock that is not one to sign by is none to note the time of a step either. Keys that are missing
        // hinder no step.
        let ready = match self.publisher.can_sign(zone) {
            Err(error @ PublishError::Clock { .. }) => return Err(error.into()),
            ready => ready,
        };
        let still = self.step(zone)?;
        let state = self.publisher.signing(zone)?;
        self.note_wait(zone, &state, &still);
        if state.current.is_none() {
            return Ok(EVERY);
        }
        ready?;
        let next = self.renew_signatures(zone, &state)?;
        Ok(still.wait.map_or(next, |wait| wait.min(next)).clamp(SOON, EVERY))
    }

    /// Notes whether a DS at the parent is waited for, and what CDS records say.
    fn note_wait(&self, zone: &Name, state: &SigningState, still: &Standstill) {
        let Some((policy, keys)) = &state.current else { return };
        let every = still.for_ds.then(|| look_every(policy.propagation_s));
        let cds = if still.for_ds { keys.cds(policy) } else { Cds::None };
        let now = Instant::now();
        let tell_after = Duration::from_secs(policy.propagation_s.into());
        let noted = self.note(zone, |notes| {
            let is_new = notes.wait_for_ds(every, cds, tell_after, now);
            (is_new, notes.telling.as_ref().map(|telling| telling.at))
        });
        let Some((is_new, tell_at)) = noted else { return };
        let mut book = self.book();
        if is_new {
            book.looks.hurry(zone, now);
        }
        tell_at.into_iter().for_each(|at| book.tells.hurry(zone, at));
        drop(book);
        self.wake_all();
    }

    /// Makes a part of the signatures anew that are due. Returns how long until the next part.
    fn renew_signatures(&self, zone: &Name, state: &SigningState) -> Result<Duration, Halt> {
        let due = self.due(zone, state)?;
        if due.now == 0 {
            let next = due.next_in_s.map_or(EVERY, |next| Duration::from_secs(next.into()));
            // A trickle: what is due within a minute is made together.
            return Ok(next.max(GAP));
        }
        let [least, most] = PART;
        let part = (due.now / PARTS).clamp(least, most);
        let begun = Instant::now();
        let made = self.publisher.renew_signatures(zone, part)?;
        self.made(zone, Some(&made));
        let rest = begun.elapsed() * REST;
        tracing::debug!(%zone, due = due.now, part, "signatures made anew");
        Ok(if due.now > part { rest.max(gap(&due)) } else { rest.max(GAP) })
    }

    /// What is due of a version; of one where nothing was, the zone is walked again when the time has come or
    /// anything is another.
    fn due(&self, zone: &Name, state: &SigningState) -> Result<Due, Halt> {
        let now = self.now_s();
        let (Some(by), Some(served)) = (&state.current, &state.served) else {
            return Err(Halt::NoZone);
        };
        let is_calm = |calm: &&Calm| {
            calm.serial == served.serial()
                && calm.by == *by
                && calm.until.is_none_or(|until| now < until)
        };
        let calm = |notes: &mut Notes| {
            let until = notes.calm.as_ref().filter(is_calm)?.until;
            let next_in_s = until.map(|until| u32::try_from(until - now).unwrap_or(u32::MAX));
            Some(Due { next_in_s, ..Due::default() })
        };
        if let Some(due) = self.note(zone, calm).flatten() {
            return Ok(due);
        }
        let due = self.publisher.signatures_due(zone)?;
        let until = due.next_in_s.map(|next| now.saturating_add(next.into()));
        let calm = Calm { serial: served.serial(), by: by.clone(), until };
        self.note(zone, |notes| notes.calm = (due.now == 0).then_some(calm));
        Ok(due)
    }

    /// Takes note of a version that was made in a turn.
    pub(super) fn made(&self, zone: &Name, change: Option<&Change>) {
        if let Some(change) = change {
            self.note(zone, |notes| notes.made(change));
        }
    }
}

/// The time between two parts: less if signatures end within a day.
fn gap(due: &Due) -> Duration {
    if due.ends_in_s.is_some_and(|end| end < 86_400) { SOON } else { GAP }
}
