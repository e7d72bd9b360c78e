//! Commits that the server does not confirm: a synchronous standby is away, or the server itself.
//!
//! ```text
//! commit ─► answer: done, or undone
//!        ├► none for 5 s ─► said aloud, and whoever comes now is refused at once
//!        └► none at all  ─► looked up by the number of its transaction ─► done, undone, or in doubt: nothing is
//!                           written before it is known
//! ```
//! Nothing here waits for the session that writes, so that it can be told while somebody else waits there.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::session::failed;
use super::{Database, PAUSE};
use crate::lock::lock;
use crate::store::StoreError;

/// A commit that takes longer is not waited for by those who come after it.
const SLOW: Duration = Duration::from_secs(5);
/// How long the outcome of a commit is asked for.
const OUTCOME_MAX: Duration = Duration::from_secs(20);

/// The commit that is not confirmed.
#[derive(Default)]
pub(super) struct Unconfirmed {
    /// Since when one is waited for.
    since: Mutex<Option<Instant>>,
    /// The number of one whose outcome is not known, and since when it is not.
    doubt: Mutex<Option<(String, Instant)>>,
}

impl Unconfirmed {
    /// A commit begins; what is returned is dropped once all is known of it that can be.
    pub(super) fn begin(&self) -> Waiting<'_> {
        *lock(&self.since) = Some(Instant::now());
        Waiting(self)
    }

    /// That a commit takes long, if one does.
    pub(super) fn slow(&self) -> Option<StoreError> {
        let waited = lock(&self.since).map(|since| since.elapsed());
        waited.filter(|waited| *waited > SLOW).map(unconfirmed)
    }

    /// That one takes long, or that the outcome of one is not known.
    pub(super) fn any(&self) -> Option<StoreError> {
        self.slow().or_else(|| self.doubt().map(|(_, since)| unconfirmed(since.elapsed())))
    }

    /// The commit whose outcome is not known.
    fn doubt(&self) -> Option<(String, Instant)> {
        lock(&self.doubt).clone()
    }
}

/// A commit that is waited for.
pub(super) struct Waiting<'u>(&'u Unconfirmed);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        *lock(&self.0.since) = None;
    }
}

/// That the server has not confirmed a commit for so long.
fn unconfirmed(waited: Duration) -> StoreError {
    StoreError::Unconfirmed(Fault::Silent(waited).into())
}

impl Database {
    /// What became of a commit whose answer was not heard; an error if nobody says.
    pub(super) fn outcome_of(&self, number: String, fault: Fault) -> Result<(), StoreError> {
        match self.outcome(&number, OUTCOME_MAX) {
            Some(true) => Ok(()),
            Some(false) => Err(StoreError::Commit(fault.into())),
            None => {
                *lock(&self.unconfirmed.doubt) = Some((number, Instant::now()));
                Err(StoreError::Unheard(fault.into()))
            }
        }
    }

    /// Asks once what became of a commit whose outcome is not known, if there is one. The session that writes is the
    /// caller's meanwhile.
    pub(super) fn settle_doubt(&self) -> Result<(), StoreError> {
        let Some((number, since)) = self.unconfirmed.doubt() else { return Ok(()) };
        match self.outcome(&number, Duration::ZERO) {
            None => return Err(unconfirmed(since.elapsed())),
            Some(true) => self.is_outdated.store(true, Ordering::Relaxed),
            Some(false) => {}
        }
        *lock(&self.unconfirmed.doubt) = None;
        Ok(())
    }

    /// Whether a transaction was committed; none if nobody says for so long. It is asked once at least.
    fn outcome(&self, number: &str, most: Duration) -> Option<bool> {
        let begun = Instant::now();
        loop {
            let text = "SELECT coalesce(pg_xact_status($1::text::xid8), 'lost')";
            let said = self
                .connect()
                .and_then(|session| session.value::<String>(text, &[&number]).map_err(failed));
            match said.as_deref() {
                Ok("committed") => return Some(true),
                // One that the server knows nothing of was never written to its log.
                Ok("aborted" | "lost") => return Some(false),
                Ok(_) | Err(_) if begun.elapsed() >= most => return None,
                // The server has not noticed yet that nobody waits for it.
                Ok(_) | Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }
}
