//! A check that may never return because a disk hangs. It runs on a thread of its own, one at a time, and
//! callers wait for a short time only. A result is reused for a second, so many callers at once cost one
//! check.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::lock::lock;

/// How long what was found is used again.
const KEPT: Duration = Duration::from_secs(1);

/// The check, shared by all callers.
#[derive(Debug, Default)]
pub(super) struct Look<T>(Arc<Shared<T>>);

/// What the thread and those that wait for it share.
#[derive(Debug, Default)]
struct Shared<T> {
    /// The looks up to now.
    looks: Mutex<Looks<T>>,
    /// A look has ended.
    ended: Condvar,
}

/// The looks up to now.
#[derive(Debug, Default)]
struct Looks<T> {
    /// When the one under way began, if one is.
    began: Option<Instant>,
    /// Those that have ended.
    ended: u64,
    /// What the last one found, and when; `None` if it panicked.
    found: Option<(Instant, T)>,
}

/// Ends a look, also one that panics.
struct End<T> {
    /// Where it ends.
    shared: Arc<Shared<T>>,
    /// What it found.
    found: Option<T>,
}

impl<T: Clone + Send + 'static> Look<T> {
    /// What `look` finds, a look that is under way already, or one that ended a moment ago. `None`: it takes
    /// longer than `patience`, counted from its beginning.
    pub(super) fn wait(
        &self,
        patience: Duration,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let mut looks = lock(&self.0.looks);
        if let Some((at, found)) = &looks.found
            && at.elapsed() < KEPT
        {
            return Some(found.clone());
        }
        let before = looks.ended;
        let began = match looks.began {
            Some(began) => began,
            None => {
                let end = End { shared: Arc::clone(&self.0), found: None };
                let work = move || {
                    let mut end = end;
                    end.found = Some(look());
                };
                std::thread::Builder::new().name("look".to_owned()).spawn(work).ok()?;
                *looks.began.insert(Instant::now())
            }
        };
        let left = patience.saturating_sub(began.elapsed());
        let is_under_way = |looks: &mut Looks<T>| looks.ended == before;
        let waited = self.0.ended.wait_timeout_while(looks, left, is_under_way);
        let (looks, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        let found = looks.found.as_ref().filter(|_| !waited.timed_out());
        found.map(|(_, found)| found.clone())
    }
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        let mut looks = lock(&self.shared.looks);
        looks.began = None;
        looks.ended += 1;
        looks.found = self.found.take().map(|found| (Instant::now(), found));
        drop(looks);
        self.shared.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Makes what was found older than it is.
    fn grow_old<T>(look: &Look<T>) {
        if let Some((at, _)) = &mut lock(&look.0.looks).found {
            *at -= KEPT;
        }
    }

    #[test]
    fn a_look_that_hangs_keeps_nobody_and_is_not_begun_again() {
        let look = Look::default();
        let (patient, hasty) = (Duration::from_secs(60), Duration::from_millis(20));
        assert_eq!(look.wait(patient, || 1), Some(1));
        assert_eq!(look.wait(patient, || unreachable!("one ended just now")), Some(1));
        grow_old(&look);
        let (thaw, frozen) = channel::<()>();
        let hangs = move || {
            let _ = frozen.recv();
            2
        };
        assert_eq!(look.wait(hasty, hangs), None);
        assert_eq!(look.wait(hasty, || unreachable!("one is under way")), None);
        thaw.send(()).unwrap();
        // It finds what the look under way finds, or looks itself, if that has ended already.
        assert_eq!(look.wait(patient, || 2), Some(2));
        grow_old(&look);
        assert_eq!(look.wait(patient, || panic!("a bug")), None);
        assert_eq!(look.wait(patient, || 3), Some(3));
    }
}
